"""What the indexes that a file names have of what it asks for: the questions, in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.builds import indexes, pythons, released
from reconciler.model.catalog import Catalog

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.model.install_set import InstallSet
    from reconciler.model.manifest import Declared
    from reconciler.model.offer import (
        LabeledPin,
        NeverReleased,
        PythonMisfit,
        Replaced,
        Unserved,
    )


class Supply(Struct, frozen=True, kw_only=True):
    """What is known of indexes, as rules ask it of an install set."""

    catalog: Catalog

    def labeled_pins(self, install: InstallSet) -> tuple[LabeledPin, ...]:
        """Return the requirements that pin builds which PyPI cannot have."""
        return tuple(indexes.labeled_pins(install, self.catalog.published))

    def has_build(self, pin: LabeledPin) -> bool:
        """Tell whether the address of a pin is known to have just that build, for good."""
        if pin.site is None or pin.site.is_page or ".dev" in pin.version:
            return False
        pair = self.catalog.pair(pin.line.name, pin.version)
        extends = pair.release if pair and not pair.or_later else ""
        torch = pin.version if pin.line.name == "torch" else extends
        builds = self.catalog.published.index_builds("torch", torch)
        return builds is not None and pin.label in {"cpu", *builds.tags}

    def unserved(self, install: InstallSet) -> tuple[Unserved, ...]:
        """Return the requirements whose indexes have no build of the release they ask for."""
        return tuple(indexes.unserved(install, self.catalog))

    def dropped(self, install: InstallSet) -> Mapping[Declared, Declared]:
        """Return the indexes that pip forgets at an index below them, each with that line."""
        return indexes.dropped(install)

    def replaced(self, install: InstallSet) -> tuple[Replaced, ...]:
        """Return the indexes in place of PyPI, with the requirements that they have not."""
        return tuple(indexes.replaced(install, self.catalog.published))

    def never_released(self, install: InstallSet) -> tuple[NeverReleased, ...]:
        """Return the lines that no version of their package satisfies."""
        return tuple(released.never_released(install, self.catalog))

    def may_have(self, install: InstallSet, package: str, version: str) -> bool:
        """Tell whether a set's Python is one that a release on PyPI was made for."""
        return pythons.may_have(install, package, version, self.catalog.published)

    def python_misfits(self, install: InstallSet) -> tuple[PythonMisfit, ...]:
        """Return the pinned wheels that were made for none of the Pythons of a set."""
        return tuple(pythons.misfits(install, self.catalog.published))
