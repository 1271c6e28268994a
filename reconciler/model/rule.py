"""What to ask: a rule's card, and the shape of the module that carries it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from msgspec import Struct

from reconciler.model.finding import Finding, Location, Severity
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.fix import Fix

World_contra = TypeVar("World_contra", contravariant=True)


class Rule(Struct, frozen=True, kw_only=True):
    """A rule's card: everything known of it without running it."""

    code: str
    #: States the problem, never the cure.
    name: str
    #: The usual severity; a finding may be of another where the rule's page says so.
    severity: Severity
    #: Facts without which the rule cannot be asked at all.
    needs: frozenset[Fact] = frozenset()
    #: Facts of which at least one must be there: the worlds that the rule judges.
    needs_any: frozenset[Fact] = frozenset()
    since: str
    #: Whether it is asked after the others, of a World that knows what came of them.
    is_last: bool = False

    def finding(  # noqa: PLR0913 - a finding's parts, by name
        self,
        message: str,
        *,
        at: Location,
        shows_as: str,
        remedy: str,
        cause: str,
        severity: Severity | None = None,
        evidence: tuple[str, ...] = (),
        related: tuple[Location, ...] = (),
        fix: Fix | None = None,
        explained_by: tuple[str, ...] = (),
    ) -> Finding:
        """Make a finding that bears this rule's code, name and severity."""
        return Finding(
            code=self.code,
            name=self.name,
            severity=severity or self.severity,
            message=message,
            at=at,
            shows_as=shows_as,
            remedy=remedy,
            evidence=evidence,
            related=related,
            fix=fix,
            cause=cause,
            explained_by=explained_by,
        )


class RuleModule(Protocol[World_contra]):
    """A rule is a module with these names in it; its docstring is its documentation page.

    What it asks is a parameter, because the World stands on a higher floor.
    """

    __name__: str
    __doc__: str | None
    RULE: Rule
    BAD: str
    GOOD: str

    def check(self, world: World_contra) -> Iterator[Finding]:
        """Yield what is wrong. Pure: it asks ``world`` and nothing else."""
