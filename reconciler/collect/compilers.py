"""Which release a compiler is of, by its files: none is started (decision 47)."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from reconciler.collect import files
from reconciler.model.os_name import from_os, to_os
from reconciler.model.toolchain import Compiler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reconciler.model.prefix import PrefixRecord

#: nvcc of 13.0 has 30 MB, gcc's driver of 12 a megabyte; what stands behind these would not be found.
NVCC_LIMIT, GCC_LIMIT = 128 * files.MEGABYTE, 16 * files.MEGABYTE
_BLOCK = 4 * files.MEGABYTE
#: What `nvcc --version` prints.
_NVCC = re.compile(rb"Cuda compilation tools, release (\d{1,2}\.\d{1,2}), V")
_IN_JSON = re.compile(
    rb'"cuda_nvcc"\s{0,9}:\s{0,9}\{[^{}]{0,999}"version"\s{0,9}:\s{0,9}"(\d{1,2}\.\d{1,2})'
)
#: gcc's version_string: 12.2.0, or with a day and the distribution's words behind it.
_GCC = re.compile(rb"(?<=\0)(\d{1,2}\.\d{1,2}\.\d{1,2})(?: \d{8})?(?: \([^\0]{0,80}\))?(?=\0)")
#: A wrapper of one line, as Debian's package has for nvcc: `exec /usr/lib/cuda/bin/nvcc "$@"`.
_EXEC = re.compile(rb"""(?m)^[ \t]*exec[ \t]+"?(/[^\s"'$]+)"?[ \t]""")
_SUFFIX = re.compile(r"-(\d{1,2}(?:\.\d{1,2}){0,2})$")
_LLVM = re.compile(r"/llvm-?(\d{1,2}(?:\.\d{1,2}){0,2})/")
_FOLDER = re.compile(r"\d{1,2}(?:\.\d{1,2}){0,2}")
#: Stand-ins that hand everything to the next compiler of their own name on PATH.
WRAPPERS = frozenset({"ccache", "sccache", "distcc", "icecc"})
_SCRIPT = 1 << 14
#: As many as Linux follows.
_LINKS = 40


class Disk(NamedTuple):
    """The machine's files below its root, and the environment's, which lies below none."""

    root: str
    prefix: str | None
    #: What was found in a file, since one compiler has several names.
    read: dict[str, set[str]]

    def real(self, path: str) -> str | None:
        """Return where a file lies for us, its links resolved; None for a circle of them."""
        if self.is_own(path) or not self.root:
            path = from_os(os.path.realpath(to_os(path)))
        # a link out of the environment leads into a machine that may be made up
        return path if self.is_own(path) or not self.root else _below(self.root, path)

    def is_own(self, path: str) -> bool:
        """Tell whether a path lies in the environment."""
        return self.prefix is not None and f"{path}/".startswith(f"{self.prefix}/")

    def has(self, path: str) -> bool:
        """Tell whether something is there, through links."""
        real = self.real(path)
        return real is not None and files.exists(real)

    def names(self, folder: str) -> tuple[str, ...]:
        """Return the names in a folder; () where it cannot be read."""
        real = self.real(folder)
        try:
            return files.names(real) if real else ()
        except files.UnreadableError:
            return ()


def _below(root: str, path: str) -> str | None:
    """Follow every link of a path, absolute ones below the root; None for a circle of them."""
    done, rest, links = "", path.split("/"), 0
    while rest:
        name = rest.pop(0)
        if name == "..":
            done = os.path.dirname(done)
        if name in {"", ".", ".."}:
            continue
        here = to_os(f"{root}{done}/{name}")
        if not os.path.islink(here):
            done = f"{done}/{name}"
            continue
        links += 1
        if links > _LINKS:
            return None
        target = from_os(os.readlink(here))
        done = "" if target.startswith("/") else done
        rest = [*target.split("/"), *rest]
    return f"{root}{done}"


def program(disk: Disk, path: str) -> str | None:
    """Return where the program itself lies for us, through links and wrappers of one line."""
    for _ in range(4):
        real = disk.real(path)
        if real is None or not os.path.isfile(to_os(real)):
            return None
        if not os.access(to_os(real), os.X_OK):
            return None
        wrapped = _wrapped(real)
        if wrapped is None:
            return real
        path = wrapped
    return None


def _wrapped(real: str) -> str | None:
    try:
        head = files.with_pread(real, lambda pread: pread(0, _SCRIPT))
    except files.UnreadableError:
        return None
    match = _EXEC.search(head) if head.startswith(b"#!") else None
    return match[1].decode("utf-8", "replace") if match else None


