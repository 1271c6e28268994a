"""Small worlds of plain files in which a framework is started."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from reconciler import catalog
from reconciler.loader import frameworks, system
from reconciler.loader.frameworks.stage import Stage
from reconciler.loader.process import Process
from reconciler.loader.tree import PlainTree
from reconciler.model.library import SharedLibrary
from reconciler.model.loading import Site

if TYPE_CHECKING:
    from collections.abc import Mapping

GLIBC = "/lib64/ld-linux-x86-64.so.2"
PREFIX = "/env"
PYTHON = f"{PREFIX}/bin/python3.12"
STDLIB = f"{PREFIX}/lib/python3.12"
DYNLOAD = f"{STDLIB}/lib-dynload"
PACKAGES = f"{STDLIB}/site-packages"
TAG = "cpython-312-x86_64-linux-gnu"

Files = dict[str, SharedLibrary]


def lib(path: str, *needed: str, **fields: object) -> Files:
    """Return one library under its path; its soname is its name."""
    known = {"soname": posixpath.basename(path), "needed": needed, **fields}
    return {path: SharedLibrary(path=path, **known)}  # type: ignore[arg-type]  # a test's shorthand


def wheel(path: str, *needed: str, **fields: object) -> Files:
    """Return one library of a wheel in site-packages."""
    return lib(f"{PACKAGES}/{path}", *needed, **fields)


def module(path: str, *needed: str, **fields: object) -> Files:
    """Return an extension module of a package in site-packages."""
    return wheel(f"{path}.{TAG}.so", *needed, **fields)


def nvidia(*paths: str) -> Files:
    """Return libraries of NVIDIA's wheels: cublas/libcublas.so.12."""
    files: Files = {}
    for path in paths:
        folder, _, name = path.partition("/")
        files |= wheel(f"nvidia/{folder}/lib/{name}", runpath="$ORIGIN")
    return files


def staged(
    *files: Files,
    versions: Mapping[str, str] | None = None,
    built_for: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
    python: Mapping[str, object] | None = None,
    directories: tuple[str, ...] = (STDLIB, DYNLOAD, PACKAGES),
) -> Stage:
    """Start Python in a world of these files."""
    program = {"soname": None, "interpreter": GLIBC, **(python or {})}
    known = {**lib(PYTHON, **program), **lib(GLIBC), **lib(f"{DYNLOAD}/_ctypes.{TAG}.so")}
    for one in files:
        known |= one
    tree = PlainTree(known)

    def process() -> Process:
        return Process(tree, system.debian(), PYTHON, variables or {})

    site = Site(
        prefix=PREFIX,
        directories=directories,
        python="3.12",
        variables=variables or {},
        versions=versions or {},
        built_for=built_for or {},
    )
    return Stage(process(), tree, site, catalog.load().loadings, again=process)


def started(stage: Stage, framework: str) -> Stage:
    """Start a framework, and return the stage."""
    frameworks.start(stage, framework)
    return stage


def served(stage: Stage, soname: str) -> list[str]:
    """Return the mapped files of a name, without what all paths begin with."""
    paths = [path for path in stage.process.mapped if posixpath.basename(path) == soname]
    return [posixpath.normpath(path).removeprefix(f"{PACKAGES}/") for path in paths]


def opened(stage: Stage) -> list[str]:
    """Return the base names of what was opened, in the order of it."""
    return [posixpath.basename(one.path) for one in stage.outcomes if one.path and one.opened]
