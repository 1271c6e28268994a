"""A conda for the lab, which has none: what a script asks of it, done by py-rattler.

It knows `remove -p PREFIX --yes --force NAME`, `install -p PREFIX --yes --channel URL
--force-reinstall NAME=VERSION=BUILD`, `install -p PREFIX --yes --override-channels --channel URL
SPEC...` and `create` with the same and --dry-run, and refuses whatever else it is asked.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rattler import GenericVirtualPackage, MatchSpec, RepoDataRecord

#: A machine with a driver for CUDA 12.9.
_MACHINE = (
    ("__unix", "0"),
    ("__linux", "6.1"),
    ("__glibc", "2.36"),
    ("__archspec", "1", "x86_64"),
    ("__cuda", "12.9"),
)
_SCRIPT = """\
#!/bin/sh
exec '{python}' -I '{module}' --package-cache '{cache}' "$@"
"""


def put_on_path(folder: Path, package_cache: Path) -> Path:
    """Write a `conda` into a folder, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    command = folder / "conda"
    text = _SCRIPT.format(python=sys.executable, module=Path(__file__), cache=package_cache)
    command.write_text(text)
    command.chmod(0o755)
    return folder


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="conda")
    parser.add_argument("--package-cache", type=Path, required=True)
    doing = parser.add_subparsers(dest="doing", required=True)
    remove = doing.add_parser("remove")
    remove.add_argument("--force", action="store_true", required=True)
    install = doing.add_parser("install")
    create = doing.add_parser("create")
    create.add_argument("--dry-run", action="store_true")
    kind = install.add_mutually_exclusive_group(required=True)
    kind.add_argument("--force-reinstall", action="store_true")
    kind.add_argument("--override-channels", action="store_true")
    create.add_argument("--override-channels", action="store_true", required=True)
    for each in (remove, install, create):
        each.add_argument("-p", dest="prefix", type=Path, required=True)
        each.add_argument("--yes", action="store_true", required=True)
        each.add_argument("specs", nargs="+")
        if each is not remove:
            each.add_argument("--channel", required=True)
    asked = parser.parse_args(arguments)
    solves = asked.doing == "create" or getattr(asked, "override_channels", False)
    asyncio.run(_solve(asked) if solves else _run(asked))


async def _run(asked: argparse.Namespace) -> None:
    import rattler  # noqa: PLC0415, an extra

    records = [
        rattler.PrefixRecord.from_path(path)
        for path in sorted((asked.prefix / "conda-meta").glob("*.json"))
    ]
    (text,) = asked.specs
    spec = rattler.MatchSpec(text)
    name = text.partition("=")[0]
    others = [record for record in records if record.name.normalized != name]
    assert asked.doing == "install" or len(others) < len(records), f"there is no {name}"
    found = [] if asked.doing == "remove" else [await _record(asked, spec)]
    await rattler.install(
        [*others, *found],
        asked.prefix,
        cache_dir=asked.package_cache,
        reinstall_packages={record.name.normalized for record in found},
        show_progress=False,
    )


async def _solve(asked: argparse.Namespace) -> None:
    """Bring what is asked for, and keep what else somebody has asked for before."""
    import rattler  # noqa: PLC0415

    records = [
        rattler.PrefixRecord.from_path(path)
        for path in sorted((asked.prefix / "conda-meta").glob("*.json"))
    ]
    names = {text.partition("=")[0].partition(" ")[0] for text in asked.specs}
    before = [
        spec
        for record in records
        if record.name.normalized not in names
        for spec in record.requested_specs
    ]
    wanted = [rattler.MatchSpec(_bracketed(text)) for text in (*asked.specs, *before)]
    found = await rattler.solve(
        sources=[rattler.Channel(asked.channel)],
        specs=wanted,
        gateway=rattler.Gateway(cache_dir=asked.package_cache / "repodata"),
        platforms=["linux-64", "noarch"],
        virtual_packages=[_virtual(*package) for package in _MACHINE],
        locked_packages=records,
    )
    if not getattr(asked, "dry_run", False):
        await rattler.install(
            found,
            asked.prefix,
            cache_dir=asked.package_cache,
            show_progress=False,
            requested_specs=[spec._match_spec for spec in wanted],
        )


def _virtual(name: str, version: str, build: str = "0") -> GenericVirtualPackage:
    import rattler  # noqa: PLC0415

    parts = (rattler.PackageName(name), rattler.Version(version), rattler.BuildString(build))
    return rattler.GenericVirtualPackage(*parts)


def _bracketed(text: str) -> str:
    """Write `pytorch=2.*=cuda*`, which py-rattler 0.28 refuses, as it reads it."""
    name, _, rest = text.partition("=")
    version, _, build = rest.partition("=")
    if not build or not version:
        return text
    return f"{name}[version='{version}',build='{build}']"


async def _record(asked: argparse.Namespace, spec: MatchSpec) -> RepoDataRecord:
    """Find the one record of a spec in the channel, as conda does without its dependencies."""
    import rattler  # noqa: PLC0415

    gateway = rattler.Gateway(cache_dir=asked.package_cache / "repodata")
    channel = rattler.Channel(asked.channel)
    answers = await gateway.query([channel], ["linux-64", "noarch"], [spec], recursive=False)
    records = (record for answer in answers for record in answer)
    (found,) = filter(spec.matches, records)
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
    # py-rattler 0.28: its threads crash in Python's finalization, in 24 of 120 runs, when all is done
    os._exit(0)
