"""Measure `envfix convert` on real files: `python -m bench.convert ../shared/corpus ../shared/facts/metadata`.

Every requirements file is converted for Linux and proven against a local channel of real records, which
`build_channel.py` of the second folder writes; it serves as conda-forge, pytorch and nvidia. The denominator are the
files of which conda-forge there has a record of every package that is asked of conda, in any version, and one of the
CUDA major that was decided on. Of a package the channel has some versions and not all: `as converted` counts the files whose own pins solve,
`repaired` those where a repair does. A solution counts only without complaints: each package for the GPU in a build for
CUDA, one CUDA major, nothing twice. With --all the other files are proven as well, what no channel has being moved to pip: they are
told on a line of their own, and no part of the figure. The records of a few old cudatoolkits are assumed ones
(`--derived` of `build_channel.py`).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler import catalog, conversion, solve
from reconciler.model.conda_spec import CondaSpec
from reconciler.model.conversion import Conversion, Converted, Kept
from reconciler.model.solution import NotProven, Proof, Solution
from reconciler.solve.complaints import complaints

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PLATFORM = "linux-64"
#: The newest driver: what is measured is the conversion.
DRIVER = "13.0"


@dataclass
class Result:
    """One file."""

    file: str
    crash: str = ""
    conversion: Conversion | None = None
    specs: Sequence[str] = ()
    #: The packages asked of conda that no channel has.
    absent: Sequence[str] = ()
    #: The requirements kept under pip though a record bears their name.
    idle: Sequence[str] = ()
    proof: Proof | None = None
    complaints: Sequence[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def counts(self) -> bool:
        """Whether it belongs to the denominator."""
        return bool(self.conversion) and not self.absent and len(self.specs) > 1

    @property
    def verdict(self) -> str:
        """What came of it, in a word."""
        if self.proof is None:
            return "not asked"
        if isinstance(self.proof.outcome, Solution):
            how = "repaired" if self.proof.repairs else "as converted"
            return "complaint" if self.complaints else how
        return "not proven" if isinstance(self.proof.outcome, NotProven) else "no solution"


def main() -> None:
    """Convert and prove the corpus, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("corpus", type=Path, help="a folder with requirements/")
    parser.add_argument("metadata", type=Path, help="a folder with build_channel.py")
    parser.add_argument("-v", "--verbose", action="store_true", help="every file, and why")
    parser.add_argument("--all", action="store_true", help="prove the files outside of it too")
    options = parser.parse_args()
    files = sorted((options.corpus / "requirements").iterdir())
    with tempfile.TemporaryDirectory() as folder:
        names = _build_channels(options.metadata, Path(folder) / "channels")
        results = []
        for file in files:
            results.append(_judge(options.corpus, file, names, Path(folder), every=options.all))
            if options.verbose:
                _tell(results[-1])
    _summarize(results)


def _has_major(spec: CondaSpec, names: Mapping[str, frozenset[str]]) -> bool:
    """Tell whether some record is of the CUDA major that was decided on."""
    major = str(spec.constraint.pinned_version if spec.constraint else "").partition(".")[0]
    return not major or major in names.get(spec.name, ())


def _build_channels(metadata: Path, folder: Path) -> Mapping[str, frozenset[str]]:
    """Write the channels, and return the names that conda-forge has for Linux, with their majors."""
    command = [sys.executable, str(metadata / "build_channel.py"), str(folder), "full", "--derived"]
    subprocess.run(command, check=True, capture_output=True)
    found: dict[str, frozenset[str]] = {}
    for subdir in (PLATFORM, "noarch"):
        repodata = json.loads((folder / "conda-forge" / subdir / "repodata.json").read_bytes())
        for kind in ("packages", "packages.conda"):
            for record in repodata[kind].values():
                majors = found.get(record["name"], frozenset())
                found[record["name"]] = majors | {record["version"].partition(".")[0]}
    return found


def _judge(
    corpus: Path, file: Path, names: Mapping[str, frozenset[str]], folder: Path, *, every: bool
) -> Result:
    result = Result(file.name)
    path = str(file.relative_to(corpus))
    try:
        made = conversion.convert(str(corpus), (path,), platforms=(PLATFORM,)).conversion
        result.conversion, result.specs = made, made.specs(PLATFORM)
        asked = [CondaSpec.parse(spec) for spec in result.specs]
        lacking = {spec.name for spec in asked if spec.name not in names}
        cuda = [CondaSpec.parse(spec) for spec in made.cuda.specs]
        lacking |= {str(spec) for spec in cuda if not _has_major(spec, names)}
        result.absent = sorted(lacking)
        kept = [line for line in made.on(PLATFORM) if isinstance(line, Kept)]
        result.idle = [line.requirement for line in kept if line.name in names]
        if result.counts or (every and len(result.specs) > 1):
            _prove(result, made, asked, folder)
    except Exception:  # noqa: BLE001 - a crash is what is counted here
        result.crash = traceback.format_exc()
    return result


