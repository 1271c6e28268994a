"""An environment with five faults at once, for the tests and for `python -m bench.peers`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .elf_stub import stub_library
from .pip_packages import cupy_stack
from .prefix import install
from .running import SITE_PACKAGES, VERSION
from .wheels import Wheel, build_wheel, dist_info, pip_install

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .channel import Channel


def build(lab: Path, channel: Channel, torch_wheels: Sequence[Path]) -> Path:
    """Build two CUDA majors, two owners of cuDNN, two CuPys, a package twice, and NumPy 2 below an older PyTorch."""
    specs = [f"python={VERSION}", "pip", "setuptools", "cudatoolkit=11.8", "cudnn=8", "six"]
    prefix = install(lab / "five_faults", specs, channel)
    pip_install(prefix, *torch_wheels)
    files = {"nvidia/cudnn/lib/libcudnn.so.8": stub_library("libcudnn.so.8", symbols=("older",))}
    cudnn = Wheel("nvidia-cudnn-cu11", "8.9.5.29", files, (), "py3-none-manylinux1_x86_64")
    pip_install(prefix, build_wheel(lab / "wheels", cudnn))
    for name in ("cupy-cuda11x", "cupy-cuda12x"):
        pip_install(prefix, *cupy_stack(lab / "wheels", name))
    # pip's six as it lay there before conda installed its own over it
    twin = Wheel("six", "1.16.0", {"six.py": b"__version__ = '1.16.0'\n"}, (), "py3-none-any")
    for path, content in dist_info(twin, {"INSTALLER": b"pip\n"}).items():
        (prefix / SITE_PACKAGES / path).parent.mkdir(exist_ok=True)
        (prefix / SITE_PACKAGES / path).write_bytes(content)
    return prefix
