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
from reconciler.model.cuda import CudaVersion

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

CU128 = CudaVersion(12, 8)
#: The parts that the tables of drivers and GPUs were made of.
OF_MACHINES = {
    ("cuda_arch.json", "gpus"),
    ("cuda_driver.json", "minor_version_compatibility"),
    ("cuda_driver.json", "toolkit_driver"),
}

#: Fields that say which row it is, or where it is from, and those that the tables were made of.
CARRIED_FIELDS = {
    "and_cuda",
    "built_with",
    "component",
    "components",
    "conda",
    "conda_forge_cuda12plus",
    "cu_indexes",
    "cuda",
    "cuda_major",
    "cuda_toolkit",
    "cudnn",
    "default_cuda",
    "is_cuda_build",
    "name",
    "note",
    "package",
    "pairs",
    "pypi",
    "pypi_platforms",
    "pypi_versions",
    "python_tags",
    "requires_torch",
    "soname",
    "source",
    "version",
    "version_py",
    "wheel",
}

#: How many rows of each section the tables use, and how many are left out with a reason. The rows of
#: a release are used by the row of its package; those that tell a CUDA have their own as well.
COUNTED: dict[str, dict[str, tuple[int, int]]] = {
    "conda_packages.json": {
        "build_string_patterns": (0, 8),
        "build_tag_without_cuda_depends": (0, 15),
        "facts": (0, 23),
        "invisible_cuda": (0, 6),
        "packages": (185, 43),
    },
    "cuda_arch.json": {
        "arch_to_cuda": (0, 28),
        "chips": (0, 17),
        "cuda_to_arch": (0, 31),
        "gpus": (169, 0),
        "notes": (0, 4),
    },
    "cuda_driver.json": {
        "driver_branch_to_cuda": (0, 33),
        "minor_version_compatibility": (5, 0),
        "notes": (0, 6),
        "toolkit_driver": (62, 0),
    },
    "errors.json": {"errors": (0, 48)},
    "name_map.json": {
        "facts": (0, 4),
        "frameworks": (92, 10),
        "no_conda_counterpart": (10, 1),
        "nvidia_wheels": (92, 0),
    },
    "sonames.json": {
        "consumers": (0, 138),
        "driver": (1, 1),
        "file_collisions": (42, 0),
        "legacy": (0, 2),
        "measured": (0, 255),
        "rules": (0, 11),
        "sonames": (131, 18),
        "windows_dlls": (0, 97),
    },
    "wheels.json": {
        "arch_lists": (30, 0),
        "facts": (0, 9),
        "jax": (49, 0),
        "packages": (100, 10),
        "plugins": (58, 0),
        "recognise": (31, 4),
        "releases": (1630, 0),
        "table": (11, 0),
    },
    "wrong_advice.json": {"wrong_advice": (0, 8)},
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
    yield "versions", bool(CATALOG.published.versions("pip", "nvidia-cublas-cu12"))
    yield "torch.facts", False
    yield (
        "torch.arch_lists",
        bool(CATALOG.machines.released_code("torch", "2.7.0", CU128, "linux-64")),
    )
    yield "jax.plugins.with_cuda", True
    yield from ((key, key in PIP) for key in wheels)
    for row in wheels["nvidia-libs"]["packages"]:
        yield f"nvidia-libs:{row['package']}", row["package"] in PIP
    released = (
        row.get("package", key)
        for key, package in wheels.items()
        for row in (*package.get("releases", []), *package.get("plugins", []))
    )
    yield from ((f"releases:{package}", package in PIP) for package in set(released))


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
    carried = {(row.path, row.pypi) for row in CATALOG.collisions}
    collisions = sonames.pop("file_collisions")
    yield (
        "file_collisions",
        carried == {(row["path"], tuple(row["pypi"])) for row in collisions},
    )
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
    return {part: (file, part) in OF_MACHINES for part in facts(file)}


def rows(file: str) -> Iterator[tuple[str, str]]:
    """Yield the section of each row of a file of facts, and the part that the row belongs to."""
    for path, row in _sourced(facts(file), ()):
        match file, path:
            case "wheels.json", (package, "releases" | "plugins" as section):
                yield section, f"releases:{row.get('package', package)}"
            case "wheels.json", ("nvidia-libs", "packages" as section):
                yield section, f"nvidia-libs:{row['package']}"
            case "wheels.json", (package, "facts" | "arch_lists" as section):
                yield section, f"{package}.{section}"
            case "wheels.json", (package, section):
                yield section, package
            case "conda_packages.json", ("packages" as section,):
                yield section, f"packages:{row['name']}"
            case "sonames.json", ("sonames" | "driver" as section,):
                yield section, f"{section}:{row['soname']}"
            case "name_map.json", (section,) if section != "facts":
                yield section, f"{section}:{row.get('pypi') or row['package']}"
            case _, (section, *_):
                yield section, section


def _sourced(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Yield every row that has a source, with the keys that lead to it."""
    match value:
        case {"source": _}:
            yield path, value
        case dict():
            for key, below in value.items():
                yield from _sourced(below, (*path, key))
        case list():
            for below in value:
                yield from _sourced(below, path)


@pytest.mark.parametrize("file", COUNTED)
def test_every_row_of_the_facts_is_counted_as_used_or_as_left_out(file: str) -> None:
    assert _counted(file) == COUNTED[file]


def _counted(file: str) -> dict[str, tuple[int, int]]:
    carried, left_out = parts(file), {*parts_left_out(file)}
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for section, part in rows(file):
        assert carried[part] is not (part in left_out), f"{file}: {part}"
        counts[section][part in left_out] += 1
    return {section: (used, left) for section, (used, left) in counts.items()}


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
