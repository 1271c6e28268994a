"""A process in which libraries of several CUDA toolkits are mapped, and whom they come from."""

from __future__ import annotations

import posixpath

from msgspec import Struct

from reconciler.model.run import Link, Run


class Part(Struct, frozen=True, kw_only=True):
    """A library of a CUDA toolkit that a process maps."""

    link: Link
    #: The major release of its toolkit.
    major: int

    @property
    def name(self) -> str:
        """The name of its file, by which or by the path of which it was asked for."""
        return posixpath.basename(self.link.soname)


class Mixture(Struct, frozen=True, kw_only=True):
    """The start of a framework that maps libraries of two majors, or one of another major."""

    run: Run
    #: The name of the Consumer that is started.
    framework: str
    #: The major that the framework is for; where that is not known, the one of most libraries.
    major: int
    #: The libraries of that major.
    own: tuple[Part, ...] = ()
    #: Those of all others.
    odd: tuple[Part, ...]
    #: Whether the same start in an activated shell is of one piece.
    is_cured_by_activation: bool = False


class Crossing(Struct, frozen=True, kw_only=True):
    """A library that a framework gets of another major where others are imported before it."""

    run: Run
    #: What it gets alone, and with the others.
    alone: Part
    together: Part
