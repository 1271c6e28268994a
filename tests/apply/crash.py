"""Let a process die at every point of a write in turn: ``python crash.py ACTION HOW FOLDER``.

Each point has its own folder, in which a project is left as the crash left it. Prints how many
points there were.
"""

from __future__ import annotations

import os
import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from apply.disks import NAMES, DyingDisk, PowerCut
from apply.scene import (
    NEW,
    OLD,
    Scene,
    cut_off_before_clearing_up,
    cut_off_between_two_files,
    written_once,
    written_twice,
)

if TYPE_CHECKING:
    from collections.abc import Callable

#: How a process dies: by its disk, given the point and a folder of its own.
HOW: dict[str, Callable[[int, Path], DyingDisk]] = {
    "killed": lambda at, _: DyingDisk(at),
    "killed-in-a-write": lambda at, _: DyingDisk(at, by_half=True),
    "data-lost": lambda at, stash: PowerCut(at, stash, data=True, names=()),
    "names-lost": lambda at, stash: PowerCut(at, stash, data=False, names=NAMES),
    "links-lost": lambda at, stash: PowerCut(at, stash, data=False, names={"link"}),
    "all-lost": lambda at, stash: PowerCut(at, stash, data=True, names=NAMES),
}


ACTIONS: dict[str, tuple[Callable[[Path], Scene], Callable[[Scene, DyingDisk], object]]] = {
    "commit": (written_once, lambda made, disk: made.commit(OLD, NEW, disk)),
    "undo": (written_twice, lambda made, disk: made.undo(disk)),
    "take-back": (cut_off_between_two_files, lambda made, disk: made.recover(disk)),
    "complete": (cut_off_before_clearing_up, lambda made, disk: made.recover(disk)),
}


def dies(call: Callable[[], object]) -> bool:
    """Call in a child process; tell whether it was killed."""
    child = os.fork()
    if not child:
        status = 1
        try:
            call()
            status = 0
        finally:
            os._exit(status)
    _, ended = os.waitpid(child, 0)
    if os.WIFEXITED(ended) and os.WEXITSTATUS(ended):
        raise SystemExit("the child had an error of its own")
    return os.WIFSIGNALED(ended)


def crash_at_every_point(action: str, how: str, folder: Path) -> int:
    """Leave a project for each point; return how many there are."""
    prepare, act = ACTIONS[action]
    for at in count():
        made = prepare(folder / str(at))
        disk = HOW[how](at, folder / str(at) / "stash")
        if not dies(lambda made=made, disk=disk: act(made, disk)):  # type: ignore[misc]
            return at
    raise AssertionError


if __name__ == "__main__":
    sys.stdout.write(f"{crash_at_every_point(sys.argv[1], sys.argv[2], Path(sys.argv[3]))}\n")
