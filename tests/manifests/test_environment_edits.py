from __future__ import annotations

import re
from difflib import SequenceMatcher
from functools import partial

import pytest
from environment_styles import COMMENTS, STYLES
from manifest_editing import add, add_index, add_pip, edited, remove, replace
from msgspec import structs

from reconciler.manifests import environment_yml
from reconciler.model.manifest import IndexRole, Kind, Section

edit = partial(edited, "environment_yml", "environment.yml")

PREFIX = {True: r"C:\Users\安\miniconda3\envs\gpu", False: "/opt/conda/envs/gpu"}
ALL = pytest.mark.parametrize("name", STYLES)
IN_BLOCKS = pytest.mark.parametrize(
    "name", [name for name in STYLES if not name.startswith(("flow", "template"))]
)


def changed(before: str, after: str) -> tuple[list[str], list[str]]:
    """Return the lines that went and those that came, without white space and line ends."""
    one, other = (re.split(r"(?<=\n)", text) for text in (before, after))
    gone, new = [], []
    for tag, a, b, c, d in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if tag != "equal":
            gone += [line.strip() for line in one[a:b]]
            new += [line.strip() for line in other[c:d]]
    return gone, [line for line in new if line]


def line_with(text: str, word: str) -> str:
    lines = (line.strip() for line in text.splitlines())
    return next(line for line in lines if word in line and line[0] != "#")


@ALL
def test_no_edit_changes_nothing(name: str) -> None:
    assert edit(STYLES[name]) == (STYLES[name], [])


@ALL
def test_a_text_is_replaced_in_its_line_alone(name: str) -> None:
    text = STYLES[name]

    found = edit(
        text,
        replace("python=3.11", "python=3.12"),
        replace("torch==2.1.2", "torch==2.5.1"),
    )

    assert found == (
        text.replace("python=3.11", "python=3.12").replace("torch==2.1.2", "torch==2.5.1"),
        [],
    )


@ALL
def test_an_item_goes_with_its_line_alone(name: str) -> None:
    text = STYLES[name]
    line = line_with(text, "numpy=1.26")

    found = edit(text, remove("numpy=1.26"))

    new = [line.replace("numpy=1.26, ", "")] if name == "flow" else []
    assert (changed(text, found.text), found.held) == (([line], new), [])


@ALL
def test_an_export_s_prefix_goes(name: str) -> None:
    text = STYLES[name]

    found = edit(text, remove(f"prefix: {PREFIX[name == 'Windows export']}"))

    assert (changed(text, found.text), found.held) == (([line_with(text, "prefix")], []), [])


@IN_BLOCKS
def test_items_come_in_behind_others(name: str) -> None:
    text = STYLES[name]

    found = edit(text, add("scipy", after="numpy=1.26"), add_pip("jax==0.4", after="torch==2.1.2"))

    gone, new = changed(text, found.text)
    assert (gone, found.held) == ([], [])
    assert [re.sub("['\"]", "", line) for line in new] == ["- scipy", "- jax==0.4"]


@IN_BLOCKS
def test_a_channel_and_an_index_come_in_at_the_front(name: str) -> None:
    text = STYLES[name]

    found = edit(
        text,
        add("nvidia", kind=Kind.CHANNEL),
        add_index("https://host/cu118"),
        add("a"),
        add_pip("b"),
    )

    lines = [re.sub("['\"]|[#&].*", "", line).strip() for line in found.text.splitlines()]
    assert found.held == []
    assert lines[lines.index("channels:") + 1] == "- nvidia"
    last_pip = len(lines) - lines[::-1].index("- pip:")
    assert lines[last_pip] == "- --extra-index-url https://host/cu118"
    assert lines[lines.index("- pip") + 1] == "- a"
    assert lines[lines.index("- einops") + 1] == "- b"


