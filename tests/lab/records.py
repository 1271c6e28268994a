"""The tables of the channel's packages, as values."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from .builds import builds_for
from .running import RELEASE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: In milliseconds; one for all, as what a solver may go by is the version and the build number.
TIMESTAMP = 1_700_000_000_000
TABLES = tuple(Path(__file__).with_name(name) for name in ("pythons.toml", "records.toml"))


class Library(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stub of a shared library."""

    soname: str
    needed: tuple[str, ...] = ()
    #: The name of the real file, where it is not the soname; the soname is a link to it.
    file: str | None = None


class Torch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stand-in of torch: what its version.py says."""

    version: str
    cuda: str | None = None


class PythonStandIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Python package that has its metadata, and of its code the import name."""

    distribution: str
    module: str
    requires: tuple[str, ...] = ()
    #: An extension module and its DT_NEEDED.
    extension: str | None = None
    needed: tuple[str, ...] = ()


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One package of conda-forge, and what stands in for its content."""

    #: ``subdir/name-version-build``.
    package: str
    build_number: int
    depends: tuple[str, ...]
    #: Where the fields above were read.
    source: str
    constrains: tuple[str, ...] = ()
    noarch: Literal["python", "generic"] | None = None
    libraries: tuple[Library, ...] = ()
    #: Whether the libraries lie in targets/x86_64-linux/lib, with links to them in lib.
    targets: bool = False
    torch: Torch | None = None
    python: PythonStandIn | None = None
    #: The true wheel to repack, as ``name==version``.
    wheel: str | None = None
    #: The depends that name nothing of the tables; why, the head of records.toml says.
    dropped: tuple[str, ...] = ()

    @property
    def nvb(self) -> tuple[str, str, str]:
        """Name, version and build."""
        name, version, build = self.package.partition("/")[2].rsplit("-", 2)
        return name, version, build

    @property
    def index(self) -> Mapping[str, object]:
        """What info/index.json says."""
        name, version, build = self.nvb
        index: dict[str, object] = {"name": name, "version": version, "build": build}
        index |= {
            "build_number": self.build_number,
            "timestamp": TIMESTAMP,
            "subdir": self.package.partition("/")[0],
        }
        index |= {"depends": list(self.depends), "constrains": list(self.constrains)}
        return index | ({"noarch": self.noarch} if self.noarch else {})


def load_records(release: Sequence[int] = RELEASE) -> Sequence[Record]:
    """Give the packages for a Python; each record keeps the depends on what the tables have."""
    records = builds_for(release, read_tables())
    names = frozenset(record.nvb[0] for record in records)
    return [_reduced(record, names) for record in records]


def read_tables() -> Sequence[Record]:
    """Read every record as it was copied, whichever Python it is for."""
    rows = [row for table in TABLES for row in tomllib.loads(table.read_text("utf-8"))["record"]]
    return msgspec.convert(rows, tuple[Record, ...])


def _reduced(record: Record, names: frozenset[str]) -> Record:
    kept = tuple(spec for spec in record.depends if _is_here(spec, names))
    dropped = tuple(spec for spec in record.depends if spec not in kept)
    return msgspec.structs.replace(record, depends=kept, dropped=dropped)


def _is_here(spec: str, names: frozenset[str]) -> bool:
    name = spec.partition(" ")[0]
    return name in names or name.startswith("__")
