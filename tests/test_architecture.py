"""The house has floors: a module imports only from the rooms that the design lets it."""

import ast
import importlib
from pathlib import Path

import msgspec
import pytest

ROOT = Path(__file__).parent.parent / "reconciler"
MODEL = {"model", "errors"}
KNOWLEDGE = {"catalog", "manifests", "convert", "loader", "hooks", "config"}

#: What each room may import, lowest floor first: docs/architecture.md.
MAY_IMPORT = {
    "model": {"errors"},
    "errors": set(),
    **dict.fromkeys(KNOWLEDGE, MODEL),
    "manifests": MODEL | {"hooks"},
    "builds": MODEL | {"catalog", "loader"},
    "world": MODEL | {"catalog", "loader", "builds"},
    "rules": MODEL | {"world", "convert"},
    "collect": MODEL | {"manifests", "loader", "hooks"},
    "solve": MODEL | {"builds"},
    "check": MODEL | {"world"},
    "plan": MODEL,
    "rehearsal": MODEL | {"manifests", "plan"},
    "live": MODEL,
    "converting": MODEL | {"apply", "builds", "collect", "convert", "manifests", "world"},
    "proving": MODEL | {"convert", "solve"},
    "turning": MODEL | {"builds", "world"},
    "explain": MODEL | {"world"},
    "apply": MODEL | {"manifests", "hooks"},
    "output": MODEL | {"world"},
    "pipeline": MODEL
    | KNOWLEDGE
    | {
        "builds",
        "world",
        "rules",
        "collect",
        "judgement",
        "rehearsal",
        "apply",
    },
    "judgement": MODEL | {"catalog", "rules", "world", "check", "live"},
    "testing": MODEL | KNOWLEDGE | {"world"},
    "activation": MODEL | {"pipeline", "collect", "hooks", "catalog", "apply", "world"},
    "cli_group": MODEL | {"terminal"},
    "completing": MODEL | {"collect", "rules"},
    "options": MODEL | {"completing", "values"},
    "values": MODEL,
    "terminal": MODEL,
    "progress": MODEL | {"terminal"},
    "renderers": MODEL | {"pipeline", "output", "terminal"},
    "conversion": MODEL | {"pipeline", "catalog", "converting", "proving", "turning"},
    "cli_convert": MODEL
    | {"completing", "conversion", "pipeline", "output", "options", "progress", "terminal"},
    "cli_hooks": MODEL
    | {
        "values",
        "cli_group",
        "completing",
        "activation",
        "pipeline",
        "output",
        "options",
        "progress",
        "terminal",
    },
    "explaining": MODEL | {"catalog", "config", "explain", "pipeline", "world"},
    "scrubbing": MODEL,
    "taking": MODEL | {"collect", "config", "pipeline", "progress", "scrubbing", "terminal"},
    "cli": MODEL
    | {"activation", "pipeline", "explaining", "output", "options", "taking", "terminal"}
    | {"completing", "progress", "renderers", "config", "cli_convert", "cli_group", "cli_hooks"},
    "__main__": {"cli"},
    "asking": MODEL | {"__main__"},
    "answering": MODEL | {"activation", "explaining", "output", "pipeline"},
    "conda_plugin": {"asking"},
    "rapids_doctor": {"asking"},
}
PURE = {"model", "manifests", "loader", "builds", "world", "rules", "check", "live", "output"}
PURE |= {"convert", "plan", "rehearsal", "hooks", "explain", "scrubbing"}
#: Of a room that is not, the modules that are.
PURE_MODULES = {
    f"solve/{name}.py" for name in ("complaints", "conflict", "proof", "relaxing", "repairs")
}
MACHINE = {"os", "subprocess", "shutil", "socket", "ctypes", "urllib", "pathlib", "tempfile"}
#: A module of the standard library, or a common one, that talks to other machines.
NETWORK = {"aiohttp", "ftplib", "http", "httpx", "requests", "smtplib", "socket", "ssl", "urllib3"}
#: The rooms that print or exit.
SAYING = {"cli", "__main__", "conda_plugin"}
MODULES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")
EACH = pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))


def room_of(path):
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported_modules(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "reconciler":
            yield from (f"reconciler.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def imported_rooms(path):
    parts = (module.split(".") for module in imported_modules(path))
    rooms = {part[1] for part in parts if part[0] == "reconciler" and len(part) > 1}
    return rooms - {room_of(path), "__version__"}


@EACH
def test_a_room_imports_only_what_the_design_lets_it(path):
    assert imported_rooms(path) <= MAY_IMPORT[room_of(path)]


@EACH
def test_a_pure_room_does_not_reach_for_the_machine(path):
    tops = {module.partition(".")[0] for module in imported_modules(path)}
    is_pure = room_of(path) in PURE or path.relative_to(ROOT).as_posix() in PURE_MODULES
    assert not is_pure or not tops & MACHINE


@EACH
def test_only_the_maintainer_s_refresh_talks_to_other_machines(path):
    modules = {"urllib3" if m.startswith("urllib.re") else m for m in imported_modules(path)}
    talks = bool({module.partition(".")[0] for module in modules} & NETWORK)
    assert talks == (path == ROOT / "catalog" / "refresh.py")


def test_nothing_of_envfix_imports_the_maintainer_s_refresh():
    assert [
        path for path in MODULES if "reconciler.catalog.refresh" in {*imported_modules(path)}
    ] == []


@EACH
def test_only_the_command_line_prints_or_exits(path):
    calls = {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert room_of(path) in SAYING or not calls & {"print", "exit", "input"}


def test_every_room_of_the_house_is_in_the_table():
    assert {room_of(path) for path in MODULES} <= MAY_IMPORT.keys()


def test_every_noun_is_frozen():
    modules = [path for path in MODULES if room_of(path) == "model"]
    for path in modules:
        importlib.import_module(f"reconciler.model.{path.stem}")
    nouns = [noun for noun in _structs(msgspec.Struct) if noun.__module__.startswith("reconciler.")]
    assert [noun.__name__ for noun in nouns if not noun.__struct_config__.frozen] == []


def _structs(above):
    for noun in above.__subclasses__():
        yield noun
        yield from _structs(noun)
