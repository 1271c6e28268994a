from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifest_reading import (
    combined,
    indexes,
    installed,
    is_whole,
    places,
    read_or_refused,
    texts,
)
from packaging.requirements import Requirement
from shared_data import SHARED, shared

from reconciler.collect import manifest_files
from reconciler.manifests import format_of, pyproject_toml
from reconciler.model.manifest import FaultKind, Kind, ManifestError, Section

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.model.manifest import Manifest

read = partial(pyproject_toml.read, "pyproject.toml")

CORPUS = sorted((SHARED / "corpus" / "pyproject").glob("*.toml"))

PROJECT = """\
[project]
name = "My_Project"
requires-python = ">=3.10"
dependencies = [
    "numpy>=1.26,<2",  # why
    'torch[opt] >= 2.1 ; sys_platform == "linux"',
]

[project.optional-dependencies]
CU_118 = ["xformers==0.0.22"]
all = ["my-project[cu-118,cu124]", "einops"]
cu124 = ["bitsandbytes"]

[dependency-groups]
dev = ["pytest", {include-group = "Lint"}]
lint = ["ruff"]

[build-system]
requires = ["setuptools>=61", "torch"]
"""


def test_every_requirement_has_its_scope_and_its_place() -> None:
    assert places(read(PROJECT)) == [
        ("", "numpy>=1.26,<2", 5, 5),
        ("", 'torch[opt] >= 2.1 ; sys_platform == "linux"', 6, 5),
        ("extra cu-118", "xformers==0.0.22", 10, 11),
        ("extra all", "einops", 11, 36),
        ("extra cu124", "bitsandbytes", 12, 10),
        ("group dev", "pytest", 15, 8),
        ("group lint", "ruff", 16, 9),
        ("build system", "setuptools>=61", 19, 13),
        ("build system", "torch", 19, 31),
    ]


def test_the_pythons_of_the_project_are_declared() -> None:
    (python,) = (d for d in read(PROJECT).declared if d.kind is Kind.PYTHON)

    assert (python.name, python.text, python.line, python.column) == ("python", ">=3.10", 3, 19)


def test_extras_and_groups_are_installed_with_the_project_and_with_what_they_name() -> None:
    assert combined(read(PROJECT)) == {
        "": ("",),
        "extra cu-118": ("", "extra cu-118"),
        "extra all": ("", "extra all", "extra cu-118", "extra cu124"),
        "extra cu124": ("", "extra cu124"),
        "group dev": ("", "group dev", "group lint"),
        "group lint": ("", "group lint"),
        "build system": ("build system",),
    }


def test_extras_that_take_each_other_along_end() -> None:
    text = """[project]
name = "p"
optional-dependencies = { a = ["p[b]", "x"], b = ["p[a]", "p"] }
"""

    assert combined(read(text))["extra a"] == ("", "extra a", "extra b")
    assert texts(read(text)) == ["x"]


def test_without_a_name_no_requirement_is_the_project_s_own() -> None:
    text = "[project.optional-dependencies]\na = ['p[b]']\nb = ['x']\n"

    assert combined(read(text))["extra a"] == ("", "extra a")
    assert texts(read(text)) == ["p[b]", "x"]


def test_what_is_no_requirement_is_a_fault_with_what_is_right() -> None:
    (fault,) = read("[project]\ndependencies = [\n  'numpy',\n  'torch=2.1.2',\n]\n").faults

    assert (fault.kind, fault.text, fault.line, fault.column) == (
        FaultKind.BROKEN,
        "torch=2.1.2",
        4,
        3,
    )
    assert fault.better == "torch==2.1.2"


@pytest.mark.parametrize(("table", "faults"), [("ruff", 1), ("poetry", 0)])
def test_poetry_installs_whatever_the_build_system_asks_for(table: str, faults: int) -> None:
    text = f"[build-system]\nrequires = ['poetry-core>=^1.0.0']\n[tool.{table}]\nx = 1\n"

    assert len(read(text).faults) == faults


def test_a_template_s_own_marks_are_no_fault() -> None:
    assert not read("[project]\ndependencies = ['{{ cookiecutter.torch }}']\n").faults


@pytest.mark.parametrize(
    "text",
    [
        "",
        "project = 1",
        "[project]\ndependencies = 'torch'",
        "[project]\ndependencies = {torch = '2'}",
        "[project]\ndependencies = [1, '', ['torch'], {torch = 2}]",
        "[project]\noptional-dependencies = ['torch']",
        "[dependency-groups]\na = 'torch'\nb = [{include-group = 1}]",
        "[build-system]\nrequires = 'torch'",
        "[tool]\nuv = 1\npoetry = []\npdm = ''\npixi = true\nhatch.envs = 1\nunidep = []\nconda-lock = []",
    ],
)
def test_what_is_of_another_shape_declares_nothing(text: str) -> None:
    assert read(text).declared == ()


