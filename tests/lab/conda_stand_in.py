"""A conda for the lab, which has none: what a script asks of it, done by py-rattler.

It knows `remove -p PREFIX --yes --force NAME` and `install -p PREFIX --yes --channel URL
--force-reinstall NAME=VERSION=BUILD`, and refuses whatever else it is asked.
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

    from rattler import MatchSpec, RepoDataRecord

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
    install.add_argument("--force-reinstall", action="store_true", required=True)
    install.add_argument("--channel", required=True)
    for each in (remove, install):
        each.add_argument("-p", dest="prefix", type=Path, required=True)
        each.add_argument("--yes", action="store_true", required=True)
        each.add_argument("spec")
    asyncio.run(_run(parser.parse_args(arguments)))


async def _run(asked: argparse.Namespace) -> None:
    import rattler  # noqa: PLC0415, an extra

    records = [
        rattler.PrefixRecord.from_path(path)
        for path in sorted((asked.prefix / "conda-meta").glob("*.json"))
    ]
    spec = rattler.MatchSpec(asked.spec)
    name = asked.spec.partition("=")[0]
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