def nvcc(disk: Disk, folder: str, records: Iterable[PrefixRecord]) -> Compiler | None:
    """Return the nvcc of a toolkit's folder; None where it has none."""
    path = f"{folder}/bin/nvcc"
    real = program(disk, path)
    if real is None:
        return None
    release, told_by = (
        _of_record(disk, path, records)
        or _of_toolkit(disk, real)
        or (next(iter(_find(disk, real, _NVCC, NVCC_LIMIT)), None), "its own bytes")
    )
    return Compiler(path=path, kind="nvcc", release=release, told_by=told_by if release else "")


def _of_record(disk: Disk, path: str, records: Iterable[PrefixRecord]) -> tuple[str, str] | None:
    """Return what conda's record of the package that installed an nvcc tells, without reading it."""
    if disk.prefix is None or path != f"{disk.prefix}/bin/nvcc":
        return None
    owner = next((r for r in records if "nvcc" in r.name and "bin/nvcc" in r.files), None)
    match = re.match(r"\d{1,2}\.\d{1,2}", owner.version) if owner else None
    return (match[0], owner.path) if owner and match else None


def _of_toolkit(disk: Disk, real: str) -> tuple[str, str] | None:
    """Return what the toolkit's version.json says of its nvcc, which lies in its bin."""
    path = f"{os.path.dirname(os.path.dirname(real))}/version.json"
    try:
        text = files.read(path, limit=files.MEGABYTE)
    except files.UnreadableError:
        return None
    match = _IN_JSON.search(text)
    return (match[1].decode(), path.removeprefix(disk.root)) if match else None


def host(disk: Disk, path: str, found_by: str) -> Compiler | None:
    """Return a compiler of C or C++; None where there is none of that path."""
    real = program(disk, path)
    if real is None:
        return None
    name = os.path.basename(real)
    kind, release, told_by = _clang(disk, real) if "clang" in name else _gcc(disk, real)
    return Compiler(path=path, kind=kind, release=release, told_by=told_by, found_by=found_by)


_Told = tuple[Literal["gcc", "clang", "unknown"], str | None, str]


def _gcc(disk: Disk, real: str) -> _Told:
    """Tell gcc's release by its bytes; where these leave a choice, by its name and its folders."""
    if not re.search(r"(?:gcc|g\+\+|cc|c\+\+)(?:-[\d.]+)?$", os.path.basename(real)):
        return "unknown", None, ""
    embedded = _find(disk, real, _GCC, GCC_LIMIT)
    if len(embedded) == 1:
        return "gcc", next(iter(embedded)), "its own bytes"
    suffix = _SUFFIX.search(real)
    # lib/gcc/x86_64-linux-gnu/12, beside the bin that the driver lies in
    top = os.path.dirname(os.path.dirname(real))
    folders = {
        version
        for triple in _names(f"{top}/lib/gcc")
        for version in _names(f"{top}/lib/gcc/{triple}")
        if _FOLDER.fullmatch(version)
    }
    for known, told_by in ((embedded, "its own bytes"), (folders, f"{top}/lib/gcc")):
        fitting = {v for v in known if not suffix or _is_of(v, suffix[1])}
        if len(fitting) == 1:
            return "gcc", fitting.pop(), told_by.removeprefix(disk.root)
    return ("gcc", suffix[1], "its name") if suffix else ("unknown", None, "")


def _clang(disk: Disk, real: str) -> _Told:
    """Tell clang's release by where it lies: its driver may be a hundred megabytes."""
    if match := _SUFFIX.search(real) or _LLVM.search(real):
        return "clang", match[1], real.removeprefix(disk.root)
    top = f"{os.path.dirname(os.path.dirname(real))}/lib/clang"
    found = [version for version in _names(top) if _FOLDER.fullmatch(version)]
    if len(found) == 1:
        return "clang", found[0], top.removeprefix(disk.root)
    return "clang", None, ""


def _is_of(version: str, start: str) -> bool:
    return f"{version}.".startswith(f"{start}.")


def _names(folder: str) -> tuple[str, ...]:
    try:
        return files.names(folder)
    except files.UnreadableError:
        return ()


def _find(disk: Disk, real: str, pattern: re.Pattern[bytes], limit: int) -> set[str]:
    if real not in disk.read:
        try:
            disk.read[real] = files.with_pread(real, lambda pread: _matches(pread, pattern, limit))
        except files.UnreadableError:
            disk.read[real] = set()
    return disk.read[real]


def _matches(
    pread: Callable[[int, int], bytes], pattern: re.Pattern[bytes], limit: int
) -> set[str]:
    found: set[str] = set()
    for start in range(0, limit, _BLOCK):
        # The blocks overlap, so that none cuts a release in two.
        block = pread(start, _BLOCK + 128)
        found |= {match.decode() for match in pattern.findall(block)}
        if len(block) < _BLOCK:
            break
    return found
