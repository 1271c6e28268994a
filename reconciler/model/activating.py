"""The variables after an activation that nobody has run, and those of a shell without it.

conda: conda/activate.py, ``_Activator``. Its order: its own variables and those of the state are exported,
then the scripts are sourced in the order of their names.
"""

from __future__ import annotations

from posixpath import basename, dirname
from typing import TYPE_CHECKING, Literal

from reconciler.model.activation import Activation, Doubt, Reference
from reconciler.model.kept_variables import is_kept
from reconciler.model.sourced import Sourced, not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from reconciler.model.activation import ModulePath
    from reconciler.model.prefix import ActivationScript, PrefixState, StateVariable

Manager = Literal["conda", "rattler", "venv"]
#: What ``conda env config vars unset`` leaves: conda, base/constants.py, CONDA_ENV_VARS_UNSET_VAR.
UNSET = "***unset***"
_SCRIPTS = "etc/conda/activate.d/"


def activated(  # noqa: PLR0913 - each is another thing that is known of the shell
    variables: Mapping[str, str],
    state: PrefixState | None,
    prefix: str,
    *,
    manager: Manager = "conda",
    is_known: Callable[[str], bool] = is_kept,
    find_module: Callable[[ModulePath], str | None] = not_found,
) -> Activation:
    """Return the variables after a shell that has ``variables`` has activated the prefix."""
    if is_active(variables, prefix, manager=manager):
        return Activation(variables=dict(variables))
    shell = Sourced(variables, is_known, find_module)
    if manager == "venv":
        _enter_venv(shell, variables, prefix)
    else:
        _enter_conda(shell, variables, prefix, state.variables if state else (), manager)
        for script in scripts_of(state):
            shell.source(script.path, script.assignments)
    known, unknown = shell.given()
    return Activation(variables=known, unknown=unknown)


def is_active(variables: Mapping[str, str], prefix: str, *, manager: Manager = "conda") -> bool:
    """Tell whether a shell has the prefix activated."""
    name = "VIRTUAL_ENV" if manager == "venv" else "CONDA_PREFIX"
    return variables.get(name, "").rstrip("/") == prefix.rstrip("/")


def scripts_of(state: PrefixState | None) -> tuple[ActivationScript, ...]:
    """Return the scripts that a shell of the family of sh sources, in their order."""
    scripts = state.scripts if state else ()
    own = (s for s in scripts if s.path.startswith(_SCRIPTS) and s.path.endswith(".sh"))
    return tuple(sorted(own, key=lambda script: script.path))


def _enter_conda(
    shell: Sourced,
    variables: Mapping[str, str],
    prefix: str,
    settings: Iterable[StateVariable],
    manager: Manager,
) -> None:
    former = variables.get("CONDA_PREFIX", "")
    level = _level(variables)
    if former and level:
        _leave_other(shell, variables, former)
        shell.export(f"CONDA_PREFIX_{level}", former)
    former_bin = f"{former}/bin" if former and level else ""
    shell.export("PATH", _path(variables.get("PATH"), f"{prefix}/bin", former_bin))
    shell.export("CONDA_PREFIX", prefix)
    shell.export("CONDA_SHLVL", str(level + 1))
    is_named = basename(dirname(prefix)) == "envs"
    shell.export("CONDA_DEFAULT_ENV", basename(prefix) if is_named else prefix)
    # A later source wins over an earlier one.
    for name, value in {setting.name: setting.value for setting in settings}.items():
        # conda itself passes these over; rattler exports the mark as if it were a value.
        if manager == "conda" and (value == UNSET or name == "PATH"):
            continue
        shell.export(name, value)


def _leave_other(shell: Sourced, variables: Mapping[str, str], former: str) -> None:
    """Doubt what the environment that is left may have set: its scripts are not read."""
    for name, value in variables.items():
        if former in value and not name.startswith("CONDA_") and name != "PATH":
            reason = (
                f"{former}, which is left first, may have set it, and its scripts were not read"
            )
            shell.export(name, Doubt(variable=name, reason=reason))


