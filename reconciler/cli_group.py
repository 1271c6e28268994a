"""The commands as a group: in the order in which one meets them, and near misses understood."""

from __future__ import annotations

import inspect
import re
import sys
from typing import TYPE_CHECKING, Any

import click

from reconciler import terminal
from reconciler.errors import EnvfixError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CLEAN, CANNOT_GO_ON = 0, 2
#: The commands by what one wants of them, each with what it does in a few words.
SECTIONS: Mapping[str, Mapping[str, str]] = {
    "Find what is wrong": {
        "scan": "A project and its environment: what clashes, why, what to do.",
        "check": "Declared files alone: for pre-commit and CI.",
        "explain": "An error message or a log: its cause here, and the remedy.",
        "which": "The file that the loader maps for a library, and why.",
    },
    "Mend it": {
        "fix": "Show the repairs of the project's files; --write makes them.",
        "undo": "Take the last written repair back.",
        "convert": "pip's requirements to conda's alone, or the other way.",
        "hooks": "What activation does for the environment's libraries.",
    },
    "Read on": {
        "rule": "A rule's page; without a code, the list of rules.",
    },
}
EPILOG = """\
Examples:
  envfix scan                        this project, and the environment in use
  envfix scan -n my-env              a conda environment by its name
  envfix fix --write                 mend the files; `envfix undo` undoes it
  envfix convert requirements.txt -o environment.yml
  python train.py 2>&1 | envfix explain

Completion, for the start-up file of the shell:
  bash  eval "$(_ENVFIX_COMPLETE=bash_source envfix)"
  zsh   eval "$(_ENVFIX_COMPLETE=zsh_source envfix)"
  fish  _ENVFIX_COMPLETE=fish_source envfix | source
"""
_NOT_ONE = re.compile(r"'(?P<given>[^']*)' is not one of (?P<known>.*)\.")


class Group(click.Group):
    """Turns what stops the program into one line on stderr and exit code 2."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command line; what it returns is the exit code."""
        try:
            code = super().main(*args, **{**extra, "standalone_mode": False})
        except (EnvfixError, click.ClickException) as error:
            terminal.complain(said(error))
            sys.exit(CANNOT_GO_ON)
        except click.Abort:
            sys.exit(CANNOT_GO_ON)
        sys.exit(code if isinstance(code, int) else CLEAN)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Show the help where nothing is asked for; click 8.2 calls that an error."""
        return super().parse_args(ctx, args or ([] if ctx.resilient_parsing else ["--help"]))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of the help."""
        ordered = [name for section in SECTIONS.values() for name in section]
        mine = super().list_commands(ctx)
        return sorted(mine, key=lambda one: ordered.index(one) if one in ordered else len(ordered))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is asked for; raises UsageError with the nearest one."""
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            near = nearest(name, self.commands)
            raise click.UsageError(f"no command is called {name!r}{near}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, by what one wants of them."""
        for title, commands in SECTIONS.items():
            rows = [(f"{n:7}", told) for n, told in commands.items() if n in self.commands]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)
        if not any(name in self.commands for section in SECTIONS.values() for name in section):
            super().format_commands(ctx, formatter)

    def format_epilog(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what stands below, as a section of its own."""
        if self.epilog:
            formatter.write_paragraph()
            formatter.write(inspect.cleandoc(self.epilog) + "\n")


def said(error: EnvfixError | click.ClickException) -> str:
    """Return what stops the program, and where to read on, as one line."""
    if not isinstance(error, click.ClickException):
        return str(error)
    told = error.format_message().rstrip(".")
    if (match := _NOT_ONE.search(f"{told}.")) and isinstance(error, click.BadParameter):
        told += nearest(match["given"], re.findall(r"'([^']*)'", match["known"]))
    if not isinstance(error, click.UsageError):
        return told
    path = error.ctx.command_path if error.ctx else "envfix"
    return f"{told}{' See' if told.endswith(('?', '?)')) else '; see'} `{path} --help`"


def nearest(given: str, known: Iterable[str]) -> str:
    """Return the question whether another word was meant; "" where none is near."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for what is wrong

    near = get_close_matches(given.lower(), [*known], n=1)
    return f": did you mean {near[0]}?" if near else ""
