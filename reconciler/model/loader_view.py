"""A machine's files as its dynamic loader sees them: all that a model of it asks for."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from reconciler.model.binding import Unbound, VersionMissing
from reconciler.model.library import SharedLibrary
from reconciler.model.replay import Replay
from reconciler.model.system import System


class Misfit(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a library binds to another of some soname, and a file of that soname does not define."""

    #: Real paths.
    consumer: str
    provider: str
    soname: str
    versions: tuple[VersionMissing, ...] = ()
    symbols: tuple[Unbound, ...] = ()


class LoaderView(Struct, frozen=True, kw_only=True):
    """The loader of an environment's Python, and every file and directory that it may come to.

    Paths are absolute.
    """

    #: The interpreter of the environment, its links resolved.
    executable: str
    system: System
    #: The working directory, which an empty entry of a search path means.
    directory: str = "/"
    #: What lies in each directory that may be searched, by its real path: the names that a library
    #: may have. A directory that is not there has none.
    directories: Mapping[str, tuple[str, ...]] = {}
    #: Of these directories, all names are kept.
    whole: tuple[str, ...] = ()
    #: Each under its real path.
    files: tuple[SharedLibrary, ...] = ()
    #: Why a file is no library, by its real path.
    unfit: Mapping[str, str] = {}
    #: Where each link leads, as written; the folder that it lies in has no link in its own path.
    links: Mapping[str, str] = {}
    #: What the paths of one file share, where a file has several that are no links.
    identities: Mapping[str, str] = {}
    #: The libraries of packages that do not fit a file which may answer what they need.
    misfits: tuple[Misfit, ...] = ()
    #: What comes of the libraries that the user asks about, when they are opened.
    replays: tuple[Replay, ...] = ()
