"""What the environment's own pip says is installed, and where that is not what others say."""

from __future__ import annotations

from msgspec import Struct


class PipListed(Struct, frozen=True, kw_only=True):
    """One distribution of ``pip list``."""

    name: str
    #: In the normal form of PEP 440, which is how pip-api gives it.
    version: str
    #: Relative to the prefix where inside it, else absolute; "" where pip does not tell.
    location: str

    @property
    def is_outside(self) -> bool:
        """Whether it lies outside of the prefix."""
        return self.location.startswith(("/", "\\")) or self.location[1:2] == ":"


class PipView(Struct, frozen=True, kw_only=True):
    """All that ``pip list`` says."""

    listed: tuple[PipListed, ...] = ()


class Difference(Struct, frozen=True, kw_only=True):
    """One distribution of which pip, the disk and conda's records do not say the same."""

    #: The normal name.
    name: str
    #: What pip sees; None where it sees none.
    pip: PipListed | None
    #: The versions of the dist-info and egg-info folders in the prefix.
    disk: tuple[str, ...] = ()
    #: The versions of those that conda's records list.
    conda: tuple[str, ...] = ()


class LiveView(Struct, frozen=True, kw_only=True):
    """How pip's own view stands to the rest, where it was asked."""

    #: How many distributions pip sees.
    seen: int
    differences: tuple[Difference, ...] = ()
