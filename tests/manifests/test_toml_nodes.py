from __future__ import annotations

import json
import time
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_data import SHARED, shared

from reconciler.collect import manifest_files
from reconciler.manifests import toml_nodes
from reconciler.model.manifest import ManifestError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reconciler.manifests.toml_nodes import Node

CORPUS = sorted(
    path for kind in ("pyproject", "pixi") for path in (SHARED / "corpus" / kind).glob("*.toml")
)

EVERY_FORM = r'''# a comment [x]
top = 1
"quoted.key" = 'literal \ text' # why
dotted . "in part".key = "tab \t, \"quotes\" and \u00e9"
empty = ["", '', """""", @@@@@@]

[table]
basic = """
first \
   second " and "" inside"""
literal = @@@
it's ''so''@@@
ending = """two quotes"""""
other = @@@'one'@@@
[ table . "sub table" ] # spaces
array = [ # one a line
    "a",  # of ] and "
    'b',

    ["nested", { in = "line" }], {},
]
numbers = [1, -2.5, 0x1F, 1_000, inf, 1e3]
dates = [1979-05-27 07:32:00Z, 1979-05-27T07:32:00, 1979-05-27, 07:32:00.5]
flags = [true, false]

[[several]]
name = "one"
inline = { a = "x", b.c = "y", "d" = [1, 2] }
[several.below]
of = "one"
[[several]]
[several.below]
of = "two"
[[several.below.deeper]]
x = 1
[dotted.more]
y = 2
'''.replace("@@@", "'''")


@pytest.mark.parametrize("text", [EVERY_FORM, EVERY_FORM.replace("\n", "\r\n")])
def test_every_form_has_the_value_that_tomllib_gives_it(text: str) -> None:
    assert toml_nodes.parse(text).plain() == tomllib.loads(text)


def test_every_string_and_every_key_stands_at_its_place() -> None:
    lines = EVERY_FORM.split("\n")

    for node in scalars(toml_nodes.parse(EVERY_FORM)):
        rest = lines[node.line - 1][node.column - 1 :]
        assert rest[:1] in {"'", '"'} or rest.startswith(node.text())


@pytest.mark.parametrize(
    ("keys", "line", "column"),
    [
        (("top",), 2, 7),
        (("quoted.key",), 3, 16),
        (("dotted", "in part", "key"), 4, 26),
        (("dotted",), 4, 1),
        (("dotted", "more"), 36, 9),
        (("table",), 7, 2),
        (("table", "basic"), 8, 9),
        (("table", "sub table"), 15, 11),
        (("table", "sub table", "flags"), 24, 9),
        (("several",), 26, 3),
    ],
)
def test_a_value_is_found_by_its_keys(keys: tuple[str, ...], line: int, column: int) -> None:
    node = toml_nodes.parse(EVERY_FORM).at(*keys)

    assert (bool(node), node.line, node.column) == (True, line, column)


def test_what_stands_on_its_own_ends_behind_its_last_character() -> None:
    text = 'a = \'x\' # why\nb.c = [1, """y\n"""]\n[d]\ne = { f = 2 }'
    root = toml_nodes.parse(text)

    ends = [root.at(*keys).end for keys in (("a",), ("b", "c"), ("d", "e"), ("d",), ("b",))]

    assert [text[:end][-2:] for end in ends] == ["x'", '"]', " }", "", ""]
    assert [key.end for key, _ in root.at("b").pairs()] == [text.index("c =") + 1]


def test_each_item_of_an_array_has_its_own_line() -> None:
    items = toml_nodes.parse(EVERY_FORM).at("table", "sub table", "array").items()

    assert [(n.line, n.column) for n in items] == [(17, 5), (18, 5), (20, 5), (20, 34)]


def test_each_table_of_an_array_of_tables_has_its_own_line() -> None:
    tables = toml_nodes.parse(EVERY_FORM).at("several").items()

    assert [(n.line, n.at("below", "of").text()) for n in tables] == [(26, "one"), (31, "two")]


def test_what_is_not_there_is_a_false_node_that_holds_nothing() -> None:
    node = toml_nodes.parse("a = 'x'").at("a", "b", "c")

    assert not node
    assert (node.items(), node.pairs(), node.text(), node.texts()) == ((), (), "", ())


