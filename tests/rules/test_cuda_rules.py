"""CUD201, CUD206 and DUP101: what they find, where they place it, and what folds under what."""

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


def folded(finding):
    return sorted({symptom.code for symptom in finding.symptoms})


def test_conda_cuda_11_beside_wheels_for_12_is_one_finding():
    (finding,) = roots("""
        conda: [cudatoolkit=11.8.0=h4ba93d1_13, cudnn=8.8.0.121=h0800d71_0]
        pip: [torch==2.1.2+cu121, nvidia-cuda-runtime-cu12==12.1.105, nvidia-cudnn-cu12==8.9.2.26]
    """)
    assert (finding.code, folded(finding)) == ("CUD201", ["DUP101", "VIS302"])
    assert finding.severity is Severity.ERROR
    assert "CUDA 11 (conda's cudatoolkit 11.8.0" in finding.message
    assert finding.at.path == "conda-meta/cudatoolkit-11.8.0-h4ba93d1_13.json"
    assert finding.remedy.startswith("keep torch 2.1.2+cu121 with its CUDA 12: remove conda's cuda")


def test_a_file_that_declares_the_mixture_is_the_root_of_the_installed_one():
    (finding,) = roots("""
        conda: [cudatoolkit=11.8.0=h4ba93d1_13]
        pip: [torch==2.1.2+cu121]
        environment.yml: |
          dependencies:
            - cudatoolkit=11.8
            - pip
            - pip:
              - --extra-index-url https://download.pytorch.org/whl/cu121
              - torch==2.1.2+cu121
    """)
    assert (finding.at.path, finding.at.line) == ("environment.yml", 2)
    assert folded(finding) == ["CUD201", "DUP101", "VIS302"]


def test_a_stray_wheel_of_another_major_is_found():
    (finding,) = roots("""
        conda: []
        pip:
          - torch==2.4.0: {requires: [nvidia-nccl-cu12==2.20.5]}
          - nvidia-nccl-cu12==2.20.5
          - nvidia-nccl-cu11==2.14.3
    """)
    assert finding.code == "CUD201"
    assert "remove pip's nvidia-nccl-cu11 2.14.3" in finding.remedy


def test_wheels_that_own_the_same_files_are_to_be_installed_again():
    (finding,) = roots("""
        conda: []
        pip:
          - torch==2.8.0: {requires: [nvidia-nccl-cu12==2.27.3]}
          - nvidia-nccl-cu12==2.27.3: {record: "nvidia/nccl/lib/libnccl.so.2,sha256=a,1"}
          - nvidia-nccl-cu11==2.14.3: {record: "nvidia/nccl/lib/libnccl.so.2,sha256=b,2"}
    """)
    assert "pip install --force-reinstall --no-deps nvidia-nccl-cu12==2.27.3" in finding.remedy


def test_without_a_framework_both_ways_are_named():
    (finding,) = roots("""
        requirements.txt: |
          nvidia-cublas-cu11==11.10.3.66
          nvidia-cublas-cu12==12.1.3.1
    """)
    assert "nvidia-cublas-cu11 11.10.3.66 (CUDA 11) or pip's nvidia-cublas-cu12" in finding.remedy


def test_the_installed_framework_tells_which_lines_go():
    (finding,) = roots("""
        conda: []
        pip: [torch==2.4.0+cu124]
        requirements.txt: |
          torch>=2
          nvidia-cublas-cu11==11.10.3.66
          nvidia-cublas-cu12==12.4.5.8
    """)
    assert finding.remedy.startswith("keep torch 2.4.0+cu124 with its CUDA 12: remove pip's nvidia")


def test_an_extension_for_another_major_than_its_framework_is_found():
    (finding,) = roots("""
        conda: []
        pip: [torch==2.4.0+cu124, torch-scatter==2.1.2+pt24cu118]
    """)
    assert finding.code == "CUD201"


def test_a_framework_and_a_library_that_brings_nothing_do_not_stand_alone():
    (finding,) = roots("""
        conda: []
        pip: [torch==2.4.0+cu124, cupy-cuda11x==13.3.0]
    """)
    assert finding.code == "CUD201"


def test_twins_of_one_import_explain_their_majors():
    (finding,) = roots("""
        conda: []
        pip: [torch==2.4.0+cu124, cupy-cuda11x==13.3.0, cupy-cuda12x==13.3.0]
    """)
    assert (finding.code, folded(finding)) == ("DUP105", ["CUD201"])


def test_a_requirements_file_of_two_majors_is_found_without_an_environment():
    (finding,) = roots("""
        requirements.txt: |
          nvidia-cublas-cu11==11.10.3.66
          torch==2.1.2
    """)
    assert (finding.code, finding.at.path, finding.at.line) == ("CUD201", "requirements.txt", 1)


