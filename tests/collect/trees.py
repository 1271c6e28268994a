"""Trees that a collector looks at, and the looking itself."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from reconciler import collect
from reconciler.collect.ground import EvidenceWanted, Ground
from reconciler.collect.prefixes import kind_of
from reconciler.model.os_name import from_os
from reconciler.model.snapshot import Fact, Snapshot, Target

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SITE = "lib/python3.11/site-packages"
PYTHON_RECORD = {"name": "python", "version": "3.11.7", "build": "h955ad1f_0", "subdir": "linux-64"}
NOTHING_WANTED = EvidenceWanted()


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files into a folder, by their paths."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def conda_prefix(folder: Path, *records: Mapping[str, Any]) -> Path:
    """Write a conda prefix of some records, and an empty site-packages of Python 3.11."""
    (folder / SITE).mkdir(parents=True, exist_ok=True)
    (folder / "conda-meta").mkdir(exist_ok=True)
    known = {"version": "1.0", "build": "0", "subdir": "linux-64"}
    written = (known | dict(record) for record in records)
    return write(folder, {f"conda-meta/{r['name']}.json": json.dumps(r) for r in written})


def dist_info(folder: Path, name: str, version: str, **files: str | bytes) -> Path:
    """Write a distribution's dist-info into the site-packages of a prefix."""
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nWhat it is.\n"
    directory = f"{SITE}/{name}-{version}.dist-info"
    contents = {"METADATA": metadata, **files}
    return write(folder, {f"{directory}/{file}": text for file, text in contents.items()})


def venv(folder: Path, version: str = "3.11.7") -> Path:
    """Write a virtual environment without packages."""
    (folder / SITE).mkdir(parents=True)
    return write(folder, {"pyvenv.cfg": f"home = /usr/bin\nversion = {version}\n"})


def look(
    prefix: Path | None,
    *facts: Fact,
    project: Path | str = "/project",
    environ: Mapping[str, str] | None = None,
    wanted: EvidenceWanted = NOTHING_WANTED,
    platform: str = "linux-64",
) -> Snapshot:
    """Collect some facts (by default, all that run nothing) of a prefix and a project."""
    target = Target(
        project=from_os(os.fspath(project)),
        prefix=from_os(os.fspath(prefix)) if prefix else None,
        kind=kind_of(os.fspath(prefix)) if prefix else "none",
        platform=platform,
    )
    ground = Ground(target=target, directory=target.project, environ=environ or {}, wanted=wanted)
    # nothing of an environment is run unless a test asks for it
    asked = facts or tuple(fact for fact in Fact if fact is not Fact.PIP_VIEW)
    return collect.collect(ground, asked, envfix="0")


def reasons(snapshot: Snapshot) -> Mapping[str | None, str]:
    """Return the reason of each gap, by its item."""
    return {gap.item: gap.reason for gap in snapshot.gaps}
