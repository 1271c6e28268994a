"""A mistake that a file makes in line after line, told once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.model.manifest import Fault, FaultKind

# As many lines of one kind may be mended one by one; more are the form of the file.
_MANY = 6
# What differs from line to line is no part of the kind.
_OF_LINE = re.compile(
    r"(?<=pip reads ).*?(?= and (?:ignores|drops) )|(?<=drops ).*(?= behind)"
    r"|(?<=ignores ).*|egg=\S+|(?<=looks for ).*"
)


def each_kind_once(faults: Iterable[Fault]) -> Iterator[Fault]:
    """Yield faults; of many that are alike, the first alone, with their number."""
    alike: dict[tuple[FaultKind, str], list[Fault]] = {}
    for fault in faults:
        alike.setdefault((fault.kind, _OF_LINE.sub("", fault.why)), []).append(fault)
    for group in alike.values():
        if len(group) < _MANY:
            yield from group
            continue
        first, *others = group
        last = others[-1].line
        why = f"{first.why}; the same holds for {len(others)} lines behind it, down to line {last}"
        # Some that are mended are no mend.
        corrections = tuple(correction for fault in group for correction in fault.corrections)
        is_whole = len(corrections) == len(group)
        yield replace(first, why=why, corrections=corrections if is_whole else ())
