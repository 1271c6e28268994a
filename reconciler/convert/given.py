"""What the source asks of conda already: kept as it is, but for what the decision on CUDA replaces."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.convert.cuda import SELECTORS
from reconciler.convert.match_spec import written
from reconciler.convert.pep440 import CondaRange
from reconciler.convert.served import Asked
from reconciler.model.conversion import Confidence, Converted, Dropped, Stance
from reconciler.model.cuda import Variant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.convert.lines import Ground
    from reconciler.model.catalog import Catalog
    from reconciler.model.conda_spec import CondaSpec
    from reconciler.model.conversion import Line
    from reconciler.model.cuda import CudaBuild
    from reconciler.model.manifest import Declared
    from reconciler.model.naming import Counterpart


# The builds of the channel pytorch: py310_cu118 and py3.10_cuda11.8_cudnn8.7.0_0.
_OF_PYTORCH = re.compile(r"^py[\d.]+_(?:cu\d+|cuda\d+\.\d\S*|cpu)(?:_\d+)?$")


def asked(line: Declared, build: CudaBuild | None, catalog: Catalog) -> Asked | None:
    """Return what of CUDA a line of the conda section asks for; None where it wants none."""
    spec = line.spec
    if spec is None or (build and build.variant is not Variant.CUDA):
        return None
    return Asked(requirement=line.text, spec=spec) if _row(spec, catalog) else None


def _row(spec: CondaSpec, catalog: Catalog) -> Counterpart | None:
    """Return what is known of the builds of a package, which PyPI's usual name for it tells."""
    usual = next(iter(catalog.naming.for_conda(spec.name)), None)
    return usual if usual and usual.cuda_build else None


def finish(line: Declared, ground: Ground, pins: Mapping[str, str]) -> Line:
    """Return what becomes of a line of the conda section.

    ``pins`` are the requirements of pip that ask for a version of a package of conda.
    """
    spec = line.spec
    if spec is None:
        return _dropped(line, "it is no MatchSpec, and conda refuses the file for it")
    selector = next((s for s in ground.decision.specs if s.startswith(f"{spec.name}=")), "")
    if spec.name.startswith("__"):
        return _dropped(line, "a machine has it or not: no channel does")
    if reason := "" if selector else _replaced(spec, ground):
        return _dropped(line, reason)
    if requirement := pins.get(spec.name, ""):
        return _dropped(line, f"{requirement} of pip, which is installed later, has overwritten it")
    return Converted(
        requirement=line.text,
        at=line.location,
        name=line.name,
        specs=(selector or _pinned(line, spec, ground),),
        provenance="the file asks conda for it",
        confidence=Confidence.GIVEN,
    )


def _dropped(line: Declared, reason: str) -> Dropped:
    return Dropped(requirement=line.text, at=line.location, name=line.name, reason=reason)


def _replaced(spec: CondaSpec, ground: Ground) -> str:
    """Return why a package has no use any more; "" where it has."""
    known, decision = ground.catalog, ground.decision
    if decision.stance is Stance.ABSENT:
        return ""
    if spec.name in SELECTORS | known.channels.switches:
        said = " with ".join(decision.specs) or "the builds that are asked for"
        return f"{said} says so for all of conda-forge"
    is_part = ("conda", spec.name) in known.cuda_packages
    is_exported = spec.build is not None and "*" not in spec.build
    if is_part and is_exported and ground.frameworks:
        return "it was exported with its build, and comes with the builds for CUDA that need it"
    if ground.is_toolkit and _is_of_toolkit(spec.name, known):
        held = f"until 11.8 {decision.specs[-1]} holds the libraries"
        return (
            f"conda-forge has it from CUDA 12 on alone: {held}, and the compiler is the machine's"
        )
    return ""


def _is_of_toolkit(name: str, catalog: Catalog) -> bool:
    """Tell whether a package is a part of CUDA's toolkit, which is released with it."""
    package = catalog.cuda_packages.get(("conda", name))
    if package is None or name in SELECTORS:
        return False
    rows = catalog.naming.for_conda(name.removesuffix("-dev").removesuffix("-static"))
    return package.cuda_in in {"version", "major"} or any(row.release == "cuda" for row in rows)


def _pinned(line: Declared, spec: CondaSpec, ground: Ground) -> str:
    """Return a spec of the file, with the build that is wanted where another channel named it."""
    row = _row(spec, ground.catalog)
    is_glob = spec.build is not None and "*" in spec.build
    if row is None or ground.decision.stance is Stance.ABSENT:
        return _without_ended(line, spec, ground)
    if is_glob and not spec.channel:
        return line.text
    known = ground.builds.get(line.location)
    is_cpu = not ground.is_cuda or (known and known.variant is Variant.CPU)
    return written(spec.name, _range(spec), row.cpu_build if is_cpu else row.cuda_build)


def _without_ended(line: Declared, spec: CondaSpec, ground: Ground) -> str:
    """Return a spec without a channel, and a build, that conda-forge takes the place of."""
    channels = ground.catalog.channels
    is_ended = spec.channel is not None and channels.gives_way(spec.channel)
    is_theirs = bool(_OF_PYTORCH.search(spec.build or ""))
    if not is_ended and not is_theirs:
        return line.text
    return written(spec.name, _range(spec))


def _range(spec: CondaSpec) -> CondaRange:
    version = spec.version or "*"
    exact = version.removeprefix("==") if spec.is_exact else ""
    return CondaRange(text="" if version == "*" else version, exact=exact)
