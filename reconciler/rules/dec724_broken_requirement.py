"""A line that its own tool refuses.

A requirement with two names, a version that is none (`==latest`), a specifier without its operator,
a clause that pip's parser ends at: the reader of the file has met it where the tool will.

Why it matters
--------------
pip and conda read the whole file before they install anything: one such line, and nothing of it is
installed. Old releases of pip and setuptools took forms that newer ones refuse, so that a file may
break without being touched.

Fix safety
----------
No fix is applied; what to write instead is said where it is certain.

References
----------
- HexHive/T-Fuzz#4: one line of a frozen file ends the installation of all
- pypa/pip#13637: what stands behind an option is read otherwise than it looks

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Location, Severity, cause_of
from reconciler.model.manifest import FaultKind
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding
    from reconciler.world import World

RULE = Rule(
    code="DEC724",
    name="broken-requirement",
    severity=Severity.ERROR,
    needs=frozenset({Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
requirements.txt: |
  torch = 2.1.2
"""

GOOD = """\
requirements.txt: |
  torch == 2.1.2
"""


def check(world: World) -> Iterator[Finding]:
    """Report what the readers of the files know their tools to refuse."""
    for manifest in world.snapshot.manifests:
        for fault in manifest.faults:
            if fault.kind is FaultKind.BROKEN:
                yield RULE.finding(
                    f"{manifest.path}:{fault.line}: {fault.why}",
                    at=Location(
                        subject=fault.text,
                        path=manifest.path,
                        line=fault.line,
                        column=fault.column,
                    ),
                    shows_as="another version is installed than the line says, or the command fails"
                    if manifest.tool == "shell"
                    else f"{manifest.tool} stops there, and installs nothing of the file",
                    remedy=f"write line {fault.line} as `{fault.better}`"
                    if fault.better
                    else f"mend or remove line {fault.line} of {manifest.path}",
                    cause=cause_of(RULE.name, manifest.path, str(fault.line)),
                )
