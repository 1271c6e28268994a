"""Environment markers (PEP 508), judged for another machine and another Python than this one."""

from __future__ import annotations

import re
from functools import lru_cache

# What most markers are: comparisons by ==, joined by and.
_EQUAL = re.compile(r"\s*(?P<name>\w+)\s*==\s*(?P<quote>['\"])(?P<value>[^'\"]*)(?P=quote)\s*")
_SYSTEMS = {
    "linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    "osx": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
    "win": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"},
}
_MACHINES = {"64": "x86_64", "32": "i686"}
_WINDOWS_MACHINES = {"64": "AMD64", "arm64": "ARM64", "32": "x86"}


@lru_cache(maxsize=1024)
def holds(marker: str, platform: str, python: str = "") -> bool:
    """Tell whether a marker holds on a platform of conda's name, under a version of Python.

    No extra is asked for. What is no marker keeps nothing away.
    """
    values = _values(platform)
    clauses = [_EQUAL.fullmatch(clause) for clause in re.split(r"\band\b", marker)]
    if all(clause and clause["name"] in values for clause in clauses):
        return all(values[clause["name"]] == clause["value"] for clause in clauses if clause)
    # packaging.markers takes 20 ms to import: only a marker with more than that pays for it.
    from packaging.markers import Marker  # noqa: PLC0415

    try:
        return Marker(marker).evaluate({**values, **_python(python)})
    except (ValueError, KeyError, RecursionError):
        # Besides what is no marker: a name that only locks have, a comparison that none is, and
        # thousands of parentheses.
        return True


def _values(platform: str) -> dict[str, str]:
    system, _, machine = platform.partition("-")
    machines = _WINDOWS_MACHINES if system == "win" else _MACHINES
    return {
        **_SYSTEMS.get(system, {}),
        "platform_machine": machines.get(machine, machine),
        "extra": "",
    }


def _python(version: str) -> dict[str, str]:
    # Of the rest, packaging fills in what holds of the Python that runs envfix.
    if not version:
        return {}
    minor = ".".join(version.split(".")[:2])
    full = version if version.count(".") > 1 else f"{version}.0"
    return {"python_version": minor, "python_full_version": full}
