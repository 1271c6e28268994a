"""The text of a declared file, whatever encoding its editor left it in."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

# In this order: the mark of UTF-32 begins with that of UTF-16.
# UTF-16 is what `conda env export > environment.yml` writes in Windows PowerShell.
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
# As pip finds it (pip, req_file): in a comment of the first two lines.
_CODING = re.compile(rb"\A(?:[^\r\n]*\r?\n)?#[^\r\n]*coding[:=]\s*([-\w.]+)")
# Others of Python's codecs are slow on purpose-made bytes, or no encodings of text.
_OF_TEXT = re.compile(r"(?:iso8859|cp|gb|big5|euc|shift_jis|koi8|mac)[-_\w]*")
# Enough to see every second byte be NUL.
_BEGINNING = 64


class Decoded(NamedTuple):
    """A text, and what its readers would stumble on."""

    text: str
    #: Why it is not the UTF-8 that its readers expect; "" where it is, or says what it is.
    trouble: str = ""
    #: Where that is first seen, counted from 1.
    line: int = 1
    encoding: str = "utf-8"
    #: What the bytes begin with to say so.
    mark: bytes = b""


def encode(text: str, like: Decoded) -> bytes:
    """Return a text as the bytes that another one was read from; raises UnicodeEncodeError."""
    return like.mark + text.encode(like.encoding)


def decode(raw: bytes) -> Decoded:
    """Return the text of a file's bytes; raises UnicodeDecodeError where they are none."""
    for mark, encoding in _MARKS.items():
        if raw.startswith(mark):
            # The mark is decoded too, so that an error names the byte of the file.
            return Decoded(raw.decode(encoding)[1:], encoding=encoding, mark=mark)
    if encoding := _bare_utf_16(raw):
        trouble = "UTF-16 without its byte order mark"
        return Decoded(raw.decode(encoding), trouble, encoding=encoding)
    try:
        return Decoded(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        if said := _said(raw):
            return Decoded(raw.decode(said, "replace"), encoding=said)
        if b"\0" in raw:
            # No text, whatever its name says.
            raise
        before = raw[: error.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        line = before.count(b"\n") + 1
        trouble = f"not UTF-8 at the byte 0x{raw[error.start]:02x}"
        # cp1252 is what Windows wrote; it leaves five bytes open, latin-1 none.
        encoding = "cp1252" if _decoded(raw, "cp1252") else "latin-1"
        return Decoded(raw.decode(encoding), trouble, line, encoding)


def _bare_utf_16(raw: bytes) -> str:
    beginning = raw[: min(_BEGINNING, len(raw) & ~1)]
    odd, even = beginning[1::2], beginning[::2]
    if len(raw) % 2 or not odd:
        return ""
    if not any(odd) and all(even):
        return "utf-16-le" if _decoded(raw, "utf-16-le") else ""
    if not any(even) and all(odd):
        return "utf-16-be" if _decoded(raw, "utf-16-be") else ""
    return ""


def _said(raw: bytes) -> str:
    """Return the encoding that a comment of the file names, as PEP 263 has it."""
    match = _CODING.match(raw)
    try:
        name = codecs.lookup(match[1].decode("ascii")).name if match else ""
    except LookupError:
        return ""
    return name if _OF_TEXT.fullmatch(name) else ""


def _decoded(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return ""
