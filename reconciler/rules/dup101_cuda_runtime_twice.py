"""conda and pip bring the same part of CUDA.

conda's cudatoolkit, cuda-*, cudnn or nccl packages lie in the prefix's `lib`, and `nvidia-*` wheels
(or an old PyTorch wheel that carries its own) bring the same libraries below `site-packages`.

Why it matters
--------------
Two copies of one library answer for one soname, and which one a process maps depends on who asks:
a wheel's RPATH finds the wheel's copy, an extension without one finds the prefix's through the
interpreter's RPATH. The copies age apart with every update, since neither manager knows the
other's. With different majors it is an error, and CUD201 is its cause.

Fix safety
----------
No fix is applied: whether conda or pip is to bring CUDA is the user's choice.

References
----------
- cupy/cupy#7253: "you should not have cudatoolkit from conda-forge" beside wheels
- tensorflow/tensorflow#52988: conda's cudatoolkit and cudnn beside a wheel of TensorFlow
- prefix-dev/pixi#484: nvidia-cudnn-cu12 and conda's cudnn both installed

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.cuda import Role
from reconciler.model.finding import INSTALLED, Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.model.cuda import CudaBuild, Manager
    from reconciler.model.finding import Finding
    from reconciler.world import World

RULE = Rule(
    code="DUP101",
    name="cuda-runtime-twice",
    severity=Severity.WARNING,
    needs_any=frozenset({Fact.RECORDS, Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
conda:
  - cuda-cudart=12.4.127=he02047a_2
pip:
  - torch==2.4.0+cu124
  - nvidia-cuda-runtime-cu12==12.4.127
"""

GOOD = """\
python: 3.11.7
conda:
  - cuda-cudart=12.4.127=he02047a_2
pip:
  - requests==2.32.3
"""


def check(world: World) -> Iterator[Finding]:
    """Hold what conda brings against what pip brings, in each file and installed."""
    written: list[str] = []
    for install in world.install_sets:
        if finding := _judge(world, install.name, world.files.builds_beside_conda(install)):
            written.append(finding.cause)
            yield finding
    if finding := _judge(world, INSTALLED, world.builds, written):
        yield finding


def _judge(
    world: World, place: str, builds: Sequence[CudaBuild], written: Sequence[str] = ()
) -> Finding | None:
    conda, pip = _brought(builds, "conda"), _brought(builds, "pip")
    # The runtime is what everybody knows by its name: where it is among them, it speaks for them.
    both = sorted(conda.keys() & pip.keys(), key=lambda part: (part != "cuda-runtime", part))
    if not both:
        return None
    majors = {b.major for part in both for b in (conda[part], pip[part]) if b.major}
    is_mixed = len(majors) > 1
    ours, theirs = conda[both[0]], pip[both[0]]
    titles = _titles(world, both)
    through = "through " if theirs.role is Role.NEEDS else ""
    message = (
        f"conda ({ours}) and pip ({theirs}) both bring {titles} to {place}"
        if place == INSTALLED
        else f"{place} asks for {titles} twice: from conda ({ours}) and, {through}{theirs}, from pip"
    )
    return RULE.finding(
        message,
        severity=Severity.ERROR if is_mixed else None,
        at=theirs.at,
        related=(ours.at,),
        shows_as="which copy a process maps depends on which library asks first, and after the"
        " next update of either side the two are of different versions",
        remedy=_remedy(world, ours, theirs, pip),
        evidence=tuple(
            f"{world.catalog.title(part)}: {conda[part]} of conda, {pip[part]} of pip"
            for part in both[:6]
        ),
        cause=cause_of(RULE.name, place),
        explained_by=(*([cause_of("cuda-majors-mixed", place)] if is_mixed else []), *written),
    )


def _brought(builds: Sequence[CudaBuild], manager: Manager) -> Mapping[str, CudaBuild]:
    """Return one package for each part that a manager brings."""
    return {part: build for build in builds if build.manager == manager for part in build.brings}


def _titles(world: World, parts: Sequence[str]) -> str:
    shown = ", ".join(world.catalog.title(part) for part in parts[:4])
    return f"{shown} and {len(parts) - 4} more parts of CUDA" if len(parts) > 4 else shown


def _remedy(
    world: World, ours: CudaBuild, theirs: CudaBuild, of_pip: Mapping[str, CudaBuild]
) -> str:
    if users := world.cuda_users("conda"):
        needed = ", ".join(str(user) for user in users[:3])
        if theirs.role is Role.NEEDS:
            return f"conda's copy is needed by conda's {needed}: take {theirs.package} from conda as well"
        return (
            f"conda's copy is needed by conda's {needed}: take from conda as well what needs pip's"
            f" {theirs.package}, and uninstall pip's copies"
        )
    missing = ", ".join([world.catalog.title(p) for p in ours.brings if p not in of_pip][:4])
    if not missing:
        return (
            f"no package of conda uses conda's copy, and pip's wheels bring all that it has: remove"
            f" {ours.package} from conda; or take the framework from conda and uninstall the wheels"
        )
    needing = _needing(world, theirs, of_pip)
    if needing and not world.uses_foreign_cuda():
        return (
            f"no package of conda uses conda's copy, and pip's {needing} comes with pip's: remove"
            f" {ours.package} from conda, unless programs of your own use its {missing}"
        )
    if needing:
        return (
            f"pip's copy is needed by pip's {needing}, and conda's {ours.package} by wheels that bring"
            f" no {missing}: take from conda what needs pip's, and uninstall pip's copies"
        )
    return (
        f"uninstall pip's {theirs.package} and what else pip has twice; conda's {ours.package} has to"
        f" stay while only it brings {missing}"
    )


def _needing(world: World, theirs: CudaBuild, of_pip: Mapping[str, CudaBuild]) -> str:
    """Return what of pip's is more than CUDA and does not go without pip's copy."""
    if theirs.role is Role.NEEDS:
        return str(theirs)
    cuda = {build.package for build in of_pip.values()}
    needing = [wheel for wheel in world.dependents(theirs.package) if wheel.key not in cuda]
    return " and ".join(str(wheel) for wheel in needing[:3])