def _enter_venv(shell: Sourced, variables: Mapping[str, str], prefix: str) -> None:
    """Follow ``bin/activate`` of a venv: CPython, Lib/venv/scripts/common/activate."""
    former = variables.get("VIRTUAL_ENV", "")
    former_bin = f"{former}/bin" if former else ""
    shell.export("PATH", _path(variables.get("PATH"), f"{prefix}/bin", former_bin))
    shell.export("VIRTUAL_ENV", prefix)
    shell.export("PYTHONHOME", None)


def _path(path: str | None, own: str, former: str) -> str:
    entries = path.split(":") if path else []
    if former in entries:
        entries[entries.index(former)] = own
        return ":".join(entries)
    return ":".join([own, *entries])


def _level(variables: Mapping[str, str]) -> int:
    text = variables.get("CONDA_SHLVL", "")
    # A shell of a user may hold anything; no shell is that deep.
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0


def not_activated(  # noqa: PLR0913 - as activated
    variables: Mapping[str, str],
    state: PrefixState | None,
    prefix: str,
    *,
    manager: Manager = "conda",
    is_known: Callable[[str], bool] = is_kept,
    find_module: Callable[[ModulePath], str | None] = not_found,
) -> Activation:
    """Return the variables of the same shell, or of a kernel, that has not activated the prefix."""
    if not is_active(variables, prefix, manager=manager):
        return Activation(variables=dict(variables))
    rest = dict(variables)
    own = (
        ("VIRTUAL_ENV",)
        if manager == "venv"
        else ("CONDA_PREFIX", "CONDA_DEFAULT_ENV", "CONDA_SHLVL")
    )
    for name in own:
        rest.pop(name, None)
    if "PATH" in rest:
        rest["PATH"] = ":".join(e for e in rest["PATH"].split(":") if e != f"{prefix}/bin")
    touched = () if manager == "venv" else _touched(state)
    lists = _lists(state)
    base = {name: value for name, value in rest.items() if name not in touched}
    brought = activated(
        base, state, prefix, manager=manager, is_known=is_known, find_module=find_module
    )
    doubts: list[Doubt] = []
    for name in touched:
        if name not in rest:
            continue
        former, doubt = _without(rest[name], name, brought, is_list=name in lists)
        if former is None:
            del rest[name]
        else:
            rest[name] = former
        doubts += [doubt] if doubt else []
    return Activation(variables=rest, unknown=tuple(doubts))


def _touched(state: PrefixState | None) -> tuple[str, ...]:
    """Return the variables that the activation sets, each once."""
    settings = (setting.name for setting in state.variables) if state else ()
    steps = (step.variable for script in scripts_of(state) for step in script.assignments)
    return tuple(dict.fromkeys(name for name in (*settings, *steps) if name and name != "PATH"))


def _lists(state: PrefixState | None) -> frozenset[str]:
    """Return the variables that a script sets to what they were, and something beside it."""
    return frozenset(
        step.variable
        for script in scripts_of(state)
        for step in script.assignments
        if any(isinstance(p, Reference) and p.names(step.variable) for p in step.parts)
    )


def _without(
    value: str, name: str, brought: Activation, *, is_list: bool
) -> tuple[str | None, Doubt | None]:
    """Return what a variable was before the activation, and what of that is a guess."""
    if doubt := brought.doubt_of(name):
        reason = f"the activation sets it, and {doubt.reason}"
        return value, Doubt(variable=name, reason=reason, path=doubt.path, line=doubt.line)
    given = brought.variables.get(name)
    if given is None:
        return value, None
    if is_list:
        elements = {element for element in given.split(":") if element}
        kept = [element for element in value.split(":") if element not in elements]
        return (":".join(kept) if any(kept) else None), None
    if given == value:
        reason = f"the activation replaces {name}, and what it was before is not known"
        return None, Doubt(variable=name, reason=reason)
    reason = f"the activation sets it to `{given}`, and the shell has another value since"
    return value, Doubt(variable=name, reason=reason)