def test_one_major_from_both_managers_is_a_warning():
    (finding,) = roots("""
        conda: [cuda-cudart=12.4.127=he02047a_2]
        pip: [nvidia-cuda-runtime-cu12==12.1.105]
    """)
    assert (finding.code, finding.severity) == ("DUP101", Severity.WARNING)
    assert "remove cuda-cudart from conda" in finding.remedy


def test_conda_cuda_that_conda_uses_is_not_to_be_removed():
    (finding,) = roots("""
        conda:
          - cuda-cudart=12.4.127=he02047a_2
          - cupy-core=13.3.0=py311_0: {depends: [cuda-cudart, "cuda-version >=12,<13"]}
        pip: [nvidia-cuda-runtime-cu12==12.1.105]
    """)
    assert "needed by conda's cupy-core 13.3.0" in finding.remedy


def test_an_old_wheel_that_bundles_cuda_brings_it_too():
    (finding,) = roots("""
        conda: [cudatoolkit=11.3.1=h9edb442_10]
        pip: [torch==1.12.1+cu113]
    """)
    assert finding.code == "DUP101"


@pytest.mark.parametrize(
    "intent",
    [
        "environment.yml: |\n  dependencies: [pytorch-gpu, cuda-version=12.6]",
        "environment.yml: |\n  dependencies: ['pytorch=*=cuda*']",
        "requirements.txt: |\n  --index-url https://download.pytorch.org/whl/cu124\n  torch",
        "requirements.txt: |\n  --extra-index-url https://download.pytorch.org/whl/cu124\n  torch==2.4.0+cu124",
    ],
)
def test_a_cpu_build_where_a_file_asks_for_cuda_is_found(intent):
    (finding,) = roots(f"conda: []\npip: [torch==2.4.0+cpu]\n{intent}\n")
    assert finding.code == "CUD206"


def test_a_cpu_build_beside_an_extension_for_cuda_is_found():
    (finding,) = roots("""
        conda: []
        pip: [torch==2.4.0+cpu, torchvision==0.19.0+cu124]
    """)
    assert "torchvision 0.19.0+cu124" in finding.message


def test_a_cpu_build_of_conda_beside_idle_cuda_is_told_with_its_own_name():
    (finding,) = roots("""
        conda:
          - libtorch=2.5.1=cpu_generic_h1
          - pytorch=2.5.1=cpu_generic_py311_h1
          - cuda-cudart=12.4.127=0
          - pytorch-cuda=12.4=hc786d27_6
        pip: []
    """)
    assert "pytorch 2.5.1" in finding.message
    assert "pytorch-cuda 12.4" in finding.message
    assert "`pytorch-gpu` in place of pytorch-cuda" in finding.remedy


def test_a_release_that_is_not_known_is_left_to_the_driver():
    (finding,) = roots("""
        conda: []
        pip: [torch==2.4.0+cpu, flash-attn==2.6.3]
    """)
    assert finding.code == "CUD206"


@pytest.mark.parametrize("platform", ["osx-arm64", "osx-64"])
def test_macos_has_no_cuda_to_miss(platform):
    assert not roots(f"""
        platform: {platform}
        conda: [pytorch=2.5.1=cpu_generic_py311_h1, cuda-version=12.6=0]
        pip: []
    """)


def test_two_stacks_that_overwrite_a_file_of_each_other_do_not_stand_alone():
    (finding,) = roots("""
        conda: []
        pip:
          - torch==2.6.0+cu118: {requires: [nvidia-nccl-cu11==2.21.5]}
          - nvidia-nccl-cu11==2.21.5: {record: "nvidia/nccl/lib/libnccl.so.2,sha256=a,1"}
          - tensorflow==2.18.0: {requires: [nvidia-nccl-cu12==2.21.5]}
          - nvidia-nccl-cu12==2.21.5: {record: "nvidia/nccl/lib/libnccl.so.2,sha256=b,1"}
    """)
    assert finding.code == "CUD201"


def test_what_has_another_wheel_for_the_major_is_named_by_it():
    (finding,) = roots("""
        conda: []
        pip: [torch==2.4.0+cu124, faiss-gpu-cu11==1.10.0]
    """)
    assert "faiss-gpu-cu12 in place of faiss-gpu-cu11 1.10.0 for CUDA 12" in finding.remedy


def test_the_framework_of_the_newer_major_is_kept():
    (finding,) = roots("""
        conda: [pytorch=2.5.1=cuda126_py311_0]
        pip: [tensorflow==2.10.0]
    """)
    assert finding.remedy.startswith("keep pytorch 2.5.1 with its CUDA 12")


