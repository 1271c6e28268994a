"""The options that commands share, and what of them the user may mistype."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.model.solution import Terms

SEVERITIES = ("error", "warning", "info")
FORMATS = ("text", "json", "github", "sarif")


def _codes(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(code.strip().upper() for text in value for code in text.split(",") if code.strip())


def variables(
    _: click.Context, __: click.Parameter, value: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    """Return the pairs of ``--env VAR=VALUE``."""
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


def _platforms(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(name.strip() for text in value for name in text.split(",") if name.strip())
    if not names:
        return ()
    from reconciler.model.install_set import SUBDIRS  # noqa: PLC0415 - `envfix --version` does without

    for name in names:
        if name not in SUBDIRS:
            from difflib import get_close_matches  # noqa: PLC0415 - only for what is wrong

            near = get_close_matches(name, SUBDIRS, n=1, cutoff=0)
            raise click.BadParameter(
                f"{name!r} is no platform of conda's; the nearest is {near[0]}"
            )
    return names


def _cuda(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"[1-9]\d?\.\d{1,2}|none|auto", value):
        raise click.BadParameter(f"{value!r} is not X.Y, none or auto")
    return value


def _channels(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Return channels as conda reads them from any folder: a folder that is there as its URL."""
    from pathlib import Path  # noqa: PLC0415 - few runs name a channel

    return tuple(
        Path(text).resolve().as_uri() if os.path.isdir(text) else text.rstrip("/") for text in value
    )


def _driver(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is None or re.fullmatch(r"[1-9]\d{2}(?:\.\d{1,4}){0,2}", value):
        return value
    if re.fullmatch(r"[1-9]\d?\.\d{1,2}", value):
        raise click.BadParameter(
            f"{value} is a CUDA: give the driver's release, which nvidia-smi shows as Driver "
            f"Version (550, 550.54.15), or the CUDA that is meant, --cuda {value}; to judge for a "
            f"driver that runs it, scan and check take CONDA_OVERRIDE_CUDA={value} too"
        )
    raise click.BadParameter(f"{value!r} is no release of a driver, such as 550 or 550.54.15")


def _gpus(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(name.strip() for text in value for name in text.split(",") if name.strip())
    for name in names:
        if not re.fullmatch(r"sm_[1-9]\d{1,2}", name):
            raise click.BadParameter(f"{name!r} is no architecture of a GPU, such as sm_90")
    return names


_AIM = (
    click.option(
        "--platform",
        "platforms",
        metavar="SUBDIR",
        multiple=True,
        callback=_platforms,
        help="Judge declared files for this platform (linux-64, win-64).",
    ),
    click.option(
        "--cuda",
        metavar="X.Y|none|auto",
        callback=_cuda,
        help="The CUDA that is meant; none, where the CPU is.",
    ),
    click.option(
        "--driver",
        metavar="RELEASE",
        callback=_driver,
        help="Judge for a machine with this driver (550, 550.54.15).",
    ),
    click.option(
        "--gpu",
        "gpus",
        metavar="SM",
        multiple=True,
        callback=_gpus,
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
        multiple=True,
        callback=_codes,
        help="Only these rules (CUD, DUP101).",
    ),
    click.option(
        "--ignore", metavar="CODES", multiple=True, callback=_codes, help="Not these rules."
    ),
)
_FORM = (
    click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True),
    click.option(
        "--report",
        "reports",
        metavar="FORMAT=FILE",
        multiple=True,
        callback=_reports,
        help="Write a further report in the same run.",
    ),
)
_SHOWING = (
    click.option("-o", "--output", metavar="FILE", help="Write the report there, not to stdout."),
    click.option("-v", "--verbose", is_flag=True, help="Every package and all evidence."),
    click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        show_default=True,
    ),
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
    click.option("-p", "--prefix", metavar="DIR", help="Look at the environment in this folder."),
    click.option(
        "-n", "--name", metavar="NAME", help="Look at the conda environment of this name."
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
        callback=variables,
        help="What if this variable were set? An empty VALUE unsets it.",
    ),
    click.option("--snapshot", metavar="FILE", help="Replay a saved snapshot instead of looking."),
    click.option(
        "--save-snapshot", metavar="FILE", help="Keep what was seen, for a replay elsewhere."
    ),
)
_EXPLAINING = (
    *_AIM,
    *_LOOKING,
    click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json", "github"]),
        default="text",
        show_default=True,
    ),
    *_SHOWING,
)
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
        callback=_channels,
        help="Take packages from this channel, or folder, and from no other that is not given.",
    ),
    click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
    ),
    click.option("-o", "--output", metavar="FILE", help="Write it there, not to stdout."),
    click.option("--diff", is_flag=True, help="Show what would be written, as a diff."),
    click.option("--write", is_flag=True, help="Write the file; `envfix undo` takes it back."),
    click.option(
        "--script", metavar="FILE", help="Of -p: write what makes it conda's alone, as a script."
    ),
    click.option("-v", "--verbose", is_flag=True, help="Where each line comes from."),
)


def converting(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of what is converted, and into what."""
    return _with(_CONVERTING, command)


def terms(
    *, solve: bool | None, offline: bool, channels: tuple[str, ...], driver: str | None, **_: Any
) -> Terms:
    """Return how a conversion is to be proven."""
    from reconciler.model.solution import Terms  # noqa: PLC0415 - `envfix --version` does without

    if solve is False and offline:
        raise click.UsageError("--offline is how to solve: it goes with no --no-solve")
    return Terms(
        is_wanted=solve is not False,
        is_asked=bool(solve),
        offline=offline,
        channels=channels,
        driver=driver or "",
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


def looking(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of what is looked at: an environment, or a snapshot."""
    return _with(_LOOKING, command)


def diagnosing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of what errors are held against, and how that is said."""
    return _with(_EXPLAINING, command)


def judging(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of what is judged, and how it is said."""
    return _with((*_AIM, *_SELECTION, *_FORM, *_SAYING), command)


def showing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of how its answer is shown."""
    return _with(_SHOWING, command)


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
