"""What belongs together: extensions and their framework, a build and its cuDNN, a line and its package."""

from __future__ import annotations

import re

from msgspec import Struct

from reconciler.model.cuda import CudaBuild, Manager
from reconciler.model.finding import Location
from reconciler.model.manifest import Declared

# int() refuses a number of thousands of digits, which no version has.
_NUMBERS = re.compile(r"\d{1,9}(?:\.\d{1,9})*")


class Pairing(Struct, frozen=True, kw_only=True):
    """The release of its framework that an extension was made for, and how that is known."""

    #: ``2.5.1``, or ``2.5`` for every patch release of it.
    release: str
    #: Whether later releases of the framework will do as well.
    or_later: bool = False
    #: The observation in words, with the text that was seen.
    evidence: str

    def fits(self, version: str) -> bool:
        """Tell whether a version of the framework will do; labels and post releases do not count."""
        made, found = release_of(self.release), release_of(version)
        # conda's pytorch=2.4 asks for any patch release, and an extension for 2.4 takes any.
        known = min(len(made), len(found))
        return found >= made[:known] if self.or_later else found[:known] == made[:known]

    def is_near(self, version: str) -> bool:
        """Tell whether a version differs from it in nothing but the patch release."""
        return release_of(self.release)[:2] == release_of(version)[:2]


class Member(Struct, frozen=True, kw_only=True):
    """A framework, or a package that is built on one or on CUDA, installed or pinned."""

    manager: Manager
    #: conda's name, or PyPI's normal name.
    package: str
    #: As recorded or pinned.
    version: str
    #: The name of its Consumer.
    component: str
    #: None where nothing tells what it was built for.
    build: CudaBuild | None = None
    #: Of an extension: None where nothing tells which release of the framework it was made for.
    pairing: Pairing | None = None
    at: Location

    def __str__(self) -> str:
        """Name and version, as a report's subject."""
        return f"{self.package} {self.version}"


class Family(Struct, frozen=True, kw_only=True):
    """A framework and the extensions that are loaded into it."""

    framework: Member
    extensions: tuple[Member, ...]


class CudnnUse(Struct, frozen=True, kw_only=True):
    """A package that was built with a release of cuDNN, beside the cuDNN that it will meet."""

    user: Member
    #: ``9.10``: that minor release or a later one; ``9``: any release of the major.
    built_with: str
    #: The observation in words, with the text that was seen.
    evidence: str
    #: The user's own requirement, such as ``nvidia-cudnn-cu12==9.1.0.70``; "" where it has none.
    requirement: str = ""
    #: The package that brings the cuDNN.
    found: CudaBuild

    @property
    def minimum(self) -> tuple[int, ...]:
        """The numbers of ``built_with``."""
        return release_of(self.built_with)[:2]

    @property
    def is_served(self) -> bool:
        """Whether the cuDNN is of the same major, and not an older minor release."""
        found = release_of(self.found.version)[:2]
        return found[:1] == self.minimum[:1] and found >= self.minimum


class Drift(Struct, frozen=True, kw_only=True):
    """A line of a file that describes an environment, and what the environment has instead."""

    line: Declared
    #: In words: ``is 2.4.0``, ``is not installed``.
    found: str
    #: The name of its Consumer; "" for CUDA's own packages.
    component: str = ""
    #: What the line asks for; None where it does not tell.
    asked: CudaBuild | None = None
    installed: CudaBuild | None = None


def release_of(version: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with: 2.3.1 of ``2.3.1.post300`` and ``2.3.1+cu121``."""
    match = _NUMBERS.match(version)
    return tuple(int(part) for part in match[0].split(".")) if match else ()
