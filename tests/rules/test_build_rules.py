"""CUD202 to CUD208, VIS302 and DEC723: what they find, what folds, and what stays silent."""

import msgspec
import pytest

from reconciler import catalog
from reconciler.model.finding import Severity
from reconciler.pipeline import judge
from reconciler.rules import all_rules
from reconciler.testing import sketch


def roots(text):
    report = judge(sketch(text), list(all_rules().values()), catalog.load())
    assert report.crashes == ()
    return report.findings


def in_project(text):
    """Judge a sketch whose environment lies in the project itself."""
    snapshot = sketch(text)
    target = msgspec.structs.replace(snapshot.target, prefix="/project/.venv")
    own = msgspec.structs.replace(snapshot, target=target)
    return judge(own, list(all_rules().values()), catalog.load()).findings


def folded(finding):
    return sorted({symptom.code for symptom in finding.symptoms})


def test_extensions_left_behind_by_an_upgrade_are_one_finding():
    (finding,) = roots("""
        conda: []
        pip: [torch==2.5.1+cu121, torchvision==0.19.0+cu121, torchaudio==2.4.0+cu121]
    """)
    assert finding.code == "CUD205"
    assert finding.message == (
        "torchvision 0.19.0+cu121 is for PyTorch 2.4.0 and torchaudio 2.4.0+cu121 is for PyTorch"
        " 2.4.0, but this environment has PyTorch 2.5.1+cu121 for CUDA 12.1"
    )
    assert finding.remedy.endswith(
        "`pip install --force-reinstall --no-deps torchvision==0.20.1 torchaudio==2.5.1` with the"
        " index of the builds for CUDA 12.1"
    )


def test_another_patch_release_is_a_warning():
    (finding,) = roots("conda: []\npip: [torch==2.4.1, torchvision==0.19.0]\n")
    assert (finding.code, finding.severity) == ("CUD205", Severity.WARNING)


@pytest.mark.parametrize(
    "pip",
    [
        "torch==2.4.0+cu121, torch-scatter==2.1.2+pt23cu121",
        "torch==2.4.0+cu124, flash-attn==2.6.3+cu123torch2.3cxx11abiFALSE",
        "torch==2.5.1+cu124, xformers==0.0.28.post1+cu124",
        "torch==2.1.0, torchtext==0.14.1",
        "torch==2.13.0, torchvision==0.29.2",
        "torch==2.9.0+cu130, torchaudio==2.11.0+cu130",
    ],
)
def test_an_extension_for_another_release_is_found(pip):
    (finding,) = roots(f"conda: []\npip: [{pip}]\n")
    assert (finding.code, finding.severity) == ("CUD205", Severity.ERROR)


def test_what_a_wheel_requires_is_believed_before_the_table():
    (finding,) = roots("""
        conda: []
        pip:
          - torch==2.5.1
          - torchvision==0.21.0a0+git1: {requires: ["torch (==2.6.0)", numpy]}
    """)
    assert "torchvision 0.21.0a0+git1: it requires torch (==2.6.0)" in finding.evidence


def test_a_build_for_the_cpu_beside_a_framework_for_cuda_is_found():
    (finding,) = roots("""
        conda: []
        pip: [torch==2.4.0+cu121, torchvision==0.19.0+cpu]
    """)
    assert "torchvision 0.19.0+cpu is a build for the CPU" in finding.message


def test_torchaudio_refuses_another_minor_release_of_cuda():
    (finding,) = roots("""
        conda: []
        pip: [torch==2.0.1+cu118, torchaudio==2.0.2+cu117, torchvision==0.15.2+cu118]
    """)
    assert "torchaudio 2.0.2+cu117 is for CUDA 11.7" in finding.message


def test_torchaudio_for_cuda_13_0_cannot_be_imported_beside_torch_for_13_2():
    (finding,) = roots("""
        conda: []
        pip: [torch==2.15.0+cu132, torchaudio==2.11.0+cu130]
    """)
    assert finding.code == "CUD205"


def test_another_major_is_told_once():
    (finding,) = roots("""
        conda: []
        pip: [torch==2.4.0+cu121, torchvision==0.19.0+cu118]
    """)
    assert (finding.code, folded(finding)) == ("CUD201", ["CUD205"])


def test_a_cpu_build_of_the_framework_is_told_once():
    (finding,) = roots("""
        conda: []
        pip: [torch==2.4.0+cpu, torchvision==0.19.0+cu121, torchaudio==2.4.0+cu121]
    """)
    assert (finding.code, folded(finding)) == ("CUD206", ["CUD205"])


