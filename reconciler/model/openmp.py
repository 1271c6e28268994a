"""Two copies of one OpenMP runtime in a process, and the packages that bring them in."""

from __future__ import annotations

import posixpath
import re

from msgspec import Struct

from reconciler.model.which import Origin, Situation

#: LLVM's runtime, which Intel's is a release of; a wheel that bundles it puts a hash into the name.
_LLVM = re.compile(r"(lib(?:iomp5|omp))(?:-[0-9a-f]{6,})?\.so")


class RuntimeUse(Struct, frozen=True, kw_only=True):
    """A module of a package, and the copy of LLVM's OpenMP runtime that it starts."""

    module: str
    owner: Origin
    #: The path of the runtime without links.
    runtime: str
    runtime_owner: Origin

    @property
    def is_of_conda(self) -> bool:
        """Whether conda has installed the runtime, and has to make its packages agree on one."""
        return self.runtime_owner.kind == "conda"

    @property
    def name(self) -> str:
        """The runtime's name, as it names itself: ``libiomp5.so``."""
        found = _LLVM.match(posixpath.basename(self.runtime))
        return f"{found[1]}.so" if found else posixpath.basename(self.runtime)


class RuntimeTwice(Struct, frozen=True, kw_only=True):
    """Two modules that start a copy each, the second of which ends the process."""

    first: RuntimeUse
    second: RuntimeUse
    situation: Situation


def is_llvm_runtime(path: str) -> bool:
    """Tell whether a file is LLVM's or Intel's OpenMP runtime, by its name without links."""
    return _LLVM.match(posixpath.basename(path)) is not None
