"""What is recognized in a text."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from reconciler.model.error_class import ErrorClass


class Recognized(Struct, frozen=True, kw_only=True):
    """A message of a known class, once however often it is repeated."""

    error: ErrorClass
    #: The parts that the message names: ``soname``, ``symbol``, ``version``, ``file``, ``sm`` ...
    captured: Mapping[str, str]
    #: Where it stands first, from 1.
    line: int
    #: How often it is said with the same parts.
    count: int = 1
    #: The lines of less specific messages that tell of the same.
    also_at: tuple[int, ...] = ()
    #: The files of the traceback that it ends, the outermost first.
    frames: tuple[str, ...] = ()
    #: Its own words, without what stands around them.
    text: str

    @property
    def caller(self) -> str:
        """The file whose code asked for what failed; "" where no traceback tells."""
        return next((path for path in reversed(self.frames) if not _is_ctypes(path)), "")

    @property
    def is_opened_by_name(self) -> bool:
        """Whether ctypes opened it, and not the import of an extension module."""
        return bool(self.frames) and _is_ctypes(self.frames[-1])


def _is_ctypes(path: str) -> bool:
    return path.replace("\\", "/").endswith("/ctypes/__init__.py")
