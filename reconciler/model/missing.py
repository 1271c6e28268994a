"""A library of CUDA that something asks for and the loader does not find, and where it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.model.finding import Severity
from reconciler.model.location import Location
from reconciler.model.which import Origin, Situation

if TYPE_CHECKING:
    from collections.abc import Iterable

#: IDEs start kernels so, cron its jobs, and a user `path/to/python`.
NOT_ACTIVATED = "not activated (as kernels of an IDE, cron and `path/to/python` start it)"


class Copy(Struct, frozen=True, kw_only=True):
    """A file that nothing leads the loader to."""

    path: str
    owner: Origin


class Missing(Struct, frozen=True, kw_only=True):
    """A soname that a start asks for in vain. Paths are absolute."""

    soname: str
    component: str
    #: What was started: ``PyTorch``, or the name of a library.
    title: str
    #: Who has installed it.
    user: Origin
    #: The name of its Consumer, and the CUDA major that it was built for, if that is known.
    consumer: str
    major: int | None = None
    #: The path of the library or program that asks.
    asked_by: str
    #: Who has installed that.
    asker: Origin
    #: Where what misses it was installed.
    at: Location
    #: What opens it, or the library that needs it, in a clause; "" where nothing is said of that.
    step: str
    #: What the loader says.
    error: str
    #: Whether the start ends without it.
    is_needed: bool
    #: Whether a build that uses the GPU was installed on purpose.
    is_meant: bool
    #: The shells in which it is missing.
    situations: tuple[Situation, ...]
    #: In the environment, a conda environment around it, or a toolkit.
    copies: tuple[Copy, ...] = ()
    #: Of packages: files of the same library under the soname of another release.
    namesakes: tuple[Copy, ...] = ()
    #: The names of the Consumers that load it for themselves: whoever comes after them has it.
    after: tuple[str, ...] = ()
    #: What its user may call so that it opens such a wheel's file itself; "" where nothing does.
    preload_call: str = ""
    #: A clause: why the loader does not come to the copies.
    why: str = ""
    #: Whether what asks has a search path of its own that leads into NVIDIA's wheels.
    looks_in_wheels: bool = False
    #: Whether what asks is a package's and has a RUNPATH, which rules out the RPATH of Python.
    has_runpath: bool = False

    @property
    def shells(self) -> tuple[str, ...]:
        """The names of the shells in which it is missing."""
        return tuple(name for one in self.situations for name in one.names)

    @property
    def is_worth_saying(self) -> bool:
        """Whether somebody will miss it: by what was installed, it was meant to be found."""
        return self.is_meant or bool(self.copies)

    @property
    def is_fatal(self) -> bool:
        """Whether what was installed on purpose does not work without it."""
        return self.is_needed and self.is_meant and not self.after

    @property
    def works_activated(self) -> bool:
        """Whether activation leads the loader to it."""
        return "activated" not in self.shells

    @property
    def when(self) -> str:
        """The shells in words: ``in every shell``."""
        if self.shells == ("not activated",):
            return NOT_ACTIVATED
        variables = self.situations[0].variables
        return str(Situation(names=self.shells, variables=variables))

    @property
    def is_condas_alone(self) -> bool:
        """Whether a wheel asks for it, and of all packages only conda's have it."""
        asker = self.asker if self.asker.is_package else self.user
        kinds = {copy.owner.kind for copy in self.copies}
        return asker.kind == "pip" and "conda" in kinds and "pip" not in kinds


def severity_of(missing: Iterable[Missing], *, is_inside: bool) -> Severity:
    """Return how bad it is; ``is_inside`` tells whether the shell is in the environment.

    What works as soon as the environment is activated is information, unless it is broken here.
    """
    used = [one for one in missing if _is_in_use(one, is_inside=is_inside)]
    if not used:
        return Severity.INFO
    return Severity.ERROR if any(one.is_fatal for one in used) else Severity.WARNING


def _is_in_use(one: Missing, *, is_inside: bool) -> bool:
    """Tell whether it is missing where the environment is used: activated, or in this shell."""
    if not one.works_activated:
        return True
    is_here = "in this shell" in one.shells
    # What this shell alone breaks, it breaks by a variable of its own.
    return is_here and (is_inside or "not activated" not in one.shells)
