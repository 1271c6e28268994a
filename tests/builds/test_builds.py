from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler import catalog
from reconciler.testing import sketch
from reconciler.world import World

if TYPE_CHECKING:
    from reconciler.model.cuda import CudaBuild

CATALOG = catalog.load()
SITE = "lib/python3.11/site-packages"

PYTORCH = "https://download.pytorch.org/whl"

#: What each witness adds to a sketch of torch; each says another CUDA.
WITNESSES = {
    "version-file": f"""evidence: {{{SITE}/torch/version.py: "cuda: Optional[str] = '11.6'\\n"}}\n""",
    "library": f"libraries: {{{SITE}/torch/lib/libc10_cuda.so: {{needed: [libcudart.so.13]}}}}\n",
}


def installed(text: str) -> CudaBuild:
    (build,) = World(sketch(text), CATALOG).builds
    return build


def declared(text: str) -> tuple[CudaBuild, ...]:
    world = World(sketch(text), CATALOG)
    return tuple(b for install in world.install_sets for b in world.declared_builds(install))


def by_pip(*lines: str) -> tuple[CudaBuild, ...]:
    return declared("requirements.txt: |\n" + "".join(f"  {line}\n" for line in lines))


def by_conda(spec: str) -> tuple[CudaBuild, ...]:
    return declared(f"environment.yml: |\n  dependencies:\n    - {spec!r}\n")


def said(build: CudaBuild) -> tuple[str, str | None, str]:
    return build.variant, str(build.cuda) if build.cuda else None, build.known_by


def torch(version: str, requires: str = "", **more: str) -> CudaBuild:
    pip = f"pip:\n  - torch=={version}: {{requires: [{requires}]}}\n"
    return installed(pip + "".join(more.values()))


def test_what_has_nothing_to_do_with_cuda_is_no_build() -> None:
    world = World(sketch("conda: [python=3.11=0, zlib=1=0]\npip: [requests==2.0]\n"), CATALOG)

    assert world.builds == ()


def test_a_version_file_is_believed_before_all() -> None:
    build = torch("2.1.2+cu118", "nvidia-cuda-runtime-cu12==12.1.105", **WITNESSES)

    assert said(build) == ("cuda", "11.6", "version-file")
    assert build.evidence == f"{SITE}/torch/version.py: cuda: Optional[str] = '11.6'"


def test_a_library_is_believed_before_a_label() -> None:
    build = torch("2.1.2+cu118", library=WITNESSES["library"])

    assert said(build) == ("cuda", "13", "library")


def test_a_label_is_believed_before_requirements() -> None:
    build = torch("2.1.2+cu118", "nvidia-cuda-runtime-cu12==12.1.105")

    assert said(build) == ("cuda", "11.8", "local-version")


def test_requirements_are_believed_before_the_release() -> None:
    build = torch("2.1.2", "nvidia-cuda-runtime-cu12==12.4.127")

    assert said(build) == ("cuda", "12.4", "requires")


def test_the_release_of_pypi_is_believed_where_nothing_else_tells() -> None:
    assert said(torch("2.1.2")) == ("cuda", "12.1", "release")


def test_a_release_that_is_not_known_is_no_build() -> None:
    assert World(sketch("pip: [torch==99.0.0]"), CATALOG).builds == ()


@pytest.mark.parametrize(
    ("text", "variant"),
    [
        ("cuda: Optional[str] = None\\nhip: Optional[str] = None\\n", "cpu"),
        ("cuda: Optional[str] = None\\nhip: Optional[str] = '5.6.31061'\\n", "rocm"),
        ("cuda = '12.1'\\nhip = None\\n", "cuda"),
    ],
)
def test_a_version_file_tells_the_variant(text: str, variant: str) -> None:
    build = torch("2.1.2", evidence=f'evidence: {{{SITE}/torch/version.py: "{text}"}}\n')

    assert (build.variant, build.known_by) == (variant, "version-file")


def test_a_wheel_whose_record_has_no_cuda_library_is_for_the_cpu() -> None:
    build = installed('pip:\n  - torch==2.1.2: {record: "torch/__init__.py,,\\n"}\n')

    assert said(build) == ("cpu", None, "library")


def test_a_wheel_without_record_is_not_said_to_be_for_the_cpu() -> None:
    assert torch("2.1.2").variant == "cuda"


@pytest.mark.parametrize("label", ["cpu", "cpu.cxx11.abi"])
def test_a_label_may_be_of_the_cpu(label: str) -> None:
    assert said(torch(f"2.1.2+{label}")) == ("cpu", None, "local-version")


def test_a_label_may_be_of_rocm() -> None:
    assert said(torch("2.1.2+rocm5.6")) == ("rocm", None, "local-version")


def test_a_requirement_of_an_extra_is_none() -> None:
    build = torch("2.1.2", "\"nvidia-cuda-runtime-cu12==12.4.127; extra == 'cuda'\"")

    assert build.known_by == "release"


def test_a_pinned_runtime_says_more_than_a_name() -> None:
    build = torch("9.9", "nvidia-cudnn-cu12==8.9.2.26, nvidia-cuda-runtime-cu12==12.1.105")

    assert said(build) == ("cuda", "12.1", "requires")