def test_a_list_in_brackets_takes_items_in_its_own_way() -> None:
    found = edit(
        STYLES["flow"],
        remove("numpy=1.26"),
        add("scipy", after="numpy=1.26"),
        add_pip("jax[cuda12]"),
        add("nvidia", kind=Kind.CHANNEL),
        add("A=1", kind=Kind.VARIABLE),
    )

    assert found.held == []
    assert found.text == (
        "name: gpu\n"
        "channels: [nvidia, pytorch, conda-forge]  # in this order\n"
        "dependencies: [python=3.11, scipy, cudatoolkit=11.8, pip, "
        '{pip: [torch==2.1.2, einops, "jax[cuda12]"]}]\n'
        'variables: {CUDA_HOME: /usr/local/cuda, A: "1"}\n'
        "prefix: /opt/conda/envs/gpu\n"
    )


def test_a_list_in_brackets_over_lines_keeps_a_line_for_each() -> None:
    text = "dependencies: [\n  a,  # why\n  b  # last\n]\n"

    found = edit(text, add("c", after="a"), add("d", after="b"), add("e", after="b"))

    assert found == (
        "dependencies: [\n  a,  # why\n  c,\n  b,  # last\n  d,\n  e\n]\n",
        [],
    )
    assert edit("dependencies: [\n  a,\n  b,\n]\n", add("c"), remove("b")).text == (
        "dependencies: [\n  a,\n  c,\n]\n"
    )
    assert edit("channels: [\n  a,\n  b]\n", add("c", kind=Kind.CHANNEL)).text == (
        "channels: [\n  c,\n  a,\n  b]\n"
    )


@pytest.mark.parametrize(
    ("text", "asks", "out"),
    [
        ("dependencies: [a, b, c]", [remove("b"), remove("c")], "dependencies: [a]"),
        ("dependencies: [a, b, c]", [remove("a"), remove("c")], "dependencies: [b]"),
        ("dependencies: [a, b, ]", [remove("b")], "dependencies: [a, ]"),
        ("dependencies: [ a,b ]", [add("c")], "dependencies: [ a,b,c ]"),
        ("dependencies: [a]", [remove("a"), add("b")], "dependencies: [b]"),
        ("dependencies: [a]", [remove("a")], "dependencies: []"),
        ("dependencies: []", [add("a"), add("b")], "dependencies: [a, b]"),
        ("dependencies: [a]", [add_pip("b")], "dependencies: [a, pip, {pip: [b]}]"),
        ("dependencies: [a, {pip: [b]}]", [remove("b")], "dependencies: [a]"),
        ("{dependencies: [a], variables: {B: c}}", [remove("B=c")], "{dependencies: [a]}"),
        ("{prefix: /x, dependencies: [a]}", [remove("prefix: /x")], "{dependencies: [a]}"),
        ("dependencies: ['a']", [add("b")], "dependencies: ['a', 'b']"),
        ("dependencies: [a: b, c]", [remove("c")], "dependencies: [a: b]"),
    ],
)  # fmt: skip
def test_a_list_in_brackets_on_one_line(text: str, asks: list, out: str) -> None:
    assert edit(text, *asks) == (out, [])


