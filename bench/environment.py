"""Generate a big environment to measure with: `python -m bench.environment FOLDER`.

It has the shape of a real environment of 400 records: 20 MB of conda-meta, 500 distributions with 6 MB of
METADATA and 4.6 MB of RECORD, 61,000 files. Conda's CUDA 11.8 lies beside torch and NVIDIA's wheels of CUDA 12.

`FOLDER/prefix` is a conda prefix by its conda-meta and at the same time a virtual environment by its pyvenv.cfg,
so that its `bin/python` is the running interpreter and pip, uv and envfix all inspect one site-packages. pip's own
files are the running pip's. `FOLDER/project` has an environment.yml and a requirements.txt.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import posixpath
import random
import sys
from pathlib import Path
from typing import Any

from bench import cuda
from bench.packages import PYTHON, SITE, TAG, File, Package, invent

SEED = 20_260_101
CHANNEL = "https://channels.example.org/conda-forge"
REQUESTED = ("python", "pip", "cudatoolkit", "cudnn", *cuda.SCIENTIFIC)
METADATA_TEXT = 10_700
HEADERS = (
    "Summary: A package of a measured environment",
    "Author: The Authors",
    "Author-email: authors@example.org",
    "License: BSD-3-Clause",
    *(f"Project-URL: {page}, https://example.org/{page}" for page in ("Home", "Docs", "Source")),
    "Keywords: array,measured,table",
    "Classifier: Development Status :: 5 - Production/Stable",
    "Classifier: Intended Audience :: Science/Research",
    "Classifier: License :: OSI Approved :: BSD License",
    "Classifier: Operating System :: OS Independent",
    "Classifier: Programming Language :: Python :: 3",
    *(f"Classifier: Programming Language :: Python :: 3.{minor}" for minor in range(9, 14)),
    "Classifier: Topic :: Scientific/Engineering",
    "Requires-Python: >=3.9",
    "Description-Content-Type: text/markdown",
    "License-File: LICENSE",
    "Provides-Extra: test",
)
SENTENCES = (
    "Install it with the package manager of your environment and import it as usual.",
    "Arrays are read lazily, in blocks, and released as soon as the last view of them is gone.",
    "The command line prints one line for each file and exits with 1 if any of them differs.",
    "## Changes in this release",
    "* A model that was saved on one device can now be loaded on another.",
    "```python\n>>> read('table.csv').groupby('name').mean()\n```",
    "",
)


def generate(folder: Path) -> None:
    """Write the environment and the project into a folder that is new or empty."""
    prefix, project = folder / "prefix", folder / "project"
    packages = invent(SEED)
    rng = random.Random(SEED)  # noqa: S311
    for package in packages:
        install(prefix, package, rng)
    _write(prefix, [_history(packages), _pyvenv()])
    _write(project, [_environment_yml(packages), _requirements_txt(packages)])


def install(prefix: Path, package: Package, rng: random.Random) -> None:
    """Write one package as conda or pip installs it."""
    files = [*package.files, *_dist_info(package, rng)]
    _write(prefix, files)
    if package.installer == "conda":
        _write(prefix, [_record(package, files)])


def _write(root: Path, files: list[File]) -> None:
    for folder in {posixpath.dirname(file.path) for file in files}:
        (root / folder).mkdir(parents=True, exist_ok=True)
    for file in files:
        path = root / file.path
        if file.target:
            path.symlink_to(file.target)
        else:
            path.write_bytes(file.content)


def _dist_info(package: Package, rng: random.Random) -> list[File]:
    if not package.is_distribution:
        return []
    folder = f"{SITE}/{package.name.replace('-', '_')}-{package.version}.dist-info"
    texts = {
        "INSTALLER": f"{package.installer}\n",
        "METADATA": _metadata(package, rng),
        "WHEEL": _wheel(package),
        "top_level.txt": f"{package.name.replace('-', '_')}\n",
    }
    files = [File(path=f"{folder}/{name}", content=text.encode()) for name, text in texts.items()]
    return [*files, _installed_files(folder, [*package.files, *files])]


def _metadata(package: Package, rng: random.Random) -> str:
    requires = [f"Requires-Dist: {line}" for line in package.requires]
    size = rng.randint(METADATA_TEXT // 5, METADATA_TEXT * 9 // 5)
    body = rng.choices(SENTENCES, k=size // 60)
    name = [f"Metadata-Version: 2.1\nName: {package.name}\nVersion: {package.version}"]
    return "\n".join([*name, *HEADERS, *requires, "", *body, ""])


def _wheel(package: Package) -> str:
    pure = not any(file.path.endswith(".so") for file in package.files)
    tag = "py3-none-any" if pure else f"{TAG}-{TAG}-manylinux_2_17_x86_64"
    purity = str(pure).lower()
    return f"Wheel-Version: 1.0\nGenerator: wheel\nRoot-Is-Purelib: {purity}\nTag: {tag}\n"


def _installed_files(folder: str, files: list[File]) -> File:
    lines = [_recorded(file) for file in files]
    own = posixpath.relpath(f"{folder}/RECORD", SITE)
    return File(path=f"{folder}/RECORD", content="\n".join([*lines, f"{own},,\n"]).encode())


def _recorded(file: File) -> str:
    path = posixpath.relpath(file.path, SITE)
    if path.endswith(".pyc"):
        return f"{path},,"
    digest = base64.urlsafe_b64encode(hashlib.sha256(file.content).digest()).decode().rstrip("=")
    return f"{path},sha256={digest},{len(file.content)}"


def _record(package: Package, files: list[File]) -> File:
    name = f"{package.name}-{package.version}-{package.build}"
    text = json.dumps(_record_fields(package, name, files), indent=2, sort_keys=True)
    return File(path=f"conda-meta/{name}.json", content=text.encode())


def _record_fields(package: Package, name: str, files: list[File]) -> dict[str, Any]:
    subdir = "noarch" if package.build.startswith("pyh") else "linux-64"
    digest = hashlib.sha256(name.encode()).hexdigest()
    return {
        "arch": None,
        "build": package.build,
        "build_number": 0,
        "channel": f"{CHANNEL}/{subdir}",
        "constrains": [f"{package.name}-static ={package.version}"],
        "depends": _depends(package),
        "extracted_package_dir": f"/opt/conda/pkgs/{name}",
        "files": [file.path for file in files],
        "fn": f"{name}.conda",
        "license": "BSD-3-Clause",
        "link": {"source": f"/opt/conda/pkgs/{name}", "type": 1},
        "md5": digest[:32],
        "name": package.name,
        "package_tarball_full_path": f"/opt/conda/pkgs/{name}.conda",
        "paths_data": {"paths": [_path(file) for file in files], "paths_version": 1},
        "requested_spec": package.name if package.name in REQUESTED else "None",
        "sha256": digest,
        "size": sum(len(file.content) for file in files),
        "subdir": subdir,
        "timestamp": 1_735_689_600_000,
        "track_features": "",
        "url": f"{CHANNEL}/{subdir}/{name}.conda",
        "version": package.version,
    }


def _depends(package: Package) -> list[str]:
    if not package.is_distribution:
        return ["__glibc >=2.17,<3.0.a0", "libgcc >=13", "libstdcxx >=13"]
    plain = [line.partition(";")[0] for line in package.requires if "extra" not in line]
    return [f"python >={PYTHON}", *(line.replace(">=", " >=") for line in plain)]


def _path(file: File) -> dict[str, object]:
    digest = hashlib.sha256(file.content).hexdigest()
    return {
        "_path": file.path,
        "path_type": "softlink" if file.target else "hardlink",
        "sha256": digest,
        "sha256_in_prefix": digest,
        "size_in_bytes": len(file.content),
    }


def _history(packages: list[Package]) -> File:
    lines = ["==> 2026-01-01 10:00:00 <==", "# cmd: conda env create -f environment.yml"]
    conda = [package for package in packages if package.installer == "conda"]
    lines += [f"+conda-forge/linux-64::{p.name}-{p.version}-{p.build}" for p in conda]
    lines += [f"# update specs: {_conda_specs(packages)}"]
    return File(path="conda-meta/history", content="\n".join([*lines, ""]).encode())


def _pyvenv() -> File:
    home = Path(sys.executable).resolve().parent
    version = ".".join(str(part) for part in sys.version_info[:3])
    text = f"home = {home}\ninclude-system-site-packages = false\nversion = {version}\n"
    return File(path="pyvenv.cfg", content=text.encode())


def _conda_specs(packages: list[Package]) -> list[str]:
    known = {p.name: p.version for p in packages if p.installer == "conda"}
    others = [name for name in known if name not in REQUESTED][-36:]
    names = [*REQUESTED, *others]
    return [f"{name}={known[name].rpartition('.')[0] or known[name]}" for name in names]


def _environment_yml(packages: list[Package]) -> File:
    """Return the environment.yml, of 60 lines."""
    specs = [f"  - {spec}" for spec in _conda_specs(packages)]
    lines = ["# The environment of the measured project.", "name: measured", "channels:"]
    lines += ["  - conda-forge", "  - nodefaults", "dependencies:", *specs]
    lines += ["  - pip:", "      - -r requirements.txt", "      - torch==2.5.1"]
    lines += ["      - torchvision==0.20.1", "      - torchaudio==2.5.1"]
    lines += ["      - cupy-cuda11x==13.3.0", "      - onnxruntime-gpu==1.20.1"]
    lines += ["variables:", "  OMP_NUM_THREADS: 4", ""]
    return File(path="environment.yml", content="\n".join(lines).encode())


def _requirements_txt(packages: list[Package]) -> File:
    """Return the requirements.txt, of 40 lines."""
    wheels = [f"{p.name}=={p.version}" for p in packages if p.installer == "pip"]
    lines = ["# What conda does not have.", *wheels[-34:]]
    lines += ["# CUDA", *(f"{name}=={version}" for name, version in list(cuda.WHEELS)[:4])]
    return File(path="requirements.txt", content="\n".join([*lines, ""]).encode())


if __name__ == "__main__":
    os.umask(0o022)
    generate(Path(sys.argv[1]))
