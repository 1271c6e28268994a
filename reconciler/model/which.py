"""Which file a soname means: to whom, in which shell, by which rule, and in place of which others."""

from __future__ import annotations

from msgspec import Struct

from reconciler.model.graph import Graph

#: This shell, activated, not activated.
ALL = 3


class Situation(Struct, frozen=True, kw_only=True):
    """The variables under which an environment's Python is started."""

    #: Those of ``this shell``, ``activated`` and ``not activated`` that are alike for the loader.
    names: tuple[str, ...]
    variables: tuple[tuple[str, str], ...]
    #: The variables whose value only a run would tell, each with the script and line that sets it.
    unknown: tuple[str, ...] = ()

    def __str__(self) -> str:
        """As a report names it: ``in this shell and activated``."""
        return " and ".join(self.names) if len(self.names) < ALL else "in every shell"

    @property
    def is_normal_use(self) -> bool:
        """Whether it is how the environment is meant to be used: activated."""
        return "activated" in self.names

    def is_in_use(self, *, is_inside: bool) -> bool:
        """Tell whether the environment is used so; ``is_inside`` says that this shell is in it.

        What this shell alone has, it has by a variable that is set in it.
        """
        if self.is_normal_use or "not activated" not in self.names:
            return True
        return is_inside and "in this shell" in self.names

    def get(self, name: str) -> str:
        """Return a variable's value, "" where it is not set."""
        return dict(self.variables).get(name, "")


class Origin(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a file comes from."""

    #: ``pip's nvidia-cublas-cu12 12.4.5.8``, ``the CUDA toolkit in /usr/local/cuda-13.0``.
    title: str
    #: conda, pip, toolkit, driver, system, python; or unknown, of a file that nobody has recorded.
    kind: str
    #: The name of the package; None, too, in a conda environment other than the one looked at.
    package: str | None = None
    version: str | None = None

    @property
    def is_package(self) -> bool:
        """Whether conda or pip has installed it where the environment's Python sees it."""
        return self.package is not None and self.kind in {"conda", "pip"}


class WhichCandidate(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file that bears the soname, in its place in the search."""

    path: str
    owner: Origin
    #: A clause that says how the search comes to it.
    how: str
    #: A clause; None for the file that is mapped.
    why_not: str | None = None
    #: Whether it is that very file, by another path.
    is_same: bool = False


class WhichAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the soname means to those to whom it means the same."""

    situation: Situation
    #: The paths of the libraries that need it; empty for whoever opens it by its name.
    askers: tuple[str, ...] = ()
    #: None where nothing is found.
    path: str | None = None
    owner: Origin | None = None
    #: A sentence without its end.
    because: str
    candidates: tuple[WhichCandidate, ...] = ()


class Which(Struct, frozen=True, kw_only=True):
    """The answers to one soname."""

    soname: str
    #: What was asked for, where that is not the soname itself: a path, or a name without its end.
    asked: str = ""
    #: Where no library has the name: those that come nearest to it.
    near: tuple[str, ...] = ()
    answers: tuple[WhichAnswer, ...] = ()
    #: What was asked of the snapshot and not recorded in it.
    unknown: tuple[str, ...] = ()
    #: What should be known of all answers, in clauses.
    notes: tuple[str, ...] = ()
    #: None of Windows.
    graph: Graph | None = None
