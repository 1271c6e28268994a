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
def all_rules() -> Mapping[str, RuleModule[World]]:
    """Return every rule module of this package, by code."""
    modules = (
        importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)
    )
    rules = (cast("RuleModule[World]", module) for module in modules)
    return {rule.RULE.code: rule for rule in sorted(rules, key=lambda rule: rule.RULE.code)}
