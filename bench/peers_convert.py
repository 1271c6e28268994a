"""What envfix and its peers make of ten requirements files: `python -m bench.peers_convert --install`.

The files of ``peer_files`` are like real ones, and short. Each peer is installed from PyPI into a
virtual environment of its own, in a temporary folder, and only with --install; --keep DIR uses them
again. pip2conda reads the file itself; for pyproject2conda its lines stand in a pyproject.toml, and
for unidep in a requirements.yaml, without what these cannot say (options, repositories by -e): that is
no fault of theirs, and not counted. A fault is one of those named in FAULTS. The table is Markdown.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from packaging.requirements import InvalidRequirement, Requirement

from bench import programs
from reconciler import catalog, conversion, manifests
from reconciler.model.conda_spec import CondaSpec, InvalidCondaSpec
from reconciler.model.conversion import Converted, Dropped
from reconciler.model.distribution import normalize_name
from reconciler.model.manifest import Kind, Section

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from reconciler.model.conversion import Line

FILES = Path(__file__).with_name("peer_files")
CATALOG = catalog.load()
FAULTS = {
    "name": "a name that no channel has",
    "label": "a local label in a spec of conda",
    "cpu": "a GPU package that may come as a CPU build",
    "lost": "a requirement that is gone",
    "pin": "a pin that is gone",
    "path": "a path of another machine, left to pip",
    "crash": "no output at all",
}
# Such as cudatoolkit, which parselmouth's map has among the packages without a distribution.
_MAP = json.loads((Path(catalog.__file__).with_name("names_map.json")).read_text("utf-8"))
NAMES = {
    normalize_name(name)
    for name in (*CATALOG.naming.conda_names, *_MAP["no_distribution"], *_MAP["differs"], "python")
}
# matplotlib is matplotlib-base with a window toolkit.
_BASE = re.compile(r"-base$")


class Fault(NamedTuple):
    """One line that is wrong."""

    kind: str
    what: str


@dataclass(frozen=True)
class Peer:
    """A converter, and how it is asked."""

    name: str
    #: Gives the command for a folder with the file in its forms, and a place for the output.
    command: Callable[[Path, Path], Sequence[str]]
    #: What of the file it cannot be told.
    is_told: Callable[[str], bool] = lambda _: True


PEERS = (
    Peer(
        "pip2conda",
        lambda at, out: [
            "-b",
            "-s",
            "-r",
            str(at / "requirements.txt"),
            "-o",
            str(out),
            "-d",
            str(at),
        ],
    ),
    Peer(
        "pyproject2conda",
        lambda at, out: ["yaml", "--pyproject", str(at / "toml/pyproject.toml"), "-o", str(out)],
        lambda line: _as_requirement(line) is not None,
    ),
    Peer(
        "unidep",
        lambda at, out: ["merge", "-d", str(at / "yaml"), "-o", str(out), "-p", "linux-64"],
        lambda line: _as_requirement(line) is not None and "@" not in line,
    ),
)


def main() -> None:
    """Run all, and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--install", action="store_true", help="get the peers from PyPI")
    parser.add_argument("--keep", type=Path, help="where the peers are, or are to be")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        home = options.keep or Path(scratch) / "peers"
        found = {"envfix": {file.stem: _own(file) for file in _files()}}
        for peer in PEERS:
            program = programs.program(home / peer.name, peer.name, install=options.install)
            if program:
                version = programs.version(program, peer.name)
                outputs = {f.stem: _theirs(peer, program, f, Path(scratch)) for f in _files()}
                found[f"{peer.name} {version}"] = outputs
    _tell(found)


def _files() -> list[Path]:
    return sorted(FILES.glob("*.txt"))


def _own(file: Path) -> list[Fault]:
    made = conversion.convert(str(file.parent), (file.name,), platforms=("linux-64",))
    return [*_faults(file, made.file.after, lambda _: True)]


def _theirs(peer: Peer, program: Path, file: Path, scratch: Path) -> list[Fault]:
    at = scratch / peer.name / file.stem
    _write(at, file.read_text("utf-8"), peer)
    out = at / "out.yml"
    command = [str(program), *peer.command(at, out)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=at, timeout=300)
    if not out.exists():
        said = [x for x in (*done.stdout.splitlines(), *done.stderr.splitlines()) if ":" in x]
        return [Fault("crash", said[-1].strip() if said else f"exit status {done.returncode}")]
    return [*_faults(file, out.read_text("utf-8"), peer.is_told)]


