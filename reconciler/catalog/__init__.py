"""The tables of what is known. The only room that opens them.

Each table is authored as TOML, with a source in each row, and shipped as the JSON that
``python -m reconciler.catalog.generate`` makes of it: JSON is decoded 40 times as fast.
"""

from __future__ import annotations

import os
from functools import cache

from reconciler.model.catalog import Catalog
from reconciler.model.error_class import ERROR_TABLES

TABLES = (
    "breakages",
    "channel_builds",
    "channels",
    "clashes",
    "collisions",
    "compiled",
    "components",
    "consumers",
    "counterparts",
    "cudnn",
    "driver_floors",
    "drivers",
    "ended",
    *ERROR_TABLES,
    "gpu_codes",
    "gpus",
    "host_compilers",
    "images",
    "imports",
    "index_builds",
    "indexes",
    "loadings",
    "names",
    "packages",
    "pairs",
    "pathfinder",
    "platform_builds",
    "pythons",
    "releases",
    "toolkits",
    "versions",
    "windows_loadings",
    "windows_pathfinder",
)


@cache
def load() -> Catalog:
    """Return the catalog that is shipped with this package: one, because it never changes."""
    return Catalog(read=_read)


def _read(table: str) -> bytes:
    # importlib.resources does the same, and costs each run 7 ms to import.
    with open(os.path.join(os.path.dirname(__file__), f"{table}.json"), "rb") as file:
        return file.read()
