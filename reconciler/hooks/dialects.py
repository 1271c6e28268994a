"""The simple assignments of scripts for fish, csh, PowerShell and cmd: a line, a variable, a value.

None of these shells is followed: what stands in a branch or a loop is read as if it were reached, and a
value is read as text and plain variables alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from reconciler.model.activation import Action, Assignment, Computed, Literal, Reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.activation import Part

LONGEST = 32_768
_SHOWN = 200


class _Dialect(NamedTuple):
    """How one shell writes that a variable is set or unset, and where one stands in a value."""

    sets: re.Pattern[str]
    unsets: re.Pattern[str]
    variable: re.Pattern[str]
    #: What only a run can tell.
    computed: re.Pattern[str]


_NAME = r"(?P<name>[A-Za-z_]\w*)"
_DIALECTS = {
    # https://fishshell.com/docs/current/cmds/set.html
    ".fish": _Dialect(
        re.compile(rf"set\s+(?:-\w*x\w*|--export|-gx)\s+(?:-\w+\s+)*{_NAME}(?:\s+(?P<value>.*))?$"),
        re.compile(rf"set\s+(?:-\w*e\w*|--erase)\s+(?:-\w+\s+)*{_NAME}\s*$"),
        re.compile(r"\{?\$(\w+)\}?"),
        re.compile(r"[()\[\]*]"),
    ),
    ".csh": _Dialect(
        re.compile(rf"setenv\s+{_NAME}(?:\s+(?P<value>.*))?$"),
        re.compile(rf"unsetenv\s+{_NAME}\s*$"),
        re.compile(r"\$\{?(\w+)\}?"),
        re.compile(r"[`*\[]|\$\{?\w+:|\$[?#]"),
    ),
    # PowerShell and cmd know no case in the names of variables.
    ".ps1": _Dialect(
        re.compile(rf"\$\{{?env:{_NAME}\}}?\s*=\s*(?P<value>.*)$", re.IGNORECASE),
        re.compile(rf"Remove-Item\s+(?:-Path\s+)?\\?env:\\?{_NAME}\b.*$", re.IGNORECASE),
        re.compile(r"\$\{?env:(\w+)\}?", re.IGNORECASE),
        re.compile(r"\$\(|[+(]|\$(?!\{?env:)", re.IGNORECASE),
    ),
    ".bat": _Dialect(
        re.compile(rf"@?set\s+(?P<quote>\"?){_NAME}=(?P<value>.+?)(?P=quote)\s*$", re.IGNORECASE),
        re.compile(rf"@?set\s+\"?{_NAME}=\"?\s*$", re.IGNORECASE),
        re.compile(r"%(\w+)%"),
        re.compile(r"%~|%\w+:|!"),
    ),
}
_IN_QUOTES = re.compile(r"""^(["'])(.*)\1\s*;?$""")


def read(ending: str, text: str) -> tuple[Assignment, ...]:
    """Return what a script sets, by the end of its name; nothing where it is of no known shell."""
    dialect = _DIALECTS.get(ending)
    if dialect is None or len(text) > LONGEST:
        return ()
    return tuple(_steps(dialect, text))


def _steps(dialect: _Dialect, text: str) -> Iterator[Assignment]:
    for number, line in enumerate(text.split("\n"), 1):
        written = line.strip()[:_SHOWN]
        if unset := dialect.unsets.match(written):
            yield Assignment(action=Action.UNSET, variable=unset["name"], line=number, text=written)
        elif found := dialect.sets.match(written):
            parts = tuple(_parts(dialect, found["value"] or ""))
            yield Assignment(
                action=_action(found["name"], parts),
                variable=found["name"],
                parts=parts,
                line=number,
                text=written,
                is_exported=True,
            )


def _parts(dialect: _Dialect, value: str) -> Iterator[Part]:
    quoted = _IN_QUOTES.match(value.strip())
    inner = quoted[2] if quoted else value.strip().rstrip(";")
    if quoted and quoted[1] == "'":
        yield Literal(text=inner)
        return
    if dialect.computed.search(inner) or re.search(r"[\"']", inner):
        yield Computed(text=inner)
        return
    end = 0
    for variable in dialect.variable.finditer(inner):
        if variable.start() > end:
            yield Literal(text=inner[end : variable.start()])
        yield Reference(variable=variable[1], is_quoted=True)
        end = variable.end()
    if end < len(inner):
        yield Literal(text=inner[end:])


def _action(variable: str, parts: tuple[Part, ...]) -> Action:
    own = [
        i for i, part in enumerate(parts) if isinstance(part, Reference) and part.names(variable)
    ]
    if not own or len(parts) == 1:
        return Action.SET
    return Action.APPEND if own[0] == 0 else Action.PREPEND
