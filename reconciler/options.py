"""The options that commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from reconciler import completing, values

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.model.look import Tell
    from reconciler.model.solution import Terms

SEVERITIES = ("error", "warning", "info")


_AIM = (
    click.option(
        "--platform",
        "platforms",
        metavar="SUBDIR",
        shell_complete=completing.platforms,
        multiple=True,
        callback=values.platforms,
        help="Judge declared files for this platform (linux-64, win-64).",
    ),
    click.option(
        "--cuda",
        metavar="X.Y|none|auto",
        shell_complete=completing.cuda,
        callback=values.cuda,
        help="The CUDA that is meant (12.4); none, where the CPU is.",
    ),
    click.option(
        "--driver",
        metavar="RELEASE",
        callback=values.driver,
        help="Judge for a machine with this driver (550, 550.54.15).",
    ),
    click.option(
        "--gpu",
        "gpus",
        metavar="SM",
        multiple=True,
        callback=values.gpus,
        help="Judge for a machine with this GPU (sm_90).",
    ),
    click.option(
        "--build",
        "builds",
        is_flag=True,
        help="Judge, too, whether CUDA extensions can be compiled here.",
    ),
)
_SELECTION = (
    click.option(
        "--select",
        metavar="CODES",
        shell_complete=completing.codes,
        multiple=True,
        callback=values.codes,
        help="Only these rules (CUD, DUP101).",
    ),
    click.option(
        "--ignore",
        metavar="CODES",
        shell_complete=completing.codes,
        multiple=True,
        callback=values.codes,
        help="Not these rules.",
    ),
)
_REPORTING = (
    click.option(
        "--format",
        "form",
        type=click.Choice(values.FORMATS),
        default="text",
        show_default=True,
        help="How the report is written.",
    ),
    click.option(
        "--report",
        "reports",
        metavar="FORMAT=FILE",
        multiple=True,
        callback=values.reports,
        help="Write a further report in the same run (sarif=envfix.sarif).",
    ),
)


def _form(*forms: str) -> Callable[..., Any]:
    return click.option(
        "--format",
        "form",
        type=click.Choice(forms),
        default="text",
        show_default=True,
        help="How the answer is written.",
    )


_COLOR = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Whether to color; auto is where a terminal shows it.",
)
_SHOWING = (
    click.option(
        "-o",
        "--output",
        metavar="FILE",
        shell_complete=completing.a_file,
        help="Write the report there, not to stdout.",
    ),
    click.option("-v", "--verbose", is_flag=True, help="Every package and all evidence."),
    _COLOR,
)
_SAYING = (
    *_SHOWING[:1],
    click.option(
        "--fail-on",
        type=click.Choice([*SEVERITIES, "never"]),
        help="The least severity that makes the exit code 1.  [default: warning]",
    ),
    click.option("--strict", is_flag=True, help="What could not be looked at counts as a finding."),
    click.option("-q", "--quiet", is_flag=True, help="One line a finding."),
    *_SHOWING[1:],
)
_LOOKING = (
    click.option(
        "-p",
        "--prefix",
        metavar="DIR",
        shell_complete=completing.a_folder,
        help="Look at the environment in this folder.",
    ),
    click.option(
        "-n",
        "--name",
        metavar="NAME",
        shell_complete=completing.environments,
        help="Look at the conda environment of this name.",
    ),
    click.option("--no-env", is_flag=True, help="Look at the project's files alone."),
    click.option("--no-host", is_flag=True, help="Do not look at the driver of this machine."),
    click.option(
        "--live",
        is_flag=True,
        help="Start the environment's own interpreter, to hear pip's own view.",
    ),
    click.option(
        "--env",
        "supposed",
        metavar="VAR=VALUE",
        multiple=True,
        callback=values.variables,
        help="What if this variable were set (LD_LIBRARY_PATH=/opt/lib)? An empty VALUE unsets it.",
    ),
    click.option(
        "--snapshot",
        metavar="FILE",
        shell_complete=completing.a_file,
        help="Replay a saved snapshot instead of looking.",
    ),
    click.option(
        "--save-snapshot",
        metavar="FILE",
        shell_complete=completing.a_file,
        help="Keep what was seen, for a replay elsewhere.",
    ),
    click.option(
        "--anonymize",
        is_flag=True,
        help="Save it without your user name, home folder and host name.",
    ),
)
_EXPLAINING = (*_AIM, *_LOOKING, _form("text", "json", "github"), *_SHOWING)
_MENDING = (
    click.option("--diff", is_flag=True, help="Only show what would be written, as a diff."),
    click.option(
        "--unsafe-fixes", "unsafe", is_flag=True, help="Repairs too that may not be what is meant."
    ),
)

_CONVERTING = (
    click.option(
        "--to",
        type=click.Choice(["conda", "pixi", "pip"]),
        default="conda",
        show_default=True,
        help="What to make: environment.yml, pixi.toml or requirements.txt.",
    ),
    *_AIM[:3],
    *_LOOKING[:2],
    click.option(
        "--solve/--no-solve",
        default=None,
        help="Prove it with a solver.  [default: where the channels can be reached]",
    ),
    click.option(
        "--offline", is_flag=True, help="Solve with local channels and what is cached alone."
    ),
    click.option(
        "--channel",
        "channels",
        metavar="URL",
        multiple=True,
        shell_complete=completing.a_folder,
        callback=values.channels,
        help="Take packages from this channel, or folder, and from no other that is not given.",
    ),
    _form("text", "json"),
    click.option(
        "-o",
        "--output",
        metavar="FILE",
        shell_complete=completing.a_file,
        help="Write it there, not to stdout.",
    ),
    click.option("--diff", is_flag=True, help="Show what would be written, as a diff."),
    click.option("--write", is_flag=True, help="Write the file; `envfix undo` takes it back."),
    click.option(
        "--script",
        metavar="FILE",
        shell_complete=completing.a_file,
        help="Of -p: write what makes it conda's alone, as a script.",
    ),
    click.option("-v", "--verbose", is_flag=True, help="Where each line comes from."),
    _COLOR,
)


def converting(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of what is converted, and into what."""
    return _with(_CONVERTING, command)


