"""The pieces of a word as parts of a value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.hooks.recipes import path_of
from reconciler.hooks.shell_tree import Expansion, Odd, Substitution, Text
from reconciler.model.activation import Computed, Glob, Literal, Reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.hooks.shell_tree import Piece
    from reconciler.model.activation import Part

#: What a shell sets itself, and changes as it goes.
_OF_THE_SHELL = re.compile(
    r"BASH\w*|ZSH\w*|RANDOM|SRANDOM|LINENO|SECONDS|EPOCH\w+|PWD|OLDPWD|SHLVL|IFS|OPTIND|OPTARG|PPID|E?UID"
    r"|HOST(?:NAME|TYPE)|OSTYPE|MACHTYPE|DIRSTACK|FUNCNAME|PIPESTATUS|GROUPS|REPLY|COLUMNS|LINES|PS[1-4]"
    r"|SHELLOPTS|COPROC|_|path|status|argv|prompt|fpath|cdpath|CDPATH|MAILPATH|mailpath|manpath"
)
_TILDE = re.compile(r"(^|:)~([^/:]*)")


def parts_of(pieces: Iterable[Piece], *, is_assigned: bool) -> tuple[Part, ...]:
    """Return a value that is assigned, or another word that no shell splits or takes for a pattern."""
    parts: list[Part] = []
    for index, piece in enumerate(pieces):
        if is_assigned and isinstance(piece, Text) and not piece.is_quoted and "~" in piece.text:
            parts += _with_home(piece.text, is_first=index == 0)
        elif (
            index == 0 and isinstance(piece, Text) and not piece.is_quoted and piece.text[:1] == "~"
        ):
            parts.append(Computed(text=piece.text))
        else:
            parts.append(_part(piece))
    return _joined(parts)


def pattern_of(pieces: Iterable[Piece]) -> tuple[Part, ...]:
    """Return a word that is a pattern, as after ``case``."""
    parts: list[Part] = []
    for piece in pieces:
        if not isinstance(piece, Text) or piece.is_quoted:
            parts.append(_part(piece))
            continue
        for text in re.split(r"([*?])", piece.text):
            if text in {"*", "?"}:
                parts.append(Glob(text=text))
            elif re.search(r"[\[\]()|~{}]", text):
                parts.append(Computed(text=text))
            else:
                parts.append(Literal(text=text))
    return _joined(parts)


def is_split(pieces: Iterable[Piece]) -> bool:
    """Tell whether a word that no quotes protect may become several, or none."""
    return any(
        not isinstance(piece, Text) and not getattr(piece, "is_quoted", False) for piece in pieces
    )


def _part(piece: Piece) -> Part:
    match piece:
        case Text(text=text):
            return Literal(text=text)
        case Expansion(variable=variable) if _OF_THE_SHELL.fullmatch(variable):
            return Computed(text=f"${variable}")
        case Expansion(variable, how, word, is_quoted):
            others = parts_of(word, is_assigned=False)
            if how.endswith("?") or any("~" in getattr(other, "text", "") for other in others):
                return Computed(text=f"${{{variable}{how}...}}")
            return Reference(variable=variable, how=how, otherwise=others, is_quoted=is_quoted)
        case Substitution(script):
            return path_of(script)
        case Odd(text):
            return Computed(text=text)


def _with_home(text: str, *, is_first: bool) -> Iterator[Part]:
    """Put the home folder in the place of a tilde that begins a path."""
    end = 0
    for tilde in _TILDE.finditer(text):
        # Behind an expansion zsh expands it, and bash does not.
        is_odd = bool(tilde[2]) or (not is_first and not tilde[1])
        yield Literal(text=text[end : tilde.start()] + tilde[1])
        yield Computed(text=tilde[0]) if is_odd else Reference(variable="HOME", is_quoted=True)
        end = tilde.end()
    yield Literal(text=text[end:])


def _joined(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Join the texts that follow each other."""
    joined: list[Part] = []
    for part in parts:
        last = joined[-1] if joined else None
        if isinstance(part, Literal) and not part.text:
            continue
        if isinstance(part, Literal) and isinstance(last, Literal):
            joined[-1] = Literal(text=last.text + part.text)
        else:
            joined.append(part)
    return tuple(joined)
