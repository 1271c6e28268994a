"""The model of binding, held against the real loader of this machine."""

from __future__ import annotations

import re
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from loader import reality, symbol_worlds
from reconciler.collect.disk_symbols import DiskSymbols
from reconciler.collect.disk_tree import DiskTree
from reconciler.loader.binding import INCONSISTENT, error_of
from reconciler.loader.process import Process

if TYPE_CHECKING:
    from pathlib import Path

WORLDS = 50

pytestmark = [
    pytest.mark.truth,
    pytest.mark.skipif(sys.platform != "linux", reason="there is no ld.so"),
    pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed"),
]


@pytest.fixture(scope="module")
def opens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return symbol_worlds.program(tmp_path_factory.mktemp("opens"))


@pytest.mark.parametrize("seed", range(WORLDS))
def test_a_random_world_is_bound_as_the_real_loader_binds_it(
    seed: int, opens: Path, tmp_path: Path
) -> None:
    world = symbol_worlds.build(tmp_path, opens, seed)
    system = reality.this_system(str(opens))
    process = Process(DiskTree(), system, world.program, world.variables)

    said = symbol_worlds.say(world, tmp_path)

    assert predicted(process, world) == as_said(said, world.program)


def predicted(process: Process, world: symbol_worlds.SymbolWorld) -> list[str]:
    symbols = DiskSymbols()
    error = error_of(process.bind(symbols))
    if error is not None:
        return [error]
    lines = []
    for path, flags in world.opened:
        opened = process.dlopen(path, is_now="n" in flags, is_global="g" in flags)
        lines.append(opened.error or "opened")
        if lines[-1].startswith(INCONSISTENT):
            break
    return lines


def as_said(said: str, program: str) -> list[str]:
    """Return what the program and the loader say, without where in its source the loader is."""
    lines = []
    for line in said.splitlines():
        what = line.removeprefix(f"{program}: ").removeprefix("symbol lookup error: ")
        if "no version information" in what or "weak version" in what:
            continue
        what = re.sub(r"(dl-\w+\.c: )\d+: ", r"\1", what)
        lines.append(what)
        if what != line and not line.startswith(INCONSISTENT):
            # several versions may be missing as the program starts: the first is told
            break
    return lines
