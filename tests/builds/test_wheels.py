"""What a wheel was built for, and which of its witnesses is believed."""

import pytest

from reconciler import catalog
from reconciler.model.cuda import Variant
from reconciler.testing import sketch
from reconciler.world import World

SITE = "lib/python3.11/site-packages"


def build_of(package, text):
    world = World(sketch(text), catalog.load())
    return next((build for build in world.builds if build.package == package), None)


def installed(wheel, libraries=(), **fields):
    """Sketch one wheel with the libraries that it needs, by path."""
    record = "\\n".join(f"{path},," for path in dict(libraries))
    lines = [f'    {name}: "{value}"' for name, value in fields.items()]
    read = "".join(
        f"\n  {SITE}/{path}: {{needed: [{', '.join(needed)}]}}"
        for path, needed in dict(libraries).items()
    )
    return (
        f'conda: []\npip:\n  - {wheel}:\n      record: "{record}"\n      '
        + "\n      ".join(line.strip() for line in lines)
        + (f"\nlibraries:{read}\n" if read else "\n")
    )


@pytest.mark.parametrize(
    ("wheel", "module"),
    [
        ("flash-attn==2.7.2.post1", "flash_attn_2_cuda.cpython-311-x86_64-linux-gnu.so"),
        ("mamba-ssm==2.2.4", "selective_scan_cuda.cpython-311-x86_64-linux-gnu.so"),
        ("causal-conv1d==1.5.0", "causal_conv1d_cuda.cpython-311-x86_64-linux-gnu.so"),
        ("mmcv==2.1.0", "mmcv/_ext.cpython-311-x86_64-linux-gnu.so"),
        ("torch-scatter==2.1.2", "torch_scatter/_version_cuda.so"),
        ("fbgemm-gpu==1.0.0", "fbgemm_gpu/fbgemm_gpu_py.so"),
        ("xformers==0.0.28.post3", "xformers/_C.so"),
        ("torchvision==0.29.2", "torchvision/_C_stable.so"),
        ("torchaudio==2.11.0", "torchaudio/lib/libtorchaudio.abi3.so"),
        ("onnxruntime-gpu==1.20.2", "onnxruntime/capi/libonnxruntime_providers_cuda.so"),
    ],
)
def test_the_module_of_a_wheel_without_a_label_tells_its_major(wheel, module):
    text = installed(wheel, {module: ["libc10.so", "libcudart.so.12"]})
    build = build_of(wheel.partition("==")[0], text)
    assert (build.variant, str(build.cuda)[:2]) == (Variant.CUDA, "12")


def test_the_runtime_of_cuda_11_is_named_11_0_for_all_of_its_releases():
    module = "flash_attn_2_cuda.cpython-311-x86_64-linux-gnu.so"
    build = build_of("flash-attn", installed("flash-attn==2.3.3", {module: ["libcudart.so.11.0"]}))
    assert str(build.cuda) == "11"
    assert build.evidence == f"{SITE}/{module} needs libcudart.so.11.0"


@pytest.mark.parametrize("name", ["libcudart-1b201d85.so.10.1", "libcudart.41118559.so.10.1"])
def test_a_grafted_runtime_has_a_hash_in_its_name(name):
    text = installed("mmcv==2.1.0", {"mmcv/_ext.cpython-38-x86_64-linux-gnu.so": [name]})
    assert str(build_of("mmcv", text).cuda) == "10.1"


def test_a_module_that_needs_no_cuda_is_a_build_for_the_cpu():
    text = installed("mmcv==2.1.0", {"mmcv/_ext.cpython-311-x86_64-linux-gnu.so": ["libtorch.so"]})
    assert build_of("mmcv", text).variant is Variant.CPU


def test_a_module_that_needs_its_framework_s_cuda_alone_does_not_tell_the_release():
    text = installed(
        "mmcv==2.1.0", {"mmcv/_ext.cpython-311-x86_64-linux-gnu.so": ["libc10_cuda.so"]}
    )
    build = build_of("mmcv", text)
    assert (build.variant, build.cuda) == (Variant.CUDA, None)


