"""What JAX opens as it starts its CUDA plugin: jax_plugins/cuda/__init__.py, ``initialize``.

Newer releases open the wheels first, by path. Then the versions are asked for, through stubs that
give dlopen the names alone, and the plugin itself is opened by jaxlib; its RPATH leads to the
wheels. Any failure leaves JAX on the CPU. The driver is taken for granted.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from reconciler.loader.frameworks.tensorflow import look_for_libdevice

if TYPE_CHECKING:
    from reconciler.loader.frameworks.stage import Stage

NAME = "jax"
_PLUGIN = re.compile(r"xla_cuda(?P<cuda>\d+)")
_CORE = ("_jax", "xla_extension")


def play(stage: Stage) -> None:
    """Start JAX's backends."""
    core = stage.package("jaxlib")
    if core is None:
        stage.fail("jaxlib is not installed")
    for module in _CORE:
        stage.module(core, module, because="import jax loads jaxlib")
    for folder in stage.portions("jax_plugins"):
        for name in sorted(stage.tree.names(folder)):
            if found := _PLUGIN.fullmatch(name):
                _start_plugin(stage, posixpath.join(folder, name), int(found["cuda"]))


def _start_plugin(stage: Stage, folder: str, cuda: int) -> None:
    _preload(stage)
    versions = stage.package(f"jax_cuda{cuda}_plugin")
    if versions is not None:
        because = "the CUDA plugin of JAX imports its own extension"
        stage.module(versions, "cuda_plugin_extension", because=because, is_optional=True)
    row = stage.step(NAME, "starts")
    path: str | None = None
    for step in row.opens if row else ():
        if step == "plugin":
            path = _load_plugin(stage, folder)
        elif step == "libraries" and path:
            _load_libraries(stage, path, cuda)
        elif step == "checks" and versions and not _check_versions(stage, versions, cuda):
            return


def _check_versions(stage: Stage, package: str, cuda: int) -> bool:
    """Ask for the version of each library; tell whether all are there."""
    row = stage.known.step(NAME, "checks", stage.version(NAME), cuda)
    because = "JAX asks for the versions of CUDA's libraries, and stays on the CPU without one"
    if row is None or stage.variable("JAX_SKIP_CUDA_CONSTRAINTS_CHECK"):
        return True
    caller = stage.module(package, "_versions", because=because, is_optional=True)
    if caller is None:
        return False
    found = (
        stage.open(name, caller=caller, is_optional=True, because=because) for name in row.opens
    )
    return None not in (list(found) if row.goes_on else found)


def _load_plugin(stage: Stage, folder: str) -> str | None:
    path = posixpath.join(folder, "xla_cuda_plugin.so")
    if not stage.has(path):
        return None
    core = next((p for one in _CORE if (p := stage.mapped(one))), None)
    return stage.open(path, caller=core, is_optional=True, because="jaxlib loads its CUDA plugin")


def _load_libraries(stage: Stage, plugin: str, cuda: int) -> None:
    row = stage.known.step(NAME, "libraries", stage.version(NAME), cuda)
    for name in row.opens if row else ():
        because = "the CUDA plugin of JAX loads what it computes with"
        stage.open(name, caller=plugin, is_optional=True, because=because)
    look_for_libdevice(stage, posixpath.dirname(plugin))


def _preload(stage: Stage) -> None:
    """Open the wheels of NVIDIA, each from the first place that has its package."""
    row = stage.step(NAME, "preload")
    for item in row.opens if row else ():
        folder, _, name = item.partition("/")
        package = stage.package("nvidia", folder)
        if package is not None:
            path = posixpath.join(package, "lib", name)
            stage.ctypes(path, is_optional=True, because="JAX preloads the wheels of NVIDIA")
