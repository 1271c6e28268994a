"""How cuda-pathfinder finds NVIDIA's libraries on Windows, and what comes of it.

From ``load_nvidia_dynamic_lib``, ``search_steps`` and ``load_dl_windows`` of cuda-pathfinder 1.9.0.
"""

from __future__ import annotations

import ntpath
import posixpath
from typing import TYPE_CHECKING

from reconciler.loader.windows_search import Search, slashed
from reconciler.loader.windows_tree import FoldedTree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.loader.answer import Opened
    from reconciler.loader.windows import Process
    from reconciler.loader.windows_tree import WindowsTree
    from reconciler.model.windows_loading import Installed, WindowsFound

#: As a report names it.
BY = "cuda-pathfinder"


def load(
    process: Process,
    tree: WindowsTree,
    installed: Installed,
    known: Mapping[str, WindowsFound],
    name: str,
) -> str | None:
    """Load a library as ``load_nvidia_dynamic_lib`` does; return its file, None where it has none."""
    return _Pathfinder(process, tree, installed, known).load(name)


class _Pathfinder:
    def __init__(
        self,
        process: Process,
        tree: WindowsTree,
        installed: Installed,
        known: Mapping[str, WindowsFound],
    ) -> None:
        self._process = process
        self._files = FoldedTree(tree)
        self._installed = installed
        self._known = known

    def load(self, name: str) -> str | None:
        row = self._known[name]
        if row.is_driver:
            return self._by_name(row)
        found = next(self._early(row), None)
        loaded = next(filter(None, (self._process.loaded(dll) for dll in row.dlls)), None)
        for need in row.needs:
            if self.load(need) is None and need not in row.may_lack:
                return None
        if loaded is not None:
            self._add(row, loaded)
            return loaded
        if found is not None:
            return self._by_path(row, found)
        by_name = self._by_name(row)
        if by_name is not None:
            return by_name
        late = next(self._late(row), None)
        return self._by_path(row, late) if late else None

    def _by_path(self, row: WindowsFound, path: str) -> str | None:
        self._add(row, path)
        return _mapped(self._process.open(path))

    def _by_name(self, row: WindowsFound) -> str | None:
        """Open it as LoadLibrary does, on PATH too and not in added directories."""
        tried = (_mapped(self._process.open(dll, Search.STANDARD)) for dll in row.dlls)
        return next(filter(None, tried), None)

    def _add(self, row: WindowsFound, path: str) -> None:
        if row.adds:
            self._process.add_dll_directory(ntpath.dirname(path), BY)

    def _early(self, row: WindowsFound) -> Iterator[str]:
        """Yield what lies in wheels, then in the conda environment that is activated."""
        for wheel in row.wheels:
            yield from self._inside(row, self._installed.packages, (wheel,))
        conda = (posixpath.join(one, "Library") for one in self._values("CONDA_PREFIX"))
        yield from self._inside(row, conda, row.anchors)

    def _late(self, row: WindowsFound) -> Iterator[str]:
        for name in row.variables:
            yield from self._inside(row, self._values(name), row.folders)
        toolkits = [*self._values("CUDA_PATH"), *self._values("CUDA_HOME")]
        yield from self._inside(row, toolkits[:1], row.anchors)

    def _values(self, name: str) -> Iterator[str]:
        variables = self._installed.variables.items()
        yield from (slashed(v) for key, v in variables if key.casefold() == name.casefold() and v)

    def _inside(
        self, row: WindowsFound, roots: Iterable[str], folders: Iterable[str]
    ) -> Iterator[str]:
        places = [posixpath.join(root, folder) for root in roots for folder in folders]
        found = (self._files.inside(p, dll.casefold()) for p in places for dll in row.dlls)
        yield from filter(None, found)


def _mapped(opened: Opened) -> str | None:
    return None if opened.error else opened.answers[0].path
