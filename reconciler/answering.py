"""What envfix answers a program that asks it (``reconciler.asking``): JSON on stdout, no more."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from reconciler.errors import EnvfixError
from reconciler.model.finding import Severity
from reconciler.model.os_name import from_os, printable
from reconciler.model.snapshot import Choice, Fact

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.model.finding import Finding
    from reconciler.model.report import Report

#: What can be told of an environment while its user waits for the prompt: what conda and pip say
#: they have installed. Libraries are not opened, and no loader is played.
QUICK_FACTS = frozenset({Fact.RECORDS, Fact.PYTHON, Fact.DISTRIBUTIONS})
#: The rules that hold the two against each other.
QUICK_RULES = ("CUD", "DUP")
CANNOT_GO_ON = 2


class Told(Struct, frozen=True, kw_only=True):
    """A finding, safe for a terminal."""

    code: str
    severity: str
    message: str
    remedy: str
    #: The commands that its fix has, as a shell takes them.
    commands: tuple[str, ...] = ()


class Health(Struct, frozen=True, kw_only=True):
    """What is wrong with an environment."""

    #: The worst first; what is for information is left out.
    findings: tuple[Told, ...]
    #: Whether anything in it has to do with CUDA.
    uses_cuda: bool
    #: The codes of rules that crashed.
    crashed: tuple[str, ...] = ()


class Hook(Struct, frozen=True, kw_only=True):
    """The activation hook that an environment is proven to need."""

    #: Whether there is something to write.
    is_due: bool
    #: What it is to do, and the proof, for a person to read.
    story: str


class Advice(Struct, frozen=True, kw_only=True):
    """What is known of an error: its class, and sentences."""

    id: str
    cause: str
    remedy: str


def main() -> None:
    """Answer the question that the command line asks."""
    gc.disable()  # as __main__ does
    question, *arguments = sys.argv[1:]
    try:
        told = QUESTIONS[question](*arguments)
    except EnvfixError as error:
        sys.stderr.write(printable(from_os(str(error))))
        sys.exit(CANNOT_GO_ON)
    sys.stdout.buffer.write(msgspec.json.encode(told))
    sys.stdout.flush()
    os._exit(0)


def health(prefix: str, depth: str) -> Health:
    """Return what is wrong with an environment, whatever project the user is in.

    With the depth ``quick``, only what conda and pip have written down is read.
    """
    from reconciler import pipeline  # noqa: PLC0415 - advice does without

    if depth == "quick":
        # No file of a project is read: the environment stands for it.
        seen = pipeline.look(
            prefix, Choice(prefix=prefix), os.environ, host=False, facts=QUICK_FACTS
        )
        return _health(pipeline.scan(seen, select=QUICK_RULES))
    import tempfile  # noqa: PLC0415 - who is in a hurry does without

    with tempfile.TemporaryDirectory() as nowhere:
        seen = pipeline.look(nowhere, Choice(prefix=prefix), os.environ)
        return _health(pipeline.scan(seen))


def _health(report: Report) -> Health:
    return Health(
        findings=tuple(_told(f) for f in report.findings if f.severity is not Severity.INFO),
        uses_cuda=bool(report.builds),
        crashed=tuple(crash.code for crash in report.crashes),
    )


def _told(finding: Finding) -> Told:
    from reconciler.model.steps import line_of  # noqa: PLC0415 - nothing is wrong with most

    commands = finding.fix.commands if finding.fix else ()
    return Told(
        code=finding.code,
        severity=finding.severity,
        message=printable(finding.message),
        remedy=printable(finding.remedy),
        commands=tuple(printable(line_of(command)) for command in commands),
    )


def hook(prefix: str, act: str) -> Hook:
    """Return what activation is proven to need that is not written yet; with ``write``, write it."""
    from reconciler import activation  # noqa: PLC0415 - the others do without
    from reconciler.output import hooks as page  # noqa: PLC0415 - as above

    target = activation.at(prefix, Choice(prefix=prefix), os.environ)
    offer = activation.offer(target, os.environ, unsafe=False)
    changes = activation.install(target, offer.changes) if offer.changes else ()
    is_due = any(one.before != one.after for one in changes)
    if act != "write":
        return Hook(is_due=is_due, story=page.render_offer(offer, target))
    names = activation.write(target, changes).names
    story = "".join(f"written {printable(from_os(name))}\n" for name in names)
    return Hook(is_due=False, story=story)


def advice() -> tuple[Advice, ...]:
    """Return what is known of the errors in what is piped in, the most specific first."""
    from reconciler import explaining  # noqa: PLC0415 - the others do without

    return tuple(
        Advice(id=one.error.id, cause=one.error.cause, remedy=one.error.remedy)
        for one in explaining.recognize([sys.stdin.buffer.read()])
    )


QUESTIONS: Mapping[str, Callable[..., Struct | tuple[Struct, ...]]] = {
    "health": health,
    "hook": hook,
    "advice": advice,
}
