"""The public API: each function is one sentence of the architecture."""

from __future__ import annotations

import os
from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from reconciler import __version__, catalog, live, rules
from reconciler.check import fold_symptoms, run_rules
from reconciler.errors import SelectionError, SnapshotError
from reconciler.model.finding import Finding
from reconciler.model.report import Crash, Report, Skip
from reconciler.model.snapshot import SCHEMA, Choice, Fact, Snapshot
from reconciler.world import World

__all__ = [
    "Choice",
    "judge",
    "load_snapshot",
    "look",
    "save_snapshot",
    "scan",
    "selected_rules",
]

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from reconciler.model.catalog import Catalog
    from reconciler.model.rule import RuleModule


class _Schema(msgspec.Struct, frozen=True):
    """What must be known of a snapshot before the rest can be read."""

    schema: int


#: What only the machine around an environment can tell: left out by ``--no-host``.
HOST_FACTS = frozenset({Fact.DRIVER, Fact.TOOLKITS})
#: What only an environment can tell: left out by ``--no-env``.
ENVIRONMENT_FACTS = frozenset(
    {
        Fact.RECORDS,
        Fact.PYTHON,
        Fact.DISTRIBUTIONS,
        Fact.LIBRARIES,
        Fact.EVIDENCE,
        Fact.STATE,
        Fact.IMPORT_PATHS,
        Fact.OUTSIDE,
        Fact.PAYLOAD,
        Fact.KERNELS,
        Fact.VARIABLE_PATHS,
        Fact.PIP_VIEW,
    }
)
#: What only running code of the environment can tell: collected with ``--live`` alone.
LIVE_FACTS = frozenset({Fact.PIP_VIEW})


def look(  # noqa: PLR0913 - what is looked at, by name
    project: str,
    choice: Choice,
    environ: Mapping[str, str],
    *,
    host: bool = True,
    may_run: bool = False,
    root: str = "",
) -> Snapshot:
    """Take a snapshot of a project and its environment; raises TargetNotFoundError.

    With ``may_run``, the environment's interpreter is started to hear its pip. The machine's own
    files are looked for below ``root``, which tests make up.
    """
    from reconciler import collect  # noqa: PLC0415 - a replayed snapshot needs no collectors
    from reconciler.collect.ground import EvidenceWanted, Ground  # noqa: PLC0415
    from reconciler.collect.prefixes import choose  # noqa: PLC0415

    known = catalog.load()
    ground = Ground(
        target=choose(project, choice, environ),
        directory=os.getcwd(),
        environ=environ,
        wanted=EvidenceWanted(
            libraries=known.evidence_libraries,
            library_paths=known.evidence_paths,
            texts=known.evidence_texts,
            imports=frozenset(known.import_names),
            providers=frozenset(chain.from_iterable(known.import_names.values())),
        ),
        root=root,
    )
    nothing: frozenset[Fact] = frozenset()
    left_out = (
        (nothing if host else HOST_FACTS)
        | (nothing if may_run else LIVE_FACTS)
        | (ENVIRONMENT_FACTS if choice.no_env else nothing)
    )
    return collect.collect(ground, frozenset(Fact) - left_out, envfix=__version__)


def judge(snapshot: Snapshot, modules: Sequence[RuleModule[World]], known: Catalog) -> Report:
    """Hold a snapshot against the rules."""
    world = World(snapshot, known)
    results = tuple(run_rules(modules, world))
    return Report(
        envfix=__version__,
        target=snapshot.target,
        builds=world.builds,
        findings=fold_symptoms(r for r in results if isinstance(r, Finding)),
        skips=tuple(r for r in results if isinstance(r, Skip)),
        gaps=snapshot.gaps,
        crashes=tuple(r for r in results if isinstance(r, Crash)),
        live=live.compare(snapshot),
    )


def scan(
    snapshot: Snapshot, *, select: Collection[str] = (), ignore: Collection[str] = ()
) -> Report:
    """Judge a snapshot by the selected rules; raises SelectionError."""
    return judge(snapshot, selected_rules(select, ignore), catalog.load())


def selected_rules(
    select: Collection[str], ignore: Collection[str]
) -> tuple[RuleModule[World], ...]:
    """Return the rules whose codes begin with one of ``select`` and with none of ``ignore``."""
    for code in (*select, *ignore):
        if not any(known.startswith(code) for known in rules.modules()):
            raise SelectionError(
                "no rule has this code", where=code, next_step="`envfix rule` lists the rules"
            )
    return tuple(
        rules.rule(code)
        for code in rules.modules()
        if (not select or code.startswith(tuple(select))) and not code.startswith(tuple(ignore))
    )


def save_snapshot(snapshot: Snapshot) -> bytes:
    """Return a snapshot as JSON."""
    return msgspec.json.format(msgspec.json.encode(snapshot), indent=1) + b"\n"


def load_snapshot(raw: bytes, *, where: str) -> Snapshot:
    """Return the snapshot in a file's bytes; raises SnapshotError."""
    try:
        schema = msgspec.json.decode(raw, type=_Schema).schema
        if schema != SCHEMA:
            raise SnapshotError(
                f"a snapshot of schema {schema}",
                where=where,
                next_step=f"take it again with this envfix, which reads schema {SCHEMA}",
            )
        return msgspec.json.decode(raw, type=Snapshot)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise SnapshotError(
            f"not a snapshot of envfix: {error}",
            where=where,
            next_step="`envfix scan --save-snapshot FILE` makes one",
        ) from error
