"""The lab's channel: built once a session.

Its repodata.json is written here, not by py-rattler's ``index_fs``: 0.28 rewrites ``name 12.4.127``
to ``name ==12.4.127``, and the records in conda-meta would no longer be conda-forge's.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .conda_package import write_package
from .packages import content, entry_points
from .records import load_records

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SUBDIRS = ("linux-64", "noarch")


@dataclass(frozen=True)
class Channel:
    """A channel on disk, and the package cache of its installs."""

    path: Path
    package_cache: Path


def build_channel(folder: Path, wheels: Path) -> Channel:
    """Write all packages and their repodata; ``wheels`` is where downloads are kept."""
    channel = Channel(folder / "conda-forge", folder / "pkgs")
    entries: dict[str, dict[str, object]] = {subdir: {} for subdir in SUBDIRS}
    for record in load_records():
        files = content(record, wheels)
        path = write_package(channel.path, record.index, files, entry_points(record))
        entries[path.parent.name][path.name] = _entry(record.index, path)
    for subdir, packages in entries.items():
        write_repodata(channel.path / subdir, packages)
    return channel


def _entry(index: Mapping[str, object], path: Path) -> Mapping[str, object]:
    data = path.read_bytes()
    return {**index, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}


def write_repodata(folder: Path, packages: Mapping[str, object]) -> None:
    """Write the repodata.json of a subdir: its packages by file name."""
    repodata = {"info": {"subdir": folder.name}, "packages": {}, "packages.conda": packages}
    (folder / "repodata.json").write_text(json.dumps({**repodata, "repodata_version": 1}))
