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
from reconciler.model.manifest import Kind

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
        ("torch @ https://host.example/torch-2.1.2-cp311-cp311-linux_x86_64.whl", "torch"),
        ("torch@https://host.example/torch.whl", "torch"),
        ("git+https://git.example/apex.git@main#egg=apex", "apex"),
        ("git+https://git.example/apex.git#subdirectory=x&egg=Apex_X", "apex-x"),
        ("-e git+https://git.example/apex.git#egg=apex", "apex"),
        ("--editable=git+https://git.example/apex.git#egg=apex", "apex"),
        ("-e .", ""),
        ("-e ./src[gpu]", ""),
        ("-e src/package", ""),
        (".", ""),
        ("./wheels/torch.whl", ""),
        ("../torch", ""),
        ("/opt/torch.whl", ""),
        ("~/torch", ""),
        ("wheels/torch-2.1.2-cp311-cp311-linux_x86_64.whl", ""),
        ("C:\\wheels\\torch.whl", ""),
        ("file:///opt/torch.whl", ""),
        ("git+https://git.example/apex.git", ""),
    ],
)
def test_a_requirement_has_its_normal_name_or_none(text: str, name: str) -> None:
    declared = only(text)

    assert (declared.kind, declared.name, declared.text) == (Kind.REQUIREMENT, name, text.strip())


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("-i https://host/x", Kind.INDEX, "https://host/x"),
        ("-ihttps://host/x", Kind.INDEX, "https://host/x"),
        ("--index-url https://host/x", Kind.INDEX, "https://host/x"),
        ("--index-url=https://host/x", Kind.INDEX, "https://host/x"),
        ("--index-url = https://host/x", Kind.INDEX, "https://host/x"),
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
    ],
)
def test_an_option_is_read_in_all_its_forms(text: str, kind: Kind, name: str) -> None:
    declared = only(text)

    assert (declared.kind, declared.name) == (kind, name)


def test_an_included_file_is_beside_the_file_that_includes_it() -> None:
    (declared,) = requirements_txt.read("requirements/gpu.txt", "-r base.txt").declared

    assert declared.name == "requirements/base.txt"


@pytest.mark.parametrize(
    ("text", "logical", "line"),
    [
        ("torch \\\n  ==2.1.2", "torch   ==2.1.2", 1),
        ("\n\ntorch==\\\n2.1.2\n", "torch==2.1.2", 3),
        ("torch \\\n  --hash=sha256:abc \\\n  --hash=sha256:def", "torch   --hash=sha256:abc   --hash=sha256:def", 1),
        ("torch \\", "torch", 1),
        ("torch\\\n# why\n", "torch", 1),
        ("# torch \\\nnumpy", "numpy", 2),
        ("torch  # why \\\n", "torch", 1),
        ("torch\r\n", "torch", 1),
        ("\ttorch\t# why", "torch", 1),
        ("git+https://h/x#egg=x # why", "git+https://h/x#egg=x", 1),
        ("torch#==2", "torch#==2", 1),
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

    assert time.process_time() - start < 1


PIP_LIKE = st.lists(
    st.sampled_from(
        ["torch", "==2", "\\", "\n", "\n", "\r", "#", " ", "\t", "-", "--index-url", "-r", "-e ", "=", "'", "@", "https://h/x", "#egg=", "[", "]", ";", "é", "\x0b", "\x1c", "\u2028", "\U0010ffe9", ".", "/"]
    ),
    max_size=20,
).map("".join)  # fmt: skip


@given(st.text() | PIP_LIKE)
def test_any_text_is_a_manifest_with_its_places_inside(text: str) -> None:
    lines = text.splitlines()

    assert all(
        1 <= d.line <= len(lines) and 1 <= d.column <= max(len(lines[d.line - 1]), 1) + 1
        for d in read(text).declared
    )


@given(PIP_LIKE)
def test_the_places_of_lines_are_in_their_order(text: str) -> None:
    lines = [declared.line for declared in read(text).declared]

    assert lines == sorted(set(lines))


def test_the_corpus_is_there() -> None:
    assert list(shared("corpus", "requirements").glob("*.txt"))


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_a_file_of_the_corpus_is_read(path: Path) -> None:
    manifest = read(manifest_files.read_text(str(path)))

    starts = manifest.text.splitlines()
    assert all(starts[d.line - 1][d.column - 1 :].strip() for d in manifest.declared)
