"""What `envfix check --fix` makes of a corpus: how many files it mends, and why it leaves out what it leaves out."""

from __future__ import annotations

import re
import time
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from reconciler import pipeline
from reconciler.model.finding import Severity, flat
from reconciler.model.fix import Applicability
from reconciler.model.plan import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from reconciler.model.finding import Finding
    from reconciler.model.plan import Repair


class _Mended(NamedTuple):
    file: str
    repair: Repair
    seconds: float


def tell(corpus: Path, files: Sequence[str], *, verbose: bool) -> None:
    """Make the fixes of each file in memory, first the safe ones, then all; print the figures."""
    for unsafe in (False, True):
        mended = [_mended(corpus, file, unsafe=unsafe) for file in files]
        _table(mended, "safe and unsafe fixes" if unsafe else "safe fixes")
        _left_out(mended, verbose=verbose)


def _mended(corpus: Path, file: str, *, unsafe: bool) -> _Mended:
    snapshot = pipeline.look_at_files(str(corpus), (file,))
    started = time.perf_counter()
    repair = pipeline.fix(snapshot, unsafe=unsafe)
    return _Mended(file, repair, time.perf_counter() - started)


def _table(mended: Sequence[_Mended], title: str) -> None:
    found = [m for m in mended if m.repair.before.findings]
    harmed = [m for m in found if _bad(m.repair.before.findings)]
    changed = [m for m in mended if m.repair.files]
    print(f"\n{title}")
    print(f"  files with a finding                    {len(found):4} of {len(mended)}")
    print(f"  ... with an error or a warning          {len(harmed):4}")
    for applicability in Applicability:
        count = sum(_has(m.repair, applicability) for m in mended)
        print(f"  files with a fix, {applicability:22}{count:4}")
    print(f"  files changed                           {len(changed):4}")
    whole = [m for m in found if not m.repair.after.findings]
    free = [m for m in harmed if not _bad(m.repair.after.findings)]
    print(f"  wholly mended: no finding left          {len(whole):4}")
    print(f"  no error or warning left, of {len(harmed):4}       {len(free):4}")
    before, after = _severities(mended)
    for severity in Severity:
        print(
            f"  {severity:8} before and after              {before[severity]:4} {after[severity]:4}"
        )
    made = Counter(
        finding.code for m in mended for planned in m.repair.made for finding in planned.findings
    )
    print("  closed by a fix: " + ", ".join(f"{code} {n}" for code, n in sorted(made.items())))
    unclosed = [f"{m.file}: {f.code}" for m in mended for f in m.repair.unclosed]
    caused = [f"{m.file}: {f.code} {f.severity}" for m in mended for f in m.repair.caused]
    print(f"  not closed by their fix: {', '.join(unclosed) or 'none'}")
    print(f"  newly found: {', '.join(caused) or 'none'}")
    slowest = max(mended, key=lambda m: m.seconds)
    seconds = sum(m.seconds for m in mended)
    print(f"  time: {seconds:.1f} s in all, {slowest.seconds:.2f} s at most ({slowest.file})")


def _severities(mended: Sequence[_Mended]) -> tuple[Mapping[Severity, int], Mapping[Severity, int]]:
    before = Counter(f.severity for m in mended for f in flat(m.repair.before.findings))
    after = Counter(f.severity for m in mended for f in flat(m.repair.after.findings))
    return before, after


def _left_out(mended: Sequence[_Mended], *, verbose: bool) -> None:
    left = [(m.file, left) for m in mended for left in m.repair.left_out]
    for reason in Reason:
        of_it = [(file, one) for file, one in left if one.reason is reason]
        if not of_it:
            continue
        print(f"  left out, {reason}: {len(of_it)}")
        if reason in {Reason.DISPLAY, Reason.NOT_ALLOWED}:
            continue
        whys = Counter(_kind(file, one.why) for file, one in of_it)
        for why, count in whys.most_common():
            print(f"    {count:3} {why}")
        for file, one in of_it if verbose else ():
            print(f"      {file}: {one.fix.title}: {one.why}")


def _kind(file: str, why: str) -> str:
    """Return a reason without its own names and numbers."""
    why = why.replace(f"{file}: ", "").replace(file, "FILE")
    return re.sub(r"\d+", "N", re.sub(r"'[^']*'|`[^`]*`", "...", why))[:150]


def _bad(findings: Sequence[Finding]) -> bool:
    return any(finding.severity is not Severity.INFO for finding in flat(findings))


def _has(repair: Repair, applicability: Applicability) -> bool:
    fixes = (finding.fix for finding in flat(repair.before.findings))
    return any(fix and fix.applicability is applicability for fix in fixes)
