"""What options may say: each value is taken apart, and what is mistyped is told with what is meant."""

from __future__ import annotations

import os
import re

import click

#: The forms of a report.
FORMATS = ("text", "html", "json", "github", "sarif")


def codes(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Return the codes of ``--select CUD,DUP101``, and of all its repetitions."""
    return tuple(code.strip().upper() for text in value for code in text.split(",") if code.strip())


def variables(
    _: click.Context, __: click.Parameter, value: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    """Return the pairs of ``--env VAR=VALUE``."""
    for text in value:
        if "=" not in text or text.startswith("="):
            raise click.BadParameter(f"{text!r} is not VAR=VALUE")
    return tuple((name, rest) for name, _, rest in (text.partition("=") for text in value))


def reports(
    _: click.Context, __: click.Parameter, value: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    """Return the pairs of ``--report FORMAT=FILE``."""
    pairs = tuple((name, path) for name, _, path in (text.partition("=") for text in value))
    for name, path in pairs:
        if name not in FORMATS or not path:
            raise click.BadParameter(f"{name}={path} is not FORMAT=FILE ({', '.join(FORMATS)})")
    return pairs


def platforms(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Return the platforms of ``--platform linux-64,win-64``."""
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


def cuda(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Return the CUDA of ``--cuda``: X.Y, none or auto."""
    if value is not None and not re.fullmatch(r"[1-9]\d?\.\d{1,2}|none|auto", value):
        raise click.BadParameter(f"{value!r} is not X.Y, none or auto")
    return value


def channels(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Return channels as conda reads them from any folder: a folder that is there as its URL."""
    from pathlib import Path  # noqa: PLC0415 - few runs name a channel

    return tuple(
        Path(text).resolve().as_uri() if os.path.isdir(text) else text.rstrip("/") for text in value
    )


def driver(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Return the release of a driver, as ``--driver 550`` has it."""
    if value is None or re.fullmatch(r"[1-9]\d{2}(?:\.\d{1,4}){0,2}", value):
        return value
    if re.fullmatch(r"[1-9]\d?\.\d{1,2}", value):
        raise click.BadParameter(
            f"{value} is a CUDA: give the driver's release, which nvidia-smi shows as Driver "
            f"Version (550, 550.54.15), or the CUDA that is meant, --cuda {value}; to judge for a "
            f"driver that runs it, scan and check take CONDA_OVERRIDE_CUDA={value} too"
        )
    raise click.BadParameter(f"{value!r} is no release of a driver, such as 550 or 550.54.15")


def gpus(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Return the architectures of ``--gpu sm_90``."""
    names = tuple(name.strip() for text in value for name in text.split(",") if name.strip())
    for name in names:
        if not re.fullmatch(r"sm_[1-9]\d{1,2}", name):
            raise click.BadParameter(f"{name!r} is no architecture of a GPU, such as sm_90")
    return names
