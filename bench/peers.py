"""What envfix and its peers find in an environment with five faults: `python -m bench.peers --install`.

The environment is the lab's (`tests/lab/five_faults.py`), built anew: a conda prefix from a local channel, and wheels that
pip has installed into it. Each peer is installed from PyPI into a virtual environment of its own, in a temporary folder,
and asked as its documentation says. A fault counts as found if what a peer complains about names it (FAULTS), whatever the exit
code. `--readme` writes the table into README.md and the docs; `-v` prints what each has said.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bench import programs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("README.md", "docs/comparison.md")
BEGIN, END = "<!-- written by python -m bench.peers -->", "<!-- end -->"
#: Each fault, the rule that is for it, and the words that a complaint about it cannot do without.
FAULTS = (
    ("CUD201", "CUDA 11 of conda and CUDA 12 of pip in one environment", ("cudatoolkit",)),
    (
        "DUP104",
        "two wheels own one `libcudnn.so.8`; the older lies there",
        ("nvidia-cudnn-cu11", "nvidia-cudnn-cu12"),
    ),
    ("DUP105", "two CuPys for two majors, one over the other", ("cupy-cuda11x", "cupy-cuda12x")),
    ("DUP103", "one package installed by pip and, over it, by conda", ("six",)),
    ("DEC719", "NumPy 2 below a PyTorch that was built with NumPy 1", ("numpy", "torch")),
)


class Asked(NamedTuple):
    """What a peer has answered."""

    name: str
    #: What it complains about, without the lists and trees around it.
    complaints: str
    status: int


class Peer(NamedTuple):
    """A tool of PyPI, and how it is asked about a prefix."""

    name: str
    shown: str
    command: Callable[[Path], Sequence[str]]
    #: Takes standard output and standard error, and leaves the complaints.
    complaints: Callable[[str, str], str]


def _all(out: str, err: str) -> str:
    return out + err


PEERS = (
    Peer("uv", "`uv pip check`", lambda at: ["pip", "check", "--python", _python(at)], _all),
    Peer(
        "pipdeptree",
        "`pipdeptree -w fail`",
        lambda at: ["--python", _python(at), "-w", "fail"],
        lambda _, err: err,
    ),
)


def main() -> None:
    """Build, ask, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--install", action="store_true", help="get the peers from PyPI")
    parser.add_argument("--keep", type=Path, help="where the peers are, or are to be")
    parser.add_argument("--conda", type=Path, help="a conda to ask for `conda doctor`")
    parser.add_argument("--readme", action="store_true", help="write the table into the pages")
    parser.add_argument("-v", "--verbose", action="store_true", help="print what each has said")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        prefix = _built(Path(scratch))
        asked = [*_asked(prefix, options, Path(scratch))]
    if options.verbose:
        for each in asked:
            print(f"== {each.name}: exit status {each.status}\n{each.complaints}")
    table = _table(asked)
    print(table)
    if options.readme:
        for page in PAGES:
            _put(ROOT / page, table)


def _built(scratch: Path) -> Path:
    sys.path.insert(0, str(ROOT / "tests"))
    from lab import channel, five_faults, pip_packages  # noqa: PLC0415 - only there from now on

    downloads = scratch / "wheels"
    downloads.mkdir()
    wheels = pip_packages.torch_stack(scratch / "built", downloads)
    return five_faults.build(scratch, channel.build_channel(scratch, downloads), wheels)


def _asked(prefix: Path, options: argparse.Namespace, scratch: Path) -> list[Asked]:
    home = options.keep or scratch / "peers"
    project = scratch / "project"
    project.mkdir()
    pip = [_python(prefix), "-m", "pip"]
    version = _run([*pip, "--version"], prefix, project)[1].split()[1]
    found = [_envfix(prefix, project)]
    found.append(_ask(f"`pip check` {version}", [*pip, "check"], _all, prefix, project))
    for peer in PEERS:
        program = programs.program(home / peer.name, peer.name, install=options.install)
        if program:
            shown = f"{peer.shown} {programs.version(program, peer.name)}"
            command = [str(program), *peer.command(prefix)]
            found.append(_ask(shown, command, peer.complaints, prefix, project))
    if options.conda:
        version = _run([str(options.conda), "--version"], prefix, project)[1].split()[-1]
        command = [str(options.conda), "doctor", "-p", str(prefix)]
        found.append(_ask(f"`conda doctor` {version}", command, _bad, prefix, project))
    return found


def _bad(out: str, err: str) -> str:
    """Leave out the checks of conda doctor that are passed."""
    return "\n".join(line for line in (out + err).splitlines() if "✅" not in line)


def _envfix(prefix: Path, project: Path) -> Asked:
    command = [sys.executable, "-m", "reconciler", "scan", str(project), "-p", str(prefix)]
    command += ["--driver", "580.65.06", "--format", "json"]
    status, out, err = _run(command, prefix, project)
    if not out:
        sys.exit(err)
    report = json.loads(out)
    codes = "\n".join(finding["code"] for finding in report["findings"])
    return Asked(f"envfix {report['envfix']}", codes, status)


def _ask(
    shown: str,
    command: Sequence[str],
    complaints: Callable[[str, str], str],
    prefix: Path,
    project: Path,
) -> Asked:
    status, out, err = _run(command, prefix, project)
    return Asked(shown, complaints(out, err), status)


def _run(command: Sequence[str], prefix: Path, project: Path) -> tuple[int, str, str]:
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=project, env=_variables(prefix)
    )
    return done.returncode, done.stdout, done.stderr


def _variables(prefix: Path) -> Mapping[str, str]:
    """Return the variables of a shell in which the environment is active."""
    path = f"{prefix}/bin:/usr/bin:/bin"
    # conda alone: envfix may be installed beside it, and is then one of doctor's checks
    alone = {"PATH": path, "CONDA_NO_PLUGINS": "true"}
    active = {"CONDA_PREFIX": str(prefix), "CONDA_DEFAULT_ENV": prefix.name}
    return {**alone, "HOME": str(prefix.parent / "home"), "LANG": "C.UTF-8", **active}


def _python(prefix: Path) -> str:
    return str(prefix / "bin" / "python")


def _table(asked: Sequence[Asked]) -> str:
    heads = " | ".join(each.name for each in asked)
    lines = [f"| what is wrong | {heads} |", f"|---|{'---|' * len(asked)}"]
    for code, fault, words in FAULTS:
        cells = (_cell(each, code, words) for each in asked)
        lines.append(f"| {fault} | {' | '.join(cells)} |")
    statuses = " | ".join(str(each.status) for each in asked)
    today = dt.datetime.now(dt.UTC).date().isoformat()
    return "\n".join(
        [
            *lines,
            f"| exit code | {statuses} |",
            "",
            f"Run on {today}, with Python {sys.version.split()[0]}, by `python -m bench.peers --install`.",
        ]
    )


def _cell(asked: Asked, code: str, words: Sequence[str]) -> str:
    if asked.name.startswith("envfix"):
        return f"[{code}](docs/rules/{code}.md)" if code in asked.complaints.split() else "no"
    said = asked.complaints.lower().replace("_", "-")
    return "yes" if all(re.search(rf"(?<![\w-]){w}(?![\w-])", said) for w in words) else "-"


def _put(page: Path, table: str) -> None:
    text = page.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    if page.parent != ROOT:
        table = table.replace("](docs/", "](")
    page.write_text(f"{before}{BEGIN}\n{table}\n{END}{rest.partition(END)[2]}", "utf-8")


if __name__ == "__main__":
    main()
