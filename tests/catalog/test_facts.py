"""Every part of the collected facts is carried by a table, or named as left out with the reason."""

from __future__ import annotations

import json
import re
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from shared_data import repodata_records, shared

from reconciler import catalog

if TYPE_CHECKING:
    from collections.abc import Iterator

CATALOG = catalog.load()
LEFT_OUT = tomllib.loads((Path(catalog.__file__).parent / "left_out.toml").read_text("utf-8"))[
    "row"
]
FILES = (
    "conda_packages.json",
    "cuda_arch.json",
    "cuda_driver.json",
    "errors.json",
    "metadata",
    "name_map.json",
    "sonames.json",
    "wheels.json",
    "wrong_advice.json",
)

PIP = {
    *(name for manager, name in CATALOG.cuda_packages if manager == "pip"),
    *(name for consumer in CATALOG.consumers.values() for name in consumer.pypi),
    *(name for group in CATALOG.import_groups for name in group.pypi),
}
CONDA = {
    *(name for manager, name in CATALOG.cuda_packages if manager == "conda"),
    *(name for consumer in CATALOG.consumers.values() for name in consumer.conda),
    *(name for group in CATALOG.import_groups for name in group.conda),
}
LIBRARIES = {name for part in CATALOG.components.values() for name in part.libraries}

#: Fields that say which row it is, or where it is from, and those that the tables were made of.
CARRIED_FIELDS = {
    "built_with",
    "component",
    "conda",
    "conda_forge_cuda12plus",
    "cuda",
    "cuda_major",
    "cuda_toolkit",
    "default_cuda",
    "is_cuda_build",
    "name",
    "note",
    "package",
    "pypi",
    "pypi_platforms",
    "pypi_versions",
    "requires_torch",
    "soname",
    "source",
    "version",
    "version_py",
    "wheel",
}


def parts_left_out(file: str) -> list[str]:
    return [part for row in LEFT_OUT if row["file"] == file for part in row["parts"]]


def facts(name: str) -> Any:
    return json.loads(shared("facts", name).read_text("utf-8"))


def fields(section: str, rows: list[dict[str, Any]]) -> Iterator[tuple[str, bool]]:
    for field in {field for row in rows for field in row}:
        yield f"{section}.{field}", field in CARRIED_FIELDS


def parts_of_wheels() -> Iterator[tuple[str, bool]]:
    wheels = facts("wheels.json")
    releases = [row for package in wheels.values() for row in package.get("releases", [])]
    yield from fields("releases", releases)
    yield "versions", False
    yield "torch.facts", False
    yield "torch.arch_lists", False
    yield "jax.plugins.with_cuda", False
    yield from ((key, key in PIP) for key in wheels)
    for row in wheels["nvidia-libs"]["packages"]:
        yield f"nvidia-libs:{row['package']}", row["package"] in PIP
    for package in {row["package"] for row in releases if "package" in row}:
        yield f"releases:{package}", package in PIP


def parts_of_name_map() -> Iterator[tuple[str, bool]]:
    name_map = facts("name_map.json")
    yield "facts", False
    for section in ("nvidia_wheels", "frameworks", "no_conda_counterpart"):
        rows = name_map[section]
        yield from fields(section, rows)
        for row in rows:
            pypi = row.get("pypi") or row["package"]
            yield f"{section}:{pypi}", pypi.partition("[")[0] in PIP
            for conda in {row["conda"], row.get("conda_forge_cuda12plus")} - {None}:
                yield f"{section}:{conda}", conda in CONDA


def parts_of_sonames() -> Iterator[tuple[str, bool]]:
    sonames = facts("sonames.json")
    rows = sonames.pop("sonames")
    yield from fields("sonames", rows)
    for section, found in (("sonames", rows), ("driver", sonames.pop("driver"))):
        for row in found:
            yield f"{section}:{row['soname']}", row["soname"].partition(".so")[0] in LIBRARIES
    yield from ((section, False) for section in sonames)


def parts_of_conda_packages() -> Iterator[tuple[str, bool]]:
    conda_packages = facts("conda_packages.json")
    rows = conda_packages.pop("packages")
    yield from fields("packages", rows)
    yield from ((f"packages:{row['name']}", row["name"] in CONDA) for row in rows)
    yield from ((section, False) for section in conda_packages)


def parts(file: str) -> dict[str, bool]:
    """Return the parts of one file of facts, and whether the tables carry them all."""
    of_file = {
        "conda_packages.json": parts_of_conda_packages,
        "name_map.json": parts_of_name_map,
        "sonames.json": parts_of_sonames,
        "wheels.json": parts_of_wheels,
    }.get(file)
    carried: dict[str, bool] = defaultdict(lambda: True)
    if of_file:
        for part, is_carried in of_file():
            carried[part] = carried[part] and is_carried
        return carried
    if file == "metadata":
        return {path.name: False for path in shared("facts", file).iterdir()}
    return dict.fromkeys(facts(file), False)


def test_every_file_of_the_facts_is_judged() -> None:
    found = {path.name for path in shared("facts").iterdir()}

    assert found - {"README.md"} == {*FILES}


@pytest.mark.parametrize("file", FILES)
def test_what_no_table_carries_is_named_as_left_out(file: str) -> None:
    unnamed = {part for part, is_carried in parts(file).items() if not is_carried}

    assert unnamed - {*parts_left_out(file)} == set()


@pytest.mark.parametrize("file", FILES)
def test_what_is_named_as_left_out_is_there_and_carried_by_no_table(file: str) -> None:
    missing = {part for part, is_carried in parts(file).items() if not is_carried}

    assert {*parts_left_out(file)} - missing == set()


def test_nothing_is_left_out_twice_or_without_a_reason() -> None:
    found = [(row["file"], part) for row in LEFT_OUT for part in row["parts"]]

    assert len(found) == len(set(found))
    assert [row for row in LEFT_OUT if not row["why"].strip()] == []


def test_the_release_in_a_wheel_s_version_is_the_toolkit_that_pins_it() -> None:
    for toolkit in facts("wheels.json")["cuda-toolkit"]["releases"]:
        release = toolkit["cuda_toolkit"].split(".")
        for name, pin in toolkit["components"].items():
            package = CATALOG.cuda_packages["pip", name]
            numbers = re.sub(r"[^\d.]", "", pin.rpartition(",")[2]).split(".")
            told = {"version": 2, "major": 1}.get(package.cuda_in, 0)

            assert numbers[:told] == release[:told], (name, pin, toolkit["cuda_toolkit"])
            assert package.cuda_major in {None, int(release[0])}


def test_the_release_in_a_record_s_version_is_the_cuda_version_it_depends_on() -> None:
    lower = re.compile(r"cuda-version >=(\d+)(?:\.(\d+))?")
    for record in repodata_records():
        package = CATALOG.cuda_packages.get(("conda", record.name))
        told = {"version": 2, "major": 1}.get(package.cuda_in, 0) if package else 0
        for match in filter(None, map(lower.match, record.depends)):
            asked = [number for number in match.groups() if number][:told]

            assert record.version.split(".")[: len(asked)] == asked, record
