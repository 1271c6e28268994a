"""A rule's page, in Markdown: its docstring is the page, its examples are its tests."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.model.rule import RuleModule
    from reconciler.world import World

_HEADING = re.compile(r"^(.+)\n-+$", re.MULTILINE)
_THREAD = re.compile(r"\b([\w.-]+/[\w.-]+)#(\d+)")


def render(module: RuleModule[World]) -> str:
    """Return the page of one rule."""
    card = module.RULE
    page = _HEADING.sub(r"## \1", inspect.cleandoc(module.__doc__ or ""))
    page = _THREAD.sub(r"[\1#\2](https://github.com/\1/issues/\2)", page)
    return (
        f"# {card.code} {card.name}\n\n"
        f"Severity: {card.severity}. Since: {card.since}. Judges: {_judges(module)}.\n\n"
        f"{page}\n\n"
        f"## Example\n\nFound in\n\n```yaml\n{module.BAD}```\n\nand not in\n\n"
        f"```yaml\n{module.GOOD}```\n"
    )


def render_line(module: RuleModule[World]) -> str:
    """Return one line of the list of rules."""
    return f"{module.RULE.code}  {module.RULE.severity:8} {summary(module)}"


def summary(module: RuleModule[World]) -> str:
    """Return what a rule is about, in one sentence."""
    return " ".join(inspect.cleandoc(module.__doc__ or "").partition("\n\n")[0].split())


def _judges(module: RuleModule[World]) -> str:
    needs = ", ".join(sorted(module.RULE.needs))
    one_of = ", ".join(sorted(module.RULE.needs_any))
    return f"one of {one_of}" if one_of and not needs else needs or one_of
