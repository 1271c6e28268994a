from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
import rattler
from shared_data import SHARED

from reconciler.collect import manifest_files
from reconciler.manifests import conda_item, environment_yml
from reconciler.model.conda_spec import CondaSpec
from reconciler.model.editor_lines import split
from reconciler.model.manifest import FaultKind, Kind, ManifestError, Section

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.model.manifest import Fault

read = partial(environment_yml.read, "environment.yml")

CORPUS = sorted((SHARED / "corpus" / "environment").glob("*.y*ml*"))


def items(*texts: str) -> str:
    return "dependencies:\n" + "".join(f"  - {text}\n" for text in texts)


def only_fault(text: str) -> Fault:
    (fault,) = read(text).faults
    return fault


@pytest.mark.parametrize(
    ("item", "name"),
    [
        ("pytorch 1.10", "pytorch"),
        ("cudatoolkit =11.0", "cudatoolkit"),
        ("cudatoolkit = 10.1", "cudatoolkit"),
        ("conda-forge::NumPy", "numpy"),
        ("nvidia/label/cuda-12.1.0::cuda-toolkit", "cuda-toolkit"),
        ('\'pytorch[version="2.1.*", build="*cuda*"]\'', "pytorch"),
        ("jaxlib=*=*cuda*", "jaxlib"),
        ("pytorch=2.1.0=py3.11_cuda12.1_cudnn8.9.2_0", "pytorch"),
        ("_libgcc_mutex", "_libgcc_mutex"),
        ("numpy===1.0", "numpy"),
        ("numpy=>1.0", "numpy"),
        ("numpy=", "numpy"),
        ("numpy ~=1", "numpy"),
        ("'numpy[when=\"python >=3\"]'", "numpy"),
    ],
)
def test_an_item_that_conda_takes_has_its_name(item: str, name: str) -> None:
    manifest = read(items(item))

    assert [d.name for d in manifest.declared] == [name]
    assert manifest.faults == ()


def test_conda_leaves_out_the_extras_of_an_item() -> None:
    (declared,) = read(items("requests[security]")).declared

    assert (declared.text, declared.name) == ("requests", "requests")


@pytest.mark.parametrize(
    ("item", "why", "better"),
    [
        ("git+https://github.com/x/y", "a line for pip", ""),
        ("--extra-index-url https://h", "a line for pip", ""),
        ("numpy @ file:///x", "a line for pip", ""),
        ("numpy>=1; python_version<'3'", "no markers", ""),
        ("numpy>=1.0 <2", "a comma stands between", "numpy >=1.0,<2"),
        ("numpy,", "the comma at its end", "numpy"),
        ("numpy==", "not an operator and a version", ""),
        ("numpy 1..2", "a segment is empty", ""),
        ("numpy 1.0 py39_0 x", "not a version and a build", ""),
        ("./x", "is not a conda version", ""),
        ("3.8", "YAML reads a number", ""),
        ("[numpy]", "an item of the list is a text", ""),
        ("", "an item without text", ""),
        ("python: 3.8", "a colon makes a section", "python=3.8"),
        ("python: '>=3.8'", "a colon makes a section", ""),
    ],
)
def test_what_conda_refuses_is_told_in_words(item: str, why: str, better: str) -> None:
    fault = only_fault(items("pip", item))

    assert (fault.kind, fault.better, fault.line) == (FaultKind.BROKEN, better, 3)
    assert why in fault.why


@pytest.mark.parametrize(
    "item",
    ["python={{ python }}", "{{ cuda }}", "python=__PYTHON__", "python=${PYTHON}", "''", "pip:"],
)
def test_a_template_s_mark_is_left_alone(item: str) -> None:
    manifest = read(items(item))

    assert (manifest.declared, manifest.faults) == ((), ())


def test_the_statements_of_a_template_are_passed_over() -> None:
    manifest = read("dependencies:\n{% if gpu %}\n  - cudatoolkit\n{% endif %}\n  - python\n")

    assert [(d.name, d.line) for d in manifest.declared] == [("cudatoolkit", 3), ("python", 5)]


