"""Which environment is looked at, and the environments that a name may mean.

The order is that of docs: an option, VIRTUAL_ENV, an active conda environment other than base, the
project's own, base, none. conda's files and variables tell; conda itself is asked only for a name that they do
not know, and only where it can be imported.
"""

from __future__ import annotations

import os
import platform
import sys
from itertools import chain
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from reconciler import manifests
from reconciler.collect import conda_names, files, manifest_files
from reconciler.errors import TargetNotFoundError
from reconciler.model.manifest import ManifestError
from reconciler.model.os_name import from_os, to_os
from reconciler.model.snapshot import Choice, Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Environments that tools keep inside a project: venv's and uv's usual name, pixi's default.
OWN = (".venv", ".pixi/envs/default")
#: Where the conda that runs this looks for names: its own prefix, then folders of environments.
OF_CONDA = "ENVFIX_CONDA_ENVS"


class _Candidate(Struct, frozen=True):
    prefix: str
    because: str
    #: Whether the project has it or names it, rather than the shell.
    is_projects: bool = False


def choose(project: str, choice: Choice, environ: Mapping[str, str]) -> Target:
    """Return the target; raises TargetNotFoundError for an option that names no environment."""
    if not os.path.isdir(project):
        raise TargetNotFoundError(
            "not a folder", where=project, next_step="give the project's folder as PROJECT"
        )
    project = os.path.realpath(project)
    named = None if choice.no_env else _named(choice, environ)
    usable, notes = _usable(project, environ) if named is None and not choice.no_env else ([], [])
    taken = named or next(iter(usable), None)
    own = next((candidate for candidate in usable if candidate.is_projects), None)
    if own and taken and own.prefix != taken.prefix:
        notes.append(f"the project's own environment is another: {own.prefix} ({own.because})")
    return Target(
        project=from_os(project),
        prefix=from_os(taken.prefix) if taken else None,
        kind=kind_of(taken.prefix) if taken else "none",
        platform=_this_platform(),
        because=from_os(_because(choice, taken)),
        notes=tuple(from_os(note) for note in notes),
    )


def kind_of(prefix: str) -> Literal["conda", "venv", "none"]:
    """Return what a folder is: a conda prefix, a virtual environment, or neither."""
    if os.path.isdir(os.path.join(prefix, "conda-meta")):
        return "conda"
    return "venv" if os.path.isfile(os.path.join(prefix, "pyvenv.cfg")) else "none"


def environment_above(path: str) -> str | None:
    """Return the environment that a path lies in, its links resolved; None where in none."""
    folder = os.path.realpath(to_os(path))
    while kind_of(folder) == "none":
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
    return from_os(folder)


def _because(choice: Choice, taken: _Candidate | None) -> str:
    if taken:
        return taken.because
    return "--no-env" if choice.no_env else "no environment is active, and the project has none"


def _named(choice: Choice, environ: Mapping[str, str]) -> _Candidate | None:
    if choice.prefix is not None:
        if kind_of(choice.prefix) == "none":
            raise TargetNotFoundError(
                "neither a conda prefix (no conda-meta) nor a virtual environment (no pyvenv.cfg)",
                where=choice.prefix,
                next_step="give the environment's own folder to --prefix",
            )
        return _Candidate(os.path.realpath(choice.prefix), "--prefix")
    if choice.name is not None:
        prefix = find(choice.name, environ)
        if prefix is None:
            raise TargetNotFoundError(
                "no conda environment of that name is known",
                where=choice.name,
                next_step="`conda env list` shows them; or give the folder to --prefix",
            )
        return _Candidate(prefix, f"--name {choice.name}")
    return None


def _usable(project: str, environ: Mapping[str, str]) -> tuple[list[_Candidate], list[str]]:
    """Return the environments that are there, in order, and what to say of those that are not."""
    usable, notes = [], []
    for candidate in _candidates(project, environ):
        if candidate.prefix and kind_of(candidate.prefix) != "none":
            real = os.path.realpath(candidate.prefix)
            usable.append(_Candidate(real, candidate.because, candidate.is_projects))
        elif not candidate.prefix:
            notes.append(f"{candidate.because}, and no environment of that name is known here")
        elif candidate.prefix not in (os.path.join(project, own) for own in OWN):
            notes.append(f"{candidate.because}, and {candidate.prefix} is no environment")
    return usable, notes


