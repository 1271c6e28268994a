"""How a framework loads CUDA as it starts: what it opens, for whom, and what it can do without."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from reconciler.model.row import Row, numbers

#: Of what a step opens: a name that the loader searches for, not a path, a pattern or a package.
_SONAME = re.compile(r"lib[\w+-]+\.so(?:\.\d+)*")


class Attempt(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that a framework wants opened."""

    #: Names or absolute paths, tried in this order until one is opened.
    names: tuple[str, ...]
    #: The library whose code calls dlopen; None for the program.
    caller: str | None = None
    #: RTLD_GLOBAL: what is opened later finds its symbols.
    is_global: bool = False
    #: Whether the framework goes on where none of the names can be opened.
    is_optional: bool = False
    #: A clause: who does this, and what for.
    because: str


class Site(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A Python and its installed packages, as far as they tell how CUDA is loaded. Paths are absolute."""

    #: sys.prefix.
    prefix: str
    #: The entries of sys.path in their order, the standard library's among them.
    directories: tuple[str, ...]
    #: ``3.12``; "" where it is not known.
    python: str = ""
    #: The environment variables.
    variables: Mapping[str, str] = {}
    #: The versions of the installed distributions, by PyPI's normal name.
    versions: Mapping[str, str] = {}
    #: The CUDA release that each consumer was built for, by the consumer's name: 12.4, or 12.
    built_for: Mapping[str, str] = {}


class LoadingStep(Row, frozen=True, kw_only=True):
    """What some releases of a framework open, or look into, in one step of their start."""

    #: The name of a Consumer.
    framework: str
    #: Which step, as the framework's module in ``loader.frameworks`` calls it.
    step: str
    #: The first version; it holds up to the next row of this framework, step and ``cuda``.
    since: str = "0"
    #: The CUDA major that the framework was built for; None for all.
    cuda: int | None = None
    #: In their order.
    opens: tuple[str, ...] = ()
    #: Of ``opens``: what may be missing although the rest may not.
    may_lack: tuple[str, ...] = ()
    #: The step is taken only where the loader's message has one of these; any of ``opens`` if empty.
    if_missing: tuple[str, ...] = ()
    #: Whether all of ``opens`` have to be found below one entry of sys.path.
    together: bool = False
    #: The step is taken only where this stands in the path of a file that is mapped.
    if_mapped: str | None = None
    #: Whether one that is missing ends neither the step nor the start.
    goes_on: bool = False
    source: str


class FoundLibrary(Row, frozen=True, kw_only=True):
    """A library that cuda-pathfinder looks for, and where: its ``DescriptorSpec`` for Linux."""

    #: As its callers name it: ``nvJitLink``.
    name: str
    #: The newest one first.
    sonames: tuple[str, ...]
    #: Relative to each directory of packages, in the order of the search.
    wheels: tuple[str, ...] = ()
    #: Relative to the root of a toolkit or of a conda environment.
    anchors: tuple[str, ...] = ("lib64", "lib")
    #: The names of those that are loaded before it.
    needs: tuple[str, ...] = ()
    #: Of ``needs``: those without which it goes on.
    may_lack: tuple[str, ...] = ()
    #: Variables that name the folder it is installed in, and where in there it lies.
    variables: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    #: The library whose place tells where the toolkit is, where all else fails.
    canary: str | None = None
    #: What is opened from the folder of a soname that was found by its path, by that soname.
    beside: Mapping[str, str] = {}
    #: Whether it comes with the driver, and is asked of the system alone.
    is_driver: bool = False
    source: str


class Loadings(Struct, frozen=True, kw_only=True):
    """All that is known of how frameworks load CUDA."""

    steps: tuple[LoadingStep, ...]
    found: Mapping[str, FoundLibrary]

    def step(
        self, framework: str, step: str, version: str, cuda: int | None = None
    ) -> LoadingStep | None:
        """Return the row for a release of a framework, the newest one's where that is unknown."""
        rows = [
            row
            for row in self.steps
            if (row.framework, row.step) == (framework, step)
            and row.cuda in {None, cuda}
            and (not version or numbers(row.since) <= numbers(version))
        ]
        return max(rows, key=lambda row: (numbers(row.since), row.cuda is not None), default=None)

    @property
    def sonames(self) -> frozenset[str]:
        """The names of all libraries that some framework opens by name."""
        found = (name for library in self.found.values() for name in library.sonames)
        opened = (name for row in self.steps for name in row.opens if _SONAME.fullmatch(name))
        return frozenset((*found, *opened))

    def of(self, framework: str, step: str) -> tuple[LoadingStep, ...]:
        """Return every row of a step."""
        return tuple(row for row in self.steps if (row.framework, row.step) == (framework, step))
