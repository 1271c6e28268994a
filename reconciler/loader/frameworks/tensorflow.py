"""What TensorFlow opens as it looks for GPUs: its stubs, which give dlopen the names alone.

``tsl::internal::DsoLoader`` (xla/tsl/platform/default/dso_loader.cc) is called by the check of
``TryDlopenCUDALibraries``; the RUNPATH of the library that holds its code leads to the wheels.
"Cannot dlopen some GPU libraries" is said where one fails, and no GPU is used. The driver is taken
for granted: without it, nothing else is opened.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.loader.frameworks.stage import Stage
    from reconciler.model.loading import Site

NAME = "tensorflow"
_MODULE = "_pywrap_tensorflow_internal"
_ROOTS = ("/usr/local/cuda", "/opt/cuda")
_INSIDE = (
    *("../nvidia/cu13", "../../nvidia/cu13", "../nvidia/cuda_nvcc", "../../nvidia/cuda_nvcc"),
    *("cuda", "../../../..", "../../../../.."),
)
_LIBDEVICE = "nvvm/libdevice"
_FLAG = re.compile(r"--xla_gpu_cuda_data_dir=(\S+)")


def play(stage: Stage) -> None:
    """Import TensorFlow and list its GPUs."""
    package = stage.package("tensorflow")
    if package is None:
        stage.fail("tensorflow is not installed")
    python = posixpath.join(package, "python")
    stage.module(python, _MODULE, because="import tensorflow loads its native code")
    callers, libraries = stage.step(NAME, "callers"), stage.step(NAME, "libraries")
    caller = next(
        (p for one in (callers.opens if callers else ()) if (p := stage.mapped(one))), None
    )
    if caller is None or libraries is None:
        return
    stage.open(
        "libcuda.so.1", caller=caller, is_optional=True, because="TensorFlow asks for the driver"
    )
    for name in libraries.opens:
        because = "TensorFlow looks for GPUs, and uses none where one of these is missing"
        stage.open(name, caller=caller, is_optional=True, because=because)
    look_for_libdevice(stage, posixpath.dirname(caller))


def look_for_libdevice(stage: Stage, folder: str) -> None:
    """Look for what XLA compiles with, as the library in a folder of a package does.

    xla/tsl/platform/default/cuda_root_path.cc of openxla/xla; TF_CUDA_TOOLKIT_PATH, which is set as
    it is built, is /usr/local/cuda. What XLA_FLAGS names comes first: GetCudaRootCandidates.
    """
    flags = stage.variable("XLA_FLAGS") or ""
    if flags and not flags.lstrip().startswith("-"):
        # It names a file of flags: xla/parse_flags_from_env.cc.
        return
    roots = [
        *_FLAG.findall(flags),
        *_ROOTS,
        *(posixpath.normpath(posixpath.join(folder, one)) for one in _INSIDE),
    ]
    wanted = (posixpath.join(root, _LIBDEVICE, "libdevice.10.bc") for root in roots)
    stage.look(*wanted, because="XLA looks for libdevice in the roots of CUDA that it knows")


def directories(site: Site) -> Iterator[str]:
    """Yield the directories outside of packages that are looked into."""
    above = ("../..", "../../..", "../../../..")
    roots = (posixpath.join(one, up) for one in site.directories for up in above)
    named = _FLAG.findall(site.variables.get("XLA_FLAGS", ""))
    yield from (posixpath.join(root, _LIBDEVICE) for root in (*named, *_ROOTS, *roots))
