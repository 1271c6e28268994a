"""Who looks at an environment: what of their paths is about them, and not about it."""

from __future__ import annotations

from msgspec import Struct


class Person(Struct, frozen=True, kw_only=True):
    """A user, as their machine knows them."""

    #: Their home folders, absolute.
    homes: tuple[str, ...] = ()
    #: The names of their accounts.
    names: tuple[str, ...] = ()
    #: The names of the machine.
    hosts: tuple[str, ...] = ()
