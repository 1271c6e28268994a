"""The shells in which an environment is used: this one, activated, and not activated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.activating import Manager, activated, not_activated
from reconciler.model.loading import Site
from reconciler.model.module_paths import module_paths
from reconciler.model.which import Situation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.model.activation import Doubt
    from reconciler.model.snapshot import Snapshot

THIS_SHELL, ACTIVATED, NOT_ACTIVATED = "in this shell", "activated", "not activated"
#: What the shell itself, Python and the managers read, and no loader.
_OF_OTHERS = frozenset(
    [
        "CONDA_DEFAULT_ENV",
        "CONDA_OVERRIDE_CUDA",
        "CONDA_SHLVL",
        "CUDA_VISIBLE_DEVICES",
        "LOADEDMODULES",
        "PATH",
        "PYTHONNOUSERSITE",
        "PYTHONPATH",
        "PYTHONHOME",
        "PYTHONUSERBASE",
        "VIRTUAL_ENV",
    ]
)


def situations(snapshot: Snapshot) -> tuple[Situation, ...]:
    """Return the situations that differ for a loader, this shell's first."""
    shell, state, prefix = snapshot.variables, snapshot.state, snapshot.target.prefix or ""
    find = module_paths(snapshot)
    manager: Manager = "conda" if snapshot.target.kind == "conda" else "venv"
    entered = activated(shell, state, prefix, manager=manager, find_module=find)
    left = not_activated(shell, state, prefix, manager=manager, find_module=find)
    found: dict[object, Situation] = {}
    for name, variables, doubts in (
        (THIS_SHELL, shell, ()),
        (ACTIVATED, entered.variables, entered.unknown),
        (NOT_ACTIVATED, left.variables, left.unknown),
    ):
        said = tuple(_said(doubt) for doubt in doubts if not _is_of_others(doubt.variable))
        kept = tuple(sorted((k, v) for k, v in variables.items() if not _is_of_others(k)))
        known = found.get((kept, said))
        names = (*(known.names if known else ()), name)
        found[kept, said] = Situation(names=names, variables=kept, unknown=said)
    return tuple(found.values())


def _is_of_others(name: str) -> bool:
    # A hook of envfix keeps what was there before it in variables that nothing else reads.
    return name in _OF_OTHERS or name.startswith("_ENVFIX_")


def _said(doubt: Doubt) -> str:
    place = f" ({doubt.path}:{doubt.line})" if doubt.path else ""
    return f"{doubt.variable or 'any variable'} may have another value: {doubt.reason}{place}"


def site_of(
    snapshot: Snapshot,
    executable: str,
    variables: Mapping[str, str],
    built_for: Mapping[str, str] = {},
) -> Site:
    """Return where the packages of an environment's Python lie; its own library comes last."""
    prefix, python = snapshot.target.prefix or "", snapshot.python
    minor = python.minor if python else ""
    library = f"{executable.rpartition('/bin/')[0]}/lib/python{minor}"
    paths = [_absolute(prefix, path.path) for path in snapshot.import_paths]
    installed = (*snapshot.outside, *snapshot.distributions)
    return Site(
        prefix=prefix,
        directories=tuple(dict.fromkeys((*paths, library, f"{library}/lib-dynload"))),
        python=minor,
        variables=variables,
        versions={distribution.key: distribution.version for distribution in installed},
        built_for=built_for,
    )


def _absolute(prefix: str, path: str) -> str:
    return path if path.startswith("/") else f"{prefix}/{path}"