def test_a_file_that_pins_releases_that_are_no_pair_explains_what_is_installed():
    (finding,) = roots("""
        conda: []
        pip: [torch==2.4.0, torchvision==0.20.1]
        requirements.txt: |
          torch==2.4.0
          torchvision==0.20.1
    """)
    assert (finding.at.path, finding.at.line, folded(finding)) == (
        "requirements.txt",
        2,
        ["CUD205"],
    )


def test_a_wheel_is_held_against_conda_s_framework():
    (finding,) = roots("""
        conda:
          - pytorch=2.3.1=cuda120_py311_h1_300: {depends: ["cuda-version >=12.0,<13"]}
        pip: [torchvision==0.19.0]
    """)
    assert "torchvision 0.19.0 is for PyTorch 2.4.0" in finding.message


FITS = {
    "torch >= 2.14 with torchvision >= 0.29.1": "torch==2.15.0+cu132, torchvision==0.29.1+cu130",
    "torch 2.11 and later with torchaudio 2.11": "torch==2.13.0+cu130, torchaudio==2.11.0+cu130",
    "torchaudio 2.11 of PyPI, whose build is not told": "torch==2.14.1, torchaudio==2.11.0",
    "+computecanada": "torch==2.1.2+computecanada, torchvision==0.16.2+computecanada",
    "a minor release that torchvision accepts": "torch==2.1.2+cu121, torchvision==0.16.2+cu122",
    "a nightly": "torch==2.6.0.dev20241112+cu124, torchvision==0.20.0.dev20241112+cu124",
    "a build of one's own": "torch==2.4.0a0+git1, torchvision==0.19.0a0+git2",
    "a wheel for any patch release": "torch==2.4.1+cu124, torch-scatter==2.1.2+pt24cu124",
    "torchtext has no CUDA code": "torch==2.3.0+cu121, torchtext==0.18.0+cpu",
    "mmcv-lite was chosen for having none": "torch==2.1.0+cu121, mmcv-lite==2.1.0",
    "fbgemm-gpu-cpu was chosen for the CPU": "torch==2.5.1+cu124, fbgemm-gpu-cpu==1.0.0",
    "vllm requires its release": "torch==2.4.0, vllm==0.6.0: {requires: [torch==2.4.0]}",
}


@pytest.mark.parametrize("pip", FITS.values(), ids=FITS)
def test_a_family_that_fits_is_left_alone(pip):
    items = "".join(f"  - {item.strip()}\n" for item in pip.split(", "))
    assert [(f.code, f.message) for f in roots(f"conda: []\npip:\n{items}")] == []


CONDA_FITS = {
    "conda's post release of its dist-info": """
        conda:
          - pytorch=2.3.1=cuda120_py311_h1_300: {depends: ["cuda-version >=12.0,<13"]}
          - torchvision=0.18.1=cuda120py311_h1_1: {depends: ["pytorch >=2.3.0,<2.4.0a0", "cuda-version >=12.0,<13"]}
        pip:
          - torch==2.3.1.post300: {installer: conda}
          - torchvision==0.18.1: {installer: conda, requires: [torch==2.3.1]}
    """,
    "conda-forge pairs in its own way": """
        conda:
          - pytorch=2.10.0=cpu_mkl_py314_h1_104
          - torchvision=0.26.0=cpu_py314_h1_0: {depends: ["pytorch * cpu*", "pytorch >=2.10.0,<2.11.0a0"]}
        pip: []
    """,
    "a wheel beside conda's framework": """
        conda:
          - pytorch=2.3.1=cuda120_py311_h1_300: {depends: ["cuda-version >=12.0,<13"]}
        pip:
          - torch==2.3.1.post300: {installer: conda}
          - torchvision==0.18.1: {requires: [torch==2.3.1]}
    """,
    "a fuzzy pin": """
        environment.yml: |
          dependencies: [pytorch=2.4, pip, pip: [torchvision==0.19.1]]
    """,
    "unpinned lines": """
        requirements.txt: |
          torch>=2.1
          torchvision==0.20.1
    """,
}


@pytest.mark.parametrize("text", CONDA_FITS.values(), ids=CONDA_FITS)
def test_a_family_of_conda_that_fits_is_left_alone(text):
    assert [(f.code, f.message) for f in roots(text)] == []


