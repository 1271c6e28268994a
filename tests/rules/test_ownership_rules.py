"""DUP103, DUP104, DUP106, ELF506 and ELF507: whose the files are, and what folds under what."""

import pytest

from reconciler import catalog
from reconciler.model.finding import Severity
from reconciler.pipeline import judge
from reconciler.rules import all_rules
from reconciler.testing import sketch

CODES = ("CUD201", "DUP103", "DUP104", "DUP105", "DUP106", "ELF506", "ELF507")
SITE = "lib/python3.11/site-packages"
NCCL = "nvidia/nccl/lib/libnccl.so.2"


def roots(text):
    modules = [all_rules()[code] for code in CODES]
    report = judge(sketch(text), modules, catalog.load())
    assert report.crashes == ()
    return report.findings


def only(text):
    (finding,) = roots(text)
    return finding


def folded(finding):
    return sorted(symptom.code for symptom in finding.symptoms)


def nccl(*majors, size, requires="nvidia-nccl-cu12", more=""):
    """Sketch a torch for CUDA 12 and NCCL's wheels, each as many bytes as its major says."""
    wheels = "\n".join(
        f'  - nvidia-nccl-cu{major}==2.{major}.0: {{record: "{NCCL},sha256=,{major}"}}'
        for major in majors
    )
    return f"""
conda: []
pip:
  - torch==2.8.0+cu128: {{requires: [{requires}]}}
{wheels}
{more}
payload: [{{path: {SITE}/{NCCL}, size: {size}}}]
"""


def test_the_wheels_that_overlap_are_the_root_of_the_majors_that_only_they_carry():
    finding = only(nccl(11, 12, size=11))

    assert (finding.code, folded(finding)) == ("DUP104", ["CUD201", "ELF507"])
    assert finding.severity is Severity.ERROR
    assert "what lies there is of pip's nvidia-nccl-cu11 2.11.0" in finding.message


def test_the_wheel_that_is_required_stays_and_is_installed_again():
    remedy = only(nccl(11, 12, size=12)).remedy

    assert remedy.startswith("torch 2.8.0+cu128 requires nvidia-nccl-cu12 2.12.0, and nothing")
    assert "`pip uninstall nvidia-nccl-cu11`" in remedy
    assert "`pip install --force-reinstall --no-deps nvidia-nccl-cu12==2.12.0`" in remedy


def test_where_nothing_requires_either_both_ways_are_named():
    remedy = only(nccl(11, 12, size=12, requires="sympy")).remedy

    assert remedy.startswith("keep one of the two:")
    assert remedy.endswith("or the other way round")


def test_where_both_are_required_builds_for_one_cuda_are_to_be_taken():
    text = nccl(11, 12, size=12, requires="nvidia-nccl-cu11, nvidia-nccl-cu12")

    assert "torch 2.8.0+cu128 and torch 2.8.0+cu128 require one each" in only(text).remedy


def test_an_overwritten_file_and_a_mixture_beside_it_are_two_causes():
    found = roots(nccl(11, 12, size=11, more="  - nvidia-cuda-runtime-cu11==11.7.99"))

    assert [finding.code for finding in found] == ["CUD201", "DUP104"]


def test_a_file_that_asks_for_both_is_the_root_of_what_is_installed():
    declared = """
requirements.txt: |
  torch==2.8.0
  nvidia-nccl-cu11==2.11.0
  nvidia-nccl-cu12==2.12.0
"""
    finding = only(nccl(11, 12, size=11) + declared)

    assert (finding.code, finding.at.path, finding.at.line) == ("DUP104", "requirements.txt", 3)
    assert folded(finding) == ["CUD201", "CUD201", "DUP104", "ELF507"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("nvidia-cudnn-cu11==8.9.6.50", "nvidia-cudnn-cu12==9.1.0.70"),
        ("nvidia-cublas-cu11==11.10.3.66", "nvidia-cublas-cu12==12.1.3.1"),
        ("cutensor-cu12==1.7.0", "cutensor-cu13==2.3.1"),
    ],
)
def test_requirements_without_a_library_in_common_are_no_rivals(first, second):
    found = roots(f"requirements.txt: |\n  {first}\n  {second}\n")

    assert [finding.code for finding in found] in ([], ["CUD201"])


def test_the_library_named_is_of_the_version_that_is_asked_for():
    finding = only("requirements.txt: |\n  nvidia-cudnn-cu12==9.1.0.70\n  nvidia-cudnn-cu13\n")

    assert "libcudnn.so.9" in finding.message
    assert not [path for path in finding.evidence if path.endswith(".so.8")]


def pair(record, other, name="b"):
    return f"""
conda: []
pip:
  - a==1: {{record: "{record}"}}
  - {name}==1: {{record: "{other}"}}
payload: []
"""


@pytest.mark.parametrize(
    "path",
    [
        "google/__init__.py",
        "tests/helpers.py",
        "LICENSE",
        "setup.py",
        "../../../bin/tool",
        "../../../share/man/man1/tool.1",
    ],
)
def test_what_wheels_share_by_custom_or_by_mistake_is_left_alone(path):
    assert roots(pair(f"{path},sha256=eA,1", f"{path},sha256=eQ,2")) == ()


