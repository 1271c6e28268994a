"""What a solver says of an environment that is asked for, and how it came to be solved."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from reconciler.model.cuda import CudaBuild
from reconciler.model.look import Tell


class ChannelRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One package that a channel serves, as its repodata says."""

    name: str
    version: str
    build: str
    build_number: int = 0
    #: A URL, without credentials.
    channel: str = ""
    subdir: str = ""
    depends: tuple[str, ...] = ()
    constrains: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Name, version and build, as conda shows them."""
        return f"{self.name} {self.version} {self.build}"


class VirtualPackage(Struct, frozen=True):
    """A property of the target machine that packages depend on: ``__cuda``, ``__glibc``."""

    name: str
    version: str
    build: str = "0"


class Solution(Struct, frozen=True, kw_only=True, tag="solution"):
    """The packages that an installation would bring."""

    platform: str
    records: tuple[ChannelRecord, ...]

    def record(self, name: str) -> ChannelRecord | None:
        """Return the package of a name, if it is part of the solution."""
        return next((record for record in self.records if record.name == name), None)


class NoSolution(Struct, frozen=True, kw_only=True, tag="no-solution"):
    """No set of packages satisfies what is asked for."""

    platform: str
    #: The solver's tree, shortened, and what its terms mean.
    conflict: str
    #: The packages asked for that the solver names as those which cannot be had.
    culprits: tuple[str, ...] = ()
    #: No channel has what one spec asks for, so that the others were not even weighed.
    is_absence: bool = False


class NotProven(Struct, frozen=True, kw_only=True, tag="not-proven"):
    """The solver could not be asked, or gave no answer: neither solved nor refuted."""

    platform: str
    why: str


Outcome = Solution | NoSolution | NotProven


class RepairKind(StrEnum):
    """What a repair does to one spec, the least harm first."""

    #: A package that no channel has goes to pip.
    ABSENT = "absent"
    #: The build of a package without CUDA is let go.
    BUILD = "build"
    PATCH = "patch"
    MINOR = "minor"
    #: Another release of the CUDA that was decided on, of the same major.
    CUDA = "cuda"
    #: The released version nearest to the one that is asked for.
    NEAREST = "nearest"
    #: A package that conda cannot give beside the others goes to pip.
    PIP = "pip"
    #: The build for CUDA is let go: a build for the CPU may be chosen.
    CPU = "cpu"


class Repair(Struct, frozen=True, kw_only=True):
    """One change of one spec."""

    kind: RepairKind
    name: str
    before: str
    #: The new spec; None for a package that is moved to pip.
    after: str | None
    #: One sentence for the user.
    says: str


class Attempt(Struct, frozen=True, kw_only=True):
    """What a solver was asked for, and how that differs from what the user asked for."""

    specs: tuple[str, ...]
    repairs: tuple[Repair, ...] = ()
    outcome: Outcome


class Proof(Struct, frozen=True, kw_only=True):
    """Every attempt on one platform, in order; the last one counts."""

    platform: str
    trail: tuple[Attempt, ...]

    @property
    def outcome(self) -> Outcome:
        """What came of it; where nothing helped, the conflict that is nearest to what was asked."""
        last = self.trail[-1].outcome
        if not isinstance(last, NoSolution):
            return last
        refused = [a.outcome for a in self.trail if isinstance(a.outcome, NoSolution)]
        return next((each for each in refused if not each.is_absence), refused[0])

    @property
    def repairs(self) -> tuple[Repair, ...]:
        """The changes that the solution rests on."""
        last = self.trail[-1]
        return last.repairs if isinstance(last.outcome, Solution) else ()

    @property
    def specs(self) -> tuple[str, ...]:
        """The specs that were solved; those asked for where none were."""
        last = self.trail[-1]
        return (last if isinstance(last.outcome, Solution) else self.trail[0]).specs


class Complaint(Struct, frozen=True, kw_only=True):
    """What is wrong with a solution, though a solver accepts it."""

    #: The packages that it is about.
    packages: tuple[str, ...]
    says: str


class Status(StrEnum):
    """How an environment stands with the solver."""

    SOLVED = "solved"
    #: On some platform nothing that comes near has a solution.
    UNSOLVED = "unsolved"
    NOT_PROVEN = "not-proven"


class PlatformProof(Struct, frozen=True, kw_only=True):
    """What a solver says of an environment on one platform, and of the CUDA in it."""

    #: The machine that was solved for.
    machine: tuple[VirtualPackage, ...]
    #: Every attempt; one that a change of the file made necessary begins with its outcome.
    proof: Proof
    #: The changes that the file rests on.
    repairs: tuple[Repair, ...] = ()
    #: The packages of the solution that have to do with CUDA.
    cuda: tuple[CudaBuild, ...] = ()

    @property
    def status(self) -> Status:
        """What came of it, in a word."""
        if isinstance(self.proof.outcome, NoSolution):
            return Status.UNSOLVED
        return Status.SOLVED if self.solution else Status.NOT_PROVEN

    @property
    def solution(self) -> Solution | None:
        """The packages that an installation would bring; None where there is no solution."""
        return self.proof.outcome if isinstance(self.proof.outcome, Solution) else None


class Terms(Struct, frozen=True, kw_only=True):
    """How a conversion is proven."""

    is_wanted: bool = True
    #: Whether somebody has asked for it: then what is in its way is an error.
    is_asked: bool = False
    #: Whether only local channels, and what is cached, may be read.
    offline: bool = False
    #: Where all packages are taken from; empty for the channels of the conversion.
    channels: tuple[str, ...] = ()
    #: The release of the target's driver; "" for one that runs the CUDA of the conversion.
    driver: str = ""
    #: Hears what takes long; None where nobody listens.
    tell: Tell | None = None
