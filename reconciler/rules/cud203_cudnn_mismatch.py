"""The cuDNN that is found is older than, or of another major than, a build needs.

A build works with the minor release of cuDNN that it was compiled with, or with a later one of the
same major: 9.13 does for a build with 9.10, 9.10 does not for one with 9.13, and 9 never does for 8.
What a build asks for stands in its requirements or its depends; where these ask for too little, in
the catalog.

Silent where the cuDNN is newer within its major, and where none is installed at all, which is
CUD204's or the loader's to say. It is a warning for libraries that use cuDNN for some of their work
alone, such as CTranslate2.

Why it matters
--------------
`nvidia-cudnn-cu12`, conda's `cudnn`, and what another package has pinned are resolved without a
word of the build that needs it, so that an older one is left in place. XLA and TensorFlow then give
up with "Loaded runtime CuDNN library: 9.10.1 but source was compiled with: 9.13.1", PyTorch with
"cuDNN version incompatibility", and CTranslate2 finds no `libcudnn_ops_infer.so.8`.

Fix safety
----------
For what is installed, a command is proposed, and never run: the cuDNN that the build requires is installed in the place
of the other one. Where another package needs the cuDNN that is there, it is for the user to choose.
Lines of files are left alone.

References
----------
- conda-forge/jaxlib-feedstock#329: runtime 9.10.1, compiled with 9.13.1, in an environment of conda alone
- conda-forge/jaxlib-feedstock#277: jaxlib 0.4.30 needs cuDNN 9.1, and 8.9.7 is installed
- jax-ml/jax#15268: loaded runtime 8.5.0 where 8.6.0 is needed
- SYSTRAN/faster-whisper#1182: ctranslate2 and the cuDNN of another major
- hfawaz/dl-4-tsc#54: 8.7 loaded where 8.9 is needed

"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from reconciler.model.finding import INSTALLED, Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.model.family import CudnnUse
    from reconciler.model.finding import Finding
    from reconciler.model.fix import Fix
    from reconciler.world import World

RULE = Rule(
    code="CUD203",
    name="cudnn-mismatch",
    severity=Severity.ERROR,
    needs_any=frozenset({Fact.RECORDS, Fact.DISTRIBUTIONS, Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
conda: []
pip:
  - torch==2.4.0: {requires: [nvidia-cudnn-cu12==9.1.0.70]}
  - nvidia-cudnn-cu12==8.9.2.26
"""

GOOD = """\
python: 3.11.7
conda: []
pip:
  - torch==2.4.0: {requires: [nvidia-cudnn-cu12==9.1.0.70]}
  - nvidia-cudnn-cu12==9.5.1.17
"""


def check(world: World) -> Iterator[Finding]:
    """Hold each cuDNN against what the builds beside it were compiled with."""
    written: list[str] = []
    for install in world.install_sets:
        for finding in _judge(world, install.name, world.declared_cudnn_uses(install)):
            written.append(finding.cause)
            yield finding
    yield from _judge(world, INSTALLED, world.cudnn_uses, written)


def _judge(
    world: World, place: str, uses: Iterable[CudnnUse], written: Sequence[str] = ()
) -> Iterator[Finding]:
    unserved: dict[str, dict[str, CudnnUse]] = defaultdict(dict)
    for use in uses:
        if not use.is_served:
            unserved[use.found.package].setdefault(str(use.user), use)
    for found in unserved.values():
        # What cannot do without cuDNN speaks for the others.
        ordered = sorted(found.values(), key=lambda use: not world.is_framework(use.user))
        yield _finding(world, place, ordered, written)


def _finding(
    world: World, place: str, unserved: Sequence[CudnnUse], written: Sequence[str]
) -> Finding:
    use, cudnn = unserved[0], unserved[0].found
    title = world.catalog.title(cudnn.component)
    more = "".join(f", {other.user} with {other.built_with}" for other in unserved[1:4])
    builds = [other.user.build for other in unserved]
    is_of_another_major = all(
        build and build.major and cudnn.major and build.major != cudnn.major for build in builds
    )
    return RULE.finding(
        f"{use.user} was built with {title} {use.built_with}{more}, and {place} has"
        f" {cudnn.manager}'s {cudnn}",
        severity=None if world.is_framework(use.user) else Severity.WARNING,
        at=cudnn.at,
        related=tuple(other.user.at for other in unserved[:4]),
        shows_as="`Loaded runtime CuDNN library: ... but source was compiled with: ...`, `cuDNN"
        " version incompatibility`, or `Could not load library libcudnn_...`, at the first"
        " convolution on a GPU",
        remedy=_remedy(world, unserved),
        evidence=tuple(f"{other.user}: {other.evidence}" for other in unserved[:4]),
        fix=_fix(world, unserved) if place == INSTALLED and not is_of_another_major else None,
        cause=cause_of(RULE.name, place, cudnn.package),
        explained_by=(
            *written,
            *([cause_of("cuda-majors-mixed", place)] if is_of_another_major else []),
        ),
    )


def _fix(world: World, unserved: Sequence[CudnnUse]) -> Fix:
    cudnn, wanted = unserved[0].found, max(unserved, key=lambda use: use.minimum)
    if others := _needing_this(world, unserved):
        return world.mending.choice(f"take one: {_bounds(wanted)}, or what {others[0].user} needs")
    why = f"{wanted.user} was built with {wanted.built_with}, and {cudnn} is installed"
    pin = wanted.requirement if cudnn.manager == "pip" else ""
    return world.mending.bring(cudnn, pin or _bounds(wanted), why)


def _needing_this(world: World, unserved: Sequence[CudnnUse]) -> Sequence[CudnnUse]:
    """Return the uses of the cuDNN that is there which one of another major would not serve."""
    cudnn, wanted = unserved[0].found, max(unserved, key=lambda use: use.minimum)
    served = [use for use in world.cudnn_uses if use.found == cudnn and use.is_served]
    return [use for use in served if use.minimum[:1] != wanted.minimum[:1]]


def _bounds(wanted: CudnnUse) -> str:
    return f"{wanted.found.package}>={wanted.built_with},<{wanted.minimum[0] + 1}"


def _remedy(world: World, unserved: Sequence[CudnnUse]) -> str:
    cudnn, wanted = unserved[0].found, max(unserved, key=lambda use: use.minimum)
    if others := _needing_this(world, unserved):
        names = ", ".join(str(use.user) for use in others[:3])
        return (
            f"{names} needs the {world.catalog.title(cudnn.component)} that is there: take"
            f" {wanted.user.package} in a release for it, or keep them in two environments"
        )
    bounds = _bounds(wanted)
    if cudnn.manager == "pip":
        return f"`pip install '{wanted.requirement or bounds}'`"
    return (
        f"`conda install '{bounds}'`, or a build of {wanted.user.package} for the"
        f" {world.catalog.title(cudnn.component)} that is there"
    )