def test_only_strings_that_say_something_are_texts() -> None:
    node = toml_nodes.parse("a = ['x', '', ' ', 1, ['y']]").at("a")

    assert [n.text() for n in node.texts()] == ["x"]


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("a = ", 1, "Invalid value"),
        ("a = 1\nb = 2 c = 3", 2, "Expected newline"),
        ("a = 1\n\n[a]\nb = 1", 3, "Cannot"),
        ("[a]\nb = 1\n[a]", 3, "Cannot declare"),
        ("a = 1\na = 2", 2, "Cannot overwrite"),
        ("a = [1,\n2", 2, "Unclosed array"),
        ("a = 'x", 1, "Expected"),
        ('a = "\\q"', 1, "Unescaped"),
        ("[[a]\n", 1, "Expected"),
        ("x\n", 1, "Expected '='"),
        ("= 1\n", 1, "Invalid"),
        ("a = 1\na.b = 2", 2, "Cannot overwrite"),
        ("a = [1]\n[[a.b]]", 2, "Cannot"),
        ("a = {b = 1}\n[[a]]", 2, "Cannot"),
        ("a = []\n[a.b]", 2, "Cannot"),
        ("a = [{}]\n[a.b.c]\nd = 1\n[a]\n", 2, "Cannot"),
        ("a = 1\n[[a]]", 2, "Cannot"),
        ("a = 2020-02-31", 1, "Invalid date"),
        ("a.b = 1\n[x]\na = {", 3, "Invalid"),
        ("b = {a = 1,\n}", 1, "Invalid"),
        ("a = {b = 1 c = 2}", 1, "Unclosed"),
        ("b = 1\x00", 1, "Expected newline"),
    ],
)
def test_what_is_no_toml_is_an_error_with_its_line(text: str, line: int, why: str) -> None:
    with pytest.raises(ManifestError, match=why) as caught:
        toml_nodes.parse(text)

    assert (caught.value.line, "(at" in caught.value.why) == (line, False)


def test_a_number_too_long_to_read_is_an_error() -> None:
    with pytest.raises(ManifestError, match="digits"):
        toml_nodes.parse("a = " + "9" * 5000)


BROKEN_TABLE = """[dependencies]
python = {
    version = ">=3.12", # why
    channel = "conda-forge",
}
cuda = { version = "12.4", }
"""


def test_inline_tables_may_go_over_lines_where_the_tool_reads_toml_1_1() -> None:
    root = toml_nodes.parse(BROKEN_TABLE, breaks_in_tables=True)

    channel = root.at("dependencies", "python", "channel")
    assert (channel.text(), channel.line, channel.column) == ("conda-forge", 4, 15)
    assert root.at("dependencies", "cuda", "version").line == 6


@pytest.mark.parametrize("breaks", [True, False])
def test_elsewhere_and_for_other_faults_tomllib_s_word_holds(breaks: bool) -> None:
    with pytest.raises(ManifestError) as caught:
        toml_nodes.parse(BROKEN_TABLE + ("a = \n" if breaks else ""), breaks_in_tables=breaks)

    assert caught.value.line == 2


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nb = " + "[" * 100, 2),
        ("\n" + "a." * 100 + "b = 1", 2),
        ("[" + "a." * 100 + "b]", 1),
        ("a = " + "{a=" * 100 + "1" + "}" * 100, 1),
    ],
)
def test_what_nests_too_deeply_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(ManifestError, match="nested too deeply") as caught:
        toml_nodes.parse(text)

    assert caught.value.line == line


@pytest.mark.parametrize(
    "text",
    ["a." * 400_000, "[" * 400_000, "a = '" + "x" * 800_000 + "'", 'a = "' + "\\t" * 400_000 + '"', "a = [" + "1," * 200_000 + "]", "# " + "x" * 800_000, "\n" * 800_000, '"' * 800_000, "a = " + '"""' + '"' * 800_000, "\\" * 800_000, "a=1\r" * 200_000, " " * 800_000, "a =" + " " * 800_000],
    ids=lambda text: repr(text[:8]),
)  # fmt: skip
def test_a_hostile_file_is_read_or_refused_soon(text: str) -> None:
    start = time.process_time()

    parsed(text)

    assert time.process_time() - start < 20


def parsed(text: str) -> Node | None:
    try:
        return toml_nodes.parse(text)
    except ManifestError:
        return None


def scalars(node: Node) -> Iterator[Node]:
    for key, value in node.pairs():
        yield key
        yield from scalars(value)
    for item in node.items():
        yield from scalars(item)
    if node.text():
        yield node


KEYS = st.text(min_size=1, max_size=8)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.text(max_size=12)
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


