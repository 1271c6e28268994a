"""What every row of a table is."""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec import Struct


class Row(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One row of a table of the catalog; a key that it does not know is an error."""


@lru_cache(maxsize=4096)
def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a version without its local label, to hold against another's."""
    # The bounds of the tables are plain releases; packaging.version would cost a scan 10 ms.
    return tuple(int(part) for part in re.findall(r"\d{1,9}", version.partition("+")[0]))
