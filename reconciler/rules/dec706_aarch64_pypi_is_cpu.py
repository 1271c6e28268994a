"""A GPU is meant, and for Linux on ARM PyPI has the wheel for the CPU alone.

PyPI's wheels of PyTorch for aarch64 are builds for CUDA from 2.11 on. Before, those for Grace Hopper
or Jetson were on other indexes, and PyPI's are for the CPU.

Silent without a sign that a GPU is meant (a name of the file or the environment with `gpu` or
`cuda`, an index or a package of CUDA beside it), where an index may serve another build, and where
the file is not for ARM; where it may be, this is information.

Why it matters
--------------
The same file gives CUDA on x86-64. On ARM everything installs and imports, and
`torch.cuda.is_available()` says False.

Fix safety
----------
No fix is applied: another index is another installation.

References
----------
- pytorch/pytorch#160162: up to 2.8, PyPI has nothing but the build for the CPU on aarch64
- pytorch/pytorch#168065: `pip install torch` on a GB200 gives the CPU version
- pytorch/pytorch#123835: on Grace Hopper no package manager makes CUDA available

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
    code="DEC706",
    name="aarch64-pypi-is-cpu",
    severity=Severity.WARNING,
    needs=frozenset({Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
platform: linux-aarch64
requirements-gpu.txt: |
  torch==2.4.0
"""

GOOD = """\
platform: linux-aarch64
requirements-gpu.txt: |
  torch==2.11.0
"""


def check(world: World) -> Iterator[Finding]:
    """Ask what PyPI has for Linux on ARM of the lines of each file that is meant for a GPU."""
    for install in world.install_sets:
        found = world.files.cpu_wheels(install) if install.platform == "linux-aarch64" else ()
        if not found:
            continue
        meant = world.files.meant(install)
        line, row = found[0]
        names = ", ".join(dict.fromkeys(other.name for other, _ in found))
        yield RULE.finding(
            f"{install.name} is meant for a GPU ({meant.gpu[0]}), and for Linux on ARM PyPI has {names} for"
            " the CPU alone",
            at=line.location,
            related=tuple(other.location for other, _ in found[1:4]),
            shows_as="on ARM everything installs and imports, and no GPU is found",
            remedy=f"on ARM, {row.instead}",
            evidence=(f"{row.package}: {row.source}", f"a sign for a GPU: {meant.gpu[0]}"),
            cause=cause_of(RULE.name, install.name),
        )
