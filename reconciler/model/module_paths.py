"""Where a module of an environment lies, by the lists of its packages' files; nothing is imported."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reconciler.model.activation import ModulePath
    from reconciler.model.distribution import Distribution
    from reconciler.model.prefix import PrefixRecord
    from reconciler.model.snapshot import Snapshot


def module_paths(snapshot: Snapshot) -> Callable[[ModulePath], str | None]:
    """Return what tells the path that a script asks the environment's Python for, or None."""
    return partial(_path, snapshot)


def _path(snapshot: Snapshot, asked: ModulePath) -> str | None:
    prefix, python = snapshot.target.prefix, snapshot.python
    if prefix is None or python is None or not python.site_packages:
        return None
    if asked.asked == "site-packages":
        return _absolute(prefix, python.site_packages[0])
    for site_packages in python.site_packages:
        found = _in_site_packages(snapshot, site_packages, asked)
        if found:
            return _absolute(prefix, f"{site_packages}/{found}")
    return None


def _absolute(prefix: str, path: str) -> str:
    return path if path.startswith("/") else f"{prefix}/{path}"


def _in_site_packages(snapshot: Snapshot, site_packages: str, asked: ModulePath) -> str | None:
    folder = asked.module.replace(".", "/")
    is_named = partial(_has, snapshot.distributions, snapshot.records, site_packages)
    is_package = is_named(f"{folder}/__init__.py")
    if asked.asked == "__path__":
        return folder if is_package or is_named(f"{folder}/") else None
    # A folder without __init__.py is a package too, whose __file__ is None.
    names = (f"{folder}/__init__.py",) if is_package else (f"{folder}.py",)
    return next(filter(is_named, names), None)


def _has(
    distributions: Iterable[Distribution],
    records: Iterable[PrefixRecord],
    site_packages: str,
    path: str,
) -> bool:
    """Tell whether a package has a file, or files in a folder whose path ends in a slash."""
    end = "" if path.endswith("/") else ","
    own = (d for d in distributions if d.location == site_packages)
    if any(f"\n{path}{end}" in f"\n{each.record or ''}" for each in own):
        return True
    whole = f"{site_packages}/{path}"
    if not end:
        return any(file.startswith(whole) for record in records for file in record.files)
    return any(whole in record.files for record in records)
