"""What will be compiled for CUDA."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from reconciler.model.compiling import Compiled
    from reconciler.model.cuda import CudaBuild, CudaVersion
    from reconciler.model.location import Location


class Compilation(NamedTuple):
    """What one installation will compile for CUDA."""

    #: As a message names it: ``flash-attn``, ``torch-scatter and torch-sparse``.
    title: str
    #: INSTALLED, or the name of the install set.
    place: str
    at: Location
    #: The framework that it is compiled against; None where none is known.
    framework: CudaBuild | None
    #: Why it is compiled, in words.
    because: str
    #: None where the user asks in general.
    projects: tuple[Compiled, ...] = ()
    #: The lines beside ``at``.
    related: tuple[Location, ...] = ()

    @property
    def cuda(self) -> CudaVersion | None:
        """The CUDA of the framework; None where it is not told."""
        return self.framework.cuda if self.framework else None

    @property
    def evidence(self) -> tuple[str, ...]:
        """Why it is compiled, and how the CUDA of its framework is known."""
        framework = self.framework
        return (
            self.because,
            *((f"{framework}: {framework.evidence}",) if framework else ()),
        )

    @property
    def fetches_wheels(self) -> bool:
        """Whether all of it first looks for a wheel of its own, and may find one."""
        return bool(self.projects) and all(each.fetches_wheel for each in self.projects)

    @property
    def falls_back(self) -> bool:
        """Whether all of it is built for the CPU alone where no nvcc is found."""
        return bool(self.projects) and all(each.falls_back for each in self.projects)

    @property
    def links_driver(self) -> bool:
        """Whether a part of it is linked against the driver's library."""
        return any(each.links_driver for each in self.projects)

    @property
    def wheels_at(self) -> str:
        """A site that has wheels of all of it; "" where none is known."""
        sites = {each.wheels_at for each in self.projects}
        return sites.pop() if len(sites) == 1 else ""
