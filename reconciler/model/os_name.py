"""Names as the operating system gives them, in the one encoding that a Snapshot stores.

A POSIX name is bytes; Python shows the bytes that are not UTF-8 as lone surrogates, which neither
JSON nor msgspec can carry. A Snapshot stores each such byte ``b`` as the private-use character
``U+10FF00 + b``. The mapping works character by character, so it commutes with joining and
splitting paths, and it is reversible: a real character of that block is stored as its own bytes.
"""

from __future__ import annotations

import re

_BLOCK = 0x10FF00
# Compiled when a name asks for it: few have a character beyond ASCII.
_STORED = "[\U0010ff80-\U0010ffff]"
_TO_STORE = "[\ud800-\udfff\U0010ff80-\U0010ffff]"


def from_os(name: str) -> str:
    """Return ``name``, decoded by the file system (PEP 383), as a Snapshot stores it."""
    return name if name.isascii() else re.sub(_TO_STORE, _store, name)


def to_os(name: str) -> str:
    """Return the name that the operating system's calls take: the reverse of ``from_os``."""
    if name.isascii() or not re.search(_STORED, name):
        return name
    raw = b"".join(
        bytes((ord(c) - _BLOCK,)) if re.match(_STORED, c) else c.encode("utf-8", "surrogateescape")
        for c in name
    )
    return raw.decode("utf-8", "surrogateescape")


def printable(name: str) -> str:
    """Return ``name`` safe for a terminal: undecodable bytes and controls escaped."""
    if name.isascii() and name.isprintable():
        return name
    return "".join(c if c.isprintable() and not re.match(_STORED, c) else _escape(c) for c in name)


def _store(match: re.Match[str]) -> str:
    # A surrogate that stands for no byte is half a character: Windows lets names hold one.
    errors = "surrogateescape" if "\udc80" <= match[0] <= "\udcff" else "surrogatepass"
    return "".join(chr(_BLOCK + byte) for byte in match[0].encode("utf-8", errors))


def _escape(character: str) -> str:
    code = ord(character)
    if re.match(_STORED, character):
        return f"\\x{code - _BLOCK:02x}"
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
