"""Measure `envfix check` on real files with labels: `python -m bench.corpus ../shared/corpus`.

A corpus is a folder with a `manifest.jsonl`: a row a file, with what careful readers found in it (`labels`), why
(`evidence`) and how sure they were (`confidence`). Every file is judged alone, in one process, as pre-commit would;
findings that are folded under another count too. A file without a `confidence` was not read by anybody: it counts
for crashes and for time alone.

Recall: of the files with a label, those where a code of that label was found. Precision: of the files that were read
and where a code was found, those that bear one of its labels; labels name the main faults of a file and not all, so
that this is a lower bound. A false alarm is an error or a warning on a file labelled `clean`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import repairs
from reconciler import pipeline
from reconciler.model.finding import Severity
from reconciler.model.manifest import FaultKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.model.finding import Finding

#: The codes that say what a label says.
CODES: Mapping[str, frozenset[str]] = {
    "exported-prefix": frozenset({"DEC712", "DEC713"}),
    "duplicate-package": frozenset({"DUP102"}),
    "double-cuda-runtime": frozenset({"DUP101"}),
    "mixed-cuda": frozenset({"CUD201", "CUD202", "CUD203", "CUD205", "CUD207", "DEC702", "DEC709"}),
    "cpu-build": frozenset({"CUD206", "DEC705", "DEC706", "DEC709", "DEC710"}),
    "wrong-index": frozenset({"DEC701", "DEC702", "DEC704"}),
    "unavailable-pin": frozenset(
        {"CUD205", "DEC703", "DEC707", "DEC708", "DEC709", "DEC711", "DEC720", "DEC724"}
    ),
    "stale-channel": frozenset({"DEC707", "DEC708"}),
}
CLEAN = "clean"
#: A false alarm is of these families: what a file says of CUDA, of its packages and of itself.
FAMILIES = ("CUD", "DUP", "DEC")


@dataclass
class Judged:
    """One file of the corpus, and what was found in it."""

    row: Mapping[str, Any]
    findings: Sequence[Finding] = ()
    seconds: float = 0.0
    crash: str = ""
    unread: Sequence[str] = ()
    #: Of all findings.
    codes: frozenset[str] = field(default_factory=frozenset)
    #: Without what holds only for platforms that the file need not be for.
    said: frozenset[str] = field(default_factory=frozenset)

    @property
    def labels(self) -> frozenset[str]:
        """What its readers found."""
        return frozenset(self.row["labels"])

    @property
    def confidence(self) -> str:
        """How sure they were; "" where nobody has read it."""
        return str(self.row.get("confidence") or "")


def main() -> None:
    """Judge the corpus and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("corpus", type=Path, help="a folder with a manifest.jsonl")
    parser.add_argument("-v", "--verbose", action="store_true", help="every extra finding too")
    parser.add_argument("--fix", action="store_true", help="what --fix makes of the files")
    options = parser.parse_args()
    rows = [
        json.loads(line)
        for line in (options.corpus / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
        if line.strip()
    ]
    if options.fix:
        repairs.tell(options.corpus, [row["file"] for row in rows], verbose=options.verbose)
        return
    started = time.perf_counter()
    judged = [_judge(options.corpus, row) for row in rows]
    seconds = time.perf_counter() - started
    for confidence, words in (("high", "confidence high"), ("", "all that were read")):
        read = [j for j in judged if j.confidence and confidence in j.confidence]
        print(f"\n{words}: {len(read)} files")
        _table(read)
    _misses(judged)
    _false_alarms(judged)
    if options.verbose:
        _extra(judged)
    _health(judged, seconds)


def _judge(corpus: Path, row: Mapping[str, Any]) -> Judged:
    started = time.perf_counter()
    try:
        snapshot = pipeline.look_at_files(str(corpus), (row["file"],))
        report = pipeline.check(snapshot)
    except Exception:  # noqa: BLE001 - a crash is what is counted here
        return Judged(row, crash=traceback.format_exc(), seconds=time.perf_counter() - started)
    findings = tuple(_all(report.findings))
    faults = [fault for manifest in snapshot.manifests for fault in manifest.faults]
    unread = [f"line {f.line}: {f.why}" for f in faults if f.kind is FaultKind.UNREADABLE]
    return Judged(
        row,
        findings=findings,
        seconds=time.perf_counter() - started,
        crash="".join(crash.traceback for crash in report.crashes),
        unread=(*unread, *(gap.reason for gap in report.gaps if gap.item == row["file"])),
        codes=frozenset(finding.code for finding in findings),
        said=frozenset(
            f.code for f in findings if not (f.platforms and f.severity is Severity.INFO)
        ),
    )


def _all(findings: Sequence[Finding]) -> Iterator[Finding]:
    for finding in findings:
        yield finding
        yield from _all(finding.symptoms)


def _table(read: Sequence[Judged]) -> None:
    print(f"{'label':22}{'files':>6}{'found':>7}{'recall':>8}{'flagged':>9}{'precision':>11}")
    pooled: Counter[str] = Counter()
    for label, codes in CODES.items():
        bearing = [j for j in read if label in j.labels]
        found = [j for j in bearing if j.codes & codes]
        flagged = [j for j in read if j.said & codes]
        right = [
            j for j in flagged if any(j.said & codes & CODES[x] for x in j.labels & CODES.keys())
        ]
        pooled.update(files=len(bearing), found=len(found), flagged=len(flagged), right=len(right))
        _line(label, len(bearing), len(found), len(flagged), len(right))
    _line("pooled", pooled["files"], pooled["found"], pooled["flagged"], pooled["right"])


def _line(label: str, files: int, found: int, flagged: int, right: int) -> None:
    recall = f"{found / files:.2f}" if files else "-"
    precision = f"{right / flagged:.2f}" if flagged else "-"
    print(f"{label:22}{files:6}{found:7}{recall:>8}{flagged:9}{precision:>11}")


def _misses(judged: Sequence[Judged]) -> None:
    print("\nlabels that no code of theirs answers")
    for j in judged:
        for label in sorted(j.labels & CODES.keys()):
            if not j.codes & CODES[label]:
                print(
                    f"  {j.row['file']}\n    {label} ({j.confidence}); found: {', '.join(sorted(j.codes)) or 'nothing'}"
                )
                print(f"    {j.row.get('evidence', '')} {j.row.get('note', '')}")


def _false_alarms(judged: Sequence[Judged]) -> None:
    clean = [j for j in judged if CLEAN in j.labels]
    alarmed = {j.row["file"]: alarms for j in clean if (alarms := list(_alarms(j)))}
    print(f"\nfalse alarms: {len(alarmed)} of {len(clean)} clean files have an error or a warning")
    for file, alarms in alarmed.items():
        print(f"  {file}")
        for alarm in alarms:
            print(f"    {alarm}")


def _extra(judged: Sequence[Judged]) -> None:
    print("\nerrors and warnings on files that nobody has read")
    for j in judged:
        if not j.confidence:
            for alarm in _alarms(j):
                print(f"  {j.row['file']}\n    {alarm}")


def _alarms(judged: Judged) -> Iterator[str]:
    for finding in judged.findings:
        if finding.severity is not Severity.INFO and finding.code.startswith(FAMILIES):
            yield f"{finding.code} {finding.severity} line {finding.at.line}: {finding.message}"


def _health(judged: Sequence[Judged], seconds: float) -> None:
    crashed = [j for j in judged if j.crash]
    unread = [j for j in judged if j.unread]
    print(f"\nread without a crash: {len(judged) - len(crashed)} of {len(judged)}")
    for j in crashed:
        print(f"  {j.row['file']}\n{j.crash}")
    print(f"not read, or not whole: {len(unread)}")
    for j in unread:
        print(f"  {j.row['file']}: {'; '.join(j.unread)}")
    middle = statistics.median(j.seconds for j in judged) * 1000
    slowest = max(judged, key=lambda j: j.seconds)
    print(
        f"time: {seconds:.2f} s in all, {middle:.1f} ms a file in the middle,"
        f" {slowest.seconds * 1000:.0f} ms at most ({slowest.row['file']})"
    )


if __name__ == "__main__":
    main()
