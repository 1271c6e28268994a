"""The sys.path of the environment's Python, as site.py would make it; nothing is executed."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.collect import files, project_source
from reconciler.collect.ground import Found
from reconciler.collect.python import venv_settings
from reconciler.model.host import ImportPath
from reconciler.model.os_name import from_os, to_os
from reconciler.model.prefix import Python
from reconciler.model.snapshot import Fact, Gap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.collect.ground import Ground
    from reconciler.model.snapshot import Snapshot

#: The folder that is named by the version: python3.11, python3.13t, pypy3.10.
_FOLDER = re.compile(r"lib/([^/]+)/site-packages")
LIMIT = files.MEGABYTE
#: A .pth file is not read beyond this line: each of them is a look at the disk.
MAX_LINES = 2000
_EXECUTED = ("import ", "import\t")
#: The endings that every Python imports; that of cpython-38 is for one alone.
_MODULES = (".py", ".so", ".abi3.so", ".pyd")
_ZERO = re.compile(r"\s*[+-]?0+")


class _Site(Struct, frozen=True):
    """What decides which folders site.py adds."""

    prefix: str
    python: Python
    #: ``python3.11``; "" on Windows, where no folder is named by the version.
    folder: str
    #: A pyvenv.cfg is there, which has its own site-packages come first.
    is_venv: bool
    #: That pyvenv.cfg shuts out the user site and the system's site-packages.
    is_closed: bool


def collect(ground: Ground, snapshot: Snapshot) -> Found:
    """Follow site.py: PYTHONPATH, a venv's own, the user site, site-packages; each with its .pth."""
    prefix, python = snapshot.target.prefix, snapshot.python
    if prefix is None:
        reason = "no environment to look at"
        return Found(value=(), gaps=(Gap(fact=Fact.IMPORT_PATHS, reason=reason),))
    if python is None:
        return Found(value=())
    gaps: list[Gap] = []
    unique: dict[str, ImportPath] = {}
    for entry in _entries(ground, snapshot, _site(prefix, python), gaps):
        unique.setdefault(entry.path, entry)
    found = (_with_modules(entry, prefix, ground) for entry in unique.values())
    first = [] if ground.environ.get("PYTHONSAFEPATH") else [_working_directory(ground, prefix)]
    return Found(value=(*first, *found), gaps=tuple(gaps))


def _site(prefix: str, python: Python) -> _Site:
    match = _FOLDER.fullmatch(python.site_packages[0])
    # site.py heeds a pyvenv.cfg in any prefix, a conda environment's too.
    settings = venv_settings(prefix)
    system = (settings or {}).get("include-system-site-packages", "true").lower() == "true"
    return _Site(prefix, python, match[1] if match else "", settings is not None, not system)


def _entries(
    ground: Ground, snapshot: Snapshot, site: _Site, gaps: list[Gap]
) -> Iterator[ImportPath]:
    for entry in snapshot.pythonpath:
        path = os.path.normpath(entry.path)
        yield ImportPath(path=_inside(path, site.prefix), origin="PYTHONPATH")
    own = [f"{site.prefix}/{location}" for location in site.python.site_packages]
    if site.is_venv:
        yield from _site_folders(own, site, gaps)
    if not site.is_closed:
        if user := _user_site(ground, snapshot, site, gaps):
            yield from _with_pth(user, "user site", site.prefix, gaps)
        yield from _site_folders([*own, *_system_folders(site)], site, gaps)


def _site_folders(folders: list[str], site: _Site, gaps: list[Gap]) -> Iterator[ImportPath]:
    for folder in folders:
        if os.path.isdir(to_os(folder)):
            yield from _with_pth(folder, "site-packages", site.prefix, gaps)


def _user_site(ground: Ground, snapshot: Snapshot, site: _Site, gaps: list[Gap]) -> str | None:
    """Return the folder that PEP 370 adds; None where it is not there, or is switched off."""
    if _is_switched_off(ground, snapshot):
        return None
    folder = _user_folder(ground, snapshot, site, gaps)
    return folder if folder and os.path.isdir(to_os(folder)) else None


def _is_switched_off(ground: Ground, snapshot: Snapshot) -> bool:
    # Activation exports it: the environment that is looked at need not be the active one.
    exported = snapshot.state.variables if snapshot.state else ()
    values = [v.value for v in exported if v.name == "PYTHONNOUSERSITE"]
    # conda writes ***unset*** over what was unset, and Python takes 0 for no flag (initconfig.c).
    return any(
        value not in {"", "***unset***"} and not _ZERO.fullmatch(value)
        for value in (*values, ground.environ.get("PYTHONNOUSERSITE", ""))
    )


def _user_folder(ground: Ground, snapshot: Snapshot, site: _Site, gaps: list[Gap]) -> str | None:
    base, home = ground.environ.get("PYTHONUSERBASE"), ground.environ.get("HOME")
    if snapshot.target.platform.startswith("win"):
        roaming = ground.environ.get("APPDATA")
        base = base or (f"{roaming}/Python" if roaming else None)
        nodot = site.python.minor.replace(".", "")
        return f"{from_os(base)}/Python{nodot}/site-packages" if base else None
    if not base and not home:
        reason = "HOME is not set, so where ~/.local lies is not known"
        gaps.append(Gap(fact=Fact.IMPORT_PATHS, item="user site", reason=reason))
        return None
    return f"{from_os(base or f'{home}/.local')}/lib/{site.folder}/site-packages"


