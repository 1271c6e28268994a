"""Two distributions install the same import package.

`cupy-cuda11x` and `cupy-cuda12x`, `onnxruntime` and `onnxruntime-gpu`, `opencv-python` and
`opencv-python-headless`, a `torch` wheel beside conda's pytorch: each pair writes one folder.

Why it matters
--------------
The one that was installed last has overwritten the other's files, and what lies there now is a
mixture if they differ in their lists of files. Which one answers the import cannot be told from
`pip list` or `conda list`, which show both as installed. Uninstalling one takes files from the
other, so that the import then fails although a distribution of it is still listed. With
`onnxruntime` beside `onnxruntime-gpu` the outcome is a build for the CPU and no word of it.

Fix safety
----------
No fix is applied: which of the two is meant is the user's choice. Both have to go before the one
that stays is installed again.

References
----------
- cupy/cupy#3552: several CuPy wheels in one environment
- microsoft/onnxruntime#21684: which onnxruntime-gpu fits which CUDA
- conda/conda#11103: warn about duplicate conda and pip packages

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Location, Severity
from reconciler.model.manifest import Section
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.catalog import ImportGroup
    from reconciler.model.finding import Finding
    from reconciler.model.manifest import InstallSet
    from reconciler.world import World

RULE = Rule(
    code="DUP105",
    name="import-provided-twice",
    severity=Severity.ERROR,
    needs_any=frozenset({Fact.DISTRIBUTIONS, Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
conda: []
pip:
  - cupy-cuda11x==13.3.0
  - cupy-cuda12x==13.3.0
"""

GOOD = """\
python: 3.11.7
conda: []
pip:
  - cupy-cuda12x==13.3.0
"""


PLACE = "this environment"


def check(world: World) -> Iterator[Finding]:
    """Look for two distributions of one import package, in each file and installed."""
    for group in world.catalog.import_groups:
        written = []
        for install in world.install_sets:
            if len(twins := _declared(group, install)) > 1:
                written.append(f"{RULE.name}@{install.name}:{group.import_name}")
                yield _finding(group, install.name, twins)
        if len(twins := _installed(group, world)) > 1:
            yield _finding(group, PLACE, twins, written)


def _installed(group: ImportGroup, world: World) -> Sequence[Location]:
    wheels = [
        Location(subject=f"pip's {d}", path=f"{d.location}/{d.directory}")
        for d in world.providers(group)
    ]
    records = [world.records[name] for name in group.conda if name in world.records]
    # Conda keeps its own packages apart: cupy and cupy-core are one provider.
    conda = [Location(subject=f"conda's {record}") for record in records[:1]]
    return [*wheels, *conda] if wheels else []


def _declared(group: ImportGroup, install: InstallSet) -> Sequence[Location]:
    # One project under both managers is DUP102's; two projects of pip are meant here.
    wheels = {
        d.name: d.location
        for d in install.requirements(Section.PIP)
        if group.holds(d.name, d.text.partition("==")[2])
    }
    return list(wheels.values())


def _finding(
    group: ImportGroup, place: str, twins: Sequence[Location], written: Sequence[str] = ()
) -> Finding:
    names = " and ".join(twin.subject for twin in twins)
    return RULE.finding(
        f"{names} both provide `import {group.import_name}` in {place}",
        at=twins[0],
        related=tuple(twins[1:]),
        shows_as=f"`import {group.import_name}` gives whichever was installed last, with files of"
        " the other beside it, and uninstalling one of them breaks the other",
        remedy=f"uninstall all of them, then install again the one {group.title} that is meant:"
        " what stays behind of two is not whole",
        cause=f"{RULE.name}@{place}:{group.import_name}",
        explained_by=tuple(written),
    )
