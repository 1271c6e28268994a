"""The edits by which a file asks conda for a build for CUDA, where what it asks for selects none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.model import line_edits
from reconciler.model.catalog import Catalog
from reconciler.model.conda_side import CondaSide
from reconciler.model.fix import Add, Edit, Remove
from reconciler.model.install_set import InstallSet
from reconciler.model.manifest import Kind, Section
from reconciler.model.row import numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.model.conda_side import Asked, Served

_FORGE = "conda-forge"
#: By what conda-forge's packages say their CUDA release.
_STATES = "cuda-version"


class Selecting(Struct, frozen=True, kw_only=True):
    """The conda section of one install set, to be edited; () is for what cannot be told."""

    install: InstallSet
    side: CondaSide
    catalog: Catalog

    def from_channel(self, selector: Asked, framework: Asked, found: Served) -> tuple[Edit, ...]:
        """Return what selects a build of the channel that serves a framework."""
        newest, wanted = found.newest, self._releases(selector)
        needs = next((n for n in newest.needs if nearest(wanted, newest.releases(n))), "")
        release = nearest(wanted, newest.releases(needs))
        if not release:
            return ()
        if needs == _STATES:
            return self._by_name(framework, selector, release)
        edit = line_edits.written(selector.line, name=needs, spec=f"={release}", channel="")
        row = self.catalog.channels.known.get(found.channel)
        further = row.needs_channels if row and needs in row.alone_has else ()
        return _all((edit, *self.listing(further, behind=found.channel)))

    def from_conda_forge(self, framework: Asked, selector: Asked | None) -> tuple[Edit, ...]:
        """Return what takes a framework from conda-forge, and its CUDA where one is selected."""
        rows = self.catalog.channels.builds(_FORGE, framework.spec.name)
        fitting = [r for r in rows if r.needs == _STATES and r.newest_allowed(framework.spec)]
        if not fitting:
            return ()
        if selector is None:
            edits = _all((line_edits.written(framework.line, channel=""),))
        else:
            release = nearest(self._releases(selector), fitting[-1].releases)
            edits = self._by_name(framework, selector, release) if release else ()
        return (*edits, *self._moved(framework)) if edits else ()

    def listing(self, channels: Sequence[str], behind: str = "") -> tuple[Edit, ...]:
        """Return what lists channels that are not there, behind another one, or in front of all."""
        lines = self.install.channels
        home = (c for c in lines if self.catalog.channels.name_of(c.name) == behind)
        after = next(home, None) if behind else None
        return tuple(
            Add(
                path=self.install.path,
                section=Section.CONDA,
                kind=Kind.CHANNEL,
                text=name,
                scope=lines[0].scope if lines else "",
                after=after,
            )
            for name in channels
            if name not in self.side.channels
        )

    def _releases(self, selector: Asked) -> tuple[str, ...]:
        known = self.catalog.channels.releases_of(selector.spec.name)
        pinned = selector.spec.pinned_version
        # cudatoolkit=12.1, which never was, tells what is meant as well.
        return selector.releases(known) or ((".".join(pinned.split(".")[:2]),) if pinned else ())

    def _by_name(self, framework: Asked, selector: Asked, release: str) -> tuple[Edit, ...]:
        """Return what asks conda-forge for the build for CUDA by its name, and for the release."""
        project = self.catalog.consumer("conda", framework.spec.name)
        names = sorted({*project.gpu_only} & {*project.conda}) if project else []
        stated = line_edits.written(selector.line, name=_STATES, spec=f"={release}", channel="")
        # cuda-version may stand in the file already, beside what is replaced.
        if self.side.of(_STATES):
            stated = None
        gone = Remove(line=selector.line)
        if not names:
            return ()
        return _all((line_edits.written(framework.line, name=names[0], channel=""), stated or gone))

    def _moved(self, framework: Asked) -> Iterator[Edit]:
        """Yield what lists conda-forge in the place of what only the framework was taken from."""
        named = {asked.channel for asked in self.side.asked if asked is not framework}
        homes = [row for row in self.catalog.channels.known.values() if row.alone_has]
        gone = {name for row in homes for name in (row.name, *row.needs_channels)} - named
        yield from self.listing((_FORGE,))
        for line in self.install.channels:
            if self.catalog.channels.name_of(line.name) in gone:
                yield Remove(line=line)


def nearest(wanted: Iterable[str], there: Sequence[str]) -> str:
    """Return the CUDA release nearest to those that are wanted, of their major; "" for none.

    An older one before a newer one, which asks for a newer driver.
    """
    releases = [*wanted]
    if exact := [release for release in there if release in releases]:
        return exact[-1]
    bounds = [numbers(release) for release in releases]
    same = [r for r in there if numbers(r)[0] in {bound[0] for bound in bounds}]
    older = [r for r in same if numbers(r) < max(bounds)]
    return max(older, key=numbers, default="") or min(same, key=numbers, default="")


def _all(edits: Iterable[Edit | None]) -> tuple[Edit, ...]:
    """Return edits that stand together; () where one of them cannot be made."""
    made = tuple(edits)
    return tuple(edit for edit in made if edit) if None not in made else ()