def _system_folders(site: _Site) -> list[str]:
    """Return the site-packages of the Python that a venv was made of, if it lets them in."""
    home = site.python.home
    if not site.is_venv or home is None:
        return []
    base = home.rstrip("/").removesuffix("/bin") or "/"
    lib = f"{base}/lib"
    # Debian's site.py has its own folders, Fedora's a lib64 beside lib.
    debian = [f"{base}/local/lib/{site.folder}/dist-packages", f"{lib}/python3/dist-packages"]
    lib64 = f"{base}/lib64/{site.folder}/site-packages"
    lib64_alone = os.path.isdir(to_os(f"{base}/lib64/{site.folder}/lib-dynload")) and (
        os.path.realpath(to_os(f"{base}/lib64")) != os.path.realpath(to_os(lib))
    )
    usual = [*([lib64] if lib64_alone else []), f"{lib}/{site.folder}/site-packages"]
    return [*usual, *debian] if site.folder else [f"{base}/Lib/site-packages"]


def _with_pth(folder: str, origin: str, prefix: str, gaps: list[Gap]) -> Iterator[ImportPath]:
    """Yield a site folder, and what its .pth files add (site.addsitedir)."""
    path = os.path.normpath(folder)
    added: list[ImportPath] = []
    runs: list[str] = []
    for name in _pth_names(path, prefix, gaps):
        via = _inside(f"{path}/{name}", prefix)
        try:
            lines = _lines(f"{path}/{name}")
        except files.UnreadableError as error:
            gaps.append(Gap(fact=Fact.IMPORT_PATHS, item=via, reason=str(error)))
            continue
        if any(line.startswith(_EXECUTED) for line in lines):
            runs.append(name)
        added += [
            ImportPath(path=_inside(found, prefix), origin=".pth", via=via)
            for found in _added(lines, path)
        ]
    entry = ImportPath(path=_inside(path, prefix), origin="site-packages", runs=tuple(runs))
    yield replace(entry, origin=origin)
    yield from added


def _pth_names(folder: str, prefix: str, gaps: list[Gap]) -> list[str]:
    try:
        names = files.names(folder)
    except files.UnreadableError as error:
        item = _inside(folder, prefix)
        gaps.append(Gap(fact=Fact.IMPORT_PATHS, item=item, reason=str(error)))
        return []
    # From 3.11.8 and 3.12.2 on, site.py passes over hidden files (python/cpython#113659).
    return [name for name in names if name.endswith(".pth") and not name.startswith(".")]


def _lines(path: str) -> list[str]:
    raw = files.read(path, limit=LIMIT).removeprefix(b"\xef\xbb\xbf")
    text = from_os(raw.decode("utf-8", "surrogateescape"))
    # str.splitlines would split at form feeds as well.
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:MAX_LINES]


def _added(lines: list[str], folder: str) -> Iterator[str]:
    for line in lines:
        if not line.strip() or line.startswith(("#", *_EXECUTED)) or "\0" in line:
            continue
        path = os.path.normpath(os.path.join(folder, line.rstrip()))
        if os.path.exists(to_os(path)):
            yield path


def _working_directory(ground: Ground, prefix: str) -> ImportPath:
    project = ground.target.project
    entry = ImportPath(path=_inside(project, prefix), origin="working directory")
    entry = replace(entry, modules=_modules(project, ground.wanted.imports))
    return replace(entry, source_of=project_source.name(project)) if entry.modules else entry


def _with_modules(entry: ImportPath, prefix: str, ground: Ground) -> ImportPath:
    if not entry.path.startswith("/"):
        return entry
    modules = _modules(entry.path, ground.wanted.imports)
    return replace(entry, modules=modules) if modules else entry


def _modules(folder: str, wanted: frozenset[str]) -> tuple[str, ...]:
    """Return the modules and regular packages in a folder that answer a wanted import."""
    try:
        names = set(files.names(folder))
    except files.UnreadableError:
        return ()
    packages = (f"{name}/__init__.py" for name in sorted(names & wanted))
    modules = (f"{name}{ending}" for name in sorted(wanted) for ending in _MODULES)
    # Python takes a folder without __init__.py only where nothing else answers.
    return (
        *(path for path in packages if os.path.isfile(to_os(f"{folder}/{path}"))),
        *(path for path in modules if path in names),
    )


def _inside(path: str, prefix: str) -> str:
    """Return a path as a Snapshot stores it: relative to the prefix where inside it."""
    if path != prefix and not path.startswith(f"{prefix}/"):
        # The target's prefix has its links resolved; a variable may name it through one.
        real = from_os(os.path.realpath(to_os(path)))
        path = real if real == prefix or real.startswith(f"{prefix}/") else path
    return "." if path == prefix else path.removeprefix(f"{prefix}/")
