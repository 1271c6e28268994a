"""What wheels were built for where no label, name or text says it: by the libraries they hold."""

import pytest

from reconciler.model.cuda import CudaVersion, Variant

from .test_wheels import build_of, installed

#: What readelf shows of the wheels on PyPI, of the CUDA part.
MEASURED = [
    ("auto-gptq==0.7.1", "autogptq_cuda_64.cpython-310-x86_64-linux-gnu.so", "libcudart.so.12"),
    ("dgl==1.1.3", "dgl/libdgl.so", "libcudart.so.11.0"),
    ("torchao==0.18.0", "torchao/_C_cutlass_90a.abi3.so", "libcudart.so.13"),
    ("torchcodec==0.17.0", "torchcodec/libtorchcodec_core4.so", "libcudart.so.13"),
    ("vllm==0.99.0", "vllm/_C_stable_libtorch.abi3.so", "libcudart.so.13"),
    ("vllm==0.0.1", "vllm/_C.abi3.so", "libcudart.so.12"),
    ("sgl-kernel==0.3.21", "sgl_kernel/sm90/common_ops.abi3.so", "libcudart.so.12"),
    ("faiss-gpu==1.15.1", "faiss/_swigfaiss.so", "libcudart.so.12"),
    (
        "cupy==13.6.0",
        "cupy_backends/cuda/libs/cublas.cpython-310-x86_64-linux-gnu.so",
        "libcublas.so.12",
    ),
]
TAGS = ("118", "121", "124", "126", "128", "130", "132")


def recorded(wheel, *paths, platform="linux-64"):
    """Sketch a wheel of which nothing but its RECORD is read."""
    lines = "\\n".join(f"{path},," for path in paths)
    return f'platform: {platform}\nconda: []\npip:\n  - {wheel}: {{record: "{lines}"}}\n'


@pytest.mark.parametrize(("wheel", "module", "needed"), MEASURED)
def test_a_wheel_s_module_tells_its_cuda(wheel, module, needed):
    build = build_of(wheel.partition("==")[0], installed(wheel, {module: ["libc10.so", needed]}))

    assert build.variant is Variant.CUDA
    assert needed.startswith(f"{needed.partition('.so.')[0]}.so.{build.cuda}")


@pytest.mark.parametrize(
    ("wheel", "module"),
    [
        ("dgl==2.1.0", "dgl/libdgl.so"),
        ("torchcodec==0.11.1", "torchcodec/libtorchcodec_core4.so"),
        ("vllm==0.99.0", "vllm/_C.abi3.so"),
    ],
)
def test_a_module_without_cuda_is_of_a_build_for_the_cpu(wheel, module):
    build = build_of(wheel.partition("==")[0], installed(wheel, {module: ["libc10.so"]}))

    assert build.variant is Variant.CPU


def test_a_wheel_that_links_cuda_statically_is_not_for_the_cpu():
    module = "faiss/_swigfaiss.cpython-310-x86_64-linux-gnu.so"
    build = build_of("faiss-gpu", installed("faiss-gpu==1.7.2", {module: ["libz.so.1"]}))

    assert (build.variant, build.cuda) == (Variant.CUDA, None)


@pytest.mark.parametrize(
    ("wheel", "module", "cuda"),
    [
        ("cupy-cuda12x==13.6.0", "cupy_backends/cuda/libs/cublas.cpython-310.so", "12"),
        ("faiss-cpu==1.12.0", "faiss/_swigfaiss.so", "None"),
    ],
)
def test_a_name_is_believed_before_files_that_a_twin_may_have_overwritten(wheel, module, cuda):
    text = installed(wheel, {module: ["libcublas.so.13", "libcudart.so.13"]})

    assert str(build_of(wheel.partition("==")[0], text).cuda) == cuda


def test_another_distribution_s_library_tells_nothing_of_a_wheel():
    module = "sgl_kernel/sm90/common_ops.abi3.so"
    text = installed("sglang==0.5.23", {module: ["libcudart.so.12"]})

    assert build_of("sglang", text.replace(f"{module},,", "sglang/__init__.py,,")) is None


@pytest.mark.parametrize(
    ("version", "cuda"), [("3.24.0", "11"), ("4.5.0", "12"), ("4.8.5", "12"), ("2.24.0", None)]
)
def test_a_release_of_ctranslate2_opens_one_cublas(version, cuda):
    build = build_of("ctranslate2", f"conda: []\npip: [ctranslate2=={version}]\n")

    assert (str(build.cuda) if build else None) == cuda


