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
What is meant is written where it is certain: `torch = 2.1.2` becomes `torch==2.1.2`, which is safe.
An option that belongs on the command line is dropped, which is unsafe, since its command has to
bear it from then on. Nothing is done where only the user can know, and in scripts.

References
----------
- HexHive/T-Fuzz#4: one line of a frozen file ends the installation of all
- pypa/pip#13637: what stands behind an option is read otherwise than it looks

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Severity, cause_of
from reconciler.model.fix import Applicability, Fix, Mend
from reconciler.model.manifest import FaultKind
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding
    from reconciler.model.manifest import Fault
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
  torch==2.1.2
"""


def check(world: World) -> Iterator[Finding]:
    """Report what the readers of the files know their tools to refuse."""
    for manifest in world.snapshot.manifests:
        for fault in manifest.faults:
            if fault.kind is FaultKind.BROKEN:
                yield RULE.finding(
                    f"{manifest.path}:{fault.line}: {fault.why}",
                    at=fault.location(manifest.path),
                    shows_as="another version is installed than the line says, or the command fails"
                    if manifest.tool == "shell"
                    else f"{manifest.tool} stops there, and installs nothing of the file",
                    remedy=f"write line {fault.line} as `{fault.better}`"
                    if fault.better
                    else f"mend or remove line {fault.line} of {manifest.path}",
                    fix=_fix(manifest.path, fault) if fault.corrections else None,
                    cause=cause_of(RULE.name, manifest.path, str(fault.line)),
                )


def _fix(path: str, fault: Fault) -> Fix:
    first, is_certain = (
        fault.corrections[0],
        all(correction.is_certain for correction in fault.corrections),
    )
    return Fix(
        title=f"write `{first.text}` in place of `{fault.text}`"
        if first.text
        else f"drop `{fault.text}`",
        applicability=Applicability.SAFE if is_certain else Applicability.UNSAFE,
        edits=(Mend(path=path, fault=fault),),
    )
