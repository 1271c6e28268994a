"""What is mapped for whom, as nodes and edges."""

from __future__ import annotations

from msgspec import Struct


class Node(Struct, frozen=True, kw_only=True):
    """A library or program, by its real path."""

    path: str
    #: In words: ``pip's nvidia-cublas-cu12 12.4.5.8``.
    owner: str
    #: The kind of an Origin, and its package and version.
    kind: str
    package: str | None
    version: str | None
    #: The part of CUDA that it is of.
    component: str | None


class Edge(Struct, frozen=True, kw_only=True):
    """One library that was asked for, and the file that answers."""

    #: The path of the node that asks; None for Python itself, by name.
    asker: str | None
    soname: str
    #: The path of the node that answers; None where nothing does.
    file: str | None
    #: RPATH, LD_LIBRARY_PATH ...; what the loader says, where nothing answers.
    reason: str
    #: Whether what asks goes on without it.
    is_optional: bool = False


class Start(Struct, frozen=True, kw_only=True):
    """The edges of one process."""

    #: What was started, or the soname that was asked for.
    title: str
    situations: tuple[str, ...]
    edges: tuple[Edge, ...]
    #: Why it does not start; empty where it does.
    failures: tuple[str, ...] = ()


class Graph(Struct, frozen=True, kw_only=True):
    """All that is mapped of CUDA, and of what must be there but once."""

    nodes: tuple[Node, ...]
    runs: tuple[Start, ...]
