"""What conda finds of envfix: ``conda envfix``, a check of ``conda doctor``, hints, and a warning.

conda imports this at each of its starts, so it imports nothing but what conda has loaded already. All
work is done in another process (decision 50), and what conda has no room for is not offered to it:
its types are asked for their fields, never conda for its version (decision 51).
"""

from __future__ import annotations

import logging
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAME = "envfix"
#: The setting that turns the warning on: ``plugins: envfix_drift: true`` in a .condarc.
SETTING = "envfix_drift"
#: How conda names the variable of that setting; conda 24.1 has no settings of plugins.
VARIABLE = "CONDA_PLUGINS_ENVFIX_DRIFT"
#: As ``collect.prefixes`` knows it, which is not imported into conda.
ENVS = "ENVFIX_CONDA_ENVS"
#: The commands that change an environment, as conda calls them.
CHANGING = frozenset({"create", "install", "update", "remove", "env_create", "env_update"})
#: Errors of these words may have to do with CUDA; to look at all others would take time.
WORDS = ("cud", "gpu", "nccl", "nvidia")
CANNOT_GO_ON = 2
#: As many lines are read after a command; the rest is in the report.
FEW = 3

hookimpl = pluggy.HookimplMarker("conda")
log = logging.getLogger(__name__)
_Answer = TypeVar("_Answer")


@hookimpl
def conda_subcommands() -> list[Any]:
    """Offer ``conda envfix``."""
    return _offered(
        "CondaSubcommand",
        name=NAME,
        summary="Find where conda and pip clash over CUDA in an environment.",
        action=run,
    )


@hookimpl
def conda_health_checks() -> list[Any]:
    """Offer a check of ``conda doctor``, with what mends where conda takes such."""
    return _offered(
        "CondaHealthCheck",
        name=NAME,
        action=check,
        fixer=fix,
        summary="Check that conda and pip agree on CUDA",
        fix="Write the activation hook that is proven to be needed",
    )


@hookimpl
def conda_post_commands() -> list[Any]:
    """Offer the warning after a command that changes an environment."""
    return _offered("CondaPostCommand", name=NAME, action=warn, run_for={*CHANGING})


@hookimpl(optionalhook=True)
def conda_settings() -> list[Any]:
    """Offer the setting that turns the warning on."""

    def make() -> list[Any]:
        parameters = import_module("conda.common.configuration")
        return _offered(
            "CondaSetting",
            name=SETTING,
            description="Warn after a command if conda and pip no longer agree on CUDA (envfix).",
            parameter=parameters.PrimitiveParameter(default=False, element_type=bool),
        )

    return _harmless(make, instead=[])


@hookimpl(optionalhook=True)
def conda_error_hints(error: Exception) -> list[Any]:
    """Offer what is known of an error that has to do with CUDA."""
    return _harmless(lambda: [*_hints(error)], instead=[])


def _offered(kind: str, **fields: Any) -> list[Any]:
    """Return one of conda's types of what a plugin has, with the fields that this conda knows."""

    def make() -> list[Any]:
        made = getattr(import_module("conda.plugins.types"), kind)
        # a dataclass since conda 25.7, some of them named tuples before
        known = getattr(made, "__dataclass_fields__", None) or made._fields
        return [made(**{name: value for name, value in fields.items() if name in known})]

    return _harmless(make, instead=[])


def _harmless(step: Callable[[], _Answer], *, instead: _Answer) -> _Answer:
    """Take a step that must not break conda: what is wrong with envfix becomes a line of its log.

    An interruption passes, and so does what conda itself raises where it asks its user.
    """
    try:
        return step()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - conda is to go on, whatever it is
        # envfix's own errors say who speaks, and what next
        is_own = hasattr(error, "next_step")
        log.warning("%s", error if is_own else f"envfix: {type(error).__name__}: {error}")
        return instead


def run(arguments: tuple[str, ...]) -> int:
    """Run ``conda envfix``: all commands and options of envfix, and its exit code."""

    def go() -> int:
        from reconciler import asking  # noqa: PLC0415 - most starts of conda are for something else

        return asking.run(arguments, "conda envfix", _harmless(_names, instead=None))

    return _harmless(go, instead=CANNOT_GO_ON)


def _names() -> dict[str, str]:
    """Return what tells envfix where this conda looks for an environment by its name."""
    context = import_module("conda.base.context").context
    return {ENVS: os.pathsep.join(map(str, (context.root_prefix, *context.envs_dirs)))}


def check(prefix: str, verbose: bool) -> None:  # noqa: FBT001 - conda calls it so
    """Print what is wrong with an environment, for ``conda doctor``."""

    def go() -> None:
        from reconciler import asking  # noqa: PLC0415 - as above

        _print(*_health(asking.ask("health", prefix, "all", seconds=300), prefix))
        if verbose:
            run(("scan", "-p", prefix))

    _harmless(go, instead=None)


