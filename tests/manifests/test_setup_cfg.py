from __future__ import annotations

from configparser import Error, RawConfigParser
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifest_reading import combined, installed, is_whole, places, read_or_refused

from reconciler.manifests import format_of, setup_cfg
from reconciler.model.manifest import IndexRole, Kind, ManifestError

read = partial(setup_cfg.read, "sub/setup.cfg")

SETUP = """\
[metadata]
name = My_Project
# a comment
[options]
packages = find:
python_requires = >=3.8
install-requires =
    torch==2.1.2  # why
    # numpy

    numpy>=1.20; sys_platform == "linux"
  Scipy
    my-project
setup_requires = setuptools_scm
dependency_links =
    https://host/links
[options.extras_require]
GPU =
    cupy-cuda12x
    my-project[all_]
all_ = einops; timm>=0.9
dev = file: dev.txt, more/dev.txt
tests = file:
    tests.txt

[tool:pytest]
install_requires = none of these
"""


def test_every_requirement_has_its_scope_and_its_place() -> None:
    assert places(read(SETUP)) == [
        ("", "torch==2.1.2", 8, 5),
        ("", 'numpy>=1.20; sys_platform == "linux"', 11, 5),
        ("", "Scipy", 12, 3),
        ("build system", "setuptools_scm", 14, 18),
        ("extra gpu", "cupy-cuda12x", 19, 5),
        ("extra all-", "einops", 21, 8),
        ("extra all-", "timm>=0.9", 21, 16),
    ]


def test_files_pythons_and_links_are_declared() -> None:
    others = [d for d in read(SETUP).declared if d.kind is not Kind.REQUIREMENT]

    assert [(d.kind, d.name, d.text, d.line, d.column, d.scope) for d in others] == [
        (Kind.PYTHON, "python", ">=3.8", 6, 19, ""),
        (Kind.INDEX, "https://host/links", "https://host/links", 16, 5, ""),
        (Kind.INCLUDE, "sub/dev.txt", "file: dev.txt", 22, 7, "extra dev"),
        (Kind.INCLUDE, "sub/more/dev.txt", "more/dev.txt", 22, 22, "extra dev"),
        (Kind.INCLUDE, "sub/tests.txt", "tests.txt", 24, 5, "extra tests"),
    ]
    assert others[1].role is IndexRole.LINKS


def test_extras_are_installed_with_the_project_and_with_what_they_name() -> None:
    assert combined(read(SETUP)) == {
        "": ("",),
        "extra gpu": ("", "extra gpu", "extra all-"),
        "extra all-": ("", "extra all-"),
        "extra dev": ("", "extra dev"),
        "extra tests": ("", "extra tests"),
        "build system": ("build system",),
    }
    assert installed(read(SETUP))[0] == "torch==2.1.2"


def test_a_marker_behind_the_key_is_a_fault_as_setuptools_parts_there() -> None:
    (fault,) = read("[options]\ninstall_requires = torch; sys_platform == 'linux'\n").faults

    assert (fault.text, fault.line, fault.column) == ("sys_platform == 'linux'", 2, 27)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("torch\n", 1),
        ("[options]\n\ntorch\n", 3),
        ("[options]\na = 1\n[options]\n", 3),
        ("[options]\na = 1\na = 2\n", 3),
    ],
)
def test_what_configparser_refuses_is_an_error_with_its_line(text: str, line: int) -> None:
    with pytest.raises(ManifestError) as caught:
        read(text)

    assert caught.value.line == line
    assert "<string>" not in caught.value.why


@pytest.mark.parametrize(
    ("path", "text", "form"),
    [
        ("setup.cfg", "[metadata]\n[options]\n", "setup_cfg"),
        ("x/setup.cfg", "[options.extras_require]\n", "setup_cfg"),
        ("setup.cfg", "[flake8]\n", ""),
    ],
)
def test_the_format_is_known_by_name_and_sections(path: str, text: str, form: str) -> None:
    assert format_of(path, text) == form


INI_LIKE = st.lists(
    st.sampled_from(
        ["[options]\n", "[options.extras_require]\n", "[metadata]\nname=p\n", "install_requires =", "gpu=", "\n", "\n", "\r\n", "  ", "\t", "torch==2", "numpy", ";", "#", " # why", "file: a.txt", ",", ":", "=", "p[gpu]", "python_requires = >=3", "dependency_links = x", "é", "[", "]", "%(x)s"]
    ),
    max_size=20,
).map("".join)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(st.text() | INI_LIKE)
def test_any_text_is_a_manifest_with_its_places_inside_or_an_error(text: str) -> None:
    manifest = read_or_refused("setup_cfg", "setup.cfg", text)

    assert manifest is None or is_whole(manifest)


@settings(deadline=None, max_examples=500)
@given(INI_LIKE)
def test_values_are_taken_together_as_configparser_does(text: str) -> None:
    parser = RawConfigParser()
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    try:
        parser.read_string(text)
    except Error:
        return
    found: dict[tuple[str, str], list[str]] = {}
    for value in setup_cfg._values(text):
        found.setdefault((value.section, value.key), []).append(value.node.text())
    keys = {(s, k.replace("-", "_")): (s, k) for s in parser.sections() for k in parser[s]}

    expected = {
        key: [line for line in parser[section][option].split("\n") if line]
        for key, (section, option) in keys.items()
        if section != "DEFAULT"
    }

    assert {k: [v for v in lines if v] for k, lines in found.items()} == expected
