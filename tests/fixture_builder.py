"""Write the prefix of a case in fixtures/envs from its recipe.toml: ``python fixture_builder.py CASE``.

The trees are committed, and they are what the tests read. This tool is for authors of cases, who
have the research data beside their checkout: records come from there as a channel gives them, and
so do the CUDA part of NEEDED and the RPATH of libraries. Other files hold what the recipe says;
where it names a conda package's distribution, they lie in site-packages. Where the facts
are silent, the record lacks the field. Libraries bear the name of their soname, since links do not
survive every checkout. A recipe of another platform than Linux says so. Wheels are installed in the recipe's order, a later one over an earlier one.
`program` is what the interpreter's file says of itself, and `beside` what lies in the case's folder
beside its prefix: the libraries of its machine, those of which the recipe says what they need, another environment.
`imports` are those of DLLs and extension modules of Windows, by their paths, and `lost` is deleted last.
What a wheel `replaces` is uninstalled first, as pip does it; `conda_afterwards` comes over the
wheels, and `uninstall` at the end takes along what others own too.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.elf_stub import stub_library, stub_program
from loader.pe_stub import stub_image
from shared_data import SHARED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CASES = Path(__file__).resolve().parents[1] / "fixtures" / "envs"
CHANNELS = "https://conda.anaconda.org"
PACKAGE_CACHE = "/opt/conda/pkgs"
#: In the case's own folder, which is the root of its machine.
LOADER = "/lib64/ld-linux-x86-64.so.2"


def build(case: Path) -> None:
    """Write ``case/prefix`` anew."""
    recipe = tomllib.loads((case / "recipe.toml").read_text(encoding="utf-8"))
    prefix = case / "prefix"
    shutil.rmtree(prefix, ignore_errors=True)
    is_windows = recipe.get("platform", "").startswith("win")
    usual = f"lib/python{recipe['python'].rpartition('.')[0]}/site-packages"
    site_packages = "Lib/site-packages" if is_windows else usual
    for path, text in recipe.get("files", {}).items():
        _write(prefix / path, text.encode())
    if recipe.get("venv"):
        home = recipe.get("home", "/usr/bin")
        config = (
            f"home = {home}\ninclude-system-site-packages = false\nversion = {recipe['python']}\n"
        )
        _write(prefix / "pyvenv.cfg", config.encode())
    else:
        _write(prefix / "conda-meta" / "history", b"")
    _write_machine(case, recipe)
    dialect = recipe.get("dialect", "conda")
    for package in recipe.get("conda", ()):
        _install_record(prefix, site_packages, package, dialect)
    for wheel in recipe.get("wheel", ()):
        if replaced := wheel.get("replaces"):
            _uninstall(prefix / site_packages, replaced)
        _install_wheel(prefix, site_packages, wheel)
    for package in recipe.get("conda_afterwards", ()):
        _install_record(prefix, site_packages, package, dialect)
    for distribution in recipe.get("uninstall", ()):
        _uninstall(prefix / site_packages, distribution)
    for path in recipe.get("lost", ()):
        (prefix / path).unlink()


def _write_machine(case: Path, recipe: Mapping[str, Any]) -> None:
    if "program" in recipe:
        _write(case / "prefix/bin/python", stub_program(LOADER, **recipe["program"]))
        _write(case / LOADER.lstrip("/"), stub_library(LOADER.rpartition("/")[2]))
    beside = recipe.get("beside", {})
    for path in beside.get("libraries", ()):
        _write(case / path, _conda_library(path))
    for path, needed in beside.get("needed", {}).items():
        _write(case / path, stub_library(path.rpartition("/")[2], needed))
    for path, text in beside.get("files", {}).items():
        _write(case / path, text.encode())


def _install_record(
    prefix: Path, site_packages: str, package: Mapping[str, Any], dialect: str
) -> None:
    channel, _, file = package["record"].rpartition("/")
    known = _repodata(channel, file)
    files = {path: _conda_library(path) for path in package.get("libraries", ())}
    files |= {path: _dll(names) for path, names in package.get("imports", {}).items()}
    texts = package.get("files", {})
    if distribution := package.get("distribution"):
        wheel = {"wheel": f"{distribution}-py3-none-any", "installer": "conda", "files": texts}
        installed = _install_wheel(prefix, site_packages, wheel)
        files |= {f"{site_packages}/{path}": content for path, content in installed.items()}
    else:
        files |= {path: text.encode() for path, text in texts.items()}
    for path, content in files.items():
        _write(prefix / path, content)
    record = {
        **known,
        "channel": f"{CHANNELS}/{channel if dialect == 'conda' else channel.rpartition('/')[0] + '/'}",
        "fn": known["fn"],
        "url": f"{CHANNELS}/{channel}/{known['fn']}",
        "files": sorted(files),
        "paths_data": {"paths_version": 1, "paths": [_path(p, files[p]) for p in sorted(files)]},
        "link": {"source": f"{PACKAGE_CACHE}/{file}", "type": 1},
        "extracted_package_dir": f"{PACKAGE_CACHE}/{file}",
        "package_tarball_full_path": f"{PACKAGE_CACHE}/{known['fn']}",
    }
    requested = package.get("requested")
    if dialect == "conda":
        # conda writes the text "None" for a package that nobody asked for
        record["requested_spec"] = requested or "None"
    else:
        record["requested_specs"] = [requested] if requested else []
    text = json.dumps(dict(sorted(record.items())), indent=2) + "\n"
    _write(prefix / "conda-meta" / f"{file}.json", text.encode())


def _path(path: str, content: bytes) -> Mapping[str, object]:
    digest = hashlib.sha256(content).hexdigest()
    return {
        "_path": path,
        "path_type": "hardlink",
        "sha256": digest,
        "sha256_in_prefix": digest,
        "size_in_bytes": len(content),
    }


def _install_wheel(
    prefix: Path, site_packages: str, wheel: Mapping[str, Any]
) -> Mapping[str, bytes]:
    """Write a distribution, and return its files by their path in site-packages."""
    name, version, tag = wheel["wheel"].split("-", 2)
    info = f"{name}-{version}.dist-info"
    requires = "".join(
        f"Requires-Dist: {requirement}\n" for requirement in wheel.get("requires", ())
    )
    project = wheel.get("name", name.replace("_", "-"))
    metadata = f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n{requires}\n"
    tags = "".join(
        f"Tag: {tag.rpartition('-')[0]}-{one}\n" for one in tag.split("-")[-1].split(".")
    )
    pure = str(tag.endswith("-any")).lower()
    files = {
        **{
            path: _wheel_library(project, version, path, wheel.get("symbols", {}).get(path, ()))
            for path in wheel.get("libraries", ())
        },
        **{p: stub_library(None, needed) for p, needed in wheel.get("needed", {}).items()},
        **{p: _dll(names) for p, names in wheel.get("imports", {}).items()},
        **{path: text.encode() for path, text in wheel.get("files", {}).items()},
        f"{info}/INSTALLER": wheel.get("installer", "pip").encode() + b"\n",
        f"{info}/METADATA": metadata.encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: {pure}\n{tags}".encode(),
    }
    separator = wheel.get("separator", "/")
    lines = [
        f"{path.replace('/', separator)},{_hash(content)},{len(content)}"
        for path, content in sorted(files.items())
    ]
    files[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,", ""]).encode()
    for path, content in files.items():
        _write(prefix / site_packages / path, content)
    return files


def _uninstall(site_packages: Path, distribution: str) -> None:
    """Delete what RECORD lists, as pip does, whosever it is by now."""
    record = site_packages / f"{distribution}.dist-info" / "RECORD"
    for line in record.read_text(encoding="utf-8").splitlines():
        path = site_packages / line.rsplit(",", 2)[0]
        path.unlink(missing_ok=True)
        for folder in path.parents:
            if folder == site_packages or any(folder.iterdir()):
                break
            folder.rmdir()


def _hash(content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest())
    return f"sha256={digest.rstrip(b'=').decode()}"


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@cache
def _repodata(channel: str, file: str) -> dict[str, Any]:
    for kind in ("full", "derived"):
        path = SHARED / "facts" / "metadata" / kind / channel / "repodata.json"
        channels = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        for packages in (channels.get("packages.conda", {}), channels.get("packages", {})):
            for ending in (".conda", ".tar.bz2"):
                if known := packages.get(file + ending):
                    return {"constrains": [], **known, "fn": file + ending}
    raise SystemExit(f"{channel}/{file}: no such record in the research data")


@cache
def _sonames() -> Mapping[str, Any]:
    return json.loads((SHARED / "facts" / "sonames.json").read_text(encoding="utf-8"))


def _conda_library(path: str) -> bytes:
    soname = path.rpartition("/")[2]
    if soname.endswith(".dll"):
        return _dll(())
    known = next((row for row in _sonames()["sonames"] if row["soname"] == soname), None)
    # conda-build makes every RPATH relative to the library
    return stub_library(soname, known["needed"] if known else (), rpath="$ORIGIN")


def _dll(imports: Sequence[str]) -> bytes:
    return stub_image({name: ["f"] for name in imports})


def _wheel_library(project: str, version: str, path: str, symbols: Sequence[str]) -> bytes:
    """Write a library as readelf shows it in the wheel, or in that of the nearest version."""
    soname = path.rpartition("/")[2]
    if soname.endswith(".dll"):
        return _dll(())
    for row in _sonames()["consumers"]:
        if (row["package"], row["lib"]) == (f"{project}=={version}", path):
            paths = {row["rpath_tag"].lower(): row["rpath"]} if row["rpath"] else {}
            return stub_library(soname, row["needed_cuda"], symbols=symbols, **paths)
    rows = [r for r in _sonames()["measured"] if (r["pypi"], r["path"]) == (project, path)]
    if not rows:
        raise SystemExit(f"{project} {version}: nobody has measured {path}")
    row = next((row for row in rows if row["version"] == version), rows[0])
    # the nvidia wheels have DT_RUNPATH
    return stub_library(soname, row["needed"], runpath=row["rpath"], symbols=symbols)


if __name__ == "__main__":
    for name in sys.argv[1:] or sorted(path.parent.name for path in CASES.glob("*/recipe.toml")):
        build(CASES / name)