def test_a_wheel_that_requires_no_cuda_carries_it_inside() -> None:
    assert "cuda-runtime" in torch("2.1.2+cu118").brings


def test_a_wheel_that_requires_cuda_carries_none_inside() -> None:
    assert torch("2.1.2", "nvidia-cuda-runtime-cu12==12.1.105").brings == ()


@pytest.mark.parametrize(
    ("package", "expected"),
    [
        ("cupy-cuda12x==13.0", ("cuda", "12", "name")),
        ("faiss-cpu==1.7.4", ("cpu", None, "name")),
        ("nvidia-cuda-runtime-cu12==12.1.105", ("cuda", "12.1", "version")),
        ("nvidia-cudnn-cu12==8.9.2.26", ("cuda", "12", "name")),
    ],
)
def test_a_wheel_may_tell_by_its_name_or_version(
    package: str, expected: tuple[str, str | None, str]
) -> None:
    assert said(installed(f"pip: [{package}]")) == expected


def conda(text: str, depends: str = "", constrains: str = "") -> CudaBuild:
    return installed(f"conda:\n  - {text}: {{depends: [{depends}], constrains: [{constrains}]}}\n")


def test_what_a_package_depends_on_is_believed_before_its_build_string() -> None:
    build = conda("pytorch=2.1.0=py3.11_cuda12.1_cudnn8.9.2_0", '"pytorch-cuda >=11.8,<11.9"')

    assert said(build) == ("cuda", "11.8", "depends")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pytorch=1.13.1=cuda112py310he33e0d6_200", ("cuda", "11.2", "build-string")),
        ("pytorch=2.5.1=cuda126_py311_0", ("cuda", "12.6", "build-string")),
        ("pytorch=1.12.1=py3.9_cuda11.3_cudnn8.3.2_0", ("cuda", "11.3", "build-string")),
        ("pytorch=2.0.0=cpu_generic_py311_0", ("cpu", None, "build-string")),
        ("pytorch=2.0.0=py3.11_cpu_0", ("cpu", None, "build-string")),
        ("pytorch=2.0.0=py3.11_0", ("cpu", None, "depends")),
        ("libfaiss=1.5.3=cuda0.0_1", ("cpu", None, "build-string")),
        ("faiss-cpu=1.5.3=py36_cuda0.0_1", ("cpu", None, "name")),
        ("tensorflow=2.15.0=gpu_py311_0", ("cuda", None, "build-string")),
        ("cupy=12.2.0=py311h05d7c7e_0", ("cuda", None, "name")),
    ],
)
def test_a_record_without_cuda_in_its_depends_is_told_by_its_build_or_name(
    text: str, expected: tuple[str, str | None, str]
) -> None:
    assert said(conda(text)) == expected


def test_cupy_without_a_tag_is_of_the_cuda_that_it_depends_on() -> None:
    build = conda("cupy=13.0.0=py311h05d7c7e_0", '"cuda-version >=11.2,<12.0a0"')

    assert said(build) == ("cuda", "11.2", "depends")


def test_constrains_alone_make_no_cuda_build() -> None:
    build = conda("pytorch=2.5.1=cpu_mkl_0", constrains='"cuda-version >=12.6,<13"')

    assert build.variant == "cpu"


def test_constrains_tell_the_release_of_a_cuda_build() -> None:
    build = conda("pytorch=2.5.1=x_0", "libcublas", '"cuda-version >=12.6,<13"')

    assert said(build) == ("cuda", "12.6", "constrains")


def test_a_build_is_at_its_own_record() -> None:
    build = conda("cudatoolkit=11.8.0=h4ba93d1_13")

    assert build.at.path == "conda-meta/cudatoolkit-11.8.0-h4ba93d1_13.json"
    assert said(build) == ("cuda", "11.8", "version")


