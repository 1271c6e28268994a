from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared_data import SHARED, shared

from reconciler.collect import manifest_files
from reconciler.manifests import requirements_txt
from reconciler.model.editor_lines import split
from reconciler.model.manifest import IndexRole, Kind

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.model.manifest import Declared

read = partial(requirements_txt.read, "requirements.txt")

CORPUS = sorted((SHARED / "corpus" / "requirements").glob("*.txt"))


def only(text: str) -> Declared:
    (declared,) = read(text).declared
    return declared


@pytest.mark.parametrize(
    "text",
    ["", "\n", "   \n", "# torch", "  # torch", "#", "\\\n", "# a \\\n", "--pre", "--no-binary :all:", "--trusted-host host", "--require-hashes", "--prefer-binary", "-", "--", "--use-feature=x"],
)  # fmt: skip
def test_what_names_nothing_declares_nothing(text: str) -> None:
    assert read(text).declared == ()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("torch", "torch"),
        ("  torch==2.1.2+cu118  ", "torch"),
        ("Torch_Vision[gpu]>=0.16,<1", "torch-vision"),
        ("torch==2.1.2 ; sys_platform == 'linux'", "torch"),
        ("torch===2.1.2", "torch"),
        ("torch (>=2.1)", "torch"),
        ("torch==${TORCH}", "torch"),
        ("torch~=2.1; python_version<'3.12' and (os_name == 'nt')", "torch"),
        ("torch @ https://host.example/torch-2.1.2-cp311-cp311-linux_x86_64.whl", "torch"),
        ("torch@https://host.example/torch.whl", "torch"),
        ("-e git+https://git.example/apex.git#egg=apex", "apex"),
        ("--editable=git+https://git.example/apex.git#egg=apex", "apex"),
        ('-e "apex @ git+https://git.example/apex.git"', "apex"),
        ("-e .", ""),
        ("-e ./src[gpu]", ""),
        ("-e src/package", ""),
        (".", ""),
        ("./src[gpu]", ""),
        ("../torch", ""),
        ("~/torch", ""),
        ("torch.zip", ""),
        ("wheels/${WHEEL}.whl", ""),
        ("src\\package", ""),
        ("https://host.example/torch.zip ; sys_platform == 'linux'", ""),
        ("git+https://git.example/apex.git", ""),
        ("git+https://git.example/apex.git#egg", ""),
    ],
)
def test_a_requirement_has_its_normal_name_or_none(text: str, name: str) -> None:
    declared = only(text)

    assert (declared.kind, declared.name, declared.text) == (Kind.REQUIREMENT, name, text.strip())


@pytest.mark.parametrize(
    ("text", "name", "given"),
    [
        ("https://h/torch-2.1.0%2Bcu118-cp311-cp311-linux_x86_64.whl", "torch", "torch @ {}"),
        ("https://h/Torch_X-2.1.0-1-py3-none-any.whl#sha256=ab", "torch-x", "torch-x @ {}"),
        ("https://h/t-1-py3-none-any.whl ; os_name == 'nt'", "t", "t @ {}"),
        ("./wheels/torch-2.1.2-cp311-cp311-linux_x86_64.whl", "torch", "torch @ {}"),
        ("torch-2.1.2-cp311-cp311-win_amd64.whl", "torch", "torch @ {}"),
        ("C:\\wheels\\torch-2.1.2-cp311-cp311-win_amd64.whl", "torch", "torch @ {}"),
        ("file:///opt/torch-2.1.2-py3-none-any.whl", "torch", "torch @ {}"),
        ("git+https://git.example/apex.git@main#egg=apex", "apex", "apex @ {}"),
        ("git+https://git.example/a#subdirectory=x&egg=Apex_X", "apex-x", "apex-x @ {}"),
    ],
)
def test_the_name_that_a_url_tells_stands_before_it(text: str, name: str, given: str) -> None:
    declared = only(text)

    assert (declared.name, declared.text) == (name, given.format(text))


def test_the_extras_of_a_wheel_are_kept() -> None:
    assert only("./torch-2.1.2-py3-none-any.whl[gpu]").text == (
        "torch[gpu] @ ./torch-2.1.2-py3-none-any.whl"
    )


@pytest.mark.parametrize(
    "text",
    [
        "torch=={{ torch }}",
        "torch==__TORCH_VERSION__",
        "{% if x %}",
        "@TORCH@",
        "torch==$(VERSION)",
    ],
)
def test_a_template_s_mark_is_left_alone(text: str) -> None:
    manifest = read(text)

    assert (manifest.declared, manifest.faults) == ((), ())


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("-i https://host/x", Kind.INDEX, "https://host/x"),
        ("-ihttps://host/x", Kind.INDEX, "https://host/x"),
        ("--index-url https://host/x", Kind.INDEX, "https://host/x"),
        ("--index-url=https://host/x", Kind.INDEX, "https://host/x"),
        ("--index https://host/x", Kind.INDEX, "https://host/x"),
        ("--pypi-url=https://host/x", Kind.INDEX, "https://host/x"),
        ('--index-url "https://host/x"', Kind.INDEX, "https://host/x"),
        ("--extra-index-url   https://host/x  # why", Kind.INDEX, "https://host/x"),
        ("--extra-index-url=https://host/x?a=b", Kind.INDEX, "https://host/x?a=b"),
        ("-f https://host/x.html", Kind.INDEX, "https://host/x.html"),
        ("--find-links=./wheels", Kind.INDEX, "./wheels"),
        ("-r other.txt", Kind.INCLUDE, "other.txt"),
        ("-rother.txt", Kind.INCLUDE, "other.txt"),
        ("--requirement=./a/../other.txt", Kind.INCLUDE, "other.txt"),
        ("--requirement ../other.txt", Kind.INCLUDE, "../other.txt"),
        ("-c constraints.txt", Kind.CONSTRAINT, "constraints.txt"),
        ("--constraint=constraints.txt", Kind.CONSTRAINT, "constraints.txt"),
        ("-r file:other.txt", Kind.INCLUDE, "other.txt"),
        ("-r https://host/other.txt", Kind.INCLUDE, "https://host/other.txt"),
    ],
)
def test_an_option_is_read_in_all_its_forms(text: str, kind: Kind, name: str) -> None:
    declared = only(text)

    assert (declared.kind, declared.name) == (kind, name)


