"""One item that environment.yml asks of conda: which package it names, or why conda refuses it.

What conda does was seen in conda 26.7 (``conda.env.env``, ``MatchSpec``), in the words of CEP 29
where conda and mamba agree.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from reconciler.model.conda_spec import CondaSpec, InvalidCondaSpec

_NAME = r"[A-Za-z0-9_][\w.-]*"
_HEAD = re.compile(rf"(?:[^\s'\"\[]*::)?({_NAME})")
_NUMBER = re.compile(r"[-+]?\d[\d_]*(?:\.\d*)?(?:[eE][-+]?\d+)?")
_EXTRAS = re.compile(rf"({_NAME})\[[\w\s,.-]+\]")
# Forms that envfix does not read, and conda does.
_NEWER = re.compile(r"\[.*\b(?:extras|flags|when)\s*=")
# What conda reads somehow where mamba refuses: ===1.0, =>1.0, !=*, ~=1, >=1.*.2, a bare = at the end.
_LENIENT = re.compile(r"===|=[<>]|!=\s*\*|~=\s*\d+$|\*\.\d|[^=]=$")
_OF_PIP = re.compile(
    r"-{1,2}[A-Za-z]|(?:git|hg|svn|bzr)\+|https?://(?!\S*\.(?:conda|tar\.bz2))|\S+\s*@\s"
)
_RANGE = re.compile(r"([\w.:/-]+?)\s*((?:[<>=!~]=?\s*[\w.*]+\s+)+[<>=!~]=?\s*[\w.*]+)")
_BOUND = re.compile(r"[<>=!~]=?\s*[\w.*]+")


class Item(NamedTuple):
    """What one item asks for."""

    #: A MatchSpec; as written.
    text: str
    #: conda's own name of the package; "" where none is to be read.
    name: str = ""
    #: Why conda refuses it; "" where it does not.
    refused: str = ""
    #: What it would take instead; "" where only the user can know.
    better: str = ""


def is_number(text: str) -> bool:
    """Tell whether YAML reads a bare word as a number, where conda wants a text."""
    return bool(_NUMBER.fullmatch(text))


def read(text: str) -> Item:
    """Read the text of an item that is no placeholder."""
    try:
        return Item(text, CondaSpec.parse(text).name)
    except InvalidCondaSpec as error:
        reason = error.reason
    head = _HEAD.match(text)
    name = head[1].lower() if head else ""
    if extras := _EXTRAS.fullmatch(text):
        # conda asks for the package and leaves its extras out, which conda packages have not.
        return Item(extras[1], name)
    if head and (_NEWER.search(text) or _LENIENT.search(text)):
        return Item(text, name)
    return Item(text, name, *_told(text, reason))


def _told(text: str, reason: str) -> tuple[str, str]:
    if _OF_PIP.match(text):
        return "conda refuses it: it is a line for pip, and belongs under - pip:", ""
    if ";" in text:
        return "conda knows no markers: what stands behind ; is a part of the version to it", ""
    if bounds := _RANGE.fullmatch(text):
        better = f"{bounds[1]} {','.join(_closed(b) for b in _BOUND.findall(bounds[2]))}"
        return "conda refuses it: a comma stands between two bounds", better
    if text.endswith(",") and not read(text[:-1].strip()).refused:
        return "conda refuses the comma at its end", text[:-1].strip()
    return f"conda cannot use it: {reason}", ""


def _closed(bound: str) -> str:
    return "".join(bound.split())
