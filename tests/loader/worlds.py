"""Random worlds of tiny libraries: directories, links, search paths, what needs what."""

from __future__ import annotations

import os
import random
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.elf_stub import stub_library

from loader.reality import patch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from reconciler.model.system import System

#: libz.so.1 and libbz2.so.1.0 are in the directories of most systems, too.
NAMES = (*(f"lib{letter}.so" for letter in "abcdefgh"), "libz.so.1", "libbz2.so.1.0")
ABSENT = ("libmissing.so", "libgone.so.3")
FOLDERS = ("one", "two", "three", "four/lib", "five")


@dataclass(frozen=True)
class RandomWorld:
    """A program, how it is started, and what it opens."""

    program: str
    variables: Mapping[str, str]
    directory: str
    #: NAME, or CALLER@NAME.
    opened: Sequence[str]


class Builder:
    """Writes one world into an empty folder."""

    def __init__(self, root: Path, system: System, seed: int) -> None:
        self._root = root
        self._random = random.Random(seed)
        self._subdirectories = (*system.subdirectories, "glibc-hwcaps/x86-64-v9")
        self._lib = system.lib
        self._files: list[Path] = []

    def build(self, program: Path, caller: Path) -> RandomWorld:
        chance = self._random
        folders = [self._root / name for name in FOLDERS]
        folders.append(self._root / "two" / self._lib)
        folders += [
            folder / chance.choice(self._subdirectories)
            for folder in folders
            if chance.random() < 0.3
        ]
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
            for name in chance.sample(NAMES, chance.randint(1, 6)):
                self._write(folder / name)
        own = self._root / "bin" / "program"
        own.parent.mkdir()
        self._copy(program, own, chance.sample((*NAMES, *NAMES, *ABSENT[:1]), chance.randint(0, 3)))
        calling = chance.choice(folders) / "libcaller.so"
        self._copy(caller, calling, ())
        return RandomWorld(
            program=str(own),
            variables=self._variables(),
            directory=str(chance.choice(folders)),
            opened=[self._opened(str(calling)) for _ in range(chance.randint(1, 4))],
        )

    def _write(self, path: Path) -> None:
        chance = self._random
        kind = chance.random()
        if self._files and kind < 0.08:
            path.symlink_to(os.path.relpath(chance.choice(self._files), path.parent))
        elif self._files and kind < 0.14:
            os.link(chance.choice(self._files), path, follow_symlinks=False)
        elif kind < 0.16:
            path.symlink_to("nothing.so")
        elif kind < 0.17:
            path.write_bytes(
                b"INPUT(libc.so.6)  /* a linker script, longer than an ELF header */\n"
            )
        else:
            path.write_bytes(self._library(path))
            self._files.append(path)

    def _library(self, path: Path) -> bytes:
        chance = self._random
        needed = chance.sample((*NAMES, "libc.so.6"), chance.choice((0, 0, 1, 1, 2, 3)))
        if chance.random() < 0.03:
            needed.append(chance.choice(ABSENT))
        if chance.random() < 0.05:
            needed.append(f"$ORIGIN/{chance.choice(NAMES)}")
        soname = chance.choice((path.name, path.name, path.name, None, chance.choice(NAMES)))
        return stub_library(
            soname,
            needed,
            rpath=self._paths() if chance.random() < 0.35 else None,
            runpath=self._paths() if chance.random() < 0.35 else None,
            machine="aarch64" if chance.random() < 0.06 else "x86_64",
            no_default_paths=chance.random() < 0.05,
        )

    def _paths(self, separators: str = ":") -> str:
        entries = [self._entry() for _ in range(self._random.randint(0, 3))]
        return self._random.choice(separators).join(entries)

    def _entry(self) -> str:
        folder = self._random.choice(FOLDERS)
        return self._random.choice(
            (
                f"{self._root}/{folder}",
                f"{self._root}/{folder}//",
                "$ORIGIN",
                f"$ORIGIN/../{folder}",
                f"${{ORIGIN}}/../../{folder}",
                f"{self._root}/two/$LIB",
                "$ORIGINAL/one",
                "",
                "/nowhere",
            )
        )

    def _copy(self, template: Path, path: Path, needed: Sequence[str]) -> None:
        shutil.copyfile(template, path)
        path.chmod(0o755)
        for name in needed:
            patch(path, "--add-needed", name)
        kind = self._random.random()
        paths = self._paths()
        if paths and kind < 0.4:
            patch(path, "--force-rpath", "--set-rpath", paths)
        elif paths and kind < 0.7:
            patch(path, "--set-rpath", paths)

    def _variables(self) -> Mapping[str, str]:
        chance = self._random
        variables = {}
        if chance.random() < 0.5:
            variables["LD_LIBRARY_PATH"] = self._paths(":;")
        if chance.random() < 0.15:
            names = [chance.choice((*NAMES, *ABSENT, self._path())) for _ in range(2)]
            variables["LD_PRELOAD"] = chance.choice(": ").join(names)
        return variables

    def _path(self) -> str:
        return str(self._root / self._random.choice(FOLDERS) / self._random.choice(NAMES))

    def _opened(self, caller: str) -> str:
        name = self._random.choice((*NAMES, *NAMES, *ABSENT, self._path(), self._path()))
        return f"{caller}@{name}" if self._random.random() < 0.4 else name
