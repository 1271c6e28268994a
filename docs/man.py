"""The manual page, written of the commands as they are: docs/generate.py keeps it in docs/envfix.1."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import click

from reconciler import __version__
from reconciler.cli import cli
from reconciler.cli_group import SECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

ABOUT = """\
Where conda and pip share one environment, each resolves its own side of CUDA, and neither sees the \
other. envfix reads what both have installed, what the project's files ask for and what the dynamic \
loader would map, says where they clash and why, and mends the files. Nothing of the environment is \
run, and nothing is asked of the network but where a conversion is to be proven by a solver.\
"""
EXIT = (
    ("0", "Clean; for fix and convert, nothing is to be written."),
    ("1", "Findings; for fix and convert without --write, there is something to write."),
    ("2", "envfix cannot go on: one line on stderr says what, where, and what to do next."),
    ("3", "A rule has a bug; the report is printed all the same."),
)
VARIABLES = (
    (
        "VIRTUAL_ENV, CONDA_PREFIX",
        "The environment in use, unless -p, -n or --no-env says another.",
    ),
    ("NO_COLOR", "If it is not empty, nothing is colored."),
    ("FORCE_COLOR, CLICOLOR_FORCE", "If they are not empty, a pipe is given color, too."),
    ("CI", "If it is set, no progress is shown."),
    ("PIP_CONSTRAINT, LD_LIBRARY_PATH, ...", "Are judged as a part of the environment."),
)
FILES = (
    ("pyproject.toml", "[tool.envfix]: settings, and ignores with their reasons."),
    ("envfix.toml", "The same, without the table."),
)
EXAMPLES = (
    ("This project, and the environment in use", "envfix scan"),
    ("A conda environment by its name, as JSON", "envfix scan -n my-env --format json"),
    ("Show what mends the files; then write it; then take it back", "envfix fix"),
    ("", "envfix fix --write"),
    ("", "envfix undo"),
    ("What an error means here", "python train.py 2>&1 | envfix explain"),
    ("pip's requirements as conda's alone", "envfix convert requirements.txt -o environment.yml"),
)


def page() -> str:
    """Return the manual page, for man and groff."""
    lines = [
        r".\" Written by docs/generate.py.",
        f'.TH ENVFIX 1 "" "envfix {__version__}" "User Commands"',
        ".SH NAME",
        r"envfix \- find where conda and pip clash over CUDA, and mend it",
        ".SH SYNOPSIS",
        r".B envfix",
        r".I COMMAND",
        r"[\fIOPTIONS\fR] [\fIARGUMENTS\fR]",
        ".SH DESCRIPTION",
        _plain(ABOUT),
    ]
    for title, names in SECTIONS.items():
        lines.append(f'.SH "{title.upper()}"')
        for name in names:
            lines += _command(cli.commands[name], f"envfix {name}")
    lines += _terms("EXIT STATUS", EXIT)
    lines += _terms("ENVIRONMENT", VARIABLES)
    lines += _terms("FILES", FILES)
    lines.append(".SH EXAMPLES")
    for what, line in EXAMPLES:
        lines += [".PP", f"{_plain(what)}:"] if what else []
        lines += [".RS 4", ".EX", _plain(line), ".EE", ".RE"]
    lines += [".SH SEE ALSO", r".BR conda (1),", r".BR pip (1)"]
    return "\n".join(lines) + "\n"


def _terms(title: str, pairs: tuple[tuple[str, str], ...]) -> Iterator[str]:
    yield f'.SH "{title}"'
    for term, said in pairs:
        yield from (".TP", f".B {_plain(term)}", _plain(said))


def _command(command: click.Command, path: str) -> Iterator[str]:
    context = click.Context(command, info_name=path)
    pieces = " ".join(_usage(command, context))
    yield f'.SS "{_plain(path)} {_plain(pieces)}"'
    for number, part in enumerate(inspect.cleandoc(command.help or "").split("\n\n")):
        yield from ([".PP"] if number else [])
        yield _plain(" ".join(part.split()))
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden:
            yield from (".TP", _names(option), _plain(_help(option)))
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from _command(below, f"{path} {name}")


def _usage(command: click.Command, context: click.Context) -> Iterator[str]:
    if isinstance(command, click.Group):
        yield "COMMAND"
    if any(isinstance(each, click.Option) for each in command.params):
        yield "[OPTIONS]"
    for argument in command.params:
        if isinstance(argument, click.Argument):
            yield argument.make_metavar(context)


def _names(option: click.Option) -> str:
    names = ", ".join(rf"\fB{_plain(name)}\fR" for name in (*option.opts, *option.secondary_opts))
    return f"{names} {_value(option)}".strip()


def _value(option: click.Option) -> str:
    if option.is_flag:
        return ""
    if isinstance(option.type, click.Choice):
        return "|".join(rf"\fI{_plain(str(one))}\fR" for one in option.type.choices)
    return rf"\fI{_plain(option.metavar or '')}\fR"


def _help(option: click.Option) -> str:
    default = f" The default is {option.default}." if option.show_default else ""
    said = (option.help or "").replace("  [default: ", " [default: ")
    again = " Can be given again." if option.multiple else ""
    return f"{said}{default}{again}".strip()


def _plain(text: str) -> str:
    """Return text in which groff finds no sign of its own."""
    said = text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq").replace("`", r"\(ga")
    said = said.replace('"', r"\(dq").replace("^", r"\(ha").replace("~", r"\(ti")
    return rf"\&{said}" if said.startswith(".") else said