@pytest.mark.parametrize(("ending", "platform"), [("so", "linux-64"), ("dll", "win-64")])
def test_bitsandbytes_holds_a_library_for_each_release(ending, platform):
    names = ["cpu", "rocm72", "xpu2025", *(f"cuda{tag}" for tag in TAGS)]
    paths = [f"bitsandbytes/libbitsandbytes_{name}.{ending}" for name in names]
    build = build_of("bitsandbytes", recorded("bitsandbytes==0.50.2", *paths, platform=platform))

    assert (build.variant, build.cuda) == (Variant.CUDA, None)
    assert build.releases == tuple(CudaVersion(int(tag[:2]), int(tag[2:])) for tag in TAGS)
    assert build.words == "CUDA 11.8, 12.1, 12.4, 12.6, 12.8, 13.0, 13.2"
    assert build.evidence.endswith(f": bitsandbytes/libbitsandbytes_cuda132.{ending}")


def test_releases_are_in_order_whatever_order_record_has():
    paths = [f"bitsandbytes/libbitsandbytes_cuda{tag}.so" for tag in ("118", "102", "110")]

    assert build_of("bitsandbytes", recorded("bitsandbytes==0.37.0", *paths)).words == (
        "CUDA 10.2, 11.0, 11.8"
    )


@pytest.mark.parametrize("paths", [(), ("bitsandbytes/libbitsandbytes_cpu.so",)])
def test_a_bitsandbytes_without_such_a_library_tells_nothing(paths):
    assert build_of("bitsandbytes", recorded("bitsandbytes==0.50.2", *paths)) is None


def test_a_bitsandbytes_without_a_record_tells_nothing():
    assert build_of("bitsandbytes", "conda: []\npip: [bitsandbytes==0.50.2]\n") is None


@pytest.mark.parametrize(
    ("dlls", "variant", "cuda"),
    [
        (("c10.dll", "c10_cuda.dll", "cudart64_110.dll"), Variant.CUDA, "11"),
        (("c10.dll", "c10_cuda.dll", "cudart64_12.dll"), Variant.CUDA, "12"),
        (("c10.dll", "c10_cuda.dll", "cudart64_101.dll"), Variant.CUDA, "10.1"),
        (("c10.dll", "c10_cuda.dll"), Variant.CUDA, "None"),
        (("c10.dll", "torch_cpu.dll"), Variant.CPU, "None"),
    ],
)
def test_the_dlls_that_record_lists_tell_a_wheel_of_windows(dlls, variant, cuda):
    paths = [f"torch/lib/{dll}" for dll in dlls]
    build = build_of("torch", recorded("torch==2.99.0", *paths, platform="win-64"))

    assert (build.variant, str(build.cuda)) == (variant, cuda)
    assert build.evidence.startswith("its RECORD lists ")


def test_a_label_is_finer_than_the_dlls_of_its_major():
    paths = ["torch/lib/c10_cuda.dll", "torch/lib/cudart64_12.dll"]
    build = build_of("torch", recorded("torch==2.5.1+cu124", *paths, platform="win-64"))

    assert str(build.cuda) == "12.4"


@pytest.mark.parametrize(
    ("wheel", "dll", "variant"),
    [
        ("onnxruntime-gpu==1.99", "onnxruntime_providers_cuda.dll", Variant.CUDA),
        ("onnxruntime==1.99", "onnxruntime_providers_shared.dll", Variant.CPU),
    ],
)
def test_onnxruntime_s_provider_tells_a_wheel_of_windows(wheel, dll, variant):
    text = recorded(wheel, f"onnxruntime/capi/{dll}", platform="win-64")

    assert build_of(wheel.partition("==")[0], text).variant is variant


@pytest.mark.parametrize("text", ["pip: [torch==2.99.0]", 'pip: [{torch==2.99.0: {record: ""}}]'])
def test_without_a_record_the_absence_of_a_dll_says_nothing(text):
    assert build_of("torch", f"platform: win-64\nconda: []\n{text}\n") is None


def test_linux_is_not_judged_by_dlls():
    text = recorded("torch==2.99.0", "torch/lib/c10_cuda.dll")

    assert build_of("torch", text).variant is Variant.CPU