def written(value: Any, draw: Any) -> str:
    """Write a value as TOML, in one of the ways in which it may be."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return written_text(value, draw)
        case dict():
            pairs = (f"{written_key(k, draw)} = {written(v, draw)}" for k, v in value.items())
            return "{ " + ", ".join(pairs) + " }"
        case list():
            gap = draw(st.sampled_from([", ", ",", ",\n  ", ", # x ]\n\t"]))
            comma = gap if value and draw(st.booleans()) else ""
            return "[" + gap.join(written(v, draw) for v in value) + comma + "]"
        case int() | float():
            return repr(value)
        case _:
            return value.isoformat(sep=draw(st.sampled_from([" ", "T"])))


def written_text(text: str, draw: Any) -> str:
    escaped = json.dumps(text).replace("\x7f", "\\u007f")
    plain = all(ch == "\t" or 32 <= ord(ch) != 127 for ch in text)
    ways = [escaped, f'"""{escaped[1:-1]}"""', f'"""\n{escaped[1:-1]}"""']
    if plain and "'" not in text:
        ways += [f"'{text}'", f"'''{text}'''", f"'''\n{text}'''"]
    return draw(st.sampled_from(ways))


def written_key(key: str, draw: Any) -> str:
    if key.isascii() and key.replace("-", "").replace("_", "").isalnum():
        return draw(st.sampled_from([key, f'"{key}"', f"'{key}'"]))
    return json.dumps(key).replace("\x7f", "\\u007f")


@st.composite
def documents(draw: Any) -> str:
    document = draw(st.dictionaries(KEYS, VALUES, max_size=5))
    lines = []
    tables = []
    for key, value in document.items():
        name = written_key(key, draw)
        if isinstance(value, dict) and draw(st.booleans()):
            pairs = (f"{written_key(k, draw)}={written(v, draw)}\n" for k, v in value.items())
            tables.append(f"[ {name} ]# {{\n{''.join(pairs)}")
        elif isinstance(value, dict) and value and draw(st.booleans()):
            lines += (
                f"{name} . {written_key(k, draw)} = {written(v, draw)}" for k, v in value.items()
            )
        else:
            lines.append(f"{name} = {written(value, draw)}  # = [")
    text = "\n".join([*lines, *tables])
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


@settings(deadline=None, max_examples=300)
@given(documents())
def test_any_document_is_read_as_tomllib_reads_it(text: str) -> None:
    try:
        expected = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        # the halves of a pair of UTF-16 that json.dumps writes
        assert parsed(text) is None
        return

    root = toml_nodes.parse(text)

    assert root.plain() == expected
    assert is_placed(root, text)


def is_placed(root: Node, text: str) -> bool:
    lines = text.split("\n")
    return all(
        lines[node.line - 1][node.column - 1 :].startswith(('"', "'", "{", "[", node.text()[:1]))
        for node in scalars(root)
    )


TOML_LIKE = st.lists(
    st.sampled_from(
        ["a", "b", ".", "=", " = ", "[", "]", "[[", "]]", "{", "}", ",", '"', "'", '"""', "'''", "\\", "#", "\n", "\n", "\r\n", "\r", "\t", " ", "1", "true", "1979-05-27", "é", "\u2028", "\x85", "\ud800", "\\u00e9", "-"]
    ),
    max_size=24,
).map("".join)  # fmt: skip


@settings(deadline=None, max_examples=500)
@given(st.text() | TOML_LIKE)
def test_any_text_is_read_as_tomllib_reads_it_or_refused(text: str) -> None:
    try:
        expected = tomllib.loads(text)
    except ValueError:
        expected = None

    node = parsed(text)

    assert (node.plain() if node else None) == expected


@settings(deadline=None, max_examples=300)
@given(TOML_LIKE)
def test_any_error_has_a_line_of_the_text(text: str) -> None:
    line = error_line(text)

    assert line is None or 1 <= line <= len(text.split("\n"))


def error_line(text: str) -> int | None:
    try:
        toml_nodes.parse(text)
    except ManifestError as error:
        return error.line
    return None


def test_the_corpus_is_there() -> None:
    assert list(shared("corpus", "pixi").glob("*.toml"))


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_a_file_of_the_corpus_is_read_as_tomllib_reads_it(path: Path) -> None:
    text = manifest_files.read_text(str(path))
    node = parsed(text)

    if node is None:
        with pytest.raises(tomllib.TOMLDecodeError):
            tomllib.loads(text)
        return
    assert node.plain() == tomllib.loads(text)
    assert is_placed(node, text)
