"""What a command judges: a project and its environment as they are, or as they were seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from reconciler import progress, terminal

if TYPE_CHECKING:
    from reconciler.config import Config
    from reconciler.model.snapshot import Snapshot


def take(  # noqa: PLR0913 - each is an option of the command
    project: str,
    config: Config,
    *,
    prefix: str | None,
    name: str | None,
    no_env: bool,
    no_host: bool,
    live: bool,
    supposed: tuple[tuple[str, str], ...],
    snapshot: str | None,
    save_snapshot: str | None,
    anonymize: bool,
    sonames: tuple[str, ...] = (),
    opened: tuple[str, ...] = (),
    **said: Any,
) -> Snapshot:
    """Look at a project and its environment, or replay what was seen."""
    from reconciler import pipeline  # noqa: PLC0415 - `envfix --version` does without

    if sum([prefix is not None, name is not None, no_env]) > 1:
        raise click.UsageError("give one of --prefix, --name and --no-env")
    if snapshot and (prefix or name or no_env or supposed):
        raise click.UsageError(
            "a snapshot is what was seen: it goes with no -p, -n, --no-env, --env"
        )
    if no_host and said.get("builds"):
        raise click.UsageError("--build looks at this machine: it goes with no --no-host")
    if live and (snapshot or no_env):
        raise click.UsageError("--live asks an environment: it goes with no --snapshot or --no-env")
    if anonymize and not save_snapshot:
        raise click.UsageError("--anonymize goes with --save-snapshot: it says how that is saved")
    if snapshot:
        taken = pipeline.load_snapshot(terminal.read(snapshot), where=snapshot)
    else:
        choice = pipeline.Choice(prefix=prefix, name=name, no_env=no_env)
        with progress.shown("reading the environment", quiet=said.get("quiet", False)) as tell:
            taken = pipeline.look(
                project,
                choice,
                terminal.environ(dict(supposed)),
                host=not no_host,
                may_run=live,
                sonames=sonames,
                opened=opened,
                gpus=said.get("gpus", ()),
                builds=said.get("builds", False),
                tell=tell,
            )
    taken = aim(taken, config, **said)
    if save_snapshot:
        kept = _anonymous(taken) if anonymize else taken
        terminal.write(save_snapshot, pipeline.save_snapshot(kept))
    return taken


def _anonymous(taken: Snapshot) -> Snapshot:
    from reconciler import scrubbing  # noqa: PLC0415 - few ask for it
    from reconciler.collect.person import person  # noqa: PLC0415 - as above

    return scrubbing.scrub(taken, person(terminal.environ()))


def aim(  # noqa: PLR0913 - each is an option of the command
    taken: Snapshot,
    config: Config,
    *,
    platforms: tuple[str, ...],
    cuda: str | None,
    driver: str | None = None,
    gpus: tuple[str, ...] = (),
    builds: bool = False,
    **_: Any,
) -> Snapshot:
    """Return a snapshot that is judged for the machines that options and settings name."""
    from reconciler import pipeline  # noqa: PLC0415 - `envfix --version` does without

    settings = config.settings
    return pipeline.aimed(
        taken,
        platforms or settings.platforms,
        cuda or settings.cuda,
        driver=driver,
        gpus=gpus,
        builds=builds,
    )
