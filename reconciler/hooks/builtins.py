"""The built-in commands of the shells that have to do with variables, and what each does to them."""

from __future__ import annotations

import re
from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING

from reconciler.hooks.conditions import ALWAYS, negated
from reconciler.hooks.recording import expansions
from reconciler.hooks.shell_tree import Set, Substitution, Text, Word
from reconciler.model.activation import Action

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reconciler.hooks.recording import Recording
    from reconciler.model.activation import Condition

    _Effect = Callable[[Recording, str, Sequence[Word], int], Condition]

#: What runs other scripts here, or is a function of the user's shell that does.
CHANGES_ANYTHING = frozenset(
    {
        *(".", "source", "trap", "emulate", "enable"),
        *("conda", "mamba", "micromamba", "activate", "deactivate", "workon", "pyenv", "nvm"),
        *("module", "ml", "spack", "lmod", "use", "modulecmd"),
        *("vared", "zparseopts", "integer", "float", "setenv", "unsetenv"),
    }
)
#: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html, 2.15
SPECIAL = frozenset({":", "eval", "exec", "exit", "export", "readonly", "return", "set", "unset"})
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_SET = re.compile(r"([A-Za-z_]\w*)(\+?)=", re.ASCII)


class _Option(Enum):
    """What an option of a declaration means."""

    EXPORTED = "x"
    GLOBAL = "g"
    READ_ONLY = "r"
    FUNCTIONS = "f"
    VARIABLES = "v"
    OTHER = ""


_LETTERS = {option.value: option for option in _Option if option.value}
_PLAIN = {_Option.EXPORTED, _Option.GLOBAL, _Option.READ_ONLY}


def _options(words: Sequence[Word]) -> tuple[set[_Option], Sequence[Word]]:
    """Return the options that operands begin with, and the other operands."""
    found: set[_Option] = set()
    while words and (text := words[0].plain) and text[0] in "-+" and len(text) > 1:
        words = words[1:]
        if text == "--":
            break
        is_off = text[0] == "+" or "n" in text
        letters = {_LETTERS.get(letter, _Option.OTHER) for letter in text[1:]}
        found |= {_Option.OTHER} if is_off else letters
    return found, words


def _test(recording: Recording, name: str, words: Sequence[Word], at: int) -> Condition:
    return recording.conditions.single(name, words, recording.shown(at))


def _always(_: Recording, __: str, ___: Sequence[Word], ____: int) -> Condition:
    return ALWAYS


def _never(_: Recording, __: str, ___: Sequence[Word], ____: int) -> Condition:
    return negated(ALWAYS)


def _declare(recording: Recording, name: str, words: Sequence[Word], at: int) -> Condition:
    asked, words = _options(words)
    if _Option.FUNCTIONS in asked:
        return ALWAYS
    is_exported = name == "export" or _Option.EXPORTED in asked
    is_local = name == "local" or (bool(recording.calls) and name in {"declare", "typeset"})
    is_plain = asked <= _PLAIN and not is_local
    if is_local and _Option.GLOBAL not in asked:
        named = (_NAME.match(word.plain or _begin(word)) for word in words)
        recording.locals |= {name[0] for name in named if name}
    declared: set[str] = set()
    for word in words:
        found = as_set(word)
        # All operands are expanded before the first is set.
        is_late = any(each.variable in declared for each in expansions(word.pieces))
        if found is None:
            _declare_name(recording, word, at, is_exported=is_exported, is_plain=is_plain)
            continue
        declared.add(found.variable)
        if is_plain and not is_late:
            recording.set(found, at, is_exported=is_exported)
        else:
            recording.computed(found.variable, at, is_exported=is_exported)
    return recording.unknown(at) if any(map(runs, words)) else ALWAYS


def _begin(word: Word) -> str:
    texts = (piece.text for piece in word.pieces if isinstance(piece, Text) and piece.text)
    return next(texts, "")