def test_what_is_no_toml_is_an_error_with_its_line() -> None:
    with pytest.raises(ManifestError) as caught:
        read("[project]\ndependencies = [\n")

    assert caught.value.line == 2


@pytest.mark.parametrize(
    ("tables", "tool"),
    [
        ("", "pip"),
        ("[tool.ruff]\nx = 1", "pip"),
        ("[tool.uv]\nx = 1", "uv"),
        ("[tool.poetry]\nx = 1\n[tool.uv.sources]\nx = 1", "uv"),
        ("[tool.poetry]\nx = 1", "poetry"),
        ("[tool.pdm]\nx = 1", "pdm"),
        ("[tool.pixi]\nx = 1", "pixi"),
    ],
)
def test_the_tool_is_told_by_its_tables(tables: str, tool: str) -> None:
    assert read(tables).tool == tool


HATCH = """\
[project]
dependencies = ["numpy"]
optional-dependencies.gpu = ["torch"]
[tool.hatch.envs.default]
dependencies = ["pytest"]
features = ["GPU"]
[tool.hatch.envs.test]
extra-dependencies = ["coverage"]
[tool.hatch.envs.docs]
detached = true
template = "docs"
dependencies = ["sphinx"]
[tool.hatch.envs.style]
template = "lint"
skip-install = true
[tool.hatch.envs.lint]
dependencies = ["ruff"]
"""


def test_an_environment_of_hatch_is_installed_with_the_project_and_its_template() -> None:
    manifest = read(HATCH)

    assert installed(manifest, "hatch environment default") == ["numpy", "torch", "pytest"]
    assert installed(manifest, "hatch environment test") == ["numpy", "pytest", "coverage"]
    assert installed(manifest, "hatch environment docs") == ["sphinx"]
    assert installed(manifest, "hatch environment style") == ["ruff"]


CONDA_LOCK = """\
[tool.poetry.dependencies]
torch = "^2"
[tool.conda-lock]
channels = ["pytorch", {url = "https://host/conda"}, 1]
platforms = ["linux-64", "osx-64"]
[tool.conda-lock.dependencies]
pytorch = ">=2,<3"
pip = "*"
cuda-toolkit = {version = "12.4.*", channel = "nvidia"}
jaxlib = {version = "0.4.*", build = "*cuda*"}
einops = {source = "pypi", version = "0.7", extras = ["x"]}
apex = {url = "https://host/apex.whl"}
timm = {source = "pypi", version = ">=1"}
"a b c d" = "1"
"""


def test_conda_lock_has_its_own_table_and_its_own_combination() -> None:
    manifest = read(CONDA_LOCK)

    assert texts(manifest, "conda-lock") == [
        "pytorch >=2,<3",
        "pip",
        "nvidia::cuda-toolkit 12.4.*",
        "jaxlib 0.4.* *cuda*",
        "einops[x]==0.7",
        "apex @ https://host/apex.whl",
        "timm>=1",
    ]
    assert combined(manifest)["conda-lock"] == ("conda-lock",)
    assert manifest.platforms == ("linux-64", "osx-64")
    assert [d.name for d in manifest.declared if d.kind is Kind.CHANNEL] == [
        "pytorch",
        "https://host/conda",
    ]
    assert [(f.text, f.line) for f in manifest.faults] == [("a b c d 1", 14)]


UNIDEP = """\
[tool.unidep]
channels = ["conda-forge"]
pip_indices = ["https://host/simple"]
platforms = ["linux-64"]
dependencies = [
    "numpy >=1.21",
    {conda = "pytorch =2.1", pip = "torch"},
    {pip = "einops =0.7"},
    "adaptive:linux64",
    "mumps:linux win unknown",
    "conda-forge::cupy",
    "pandas[excel]",
    {pip = "x @ git+https://host/x"},
    {other = "x"},
]
[tool.unidep.optional_dependencies]
Gpu = ["cuda-version =12.4"]
"""


def test_unidep_asks_conda_where_it_can_and_pip_where_it_must() -> None:
    manifest = read(UNIDEP)

    assert [(d.section, d.text, d.platforms) for d in manifest.declared if d.scope == "unidep"] == [
        (Section.CONDA, "conda-forge", ()),
        (Section.PIP, "https://host/simple", ()),
        (Section.CONDA, "numpy >=1.21", ()),
        (Section.CONDA, "pytorch =2.1", ()),
        (Section.PIP, "einops==0.7", ()),
        (Section.CONDA, "adaptive", ("linux-64",)),
        (Section.CONDA, "mumps", ("linux-64", "linux-aarch64", "linux-ppc64le", "win-64")),
        (Section.CONDA, "conda-forge::cupy", ()),
        (Section.PIP, "pandas[excel]", ()),
        (Section.PIP, "x @ git+https://host/x", ()),
    ]
    assert combined(manifest) == {
        "": ("",),
        "unidep": ("unidep",),
        "unidep extra gpu": ("unidep", "unidep extra gpu"),
    }