def _write(at: Path, text: str, peer: Peer) -> None:
    """Write the file in each of the three forms."""
    for folder in (at, at / "toml", at / "yaml"):
        folder.mkdir(parents=True)
    (at / "requirements.txt").write_text(text, "utf-8")
    lines = [line.partition(" #")[0].strip() for line in text.splitlines()]
    told = [line for line in lines if line and line[0] not in "#-" and peer.is_told(line)]
    listed = ", ".join(json.dumps(line) for line in told)
    project = f'[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = [{listed}]\n'
    (at / "toml/pyproject.toml").write_text(project, "utf-8")
    # unidep has selectors for markers, and a requirement without one is for all platforms.
    items = "".join(f"  - {json.dumps(line.partition(';')[0].strip())}\n" for line in told)
    environment = f"name: x\nchannels: [conda-forge]\ndependencies:\n{items}platforms: [linux-64]\n"
    (at / "yaml/requirements.yaml").write_text(environment, "utf-8")


def _as_requirement(line: str) -> Requirement | None:
    try:
        return Requirement(line)
    except InvalidRequirement:
        return None


def _faults(file: Path, output: str, is_told: Callable[[str], bool]) -> Iterator[Fault]:
    """Yield what is wrong with an environment.yml that a file has become."""
    read = manifests.read("environment_yml", "environment.yml", output)
    asked = [line for line in read.declared if line.kind is Kind.REQUIREMENT]
    conda = [line.text for line in asked if line.section is Section.CONDA]
    pip = [line.text for line in asked if line.section is Section.PIP]
    for text in conda:
        yield from _of_spec(text)
    yield from (
        Fault("path", text) for text in pip if re.search(r"@ file:///(?:croot|home/conda)", text)
    )
    # What becomes of each line is known: what a converter lets go of that is to go is no fault.
    lines = conversion.convert(
        str(file.parent), (file.name,), platforms=("linux-64",)
    ).conversion.lines
    for line in lines:
        if not isinstance(line, Dropped) and is_told(line.requirement):
            yield from _of_line(line, conda, pip)


def _of_spec(text: str) -> Iterator[Fault]:
    name = _conda_name(text)
    # Of libraries without Python the map has no names: nothing is said of them.
    if normalize_name(name) not in NAMES and not name.startswith("lib"):
        yield Fault("name", text)
    if "+" in text:
        yield Fault("label", text)
    try:
        build = CondaSpec.parse(text).build
    except InvalidCondaSpec:
        build = None
    rows = CATALOG.naming.for_conda(name)
    if any(row.cuda_build and row.cpu_build for row in rows) and not build:
        yield Fault("cpu", text)


def _conda_name(text: str) -> str:
    return re.split(r"[\s=<>!~\[]", text.rpartition("::")[2], maxsplit=1)[0]


def _of_line(line: Line, conda: Sequence[str], pip: Sequence[str]) -> Iterator[Fault]:
    if not line.name:
        return
    names = {normalize_name(line.name), *_counterparts(line)}
    mine = [text for text in conda if normalize_name(_BASE.sub("", _conda_name(text))) in names]
    piped = [text for text in pip if _piped_name(text) in names or line.name in text]
    if not mine and not piped:
        yield Fault("lost", line.requirement)
    pinned = re.search(r"==\s*(\d+\.\d+)", line.requirement)
    is_said = any(pinned[1] in text for text in (*mine, *piped)) if pinned else True
    if (mine or piped) and not is_said:
        yield Fault("pin", f"{line.requirement} -> {', '.join(mine or piped)}")


def _piped_name(text: str) -> str:
    return normalize_name(re.split(r"[\s=<>!~\[@]", text, maxsplit=1)[0])


def _counterparts(line: Line) -> set[str]:
    specs = line.specs if isinstance(line, Converted) else ()
    found = {normalize_name(CondaSpec.parse(spec).name) for spec in specs}
    return found | {"opencv"} if "py-opencv" in found else found


def _tell(found: dict[str, dict[str, list[Fault]]]) -> None:
    print(f"Measured on {dt.datetime.now(tz=dt.UTC).date()}, Python {sys.version.split()[0]}.\n")
    print(f"| | {' | '.join(found)} |\n|---|{'---|' * len(found)}")
    whole = [
        f"{sum(not faults for faults in by_file.values())} of {len(by_file)}"
        for by_file in found.values()
    ]
    print(f"| files without a fault | {' | '.join(whole)} |")
    for kind, words in FAULTS.items():
        counts = [
            str(sum(fault.kind == kind for faults in by_file.values() for fault in faults))
            for by_file in found.values()
        ]
        print(f"| {words} | {' | '.join(counts)} |")
    for title, by_file in found.items():
        print(f"\n{title}")
        for stem, faults in by_file.items():
            for fault in faults:
                print(f"    {stem}: {FAULTS[fault.kind]}: {fault.what}")


if __name__ == "__main__":
    main()
