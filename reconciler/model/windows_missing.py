"""A DLL of CUDA that something imports on Windows and nothing answers."""

from __future__ import annotations

from msgspec import Struct

from reconciler.model.which import Origin


class MissingDll(Struct, frozen=True, kw_only=True):
    """A DLL that is imported in vain. Paths are absolute, with slashes."""

    #: As it is imported: ``cudart64_12.dll``.
    name: str
    component: str
    #: The name of the Consumer that was installed and does not start without it, and its title.
    consumer: str
    title: str
    user: Origin
    #: What import of Python opens: an extension module, or a DLL that its package opens.
    opened: str
    #: The library that imports it, and all others for which it is missing.
    askers: tuple[str, ...]
    #: The directories that were looked into, in their order.
    places: tuple[str, ...]
    #: Files of this name that none of these leads to.
    copies: tuple[tuple[str, Origin], ...] = ()
    #: The package that has recorded such a file, which is gone.
    recorded_by: Origin | None = None
    #: Whether what was installed brings the CUDA that it uses, or depends on it.
    is_self_contained: bool = True
    #: The name of the Consumer that it is loaded into; None of all else.
    extends: str | None = None
