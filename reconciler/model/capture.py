"""A library of CUDA that a shell's variable puts in the place of a package's, and their releases."""

from __future__ import annotations

from msgspec import Struct

from reconciler.model.cuda import CudaVersion
from reconciler.model.row import numbers
from reconciler.model.run import Link
from reconciler.model.which import Situation


class FileRelease(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The release of one library of CUDA, as far as its name and its package tell."""

    #: The part's own version: 12.4.5.8 of cuBLAS; "" where it is not known.
    version: str = ""
    #: The CUDA release that it came with; None where it is not known, or where, as cuDNN, it comes
    #: with none.
    cuda: CudaVersion | None = None

    def __str__(self) -> str:
        """As a report names it: ``12.4.5.8``, or ``of CUDA 12.4``."""
        return self.version or (f"of CUDA {self.cuda}" if self.cuda else "of an unknown version")

    def falls_short_of(self, other: FileRelease) -> bool:
        """Tell whether it is known to be older than another, or of another major.

        Only major and minor count: NVIDIA keeps a newer minor release compatible, and a patch too.
        """
        # https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html
        if self.cuda and other.cuda and None not in {self.cuda.minor, other.cuda.minor}:
            return _is_behind(numbers(str(self.cuda)), numbers(str(other.cuda)))
        if self.version and other.version:
            return _is_behind(numbers(self.version)[:2], numbers(other.version)[:2])
        return False


def _is_behind(ours: tuple[int, ...], theirs: tuple[int, ...]) -> bool:
    return ours[:1] != theirs[:1] or ours < theirs


class Capture(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A library that a package's library gets from a variable, in place of a package's."""

    #: LD_LIBRARY_PATH or LD_PRELOAD.
    variable: str
    #: The element of its value, as written.
    entry: str
    #: What was started: ``PyTorch``.
    started: str
    situation: Situation
    link: Link
    release: FileRelease
    #: The same without the variable.
    due: Link
    due_release: FileRelease
    #: The CUDA that what asks was built for; None where it is not known.
    built_for: CudaVersion | None = None

    @property
    def new_errors(self) -> tuple[str, ...]:
        """What the loader says of the file, and would not say of the other one."""
        there = {(u.symbol, u.version) for u in self.due.symbols}
        lacking = {v.version for v in self.due.versions}
        return (
            *(self.link.said(v) for v in self.link.versions if v.version not in lacking),
            *(self.link.said(u) for u in self.link.symbols if (u.symbol, u.version) not in there),
        )

    @property
    def is_certain(self) -> bool:
        """Whether what asks cannot do with it: a symbol, the major, or what it was built for."""
        needs = FileRelease(cuda=self.built_for)
        newer = FileRelease(version=self.due_release.version.partition(".")[0])
        major = FileRelease(version=self.release.version.partition(".")[0])
        is_older = self.release.falls_short_of(needs)
        return bool(self.new_errors) or is_older or major.falls_short_of(newer)

    @property
    def is_harmful(self) -> bool:
        """Whether what the loader takes is known not to do for what asks."""
        return bool(self.new_errors) or self.release.falls_short_of(self.due_release)
