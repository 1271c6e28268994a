"""Requirements of pip, turned into an environment in which conda supplies the CUDA stack once.

Pure: manifests and the catalog in, a Conversion out. Nothing is asked of a channel here; whether a
solver accepts what comes out is proven elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.convert import given, lines, notes, reading, settings, to_pip
from reconciler.convert.cuda import decide
from reconciler.convert.match_spec import written
from reconciler.convert.mended import mended
from reconciler.convert.pep440 import translate
from reconciler.convert.served import CHANNEL, Aim, Asked
from reconciler.convert.unpinned import bounded_build, indexed_build, labeled_build
from reconciler.convert.wish import Wish, chosen_sets, python_for, supported_python
from reconciler.model.conda_spec import CondaSpec
from reconciler.model.conversion import Conversion, Converted, Dropped, Line, Stance
from reconciler.model.cuda import CudaBuild, KnownBy, Variant
from reconciler.model.install_set import InstallSet
from reconciler.model.machines import system_of
from reconciler.model.manifest import Kind, Manifest, Section

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.convert.reading import Reading
    from reconciler.model.catalog import Catalog
    from reconciler.model.manifest import Declared

__all__ = ["Wish", "convert", "to_requirements"]

BuildsOf = Callable[[InstallSet], Sequence[CudaBuild]]


def convert(
    manifests: Sequence[Manifest], wish: Wish, builds_of: BuildsOf, catalog: Catalog
) -> Conversion:
    """Convert files, with what they include, for every platform that is wished."""
    manifests = [mended(manifest) for manifest in manifests]
    supported = supported_python(manifests)
    python = python_for(supported, manifests, catalog)
    each: list[Conversion] = []
    for platform in wish.platforms:
        is_cuda = bool(each) and each[0].cuda.stance is Stance.CUDA
        taken = _with_cuda(builds_of) if is_cuda else builds_of
        each.append(_on(manifests, wish, platform, python, taken, catalog))
    chief, told = each[0], merged(each)
    channels = dict.fromkeys(x.channel for x in told if isinstance(x, Converted) and x.channel)
    declared = tuple(chain.from_iterable(m.declared for m in manifests))
    gone = notes.for_nobody(manifests, wish, told, python)
    return Conversion(
        name=wish.name,
        source=", ".join(wish.sources),
        platforms=wish.platforms,
        channels=_channels(tuple(channels), declared, catalog),
        python=supported,
        lines=(*told, *gone),
        cuda=chief.cuda,
        elsewhere={c.platforms[0]: c.cuda for c in each if c.cuda != chief.cuda},
        settings=settings.settings(manifests, told),
        notes=(
            *notes.judged(each, declared, python),
            *notes.not_part(manifests, wish, python),
            *notes.guard(each[0], told),
        ),
    )


def _with_cuda(builds_of: BuildsOf) -> BuildsOf:
    """Leave out what PyPI has for the CPU alone, as on Windows: the environment is one with CUDA."""
    return lambda install: [
        build
        for build in builds_of(install)
        if build.variant is not Variant.CPU or build.known_by is not KnownBy.RELEASE
    ]


def to_requirements(
    manifests: Sequence[Manifest], wish: Wish, builds_of: BuildsOf, catalog: Catalog
) -> Conversion:
    """Convert one file the other way, for the chief platform: conda's specs become requirements."""
    platform = wish.platforms[0]
    python = python_for(supported_python(manifests), manifests, catalog)
    chosen = chosen_sets(manifests, wish.sources, platform, python)[:1]
    if not chosen:
        chosen = [
            InstallSet(name="", path="", tool="", platform=platform, is_certain=True, declared=())
        ]
    aim = _aim(wish, platform, catalog)
    return to_pip.requirements(chosen[0], builds_of(chosen[0]), aim, catalog, name=wish.name)


def _aim(wish: Wish, platform: str, catalog: Catalog) -> Aim:
    machines, system = catalog.machines, system_of(platform)
    own = machines.newest_cuda(wish.driver, system) if wish.driver else None
    return Aim(platform=platform, cuda=wish.cuda, driver=own)