def fix(prefix: str, args: Any, confirm: Callable[[str], None]) -> int:  # noqa: ARG001 - conda gives it
    """Write the hook of an environment, once its user agrees, and tell what is left to do.

    conda's own ``confirm`` raises where the user declines, and in a dry run.
    """
    due = _harmless(lambda: _hook(prefix, "show"), instead=None)
    if due is None:
        return CANNOT_GO_ON
    if due["is_due"]:
        _print(due["story"])
        confirm("Write this activation hook into the environment?")
        written = _harmless(lambda: _hook(prefix, "write"), instead=None)
        if written is None:
            return CANNOT_GO_ON
        _print(written["story"] + f"{_command('hooks remove', prefix)} takes it away.\n")
    return _harmless(lambda: _left(prefix), instead=CANNOT_GO_ON)


def _hook(prefix: str, act: str) -> Any:
    from reconciler import asking  # noqa: PLC0415 - as above

    return asking.ask("hook", prefix, act, seconds=300)


def warn(command: str) -> None:  # noqa: ARG001 - conda gives it
    """Tell after a command where conda and pip no longer agree, if the user has asked for it."""
    _harmless(_warn, instead=None)


def _warn() -> None:
    context = import_module("conda.base.context").context
    if not _is_wanted(context) or context.json:
        return
    from reconciler import asking  # noqa: PLC0415 - as above

    prefix = str(context.target_prefix)
    findings = asking.ask("health", prefix, "quick", seconds=5)["findings"]
    for finding in findings[:FEW]:
        _print(f"envfix: {finding['code']} {finding['message']}", to=sys.stderr)
    if findings:
        _print(f"envfix: {_command('scan', prefix)} tells more, and what to do", to=sys.stderr)


def _is_wanted(context: Any) -> bool:
    said = getattr(getattr(context, "plugins", None), SETTING, None)
    if said is None:
        said = os.environ.get(VARIABLE, "").lower() in {"1", "true", "yes", "on"}
    return bool(said)


def _hints(error: Exception) -> Iterator[Any]:
    text = f"{type(error).__name__}: {error}"
    # 0: nothing is wrong, as where the user has declined
    if getattr(error, "return_code", 1) == 0 or not any(word in text.lower() for word in WORDS):
        return
    from reconciler import asking  # noqa: PLC0415 - as above

    for advice in asking.ask("advice", text=text, seconds=30)[:1]:
        yield from _offered(
            "CondaErrorHint",
            text=f"{advice['remedy']} ({advice['cause']})",
            hint_code=f"envfix_{advice['id'].replace('-', '_')}",
        )


def _health(told: Any, prefix: str) -> Iterator[str]:
    findings = told["findings"]
    if told["crashed"]:
        yield f"❌ envfix has a bug in {', '.join(told['crashed'])}: {_command('scan', prefix)} shows it."
    elif not findings:
        is_used = told["uses_cuda"]
        yield f"✅ {'conda and pip agree on CUDA' if is_used else 'Nothing that is installed uses CUDA'}.\n"
    if not findings:
        return
    yield f"❌ envfix finds {_counted(findings)} in what this environment has to do with CUDA:\n"
    for finding in findings:
        yield f"    {finding['severity']} {finding['code']}: {finding['message']}"
        yield f"      do: {finding['remedy']}"
    yield f"\n    {_command('scan', prefix)} shows the evidence.\n"


def _counted(findings: Any) -> str:
    counts = {kind: sum(f["severity"] == kind for f in findings) for kind in ("error", "warning")}
    return " and ".join(f"{n} {kind}{'s' if n > 1 else ''}" for kind, n in counts.items() if n)


def _left(prefix: str) -> int:
    """Print what only the user's package managers can do; 1 if there is something."""
    from reconciler import asking  # noqa: PLC0415 - as above

    findings = asking.ask("health", prefix, "all", seconds=300)["findings"]
    if findings:
        _print("What is left for you, since envfix runs no package manager:")
    for finding in findings:
        _print(f"  {finding['code']}: {finding['remedy']}")
        _print(*(f"    {command}" for command in finding["commands"]))
    return 1 if findings else 0


def _command(name: str, prefix: str) -> str:
    return f"`conda envfix {name} -p {prefix}`"


def _print(*lines: str, to: Any = None) -> None:
    stream = to or sys.stdout
    encoding = getattr(stream, "encoding", None) or "utf-8"
    for line in lines:
        # a code page of Windows has neither the marks nor every name
        print(line.encode(encoding, "replace").decode(encoding), file=stream)
