"""What the libraries of packages do not find in the files that may be loaded for them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.collect.disk_symbols import DiskSymbols
from reconciler.loader.binding import missing_between, versions_between
from reconciler.model.binding import Unbound, VersionMissing
from reconciler.model.distribution import Distribution, normalize_name
from reconciler.model.library import SharedLibrary
from reconciler.model.loader_view import Misfit
from reconciler.model.ownership import ownership

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from reconciler.collect.disk_tree import DiskTree
    from reconciler.loader.survey import Survey
    from reconciler.model.binding import Fault
    from reconciler.model.snapshot import Snapshot

#: Which copy of these answers decides whether a library of CUDA, or an extension, is loaded at all.
BESIDE_CUDA = ("libstdc++", "libgcc_s")
#: A requirement of one exact version: ``nvidia-nccl-cu12 (==2.20.5) ; platform_system == "Linux"``.
#: or of one release, ``nvidia-cufile==1.17.*; extra == "cufile"``.
_PIN = re.compile(
    r"\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*\(?\s*==\s*([^\s;,()]+)\s*\)?\s*(?:;.*)?"
)


def misfits(
    tree: DiskTree,
    survey: Survey,
    snapshot: Snapshot,
    *,
    libraries: Iterable[str],
    wanted: Collection[str],
) -> Iterator[Misfit]:
    """Hold each of the libraries against every file that may answer what it needs.

    ``wanted`` are the names of libraries, up to ``.so``, that are asked about.
    """
    symbols = DiskSymbols()
    published = _Published(snapshot)
    # thousands of libraries need the same few names
    candidates: dict[str, tuple[str, ...]] = {}
    for consumer in dict.fromkeys(tree.real_path(path) for path in libraries):
        file = tree.elves.get(consumer)
        for soname in file.needed if isinstance(file, SharedLibrary) else ():
            stem = soname.partition(".so")[0]
            if stem not in wanted and stem not in BESIDE_CUDA:
                continue
            # Of these, a symbol is there wherever its version is: their ABI never takes any away.
            ask = versions_between if stem in BESIDE_CUDA else missing_between
            if soname not in candidates:
                candidates[soname] = survey.candidates(soname)
            for provider in candidates[soname]:
                if not published.together(consumer, provider):
                    faults = ask(symbols, consumer, provider, soname) or ()
                    yield from _misfit(faults, consumer, provider, soname)


def _misfit(
    faults: Collection[Fault], consumer: str, provider: str, soname: str
) -> Iterator[Misfit]:
    if faults:
        yield Misfit(
            consumer=consumer,
            provider=provider,
            soname=soname,
            versions=tuple(fault for fault in faults if isinstance(fault, VersionMissing)),
            symbols=tuple(fault for fault in faults if isinstance(fault, Unbound)),
        )


class _Published:
    """Which files were published to work together: a wheel, and what it pins to one version."""

    def __init__(self, snapshot: Snapshot) -> None:
        prefix = f"{snapshot.target.prefix}/"
        index = ownership(snapshot.records, snapshot.distributions)
        owners = index.owners_of(index.libraries)
        #: Of files with one owner; where several dispute one, whose lies there is not known here.
        self._wheels: Mapping[str, Distribution] = {
            f"{prefix}{path}": named[0]
            for path, named in owners.items()
            if len(named) == 1 and isinstance(named[0], Distribution)
        }
        self._installed: dict[str, list[Distribution]] = {}
        for wheel in index.wheels:
            self._installed.setdefault(wheel.key, []).append(wheel)
        self._pinned: dict[str, frozenset[str]] = {}

    def together(self, consumer: str, provider: str) -> bool:
        """Tell whether one wheel brings both, or pins the other's to what is installed.

        A metapackage such as cuda-toolkit may stand between them.
        """
        asks, answers = self._wheels.get(consumer), self._wheels.get(provider)
        if asks is None or answers is None:
            return False
        return answers.path in self._reach(asks)

    def _reach(self, wheel: Distribution) -> frozenset[str]:
        """Return the paths of a wheel and of all that it pins, one after the other."""
        if wheel.path not in self._pinned:
            reached = {wheel.path: wheel}
            left = [wheel]
            while left:
                for pinned in self._pinned_by(left.pop()):
                    if pinned.path not in reached:
                        reached[pinned.path] = pinned
                        left.append(pinned)
            self._pinned[wheel.path] = frozenset(reached)
        return self._pinned[wheel.path]

    def _pinned_by(self, wheel: Distribution) -> Iterator[Distribution]:
        for requirement in wheel.requires:
            match = _PIN.fullmatch(requirement)
            for other in self._installed.get(normalize_name(match[1]), ()) if match else ():
                if match and _is_of(other.version, match[2]):
                    yield other


def _is_of(version: str, pin: str) -> bool:
    return f"{version}.".startswith(pin[:-1]) if pin.endswith(".*") else version == pin
