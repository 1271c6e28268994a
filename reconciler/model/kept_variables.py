"""The variables of a shell that a Snapshot keeps; of no other is it known whether it is set."""

from __future__ import annotations

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
        "SHELL",
        "VIRTUAL_ENV",
        "XLA_FLAGS",
    }
)
BEGINNINGS = (
    "BNB_",
    "CONDA_STACKED_",
    "NUMBA_CUDA_",
    "NVIDIA_",
    "PIP_",
    "TRITON_",
    "UV_",
    # Where envfix's own hooks keep what they have changed.
    "_ENVFIX_",
)


def is_kept(name: str) -> bool:
    """Tell whether a Snapshot holds a variable wherever it is set."""
    return name in NAMES or name.startswith(BEGINNINGS)