def test_the_section_of_another_installer_is_lost() -> None:
    fault = only_fault(items("other_pip: [blabla]"))

    assert (fault.kind, fault.text) == (FaultKind.SECTION_LOST, "other_pip:")


@pytest.mark.parametrize(
    ("text", "kind", "why"),
    [
        ("dependencies: python", FaultKind.BROKEN, "each letter of this"),
        ("dependencies: {python: 3.11}", FaultKind.BROKEN, "takes these keys for names"),
        ("channels: conda-forge", FaultKind.BROKEN, "each letter of this"),
        ("dependencies: [{pip: torch}]", FaultKind.BROKEN, "each letter of this"),
        ("dependencies: [a]\ndependencies: [b]", FaultKind.SECTION_LOST, "again on line 2"),
        ("channels: [a]\nchannels: [b]", FaultKind.SECTION_LOST, "again on line 2"),
    ],
)
def test_a_section_that_conda_misreads_is_told(text: str, kind: FaultKind, why: str) -> None:
    fault = only_fault(text)

    assert (fault.kind, fault.line) == (kind, 1)
    assert why in fault.why


def test_a_pip_key_that_stands_twice_in_one_item_is_lost_once() -> None:
    manifest = read("dependencies:\n  - pip: [a]\n    pip: [b]\n")

    assert [d.name for d in manifest.declared] == ["b"]
    assert [(f.kind, f.line) for f in manifest.faults] == [(FaultKind.SECTION_LOST, 2)]


def test_a_mapping_of_another_program_is_read_without_a_fault() -> None:
    manifest = read(
        "defined_as: x\ndependencies:\n  conda: [h5py, [x], pytorch==0.4]\n  pip: [kipoi]\n"
    )

    assert [(d.section, d.name) for d in manifest.declared] == [
        (Section.CONDA, "h5py"),
        (Section.CONDA, "pytorch"),
        (Section.PIP, "kipoi"),
    ]
    assert manifest.faults == ()


def test_a_file_of_unidep_names_packages_item_by_item() -> None:
    text = "dependencies:\n  - numpy\n  - conda: pytorch-gpu\n    pip: torch\n  - other: [x]\n  - other: x\n"

    manifest = environment_yml.read("requirements.yaml", text)

    assert [(d.section, d.name, d.line) for d in manifest.declared] == [
        (Section.CONDA, "numpy", 2),
        (Section.CONDA, "pytorch-gpu", 3),
        (Section.PIP, "torch", 4),
    ]
    assert manifest.faults == ()


@pytest.mark.parametrize(
    ("item", "text", "better"),
    [
        (
            "--extra-index-url: https://h",
            "--extra-index-url: https://h",
            "--extra-index-url https://h",
        ),
        ("torch: 2.1", "torch: 2.1", "torch==2.1"),
        ("torch: [x]", "torch: ", ""),
        ("{}", "", ""),
        ("[x]", "", ""),
        ("", "", ""),
    ],
)
def test_an_item_of_pip_that_is_no_text_stops_conda(item: str, text: str, better: str) -> None:
    fault = only_fault(f"dependencies:\n  - pip:\n    - {item}\n")

    assert (fault.kind, fault.text, fault.better) == (FaultKind.BROKEN, text, better)


def test_a_template_s_mark_among_the_items_of_pip_is_left_alone() -> None:
    assert read("dependencies:\n  - pip:\n    - {{ torch }}\n").faults == ()


def test_the_traps_of_pip_hold_in_its_section() -> None:
    text = (
        "dependencies:\n  - pip:\n      - --pre mxnet-cu92\n      - toml=0.10.2\n"
        "      - 'torch==2 --index-url https://h/cu118'\n"
    )

    faults = read(text).faults

    assert [(f.kind, f.line, f.column, f.text) for f in faults] == [
        (FaultKind.OPTION_LOST, 3, 15, "mxnet-cu92"),
        (FaultKind.BROKEN, 4, 9, "toml=0.10.2"),
        (FaultKind.OPTION_LOST, 5, 19, "--index-url https://h/cu118"),
    ]