def _on(  # noqa: PLR0913, PLR0917 - what one platform is converted from
    manifests: Sequence[Manifest],
    wish: Wish,
    platform: str,
    python: str,
    builds_of: BuildsOf,
    catalog: Catalog,
) -> Conversion:
    """Convert for one platform; the lines that are for others are left out."""
    chosen = chosen_sets(manifests, wish.sources, platform, python)
    builds = [build for install in chosen for build in builds_of(install)]
    limits = reading.limits_of(_constraints(chosen, manifests))
    pip = _once(chain.from_iterable(i.requirements(Section.PIP) for i in chosen))
    conda = _once(chain.from_iterable(i.requirements(Section.CONDA) for i in chosen))
    read = [reading.read(line, limits, catalog) for line in pip]
    known = {build.at for build in builds}
    unpinned = [r for r in read if r.line.location not in known]
    indexes = [index for install in chosen for index in install.indexes()]
    builds += [
        build
        for r in unpinned
        if (
            build := labeled_build(r, catalog)
            or indexed_build(r, indexes, catalog)
            or bounded_build(r, platform, catalog)
        )
    ]
    by_place = {build.at: build for build in builds}
    asked = [one for r in read if (one := _asked(r, by_place.get(r.line.location), catalog))]
    asked += [
        one for line in conda if (one := given.asked(line, by_place.get(line.location), catalog))
    ]
    aim = _aim(wish, platform, catalog)
    decision = decide(aim, builds, asked, catalog)
    ground = lines.Ground(
        decision=decision,
        frameworks=_frameworks(read, conda, catalog),
        catalog=catalog,
        builds=by_place,
    )
    made = _without_twins([lines.finish(r, ground) for r in read], conda)
    pins = {CondaSpec.parse(s).name: x.requirement for x in made for s in _specs(x)}
    told = [given.finish(line, ground, pins) for line in conda]
    return Conversion(
        name=wish.name,
        source="",
        platforms=(platform,),
        channels=(),
        python="python",
        lines=(*told, *made),
        cuda=decision,
    )


def _specs(line: Line) -> tuple[str, ...]:
    return line.specs if isinstance(line, Converted) else ()


def _without_twins(made: Sequence[Line], conda: Sequence[Declared]) -> list[Line]:
    """Leave out what conda has been asked for already, where pip asks for no version of its own."""
    names = {line.name: line for line in conda}
    found: list[Line] = []
    for line in made:
        asked = [CondaSpec.parse(spec) for spec in _specs(line)]
        twins = [names[spec.name] for spec in asked if spec.name in names]
        is_open = all(spec.version in {None, "*"} for spec in asked)
        if twins and is_open and not getattr(line, "rest", ""):
            reason = f"conda has {twins[0].text} already, and pip finds it there"
            line = Dropped(  # noqa: PLW2901 - the line, in its other form
                requirement=line.requirement, at=line.at, name=line.name, reason=reason
            )
        found.append(line)
    return found


def _constraints(chosen: Iterable[InstallSet], manifests: Iterable[Manifest]) -> list[Declared]:
    paths = {d.name for install in chosen for d in install.of_kind(Kind.CONSTRAINT)}
    files = (manifest for manifest in manifests if manifest.path in paths)
    return [d for file in files for d in file.declared if d.kind is Kind.REQUIREMENT]


def _once(declared: Iterable[Declared]) -> list[Declared]:
    return list(dict.fromkeys(declared))


def _asked(one: Reading, build: CudaBuild | None, catalog: Catalog) -> Asked | None:
    """Return what of CUDA conda is asked for by a line; None where it wants no build for it."""
    if build and build.variant is not Variant.CUDA:
        return None
    rows = [row for row in (one.row, *one.extra_rows) if row and row.conda and not row.brought_by]
    for row in rows:
        # CuPy has builds for CUDA alone, and needs no pin for one.
        if (row.cuda_build or catalog.channels.builds(CHANNEL, row.conda[0])) and not one.stays:
            asked = one.asked if row.release == "same" else translate(())
            spec = CondaSpec.parse(written(row.conda[0], asked))
            return Asked(requirement=f"{spec}", spec=spec)
    return None


def _frameworks(
    read: Iterable[Reading], conda: Iterable[Declared], catalog: Catalog
) -> frozenset[str]:
    """Return the names of the consumers that conda is to bring."""
    rows = [row for r in read if not r.stays for row in (r.row, *r.extra_rows) if row]
    names = [name for row in rows for name in row.conda if row.cuda_build]
    names += [line.name for line in conda]
    found = (catalog.consumer("conda", name) for name in names)
    return frozenset(c.name for c in found if c and c.kind == "framework")


def merged(each: Sequence[Conversion]) -> tuple[Line, ...]:
    """Return the lines of all platforms; what is the same on all of them bears no platform."""
    by_line: dict[Line, list[str]] = {}
    for conversion in each:
        for line in conversion.lines:
            by_line.setdefault(line, []).extend(conversion.platforms)
    found = [
        line if len(names) == len(each) else replace(line, platforms=tuple(names))
        for line, names in by_line.items()
    ]
    return tuple(sorted(found, key=lambda line: (line.at.path or "", line.at.line or 0)))


def _channels(
    extra: Sequence[str], declared: Iterable[Declared], catalog: Catalog
) -> tuple[str, ...]:
    """Return the channels: conda-forge first, and none of which it takes the place."""
    known = catalog.channels
    named = [d.name for d in declared if d.kind is Kind.CHANNEL and not known.gives_way(d.name)]
    others = [name for name in named if known.name_of(name) != CHANNEL]
    return tuple(dict.fromkeys((*extra, CHANNEL, *others)))
