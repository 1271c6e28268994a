"""A rule's page as it is read on a terminal: wrapped, without the marks of Markdown."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

from reconciler.output import rule_page
from reconciler.output.page import Page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.model.look import Look
    from reconciler.model.rule import RuleModule
    from reconciler.world import World

# A colon behind an address would be taken for a part of it.
_LINK = re.compile(r"\[[^\]]*\]\(([^)]*)\):?")
_FENCE = "```"


def told(modules: Sequence[RuleModule[World]], look: Look, *, is_page: bool) -> str:
    """Return the page of one rule, or the list of rules: as Markdown, where nobody looks."""
    if look.whole or look.color:
        return render(modules[0], look) if is_page else render_list(modules, look)
    plain = rule_page.render if is_page else rule_page.render_line
    return "\n".join(plain(module) for module in modules).rstrip() + "\n"


def render(module: RuleModule[World], look: Look) -> str:
    """Return the page of one rule."""
    page = Page(look)
    # The parts between fences are prose and code by turns.
    for number, part in enumerate(rule_page.render(module).split(_FENCE)):
        if number % 2:
            page.lines += [f"  {line}" for line in part.partition("\n")[2].splitlines()]
            page.add()
        else:
            _prose(page, part, module.RULE.severity)
    return "\n".join(page.lines).rstrip() + "\n"


def _prose(page: Page, text: str, severity: str) -> None:
    for block in text.split("\n\n"):
        lines = block.strip().splitlines()
        if lines and lines[0].startswith("#"):
            page.add(page.style(lines.pop(0).lstrip("# "), "bold"))
        for words in _sentences(lines):
            if words.startswith("- "):
                page.paragraph(_LINK.sub(r"\1", words[2:]), label="- ", indent=0)
            elif words.startswith(f"Severity: {severity}"):
                rest = words.removeprefix(f"Severity: {severity}")
                page.add(f"Severity: {page.style(severity, severity)}{rest}")
            else:
                page.paragraph(words, indent=0)
        if lines or block.strip():
            page.add()


def _sentences(lines: Sequence[str]) -> list[str]:
    """Return each item of a list, and what is no list as one."""
    said: list[str] = []
    for line in lines:
        if said and not line.startswith("- "):
            said[-1] = f"{said[-1]} {line.strip()}"
        else:
            said.append(line)
    return said


def render_list(modules: Sequence[RuleModule[World]], look: Look) -> str:
    """Return the list of rules."""
    page = Page(look)
    for module in modules:
        card = module.RULE
        summary = inspect.cleandoc(module.__doc__ or "").partition("\n\n")[0]
        head = f"{card.code}  {card.severity:8} "
        number = len(page.lines)
        page.paragraph(" ".join(summary.split()), label=head, indent=0, style="plain")
        code, level = page.style(card.code, "bold"), page.style(f"{card.severity:8}", card.severity)
        page.lines[number] = page.lines[number].replace(head, f"{code}  {level} ", 1)
    return "\n".join(page.lines) + "\n"
