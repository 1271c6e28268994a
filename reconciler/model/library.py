"""What a shared library says of itself to the dynamic loader."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable


def path_pattern(globs: Iterable[str]) -> re.Pattern[str]:
    """Return what matches a path that one of the globs names; ``*`` crosses no slash."""
    return re.compile("|".join(re.escape(glob).replace(r"\*", "[^/]*") for glob in globs) or "(?!)")


class SharedLibrary(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The dynamic section of one ELF file (System V gABI, chapter 5)."""

    #: Relative to the prefix where it lies inside it.
    path: str
    #: e_machine: 62 is x86-64, 183 is AArch64.
    machine: int = 62
    bits: int = 64
    #: The loader that an executable asks for; None where it asks for none.
    interpreter: str | None = None
    #: The name by which others need it; None where it has none.
    soname: str | None = None
    #: The sonames it needs, in its own order.
    needed: tuple[str, ...] = ()
    #: DT_RPATH, as written; the loader ignores it where there is a RUNPATH.
    rpath: str | None = None
    #: DT_RUNPATH, as written.
    runpath: str | None = None
    #: DF_1_NODEFLIB: what it needs is not looked for in the system's directories.
    no_default_paths: bool = False


class EvidenceText(Struct, frozen=True, kw_only=True):
    """A small text file of an installed package that tells how it was built."""

    #: Relative to the prefix where it lies inside it.
    path: str
    text: str


class Claim(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one owner recorded of a file when it installed it."""

    #: The path of the owner's dist-info or record.
    owner: str
    #: In bytes; None where none was recorded.
    size: int | None = None
    #: In hexadecimal; None where none was recorded.
    sha256: str | None = None

    def differs(self, other: Claim) -> bool:
        """Tell whether the two are known to be of different contents."""
        if self.sha256 and other.sha256:
            return self.sha256 != other.sha256
        return None not in {self.size, other.size} and self.size != other.size

    def allows(self, file: PayloadFile) -> bool:
        """Tell whether the file on the disk may be the one that was installed."""
        if self.size is not None and self.size != file.size:
            return False
        return not (self.sha256 and file.sha256) or self.sha256 == file.sha256


class PayloadFile(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file that a package says it has installed, as it lies on the disk."""

    #: Relative to the prefix where it lies inside it.
    path: str
    #: In bytes; None where the file is gone.
    size: int | None = None
    #: In hexadecimal; None where nothing asked for it.
    sha256: str | None = None
    #: Whether it is a link; ``size`` is then that of its target.
    is_link: bool = False
    #: What conda's records say of it; what pip's say stands in their RECORD.
    recorded: tuple[Claim, ...] = ()
