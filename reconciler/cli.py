"""The command line: options in, the pipeline called, text out, an exit code.

stdout carries the report alone. Exit codes: 0 clean, 1 findings, 2 cannot go on, 3 a rule crashed.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

import click

from reconciler import __version__, completing, progress, renderers, terminal
from reconciler.cli_convert import convert
from reconciler.cli_group import EPILOG, Group
from reconciler.cli_hooks import hooks
from reconciler.model.os_name import from_os, printable, to_os
from reconciler.options import (
    SEVERITIES,
    coloring,
    diagnosing,
    judging,
    looking,
    mending,
    showing,
    telling,
)
from reconciler.taking import aim, take

if TYPE_CHECKING:
    from reconciler.config import Config
    from reconciler.model.plan import FileRepair, Repair
    from reconciler.model.report import Report
    from reconciler.model.snapshot import Snapshot

CLEAN, FINDINGS, CRASHED = 0, 1, 3


@click.group(
    cls=Group,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="envfix")
def cli() -> None:
    """Find where conda and pip clash over CUDA in a Python environment, and why."""


@cli.command()
@click.argument("project", default=".", shell_complete=completing.a_folder)
@looking
@judging
@click.pass_context
def scan(ctx: click.Context, /, *, project: str, **said: Any) -> None:
    """Inspect PROJECT (default: this folder) and its environment; print the report."""
    from reconciler import pipeline  # noqa: PLC0415 - `envfix --version` does without

    config = pipeline.configured(project)
    taken = take(project, config, **said)
    forms = _forms(**said)
    with progress.shown("judging", quiet=said["quiet"]):
        report = pipeline.scan(
            taken,
            select=said["select"],
            ignore=said["ignore"],
            config=config,
            with_loads=said["verbose"] or bool(forms & {"json", "html"}),
        )
        proposed = _proposed(taken, config, **said)
    ctx.exit(_say(report, config, proposed=proposed, **said))


@cli.command()
@click.argument("files", nargs=-1, metavar="FILE...", shell_complete=completing.a_file)
@click.option(
    "--snapshot",
    metavar="FILE",
    shell_complete=completing.a_file,
    help="Judge a saved snapshot instead of files.",
)
@click.option("--fix", "is_mended", is_flag=True, help="Write what mends the files, at once.")
@mending
@judging
@click.pass_context
def check(
    ctx: click.Context,
    /,
    *,
    files: tuple[str, ...],
    snapshot: str | None,
    is_mended: bool,
    diff: bool,
    **said: Any,
) -> None:
    """Judge declared files alone, or those of a folder: no environment, no GPU, no network."""
    from reconciler import pipeline  # noqa: PLC0415 - `envfix --version` does without

    if bool(files) == bool(snapshot):
        raise click.UsageError("give the files to judge, or a --snapshot")
    if snapshot and is_mended and not diff:
        raise click.UsageError("a snapshot is what was seen: with --fix, it goes with --diff alone")
    config = pipeline.configured(".")
    if is_mended and not diff:
        terminal.note(pipeline.recover("."))
    if snapshot:
        taken = pipeline.load_snapshot(terminal.read(snapshot), where=snapshot)
    else:
        taken = pipeline.look_at_files(".", files)
    taken = aim(taken, config, **said)
    if diff:
        repair = _mended(taken, config, **said)
        ctx.exit(_tell(repair, config, how="envfix check --fix", write=False, **said))
    if not is_mended:
        chosen = {key: said[key] for key in ("select", "ignore")}
        with progress.shown("judging", quiet=said["quiet"]):
            report = pipeline.check(taken, **chosen, config=config)
            proposed = _proposed(taken, config, **said)
        ctx.exit(_say(report, config, proposed=proposed, **said))
    repair = _mended(taken, config, **said)
    terminal.note(pipeline.write(repair))
    ctx.exit(_say(repair.after, config, repair=repair, **said))


@cli.command()
@click.argument("project", default=".", shell_complete=completing.a_folder)
@mending
@click.option("--write", is_flag=True, help="Write it; `envfix undo` takes it back.")
@click.option(
    "--script",
    metavar="FILE",
    shell_complete=completing.a_file,
    help="Write what mends the environment as a script.",
)
@looking
@telling
@click.pass_context
def fix(
    ctx: click.Context,
    /,
    *,
    project: str,
    diff: bool,
    write: bool,
    script: str | None,
    **said: Any,
) -> None:
    """Show what mends the files of PROJECT (default: this folder) as a diff, and why."""
    from reconciler import pipeline  # noqa: PLC0415 - `envfix --version` does without

    if write and diff:
        raise click.UsageError("give one of --diff and --write")
    if write and said["snapshot"]:
        raise click.UsageError("a snapshot is what was seen: it goes with no --write")
    config = pipeline.configured(project)
    if write:
        terminal.note(pipeline.recover(project))
    repair = _mended(take(project, config, **said), config, **said)
    if script:
        from reconciler.model.finding import flat  # noqa: PLC0415 - few ask for it
        from reconciler.output import script as commands  # noqa: PLC0415 - few ask for it

        after = repair.after
        answered = (finding for planned in repair.hooks for finding in planned.findings)
        findings = (*flat(after.findings), *answered)
        text = commands.render(findings, after.target, envfix=after.envfix)
        # A prefix need not be UTF-8, and the shell is to be given its own bytes.
        terminal.write(script, to_os(text).encode("utf-8", "surrogateescape"))
    ctx.exit(_tell(repair, config, how="envfix fix --write", write=write, **said))


def _mended(taken: Snapshot, config: Config, *, unsafe: bool, **said: Any) -> Repair:
    from reconciler import pipeline  # noqa: PLC0415 - `envfix --version` does without

    chosen = {key: said[key] for key in ("select", "ignore")}
    with progress.shown("looking for what mends it", quiet=said["quiet"]):
        return pipeline.fix(taken, unsafe=unsafe, **chosen, config=config)


def _forms(*, form: str, reports: tuple[tuple[str, str], ...], **_: Any) -> set[str]:
    return {form, *(extra for extra, _ in reports)}


def _proposed(taken: Snapshot, config: Config, **said: Any) -> tuple[FileRepair, ...]:
    """Return what fixes would make of the files, where a report shows it."""
    if "html" not in _forms(**said):
        return ()
    return _mended(taken, config, **{**said, "unsafe": True}).files


def _tell(  # noqa: PLR0913 - each is an option of the command
    repair: Repair,
    config: Config,
    *,
    how: str,
    write: bool,
    unsafe: bool,
    output: str | None,
    fail_on: str | None,
    strict: bool,
    quiet: bool,
    verbose: bool,
    color: str,
    **_: Any,
) -> int:
    """Write a repair if that is asked for, and tell it; return the exit code."""
    from reconciler import activation  # noqa: PLC0415 - `envfix --version` does without
    from reconciler.output import diff  # noqa: PLC0415 - as its renderers below
    from reconciler.output import repair as story  # noqa: PLC0415

    written = activation.write_repair(repair) if write else None
    if written:
        terminal.note(written)
    how = f"{how} --unsafe-fixes" if unsafe else how
    look = terminal.look(color, output)
    names = [from_os(name) for name in written.names] if written else None
    if quiet:
        lines = "".join(f"{printable(name)}\n" for name in names or ())
        text = lines if write else diff.render(repair.files, color=look.color)
    else:
        text = story.render(
            repair,
            how=how,
            written=names,
            look=look,
            verbose=verbose,
        )
    terminal.emit(text, output)
    if write or repair.after.crashes:
        return _exit_code(repair.after, fail_on or config.settings.fail_on, strict=strict)
    return FINDINGS if repair.files or repair.hooks else CLEAN


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
    repair: Repair | None = None,
    proposed: tuple[FileRepair, ...] = (),
    **_: Any,
) -> int:
    """Write the reports that were asked for; return the exit code."""
    for extra, path in reports:
        write = renderers.renderer(extra, verbose=verbose, files=proposed)
        terminal.write(path, write(report).encode())
    look = terminal.look(color, output)
    render = renderers.renderer(
        form, verbose=verbose, quiet=quiet, strict=strict, look=look, files=proposed
    )
    terminal.emit(_mendings(repair, form, quiet=quiet) + render(report), output)
    return _exit_code(report, fail_on or config.settings.fail_on, strict=strict)


def _mendings(repair: Repair | None, form: str, *, quiet: bool) -> str:
    """Return what stands above the report of what is left; programs are told that alone."""
    if repair is None or quiet or form != "text":
        return ""
    from reconciler.output import repair as story  # noqa: PLC0415 - most runs mend nothing

    return story.render_made(repair)


@cli.command()
@click.argument("code", required=False, shell_complete=completing.codes)
@coloring
def rule(code: str | None, color: str) -> None:
    """Print the page of a rule; without CODE, list the rules."""
    from reconciler import pipeline  # noqa: PLC0415
    from reconciler.output import rule_reading  # noqa: PLC0415

    modules = pipeline.selected_rules([code.upper()] if code else [], [])
    is_page = bool(code) and len(modules) == 1
    terminal.emit(rule_reading.told(modules, terminal.look(color), is_page=is_page))


@cli.command()
@click.argument("soname")
@looking
@showing
def which(
    soname: str,
    *,
    form: str,
    output: str | None,
    verbose: bool,
    color: str,
    **said: Any,
) -> int:
    """Tell which file the loader maps for SONAME, for whom, why that one, and why no other.

    SONAME is a library's name (libcudart.so.12), the beginning of one (cudart), or a path to one.
    """
    from reconciler import pipeline  # noqa: PLC0415 - `envfix --version` does without
    from reconciler.output import which as story  # noqa: PLC0415

    name = posixpath.basename(soname)
    if not name.strip("."):
        raise click.UsageError("give the name of a library, such as libcudart.so.12")
    config = pipeline.configured(".")
    taken = take(".", config, sonames=(name,), platforms=(), cuda=None, **said)
    found = pipeline.which(taken, soname)
    if form == "json":
        text = story.render_json(found)
    else:
        text = story.render(found, terminal.look(color, output), verbose=verbose)
    terminal.emit(text, output)
    return CLEAN if any(answer.path for answer in found.answers) else FINDINGS


@cli.command()
@click.argument("text", default="-", metavar="[TEXT | - | FILE]", shell_complete=completing.a_file)
@diagnosing
def explain(
    text: str,
    *,
    form: str,
    output: str | None,
    verbose: bool,
    color: str,
    **said: Any,
) -> int:
    """Tell what an error means here: TEXT is the message, a FILE with it, or - for what is piped.

    Of a log, however long, every error that is known is told, the most specific first.
    """
    from reconciler import explaining, pipeline  # noqa: PLC0415 - as above

    is_argument = text != "-" and not explaining.is_file(text)
    known, last = explaining.heard(terminal.piped() if text == "-" else explaining.pieces(text))
    config = pipeline.configured(".")
    sonames = explaining.sonames_of(known)
    taken = None
    if known:
        files = explaining.files_of(known)
        of_build = explaining.is_of_build(known) and not said["no_host"]
        said["builds"] = said["builds"] or of_build
        taken = take(".", config, sonames=sonames, opened=files, **said)
    told, report = explaining.explained(known, taken, config)
    unknown = text if is_argument and not known else last
    render = renderers.explainer(form, terminal.look(color, output), verbose=verbose)
    terminal.emit(render(told, report, unknown), output)
    return FINDINGS if told else CLEAN


@cli.command()
@click.argument("project", default=".", shell_complete=completing.a_folder)
def undo(project: str) -> None:
    """Take the last written repair of PROJECT (default: this folder) back."""
    from reconciler import pipeline  # noqa: PLC0415

    written = pipeline.undo(project)
    terminal.note(written)
    lines = (
        f"{printable(from_os(name))}: as it was before envfix wrote it\n" for name in written.names
    )
    terminal.emit("".join(lines), None)


cli.add_command(convert)
cli.add_command(hooks)


def _exit_code(report: Report, fail_on: str, *, strict: bool) -> int:
    if report.crashes:
        return CRASHED
    counted = SEVERITIES[: SEVERITIES.index(fail_on) + 1] if fail_on != "never" else ()
    found = any(finding.severity in counted for finding in report.findings)
    return FINDINGS if found or (strict and (report.gaps or report.skips)) else CLEAN
