"""A file asks for a version that does not exist.

`torchvision==1.6.0` is the number of a PyTorch, `xformers~=0.16` lacks a zero, `pytorch-cuda=11.3`
never was, PyTorch 1.6 was not built for CUDA 11 (`torch==1.6.0+cu110`), `torchaudio==0.9.0a0+33b2469` was compiled on somebody's machine, and
`pkg-resources==0.0.0` is what `pip freeze` made of a patch of Ubuntu's.

Asked is only for packages of which every version is known. What is above the newest known one is
silent, unless the project has ended, or the number is a mistake of one of these kinds; so is what is
older than the list, what an index may have that nothing is known of, and every release for
developers.

Why it matters
--------------
Nobody can install from such a file, and the message (`No matching distribution found`,
`PackagesNotFoundError`) does not tell a wrong number from a wrong index, Python or platform.

Fix safety
----------
`pkg-resources==0.0.0` is removed, which is safe: there is no such package, and nothing needs it. A
version gives way to the only one that can have been meant, or to the only one of its own minor
release, which is unsafe. Where several are as near, they are shown, and the user knows which it is.

References
----------
- pytorch/pytorch#50654: `torch==1.6.0+cu110`; old releases are not built for newer CUDA
- boheumd/ASM-Loc#4: `torchaudio==0.8.0a0+a751e1d` is on no index
- pypa/pip#4022: `pip freeze` writes `pkg-resources==0.0.0` on Ubuntu
- HexHive/T-Fuzz#4: `No matching distribution found for pkg-resources==0.0.0`
- pytorch/pytorch#138506: with 2.5 the `pytorch` channel ended, and `pytorch-cuda` with it

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model import line_edits
from reconciler.model.finding import Severity, cause_of
from reconciler.model.fix import Applicability, Edit, Fix, Remove
from reconciler.model.manifest import Section
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding
    from reconciler.model.offer import NeverReleased
    from reconciler.world import World

RULE = Rule(
    code="DEC703",
    name="never-released",
    severity=Severity.ERROR,
    needs=frozenset({Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
requirements.txt: |
  torch==1.6.0
  torchvision==1.6.0
"""

GOOD = """\
requirements.txt: |
  torch==1.6.0
  torchvision==0.7.0
"""


def check(world: World) -> Iterator[Finding]:
    """Hold each version that a file asks for against all that there are."""
    for install in world.install_sets:
        for found in world.supply.never_released(install):
            yield _finding(install.name, found)


def _finding(place: str, found: NeverReleased) -> Finding:
    line, is_pip = found.line, found.line.section is Section.PIP
    index = "PyPI has" if is_pip else "conda's channels have"
    what = "such version" if found.is_known else "package of this name"
    built = f": {found.because}" if found.because else ""
    return RULE.finding(
        f"{place} asks for {line.text!r}, but {index} no {what}{built}",
        at=line.location,
        shows_as=f"`No matching distribution found for {line.text}`"
        if is_pip
        else f"`PackagesNotFoundError`, or a solver that finds nothing that provides {line.text}",
        remedy=_remedy(found),
        evidence=(f"{line.name}: {found.source}",),
        fix=_fix(found),
        cause=cause_of(RULE.name, place, line.name),
    )


def _fix(found: NeverReleased) -> Fix:
    line = found.line
    if not found.is_known:
        edits: tuple[Edit, ...] = (Remove(line=line),)
        return Fix(title=f"remove {line.text}", applicability=Applicability.SAFE, edits=edits)
    edit = line_edits.reversioned(line, found.version, found.meant) if found.meant else None
    return Fix(
        title=f"ask for {edit.text}" if edit else _remedy(found),
        applicability=Applicability.UNSAFE if edit else Applicability.DISPLAY,
        edits=(edit,) if edit else (),
    )


def _remedy(found: NeverReleased) -> str:
    line = found.line
    if not found.is_known:
        return f"remove line {line.line} of {line.path}: nothing needs it"
    sign = "==" if line.section is Section.PIP else "="
    pins = " or ".join(f"{line.name}{sign}{version}" for version in found.nearest)
    return f"pin the version that is meant; the nearest that there is: {pins}"
