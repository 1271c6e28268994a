"""The one door to a solver: specs and channels in, a solution or the conflict in words out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from reconciler.solve.channels import ALIAS
from reconciler.solve.machine import target

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from reconciler.model.catalog import Catalog
    from reconciler.model.look import Tell
    from reconciler.model.solution import (
        Complaint,
        Outcome,
        Proof,
        Repair,
        Solution,
        VirtualPackage,
    )
    from reconciler.solve.question import Where

__all__ = ["ALIAS", "TIMEOUT", "prove", "solve", "target"]

#: Seconds: a first download of conda-forge's repodata over a slow line takes minutes.
TIMEOUT = 300.0

# What a solver needs is imported when it is asked: asyncio and subprocess take 30 ms.
# ruff: noqa: PLC0415


def solve(  # noqa: PLR0913 - what a solver has to know, each by its name
    specs: Sequence[str],
    channels: Sequence[str],
    platform: str,
    virtual_packages: Sequence[VirtualPackage],
    *,
    offline: bool = False,
    timeout: float = TIMEOUT,
    strict: bool = True,
    alias: str = ALIAS,
    cache: str | None = None,
    tell: Tell | None = None,
) -> Outcome:
    """Solve specs for one platform; raises SolverMissingError, and InvalidCondaSpec.

    ``alias`` is conda's channel_alias, ``cache`` another folder for repodata than the user's own;
    ``tell`` hears what takes long.
    """
    from reconciler.solve import child, question

    where = _where(
        channels,
        platform,
        virtual_packages,
        offline=offline,
        timeout=timeout,
        strict=strict,
        alias=alias,
        cache=cache,
    )
    with child.asking(timeout, tell) as ask:
        return question.outcome(ask, where, specs)


def prove(  # noqa: PLR0913 - as solve
    specs: Sequence[str],
    channels: Sequence[str],
    platform: str,
    virtual_packages: Sequence[VirtualPackage],
    *,
    gpu: Collection[str] = (),
    held: Collection[str] = (),
    catalog: Catalog | None = None,
    offline: bool = False,
    timeout: float = TIMEOUT,
    strict: bool = True,
    alias: str = ALIAS,
    cache: str | None = None,
    tell: Tell | None = None,
) -> Proof:
    """Solve specs, and where they have no solution what comes nearest; each attempt is kept.

    ``gpu`` are the packages that must be built for CUDA, ``held`` those that say which CUDA was
    decided on. With a catalog, a solution that there are complaints about counts for none.
    """
    from reconciler.solve import child, proof, question

    where = _where(
        channels,
        platform,
        virtual_packages,
        offline=offline,
        timeout=timeout,
        strict=strict,
        alias=alias,
        cache=cache,
    )
    judge = partial(_complaints, catalog=catalog, gpu=gpu) if catalog else proof.content
    with child.asking(timeout, tell) as ask:
        return proof.prove(
            specs,
            platform,
            partial(question.outcome, ask, where),
            partial(question.released, ask, where),
            judge=judge,
            gpu=gpu,
            held=held,
        )


def _where(
    channels: Sequence[str],
    platform: str,
    virtual_packages: Sequence[VirtualPackage] = (),
    **options: Any,
) -> Where:
    from reconciler.solve.question import Where

    return Where(
        channels=tuple(channels),
        platform=platform,
        virtual_packages=tuple(virtual_packages),
        **options,
    )


def _complaints(
    solution: Solution, repairs: Sequence[Repair], *, catalog: Catalog, gpu: Collection[str]
) -> Sequence[Complaint]:
    from reconciler.solve.complaints import complaints

    # What a repair has given up, and said so, is not held against it.
    given_up = {repair.name for repair in repairs if repair.kind in {"cpu", "absent"}}
    wanted = [name for name in gpu if name not in given_up]
    return complaints(solution, catalog, wanted)