def test_an_item_of_pip_may_hold_several_lines() -> None:
    text = "dependencies:\n  - pip:\n      - |\n        torch\n        numpy --pre\n"

    manifest = read(text)

    assert [(d.name, d.line, d.column) for d in manifest.declared] == [
        ("torch", 4, 9),
        ("numpy", 4, 9),
    ]
    assert [(f.line, f.column) for f in manifest.faults] == [(4, 9)]


def test_options_may_be_items_of_pip() -> None:
    text = (
        "dependencies:\n  - pip:\n    - -r file:requirements.txt\n    - -f https://h\n"
        "    - --requirement=a.txt\n    - -e .\n    - -c c.txt\n"
    )

    assert [(d.kind, d.name) for d in environment_yml.read("env/gpu.yml", text).declared] == [
        (Kind.INCLUDE, "env/requirements.txt"),
        (Kind.INDEX, "https://h"),
        (Kind.INCLUDE, "env/a.txt"),
        (Kind.REQUIREMENT, ""),
        (Kind.CONSTRAINT, "env/c.txt"),
    ]


def test_variables_and_prefix_are_declared_at_their_lines() -> None:
    text = "name: x\ndependencies: [a]\nvariables:\n  A: 1\n  B: [x]\nprefix: /opt/x\n"

    manifest = read(text)

    assert [(d.kind, d.name, d.text, d.line, d.column) for d in manifest.declared[1:]] == [
        (Kind.VARIABLE, "A", "A=1", 4, 3),
        (Kind.PREFIX, "/opt/x", "prefix: /opt/x", 6, 1),
    ]
    assert manifest.environments == ("x", "/opt/x")


def test_merge_keys_and_aliases_are_followed() -> None:
    text = "x: &pip {pip: [torch]}\ndependencies:\n  - python\n  - *pip\n"

    assert [(d.name, d.line) for d in read(text).declared] == [("torch", 1), ("python", 3)]


@pytest.mark.parametrize(
    ("text", "platforms"),
    [
        ("  - a  # [linux]", ("linux-64", "linux-aarch64")),
        ("  - a  # [linux64]", ("linux-64",)),
        ("  - a  # why [ win ]", ("win-64",)),
        ("  - a  # [osx-arm64]", ("osx-arm64",)),
        ("  - a  # [not win]", ("linux-64", "linux-aarch64", "osx-64", "osx-arm64")),
        ("  - a  # [gpu]", ()),
        ("  - a  # [win] or so", ()),
        ("  - pip: [a]  # [unix]", ("linux-64", "linux-aarch64", "osx-64", "osx-arm64")),
    ],
)
def test_a_selector_of_conda_lock_limits_an_item(text: str, platforms: tuple[str, ...]) -> None:
    (declared,) = read(f"dependencies:\n{text}\n").declared

    assert declared.platforms == platforms


LINUX = ("linux-64",)
WINDOWS = ("win-64",)
MAC = ("osx-64", "osx-arm64")


