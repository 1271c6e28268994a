"""A library of CUDA that answers, and does not do for what asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.model.capture import FileRelease
from reconciler.model.finding import INSTALLED, Severity, cause_of
from reconciler.model.run import Link
from reconciler.model.which import Situation

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Whoever starts Python so has no variable that an activation sets.
NOT_ACTIVATED = "where activation is skipped, as IDE kernels, cron and `path/to/python` do"


class Mismatch(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One library, asked for by one other, in the shells in which the same file answers."""

    #: What was started: ``PyTorch``.
    started: str
    link: Link
    situations: tuple[Situation, ...]
    #: The version that answers, and the one that is wanted, where that is known.
    release: FileRelease = FileRelease()
    wanted: FileRelease = FileRelease()
    #: A clause that says who wants that version: ``pip's torch 2.5.1 requires ...``.
    because: str = ""
    #: The requirement or the depends that says so; "" where none does.
    requirement: str = ""
    #: The variable and the element of it that lead to the file; () where none does.
    captured_by: tuple[str, ...] = ()

    @property
    def shells(self) -> tuple[str, ...]:
        """The names of the shells."""
        return tuple(name for one in self.situations for name in one.names)

    @property
    def when(self) -> str:
        """The shells in words: ``in every shell``."""
        if self.shells == ("not activated",):
            return NOT_ACTIVATED
        return str(Situation(names=self.shells, variables=()))

    @property
    def causes(self) -> tuple[str, ...]:
        """The cause of the finding that tells of the variable."""
        name = "ld-library-path-captures"
        return (cause_of(name, INSTALLED, *self.captured_by),) if self.captured_by else ()

    @property
    def twice(self) -> tuple[str, ...]:
        """The cause of the finding that one manager brings what the other one's packages load."""
        owner, kinds = self.link.owner, {"conda", "pip"}
        is_other = owner is not None and {owner.kind, self.link.asker.kind} == kinds
        return (cause_of("cuda-runtime-twice", INSTALLED),) if is_other else ()

    def severity(self, *, is_inside: bool) -> Severity:
        """Return how bad it is; ``is_inside`` tells whether the shell is in the environment.

        What works as soon as the environment is activated is information, unless it is broken here.
        """
        is_here = "in this shell" in self.shells
        is_used = "activated" in self.shells or (is_here and (is_inside or bool(self.captured_by)))
        return Severity.ERROR if is_used else Severity.INFO


def worst(mismatches: Iterable[Mismatch]) -> Mismatch:
    """Return the one that is seen in most shells, of those the one with most to say."""
    return max(mismatches, key=lambda one: (len(one.shells), len(one.link.errors)))
