"""Files that describe the same environment pin a package differently.

Three kinds of files are held against each other: a lock and what it was made of, as it says itself
or by its name; two environment files of one folder that bear one `name:`; and a Dockerfile, or
another file with commands, beside the requirements that it installs.

Only packages that have to do with CUDA are judged, and only where neither file allows what the
other one pins: a range that holds the other's version is fine, and so is a label such as +cu118
behind the same version. Files for different machines or purposes, `environment-cpu.yml` beside
`environment-gpu.yml`, are not about one environment, whatever they are called inside.

Why it matters
--------------
Whoever installs by one of them has another PyTorch than who installs by the other, and both are
told that this is the project's environment. A stale lock installs what its source gave up; in a
Dockerfile, what the first line downloads the second one throws away.

Fix safety
----------
Nothing is changed: which of the two is right is the user's choice, and both ways are shown.

References
----------
- numenta/nupic.torch#61: conda's environment pins another PyTorch than requirements.txt
- rujiewu/Bongard-OpenWorld#2: requirements.txt replaces the PyTorch that was installed before it
- FoundationVision/ByteTrack#49: a pinned version replaces the PyTorch that the image has

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.disagreement import Relation
from reconciler.model.finding import Severity, cause_of
from reconciler.model.fix import Applicability, Fix
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.disagreement import Disagreement
    from reconciler.model.finding import Finding
    from reconciler.world import World

RULE = Rule(
    code="DEC721",
    name="files-disagree",
    severity=Severity.WARNING,
    needs=frozenset({Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
Dockerfile: |
  FROM python:3.11
  RUN pip install torch==2.1.0
  RUN pip install -r requirements.txt
requirements.txt: |
  torch==2.5.1
"""

GOOD = """\
Dockerfile: |
  FROM python:3.11
  RUN pip install torch==2.1.0 --index-url https://download.pytorch.org/whl/cu118
  RUN pip install -r requirements.txt
requirements.txt: |
  torch>=2.0
"""


_WHO = {
    Relation.LOCK: "{first} and {second}, the lock that was made of it, pin packages",
    Relation.NAME: "{first} and {second} bear one name, and pin packages",
    Relation.INSTALLS: "{first} installs {second}, and they pin packages",
}
_SHOWS_AS = {
    Relation.LOCK: "who installs from {second} has what {first} no longer asks for",
    Relation.NAME: "who installs from {first} has another environment than who takes {second}",
    Relation.INSTALLS: "the later line replaces what the earlier one installed, or pip finds no way",
}
_REMEDY = {
    Relation.LOCK: "make {second} again from {first}, if {first} is right; or write there what is locked",
    Relation.NAME: "keep one of {first} and {second}, or give them two names",
    Relation.INSTALLS: "pin each package in one of {first} and {second} alone",
}


def check(world: World) -> Iterator[Finding]:
    """Tell of each pair of files once, with all that they say differently."""
    pairs: dict[tuple[str, str], list[Disagreement]] = {}
    for found in world.files.disagreements:
        pairs.setdefault((found.first.path, found.second.path), []).append(found)
    for (first, second), all_found in pairs.items():
        yield _finding(first, second, all_found)


def _finding(first: str, second: str, found: Sequence[Disagreement]) -> Finding:
    relation, files = found[0].relation, {"first": first, "second": second}
    lines = dict.fromkeys((d.first.text, d.second.text) for d in found)
    shown = "; ".join(f"{ours!r} and {theirs!r}" for ours, theirs in [*lines][:4])
    more = f"; and {len(lines) - 4} more" if len(lines) > 4 else ""
    remedy = _REMEDY[relation].format(**files)
    return RULE.finding(
        f"{_WHO[relation].format(**files)} differently: {shown}{more}",
        at=found[0].first.location,
        related=tuple(d.second.location for d in found[:4]),
        shows_as=_SHOWS_AS[relation].format(**files),
        remedy=remedy,
        fix=Fix(title=remedy, applicability=Applicability.DISPLAY),
        evidence=tuple(
            f"{line.path}:{line.line}: {line.text}"
            for d in found[:4]
            for line in (d.first, d.second)
        ),
        cause=cause_of(RULE.name, f"{first}+{second}"),
    )
