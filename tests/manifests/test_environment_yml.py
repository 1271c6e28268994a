from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_data import SHARED, shared

from reconciler.collect import manifest_files
from reconciler.manifests import environment_yml, yaml_nodes
from reconciler.model.editor_lines import split
from reconciler.model.manifest import Declared, FaultKind, Kind, ManifestError

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.model.manifest import Fault, Manifest

read = partial(environment_yml.read, "environment.yml")

CORPUS = sorted((SHARED / "corpus" / "environment").glob("*.y*ml"))


def places(text: str) -> list[tuple[str, str, int, int]]:
    return [(d.section, d.text, d.line, d.column) for d in read(text).declared]


def test_every_item_has_its_line_and_column() -> None:
    text = (
        "name: gpu  # the environment\n"
        "channels:\n"
        "  - conda-forge\n"
        "dependencies:\n"
        "  - python=3.11  # why\n"
        "# - numpy\n"
        "  -   'cuda-version=12.4'\n"
        '  - "pytorch::pytorch>=2"\n'
        "  - pip:\n"
        "      - torch==2.1.2\n"
        "      - --index-url https://download.pytorch.org/whl/cu118\n"
    )

    assert places(text) == [
        ("conda", "conda-forge", 3, 5),
        ("conda", "python=3.11", 5, 5),
        ("conda", "cuda-version=12.4", 7, 8),
        ("conda", "pytorch::pytorch>=2", 8, 6),
        ("pip", "torch==2.1.2", 10, 9),
        ("pip", "--index-url https://download.pytorch.org/whl/cu118", 11, 9),
    ]


def test_each_item_is_of_its_kind() -> None:
    text = (
        "channels: [conda-forge]\n"
        "dependencies:\n"
        "  - pytorch::pytorch>=2\n"
        "  - pip: [Torch_Vision==0.16, -r r.txt, -c c.txt, -f https://host/x, -e ./src, --pre]\n"
    )

    assert [(d.kind, d.name) for d in read(text).declared] == [
        (Kind.CHANNEL, "conda-forge"),
        (Kind.REQUIREMENT, "pytorch"),
        (Kind.REQUIREMENT, "torch-vision"),
        (Kind.INCLUDE, "r.txt"),
        (Kind.CONSTRAINT, "c.txt"),
        (Kind.INDEX, "https://host/x"),
        (Kind.REQUIREMENT, ""),
    ]


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("dependencies: [a, python=3.11]", 1, 19),
        ("dependencies: [\n  a,\n  python=3.11\n]", 3, 3),
        ("{dependencies: [a, 'python=3.11']}", 1, 21),
        ("dependencies:\r\n  - a\r\n  - python=3.11\r\n", 3, 5),
        ("dependencies:\n- a\n- python=3.11", 3, 3),
        ("---\n# é\ndependencies:\n  - a\n\n\n  - python=3.11\n...\n", 7, 5),
        ("dependencies:\n  - a\n  - &python python=3.11\n", 3, 13),
        ("dependencies:\n  - a\n  - >-\n    python=3.11\n", 4, 5),
        ("x: 'a\u2028b'\ndependencies:\n  - a\n  - python=3.11\n", 4, 5),
        ("dependencies:\n  - a\n  - !!str python=3.11\n", 3, 11),
    ],
)
def test_an_item_is_found_in_every_style(text: str, line: int, column: int) -> None:
    _, python = read(text).declared

    assert (python.text, python.line, python.column) == ("python=3.11", line, column)


def test_an_alias_stands_where_it_is_used() -> None:
    text = "x: &cuda cuda-version=12.4\ndependencies:\n  - python\n  - *cuda\n"

    assert places(text)[1] == ("conda", "cuda-version=12.4", 4, 5)


def test_an_alias_may_stand_for_a_list() -> None:
    text = "x: &list [python, numpy]\ndependencies: *list\n"

    assert [t for _, t, *_ in places(text)] == ["python", "numpy"]


def test_an_alias_of_no_anchor_moves_nothing() -> None:
    text = "variables:\n  A: *unknown\n  B: x\ndependencies: [*unknown, python]\n"

    assert [t for _, t, *_ in places(text)] == ["A=", "B=x", "python"]


def test_conda_reads_the_last_pip_section_alone() -> None:
    text = (
        "dependencies:\n  - pip:\n    - --pre\n    - torch==2\n    - a/b\n  - numpy\n"
        "  - pip:\n    - triton\n  - pip: []\n"
    )

    manifest = read(text)

    assert [(d.section, d.text) for d in manifest.declared] == [("conda", "numpy")]
    assert [(f.kind, f.line, f.column) for f in manifest.faults] == [
        (FaultKind.SECTION_LOST, 2, 5),
        (FaultKind.SECTION_LOST, 7, 5),
    ]
    assert manifest.faults[0].why == (
        "conda reads the last pip section alone, that of line 9, and does not install torch, a/b"
    )


def test_of_two_equal_keys_the_last_counts() -> None:
    text = "dependencies: [python]\nname: a\ndependencies: [numpy]\nname: b\n"

    assert [t for _, t, *_ in places(text)] == ["numpy"]
    assert read(text).environments == ("b",)


