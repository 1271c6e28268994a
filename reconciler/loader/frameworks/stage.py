"""A Python process in which a framework is started, and what came of everything that it opened."""

from __future__ import annotations

import posixpath
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NoReturn

from msgspec import Struct

from reconciler.loader.answer import Opened
from reconciler.model.loading import Attempt, Loadings, LoadingStep, Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.loader.process import Process
    from reconciler.loader.tree import Tree

_MAJOR = re.compile(r"\d+")
#: Python's suffixes of extension modules in the order in which it tries them; sys.abiflags and the
#: machine are in the first.
_SUFFIXES = (r"\.cpython-(?P<python>\d+)t?d?-[\w-]+\.so", r"\.abi3\.so", r"\.so")


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of an attempt."""

    #: The consumer that makes it.
    framework: str
    attempt: Attempt
    #: What each name led to, up to the first that was opened. Empty where a file was only looked up.
    opened: tuple[Opened, ...] = ()
    #: The file that was found, which may have been mapped before; None where all names failed.
    path: str | None = None

    @property
    def error(self) -> str | None:
        """What dlerror says of the last name; None where one was opened or nothing was tried."""
        return self.opened[-1].error if self.opened and self.path is None else None


class StartFailedError(Exception):
    """The framework does not start; the stage holds what it failed for."""


class Stage:
    """A process, the files of its machine, and what is installed there."""

    def __init__(
        self,
        process: Process,
        tree: Tree,
        site: Site,
        known: Loadings,
        *,
        again: Callable[[], Process] | None = None,
    ) -> None:
        """Take a process that has been started; ``again`` starts another one like it."""
        self._again = again
        self.process = process
        self.tree = tree
        self.site = site
        self.known = known
        #: In the order in which they were tried.
        self.outcomes: list[Outcome] = []
        #: What each framework that does not start fails for.
        self.failures: dict[str, str] = {}
        self._started: list[str] = []
        self._steps: dict[tuple[str, str], LoadingStep | None] = {}
        self._playing: list[str] = []

    def start(self, framework: str, play: Callable[[Stage], None]) -> bool:
        """Start a framework, unless it was started already; tell whether it runs."""
        if framework not in self._started:
            self._started.append(framework)
            self._playing.append(framework)
            try:
                play(self)
            except StartFailedError as failure:
                self.failures[framework] = str(failure)
            finally:
                self._playing.pop()
        return framework not in self.failures

    def fresh(self) -> Stage | None:
        """Return a stage of the same with a process in which nothing was opened yet."""
        if self._again is None:
            return None
        return Stage(self._again(), self.tree, self.site, self.known, again=self._again)

    def fail(self, why: str) -> NoReturn:
        """Give up the start of the framework."""
        raise StartFailedError(why)

    # What is installed.

    def version(self, framework: str) -> str:
        """Return the version of the installed distribution of a framework; "" where none is known."""
        rows = self.known.of(framework, "distributions")
        names = (name for row in rows for name in row.opens)
        return next((self.site.versions[n] for n in names if n in self.site.versions), "")

    def major(self, framework: str) -> int | None:
        """Return the CUDA major that a framework was built for."""
        found = _MAJOR.match(self.site.built_for.get(framework, ""))
        return int(found[0]) if found else None

    def step(self, framework: str, step: str) -> LoadingStep | None:
        """Return what the installed release does in a step."""
        if (framework, step) not in self._steps:
            version, major = self.version(framework), self.major(framework)
            self._steps[framework, step] = self.known.step(framework, step, version, major)
        return self._steps[framework, step]

    def variable(self, *names: str) -> str | None:
        """Return the first of the environment variables that is set and not empty."""
        return next((v for n in names if (v := self.site.variables.get(n))), None)

    # What lies where.

    def has(self, path: str) -> bool:
        """Tell whether something lies at an absolute path."""
        directory, name = posixpath.split(posixpath.normpath(path))
        return name in self.tree.names(directory)

    def glob(self, pattern: str) -> tuple[str, ...]:
        """Return the paths whose last part matches, sorted; a directory itself is no pattern."""
        directory, name = posixpath.split(pattern)
        found = (one for one in self.tree.names(directory) if fnmatchcase(one, name))
        return tuple(posixpath.join(directory, one) for one in sorted(found))

    def portions(self, *parts: str) -> Iterator[str]:
        """Yield a folder below each directory of packages that has it, in their order."""
        for directory in self.site.directories:
            folder = posixpath.join(directory, *parts)
            if self.tree.names(folder):
                yield folder

    def package(self, *parts: str) -> str | None:
        """Return the folder of a package: the first that has an ``__init__.py``, else the first."""
        folders = list(self.portions(*parts))
        whole = (one for one in folders if "__init__.py" in self.tree.names(one))
        return next(whole, folders[0] if folders else None)

    def extension(self, folder: str, module: str) -> str | None:
        """Return the file of an extension module in a folder, as Python chooses among its suffixes."""
        wanted = self.site.python.replace(".", "")
        for suffix in _SUFFIXES:
            for name in sorted(self.tree.names(folder)):
                found = re.fullmatch(re.escape(module) + suffix, name)
                tag = found.groupdict().get("python") if found else None
                if found and (tag is None or not wanted or tag == wanted):
                    return posixpath.join(folder, name)
        return None

    def mapped(self, prefix: str) -> str | None:
        """Return the file that is mapped whose name begins so."""
        paths = self.process.mapped
        return next((p for p in paths if posixpath.basename(p).startswith(prefix)), None)

    def loaded(self, soname: str) -> str | None:
        """Return the file that dlopen with RTLD_NOLOAD gives for a soname."""
        for path in self.process.mapped:
            elf = self.tree.elf(path)
            if posixpath.basename(path) == soname or getattr(elf, "soname", None) == soname:
                return path
        return None

    # What is opened.

    def open(
        self,
        *names: str,
        because: str,
        caller: str | None = None,
        is_global: bool = False,
        is_optional: bool = False,
    ) -> str | None:
        """Open the first of the names that can be; without one, end the start unless it is optional."""
        attempt = Attempt(
            names=names,
            caller=caller,
            is_global=is_global,
            is_optional=is_optional,
            because=because,
        )
        tried: list[Opened] = []
        path = None
        for name in names:
            tried.append(self.process.dlopen(name, caller))
            if tried[-1].error is None:
                path = tried[-1].answers[0].path
                break
        outcome = self._record(attempt, tuple(tried), path)
        if path is None and not is_optional:
            self.fail(outcome.error or f"{because}: nothing to open")
        return path

    def ctypes(
        self, *names: str, because: str, is_global: bool = False, is_optional: bool = False
    ) -> str | None:
        """Open as ``ctypes.CDLL`` does, which calls dlopen from its own extension module."""
        return self.open(
            *names,
            because=because,
            caller=self._ctypes(),
            is_global=is_global,
            is_optional=is_optional,
        )

    def module(
        self, folder: str, module: str, *, because: str, is_optional: bool = False
    ) -> str | None:
        """Import an extension module, if the folder has it."""
        path = self.extension(folder, module)
        if path is None:
            return None
        caller = self.mapped("libpython3")
        return self.open(path, because=because, caller=caller, is_optional=is_optional)

    def look(self, *paths: str, because: str) -> str | None:
        """Look for a file that is read and not mapped, such as libdevice."""
        attempt = Attempt(names=paths, is_optional=True, because=because)
        return self._record(attempt, (), next((p for p in paths if self.has(p)), None)).path

    def _ctypes(self) -> str | None:
        """Return who calls dlopen for ctypes: its module, or what it is linked into."""
        known = self.mapped("_ctypes.")
        if known is not None:
            return known
        found = (self.extension(one, "_ctypes") for one in self.site.directories)
        path = next((one for one in found if one is not None), None)
        caller = self.mapped("libpython3")
        if path is not None and self.process.dlopen(path, caller).error is None:
            return path
        return caller

    def _record(self, attempt: Attempt, opened: tuple[Opened, ...], path: str | None) -> Outcome:
        framework = self._playing[-1] if self._playing else ""
        outcome = Outcome(framework=framework, attempt=attempt, opened=opened, path=path)
        self.outcomes.append(outcome)
        return outcome
