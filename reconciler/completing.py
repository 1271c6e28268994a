"""What a shell offers behind an option: codes, environments, platforms, files and folders."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

# Everything else is imported where a shell asks: most runs complete nothing.
# ruff: noqa: PLC0415

if TYPE_CHECKING:
    from collections.abc import Iterable

    import click
    from click.shell_completion import CompletionItem


def codes(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem]:
    """Offer the codes of rules, each with its name, for the last of what commas part."""
    from reconciler import rules

    named = {
        code: module.partition("_")[2].replace("_", "-") for code, module in rules.modules().items()
    }
    return _listed(named, begun.upper(), named)


def platforms(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem]:
    """Offer conda's platforms, for the last of what commas part."""
    from reconciler.model.install_set import SUBDIRS

    return _listed(SUBDIRS, begun)


def environments(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem]:
    """Offer the conda environments that have a name."""
    from reconciler.collect import prefixes

    return _listed(prefixes.known_names(os.environ), begun)


def cuda(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem]:
    """Offer what is no number."""
    return _listed(("auto", "none"), begun)


def a_file(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem]:
    """Have the shell offer files."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(begun, type="file")]


def a_folder(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem]:
    """Have the shell offer folders."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(begun, type="dir")]


def _listed(
    words: Iterable[str], begun: str, helps: dict[str, str] | None = None
) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    before, comma, last = begun.rpartition(",")
    return [
        CompletionItem(f"{before}{comma}{word}", help=(helps or {}).get(word))
        for word in words
        if word.startswith(last)
    ]