def test_an_older_cudnn_than_conda_s_build_asks_for_is_found():
    (finding,) = roots("""
        conda:
          - cudnn=9.10.1.4=h1_1: {depends: ["cuda-version >=12,<13.0a0"]}
          - libcudnn=9.10.1.4=h1_1: {depends: ["cuda-version >=12,<13.0a0"]}
          - jaxlib=0.7.2=cuda129_py312_h1_200: {depends: ["cuda-version >=12.9,<13", "cudnn >=9.13.1.26,<10.0a0"]}
        pip: []
    """)
    assert (finding.code, finding.severity) == ("CUD203", Severity.ERROR)
    assert finding.message == (
        "jaxlib 0.7.2 was built with cuDNN 9.13, and this environment has conda's cudnn 9.10.1.4"
    )
    assert finding.remedy.startswith("`conda install 'cudnn>=9.13,<10'`")


def test_a_pin_that_is_looser_than_the_build_is_known():
    (finding,) = roots("""
        conda:
          - cudnn=9.10.1.4=h1_1: {depends: ["cuda-version >=12,<13.0a0"]}
          - jaxlib=0.7.2=cuda129_py312_h1_201: {depends: ["cuda-version >=12.9,<13", "cudnn >=9.10.1.4,<10.0a0"]}
        pip: []
    """)
    assert "jaxlib 0.7.2 was built with cuDNN 9.13" in finding.evidence[0]


@pytest.mark.parametrize(
    ("pip", "built_with"),
    [
        ("tensorflow==2.18.0, nvidia-cudnn-cu12==9.1.0.70", "9.3"),
        ("tensorflow==2.15.1, nvidia-cudnn-cu12==9.1.0.70", "8.9"),
        ("jaxlib==0.4.16+cuda12.cudnn89, nvidia-cudnn-cu12==8.8.1.3", "8.9"),
        ("jax-cuda12-plugin==0.6.0, nvidia-cudnn-cu12==9.1.0.70", "9.8"),
        ("ctranslate2==4.4.0, nvidia-cudnn-cu12==9.1.0.70", "8"),
        ("ctranslate2==4.5.0, nvidia-cudnn-cu12==8.9.7.29", "9"),
        ("onnxruntime-gpu==1.18.1, nvidia-cudnn-cu11==9.1.0.70", "8"),
        ("onnxruntime-gpu==1.20.1, nvidia-cudnn-cu12==8.9.7.29", "9"),
    ],
)
def test_a_cudnn_that_does_not_serve_is_found(pip, built_with):
    found = [f for f in roots(f"conda: []\npip: [{pip}]\n") if f.code == "CUD203"]
    assert [f"built with cuDNN {built_with}," in finding.message for finding in found] == [True]


def test_the_cudnn_of_another_framework_is_not_to_be_exchanged():
    (finding,) = roots("""
        conda: []
        pip:
          - torch==2.4.1: {requires: [nvidia-cudnn-cu12==9.1.0.70]}
          - ctranslate2==4.4.0
          - nvidia-cudnn-cu12==9.1.0.70
    """)
    assert (finding.code, finding.severity) == ("CUD203", Severity.WARNING)
    assert finding.remedy == (
        "torch 2.4.1 needs the cuDNN that is there: take ctranslate2 in a release for it, or keep"
        " them in two environments"
    )


def test_what_the_framework_requires_is_to_be_installed_again():
    (finding,) = roots("""
        conda: []
        pip:
          - torch==2.8.0: {requires: ["nvidia-cudnn-cu12 (==9.10.2.21) ; platform_system == 'Linux'"]}
          - nvidia-cudnn-cu12==9.1.0.70
    """)
    assert finding.remedy == "`pip install 'nvidia-cudnn-cu12==9.10.2.21'`"


def test_a_wheel_without_a_cudnn_of_its_own_meets_conda_s():
    found = roots("""
        conda: [cudnn=8.9.7.29=h1_3, cuda-cudart=12.4.127=0]
        pip: [tensorflow==2.18.0]
    """)
    assert "CUD203" in {finding.code for finding in found}


def test_a_file_that_pins_a_cudnn_that_does_not_serve_is_found():
    (finding,) = roots("""
        requirements.txt: |
          torch==2.4.0
          nvidia-cudnn-cu12==8.9.2.26
    """)
    assert (finding.code, finding.at.line) == ("CUD203", 2)


def test_a_file_whose_conda_s_cudnn_does_not_serve_its_wheel_is_found():
    found = roots("""
        environment.yml: |
          dependencies: [cudatoolkit=11.8, cudnn=8.2.1, pip, pip: [tensorflow==2.14.1]]
    """)
    assert [finding.code for finding in found] == ["CUD203"]


