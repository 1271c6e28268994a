"""Faults of a file mended in its text: what stands there is no line that could be edited.

A fault's text is looked for where the reader saw it. Where it does not stand there letter by
letter, such as in a text that YAML escapes, nothing is certain, and the mend is held back.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from reconciler.manifests.line_splices import Draft
from reconciler.model.fix import HeldBackError, Mend, Splice
from reconciler.model.manifest import IndexRole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.model.manifest import Correction, Declared, Fault, Manifest

# Spaces, and the mark of an item in a list of YAML; an option of pip begins with no space.
_PREFIX = re.compile(r"[ \t]*(?:-[ \t]+)?")
_PIP_SECTION = re.compile(r"( *)- +pip:[ \t]*(?:#.*)?")
# A section, a list in brackets, or a dash in a dash, on the same line.
_SEVERAL = re.compile(r"[\w-]+:(?:\s|$)|[\[{]|-\s")
_ROLE = re.compile("|".join(f"{role}(?=[a-z]*:/|/)" for role in IndexRole))
_SPACE = re.compile(r"\s+")


def splices(manifest: Manifest, mends: Iterable[Mend]) -> tuple[Splice, ...]:
    """Return where to splice the text for the mends; raises HeldBackError."""
    draft = Draft(manifest.text)
    for mend in mends:
        if not mend.fault.corrections:
            raise HeldBackError(f"only you can know what line {mend.fault.line} is to say")
        for correction in mend.fault.corrections:
            if correction.into:
                _merge(draft, correction)
            else:
                _mend(draft, manifest, correction)
    return draft.splices()


def is_mended(line: Declared, mends: Iterable[Mend]) -> bool:
    """Tell whether a line that is declared is itself what some mends write in another way."""
    places = ((one.line, one.old) for mend in mends for one in mend.fault.corrections)
    return any(place == (line.line, line.text) for place in places)


def is_said(mends: Iterable[Mend], text: str, before: Manifest) -> bool:
    """Tell whether a text may have come into a file by some mends of it; an index has its role."""
    url, said = _ROLE.sub("", text, count=1), []
    for correction in (correction for mend in mends for correction in mend.fault.corrections):
        moved = [before.text] if correction.into else []
        said += [correction.text, *correction.above, *correction.below, *moved]
    return any(_bare(url) in _bare(one) for one in said)


def check_gone(before: Manifest, after: Manifest, mends: Iterable[Mend]) -> None:
    """Raise HeldBackError unless a file has its faults without those that were mended."""
    left = _counted(before.faults)
    left.subtract(_counted(mend.fault for mend in mends))
    if more := _counted(after.faults) - left:
        text = next(iter(more))[1]
        raise HeldBackError(f"the file would be at fault afterwards, at {text!r}")


def _counted(faults: Iterable[Fault]) -> Counter[tuple[str, str]]:
    return Counter((fault.kind.value, fault.text) for fault in faults)


def _bare(text: str) -> str:
    return _SPACE.sub("", text).replace("'", '"')


def _mend(draft: Draft, manifest: Manifest, correction: Correction) -> None:
    number, raw = correction.line, draft.line(correction.line)
    at = _found(raw, correction)
    begin = at if correction.text else len(raw[:at].rstrip(" \t"))
    start = draft.lines[number - 1].start
    draft.put(start + begin, start + at + len(correction.old), correction.text)
    if not (correction.above or correction.below):
        return
    match = _PREFIX.match(raw)
    prefix = match[0] if match else ""
    if manifest.tool == "conda" and _SEVERAL.match(raw, len(prefix)):
        raise HeldBackError(f"line {number} holds more than one item")
    if raw.endswith("\\") or (number > 1 and draft.line(number - 1).endswith("\\")):
        raise HeldBackError(f"line {number} is one of several that a backslash joins")
    for text in correction.above:
        draft.insert(number - 1, prefix + text)
    for text in correction.below:
        draft.insert(number, prefix + text)


def _found(raw: str, correction: Correction) -> int:
    if raw.startswith(correction.old, correction.column - 1):
        return correction.column - 1
    if raw.count(correction.old) != 1:
        raise HeldBackError(
            f"line {correction.line} does not hold {correction.old!r} as it is read"
        )
    return raw.index(correction.old)


def _merge(draft: Draft, correction: Correction) -> None:
    """Move the items of a section to the front of another one."""
    head, into = correction.line, correction.into
    section, target = (_PIP_SECTION.fullmatch(draft.line(number)) for number in (head, into))
    if not section or not target or into == len(draft.lines):
        raise HeldBackError(f"the pip sections of lines {head} and {into} are not alike")
    last = _last_of_block(draft, head, into, len(section[1]))
    own, wanted = (_indent(draft.line(number + 1)) for number in (head, into))
    draft.drop(head, last)
    for number in range(head + 1, last + 1):
        raw = draft.line(number)
        draft.insert(into, wanted + raw.removeprefix(own) if raw.strip() else raw)


def _indent(raw: str) -> str:
    return raw[: len(raw) - len(raw.lstrip(" "))]


def _last_of_block(draft: Draft, head: int, into: int, indent: int) -> int:
    """Return the last line that stands further in than the head of a block, but for blank ones."""
    lines = [(number, draft.line(number)) for number in range(head, into)]
    outside = (n for n, raw in lines[1:] if raw.strip() and len(_indent(raw)) <= indent)
    end = next(outside, into)
    return max(number for number, raw in lines if raw.strip() and number < end)
