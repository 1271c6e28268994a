"""The commands that mend an environment, as a shell script for its user to read and to run."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from reconciler.model.os_name import printable
from reconciler.model.steps import line_of, merge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.model.conversion import Conversion
    from reconciler.model.finding import Finding
    from reconciler.model.fix import Command
    from reconciler.model.snapshot import Target
    from reconciler.model.steps import Step, Steps
    from reconciler.model.turning import Turning, TurningStep

WIDTH = 100
_ADVICE = (
    "envfix has run none of this. Read it first, and keep a copy of the environment, or of the list"
    " of what is in it, if it cannot be made anew. It stops at the first step that fails, and may be"
    " run again."
)
# pip would else find, and remove, what lies in another environment.
ALONE = """\
# The managers are to see this environment alone.
unset PYTHONPATH PYTHONHOME
PYTHONNOUSERSITE=1
export PYTHONNOUSERSITE
"""


def render(findings: Iterable[Finding], target: Target, *, envfix: str) -> str:
    """Return one POSIX shell script of the commands that the findings' fixes have.

    What is left to a person (DISPLAY), and what would undo an earlier fix, is said in comments.
    """
    steps = merge(findings)
    return "\n".join([*_head(steps, target, envfix), *_body(steps)]) + "\n"


def render_turning(turning: Turning, conversion: Conversion, target: Target, *, envfix: str) -> str:
    """Return one POSIX shell script that makes conda supply what a conversion asks for."""
    said = [f"Written by envfix {envfix} for {target.prefix} ({target.platform})."]
    said.append(f"It makes conda supply the CUDA of {turning.prefix}.")
    cuda = conversion.decided(target.platform)
    said += [f"CUDA {cuda.release}: {'; '.join(cuda.because)}."] if cuda.release else []
    proofs = [proof for proof in conversion.proofs if proof.proof.platform == target.platform]
    said += [f"  {repair.says}" for proof in proofs for repair in proof.repairs]
    said += [f"{note}." for note in turning.notes]
    lines = ["#!/bin/sh", *(line for text in said for line in _comment(text)), "#"]
    lines += [*_comment(_ADVICE), "set -eu", "", *ALONE.splitlines()]
    for step in turning.steps:
        lines += ["", *_comment(f"{step.command.why}."), *_guarded(step)]
    return "\n".join(lines) + "\n"


def _guarded(step: TurningStep) -> Iterator[str]:
    """Yield a command that passes over what an earlier run has done."""
    commands = [*_run(step.command)]
    import shlex  # noqa: PLC0415 - as in line_of

    if step.only_if:
        yield f"if [ -e {shlex.quote(step.only_if)} ]; then"
    elif step.unless:
        yield f"if ! ls {shlex.quote(step.unless)}[0-9]*.json >/dev/null 2>&1; then"
    else:
        yield from commands
        return
    yield from (f"  {line}" for line in commands)
    yield "fi"


def _head(steps: Steps, target: Target, envfix: str) -> Iterator[str]:
    yield "#!/bin/sh"
    yield from _comment(f"Written by envfix {envfix} for {target.prefix} ({target.platform}).")
    yield "#"
    if not steps.steps:
        yield from _comment("There is nothing to run.")
    for finding in steps.findings:
        yield from _comment(f"{finding.code} {finding.message}.")
        if finding.fix:
            yield from _comment(f"  To mend it: {finding.fix.title}.")
    for left in steps.left_out:
        yield from _comment(f"{left.finding.code} {left.finding.message}.")
        yield from _comment(f"  Not in here: {left.why}.")
    yield "#"
    yield from _comment(_ADVICE)
    yield "set -eu"


def _body(steps: Steps) -> Iterator[str]:
    if steps.steps:
        yield ""
        yield from ALONE.splitlines()
    for step in steps.steps:
        yield ""
        yield from _step(step)


def _step(step: Step) -> Iterator[str]:
    codes = ", ".join(step.codes)
    for number, reason in enumerate(step.reasons):
        yield from _comment(f"{'and' if number else codes}: {reason}.")
    yield from _run(step.command)


def _run(command: Command) -> Iterator[str]:
    if command.times > 1:
        yield from _comment(f"It is run {command.times} times, once for each that is there.")
    yield from [line_of(command)] * command.times


def _comment(text: str) -> Iterator[str]:
    """Yield lines of a comment; a name from the environment cannot end it."""
    indent = " " * (len(text) - len(text.lstrip()))
    lines = textwrap.wrap(
        printable(text),
        width=WIDTH,
        initial_indent="# ",
        subsequent_indent=f"# {indent}",
        break_long_words=False,
        break_on_hyphens=False,
    )
    yield from lines