def test_a_cudnn_for_another_major_of_cuda_is_told_once():
    found = roots("""
        conda: []
        pip:
          - torch==2.4.0: {requires: [nvidia-cuda-runtime-cu12==12.1.105]}
          - tensorflow==2.18.0
          - nvidia-cudnn-cu11==8.7.0.84
    """)
    assert [finding.code for finding in found if finding.code == "CUD203"] == []


SERVED = {
    "a newer minor release of cuDNN": """
        conda: []
        pip:
          - torch==2.8.0: {requires: [nvidia-cudnn-cu12==9.10.2.21]}
          - nvidia-cudnn-cu12==9.14.0.64
    """,
    "an older patch release": """
        conda: []
        pip:
          - torch==2.8.0: {requires: [nvidia-cudnn-cu12==9.10.2.21]}
          - nvidia-cudnn-cu12==9.10.1.4
    """,
    "a framework that has cuDNN in itself": """
        conda: []
        pip: [torch==1.12.1+cu113, nvidia-cudnn-cu11==8.9.6.50]
    """,
    "a build for the CPU": """
        conda: []
        pip: [tensorflow-cpu==2.18.0, nvidia-cudnn-cu12==8.9.7.29]
    """,
    "a build of jaxlib for the CPU beside a cuDNN of another's": """
        conda:
          - cudnn=8.9.7.29=h1_3: {depends: ["cuda-version >=12.0,<13"]}
          - cuda-cudart=12.4.127=he02047a_2
          - libtorch=2.3.1=cuda120_h1_300: {depends: [cuda-cudart, "cudnn >=8.9.7.29,<9.0a0", "cuda-version >=12.0,<13"]}
          - jaxlib=0.4.30=cpu_py312h1_0
        pip: []
    """,
    "another index's build, of which the table does not tell": """
        requirements.txt: |
          --index-url https://download.pytorch.org/whl/cu118
          torch==2.7.0+cu118
          nvidia-cudnn-cu11==9.1.0.70
    """,
    "a file whose wheel of PyTorch requires a cuDNN of its own": """
        environment.yml: |
          dependencies: [cudnn=8.9.7, pip, pip: [torch==2.5.1, onnxruntime-gpu==1.20.1]]
    """,
    "the cuDNN that is required is missing, which is the loader's to say": """
        conda: [cudnn=8.9.7.29=h1_3]
        pip:
          - torch==2.5.1: {requires: [nvidia-cudnn-cu12==9.1.0.70]}
    """,
    "nobody uses it": """
        conda: []
        pip: [nvidia-cudnn-cu12==8.9.7.29]
    """,
}


@pytest.mark.parametrize("text", SERVED.values(), ids=SERVED)
def test_a_cudnn_that_serves_is_left_alone(text):
    assert [f.message for f in roots(text) if f.code == "CUD203"] == []


def test_a_wheel_beside_conda_s_libtorch_is_found():
    (finding,) = roots("""
        conda:
          - libtorch=2.4.0=cpu_generic_h4a3044c_1
          - torchvision=0.19.1=cpu_py310hd9679db_0: {depends: ["libtorch >=2.4.0,<2.5.0a0"]}
        pip: [torch==2.4.0+cu124]
    """)
    assert finding.code == "CUD208"
    assert finding.message == (
        "pip's torch 2.4.0+cu124 for CUDA 12.4 is installed beside conda's libtorch 2.4.0 for the"
        " CPU, which conda's torchvision 0.19.1 is linked with"
    )
    assert "`conda remove torchvision libtorch`" in finding.remedy


def test_conda_s_whole_framework_beside_a_wheel_is_told_once():
    (finding,) = roots("""
        conda:
          - libtorch=2.5.1=cuda126_h1_303: {depends: ["cuda-version >=12.6,<13"]}
          - pytorch=2.5.1=cuda126_py311_h1_303: {depends: ["cuda-version >=12.6,<13", libtorch 2.5.1 cuda126_h1_303]}
        pip: [torch==2.5.1+cu126]
    """)
    assert (finding.code, folded(finding)) == ("DUP105", ["CUD208"])


