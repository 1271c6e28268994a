"""What a project of PyPI is called on conda: rows, and the question."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Literal

import msgspec
from msgspec import Struct

from reconciler.model.distribution import normalize_name
from reconciler.model.row import Row


class Counterpart(Row, frozen=True, kw_only=True):
    """What serves in conda for a project of PyPI that has to do with CUDA."""

    #: PyPI's normal name.
    pypi: str
    #: The extra that brings it; "" for the project itself.
    extra: str = ""
    #: Names under conda; none where nothing serves.
    conda: tuple[str, ...] = ()
    #: A glob of the build strings of conda-forge's builds for CUDA, where it has others as well.
    cuda_build: str = ""
    #: The same of its builds for the CPU.
    cpu_build: str = ""
    #: What of the version is the same on conda: ``same`` all of it; ``three`` its first three
    #: numbers; ``minor`` its first two, of libraries that have releases of their own; ``cuda``
    #: nothing but the CUDA release, which cuda-version selects; ``none`` nothing.
    release: Literal["same", "three", "minor", "cuda", "none"] = "same"
    #: The consumers whose builds for CUDA depend on it, so that it comes with them.
    brought_by: tuple[str, ...] = ()
    #: The channel that has it, where conda-forge has not.
    channel: str = ""
    #: Why nothing serves, in words.
    why: str = ""
    #: Whether nothing is to be installed for it at all, by either manager.
    is_idle: bool = False
    source: str


class NamesOfPypi(Struct, frozen=True, kw_only=True):
    """The vendored map of conda-forge's names, from PyPI's side."""

    #: The source of the map, as a report names it.
    source: str
    #: The packages of conda that are called as on PyPI, but for case and dashes; a dozen a text.
    same: tuple[str, ...]
    #: What other projects of PyPI are called on conda, where one package alone holds each.
    others: Mapping[str, str]


class Naming(Struct, frozen=True, kw_only=True, dict=True):
    """The tables of names from PyPI to conda, each decoded when it is first asked for."""

    #: Gives the bytes of a table by its name.
    read: Callable[[str], bytes]

    @cached_property
    def _counterparts(self) -> Mapping[tuple[str, str], Counterpart]:
        rows = msgspec.json.decode(self.read("counterparts"), type=tuple[Counterpart, ...])
        return {(row.pypi, row.extra): row for row in rows}

    @cached_property
    def _map(self) -> NamesOfPypi:
        return msgspec.json.decode(self.read("names_of_pypi"), type=NamesOfPypi)

    @cached_property
    def _same(self) -> Mapping[str, str]:
        # ruamel.yaml and typing_extensions are conda's own spellings.
        return {normalize_name(name): name for text in self._map.same for name in text.split()}

    @property
    def source(self) -> str:
        """Where the general map comes from."""
        return self._map.source

    def counterpart(self, name: str, extra: str = "") -> Counterpart | None:
        """Return what is known of a project for CUDA, or of one of its extras."""
        return self._counterparts.get((name, extra))

    @cached_property
    def _for_conda(self) -> Mapping[str, tuple[Counterpart, ...]]:
        found: dict[str, tuple[Counterpart, ...]] = {}
        for row in self._counterparts.values():
            for name in row.conda:
                found[name] = (*found.get(name, ()), row)
        return found

    def for_conda(self, name: str) -> tuple[Counterpart, ...]:
        """Return the rows that lead to a package of conda."""
        return self._for_conda.get(name, ())

    def on_conda_forge(self, name: str) -> str:
        """Return conda-forge's package of a project of PyPI; "" where none, or several, are known."""
        return self._same.get(name) or self._map.others.get(name, "")

    @cached_property
    def conda_names(self) -> frozenset[str]:
        """Every name of conda that either table leads to."""
        ours = (name for row in self._counterparts.values() for name in row.conda)
        return frozenset((*self._same.values(), *self._map.others.values(), *ours))
