"""Make the shipped JSON of every authored TOML table: ``python -m reconciler.catalog.generate``."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from reconciler.catalog import TABLES
from reconciler.model.catalog import (
    CudnnNeed,
    ImportGroup,
    Name,
    Pair,
    PartRelease,
    Release,
)
from reconciler.model.channels import (
    Breakage,
    Channel,
    ChannelBuild,
    EndedPackage,
    PlatformBuild,
)
from reconciler.model.clash import Clash, Collision
from reconciler.model.compiling import Compiled, CompilerLimit
from reconciler.model.consumer import Consumer
from reconciler.model.cuda_package import Component, CudaPackage
from reconciler.model.error_class import ERROR_TABLES, ErrorClass
from reconciler.model.image import Image
from reconciler.model.loading import FoundLibrary, LoadingStep
from reconciler.model.machines import DriverRow, GpuModels, ReleasedCode
from reconciler.model.naming import Counterpart
from reconciler.model.published import IndexBuilds, IndexSite, KnownVersions, PythonSpan
from reconciler.model.windows_loading import WindowsFound, WindowsLoading

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).parent
ROWS: Mapping[str, type[msgspec.Struct]] = {
    "breakages": Breakage,
    "channel_builds": ChannelBuild,
    "channels": Channel,
    "clashes": Clash,
    "collisions": Collision,
    "compiled": Compiled,
    "components": Component,
    "consumers": Consumer,
    "counterparts": Counterpart,
    "cudnn": CudnnNeed,
    "driver_floors": DriverRow,
    "drivers": DriverRow,
    "ended": EndedPackage,
    **dict.fromkeys(ERROR_TABLES, ErrorClass),
    "gpu_codes": ReleasedCode,
    "gpus": GpuModels,
    "host_compilers": CompilerLimit,
    "images": Image,
    "imports": ImportGroup,
    "index_builds": IndexBuilds,
    "indexes": IndexSite,
    "loadings": LoadingStep,
    "names": Name,
    "packages": CudaPackage,
    "pairs": Pair,
    "pathfinder": FoundLibrary,
    "platform_builds": PlatformBuild,
    "pythons": PythonSpan,
    "releases": Release,
    "toolkits": PartRelease,
    "versions": KnownVersions,
    "windows_loadings": WindowsLoading,
    "windows_pathfinder": WindowsFound,
}


def generated(table: str) -> bytes:
    """Return the JSON that belongs to an authored table; a misspelt key is an error."""
    document = tomllib.loads((HERE / f"{table}.toml").read_text("utf-8"))
    rows = (msgspec.convert(row, ROWS[table]) for row in document["row"])
    lines = b",\n".join(msgspec.json.encode(row) for row in rows)
    return b"[\n" + lines + b"\n]\n"


if __name__ == "__main__":
    for name in TABLES:
        (HERE / f"{name}.json").write_bytes(generated(name))