def test_conda_s_framework_on_another_build_of_its_library_is_found():
    (finding,) = roots("""
        conda:
          - libtorch=2.13.0=cpu_mkl_h1_101
          - pytorch=2.13.0=cuda128_mkl_py314_h2_301: {depends: [libtorch 2.13.0 cuda128_mkl_h3_301, "cuda-version >=12.8,<13"]}
        pip: []
    """)
    assert finding.message == (
        "conda's pytorch 2.13.0 was made for libtorch 2.13.0 cuda128_mkl_h3_301, and libtorch 2.13.0"
        " in its build cpu_mkl_h1_101 is installed"
    )


NOT_MIXED = {
    "conda's own dist-info": """
        conda:
          - libtorch=2.13.0=cpu_mkl_h1_101
          - pytorch=2.13.0=cpu_mkl_py314_h2_101: {depends: [libtorch 2.13.0 cpu_mkl_h1_101]}
        pip:
          - torch==2.13.0: {installer: conda}
    """,
    "a spec of versions": """
        conda:
          - libtorch=2.10.0=cpu_mkl_h1_104
          - pytorch=2.10.0=cpu_mkl_py314_h2_104: {depends: ["libtorch 2.10.0.*"]}
        pip: []
    """,
    "no record of the library": """
        conda: [pytorch=2.3.1=py3.11_cpu_0]
        pip: []
    """,
}


@pytest.mark.parametrize("text", NOT_MIXED.values(), ids=NOT_MIXED)
def test_one_framework_is_left_alone(text):
    assert [(f.code, f.message) for f in roots(text)] == []


@pytest.mark.parametrize(
    ("cusparse", "nvjitlink"),
    [("12.1.0.106", "12.0.140"), ("12.3.1.170", "12.1.105"), ("12.5.8.93", "12.6.85")],
)
def test_a_linker_that_is_older_than_cusparse_is_found(cusparse, nvjitlink):
    (finding,) = roots(f"""
        conda: []
        pip: [nvidia-cusparse-cu12=={cusparse}, nvidia-nvjitlink-cu12=={nvjitlink}]
    """)
    assert (finding.code, finding.severity) == ("CUD202", Severity.WARNING)
    assert f"pip's nvidia-nvjitlink-cu12 {nvjitlink} is of CUDA" in finding.message


def test_the_linker_s_remedy_names_the_bounds():
    (finding,) = roots("""
        requirements.txt: |
          nvidia-cusparse-cu12==12.3.1.170
          nvidia-nvjitlink-cu12==12.1.105
    """)
    assert finding.remedy.startswith("`pip install 'nvidia-nvjitlink-cu12>=12.4,<13'`")
    assert (finding.at.path, finding.at.line) == ("requirements.txt", 2)


def test_conda_s_linker_is_held_against_conda_s_cusparse():
    (finding,) = roots("""
        conda: [libcusparse=12.3.0.142=0, libnvjitlink=12.1.105=0]
        pip: []
    """)
    assert finding.code == "CUD202"


def test_two_releases_of_cublas_in_one_prefix_are_found():
    (finding,) = roots("""
        conda:
          - cudatoolkit=11.3.1=h9edb442_10
          - libcublas=11.10.3.66=0
          - pytorch=1.13.1=py3.10_cuda11.7_cudnn8.5.0_0: {depends: ["pytorch-cuda >=11.7,<11.8"]}
        pip: []
    """)
    assert finding.message == (
        "this environment has cuBLAS twice from conda, in halves of CUDA 11.7 (libcublas 11.10.3.66)"
        " and of CUDA 11.3 (cudatoolkit 11.3.1)"
    )


MINORS = {
    "nvjitlink 12.4 beside 12.1": """
        conda: []
        pip: [nvidia-cusparse-cu12==12.1.0.106, nvidia-nvjitlink-cu12==12.4.127]
    """,
    "a part whose release is not told": """
        conda: []
        pip: [nvidia-cusparse-cu12==99.0, nvidia-nvjitlink-cu12==12.1.105]
    """,
    "two managers": """
        conda: [libnvjitlink=12.1.105=0]
        pip: [nvidia-cusparse-cu12==12.3.1.170, nvidia-nvjitlink-cu12==12.4.127]
    """,
    "another major": """
        conda: []
        pip:
          - torch==2.11.0: {requires: [nvidia-cuda-runtime==13.0.96]}
          - nvidia-cusparse==12.6.3.3
          - nvidia-nvjitlink==13.0.88
          - nvidia-nvjitlink-cu12==12.1.105
          - jax-cuda12-plugin==0.6.0
          - nvidia-cuda-runtime-cu12==12.9.79
          - nvidia-cuda-runtime==13.0.96
    """,
    "other parts of differing minors": """
        conda: []
        pip:
          - torch==2.0.1: {requires: [nvidia-cusparse-cu11==11.7.4.91]}
          - nvidia-cusparse-cu11==11.7.4.91
          - nvidia-cufft-cu11==10.9.0.58
          - nvidia-cublas-cu11==11.10.3.66
    """,
    "one release in two packages": """
        conda: [cudatoolkit=11.8.0=h4ba93d1_13, libcublas=11.11.3.6=0, faiss-gpu=1.7.4=py3.10_cuda11.8_0]
        pip: []
    """,
}


