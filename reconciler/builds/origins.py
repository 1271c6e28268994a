"""Where the files that a loader maps come from: a package, a toolkit, the driver, the system."""

from __future__ import annotations

import posixpath
import re
from functools import cached_property
from typing import TYPE_CHECKING

from reconciler.model.owner import name_of, title_of
from reconciler.model.ownership import installed_paths, ownership
from reconciler.model.prefix import PrefixRecord
from reconciler.model.which import Origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.loader.tree import RecordedTree
    from reconciler.model.host import SystemToolkit
    from reconciler.model.owner import Owner
    from reconciler.model.snapshot import Snapshot

#: What the driver's own installer and no toolkit brings: libcuda, and libnvidia-ml and its kin.
DRIVER_LIBRARY = re.compile(r"lib(?:cuda|cudadebugger|nvcuvid|nvidia-[\w-]+|nvoptix)\.so")
#: Of a file's name: libcudart.so.12.4.127 is 12.4.127; a soname alone says no version.
_NUMBERS = re.compile(r"\.so\.(\d+(?:\.\d+)+)$")
STUBS = "stubs"


class Origins:
    """The origin of each recorded file."""

    def __init__(self, snapshot: Snapshot, tree: RecordedTree) -> None:
        self._snapshot = snapshot
        self._tree = tree
        self._known: dict[str, Origin] = {}

    def of(self, path: str) -> Origin:
        """Return where a file comes from, by the path by which it is found."""
        if path not in self._known:
            self._known[path] = self._of(path)
        return self._known[path]

    def _of(self, path: str) -> Origin:
        real = self._tree.real_path(path)
        owner = self._owners.get(path) or self._owners.get(real)
        if owner is not None:
            kind = "conda" if isinstance(owner, PrefixRecord) else "pip"
            return Origin(
                title=title_of(owner), kind=kind, package=name_of(owner), version=owner.version
            )
        if self._is_of_python(real):
            return Origin(title="Python itself", kind="python")
        if around := self._conda_around(real):
            title = f"the conda environment {around}"
            return Origin(title=title, kind="conda", version=version_in(real))
        if toolkit := self._toolkit_of(real):
            release = f" {toolkit.version}" if toolkit.version else ""
            return Origin(
                title=f"the CUDA toolkit{release} in {toolkit.path}",
                kind="toolkit",
                version=version_in(real) or toolkit.version,
            )
        return self._of_the_machine(real)

    def _of_the_machine(self, real: str) -> Origin:
        directory, _, name = real.rpartition("/")
        if DRIVER_LIBRARY.match(name) and posixpath.basename(directory) != STUBS:
            return Origin(title="the NVIDIA driver", kind="driver", version=version_in(real))
        if self._is_of_system(directory):
            return Origin(title="the system", kind="system", version=version_in(real))
        return Origin(title="no package", kind="unknown", version=version_in(real))

    def _is_of_python(self, real: str) -> bool:
        view = self._snapshot.loader
        executable = view.executable if view else ""
        modules = f"{executable.rpartition('/bin/')[0]}/lib/{posixpath.basename(executable)}/"
        is_own = real.startswith(modules) and "/site-packages/" not in real
        return real == executable or is_own

    def _conda_around(self, real: str) -> str | None:
        prefix = self._snapshot.target.prefix
        if real.startswith(f"{prefix}/"):
            return None
        found = (one for one in self._others if real.startswith(f"{one}/"))
        return max(found, key=len, default=None)

    @cached_property
    def _others(self) -> frozenset[str]:
        """The conda environments that are not the one looked at."""
        view, paths = self._snapshot.loader, self._snapshot.variable_paths
        listed = view.directories if view else ()
        seen = {posixpath.dirname(one) for one in listed if posixpath.basename(one) == "conda-meta"}
        active = {p.environment for p in paths if p.variable == "CONDA_PREFIX" and p.environment}
        return frozenset((seen | active) - {self._snapshot.target.prefix})

    def _toolkit_of(self, real: str) -> SystemToolkit | None:
        toolkits = (t for t in self._snapshot.toolkits if real.startswith(f"{t.path}/"))
        return next(toolkits, None)

    def _is_of_system(self, directory: str) -> bool:
        view = self._snapshot.loader
        places = view.system.default_directories if view else ()
        return any(directory == p or directory.startswith(f"{p}/") for p in self._real(places))

    def _real(self, places: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self._tree.real_path(place) for place in places)

    @cached_property
    def _owners(self) -> Mapping[str, Owner]:
        """The owner of each recorded file that has one; of several, the one that came last."""
        view, prefix = self._snapshot.loader, self._snapshot.target.prefix
        if view is None:
            return {}
        paths = (*(file.path for file in view.files), *view.unfit, *view.links)
        inside = {p[len(f"{prefix}/") :]: p for p in paths if p.startswith(f"{prefix}/")}
        index = ownership(self._snapshot.records, self._snapshot.distributions)
        owners = index.owners_of(inside)
        found: dict[str, Owner] = {inside[path]: last[-1] for path, last in owners.items()}
        outside = frozenset(paths).difference(inside.values())
        for distribution in self._snapshot.outside:
            found |= dict.fromkeys(
                outside.intersection(installed_paths(distribution)), distribution
            )
        return found


def version_in(path: str) -> str | None:
    """Return the version that a library's real name ends with."""
    match = _NUMBERS.search(path)
    return match[1] if match else None