@pytest.mark.parametrize(
    ("path", "text", "platforms"),
    [
        ("environment.yml", "platforms: [linux-64, win-64, x]", ("linux-64", "win-64")),
        ("environment-windows.yml", "platforms: [linux-64]", LINUX),
        ("environment.yml", "platforms: linux", ()),
        ("environment.yml", "prefix: C:\\Users\\me\\envs\\x", WINDOWS),
        ("environment.yml", "prefix: /Users/me/x", MAC),
        ("environment.yml", "prefix: /home/me/x", LINUX),
        ("environment.yml", "prefix: /opt/x", ()),
        ("environment.yml", items("vc=14", "vs2015_runtime"), WINDOWS),
        ("environment.yml", items("vc=14 # [win]"), ()),
        ("environment.yml", items("libgcc-ng=9"), LINUX),
        ("environment.yml", items("ld_impl_linux-aarch64"), ("linux-aarch64",)),
        ("environment.yml", items("gxx_linux-64", "clang_osx-64"), ()),
        ("environment.yml", items("libcxx", "appnope"), MAC),
        ("environment.yml", items("libcxx"), ()),
        ("environment-windows.yml", "name: x", WINDOWS),
        ("env_win.yml", "name: x", WINDOWS),
        ("env-linux.yml", "name: x", LINUX),
        ("env-macOS.yml", "name: x", MAC),
        ("env-lin-aarch64.yml", "name: x", ("linux-aarch64",)),
        ("env-mac-arm64.yml", "name: x", ("osx-arm64",)),
        ("env-aarch64.yml", "name: x", ("linux-aarch64",)),
        ("env-arm64.yml", "name: x", ("linux-aarch64", "osx-arm64")),
        ("all_arch-x86_64.yaml", "name: x", ()),
        ("env-linux-x86_64.yml", "name: x", LINUX),
        ("env_win-64.yml", "name: x", WINDOWS),
        ("forWINDOWSwTF.yml", "name: x", WINDOWS),
        ("envs/linux/environment.yml", "name: x", LINUX),
        ("/home/windows/environment.yml", "name: x", ()),
        ("win/environment.yml", "name: x", ()),
        ("environment-amd-cpu.yml", "name: x", ()),
    ],
)
def test_a_file_says_for_which_platforms_it_is(
    path: str, text: str, platforms: tuple[str, ...]
) -> None:
    assert environment_yml.read(path, text).platforms == platforms


def test_an_unfinished_merge_is_a_fault_and_the_rest_is_read() -> None:
    text = "dependencies:\n<<<<<<< HEAD\n  - a\n  - pip: [b]\n=======\n  - c\n  - pip: [d]\n>>>>>>> x\n"

    manifest = read(text)

    assert [d.name for d in manifest.declared] == ["a", "c", "d"]
    assert [(f.kind, f.line) for f in manifest.faults] == [(FaultKind.CONFLICT, 2)]


def test_a_merge_that_is_no_yaml_is_the_only_fault() -> None:
    manifest = read("a:\n<<<<<<< HEAD\n  b: c\n=======\n- d\n>>>>>>> x\n")

    assert manifest.declared == ()
    assert [(f.kind, f.line) for f in manifest.faults] == [(FaultKind.CONFLICT, 2)]


def test_a_mistake_made_in_line_after_line_is_told_once() -> None:
    assert len(read(items(*(f"git+https://h/{n}" for n in range(20)))).faults) == 1


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_each_conda_item_of_the_corpus_is_read_as_rattler_reads_it(path: Path) -> None:
    text = manifest_files.read_text(str(path))
    manifest = environment_yml.read(path.name, text)

    asked = [
        d for d in manifest.declared if d.section is Section.CONDA and d.kind is Kind.REQUIREMENT
    ]
    theirs = [rattler.MatchSpec(d.text) for d in asked]

    assert [d.name for d in asked] == [spec.name.normalized for spec in theirs if spec.name]
    assert [CondaSpec.parse(d.text).build for d in asked] == [
        None if spec.build is None else str(spec.build) for spec in theirs
    ]


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_each_item_of_the_corpus_stands_where_it_is_said_to(path: Path) -> None:
    text = manifest_files.read_text(str(path))
    lines = split(text)

    manifest = environment_yml.read(path.name, text)

    for d in manifest.declared:
        if d.kind is not Kind.VARIABLE:
            words = (d.text.split()[0], d.text.split(" @ ")[-1].split()[0])
            assert lines[d.line - 1][d.column - 1 :].startswith(words)


def test_an_item_that_is_no_spec_is_refused_by_rattler_too() -> None:
    for text in (
        "numpy==",
        "numpy 1..2",
        "numpy,",
        "a&b",
        "./x",
        "numpy @ file:///x",
        "numpy ^1.2",
    ):
        assert conda_item.read(text).refused
        with pytest.raises(Exception, match=r"."):
            rattler.MatchSpec(text)


def test_a_key_of_a_template_does_not_hide_broken_yaml() -> None:
    with pytest.raises(ManifestError):
        read("dependencies: [\n{% if x %}\n")
    with pytest.raises(ManifestError):
        read("dependencies: [\n")
