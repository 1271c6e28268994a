from __future__ import annotations

import pytest
from manifest_editing import add, add_index, add_pip, edited, line_of, remove, replace

from reconciler.manifests import read
from reconciler.manifests.rewriting import apply_splices, rewrite
from reconciler.model.fix import Mend, Remove, Replace, Splice
from reconciler.model.manifest import Declared, Kind, Manifest, Section

REQUIREMENTS = "requirements_txt", "requirements.txt"
ENVIRONMENT = "environment_yml", "environment.yml"


def test_splices_are_applied_in_order() -> None:
    splices = [Splice(0, 1, "x"), Splice(2, 2, "y"), Splice(2, 3, ""), Splice(4, 4, "z")]

    assert apply_splices("abcd", splices) == "xbydz"


@pytest.mark.parametrize(
    "splices", [[Splice(1, 2, ""), Splice(0, 1, "")], [Splice(2, 1, "")], [Splice(0, 5, "")]]
)
def test_splices_that_do_not_fit_are_an_error(splices: list[Splice]) -> None:
    with pytest.raises(ValueError, match="a splice from"):
        apply_splices("abcd", splices)


def test_a_splice_is_as_short_as_the_change() -> None:
    manifest = read(*REQUIREMENTS, "torch==2.1\n")

    found = rewrite(manifest, [replace("torch==2.1", "torch==2.5")(manifest)])

    assert found.splices == (Splice(9, 10, "5"),)
    assert [line.text for line in found.manifest.declared] == ["torch==2.5"]


def test_an_edit_that_stands_twice_is_one() -> None:
    assert edited(*REQUIREMENTS, "a\n", add_pip("b"), add_pip("b")) == ("a\nb\n", [])


def test_of_many_edits_only_those_are_held_back_that_cannot_be_made() -> None:
    text = "a==1 --hash=sha256:00\nb --hash=sha256:11\nc --hash=sha256:22\n"

    found = edited(*REQUIREMENTS, text, remove("b"), replace("a==1", "a==2"), remove("c"))

    assert found == (
        "a==1 --hash=sha256:00\n",
        ["the hashes behind it are those of a==1"],
    )


def test_two_edits_of_a_line_are_not_both_made() -> None:
    found = edited(*REQUIREMENTS, "a\n", remove("a"), replace("a", "b"))

    assert found == ("", ["another edit changes a as well"])


def test_two_edits_of_the_same_words_are_not_both_made() -> None:
    manifest = read(*REQUIREMENTS, "a==1 --index-url https://h\n")
    without_option = replace("a==1", "a==1")(manifest)

    found = rewrite(manifest, [without_option, Mend(path=manifest.path, fault=manifest.faults[0])])

    assert found.manifest.text == "a==1\n"
    assert [why for _, why in found.held] == ["two edits change the same words"]


def test_a_line_that_the_file_does_not_hold_is_held_back() -> None:
    line = Declared(
        path="requirements.txt", section=Section.PIP, text="b", name="b", line=1, column=1
    )

    found = edited(*REQUIREMENTS, "a\n", lambda _: Remove(line=line))

    assert found == ("a\n", ["line 1 does not hold 'b'"])


def test_a_text_over_several_lines_is_held_back() -> None:
    found = edited(*REQUIREMENTS, "a\n", add_pip("b\nc"))

    assert found == ("a\n", ["the text 'b\\nc' has a line break"])


@pytest.mark.parametrize(
    ("text", "asks", "why"),
    [
        ("a\n", [replace("a", "b c")], "the file would not say bc (requirement of pip) afterwards"),
        ("a\n", [add_pip("b c")], "the file would not say bc (requirement of pip) afterwards"),
        ("a\n", [add_pip("a --pre")], "the file would be at fault afterwards: pip reads a and ignores --pre behind it"),
    ],
)  # fmt: skip
def test_what_would_not_read_as_meant_is_held_back(text: str, asks: list, why: str) -> None:
    assert edited(*REQUIREMENTS, text, *asks) == (text, [why])


