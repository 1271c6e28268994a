"""The packages of CUDA in the generated environment: conda's CUDA 11.8 beside wheels of CUDA 12.4.

Names, versions and pins are those of torch 2.5.1 and of the cudatoolkit 11.8 of conda-forge.
"""

from __future__ import annotations

CONDA_LIBRARIES = {
    ("cudatoolkit", "11.8.0"): (
        "libcublas.so.11",
        "libcublasLt.so.11",
        "libcudart.so.11.0",
        "libcufft.so.10",
        "libcurand.so.10",
        "libcusolver.so.11",
        "libcusparse.so.11",
        "libnvrtc.so.11.2",
    ),
    ("cudnn", "8.9.7.29"): ("libcudnn.so.8", "libcudnn_ops_infer.so.8", "libcudnn_cnn_infer.so.8"),
    ("nccl", "2.21.5.1"): ("libnccl.so.2",),
    ("libgcc", "14.2.0"): ("libgcc_s.so.1", "libgomp.so.1"),
    ("libstdcxx", "14.2.0"): ("libstdc++.so.6",),
}
"""Conda packages without Python code, and the sonames in their `lib`."""

WHEEL_LIBRARIES = {
    ("nvidia-cublas-cu12", "12.4.5.8"): ("cublas", "libcublas.so.12", "libcublasLt.so.12"),
    ("nvidia-cuda-cupti-cu12", "12.4.127"): ("cuda_cupti", "libcupti.so.12"),
    ("nvidia-cuda-nvrtc-cu12", "12.4.127"): ("cuda_nvrtc", "libnvrtc.so.12"),
    ("nvidia-cuda-runtime-cu12", "12.4.127"): ("cuda_runtime", "libcudart.so.12"),
    ("nvidia-cudnn-cu12", "9.1.0.70"): ("cudnn", "libcudnn.so.9", "libcudnn_ops.so.9"),
    ("nvidia-cufft-cu12", "11.2.1.3"): ("cufft", "libcufft.so.11"),
    ("nvidia-curand-cu12", "10.3.5.147"): ("curand", "libcurand.so.10"),
    ("nvidia-cusolver-cu12", "11.6.1.9"): ("cusolver", "libcusolver.so.11"),
    ("nvidia-cusparse-cu12", "12.3.1.170"): ("cusparse", "libcusparse.so.12"),
    ("nvidia-nccl-cu12", "2.21.5"): ("nccl", "libnccl.so.2"),
    ("nvidia-nvjitlink-cu12", "12.4.127"): ("nvjitlink", "libnvJitLink.so.12"),
    ("nvidia-nvtx-cu12", "12.4.127"): ("nvtx", "libnvToolsExt.so.1"),
}
"""Wheels of NVIDIA: the folder below `nvidia/` and the sonames in its `lib`."""

_ON_LINUX = '; platform_system == "Linux" and platform_machine == "x86_64"'
TORCH_REQUIRES = (
    "filelock",
    "numpy>=1.24",
    f"triton==3.1.0{_ON_LINUX}",
    *(f"{name}=={version}{_ON_LINUX}" for name, version in WHEEL_LIBRARIES),
)
TORCH_NEEDED = tuple(soname for _, *sonames in WHEEL_LIBRARIES.values() for soname in sonames)
TORCH_RUNPATH = ":".join(
    ("$ORIGIN", *(f"$ORIGIN/../../nvidia/{folder}/lib" for folder, *_ in WHEEL_LIBRARIES.values()))
)

WHEELS = {
    ("torch", "2.5.1"): TORCH_REQUIRES,
    ("torchvision", "0.20.1"): ("numpy", "torch==2.5.1"),
    ("torchaudio", "2.5.1"): ("torch==2.5.1",),
    ("triton", "3.1.0"): ("filelock",),
    ("cupy-cuda11x", "13.3.0"): ("numpy<2.3,>=1.22", "fastrlock>=0.5"),
    ("onnxruntime-gpu", "1.20.1"): ("numpy>=1.21.6", "sympy", "packaging"),
}
"""Wheels that use CUDA, and their requirements."""

SCIENTIFIC = {
    "numpy": "1.26.4",
    "scipy": "1.14.1",
    "pandas": "2.2.3",
    "pyyaml": "6.0.2",
    "fastrlock": "0.8.2",
}
"""Conda packages with compiled Python modules."""

PURE = {"filelock": "3.16.1", "sympy": "1.13.1", "packaging": "24.2", "setuptools": "75.6.0"}
"""Conda packages of Python files alone."""
