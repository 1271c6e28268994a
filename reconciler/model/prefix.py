"""What conda's side of a prefix says of itself."""

from __future__ import annotations

from msgspec import Struct


class PrefixRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One conda package as ``conda-meta/*.json`` records it, in conda's and rattler's dialects."""

    name: str
    version: str
    build: str = ""
    build_number: int = 0
    #: A channel's name or URL, as recorded, without its credentials.
    channel: str = ""
    subdir: str = ""
    depends: tuple[str, ...] = ()
    constrains: tuple[str, ...] = ()
    #: Relative to the prefix, with forward slashes.
    files: tuple[str, ...] = ()
    #: The specs that a user asked for, where this package answers them.
    requested_specs: tuple[str, ...] = ()
    #: Of the python package alone, where its site-packages is not the usual one (3.13t).
    python_site_packages_path: str | None = None

    def __str__(self) -> str:
        """Name and version, as a report's subject."""
        return f"{self.name} {self.version}"


class Python(Struct, frozen=True, kw_only=True):
    """The interpreter of an environment, as its files say; it is never started."""

    #: ``X.Y`` or more exact: ``3.11.7``.
    version: str
    #: Where its distributions lie, relative to the prefix where inside it, in sys.path order.
    site_packages: tuple[str, ...]
    #: Where the standard library comes from, if not the prefix itself (a venv's ``home``).
    home: str | None = None
    #: A venv's ``include-system-site-packages``: what is installed at its home is seen as well.
    sees_home: bool = False

    @property
    def minor(self) -> str:
        """``X.Y``, in which compiled extensions and ``lib/pythonX.Y`` are named."""
        return ".".join(self.version.split(".")[:2])
