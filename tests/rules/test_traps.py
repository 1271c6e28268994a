"""What looks like a clash and is none: every rule stays silent."""

import pytest

from reconciler import catalog
from reconciler.pipeline import judge
from reconciler.rules import all_rules
from reconciler.testing import sketch

TRAPS = {
    "wheels-only": """
        conda: []
        pip:
          - torch==2.1.2: {requires: [nvidia-cuda-runtime-cu12==12.1.105, nvidia-cudnn-cu12==8.9.2.26]}
          - nvidia-cuda-runtime-cu12==12.1.105
          - nvidia-cudnn-cu12==8.9.2.26
    """,
    "nvjitlink 12.4 beside 12.1": """
        conda: []
        pip: [torch==2.1.2+cu121, nvidia-cuda-runtime-cu12==12.1.105, nvidia-nvjitlink-cu12==12.4.127]
    """,
    "a build for 11.2 on a toolkit 11.8": """
        conda:
          - cudatoolkit=11.8.0=h4ba93d1_13
          - pytorch=1.13.1=cuda112py310he33e0d6_200: {depends: ["cudatoolkit >=11.2,<12"]}
        pip: []
    """,
    "a build for 12.0 on cuda-version 12.9 beside a driver of 12.4": """
        conda:
          - cuda-version=12.9=h4f385c5_3
          - cuda-cudart=12.9.79=h5888daf_0
          - pytorch=2.3.1=cuda120_py311hf6aebf0_300: {depends: ["cuda-version >=12.0,<13"]}
        pip: []
        driver: "550.54.15"
    """,
    "+computecanada": """
        conda: []
        pip: [torch==2.1.2+computecanada, torchvision==0.16.2+computecanada]
    """,
    "ROCm by design": """
        conda: []
        pip: [torch==2.1.2+rocm5.6, pytorch-triton-rocm==2.1.0]
    """,
    "cpuonly alone": """
        conda: [pytorch=2.1.2=py3.11_cpu_0, cpuonly=2.0=0, pytorch-mutex=1.0=cpu]
        pip: []
    """,
    "+cpu with its index": """
        conda: []
        pip: [torch==2.4.0+cpu]
        requirements.txt: |
          --extra-index-url https://download.pytorch.org/whl/cpu
          torch==2.4.0+cpu
    """,
    "conda's own dist-info of pytorch": """
        conda:
          - cuda-cudart=12.6.77=h5888daf_0
          - pytorch=2.5.1=cuda126_py311_h1234567_0: {depends: ["cuda-version >=12.6,<13"]}
        pip:
          - torch==2.5.1: {installer: conda}
    """,
    "conda's own dist-info without INSTALLER": """
        conda:
          - pytorch=2.5.1=cuda126_py311_h1234567_0:
              depends: ["cuda-version >=12.6,<13"]
              files: [lib/python3.11/site-packages/torch-2.5.1.dist-info/METADATA]
        pip:
          - torch==2.5.1: {installer: null}
    """,
    "two frameworks of pip, each with its own CUDA": """
        conda: []
        pip:
          - torch==2.11.0: {requires: [nvidia-cuda-runtime==13.0.96]}
          - nvidia-cuda-runtime==13.0.96
          - jax-cuda12-plugin==0.6.0
          - jax-cuda12-pjrt==0.6.0
          - nvidia-cuda-runtime-cu12==12.9.79
    """,
    "PyTorch for the CPU beside JAX on the GPU": """
        conda: []
        pip:
          - torch==2.4.0+cpu
          - jax-cuda12-plugin==0.6.0
          - nvidia-cuda-runtime-cu12==12.9.79
    """,
    "opencv under conda is one provider of three packages": """
        conda: [libopencv=4.10.0=x_0, py-opencv=4.10.0=x_0, opencv=4.10.0=x_0]
        pip: []
    """,
    "pynvml of today only wraps nvidia-ml-py": """
        conda: []
        pip:
          - pynvml==12.0.0
          - nvidia-ml-py==12.560.30
        requirements.txt: |
          pynvml
          nvidia-ml-py
    """,
    "tensorflow-intel is what tensorflow itself requires on Windows": """
        platform: win-64
        conda: []
        pip: [tensorflow==2.15.0, tensorflow-intel==2.15.0]
    """,
    "cuda-version states, and brings nothing": """
        conda: [cuda-version=12.9=h4f385c5_3]
        pip: [torch==2.11.0+cu130]
    """,
    "a file for the CPU beside one for CUDA": """
        environment.yml: |
          channels: [conda-forge]
          dependencies: [pytorch=*=cuda*, cuda-version=12.6]
        requirements.txt: |
          --index-url https://download.pytorch.org/whl/cpu
          torch==2.4.0
    """,
    "a requirement for another platform": """
        requirements.txt: |
          cupy-cuda11x ; sys_platform == "win32"
          cupy-cuda12x ; sys_platform == "linux"
    """,
    "PYTHONPATH to sources, to nothing, and to itself": """
        python: 3.11.7
        pythonpath:
          - {path: /home/user/src}
          - {path: /nowhere/lib/python3.8/site-packages, exists: false, python_in_path: "3.8"}
          - {path: /prefix/lib/python3.11/site-packages, prefix: /prefix, python_in_path: "3.11"}
    """,
    "a constraint installs nothing": """
        requirements.txt: |
          -c constraints.txt
          cupy-cuda12x
        constraints.txt: |
          cupy-cuda11x==13.3.0
          cupy-cuda12x==13.3.0
    """,
    "cudatoolkit for numba beside PyTorch for the CPU": """
        conda: [numba=0.60.0=py311_0, cudatoolkit=11.8.0=h4ba93d1_13]
        pip: [torch==2.4.0+cpu]
    """,
    "a framework that is for the CPU by its name": """
        conda: [cudatoolkit=11.8.0=h4ba93d1_13]
        pip: [tensorflow-cpu==2.15.0]
    """,
    "a compiler for CUDA beside PyTorch for the CPU": """
        conda: [cuda-nvcc=12.4.131=0, cuda-cudart=12.4.127=0, cuda-version=12.4=0]
        pip: [torch==2.4.0+cpu]
    """,
    "a compiler for CUDA 11 beside wheels for CUDA 12": """
        conda: [cuda-nvcc=11.8.89=0]
        pip: [torch==2.4.0+cu124]
        environment.yml: |
          dependencies: [cuda-nvcc=11.8, pip, {pip: [--extra-index-url https://download.pytorch.org/whl/cu124, torch==2.4.0+cu124]}]
    """,
    "XGBoost links CUDA statically, and its NCCL is its own": """
        conda:
          - pytorch=2.3.1=cuda118_py311_0: {depends: ["cudatoolkit >=11.8,<12"]}
          - cudatoolkit=11.8.0=h4ba93d1_13
        pip:
          - xgboost==2.1.1: {requires: ['nvidia-nccl-cu12 ; platform_system == "Linux"']}
          - nvidia-nccl-cu12==2.22.3
    """,
    "a requirement that only Linux has": """
        platform: win-64
        conda: []
        pip:
          - torch==2.1.2+cu118
          - xgboost==2.1.1: {requires: ['nvidia-nccl-cu12 ; platform_system == "Linux"']}
    """,
    "a requirement for another Python": """
        python: 3.11.7
        requirements.txt: |
          torch==2.1.2
          nvidia-cublas-cu11==11.11.3.6 ; python_version < "3.9"
    """,
    "no environment at all": """
        requirements.txt: |
          numpy
    """,
}


@pytest.mark.parametrize("text", TRAPS.values(), ids=TRAPS)
def test_a_trap_stays_silent(text):
    report = judge(sketch(text), list(all_rules().values()), catalog.load())
    assert [(f.code, f.message) for f in report.findings] == []
    assert report.crashes == ()
