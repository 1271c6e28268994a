"""What is recognized in a text."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from reconciler.model.error_class import ErrorClass


class Recognized(Struct, frozen=True, kw_only=True):
    """A message of a known class, once however often it is repeated."""

    error: ErrorClass
    #: The parts that the message names: ``soname``, ``symbol``, ``version``, ``file``, ``sm`` ...
    captured: Mapping[str, str]
    #: Where it stands first, from 1.
    line: int
    #: How often it is said with the same parts.
    count: int = 1
    #: Its own words, without what stands around them.
    text: str
