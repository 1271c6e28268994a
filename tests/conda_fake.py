"""What the plugin meets of conda, release by release: types, hooks, a context. Nothing of it is conda's.

docs/decisions/0051 records the real signatures, and a test holds these against them. A release that
is not here is as the one before it.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import pluggy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pytest


@dataclass
class Subcommand:
    name: str
    summary: str
    action: Callable[[tuple[str, ...]], int | None]
    configure_parser: Any = None


@dataclass(init=False)
class SubcommandWithAliases:
    name: str
    summary: str
    action: Callable[[tuple[str, ...]], int | None]
    aliases: tuple[str, ...] = ()
    configure_parser: Any = None

    def __init__(
        self,
        *,
        name: str,
        summary: str,
        action: Any,
        configure_parser: Any = None,
        aliases: Any = (),
    ) -> None:
        self.name, self.summary, self.action = name, summary, action
        self.configure_parser, self.aliases = configure_parser, aliases


class HealthCheckTuple(NamedTuple):
    name: str
    action: Callable[[str, bool], None]


@dataclass
class HealthCheck:
    name: str
    action: Callable[[str, bool], None]


@dataclass
class HealthCheckWithFixer:
    name: str
    action: Callable[[str, bool], None]
    fixer: Any = None
    summary: str | None = None
    fix: str | None = None


class PostCommandTuple(NamedTuple):
    name: str
    action: Callable[[str], None]
    run_for: set[str]


@dataclass
class PostCommand:
    name: str
    action: Callable[[str], None]
    run_for: set[str]


@dataclass
class Setting:
    name: str
    description: str
    parameter: Any
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class ErrorHint:
    text: str
    hint_code: str


OLDEST: Mapping[str, type] = {
    "CondaSubcommand": Subcommand,
    "CondaPostCommand": PostCommandTuple,
    "CondaHealthCheck": HealthCheckTuple,
}
WITH_SETTINGS = {**OLDEST, "CondaSetting": Setting}
DATACLASSES = {**WITH_SETTINGS, "CondaPostCommand": PostCommand, "CondaHealthCheck": HealthCheck}
WITH_FIXERS = {**DATACLASSES, "CondaHealthCheck": HealthCheckWithFixer}
WITH_HINTS = {
    **WITH_FIXERS,
    "CondaSubcommand": SubcommandWithAliases,
    "CondaErrorHint": ErrorHint,
}
TYPES: Mapping[str, Mapping[str, type]] = {
    "24.1.0": OLDEST,
    "24.3.0": WITH_SETTINGS,
    "25.7.0": DATACLASSES,
    "26.1.0": WITH_FIXERS,
    "26.7.0": WITH_HINTS,
}
NEWEST = "26.7.0"


class OldestHooks:
    def conda_subcommands(self) -> None: ...
    def conda_post_commands(self) -> None: ...
    def conda_health_checks(self) -> None: ...


class HooksWithSettings(OldestHooks):
    def conda_settings(self) -> None: ...


class HooksWithHints(HooksWithSettings):
    def conda_error_hints(self, error: Exception) -> None: ...


HOOKS: Mapping[str, type] = {
    "24.1.0": OldestHooks,
    "24.3.0": HooksWithSettings,
    "25.7.0": HooksWithSettings,
    "26.1.0": HooksWithSettings,
    "26.7.0": HooksWithHints,
}


@dataclass
class PrimitiveParameter:
    default: Any
    element_type: type | None = None


class CondaError(Exception):
    return_code = 1


class PackagesNotFoundInChannelsError(CondaError):
    """Named as conda names it, since its name is part of what a user reads."""


class LibMambaUnsatisfiableError(CondaError):
    """As above; conda-libmamba-solver's."""


class DryRunExit(CondaError):  # noqa: N818 - conda's own name
    """What conda's ``confirm`` raises in a dry run."""

    return_code = 0


def context(root: Path, **settings: Any) -> SimpleNamespace:
    """Return conda's context where it has its environments in ``root/envs``."""
    return SimpleNamespace(
        root_prefix=str(root),
        envs_dirs=(str(root / "envs"),),
        target_prefix=str(root / "envs" / "my-env"),
        json=False,
        plugins=SimpleNamespace(**settings),
    )


def put(monkeypatch: pytest.MonkeyPatch, release: str, known: object) -> None:
    """Let ``import conda`` find a release of it, whose context is ``known``."""
    parts: Mapping[str, Mapping[str, Any]] = {
        "conda": {},
        "conda.base": {},
        "conda.base.context": {"context": known},
        "conda.common": {},
        "conda.common.configuration": {"PrimitiveParameter": PrimitiveParameter},
        "conda.plugins": {},
        "conda.plugins.types": TYPES[release],
    }
    for name, content in parts.items():
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)


def manager(release: str) -> pluggy.PluginManager:
    """Return the manager of plugins of a release, without a plugin."""
    marked = pluggy.HookspecMarker("conda")
    specs = type("Specs", (HOOKS[release],), {})
    for name in dir(specs):
        if name.startswith("conda_"):
            setattr(specs, name, marked(getattr(specs, name)))
    made = pluggy.PluginManager("conda")
    made.add_hookspecs(specs)
    return made