def test_what_would_be_no_file_of_its_kind_is_held_back() -> None:
    text = "prefix: /x\n"

    found = edited(*ENVIRONMENT, text, remove("prefix: /x"))

    assert found.text == text
    assert found.held == ["the file cannot be read: not an environment file: no mapping at its top"]


def test_a_lock_is_not_edited() -> None:
    manifest = read("explicit_txt", "explicit.txt", "@EXPLICIT\nhttps://h/linux-64/a-1-0.conda\n")

    found = rewrite(manifest, [Remove(line=manifest.declared[0])])

    assert [why for _, why in found.held] == [
        "the file is a lock: the program that wrote it has to write it anew"
    ]


@pytest.mark.parametrize(
    ("form", "text"), [("dockerfile", "FROM a\nRUN pip install torch\n"), ("", "torch\n")]
)
def test_a_format_that_is_not_edited_is_said(form: str, text: str) -> None:
    manifest = read(form, "Dockerfile", text) if form else Manifest(path="x", text=text)

    found = rewrite(manifest, [add_pip("a")(manifest)])

    assert found.manifest == manifest
    assert [why.partition(" (")[0] for _, why in found.held] == [
        "envfix does not edit files of this kind"
    ]


def test_a_secret_stays_where_it_is_and_is_written_nowhere_else() -> None:
    text = "-i https://***@host/x\na\n"

    kept = edited(
        *REQUIREMENTS,
        text,
        replace("-i https://***@host/x", "--extra-index-url https://***@host/x"),
    )
    moved = edited(*REQUIREMENTS, text, add_index("https://***@host/y"))

    assert kept == ("--extra-index-url https://***@host/x\na\n", [])
    assert moved == (text, ["a secret stands in the line, which envfix does not read or write"])


@pytest.mark.parametrize("text", ["torch=2.*=cuda*", "c::a[version='>=1']", "a[extras='b']"])
def test_a_spec_of_conda_is_what_it_means(text: str) -> None:
    found = edited(*ENVIRONMENT, "dependencies:\n- a\n", add(text))

    assert found == (f"dependencies:\n- a\n- {text}\n", [])


def test_where_an_index_changes_what_it_does_is_compared() -> None:
    manifest = read(*REQUIREMENTS, "-i https://h\n")
    line = line_of(manifest, "-i https://h")

    assert line.kind is Kind.INDEX
    assert edited(*REQUIREMENTS, "-i https://h\n", replace(line.text, "-f https://h")) == (
        "-f https://h\n",
        [],
    )


@pytest.mark.parametrize(
    "head",
    [
        "# This file is autogenerated by pip-compile with Python 3.11",
        "# This file is generated by `rapids-dependency-file-generator`.",
        "# DO NOT EDIT: made by a script",
    ],
)
def test_a_file_that_a_program_has_written_is_held_back(head):
    manifest = read(*REQUIREMENTS, f"{head}\ntorch==2.1\n")
    done = rewrite(manifest, [Remove(line=manifest.declared[0])])
    assert [why for _, why in done.held] == [
        "a program has written the file, as its head says: mend what it is made of"
    ]


def test_a_secret_is_not_taken_for_another_of_its_length():
    masked = "https://***:********@host/simple"
    manifest = read(*REQUIREMENTS, f"torch --extra-index-url {masked}\n")
    done = rewrite(manifest, [Replace(line=line_of(manifest, "torch"), text="torch==2.5.1")])
    assert "://" not in "".join(manifest.text[s.start : s.end] for s in done.splices)

    mended = rewrite(
        read(*REQUIREMENTS, f"{masked}/torch-2.5.1-py3-none-any.whl\n"),
        [
            Replace(
                line=read(*REQUIREMENTS, f"{masked}/torch-2.5.1-py3-none-any.whl\n").declared[0],
                text="torch==2.5.1",
            )
        ],
    )
    assert [why for _, why in mended.held] == [
        "a secret stands in the line, which envfix does not read or write"
    ]
