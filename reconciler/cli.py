"""The command line: options in, the pipeline called, text out, an exit code.

stdout carries the report alone. Exit codes: 0 clean, 1 findings, 2 cannot go on, 3 a rule crashed.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from reconciler import __version__
from reconciler.errors import EnvfixError, OutputError
from reconciler.model.os_name import from_os, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.model.report import Report

CLEAN, FINDINGS, CANNOT_GO_ON, CRASHED = 0, 1, 2, 3
SEVERITIES = ("error", "warning", "info")
FORMATS = ("text", "json")


class _Group(click.Group):
    """Turns what stops the program into one line on stderr and exit code 2."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command line; what it returns is the exit code."""
        try:
            code = super().main(*args, **{**extra, "standalone_mode": False})
        except (EnvfixError, click.ClickException) as error:
            said = error.format_message() if isinstance(error, click.ClickException) else str(error)
            hint = "; see `envfix --help`" if isinstance(error, click.UsageError) else ""
            click.echo(f"envfix: {printable(from_os(said))}{hint}", err=True)
            sys.exit(CANNOT_GO_ON)
        except click.Abort:
            sys.exit(CANNOT_GO_ON)
        sys.exit(code if isinstance(code, int) else CLEAN)


@click.group(
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="envfix")
def cli() -> None:
    """Find where conda and pip clash over CUDA in a Python environment, and say why."""


