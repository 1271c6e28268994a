"""``envfix hooks``: the activation hook of an environment, looked at, written and taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from reconciler import completing, progress, terminal
from reconciler.cli_group import Group
from reconciler.model.os_name import from_os, printable
from reconciler.options import coloring
from reconciler.values import variables

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.model.look import Look
    from reconciler.model.report import FileChange
    from reconciler.model.snapshot import Target

CLEAN, FINDINGS = 0, 1
#: The family of each shell that a user may name.
_FAMILIES = {
    **dict.fromkeys(("bash", "zsh", "dash", "ksh", "xonsh", "posix"), "posix"),
    "fish": "fish",
    **dict.fromkeys(("csh", "tcsh"), "csh"),
    **dict.fromkeys(("powershell", "pwsh"), "powershell"),
    "cmd": "cmd",
}
_AGAIN = "a shell that has the environment active takes it in when it activates it again"
_OPEN_NEW = "a shell that has the environment active keeps what it has: open a new one"


@click.group(cls=Group)
def hooks() -> None:
    """Look at, write or remove what the activation of an environment does for its libraries."""


def _environment(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        coloring,
        click.option(
            "-n",
            "--name",
            metavar="NAME",
            shell_complete=completing.environments,
            help="The conda environment of this name.",
        ),
        click.option(
            "-p",
            "--prefix",
            metavar="DIR",
            shell_complete=completing.a_folder,
            help="The environment in this folder.",
        ),
        click.argument("project", default=".", shell_complete=completing.a_folder),
    ):
        command = option(command)
    return command


@hooks.command(short_help="How the hook is, and whether more is needed today.")
@_environment
def status(*, project: str, prefix: str | None, name: str | None, color: str) -> int:
    """Tell whether the hook is as envfix wrote it, and what is needed today."""
    from reconciler import activation  # noqa: PLC0415 - `envfix --version` does without
    from reconciler.output import hooks as story  # noqa: PLC0415 - as above

    target = _target(project, prefix, name)
    found = activation.status(target)
    if found is not None:
        with progress.shown("playing what an activation would change"):
            wanted = activation.offer(target, terminal.environ(), unsafe=False)
        found = activation.status(target, wanted)
    terminal.emit(story.render_status(found, target, terminal.look(color)), None)
    return CLEAN if found is None or (found.is_whole and not found.is_stale) else FINDINGS


@hooks.command(short_help="Write the hook that the environment is proven to need.")
@_environment
@click.option("--diff", is_flag=True, help="Only show what would be written, as a diff.")
@click.option(
    "--unsafe-fixes", "unsafe", is_flag=True, help="Take away what somebody has set, too."
)
@click.option(
    "--pin-conda", "is_pinned", is_flag=True, help="Keep pip from replacing conda's CUDA packages."
)
@click.option(
    "--shell",
    "shells",
    multiple=True,
    type=click.Choice([*_FAMILIES]),
    help="Write for this shell alone.",
)
@click.option(
    "--env",
    "supposed",
    metavar="VAR=VALUE",
    multiple=True,
    callback=variables,
    help="As if this variable were set; an empty VALUE unsets it.",
)
def install(  # noqa: PLR0913 - each is an option of the command
    *,
    project: str,
    prefix: str | None,
    name: str | None,
    diff: bool,
    unsafe: bool,
    is_pinned: bool,
    shells: tuple[str, ...],
    supposed: tuple[tuple[str, str], ...],
    color: str,
) -> int:
    """Write the hook that the environment is proven to need; `envfix hooks remove` takes it away."""
    from reconciler import activation  # noqa: PLC0415 - `envfix --version` does without
    from reconciler.output import hooks as story  # noqa: PLC0415 - as above

    target = _target(project, prefix, name)
    environ = terminal.environ(dict(supposed))
    with progress.shown("playing what an activation would change"):
        offer = activation.offer(target, environ, unsafe=unsafe)
    pins = _pins(offer.pins, environ) if is_pinned else ()
    look = terminal.look(color)
    told = story.render_offer(offer, target, look)
    if not offer.changes and not pins:
        terminal.emit(told, None)
        return CLEAN
    families = {_FAMILIES[shell] for shell in shells}
    changes = activation.install(target, offer.changes, pins=pins, shells=families)
    if diff:
        terminal.emit(_diff(changes, look) + told, None)
        return FINDINGS if any(one.before != one.after for one in changes) else CLEAN
    _write(target, changes, told)
    return CLEAN


@hooks.command(short_help="Take the hook away; all is then as it was before.")
@_environment
@click.option("--diff", is_flag=True, help="Only show what would be removed, as a diff.")
def remove(*, project: str, prefix: str | None, name: str | None, diff: bool, color: str) -> int:
    """Remove what `envfix hooks install` wrote; the environment is then as it was before."""
    from reconciler import activation  # noqa: PLC0415 - `envfix --version` does without

    target = _target(project, prefix, name)
    changes, folders = activation.remove(target)
    if not changes:
        terminal.emit(f"{printable(target.prefix or '')} has no hook of envfix\n", None)
        return CLEAN
    if diff:
        terminal.emit(_diff(changes, terminal.look(color)), None)
        return FINDINGS
    written = activation.write(target, changes, folders)
    terminal.note(written)
    lines = "".join(f"removed {printable(from_os(each))}\n" for each in written.names)
    terminal.emit(f"{lines}{_OPEN_NEW}\n", None)
    return CLEAN


def _target(project: str, prefix: str | None, name: str | None) -> Target:
    from reconciler import activation, pipeline  # noqa: PLC0415 - `envfix --version` does without

    if prefix is not None and name is not None:
        raise click.UsageError("give one of --prefix and --name")
    return activation.at(project, pipeline.Choice(prefix=prefix, name=name), terminal.environ())


def _pins(pins: Sequence[str], environ: Any) -> Sequence[str]:
    if not pins:
        raise click.UsageError(
            "--pin-conda: conda has installed nothing here that pip could replace"
        )
    own = environ.get("PIP_CONSTRAINT")
    if own and "etc/envfix/constraints.txt" not in own:
        raise click.UsageError(f"--pin-conda: PIP_CONSTRAINT is already set, to {own}")
    return pins


def _write(target: Target, changes: Sequence[FileChange], told: str) -> None:
    from reconciler import activation  # noqa: PLC0415 - `envfix --version` does without

    written = activation.write(target, changes)
    terminal.note(written)
    if not written.names:
        terminal.emit(f"{told}The hook is there already, as it should be\n", None)
        return
    lines = "".join(f"written {printable(from_os(each))}\n" for each in written.names)
    prefix = printable(target.prefix or "")
    back = f"`envfix hooks remove -p {prefix}` takes it away; {_AGAIN}"
    terminal.emit(f"{told}{lines}{back}\n", None)


def _diff(changes: Sequence[FileChange], look: Look) -> str:
    from reconciler.model.plan import FileRepair  # noqa: PLC0415 - few ask for it
    from reconciler.output import diff  # noqa: PLC0415 - as above

    repairs = (
        FileRepair(
            path=from_os(one.name), before=_text(one.before), after=_text(one.after), rounds=()
        )
        for one in changes
    )
    return diff.render(repairs, color=look.color)


def _text(content: bytes | None) -> str:
    return from_os((content or b"").decode("utf-8", "surrogateescape"))
