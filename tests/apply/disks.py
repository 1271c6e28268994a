"""Disks that count what is done to them, and then fail, or die with the process."""

from __future__ import annotations

import os
import shutil
import signal
from typing import TYPE_CHECKING, Any

from reconciler.apply import Disk

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

#: Every call that reaches the machine, but those that only look at what is open.
POINTS = (
    *("read", "create", "open_lock", "lock", "write", "empty", "sync", "close", "dress"),
    *("set_mode", "link", "replace", "remove", "sync_folder", "make_folder", "names"),
    *("make_part", "remove_part"),
)

#: Those that change the names in a folder.
NAMES = frozenset({"create", "open_lock", "link", "replace", "remove"})


class WatchedDisk(Disk):
    """Tells what is about to be called."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def before(self, call: str, arguments: tuple[Any, ...]) -> None:
        """Do what a test wants done before a call."""

    def after(self, call: str, arguments: tuple[Any, ...], result: Any) -> None:
        """Do what a test wants done after a call."""


def _watched(call: str) -> Callable[..., Any]:
    def method(self: WatchedDisk, *arguments: Any) -> Any:
        self.calls.append(call)
        self.before(call, arguments)
        result = getattr(Disk, call)(self, *arguments)
        self.after(call, arguments, result)
        return result

    return method


for _call in POINTS:
    setattr(WatchedDisk, _call, _watched(_call))


class FailingDisk(WatchedDisk):
    """Fails at one point, or from it on; a write is done by half before."""

    def __init__(self, error: int, at: int, *, for_ever: bool = False, only: str = "") -> None:
        super().__init__()
        self.error, self.at, self.for_ever, self.only = error, at, for_ever, only
        self.failed: list[str] = []

    def before(self, call: str, arguments: tuple[Any, ...]) -> None:
        if self.only and call != self.only:
            self.calls.pop()
            return
        point = len(self.calls) - 1
        if point != self.at and not (self.for_ever and point > self.at):
            return
        self.failed.append(call)
        if call == "close":
            os.close(arguments[0])
        if call == "write":
            os.write(arguments[0], arguments[1][: len(arguments[1]) // 2])
        raise OSError(self.error, os.strerror(self.error))


class DyingDisk(WatchedDisk):
    """Kills its process at one point; a write may be done by half before."""

    def __init__(self, at: int, *, by_half: bool = False) -> None:
        super().__init__()
        self.at, self.by_half = at, by_half

    def before(self, call: str, arguments: tuple[Any, ...]) -> None:
        if len(self.calls) - 1 == self.at:
            if call == "write" and self.by_half:
                os.write(arguments[0], arguments[1][: len(arguments[1]) // 2])
            self.lose()
            os.kill(os.getpid(), signal.SIGKILL)

    def lose(self) -> None:
        """Lose what a dying process alone does not."""


class PowerCut(DyingDisk):
    """The power goes with the process: what was not synced is lost, as far as a test wants.

    ``data``: files whose bytes were not synced are empty. ``names``: what these calls did to the
    names of a folder after it was last synced did not happen.
    """

    def __init__(self, at: int, stash: Path, *, data: bool, names: Collection[str]) -> None:
        super().__init__(at, by_half=True)
        self.stash, self.data, self.lost_calls = stash, data, names
        stash.mkdir()
        self.unsynced: dict[int, int] = {}
        self.undone: list[tuple[str, str, Callable[[], None]]] = []

    def before(self, call: str, arguments: tuple[Any, ...]) -> None:
        super().before(call, arguments)
        if call == "replace":
            source, path = arguments
            self._on_loss(call, path, self._brings_back(path))
            self._on_loss(call, source, self._brings_back(source))
        if call == "remove":
            self._on_loss(call, arguments[0], self._brings_back(arguments[0]))

    def after(self, call: str, arguments: tuple[Any, ...], result: Any) -> None:
        if call == "create" or (call == "open_lock" and result[1]):
            descriptor = result if call == "create" else result[0]
            self.unsynced[descriptor] = os.dup(descriptor)
            self._on_loss(call, arguments[0], _removes(arguments[0]))
        if call == "link":
            self._on_loss(call, arguments[1], _removes(arguments[1]))
        if call == "sync":
            self.unsynced.pop(arguments[0])
        if call == "write":
            self.unsynced.setdefault(arguments[0], os.dup(arguments[0]))
        if call == "close" and arguments[0] in self.unsynced:
            # Another file may get the number.
            self.unsynced[-len(self.unsynced) - 1] = self.unsynced.pop(arguments[0])
        if call == "sync_folder":
            self.undone = [done for done in self.undone if done[1] != arguments[0]]

    def lose(self) -> None:
        for descriptor in self.unsynced.values() if self.data else ():
            os.ftruncate(descriptor, 0)
        for call, _, undo in reversed(self.undone):
            if call in self.lost_calls:
                undo()
        shutil.rmtree(self.stash)

    def _on_loss(self, call: str, path: str, undo: Callable[[], None]) -> None:
        self.undone.append((call, os.path.dirname(path), undo))

    def _brings_back(self, path: str) -> Callable[[], None]:
        if not os.path.lexists(path):
            return _removes(path)
        kept = str(self.stash / str(len(self.undone)))
        while os.path.lexists(kept):
            kept += "x"
        os.link(path, kept)

        def bring_back() -> None:
            _removes(path)()
            os.link(kept, path)

        return bring_back


def _removes(path: str) -> Callable[[], None]:
    def remove() -> None:
        if os.path.lexists(path):
            os.remove(path)

    return remove