@pytest.mark.parametrize("text", MINORS.values(), ids=MINORS)
def test_minor_releases_that_get_along_are_left_alone(text):
    assert [(f.code, f.message) for f in roots(text) if f.code == "CUD202"] == []


def test_a_part_of_what_tensorflow_opens_is_found():
    (finding,) = roots("""
        conda: []
        pip: [tensorflow==2.14.1, nvidia-cudnn-cu11==8.7.0.84]
    """)
    assert (finding.code, finding.severity) == ("CUD204", Severity.WARNING)
    assert finding.message == (
        "tensorflow 2.14.1 opens CUDA runtime, cuBLAS, cuFFT, cuSOLVER, cuSPARSE, which this"
        " environment has not: of what it needs there is pip's nvidia-cudnn-cu11 8.7.0.84"
    )
    assert finding.remedy.startswith("`pip install nvidia-cuda-runtime-cu11 nvidia-cublas-cu11")


def test_a_toolkit_without_cudnn_is_half_of_it():
    found = roots("conda: [cudatoolkit=11.8.0=h4ba93d1_13]\npip: [tensorflow==2.13.1]\n")
    assert "tensorflow 2.13.1 opens cuDNN" in found[0].message


def test_onnxruntime_opens_more_than_cudnn():
    (finding,) = roots("conda: []\npip: [onnxruntime-gpu==1.21.0, nvidia-cudnn-cu12==9.1.0.70]\n")
    assert finding.code == "CUD204"


def test_a_file_that_names_a_part_explains_what_is_installed():
    (finding,) = roots("""
        conda: []
        pip: [tensorflow==2.14.1, nvidia-cudnn-cu11==8.7.0.84]
        environment.yml: |
          dependencies:
            - python=3.11
            - pip
            - pip:
              - tensorflow==2.14.1
              - nvidia-cudnn-cu11==8.7.0.84
    """)
    assert (finding.code, finding.at.path, folded(finding)) == (
        "CUD204",
        "environment.yml",
        ["CUD204"],
    )


WHOLE = {
    "conda's toolkit and a wheel of cuDNN, as TensorFlow's guide had it": """
        conda: [cudatoolkit=11.8.0=h4ba93d1_13]
        pip: [tensorflow==2.13.1, nvidia-cudnn-cu11==8.6.0.163]
    """,
    "none of it": """
        conda: []
        pip: [tensorflow==2.18.0]
    """,
    "NCCL alone, which another package requires": """
        conda: []
        pip:
          - tensorflow==2.18.0
          - xgboost==2.1.4: {requires: [nvidia-nccl-cu12]}
          - nvidia-nccl-cu12==2.23.4
    """,
    "a toolkit of the machine": """
        conda: []
        pip: [tensorflow==2.14.1, nvidia-cudnn-cu11==8.7.0.84]
        toolkits: [{path: /usr/local/cuda-11.8, version: "11.8"}]
    """,
    "LD_LIBRARY_PATH": """
        conda: []
        pip: [tensorflow==2.14.1, nvidia-cudnn-cu11==8.7.0.84]
        env: {LD_LIBRARY_PATH: /opt/cuda/lib64}
    """,
    "a framework that has its CUDA in itself": """
        conda: []
        pip: [torch==1.12.1+cu113, nvidia-nccl-cu11==2.14.3]
    """,
    "libraries for somebody's own use": """
        conda: []
        pip: [nvidia-cudnn-cu12==9.1.0.70, nvidia-cuda-runtime-cu12==12.4.127]
    """,
    "a build for the CPU": """
        conda: []
        pip: [tensorflow-cpu==2.14.1, nvidia-cudnn-cu11==8.7.0.84]
    """,
    "a requirements file beside which conda brings the rest": """
        requirements.txt: |
          tensorflow==2.13.1
          nvidia-cudnn-cu11==8.6.0.163
    """,
    "a file whose packages of conda bring others along": """
        environment.yml: |
          dependencies: [cudatoolkit=11.8, cudnn=8.8, pip: [tensorflow==2.13.1]]
    """,
}