def terms(
    *,
    solve: bool | None,
    offline: bool,
    channels: tuple[str, ...],
    driver: str | None,
    tell: Tell | None = None,
    **_: Any,
) -> Terms:
    """Return how a conversion is to be proven, and who is told of it."""
    from reconciler.model.solution import Terms  # noqa: PLC0415 - `envfix --version` does without

    if solve is False and offline:
        raise click.UsageError("--offline is how to solve: it goes with no --no-solve")
    return Terms(
        is_wanted=solve is not False,
        is_asked=bool(solve),
        offline=offline,
        channels=channels,
        driver=driver or "",
        tell=tell,
    )


def check_sources(
    sources: Sequence[str],
    *,
    prefix: str | None,
    name: str | None,
    script: str | None,
    to: str,
    **_: Any,
) -> None:
    """Raise UsageError for what cannot be converted together, or not into a script."""
    if bool(sources) == bool(prefix or name):
        raise click.UsageError("give the files to convert, or an environment with -p or -n")
    if script and (sources or to != "conda"):
        raise click.UsageError("--script changes an environment: it goes with -p or -n alone")


def coloring(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option of color alone."""
    return _COLOR(command)


def looking(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of what is looked at: an environment, or a snapshot."""
    return _with(_LOOKING, command)


def diagnosing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of what errors are held against, and how that is said."""
    return _with(_EXPLAINING, command)


def judging(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of what is judged, and how it is said."""
    return _with((*_AIM, *_SELECTION, *_REPORTING, *_SAYING), command)


def showing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of how its answer is shown."""
    return _with((_form("text", "json"), *_SHOWING), command)


def mending(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of what is mended."""
    return _with(_MENDING, command)


def telling(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of what is judged, where what it says has one form."""
    return _with((*_AIM, *_SELECTION, *_SAYING), command)


def _with(options: Sequence[Callable[..., Any]], command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(options):
        command = option(command)
    return command
