"""Which build of each package a release of Python gets: the recorded one, or else a derived one.

conda-forge builds what is compiled once for each minor version of Python, and a lock file shows the
builds for one of them. What no lock file shows is derived from the nearest Python's build: every
name of that Python is replaced, and all else, hashes too, is left as it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .records import Record

#: The packages whose version is that of Python.
PYTHONS = ("python", "python_abi")


def builds_for(release: Sequence[int], records: Iterable[Record]) -> Sequence[Record]:
    """Give one build of each package that is built for one Python, and all other packages."""
    families: dict[str, list[Record]] = {}
    for record in records:
        families.setdefault(_family(record), []).append(record)
    return [_build_for(release, family) for family in families.values()]


def _family(record: Record) -> str:
    """Name what the builds for all Pythons have in common; cuda129_mkl_py311_... is not cpu_mkl_."""
    name, version, build = record.nvb
    variant, py3, _ = build.partition("py3")
    if name in PYTHONS:
        return name
    return f"{name}-{version}-{variant}" if py3 else record.package


def _built_for(record: Record) -> Sequence[int]:
    """Give the Python of a build as far as the build tells it: 3.11.7, 3.11 or nothing."""
    name, version, build = record.nvb
    if name in PYTHONS:
        return tuple(map(int, version.split(".")))
    found = re.search(r"py3(\d\d)", build)
    return (3, int(found[1])) if found else ()


def _build_for(release: Sequence[int], family: Iterable[Record]) -> Record:
    def distance(record: Record) -> Sequence[int]:
        return [abs(ours - its) for ours, its in zip(release, _built_for(record), strict=False)]

    nearest = min(family, key=distance)
    built_for = _built_for(nearest)
    wanted = tuple(release[: len(built_for)])
    return nearest if wanted == built_for else _derived(nearest, wanted)


def _derived(record: Record, wanted: Sequence[int]) -> Record:
    subdir = record.package.partition("/")[0]
    name, version, build = record.nvb
    if name in PYTHONS:
        version = ".".join(map(str, wanted))
    names = _names(_built_for(record)[1], wanted[1])
    return msgspec.structs.replace(
        record,
        package=f"{subdir}/{name}-{version}-{_replaced(build, names)}",
        depends=tuple(_replaced(spec, names) for spec in record.depends),
        constrains=tuple(_replaced(spec, names) for spec in record.constrains),
        source=f"derived from {record.package}; {record.source}",
    )


def _names(minor: int, wanted: int) -> Mapping[str, str]:
    """Give the names of one minor version as patterns, with those of the wanted one."""
    return {
        rf"py3{minor}": f"py3{wanted}",
        rf"cp3{minor}": f"cp3{wanted}",
        rf"^python >=3\.{minor}\b.*": f"python >=3.{wanted},<3.{wanted + 1}.0a0",
        rf"^(python|python_abi) 3\.{minor}\.": rf"\1 3.{wanted}.",
    }


def _replaced(text: str, names: Mapping[str, str]) -> str:
    for pattern, name in names.items():
        text = re.sub(pattern, name, text)
    return text
