"""What the text of an activation script does to variables, in its order; nothing is run.

What is read is what bash, zsh and dash do alike, and what bash does where dash knows no such thing. The
rest is said to be unknown, at its line: a value that is computed, a variable that a loop may set, or,
where a script runs another, every variable.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.hooks.builtins import BUILTINS, CHANGES_ANYTHING, SPECIAL, runs
from reconciler.hooks.conditions import ALWAYS, negated
from reconciler.hooks.recording import Recording, TooLongError, guard
from reconciler.hooks.shell_commands import parse
from reconciler.hooks.shell_tree import (
    AndOr,
    Case,
    Expansion,
    Function,
    If,
    Loop,
    Not,
    Sequence,
    Simple,
    Test,
    Text,
    Word,
)
from reconciler.hooks.strict import harms
from reconciler.model.activation import (
    Action,
    Asks,
    Assignment,
    Computed,
    Condition,
    Guard,
    Literal,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.hooks.shell_tree import Node
    from reconciler.model.prefix import ActivationScript

#: A script of activation is a page; a longer one is a program.
LONGEST = 32_768
_MAX_DEPTH = 4
_TRUTHS = ((Literal(text="true"),), (Literal(text="false"),))
#: What may set variables that the text does not name.
_SETS_OTHERS = re.compile(
    r"(?<![\w-])(?:source|eval|module|ml|conda|mamba|micromamba|spack|read|mapfile|readarray|trap)(?![\w-])"
    r"|(?:^|[\s;&|({])\.\s|(?:export|unset|declare|typeset)\s+(?:-\w+\s+)*[\"']?[$`]"
)


def read(text: str) -> tuple[Assignment, ...]:
    """Return what a script of sh, bash or zsh does to variables."""
    if "\0" in text or len(text) > LONGEST:
        return (_unread("no text" if "\0" in text else f"longer than {LONGEST} characters"),)
    recording = Recording(text)
    nodes, error = parse(text)
    try:
        for node in nodes:
            _run(recording, node)
        if error:
            _unread_rest(recording, text[error.at :], error.at)
    except TooLongError:
        return (*recording.steps, _unread("too long"))
    return tuple(recording.steps)


def read_script(path: str, text: str) -> tuple[Assignment, ...]:
    """Return what a script does to variables, read as the shell of its name's end does."""
    ending = path[path.rfind(".") :] if "." in path else ""
    if ending in {".sh", ".bash", ".zsh"}:
        return read(text)
    from reconciler.hooks import dialects  # noqa: PLC0415 - most scripts are for sh

    return dialects.read(ending, text)


def with_steps(script: ActivationScript) -> ActivationScript:
    """Return a script with what it does to variables, and to the shell that sources it."""
    steps, done = read_script(script.path, script.text), harms(script.path, script.text)
    return replace(script, assignments=steps, harms=done)


def _unread_rest(recording: Recording, text: str, at: int) -> None:
    if _SETS_OTHERS.search(text):
        recording.anything(at)
    else:
        recording.mentioned(text, at)


def _unread(what: str) -> Assignment:
    return Assignment(action=Action.ANYTHING, line=1, text=f"(not read: it is {what})")


def _run(recording: Recording, node: Node) -> Condition:
    """Follow a command, and return on what it succeeds."""
    match node:
        case Simple():
            status = _simple(recording, node)
        case Test(words, at):
            status = recording.conditions.double(words, recording.shown(at))
        case AndOr():
            status = _and_or(recording, node)
        case Not(inner):
            status = negated(_run(recording, inner))
        case Sequence(nodes):
            status = ALWAYS
            for each in nodes:
                status = _run(recording, each)
        case _:
            status = _compound(recording, node)
    return status


def _compound(recording: Recording, node: Node) -> Condition:
    match node:
        case If(test, then, otherwise, _):
            condition = _run(recording, test)
            _within(recording, guard(condition, is_met=True), then)
            _within(recording, guard(condition, is_met=False), otherwise)
        case Case():
            _case(recording, node)
        case Loop():
            _loop(recording, node)
        case Function(name, body, _):
            recording.functions[name] = None if recording.guards or recording.calls else body
            return ALWAYS
        case _:
            pass
    return recording.unknown(getattr(node, "at", 0))


def _within(recording: Recording, guards: Iterable[Guard], node: Node) -> Condition:
    with recording.within(guards):
        return _run(recording, node)