@pytest.mark.parametrize("text", WHOLE.values(), ids=WHOLE)
def test_a_whole_stack_or_none_is_left_alone(text):
    assert [f.message for f in roots(text) if f.code == "CUD204"] == []


def test_conda_s_cuda_that_nothing_uses_is_told():
    (finding,) = roots("""
        conda: [cudatoolkit=11.8.0=h4ba93d1_13]
        pip:
          - torch==2.1.2+cu118: {requires: [nvidia-cublas-cu11==11.11.3.6]}
          - torchvision==0.16.2+cu118
    """)
    assert (finding.code, finding.severity) == ("VIS302", Severity.INFO)
    assert finding.message == (
        "no package uses conda's cudatoolkit 11.8.0: what pip has installed (torch 2.1.2+cu118)"
        " comes with its own CUDA"
    )


@pytest.mark.parametrize(
    ("torch", "parts", "root"),
    [
        ("torch==2.1.2+cu121", "nvidia-cuda-runtime-cu12==12.1.105", "CUD201"),
        ("torch==2.1.2+cu118", "nvidia-cuda-runtime-cu11==11.8.89", "DUP101"),
    ],
)
def test_idle_cuda_is_told_once(torch, parts, root):
    (finding,) = roots(f"""
        conda: [cudatoolkit=11.8.0=h4ba93d1_13]
        pip:
          - {torch}: {{requires: [{parts}]}}
          - {parts}
    """)
    assert finding.code == root
    assert "VIS302" in folded(finding)


def test_a_cpu_build_of_conda_beside_an_idle_cudatoolkit_is_told_once():
    (finding,) = roots("""
        conda: [cudatoolkit=11.8.0=h4ba93d1_13, pytorch=2.3.1=py3.11_cpu_0]
        pip: []
    """)
    assert (finding.code, folded(finding)) == ("CUD206", [])


USED = {
    "a package of conda depends on it": """
        conda:
          - libcublas=12.4.5.8=h1_2
          - libmagma=2.8.0=h1_0: {depends: ["libcublas >=12.0.1.189,<13.0a0"]}
        pip: [torch==2.11.0+cu130]
    """,
    "a wheel that opens what there is": """
        conda: [cuda-nvrtc=12.4.127=0]
        pip: [torch==2.11.0+cu130, numba==0.61.0]
    """,
    "a compiler": """
        conda: [cuda-nvcc=12.4.131=0, libcusolver=11.6.1.9=0]
        pip: [torch==2.4.1+cu124]
    """,
    "no wheel of CUDA": """
        conda: [libcusolver=11.6.1.9=0]
        pip: [numpy==1.26.4]
    """,
}


@pytest.mark.parametrize("text", USED.values(), ids=USED)
def test_cuda_that_may_be_used_is_left_alone(text):
    assert [f.message for f in roots(text) if f.code == "VIS302"] == []


def test_what_was_exchanged_after_the_file_was_written_is_found():
    (finding,) = roots("""
        conda:
          - pytorch=2.4.1=cuda120_py311_h1_300: {depends: ["cuda-version >=12.0,<13"]}
          - cuda-version=12.6=h1_3
        pip: []
        environment.yml: |
          name: prefix
          dependencies:
            - pytorch=2.5.1=*cuda*
            - cuda-version=12.6
            - cudnn
    """)
    assert (finding.code, finding.severity) == ("DEC723", Severity.WARNING)
    assert (finding.at.path, finding.at.line) == ("environment.yml", 3)
    assert finding.message == (
        "environment.yml asks for 'pytorch=2.5.1=*cuda*', and pytorch is 2.4.1 in its build"
        " cuda120_py311_h1_300; 'cudnn', and cudnn is not installed in this environment"
    )


@pytest.mark.parametrize(
    ("line", "installed", "found"),
    [
        ("torch==2.1.2", "torch==2.4.0", "torch is 2.4.0"),
        (
            "--extra-index-url https://download.pytorch.org/whl/cu121\n  torch==2.1.2+cu121",
            "torch==2.1.2+cu118",
            "torch is 2.1.2+cu118",
        ),
        (
            "--index-url https://download.pytorch.org/whl/cu118\n  torch==2.1.2",
            "torch==2.1.2+cu121",
            "torch is for CUDA 12.1",
        ),
    ],
)
def test_a_requirement_that_is_not_installed_so_is_found(line, installed, found):
    (finding,) = in_project(f"""
pip: [{installed}, numpy==1.26.4]
conda: []
requirements.txt: |
  {line}
  numpy
""")
    assert finding.code == "DEC723"
    assert found in finding.message


