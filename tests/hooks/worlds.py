"""Environments with hooks, moves between them as the managers make them, and what must follow."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.hooks import writing
from reconciler.model.hook import (
    Hook,
    PrependPath,
    Reason,
    RemoveElement,
    SetVariable,
    Unset,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hooks.shells import Session

CAPTURED = "/opt/cu da/lib64"
#: What variables of each kind are before; one that is not named is absent.
BEFORE = {
    "SET_EMPTY": b"",
    "SET_FULL": b'be fore\'s "$HOME" `id` \\ \n!x \xc3\xa9',
    "OLD_EMPTY_PATH": b"",
    "OLD_FULL_PATH": b"/usr/a b/lib:/o'q\"!\\/lib",
    "OLD_HOLED_PATH": b"/a::/b:",
    "CUT_EMPTY_PATH": b"",
    "CUT_FULL_PATH": f"/a:{CAPTURED}:{CAPTURED}:/b c".encode(),
    "CUT_ALL_PATH": CAPTURED.encode(),
    "CUT_OTHER_PATH": f"{CAPTURED}/x:/y".encode(),
    "GONE_EMPTY": b"",
    "GONE_FULL": b"x y\nz",
    "BOTH_FULL_PATH": f"{CAPTURED}:/c".encode(),
}
REASONS = (Reason(code="ELF501", sentence="libx.so is answered by /usr/local\nrm -rf `id` %~ $("),)


def hook_of(letter: str, written_for: str) -> Hook:
    """Return a hook with all that a hook can do, to variables in every state."""
    kinds = {"SET": ("NONE", "EMPTY", "FULL"), "GONE": ("NONE", "EMPTY", "FULL")}
    lists = {"OLD": ("NONE", "EMPTY", "FULL", "HOLED"), "CUT": ("NONE", "EMPTY", "FULL", "ALL")}
    variables = (
        *(SetVariable(name=f"SET_{s}", value=f"{letter}'s=", path="a b") for s in kinds["SET"]),
        *(Unset(name=f"GONE_{state}") for state in kinds["GONE"]),
        *(
            PrependPath(name=f"OLD_{s}_PATH", directories=(f"lib/{letter} 1", f"lib/{letter}2"))
            for s in lists["OLD"]
        ),
        *(
            RemoveElement(name=f"CUT_{s}_PATH", directory=CAPTURED)
            for s in (*lists["CUT"], "OTHER")
        ),
        RemoveElement(name="BOTH_FULL_PATH", directory=CAPTURED),
        PrependPath(name="BOTH_FULL_PATH", directories=(f"lib/{letter}",)),
    )
    return Hook(prefix=written_for, variables=variables, why=REASONS, created_by="0.1.0")


def expected(
    hook: Hook, before: dict[str, bytes], prefix: bytes, marks: tuple[bytes, bytes] = (b":", b"/")
) -> dict[str, bytes]:
    """Return what the variables are while the hook is in force; ``marks`` are those of paths."""
    after = dict(before)
    for variable in hook.variables:
        old = after.pop(variable.name, None)
        new = _changed(variable, old, prefix, marks)
        if new is not None:
            after[variable.name] = new
    return after


def _changed(variable, old, prefix, marks):
    between, slash = marks
    match variable:
        case SetVariable(value=value, path=path):
            return os.fsencode(value) + prefix + slash + os.fsencode(path).replace(b"/", slash)
        case PrependPath(directories=directories):
            new = [prefix + slash + os.fsencode(d).replace(b"/", slash) for d in directories]
            return between.join([*new, *([old] if old else [])])
        case RemoveElement(directory=directory) if old is not None:
            left = [e for e in old.split(between) if e != os.fsencode(directory)]
            return between.join(left) if left else None
        case _:
            return None


@dataclass
class Environment:
    """A prefix whose hook is written, and the variable that hands the shell its path."""

    hook: Hook
    prefix: Path
    variable: str

    def script(self, step: str, suffix: str) -> Path:
        return self.prefix / f"etc/conda/{step}.d/{writing.STEM}{suffix}"


def install(hook: Hook, scripts_in: Path) -> None:
    for file in writing.scripts(hook):
        path = scripts_in / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)


class Manager:
    """What conda, or rattler, has a shell do; rattler takes CONDA_PREFIX away first."""

    def __init__(self, session: Session, order: str) -> None:
        self.session = session
        self.order = order
        self.suffix = {"fish": ".fish", "tcsh": ".csh"}.get(session.shell, ".sh")

    def leave(self, old: Environment) -> None:
        if self.order == "rattler":
            self.session.unset("CONDA_PREFIX")
        self._source(old.script("deactivate", self.suffix))
        if self.order == "conda":
            self.session.unset("CONDA_PREFIX")

    def enter(self, new: Environment) -> None:
        self.session.copy("CONDA_PREFIX", new.variable)
        self._source(new.script("activate", self.suffix))

    def _source(self, script: Path) -> None:
        self.session.source(script, within_function=self.order == "conda")
