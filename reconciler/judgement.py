"""The verdict on a snapshot: itself, and its files for every other platform, by some rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from reconciler import __version__, live, rules
from reconciler.check import (
    Platforms,
    asked_of,
    fold_symptoms,
    judged_so_far,
    merge_repeats,
    run_rules,
    silence,
)
from reconciler.model.finding import Finding
from reconciler.model.install_set import PLATFORMS
from reconciler.model.report import Crash, Report, Skip
from reconciler.model.snapshot import Fact, Snapshot
from reconciler.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.catalog import Catalog
    from reconciler.model.cuda import CudaBuild
    from reconciler.model.ignore import Ignore
    from reconciler.model.manifest import Manifest
    from reconciler.model.rule import RuleModule
    from reconciler.model.snapshot import Target


def judge(
    snapshot: Snapshot,
    modules: Sequence[RuleModule[World]],
    known: Catalog,
    ignores: Sequence[Ignore] = (),
    *,
    with_loads: bool = False,
) -> Report:
    """Hold a snapshot against the rules: itself, and its files for every other platform.

    ``with_loads`` asks, too, what the environment's loader maps.
    """
    worlds = [World(view, known) for view in _views(snapshot)]
    last = [module for module in modules if module.RULE.is_last]
    first = [module for module in modules if not module.RULE.is_last]
    results = [(world.platform, r) for world in worlds for r in run_rules(first, world)]
    found = ((platform, r) for platform, r in results if isinstance(r, Finding))
    can_have = [world.platform for world in worlds if world.can_have_cuda]
    judged = {m.path: _platforms_of(m, snapshot.target, can_have) for m in snapshot.manifests}
    wishes = (*worlds[0].ignores, *ignores)
    kept, ignored = silence(merge_repeats(found, judged), wishes)
    so_far = judged_so_far(rules.all_rules(), first, worlds[0], ignored)
    said = tuple(run_rules(last, World(snapshot, known, so_far)))
    told, quiet = silence((r for r in said if isinstance(r, Finding)), wishes)
    other = (*(r for _, r in results), *said)
    loading = worlds[0].loading if with_loads else None
    unwanted = tuple(code for ignore in ignores if ignore.path is None for code in ignore.codes)
    return Report(
        envfix=__version__,
        target=snapshot.target,
        machine=tuple(worlds[0].machine.words),
        driver=worlds[0].machine.driver,
        toolkits=snapshot.toolkits,
        builds=worlds[0].builds,
        declared=_declared(worlds[0]),
        findings=fold_symptoms((*kept, *told)),
        ignored=ignored + quiet,
        manifests=snapshot.manifests,
        judged=len(asked_of(modules, snapshot) - {r.code for r in other if isinstance(r, Crash)}),
        skips=tuple(
            dict.fromkeys(
                r for r in other if isinstance(r, Skip) and not r.code.startswith(unwanted)
            )
        ),
        gaps=snapshot.gaps,
        crashes=tuple({r.code: r for r in other if isinstance(r, Crash)}.values()),
        live=live.compare(snapshot),
        loads=loading.starts if loading else (),
        graph=loading.graph if loading else None,
    )


def _platforms_of(manifest: Manifest, target: Target, can_have: Sequence[str]) -> Platforms:
    said = manifest.platforms or target.platforms or ((target.platform,) if target.prefix else ())
    parts = [combination.platforms for combination in manifest.combinations]
    # An image is for Linux, whichever its machine is.
    possible = said or (tuple(p for part in parts for p in part) if all(parts) else ())
    return Platforms(
        judged=tuple(platform for platform in can_have if not possible or platform in possible),
        # Most of CUDA is Linux on x86-64; a file that does not say so need not be for the others.
        likely=said or (PLATFORMS[:1] if not possible or PLATFORMS[0] in possible else possible),
    )


def _declared(world: World) -> tuple[CudaBuild, ...]:
    if world.snapshot.target.prefix is not None:
        return ()
    builds = (b for install in world.install_sets for b in world.declared_builds(install))
    return tuple(dict.fromkeys(builds))


def _views(snapshot: Snapshot) -> Iterator[Snapshot]:
    """Yield the snapshot, and its declared files as they are for each other platform.

    Files that stand beside an environment are for its platform, if the user names no other.
    """
    target = snapshot.target
    yield snapshot
    for platform in target.platforms or (() if target.prefix else PLATFORMS):
        if platform != target.platform:
            yield Snapshot(
                envfix=snapshot.envfix,
                target=msgspec.structs.replace(target, platform=platform, prefix=None, kind="none"),
                asked=(Fact.MANIFESTS, *_of_machine(target, platform)),
                manifests=snapshot.manifests,
            )


def _of_machine(target: Target, platform: str) -> Iterator[Fact]:
    """Yield the facts that the user gives by ``--driver`` and ``--gpu``, for one system."""
    # A driver's number is of its system: 551.78 of Windows came when 550.54 of Linux did.
    if platform.partition("-")[0] != target.platform.partition("-")[0]:
        return
    if target.driver:
        yield Fact.DRIVER
    if target.gpus:
        yield Fact.GPUS
