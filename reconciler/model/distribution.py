"""What pip's side of a prefix says of itself: installed distributions (PEP 376, 427, 610, 627)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.model.finding import Location

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_REPEATED = re.compile("-+")
_NAME = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)")


def normalize_name(name: str) -> str:
    """Return ``name`` in the normal form of PEP 503."""
    # packaging.utils has the same function, and costs a scan 14 ms to import.
    plain = name.lower().replace("_", "-").replace(".", "-")
    return _REPEATED.sub("-", plain) if "--" in plain else plain


def required_name(requirement: str) -> str:
    """Return the normal name that a PEP 508 requirement asks for; "" where it has none."""
    match = _NAME.match(requirement)
    return normalize_name(match[1]) if match else ""


class RecordedFile(Struct, frozen=True):
    """One line of a RECORD."""

    #: As recorded: relative to site-packages, or absolute.
    path: str
    #: ``algorithm=digest`` in urlsafe base64 without padding; "" where none was written.
    hash: str
    #: In bytes; None where none was written.
    size: int | None


class Distribution(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One ``*.dist-info`` or ``*.egg-info``."""

    #: As METADATA spells it.
    name: str
    #: As METADATA spells it, local label and all.
    version: str
    #: Its site-packages, relative to the prefix where inside it, with forward slashes.
    location: str
    #: The directory's own name, such as ``torch-2.1.2.dist-info``.
    directory: str
    #: The text of INSTALLER, such as ``pip``, ``conda`` or ``uv``; None where there is none.
    installer: str | None = None
    #: The Requires-Dist lines.
    requires: tuple[str, ...] = ()
    #: The text of RECORD; None where there is none, or where a record of conda lists the same
    #: files and none of them is asked for. ``files`` reads it.
    record: str | None = None
    #: Whether a user asked for it by name (PEP 376, REQUESTED).
    requested: bool = False
    #: Where it was installed from, if not from an index (PEP 610), without credentials.
    direct_url: str | None = None
    #: Of a repository: the same with its commit, as pip takes it: ``git+https://host/a.git@1a2b``.
    pinned_url: str | None = None
    #: Whether it is installed in place, so that its code lies where ``direct_url`` says.
    editable: bool = False

    def __hash__(self) -> int:
        """Leave out the RECORD, which is long."""
        return hash((self.directory, self.location))

    def __str__(self) -> str:
        """Name and version, as a report's subject."""
        return f"{self.name} {self.version}"

    @property
    def at(self) -> Location:
        """The place to show to a user."""
        path = f"{self.location}/{self.directory}/METADATA"
        return Location(subject=f"pip's {self}", path=path, in_prefix=True)

    @property
    def key(self) -> str:
        """The normal name, by which an index knows it."""
        return normalize_name(self.name)

    @property
    def local(self) -> str:
        """The local label of the version without its plus sign, such as ``cu121``; "" if none."""
        return self.version.partition("+")[2]

    def files(self) -> Iterator[RecordedFile]:
        """Yield what RECORD lists; nothing where there is no RECORD."""
        for line in (self.record or "").splitlines():
            path, hashed, size = _fields(line)
            if path:
                yield RecordedFile(path, hashed, _size(size))

    @property
    def path(self) -> str:
        """The dist-info or egg-info itself, where ``location`` is relative to."""
        return f"{self.location}/{self.directory}"

    def recorded(self, paths: Collection[str]) -> Iterator[RecordedFile]:
        """Yield the lines of RECORD about some paths, written as RECORD writes them."""
        if len(paths) > 40:
            yield from (file for file in self.files() if file.path in paths)
            return
        # To search for a few lines is faster than to split all of them.
        text = f"\n{self.record or ''}\n"
        for path in paths:
            start = text.find(f"\n{path},") + 1
            if start:
                _, hashed, size = _fields(text[start : text.index("\n", start)].rstrip("\r"))
                yield RecordedFile(path, hashed, _size(size))

    def libraries(self) -> Iterator[str]:
        """Yield the paths in RECORD that name a shared library, as recorded."""
        # A RECORD has thousands of lines and few libraries: lines are searched for, and not split.
        text, mark = self.record or "", ".dll," if self.location.startswith("Lib/") else ".so"
        at = text.find(mark)
        while at >= 0:
            start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
            end = len(text) if end < 0 else end
            yield _fields(text[start:end].rstrip("\r"))[0]
            at = text.find(mark, end)

    def installs(self, import_name: str) -> bool:
        """Tell whether RECORD lists that module or package; true where there is no RECORD."""
        folder = import_name.replace(".", "/")
        # A package, a module, or an extension module such as name.cpython-311-x86_64-linux-gnu.so.
        inside = re.compile(
            rf"^\"?{re.escape(folder)}(?:/|\.py,|\.[^/,]*(?:so|pyd),)", re.MULTILINE
        )
        return self.record is None or bool(inside.search(self.record))


def _size(text: str) -> int | None:
    # Python refuses to read a number of more than 4300 digits, and no file has more than 19.
    return int(text) if text.isdecimal() and len(text) < 20 else None


def _fields(line: str) -> tuple[str, str, str]:
    # RECORD is csv; only a path that holds a comma or a quote is written in quotes.
    if line.startswith('"'):
        path, _, rest = line[1:].rpartition('",')
        path = path.replace('""', '"')
        hashed, _, size = rest.rpartition(",")
    else:
        path, hashed, size = [*line.rsplit(",", 2), "", ""][:3]
    return path, hashed, size
