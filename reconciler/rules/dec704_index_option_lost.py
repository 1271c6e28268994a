"""An option that names an index is lost, or takes PyPI away from everything else.

`torch==2.1.2 --index-url U` on one line: pip passes the option over. `--extra-index-url U torch` on
one line: pip passes torch over. An `--index-url` below an `--extra-index-url` drops it. And an
`--index-url` of PyTorch's own index replaces PyPI for every line of the file, or of the pip section,
wherever it stands, so that what that index has not is found nowhere.

An index of which nothing is known may have everything, and is not judged.

Why it matters
--------------
Nothing is said where an option is lost: pip takes PyPI's build, for another CUDA or for the CPU. An
index in place of PyPI ends the installation at the first package that it has not.

Fix safety
----------
No fix is applied yet; the remedy is the line to write.

References
----------
- pypa/pip#6071: `test_package==0.2.2 --extra-index-url ...` asks PyPI alone
- pypa/pip#11511: `--extra-index-url` is ignored where it stands before `--index-url`
- replicate/cog#1135: an `--index-url` in requirements.txt hides every other version of torch
- pypa/pip#13637: markers behind an index mean nothing

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Location, Severity, cause_of
from reconciler.model.manifest import FaultKind, IndexRole
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding
    from reconciler.model.install_set import InstallSet
    from reconciler.model.manifest import Declared
    from reconciler.model.offer import Replaced
    from reconciler.world import World

RULE = Rule(
    code="DEC704",
    name="index-option-lost",
    severity=Severity.ERROR,
    needs=frozenset({Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
requirements.txt: |
  --index-url https://download.pytorch.org/whl/cu128
  torch==2.9.1
  gymnasium
  tensorboard
"""

GOOD = """\
requirements.txt: |
  --extra-index-url https://download.pytorch.org/whl/cu128
  torch==2.9.1
  gymnasium
  tensorboard
"""


def check(world: World) -> Iterator[Finding]:
    """Report the options that are lost, and the indexes that lack what is asked of them."""
    yield from _lost_by_form(world)
    for install in world.install_sets:
        for index, below in world.supply.dropped(install).items():
            yield _dropped(index, below)
        for replaced in world.supply.replaced(install):
            yield _replaces(install, replaced)


def _lost_by_form(world: World) -> Iterator[Finding]:
    for manifest in world.snapshot.manifests:
        for fault in manifest.faults:
            if fault.kind is FaultKind.OPTION_LOST:
                yield RULE.finding(
                    f"{manifest.path}:{fault.line}: {fault.why}",
                    at=Location(
                        subject=fault.text,
                        path=manifest.path,
                        line=fault.line,
                        column=fault.column,
                    ),
                    shows_as="nothing is said; what is installed comes from PyPI, or is missing",
                    remedy=_written(fault.better) or "write the option on a line of its own",
                    cause=cause_of(RULE.name, manifest.path, str(fault.line)),
                )


def _dropped(index: Declared, below: Declared) -> Finding:
    return RULE.finding(
        f"{index.path}:{index.line}: pip begins its list of indexes anew at {below.text!r}, and"
        f" forgets {index.text!r} above it",
        at=index.location,
        related=(below.location,),
        shows_as="nothing is said; what is installed comes from the other index, or is not found",
        remedy=f"move line {index.line} below line {below.line} of {below.path}",
        cause=cause_of(RULE.name, index.path, str(index.line)),
    )


def _written(better: str) -> str:
    lines = [f"`{line}`" for line in better.splitlines() if line.strip()]
    each = ", each on a line of its own" if len(lines) > 1 else ""
    return f"write {', '.join(lines)}{each}" if lines else ""


def _replaces(install: InstallSet, replaced: Replaced) -> Finding:
    index, title = replaced.offer.index, replaced.offer.site.title if replaced.offer.site else ""
    names = ", ".join(line.name for line in replaced.lines[:4])
    more = f" and {len(replaced.lines) - 4} more" if len(replaced.lines) > 4 else ""
    first = replaced.lines[0]
    remedy = (
        f"write `--extra-index-url {replaced.offer.url}`, which stands beside PyPI"
        if index.role is IndexRole.DEFAULT and install.tool in {"pip", "conda"}
        else "name PyPI too, https://pypi.org/simple, or bind the index to the packages that it has"
    )
    scope = f"the command in {index.path}" if index.command else f"all of {install.name}"
    return RULE.finding(
        f"{index.text!r} replaces PyPI for {scope}, and {title} has no {names}{more}",
        at=index.location,
        related=tuple(line.location for line in replaced.lines[:3]),
        shows_as=f"`No matching distribution found for {first.name}`",
        remedy=remedy,
        evidence=tuple(f"{line.path}:{line.line}: {line.text}" for line in replaced.lines[:4]),
        cause=cause_of(RULE.name, index.path, str(index.line)),
    )
