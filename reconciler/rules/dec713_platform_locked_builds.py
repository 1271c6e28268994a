"""An environment file pins conda packages to builds of one platform.

`conda env export` writes `numpy=1.26.4=py311h64a7726_0`: name, version and build. A build string
belongs to one platform, and to what the channel served on that day.

Silent on patterns (`jaxlib=*=*cuda*`), on builds that name nothing but CUDA or the CPU
(`pytorch=2.5=cuda126*`), and on lock files, which are made for one platform each.

Why it matters
--------------
On another platform none of these builds exists: `ResolvePackageNotFound`, or today
`PackagesNotFoundError`, with a list of them all. On the same platform a channel that rebuilds or
withdraws one of them breaks the file as well.

Fix safety
----------
No fix is applied yet: `conda env export --no-builds`, or `--from-history`, makes the file anew.

References
----------
- conda/conda#7311: ResolvePackageNotFound for an exported environment.yml
- ContinuumIO/anaconda-issues#10183: an export of macOS, on Linux
- med-air/FL-COVID#2: an export of Linux, on Windows: a page of packages that are not found

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Severity, cause_of
from reconciler.model.manifest import Section
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.finding import Finding
    from reconciler.model.install_set import InstallSet
    from reconciler.model.manifest import Declared
    from reconciler.world import World

RULE = Rule(
    code="DEC713",
    name="platform-locked-builds",
    severity=Severity.WARNING,
    needs=frozenset({Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
environment.yml: |
  dependencies:
    - python=3.11.7=hab00c5b_1_cpython
    - numpy=1.26.4=py311h64a7726_0
"""

GOOD = """\
environment.yml: |
  dependencies:
    - python=3.11.7
    - numpy=1.26.4
    - jaxlib=*=*cuda*
"""


def check(world: World) -> Iterator[Finding]:
    """Count the exact builds of each file."""
    for install in world.install_sets:
        conda = install.requirements(Section.CONDA)
        locked = [] if install.is_lock else [line for line in conda if _build(line)]
        if locked:
            yield _finding(install, locked, len(conda))


def _build(line: Declared) -> str:
    build = (line.spec.build if line.spec else None) or ""
    return "" if set(build) & set("*^$") else build


def _finding(install: InstallSet, locked: Sequence[Declared], total: int) -> Finding:
    few = ", ".join(line.text for line in locked[:3])
    more = f" and {len(locked) - 3} more" if len(locked) > 3 else ""
    return RULE.finding(
        f"{install.name} pins {len(locked)} of {total} conda packages to builds of one platform:"
        f" {few}{more}",
        at=locked[0].location,
        related=tuple(line.location for line in locked[1:4]),
        shows_as="on another platform, or when the channel has rebuilt one of them, conda says"
        " `PackagesNotFoundError` or `ResolvePackageNotFound` for each",
        remedy="drop the builds and keep the versions: `conda env export --no-builds`, or"
        " `conda env export --from-history` for what was asked for alone; a file that is to be exact"
        " is a lock file's work (conda-lock, pixi)",
        cause=cause_of(RULE.name, install.name),
    )
