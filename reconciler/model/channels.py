"""What conda's channels serve and never did, and what breaks beside what: rows, and questions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import Struct

from reconciler.model.conda_version import CondaVersion, parse_version
from reconciler.model.cuda import Manager
from reconciler.model.row import Row, numbers

if TYPE_CHECKING:
    from reconciler.model.conda_spec import CondaSpec

R = TypeVar("R", bound=Row)
#: The channel of a row that is true wherever a package was built.
ANYWHERE = "*"
_SUBDIR = re.compile(r"/(?:noarch|(?:linux|osx|win)-[\w]+)$")
_LABEL = re.compile(r"/label/.*$")


class Channel(Row, frozen=True, kw_only=True):
    """A channel that packages for CUDA come from."""

    name: str
    #: Other names of the same, or of a part of it.
    aliases: tuple[str, ...] = ()
    #: The last version of ``pytorch`` that it will ever have; None where it goes on.
    ended_with: str | None = None
    #: Whether nobody mends anything in it any more.
    is_discontinued: bool = False
    #: Packages that stand in no other kind of channel.
    alone_has: tuple[str, ...] = ()
    #: Packages that do nothing but choose among its own builds.
    switches: tuple[str, ...] = ()
    #: What these depend on stands in all of these channels, or in part in ``or_channels``.
    needs_channels: tuple[str, ...] = ()
    or_channels: tuple[str, ...] = ()
    #: A channel that has packages of the same names, and the first and last CUDA release of which
    #: those do not fit its own.
    clashes_with: str = ""
    clash_since: str = ""
    clash_last: str = ""
    #: The CUDA release that its packages are built for first, where nothing asks for another.
    default_cuda: str = ""
    #: Packages for CUDA of which it is not known in which versions it has them.
    may_have: tuple[str, ...] = ()
    source: str


class ChannelBuild(Row, frozen=True, kw_only=True):
    """The CUDA releases for which a channel has builds of some versions of a package."""

    #: ``*`` where it is true wherever the package was built.
    channel: str
    package: str
    #: The first and the last version that it is true of; both exist.
    since: str
    last: str
    #: conda's names of the platforms whose builds these are; empty for all.
    platforms: tuple[str, ...] = ()
    #: By which package a build says its CUDA: ``cudatoolkit``, ``pytorch-cuda``, ``cuda-version``.
    needs: str
    #: The releases of that package that some build accepts.
    releases: tuple[str, ...]
    source: str

    def newest_allowed(self, spec: CondaSpec) -> CondaVersion | None:
        """Return the newest version of the row that a spec allows, as far as the row can tell."""
        low, high = parse_version(self.since), parse_version(self.last)
        named = (
            parse_version(clause.operand)
            for clauses in (spec.constraint.alternatives if spec.constraint else ())
            for clause in clauses
            if clause.operator not in {"*", "^"}
        )
        inside = (version for version in named if low < version < high)
        return max((v for v in (low, *inside, high) if spec.allows_version(v)), default=None)


class Breakage(Row, frozen=True, kw_only=True):
    """Versions of a package that stop to work beside later versions of another."""

    manager: Manager
    #: conda's name, or PyPI's normal name.
    package: str
    since: str = "0"
    #: The first version that works again.
    before: str
    #: Of conda alone: the channel whose builds these are; "" for any.
    channel: str = ""
    #: conda's names of the platforms; empty for all.
    platforms: tuple[str, ...] = ()
    #: The other one, by its name under either manager, and the first version of it that breaks.
    partner: str
    partner_since: str
    #: The first Python that the partner has such a version for; "" for any.
    partner_python: str = ""
    #: The channel by which the partner comes in such a version where nothing asks for it; "" where
    #: it need not come at all.
    comes_from: str = ""
    #: What is seen.
    shows_as: str
    source: str

    def holds(self, version: str) -> bool:
        """Tell whether a version of the package is one of these."""
        found = numbers(version)
        return bool(found) and numbers(self.since) <= found < numbers(self.before)


class EndedPackage(Row, frozen=True, kw_only=True):
    """A package of CUDA that conda has in no later version."""

    package: str
    last: str
    #: The first release that conda-forge has had.
    first: str
    #: What says the CUDA release after it.
    successor: str
    source: str


class PlatformBuild(Row, frozen=True, kw_only=True):
    """PyPI's wheels of some versions for a platform are builds for the CPU."""

    #: PyPI's normal name.
    package: str
    #: conda's name.
    platform: str
    since: str = "0"
    #: None where all later ones are as well.
    before: str | None = None
    #: What to do where a GPU is meant.
    instead: str
    source: str

    def holds(self, version: str) -> bool:
        """Tell whether a version is one of these; "" is the newest."""
        if not version:
            return self.before is None
        found = numbers(version)
        return numbers(self.since) <= found and (
            self.before is None or found < numbers(self.before)
        )


