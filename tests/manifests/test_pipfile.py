from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifest_reading import combined, indexes, installed, is_whole, places, read_or_refused

from reconciler.manifests import format_of, pipfile
from reconciler.model.manifest import IndexRole, Kind

read = partial(pipfile.read, "Pipfile")

CU118 = "https://download.pytorch.org/whl/cu118"
PIPFILE = f"""\
[[source]]
url = "https://pypi.org/simple"
name = "pypi"

[[source]]
url = "{CU118}"
name = "pytorch"

[packages]
numpy = "*"
torch = {{version = "==2.1.2", index = "pytorch", extras = ["Opt"]}}
apex = {{git = "https://host/apex.git", ref = "main"}}
local = {{path = ".", editable = true}}
wheel = {{file = "https://host/w.whl", markers = "os_name == 'nt' or os_name == 'posix'"}}
pywin32 = {{version = "*", sys_platform = "== 'win32'"}}

[dev-packages]
pytest = ">=7"

[docs]
sphinx = "*"

[requires]
python_version = "3.10"
python_full_version = "3.10.4"
"""


def test_every_requirement_is_at_the_place_of_its_key() -> None:
    assert places(read(PIPFILE)) == [
        ("", "numpy", 10, 1),
        ("", "torch[opt]==2.1.2", 11, 1),
        ("", "apex @ git+https://host/apex.git@main", 12, 1),
        ("", "local @ file:.", 13, 1),
        ("", "wheel @ https://host/w.whl ; os_name == 'nt' or os_name == 'posix'", 14, 1),
        ("", "pywin32; sys_platform == 'win32'", 15, 1),
        ("group dev", "pytest>=7", 18, 1),
        ("group docs", "sphinx", 21, 1),
    ]
    assert installed(read(PIPFILE))[1] == f"torch[opt]==2.1.2 <- {CU118}"


def test_each_category_is_installed_with_the_packages() -> None:
    assert combined(read(PIPFILE)) == {
        "": ("",),
        "group dev": ("", "group dev"),
        "group docs": ("", "group docs"),
    }
    assert read(PIPFILE).tool == "pipenv"


def test_the_first_source_serves_all_and_the_others_what_names_them() -> None:
    pypi = ("https://pypi.org/simple", IndexRole.DEFAULT)

    assert indexes(read(PIPFILE)) == [pypi, (CU118, IndexRole.EXPLICIT)]
    assert indexes(read(f"{PIPFILE}[pipenv]\ninstall_search_all_sources = true\n")) == [
        pypi,
        (CU118, IndexRole.EXTRA),
    ]


def test_the_pythons_are_declared() -> None:
    pythons = [d.text for d in read(PIPFILE).declared if d.kind is Kind.PYTHON]

    assert pythons == ["==3.10.*", "==3.10.4"]


def test_a_version_without_an_operator_is_a_fault() -> None:
    (fault,) = read("[packages]\ntorch = '2.1.2'\n").faults

    assert (fault.line, fault.better) == (2, "==2.1.2")


@pytest.mark.parametrize(
    "text", ["", "packages = 1", "[[source]]\n", "source = 1", "[requires]\npython_version = 3"]
)
def test_what_is_of_another_shape_declares_nothing(text: str) -> None:
    assert read(text).declared == ()


@pytest.mark.parametrize(
    ("path", "text", "form"),
    [
        ("Pipfile", "[packages]\n", "pipfile"),
        ("x/Pipfile", "[[source]]\n", "pipfile"),
        ("Pipfile", "# nothing\n", ""),
        ("Pipfile.lock", "{}", ""),
    ],
)
def test_the_format_is_known_by_name_and_tables(path: str, text: str, form: str) -> None:
    assert format_of(path, text) == form


PIPFILE_LIKE = st.lists(
    st.sampled_from(
        ["[[source]]\n", "url='u'\n", "name='n'\n", "[packages]\n", "[dev-packages]\n", "[x]\n", "torch=", "numpy=", "'*'\n", "'==1'\n", "'1'\n", "{version='*', index='n', extras=['a b']}\n", "{git='g', ref='r'}\n", "{path=''}\n", "[requires]\n", "python_version='3'\n", "1\n", "é", "\r\n"]
    ),
    max_size=14,
).map("".join)  # fmt: skip


@settings(deadline=None, max_examples=200)
@given(PIPFILE_LIKE)
def test_any_text_is_a_manifest_with_its_places_inside_or_an_error(text: str) -> None:
    manifest = read_or_refused("pipfile", "Pipfile", text)

    assert manifest is None or is_whole(manifest)
