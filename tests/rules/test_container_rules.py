"""DEC722: which base images are found not to fit what is installed in them."""

from textwrap import dedent, indent

import pytest

from reconciler import catalog
from reconciler.check import run_rules
from reconciler.model.finding import Finding, Severity
from reconciler.rules import dec722_base_image_cuda_differs
from reconciler.testing import sketch
from reconciler.world import World

KNOWN = catalog.load()


def found(dockerfile, **files):
    files = {"Dockerfile": dockerfile} | files
    text = "".join(f"{n}: |\n{indent(dedent(t), '  ')}\n" for n, t in files.items())
    results = list(run_rules([dec722_base_image_cuda_differs], World(sketch(text), KNOWN)))
    assert all(isinstance(result, Finding) for result in results), results
    return results


def keys(dockerfile, **files):
    return [finding.cause.rpartition(":")[2] for finding in found(dockerfile, **files)]


DEVEL = "FROM nvidia/cuda:11.8.0-cudnn8-devel-ubuntu22.04\n"
RUNTIME = "FROM nvidia/cuda:12.1.0-cudnn8-runtime-ubuntu22.04\n"
PYTORCH = "FROM pytorch/pytorch:2.1.0-cuda12.1-cudnn8-devel\n"
TORCH = "RUN pip install torch==2.5.1\n"


@pytest.mark.parametrize(
    "dockerfile",
    [
        DEVEL + TORCH,
        DEVEL + "RUN pip install torch==2.5.1 torchvision transformers\nRUN python app.py\n",
        DEVEL + TORCH + "RUN pip install --no-build-isolation .\n",
        DEVEL + TORCH + "RUN python setup.py install\n",
        DEVEL + TORCH + "RUN nvcc --version\n",
        DEVEL + "RUN pip install torch flash-attn\n",
        DEVEL
        + "RUN pip install torch==2.1.0 --index-url https://download.pytorch.org/whl/cu118\nRUN pip install flash-attn\n",
        DEVEL + "RUN pip install torch==2.5.1+cpu -f https://x/\nRUN nvcc x.cu\n",
        "FROM nvidia/cuda:12.1.0-devel\n" + TORCH + "RUN pip install flash-attn\n",
        RUNTIME + TORCH,
        "FROM nvidia/cuda:12.1.0-devel\nRUN pip install jaxlib==0.4.1 flash-attn\n",
        "FROM nvidia/cuda:12.1.0-devel\nRUN pip install torch==0.1.1+odd flash-attn -f x\n",
        "FROM nvidia/cuda:12.1.0-devel\nRUN pip install tensorflow==2.99.9 flash-attn\n",
        RUNTIME
        + TORCH
        + "RUN pip install https://host/flash_attn-2.5.6%2Bcu122torch2.2-cp310-cp310-linux_x86_64.whl\n",
        RUNTIME
        + TORCH
        + "RUN pip install torch-scatter -f https://data.pyg.org/whl/torch-2.5.1+cu124.html\n",
        RUNTIME + "ENV FLASH_ATTENTION_SKIP_CUDA_BUILD=TRUE\nRUN pip install flash-attn\n",
        RUNTIME + "RUN FLASH_ATTENTION_SKIP_CUDA_BUILD=TRUE pip install flash-attn\n",
        RUNTIME + "RUN apt-get install -y cuda-nvcc-12-1\nRUN pip install flash-attn\n",
        RUNTIME + "RUN conda install -c nvidia cuda-nvcc\nRUN pip install flash-attn\n",
        RUNTIME + TORCH + "ENV LD_LIBRARY_PATH=/opt/app/lib\n",
        "FROM nvidia/cuda:12.4.1-runtime\n" + TORCH + "ENV LD_LIBRARY_PATH=/usr/local/cuda/lib64\n",
        "FROM nvidia/cuda:12.6.1-runtime\n" + TORCH + "ENV LD_LIBRARY_PATH=/usr/local/cuda/lib64\n",
        "FROM nvidia/cuda:11.8.0-runtime\n" + TORCH + "ENV LD_LIBRARY_PATH=/usr/local/cuda/lib64\n",
        "FROM nvidia/cuda:12.1.0-base\n" + TORCH + "ENV LD_LIBRARY_PATH=/usr/local/cuda/lib64\n",
        RUNTIME + "RUN pip install torch\nENV LD_LIBRARY_PATH=/usr/local/cuda/lib64\n",
        PYTORCH + "RUN pip install torch==2.1.0 flash-attn\n",
        PYTORCH + "RUN pip install torch==2.1.0+cu121 -f https://x\n",
        PYTORCH + "RUN pip install torch 'torch>=2' torchmetrics\n",
        PYTORCH + "RUN conda create -n x python=3.10 && conda run -n x pip install torch==2.5.1\n",
        PYTORCH + "RUN python -m venv /venv && /venv/bin/pip install torch==2.5.1\n",
        "FROM pytorch/pytorch:latest\n" + TORCH,
        "FROM python:3.11\n" + TORCH + "RUN pip install flash-attn\n",
        "FROM nvidia/cuda\n" + TORCH + "RUN pip install flash-attn\n",
        "FROM nvidia/cuda:12.4.1-devel AS build\n"
        + TORCH
        + "RUN pip wheel flash-attn\nFROM nvidia/cuda:12.1.0-runtime\nCOPY --from=build /x /x\n"
        + TORCH,
    ],
)
def test_what_works_is_silent(dockerfile):
    assert found(dockerfile) == []