@pytest.mark.parametrize("claims", [("sha256=eA,1", "sha256=eA,1"), (",0", ",0"), (",", ",")])
def test_the_same_and_the_unknown_is_no_dispute(claims):
    first, second = (f"x/lib.so,{claim}" for claim in claims)

    assert roots(pair(first, second)) == ()


def test_modules_of_python_are_a_warning():
    finding = only(pair("jwt/api.py,sha256=eA,1", "jwt/api.py,sha256=eQ,2"))

    assert (finding.code, finding.severity) == ("DUP104", Severity.WARNING)


def test_a_wheel_that_writes_over_a_library_of_conda_is_found():
    finding = only(f"""
conda: [cuda-thing=1=0: {{files: [{SITE}/thing/lib.so]}}]
pip: [other==1: {{record: "thing/lib.so,sha256=,2"}}]
payload:
  - path: {SITE}/thing/lib.so
    size: 2
    recorded: [{{owner: conda-meta/cuda-thing-1-0.json, size: 9}}]
""")

    assert (finding.code, folded(finding)) == ("DUP104", ["ELF507"])
    assert "conda's cuda-thing 1 and pip's other 1 both own" in finding.message
    assert "`pip install --force-reinstall --no-deps other==1`" in finding.remedy
    assert "`conda remove --force cuda-thing`" in finding.remedy


def test_two_packages_of_conda_are_left_to_conda():
    files = f"{{files: [{SITE}/thing/lib.so]}}"

    assert roots(f"conda: [a=1=0: {files}, b=1=0: {files}]\npip: []\npayload: []\n") == ()


def test_twins_of_one_import_are_the_root_of_the_files_that_both_own():
    finding = only(f"""
conda: []
pip:
  - cupy-cuda11x==13.3.0: {{record: "cupy/core.so,sha256=eA,1"}}
  - cupy-cuda12x==13.3.0: {{record: "cupy/core.so,sha256=eQ,2"}}
payload: [{{path: {SITE}/cupy/core.so, size: 2}}]
""")

    assert finding.code == "DUP105"
    assert "DUP104" in folded(finding)


INFO = f"{SITE}/packaging-25.0.dist-info/METADATA"
CONDA = f"packaging=25.0=0: {{files: [{SITE}/packaging/__init__.py, {INFO}]}}"
PIP = 'packaging==26.3: {record: "packaging/__init__.py,sha256=,26"}'


def packaging(*, size, faces=f"[packaging==25.0: {{installer: conda}}, {PIP}]"):
    return f"""
conda: [{CONDA}]
pip: {faces}
payload:
  - path: {SITE}/packaging/__init__.py
    size: {size}
    recorded: [{{owner: conda-meta/packaging-25.0-0.json, size: 25}}]
"""


def test_conda_over_pip_is_an_error_and_the_code_is_conda_s():
    finding = only(packaging(size=25))

    assert (finding.code, finding.severity) == ("DUP103", Severity.ERROR)
    assert finding.message.endswith("; the files are those of conda's packaging 25.0")
    assert "`pip list`, `importlib.metadata` and `conda list` may name" in finding.shows_as
    assert folded(finding) == ["ELF507"]


def test_pip_over_conda_is_a_warning_and_the_code_is_pip_s():
    finding = only(packaging(size=26, faces=f"[{PIP}]"))

    assert (finding.code, finding.severity) == ("DUP103", Severity.WARNING)
    assert finding.message.endswith("; the files are those of pip's packaging 26.3")
    assert "the code is that of pip's packaging 26.3" in finding.shows_as
    assert folded(finding) == ["DUP106"]


def test_the_remedy_names_both_ways_in_an_order_that_does_no_harm():
    remedy = only(packaging(size=25)).remedy

    assert remedy == (
        "keep conda's: `pip uninstall packaging` until pip finds none, then"
        " `conda install --force-reinstall packaging=25.0`; or keep pip's:"
        " `conda remove --force packaging`, then"
        " `pip install --force-reinstall --no-deps packaging==26.3`"
    )


def test_an_editable_install_over_conda_s_is_installed_again_from_its_place():
    editable = "packaging==26.3: {editable: true, direct_url: 'file:///src/packaging'}"

    remedy = only(packaging(size=25, faces=f"[{editable}]")).remedy

    assert "--no-deps --editable /src/packaging`" in remedy


def test_two_dist_infos_of_pip_are_found():
    finding = only("""
conda: []
pip:
  - numpy==1.26.4: {record: "numpy/a.py,sha256=,1\\nnumpy/b.py,sha256=,1"}
  - numpy==2.1.0: {record: "numpy/a.py,sha256=,2\\nnumpy/b.py,sha256=,2"}
payload:
  - {path: lib/python3.11/site-packages/numpy/a.py, size: 1}
  - {path: lib/python3.11/site-packages/numpy/b.py, size: 2}
""")

    assert finding.code == "DUP103"
    assert "the files are a mixture, 1 of pip's numpy 1.26.4 and 1 of pip's" in finding.message
    assert "then `pip install --force-reinstall --no-deps numpy==2.1.0`" in finding.remedy
    assert folded(finding) == ["ELF507", "ELF507"]


