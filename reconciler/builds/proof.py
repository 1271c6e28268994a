"""A change of a shell's variables, tried out: every start beside the same one with the change."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.builds.loading import Loading
    from reconciler.model.run import Link, Run
    from reconciler.model.which import Situation

Key = tuple[str, tuple[str, ...]]


class Trial(NamedTuple):
    """An environment in one shell, and in the same with other variables."""

    before: Loading
    after: Loading
    #: Whether something is only taken away, so that packages may get their own files again.
    only_takes: bool = False

    @property
    def worse(self) -> tuple[str, ...]:
        """What is worse with the change, each a clause; empty where nothing is."""
        known = _runs(self.before)
        found: list[str] = []
        for key, run in _runs(self.after).items():
            if key in known:
                found += _harm(known[key], run, may_return=self.only_takes)
        if unseen := sorted(self.after.tree.unknown - self.before.tree.unknown):
            found.append(f"{unseen[0]} was not looked at")
        return tuple(found)


def trial(
    loading: Loading,
    shell: Situation,
    variables: Mapping[str, str | None],
    *,
    only_takes: bool = False,
) -> Trial:
    """Play every start in a shell, and again with some of its variables changed or taken away."""
    changed = {**dict(shell.variables), **variables}
    given = tuple(sorted((name, value) for name, value in changed.items() if value is not None))
    return Trial(
        loading.in_shells((shell,)),
        loading.in_shells((replace(shell, variables=given),)),
        only_takes,
    )


def _runs(loading: Loading) -> Mapping[Key, Run]:
    played = (*loading.alone, *loading.together, *loading.modules)
    return {(run.title, (run.owner.title, *run.frameworks)): run for run in played}


def _harm(before: Run, after: Run, *, may_return: bool) -> Iterator[str]:
    failed = dict(before.failures)
    for name, error in after.failures:
        if name not in failed:
            yield f"{name} would not start: {error}"
    known = _answers(before)
    faults = {error for link in before.links for error in link.errors}
    for key, link in _answers(after).items():
        was = known.get(key)
        if was is not None and was.real is not None and link.real is None:
            yield f"{link.soname} would not be found"
        elif was and _is_replaced(was, link) and not (may_return and _is_returned(link)):
            yield f"{link.path} would take the place of {was.path}"
        if new := [error for error in link.errors if error not in faults]:
            yield new[0]
    for name, count in _copies(after).items():
        if count > max(1, _copies(before).get(name, 0)):
            yield f"{name} would be mapped from {count} files in one process"


def _is_replaced(before: Link, after: Link) -> bool:
    return before.real not in {None, after.real}


def _is_returned(link: Link) -> bool:
    """Tell whether a package's library takes its place again."""
    return link.owner is not None and link.owner.is_package and link.reason != "LD_LIBRARY_PATH"


def _answers(run: Run) -> Mapping[tuple[str, str], Link]:
    found: dict[tuple[str, str], Link] = {}
    for link in run.links:
        key = link.asked_by, link.soname
        if key not in found or found[key].real is None:
            found[key] = link
    return found


def _copies(run: Run) -> Mapping[str, int]:
    """Count the files that each library of CUDA is mapped from."""
    found: dict[str, set[str]] = {}
    for link in run.cuda_links:
        if link.real:
            name = posixpath.basename(link.soname).partition(".so")[0]
            found.setdefault(name, set()).add(link.real)
    return {name: len(paths) for name, paths in found.items()}
