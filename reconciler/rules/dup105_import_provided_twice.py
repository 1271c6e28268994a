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

It is information where a file asks for several packings of one library in one version
(`opencv-python` and `opencv-contrib-python`): whichever wins, the import is served.

Fix safety
----------
For what is installed, commands are proposed, and never run: the one that another package requires,
that a file asks for, or that is for the framework's CUDA stays, and is installed again after the
others have gone. Of the lines of a file, those that are not for the CUDA of its framework are
removed, which is unsafe. Where nothing tells which it is, the choice is shown.

References
----------
- cupy/cupy#3552: several CuPy wheels in one environment
- microsoft/onnxruntime#21684: which onnxruntime-gpu fits which CUDA
- conda/conda#11103: warn about duplicate conda and pip packages

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, structs

from reconciler.model.finding import INSTALLED, Location, Severity, cause_of
from reconciler.model.manifest import Section
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.catalog import ImportGroup
    from reconciler.model.finding import Finding
    from reconciler.model.fix import Fix
    from reconciler.model.manifest import Declared
    from reconciler.model.prefix import PrefixRecord
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


class _Twin(Struct, frozen=True):
    name: str
    at: Location
    #: The version that a file pins.
    pin: str = ""


def check(world: World) -> Iterator[Finding]:
    """Look for two distributions of one import package, in each file and installed."""
    asked = {install.name: install.requirements(Section.PIP) for install in world.install_sets}
    names = {place: {line.name for line in lines} for place, lines in asked.items()}
    for group in world.catalog.import_groups:
        written: list[str] = []
        for install in world.install_sets:
            # Of the hundreds of lines, few are of a group.
            if sum(name in names[install.name] for name in group.pypi) < 2:
                continue
            if len(lines := _lines(group, asked[install.name])) > 1:
                same = [_Twin(line.name, line.location, line.pin) for line in lines]
                written.append(cause_of(RULE.name, install.name, group.import_name))
                remedy = f"keep the one line that is meant: {' or '.join(t.name for t in same)}"
                found = _finding(group, install.name, remedy, same)
                yield structs.replace(found, fix=world.files.fixing(install).one_of(lines))
        if world.wheels and len(twins := _installed(group, world)) > 1:
            behind = [*written, *_same_name(twins)]
            found = _finding(group, INSTALLED, _reinstall(twins), twins, behind)
            yield structs.replace(found, fix=_fix(group, world))


def _installed(group: ImportGroup, world: World) -> Sequence[_Twin]:
    wheels = [_Twin(wheel.key, wheel.at) for wheel in world.providers(group)]
    records = _records(group, world)
    # Conda keeps its own packages apart: cupy and cupy-core are one provider.
    conda = [_Twin("", Location(subject=f"conda's {record}")) for record in records[:1]]
    return [*wheels, *conda] if wheels else []


def _fix(group: ImportGroup, world: World) -> Fix | None:
    wheels, records = world.providers(group), _records(group, world)
    # One distribution under both managers is DUP103's.
    is_twin = len({wheel.key for wheel in wheels}) == 1 and bool(world.twins_of(wheels[0]))
    return None if is_twin else world.mending.one_of((*records, *wheels))


def _records(group: ImportGroup, world: World) -> Sequence[PrefixRecord]:
    return [world.records[name] for name in group.conda if name in world.records]


def _same_name(twins: Sequence[_Twin]) -> Sequence[str]:
    """Return DUP103's cause where the twins may be one distribution, under conda and under pip."""
    names = {twin.name for twin in twins if twin.name}
    return [
        cause_of("distribution-installed-twice", INSTALLED, name)
        for name in names
        if len(names) == 1
    ]


def _lines(group: ImportGroup, requirements: Sequence[Declared]) -> Sequence[Declared]:
    # One project under both managers is DUP102's; two projects of pip are meant here.
    named = (d for d in requirements if d.name in group.pypi)
    return [*{d.name: d for d in named if group.holds(d.name, d.pin)}.values()]


def _is_harmless(group: ImportGroup, twins: Sequence[_Twin]) -> bool:
    """Tell whether a file asks for one version of one library in several packings."""
    is_declared = all(twin.at.line for twin in twins)
    return group.is_one_library and is_declared and len({twin.pin for twin in twins}) == 1


def _reinstall(twins: Sequence[_Twin]) -> str:
    wheels = [twin.name for twin in twins if twin.name]
    uninstall = f"`pip uninstall {' '.join(wheels)}`"
    if len(wheels) == len(twins):
        return f"{uninstall}, then install again the one that is meant: {' or '.join(wheels)}"
    conda = twins[-1].at.subject
    return f"keep one: {uninstall}, then let conda install {conda} again; or remove {conda}"


def _finding(
    group: ImportGroup,
    place: str,
    remedy: str,
    twins: Sequence[_Twin],
    written: Sequence[str] = (),
) -> Finding:
    names = " and ".join(twin.at.subject for twin in twins)
    return RULE.finding(
        f"`import {group.import_name}` is provided more than once in {place}: by {names}",
        at=twins[0].at,
        related=tuple(twin.at for twin in twins[1:]),
        shows_as=f"`import {group.import_name}` gives whichever was installed last, with files of"
        " the other beside it, and uninstalling one of them breaks the other",
        remedy=remedy,
        severity=Severity.INFO if _is_harmless(group, twins) else None,
        cause=cause_of(RULE.name, place, group.import_name),
        explained_by=tuple(written),
    )