def test_a_module_for_rocm_is_no_build_for_the_cpu():
    needed = ["libtorch.so", "libc10_hip.so"]
    text = installed("mmcv==2.1.0", {"mmcv/_ext.cpython-311-x86_64-linux-gnu.so": needed})
    assert build_of("mmcv", text).variant is Variant.ROCM


def test_a_wheel_that_has_no_build_for_the_cpu_is_not_taken_for_one():
    module = "flash_attn_2_cuda.cpython-311-x86_64-linux-gnu.so"
    build = build_of("flash-attn", installed("flash-attn==2.7.2", {module: ["libc10.so"]}))
    assert (build.variant, build.cuda) == (Variant.CUDA, None)


def test_a_module_that_was_not_read_tells_nothing():
    assert build_of("mmcv", 'conda: []\npip: [{mmcv==2.1.0: {record: "mmcv/_ext.so,,"}}]') is None


def test_a_label_is_finer_than_a_library_of_the_same_major():
    text = installed(
        "torch-scatter==2.1.2+pt24cu124", {"torch_scatter/_version_cuda.so": ["libcudart.so.12"]}
    )
    assert str(build_of("torch-scatter", text).cuda) == "12.4"


def test_a_library_is_believed_before_a_label_of_another_major():
    text = installed(
        "torch-scatter==2.1.2+pt24cu118", {"torch_scatter/_version_cuda.so": ["libcudart.so.12"]}
    )
    assert str(build_of("torch-scatter", text).cuda) == "12"


@pytest.mark.parametrize(
    ("url", "cuda"),
    [
        (
            "https://example.org/flash_attn-2.7.2.post1%2Bcu11torch2.4cxx11abiFALSE-cp311-cp311-x.whl",
            "11",
        ),
        (
            "file:///home/u/flash_attn-2.5.8+cu122torch2.3cxx11abiFALSE-cp311-cp311-x.whl#sha256=1",
            "12.2",
        ),
        ("https://github.com/Dao-AILab/flash-attention", "None"),
        ("file:///home/u/src", "None"),
    ],
)
def test_the_url_of_a_wheel_carries_its_label(url, cuda):
    text = f'conda: []\npip:\n  - flash-attn==2.7.2.post1: {{direct_url: "{url}"}}\n'
    assert str(build_of("flash-attn", text).cuda) == cuda


@pytest.mark.parametrize(
    ("wheel", "cuda"),
    [
        ("nvidia-cusparse-cu12==12.3.1.170", "12.4"),
        ("nvidia-cusparse-cu12==12.5.1.3", "12.5"),
        ("nvidia-cusolver-cu12==11.4.5.107", "12.1"),
        ("nvidia-cufft-cu11==10.9.0.58", "11.8"),
        ("nvidia-cublas==13.1.0.3", "13.0"),
        ("nvidia-cublas==13.10.0.20", "13"),
        ("nvidia-cublas-cu11==11.10.3.66", "11.7"),
        ("nvidia-curand-cu12==10.3.0.86", "12"),
        ("nvidia-nvjitlink-cu12==12.4.127", "12.4"),
        ("nvidia-cudnn-cu12==9.1.0.70", "12"),
    ],
)
def test_a_part_s_own_number_tells_its_release(wheel, cuda):
    name = wheel.partition("==")[0]
    assert str(build_of(name, f"conda: []\npip: [{wheel}]\n").cuda) == cuda


@pytest.mark.parametrize(
    ("record", "cuda"),
    [
        ("libcublas=12.4.5.8=0", "12.4"),
        ("libcusparse=12.3.1.170=0: {depends: ['cuda-version >=12,<13']}", "12.4"),
        ("libcusolver=11.6.1.9=0: {depends: ['cuda-version >=12.4,<12.5.0a0']}", "12.4"),
        ("cudnn=9.13.1.26=h1_0: {depends: ['cuda-version >=12,<13.0a0']}", "12"),
    ],
)
def test_a_part_s_own_number_tells_its_release_under_conda(record, cuda):
    name = record.partition("=")[0]
    assert str(build_of(name, f"conda:\n  - {record}\npip: []\n").cuda) == cuda
