"""pip's distributions: the ``*.dist-info`` directories of each site-packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.collect import files
from reconciler.collect.ground import Found
from reconciler.collect.secrets import masked
from reconciler.model.distribution import Distribution
from reconciler.model.os_name import from_os
from reconciler.model.snapshot import Fact, Gap

if TYPE_CHECKING:
    from reconciler.collect.ground import Ground
    from reconciler.model.snapshot import Snapshot

SUFFIX = ".dist-info"
HEAD_LIMIT = 4 * files.MEGABYTE
RECORD_LIMIT = 64 * files.MEGABYTE
SMALL_LIMIT = 1 << 12


def collect(ground: Ground, snapshot: Snapshot) -> Found:
    """Read every distribution of the environment's own site-packages."""
    prefix, python = snapshot.target.prefix, snapshot.python
    if prefix is None:
        reason = "no environment to look at"
        return Found(value=(), gaps=(Gap(fact=Fact.DISTRIBUTIONS, reason=reason),))
    found: list[Distribution] = []
    gaps: list[Gap] = []
    for location in python.site_packages if python else ():
        try:
            names = files.names(f"{prefix}/{location}")
        except files.MissingError:
            continue
        except files.UnreadableError as error:
            gaps.append(Gap(fact=Fact.DISTRIBUTIONS, item=location, reason=str(error)))
            continue
        for name in names:
            # pip renames what it is about to remove to ~ame; a crash leaves it behind.
            if not name.endswith(SUFFIX) or name.startswith("~"):
                continue
            try:
                found.append(_distribution(prefix, location, name))
            except files.UnreadableError as error:
                item = f"{location}/{name}"
                gaps.append(Gap(fact=Fact.DISTRIBUTIONS, item=item, reason=str(error)))
    return Found(value=tuple(found), gaps=tuple(gaps))


def _distribution(prefix: str, location: str, directory: str) -> Distribution:
    folder = f"{prefix}/{location}/{directory}"
    try:
        head = files.read_head(f"{folder}/METADATA", end=b"\n\n", limit=HEAD_LIMIT)
    except files.UnreadableError as error:
        raise files.UnreadableError(f"METADATA: {error}") from error
    # The end of a head in lines of Windows is not that which is searched for.
    name, version, requires = _fields(head.partition(b"\r\n\r\n")[0])
    if not name or not version:
        raise files.UnreadableError("METADATA names no distribution and version")
    return Distribution(
        name=name,
        version=version,
        requires=requires,
        location=location,
        directory=directory,
        installer=(_optional(f"{folder}/INSTALLER", SMALL_LIMIT) or "").strip() or None,
        record=_optional(f"{folder}/RECORD", RECORD_LIMIT),
    )


def _fields(head: bytes) -> tuple[str, str, tuple[str, ...]]:
    """Return name, version and requirements of a head (core metadata: RFC 822 fields)."""
    # A line is found by str's own search: a scan reads 60,000 of them, and wants one in ten.
    text = "\n" + from_os(head.decode("utf-8", "surrogateescape"))
    requires = text.split("\nRequires-Dist:")[1:]
    return (
        _field(text, "\nName:"),
        _field(text, "\nVersion:"),
        tuple(masked(line.partition("\n")[0].strip()) for line in requires),
    )


def _field(text: str, name: str) -> str:
    start = text.find(name)
    return text[start + len(name) :].partition("\n")[0].strip() if start >= 0 else ""


def _optional(path: str, limit: int) -> str | None:
    try:
        raw = files.read(path, limit=limit)
    except files.MissingError:
        return None
    return from_os(raw.decode("utf-8", "surrogateescape"))
