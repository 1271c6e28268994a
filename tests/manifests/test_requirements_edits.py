from __future__ import annotations

from functools import partial

import pytest
from manifest_editing import add, add_index, add_pip, edited, remove, replace

from reconciler.model.manifest import IndexRole, Kind, Section

edit = partial(edited, "requirements_txt", "requirements.txt")
UNFINISHED = "<<<<<<< a\ntorch\n=======\nnumpy\n>>>>>>> b\n"


@pytest.mark.parametrize(
    ("text", "asks", "out"),
    [
        # A line goes with all that belongs to it.
        ("a\nb # why\nc\n", [remove("b")], "a\nc\n"),
        ("# of b\nb\n", [remove("b")], "# of b\n"),
        ("b \\\n  --hash=sha256:00 \\\n  --hash=sha256:11 # x\nc\n", [remove("b")], "c\n"),
        ("b \\\n  # why\nc\n", [remove("b")], "  # why\nc\n"),
        ("a\nb --index-url https://h\n", [remove("b")], "a\n"),
        ("a\nb", [remove("b")], "a\n"),
        ("a\nb", [remove("a")], "b"),
        ("a\r\nb\r\nc\r\n", [remove("b")], "a\r\nc\r\n"),
        ("a\rb\rc\r", [remove("b")], "a\rc\r"),
        ("\ta # 安\u2028# b\nc\n", [remove("a")], "c\n"),
        ("-e . --config-settings x=y\nb\n", [remove("-e .")], "b\n"),
        # Of a line with several options, one.
        ("-f a --pre\n", [remove("-f a")], "--pre\n"),
        ("--pre -f a # x\n", [remove("-f a")], "--pre # x\n"),
        ("-f a -i b\nc\n", [remove("-f a"), remove("-i b")], "c\n"),
        ("--pre -i a --extra-index-url b # x\n", [remove("-i a"), remove("--extra-index-url b")], "--pre # x\n"),
        ("-i a \\\n --extra-index-url b --pre\n", [remove("--extra-index-url b")], "-i a \\\n --pre\n"),
        # The words of a line.
        ("a==1 # why\n", [replace("a==1", "a==2")], "a==2 # why\n"),
        ("a==1 ; os_name == 'nt'\n", [replace("a==1 ; os_name == 'nt'", "a==2 ; os_name == 'nt'")], "a==2 ; os_name == 'nt'\n"),
        ("a \\\n  ==1 \\\n  # x\nb\n", [replace("a   ==1", "a==2")], "a==2 \\\n  # x\nb\n"),
        ("-i https://a --pre\n", [replace("-i https://a", "--extra-index-url https://a")], "--extra-index-url https://a --pre\n"),
        ("a==1 -C x=y\n", [replace("a==1", "a==2")], "a==2 -C x=y\n"),
        ("a==1 --hash=sha256:00\n", [replace("a==1", "a==2 --hash=sha256:11")], "a==2 --hash=sha256:11\n"),
        ("a==1\u2028# b\nc\n", [replace("a==1", "a==2")], "a==2\u2028# b\nc\n"),
        # An option that pip ignores behind a requirement.
        ("a==1 --index-url https://h # x\n", [replace("a==1", "a==1"), add_index("https://h")], "--extra-index-url https://h\na==1 # x\n"),
        ("a==1 --index-url https://h\n", [replace("a==1", "a==2"), add_index("https://h")], "--extra-index-url https://h\na==2\n"),
        ("a==1 --index-url https://h\n", [replace("a==1", "a==2")], "a==2 --index-url https://h\n"),
        ("a==1 \\\n  --pre \\\n  --hash=sha256:00\n", [replace("a==1", "a==1")], "a==1 \\\n  --hash=sha256:00\n"),
        # A line comes in.
        ("a\nb\n", [add_pip("c", after="a")], "a\nc\nb\n"),
        ("a \\\n  >=1\nb\n", [add_pip("c", after="a   >=1")], "a \\\n  >=1\nc\nb\n"),
        ("a\nb", [add_pip("c"), add_pip("d")], "a\nb\nc\nd"),
        ("a\r\nb", [add_pip("c")], "a\r\nb\r\nc"),
        ("a\rb\r", [add_pip("c")], "a\rb\rc\r"),
        ("a", [add_pip("c")], "a\nc"),
        ("a", [remove("a"), add_pip("c")], "c"),
        ("a\n\n\n", [add_pip("c")], "a\nc\n\n\n"),
        ("", [add_pip("c")], "c\n"),
        ("", [add_index("https://h")], "--extra-index-url https://h\n"),
        ("# head\n# more\n\n# of a\na\n", [add_index("https://h")], "# head\n# more\n--extra-index-url https://h\n\n# of a\na\n"),
        ("# head", [add_index("https://h")], "# head\n--extra-index-url https://h"),
        ("--find-links=x\na\n", [add_index("https://h", role=IndexRole.DEFAULT)], "--index-url=https://h\n--find-links=x\na\n"),
        ("a\n", [add_index("https://h#x", role=IndexRole.LINKS, after="a")], "a\n--find-links https://h#x\n"),
        ("a\n", [add_index("-i https://h", role=IndexRole.DEFAULT)], "-i https://h\na\n"),
        ("a\n", [add("-r b.txt", section=Section.PIP, kind=Kind.INCLUDE)], "a\n-r b.txt\n"),
    ],
)  # fmt: skip
def test_an_edit_in_the_style_of_its_place(text: str, asks: list, out: str) -> None:
    assert edit(text, *asks) == (out, [])


@pytest.mark.parametrize(
    ("text", "ask", "why"),
    [
        (UNFINISHED, remove("torch"), "the file holds both sides of an unfinished merge"),
        ("a==1 --hash=sha256:00\n", replace("a==1", "a==2"), "the hashes behind it are those of a==1"),
        ("a==1 --hash=sha256:00\n", add_pip("b"), "the file has hashes: pip would want one of the new line as well"),
        ("a\n", add("b"), "a requirements file has no place for this: requirement of conda"),
        ("a\n", add("b", section=Section.PIP, kind=Kind.CHANNEL), "a requirements file has no place for this: channel of pip"),
        ("a\n", add_index("https://h", role=IndexRole.EXPLICIT), "pip cannot tie an index to some of the requirements"),
        ("a\n", add_index("a b"), "'a b' would have to be quoted, which not every pip reads"),
        ("-f a --nope\n", remove("-f a"), "pip refuses the line: pip knows no option --nope in a file"),
        ("-f a b\n", remove("-f a"), "the file would say b (requirement of pip) as well"),
        ("a\\\n", add_pip("b"), "the file would not say a (requirement of pip) afterwards"),
    ],
)  # fmt: skip
def test_what_is_not_certain_is_held_back(text: str, ask: object, why: str) -> None:
    assert edit(text, ask) == (text, [why])


def test_a_file_written_for_conda_is_edited_as_that() -> None:
    text = "name: x\ndependencies:\n- a\n- b\n"

    assert edit(text, remove("a")) == ("name: x\ndependencies:\n- b\n", [])