def test_an_included_file_is_beside_the_file_that_includes_it() -> None:
    (declared,) = requirements_txt.read("requirements/gpu.txt", "-r base.txt").declared

    assert declared.name == "requirements/base.txt"


def test_each_option_of_a_line_is_declared() -> None:
    text = "-f https://a --extra-index-url https://b \\\n  --trusted-host b -i https://c"

    found = [(d.name, d.role, d.line, d.column) for d in read(text).declared]

    assert found == [
        ("https://a", IndexRole.LINKS, 1, 1),
        ("https://b", IndexRole.EXTRA, 1, 14),
        ("https://c", IndexRole.DEFAULT, 2, 20),
    ]


@pytest.mark.parametrize(
    ("text", "logical", "line"),
    [
        ("torch \\\n  ==2.1.2", "torch   ==2.1.2", 1),
        ("\n\ntorch==\\\n2.1.2\n", "torch==2.1.2", 3),
        ("torch \\\n  --hash=sha256:abc \\\n  --hash=sha256:def", "torch", 1),
        ("torch --global-option=x", "torch", 1),
        ("torch \\", "torch", 1),
        ("torch\\\n# why\n", "torch", 1),
        ("# torch \\\nnumpy", "numpy", 2),
        ("torch  # why \\\n", "torch", 1),
        ("torch\r\n", "torch", 1),
        ("# why\rtorch\r", "torch", 2),
        ("# why\x0ctorch", "torch", 1),
        ("\\\ntorch", "torch", 2),
        ("\ttorch\t# why", "torch", 1),
        ("git+https://h/x # why", "git+https://h/x", 1),
    ],
)  # fmt: skip
def test_a_logical_line_is_what_pip_sees(text: str, logical: str, line: int) -> None:
    declared = only(text)

    assert (declared.text, declared.line) == (logical, line)


def test_a_line_has_its_line_and_column() -> None:
    text = "# why\n\n  torch\nnumpy \\\n\\\n>=1\n\ttriton\n"

    assert [(d.name, d.line, d.column) for d in read(text).declared] == [
        ("torch", 3, 3),
        ("numpy", 4, 1),
        ("triton", 7, 2),
    ]


@pytest.mark.parametrize(
    "text",
    ["torch" + " " * 100000 + "x", "a\\\n" * 50000, "-" * 100000, "a" + "-" * 100000, "#egg=" * 50000, " # " * 50000, "-e " * 50000, "a:" * 50000, "." * 100000, "a.-" * 50000],
    ids=lambda text: repr(text[:8]),
)  # fmt: skip
def test_a_hostile_file_is_read_at_once(text: str) -> None:
    start = time.process_time()

    read(text)

    assert time.process_time() - start < 20


PIP_LIKE = st.lists(
    st.sampled_from(
        ["torch", "==2", "\\", "\n", "\n", "\r", "#", " ", "\t", "-", "--index-url", "-r", "-e ", "=", "'", "@", "https://h/x", "#egg=", "[", "]", ";", "é", "\x0b", "\x1c", "\u2028", "\U0010ffe9", ".", "/"]
    ),
    max_size=20,
).map("".join)  # fmt: skip


@given(st.text() | PIP_LIKE)
def test_any_text_is_a_manifest_with_its_places_inside(text: str) -> None:
    lines = split(text)
    manifest = read(text)

    assert all(stands_at(lines, d.text, d.line, d.column) for d in manifest.declared)
    assert all(1 <= f.line <= len(lines) for f in manifest.faults)
    assert all(1 <= f.column <= len(lines[f.line - 1]) + 1 for f in manifest.faults)


def stands_at(lines: list[str], text: str, line: int, column: int) -> bool:
    """Tell whether the first word of a text, or the URL behind its name, stands at a place."""
    first = (text.split(" @ ", 1)[-1].split() or [""])[0]
    here = lines[line - 1][column - 1 :].rstrip("\\")
    return here.startswith((text[:1], first[:1])) and column <= len(lines[line - 1])


@given(PIP_LIKE)
def test_the_places_of_lines_are_in_their_order(text: str) -> None:
    lines = [declared.line for declared in read(text).declared]

    assert lines == sorted(lines)


def test_the_corpus_is_there() -> None:
    assert list(shared("corpus", "requirements").glob("*.txt"))


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_a_file_of_the_corpus_is_read(path: Path) -> None:
    manifest = read(manifest_files.read_text(str(path)))

    lines = split(manifest.text)
    assert all(stands_at(lines, d.text, d.line, d.column) for d in manifest.declared)
