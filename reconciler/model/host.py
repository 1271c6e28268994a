"""The machine around a prefix: its driver and the variables of the shell."""

from __future__ import annotations

from msgspec import Struct


class DriverRelease(Struct, frozen=True, order=True):
    """An NVIDIA driver's own version, such as 580.65.06: *Driver Version* of ``nvidia-smi``.

    Not to be confused with the *CUDA Version* beside it in the same table.
    """

    parts: tuple[int, ...]
    #: As the driver writes it: 535.129.03 on a PC, 540.4.0 on Tegra.
    text: str

    def __str__(self) -> str:
        """As the driver writes it."""
        return self.text

    @classmethod
    def parse(cls, text: str) -> DriverRelease:
        """Read numbers between dots; raises ValueError."""
        return cls(tuple(int(part) for part in text.split(".")), text)


class PathEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of PYTHONPATH, and what its directory says of the Python it was made for."""

    #: Absolute.
    path: str
    exists: bool = True
    #: ``X.Y`` as a directory above says it (``lib/python3.8``), else None.
    python_in_path: str | None = None
    #: ``X.Y`` of each Python that compiled extension modules in it were built for.
    extensions_for: tuple[str, ...] = ()
    #: The prefix that it belongs to (a conda-meta, a pyvenv.cfg or a standard library above it).
    prefix: str | None = None
    #: Normal names of the distributions in it.
    distributions: tuple[str, ...] = ()
