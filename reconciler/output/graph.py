"""The graph of what is mapped, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from reconciler.model.graph import Graph


class JsonNode(Struct, frozen=True):
    """A library or program, by its real path."""

    path: str
    owner: str
    #: conda, pip, toolkit, driver, system, python, or unknown.
    kind: str
    package: str | None
    version: str | None
    #: The part of CUDA that it is of; null for all else.
    component: str | None


class JsonEdge(Struct, frozen=True):
    """One library that was asked for, and the file that answers: paths of nodes."""

    #: Null for Python itself, which opens it by its name.
    asker: str | None
    soname: str
    #: Null where nothing answers.
    file: str | None
    #: The rule by which the file is found; what the loader says, where none is.
    reason: str
    #: Whether what asks goes on without it.
    optional: bool


class JsonStart(Struct, frozen=True):
    """One process in which something was started, or one soname was asked for."""

    title: str
    #: ``in this shell``, ``activated``, ``not activated``: those in which it is so.
    situations: tuple[str, ...]
    edges: tuple[JsonEdge, ...]
    failures: tuple[str, ...]


class JsonGraph(Struct, frozen=True):
    """What is mapped of CUDA, of libstdc++ and of OpenMP, for whom, and why."""

    nodes: tuple[JsonNode, ...]
    runs: tuple[JsonStart, ...]


def graph_of(graph: Graph) -> JsonGraph:
    """Return a graph as it is written."""
    return JsonGraph(
        nodes=tuple(
            JsonNode(n.path, n.owner, n.kind, n.package, n.version, n.component)
            for n in graph.nodes
        ),
        runs=tuple(
            JsonStart(
                title=run.title,
                situations=run.situations,
                edges=tuple(
                    JsonEdge(e.asker, e.soname, e.file, e.reason, e.is_optional) for e in run.edges
                ),
                failures=run.failures,
            )
            for run in graph.runs
        ),
    )
