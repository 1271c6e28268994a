"""What becomes of requirements of pip where conda is to supply the CUDA stack."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

from msgspec import Struct

from reconciler.model.location import Location
from reconciler.model.plan import FileRepair
from reconciler.model.solution import PlatformProof, Status

# pytorch, and pytorch=*=cuda*
_ANY_VERSION = re.compile(r"(?P<name>[\w.-]+)(?:=\*=(?P<build>\S+))?")

#: Why a conversion is not proven where nobody wanted a proof.
NOT_ASKED = "no solver was asked whether the channels have all of it together"


class Confidence(StrEnum):
    """How a package of conda is known to serve for a requirement, the surest first."""

    #: The file itself asks conda for it.
    GIVEN = "given"
    #: A row of the catalog, which is about this project and its CUDA.
    CATALOG = "catalog"
    #: The vendored map of conda-forge's packages, made of the dist-info inside them.
    MAP = "map"


class Converted(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="converted"):
    """A requirement that conda serves."""

    requirement: str
    at: Location
    #: The normal name on PyPI.
    name: str
    #: MatchSpecs, in the order in which they are to be written; for pip, requirements.
    specs: tuple[str, ...]
    provenance: str
    confidence: Confidence
    #: conda's names of the platforms that it is for; empty for all of the conversion's.
    platforms: tuple[str, ...] = ()
    #: The channel that it needs beside conda-forge; for pip, the index beside PyPI.
    channel: str = ""
    #: What pip goes on to install: the requirement with extras that only PyPI's metadata resolve.
    rest: str = ""
    notes: tuple[str, ...] = ()


class Kept(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="kept"):
    """A requirement that stays under pip."""

    requirement: str
    at: Location
    #: The normal name on PyPI; "" where only a build would tell.
    name: str
    #: A sentence without its period.
    reason: str
    #: MatchSpecs of what pip needs to install it: git, a compiler.
    needs: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Dropped(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="dropped"):
    """A requirement that nothing is to be asked for any more."""

    requirement: str
    at: Location
    name: str
    #: A sentence without its period.
    reason: str
    platforms: tuple[str, ...] = ()


Line = Converted | Kept | Dropped


class Stance(StrEnum):
    """What an environment is to do with CUDA."""

    #: One release of it, from conda.
    CUDA = "cuda"
    #: Builds for the CPU alone.
    CPU = "cpu"
    #: What is asked for cannot be had in one environment: a person has to choose.
    CLASH = "clash"
    #: Nothing that is asked for has to do with it.
    ABSENT = "absent"


class CudaDecision(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which CUDA the whole environment gets, and why."""

    stance: Stance
    #: Such as ``12.1``; "" without CUDA, and in a clash.
    release: str = ""
    #: What it rests on, each a sentence without its period, the weightiest first.
    because: tuple[str, ...] = ()
    #: In a clash: what a person may choose, each an option of the command with what it means.
    choices: tuple[str, ...] = ()
    #: MatchSpecs that select it.
    specs: tuple[str, ...] = ()


class Setting(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An option of pip's that the source gives, and what becomes of it."""

    text: str
    at: Location
    #: Whether the pip section still has it.
    is_carried: bool
    #: A sentence without its period.
    reason: str


class Conversion(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One source, converted."""

    #: Of the environment.
    name: str
    #: The path of the file that was converted, relative to the project.
    source: str
    #: conda's names of the platforms that it was converted for, the chief one first.
    platforms: tuple[str, ...]
    channels: tuple[str, ...]
    #: The MatchSpec of Python.
    python: str
    lines: tuple[Line, ...]
    #: For the chief platform, and each that is not named below.
    cuda: CudaDecision
    #: By platform, where another one has builds for another release, or none.
    elsewhere: Mapping[str, CudaDecision] = {}
    settings: tuple[Setting, ...] = ()
    #: Sentences without their periods.
    notes: tuple[str, ...] = ()
    #: What a solver says, for each platform; none where none was asked.
    proofs: tuple[PlatformProof, ...] = ()
    #: Why no solver was asked.
    unproven: str = ""
    #: What a solver gives for the source as it is written: sentences.
    as_written: tuple[str, ...] = ()

    @property
    def status(self) -> Status:
        """How all platforms together stand with the solver."""
        found = {proof.status for proof in self.proofs}
        if found == {Status.SOLVED}:
            return Status.SOLVED
        return Status.UNSOLVED if Status.UNSOLVED in found else Status.NOT_PROVEN

    def is_open(self, is_proof_wanted: bool | None) -> bool:  # noqa: FBT001 - an option's value
        """Tell whether something is left to a person: a choice, a conflict, a proof asked for."""
        refuted = self.status is Status.UNSOLVED
        unproven = bool(is_proof_wanted) and self.status is not Status.SOLVED
        return bool(self.cuda.choices) or refuted or unproven

    def decided(self, platform: str) -> CudaDecision:
        """Return the CUDA of one platform."""
        return self.elsewhere.get(platform, self.cuda)

    def on(self, platform: str) -> tuple[Line, ...]:
        """Return what becomes of the lines that are for a platform."""
        return tuple(x for x in self.lines if not x.platforms or platform in x.platforms)

    def specs(self, platform: str) -> tuple[str, ...]:
        """Return every MatchSpec for a platform, in order: what a solver is asked for."""
        lines = self.on(platform)
        converted = [spec for line in lines if isinstance(line, Converted) for spec in line.specs]
        needed = [spec for line in lines if isinstance(line, Kept) for spec in line.needs]
        pip = ("pip",) if self.pip_lines(platform) else ()
        cuda = self.decided(platform).specs
        # A bare python is told by any other.
        has_python = any(
            spec.startswith(("python=", "python<", "python>", "python ")) for spec in converted
        )
        python = () if has_python and self.python == "python" else (self.python,)
        asked = tuple(dict.fromkeys((*python, *cuda, *converted, *needed, *pip)))
        return tuple(spec for spec in asked if not _is_implied(spec, asked))

    def pip_lines(self, platform: str) -> tuple[str, ...]:
        """Return what stays for pip on a platform, in order."""
        rests = (
            line.requirement if isinstance(line, Kept) else line.rest
            for line in self.on(platform)
            if not isinstance(line, Dropped)
        )
        return tuple(dict.fromkeys(rest for rest in rests if rest))


def _is_implied(spec: str, asked: Iterable[str]) -> bool:
    """Tell whether another spec of the same package says all that one of any version says."""
    match = _ANY_VERSION.fullmatch(spec)
    if match is None:
        return False
    begins = tuple(f"{match['name']}{sign}" for sign in "= <>!~")
    ends = (f"={match['build']}", f" {match['build']}") if match["build"] else ("",)
    return any(s != spec and s.startswith(begins) and s.endswith(ends) for s in asked)


class Rendition(Struct, frozen=True, kw_only=True):
    """A conversion, and the file that it comes to."""

    conversion: Conversion
    #: Where the file belongs, relative to the project, and what is to stand there.
    file: FileRepair
    #: Whether the file is one of the sources, which is edited.
    is_edited: bool
