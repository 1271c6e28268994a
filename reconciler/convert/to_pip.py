"""The other way: what a file asks of conda, as requirements of pip with the index that has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from reconciler.convert.cuda import SELECTORS, decide
from reconciler.model.catalog import Catalog
from reconciler.model.conversion import (
    Confidence,
    Conversion,
    Converted,
    CudaDecision,
    Dropped,
    Line,
    Setting,
    Stance,
)
from reconciler.model.cuda import CudaVersion
from reconciler.model.manifest import Kind, Section
from reconciler.model.row import numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.convert.served import Aim
    from reconciler.model.conda_spec import CondaSpec
    from reconciler.model.cuda import CudaBuild
    from reconciler.model.install_set import InstallSet
    from reconciler.model.manifest import Declared

_OF_PEP_440 = frozenset({"==", "!=", ">=", "<=", ">", "<", "~="})


class _Ground(Struct, frozen=True, kw_only=True):
    """What holds for all lines of one file."""

    decision: CudaDecision
    platform: str
    catalog: Catalog

    @property
    def cuda(self) -> CudaVersion | None:
        return CudaVersion.parse(self.decision.release)


def requirements(
    install: InstallSet, builds: Sequence[CudaBuild], aim: Aim, catalog: Catalog, *, name: str
) -> Conversion:
    """Return what one install set comes to for pip; each ``spec`` is a requirement."""
    decision = decide(aim, builds, (), catalog)
    ground = _Ground(decision=decision, platform=aim.platform, catalog=catalog)
    told = [_told(line, ground) for line in install.requirements(Section.CONDA)]
    indexes = [
        Setting(text=line.text, at=line.location, is_carried=True, reason="the file names it")
        for line in install.of_kind(Kind.INDEX)
    ]
    for line in told:
        if isinstance(line, Converted) and line.channel:
            text, reason = f"--extra-index-url {line.channel}", f"it has the build of {line.name}"
            indexes.append(Setting(text=text, at=line.at, is_carried=True, reason=reason))
    return Conversion(
        name=name,
        source=install.path,
        platforms=(install.platform,),
        channels=(),
        python="python",
        lines=(*told, *map(_kept, install.requirements(Section.PIP))),
        cuda=decision,
        settings=tuple(indexes),
    )


def render(conversion: Conversion) -> str:
    """Return the text of a requirements.txt."""
    options = dict.fromkeys(s.text for s in conversion.settings if s.is_carried)
    lines = [
        text
        for line in conversion.lines
        for text in (line.specs if isinstance(line, Converted) else ())
    ]
    return "".join(f"{line}\n" for line in dict.fromkeys((*options, *lines)))


def _kept(line: Declared) -> Converted:
    return Converted(
        requirement=line.text,
        at=line.location,
        name=line.name,
        specs=(line.text,),
        provenance="the file asks pip for it",
        confidence=Confidence.GIVEN,
    )


def _told(line: Declared, ground: _Ground) -> Line:
    spec = line.spec
    if spec is None:
        return _dropped(line, "it is no MatchSpec")
    if reason := _no_use(spec, ground.catalog):
        return _dropped(line, reason)
    version = pep_440(spec)
    if version is None:
        return _dropped(line, f"pip has no form for the version {spec.version}")
    name, provenance = _name(spec, ground)
    tag, url = _index(spec, ground)
    return Converted(
        requirement=line.text,
        at=line.location,
        name=name.partition("[")[0],
        specs=(f"{name}{version}" + (f"+{tag}" if tag and spec.is_exact else ""),),
        provenance=provenance,
        confidence=Confidence.CATALOG if provenance.startswith("catalog") else Confidence.MAP,
        channel=url,
    )


def _no_use(spec: CondaSpec, catalog: Catalog) -> str:
    """Return why nothing of PyPI serves for a package of conda; "" where something does."""
    if spec.name == "python":
        return "requirements cannot ask for Python itself"
    if spec.name in SELECTORS | catalog.channels.switches:
        return "with pip, the index and the wheel's own label say which CUDA it is"
    if ("conda", spec.name) in catalog.cuda_packages:
        return "the wheels that need it bring it themselves"
    if not catalog.distributions_of(spec.name):
        return "no distribution of PyPI is known to be the same"
    return ""


def _name(spec: CondaSpec, ground: _Ground) -> tuple[str, str]:
    """Return PyPI's name, with the extra that asks for CUDA, and where that comes from."""
    rows = ground.catalog.naming.for_conda(spec.name)
    for row in rows if ground.decision.stance is Stance.CUDA else ():
        consumer = ground.catalog.consumer("pip", row.pypi)
        release = consumer.cuda_of_name.get(row.pypi, "") if consumer else ""
        if release and ground.cuda and release.partition(".")[0] == str(ground.cuda.major):
            return row.pypi, f"catalog: {row.source}"
        if row.extra and row.release == "same":
            return f"{row.pypi}[{row.extra}]", f"catalog: {row.source}"
    usual = ground.catalog.distributions_of(spec.name)[0]
    return usual, f"map: {spec.name} is {usual} on PyPI"


def _index(spec: CondaSpec, ground: _Ground) -> tuple[str, str]:
    """Return the label of the build that is wanted and its index; "" where PyPI has that."""
    usual = ground.catalog.distributions_of(spec.name)[0]
    site = ground.catalog.published.site_of(usual)
    consumer = ground.catalog.consumer("pip", usual)
    if site is None or consumer is None or not (consumer.on_pytorch_index and consumer.has_cuda):
        return "", ""
    tag = _tag(usual, spec.pinned_version or "", ground)
    return tag, site.address.format(label=tag, torch="") if tag else ""


def _tag(name: str, version: str, ground: _Ground) -> str:
    if ground.decision.stance is Stance.CPU and not ground.platform.startswith("osx"):
        return "cpu"
    if ground.cuda is None:
        return ""
    release = ground.catalog.release(name, version, ground.platform)
    if release and release.cuda and CudaVersion.parse(release.cuda) == ground.cuda:
        return ""
    wanted = f"cu{ground.cuda.major}{ground.cuda.minor or 0}"
    builds = ground.catalog.published.index_builds(name, version)
    if builds is None or wanted in builds.tags:
        return wanted
    same = [tag for tag in builds.tags if tag.startswith(f"cu{ground.cuda.major}")]
    return max(same, key=numbers, default="")


def _dropped(line: Declared, reason: str) -> Dropped:
    return Dropped(requirement=line.text, at=line.location, name=line.name, reason=reason)


def pep_440(spec: CondaSpec) -> str | None:
    """Return the version specifier of a spec; None where PEP 440 cannot say it."""
    constraint = spec.constraint
    if constraint is None:
        return ""
    if len(constraint.alternatives) != 1:
        return None
    said = [_clause(clause.operator, clause.operand) for clause in constraint.alternatives[0]]
    if None in said:
        return None
    text = ",".join(clause for clause in said if clause)
    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        return None
    return text


def _clause(operator: str, operand: str) -> str | None:
    """Return a clause of PEP 440; "" where it allows all, None where there is none."""
    if operator == "*":
        return ""
    if operator in {"=", "!=*"}:
        return f"{'==' if operator == '=' else '!='}{operand}.*"
    # <2a0 is conda's way to leave the pre-releases of 2 out, as PEP 440 does by itself.
    plain = operand.removesuffix("a0") if operator == "<" else operand
    return f"{operator}{plain}" if operator in _OF_PEP_440 else None
