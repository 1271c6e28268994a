"""Every rule, one module each. To add a rule, add a file: nothing else lists it."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.model.rule import RuleModule
    from reconciler.world import World


@cache
def modules() -> Mapping[str, str]:
    """Return the name of every rule's module by its code, with which the name begins."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return {name.partition("_")[0].upper(): name for name in names}


def nearest(code: str) -> str | None:
    """Return the code, or the family of codes, that somebody may have meant."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for what is wrong

    families = dict.fromkeys(known[:3] for known in modules())
    near = get_close_matches(code, [*modules(), *families], n=1, cutoff=0.8)
    return near[0] if near else None


def rule(code: str) -> RuleModule[World]:
    """Return the module of one rule, which is imported when it is asked for."""
    module = importlib.import_module(f"{__name__}.{modules()[code]}")
    return cast("RuleModule[World]", module)


def all_rules() -> Mapping[str, RuleModule[World]]:
    """Return every rule module of this package, by code."""
    return {code: rule(code) for code in modules()}