PIXI = """\
[project]
dependencies = ["numpy"]
optional-dependencies.gpu = ["torch"]
[dependency-groups]
dev = ["pytest"]
[tool.pixi.workspace]
channels = ["conda-forge"]
platforms = ["linux-64"]
[tool.pixi.dependencies]
python = "3.12.*"
[tool.pixi.feature.gpu.dependencies]
cuda-version = "12.4"
[tool.pixi.environments]
gpu = ["gpu", "dev"]
"""


def test_pixi_s_environments_hold_the_project_and_its_extras() -> None:
    manifest = read(PIXI)

    assert installed(manifest) == ["numpy", "python 3.12.*"]
    assert installed(manifest, "environment gpu") == [
        "numpy",
        "torch",
        "pytest",
        "python 3.12.*",
        "cuda-version 12.4",
    ]
    # pip installs the extra without what conda brings
    assert installed(manifest, "extra gpu") == ["numpy", "torch"]
    assert manifest.platforms == ("linux-64",)


@pytest.mark.parametrize(
    ("path", "text", "form"),
    [
        ("pyproject.toml", "[project]\n", "pyproject_toml"),
        ("sub/pyproject.toml", "\n[tool.poetry.dependencies]\n", "pyproject_toml"),
        ("pyproject.toml", "[[tool.uv.index]]\n", "pyproject_toml"),
        ("pyproject.toml", "[tool.ruff]\n", ""),
        ("other.toml", "[project]\n", ""),
        ("pixi.toml", "[workspace]\n", "pixi_toml"),
        ("sub/pixi-gpu.toml", "[feature.gpu.dependencies]\n", "pixi_toml"),
        ("mojoproject.toml", "[project]\n", "pixi_toml"),
        ("pixi.toml", "[tool]\n", ""),
    ],
)
def test_the_format_is_known_by_name_and_tables(path: str, text: str, form: str) -> None:
    assert format_of(path, text) == form


def test_no_index_is_taken_from_a_tool_that_is_not_there() -> None:
    assert indexes(read(PROJECT)) == []


TOML_LIKE = st.lists(
    st.sampled_from(
        ["[project]\n", "name='p'\n", "dependencies=", "['torch==2', \"numpy>=1\"]\n", "optional-dependencies.a=", "['p[a]', 'x']\n", "[dependency-groups]\n", "dev=", "[{include-group='dev'}]\n", "[tool.uv]\n", "[tool.uv.sources]\n", "torch=", "{index='i', extra='a', marker='x'}\n", "[[tool.uv.index]]\n", "url='https://h'\n", "explicit=true\n", "[tool.poetry.dependencies]\n", "'^2'\n", "{version='~1', optional=true, python='^3', platform='linux'}\n", "[{path='.'}]\n", "[tool.pixi.dependencies]\n", "[tool.pixi.environments]\n", "[tool.pdm.dev-dependencies]\n", "[tool.hatch.envs.x]\n", "template='x'\n", "[tool.unidep]\n", "[tool.conda-lock.dependencies]\n", "['=']\n", "1\n", "''\n", "'*'\n", "'a b c'\n", "é", "\n", "\r\n"]
    ),
    max_size=14,
).map("".join)  # fmt: skip


@settings(deadline=None, max_examples=400)
@given(TOML_LIKE)
def test_any_text_is_a_manifest_with_its_places_inside_or_an_error(text: str) -> None:
    manifest = read_or_refused("pyproject_toml", "pyproject.toml", text)

    assert manifest is None or is_whole(manifest)


def test_the_corpus_is_there() -> None:
    assert list(shared("corpus", "pyproject").glob("*.toml"))


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_a_file_of_the_corpus_is_read(path: Path) -> None:
    text = manifest_files.read_text(str(path))
    manifest = read_or_refused(format_of(path.name, text), path.name, text)

    # a table that is there twice
    assert (manifest is None) == ("a655057" in path.name)
    assert manifest is None or (is_whole(manifest) and all(is_pep_508(manifest)))


def is_pep_508(manifest: Manifest) -> list[bool]:
    lines = (d for d in manifest.declared if d.kind is Kind.REQUIREMENT)
    return [bool(Requirement(d.text).name) for d in lines if d.section is Section.PIP]
