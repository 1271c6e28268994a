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
from reconciler.options import SEVERITIES, judging, variables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.config import Config
    from reconciler.model.report import Report
    from reconciler.model.snapshot import Snapshot

CLEAN, FINDINGS, CANNOT_GO_ON, CRASHED = 0, 1, 2, 3


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
    "supposed",
    metavar="VAR=VALUE",
    multiple=True,
    callback=variables,
    help="What if this variable were set? An empty VALUE unsets it.",
)
@click.option("--snapshot", metavar="FILE", help="Replay a saved snapshot instead of looking.")
@click.option("--save-snapshot", metavar="FILE", help="Keep what was seen, for a replay elsewhere.")
@judging
@click.pass_context
def scan(  # noqa: PLR0913 - each is an option of the command
    ctx: click.Context,
    /,
    *,
    project: str,
    prefix: str | None,
    name: str | None,
    no_env: bool,
    no_host: bool,
    live: bool,
    supposed: tuple[tuple[str, str], ...],
    snapshot: str | None,
    save_snapshot: str | None,
    **said: Any,
) -> None:
    """Inspect PROJECT (default: this folder) and its environment; print the report."""
    from reconciler import pipeline  # noqa: PLC0415 - `envfix --version` does without

    if sum([prefix is not None, name is not None, no_env]) > 1:
        raise click.UsageError("give one of --prefix, --name and --no-env")
    if snapshot and (prefix or name or no_env or supposed):
        raise click.UsageError(
            "a snapshot is what was seen: it goes with no -p, -n, --no-env, --env"
        )
    if live and (snapshot or no_env):
        raise click.UsageError("--live asks an environment: it goes with no --snapshot or --no-env")
    config = pipeline.configured(project)
    if snapshot:
        taken = pipeline.load_snapshot(_read(snapshot), where=snapshot)
    else:
        choice = pipeline.Choice(prefix=prefix, name=name, no_env=no_env)
        taken = pipeline.look(
            project, choice, _environ(dict(supposed)), host=not no_host, may_run=live
        )
    taken = _aimed(taken, config, **said)
    if save_snapshot:
        _write(save_snapshot, pipeline.save_snapshot(taken))
    report = pipeline.scan(taken, select=said["select"], ignore=said["ignore"], config=config)
    ctx.exit(_say(report, config, **said))


@cli.command()
@click.argument("files", nargs=-1, metavar="FILE...")
@click.option("--snapshot", metavar="FILE", help="Judge a saved snapshot instead of files.")
@judging
@click.pass_context
def check(
    ctx: click.Context, /, *, files: tuple[str, ...], snapshot: str | None, **said: Any
) -> None:
    """Judge declared files alone, or those of a folder: no environment, no GPU, no network."""
    from reconciler import pipeline  # noqa: PLC0415 - `envfix --version` does without

    if bool(files) == bool(snapshot):
        raise click.UsageError("give the files to judge, or a --snapshot")
    config = pipeline.configured(".")
    if snapshot:
        taken = pipeline.load_snapshot(_read(snapshot), where=snapshot)
    else:
        taken = pipeline.look_at_files(".", files)
    taken = _aimed(taken, config, **said)
    report = pipeline.check(taken, select=said["select"], ignore=said["ignore"], config=config)
    ctx.exit(_say(report, config, **said))


def _aimed(
    taken: Snapshot,
    config: Config,
    *,
    platforms: tuple[str, ...],
    cuda: str | None,
    **_: Any,
) -> Snapshot:
    from reconciler import pipeline  # noqa: PLC0415 - `envfix --version` does without

    settings = config.settings
    return pipeline.aimed(taken, platforms or settings.platforms, cuda or settings.cuda)


def _say(  # noqa: PLR0913 - each is an option of the command
    report: Report,
    config: Config,
    *,
    form: str,
    output: str | None,
    reports: tuple[tuple[str, str], ...],
    fail_on: str | None,
    strict: bool,
    quiet: bool,
    verbose: bool,
    color: str,
    **_: Any,
) -> int:
    """Write the reports that were asked for; return the exit code."""
    for extra, path in reports:
        _write(path, _renderer(extra, verbose=verbose)(report).encode())
    is_plain = output is not None or not _wants_color(color)
    render = _renderer(form, verbose=verbose, quiet=quiet, strict=strict, color=not is_plain)
    _emit(render(report), output)
    return _exit_code(report, fail_on or config.settings.fail_on, strict=strict)


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
    # Each is imported where it is asked for: a hook that runs on every commit asks for one.
    if form == "json":
        from reconciler.output import json  # noqa: PLC0415

        return json.render
    if form == "github":
        from reconciler.output import github  # noqa: PLC0415

        return lambda report: github.render(report, root=os.getcwd())
    if form == "sarif":
        from reconciler.output import sarif  # noqa: PLC0415
        from reconciler.pipeline import selected_rules  # noqa: PLC0415

        return lambda report: sarif.render(report, selected_rules((), ()), root=os.getcwd())
    from reconciler.output import text, text_of_files  # noqa: PLC0415

    if quiet:
        return lambda report: text.render_quiet(report, strict=strict)

    def render(report: Report) -> str:
        said = text_of_files.render if report.target.files else text.render
        return said(report, width=_width(), color=color, verbose=verbose)

    return render


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