def _codes(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(code.strip().upper() for text in value for code in text.split(",") if code.strip())


def _variables(
    _: click.Context, __: click.Parameter, value: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    for text in value:
        if "=" not in text or text.startswith("="):
            raise click.BadParameter(f"{text!r} is not VAR=VALUE")
    return tuple((name, rest) for name, _, rest in (text.partition("=") for text in value))


def _reports(
    _: click.Context, __: click.Parameter, value: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    pairs = tuple((name, path) for name, _, path in (text.partition("=") for text in value))
    for name, path in pairs:
        if name not in FORMATS or not path:
            raise click.BadParameter(f"{name}={path} is not FORMAT=FILE ({', '.join(FORMATS)})")
    return pairs


@cli.command()
@click.argument("project", default=".")
@click.option("-p", "--prefix", metavar="DIR", help="Look at the environment in this folder.")
@click.option("-n", "--name", metavar="NAME", help="Look at the conda environment of this name.")
@click.option("--no-env", is_flag=True, help="Look at the project's files alone.")
@click.option("--no-host", is_flag=True, help="Do not look at the driver of this machine.")
@click.option(
    "--live",
    is_flag=True,
    help="Start the environment's own interpreter, to hear pip's own view.",
)
@click.option(
    "--env",
    "variables",
    metavar="VAR=VALUE",
    multiple=True,
    callback=_variables,
    help="What if this variable were set? An empty VALUE unsets it.",
)
@click.option("--snapshot", metavar="FILE", help="Replay a saved snapshot instead of looking.")
@click.option("--save-snapshot", metavar="FILE", help="Keep what was seen, for a replay elsewhere.")
@click.option(
    "--select",
    metavar="CODES",
    multiple=True,
    callback=_codes,
    help="Only these rules (CUD, DUP101).",
)
@click.option("--ignore", metavar="CODES", multiple=True, callback=_codes, help="Not these rules.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("-o", "--output", metavar="FILE", help="Write the report there, not to stdout.")
@click.option(
    "--report",
    "reports",
    metavar="FORMAT=FILE",
    multiple=True,
    callback=_reports,
    help="Write a further report in the same run.",
)
@click.option(
    "--fail-on",
    type=click.Choice([*SEVERITIES, "never"]),
    default="warning",
    show_default=True,
    help="The least severity that makes the exit code 1.",
)
@click.option("--strict", is_flag=True, help="What could not be looked at counts as a finding.")
@click.option("-q", "--quiet", is_flag=True, help="One line a finding.")
@click.option("-v", "--verbose", is_flag=True, help="Every package and all evidence.")
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True
)
@click.pass_context
def scan(  # noqa: PLR0913 - each is an option of the command
    ctx: click.Context,
    *,
    project: str,
    prefix: str | None,
    name: str | None,
    no_env: bool,
    no_host: bool,
    live: bool,
    variables: tuple[tuple[str, str], ...],
    snapshot: str | None,
    save_snapshot: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    form: str,
    output: str | None,
    reports: tuple[tuple[str, str], ...],
    fail_on: str,
    strict: bool,
    quiet: bool,
    verbose: bool,
    color: str,
) -> None:
    """Inspect PROJECT (default: this folder) and its environment; print the report."""
    from reconciler import pipeline  # noqa: PLC0415 - `envfix --version` does without

    if sum([prefix is not None, name is not None, no_env]) > 1:
        raise click.UsageError("give one of --prefix, --name and --no-env")
    if snapshot and (prefix or name or no_env or variables):
        raise click.UsageError(
            "a snapshot is what was seen: it goes with no -p, -n, --no-env, --env"
        )
    if live and (snapshot or no_env):
        raise click.UsageError("--live asks an environment: it goes with no --snapshot or --no-env")
    if snapshot:
        taken = pipeline.load_snapshot(_read(snapshot), where=snapshot)
    else:
        choice = pipeline.Choice(prefix=prefix, name=name, no_env=no_env)
        taken = pipeline.look(
            project, choice, _environ(dict(variables)), host=not no_host, may_run=live
        )
    if save_snapshot:
        _write(save_snapshot, pipeline.save_snapshot(taken))
    report = pipeline.scan(taken, select=select, ignore=ignore)
    for extra, path in reports:
        _write(path, _renderer(extra, verbose=verbose)(report).encode())
    is_plain = output is not None or not _wants_color(color)
    render = _renderer(form, verbose=verbose, quiet=quiet, strict=strict, color=not is_plain)
    _emit(render(report), output)
    ctx.exit(_exit_code(report, fail_on, strict=strict))


@cli.command()
@click.argument("code", required=False)
def rule(code: str | None) -> None:
    """Print the page of a rule; without CODE, list the rules."""
    from reconciler import pipeline  # noqa: PLC0415
    from reconciler.output import rule_page  # noqa: PLC0415

    modules = pipeline.selected_rules([code.upper()] if code else [], [])
    render = rule_page.render if code and len(modules) == 1 else rule_page.render_line
    click.echo("\n".join(render(module) for module in modules).rstrip())


def _environ(changes: Mapping[str, str]) -> Mapping[str, str]:
    environ = {**os.environ, **changes}
    return {name: value for name, value in environ.items() if value or name not in changes}


def _renderer(
    form: str,
    *,
    verbose: bool = False,
    quiet: bool = False,
    strict: bool = False,
    color: bool = False,
) -> Callable[[Report], str]:
    if form == "json":
        from reconciler.output import json  # noqa: PLC0415

        return json.render
    from reconciler.output import text  # noqa: PLC0415

    if quiet:
        return lambda report: text.render_quiet(report, strict=strict)
    return lambda report: text.render(report, width=_width(), color=color, verbose=verbose)


def _width() -> int:
    try:
        columns = os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        columns = 80
    return min(max(columns, 60), 100)


def _wants_color(color: str) -> bool:
    if color != "auto":
        return color == "always"
    # https://no-color.org: set and not empty.
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _emit(text: str, output: str | None) -> None:
    if output:
        _write(output, text.encode())
    else:
        # The bytes, so that a name of any script survives a terminal in the C locale.
        encoded = text.encode(sys.stdout.encoding or "utf-8", "backslashreplace")
        try:
            sys.stdout.buffer.write(encoded)
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(
                error.strerror or str(error), where="stdout", next_step="give --output FILE"
            ) from error


def _exit_code(report: Report, fail_on: str, *, strict: bool) -> int:
    if report.crashes:
        return CRASHED
    counted = SEVERITIES[: SEVERITIES.index(fail_on) + 1] if fail_on != "never" else ()
    found = any(finding.severity in counted for finding in report.findings)
    return FINDINGS if found or (strict and (report.gaps or report.skips)) else CLEAN


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise EnvfixError(
            error.strerror or str(error), where=path, next_step="give a file that can be read"
        ) from error


def _write(path: str, content: bytes) -> None:
    try:
        with open(path, "wb") as file:
            file.write(content)
    except OSError as error:
        raise OutputError(
            error.strerror or str(error), where=path, next_step="give a file that can be written"
        ) from error
