"""The shared research data, for the checkouts that have it beside them."""

from __future__ import annotations

from functools import cache
from itertools import chain
from pathlib import Path

import msgspec
import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


class RepodataRecord(msgspec.Struct, frozen=True):
    """What one record of a channel says of itself and of others."""

    name: str
    version: str
    build: str
    build_number: int
    subdir: str = "noarch"
    depends: tuple[str, ...] = ()
    constrains: tuple[str, ...] = ()


class Repodata(msgspec.Struct, frozen=True):
    """One repodata.json."""

    packages: dict[str, RepodataRecord] = {}
    packages_conda: dict[str, RepodataRecord] = msgspec.field(name="packages.conda", default={})


def shared(*parts: str) -> Path:
    """Find a path of the shared research data, or skip the test that wants it."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{path} is absent: the shared research data is not beside this checkout")
    return path


def repodata_records() -> tuple[RepodataRecord, ...]:
    """Read every record of the real channels: those about CUDA, and their closure."""
    return _read_records(shared("facts", "metadata"))


@cache
def _read_records(metadata: Path) -> tuple[RepodataRecord, ...]:
    paths = chain.from_iterable(
        (metadata / kind).rglob("repodata.json") for kind in ("cuda", "full")
    )
    channels = [msgspec.json.decode(path.read_bytes(), type=Repodata) for path in sorted(paths)]
    return tuple(
        record
        for channel in channels
        for record in chain(channel.packages.values(), channel.packages_conda.values())
    )
