"""What the model of the loader answers: the file behind a name, why that one, and why no other."""

from __future__ import annotations

import enum

from msgspec import Struct

from reconciler.model.binding import Fault


class Reason(enum.Enum):
    """The rule by which a file is found."""

    EXECUTABLE = "it is the program"
    INTERPRETER = "it is the program's interpreter"
    LOADED = "already loaded"
    PATH = "named by its path"
    RPATH = "RPATH"
    LD_LIBRARY_PATH = "LD_LIBRARY_PATH"
    RUNPATH = "RUNPATH"
    CACHE = "ld.so.cache"
    DEFAULT = "the system's directories"
    API_SET = "an API set, which Windows maps to a library of its own"
    KNOWN_DLL = "Windows' list of known DLLs"
    DLL_DIRECTORY = "the folder of the library that is opened"
    APPLICATION = "the folder of python.exe"
    ADDED = "os.add_dll_directory"
    SYSTEM32 = "System32"
    WINDOWS = "the folder of Windows"
    CURRENT = "the working directory"
    PATH_VARIABLE = "PATH"


class Candidate(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One file that bears the name, in its place in the search."""

    path: str
    reason: Reason
    #: The library or program whose RPATH or RUNPATH leads to it; on Windows, what added its folder.
    of: str | None = None
    #: The entry of the search path that leads to it, as written.
    entry: str | None = None
    #: A clause; None for the file that is taken.
    why_not: str | None = None
    #: Whether Windows does not say which comes first, this one or the one that is taken.
    tied: bool = False


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one name means to the one that asks for it."""

    name: str
    #: The path of the library or program that asks.
    asked_by: str
    #: The file that is mapped, under the path by which it was first found; None where none is, and
    #: for an API set of Windows.
    path: str | None = None
    reason: Reason | None = None
    #: In the order of the search, the one that is taken among them.
    candidates: tuple[Candidate, ...] = ()
    #: What the loader says where nothing is mapped.
    error: str | None = None

    @property
    def taken(self) -> Candidate | None:
        """The candidate that is mapped; None where the name was loaded already, or is missing."""
        return next((one for one in self.candidates if one.why_not is None), None)


class Opened(Struct, frozen=True, kw_only=True):
    """What one dlopen does."""

    #: The answer to its name first, then those to what that needs, in the loader's order.
    answers: tuple[Answer, ...]
    #: The files that were mapped by it; none where it failed, since all are unmapped again.
    mapped: tuple[str, ...]
    #: As dlerror says it; None where it succeeded.
    error: str | None
    #: Versions and symbols that are not found; with any that only a call misses, it succeeded.
    faults: tuple[Fault, ...] = ()