@pytest.mark.parametrize(
    ("text", "asks", "out"),
    [
        # The last of a section.
        ("dependencies:\n  - a\n", [remove("a")], "dependencies: []\n"),
        ("dependencies: # x\n  # y\n  - a # z\n", [remove("a")], "dependencies: [] # x\n  # y\n"),
        ("channels:\n- c\ndependencies:\n- a\n", [remove("c")], "dependencies:\n- a\n"),
        ("dependencies:\n- a\nvariables:\n  A: b\n", [remove("A=b")], "dependencies:\n- a\n"),
        ("dependencies:\n- a\nvariables:\n  A: b\n  C: d\n", [remove("A=b")], "dependencies:\n- a\nvariables:\n  C: d\n"),
        ("dependencies:\n- a\n- pip:\n  - b\n  # c\n", [remove("b")], "dependencies:\n- a\n  # c\n"),
        ("dependencies:\n- pip: [b]\n- a\n", [remove("b")], "dependencies:\n- a\n"),
        ("dependencies:\n- pip:\n  - b\n", [remove("b")], "dependencies: []\n"),
        ("dependencies:\n  x: y\n  conda:\n  - a\n  pip:\n  - b\n", [remove("b")], "dependencies:\n  x: y\n  conda:\n  - a\n  pip: []\n"),
        ("dependencies:\n- a", [remove("a"), add("b")], "dependencies:\n- b"),
        ("dependencies:\n- a\n- b", [remove("b")], "dependencies:\n- a\n"),
        ("dependencies:\n- a\n- b", [remove("b"), add("c")], "dependencies:\n- a\n- c"),
        # The first of one.
        ("dependencies:\n- a\n", [add_pip("b")], "dependencies:\n- a\n- pip\n- pip:\n  - b\n"),
        ("dependencies:\n  - a\n", [add_pip("b"), add_index("https://h")], "dependencies:\n  - a\n  - pip\n  - pip:\n      - --extra-index-url https://h\n      - b\n"),
        ("dependencies:\n- a\n", [add_pip("b"), add("pip>=24")], "dependencies:\n- a\n- pip>=24\n- pip:\n  - b\n"),
        ("dependencies:\n- pip\n", [add_pip("b")], "dependencies:\n- pip\n- pip:\n  - b\n"),
        ("dependencies:\n- pip:\n", [add_pip("b")], "dependencies:\n- pip:\n  - b\n"),
        ("dependencies:\n- pip:\n  - b\n", [add("a")], "dependencies:\n- a\n- pip:\n  - b\n"),
        ("name: x\n", [add_pip("b")], "name: x\ndependencies:\n  - pip\n  - pip:\n      - b\n"),
        ("name: x", [add("a")], "name: x\ndependencies:\n  - a"),
        ("name: x\ndependencies: # why\n", [add("a")], "name: x\ndependencies: # why\n  - a\n"),
        ("name: x\n# y\ndependencies:\n- a\n", [add("c", kind=Kind.CHANNEL)], "name: x\nchannels:\n- c\n# y\ndependencies:\n- a\n"),
        ("# y\ndependencies:\n- a\n", [add("c", kind=Kind.CHANNEL)], "# y\nchannels:\n- c\ndependencies:\n- a\n"),
        ("name: x\nchannels:\n  - d\n", [add("a")], "name: x\nchannels:\n  - d\ndependencies:\n  - a\n"),
        ("name: x\nvariables:\ndependencies:\n- a\n", [add("A=b", kind=Kind.VARIABLE)], "name: x\nvariables:\n  A: b\ndependencies:\n- a\n"),
        ("dependencies:\n- a\n# end\n", [add("A=b", kind=Kind.VARIABLE)], "dependencies:\n- a\nvariables:\n  A: b\n# end\n"),
        # Behind others.
        ("channels: [a]\nname: x\n", [add("b", kind=Kind.CHANNEL, after="a")], "channels: [a, b]\nname: x\n"),
        ("dependencies:\n- a\n\n\n", [add("b")], "dependencies:\n- a\n- b\n\n\n"),
        ("dependencies:\r- a\r- c\r", [add("b", after="a")], "dependencies:\r- a\r- b\r- c\r"),
        # The words of a line.
        ("dependencies:\n- a\n", [replace("a", "a")], "dependencies:\n- a\n"),
        ("dependencies:\n- 'a'\n", [replace("a", "a[version='>1']")], "dependencies:\n- 'a[version=''>1'']'\n"),
        ('dependencies:\n- "a"\n', [replace("a", 'a[version=">1"]')], 'dependencies:\n- "a[version=\\">1\\"]"\n'),
        ("dependencies:\n- >-\n  a\n\n- b\n", [replace("a", "c")], "dependencies:\n- >-\n  c\n\n- b\n"),
        ("dependencies:\n- |\n  a\n- b\n", [replace("a", "c")], "dependencies:\n- |\n  c\n- b\n"),
        ("dependencies:\n- |-\n  a\n\n\n- b\n", [remove("a")], "dependencies:\n\n\n- b\n"),
        ("dependencies:\n- a\n  >=1\n- b\n", [replace("a >=1", "a>=2")], "dependencies:\n- a>=2\n- b\n"),
        ("x: &c a\ndependencies:\n- *c\n- b\n", [replace("a", "d")], "x: &c a\ndependencies:\n- d\n- b\n"),
        ("dependencies:\n- &c a # x\n", [replace("a", "d")], "dependencies:\n- &c d # x\n"),
        ("dependencies:\n- !!str a\n", [replace("a", "d")], "dependencies:\n- !!str d\n"),
        ("variables:\n  A: b # c\n", [replace("A=b", "A=*d")], 'variables:\n  A: "*d" # c\n'),
        ("variables:\n  A: b\n", [replace("A=b", "A=")], 'variables:\n  A: ""\n'),
        ("dependencies:\n- pip:\n  - -f x --pre\n", [replace("-f x", "-f y")], "dependencies:\n- pip:\n  - -f y --pre\n"),
        ("dependencies:\n- pip:\n  - t==1 --index-url https://h\n", [replace("t==1", "t==1"), add_index("https://h")], "dependencies:\n- pip:\n  - --extra-index-url https://h\n  - t==1\n"),
        ("dependencies:\n- pip:\n  - --find-links=x\n  - a\n", [add_index("https://h", role=IndexRole.DEFAULT)], "dependencies:\n- pip:\n  - --index-url=https://h\n  - --find-links=x\n  - a\n"),
    ],
)  # fmt: skip
def test_an_edit_in_the_style_of_its_place(text: str, asks: list, out: str) -> None:
    assert edit(text, *asks) == (out, [])


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a[b]", "a[b]"),
        ("a>=1", "a>=1"),
        ("c::a", "c::a"),
        ("https://h/a.conda", "https://h/a.conda"),
        ("*", '"*"'),
        ("a #b", '"a #b"'),
        ("a: b", '"a: b"'),
        ("[a]", '"[a]"'),
        (">=1", '">=1"'),
        ("on", '"on"'),
        ("1.5", '"1.5"'),
        ("2024-01-01", '"2024-01-01"'),
        ("", '""'),
        ("- a", '"- a"'),
        ("-a", "-a"),
        ("%a", '"%a"'),
        ("a:", '"a:"'),
    ],
)
def test_quotes_stand_where_yaml_needs_them(text: str, written: str) -> None:
    found = edit("dependencies:\n- a\n", add(f"A={text}", kind=Kind.VARIABLE))

    assert found == (f"dependencies:\n- a\nvariables:\n  A: {written}\n", [])


