"""The model of the loader, held against the real one of this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from loader import reality
from loader.test_elf import real_libraries
from loader.worlds import Builder
from reconciler.collect import loader_system
from reconciler.collect.disk_symbols import DiskSymbols
from reconciler.collect.disk_tree import DiskTree
from reconciler.loader.process import Process
from reconciler.model.library import SharedLibrary

if TYPE_CHECKING:
    from pathlib import Path

    from loader.worlds import RandomWorld

WORLDS = 500

pytestmark = [
    pytest.mark.truth,
    pytest.mark.skipif(sys.platform != "linux", reason="there is no ld.so"),
    pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed"),
]


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return reality.templates(tmp_path_factory.mktemp("templates"))


@pytest.mark.parametrize("seed", range(WORLDS))
def test_a_random_world_is_mapped_as_the_real_loader_maps_it(
    seed: int, templates: tuple[Path, Path], tmp_path: Path
) -> None:
    system = reality.this_system(str(templates[0]))
    world = Builder(tmp_path, system, seed).build(*templates)
    tree = DiskTree()
    process = Process(tree, system, world.program, world.variables, directory=world.directory)

    said = reality.run(world.program, world.opened, world.variables, world.directory)

    if process.missing:
        assert file_in(first_complaint(said), world) == file_in(process.missing[0].error, world)
        assert_missing_as_traced(world, process)
        return
    start, *opened = reality.moments(said)
    assert {tree.real_path(path) for path in process.mapped} == start.mapped
    for name, seen in zip(world.opened, opened, strict=True):
        error = open_in(process, name)
        assert {tree.real_path(path) for path in process.mapped} == seen.mapped
        assert file_in(error, world) == file_in(seen.error, world)


# Opens each library in a child of its own; the libraries that Python has itself come first.
OPENS_EACH = """
import ctypes, os, sys
def mapped():
    lines = open("/proc/self/maps").read().splitlines()
    return sorted({line[line.index("/"):] for line in lines if "/" in line})
def say(line):
    sys.stdout.write(line + chr(10))
    sys.stdout.flush()
say(chr(0).join(mapped()))
for path in sys.stdin.read().split(chr(0)):
    child = os.fork()
    if not child:
        try:
            ctypes.CDLL(path, mode=os.RTLD_LAZY)
            say(chr(0).join(mapped()))
        except OSError as error:
            say("error " + str(error))
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        say("crash")
"""


def test_a_real_library_is_mapped_by_python_as_the_real_loader_maps_it(
    templates: tuple[Path, Path], tmp_path: Path
) -> None:
    libraries = [str(path) for path in real_libraries()]
    own, *seen = opened_by_python(libraries, tmp_path)
    system = reality.this_system(str(templates[0]))
    tree, symbols = DiskTree(), DiskSymbols()
    predicted = []
    for path in libraries:
        process = Process(tree, system, sys.executable, os.environ, directory=str(tmp_path))
        assert process.bind(symbols) == ()
        modules = [one for one in own.split("\0") if ".so" in one]
        for module in modules:
            process.dlopen(module)
        caller = next(one for one in modules if "_ctypes." in one)
        error = process.dlopen(path, caller, is_now=False).error
        predicted.append(f"error {error}" if error else {tree.real_path(p) for p in process.mapped})

    differ = [
        (path, model, real)
        for path, model, real in zip(libraries, predicted, map(as_seen, seen), strict=True)
        if model != real
    ]
    assert differ == []


def as_seen(line: str) -> str | set[str]:
    """Return the error, or the libraries and the program among what is mapped."""
    if line.startswith(("error", "crash")):
        return line
    program = os.path.realpath(sys.executable)
    return {one for one in line.split("\0") if ".so" in one or one == program}


def opened_by_python(libraries: list[str], directory: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-I", "-c", OPENS_EACH],
        input="\0".join(libraries),
        cwd=directory,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def open_in(process: Process, name: str) -> str:
    caller, at, called = name.rpartition("@")
    if at and (error := process.dlopen(caller).error):
        return error
    return process.dlopen(called, caller or None).error or ""


def first_complaint(said: str) -> str:
    """Return the name or path of which the loader says that it ends there."""
    found = re.search(r"error while loading shared libraries: ([^:]+):", said)
    return found[1] if found else said


def file_in(error: str | None, world: RandomWorld) -> str:
    """Return of which file or name an error is; the loader has paths relative to its directory."""
    name = name_in(error)
    return os.path.join(world.directory, name) if name else ""


def assert_missing_as_traced(world: RandomWorld, process: Process) -> None:
    """Hold every name that the loader lists as not found against the model's."""
    if any("cannot open" not in (answer.error or "") for answer in process.missing):
        # the loader ends at a file that it cannot read, and lists nothing
        return
    variables = {**world.variables, "LD_TRACE_LOADED_OBJECTS": "1"}
    traced = reality.run(world.program, (), variables, world.directory)
    names = set(re.findall(r"^\t(.+) => not found$", traced, re.MULTILINE))
    assert {name_in(answer.error) for answer in process.missing} == names


def name_in(error: str | None) -> str:
    return (error or "").partition(": ")[0]


def test_what_is_read_of_this_machine_s_loader_is_what_it_says_of_itself(
    templates: tuple[Path, Path],
) -> None:
    said = reality.this_system(str(templates[0]))
    program = DiskTree().elf(str(templates[0]))
    assert isinstance(program, SharedLibrary)

    read, gaps = loader_system.read(program.interpreter or "", program.machine)

    assert (read, gaps) == (said, ())
