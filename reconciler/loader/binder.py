"""The scopes of one process, and what is not found in them as files are mapped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.loader.binding import Scope, closure, faults

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.loader.manner import Loaded
    from reconciler.loader.symbols import Symbols
    from reconciler.model.binding import Fault


class Binder:
    """Binds what a process maps, as glibc does."""

    def __init__(self, symbols: Symbols, variables: Mapping[str, str]) -> None:
        self._symbols = symbols
        self._is_now = bool(variables.get("LD_BIND_NOW"))
        self._everyone: list[Loaded] = []

    def start(
        self, program: Loaded, preloaded: Sequence[Loaded], names: Mapping[str, Loaded]
    ) -> tuple[Fault, ...]:
        """Bind the program and all that it needs; ``names`` are those of all mapped files."""
        self._everyone = closure([program, *preloaded])
        scope = Scope(everyone=self._everyone, names=names)
        return tuple(faults(self._symbols, self._everyone, scope, is_now=self._is_now))

    def open(
        self,
        root: Loaded,
        mapped: Sequence[Loaded],
        names: Mapping[str, Loaded],
        *,
        is_now: bool,
    ) -> tuple[Fault, ...]:
        """Bind what a dlopen of the root has mapped."""
        scope = Scope(everyone=self._everyone, own=closure([root]), names=names)
        now = is_now or self._is_now
        return tuple(faults(self._symbols, mapped, scope, is_now=now))

    def share(self, root: Loaded) -> None:
        """Let all later files bind to one that was opened with RTLD_GLOBAL, and to what it needs."""
        self._everyone = closure([*self._everyone, root])
