"""Edits of environment.yml: which list or mapping of the file each belongs to.

A comment on a line of its own stays when the item below it goes: nothing says whose it is. Of the
last item, `- pip:`, `channels:` and `variables:` go as well; `dependencies:` stays as an empty list.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from reconciler.manifests import conda_item, pip_edits, pip_section, yaml_collections, yaml_scalars
from reconciler.manifests.environment_sections import Sections
from reconciler.manifests.line_splices import Draft
from reconciler.manifests.yaml_collections import Collection, Insert
from reconciler.model.fix import Add, Edit, HeldBackError, Remove, Replace, Splice
from reconciler.model.manifest import FaultKind, Kind, Manifest, Section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.manifests.yaml_collections import Entry
    from reconciler.manifests.yaml_nodes import Node
    from reconciler.model.manifest import Declared

_TEMPLATE = re.compile(r"^[ \t]*\{[%#]", re.MULTILINE)
_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")
_OF_PIP = frozenset({Kind.REQUIREMENT, Kind.INDEX, Kind.INCLUDE, Kind.CONSTRAINT})


class _Slot(NamedTuple):
    """An entry of a section of the file."""

    section: str
    number: int


def rewrite(manifest: Manifest, root: Node, edits: Sequence[Edit]) -> tuple[Splice, ...]:
    """Return where to splice the text for the edits; raises HeldBackError."""
    if any(fault.kind is FaultKind.CONFLICT for fault in manifest.faults):
        raise HeldBackError("the file holds both sides of an unfinished merge")
    adds = [edit for edit in edits if isinstance(edit, Add)]
    if adds and _TEMPLATE.search(manifest.text):
        raise HeldBackError("the file is a template: whether a new line counts is for its engine")
    editor = _Editor(manifest, root)
    changed: defaultdict[_Slot, list[Remove | Replace]] = defaultdict(list)
    for edit in edits:
        if not isinstance(edit, Add):
            changed[editor.slot(edit.line)].append(edit)
    urls = frozenset(edit.text for edit in adds if edit.kind is Kind.INDEX)
    for slot, those in changed.items():
        editor.change(slot, those, urls)
    for add in adds:
        editor.add(add)
    editor.add_pip_itself(adds, edits)
    return editor.splices()


def section_of(section: Section, kind: Kind) -> str:
    """Return the name of the section that holds lines of a kind."""
    if section is Section.PIP and kind in _OF_PIP:
        return "pip"
    of_conda = {
        Kind.REQUIREMENT: "dependencies",
        Kind.CHANNEL: "channels",
        Kind.VARIABLE: "variables",
        Kind.PREFIX: "root",
    }
    if section is not Section.CONDA or kind not in of_conda:
        raise HeldBackError(f"an environment file has no place for this: {kind} of {section}")
    return of_conda[kind]


class _Editor:
    """Gathers what becomes of each section; it lives for one set of edits."""

    def __init__(self, manifest: Manifest, root: Node) -> None:
        self._manifest = manifest
        self._draft = Draft(manifest.text)
        self._sections = Sections(root)
        self._removed: defaultdict[str, set[int]] = defaultdict(set)
        self._inserts: defaultdict[str, list[Insert]] = defaultdict(list)

    def slot(self, line: Declared) -> _Slot:
        """Return where a line stands; raises HeldBackError where that is shared or not certain."""
        section = section_of(line.section, line.kind)
        collection = self._sections.found.get(section)
        offset = self._draft.places.index(line.line, line.column)
        for number, entry in enumerate(collection.entries if collection else ()):
            if entry.value.kind == "scalar" and entry.start <= offset <= entry.end:
                self._sections.check_unshared(section, entry)
                return _Slot(section, number)
        raise HeldBackError("it stands in no list of its own, but behind an alias or another form")

    def change(self, slot: _Slot, edits: Sequence[Remove | Replace], urls: frozenset[str]) -> None:
        entry = self._sections.found[slot.section].entries[slot.number]
        if slot.section == "pip":
            self._change_of_pip(slot, entry, edits, urls)
            return
        (edit,) = edits
        if isinstance(edit, Remove):
            self._removed[slot.section].add(slot.number)
        elif slot.section == "variables":
            name, _, value = edit.text.partition("=")
            if name != edit.line.name:
                raise HeldBackError(f"{edit.line.name} is another variable than {name}")
            self._write(slot, entry.value, value)
        elif slot.section == "root":
            raise HeldBackError("a prefix is taken out or left, for conda ignores it")
        else:
            self._write(slot, entry.value, edit.text)

    def _change_of_pip(
        self,
        slot: _Slot,
        entry: Entry,
        edits: Sequence[Remove | Replace],
        urls: frozenset[str],
    ) -> None:
        lines = [*pip_section.lines(entry.node)]
        if len(lines) != 1 or lines[0].text != entry.node.text().strip():
            raise HeldBackError("one item of the list holds several lines or a comment for pip")
        (logical,) = lines
        offsets = pip_edits.offsets(logical, path=self._manifest.path)
        at = {offsets[pip_edits.place(edit.line)]: edit for edit in edits}
        made = pip_edits.changes(logical.text, at, urls)
        if made is None:
            self._removed["pip"].add(slot.number)
            return
        text = logical.text
        for one in reversed(made):
            text = text[: one.start] + one.text + text[one.end :]
        self._write(slot, entry.node, text)

    def _write(self, slot: _Slot, node: Node, text: str) -> None:
        """Write another text in the place of a scalar, in its own quotes."""
        draft, start = self._draft, node.start
        if start == node.end:
            raise HeldBackError("nothing is written there")
        if node.style in {"|", ">"}:
            old = node.text().strip()
            start = draft.places.index(node.line, node.column)
            if draft.text[start : node.end] != old:
                raise HeldBackError("its text goes over several lines")
            draft.put(start, node.end, text)
            return
        properties = _PROPERTIES.match(draft.text, start)
        start = properties.end() if properties and node.style != "*" else start
        collection = self._sections.found[slot.section]
        quote = node.style if node.style in {"'", '"'} else ""
        spare = yaml_scalars.quote_of(_values(collection))[1]
        written = yaml_scalars.written(text, in_flow=collection.is_flow, quote=quote, spare=spare)
        draft.put(start, node.end, written)

    def add(self, edit: Add) -> None:
        """Put a line in, behind another or where its kind belongs."""
        if edit.scope:
            raise HeldBackError(f"an environment file has no part {edit.scope}")
        section = section_of(edit.section, edit.kind)
        if section == "root":
            raise HeldBackError("a prefix is of one machine: conda ignores it")
        after = -1 if edit.kind in {Kind.INDEX, Kind.CHANNEL} else self._end(section)
        if edit.after:
            slot = self.slot(edit.after)
            if slot.section != section:
                raise HeldBackError(f"{edit.after.text} stands in another section")
            after = slot.number
        text = edit.text
        if edit.kind is Kind.INDEX:
            text = pip_edits.option_line(edit, self._manifest.declared)
        if section in self._sections.found:
            self._sections.check_unshared(section)
        self._inserts[section].append(Insert(after, self._entry(section, text)))

    def _end(self, section: str) -> int:
        """Return the entry behind which a new one stands: before the pip section."""
        found = self._sections.found.get(section)
        entries = found.entries if found else ()
        scalars = [n for n, e in enumerate(entries) if e.node.kind == "scalar"]
        # Behind what comes in at the front, where nothing else is there.
        return scalars[-1] if scalars else -1 if entries else 0

    def _entry(self, section: str, text: str) -> str:
        """Return a text as an entry of a section, in the section's quotes."""
        collection = self._sections.found.get(section)
        in_flow = self._sections.is_flow(section)
        quote, spare = yaml_scalars.quote_of(_values(collection) if collection else ())
        if section == "variables":
            name, _, value = text.partition("=")
            key = yaml_scalars.written(name, in_flow=in_flow)
            return (
                f"{key}: {yaml_scalars.written(value, in_flow=in_flow, quote=quote, spare=spare)}"
            )
        return yaml_scalars.written(text, in_flow=in_flow, quote=quote, spare=spare)

    def add_pip_itself(self, adds: Sequence[Add], edits: Sequence[Edit]) -> None:
        """Ask conda for pip where the first line for pip comes in."""
        if "pip" in self._sections.found or not self._inserts["pip"]:
            return
        gone = [edit.line for edit in edits if isinstance(edit, Remove)]
        of_conda = (d for d in self._manifest.declared if d.section is Section.CONDA)
        asked = {d.name for d in of_conda if d not in gone}
        asked |= {conda_item.read(a.text).name for a in adds if a.section is Section.CONDA}
        if "pip" not in asked:
            self._inserts["dependencies"].append(
                Insert(self._end("dependencies"), self._entry("dependencies", "pip"))
            )

    def splices(self) -> tuple[Splice, ...]:
        """Make the changes of each section, the inner ones first."""
        for section in ("pip", "dependencies", "channels", "variables", "root"):
            removed, inserts = frozenset(self._removed[section]), self._inserts[section]
            inserts.sort(key=lambda insert: insert.after)
            if removed or inserts:
                self._change_section(section, removed, inserts)
        return self._draft.splices()

    def _change_section(
        self, section: str, removed: frozenset[int], inserts: Sequence[Insert]
    ) -> None:
        found = self._sections.found.get(section)
        if found is None or found.is_empty:
            self._begin(section, found, [insert.text for insert in inserts])
        elif found.node.kind == "scalar":
            raise HeldBackError(f"{section}: is no list")
        elif inserts or len(removed) < len(found.entries):
            yaml_collections.change(self._draft, found, removed, inserts)
        elif section == "dependencies" or section not in self._sections.owners:
            yaml_collections.clear(self._draft, found)
        else:
            owner, number = self._sections.owners[section]
            if len(self._sections.found[owner].entries[number].node.pairs()) > 1:
                raise HeldBackError(f"another key stands beside {section}: in its item")
            self._removed[owner].add(number)

    def _begin(self, section: str, empty: Collection | None, texts: Sequence[str]) -> None:
        """Write a section that is not there, or is empty."""
        dash = "" if section == "variables" else "- "
        if empty and empty.key:
            indent = " " * (empty.key.column - 1 + (self._offset() if dash else 2))
            line = self._draft.places.at(empty.key.end).line
            for text in texts:
                self._draft.insert(line, f"{indent}{dash}{text}")
        elif section == "pip":
            self._begin_pip(texts)
        else:
            self._sections.check_absent(section)
            indent = " " * (self._offset() if dash else 2)
            line = self._line_before(section)
            for text in (f"{section}:", *(f"{indent}{dash}{text}" for text in texts)):
                self._draft.insert(line, text)

    def _begin_pip(self, texts: Sequence[str]) -> None:
        found = self._sections.found.get("dependencies")
        entries = found.entries if found else ()
        if found:
            self._sections.check_unshared("dependencies")
        if self._sections.is_flow("pip"):
            text = f"{{pip: [{', '.join(texts)}]}}"
        else:
            head = (
                yaml_collections.prefix(self._draft, found, entries[0]) if found and entries else ""
            )
            width = len(head) or self._offset() + 2
            items = (" " * (width + self._offset()) + f"- {text}" for text in texts)
            text = self._draft.newline(1).join(("pip:", *items))
        self._inserts["dependencies"].append(Insert(max(len(entries) - 1, 0), text))

    def _line_before(self, section: str) -> int:
        """Return the line behind which a new section of the file stands."""
        root = self._sections.found["root"]
        number = len(root.entries)
        if section == "channels" and "dependencies" in self._sections.owners:
            number = self._sections.owners["dependencies"][1]
        if not number:
            return yaml_collections.first_line(self._draft, root.entries[0]) - 1
        return yaml_collections.last_line(self._draft, root.entries[number - 1])

    def _offset(self) -> int:
        """Return how far the lists of the file stand in from their keys."""
        for section in ("dependencies", "channels"):
            found = self._sections.found.get(section)
            is_list = found and found.node.kind == "sequence" and not found.is_flow
            if found and is_list and found.key and found.entries:
                before = yaml_collections.prefix(self._draft, found, found.entries[0])
                return before.index("-") - (found.key.column - 1)
        return 2


def _values(collection: Collection) -> tuple[Node, ...]:
    return tuple(entry.value for entry in collection.entries)
