"""What becomes of each line, once the CUDA of the whole environment is decided."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.convert.match_spec import written
from reconciler.convert.pep440 import CondaRange, beginning
from reconciler.model.catalog import Catalog
from reconciler.model.conversion import (
    Converted,
    CudaDecision,
    Dropped,
    Kept,
    Line,
    Stance,
)
from reconciler.model.cuda import CudaBuild, KnownBy, Variant
from reconciler.model.location import Location

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.convert.reading import Reading
    from reconciler.model.consumer import Consumer
    from reconciler.model.naming import Counterpart

_REPOSITORY = re.compile(r"(?:^|@\s*|-e\s+|--editable[ =])(git|hg|svn|bzr)\+")
#: What conda calls the programs that pip fetches repositories with.
_PROGRAMS = {"git": "git", "hg": "mercurial", "svn": "subversion", "bzr": "breezy"}
# A local file, which pip takes by its path and not behind a name.
_PATH = re.compile(r"^[\w.\[\],-]+ @ (?:file:)?(?=\.{1,2}(?:/|$)|(?<!file:)/)")
# What PyPI has for one kind of processor: conda's package is not that project to pip.
_SUFFIXED = re.compile(r"-(?:cu\d+|cuda\d+x?|gpu|cpu)$")


class Ground(Struct, frozen=True, kw_only=True):
    """What holds for all lines of one environment."""

    decision: CudaDecision
    #: The names of the consumers whose builds for CUDA conda brings.
    frameworks: frozenset[str]
    catalog: Catalog
    #: What each line was built for under pip, by its place.
    builds: Mapping[Location, CudaBuild] = {}

    def build_of(self, reading: Reading, cuda: str, cpu: str) -> str:
        """Return the glob of builds to ask for, of those for CUDA and those for the CPU."""
        build = self.builds.get(reading.line.location)
        if not self.is_cuda or not cuda:
            return cpu
        if build and build.variant is Variant.CPU:
            # What PyPI has for the CPU alone need not have a build for this CUDA.
            return "" if build.known_by is KnownBy.RELEASE else cpu
        return cuda

    @property
    def is_cuda(self) -> bool:
        """Whether builds for CUDA are wanted; in a clash too, for that is what clashes."""
        return self.decision.stance in {Stance.CUDA, Stance.CLASH}

    @property
    def is_toolkit(self) -> bool:
        """Whether one package, cudatoolkit, has all of CUDA's libraries."""
        return any(spec.startswith("cudatoolkit=") for spec in self.decision.specs)


def finish(reading: Reading, ground: Ground) -> Line:
    """Return what becomes of a line."""
    row = reading.row
    if reading.stays:
        return _kept(reading, reading.stays, ground)
    if reading.name in _gpu_only(reading, ground):
        return _dropped(reading, "it has no build without CUDA, and the environment is for the CPU")
    if row and row.conda and _is_part(reading, ground):
        return _part(reading, row, ground)
    if row and row.why:
        return _dropped(reading, row.why) if row.is_idle else _kept(reading, row.why, ground)
    if not row and not reading.mapped:
        return _kept(reading, f"no package of conda-forge is known to hold {reading.name}", ground)
    return _converted(reading, ground)


def _gpu_only(reading: Reading, ground: Ground) -> tuple[str, ...]:
    """Return the names of its project that have nothing for an environment without CUDA."""
    consumer = ground.catalog.consumer("pip", reading.name)
    is_served = reading.row is not None and bool(reading.row.cuda_build)
    is_cpu = ground.decision.stance is Stance.CPU
    return consumer.gpu_only if consumer and is_cpu and not is_served else ()


def _is_part(reading: Reading, ground: Ground) -> bool:
    """Tell whether it is a part of CUDA, or comes with a framework's builds for it."""
    is_cuda = ("pip", reading.name) in ground.catalog.cuda_packages
    return is_cuda or bool(reading.row and reading.row.brought_by)


def _part(reading: Reading, row: Counterpart, ground: Ground) -> Line:
    if not ground.is_cuda:
        return _dropped(reading, "the environment is for the CPU, and needs no part of CUDA")
    if bringing := [name for name in row.brought_by if name in ground.frameworks]:
        title = ground.catalog.title(bringing[0])
        return _dropped(reading, f"conda's build of {title} for CUDA brings {row.conda[0]} itself")
    if row.release == "cuda" and ground.is_toolkit:
        return _dropped(reading, f"{ground.decision.specs[-1]} holds it")
    return _converted(reading, ground)


