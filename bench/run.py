"""Measure envfix beside pip and uv on one big environment: `python -m bench`.

Every command is a whole process, from start to exit, with its output thrown away. After a warm-up all commands run
in turn, N times over, so that a busy moment of the machine falls on all of them. Nothing fails when a target is
missed: this is a measurement, not a test.

pip is run as it is fastest: by the prefix's own interpreter with the same pip's files inside the prefix.
`pip --python PREFIX` would start a second interpreter and be charged for it. Its bytecode is compiled in the
warm-up, its version check is off, and no configuration of the user is read. uv is run as its own binary.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parent.parent
BARE, VERSION, SCAN, PIP_CHECK = "python -c pass", "envfix --version", "envfix scan", "pip check"
SCAN_SHARE, VERSION_MS = 0.20, 60.0
# 0: nothing to report; 1: problems found, by pip, uv and envfix alike.
RAN_THROUGH = (0, 1)


@dataclass(frozen=True)
class Measured:
    """What the runs of one command took."""

    walls_ms: list[float]
    peak_mb: float
    exit_code: int

    @property
    def median(self) -> float:
        """The median wall, in milliseconds."""
        return statistics.median(self.walls_ms)


def main() -> None:
    """Measure everything and print the table."""
    options = _options()
    with _environment(options.keep) as folder:
        outcome = measure(commands(folder), options.runs)
    # pip check of 23.2 takes seven times as long as that of 26.3: the ratio needs its version.
    peers = f"Python {sys.version.split()[0]}, pip {version('pip')}"
    print("\n".join([peers, *table(outcome), "", *targets(outcome)]))
    if options.json:
        rows = {name: row if isinstance(row, str) else asdict(row) for name, row in outcome.items()}
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure envfix beside its peers."
    )
    parser.add_argument("--runs", type=int, default=10, metavar="N", help="runs after the warm-up")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="keep the environment here and use it again"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every wall here")
    return parser.parse_args()


@contextmanager
def _environment(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="envfix-bench-") as folder:
            yield _generated(Path(folder))
    else:
        yield keep.resolve() if (keep / "project").is_dir() else _generated(keep.resolve())


def _generated(folder: Path) -> Path:
    print(f"generating an environment in {folder}", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "bench.environment", folder], check=True, cwd=ROOT)
    return folder


def commands(folder: Path) -> dict[str, list[str]]:
    """Return the command lines by name; a tool that is missing shows itself in the warm-up."""
    prefix, project = str(folder / "prefix"), str(folder / "project")
    python = f"{prefix}/bin/python"
    pip = [python, "-m", "pip"]
    uv = [_program("uv"), "pip"]
    command = envfix()
    return {
        BARE: [sys.executable, "-c", "pass"],
        VERSION: [*command, "--version"],
        SCAN: [*command, "scan", "--no-host", project, "-p", prefix],
        "pip list": [*pip, "list"],
        PIP_CHECK: [*pip, "check"],
        "uv pip list": [*uv, "list", "--python", python],
        "uv pip check": [*uv, "check", "--python", python],
    }


def envfix() -> list[str]:
    """Return how envfix is started."""
    # The command as users start it; python -m would put the checkout first on sys.path, and envfix
    # would restart itself isolated from it.
    script = _program("envfix")
    return [script] if os.path.isabs(script) else [sys.executable, "-m", "reconciler"]


def _program(name: str) -> str:
    beside = sysconfig.get_path("scripts")
    return shutil.which(name, path=os.pathsep.join([beside, os.environ.get("PATH", "")])) or name


def measure(argvs: Mapping[str, list[str]], runs: int) -> dict[str, Measured | str]:
    """Run all commands in turn; a command that does not run through has its reason instead."""
    reasons = {name: _warm_up(argv) for name, argv in argvs.items()}
    able = {name: argv for name, argv in argvs.items() if not reasons[name]}
    rounds = [{name: _run(argv) for name, argv in able.items()} for _ in range(runs)]
    measured = {name: _gathered([each[name] for each in rounds]) for name in able}
    return reasons | measured


def _warm_up(argv: list[str]) -> str:
    """Run a command once; return why it cannot be measured, or nothing."""
    try:
        ran = subprocess.run(
            argv, capture_output=True, text=True, check=False, cwd=ROOT, env=_variables()
        )
    except FileNotFoundError:
        return "not available"
    if (
        ran.returncode in RAN_THROUGH
        and "Traceback" not in ran.stderr
        and "No module" not in ran.stderr
    ):
        return ""
    last = ran.stderr.strip().rpartition("\n")[2]
    return f"not available: exit {ran.returncode} {last}".rstrip()


def _run(argv: list[str]) -> list[float]:
    launcher = [sys.executable, "-I", "-S", str(ROOT / "bench/measure.py"), *argv]
    ran = subprocess.run(launcher, check=True, stdout=subprocess.PIPE, cwd=ROOT, env=_variables())
    return json.loads(ran.stdout)


def _variables() -> dict[str, str]:
    """Return the user's variables without those that change what Python, pip or uv do."""
    ours = ("PYTHON", "PIP_", "UV_", "ENVFIX_", "VIRTUAL_ENV", "CONDA_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "UV_NO_CONFIG": "1",
        "UV_OFFLINE": "1",
    }


