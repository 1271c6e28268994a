"""``envfix convert``: what pip's files ask for, or an environment has, as conda's alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from reconciler import __version__, completing, options, progress, terminal
from reconciler.model.os_name import to_os
from reconciler.options import converting

if TYPE_CHECKING:
    from reconciler.model.conversion import Rendition
    from reconciler.model.snapshot import Snapshot

CLEAN, FINDINGS = 0, 1


@click.command()
@click.argument("sources", nargs=-1, metavar="SOURCE...", shell_complete=completing.a_file)
@converting
@click.pass_context
def convert(ctx: click.Context, /, *, sources: tuple[str, ...], **said: Any) -> None:
    """Turn pip's requirements into an environment in which conda supplies CUDA, once."""
    from reconciler import conversion, pipeline  # noqa: PLC0415 - `envfix --version` does without
    from reconciler.output import conversion as told  # noqa: PLC0415 - as above

    wish = {key: said[key] for key in ("to", "platforms", "cuda")}
    options.check_sources(sources, **said)
    taken = None
    with progress.shown("reading what is to be converted") as tell:
        wish |= {"comments": said["verbose"], "terms": options.terms(tell=tell, **said)}
        if sources:
            made = conversion.convert(".", sources, **wish)
        else:
            choice = pipeline.Choice(prefix=said["prefix"], name=said["name"])
            taken = pipeline.look(".", choice, os.environ, host=False, tell=tell)
            made = conversion.convert_installed(taken, **wish)
    look = terminal.look(said["color"], said["output"])
    terminal.emit(told.render(made, look, **said), said["output"])
    if said["write"]:
        terminal.note(conversion.write_conversion(".", made))
    if said["script"] and taken:
        _write_turning(said["script"], taken, made)
    is_done = said["write"] or said["output"] or said["script"]
    ctx.exit(FINDINGS if made.conversion.is_open(said["solve"]) or not is_done else CLEAN)


def _write_turning(path: str, taken: Snapshot, made: Rendition) -> None:
    from reconciler import conversion  # noqa: PLC0415 - `envfix --version` does without
    from reconciler.output import script as commands  # noqa: PLC0415 - few ask for it

    turning = conversion.turned(taken, made)
    text = commands.render_turning(turning, made.conversion, taken.target, envfix=__version__)
    terminal.write(path, to_os(text).encode("utf-8", "surrogateescape"))