@pytest.mark.parametrize(
    ("text", "ask", "why"),
    [
        ("dependencies:\n<<<<<<< a\n- b\n=======\n- c\n>>>>>>> c\n- a\n", remove("a"), "the file holds both sides of an unfinished merge"),
        ("{% if x %}\ndependencies:\n- a\n{% endif %}\n", add("b"), "the file is a template: whether a new line counts is for its engine"),
        ("x: *c\ndependencies: &c\n- a\n", remove("a"), "an alias *c reads it in another place as well"),
        ("dependencies:\n- &c a\n- b\nx: *c\n", replace("a", "d"), "an alias *c reads it in another place as well"),
        ("dependencies:\n- pip: &c\n  - a\nx: *c\n", add_pip("b"), "an alias *c reads it in another place as well"),
        ("x: &c\n- a\ndependencies: *c\n", remove("a"), "dependencies: is an alias of a list that stands elsewhere"),
        ("x: &c\n- a\ndependencies: *c\n", add("b"), "dependencies: is an alias of a list that stands elsewhere"),
        ("dependencies: [a]\ndependencies: [b]\n", add("c"), "dependencies: stands more than once in the file"),
        ("<<: {dependencies: [a]}\nname: x\n", add("b"), "a merge key may bring dependencies: in"),
        ("{name: x}", add("b"), "the file is written in braces and has no dependencies"),
        ("dependencies: a\n", add("b"), "dependencies: is no list"),
        ("dependencies:\n- a\n", lambda manifest: structs.replace(add("b")(manifest), scope="x"), "an environment file has no part x"),
        ("dependencies:\n- a\n", add("b", kind=Kind.PREFIX), "a prefix is of one machine: conda ignores it"),
        ("dependencies:\n- a\n", add("b", kind=Kind.IMAGE), "an environment file has no place for this: image of conda"),
        ("dependencies:\n- a\n- pip:\n  - c\n", add_pip("b", after="a"), "a stands in another section"),
        ("dependencies:\n- pip:\n  - |\n    a\n    b\n", remove("a"), "one item of the list holds several lines or a comment for pip"),
        ("dependencies:\n- pip:\n  - 'a # b'\n", remove("a"), "one item of the list holds several lines or a comment for pip"),
        ("dependencies:\n- a\nprefix: /x\n", replace("prefix: /x", "prefix: /y"), "a prefix is taken out or left, for conda ignores it"),
        ("variables:\n  A: b\n", replace("A=b", "C=b"), "A is another variable than C"),
        ("variables:\n  A:\n", replace("A=", "A=b"), "nothing is written there"),
        ("dependencies:\n- >-\n  a\n  >=1\n", replace("a >=1", "a>=2"), "its text goes over several lines"),
        ("dependencies:\n-\n  a\n- b\n", remove("a"), "line 3 begins with something else"),
        ("dependencies:\n- 'a'\u2028# c\n- b\n", remove("a"), "line 2 goes on behind it"),
        ("dependencies:\n- a\n- pip: [b]\n  x: y\n", remove("b"), "another key stands beside pip: in its item"),
        ("dependencies: [a, b,\n  c]\n", remove("b"), "its list in brackets goes over several lines there"),
        ("dependencies: [\n a ]\n", remove("a"), "its list in brackets goes over several lines there"),
        ("dependencies: [a,\n  b]\n", add("c", after="a"), "its list in brackets goes over several lines there"),
        ("dependencies:\n- a\n", add("b\x07c"), "'b\\x07c' has characters that are not to be seen"),
        ("dependencies:\n- a\n", add_index("https://h", role=IndexRole.EXPLICIT), "pip cannot tie an index to some of the requirements"),
        ("requirements:\n- a\n? dependencies\n: - a\n", remove("a"), "line 4 begins with something else"),
        ("dependencies:\n- conda: a\n", add("b", section=Section.SHELL), "an environment file has no place for this: requirement of shell"),
    ],
)  # fmt: skip
def test_what_is_not_certain_is_held_back(text: str, ask: object, why: str) -> None:
    assert edit(text, ask) == (text, [why])


def test_a_unidep_item_is_held_back() -> None:
    text = "dependencies:\n- conda: a\n- b\n"

    found = edited("environment_yml", "requirements.yaml", text, remove("a"))

    assert found == (text, ["it stands in no list of its own, but behind an alias or another form"])


def test_a_comment_of_its_own_line_stays_whatever_goes() -> None:
    manifest = environment_yml.read("environment.yml", COMMENTS)
    texts = [line.text for line in manifest.declared]

    found = edit(COMMENTS, *map(remove, texts))

    comments = [line for line in COMMENTS.splitlines() if line.lstrip().startswith("#")]
    assert found.held == []
    assert [line for line in found.text.splitlines() if line.lstrip().startswith("#")] == comments


def test_a_line_separator_within_a_comment_is_left_alone() -> None:
    text = "dependencies:\n- a # b\u2028# c 安\n- d # e\n"

    assert edit(text, replace("a", "f"), remove("d")).text == (
        "dependencies:\n- f # b\u2028# c 安\n"
    )
