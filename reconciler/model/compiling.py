"""What is compiled as it is installed, and which compilers each CUDA release takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Literal

import msgspec
from msgspec import Struct

from reconciler.model.row import Row


class Compiled(Row, frozen=True, kw_only=True):
    """A project whose CUDA code pip compiles, or which compiles it as it is used."""

    #: The normal name on PyPI; or, of what PyPI does not have, the name that its repository gives it.
    name: str
    #: As a report names it: ``FlashAttention``.
    title: str
    #: What PyPI has: no wheel, so that pip compiles it; wheels; nothing of this project at all.
    on_pypi: Literal["sources", "wheels", "nothing"]
    #: Where its sources lie, as a requirement names them: ``Dao-AILab/flash-attention``.
    repositories: tuple[str, ...]
    #: Whether its setup looks for a wheel of its own for this torch and CUDA first.
    fetches_wheel: bool = False
    #: A page of wheels for torch, beside PyPI.
    wheels_at: str = ""
    #: Whether it is linked against the driver's library (``-lcuda``).
    links_driver: bool = False
    #: Whether, without an nvcc, it is built for the CPU alone instead of failing.
    falls_back: bool = False
    #: Whether it compiles as it is used, and not as it is installed.
    at_use: bool = False
    source: str

    @property
    def folders(self) -> frozenset[str]:
        """What a folder with its sources is called, as a submodule."""
        bases = (each.rpartition("/")[2].lower() for each in self.repositories)
        return frozenset((self.name, *(base.replace("_", "-") for base in bases)))


class CompilerLimit(Row, frozen=True, kw_only=True):
    """The newest host compilers that nvcc of a CUDA release takes."""

    #: ``12.4``.
    cuda: str
    #: The major releases; a later one is refused by ``crt/host_config.h``.
    gcc: int
    clang: int | None = None
    #: conda's channel with the whole toolkit of the release; "" where none is known.
    channel: str = ""
    source: str


class Compiling(Struct, frozen=True, kw_only=True, dict=True):
    """The tables of what is compiled, each decoded when it is first asked for."""

    #: Gives the bytes of a table by its name.
    read: Callable[[str], bytes]

    @cached_property
    def _compiled(self) -> tuple[Compiled, ...]:
        return msgspec.json.decode(self.read("compiled"), type=tuple[Compiled, ...])

    @cached_property
    def marks(self) -> frozenset[str]:
        """What tells in a requirement that something may be compiled: names, folders, repositories."""
        names = (name for row in self._compiled for name in row.folders)
        repositories = (each.lower() for row in self._compiled for each in row.repositories)
        return frozenset((*names, *repositories))

    @cached_property
    def _limits(self) -> Mapping[str, CompilerLimit]:
        rows = msgspec.json.decode(self.read("host_compilers"), type=tuple[CompilerLimit, ...])
        return {row.cuda: row for row in rows}

    def project(self, name: str, text: str) -> Compiled | None:
        """Return the project that a requirement of pip has compiled; None where a wheel serves it.

        ``name`` is the normal name, "" where the requirement tells none.
        """
        if ".whl" in text:
            return None
        if "://" in text or "git@" in text:
            url = text.lower()
            return next((row for row in self._compiled if _is_at(row, url)), None)
        head = text.partition(";")[0].partition("#")[0].strip()
        if "/" in head:
            folder = head.rstrip("/").rpartition("/")[2]
            named = folder.lower().replace("_", "-")
            return next((row for row in self._compiled if named in row.folders), None)
        return next(
            (row for row in self._compiled if row.name == name and row.on_pypi == "sources"), None
        )

    def newest(self, kind: str, cuda: str) -> int | None:
        """Return the newest major of ``gcc`` or ``clang`` for a release; None where no row tells."""
        row = self._limits.get(cuda)
        return None if row is None else {"gcc": row.gcc, "clang": row.clang}.get(kind)

    def channel(self, cuda: str) -> str:
        """Return conda's channel that has the toolkit of a release; "" where none is known."""
        row = self._limits.get(cuda)
        return row.channel if row else ""


def _is_at(row: Compiled, url: str) -> bool:
    # .../NVIDIA/apex, apex.git, apex@commit; not .../NVIDIA/apex-extras
    names = (re.escape(repository.lower()) for repository in row.repositories)
    return any(re.search(rf"[/:]{name}(?:\.git)?(?:[/@#?\s;]|$)", url) for name in names)
