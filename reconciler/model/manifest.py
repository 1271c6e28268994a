"""What a project's files declare."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.model.conda_spec import CondaSpec, InvalidCondaSpec
from reconciler.model.location import Location
from reconciler.model.prefix import ActivationScript

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.model.cuda import Manager

_PIN = re.compile(r"===?\s*([\w.+!]+)\s*(?:$|[;#]|--)")


class Section(StrEnum):
    """Which manager reads a line."""

    CONDA = "conda"
    PIP = "pip"
    #: No package manager does: a shell, or a container's builder.
    SHELL = "shell"


#: Who installs what stands in a section.
MANAGERS: Mapping[Section, Manager] = {Section.CONDA: "conda", Section.PIP: "pip"}


class Kind(StrEnum):
    """What a line of a manifest asks for."""

    REQUIREMENT = "requirement"
    #: A package index or a page of links; ``name`` is its URL, ``role`` what it does.
    INDEX = "index"
    #: A channel of conda; ``name`` is the channel.
    CHANNEL = "channel"
    #: A ``-r``; ``name`` is the path, relative to the project.
    INCLUDE = "include"
    #: A ``-c``: it limits versions, and installs nothing.
    CONSTRAINT = "constraint"
    #: The Pythons that a project supports: ``requires-python``; ``text`` is the specifier.
    PYTHON = "python"
    #: A variable that is set for the environment; ``name`` is the variable's, ``text`` NAME=VALUE.
    VARIABLE = "variable"
    #: A ``FROM``; ``name`` is the image without its tag, ``text`` with it.
    IMAGE = "image"
    #: A command that compiles for CUDA where it runs: nvcc, ``python setup.py``, a ``pip install``
    #: without build isolation; ``text`` is the command.
    COMPILATION = "compilation"
    #: A package of the operating system that has to do with CUDA: ``apt-get install cuda-nvcc-12-1``.
    SYSTEM = "system"
    #: A Python environment that a command makes, of its own beside the one that is there.
    ENVIRONMENT = "environment"
    #: An export's ``prefix:``; ``name`` is the folder.
    PREFIX = "prefix"


class IndexRole(StrEnum):
    """What an index is to its tool."""

    #: In place of PyPI: ``--index-url``, uv's ``default = true``, poetry's primary source.
    DEFAULT = "default"
    #: Beside PyPI: ``--extra-index-url``, a further index of uv.
    EXTRA = "extra"
    #: A page of links: ``--find-links``.
    LINKS = "links"
    #: Only for the requirements that name it: uv's and poetry's ``explicit``.
    EXPLICIT = "explicit"


class Declared(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that a manifest declares, with its place."""

    path: str
    section: Section
    kind: Kind = Kind.REQUIREMENT
    #: As its manager writes it: PEP 508, a MatchSpec, an option of pip. The file's own words
    #: without comment and quotes where these are that.
    text: str
    #: The normal name (PEP 503) of a requirement; conda's own name in the conda section.
    name: str
    #: Counted from 1; so is the column.
    line: int
    column: int
    #: The part of the file that it belongs to, such as ``extra cu118``; "" is always installed.
    scope: str = ""
    #: conda's names of the platforms that it is for; empty for all. Markers stand in ``text``.
    platforms: tuple[str, ...] = ()
    #: Of a requirement: the URL of the only index that may serve it, where its tool can say that.
    index: str = ""
    #: Of an index.
    role: IndexRole | None = None
    #: Lines of one command bear one number: its indexes serve its requirements alone. 0 is the file.
    command: int = 0

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
    def spec(self) -> CondaSpec | None:
        """What is asked of conda; None in another section, and for what is no MatchSpec."""
        try:
            return CondaSpec.parse(self.text) if self.section is Section.CONDA else None
        except InvalidCondaSpec:
            return None

    @property
    def marker(self) -> str:
        """The environment marker (PEP 508); "" where it has none."""
        if self.section is not Section.PIP:
            return ""
        return self.text.partition(";")[2].partition(" --")[0].strip()


class FaultKind(StrEnum):
    """What is wrong with the form of a file, whatever it asks for."""

    #: Its tool ignores an option that stands there, or what stands behind one.
    OPTION_LOST = "option-lost"
    #: Of several sections, its tool reads one.
    SECTION_LOST = "section-lost"
    #: Markers of a merge that was not finished.
    CONFLICT = "conflict"
    #: Not of the format that its name says, from there on.
    UNREADABLE = "unreadable"
    #: Its tool refuses the line.
    BROKEN = "broken"


class Correction(Struct, frozen=True, kw_only=True):
    """What to write where a fault is."""

    #: As written, and where: as of the fault.
    old: str = ""
    line: int = 0
    column: int = 1
    #: In the place of that; "" takes it out.
    text: str = ""
    #: Lines of their own, before and behind the line that it stands in.
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    #: Of a section that is lost: the line of the one that its items belong into.
    into: int = 0
    #: Whether nothing else can have been meant.
    is_certain: bool = True


class Fault(Struct, frozen=True, kw_only=True):
    """One place of a file that its own tool will refuse, drop or misread."""

    kind: FaultKind
    #: As written.
    text: str
    #: What its tool makes of it, and why: a sentence without its period.
    why: str
    #: What to write instead, with the real values; "" where only the user can know.
    better: str = ""
    #: Of each place that it is told of; none where only the user can know.
    corrections: tuple[Correction, ...] = ()
    #: Counted from 1; so is the column.
    line: int
    column: int = 1

    def corrected(self, correction: Correction | None) -> Fault:
        """Return the fault with what to write where it is; None where nobody can know."""
        if correction is None:
            return self
        placed = replace(correction, old=self.text, line=self.line, column=self.column)
        return replace(self, corrections=(placed,))

    def location(self, path: str) -> Location:
        """Return the place to show to a user, in the file at ``path``."""
        return Location(subject=self.text, path=path, line=self.line, column=self.column)


class Combination(Struct, frozen=True, kw_only=True):
    """Parts of one file that are installed together."""

    #: As a report names it, such as ``extra cu118``; "" is the file itself.
    name: str = ""
    scopes: tuple[str, ...] = ("",)
    #: conda's names of the platforms that it is for; empty for those of the file.
    platforms: tuple[str, ...] = ()


class Manifest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One declared file, whole, with the secrets in it masked by asterisks of equal length."""

    #: Relative to the project.
    path: str
    text: str
    #: The name of its format in ``manifests.FORMATS``.
    format: str = ""
    #: The program that installs from it: ``pip``, ``conda``, ``uv``, ``poetry``, ``pixi``, ``pdm``.
    #: ``shell`` where commands of several do, each line by its own section.
    tool: str = "pip"
    #: Whether a program wrote it, and no hand is to change it.
    is_lock: bool = False
    #: What it declares, in its own order.
    declared: tuple[Declared, ...] = ()
    #: The environments that it names, by ``name:`` and by ``prefix:``, which conda itself ignores.
    environments: tuple[str, ...] = ()
    #: What of it is installed together.
    combinations: tuple[Combination, ...] = (Combination(),)
    #: The platforms that it says it is for; empty where it says none.
    platforms: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    #: Of a lock: the files that it was made of, relative to the project, as far as it says.
    sources: tuple[str, ...] = ()
    #: Of a script of ``activate.d`` or ``deactivate.d``: what it does, read as an installed one is.
    script: ActivationScript | None = None


class ManifestError(ValueError):
    """A file is not what its name says; ``line`` is counted from 1."""

    def __init__(self, why: str, line: int | None = None) -> None:
        super().__init__(why if line is None else f"line {line}: {why}")
        self.why = why
        self.line = line