@pytest.mark.parametrize(
    ("text", "environments"),
    [
        ("name: gpu", ("gpu",)),
        ("prefix: /opt/gpu\nname: gpu", ("gpu", "/opt/gpu")),
        ("name: 12", ("12",)),
        ("name:", ()),
        ("name: [a]", ()),
        ("dependencies: []", ()),
    ],
)
def test_the_environments_are_those_of_name_and_prefix(
    text: str, environments: tuple[str, ...]
) -> None:
    assert read(text).environments == environments


@pytest.mark.parametrize(
    "text",
    [
        "dependencies:",
        "dependencies: python",
        "dependencies: {python: 3.11}",
        "dependencies: [[python]]",
        "dependencies: [{conda: [python]}]",
        "dependencies: [{pip: torch}]",
        "dependencies: ['', null, ' ']",
        "channels: conda-forge",
        "? [a]\n: b",
    ],
)
def test_what_is_of_another_shape_declares_nothing_or_null(text: str) -> None:
    assert [d for d in read(text).declared if d.text != "null"] == []


@pytest.mark.parametrize("text", ["", "# nothing", "---", "- python", "python", "[]", "7"])
def test_without_a_mapping_it_is_no_environment_file(text: str) -> None:
    with pytest.raises(ManifestError, match="no mapping at its top"):
        read(text)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("name: x\ndependencies: [", 2),
        ("name: x\n\tdependencies:", 2),
        ("a: b: c", 1),
        ("name: 'x", 1),
        ("name: @x", 1),
    ],
)
def test_what_is_no_yaml_is_an_error_with_its_line(text: str, line: int) -> None:
    with pytest.raises(ManifestError) as caught:
        read(text)

    assert caught.value.line == line
    assert str(caught.value).startswith(f"line {line}: ")


@pytest.mark.parametrize(
    "text", ['name: "\\UFFFFFFFF"', 'name: "\\U00110000"', "name: \x00", "a: \ud800"]
)
def test_what_is_no_character_is_an_error(text: str) -> None:
    with pytest.raises(ManifestError):
        read(text)


LAUGHS = "\n".join(
    ["l0: &l0 [ha, ha]", *(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 60))]
)

HOSTILE = [
    "[" * 10_000,
    "{a: " * 10_000,
    "- " * 10_000,
    "? " * 10_000,
    "dependencies: " + "[" * 10_000 + "]" * 10_000,
    f"{LAUGHS}\ndependencies: *l59\n",
    "dependencies: &a [*a]",
    "&a : *a",
    "a: " + "&" + "b" * 100_000,
    "name: " + " " * 100_000 + "x",
    "# " + "-" * 100_000 + "\nname: x",
    "'" * 20_001,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:16]))
def test_a_hostile_file_is_read_or_refused_at_once(text: str) -> None:
    start = time.process_time()

    parse(text)

    assert time.process_time() - start < 20


def parse(text: str) -> Manifest | None:
    try:
        return read(text)
    except ManifestError:
        return None


YAML_LIKE = st.lists(
    st.sampled_from(
        ["dependencies:", "channels:", "name: x", "pip:", "torch==2", "- ", "  ", "\n", "\n", "[", "]", "{", "}", ",", ": ", "'", '"', "#", "&a ", "*a", "|", ">-", "!!str ", "---", "?", "\t", "\r", "é", "\\u", "%", "\ufeff", "\x85", "\u2028", "\U0010ffe9", "- -r a.txt", "<<: "]
    ),
    max_size=30,
).map("".join)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(st.text() | YAML_LIKE)
def test_any_text_is_a_manifest_or_an_error(text: str) -> None:
    manifest = parse(text)

    assert manifest is None or all(
        is_inside(text, place) for place in (*manifest.declared, *manifest.faults)
    )


@settings(deadline=None, max_examples=150)
@given(YAML_LIKE)
def test_any_error_has_a_line_of_the_text_or_none(text: str) -> None:
    line = error_line(text)

    assert line is None or 1 <= line <= len(split(text))


def error_line(text: str) -> int | None:
    try:
        read(text)
    except ManifestError as error:
        return error.line
    return None


def is_inside(text: str, place: Declared | Fault) -> bool:
    lines = split(text)
    return 1 <= place.line <= len(lines) and 1 <= place.column <= len(lines[place.line - 1]) + 1


def test_no_node_is_lost_of_a_nest_of_the_greatest_depth() -> None:
    depth = yaml_nodes.MAX_DEPTH - 1
    root = yaml_nodes.parse("a: " + "[" * depth + "]" * depth)

    assert root is not None
    assert root.pairs()


def test_the_corpus_is_there() -> None:
    assert list(shared("corpus", "environment").glob("*.y*ml"))


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_a_file_of_the_corpus_is_read(path: Path) -> None:
    text = manifest_files.read_text(str(path))

    manifest = parse(text)

    assert manifest is not None
    assert all(is_inside(text, declared) for declared in manifest.declared)


def test_a_channel_that_is_no_name_is_passed_over() -> None:
    manifest = read("channels: [[a], conda-forge]\n")

    assert [d.name for d in manifest.declared] == ["conda-forge"]
