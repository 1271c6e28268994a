"""Measure `envfix scan` of prefixes with 210 and 3,000 shared libraries beside a bare Python: `python -m bench.libraries`.

The libraries are those of the big environment, without its other files: conda's CUDA beside torch and NVIDIA's wheels,
and as many compiled modules as it takes. As in `python -m bench`, the commands run in turn, and nothing fails when a target
is missed. Behind them stand two parts of a scan by themselves, in this process: the reader of ELF files, and the model of
the loader, over a tree that has seen everything once.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.environment import SEED, install
from bench.packages import Package, invent
from bench.run import BARE, Measured, envfix, measure, over_bare, table, word
from reconciler.collect import files, loader_system
from reconciler.collect.disk_tree import DiskTree
from reconciler.loader import elf
from reconciler.loader.process import Process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

#: Shared libraries in the prefix -> milliseconds that a scan may take beyond a bare Python.
AIMS = {210: 120.0, 3000: 300.0}
#: Libraries that are opened, and how many of them by one process.
OPENED, EACH, REPEATS = 300, 30, 5


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.libraries")
    parser.add_argument("--runs", type=int, default=15, metavar="N", help="runs after the warm-up")
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory(prefix="envfix-bench-") as folder:
        prefixes = {count: generate(Path(folder, str(count)), count) for count in AIMS}
        project = Path(folder, "project")
        project.mkdir()
        commands = {BARE: [sys.executable, "-c", "pass"]}
        for count, prefix in prefixes.items():
            commands[_scan(count)] = [
                *envfix(),
                "scan",
                "--no-host",
                str(project),
                "-p",
                str(prefix),
            ]
        outcome = measure(commands, runs)
        print("\n".join([*table(outcome), ""]))
        for count, limit in AIMS.items():
            row = outcome[_scan(count)]
            over = over_bare(row, outcome) if isinstance(row, Measured) else None
            print(f"{_scan(count)}: at most {limit:.0f} ms over bare: {word(over, limit)}")
        print("\n".join(parts(prefixes[max(AIMS)])))


def _scan(count: int) -> str:
    return f"scan of {count} .so"


def generate(prefix: Path, count: int) -> Path:
    """Write a prefix with this many shared libraries."""
    rng = random.Random(SEED)  # noqa: S311 - the same at every run
    for package in _with_libraries(count):
        install(prefix, package, rng)
    return prefix


def _with_libraries(count: int) -> Iterator[Package]:
    """Yield packages without what is no library, and the last ones once more until there are enough."""
    packages = [package for package in invent(SEED) if any(map(_is_library, _paths(package)))]
    # NVIDIA's and those that use them come first.
    packages.sort(key=lambda package: "cu1" not in package.name and package.name not in FIRST)
    left = count
    for turn, package in ((turn, package) for turn in itertools.count() for package in packages):
        if not left:
            return
        chosen = [file for file in package.files if _is_library(file.path)][:left]
        left -= len(chosen)
        others = [file for file in package.files if file.path.startswith("bin/") and not turn]
        if turn:
            chosen = [
                replace(file, path=file.path.replace(".so", f"_{turn}.so")) for file in chosen
            ]
        name = package.name + (f"-{turn}" if turn else "")
        yield replace(package, name=name, files=(*others, *chosen))


FIRST = ("python", "torch", "numpy")


def _paths(package: Package) -> Iterator[str]:
    return (file.path for file in package.files)


def _is_library(path: str) -> bool:
    return ".so" in path


def parts(prefix: Path) -> list[str]:
    """Return what one library costs to read, and one answer of the model."""
    paths = [str(path) for path in sorted(prefix.rglob("*.so*"))]
    tree = DiskTree()
    python = f"{prefix}/bin/python"
    program = files.with_pread(python, lambda pread: elf.read(python, pread))
    system, _ = loader_system.read(program.interpreter or "", program.machine)

    def read() -> int:
        for path in paths:
            files.with_pread(path, lambda pread: elf.read(path, pread))  # noqa: B023 - called at once
        return len(paths)

    def answer() -> int:
        return sum(
            _answers(Process(tree, system, python, os.environ), opened)
            for opened in (paths[at : at + EACH] for at in range(0, OPENED, EACH))
        )

    return [
        f"elf.read: {_best(read):.1f} microseconds a library",
        f"Process: {_best(answer):.1f} microseconds an answer",
    ]


def _answers(process: Process, opened: Iterable[str]) -> int:
    return len(process.answers) + sum(len(process.dlopen(path).answers) for path in opened)


def _best(work: Callable[[], int]) -> float:
    """Return the microseconds that one of what is done takes, in the best of some turns."""
    return min(_timed(work) for _ in range(REPEATS))


def _timed(work: Callable[[], int]) -> float:
    started = time.perf_counter()
    done = work()
    return (time.perf_counter() - started) / done * 1e6


if __name__ == "__main__":
    main()
