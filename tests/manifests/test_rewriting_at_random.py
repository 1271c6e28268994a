from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from manifest_reading import read_or_refused

from reconciler.manifests import read
from reconciler.manifests.rewriting import apply_splices, rewrite
from reconciler.model.fix import Add, Edit, Remove, Replace
from reconciler.model.manifest import Declared, Kind, Manifest, Section

if TYPE_CHECKING:
    from collections.abc import Sequence

NEWLINES = st.sampled_from(["\n", "\r\n", "\r"])
COMMENTS = st.sampled_from(["", "", "  # c{n}", " # 安 c{n} # x", "\t# c{n}\u2028# more"])
ABOVE = st.sampled_from(["", "", "", "# above c{n}", "    # above c{n}", " "])
QUOTES = st.sampled_from(["", "", "'", '"'])
WRITTEN = {
    Section.CONDA: ["p{n}", "p{n}=1.2", "p{n}>=1,<2", "ch::p{n}", "p{n}[build='*cuda*']"],
    Section.PIP: ["p{n}", "p{n}==1.2", "p{n}[x,y]>=1", "p{n}==1 ; os_name == 'nt'", "-e ./p{n}", "p{n} @ https://h/p{n}.zip"],
}  # fmt: skip


class Case(NamedTuple):
    """A file, and what to do with it."""

    form: str
    path: str
    text: str
    #: What is drawn for each line of it: kept, removed or replaced, and whether one comes in.
    choices: list[int]


@st.composite
def requirements(draw: st.DrawFn) -> Case:
    lines: list[str] = []
    for n in range(draw(st.integers(0, 8))):
        above = draw(ABOVE).format(n=n)
        text = draw(st.sampled_from(WRITTEN[Section.PIP])).format(n=n)
        spread = draw(st.sampled_from(["", "", " \\{newline}    -C a=b"]))
        # pip reads on behind a rare line end in a comment.
        comment = draw(COMMENTS).format(n=n)
        lines += [above] * bool(above)
        lines.append(draw(st.sampled_from(["", "  ", "\t"])) + text + spread + comment)
    return _case(draw, "requirements_txt", "requirements.txt", lines)


@st.composite
def environments(draw: st.DrawFn) -> Case:
    numbers = iter(range(100))
    offset = draw(st.sampled_from(["", "  ", "    "]))
    lines = ["name: x"]
    if draw(st.booleans()):
        lines += ["channels:", *(f"{offset}- ch{n}" for n in range(draw(st.integers(1, 3))))]
    lines.append("dependencies: # of c999")
    lines += _items(draw, numbers, Section.CONDA, offset, least=1)
    if draw(st.booleans()):
        inner = offset + draw(st.sampled_from(["  ", "    ", "      "]))
        lines += [f"{offset}- pip:", *_items(draw, numbers, Section.PIP, inner, least=1)]
    if draw(st.booleans()):
        lines += ["variables:", "  A: b"]
    if draw(st.booleans()):
        lines.append("prefix: /x")
    return _case(draw, "environment_yml", "environment.yml", lines)


def _items(
    draw: st.DrawFn, numbers: object, section: Section, indent: str, *, least: int
) -> list[str]:
    lines: list[str] = []
    for _ in range(draw(st.integers(least, 5))):
        n = next(numbers)  # type: ignore[call-overload]  # an iterator of numbers
        above = draw(ABOVE).format(n=n)
        text = draw(st.sampled_from(WRITTEN[section])).format(n=n)
        quote = draw(QUOTES)
        quote = '"' if quote == "'" and "'" in text else quote
        # ruamel.yaml takes no tab behind a word.
        comment = draw(COMMENTS).format(n=n).replace("\t", " ")
        lines += [above] * bool(above)
        lines.append(f"{indent}- {quote}{text}{quote}{comment}")
    return lines


def _case(draw: st.DrawFn, form: str, path: str, lines: list[str]) -> Case:
    newline = draw(NEWLINES)
    end = draw(st.sampled_from(["", newline, newline * 2])) if lines else ""
    text = newline.join(lines).replace("{newline}", newline) + end
    return Case(form, path, text, draw(st.lists(st.integers(0, 7), min_size=40, max_size=40)))


def edits_of(manifest: Manifest, choices: Sequence[int]) -> list[Edit]:
    """Return an edit for some of the lines: 0 and 1 take it out, 2 and 3 replace it."""
    edits: list[Edit] = []
    for n, (line, choice) in enumerate(zip(manifest.declared, choices, strict=False)):
        is_required = line.kind is Kind.REQUIREMENT
        if choice <= 1:
            edits.append(Remove(line=line))
        elif choice <= 3 and is_required:
            edits.append(Replace(line=line, text=f"r{n}=={n}"))
        if choice % 4 == 1 and is_required:
            edits.append(Add(path=line.path, section=line.section, text=f"a{n}>={n}", after=line))
    if choices[-1] % 2:
        edits.append(Add(path=manifest.path, section=Section.PIP, text="last"))
    return edits


