"""A conversion held against what the channels have: solved for each platform, repaired, and told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler import solve
from reconciler.convert.repaired import guarded, repaired
from reconciler.model.conda_spec import CondaSpec
from reconciler.model.conversion import NOT_ASKED, Conversion, Stance
from reconciler.model.host import DriverRelease
from reconciler.model.machines import system_of
from reconciler.model.manifest import Kind, Section
from reconciler.model.solution import NoSolution, NotProven, PlatformProof, Solution
from reconciler.solve.channels import masked
from reconciler.solve.complaints import complaints, cuda_part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.model.catalog import Catalog
    from reconciler.model.conversion import CudaDecision
    from reconciler.model.manifest import Manifest
    from reconciler.model.solution import Terms, VirtualPackage

#: A repair may bring in what was not asked for: pip, for what is moved to it.
_ROUNDS = 3


def proven(
    conversion: Conversion, manifests: Sequence[Manifest], terms: Terms, catalog: Catalog
) -> Conversion:
    """Return a conversion with what a solver says of it, repaired; raises SolverMissingError."""
    made = _proven(
        replace(conversion, channels=_channels(conversion, terms, catalog)),
        manifests,
        terms,
        catalog,
    )
    shown = tuple(map(masked, made.channels))
    if shown == made.channels:
        return made
    note = "the credentials of a channel are not copied: fill them in, or let conda know them"
    return replace(made, channels=shown, notes=(*made.notes, note))


def _proven(
    conversion: Conversion, manifests: Sequence[Manifest], terms: Terms, catalog: Catalog
) -> Conversion:
    from reconciler.solve.child import SolverMissingError  # noqa: PLC0415 - subprocess, as in solve

    if not terms.is_wanted:
        return replace(conversion, unproven=NOT_ASKED)
    if conversion.cuda.stance is Stance.CLASH:
        return replace(conversion, unproven="it is not decided which CUDA is meant")
    try:
        made = _settled(conversion, manifests, terms, catalog)
        return replace(made, as_written=tuple(_as_written(made, manifests, terms, catalog)))
    except SolverMissingError as error:
        if terms.is_asked:
            raise
        return replace(conversion, unproven=f"{error.what}; {error.next_step}")


def _channels(conversion: Conversion, terms: Terms, catalog: Catalog) -> tuple[str, ...]:
    """Return where packages come from; of which conda-forge takes the place, does not serve."""
    given = (name for name in terms.channels if not catalog.channels.gives_way(name))
    return tuple(given) or conversion.channels


def _settled(
    conversion: Conversion, manifests: Sequence[Manifest], terms: Terms, catalog: Catalog
) -> Conversion:
    """Prove and repair until what is asked for is what was solved."""
    proofs: dict[str, PlatformProof] = {}
    # The machine is the target's, whatever a repair makes of the CUDA.
    machines = {
        p: solve.target(p, cuda=_driver(conversion.decided(p), terms, p, catalog))
        for p in conversion.platforms
    }
    for _ in range(_ROUNDS):
        open_ones = [p for p in conversion.platforms if not _holds(conversion, proofs.get(p), p)]
        if not open_ones:
            break
        for platform in open_ones:
            made = _prove(conversion, platform, machines[platform], terms, catalog)
            proofs[platform] = _joined(proofs.get(platform), made)
        latest = [proofs[platform] for platform in conversion.platforms]
        conversion = repaired(conversion, latest, manifests, catalog)
    found = (
        proofs[p] if _holds(conversion, proofs[p], p) else _unsettled(proofs[p])
        for p in conversion.platforms
    )
    return guarded(replace(conversion, proofs=tuple(found)), catalog)


def _holds(conversion: Conversion, proof: PlatformProof | None, platform: str) -> bool:
    """Tell whether a proof is about what the conversion asks for; a refusal repairs nothing."""
    if proof is None or proof.solution is None:
        return proof is not None
    asked = {*map(CondaSpec.parse, conversion.specs(platform))}
    return {*map(CondaSpec.parse, proof.proof.specs)} == asked


def _joined(before: PlatformProof | None, made: PlatformProof) -> PlatformProof:
    """Return a further proof with what led to it."""
    if before is None:
        return made
    trail = (*before.proof.trail, *made.proof.trail)
    repairs = (*before.repairs, *made.repairs)
    return replace(made, proof=replace(made.proof, trail=trail), repairs=repairs)


def _unsettled(proof: PlatformProof) -> PlatformProof:
    why = "each repair asks for what needs another one"
    last = replace(proof.proof.trail[-1], outcome=NotProven(platform=proof.proof.platform, why=why))
    return replace(proof, proof=replace(proof.proof, trail=(*proof.proof.trail, last)), cuda=())


def _prove(
    conversion: Conversion,
    platform: str,
    machine: tuple[VirtualPackage, ...],
    terms: Terms,
    catalog: Catalog,
) -> PlatformProof:
    specs = conversion.specs(platform)
    if terms.tell:
        terms.tell(f"solving for {platform} ...")
    proof = solve.prove(
        specs,
        conversion.channels,
        platform,
        machine,
        gpu=_gpu(specs),
        held=[CondaSpec.parse(spec).name for spec in conversion.decided(platform).specs],
        catalog=catalog,
        offline=terms.offline,
        tell=terms.tell,
    )
    part = cuda_part(proof.outcome, catalog) if isinstance(proof.outcome, Solution) else ()
    return PlatformProof(machine=machine, proof=proof, repairs=proof.repairs, cuda=part)


def _driver(decision: CudaDecision, terms: Terms, platform: str, catalog: Catalog) -> str | None:
    """Return the CUDA that the target's driver runs; None for a machine without a GPU."""
    if decision.stance is not Stance.CUDA:
        return None
    release = DriverRelease.known(terms.driver)
    own = release and catalog.machines.newest_cuda(release, system_of(platform))
    # Of nobody more is assumed than that he can run what was decided on.
    return str(own) if own else decision.release or None


