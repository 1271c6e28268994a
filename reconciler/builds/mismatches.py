"""The libraries of CUDA that answer and do not do: symbols are missing, or the version is another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.builds.wanted import wanted
from reconciler.model.mismatch import Mismatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.builds.loading import Loading
    from reconciler.model.catalog import Catalog
    from reconciler.model.owner import Owner
    from reconciler.model.run import Link, Run
    from reconciler.model.snapshot import Snapshot


def lacking(loading: Loading) -> tuple[Mismatch, ...]:
    """Return where the file that answers does not define what a package's library binds to it."""

    def judge(run: Run, link: Link) -> Mismatch | None:
        return _mismatch(run, link) if link.errors else None

    return _found(loading, judge)


def outdated(loading: Loading, snapshot: Snapshot, catalog: Catalog) -> tuple[Mismatch, ...]:
    """Return where a package's library gets an older one than it was built with, of another owner."""
    owners: dict[tuple[str, str | None], Owner] = {
        **{("pip", d.key): d for d in (*snapshot.outside, *snapshot.distributions)},
        **{("conda", record.name): record for record in snapshot.records},
    }

    def judge(run: Run, link: Link) -> Mismatch | None:
        who = [link.asker]
        if (link.asker.kind, link.asker.package) not in catalog.cuda_packages:
            # Of several wheels of one framework, one tells: jax-cuda12-plugin, not -pjrt.
            who.append(run.owner)
        found = (owners.get((one.kind, one.package)) for one in who)
        each = (wanted(loading, owner, link, snapshot, catalog) for owner in found if owner)
        told = next(filter(None, each), None)
        release = loading.release_of(link.real or "", link.soname)
        # In which version a package itself is installed is CUD203's, and the managers' own.
        is_own = told is not None and link.owner is not None and told.package == link.owner.package
        if told is None or is_own or not release.falls_short_of(told.release):
            return None
        return replace(
            _mismatch(run, link),
            release=release,
            wanted=told.release,
            because=told.because,
            requirement=told.requirement,
        )

    return _found(loading, judge)


def _mismatch(run: Run, link: Link) -> Mismatch:
    return Mismatch(started=run.title, link=link, situations=(run.situation,))


def _found(loading: Loading, judge: Callable[[Run, Link], Mismatch | None]) -> tuple[Mismatch, ...]:
    """Return what is judged to be one, that of several shells and starts once."""
    found: dict[tuple[str, str, str | None], Mismatch] = {}
    for run, link in _asked(loading):
        one = judge(run, link)
        if one is None:
            continue
        one = replace(one, captured_by=_captured_by(loading, run, link))
        known = found.setdefault((link.asked_by, link.soname, link.real), one)
        if run.situation not in known.situations:
            situations = (*known.situations, run.situation)
            found[link.asked_by, link.soname, link.real] = replace(known, situations=situations)
    return tuple(found.values())


def _asked(loading: Loading) -> Iterator[tuple[Run, Link]]:
    """Yield what libraries of packages ask of CUDA and get; the driver's own have rules of theirs."""
    for run in (*loading.alone, *loading.modules):
        for link in run.cuda_links:
            is_answered = link.owner is not None and link.owner.kind != "driver"
            if is_answered and link.asker.is_package:
                yield run, link


def _captured_by(loading: Loading, run: Run, link: Link) -> tuple[str, ...]:
    asked = (run.situation, link.asked_by, link.soname)
    captures = (
        (capture.variable, capture.entry)
        for capture in loading.captures
        if (capture.situation, capture.link.asked_by, capture.link.soname) == asked
        and capture.is_harmful
    )
    return next(captures, ())