def expected(manifest: Manifest, edits: Sequence[Edit]) -> dict[Section, list[str]]:
    """Return what each section says once the edits are made, by the edits alone."""
    changed = {edit.line: edit for edit in edits if not isinstance(edit, Add)}
    behind = {edit.after: edit.text for edit in edits if isinstance(edit, Add)}
    said: dict[Section, list[str]] = {Section.CONDA: [], Section.PIP: []}
    for line in manifest.declared:
        edit = changed.get(line)
        if not isinstance(edit, Remove):
            said[line.section].append(edit.text if edit else line.text)
        if line in behind:
            said[line.section].append(behind[line])
    if None in behind:
        said[Section.PIP].append(behind[None])
    return said


def without_pip(lines: Sequence[Declared], section: Section) -> list[str]:
    return [line.text for line in lines if line.section is section and line.text != "pip"]


def words(text: str, pattern: str) -> set[str]:
    return set(re.findall(pattern, text))


def check(case: Case) -> None:
    manifest = read(case.form, case.path, case.text)
    edits = edits_of(manifest, case.choices)

    found = rewrite(manifest, edits)

    out = apply_splices(case.text, found.splices)
    assert found.held == ()
    again = read(case.form, case.path, out)
    assert again == found.manifest
    said = expected(manifest, edits)
    assert {section: without_pip(again.declared, section) for section in said} == said
    assert words(out, r"above c\d+") == words(case.text, r"above c\d+")
    gone = {f"c{n}" for e in edits if isinstance(e, Remove) for n in words(e.line.text, r"p(\d+)")}
    assert words(case.text, r"\bc\d+") - gone <= words(out, r"\bc\d+")


@settings(deadline=None, max_examples=200)
@given(environments())
def test_an_environment_file_reads_as_the_edits_say(case: Case) -> None:
    check(case)


@settings(deadline=None, max_examples=200)
@given(requirements())
def test_a_requirements_file_reads_as_the_edits_say(case: Case) -> None:
    check(case)


@settings(deadline=None, max_examples=100)
@given(environments() | requirements())
def test_no_edit_changes_no_byte(case: Case) -> None:
    manifest = read(case.form, case.path, case.text)

    assert rewrite(manifest, ()).splices == ()


YAML_LIKE = st.lists(
    st.sampled_from(
        ["dependencies:", "\ndependencies:\n", "channels:", "variables:", "\n- pip:\n  - ", "prefix: x", "torch==2", "a", "b=1", "\n- ", "\n  - ", "  ", "\n", "[", "]", "{", "}", ", ", ": ", "'a'", '"b"', " # c", "&a ", "*a", " |\n  ", " >-\n  ", "!!str ", "---\n", "\r\n", "\u2028", "{% if %}", "-i x", " --pre"]
    ),
    max_size=25,
).map("".join)  # fmt: skip
PIP_LIKE = st.lists(
    st.sampled_from(
        ["torch", "a", "==2", "\\\n", "\n", "\r", "\r\n", " # c", "# d", " ", "\t", "--index-url x", " -r y", "-e z", "--hash=sha256:00", "'", " @ ", "https://h/x", "[b]", "; os_name == 'nt'", "\x0b", "\u2028", " --pre", "-f w", " -C q=1"]
    ),
    max_size=20,
).map("".join)  # fmt: skip
ANY = st.tuples(st.just(("environment_yml", "environment.yml")), YAML_LIKE) | st.tuples(
    st.just(("requirements_txt", "requirements.txt")), PIP_LIKE
)


@settings(deadline=None, max_examples=300)
@given(ANY, st.lists(st.integers(0, 7), min_size=40, max_size=40))
def test_whatever_the_text_an_edit_is_made_or_held_back(
    file: tuple[tuple[str, str], str], choices: list[int]
) -> None:
    (form, path), text = file
    manifest = read_or_refused(form, path, text)
    if manifest is None:
        return
    further = [
        Add(path=path, section=Section.PIP, kind=Kind.INDEX, text="https://h/y"),
        Add(path=path, section=Section.CONDA, kind=Kind.CHANNEL, text="ch"),
        Add(path=path, section=Section.CONDA, kind=Kind.VARIABLE, text="A=1"),
        Add(path=path, section=Section.CONDA, text="d"),
    ]

    found = rewrite(manifest, [*edits_of(manifest, choices), *further])

    assert found.manifest.text == apply_splices(text, found.splices)
