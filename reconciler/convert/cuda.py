"""One CUDA for the whole environment: what asks for which, and what conda-forge has builds for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.convert.served import (
    CHANNEL,
    Aim,
    Asked,
    common_releases,
    likely,
    order,
    served,
    span,
)
from reconciler.model.conversion import CudaDecision, Stance
from reconciler.model.cuda import CudaBuild, CudaVersion, KnownBy, Role, Variant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.model.catalog import Catalog

#: The last release whose toolkit conda-forge has in one package: after it, cuda-version selects.
LAST_TOOLKIT = CudaVersion(11, 8)
# How well a witness tells which release is meant, rather than what PyPI's wheel happens to bring.
_LABELED = frozenset({KnownBy.LOCAL_VERSION, KnownBy.INDEX, KnownBy.BUILD_STRING})
#: What selects a release on conda, rather than being a part of it.
SELECTORS = frozenset({"cuda-version", "cudatoolkit", "pytorch-cuda"})
#: What held all of its libraries until then.
TOOLKIT = "cudatoolkit"
_CHIEF_PARTS = frozenset({"cuda-runtime", "toolkit"})


def decide(
    aim: Aim, builds: Sequence[CudaBuild], asked: Sequence[Asked], catalog: Catalog
) -> CudaDecision:
    """Return which CUDA all of these are to share, or the choices where they cannot."""
    decision = _decided(aim, builds, asked, catalog)
    # Whether builds of conda's can be had without the toolkit that they were made for, a solver tells.
    return decision if asked else _as_served(decision, catalog)


def _as_served(decision: CudaDecision, catalog: Catalog) -> CudaDecision:
    """Return the decision without a toolkit that conda-forge has never had."""
    release = CudaVersion.parse(decision.release)
    first = CudaVersion.parse(catalog.channels.ended[TOOLKIT].first)
    if release is None or first is None or order(release) >= order(first):
        return decision
    said = (
        f"conda-forge has had no {TOOLKIT} before {first}, so that none is asked for: "
        f"what is built for CUDA {release} needs the machine's own"
    )
    return replace(decision, specs=(), because=(*decision.because, said))


def _decided(
    aim: Aim, builds: Sequence[CudaBuild], asked: Sequence[Asked], catalog: Catalog
) -> CudaDecision:
    if early := _without(aim, builds):
        return early
    telling = [b for b in builds if b.variant is Variant.CUDA]
    if not telling and not asked:
        if aim.cuda == "auto":
            said = "nothing that is asked for has to do with CUDA"
            return CudaDecision(stance=Stance.ABSENT, because=(said,))
        return _selected(CudaVersion.parse(aim.cuda), [f"--cuda {aim.cuda} asks for it"])
    told = _ranked(telling)
    hints = likely(aim, asked, catalog)
    decision = _decide(aim, told, served(aim, asked, catalog, newest=True), hints, catalog)
    if decision.stance is not Stance.CLASH:
        return decision
    # Where a line leaves its version open, an older one may fit what the newest does not.
    return _decide(aim, told, served(aim, asked, catalog, newest=False), hints, catalog)


def _decide(
    aim: Aim,
    told: list[tuple[int, CudaBuild]],
    served: Mapping[Asked, tuple[CudaVersion, ...]],
    hints: Sequence[Sequence[CudaVersion]],
    catalog: Catalog,
) -> CudaDecision:
    if aim.cuda != "auto":
        return _by_option(CudaVersion.parse(aim.cuda), served)
    return _by_evidence(aim, told, served, hints, catalog)


def _without(aim: Aim, builds: Sequence[CudaBuild]) -> CudaDecision | None:
    """Return the decision where CUDA is out of the question, or not wanted."""
    if aim.platform.startswith("osx"):
        said = "macOS has no CUDA: its builds are for the CPU, and use Metal where they can"
        return CudaDecision(stance=Stance.CPU, because=(said,))
    if aim.cuda == "none":
        return CudaDecision(stance=Stance.CPU, because=("--cuda none asks for builds for the CPU",))
    rocm = [b for b in builds if b.variant is Variant.ROCM]
    if rocm and aim.cuda == "auto":
        said = f"{rocm[0]} is a build for ROCm ({rocm[0].evidence}), which conda-forge has not"
        return CudaDecision(stance=Stance.CPU, because=(said,))
    cpu = [b for b in builds if b.variant is Variant.CPU and b.known_by is not KnownBy.RELEASE]
    cpu = cpu or [b for b in builds if b.variant is Variant.CPU]
    is_gpu = any(b.variant is Variant.CUDA for b in builds)
    if cpu and not is_gpu and aim.cuda == "auto":
        because = tuple(f"{b} is a build for the CPU ({b.evidence})" for b in cpu[:3])
        return CudaDecision(stance=Stance.CPU, because=because)
    return None


def _ranked(builds: Iterable[CudaBuild]) -> list[tuple[int, CudaBuild]]:
    """Sort what tells a release, the witness that tells best first; what tells none goes."""
    told = [(_rank(build), build) for build in builds if build.cuda]
    return sorted(told, key=lambda one: one[0])


def _rank(build: CudaBuild) -> int:
    if build.role is Role.NEEDS and build.known_by in _LABELED:
        return 0
    if build.manager == "conda" and build.package in SELECTORS:
        return 1
    if build.role is Role.NEEDS and build.known_by is not KnownBy.RELEASE:
        return 2
    if build.role is Role.NEEDS:
        return 3
    is_chief = build.component in _CHIEF_PARTS and build.cuda and build.cuda.minor is not None
    return 4 if is_chief else 5


def _meant(told: Sequence[tuple[int, CudaBuild]]) -> tuple[list[CudaBuild], bool]:
    """Return what tells the release best, and whether somebody has asked for it.

    What a pinned wheel of a framework was built for is no wish, and says more than parts of CUDA
    that lie beside it: those may be left of another one.
    """
    asked = [build for rank, build in told if rank < 3]
    built = [build for rank, build in told if rank == 3]
    parts = [build for rank, build in told if rank > 3]
    return asked or built or parts, bool(asked or not built)


def _by_option(
    wanted: CudaVersion | None, served: Mapping[Asked, tuple[CudaVersion, ...]]
) -> CudaDecision:
    said = [f"--cuda {wanted} asks for it"]
    lacking = {one: has for one, has in served.items() if wanted and wanted not in has}
    if not lacking:
        return _selected(wanted, said)
    because = tuple(_lacks(one, has, wanted) for one, has in lacking.items())
    common = common_releases(served)
    return CudaDecision(stance=Stance.CLASH, because=because, choices=_offers(common))


def _lacks(one: Asked, has: Sequence[CudaVersion], wanted: CudaVersion | None) -> str:
    return f"conda-forge has {one.requirement} for CUDA {span(has)}, and not for {wanted}"


def _by_evidence(
    aim: Aim,
    told: list[tuple[int, CudaBuild]],
    served: Mapping[Asked, tuple[CudaVersion, ...]],
    hints: Sequence[Sequence[CudaVersion]],
    catalog: Catalog,
) -> CudaDecision:
    meant, is_asked = _meant(told)
    because = [_says(build) for build in meant]
    majors = dict.fromkeys(build.major for build in meant)
    common = common_releases(served)
    if served and not common:
        has = [f"conda-forge has {o.requirement} for CUDA {span(r)}" for o, r in served.items()]
        choices = ("convert them into two environments", "let go of one of these versions")
        return CudaDecision(stance=Stance.CLASH, because=tuple(has), choices=choices)
    if len(majors) > 1 and is_asked:
        return _clash_of_majors(meant, common, served)
    if not is_asked:
        # Nobody has asked for a release: what is too new to be known is built for what it was last.
        common = [c for c in common if all(c in hint for hint in hints)] or common
    told_of = [build.cuda for build in meant if build.cuda]
    # Of several wheels that were only built for it, one may have a build that the others have too.
    wished = [c for c in told_of if is_asked or not common or _near(c, common)]
    if aim.driver:
        common = [c for c in common if c.major <= aim.driver.major] or common
    if not wished:
        return _by_default(aim, because, common, catalog)
    finest = _finest(wished, [b.cuda for _, b in told if b.cuda])
    return _nearest(finest, because, common, served, is_meant=is_asked)


def _offers(common: Sequence[CudaVersion]) -> tuple[str, ...]:
    """Return the choices that are left: the newest release of each major."""
    majors = sorted({cuda.major for cuda in common})
    newest = (max((c for c in common if c.major == major), key=order) for major in majors)
    return (*(f"--cuda {cuda}" for cuda in newest), "--cuda none")


def _says(build: CudaBuild) -> str:
    return f"{build} is for CUDA {build.cuda}: {build.evidence}"


def _finest(wished: Sequence[CudaVersion], parts: Sequence[CudaVersion] = ()) -> CudaVersion:
    """Return the newest release of the major that is named first: it serves what is for others.

    Where none has a minor, the first of the parts that has tells it.
    """
    same = [c for c in wished if c.major == wished[0].major and c.minor is not None]
    fine = [c for c in parts if c.major == wished[0].major and c.minor is not None]
    return max(same, key=order) if same else next(iter(fine), wished[0])


def _near(wanted: CudaVersion, common: Sequence[CudaVersion]) -> bool:
    return any(cuda.major == wanted.major for cuda in common)


def _clash_of_majors(
    meant: Sequence[CudaBuild],
    common: Sequence[CudaVersion],
    served: Mapping[Asked, tuple[CudaVersion, ...]],
) -> CudaDecision:
    choices = []
    for major in sorted({build.major for build in meant if build.major}):
        names = [str(build) for build in meant if build.major == major]
        wished = _finest([b.cuda for b in meant if b.cuda and b.major == major])
        release = _closest(wished, common) if served else wished
        if release and release.major == major:
            text = release if release.minor is not None else f"{major}.N"
            choices.append(f"--cuda {text}, which {names[0]} asks for")
    return CudaDecision(
        stance=Stance.CLASH,
        because=tuple(_says(build) for build in meant),
        choices=(*choices, "--cuda none"),
    )


def _closest(wanted: CudaVersion, common: Sequence[CudaVersion]) -> CudaVersion | None:
    """Return the release of the same major that is nearest, a newer one before an older one."""
    same = [cuda for cuda in common if cuda.major == wanted.major]
    if not same:
        return None
    if wanted.minor is None:
        return max(same, key=order)
    minor = wanted.minor
    # What was built for a release runs beside the libraries of a later one of its major.
    return min(same, key=lambda c: ((c.minor or 0) < minor, abs((c.minor or 0) - minor)))


def _nearest(
    wanted: CudaVersion,
    because: list[str],
    common: Sequence[CudaVersion],
    served: Mapping[Asked, tuple[CudaVersion, ...]],
    *,
    is_meant: bool,
) -> CudaDecision:
    if not served:
        return _selected(wanted, because)
    found = _closest(wanted, common)
    if found is None:
        has = [_lacks(one, releases, wanted) for one, releases in served.items()]
        if is_meant:
            return CudaDecision(
                stance=Stance.CLASH, because=(*because, *has), choices=_offers(common)
            )
        return _selected(max(common, key=order), [*because, *has])
    if wanted.minor is not None and found != wanted:
        lacking = [one.requirement for one, has in served.items() if wanted not in has]
        said = f"conda-forge is likelier to have all of it for CUDA {found} than for {wanted}"
        if lacking:
            said = f"conda-forge has {lacking[0]} for CUDA {found} and not for {wanted}"
        because = [*because, f"{said}, which the same driver serves"]
    return _selected(found, because)


def _by_default(
    aim: Aim, because: list[str], common: Sequence[CudaVersion], catalog: Catalog
) -> CudaDecision:
    default = CudaVersion.parse(catalog.channels.known[CHANNEL].default_cuda)
    fitting = [cuda for cuda in common if default and order(cuda) <= order(default)]
    found = max(fitting or common, key=order, default=default)
    if aim.driver and found and found.major > aim.driver.major:
        said = f"the driver serves CUDA {aim.driver}, and what is asked for has no build for it"
        return CudaDecision(stance=Stance.CLASH, because=(*because, said), choices=("--cuda none",))
    said = "nothing names a release: conda-forge builds for this one first"
    if found and default and found.major != default.major:
        said = "nothing names a release: it is the newest that all of it has builds for"
    if aim.driver:
        said += f", and the driver serves CUDA {aim.driver}"
    return _selected(found, [*because, said])


def _selected(cuda: CudaVersion | None, because: Sequence[str]) -> CudaDecision:
    if cuda is None:
        return CudaDecision(stance=Stance.CUDA, because=tuple(because))
    # Builds for 11.8 depend on either; older ones on cudatoolkit, and it on nothing.
    selectors = [] if order(cuda) < order(LAST_TOOLKIT) else [f"cuda-version={cuda}"]
    if order(cuda) <= order(LAST_TOOLKIT):
        selectors.append(f"cudatoolkit={cuda}")
    return CudaDecision(
        stance=Stance.CUDA,
        release=str(cuda),
        because=tuple(because),
        specs=tuple(selectors),
    )
