"""The variables of the shell that matter to Python, the loader, CUDA and the managers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.collect.ground import Found
from reconciler.collect.secrets import masked_variable
from reconciler.model.os_name import from_os

if TYPE_CHECKING:
    from reconciler.collect.ground import Ground
    from reconciler.model.snapshot import Snapshot

#: A variable enters a Snapshot only by one of these names or beginnings; all others stay out.
NAMES = frozenset(
    {
        "CONDA_DEFAULT_ENV",
        "CONDA_OVERRIDE_CUDA",
        "CONDA_PREFIX",
        "CONDA_SHLVL",
        "CUDA_HOME",
        "CUDA_PATH",
        "CUDA_ROOT",
        "CUDA_VISIBLE_DEVICES",
        "CUDNN_PATH",
        "KMP_DUPLICATE_LIB_OK",
        "LD_LIBRARY_PATH",
        "LD_PRELOAD",
        "LOADEDMODULES",
        "PATH",
        "PYTHONHOME",
        "PYTHONNOUSERSITE",
        "PYTHONPATH",
        "PYTHONUSERBASE",
        "VIRTUAL_ENV",
        "XLA_FLAGS",
    }
)
BEGINNINGS = ("BNB_", "CONDA_STACKED_", "NUMBA_CUDA_", "NVIDIA_", "PIP_", "TRITON_", "UV_")


def collect(ground: Ground, snapshot: Snapshot) -> Found:
    """Keep the variables that matter, without the credentials in them."""
    return Found(
        value={
            from_os(name): masked_variable(name, from_os(value))
            for name, value in sorted(ground.environ.items())
            if name in NAMES or name.startswith(BEGINNINGS)
        }
    )
