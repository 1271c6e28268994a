"""A GPU is meant, and on Windows PyPI has the wheel for the CPU alone.

PyPI's wheels of PyTorch for Windows were always builds for the CPU, and TensorFlow ended its GPU
support on native Windows with 2.10. A `torchvision` of pip beside conda's CUDA build is one too.

Silent without a sign that a GPU is meant (a name of the file or the environment with `gpu` or
`cuda`, an index or a package of CUDA beside it), where an index may serve another build, and where
the file is not for Windows; where it may be, this is information.

Why it matters
--------------
The same file gives CUDA on Linux. On Windows everything installs and imports, and
`torch.cuda.is_available()` says False; with conda's PyTorch for CUDA, an operator such as
`torchvision::nms` has no code for it.

Fix safety
----------
No fix is applied: another index is another installation.

References
----------
- xxyzz/WordDumb#91: on Windows, PyTorch from PyPI is for the CPU
- chenfei-wu/TaskMatrix#171: the requirements install PyTorch for the CPU on Windows
- Plachtaa/seed-vc#203: an index URL is needed on Windows
- talmolab/sleap-nn#340: PyTorch of PyPI has no CUDA on Windows

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding
    from reconciler.world import World

RULE = Rule(
    code="DEC705",
    name="windows-pypi-is-cpu",
    severity=Severity.WARNING,
    needs=frozenset({Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
platform: win-64
requirements-gpu.txt: |
  torch==2.4.0
  torchvision==0.19.0
"""

GOOD = """\
platform: win-64
requirements-gpu.txt: |
  --index-url https://download.pytorch.org/whl/cu124
  torch==2.4.0
  torchvision==0.19.0
"""


def check(world: World) -> Iterator[Finding]:
    """Ask what PyPI has for Windows of the lines of each file that is meant for a GPU."""
    for install in world.install_sets:
        found = world.files.cpu_wheels(install) if install.platform == "win-64" else ()
        if not found:
            continue
        meant = world.files.meant(install)
        line, row = found[0]
        names = ", ".join(dict.fromkeys(other.name for other, _ in found))
        yield RULE.finding(
            f"{install.name} is meant for a GPU ({meant.gpu[0]}), and for Windows PyPI has {names} for"
            " the CPU alone",
            at=line.location,
            related=tuple(other.location for other, _ in found[1:4]),
            shows_as="on Windows everything installs and imports, and no GPU is found",
            remedy=f"for Windows, {row.instead}",
            evidence=(f"{row.package}: {row.source}", f"a sign for a GPU: {meant.gpu[0]}"),
            cause=cause_of(RULE.name, install.name),
        )
