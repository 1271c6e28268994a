"""A script of activation stops a strict shell, makes the shell a strict one, or leaves it.

It reads a variable that need not be set, `$LD_LIBRARY_PATH`, which under `set -u` is an error; its
last command is a question such as `[ -d ... ] && ...`, which under `set -e` ends the shell where the
answer is no; it has `exit`; or it has `set -e` or `set -u`, which then stay in force in the
terminal. csh is always strict about variables.

Judged are scripts that somebody wrote, for activation and deactivation, in the environment and in
the project. Silent on those of conda's packages, and on variables that conda, the login or another
script of the environment sets. What only a strict shell would see is information, unless something
else follows from it: where the variable is not set, `directory:$LD_LIBRARY_PATH` ends in an empty
entry, and the loader takes that for the current folder.

Why it matters
--------------
Job scripts and continuous integration run under `set -euo pipefail`. `conda activate` then ends
them with `LD_LIBRARY_PATH: unbound variable`, or with no word at all. On the next machine, where
the variable happens to be set, the same job runs.

Fix safety
----------
The line of a script of the project is written as it is right. It is unsafe: an empty entry at the
end of a list might have been meant. In an environment no fix is applied, and the line is told.

References
----------
- conda/conda#9966: `set -u` ends a script where a hook of glib reads a variable that is not set
- conda/conda#9979: `PROJ_LIB: unbound variable` in a job that activates an environment under nounset and errexit
- KatanaGraph/katana#673: strict mode has to be switched off around each activation
- ESSS/conda-devenv#37: what was not set before, and values without quotes, in generated hooks

"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.model.activation import Asks, Reference
from reconciler.model.finding import Severity, cause_of
from reconciler.model.fix import Applicability, Fix, Replace
from reconciler.model.hook_harm import Harm
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.activation import Assignment
    from reconciler.model.finding import Finding
    from reconciler.model.foreign_hook import ForeignHook
    from reconciler.model.hook_harm import ShellHarm
    from reconciler.world import World

RULE = Rule(
    code="HUK803",
    name="hook-breaks-strict-shell",
    severity=Severity.WARNING,
    needs_any=frozenset({Fact.STATE, Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
conda: []
state:
  scripts:
    - path: etc/conda/activate.d/env_vars.sh
      text: export LD_LIBRARY_PATH="$CONDA_PREFIX/targets/x86_64-linux/lib:$LD_LIBRARY_PATH"
"""

GOOD = """\
conda: []
state:
  scripts:
    - path: etc/conda/activate.d/env_vars.sh
      text: export LD_LIBRARY_PATH="$CONDA_PREFIX/targets/x86_64-linux/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
"""

#: An empty entry of these is the current folder: ld.so(8), and Python's documentation of PYTHONPATH.
_CURRENT_FOLDER = {"LD_LIBRARY_PATH": "the loader", "PYTHONPATH": "Python"}


def check(world: World) -> Iterator[Finding]:
    """Tell of each script what it does to the shell, the worst first."""
    for hook in world.hook_audit.foreign:
        known = world.hook_audit.set_before(hook)
        harms = [one for one in hook.script.harms if one.variable not in known or not one.variable]
        if harms:
            worst = min(harms, key=lambda one: (_ORDER.index(one.harm), one.line))
            yield _finding(world, hook, worst, harms)


_ORDER = (Harm.EXITS, Harm.MAKES_STRICT, Harm.UNBOUND, Harm.LAST_FAILS)


def _finding(
    world: World, hook: ForeignHook, worst: ShellHarm, harms: Sequence[ShellHarm]
) -> Finding:
    reader = _CURRENT_FOLDER[worst.variable] if _empty_ended(hook, worst) else ""
    is_seen = bool(reader) or worst.harm in {Harm.EXITS, Harm.MAKES_STRICT} or hook.ending == ".csh"
    return RULE.finding(
        _message(hook, worst),
        at=hook.at(worst.line),
        shows_as=_shown(hook, worst, reader),
        remedy=_remedy(hook, worst),
        severity=None if is_seen else Severity.INFO,
        evidence=tuple(dict.fromkeys(hook.shown(one.line, one.text) for one in harms))[:6],
        fix=_fix(world, hook, harms),
        cause=cause_of(RULE.name, hook.path),
        explained_by=hook.explained_by(RULE.name),
    )


