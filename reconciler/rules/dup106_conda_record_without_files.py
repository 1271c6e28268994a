"""pip has removed or replaced what conda still records.

`pip uninstall numpy` deletes the files that conda has installed, dist-info and all, and leaves
conda's record of them; so does a pip that replaces a package by another version.

Silent where nothing of a site-packages could be read, and for a dist-info that is unreadable.

Why it matters
--------------
conda takes the package to be there: `conda list` shows it, `conda install` of it does nothing, and
the packages that depend on it fail at import. Tools that copy environments refuse it. `conda list`
and `conda env export`, which only read, delete the record of a package that pip has replaced, and
with it the trace.

Fix safety
----------
A command is proposed, and never run: conda installs the package again, where another one of conda
depends on it or it was asked for by name. Else it is for the user to choose whether it is to come
back or its record is to go.

References
----------
- conda/conda#14161: `conda list` shows wrong or doubled rows after pip installed over conda
- conda/conda-pack#98: files managed by conda were found to have been deleted or overwritten
- conda/conda#10357: the same in the other direction, a dist-info that conda leaves half deleted

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import INSTALLED, Location, Severity, cause_of
from reconciler.model.owner import installing_again, removing
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding
    from reconciler.model.fix import Fix
    from reconciler.model.prefix import PrefixRecord
    from reconciler.world import World

RULE = Rule(
    code="DUP106",
    name="conda-record-without-files",
    severity=Severity.WARNING,
    needs=frozenset({Fact.RECORDS, Fact.DISTRIBUTIONS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
conda:
  - numpy=1.26.4=py311h64a7726_0:
      files: [lib/python3.11/site-packages/numpy-1.26.4.dist-info/METADATA]
pip:
  - requests==2.32.3
"""

GOOD = """\
python: 3.11.7
conda:
  - numpy=1.26.4=py311h64a7726_0:
      files: [lib/python3.11/site-packages/numpy-1.26.4.dist-info/METADATA]
pip:
  - numpy==1.26.4: {installer: conda}
"""


def check(world: World) -> Iterator[Finding]:
    """Look for records whose distribution is gone from the site-packages."""
    for record in world.lost_records:
        twins = world.twins_of(record)
        yield RULE.finding(
            f"conda records {record}, {_why(world, record)}",
            at=Location(subject=f"conda's {record}", path=record.path, in_prefix=True),
            shows_as=f"`conda list` shows {record.name}, and `conda install {record.name}` does"
            " nothing, while what needs these files fails: `ModuleNotFoundError`",
            remedy=f"`{installing_again(record)}` brings it back; if it is not wanted,"
            f" `{removing(record)}` clears the record",
            evidence=_evidence(world, record),
            cause=cause_of(RULE.name, INSTALLED, record.name),
            # Of what pip has replaced, DUP103 says which of the two stays.
            fix=None if twins else _fix(world, record),
            explained_by=tuple(
                cause_of("distribution-installed-twice", INSTALLED, t.key) for t in twins
            ),
        )


def _fix(world: World, record: PrefixRecord) -> Fix:
    users = world.mending.keeping.users_of([record])
    if not users and not record.requested_specs:
        return world.mending.choice(f"bring {record.name} back, or clear conda's record of it")
    needed = f"{users[0]} depends on it" if users else "it was asked for by name"
    return world.mending.again(record, f"the files of conda's {record} are gone, and {needed}")


def _why(world: World, record: PrefixRecord) -> str:
    for twins in world.twins_of(record):
        other = next(i for i in twins.installations if i.owner is not record)
        return f"but {other} has replaced it"
    return "but its files are gone, as after `pip uninstall`"


def _evidence(world: World, record: PrefixRecord) -> tuple[str, ...]:
    infos = [path for path, owner in world.ownership.metadata.items() if owner is record]
    files = [file for file in world.claimed_files if any(o is record for o in file.owners)]
    gone = [file for file in files if file.is_gone]
    counted = f"{len(gone)} of {len(files)} files that were looked at are gone"
    return (f"{infos[0]} is gone", *([counted] if gone else []))