def _declare_name(
    recording: Recording, word: Word, at: int, *, is_exported: bool, is_plain: bool
) -> None:
    name = word.plain or ""
    if not _NAME.fullmatch(name):
        recording.named_by(word.pieces, at)
    elif not is_plain:
        recording.computed(name, at, is_exported=is_exported)
    elif is_exported:
        recording.add(Action.EXPORT, name, at=at, is_exported=True)


def _unset(recording: Recording, _: str, words: Sequence[Word], at: int) -> Condition:
    asked, words = _options(words)
    for name, word in ((word.plain or "", word) for word in words):
        if _Option.FUNCTIONS in asked:
            recording.functions.pop(name, None)
        elif _NAME.fullmatch(name):
            recording.add(Action.UNSET, name, at=at)
        else:
            recording.named_by(word.pieces, at)
    return ALWAYS


def _set_options(recording: Recording, _: str, words: Sequence[Word], at: int) -> Condition:
    texts = [word.plain or "" for word in words]
    for text, following in pairwise([*texts, ""]):
        if text == "--":
            break
        is_named = text in {"-o", "+o"} and following == "allexport"
        if is_named or re.fullmatch(r"[-+][a-zA-Z]*a[a-zA-Z]*", text):
            recording.exports_all = text.startswith("-")
            if recording.guards:
                return recording.anything(at)
    return ALWAYS


def _reads(recording: Recording, _: str, words: Sequence[Word], at: int) -> Condition:
    for word in words:
        _computed_by(recording, word, at)
    return recording.unknown(at)


def _printf(recording: Recording, _: str, words: Sequence[Word], at: int) -> Condition:
    if len(words) > 1 and words[0].plain == "-v":
        _computed_by(recording, words[1], at)
    return recording.unknown(at)


def _computed_by(recording: Recording, word: Word, at: int) -> None:
    """Make what a built-in sets by its name unknown."""
    if word.plain is None:
        recording.named_by(word.pieces, at)
    elif name := _NAME.match(word.plain):
        recording.foreign.add(name[0])
        recording.computed(name[0], at)


def _moves(recording: Recording, _: str, __: Sequence[Word], at: int) -> Condition:
    recording.computed("PWD", at)
    recording.computed("OLDPWD", at)
    return recording.unknown(at)


def _exec(recording: Recording, _: str, words: Sequence[Word], at: int) -> Condition:
    if words:
        recording.add(Action.END, at=at)
    return recording.unknown(at)


def _return(recording: Recording, name: str, _: Sequence[Word], at: int) -> Condition:
    """End the script, or the function that is called."""
    if recording.calls and name == "return":
        recording.returned()
    else:
        recording.add(Action.END, at=at)
    return recording.unknown(at)


#: A command that is not here is a program, and changes no variable.
BUILTINS: Mapping[str, _Effect] = {
    **dict.fromkeys(("[", "test"), _test),
    **dict.fromkeys(("true", ":"), _always),
    "false": _never,
    **dict.fromkeys(("export", "declare", "typeset", "readonly", "local"), _declare),
    "unset": _unset,
    "set": _set_options,
    **dict.fromkeys(("return", "exit"), _return),
    **dict.fromkeys(("read", "mapfile", "readarray", "getopts", "let", "wait"), _reads),
    **dict.fromkeys(("cd", "pushd", "popd"), _moves),
    "printf": _printf,
    "exec": _exec,
}


def runs(word: Word) -> bool:
    """Tell whether a command is run to make a word."""
    return any(isinstance(piece, Substitution) for piece in word.pieces)


def as_set(word: Word) -> Set | None:
    """Return ``X=value`` as an operand, its name quoted or not."""
    for index, piece in enumerate(word.pieces):
        if not isinstance(piece, Text):
            return None
        if not piece.text:
            continue
        found = _SET.match(piece.text)
        if not found:
            return None
        rest = Text(piece.text[found.end() :], piece.is_quoted)
        value = Word((rest, *word.pieces[index + 1 :]), word.at, word.end)
        return Set(found[1], value, is_added=bool(found[2]))
    return None
