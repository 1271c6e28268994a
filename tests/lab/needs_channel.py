"""A channel of what envfix itself needs: true wheels, repacked as conda-forge has them."""

from __future__ import annotations

import hashlib
from email import message_from_bytes
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .channel import SUBDIRS, write_repodata
from .conda_package import write_package
from .packages import in_site_packages, noarch
from .running import NODOT, VERSION
from .wheels import download_all, read_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from .conda_package import File

#: On PyPI. What builds envfix, and what it needs to run, each with what these need.
WHEELS = (
    *("click", "jinja2", "markupsafe", "msgspec", "packaging", "pathspec", "pip", "pip-api"),
    *("hatchling", "platformdirs", "pluggy", "ruamel.yaml", "tomlkit", "trove-classifiers"),
)
#: conda-forge spells them otherwise than the normal name of PyPI.
CONDA_NAMES = {"ruamel-yaml": "ruamel.yaml"}


def write_needs(folder: Path, downloads: Path) -> Path:
    """Write the channel, and return its folder."""
    entries: dict[str, dict[str, object]] = {subdir: {} for subdir in SUBDIRS}
    for wheel in download_all(WHEELS, downloads):
        index, files = _package(read_wheel(wheel))
        path = write_package(folder, index, files)
        data = path.read_bytes()
        entry = {**index, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        entries[path.parent.name][path.name] = entry
    for subdir, packages in entries.items():
        (folder / subdir).mkdir(parents=True, exist_ok=True)
        write_repodata(folder / subdir, packages)
    return folder


def _package(wheel: Mapping[str, bytes]) -> tuple[Mapping[str, object], Mapping[str, File]]:
    (said,) = (p for p in wheel if p.endswith(".dist-info/METADATA") and p.count("/") == 1)
    metadata = message_from_bytes(wheel[said])
    pure = b"Root-Is-Purelib: true" in wheel[said.replace("METADATA", "WHEEL")]
    index: dict[str, object] = {
        "name": _conda_name(metadata["Name"]),
        "version": metadata["Version"],
        "build": "pyhd8ed1ab_0" if pure else f"py{NODOT}h0_0",
        "build_number": 0,
        "subdir": "noarch" if pure else "linux-64",
        "depends": [f"python {VERSION}.*", *_needed(metadata.get_all("Requires-Dist", ()))],
    }
    if pure:
        return {**index, "noarch": "python"}, noarch(wheel)
    return index, in_site_packages(wheel)


def _needed(lines: Sequence[str]) -> Sequence[str]:
    needed = [Requirement(line) for line in lines]
    here = [r for r in needed if r.marker is None or r.marker.evaluate({"extra": ""})]
    return [_conda_name(requirement.name) for requirement in here]


def _conda_name(name: str) -> str:
    normal = canonicalize_name(name)
    return CONDA_NAMES.get(normal, normal)