def test_a_build_for_the_cpu_in_place_of_what_the_file_asks_for_is_told_once():
    (finding,) = roots("""
        conda: [pytorch=2.5.1=cpu_generic_py311_h1_0]
        pip: []
        environment.yml: |
          name: prefix
          dependencies: ["pytorch=2.5.1=*cuda*"]
    """)
    assert (finding.code, folded(finding)) == ("CUD206", ["DEC723"])


AS_DECLARED = {
    "the file of another environment": """
        conda: [cudatoolkit=11.7.1=h1_13]
        pip: []
        environment.yml: |
          name: other
          dependencies: [cudatoolkit=11.8]
    """,
    "a file without a name beside an environment elsewhere": """
        conda: []
        pip: [torch==2.4.0, numpy==1.26.4]
        requirements.txt: |
          torch==2.1.2
          numpy
    """,
    "what the file leaves open": """
        conda:
          - pytorch=2.5.1=cuda126_py311_h1_303: {depends: ["cuda-version >=12.6,<13"]}
          - cuda-version=12.6=h1_3
        pip: []
        environment.yml: |
          name: prefix
          dependencies: [pytorch>=2.4, cuda-version=12, numpy=1.26, "conda-forge::pytorch=*=cuda*"]
    """,
    "conda's own dist-info of another number": """
        conda: [pytorch=2.3.1=cpu_generic_py311_h1_0]
        pip:
          - torch==2.3.1.post300: {installer: conda}
        environment.yml: |
          name: prefix
          dependencies: [pytorch, pip: [torch==2.3.1]]
    """,
    "a label that the file leaves open": """
        conda: []
        pip: [torch==2.1.2+cu118]
        environment.yml: |
          name: prefix
          dependencies: [pip, pip: [torch==2.1.2]]
    """,
    "conda's package under its other name": """
        conda: [cupy=13.6.0=py311_0]
        pip: []
        environment.yml: |
          name: prefix
          dependencies: [pip, pip: [cupy-cuda12x]]
    """,
    "a requirement for another Python": """
        conda: []
        pip: [torch==2.4.0]
        environment.yml: |
          name: prefix
          dependencies: [pip, pip: [torch, "cupy-cuda12x ; python_version < '3.8'"]]
    """,
}


@pytest.mark.parametrize("text", AS_DECLARED.values(), ids=AS_DECLARED)
def test_an_environment_that_is_as_declared_is_left_alone(text):
    assert [f.message for f in roots(text) if f.code == "DEC723"] == []


def test_two_files_of_a_project_may_ask_for_two_things():
    assert not in_project("""
        conda: []
        pip: [torch==2.4.0]
        requirements.txt: |
          torch==2.4.0
        environment.yml: |
          dependencies: [pip, pip: [torch==2.1.2]]
    """)


def test_an_environment_of_tools_is_not_that_of_the_requirements():
    assert not in_project("""
        conda: []
        pip: [ruff==0.6.0]
        requirements.txt: |
          torch==2.4.0
          numpy
    """)


NONSENSE = ["", "x", "9" * 5000, "1!2", "..", "-", "1.2.", "\u0661.\u0662", "v1", "1+", "+cu"]


@pytest.mark.parametrize("version", NONSENSE)
def test_a_version_that_is_none_breaks_no_rule(version):
    snapshot = sketch("""
        conda:
          - pytorch=2.3.1=h1_0: {depends: [libtorch 2.3.1 h1_0, cudnn >=x]}
          - libtorch=2.3.1=h1_0
          - cudnn=8.9=h1_0
          - libcusparse=12.3.0.142=0
        pip: [torch==2.4.0, torchvision==0.19.0, nvidia-cudnn-cu12==9.1, nvidia-cusparse-cu12==12.3.0.142]
        environment.yml: |
          name: prefix
          dependencies: [pytorch=2.3, cudnn=8.9, pip: [torch==2.4.0]]
    """)
    replace = msgspec.structs.replace
    broken = replace(
        snapshot,
        records=tuple(replace(record, version=version) for record in snapshot.records),
        distributions=tuple(replace(wheel, version=version) for wheel in snapshot.distributions),
    )
    assert judge(broken, list(all_rules().values()), catalog.load()).crashes == ()