def _and_or(recording: Recording, node: AndOr) -> Condition:
    left = _run(recording, node.left)
    right = _within(recording, guard(left, is_met=node.is_and), node.right)
    return Condition(asks=Asks.ALL if node.is_and else Asks.ANY, of=(left, right))


def _case(recording: Recording, node: Case) -> None:
    recording.side_effects((node.word,), node.at)
    others: tuple[Guard, ...] = ()
    for item in node.items:
        matches = recording.conditions.case(node.word, item.patterns, recording.shown(node.at))
        _within(recording, (*others, *guard(matches, is_met=True)), item.body)
        others = (*others, *guard(matches, is_met=False))


def _loop(recording: Recording, node: Loop) -> None:
    """Record what a loop may set, any number of times."""
    if any(recording.is_foreign(word.pieces) or _is_pattern(word) for word in node.words):
        recording.foreign.add(node.variable)
    first = len(recording.steps)
    maybe = (*recording.guards, *guard(recording.unknown(node.at), is_met=True))
    _within(recording, maybe, node.body)
    within, recording.steps[first:] = recording.steps[first:], []
    if node.variable:
        recording.computed(node.variable, node.at)
    for step in within:
        is_kept = step.action in {Action.ANYTHING, Action.END, Action.EXPORT}
        action = step.action if is_kept else Action.SET
        parts = () if is_kept else (Computed(text=step.text),)
        # Whatever led to it in one round may differ in the next.
        recording.append(replace(step, action=action, parts=parts, guards=maybe))


def _is_pattern(word: Word) -> bool:
    return any(isinstance(p, Text) and not p.is_quoted and "*" in p.text for p in word.pieces)


def _simple(recording: Recording, node: Simple) -> Condition:
    values = tuple(each.value for each in node.sets)
    recording.side_effects((*values, *node.words), node.at)
    if node.words:
        return _command(recording, node, node.words)
    for each in node.sets:
        recording.set(each, node.at)
    return recording.unknown(node.at) if any(map(runs, values)) else ALWAYS


def _command(recording: Recording, node: Simple, words: tuple[Word, ...]) -> Condition:
    while words[0].plain in {"command", "builtin"} and len(words) > 1:
        words = words[1:]
    name = words[0].plain
    if name is None and _is_true_or_false(recording, words):
        return recording.unknown(node.at)
    if name in {".", "source"} and len(words) > 1 and _completes(words[1]):
        return recording.unknown(node.at)
    if name is None or name in CHANGES_ANYTHING:
        return recording.anything(node.at)
    if name in SPECIAL or name in recording.functions:
        # What is set before a special built-in stays set in dash, and not in bash.
        for each in node.sets:
            recording.computed(each.variable, node.at)
    if name in recording.functions:
        _call(recording, name, node.at)
    elif name == "eval":
        _eval(recording, words[1:], node.at)
    elif effect := BUILTINS.get(name):
        return effect(recording, name, words[1:], node.at)
    return recording.unknown(node.at)


def _completes(word: Word) -> bool:
    """Tell whether a file is one of completions, which define functions alone."""
    texts = (piece.text for piece in word.pieces if isinstance(piece, Text))
    return any("/bash-completion/" in text or "/bash_completion" in text for text in texts)


def _is_true_or_false(recording: Recording, words: tuple[Word, ...]) -> bool:
    """Tell whether a command is a variable that holds a truth, as in ``if $ERROR``."""
    match words:
        case (Word(pieces=(Expansion(variable=variable, how=""),)),):
            values = [step.parts for step in recording.steps if step.variable == variable]
            return bool(values) and all(value in _TRUTHS for value in values)
    return False


def _call(recording: Recording, name: str, at: int) -> None:
    body = recording.functions[name]
    if body is None or recording.depth >= _MAX_DEPTH:
        recording.anything(at)
        return
    with recording.called(at), recording.in_function():
        _run(recording, body)


def _eval(recording: Recording, words: tuple[Word, ...], at: int) -> None:
    pieces = [piece for word in words for piece in word.pieces]
    if not all(isinstance(piece, Text) for piece in pieces):
        # It makes its commands of words that the script itself has, if of no others.
        recording.named_by(pieces, at)
    else:
        _eval_text(recording, " ".join(word.plain or "" for word in words), at)


def _eval_text(recording: Recording, text: str, at: int) -> None:
    nodes, error = parse(text)
    if recording.depth >= _MAX_DEPTH or error:
        _unread_rest(recording, text, at)
        return
    with recording.called(at):
        for node in nodes:
            _run(recording, node)