def test_an_index_of_pytorch_tells_nothing_of_what_it_does_not_serve():
    (finding,) = roots("""
        requirements.txt: |
          --extra-index-url https://download.pytorch.org/whl/cu118
          torch==2.1.2
          vllm==0.4.0
    """)
    assert "CUDA 12 (pip's vllm 0.4.0)" in finding.message


def test_a_requirement_that_holds_for_the_target_is_judged_by_its_python():
    (finding,) = roots("""
        python: 3.8.18
        requirements.txt: |
          torch==2.1.2
          nvidia-cublas-cu11==11.11.3.6 ; python_version < "3.9"
    """)
    assert finding.code == "CUD201"


def test_conda_cuda_of_which_pip_has_only_a_part_is_not_to_be_removed():
    (finding,) = roots("""
        conda: [cudatoolkit=11.8.0=h4ba93d1_13]
        pip: [tensorflow==2.12.0, nvidia-cublas-cu11==11.11.3.6, nvidia-cudnn-cu11==8.6.0.163]
    """)
    assert finding.code == "DUP101"
    assert "has to stay while only it brings CUDA runtime" in finding.remedy


@pytest.mark.parametrize(
    ("pip", "remedy"),
    [
        pytest.param(
            "",
            "pip's torch 2.4.1+cu118 comes with pip's: remove cudatoolkit from conda, unless programs"
            " of your own use its CUDA runtime, cuFFT",
            id="torch alone",
        ),
        pytest.param(
            "cupy-cuda11x==13.3.0",
            "pip's copy is needed by pip's torch 2.4.1+cu118, and conda's cudatoolkit by wheels that"
            " bring no CUDA runtime, cuFFT, CUPTI, cuRAND: take from conda what needs pip's",
            id="cupy rests on conda's",
        ),
    ],
)
def test_what_a_wheel_requires_is_not_to_be_uninstalled(pip, remedy):
    (finding,) = roots(f"""
        conda: [cudatoolkit=11.8.0=h4ba93d1_13]
        pip:
          - torch==2.4.1+cu118: {{requires: [nvidia-cublas-cu11]}}
          - nvidia-cublas-cu11==11.11.3.6
          - {pip or "filelock==3.13"}
    """)
    assert finding.code == "DUP101"
    assert remedy in finding.remedy


def test_a_framework_of_pip_is_taken_from_conda_where_conda_s_copy_is_needed():
    finding = next(
        f
        for f in roots("""
        conda: [cudatoolkit=11.8.0=h4ba93d1_13, cupy=13.3.0=py311h58d3a5b_0]
        environment.yml: |
          dependencies:
            - cudatoolkit=11.8
            - pip
            - pip:
                - torch==1.13.1+cu117
    """)
        if f.code == "DUP101"
    )
    assert finding.remedy.endswith("take torch from conda as well")


def test_a_file_that_declares_another_mixture_explains_nothing():
    findings = roots("""
        conda: [cudatoolkit=11.8.0=h4ba93d1_13]
        pip: [torch==2.4.0+cu121]
        requirements.txt: |
          faiss-gpu-cu11==1.10.0
          nvidia-nccl-cu12==2.21.5
    """)
    assert [finding.code for finding in findings] == ["CUD201", "CUD201"]


def test_a_root_is_as_bad_as_the_worst_of_its_symptoms():
    modules = [all_rules()["DUP101"]]
    snapshot = sketch("""
        conda: [cudatoolkit=11.8.0=h4ba93d1_13]
        pip: [nvidia-cuda-runtime-cu12==12.1.105]
        environment.yml: |
          dependencies: [cudatoolkit=11.8, {pip: [nvidia-cuda-runtime-cu11]}]
    """)
    (finding,) = judge(snapshot, modules, catalog.load()).findings
    assert finding.severity is Severity.ERROR


def test_where_the_cpu_may_be_meant_the_file_is_named_and_not_the_framework():
    (finding,) = roots("""
        conda: []
        pip: [torch==2.4.0+cpu]
        requirements.txt: |
          --extra-index-url https://download.pytorch.org/whl/cu124
          torch==2.4.0+cu124
    """)
    assert finding.remedy.endswith("or, if the CPU is meant, ask for that in requirements.txt")


def test_a_framework_other_than_pytorch_is_told_in_its_own_words():
    (finding,) = roots("""
        conda: [tensorflow-base=2.15.0=cpu_py311_0, cudatoolkit=11.8.0=h4ba93d1_13]
        pip: []
    """)
    assert finding.shows_as == "TensorFlow runs on the CPU alone, and lists no GPU"
    assert "`tensorflow-gpu`" in finding.remedy
