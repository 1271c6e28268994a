"""A conda version, ordered as conda itself orders it.

It is not PEP 440: ``1.1.1w``, ``9e`` and ``2024a`` are common, ``1.0`` equals ``1.0.0``, and
``1.1.1w`` comes *before* ``1.1.1``. Constraints on versions are in `conda_constraint`, specs in
`conda_spec`: three files, since each is read on its own and one would pass 300 lines.

References
----------
- CEP 33, version literals and their ordering: https://github.com/conda/ceps/blob/main/cep-0033.md
- conda, "Version ordering":
  https://docs.conda.io/projects/conda/en/stable/user-guide/concepts/pkg-specs.html

"""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LITERAL = re.compile(r"(?:([0-9]+)!)?([a-z0-9._]+)(?:\+([a-z0-9._]+))?")
_RUN = re.compile(r"[0-9]+|[^0-9]+")
_LONGEST = 1000  # CEP 26 allows 64 characters; this only bounds the places below
_LOCAL_ROW = 1 << 10  # beyond any row of a literal that short
_FAR = 1 << 22  # beyond any place in it

_WORDS: Mapping[str, float | str] = {
    "post": float("inf"),  # after every number
    "dev": "DEV",  # before '_' and every other word, for those are in lower case
}


class InvalidCondaVersion(ValueError):  # noqa: N818  (named as packaging's InvalidVersion)
    """A text that is no conda version, and why."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"{text!r} is not a conda version: {reason}")
        self.text = text
        self.reason = reason


class CondaVersion(Struct, frozen=True, eq=False, dict=True):
    """One version of a conda package."""

    text: str

    def __post_init__(self) -> None:
        _ = self._atoms  # so that no unreadable text becomes a version

    def starts_with(self, prefix: CondaVersion) -> bool:
        """Tell whether this version lies under the prefix, as 1.2.3 and 1.2a lie under ``1.2.*``."""
        *before, (last, wanted) = prefix._atoms
        mine = [atom for atom in self._atoms if atom[0] < last and atom[1]]
        if mine != [atom for atom in before if atom[1]]:
            return False
        found = next((value for place, value in self._atoms if place == last), 0)
        if isinstance(found, str) and isinstance(wanted, str):
            return found.startswith(wanted)
        return found == wanted

    def is_compatible_with(self, release: CondaVersion) -> bool:
        """Tell whether this version satisfies ``~=release``: no older, equal but for the last part."""
        stem = release.text.rpartition(".")[0]
        return self >= release and self.starts_with(parse_version(stem))

    @cached_property
    def _atoms(self) -> tuple[tuple[int, float | str], ...]:
        return tuple(_read_atoms(self.text))

    @cached_property
    def _key(self) -> tuple[float | str, ...]:
        # What is not written counts as 0, without end. So only what differs from 0 is kept, each
        # value after its rank: a number makes a version greater the earlier it stands, a word
        # smaller, and the end stands between. Tuples then compare as conda's versions do.
        key: list[float | str] = []
        for place, value in self._atoms:
            if isinstance(value, str):
                key += (place - _FAR, value)
            elif value:
                key += (_FAR - place, value)
        return (*key, 0)

    def __str__(self) -> str:
        return self.text

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return self._key == other._key if isinstance(other, CondaVersion) else NotImplemented

    def __ne__(self, other: object) -> bool:  # else the Struct's own, by identity
        return self._key != other._key if isinstance(other, CondaVersion) else NotImplemented

    def __lt__(self, other: CondaVersion) -> bool:
        return self._key < other._key

    def __le__(self, other: CondaVersion) -> bool:
        return self._key <= other._key

    def __gt__(self, other: CondaVersion) -> bool:
        return self._key > other._key

    def __ge__(self, other: CondaVersion) -> bool:
        return self._key >= other._key


@lru_cache(maxsize=8192)
def parse_version(text: str) -> CondaVersion:
    """Read a version, and remember it: the same few hundred texts come again and again."""
    return CondaVersion(text)


def _read_atoms(text: str) -> Iterator[tuple[int, float | str]]:
    """Read each number and word with its place: epoch, then segments, then the local part."""
    lowered = text.strip().lower()
    if "_" not in lowered:  # dashes are allowed where there is no underscore: conda, VersionOrder
        lowered = lowered.replace("-", "_")
    literal = _LITERAL.fullmatch(lowered)
    if literal is None:
        raise InvalidCondaVersion(text, "it is not [epoch!]segments[+local] of letters and digits")
    if len(lowered) > _LONGEST:
        raise InvalidCondaVersion(text, f"it is longer than {_LONGEST} characters")
    epoch, segments, local = literal.groups()
    yield 0, int(epoch or 0)
    for first_row, part in ((1, segments), (_LOCAL_ROW, local)):
        for row, segment in enumerate(_split_segments(part), first_row):
            if not segment:
                raise InvalidCondaVersion(text, "a segment is empty")
            yield from _read_segment(row, segment)


def _split_segments(part: str | None) -> list[str]:
    if not part:
        return []
    # a last underscore is a word smaller than any letter, for openssl: 1.0.1_ < 1.0.1a (CEP 33)
    segments = part.removesuffix("_").replace("_", ".").split(".")
    segments[-1] += "_" * part.endswith("_")
    return segments


def _read_segment(row: int, segment: str) -> Iterator[tuple[int, float | str]]:
    if segment.isdigit():
        yield row << 10, int(segment)
        return
    # a segment that starts with a word has an unwritten 0 before it: CEP 33
    first = 0 if segment[0].isdigit() else 1
    for column, run in enumerate(_RUN.findall(segment), first):
        yield (row << 10) + column, int(run) if run.isdigit() else _WORDS.get(run, run)