@pytest.mark.parametrize(
    "lines",
    [
        ["torch"],
        ["torch>=2.0"],
        ["torch==2.*"],
        ["numpy==1.26"],
        ["--index-url https://pypi.org/simple", "torch"],
        [f"--index-url {PYTORCH}/cu118", "numpy"],
        [f"--extra-index-url {PYTORCH}/cu118", "torch"],
        [f"--extra-index-url {PYTORCH}/cu118", "torch>=2"],
        ["torch==2.1.2+cu118; sys_platform == 'win32'"],
        ["torch===="],
        ["jax"],
    ],
)
def test_a_line_that_does_not_tell_is_no_build(lines: list[str]) -> None:
    assert by_pip(*lines) == ()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["torch==2.1.2+cu118"], ("cuda", "11.8", "local-version")),
        (["torch == 2.1.2+cpu"], ("cpu", None, "local-version")),
        (["torch===2.1.2+cu118"], ("cuda", "11.8", "local-version")),
        (["torch==2.1.2"], ("cuda", "12.1", "release")),
        (["torch==2.1.2 --hash=sha256:abc"], ("cuda", "12.1", "release")),
        (["torch==2.1.2+cu118; sys_platform == 'linux'"], ("cuda", "11.8", "local-version")),
        (["torch==2.1.2+cu118 ; python_version >= '3.8' and platform_machine == 'x86_64'"], ("cuda", "11.8", "local-version")),
        ([f"torch @ {PYTORCH}/cu118/torch-2.1.2%2Bcu118-cp311-cp311-linux_x86_64.whl"], ("cuda", "11.8", "local-version")),
        ([f"torch@{PYTORCH}/cu118/torch-2.1.2+cu118-cp311-cp311-linux_x86_64.whl"], ("cuda", "11.8", "local-version")),
        ([f"--index-url {PYTORCH}/cu118", "torch"], ("cuda", "11.8", "index")),
        ([f"-i {PYTORCH}/nightly/cu124", "torch"], ("cuda", "12.4", "index")),
        ([f"-i {PYTORCH}/cpu", "torchvision"], ("cpu", None, "index")),
        ([f"-i {PYTORCH}/rocm6.0", "torch"], ("rocm", None, "index")),
        ([f"--extra-index-url {PYTORCH}/cu118", "torch==2.1.2"], ("cuda", "11.8", "index")),
        ([f"-f {PYTORCH}/cu118/torch_stable.html", "torch==2.1.2"], ("cuda", "11.8", "index")),
        ([f"--extra-index-url {PYTORCH}/cu117", "torch==2.1.2"], ("cuda", "12.1", "release")),
        ([f"--extra-index-url {PYTORCH}/cu118", f"--extra-index-url {PYTORCH}/cu121", "torch==2.1.2"], ("cuda", "12.1", "index")),
        ([f"--extra-index-url {PYTORCH}/cpu", "torch==2.1.2"], ("cpu", None, "index")),
        ([f"{PYTORCH}/cu90/torch-1.0.0-cp36-cp36m-linux_x86_64.whl"], ("cuda", "9.0", "index")),
        (["llama-cpp-python @ https://example.org/v0.2.56-cu121/llama_cpp_python-0.2.56-cp311-cp311-linux_x86_64.whl"], ("cuda", "12.1", "index")),
        ([f"-i {PYTORCH}/cu118", "torch==2.1.2+cu121"], ("cuda", "12.1", "local-version")),
        (["jax[cuda12]"], ("cuda", "12", "name")),
        (["jax[cuda12_pip]==0.4.20"], ("cuda", "12", "name")),
        (["jax[k8s, cuda13]"], ("cuda", "13", "name")),
        (["cupy-cuda11x"], ("cuda", "11", "name")),
        (["cupy-cuda12x>=12,<14"], ("cuda", "12", "name")),
        (["nvidia-cuda-runtime-cu12==12.1.105"], ("cuda", "12.1", "version")),
        (["nvidia-cudnn-cu12"], ("cuda", "12", "name")),
    ],
)  # fmt: skip
def test_a_line_of_pip_tells_its_build(
    lines: list[str], expected: tuple[str, str | None, str]
) -> None:
    (build,) = by_pip(*lines)

    assert said(build) == expected


def test_a_line_is_held_against_the_platform() -> None:
    text = "platform: win-64\nrequirements.txt: |\n  torch==2.1.2+cu118; sys_platform == 'win32'\n"

    (build,) = declared(text)

    assert said(build) == ("cuda", "11.8", "local-version")


def test_a_declared_build_is_at_its_line() -> None:
    (build,) = by_pip("numpy", "  torch==2.1.2+cu118")

    assert (build.at.path, build.at.line, build.at.column) == ("requirements.txt", 2, 3)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("cuda-version=12.4", ("cuda", "12.4", "version")),
        ("cuda-version 12.4.*", ("cuda", "12.4", "version")),
        ("pytorch-cuda=12.1", ("cuda", "12.1", "version")),
        ("cudatoolkit==11.8.0", ("cuda", "11.8", "version")),
        ("nvidia/label/cuda-12.1.0::cuda-toolkit", ("cuda", "12.1", "index")),
        ("pytorch=2.1=cuda112*", ("cuda", "11.2", "build-string")),
        ("pytorch=2.1=*cuda118*", ("cuda", "11.8", "build-string")),
        ("pytorch=*=*cuda118*", ("cuda", "11.8", "build-string")),
        ("pytorch=2.1=*cuda*", ("cuda", None, "build-string")),
        ("pytorch=2.1=*cpu*", ("cpu", None, "build-string")),
        ("pytorch=2.1.0=py3.11_cuda12.1_cudnn8.9.2_0", ("cuda", "12.1", "build-string")),
        ("pytorch-gpu", ("cuda", None, "name")),
        ("faiss-cpu=1.7", ("cpu", None, "name")),
        ("cupy", ("cuda", None, "name")),
    ],
)
def test_a_spec_of_conda_tells_its_build(spec: str, expected: tuple[str, str | None, str]) -> None:
    (build,) = by_conda(spec)

    assert said(build) == expected


@pytest.mark.parametrize(
    "spec", ["pytorch", "pytorch>=2", "pytorch=2.1", "numpy", "pytorch=[", "conda-forge::pytorch"]
)
def test_a_spec_that_does_not_tell_is_no_build(spec: str) -> None:
    assert by_conda(spec) == ()
