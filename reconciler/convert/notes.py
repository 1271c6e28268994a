"""What there is to know of a conversion beside its lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.convert.wish import chosen_sets, tagged_wheel
from reconciler.model.conda_spec import CondaSpec
from reconciler.model.conversion import Confidence, Conversion, Converted, Dropped, Kept, Stance
from reconciler.model.cuda import Role
from reconciler.model.install_set import install_sets
from reconciler.model.manifest import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.convert.wish import Wish
    from reconciler.model.catalog import Catalog
    from reconciler.model.conversion import Line
    from reconciler.model.manifest import Declared, Manifest
    from reconciler.model.solution import PlatformProof, Solution

#: How the note begins that says how pip is kept from a second CUDA.
GUARD = "what stays under pip may require"


# PEP 621: what a build backend fills in, from files that it knows alone.
_DYNAMIC = re.compile(r"""^dynamic\s*=\s*\[[^\]]{0,999}["']dependencies["']""", re.MULTILINE)


def for_nobody(
    manifests: Iterable[Manifest], wish: Wish, told: Iterable[Line], python: str
) -> Iterator[Dropped]:
    """Yield the lines whose markers hold on none of the platforms."""
    places = {line.at for line in told}
    listed = ", ".join(wish.platforms)
    for manifest in manifests:
        scopes = manifest.combinations[0].scopes if manifest.combinations else ("",)
        for line in manifest.declared:
            is_left = line.kind is Kind.REQUIREMENT and line.location not in places
            if is_left and line.marker and line.scope in scopes:
                reason = f"its marker does not hold on {listed} with Python {python}"
                yield Dropped(
                    requirement=line.text, at=line.location, name=line.name, reason=reason
                )


def judged(each: Sequence[Conversion], declared: Iterable[Declared], python: str) -> Iterator[str]:
    """Yield how the platforms differ in their CUDA, and what markers were judged for."""
    chief = each[0]
    for other in each[1:]:
        if other.cuda != chief.cuda:
            said = other.cuda.release or other.cuda.stance.value
            why = "; ".join(other.cuda.because[:1])
            yield f"on {other.platforms[0]} it is {said}: {why}"
    lines = tuple(declared)
    if not any(d.kind is Kind.PYTHON for d in lines) and (tagged := tagged_wheel(lines)):
        yield f"Python is {tagged[0]}: {tagged[1].text} is built for it alone"
    if any("python" in d.marker for d in lines):
        yield f"markers were judged for Python {python}"


def not_part(manifests: Sequence[Manifest], wish: Wish, python: str) -> Iterator[str]:
    """Yield which further parts of the files, extras and groups and features, are left out."""
    for manifest in manifests:
        if manifest.path in wish.sources and _DYNAMIC.search(manifest.text):
            yield (
                f"{manifest.path} leaves its dependencies to its build system (they are dynamic): "
                f"what is not among these lines has to be converted from the file where it stands"
            )
    platform = wish.platforms[0]
    chosen = {one.name for one in chosen_sets(manifests, wish.sources, platform, python)}
    sets = install_sets(manifests, platform, python=python)
    others = [s.name for s in sets if s.path in wish.sources and s.name not in chosen]
    if others and chosen:
        yield f"made of {', '.join(sorted(chosen))}; not part of it: {', '.join(others)}"


def guard(chief: Conversion, told: Iterable[Line]) -> Iterator[str]:
    """Yield how pip is kept from bringing a second CUDA with what stays for it."""
    pins = [
        f"{line.name}=={asked.version.removeprefix('==')}"
        for line in told
        if isinstance(line, Converted) and line.confidence is Confidence.CATALOG
        for asked in map(CondaSpec.parse, line.specs)
        if asked.is_exact and asked.version and asked.build
    ]
    yield from _guarded(chief, pins)


def guard_of_solution(
    conversion: Conversion, solution: Solution, catalog: Catalog
) -> Iterator[str]:
    """Yield the same where a solver has told the versions that conda gives."""
    pins = []
    for text in conversion.specs(solution.platform):
        spec = CondaSpec.parse(text)
        usual = next(iter(catalog.naming.for_conda(spec.name)), None)
        record = solution.record(spec.name)
        if spec.build and "cuda" in spec.build and usual and record:
            pins.append(f"{usual.pypi}=={record.version}")
    yield from _guarded(conversion, pins)


def laid_over(conversion: Conversion, solution: Solution, catalog: Catalog) -> Iterator[str]:
    """Yield what pip installs over what conda brings for others."""
    for line in conversion.on(solution.platform):
        naming = catalog.naming
        row = naming.counterpart(line.name)
        names = row.conda if row else (naming.on_conda_forge(line.name),)
        over = [record for name in names if name and (record := solution.record(name))]
        if isinstance(line, Kept) and over:
            yield (
                f"conda brings {over[0].name} {over[0].version} for others, and pip installs "
                f"{line.requirement} over it: two packages then own the same files"
            )


def idle_cuda(conversion: Conversion, proof: PlatformProof) -> Iterator[str]:
    """Yield what of CUDA comes along where nobody wants it."""
    brought = [str(build) for build in proof.cuda if build.role is Role.BRINGS]
    if brought and conversion.decided(proof.proof.platform).stance is Stance.CPU:
        listed = ", ".join(brought[:3]) + (", ..." if len(brought) > 3 else "")
        yield f"it is for the CPU, and parts of CUDA come along that nothing uses: {listed}"


def _guarded(chief: Conversion, pins: Sequence[str]) -> Iterator[str]:
    if chief.cuda.stance is Stance.CUDA and pins and any(chief.pip_lines(chief.platforms[0])):
        listed = " and ".join(dict.fromkeys(pins))
        yield (
            f"{GUARD} another release of what conda has, and bring a second "
            f"CUDA with it: with {listed} in a file that PIP_CONSTRAINT names, pip stops instead"
        )
