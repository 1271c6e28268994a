"""What one installation brings together: the unit by which declared files are judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.model.manifest import (
    Combination,
    Declared,
    IndexRole,
    Kind,
    Manifest,
    Section,
)
from reconciler.model.marker import holds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.model.location import Location

#: conda's names of the platforms that a file is judged for where nothing says more.
PLATFORMS = ("linux-64", "linux-aarch64", "win-64", "osx-arm64")
#: The files of a project's own folder that say what its environment is made of. Beside them lie
#: requirements-cpu.txt, requirements-gpu.txt and docs/requirements.txt, of which nobody has all.
MAIN = frozenset(
    {"environment.yml", "environment.yaml", "requirements.txt", "pyproject.toml", "pixi.toml"}
)
#: All that a user may name: conda.base.constants.KNOWN_SUBDIRS, without noarch.
SUBDIRS = (
    *PLATFORMS,
    "osx-64",
    "win-arm64",
    "win-32",
    "linux-32",
    "linux-armv6l",
    "linux-armv7l",
    "linux-ppc64",
    "linux-ppc64le",
    "linux-riscv32",
    "linux-riscv64",
    "linux-s390x",
    "emscripten-wasm32",
    "wasi-wasm32",
    "freebsd-64",
    "zos-z",
)


class InstallSet(Struct, frozen=True, kw_only=True):
    """What one installation brings together on one platform: a file with what it includes."""

    #: Unique: the path of the file, with the part of it that is meant: ``pyproject.toml (extra gpu)``.
    name: str
    #: The file that was asked for.
    path: str
    #: The program that installs it.
    tool: str
    is_lock: bool = False
    #: conda's name of the platform that it is judged for.
    platform: str
    #: Whether it is known to be for this platform, rather than possibly installed on it.
    is_certain: bool
    #: Without what is for other platforms or Pythons.
    declared: tuple[Declared, ...]

    @property
    def is_main(self) -> bool:
        """Whether the project's environment is likely to be made of it, rather than an example's."""
        return self.name == self.path and self.path in MAIN

    def of_kind(self, kind: Kind) -> tuple[Declared, ...]:
        """Return the lines of one kind, in the order of the files."""
        return tuple(d for d in self.declared if d.kind is kind)

    def requirements(self, section: Section) -> tuple[Declared, ...]:
        """Return what is required in one section, in the order of the files."""
        return tuple(d for d in self.of_kind(Kind.REQUIREMENT) if d.section is section)

    def line_at(self, place: Location) -> Declared | None:
        """Return the requirement at a place; None where none is."""
        return next((d for d in self.of_kind(Kind.REQUIREMENT) if d.location == place), None)

    @property
    def channels(self) -> tuple[Declared, ...]:
        """The channels of conda, the preferred one first."""
        return self.of_kind(Kind.CHANNEL)

    def indexes(self, requirement: Declared | None = None) -> tuple[Declared, ...]:
        """Return the indexes that may serve a requirement, or any, beside PyPI or in its place."""
        indexes = self.of_kind(Kind.INDEX)
        if requirement is None:
            return indexes
        if requirement.index:
            return tuple(i for i in indexes if i.name == requirement.index)
        return tuple(
            index
            for index in indexes
            if index.command in {0, requirement.command} and index.role is not IndexRole.EXPLICIT
        )


def install_sets(
    manifests: Iterable[Manifest],
    platform: str,
    *,
    python: str = "",
    is_certain: bool = False,
) -> Iterator[InstallSet]:
    """Yield what each file that no other includes installs on a platform, by its combinations."""
    by_path = {manifest.path: manifest for manifest in manifests}
    # What commands install from is installed by hand as well: it is a root of its own.
    including = (manifest for manifest in by_path.values() if manifest.tool != "shell")
    declared = (d for manifest in including for d in manifest.declared)
    included = {d.name for d in declared if d.kind in {Kind.INCLUDE, Kind.CONSTRAINT}}
    roots = [m for m in by_path.values() if m.path not in included] or list(by_path.values())
    for root in roots:
        for combination in root.combinations:
            said = combination.platforms or root.platforms
            if said and platform not in said:
                continue
            yield InstallSet(
                name=f"{root.path} ({combination.name})" if combination.name else root.path,
                path=root.path,
                tool=root.tool,
                is_lock=root.is_lock,
                platform=platform,
                is_certain=is_certain or len(said) == 1,
                declared=tuple(
                    line
                    for line in _with_includes(root, combination, by_path, set())
                    if _is_for(line, platform, python)
                ),
            )


def _is_for(declared: Declared, platform: str, python: str) -> bool:
    if declared.platforms and platform not in declared.platforms:
        return False
    return not declared.marker or holds(declared.marker, platform, python)


def _with_includes(
    manifest: Manifest,
    combination: Combination,
    by_path: Mapping[str, Manifest],
    seen: set[str],
) -> Iterator[Declared]:
    seen.add(manifest.path)
    for declared in manifest.declared:
        if declared.scope not in combination.scopes:
            continue
        yield declared
        if declared.kind is Kind.INCLUDE and declared.name not in seen:
            included = by_path.get(declared.name)
            if included:
                for line in _with_includes(included, Combination(), by_path, seen):
                    # The options of a command are for the files that it is given, too.
                    of_file = not line.command and declared.command
                    yield replace(line, command=declared.command) if of_file else line