class Channels(Struct, frozen=True, kw_only=True, dict=True):
    """The tables of what channels serve, each decoded when it is first asked for."""

    #: Gives the bytes of a table by its name.
    read: Callable[[str], bytes]

    def _rows(self, table: str, row: type[R]) -> tuple[R, ...]:
        return msgspec.json.decode(self.read(table), type=tuple[row, ...])  # type: ignore[valid-type]

    @cached_property
    def known(self) -> Mapping[str, Channel]:
        """Every channel by each of its names."""
        rows = self._rows("channels", Channel)
        return {name: row for row in rows for name in (row.name, *row.aliases)}

    def name_of(self, channel: str) -> str:
        """Return the name of a channel by what a file calls it, which may be an URL of a mirror."""
        bare = _LABEL.sub("", _SUBDIR.sub("", channel.partition("[")[0].rstrip("/")))
        for name in (bare, bare.rpartition("/")[2]):
            if row := self.known.get(name):
                return row.name
        return bare

    @cached_property
    def _builds(self) -> Mapping[tuple[str, str], tuple[ChannelBuild, ...]]:
        by_place: dict[tuple[str, str], tuple[ChannelBuild, ...]] = {}
        for row in self._rows("channel_builds", ChannelBuild):
            key = (row.channel, row.package)
            by_place[key] = (*by_place.get(key, ()), row)
        return by_place

    def builds(self, channel: str, package: str) -> tuple[ChannelBuild, ...]:
        """Return the builds that a channel is known to have of a package, the oldest first."""
        return self._builds.get((channel, package), ())

    def may_have(self, channel: str, package: str) -> bool:
        """Tell whether a channel has a package, in whichever versions."""
        row = self.known.get(channel)
        return bool(self.builds(channel, package)) or (row is not None and package in row.may_have)

    def may_serve(self, channel: str, package: str) -> bool:
        """Tell whether a channel goes on to have a package."""
        row = self.known.get(channel)
        return self.may_have(channel, package) and (row is None or row.ended_with is None)

    @cached_property
    def switches(self) -> frozenset[str]:
        """Every package that does nothing but choose among the builds of one channel."""
        return frozenset(name for row in self.known.values() for name in row.switches)

    def gives_way(self, channel: str) -> bool:
        """Tell whether conda-forge takes a channel's place, with what only that one has."""
        row = self.known.get(self.name_of(channel))
        return row is not None and bool(row.ended_with or row.clashes_with)

    def alone_has(self, channel: str, package: str) -> bool:
        """Tell whether a channel has a package that none of another kind has."""
        row = self.known.get(channel)
        return row is not None and package in row.alone_has

    @cached_property
    def homes(self) -> Mapping[str, tuple[Channel, ...]]:
        """The channels that alone have a package, by its name."""
        by_package: dict[str, tuple[Channel, ...]] = {}
        for row in self._rows("channels", Channel):
            for name in row.alone_has:
                by_package[name] = (*by_package.get(name, ()), row)
        return by_package

    def releases_of(self, name: str) -> tuple[str, ...]:
        """Return every release of a CUDA package that any build is known to accept, in order."""
        rows = (row for named in self._builds.values() for row in named if row.needs == name)
        return tuple(sorted({r for row in rows for r in row.releases}, key=numbers))

    @cached_property
    def ended(self) -> Mapping[str, EndedPackage]:
        """The packages of CUDA that have ended, by name."""
        return {row.package: row for row in self._rows("ended", EndedPackage)}

    @cached_property
    def breakages(self) -> tuple[Breakage, ...]:
        """Every pair of packages of which no resolver knows that they break."""
        return self._rows("breakages", Breakage)

    def is_for_cpu(self, package: str, platform: str, version: str) -> PlatformBuild | None:
        """Return the row by which PyPI's wheel is for the CPU; "" is the newest version."""
        rows = self.cpu_builds.get((package, platform), ())
        return next((row for row in rows if row.holds(version)), None)

    @cached_property
    def cpu_builds(self) -> Mapping[tuple[str, str], tuple[PlatformBuild, ...]]:
        """What is known to be for the CPU, by package and platform."""
        by_place: dict[tuple[str, str], tuple[PlatformBuild, ...]] = {}
        for row in self._rows("platform_builds", PlatformBuild):
            key = (row.package, row.platform)
            by_place[key] = (*by_place.get(key, ()), row)
        return by_place