def test_a_package_that_conda_marked_as_pip_s_is_not_installed_twice():
    metadata = f"{SITE}/six-1.16.0.dist-info/METADATA"

    assert roots(f"conda: [six=1.16.0=0: {{files: [{metadata}]}}]\npip: [six==1.16.0]\n") == ()


def test_a_torch_of_pip_over_conda_s_pytorch_is_one_finding():
    metadata = f"{SITE}/torch-2.5.1.dist-info/METADATA"
    finding = only(f"""
conda: [pytorch=2.5.1=cuda126_py311_0: {{files: [{metadata}]}}]
pip: [torch==2.6.0+cu126]
""")

    assert finding.code == "DUP103"
    assert {"DUP105", "DUP106"} <= set(folded(finding))


def test_what_pip_uninstalled_of_conda_is_a_record_without_files():
    finding = only(f"""
conda: [packaging=25.0=0: {{files: [{SITE}/packaging/__init__.py, {INFO}]}}]
pip: [six==1.16.0]
payload: [{{path: {SITE}/packaging/__init__.py}}]
""")

    assert (finding.code, finding.symptoms) == ("DUP106", ())
    assert "`conda install --force-reinstall packaging=25.0`" in finding.remedy
    assert "1 of 1 files that were looked at are gone" in finding.evidence


def nvshmem(gone, there=0):
    lines = [f"nvidia/nvshmem/lib/lib{n}.so.3,sha256=,1" for n in range(gone + there)]
    seen = [
        f"{{path: {SITE}/nvidia/nvshmem/lib/lib{n}.so.3{', size: 1' if n >= gone else ''}}}"
        for n in range(gone + there)
    ]
    record = "\\n".join(lines)
    return f"""
conda: []
pip: [nvidia-nvshmem-cu13==3.4.5: {{record: "{record}"}}]
payload: [{", ".join(seen)}]
"""


def test_a_library_that_went_with_another_wheel_is_found():
    finding = only(nvshmem(gone=2, there=3))

    assert finding.code == "ELF506"
    assert finding.message.endswith("of its files lib0.so.3 and 1 more are gone")
    assert finding.evidence[0] == "2 of 5 files that were looked at are gone"
    assert finding.remedy == (
        "`pip install --force-reinstall --no-deps nvidia-nvshmem-cu13==3.4.5`"
    )


def modules(gone, there):
    paths = [f"x/m{n}.py" for n in range(gone + there)]
    seen = [
        f"{{path: {SITE}/{path}{', size: 1' if n >= gone else ''}}}" for n, path in enumerate(paths)
    ]
    record = "\\n".join(f"{path},sha256=,1" for path in paths)
    return f"""
conda: []
pip: [x==1: {{record: "{record}"}}]
payload: [{", ".join(seen)}]
"""


@pytest.mark.parametrize(
    ("gone", "there", "is_found"), [(2, 1, True), (1, 2, False), (1, 0, False)]
)
def test_modules_are_missing_where_half_of_them_are(gone, there, is_found):
    assert bool(roots(modules(gone, there))) is is_found


def test_a_library_of_conda_that_is_gone_comes_back_by_conda():
    finding = only("""
conda: [nccl=2.21.5.1=0: {files: [lib/libnccl.so.2]}]
pip: []
payload: [{path: lib/libnccl.so.2}]
""")

    assert finding.code == "ELF506"
    assert finding.remedy == "`conda install --force-reinstall nccl=2.21.5.1`"


def test_a_library_that_nobody_installed_so_is_a_warning():
    finding = only(nccl(12, size=99))

    assert (finding.code, finding.severity) == ("ELF507", Severity.WARNING)
    assert finding.evidence == (f"{SITE}/{NCCL} has 99 bytes, and 12 were installed",)


def test_a_library_with_another_hash_is_overwritten():
    finding = only(f"""
conda: []
pip: [nvidia-nccl-cu12==2.1: {{record: "{NCCL},sha256=eHh4,3"}}]
payload: [{{path: {SITE}/{NCCL}, size: 3, sha256: "00"}}]
""")

    assert finding.evidence == (
        f"{SITE}/{NCCL} has another sha256 than the one that was installed",
    )


def test_a_link_in_place_of_a_library_is_somebody_s_own_choice():
    assert not roots(nccl(12, size="99, is_link: true"))


def test_a_module_that_a_user_has_edited_is_left_alone():
    assert not roots("""
conda: []
pip: [x==1: {record: "x/a.py,sha256=,1"}]
payload: [{path: lib/python3.11/site-packages/x/a.py, size: 2}]
""")


@pytest.mark.parametrize(
    ("size", "seen"), [("null", "is gone"), ("7", "cannot be told"), ("12", "nccl-cu12 2.12.0")]
)
def test_the_evidence_says_whose_each_file_is(size, seen):
    finding = next(f for f in roots(nccl(11, 12, size=size)) if f.code == "DUP104")

    assert finding.evidence[0].endswith(seen)
