"""One start of what uses CUDA, as the model of the loader plays it: who got which file, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.model.binding import Unbound, VersionMissing
from reconciler.model.which import Origin, Situation, WhichCandidate

if TYPE_CHECKING:
    from collections.abc import Iterable


class Link(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One library that was asked for, and the file that answers. Paths are absolute."""

    soname: str
    #: The path of the library or program that asks.
    asked_by: str
    asker: Origin
    #: As it was found; None where nothing answers.
    path: str | None = None
    #: The same without links.
    real: str | None = None
    owner: Origin | None = None
    #: The component of CUDA that the soname is of; None for all else.
    component: str | None = None
    #: RPATH, LD_LIBRARY_PATH, RUNPATH, ld.so.cache ..., or "already loaded".
    reason: str = ""
    #: The entry of the search path that leads to it, as written.
    entry: str | None = None
    #: A clause: why this file answers, or what the loader says.
    because: str
    #: The other files of this name, in the order of the search.
    others: tuple[WhichCandidate, ...] = ()
    #: What opens it by name or path, in a clause; "" of what a library needs.
    step: str = ""
    #: Whether the start goes on without it.
    is_optional: bool = False
    #: What the asker binds to another file of this name and this one does not define.
    versions: tuple[VersionMissing, ...] = ()
    symbols: tuple[Unbound, ...] = ()

    @property
    def source(self) -> str:
        """Where the file that answers is from: ``of pip's torch 2.5.1``, or in which folder."""
        is_known = self.owner is not None and self.owner.kind != "unknown"
        folder = (self.path or "").rpartition("/")[0]
        return f"of {self.owner.title}" if self.owner and is_known else f"in {folder}"

    @property
    def errors(self) -> tuple[str, ...]:
        """What the loader says of the file that answers, with the paths as it found them."""
        return (*map(self.said, self.versions), *map(self.said, self.symbols))

    def said(self, fault: VersionMissing | Unbound) -> str:
        """Return what the loader says of one of its faults."""
        said = fault.error.replace(fault.wanted_by, self.asked_by)
        return said.replace(self.real, self.path) if self.real and self.path else said


class Run(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A process of the environment's Python in one shell, in which something was started."""

    #: What was started, as a report names it: ``PyTorch``, ``flash_attn_2_cuda.so``.
    title: str
    #: The names of the Consumers that were started, in their order; empty for a lone library.
    frameworks: tuple[str, ...] = ()
    #: Who has installed what was started.
    owner: Origin
    situation: Situation
    #: In the order in which they were asked, those of steps that failed among them.
    links: tuple[Link, ...] = ()
    #: The real paths of all that is mapped in the end.
    mapped: tuple[str, ...] = ()
    #: Why it does not start, by what of it does not; empty where all of it does.
    failures: tuple[tuple[str, str], ...] = ()
    #: The files that are looked up and read, not mapped, each with its path or None: libdevice.
    looked_up: tuple[tuple[str, str | None], ...] = ()

    @property
    def cuda_links(self) -> tuple[Link, ...]:
        """What was asked of CUDA."""
        return tuple(link for link in self.links if link.component)


def merged(runs: Iterable[Run]) -> tuple[Run, ...]:
    """Return the runs, those that differ in nothing but the shell as one."""
    found: dict[Run, Situation] = {}
    anywhere = Situation(names=(), variables=())
    for run in runs:
        key = replace(run, situation=anywhere)
        known = found.get(key)
        own = run.situation
        found[key] = (
            own
            if known is None
            else replace(
                known,
                names=known.names + own.names,
                unknown=tuple(dict.fromkeys(known.unknown + own.unknown)),
            )
        )
    return tuple(replace(run, situation=situation) for run, situation in found.items())
