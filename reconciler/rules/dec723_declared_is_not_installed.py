"""An environment differs from the file that describes it, in what has to do with CUDA.

A version, a build or a CUDA that the file pins is not the one that is installed, or a package of it
is not installed at all: a later `pip install` or `conda install` has exchanged it.

Only files that describe this very environment are held against it: an environment.yml that names
it, and the files of a project whose own environment it is. Packages that have nothing to do with
CUDA are not judged, and neither is what the file leaves open.

Why it matters
--------------
The file is what others, and the next machine, will install. What runs here is not what it says, so
that neither a bug nor its absence can be repeated.

Fix safety
----------
No fix is applied: whether the file or the environment is right is the user's choice.

References
----------
- Sygil-Dev/sygil-webui#1659: adding conda-forge turned PyTorch into a CPU build
- pytorch/vision#9174: torch 2.8 is installed, and 2.6 answers
- vllm-project/vllm#34224: installing vllm puts torch 2.9.1 in the place of 2.10.0+cu130

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.cuda import Variant
from reconciler.model.finding import INSTALLED, Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.family import Drift
    from reconciler.model.finding import Finding
    from reconciler.model.install_set import InstallSet
    from reconciler.world import World

RULE = Rule(
    code="DEC723",
    name="declared-is-not-installed",
    severity=Severity.WARNING,
    needs=frozenset({Fact.MANIFESTS, Fact.RECORDS, Fact.DISTRIBUTIONS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
conda:
  - cudatoolkit=11.7.1=h4bc3d14_13
pip: []
environment.yml: |
  name: prefix
  dependencies:
    - cudatoolkit=11.8
"""

GOOD = """\
python: 3.11.7
conda:
  - cudatoolkit=11.8.0=h4ba93d1_13
pip: []
environment.yml: |
  name: prefix
  dependencies:
    - cudatoolkit=11.8
"""


def check(world: World) -> Iterator[Finding]:
    """Hold each file that describes this environment against what is installed."""
    drifts = {install.name: world.drifts(install) for install in world.own_sets}
    for install in world.own_sets:
        # Two files of one project may ask for two things: what one of them has right is meant.
        others = [other for other in world.own_sets if other is not install]
        differing = [
            drift for drift in drifts[install.name] if not _is_right(drift, others, drifts)
        ]
        if differing:
            yield _finding(install, differing)


def _is_right(
    drift: Drift, others: Sequence[InstallSet], drifts: dict[str, tuple[Drift, ...]]
) -> bool:
    """Tell whether another file asks for the same package and is content."""
    section, name = drift.line.section, drift.line.name
    return any(
        name in {line.name for line in other.requirements(section)}
        and name not in {found.line.name for found in drifts[other.name]}
        for other in others
    )


def _finding(install: InstallSet, drifts: Sequence[Drift]) -> Finding:
    shown = "; ".join(f"{drift.line.text!r}, and {_what(drift)}" for drift in drifts[:4])
    more = f"; and {len(drifts) - 4} more" if len(drifts) > 4 else ""
    first = drifts[0].line
    update = (
        f"conda env update --file {install.path}"
        if install.tool == "conda"
        else f"pip install -r {install.path}"
    )
    causes = [_causes(drift) for drift in drifts]
    return RULE.finding(
        f"{install.name} asks for {shown}{more} in {INSTALLED}",
        at=first.location,
        related=tuple(drift.installed.at for drift in drifts[:4] if drift.installed),
        shows_as="what runs here is not what the file installs elsewhere",
        remedy=f"write what is installed into {install.name}, if it is right; or bring the"
        f" environment back to it: `{update}`",
        evidence=tuple(f"{d.line.path}:{d.line.line}: {d.line.text}" for d in drifts[:6]),
        cause=cause_of(RULE.name, install.name),
        explained_by=tuple(dict.fromkeys(c for found in causes for c in found))
        if all(causes)
        else (),
    )


def _what(drift: Drift) -> str:
    return f"{drift.line.name} {drift.found}"


def _causes(drift: Drift) -> tuple[str, ...]:
    """Return the causes of findings that tell of this difference already."""
    ours, theirs = drift.asked, drift.installed
    if theirs and theirs.variant is Variant.CPU and (ours is None or ours.variant is Variant.CUDA):
        return (cause_of("cpu-build", INSTALLED, drift.component),)
    if ours and theirs and None not in {ours.major, theirs.major} and ours.major != theirs.major:
        return (cause_of("cuda-majors-mixed", INSTALLED),)
    return ()
