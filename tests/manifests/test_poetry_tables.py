from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manifest_reading import combined, indexes, installed, places
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet

from reconciler.manifests import poetry_constraint, pyproject_toml
from reconciler.manifests.poetry_constraint import InvalidConstraint
from reconciler.model.manifest import IndexRole, Kind

read = partial(pyproject_toml.read, "pyproject.toml")

CU118 = "https://download.pytorch.org/whl/cu118"

POETRY = f"""\
[tool.poetry.dependencies]
python = ">=3.10,<3.12"
numpy = "^1.26"
torch = {{version = "2.1.2", source = "pytorch", extras = ["opt"]}}
"Torch_Vision" = {{url = "https://host/tv.whl", markers = "sys_platform == 'linux' or os_name == 'nt'", python = "^3.10"}}
apex = {{git = "https://host/apex.git", rev = "abc", subdirectory = "x"}}
local = {{path = "../local", develop = true}}
wheel = {{file = "dist/w.whl"}}
cupy = [
    {{version = "~12.0", platform = "linux"}},
    {{version = "*", platform = "darwin", python = "3.11"}},
]
xformers = {{version = "*", optional = true}}
unused = {{version = "*", optional = true}}
[tool.poetry.dependencies.sub]
version = ">=1"
[tool.poetry.extras]
Fast = ["xformers", "numpy"]
[tool.poetry.dev-dependencies]
pytest = "~5.1.0"
[tool.poetry.group.docs.dependencies]
sphinx = ">=7"
[tool.poetry.group.all]
include-groups = ["docs", "dev"]
[[tool.poetry.source]]
name = "pytorch"
url = "{CU118}"
priority = "explicit"
"""


MARKER = (
    "(sys_platform == 'linux' or os_name == 'nt')"
    " and python_version >= '3.10' and python_version < '4.0'"
)


def test_every_requirement_is_pep_508_at_the_place_of_its_key() -> None:
    assert places(read(POETRY)) == [
        ("", "numpy>=1.26,<2.0", 3, 1),
        ("", "torch[opt]==2.1.2", 4, 1),
        ("", f"Torch_Vision @ https://host/tv.whl ; {MARKER}", 5, 1),
        ("", "apex @ git+https://host/apex.git@abc#subdirectory=x", 6, 1),
        ("", "local @ file:../local", 7, 1),
        ("", "wheel @ file:dist/w.whl", 8, 1),
        ("", "cupy>=12.0,<12.1; sys_platform == 'linux'", 10, 5),
        ("", "cupy; python_version == '3.11' and sys_platform == 'darwin'", 11, 5),
        ("extra fast", "xformers", 13, 1),
        ("", "sub>=1", 15, 27),
        ("group dev", "pytest>=5.1.0,<5.2", 20, 1),
        ("group docs", "sphinx>=7", 22, 1),
    ]


def test_extras_and_groups_are_combinations_with_what_they_take_along() -> None:
    assert combined(read(POETRY)) == {
        "": ("",),
        "extra fast": ("", "extra fast"),
        "group dev": ("", "group dev"),
        "group docs": ("", "group docs"),
        "group all": ("", "group all", "group docs", "group dev"),
    }


def test_a_requirement_is_served_by_the_source_that_it_names() -> None:
    assert installed(read(POETRY))[1] == f"torch[opt]==2.1.2 <- {CU118}"


def test_the_pythons_are_those_of_the_table() -> None:
    text = "[tool.poetry.dependencies]\npython = {version = '^3.9'}\n"
    for manifest, said in ((read(POETRY), ">=3.10,<3.12"), (read(text), ">=3.9,<4.0")):
        (python,) = (d for d in manifest.declared if d.kind is Kind.PYTHON)
        assert (python.text, python.line) == (said, 2)


SOURCE = '[tool.poetry]\nx = 1\n[[tool.poetry.source]]\nname = "a"\nurl = "https://a"\n'


@pytest.mark.parametrize(
    ("more", "role"),
    [
        ("", IndexRole.EXTRA),
        ('priority = "primary"', IndexRole.DEFAULT),
        ('priority = "default"', IndexRole.DEFAULT),
        ('priority = "supplemental"', IndexRole.EXTRA),
        ('priority = "secondary"', IndexRole.EXTRA),
        ('priority = "explicit"', IndexRole.EXPLICIT),
        ("default = true", IndexRole.DEFAULT),
        ("secondary = true", IndexRole.EXTRA),
        ('priority = "primary"\n[[tool.poetry.source]]\nname = "PyPI"', IndexRole.EXTRA),
    ],
)
def test_a_source_has_the_role_of_its_priority(more: str, role: IndexRole) -> None:
    assert indexes(read(SOURCE + more)) == [("https://a", role)]


