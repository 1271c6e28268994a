"""What a script installs, parted by stage or job, by environment and by branch."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from reconciler.manifests.shell_words import UNKNOWN
from reconciler.model.manifest import Combination, Declared, Kind, Section

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

#: Where the Python is that is there from the start.
_SYSTEM = frozenset({"", "/usr", "/usr/local", "/opt/conda", "/opt/miniconda3", "/root/miniconda3"})
_REPLACES = re.compile(r"(?<![<>~!])==|@")


class Line(NamedTuple):
    """One thing that a command does to an environment."""

    #: None for an uninstall.
    declared: Declared | None
    #: conda's name of the environment, or its folder; "" for the one that is there.
    environment: str = ""
    #: Which branch of an ``if`` or a ``case``; 0 is in none.
    arm: int = 0
    #: The section and the names of what is uninstalled.
    removes: frozenset[tuple[Section, str]] = frozenset()


class Block(NamedTuple):
    """A stage of a Dockerfile or a job of a workflow: what is installed on one machine."""

    #: As a report names it; "" where the file has only one.
    name: str
    lines: Sequence[Line]
    #: The blocks that it is built on.
    bases: tuple[str, ...] = ()
    #: conda's names of the platforms that it is for; empty where it says none.
    platforms: tuple[str, ...] = ()


def arrange(
    blocks: Iterable[Block],
) -> tuple[tuple[Declared, ...], tuple[Combination, ...]]:
    """Return what blocks declare, and which of their parts are installed together."""
    blocks = tuple(blocks)
    # What is built on a block holds all of it.
    bases = {base for block in blocks for base in block.bases}
    declared: list[Declared] = []
    combinations: list[Combination] = []
    for block in blocks:
        lines = settled(_with_one_environment(block.lines))
        declared += [
            replace(line.declared, scope=_scope(block.name, line.environment, line.arm))
            for line in lines
            if line.declared
        ]
        if block.name not in bases:
            below = [scope for base in block.bases for scope in (base, _scope(base, "", 1))]
            combinations += _combinations(block, lines, below)
    return tuple(declared), tuple(combinations)


def _with_one_environment(lines: Sequence[Line]) -> list[Line]:
    """Return the lines without the name of their environment where there is no other."""
    named = {line.environment for line in lines if line.environment}
    return [*lines] if len(named) > 1 else [line._replace(environment="") for line in lines]


def _combinations(
    block: Block, lines: Sequence[Line], below: Sequence[str]
) -> Iterator[Combination]:
    """Yield each environment of a block in each of its branches."""
    last = max((line.arm for line in lines), default=0)
    for environment in dict.fromkeys(["", *(line.environment for line in lines)]):
        for arm in range(1, last + 1) or (0,):
            name = _scope(block.name, environment, arm)
            around = (block.name, _scope(block.name, "", arm), _scope(block.name, environment, 0))
            yield Combination(
                name=name,
                scopes=tuple(dict.fromkeys((*below, *around, name))),
                platforms=block.platforms,
            )


def environment_name(named: str) -> str:
    """Return what an environment is called; "" for the one that is there from the start."""
    name = named.rpartition("/envs/")[2].rstrip("/")
    return "" if name in {"base", "root"} or name in _SYSTEM or UNKNOWN in name else name


def _scope(block: str, environment: str, arm: int) -> str:
    parts = (
        block,
        f"environment {environment}" if environment else "",
        f"branch {arm}" if arm else "",
    )
    return ", ".join(part for part in parts if part)


def settled(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Leave out what a later command of the same environment uninstalls, or installs anew."""
    kept: list[Line | None] = []
    known: dict[tuple[str, Section, str], list[int]] = {}
    for line in lines:
        declared = line.declared
        gone = line.removes
        if declared and declared.kind is Kind.REQUIREMENT and _is_pinned(declared):
            gone = frozenset({(declared.section, declared.name)})
        for section, name in gone:
            for index in known.get((line.environment, section, name), ()):
                earlier = kept[index]
                if earlier and _is_undone(earlier, line):
                    kept[index] = None
        if declared:
            key = (line.environment, declared.section, declared.name)
            if declared.kind is Kind.REQUIREMENT and declared.name:
                known.setdefault(key, []).append(len(kept))
            kept.append(line)
    return tuple(line for line in kept if line)


def _is_undone(earlier: Line, later: Line) -> bool:
    """Tell whether a command takes back, wherever it runs, what another one did."""
    first, second = earlier.declared, later.declared
    if first and second and first.command == second.command:
        return False
    is_everywhere = (
        not second or not second.platforms or (first and first.platforms == second.platforms)
    )
    return bool(is_everywhere) and later.arm in {0, earlier.arm}


def _is_pinned(declared: Declared) -> bool:
    if declared.section is Section.CONDA:
        return "=" in declared.text
    return _REPLACES.search(declared.text) is not None
