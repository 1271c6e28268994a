"""NumPy 2 is asked for, or installed, beside a PyTorch that was built with NumPy 1.

PyTorch 2.3 is the first that knows NumPy 2 (on Windows 2.4). Older ones do not say so in what they
require, so that pip and conda put the two together.

Where the file leaves NumPy open, it is information: pip takes the newest that Python allows.

Why it matters
--------------
On import it says that a module compiled with NumPy 1.x cannot be run in NumPy 2; later every
`.numpy()` and `torch.from_numpy` fails with `Numpy is not available`.

Fix safety
----------
In a file, NumPy is kept below 2, by its own line or one more: unsafe, since a newer PyTorch is the
other way, and other packages may need NumPy 2.

References
----------
- pytorch/pytorch#132179: "PyTorch 2.3.0 is the first version that supports NumPy 2.0"
- pytorch/pytorch#135013: NumPy 2 over a PyTorch that was built with NumPy 1
- pytorch/pytorch#128860: the wheels for Windows were built with NumPy 1 for longer
- pyg-team/pytorch-frame#525: "cannot be run in NumPy 2.0.2 as it may crash"

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import INSTALLED, Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.break_pair import BreakPair
    from reconciler.model.finding import Finding
    from reconciler.world import World

RULE = Rule(
    code="DEC719",
    name="numpy-2-with-old-build",
    severity=Severity.WARNING,
    needs_any=frozenset({Fact.RECORDS, Fact.DISTRIBUTIONS, Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
conda: []
pip: [torch==2.1.0, numpy==2.0.2]
"""

GOOD = """\
conda: []
pip: [torch==2.3.0, numpy==2.0.2]
"""
_PARTNER = "numpy"


def check(world: World) -> Iterator[Finding]:
    """Ask which packages the NumPy breaks, in each file and installed."""
    written: list[str] = []
    for install in world.install_sets:
        for pair in world.files.breaks(install, _PARTNER):
            finding = _finding(install.name, pair, ())
            written.append(finding.cause)
            yield finding
    # Of two that are installed over each other, the one that fits may be the one that is meant.
    twice = cause_of("distribution-installed-twice", INSTALLED, _PARTNER)
    for pair in world.breaks(_PARTNER):
        yield _finding(INSTALLED, pair, (*written, twice))


def _finding(place: str, pair: BreakPair, written: Sequence[str]) -> Finding:
    row = pair.row
    beside = (
        f"{pair.partner} stands beside {pair.user} in {place}"
        if pair.is_certain
        else f"{place} pins {pair.user}, and does not keep NumPy below {row.partner_since}"
    )
    return RULE.finding(
        f"{beside}: it was built with NumPy 1, and cannot use NumPy 2",
        severity=None if pair.is_certain else Severity.INFO,
        at=pair.partner_at or pair.at,
        related=(pair.at,) if pair.partner_at else (),
        shows_as=row.shows_as,
        remedy=f"ask for `numpy<{row.partner_since}`; or for {row.package} {row.before} or later",
        evidence=(f"{pair.user}: {row.source}",),
        fix=pair.fix,
        cause=cause_of(RULE.name, place, row.package),
        explained_by=tuple(written),
    )
