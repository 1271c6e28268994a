"""What uses CUDA, started in every shell: the frameworks one by one, all together, and the rest."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from reconciler.builds.which import because, candidate_of
from reconciler.loader import frameworks
from reconciler.model.cuda import Role, Variant
from reconciler.model.run import Link, Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.builds.loading import Loading
    from reconciler.loader.answer import Answer
    from reconciler.loader.frameworks.stage import Stage
    from reconciler.model.catalog import Catalog
    from reconciler.model.cuda import CudaBuild
    from reconciler.model.which import Situation

#: More modules of one package than that say nothing new.
MAX_MODULES = 30


def started(builds: Iterable[CudaBuild], catalog: Catalog) -> dict[str, CudaBuild]:
    """Return the installed builds for CUDA whose way of loading it is known, by consumer."""
    found: dict[str, CudaBuild] = {}
    for build in builds:
        is_for_cuda = build.role is Role.NEEDS and build.variant is Variant.CUDA
        if is_for_cuda and build.component in frameworks.FRAMEWORKS:
            found.setdefault(build.component, build)
    # In the order of the catalog, frameworks first, as a program imports them.
    order = [name for name in catalog.consumers if name in found]
    order.sort(key=lambda name: catalog.consumers[name].kind != "framework")
    return {name: found[name] for name in order}


def alone(loading: Loading, known: dict[str, CudaBuild], catalog: Catalog) -> Iterator[Run]:
    """Yield each framework's start in a process of its own, in each shell."""
    for situation in loading.situations:
        for name, build in known.items():
            yield from _run(loading, situation, {name: build}, catalog)


def together(loading: Loading, known: dict[str, CudaBuild], catalog: Catalog) -> Iterator[Run]:
    """Yield the start of all of them in one process, in each shell, where there are several."""
    for situation in loading.situations if len(known) > 1 else ():
        yield from _run(loading, situation, known, catalog)


def modules(loading: Loading, known: dict[str, CudaBuild], catalog: Catalog) -> Iterator[Run]:
    """Yield the opening of each library that needs CUDA and is no framework's, nor CUDA's own.

    Where it needs the libraries of a framework, that is started first.
    """
    for situation in loading.situations:
        for path in _lone(loading, known, catalog):
            base = _base_of(loading, path, known)
            stage = loading.stage(situation)
            if stage is None:
                return
            for name in base:
                frameworks.start(stage, name)
            since = len(stage.outcomes)
            stage.open(
                path,
                because="Python imports it",
                caller=loading.importer(stage.process),
                is_optional=True,
            )
            yield Run(
                title=posixpath.basename(path),
                owner=loading.origins.of(path),
                situation=situation,
                links=tuple(links_of(loading, stage, since)),
                failures=tuple(_failure(stage, since, path)),
            )


def _run(
    loading: Loading, situation: Situation, known: dict[str, CudaBuild], catalog: Catalog
) -> Iterator[Run]:
    stage = loading.stage(situation)
    if stage is None:
        return
    for name in known:
        frameworks.start(stage, name)
    titles = [catalog.consumers[name].title for name in known]
    first = next(iter(known.values()))
    yield Run(
        title=" and ".join(titles)
        if len(titles) < 3
        else f"{', '.join(titles[:-1])} and {titles[-1]}",
        frameworks=tuple(known),
        owner=loading.owner_of(first),
        situation=situation,
        links=tuple(links_of(loading, stage, 0)),
        mapped=tuple(map(loading.tree.real_path, stage.process.mapped)),
        failures=tuple(stage.failures.items()),
        looked_up=tuple(_looked_up(stage)),
    )


def _lone(loading: Loading, known: dict[str, CudaBuild], catalog: Catalog) -> Iterator[str]:
    """Yield the libraries that need CUDA, of packages that are not played and not CUDA's own."""
    of_frameworks = {build.package for build in known.values()}
    counts: dict[str | None, int] = {}
    paths = {
        path: None
        for soname, needing in loading.needing.items()
        if loading.component_of(soname)
        for path in needing
    }
    for path in paths:
        owner = loading.origins.of(path)
        package = owner.package or ""
        if package in of_frameworks or (owner.kind, package) in catalog.cuda_packages:
            continue
        counts[package] = counts.get(package, 0) + 1
        if counts[package] <= MAX_MODULES:
            yield path


def _base_of(loading: Loading, path: str, known: dict[str, CudaBuild]) -> Iterator[str]:
    """Yield the frameworks whose own libraries a library needs by name."""
    needed = set(loading.needed_by(path))
    for name, build in known.items():
        if needed & loading.sonames_of(build.package):
            yield name


def links_of(loading: Loading, stage: Stage, since: int) -> Iterator[Link]:
    """Yield what was asked for in a process, from one of its outcomes on."""
    for outcome in stage.outcomes[since:]:
        attempt = outcome.attempt
        for opened in outcome.opened:
            for number, answer in enumerate(opened.answers):
                yield _link(
                    loading,
                    stage,
                    answer,
                    step="" if number else attempt.because,
                    is_optional=attempt.is_optional or outcome.path is not None,
                )


def _link(loading: Loading, stage: Stage, answer: Answer, *, step: str, is_optional: bool) -> Link:
    path = answer.path
    real = loading.tree.real_path(path) if path else None
    taken = answer.taken
    misfit = loading.misfit(answer.asked_by, real, answer.name) if real else None
    return Link(
        soname=answer.name,
        asked_by=answer.asked_by,
        asker=loading.origins.of(answer.asked_by),
        path=path,
        real=real,
        owner=loading.origins.of(path) if path else None,
        component=loading.component_of(posixpath.basename(answer.name)),
        reason=str(answer.reason.value) if answer.reason else "",
        entry=taken.entry if taken else None,
        because=because(loading, answer, stage.process),
        others=tuple(
            candidate_of(loading, one, path) for one in answer.candidates if one.path != path
        ),
        step=step,
        is_optional=is_optional,
        versions=misfit.versions if misfit else (),
        symbols=misfit.symbols if misfit else (),
    )


def _looked_up(stage: Stage) -> Iterator[tuple[str, str | None]]:
    for outcome in stage.outcomes:
        if not outcome.opened and outcome.attempt.names:
            yield outcome.attempt.because, outcome.path


def _failure(stage: Stage, since: int, path: str) -> Iterator[tuple[str, str]]:
    for outcome in stage.outcomes[since:]:
        if outcome.error:
            yield path, outcome.error
