"""Wheels: true ones downloaded once by pip, and small ones built for what is too large to download.

Reference: https://packaging.python.org/en/latest/specifications/binary-distribution-format/.
"""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.model.distribution import normalize_name

from .missing import missing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path


def download(requirement: str, cache: Path) -> Path:
    """Give the wheel of ``name==version``; pip downloads it, as configured, if the cache lacks it."""
    folder = cache / requirement
    if not list(folder.glob("*.whl")):
        _pip_download(requirement, folder=folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


def download_all(requirements: Sequence[str], cache: Path) -> Sequence[Path]:
    """Give the wheels of many requirements, those that the cache lacks by one run of pip."""
    wanted = [r for r in requirements if not list((cache / r).glob("*.whl"))]
    if wanted:
        together = cache / "together"
        _pip_download(*wanted, folder=together)
        by_name = {normalize_name(w.name.partition("-")[0]): w for w in together.glob("*.whl")}
        for requirement in wanted:
            wheel = by_name[normalize_name(requirement.partition("==")[0])]
            (cache / requirement).mkdir(exist_ok=True)
            wheel.rename(cache / requirement / wheel.name)
    return [download(requirement, cache) for requirement in requirements]


def _pip_download(*requirements: str, folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--only-binary=:all:", "--dest", str(folder)]
    done = subprocess.run(
        [*pip, *options, *requirements], capture_output=True, text=True, check=False
    )
    if done.returncode:
        missing(f"pip could not download {requirements}: {done.stderr.strip()[-500:]}")


@dataclass(frozen=True)
class Wheel:
    """A wheel to build."""

    name: str
    version: str
    files: Mapping[str, bytes]
    requires: Sequence[str] = ()
    tag: str = "py3-none-any"


def build_wheel(folder: Path, wheel: Wheel) -> Path:
    """Build a valid wheel, with a true RECORD, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{_escaped(wheel.name)}-{wheel.version}-{wheel.tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**wheel.files, **dist_info(wheel)}.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return path


def dist_info(wheel: Wheel, extra: Mapping[str, bytes] | None = None) -> Mapping[str, bytes]:
    """Write the .dist-info of a wheel, with what an installer adds in ``extra``, and RECORD last."""
    folder = f"{_escaped(wheel.name)}-{wheel.version}.dist-info"
    metadata = ["Metadata-Version: 2.1", f"Name: {wheel.name}", f"Version: {wheel.version}"]
    metadata += [f"Requires-Dist: {requirement}" for requirement in wheel.requires]
    head = ["Wheel-Version: 1.0", "Generator: envfix-lab", "Root-Is-Purelib: true"]
    info = {"METADATA": _text(metadata), "WHEEL": _text([*head, f"Tag: {wheel.tag}"])}
    files = {f"{folder}/{name}": content for name, content in {**info, **(extra or {})}.items()}
    return files | {f"{folder}/RECORD": record({**wheel.files, **files}, f"{folder}/RECORD")}


def record(files: Mapping[str, bytes], own_path: str) -> bytes:
    """Write a RECORD: path, sha256 and size of each file, and its own path without them."""
    rows = [f"{path},{_hash(data)},{len(data)}" for path, data in files.items()]
    return _text([*rows, f"{own_path},,"])


def read_wheel(wheel: Path) -> Mapping[str, bytes]:
    """Read all files of a wheel by their path."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name[-1] != "/"}


def pip_install(prefix: Path, *wheels: Path, **variables: str) -> None:
    """Run the environment's own pip on these wheels, with nothing of the user's configuration."""
    pip = [str(prefix / "bin" / "python"), "-m", "pip", "install", "--no-deps", "--no-index"]
    done = subprocess.run(
        [*pip, *map(str, wheels)],
        env=clean_variables(**variables),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        msg = f"pip in {prefix} failed: {done.stderr}"
        raise RuntimeError(msg)


def clean_variables(**more: str) -> Mapping[str, str]:
    """Give the variables of a user who configured nothing: not Python, pip, conda, or CUDA."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    # a home in which nothing can be: no ~/.local, no ~/.condarc, and nobody creates them
    nobody = {"HOME": os.devnull, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1"}
    quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    return kept | nobody | quiet | more


def _escaped(name: str) -> str:
    return name.replace("-", "_")


def _hash(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=")
    return f"sha256={digest.decode()}"


def _text(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