def _gathered(runs: list[list[float]]) -> Measured:
    walls, peaks, exit_codes = zip(*runs, strict=True)
    return Measured(walls_ms=list(walls), peak_mb=max(peaks), exit_code=int(exit_codes[-1]))


def table(outcome: Mapping[str, Measured | str]) -> list[str]:
    """Return the lines of the table, with what bare Python and `pip check` took as the yardsticks."""
    head = f"{'command':<18}{'median':>9}{'min':>9}{'max':>9}{'over bare':>11}{'of pip check':>14}{'peak MB':>9}{'exit':>6}"
    return [head, *(_line(name, row, outcome) for name, row in outcome.items())]


def _line(name: str, row: Measured | str, outcome: Mapping[str, Measured | str]) -> str:
    if isinstance(row, str):
        return f"{name:<18}{row}"
    over, share = over_bare(row, outcome), _share(row, outcome)
    walls = f"{row.median:>9.1f}{min(row.walls_ms):>9.1f}{max(row.walls_ms):>9.1f}"
    return f"{name:<18}{walls}{over:>11.1f}{share:>14.3f}{row.peak_mb:>9.1f}{row.exit_code:>6}"


def over_bare(row: Measured, outcome: Mapping[str, Measured | str]) -> float:
    """Return what a command takes beyond a bare Python, in milliseconds."""
    bare = outcome[BARE]
    return row.median - bare.median if isinstance(bare, Measured) else float("nan")


def _share(row: Measured, outcome: Mapping[str, Measured | str]) -> float:
    check = outcome.get(PIP_CHECK)
    return row.median / check.median if isinstance(check, Measured) else float("nan")


def targets(outcome: Mapping[str, Measured | str]) -> list[str]:
    """Return one line for each target: its aim, what was measured, and a plain word."""
    scan, version = outcome[SCAN], outcome[VERSION]
    share = _share(scan, outcome) if isinstance(scan, Measured) else None
    over = over_bare(version, outcome) if isinstance(version, Measured) else None
    return [
        f"{SCAN}: at most {SCAN_SHARE:.2f} of pip check: {word(share, SCAN_SHARE)}",
        f"{VERSION}: at most {VERSION_MS:.0f} ms over bare: {word(over, VERSION_MS)}",
    ]


def word(value: float | None, limit: float) -> str:
    """Return what was measured, and whether a target is met."""
    if value is None:
        return "not available"
    return f"{value:.3g}, {'met' if value <= limit else 'missed'}"


if __name__ == "__main__":
    main()