def _prove(result: Result, made: Conversion, asked: Sequence[CondaSpec], folder: Path) -> None:
    gpu = [spec.name for spec in asked if spec.build and "cuda" in spec.build]
    started = time.perf_counter()
    result.proof = solve.prove(
        result.specs,
        made.channels,
        PLATFORM,
        solve.target(PLATFORM, cuda=DRIVER),
        gpu=gpu,
        held=[CondaSpec.parse(spec).name for spec in made.cuda.specs],
        catalog=catalog.load(),
        alias=(folder / "channels").as_uri(),
        cache=str(folder / "repodata"),
    )
    result.seconds = time.perf_counter() - started
    outcome = result.proof.outcome
    if isinstance(outcome, Solution):
        kept = [name for name in gpu if outcome.record(name)]
        result.complaints = [c.says for c in complaints(outcome, catalog.load(), kept)]


def _tell(result: Result) -> None:
    print(f"{result.file}: {result.verdict} ({result.seconds:.1f} s)")
    for words, values in (("absent", result.absent), ("idle", result.idle)):
        if values:
            print(f"    {words}: {', '.join(values)}")
    if result.crash:
        print(result.crash)
    if result.proof is None:
        return
    for repair in result.proof.repairs:
        print(f"    {repair.says}")
    for complaint in result.complaints:
        print(f"    ! {complaint}")
    if result.verdict == "no solution":
        print(f"    {len(result.proof.trail)} attempts; {result.proof.outcome.conflict}")  # type: ignore[union-attr] - a NoSolution has it
    sys.stdout.flush()


def _tell_names(results: Sequence[Result]) -> None:
    """Print how many lines there are, and which lack a provenance or lead to a name that nobody has."""
    known = catalog.load().naming.conda_names
    lines = [line for r in results if r.conversion for line in r.conversion.lines]
    converted = [line for line in lines if isinstance(line, Converted)]
    told = [x.provenance if isinstance(x, Converted) else x.reason for x in lines]
    named = {CondaSpec.parse(s).name: x for x in converted for s in x.specs}
    guessed = [name for name, x in named.items() if name not in known and x.confidence != "given"]
    kinds = ", ".join(
        f"{k} {n}" for k, n in Counter(type(x).__name__.lower() for x in lines).items()
    )
    print(f"lines {len(lines)} ({kinds}), without provenance or reason {told.count('')}")
    print(f"names of conda {len(named)}, in neither table {len(guessed)}", *guessed)


def _summarize(results: Sequence[Result]) -> None:
    counted = [result for result in results if result.counts]
    solved = [result for result in counted if result.verdict in {"as converted", "repaired"}]
    print(f"files {len(results)}, crashes {sum(bool(result.crash) for result in results)}")
    print(f"in the closure {len(counted)}, solved {len(solved)}", end=" ")
    print(f"({len(solved) / max(len(counted), 1):.0%})")
    cuda_alone = [r for r in results if r.absent and all("cuda" in name for name in r.absent)]
    print(f"left out for want of the CUDA major alone: {len(cuda_alone)}")
    for verdict, count in Counter(result.verdict for result in counted).most_common():
        print(f"    {verdict:14}{count:4}")
    rest = Counter(result.verdict for result in results if result.proof and not result.counts)
    if rest:
        print("outside of it:", ", ".join(f"{verdict} {n}" for verdict, n in rest.most_common()))
    kinds = Counter(
        kind
        for result in solved
        if result.proof
        for kind in {repair.kind for repair in result.proof.repairs}
    )
    print("files by kind of repair:", ", ".join(f"{k} {n}" for k, n in kinds.most_common()))
    _tell_names(results)
    idle = sum(len(result.idle) for result in results)
    print(f"kept under pip though a record bears the name: {idle}")
    absent = Counter(name for result in results for name in result.absent)
    print("absent most often:", ", ".join(f"{n} {c}" for n, c in absent.most_common(20)))
    times = sorted(result.seconds for result in counted)
    if times:
        print(f"seconds a file: median {times[len(times) // 2]:.1f}, longest {times[-1]:.1f}")


if __name__ == "__main__":
    main()
