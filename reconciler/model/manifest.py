"""What a project's files declare."""

from __future__ import annotations

import re
from enum import StrEnum

from msgspec import Struct

from reconciler.model.finding import Location

_PIN = re.compile(r"===?\s*([\w.+!]+)\s*(?:$|[;#]|--)")


class Section(StrEnum):
    """Which manager reads a line."""

    CONDA = "conda"
    PIP = "pip"


class Kind(StrEnum):
    """What a line of a manifest asks for."""

    REQUIREMENT = "requirement"
    #: An ``--index-url``, ``--extra-index-url`` or ``--find-links``; ``name`` is its value.
    INDEX = "index"
    #: A channel of environment.yml; ``name`` is the channel.
    CHANNEL = "channel"
    #: A ``-r``; ``name`` is the path, relative to the project.
    INCLUDE = "include"
    #: A ``-c``: it limits versions, and installs nothing.
    CONSTRAINT = "constraint"


class Declared(Struct, frozen=True, kw_only=True):
    """One thing that a manifest declares, with its place."""

    path: str
    section: Section
    kind: Kind = Kind.REQUIREMENT
    #: As written, without comment and quotes.
    text: str
    #: The normal name (PEP 503) of a requirement; conda's own name in the conda section.
    name: str
    #: Counted from 1; so is the column.
    line: int
    column: int

    @property
    def location(self) -> Location:
        """The place to show to a user."""
        subject = f"{self.section} {self.text}"
        return Location(subject=subject, path=self.path, line=self.line, column=self.column)

    @property
    def pin(self) -> str:
        """The version that a requirement of pip pins by ``==``; "" where it pins none."""
        match = _PIN.search(self.text) if self.section is Section.PIP else None
        return match[1] if match else ""

    @property
    def marker(self) -> str:
        """The environment marker (PEP 508); "" where it has none."""
        if self.section is not Section.PIP:
            return ""
        return self.text.partition(";")[2].partition(" --")[0].strip()


class Manifest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One declared file, whole, with the secrets in it masked by asterisks of equal length."""

    #: Relative to the project.
    path: str
    text: str
    #: What it declares, in its own order.
    declared: tuple[Declared, ...] = ()
    #: The environments that it names, by ``name:`` and by ``prefix:``, which conda itself ignores.
    environments: tuple[str, ...] = ()


class ManifestError(ValueError):
    """A file is not what its name says; ``line`` is counted from 1."""

    def __init__(self, why: str, line: int | None = None) -> None:
        super().__init__(why if line is None else f"line {line}: {why}")
        self.why = why
        self.line = line


class InstallSet(Struct, frozen=True, kw_only=True):
    """What one installation brings together: a file with what it includes."""

    #: The path of the file that was asked for.
    name: str
    declared: tuple[Declared, ...]

    def requirements(self, section: Section) -> tuple[Declared, ...]:
        """Return what is required in one section, in the order of the files."""
        return tuple(
            d for d in self.declared if d.section == section and d.kind is Kind.REQUIREMENT
        )

    def indexes(self) -> tuple[Declared, ...]:
        """Return the package indexes that pip is pointed at."""
        return tuple(d for d in self.declared if d.kind is Kind.INDEX)
