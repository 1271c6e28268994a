"""What a run says at its end."""

from __future__ import annotations

from msgspec import Struct

from reconciler.model.cuda import CudaBuild
from reconciler.model.finding import Finding, Location
from reconciler.model.graph import Graph
from reconciler.model.host import SystemToolkit
from reconciler.model.ignore import Ignored
from reconciler.model.machine import Driver
from reconciler.model.manifest import Manifest
from reconciler.model.pip_view import LiveView
from reconciler.model.run import Run
from reconciler.model.snapshot import Gap, Target


class Skip(Struct, frozen=True, kw_only=True):
    """A rule that could not be asked, and why."""

    code: str
    reason: str


class Crash(Struct, frozen=True, kw_only=True):
    """A rule with a bug in it."""

    code: str
    traceback: str


class FileChange(Struct, frozen=True, kw_only=True):
    """What is to become of one file."""

    #: Absolute, as the operating system names it.
    path: str
    #: As messages name it: relative to the project.
    name: str
    #: The bytes that were read; None where the file is made.
    before: bytes | None
    #: The bytes to write; None where the file is removed.
    after: bytes | None
    #: The permissions of a file that is made; None: as the user's umask has it.
    mode: int | None = None


class Written(Struct, frozen=True, kw_only=True):
    """What was done to the files of a project."""

    #: As messages name them, in the order in which they were written.
    names: tuple[str, ...] = ()
    #: What the user should know of it, each a sentence.
    notes: tuple[str, ...] = ()


class Report(Struct, frozen=True, kw_only=True):
    """Everything that an output may show."""

    envfix: str
    target: Target
    #: The driver and the GPUs that were judged for, and what is around, each in words.
    machine: tuple[str, ...] = ()
    #: The driver that was judged for; None where none is known.
    driver: Driver | None = None
    #: The CUDA toolkits of the machine.
    toolkits: tuple[SystemToolkit, ...] = ()
    builds: tuple[CudaBuild, ...] = ()
    #: The same of what declared files ask for, where no environment was looked at.
    declared: tuple[CudaBuild, ...] = ()
    #: Root findings, the worst first; what they explain is folded under them.
    findings: tuple[Finding, ...] = ()
    #: What the user's own files silence.
    ignored: tuple[Ignored, ...] = ()
    #: The declared files that were judged, with those that they include.
    manifests: tuple[Manifest, ...] = ()
    #: How many rules have judged.
    judged: int = 0
    skips: tuple[Skip, ...] = ()
    gaps: tuple[Gap, ...] = ()
    crashes: tuple[Crash, ...] = ()
    #: pip's own view; None where it was not asked, or gave no answer.
    live: LiveView | None = None
    #: What each start maps, and all of it as a graph; nothing where that was not asked for, or where
    #: the loader is not modeled.
    loads: tuple[Run, ...] = ()
    graph: Graph | None = None

    @property
    def left_alone(self) -> tuple[str, ...]:
        """The files that were asked about, and do not declare a Python environment."""
        known = {manifest.path for manifest in self.manifests} | {gap.item for gap in self.gaps}
        return tuple(path for path in self.target.files if path not in known)

    def path_of(self, location: Location) -> str | None:
        """Return a location's path as a report shows it: relative to the project if inside it."""
        if location.path is None or not location.in_prefix or location.path.startswith("/"):
            return location.path
        path = f"{self.target.prefix}/{location.path}"
        return path.removeprefix(f"{self.target.project}/")
