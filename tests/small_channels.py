"""Small channels of real records, written as repodata alone: solving wants no packages."""

from __future__ import annotations

import tomllib
from itertools import groupby
from pathlib import Path

from lab.channel import write_repodata

TABLE = Path(__file__).with_name("solve") / "records.toml"
SUBDIRS = ("linux-64", "linux-aarch64", "noarch", "win-64")


def write_channels(folder: Path) -> str:
    """Write every channel of the table, and return the channel_alias under which they lie."""
    rows = tomllib.loads(TABLE.read_text("utf-8"))["record"]
    names = {_name(row) for row in rows}
    for channel, mine in groupby(sorted(rows, key=_channel), key=_channel):
        entries = [_entry(row, names) for row in mine]
        for subdir in SUBDIRS:
            place = folder / channel / subdir
            place.mkdir(parents=True, exist_ok=True)
            write_repodata(
                place, {f"{key}.conda": entry for s, key, entry in entries if s == subdir}
            )
    return folder.as_uri()


def _channel(row):
    return row["package"].partition("/")[0]


def _name(row):
    return row["package"].rpartition("/")[2].rsplit("-", 2)[0]


def _entry(row, names):
    _, subdir, key = row["package"].split("/")
    name, version, build = key.rsplit("-", 2)
    kept = [d for d in row["depends"] if d.split(" ")[0] in names or d.startswith("__")]
    entry = {"name": name, "version": version, "build": build, "subdir": subdir, "depends": kept}
    optional = {key: row[key] for key in ("build_number", "constrains", "noarch") if key in row}
    # A package must have a hash; nothing is ever fetched.
    return subdir, key, {**entry, **optional, "sha256": "0" * 64, "size": 1}
