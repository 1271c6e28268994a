"""Two files that describe the same environment, and pin a package of it differently."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from reconciler.model.manifest import Declared


class Relation(StrEnum):
    """Why two files are about the same environment."""

    #: The second is the lock that was made of the first.
    LOCK = "lock"
    #: They stand in one folder and bear one ``name:``.
    NAME = "name"
    #: The first installs the second, beside a line of its own.
    INSTALLS = "installs"


class Disagreement(Struct, frozen=True, kw_only=True):
    """One package of which two files say different things."""

    relation: Relation
    first: Declared
    second: Declared
