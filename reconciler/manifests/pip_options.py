"""The options of one line, as pip's option parser (optparse, after shlex) takes them.

The table is that of ``pip._internal.req.req_file``, of pip 23 and pip 26 together.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What pip calls an option within; those that end in = take a value.
OPTIONS = {
    "-i=": "index",
    "--index-url=": "index",
    "--pypi-url=": "index",
    "--extra-index-url=": "extra-index",
    "-f=": "links",
    "--find-links=": "links",
    "-r=": "requirement",
    "--requirement=": "requirement",
    "-c=": "constraint",
    "--constraint=": "constraint",
    "-e=": "editable",
    "--editable=": "editable",
    "--no-index": "no-index",
    "--no-binary=": "format",
    "--only-binary=": "format",
    "--prefer-binary": "prefer-binary",
    "--require-hashes": "hashes",
    "--no-require-hashes": "hashes",
    "--pre": "pre",
    "--all-releases=": "pre",
    "--only-final=": "pre",
    "--trusted-host=": "host",
    "--use-feature=": "feature",
    "--hash=": "hash",
    "-C=": "setting",
    "--config-settings=": "setting",
    "--global-option=": "global-option",
    "--install-option=": "install-option",
}
_BY_NAME = {name.rstrip("="): (use, name.endswith("=")) for name, use in OPTIONS.items()}
_LONG = tuple(name for name in _BY_NAME if name.startswith("--"))
#: Those that belong to the requirement in front of them.
OF_REQUIREMENT = frozenset({"hash", "setting", "global-option", "install-option"})
_BEGIN = re.compile(r"(?:^|(?<= ))-")
_WORD = re.compile(r"""(?:[^ \t\r\n'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+""", re.DOTALL)
_SPACE = re.compile(r"[ \t\r\n]*")
_QUOTING = re.compile(r"['\"\\]")


class Word(NamedTuple):
    """A word of the options, as the shell's rules of quoting read it."""

    text: str
    #: In the line.
    start: int
    end: int


class Option(NamedTuple):
    """One option, with the place of its name in the line."""

    #: One of the values of OPTIONS.
    use: str
    value: str
    start: int
    end: int


class OptionLine(NamedTuple):
    """A line, taken apart."""

    #: What stands in front of the first option: a requirement, or nothing.
    requirement: str
    options: tuple[Option, ...]
    #: Words behind an option that are no option: pip drops them.
    strays: tuple[Word, ...]
    #: Why pip refuses the options, as it says it; "" where it does not.
    refused: str = ""
    #: Where it does.
    refused_at: int = 0


class _RefusedError(Exception):
    def __init__(self, why: str, at: int) -> None:
        super().__init__(why)
        self.at = at


def take_apart(text: str) -> OptionLine:
    """Split a logical line into its requirement, its options and what pip drops."""
    begin = _BEGIN.search(text)
    if begin is None:
        return OptionLine(text, (), ())
    requirement = text[: begin.start()].rstrip(" ")
    options: list[Option] = []
    strays: list[Word] = []
    try:
        words = [*_words(text, begin.start())]
        for found in _parsed(words):
            (options if isinstance(found, Option) else strays).append(found)  # type: ignore[arg-type]  # told apart by the condition
    except _RefusedError as error:
        return OptionLine(requirement, tuple(options), tuple(strays), str(error), error.at)
    return OptionLine(requirement, tuple(options), tuple(strays))


def _words(text: str, start: int) -> Iterator[Word]:
    while start < len(text):
        match = _WORD.match(text, start)
        if match is None:
            raise _RefusedError(f"a quote in {text[start:]!r} is not closed", start)
        word = match[0]
        if _QUOTING.search(word):
            import shlex  # noqa: PLC0415 - few lines quote anything

            word = "".join(shlex.split(word))
        yield Word(word, match.start(), match.end())
        space = _SPACE.match(text, match.end())
        start = space.end() if space else len(text)


def _parsed(words: list[Word]) -> Iterator[Option | Word]:
    rest = iter(words)
    for word in rest:
        if word.text == "--":
            yield from rest
        elif word.text.startswith("--"):
            yield _long(word, rest)
        elif word.text.startswith("-") and len(word.text) > 1:
            yield _short(word, rest)
        else:
            yield word


def _long(word: Word, rest: Iterator[Word]) -> Option:
    name, equals, value = word.text.partition("=")
    full = [known for known in _LONG if known.startswith(name)]
    if name not in _BY_NAME and len(full) != 1:
        why = f"{name} is ambiguous" if full else f"pip knows no option {name} in a file"
        raise _RefusedError(why, word.start)
    use, takes = _BY_NAME[name if name in _BY_NAME else full[0]]
    if not takes:
        if equals:
            raise _RefusedError(f"{name} takes no value", word.start)
        return Option(use, "", word.start, word.end)
    if equals:
        return Option(use, value, word.start, word.end)
    return _valued(use, name, word, rest)


def _short(word: Word, rest: Iterator[Word]) -> Option:
    name, value = word.text[:2], word.text[2:]
    if name not in _BY_NAME:
        raise _RefusedError(f"pip knows no option {name} in a file", word.start)
    use, _ = _BY_NAME[name]
    if value:
        return Option(use, value, word.start, word.end)
    return _valued(use, name, word, rest)


def _valued(use: str, name: str, word: Word, rest: Iterator[Word]) -> Option:
    value = next(rest, None)
    if value is None:
        raise _RefusedError(f"{name} lacks its value", word.start)
    return Option(use, value.text, word.start, value.end)
