"""How the symbols of libraries bind: what a file asks of others and defines, and what is not found.

The words are those of the System V gABI, chapter 5, and of the LSB's "Symbol Versioning".
"""

from __future__ import annotations

import enum

from msgspec import Struct


class VersionNeed(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One version that a file needs another to define, and is refused without."""

    #: As in NEEDED.
    file: str
    version: str
    #: Without it the loader only warns.
    weak: bool = False


class FileVersions(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The versions of one file, and when its symbols are bound."""

    #: In the file's own order.
    needed: tuple[VersionNeed, ...] = ()
    #: With the one that is the file's own name; None where the file defines no versions at all.
    defined: tuple[str, ...] | None = None
    #: Everything is bound when the file is loaded (DF_BIND_NOW), not at the first call.
    binds_now: bool = False

    @property
    def is_versioned(self) -> bool:
        """Tell whether the loader has a version for each symbol of the file."""
        return bool(self.needed) or self.defined is not None


class Undefined(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A symbol that another file has to define."""

    name: str
    #: The file that defined it when this one was linked, and the version; None for any.
    file: str | None = None
    version: str | None = None
    #: Without it the loader goes on.
    weak: bool = False


class Definition(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One definition of a symbol in one file."""

    #: None where it has no version of its own.
    version: str | None = None
    #: Only those who ask for its version may have it.
    is_hidden: bool = False
    #: It has no version, or the file's first: taken by who asks for none (glibc, check_match).
    is_oldest: bool = False
    #: A program's place for a function of another file: data may point at it, no call goes there.
    is_stub: bool = False


class Use(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place in a file that is filled with the address of a symbol."""

    name: str
    version: str | None = None
    #: Filled at the first call, unless the file is bound at once.
    is_lazy: bool = False
    #: Calls and thread-local variables, for which a program's stub does not do.
    needs_real: bool = False


class Outcome(enum.Enum):
    """What becomes of the process."""

    #: The file is not loaded: dlopen fails, a program does not start.
    REFUSED = "refused"
    #: The process ends when the symbol is called for the first time.
    AT_CALL = "at call"
    #: The loader ends the process at once (an assertion of its own).
    ENDS = "ends"


class VersionMissing(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="version"):
    """A version of symbols that a file needs, and that the file which is loaded does not define."""

    version: str
    #: The path of the file that needs it.
    wanted_by: str
    #: The soname under which it needs it.
    file: str
    #: The path of the file that is loaded for that soname; None where none is.
    provider: str | None
    outcome: Outcome = Outcome.REFUSED
    #: What the loader says.
    error: str


class Unbound(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="symbol"):
    """A symbol that a file uses and that nothing in its scope defines."""

    symbol: str
    version: str | None = None
    #: The path of the file that uses it.
    wanted_by: str
    #: The soname of the file that defined it when the user was linked; None where it is not told.
    expected_in: str | None = None
    #: The path of the file that is loaded for that soname.
    provider: str | None = None
    outcome: Outcome
    #: What the loader says.
    error: str


Fault = VersionMissing | Unbound