def test_poetry_s_table_adds_a_source_to_the_project_s_own_line() -> None:
    manifest = read(f"""
[project]
dependencies = ["torch==2.1.2", "numpy"]
[tool.poetry.dependencies]
torch = {{source = "pytorch"}}
einops = "*"
[[tool.poetry.source]]
name = "pytorch"
url = "{CU118}"
""")

    assert installed(manifest) == [f"torch==2.1.2 <- {CU118}", "numpy", "einops"]


def test_what_poetry_does_not_read_is_a_fault_at_its_place() -> None:
    manifest = read("[tool.poetry.dependencies]\npython = 'new'\ntorch = 'latest'\nok = '*'\n")

    assert [(f.line, f.text) for f in manifest.faults] == [(2, "new"), (3, "torch latest")]


@pytest.mark.parametrize("value", ["1", "true", "[1]", "[]", "{}", "''"])
def test_what_is_of_another_shape_asks_for_any_version_or_nothing(value: str) -> None:
    manifest = read(f"[tool.poetry.dependencies]\ntorch = {value}\n")

    assert {text for _, text, *_ in places(manifest)} <= {"torch"}


@pytest.mark.parametrize(
    ("constraint", "specifier"),
    [
        ("^2.0", ">=2.0,<3.0"),
        ("^2", ">=2,<3"),
        ("^0.2.3", ">=0.2.3,<0.3"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^0.0", ">=0.0,<0.1"),
        ("^0", ">=0,<1"),
        ("~1.2.3", ">=1.2.3,<1.3"),
        ("~1.2", ">=1.2,<1.3"),
        ("~1", ">=1,<2"),
        ("~=1.2", "~=1.2"),
        ("1.2.*", "==1.2.*"),
        ("==1.2.*", "==1.2.*"),
        ("!=1.2.*", "!=1.2.*"),
        ("1.x", "==1.*"),
        (">=1.*", ">=1"),
        ("*", ""),
        ("1.2", "==1.2"),
        ("= 1.2", "==1.2"),
        ("v1.2", "==1.2"),
        ("===1.2", "===1.2"),
        (">=3.8 <4", ">=3.8,<4"),
        (">= 3.8, < 3.12,", ">=3.8,<3.12"),
        ("^1.0.0rc1", ">=1.0.0rc1,<2.0"),
        ("2.0.1+cu118", "==2.0.1+cu118"),
        ("^2.0.0+cu118", ">=2.0.0,<3.0"),
        ("^2.7 || ^3.6", ">=2.7,<4.0"),
        ("3.8 | 3.9", ">=3.8,<=3.9"),
        ("<2 || >3", ""),
        ("* || 1", "<=1"),
    ],
)
def test_a_constraint_is_put_as_pep_440(constraint: str, specifier: str) -> None:
    assert poetry_constraint.specifier(constraint) == specifier
    assert SpecifierSet(specifier) is not None


@pytest.mark.parametrize(
    ("constraint", "marker"),
    [
        ("^3.8", "python_version >= '3.8' and python_version < '4.0'"),
        (">=3.8.1", "python_full_version >= '3.8.1'"),
        ("3.9.*", "python_version == '3.9.*'"),
        ("~2.7 || ^3.6", "(python_version >= '2.7' and python_version < '2.8') or (python_version >= '3.6' and python_version < '4.0')"),
        ("3.8 || 3.9", "python_version == '3.8' or python_version == '3.9'"),
        ("*", ""),
        ("* || 3.9", ""),
    ],
)  # fmt: skip
def test_the_pythons_of_a_requirement_are_put_as_a_marker(constraint: str, marker: str) -> None:
    assert poetry_constraint.python_marker(constraint) == marker
    assert not marker or Marker(marker)


@pytest.mark.parametrize(
    ("platform", "marker"),
    [
        ("linux", "sys_platform == 'linux'"),
        ("!=win32", "sys_platform != 'win32'"),
        ("linux || darwin", "sys_platform == 'linux' or sys_platform == 'darwin'"),
        ("", ""),
        ("a b", ""),
    ],
)
def test_the_platform_of_a_requirement_is_put_as_a_marker(platform: str, marker: str) -> None:
    assert poetry_constraint.platform_marker(platform) == marker


@pytest.mark.parametrize("text", ["", "latest", ">", "^", "1.2 latest", ">=a", "1 ||", "@main"])
def test_what_is_no_constraint_is_refused(text: str) -> None:
    with pytest.raises(InvalidConstraint):
        poetry_constraint.specifier(text)


@given(
    st.text()
    | st.lists(
        st.sampled_from(["^", "~", ">=", "<", "=", "1", ".", "2.0", "*", "+cu118", " ", ",", "||", "rc1", "v", "x", "-", "!"]),
        max_size=10,
    ).map("".join)
)  # fmt: skip
def test_any_text_is_a_constraint_or_refused(text: str) -> None:
    for put in (poetry_constraint.specifier, poetry_constraint.python_marker):
        try:
            put(text)
        except InvalidConstraint:
            continue