def _candidates(project: str, environ: Mapping[str, str]) -> Iterator[_Candidate]:
    """Yield them in the order of the docs; "" is the prefix of a name that nothing knows."""
    if venv := environ.get("VIRTUAL_ENV"):
        yield _Candidate(venv, "VIRTUAL_ENV names it")
    active = environ.get("CONDA_PREFIX")
    is_base = active is not None and _is_base(active, environ)
    if active and not is_base:
        yield _Candidate(active, "it is the active conda environment")
    for own in OWN:
        yield _Candidate(os.path.join(project, own), f"the project has {own}", is_projects=True)
    for path, names in _declared_environments(project):
        because = f"the project's {path} names {names[0]!r}"
        # conda goes by the name, and ignores the prefix that an export has written.
        found = (name if os.path.isabs(name) else find(name, environ) for name in names)
        there = (prefix for prefix in found if prefix and kind_of(prefix) != "none")
        yield _Candidate(next(there, ""), because, is_projects=True)
    if active and is_base:
        yield _Candidate(active, "base is the active conda environment")


def _declared_environments(project: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for path in manifests.OF_ENVIRONMENTS:
        try:
            text = manifest_files.read_text(os.path.join(project, path))
            named = manifests.read("environment_yml", path, text).environments
        except (files.UnreadableError, ManifestError):
            # The collector of manifests says what is wrong with it.
            continue
        if named:
            yield path, tuple(to_os(name) for name in named)


def find(name: str, environ: Mapping[str, str]) -> str | None:
    """Return the conda environment of that name, as conda's own files know it, or else conda."""
    if told := environ.get(OF_CONDA):
        root, *folders = told.split(os.pathsep)
        is_root = name in {"base", "root"}
        there = (root,) if is_root else (os.path.join(folder, name) for folder in folders)
        return next((path for path in there if kind_of(path) == "conda"), None)
    if name in {"base", "root"}:
        base = next((root for root in _roots(environ) if kind_of(root) == "conda"), None)
        return base or _asked(name)
    known = (os.path.join(folder, name) for folder in _envs_dirs(environ))
    listed = (path for path in _listed(environ) if os.path.basename(path) == name)
    found = next((path for path in chain(known, listed) if kind_of(path) == "conda"), None)
    # To import conda takes longer than a whole scan.
    return found or _asked(name)


def known_names(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the conda environments that conda's own files know."""
    known = (os.path.join(d, name) for d in _envs_dirs(environ) for name in _names(d))
    prefixes = (*known, *_listed(environ))
    names = {os.path.basename(path) for path in prefixes if kind_of(path) == "conda"}
    is_base_there = any(kind_of(root) == "conda" for root in _roots(environ))
    return (*(["base"] if is_base_there else []), *sorted(names))


def _names(folder: str) -> tuple[str, ...]:
    try:
        return tuple(map(to_os, files.names(folder)))
    except files.UnreadableError:
        return ()


def _asked(name: str) -> str | None:
    names = conda_names.ask()
    if names is None:
        return None
    if name in {"base", "root"}:
        return names.root
    known = (os.path.join(folder, name) for folder in names.envs_dirs)
    return next((path for path in known if kind_of(path) == "conda"), None)


def _roots(environ: Mapping[str, str]) -> Iterator[str]:
    if root := environ.get("MAMBA_ROOT_PREFIX"):
        yield root
    if conda := environ.get("CONDA_EXE"):
        yield os.path.dirname(os.path.dirname(conda))
    if active := environ.get("CONDA_PREFIX"):
        above = os.path.dirname(active)
        if _is_base(active, environ):
            yield active
        elif os.path.basename(above) == "envs":
            yield os.path.dirname(above)


def _envs_dirs(environ: Mapping[str, str]) -> Iterator[str]:
    for variable in ("CONDA_ENVS_PATH", "CONDA_ENVS_DIRS"):
        yield from filter(None, environ.get(variable, "").split(os.pathsep))
    root = next(_roots(environ), "")
    yield from conda_names.configured({"CONDA_ROOT": root, **environ})
    yield from (os.path.join(root, "envs") for root in _roots(environ))
    yield os.path.join(_home(environ), ".conda", "envs")


def _listed(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield what ``~/.conda/environments.txt`` lists: every prefix that conda has made."""
    path = os.path.join(_home(environ), ".conda", "environments.txt")
    try:
        raw = files.read(path, limit=files.MEGABYTE)
    except files.UnreadableError:
        return
    yield from filter(None, map(str.strip, os.fsdecode(raw).splitlines()))


def _home(environ: Mapping[str, str]) -> str:
    return environ.get("HOME") or environ.get("USERPROFILE") or os.path.expanduser("~")


def _is_base(prefix: str, environ: Mapping[str, str]) -> bool:
    # condabin is what only the installation of conda itself has.
    return environ.get("CONDA_DEFAULT_ENV") == "base" or os.path.isdir(
        os.path.join(prefix, "condabin")
    )


def _this_platform() -> str:
    system = {"linux": "linux", "darwin": "osx", "win32": "win"}.get(sys.platform, sys.platform)
    machine = platform.machine().lower()
    arm = "arm64" if system in {"osx", "win"} else "aarch64"
    return f"{system}-{arm if machine in {'arm64', 'aarch64'} else '64'}"