@pytest.mark.parametrize(
    "step",
    [
        "RUN pip install flash-attn",
        "RUN nvcc -o x x.cu",
        "RUN cd apex && python setup.py install --cuda_ext",
        "RUN FORCE_CUDA=1 pip install --no-build-isolation .",
        "ENV CUDA_HOME=/usr/local/cuda\nRUN python setup.py install",
    ],
)
def test_what_is_compiled_with_another_major_is_found(step):
    (finding,) = found(DEVEL + TORCH + step + "\n")
    assert finding.cause == "base-image-cuda-differs@Dockerfile:other-major"
    assert finding.severity is Severity.WARNING
    assert finding.at.line == step.count("\n") + 3
    assert [place.line for place in finding.related] == [1, 2]
    assert "CUDA 11.8" in finding.message
    assert "torch 2.5.1 is for CUDA 12.4" in finding.message


def test_the_requirements_that_an_image_installs_count():
    files = {"requirements.txt": "torch==2.5.1\nflash-attn\n"}
    (finding,) = found(DEVEL + "COPY . /app\nRUN pip install -r /app/requirements.txt\n", **files)
    assert (finding.at.path, finding.at.line) == ("requirements.txt", 2)


@pytest.mark.parametrize(
    ("image", "devel"),
    [
        ("nvidia/cuda:12.1.0-cudnn8-runtime-ubuntu22.04", "nvidia/cuda:12.1.0-cudnn8-devel-ubuntu22.04"),
        ("nvcr.io/nvidia/cuda:12.1.0-base-ubuntu22.04", "nvcr.io/nvidia/cuda:12.1.0-devel-ubuntu22.04"),
        ("docker.io/pytorch/pytorch:2.1.0-cuda12.1-cudnn8-runtime", "docker.io/pytorch/pytorch:2.1.0-cuda12.1-cudnn8-devel"),
    ],
)  # fmt: skip
def test_an_image_without_a_compiler_is_found(image, devel):
    (finding,) = found(f"FROM {image}\nRUN pip install flash-attn==2.5.6\n")
    assert finding.message.startswith("`flash-attn==2.5.6` is compiled in Dockerfile")
    assert f"FROM {devel}," in finding.remedy


@pytest.mark.parametrize("value", ["/usr/local/cuda/lib64:$LD_LIBRARY_PATH", "$CUDA_HOME/lib64"])
def test_a_path_to_the_image_s_older_libraries_is_found(value):
    dockerfile = RUNTIME + TORCH + f"ENV LD_LIBRARY_PATH={value}\n"
    (finding,) = found(dockerfile)
    assert finding.at.line == 3
    assert "CUDA 12.1" in finding.message
    assert "which are of CUDA 12.4" in finding.message


@pytest.mark.parametrize("pin", ["torch==2.5.1", "torch==2.1.0+cu118", "torch==1.13.1"])
def test_a_framework_over_the_image_s_own_is_found(pin):
    (finding,) = found(PYTORCH + f"RUN pip install {pin} -f https://x\n")
    assert finding.cause.endswith(":replaced")
    assert "over the PyTorch 2.1.0 for CUDA 12.1 of its image" in finding.message


def test_each_stage_is_judged_with_its_own_image():
    dockerfile = (
        "FROM nvidia/cuda:12.4.1-devel AS build\nRUN pip install torch==2.5.1 flash-attn\n"
        "FROM nvidia/cuda:12.4.1-runtime AS run\nRUN pip install mamba-ssm\n"
    )
    (finding,) = found(dockerfile)
    assert finding.cause == "base-image-cuda-differs@Dockerfile (stage run):no-compiler"


def test_a_stage_is_judged_with_what_it_is_built_from():
    assert keys(
        DEVEL.strip() + " AS base\n" + TORCH + "FROM base\nRUN pip install flash-attn\n"
    ) == ["other-major"]