def _fix(world: World, hook: ForeignHook, harms: Sequence[ShellHarm]) -> Fix | None:
    """Return the fix of a script of the project, if it mends all that the script does."""
    manifest = next((m for m in world.snapshot.manifests if m.path == hook.path), None)
    if hook.in_prefix or manifest is None or hook.ending == ".csh":
        return None
    edits: list[Replace] = []
    for line in manifest.declared:
        name, _, value = line.text.partition("=")
        for harm in harms:
            value = _mended(harm.variable, value) if harm.variable else value
        if f"{name}={value}" != line.text:
            edits.append(Replace(line=line, text=f"{name}={value}"))
    places = {edit.line.line for edit in edits}
    if not all(harm.harm is Harm.UNBOUND and harm.line in places for harm in harms):
        return None
    names = " and ".join(dict.fromkeys(harm.variable for harm in harms))
    return Fix(
        title=f"read {names} so that it need not be set",
        applicability=Applicability.UNSAFE,
        edits=tuple(edits),
    )


def _message(hook: ForeignHook, worst: ShellHarm) -> str:
    match worst.harm:
        case Harm.EXITS:
            return f"{hook.path} has `exit`, which leaves the shell that activates the environment"
        case Harm.MAKES_STRICT:
            return f"{hook.path} has `{worst.text}`, which stays in force in the user's shell"
        case Harm.UNBOUND:
            return f"{hook.path} reads {worst.variable}, which need not be set"
    # Harm.LAST_FAILS
    return f"{hook.path} ends with a question, and fails where the answer is no"


def _shown(hook: ForeignHook, worst: ShellHarm, reader: str) -> str:
    command = "conda activate" if hook.is_entering else "conda deactivate"
    match worst.harm:
        case Harm.EXITS:
            return f"the terminal closes, or the job ends, at `{command}`"
        case Harm.MAKES_STRICT:
            return "after the activation the terminal closes at the first command that fails"
        case Harm.UNBOUND if hook.ending == ".csh":
            return f"`{worst.variable}: Undefined variable.`, and the rest of the script is not run"
        case Harm.UNBOUND:
            empty = f"; in any shell, {reader} also looks in the current folder" if reader else ""
            return f"`{worst.variable}: unbound variable` at `{command}` under `set -u`{empty}"
    # Harm.LAST_FAILS
    return f"under `set -e` a script ends at `{command}` without a word"


def _remedy(hook: ForeignHook, worst: ShellHarm) -> str:
    match worst.harm:
        case Harm.UNBOUND if hook.ending == ".csh":
            return f"ask `if ($?{worst.variable}) then` first, and set it without in the `else`"
        case Harm.EXITS:
            return "write `return` in the place of `exit`: the script is sourced, not run"
        case Harm.MAKES_STRICT:
            return f"take `{worst.text}` out: the script is sourced, and its options become the shell's"
        case Harm.UNBOUND:
            lines = (worst.text, *(s.text for s in _empty_ended(hook, worst)))
            mended = dict.fromkeys(_mended(worst.variable, line) for line in lines)
            return f"write {' and '.join(f'`{line}`' for line in mended)}"
    # Harm.LAST_FAILS
    return f"write `if ...; then ...; fi` in the place of `{worst.text}`, or `:` as the last line"


def _mended(name: str, text: str) -> str:
    """Return a line that does the same where a variable is set, and no harm where it is not."""
    read = rf"\$(?:{name}\b|\{{{name}\}})"
    for pattern, better in (
        (rf":{read}(?![:/\w.-])", f"${{{name}:+:${name}}}"),
        (rf"(?<![\w/}}:.-]){read}:", f"${{{name}:+${name}:}}"),
    ):
        if re.search(pattern, text):
            return re.sub(pattern, better, text, count=1)
    return re.sub(read, f"${{{name}:-}}", text)


def _empty_ended(hook: ForeignHook, worst: ShellHarm) -> list[Assignment]:
    """Return the lists set from there on that have an empty entry where it was not set before."""
    if worst.harm is not Harm.UNBOUND or worst.variable not in _CURRENT_FOLDER:
        return []
    return [
        step
        for step in hook.changes
        if step.line >= worst.line
        and step.variable == worst.variable
        and not _is_asked_for(step)
        and len(hook.elements(step)) > 1
        and any(_is_alone(element, step.variable) for element in hook.elements(step))
    ]


def _is_alone(element: Sequence[object], variable: str) -> bool:
    match element:
        case [Reference(how=how, otherwise=()) as part]:
            return part.variable == variable and not how.endswith("+")
    return False


def _is_asked_for(step: Assignment) -> bool:
    """Tell whether the line is reached only where the variable is known to hold something."""
    asked = (guard.condition for guard in step.guards)
    return any(
        one.asks in {Asks.FILLED, Asks.EMPTY, Asks.IS_SET, Asks.ALL, Asks.ANY, Asks.NOT}
        for one in asked
    )
