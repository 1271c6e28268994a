"""Which starts map libraries of several CUDA toolkits into one process."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.builds.captures import CUDA_MAJORS
from reconciler.model.cuda import CudaVersion
from reconciler.model.mixture import Crossing, Mixture, Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.builds.loading import Loading
    from reconciler.model.catalog import Catalog
    from reconciler.model.cuda import CudaBuild
    from reconciler.model.host import SystemToolkit
    from reconciler.model.run import Link, Run
    from reconciler.model.which import Origin

_NUMBER = re.compile(r"\.so\.(\d+)")


class Toolkits:
    """The toolkit's major that a mapped library is of."""

    def __init__(
        self,
        loading: Loading,
        builds: Iterable[CudaBuild],
        toolkits: tuple[SystemToolkit, ...],
        catalog: Catalog,
    ) -> None:
        """Take what is installed, and the toolkits that lie outside of it."""
        self._loading = loading
        self._builds: dict[tuple[str, str], CudaBuild] = {
            (build.manager, build.package): build for build in builds
        }
        self._toolkits = toolkits
        self._parts = catalog.toolkit_parts
        packages = catalog.cuda_packages.values()
        self._named = {p.component for p in packages if p.cuda_in == "version"}

    def parts(self, run: Run) -> Mapping[str, Part]:
        """Return the libraries of toolkits that are mapped in the end, by their real paths."""
        mapped = frozenset(run.mapped)
        found: dict[str, Part] = {}
        for link in run.cuda_links:
            part = self.part(link) if link.real in mapped else None
            if part is not None and link.real is not None:
                found.setdefault(link.real, part)
        return found

    def part(self, link: Link) -> Part | None:
        """Return the library that answers, where it is known to be of a toolkit's release."""
        owner = link.owner if link.component in self._parts else None
        major = self._major(owner, link) if owner else None
        return Part(link=link, major=major) if major is not None and major in CUDA_MAJORS else None

    def _major(self, owner: Origin, link: Link) -> int | None:
        real = link.real or ""
        if owner.kind == "toolkit":
            own = next((t for t in self._toolkits if real.startswith(f"{t.path}/")), None)
            if release := CudaVersion.parse(own.version or "") if own else None:
                return release.major
        build = self._builds.get((owner.kind, owner.package or ""))
        if build is not None:
            return build.major
        # NVRTC, the runtime, cuBLAS and nvJitLink are named after their CUDA: libnvrtc.so.12
        named = _NUMBER.search(link.soname) if link.component in self._named else None
        if named:
            return int(named[1])
        cuda = self._loading.release_of(real, link.soname).cuda
        return cuda.major if cuda else None


def mixtures(
    runs: Iterable[Run], known: Mapping[str, CudaBuild], toolkits: Toolkits
) -> Iterator[Mixture]:
    """Yield the starts of one framework that map libraries of several majors."""
    every = [(run, tuple(toolkits.parts(run).values())) for run in runs]
    whole = {
        run.title
        for run, parts in every
        if run.situation.is_normal_use and not run.failures and len({p.major for p in parts}) < 2
    }
    for run, parts in every:
        majors = {part.major for part in parts}
        if len(majors) < 2:
            continue
        major = known[run.frameworks[0]].major
        if major not in majors:
            major = max(majors, key=lambda one: sum(part.major == one for part in parts))
        yield Mixture(
            run=run,
            framework=run.frameworks[0],
            major=major,
            own=tuple(part for part in parts if part.major == major),
            odd=tuple(part for part in parts if part.major != major),
            is_cured_by_activation=run.title in whole,
        )


def crossings(
    alone: Iterable[Run], together: Iterable[Run], toolkits: Toolkits
) -> Iterator[Crossing]:
    """Yield what is of another major for who asks, where other frameworks were started before."""
    due: dict[tuple[str, str, str], Link] = {}
    for run in alone:
        for name in run.situation.names:
            for link in run.cuda_links:
                due.setdefault((name, link.asked_by, link.soname), link)
    for run in together:
        for link in run.cuda_links:
            before = due.get((run.situation.names[0], link.asked_by, link.soname))
            if before is None or before.real == link.real:
                continue
            ours, theirs = toolkits.part(before), toolkits.part(link)
            if ours and theirs and ours.major != theirs.major:
                yield Crossing(run=run, alone=ours, together=theirs)
