"""Random worlds of libraries that define and ask for symbols, and are replaced after linking."""

from __future__ import annotations

import random
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

COMPILER = shutil.which("gcc") or "gcc"
LIBRARIES = ("liba.so", "libb.so", "libc1.so", "libd.so")
FUNCTIONS = tuple(f"f{number}" for number in range(6))
VARIABLES = ("v0", "v1")
VERSIONS = ("", "", "V_1", "V_2", "V_3")
# Each argument is a path and its flags: l or n for lazy or now, and g for global.
PROGRAM = r"""
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
int main(int count, char **names) {
  for (int i = 1; i + 1 < count; i += 2) {
    int flags = strchr(names[i + 1], 'l') ? RTLD_LAZY : RTLD_NOW;
    if (strchr(names[i + 1], 'g')) flags |= RTLD_GLOBAL;
    printf("%s\n", dlopen(names[i], flags) ? "opened" : dlerror());
    fflush(stdout);
  }
  return 0;
}
"""


@dataclass(frozen=True)
class Source:
    """What one library defines and asks for."""

    #: Of each function and variable, its versions: the last one is the default.
    defined: Mapping[str, Sequence[str]]
    #: Each symbol, and how it is used: "call", "point" (from data), "weak" or "read".
    asked: Mapping[str, str] = field(default_factory=dict)

    def code(self) -> str:
        """Return it in C."""
        lines = [
            line for name, versions in self.defined.items() for line in _definition(name, versions)
        ]
        body = "return 0"
        for name, use in self.asked.items():
            weak = "__attribute__((weak)) " if use == "weak" else ""
            kind = f"int {name}" if name in VARIABLES else f"int {name}(void)"
            lines.append(f"{weak}extern {kind};")
            if use == "point":
                lines.append(f"void *point_at_{name} = &{name};")
            else:
                body += f" + {name}" if name in VARIABLES else f" + {name}()"
        own = "_".join(("own", *self.defined, *self.asked))
        return "\n".join([*lines, f"int {own}(void) {{ {body}; }}"]) + "\n"

    def script(self) -> str:
        """Return its versions for the linker; empty without any."""
        used = sorted({one for versions in self.defined.values() for one in versions if one})
        by_version = {
            one: [name for name, versions in self.defined.items() if versions == [one]]
            for one in used
        }
        return "".join(
            f"{one} {{ {'global: ' + '; '.join(names) + ';' if names else ''} }};\n"
            for one, names in by_version.items()
        )


@dataclass(frozen=True)
class SymbolWorld:
    """A program, how it is started, and what it opens."""

    program: str
    variables: Mapping[str, str]
    #: Paths and flags.
    opened: Sequence[tuple[str, str]]


def program(folder: Path) -> Path:
    """Compile the program that opens libraries."""
    (folder / "opens.c").write_text(PROGRAM)
    subprocess.run([COMPILER, "opens.c", "-o", "opens", "-ldl"], cwd=folder, check=True)
    return folder / "opens"


def build(root: Path, opens: Path, seed: int) -> SymbolWorld:
    """Link a world of libraries, then replace some by what defines other symbols."""
    chance = random.Random(seed)
    linked, run = root / "linked", root / "run"
    linked.mkdir()
    run.mkdir()
    full = {name: _provided(chance) for name in LIBRARIES}
    for name, source in full.items():
        library(linked, name, source)
    for name in LIBRARIES:
        others = [other for other in LIBRARIES if other != name]
        needed = chance.sample(others, chance.randint(0, 2))
        asked = {
            symbol: chance.choice(("call", "call", "point", "weak"))
            for other in needed
            for symbol in chance.sample(list(full[other].defined), chance.randint(0, 2))
        }
        own = _changed(chance, full[name]).defined
        asked = {symbol: use for symbol, use in asked.items() if symbol not in own}
        options = [f"-l:{other}" for other in needed]
        options.append(chance.choice(("-Wl,-z,now", "-Wl,-z,lazy", "-Wl,-z,lazy")))
        if chance.random() < 0.3:
            options.append("-Wl,--hash-style=sysv")
        if chance.random() < 0.5:
            options.append("-lc")
        library(run, name, Source(own, asked), ["-L", str(linked), "-Wl,--no-as-needed", *options])
    own_program = root / "opens"
    if chance.random() < 0.25:
        subprocess.run(
            [COMPILER, opens.with_suffix(".c"), "-o", own_program, "-ldl"]
            + ["-Wl,--no-as-needed", "-Wl,--unresolved-symbols=ignore-all", "-L", linked]
            + [f"-l:{name}" for name in chance.sample(LIBRARIES, 1)],
            check=True,
        )
    else:
        shutil.copy(opens, own_program)
    variables = {"LD_LIBRARY_PATH": str(run)}
    if chance.random() < 0.15:
        variables["LD_BIND_NOW"] = "1"
    if chance.random() < 0.15:
        variables["LD_PRELOAD"] = str(run / chance.choice(LIBRARIES))
    paths = [str(run / chance.choice(LIBRARIES)) for _ in range(4)]
    flags = [chance.choice(("l", "l", "n", "lg", "ng")) for _ in paths]
    return SymbolWorld(str(own_program), variables, list(zip(paths, flags, strict=True)))


def say(world: SymbolWorld, directory: Path) -> str:
    """Return what the program and the loader say, in their order."""
    done = subprocess.run(
        [world.program, *(word for pair in world.opened for word in pair)],
        env=dict(world.variables),
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


def library(folder: Path, name: str, source: Source, options: Sequence[str] = ()) -> None:
    """Compile one library; what it asks for and nothing defines is left to the loader."""
    (folder / f"{name}.c").write_text(source.code())
    command = [COMPILER, "-shared", "-fPIC", "-nostdlib", f"{name}.c", "-o", name]
    if script := source.script():
        (folder / f"{name}.map").write_text(script)
        command.append(f"-Wl,--version-script={name}.map")
    command += [f"-Wl,-soname,{name}", *options]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def _provided(chance: random.Random) -> Source:
    version = chance.choice(VERSIONS)
    names = chance.sample((*FUNCTIONS, *VARIABLES), chance.randint(2, 4))
    if not version:
        return Source({name: [""] for name in names})
    return Source({name: _versions(chance, name, version) for name in names})


def _versions(chance: random.Random, name: str, version: str) -> list[str]:
    if chance.random() < 0.2:
        return [""]
    if name in FUNCTIONS and chance.random() < 0.25:
        return ["V_0", version]
    return [version]


def _changed(chance: random.Random, source: Source) -> Source:
    kind = chance.random()
    defined = dict(source.defined)
    if kind < 0.35:
        defined.pop(chance.choice(list(defined)))
    elif kind < 0.45:
        defined = {name: [""] for name in defined}
    elif kind < 0.55:
        defined = {
            name: [one and "V_9" for one in versions[-1:]] for name, versions in defined.items()
        }
    elif kind < 0.65:
        return _provided(chance)
    return Source(defined)


def _definition(name: str, versions: Sequence[str]) -> list[str]:
    if name in VARIABLES:
        return [f"int {name} = 1;"]
    if len(versions) == 1:
        return [f"int {name}(void) {{ return 1; }}"]
    lines = []
    for number, version in enumerate(versions):
        at = "@@" if number == len(versions) - 1 else "@"
        lines.append(f"int {name}_{number}(void) {{ return {number}; }}")
        lines.append(f'__asm__(".symver {name}_{number},{name}{at}{version}");')
    return lines