def _gpu(specs: Iterable[str]) -> list[str]:
    """Return the packages that are asked for in a build for CUDA."""
    asked = map(CondaSpec.parse, specs)
    return [spec.name for spec in asked if spec.build and "cuda" in spec.build]


def _as_written(
    conversion: Conversion, manifests: Sequence[Manifest], terms: Terms, catalog: Catalog
) -> Iterator[str]:
    """Yield what is wrong with what conda makes of an environment.yml as it stands."""
    chief = conversion.proofs[0]
    sources = [
        m for m in manifests if m.format == "environment_yml" and m.path == conversion.source
    ]
    if chief.solution is None or conversion.cuda.stance is not Stance.CUDA or not sources:
        return
    lines = [line for line in sources[0].declared if line.section is Section.CONDA]
    specs = [line.text for line in lines if line.kind is Kind.REQUIREMENT and line.spec]
    channels = _served([line.name for line in lines if line.kind is Kind.CHANNEL], terms, catalog)
    asked = [*map(CondaSpec.parse, specs)]
    gpu = {*_gpu(conversion.specs(chief.proof.platform))} & {spec.name for spec in asked}
    if not gpu or not channels:
        return
    outcome = solve.solve(
        specs,
        channels,
        chief.proof.platform,
        chief.machine,
        offline=terms.offline,
        tell=terms.tell,
    )
    if isinstance(outcome, Solution):
        if wrong := [c.says for c in complaints(outcome, catalog, sorted(gpu))]:
            yield f"As it is written, conda makes this of {conversion.source}: {' '.join(wrong)}"
    elif isinstance(outcome, NoSolution):
        why = outcome.conflict.partition("\n")[0]
        yield f"As it is written, {conversion.source} has no solution: {why}"


def _served(names: Sequence[str], terms: Terms, catalog: Catalog) -> tuple[str, ...]:
    """Return where the channels of a file are; none where only others may be asked."""
    if not terms.channels:
        return tuple(names)
    mirrors = {catalog.channels.name_of(given): given for given in terms.channels}
    known = [mirrors.get(catalog.channels.name_of(name), "") for name in names]
    return tuple(known) if all(known) else ()
