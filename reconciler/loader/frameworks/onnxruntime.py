"""What ONNX Runtime opens for ``InferenceSession(..., providers=["CUDAExecutionProvider"])``.

onnxruntime/core/session/provider_bridge_ort.cc: the provider lies beside the library that opens it,
and needs CUDA's libraries by soname, without any RPATH to the wheels. Where it fails, the session
runs on the CPU after one line of the log. ``preload_dlls()`` is the user's call, and is played apart.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.loader.frameworks.stage import Stage

NAME = "onnxruntime"
_STATE = "onnxruntime_pybind11_state"


def play(stage: Stage) -> None:
    """Import ONNX Runtime and start a session on CUDA."""
    folder = stage.package("onnxruntime", "capi")
    if folder is None:
        stage.fail("onnxruntime is not installed")
    state = _import(stage, folder)
    path = posixpath.join(folder, "libonnxruntime_providers_cuda.so")
    if stage.has(path):
        because = "a session on CUDA loads its provider, and stays on the CPU without it"
        stage.open(path, caller=state, is_optional=True, because=because)


def _import(stage: Stage, folder: str) -> str | None:
    """Import ONNX Runtime, which opens what its providers share as well: seen with 1.22.0."""
    because = "import onnxruntime loads its native code"
    state = stage.module(folder, _STATE, because=because)
    path = posixpath.join(folder, "libonnxruntime_providers_shared.so")
    if stage.has(path):
        stage.open(path, caller=state, is_global=True, is_optional=True, because=because)
    return state


def preload_dlls(stage: Stage) -> None:
    """Call ``onnxruntime.preload_dlls()``: the wheels beside it, then what is left by name."""
    package, row = stage.package("onnxruntime"), stage.step(NAME, "preload")
    if package is None or row is None:
        return
    _import(stage, posixpath.join(package, "capi"))
    because = "onnxruntime.preload_dlls() opens the wheels of NVIDIA, and the rest by name"
    left: list[str] = []
    for item in row.opens:
        folder, _, name = item.partition("/")
        path = posixpath.join(posixpath.dirname(package), "nvidia", folder, "lib", name)
        if not (stage.has(path) and stage.ctypes(path, is_optional=True, because=because)):
            left.append(name)
    for name in left:
        stage.ctypes(name, is_optional=True, because=because)
