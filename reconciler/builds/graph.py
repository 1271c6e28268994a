"""The graph of what is mapped: of the starts of frameworks, and of one soname."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from reconciler.model.graph import Edge, Graph, Node, Start

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.builds.loading import Loading
    from reconciler.model.run import Link, Run
    from reconciler.model.which import Which

#: Of what is no part of CUDA, a process has trouble with two copies of these.
BESIDE_CUDA = frozenset({"libstdc++", "libgomp", "libiomp5", "libomp"})


def of_runs(loading: Loading, runs: Iterable[Run]) -> Graph:
    """Return the CUDA, C++ and OpenMP libraries that each start maps."""
    starts = tuple(
        Start(
            title=run.title,
            situations=run.situation.names,
            edges=tuple(dict.fromkeys(_edges(loading, run))),
            failures=tuple(why for _, why in run.failures),
        )
        for run in runs
    )
    return Graph(nodes=tuple(_nodes(loading, starts)), runs=starts)


def of_which(loading: Loading, which: Which) -> Graph:
    """Return who gets which file for one soname."""
    starts = tuple(
        Start(
            title=which.soname,
            situations=answer.situation.names,
            edges=tuple(
                Edge(
                    asker=loading.tree.real_path(asker) if asker else None,
                    soname=which.soname,
                    file=loading.tree.real_path(answer.path) if answer.path else None,
                    reason=answer.because,
                    is_optional=asker is None,
                )
                for asker in answer.askers or (None,)
            ),
        )
        for answer in which.answers
    )
    return Graph(nodes=tuple(_nodes(loading, starts)), runs=starts)


def _edges(loading: Loading, run: Run) -> Iterator[Edge]:
    for link in run.links:
        if link.component or _stem(link.soname) in BESIDE_CUDA:
            yield Edge(
                asker=loading.tree.real_path(link.asked_by),
                soname=posixpath.basename(link.soname),
                file=link.real,
                reason=_reason(link),
                is_optional=link.is_optional,
            )


def _reason(link: Link) -> str:
    return link.reason if link.path else link.because


def _nodes(loading: Loading, starts: Iterable[Start]) -> Iterator[Node]:
    edges = [edge for start in starts for edge in start.edges]
    paths = (path for edge in edges for path in (edge.asker, edge.file) if path)
    for path in sorted(set(paths)):
        origin = loading.origins.of(path)
        yield Node(
            path=path,
            owner=origin.title,
            kind=origin.kind,
            package=origin.package,
            version=origin.version,
            component=loading.component_of(posixpath.basename(path)),
        )


def _stem(soname: str) -> str:
    return posixpath.basename(soname).partition(".so")[0]
