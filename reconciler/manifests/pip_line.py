"""One line as pip reads it, in a requirements file or in the pip section of environment.yml.

pip's own rules: https://pip.pypa.io/en/stable/reference/requirements-file-format/; what it does
with what they do not say was seen in pip 23.2 and pip 26.3 (``pip._internal.req.req_file``).
"""

from __future__ import annotations

import re
from itertools import chain, islice
from posixpath import dirname, join, normpath
from typing import TYPE_CHECKING, NamedTuple

from reconciler.manifests import pip_options, pip_required
from reconciler.manifests.logical_lines import LogicalLine
from reconciler.model.manifest import (
    Correction,
    Declared,
    Fault,
    FaultKind,
    IndexRole,
    Kind,
    Section,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.manifests.pip_options import Option, OptionLine, Word

_ROLES = {
    "index": IndexRole.DEFAULT,
    "extra-index": IndexRole.EXTRA,
    "links": IndexRole.LINKS,
}
_FILES = {"requirement": Kind.INCLUDE, "constraint": Kind.CONSTRAINT}
# Of several of these on one line, pip takes the first.
_FIRST_COUNTS = {"links", "requirement", "constraint", "editable"}
# A line with more mistakes than these is no line that a hand wrote.
_ENOUGH = 20
# What a user of pip gives on the command line, and pip refuses in a file.
_OF_COMMAND = re.compile(
    r"--(?:no-deps|no-build-isolation|no-cache-dir|upgrade|user|quiet)\b|-[Uq]"
)


class Line(NamedTuple):
    """What one logical line declares, and what pip makes of the rest of it."""

    declared: tuple[Declared, ...] = ()
    faults: tuple[Fault, ...] = ()


def declared(text: str, *, path: str, line: int, column: int) -> Declared | None:
    """Return the first thing that a line declares; None where it names nothing to install."""
    found = read(LogicalLine.single(text, line, column), path=path).declared
    return found[0] if found else None


def read(logical: LogicalLine, *, path: str) -> Line:
    """Read a line of the file at ``path``, relative to the project."""
    line = pip_options.take_apart(logical.text)
    reader = _Reader(logical, path, line)
    found = (*reader.requirement(),) if line.requirement else (*reader.option_declared(),)
    if pip_required.is_placeholder(logical.text):
        # What makes the file of the template decides what pip will see.
        return Line(() if line.requirement else found)
    if line.refused:
        return Line(found, (reader.refused_option(),))
    faults: Iterator[Fault]
    if line.requirement:
        faults = chain(reader.refused_requirement(), reader.lost_behind_requirement())
    else:
        faults = reader.lost_of_options()
    return Line(found, tuple(islice(faults, _ENOUGH)))


class _Reader(NamedTuple):
    """One line being read."""

    logical: LogicalLine
    path: str
    line: OptionLine

    def requirement(self) -> Iterator[Declared]:
        required = pip_required.read(self.line.requirement)
        if not required.refused:
            yield self._declared(0, Kind.REQUIREMENT, required.text, required.name)

    def refused_requirement(self) -> Iterator[Fault]:
        text = self.line.requirement
        required = pip_required.read(text)
        if required.refused:
            correction = Correction(text=required.better) if required.better else None
            yield self._fault(
                FaultKind.BROKEN, text, required.refused, required.better, 0, correction
            )

    def refused_option(self) -> Fault:
        text = self.logical.text[self.line.refused_at :]
        why = f"pip refuses the line: {self.line.refused}"
        if _OF_COMMAND.match(text):
            why += ", it belongs on the command line"
        better = self.line.requirement
        # What an option was to do, its command does no longer.
        correction = (
            Correction(is_certain=False) if better and _OF_COMMAND.fullmatch(text) else None
        )
        return self._fault(FaultKind.BROKEN, text, why, better, self.line.refused_at, correction)

    def lost_behind_requirement(self) -> Iterator[Fault]:
        name = self.line.requirement
        for option in self.line.options:
            if option.use == "global-option":
                why = (
                    "pip from 25.3 on refuses --global-option: --config-settings came in its place"
                )
                yield self._option_fault(FaultKind.BROKEN, option, why)
            elif option.use == "install-option":
                why = "pip from 23.1 on refuses --install-option"
                yield self._option_fault(FaultKind.BROKEN, option, why)
            elif option.use not in pip_options.OF_REQUIREMENT:
                written = self._written(option)
                why = f"pip reads {name} and ignores {written} behind it"
                own = _own_line(option)
                correction = (
                    Correction(above=(own,), is_certain=option.use != "pre") if own else None
                )
                yield self._option_fault(FaultKind.OPTION_LOST, option, why, own, correction)
        yield from self._lost_strays(f"pip reads {name} with its options")

    def option_declared(self) -> Iterator[Declared]:
        uses = [option.use for option in self.line.options]
        is_editable, is_include = "editable" in uses, bool({*uses} & _FILES.keys())
        seen: set[str] = set()
        for option in self.line.options:
            counts = option.use not in _FIRST_COUNTS or option.use not in seen
            seen.add(option.use)
            if option.value in {"", "="} or not counts:
                continue
            if option.use == "editable":
                required = pip_required.read_editable(option.value)
                yield self._declared(
                    option.start, Kind.REQUIREMENT, self._written(option), required.name
                )
            elif is_editable:
                continue
            elif option.use in _FILES and not (
                option.use == "constraint" and "requirement" in uses
            ):
                name = _located(option.value, dirname(self.path))
                yield self._declared(option.start, _FILES[option.use], self._written(option), name)
            elif option.use in _ROLES and not is_include:
                yield self._declared(
                    option.start,
                    Kind.INDEX,
                    self._written(option),
                    option.value,
                    _ROLES[option.use],
                )

    def lost_of_options(self) -> Iterator[Fault]:
        uses = [option.use for option in self.line.options]
        reads = next((u for u in ("editable", "requirement", "constraint") if u in uses), "")
        seen: set[str] = set()
        for option in self.line.options:
            yield from self._trap_of(option)
            is_second = option.use in seen and option.use in _FIRST_COUNTS
            seen.add(option.use)
            if is_second or (reads and option.use != reads and not _is_kept(reads, option)):
                first = reads or option.use
                kept = next(o for o in self.line.options if o.use == first)
                why = (
                    f"pip reads {self._written(kept)} and ignores {self._written(option)} behind it"
                )
                if option.start < kept.start:
                    why = f"pip reads {self._written(kept)} and ignores {self._written(option)}"
                yield self._option_fault(FaultKind.OPTION_LOST, option, why, _own_line(option))
            elif not reads and option.use in pip_options.OF_REQUIREMENT:
                why = (
                    f"no requirement stands in front of {self._written(option)}, and pip ignores it"
                )
                yield self._option_fault(FaultKind.OPTION_LOST, option, why)
        said = " ".join(self._written(option) for option in self.line.options)
        yield from self._lost_strays(f"pip reads {said}" if said else "pip reads no option there")

    def _trap_of(self, option: Option) -> Iterator[Fault]:
        """Yield what is wrong with one option by itself."""
        raw = self.logical.text[option.start : option.end]
        if option.value == "=":
            why = f"pip takes = for the value of {raw.split()[0]}"
            yield self._option_fault(FaultKind.OPTION_LOST, option, why)
        elif option.use in {*_FILES, "editable", "links"} and re.search(r"\w\\\w", raw):
            why = f"pip drops each backslash and looks for {option.value}"
            better = raw.replace("\\", "/")
            correction = Correction(text=better)
            yield self._option_fault(FaultKind.BROKEN, option, why, better, correction)
        elif option.use == "editable":
            required = pip_required.read_editable(option.value)
            if required.refused:
                yield self._option_fault(FaultKind.BROKEN, option, required.refused)

    def _lost_strays(self, reads: str) -> Iterator[Fault]:
        """Yield the words behind options that pip drops, each run of them once."""
        strays = [word for word in self.line.strays if word.text]
        if not strays:
            return
        if strays[0].text == "-" and strays[0].start == 0:
            item = self.logical.text[1:].strip()
            why = "pip takes a line that begins with - for options and installs nothing of it"
            correction = Correction(text=item, is_certain=False) if _is_requirement(item) else None
            yield self._fault(FaultKind.OPTION_LOST, self.logical.text, why, item, 0, correction)
            return
        for run in _runs(strays):
            text = self.logical.text[run[0].start : run[-1].end]
            better = "\n".join(word.text for word in run)
            is_sure = all(_is_requirement(word.text) for word in run)
            why = f"{reads} and drops {text} behind it"
            # Nobody knows how it is without what was never installed.
            own = Correction(below=tuple(better.splitlines()), is_certain=False)
            yield self._fault(
                FaultKind.OPTION_LOST,
                text,
                why,
                better if is_sure else "",
                run[0].start,
                own if is_sure else None,
            )

    def _option_fault(
        self,
        kind: FaultKind,
        option: Option,
        why: str,
        better: str = "",
        correction: Correction | None = None,
    ) -> Fault:
        return self._fault(kind, self._written(option), why, better, option.start, correction)

    def _written(self, option: Option) -> str:
        return re.sub(r"\s+", " ", self.logical.text[option.start : option.end])

    def _declared(
        self, offset: int, kind: Kind, text: str, name: str, role: IndexRole | None = None
    ) -> Declared:
        line, column = self.logical.at(offset)
        return Declared(
            path=self.path,
            section=Section.PIP,
            kind=kind,
            text=text,
            name=name,
            line=line,
            column=column,
            role=role,
        )

    def _fault(  # noqa: PLR0913, PLR0917 - the parts of a fault
        self,
        kind: FaultKind,
        text: str,
        why: str,
        better: str,
        offset: int,
        correction: Correction | None = None,
    ) -> Fault:
        line, column = self.logical.at(offset)
        fault = Fault(kind=kind, text=text, why=why, better=better, line=line, column=column)
        return fault.corrected(correction)


def _is_kept(reads: str, option: Option) -> bool:
    # Since pip 25.3 an editable requirement keeps its --config-settings.
    return reads == "editable" and option.use in {"setting", "global-option"}


def _is_requirement(text: str) -> bool:
    required = pip_required.read(text)
    return bool(required.name) and not required.refused


def _own_line(option: Option) -> str:
    """Say an option that holds for the whole file, as it is said on a line of its own."""
    # By --index-url, the rest of the file would lose PyPI.
    if option.use in {"index", "extra-index"}:
        return f"--extra-index-url {option.value}"
    return {"links": f"--find-links {option.value}", "pre": "--pre"}.get(option.use, "")


def _runs(words: list[Word]) -> Iterator[list[Word]]:
    """Yield the words that nothing but white space parts."""
    run = words[:1]
    for word in words[1:]:
        if word.start - run[-1].end > 1:
            yield run
            run = []
        run.append(word)
    yield run


def _located(value: str, folder: str) -> str:
    """Return the path of an included file, relative to the project; a URL stays one."""
    if re.match(r"https?:|file://", value, re.IGNORECASE):
        return value
    return normpath(join(folder, value.removeprefix("file:")))
