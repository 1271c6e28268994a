"""A conda environment: solved and installed by py-rattler, as pixi and rattler do it."""

from __future__ import annotations

import asyncio
import platform
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rattler import GenericVirtualPackage

    from .channel import Channel


def install(
    prefix: Path,
    specs: Sequence[str],
    channel: Channel,
    cuda: str | None = "12.9",
    more: Sequence[Path] = (),
) -> Path:
    """Create the environment of these specs on a machine whose driver knows this CUDA.

    ``more`` are folders of channels that come before the lab's own.
    """
    sources = [folder.as_uri() for folder in (*more, channel.path)]
    asyncio.run(_install(prefix, specs, channel.package_cache, cuda, sources))
    return prefix


async def _install(
    prefix: Path, specs: Sequence[str], cache: Path, cuda: str | None, sources: Sequence[str]
) -> None:
    import rattler  # noqa: PLC0415, an extra; build_channel has looked for it

    wanted = [rattler.MatchSpec(spec) for spec in specs]
    records = await rattler.solve(
        sources=[rattler.Channel(source) for source in sources],
        specs=wanted,
        gateway=rattler.Gateway(cache_dir=cache / "repodata"),
        platforms=["linux-64", "noarch"],
        virtual_packages=_virtual_packages(cuda),
    )
    await rattler.install(
        records,
        prefix,
        cache_dir=cache,
        show_progress=False,
        # py-rattler 0.28 hands the list to Rust unopened (docs/lab.md, section 2)
        requested_specs=[spec._match_spec for spec in wanted],
    )


def _virtual_packages(cuda: str | None) -> Sequence[GenericVirtualPackage]:
    versions: Mapping[str, str | None] = {
        "__unix": "0",
        "__linux": "6.1",
        "__glibc": platform.libc_ver()[1] or "2.36",
        "__archspec": "1",
        "__cuda": cuda,
    }
    return [_virtual(name, version) for name, version in versions.items() if version is not None]


def _virtual(name: str, version: str) -> GenericVirtualPackage:
    import rattler  # noqa: PLC0415

    build = rattler.BuildString("x86_64" if name == "__archspec" else "0")
    return rattler.GenericVirtualPackage(rattler.PackageName(name), rattler.Version(version), build)
