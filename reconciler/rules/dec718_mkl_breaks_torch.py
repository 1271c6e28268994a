"""Intel's MKL from 2024.1 on keeps conda's PyTorch of the channel `pytorch` from being imported.

Those builds, up to 2.3, load MKL as a library of its own and depend on any version of it; MKL
2024.1 has lost a function that they call. Wheels of pip, conda-forge's builds and those for Windows
have no such trouble.

Where nothing holds MKL back, and a channel has a newer one, it is information: the solver may take
it.

Why it matters
--------------
`import torch` stops with `undefined symbol: iJIT_NotifyEvent`, in an environment that was created
without an error, often months after the file was written.

Fix safety
----------
In a file, MKL is kept below 2024.1, by its own line or one more: unsafe, since a newer PyTorch may be
meant instead.

References
----------
- pytorch/pytorch#123097: undefined symbol iJIT_NotifyEvent when MKL 2024.1 is installed
- Zhen-Dong/Magic-Me#15: the same in an environment.yml; `mkl==2024.0` cures it
- samgoldman97/mist#12: the pin that mended an environment.yml
- Pointcept/Pointcept#230: PyTorch from pip links MKL statically

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
    code="DEC718",
    name="mkl-breaks-torch",
    severity=Severity.ERROR,
    needs_any=frozenset({Fact.RECORDS, Fact.DISTRIBUTIONS, Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
conda:
  - pytorch=2.1.0=py3.10_cuda11.8_cudnn8.7.0_0: {channel: pytorch}
  - mkl=2024.2.2=ha957f24_15
pip: []
"""

GOOD = """\
conda:
  - pytorch=2.1.0=py3.10_cuda11.8_cudnn8.7.0_0: {channel: pytorch}
  - mkl=2024.0.0=ha957f24_49657
pip: []
"""
_PARTNER = "mkl"


def check(world: World) -> Iterator[Finding]:
    """Ask which packages the MKL breaks, in each file and installed."""
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
        else f"{place} pins {pair.user}, and does not keep MKL below {row.partner_since}"
    )
    return RULE.finding(
        f"{beside}: it calls a function of MKL that is gone since 2024.1",
        severity=None if pair.is_certain else Severity.INFO,
        at=pair.partner_at or pair.at,
        related=(pair.at,) if pair.partner_at else (),
        shows_as=row.shows_as,
        remedy="ask conda for `mkl<2024.1`; or take PyTorch from pip, whose wheels have MKL inside",
        evidence=(f"{pair.user}: {row.source}",),
        fix=pair.fix,
        cause=cause_of(RULE.name, place, row.package),
        explained_by=tuple(written),
    )
