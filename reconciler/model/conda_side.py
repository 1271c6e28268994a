"""What an installation asks of conda, and from where: specs with the channels that may serve them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.model.channels import ANYWHERE, ChannelBuild, Channels
from reconciler.model.conda_spec import CondaSpec, InvalidCondaSpec
from reconciler.model.conda_version import CondaVersion, parse_version
from reconciler.model.manifest import Declared, Section

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.install_set import InstallSet

#: Above every patch release: with it, >=11.3.1 allows the release 11.3.
_LAST_PATCH = 9999
#: The comparisons that allow no version below the one that they name.
_LOWER = frozenset({"==", "=", ">=", ">", "~="})
#: Those that allow no version far above it.
_UPPER = frozenset({"==", "=", "<=", "<", "~="})


class Asked(Struct, frozen=True, kw_only=True):
    """A line of the conda section, read."""

    line: Declared
    spec: CondaSpec
    #: The channel that the line itself names, by its known name; "" where it names none.
    channel: str = ""

    def __str__(self) -> str:
        """As a report names it."""
        return self.line.text

    @property
    def is_open(self) -> bool:
        """Whether it lets the solver take the newest version that there is."""
        constraint = self.spec.constraint
        return constraint is None or constraint.allows(parse_version(str(_LAST_PATCH)))

    @property
    def pins_release(self) -> bool:
        """Whether it asks for some versions, and not for any."""
        return self.spec.version not in {None, "*"}

    def lies_above(self, version: str) -> bool:
        """Tell whether every version that it allows lies above one."""
        bound = parse_version(version)
        alternatives = self.spec.constraint.alternatives if self.spec.constraint else ((),)
        return all(
            any(
                clause.operator in _LOWER and parse_version(clause.operand) > bound
                for clause in clauses
            )
            for clauses in alternatives
        )

    def may_reach(self, version: str) -> bool:
        """Tell whether it allows a version or a later one, as far as its own numbers tell."""
        bound = parse_version(version)
        alternatives = self.spec.constraint.alternatives if self.spec.constraint else ((),)
        return any(
            all(
                clause.operator not in _UPPER
                or parse_version(clause.operand) >= bound
                or bound.starts_with(parse_version(clause.operand))
                for clause in clauses
            )
            for clauses in alternatives
        )

    def is_at_least(self, version: str) -> bool:
        """Tell whether every version that it allows is this one or a later one."""
        bound = parse_version(version)
        alternatives = self.spec.constraint.alternatives if self.spec.constraint else ((),)
        return all(
            any(
                clause.operator in _LOWER and parse_version(clause.operand) >= bound
                for clause in clauses
            )
            for clauses in alternatives
        )

    def releases(self, known: tuple[str, ...]) -> tuple[str, ...]:
        """Return the CUDA releases, of those given, that it allows; it is a package with such versions."""
        pinned = self.spec.pinned_version or ""
        return tuple(
            release
            for release in known
            if any(
                self.spec.allows_version(parse_version(version))
                for version in (release, f"{release}.{_LAST_PATCH}")
            )
            or f"{pinned}.".startswith(f"{release}.")
        )


class CondaSide(Struct, frozen=True, kw_only=True, dict=True):
    """The conda section of one install set."""

    asked: tuple[Asked, ...]
    #: By their known names, the preferred one first; what only a line names stands behind.
    channels: tuple[str, ...]
    #: Whether the file itself lists channels; else conda's own configuration does.
    lists_channels: bool

    @property
    def may_mirror(self) -> bool:
        """Whether a channel is an address that may have what any other one has."""
        return any("/" in channel or "$" in channel for channel in self.channels)

    def prefers(self, channel: str, to: str) -> bool:
        """Tell whether it lists both channels, and the first before the second."""
        if not {channel, to} <= {*self.channels}:
            return False
        return self.channels.index(channel) < self.channels.index(to)

    def prefers_first(self, channel: str, to: str = "defaults") -> bool:
        """Tell whether it lists a channel, and not another one before it."""
        return channel in self.channels and not self.prefers(to, channel)

    @cached_property
    def _by_name(self) -> dict[str, Asked]:
        # Of several lines of one name, all hold; the one that pins tells the most.
        ordered = sorted(self.asked, key=lambda a: a.spec.pinned_version is not None)
        return {asked.spec.name: asked for asked in ordered}

    def of(self, *names: str) -> Asked | None:
        """Return the line that asks for the first of these packages; None where none does."""
        return next((self._by_name[name] for name in names if name in self._by_name), None)

    def sources(self, asked: Asked) -> tuple[str, ...]:
        """Return the channels that may serve a line."""
        return (asked.channel,) if asked.channel else self.channels


def read_conda_side(install: InstallSet, channels: Channels) -> CondaSide:
    """Read the conda section of an install set; a line that is no spec is left to other rules."""
    asked = tuple(_asked(install, channels))
    listed = tuple(channels.name_of(channel.name) for channel in install.channels)
    named = (one.channel for one in asked if one.channel)
    return CondaSide(
        asked=asked,
        channels=tuple(dict.fromkeys((*listed, *named))),
        lists_channels=bool(listed),
    )


def _asked(install: InstallSet, channels: Channels) -> Iterator[Asked]:
    for line in install.requirements(Section.CONDA):
        try:
            spec = CondaSpec.parse(line.text)
        except InvalidCondaSpec:
            continue
        channel = channels.name_of(spec.channel) if spec.channel else ""
        yield Asked(line=line, spec=spec, channel=channel)


class Served(Struct, frozen=True, kw_only=True):
    """What the channels have of a package in the versions that a line allows."""

    #: The channel that serves it; ``*`` where it does not matter.
    channel: str
    rows: tuple[tuple[CondaVersion, ChannelBuild], ...]
    #: Whether no other version that is allowed may be built for what is selected.
    is_complete: bool = True

    def releases(self, needs: str) -> tuple[str, ...]:
        """Return the releases of a CUDA package that any of the allowed versions accepts."""
        rows = (row for _, row in self.rows if row.needs == needs)
        return tuple(dict.fromkeys(release for row in rows for release in row.releases))

    @property
    def is_of_channel(self) -> bool:
        """Whether it is true of one channel, and need not be of another."""
        return self.channel != ANYWHERE

    @property
    def newest(self) -> Served:
        """The same for the newest of the allowed versions alone."""
        last = max(version for version, _ in self.rows)
        return Served(channel=self.channel, rows=tuple(row for row in self.rows if row[0] == last))

    def last_for(self, needs: str, wanted: set[str]) -> str:
        """Return the newest version that has a build for one of the releases of a CUDA package."""
        fitting = (v for v, row in self.rows if row.needs == needs and wanted & {*row.releases})
        return max(fitting).text

    @property
    def newest_version(self) -> str:
        """The newest version that is allowed, as far as it is known."""
        return max(version for version, _ in self.rows).text

    @property
    def needs(self) -> tuple[str, ...]:
        """The packages by which its builds say their CUDA."""
        return tuple(dict.fromkeys(row.needs for _, row in self.rows))


def served(side: CondaSide, asked: Asked, selector: Asked, channels: Channels) -> Served | None:
    """Return what serves a line whose CUDA another one selects; None where that is not known.

    What defaults has is not known well enough: where another channel has it, that one is asked.
    """
    name = asked.spec.name
    anywhere = _rows(asked, channels.builds(ANYWHERE, name))
    if anywhere and asked.spec.pinned_version:
        return Served(channel=ANYWHERE, rows=anywhere)
    sources = side.sources(asked)
    # What only one channel has is meant for the builds of that one, wherever it stands in the list.
    for channel in sorted(sources, key=lambda c: not channels.alone_has(c, selector.spec.name)):
        if "/" in channel:
            return None
        builds = channels.builds(channel, name)
        if rows := _rows(asked, builds):
            is_complete = _is_complete(asked, selector, builds, channels)
            return Served(channel=channel, rows=rows, is_complete=is_complete)
        if builds and not asked.lies_above(builds[-1].last):
            return None
    return None


def _is_complete(
    asked: Asked, selector: Asked, builds: tuple[ChannelBuild, ...], channels: Channels
) -> bool:
    """Tell whether no version below the first known one may be built for what is selected."""
    first = builds[0]
    if asked.spec.pinned_version or asked.lies_above(first.since):
        return True
    # An older version is for no later CUDA than the first that is known.
    wanted = selector.releases(channels.releases_of(selector.spec.name))
    return not wanted or parse_version(wanted[0]) > parse_version(first.releases[-1])


def _rows(
    asked: Asked, builds: tuple[ChannelBuild, ...]
) -> tuple[tuple[CondaVersion, ChannelBuild], ...]:
    found = ((row.newest_allowed(asked.spec), row) for row in builds)
    return tuple((version, row) for version, row in found if version is not None)
