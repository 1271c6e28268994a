"""Which CUDA a package carries or expects, and how that is known."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Literal

from msgspec import Struct

from reconciler.model.location import Location

_TAG = re.compile(r"cu(?:da)?(1\d|[2-9])(\d)?")
_RELEASE = re.compile(r"(\d{1,9})(?:\.(\d{1,9}))?")

Manager = Literal["conda", "pip"]


class CudaVersion(Struct, frozen=True):
    """A CUDA release, as exact as it is known: 12, or 12.1."""

    major: int
    minor: int | None = None

    def __str__(self) -> str:
        """``12`` or ``12.1``."""
        return str(self.major) if self.minor is None else f"{self.major}.{self.minor}"

    def serves(self, other: CudaVersion) -> bool:
        """Tell whether libraries of this release serve what was built for another, as far as known.

        Minor-version compatibility begins with CUDA 11; before, each release has its own sonames.
        """
        # https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html
        is_new = self.major >= 11
        is_same = None in {self.minor, other.minor} or self.minor == other.minor
        return self.major == other.major and (is_new or is_same)

    @classmethod
    def parse(cls, text: str) -> CudaVersion | None:
        """Read the release at the start of ``text`` (``12.1.105`` is 12.1); None if there is none."""
        match = _RELEASE.match(text)
        if not match:
            return None
        return cls(int(match[1]), int(match[2]) if match[2] else None)

    @classmethod
    def from_tag(cls, tag: str) -> CudaVersion | None:
        """Read a wheel's or an index's tag: ``cu118`` is 11.8, ``cu92`` 9.2, ``cuda12`` 12.

        Of two digits, 10 to 19 are a major alone (PyPI's ``nvidia-*-cu12``), while PyTorch's
        ``cu75`` to ``cu92`` name releases of the one-digit majors.
        """
        match = _TAG.fullmatch(tag)
        if not match:
            return None
        major, minor = match.groups()
        return cls(int(major), int(minor) if minor else None)


class Variant(StrEnum):
    """Which kind of processor a package was built for."""

    CUDA = "cuda"
    CPU = "cpu"
    ROCM = "rocm"


class Role(StrEnum):
    """What a package has to do with CUDA."""

    #: It installs CUDA's own files.
    BRINGS = "brings"
    #: It was built against CUDA and loads another package's files.
    NEEDS = "needs"
    #: It only says which CUDA is meant: ``cuda-version``, ``pytorch-cuda``.
    STATES = "states"


class KnownBy(StrEnum):
    """How the CUDA of a package is known, the most trustworthy first."""

    VERSION = "version"
    DEPENDS = "depends"
    CONSTRAINS = "constrains"
    VERSION_FILE = "version-file"
    LIBRARY = "library"
    REQUIRES = "requires"
    LOCAL_VERSION = "local-version"
    NAME = "name"
    BUILD_STRING = "build-string"
    #: What the release of that version was built for, by the catalog.
    RELEASE = "release"
    #: The package index that a file points pip at.
    INDEX = "index"


class CudaBuild(Struct, frozen=True, kw_only=True):
    """What one package, installed or declared, has to do with CUDA."""

    manager: Manager
    #: conda's name, or PyPI's normal name.
    package: str
    #: As recorded or pinned; "" where a file pins none.
    version: str
    role: Role
    #: The name of a Component, of a Consumer for one that needs CUDA, or ``toolkit``.
    component: str
    #: The components whose files it installs.
    brings: tuple[str, ...] = ()
    variant: Variant = Variant.CUDA
    #: None where a CUDA build does not tell its release, and for the other variants.
    cuda: CudaVersion | None = None
    #: Those that it holds a library for, where it has one for each and takes its framework's.
    releases: tuple[CudaVersion, ...] = ()
    known_by: KnownBy
    #: The observation in words, with the text that was seen.
    evidence: str
    at: Location

    def __str__(self) -> str:
        """Name and version, as a report's subject."""
        return f"{self.package} {self.version}".rstrip()

    @property
    def words(self) -> str:
        """What it was built for, as a report says it: ``CUDA 12.1``, ``the CPU``."""
        if self.variant is Variant.CUDA:
            each = ", ".join(map(str, self.releases))
            return f"CUDA {self.cuda or each}".rstrip()
        return "ROCm" if self.variant is Variant.ROCM else "the CPU"

    @property
    def major(self) -> int | None:
        """The CUDA major, by which libraries are binary compatible; None where unknown."""
        return self.cuda.major if self.cuda else None
