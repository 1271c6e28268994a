"""The user at this machine, whose names an anonymous snapshot is to leave out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reconciler.model.os_name import from_os
from reconciler.model.person import Person

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HOMES = ("HOME", "USERPROFILE")
# As the shell, login(1), sudo and Windows have them.
_NAMES = ("USER", "LOGNAME", "SUDO_USER", "USERNAME")
_HOSTS = ("HOSTNAME", "COMPUTERNAME")


def person(environ: Mapping[str, str]) -> Person:
    """Return who runs envfix, from the variables of the shell and what the system says."""
    homes = {from_os(environ[name]) for name in _HOMES if environ.get(name)}
    return Person(
        homes=tuple(sorted(homes | {os.path.realpath(home) for home in homes})),
        names=tuple(sorted({from_os(environ[name]) for name in _NAMES if environ.get(name)})),
        hosts=tuple(sorted({*_hosts(environ)} - {""})),
    )


def _hosts(environ: Mapping[str, str]) -> Iterator[str]:
    yield from (from_os(environ.get(name, "")) for name in _HOSTS)
    if hasattr(os, "uname"):
        yield from_os(os.uname().nodename)