def _dropped(reading: Reading, reason: str) -> Dropped:
    return Dropped(
        requirement=reading.requirement, at=reading.line.location, name=reading.name, reason=reason
    )


def _converted(reading: Reading, ground: Ground) -> Converted:
    provenance, confidence = reading.provenance
    specs, notes = _specs(reading, ground)
    notes += reading.notes
    rest = reading.requirement if reading.other_extras else ""
    listed = ", ".join(reading.other_extras)
    if rest and _SUFFIXED.search(reading.name):
        rest = ""
        notes.append(f"its extra {listed} is left out: pip would install {reading.name} for it")
    if rest:
        notes.append(f"what its extra {listed} requires is known to PyPI alone, and left to pip")
    if reading.is_pinned_by_constraint:
        notes.append("its version is limited by a constraint file")
    return Converted(
        requirement=reading.requirement,
        at=reading.line.location,
        name=reading.name,
        specs=specs,
        provenance=provenance,
        confidence=confidence,
        channel=reading.row.channel if reading.row else "",
        rest=rest,
        notes=tuple(notes),
    )


def _specs(reading: Reading, ground: Ground) -> tuple[tuple[str, ...], list[str]]:
    notes: list[str] = []
    if labels := reading.asked.labels:
        notes.append(f"its label +{labels[0]} went into the decision on CUDA")
    specs = [] if reading.row or not reading.mapped else [written(reading.mapped, reading.asked)]
    rows = [row for row in (reading.row, *reading.extra_rows) if row]
    builds = {row.conda[0]: row.cuda_build for row in rows if row.conda and row.cuda_build}
    for row in rows:
        asked, said = _asked(row, reading.asked)
        notes += said
        build = ground.build_of(reading, builds.get(row.conda[0], ""), row.cpu_build)
        specs.append(written(row.conda[0], asked, build))
    exact = [spec for spec in specs if "=*" not in spec]
    # jax[cuda12] asks for its own version of jax, and for a build of jaxlib.
    return tuple(dict.fromkeys(exact + [spec for spec in specs if "=*" in spec])), notes


def _asked(row: Counterpart, asked: CondaRange) -> tuple[CondaRange, list[str]]:
    """Return what of the versions that are asked for holds on conda, and why."""
    if row.release == "same" or not asked.text:
        return asked, []
    if row.release == "none":
        return CondaRange(), []
    if row.release == "cuda":
        return CondaRange(), ["cuda-version selects its release"]
    count = {"minor": 2, "three": 3}.get(row.release, 0)
    begun = beginning(asked, count)
    if not begun.text:
        return begun, [f"its versions there are not those of {row.conda[0]}"]
    is_whole = begun.text == asked.text
    return begun, [] if is_whole else [f"{row.conda[0]} has releases of its own"]


def _kept(reading: Reading, reason: str, ground: Ground) -> Kept:
    found = _REPOSITORY.search(reading.requirement)
    needs = [_PROGRAMS[found[1]]] if found else []
    consumer = ground.catalog.consumer("pip", reading.name)
    build = ground.builds.get(reading.line.location)
    is_cpu = build is not None and build.variant is Variant.CPU
    notes = []
    if consumer and consumer.is_source_only:
        needs += ["cxx-compiler", "ninja"]
        if ground.is_cuda and not ground.is_toolkit:
            needs.append("cuda-nvcc")
        notes.append("pip compiles it: that needs the compilers of conda")
    if ground.is_cuda:
        notes += second_cuda(consumer, ground.catalog, is_cpu=is_cpu)
    return Kept(
        requirement=_PATH.sub("", reading.requirement),
        at=reading.line.location,
        name=reading.name,
        reason=reason,
        needs=tuple(needs),
        notes=tuple(notes),
    )


def second_cuda(
    consumer: Consumer | None, catalog: Catalog, *, is_cpu: bool = False
) -> Iterator[str]:
    """Yield how what stays under pip may bring a CUDA of its own."""
    if consumer and consumer.extends:
        title = catalog.title(consumer.extends)
        yield (
            f"it depends on {title}: pip keeps conda's where its version fits, "
            f"and else brings PyPI's with a second CUDA"
        )
    elif consumer and not consumer.links_statically and not is_cpu:
        yield "its wheel may bring CUDA from PyPI, beside conda's"
