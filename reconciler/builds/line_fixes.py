"""Which of several lines of a file stays: fixes made of what the file itself tells."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.builds.declared import extras_of, pinned_version
from reconciler.model import line_edits
from reconciler.model.catalog import Catalog
from reconciler.model.cuda import CudaBuild, Role
from reconciler.model.editor_lines import split
from reconciler.model.fix import Applicability, Edit, Fix, Remove, Replace
from reconciler.model.install_set import InstallSet
from reconciler.model.manifest import MANAGERS, Manifest, Section
from reconciler.model.release_clause import clauses_of
from reconciler.model.row import numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.model.consumer import Consumer
    from reconciler.model.family import Member
    from reconciler.model.manifest import Declared

#: By which conda's frameworks say their CUDA: who asks for one takes the framework from conda.
_SELECTORS = frozenset({"pytorch-cuda", "cudatoolkit", "cuda-version", "pytorch-gpu"})


class LineFixes(Struct, frozen=True, kw_only=True):
    """The lines of one install set, to be edited; what only a person can choose is shown."""

    install: InstallSet
    catalog: Catalog
    #: What the set asks of CUDA, with the frameworks that it does not pin.
    builds: tuple[CudaBuild, ...]
    #: The files, whose comments may say why a line is there.
    manifests: tuple[Manifest, ...] = ()

    def choice(self, title: str) -> Fix:
        """Return what is left to a person; the title says between what."""
        return Fix(title=title, applicability=Applicability.DISPLAY)

    def one_of(self, lines: Sequence[Declared]) -> Fix:
        """Return the fix that keeps the line that is for the frameworks' CUDA."""
        names = {line.name for line in lines}
        majors = {b.major for b in self._frameworks() if b.package not in names} - {None}
        kept = [line for line in lines if len(majors) == 1 and self._major(line) in majors]
        if len(kept) != 1:
            return self.choice(f"keep one: {' or '.join(line.text for line in lines)}")
        gone = [line for line in lines if line is not kept[0]]
        return Fix(
            title=f"keep {kept[0].text}, which is for the framework's CUDA {majors.pop()} too",
            applicability=Applicability.UNSAFE,
            edits=tuple(Remove(line=line) for line in gone),
        )

    def of_major(self, chief: CudaBuild, others: Iterable[CudaBuild]) -> Fix | None:
        """Return the fix that leaves a framework's CUDA major alone; None for a person's choice."""
        edits = [self._exchanged(chief, other) for other in others]
        conda = any(edit and edit.line.section is Section.CONDA for edit in edits)
        # What conda builds on its CUDA would be left without one.
        has_users = any(self.catalog.consumer("conda", line.name) for line in self._of_conda())
        if None in edits or (conda and has_users):
            return None
        return Fix(
            title=f"keep {chief} with its CUDA {chief.major}",
            applicability=Applicability.UNSAFE,
            edits=tuple(edit for edit in edits if edit),
        )

    def paired(self, framework: Member, members: Sequence[Member]) -> Fix | None:
        """Return the fix that pins extensions to what fits a framework; None where unknown."""
        edits = [self._paired(framework, member) for member in members]
        if None in edits:
            return None
        made: tuple[Edit, ...] = tuple(edit for edit in edits if edit)
        texts = " and ".join(edit.text for edit in edits if edit)
        title = f"ask for {texts}, which fits {framework}"
        return Fix(title=title, applicability=Applicability.UNSAFE, edits=made)

    def one_manager(self, conda: Declared, pip: Declared) -> Fix:
        """Return the fix that leaves a project to the manager which has the rest of its family."""
        if any(self._is_explained(line) for line in (conda, pip)):
            ways = f"keep {conda.text!r} of conda or {pip.text!r} of pip"
            return self.choice(f"{ways}: a comment says why they are there")
        is_same = self._is_same(conda, pip)
        to_pip = is_same and self._is_of_pip(pip)
        if not is_same or (to_pip and pinned_version(conda) and not pip.pin):
            ways = f"keep {conda.text!r} of conda or {pip.text!r} of pip"
            return self.choice(f"{ways}: they are not the same")
        kept, gone = (pip, conda) if to_pip else (conda, pip)
        return Fix(
            title=f"drop {gone.text!r} of {gone.section}: {kept.section} has {kept.text!r}",
            applicability=Applicability.UNSAFE,
            edits=(Remove(line=gone),),
        )

    def _is_explained(self, line: Declared) -> bool:
        """Tell whether a comment stands behind a line, or right above it."""
        texts = (manifest.text for manifest in self.manifests if manifest.path == line.path)
        lines = split(next(texts, ""))
        above, own = ("", *lines)[line.line - 1 : line.line + 1]
        return above.lstrip().startswith("#") or re.search(r"\s#", own) is not None

    def _frameworks(self) -> list[CudaBuild]:
        rows = self.catalog.consumers
        return [b for b in self.builds if (c := rows.get(b.component)) and c.kind == "framework"]

    def _major(self, line: Declared) -> int | None:
        found = (b.major for b in self.builds if b.at == line.location)
        return next(found, None)

    def _of_conda(self) -> tuple[Declared, ...]:
        return self.install.requirements(Section.CONDA)

    def _exchanged(self, chief: CudaBuild, other: CudaBuild) -> Remove | Replace | None:
        line = self.install.line_at(other.at)
        if line is None:
            return None
        there = {d.name for d in self.install.requirements(Section.PIP)}
        if other.role is not Role.NEEDS:
            opens = self.catalog.consumers[chief.component].opens
            sibling = self.catalog.wheel_of(other.component, chief.major or 0)
            is_used = other.component in opens and other.manager == "pip" and sibling
            if not is_used or sibling in there:
                return Remove(line=line)
            return line_edits.written(line, name=sibling, spec="")
        consumer = self.catalog.consumers.get(other.component)
        name = consumer.sibling(other.package, chief.major) if consumer else None
        if name is None or other.manager != "pip":
            return None
        return Remove(line=line) if name in there else line_edits.written(line, name=name)

    def _paired(self, framework: Member, member: Member) -> Replace | None:
        line = self.install.line_at(member.at)
        if line is None or member.manager != "pip":
            return None
        base, _, own = member.version.partition("+")
        label = framework.version.partition("+")[2]
        if member.pairing and not member.pairing.fits(framework.version):
            base = self.catalog.paired(member.package, framework.version) or ""
            is_same_build = (
                member.build and framework.build and member.build.cuda == framework.build.cuda
            )
            label = label or (own if is_same_build else "")
        is_served = self.catalog.consumers[member.component].on_pytorch_index
        if not base or (own and not label) or (label and not is_served):
            return None
        edit = line_edits.reversioned(line, member.version, f"{base}+{label}" if label else base)
        return edit if edit and edit.text != line.text else None

    def _is_same(self, conda: Declared, pip: Declared) -> bool:
        """Tell whether pip has nothing to do where conda has installed its line."""
        # The usual name stands first; the others are further packings of it, or parts.
        if pip.name not in self.catalog.distributions_of(conda.name)[:1] or extras_of(pip):
            return False
        if {"@", "+"} & {*pip.text}:
            return False
        asked = pinned_version(conda)
        clauses = clauses_of(pip.text)
        fits = bool(asked) and all(clause.allows(numbers(asked)) for clause in clauses)
        return fits or not clauses or clauses == clauses_of(conda.text)

    def _is_of_pip(self, pip: Declared) -> bool:
        """Tell whether what goes with a project, or else all of the file, comes from pip alone."""
        project = self.catalog.consumer("pip", pip.name)
        sides = {}
        for section in (Section.CONDA, Section.PIP):
            lines = self.install.requirements(section)
            others = [d for d in lines if not self._is_of_project(d, pip)]
            kin = [d for d in others if project and self._is_kin(d, project)]
            sides[section] = (kin, others)
        (kin_of_conda, conda), (kin_of_pip, wheels) = sides.values()
        if kin_of_conda or kin_of_pip:
            return not kin_of_conda
        return not conda and bool(wheels)

    def _is_of_project(self, line: Declared, pip: Declared) -> bool:
        names: tuple[str, ...] = (line.name,)
        if line.section is Section.CONDA:
            names = self.catalog.distributions_of(line.name)
        return pip.name in names or line.name in {"pip", "python"}

    def _is_kin(self, line: Declared, project: Consumer) -> bool:
        """Tell whether a line goes with a project: it extends it, or says its CUDA."""
        if line.section is Section.CONDA and line.name in _SELECTORS:
            return True
        manager = MANAGERS[line.section]
        other = self.catalog.consumer(manager, line.name)
        family = {project.name, project.extends}
        return other is not None and bool({other.name, other.extends} & family - {None})
