from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from reconciler import catalog
from reconciler.catalog import TABLES, generate
from reconciler.model.cuda import CudaVersion

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(catalog.__file__).parent
CATALOG = catalog.load()
PACKAGES = tuple(CATALOG.cuda_packages.values())
CONSUMERS = tuple(CATALOG.consumers.values())
GROUPS = CATALOG.import_groups
RELEASES = tuple(release for by in CATALOG._releases.values() for release in by.values())

BROUGHT = [
    ("pip", "cutensor-cu12", {"cutensor"}),
    ("pip", "nvidia-cublas", {"cublas"}),
    ("pip", "nvidia-cublas-cu11", {"cublas"}),
    ("pip", "nvidia-cublas-cu12", {"cublas"}),
    ("pip", "nvidia-cublas-cu13", set()),
    ("pip", "nvidia-cuda-cupti-cu12", {"cupti"}),
    ("pip", "nvidia-cuda-nvcc-cu12", {"nvvm"}),
    ("pip", "nvidia-cuda-nvrtc", {"nvrtc"}),
    ("pip", "nvidia-cuda-runtime", {"cuda-runtime"}),
    ("pip", "nvidia-cuda-runtime-cu12", {"cuda-runtime"}),
    ("pip", "nvidia-cudnn-cu13", {"cudnn"}),
    ("pip", "nvidia-nccl-cu12", {"nccl"}),
    ("pip", "nvidia-nvjitlink-cu12", {"nvjitlink"}),
    ("pip", "nvidia-nvshmem-cu13", {"nvshmem"}),
    ("pip", "cuda-toolkit", set()),
    ("conda", "cuda-cudart", {"cuda-runtime"}),
    ("conda", "cuda-cudart-dev", set()),
    ("conda", "cuda-cudart-static", set()),
    ("conda", "cuda-version", set()),
    ("conda", "libcublas", {"cublas"}),
    ("conda", "libcublas-dev", set()),
    ("conda", "pytorch-cuda", set()),
]

CUDA_OF = [
    ("pip", "nvidia-cuda-runtime-cu12", "version", 12),
    ("pip", "nvidia-cuda-runtime", "version", None),
    ("pip", "nvidia-cudnn-cu12", "name", 12),
    ("pip", "nvidia-cufft", "name", 13),
    ("pip", "nvidia-cublas", "major", None),
    ("pip", "nvidia-cublas-cu11", "name", 11),
    ("conda", "cudatoolkit", "version", None),
    ("conda", "cuda-version", "version", None),
    ("conda", "cudnn", "depends", None),
    ("conda", "libcublas", "major", None),
    ("conda", "libcufft", "depends", None),
]


def rows(table: str) -> list[Mapping[str, object]]:
    return tomllib.loads((FOLDER / f"{table}.toml").read_text("utf-8"))["row"]


@pytest.mark.parametrize("table", TABLES)
def test_the_shipped_json_is_what_generate_makes_of_the_toml(table: str) -> None:
    assert (FOLDER / f"{table}.json").read_bytes() == generate.generated(table)


@pytest.mark.parametrize("table", TABLES)
def test_every_row_has_a_source(table: str) -> None:
    assert [row for row in rows(table) if not str(row.get("source", "")).strip()] == []


@pytest.mark.parametrize(
    ("table", "keys"),
    [
        ("components", ("name",)),
        ("packages", ("manager", "name")),
        ("consumers", ("name",)),
    ],
)
def test_rows_are_sorted_and_unique(table: str, keys: tuple[str, ...]) -> None:
    found = [tuple(str(row[key]) for key in keys) for row in rows(table)]

    assert found == sorted(set(found))


def test_import_groups_are_sorted_and_unique() -> None:
    found = [group.import_name.lower() for group in GROUPS]

    assert found == sorted(set(found))


def test_releases_are_sorted_and_unique() -> None:
    found = [
        (str(row["package"]), Version(str(row["version"])), str(row.get("platform", "linux-64")))
        for row in rows("releases")
    ]

    assert found == sorted(set(found))


def test_names_of_pypi_are_normal() -> None:
    names = {
        *(package.name for package in PACKAGES if package.manager == "pip"),
        *(name for consumer in CONSUMERS for name in consumer.pypi),
        *(name for group in GROUPS for name in group.pypi),
        *(release.package for release in RELEASES),
    }

    assert {name for name in names if name != canonicalize_name(name)} == set()


def test_names_of_conda_are_lower_case() -> None:
    names = {
        *(package.name for package in PACKAGES if package.manager == "conda"),
        *(name for consumer in CONSUMERS for name in consumer.conda),
        *(name for group in GROUPS for name in group.conda),
    }

    assert {name for name in names if not re.fullmatch(r"[a-z0-9_][a-z0-9_.-]*", name)} == set()


@pytest.mark.parametrize("package", PACKAGES, ids=lambda row: f"{row.manager}-{row.name}")
def test_a_package_s_components_are_known_and_what_it_brings_has_libraries(package) -> None:
    assert package.component in CATALOG.components
    assert [part for part in package.brings if not CATALOG.components[part].libraries] == []


@pytest.mark.parametrize("package", PACKAGES, ids=lambda row: f"{row.manager}-{row.name}")
def test_a_major_stands_where_the_name_fixes_it(package) -> None:
    suffix = re.search(r"-cu(\d\d)(?:-|$)", package.name)

    assert package.cuda_in != "name" or package.cuda_major is not None
    assert not suffix or package.cuda_major == int(suffix[1])


def test_no_library_belongs_to_two_components() -> None:
    libraries = [name for component in CATALOG.components.values() for name in component.libraries]

    assert len(libraries) == len(set(libraries))


def test_no_package_is_both_a_part_of_cuda_and_a_consumer() -> None:
    both = [key for key in CATALOG.cuda_packages if CATALOG.consumer(*key)]

    assert both == []


@pytest.mark.parametrize("manager", ["pypi", "conda"])
def test_no_name_belongs_to_two_consumers(manager: str) -> None:
    names = [name for consumer in CONSUMERS for name in getattr(consumer, manager)]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("consumer", CONSUMERS, ids=lambda row: row.name)
def test_what_is_said_of_a_consumer_s_names_is_of_names_it_has(consumer) -> None:
    names = {*consumer.pypi, *consumer.conda}

    assert {*consumer.cuda_of_name, *consumer.gpu_only, *consumer.cpu_only} <= names
    assert not {*consumer.gpu_only} & {*consumer.cpu_only}
    assert {*consumer.cuda_of_name} <= {*consumer.gpu_only}
    assert {*consumer.bundles} <= {*CATALOG.components}


@pytest.mark.parametrize("consumer", CONSUMERS, ids=lambda row: row.name)
def test_a_consumer_extends_a_framework_if_it_is_an_extension(consumer) -> None:
    extended = CATALOG.consumers[consumer.extends].kind if consumer.extends else None

    assert extended == ("framework" if consumer.kind == "extension" else None)


@pytest.mark.parametrize("consumer", CONSUMERS, ids=lambda row: row.name)
def test_the_release_in_a_name_can_be_read(consumer) -> None:
    for name, release in consumer.cuda_of_name.items():
        cuda = CudaVersion.parse(release)

        assert str(cuda) == release
        assert str(cuda.major) in name


def test_no_name_stands_twice_in_the_import_groups() -> None:
    for manager in ("pypi", "conda"):
        names = [name for group in GROUPS for name in getattr(group, manager)]

        assert len(names) == len(set(names))


@pytest.mark.parametrize("group", GROUPS, ids=lambda row: row.import_name)
def test_an_import_group_holds_something_that_can_meet(group) -> None:
    assert len(group.pypi) + bool(group.conda) > 1
    assert {*group.until} <= {*group.pypi}


@pytest.mark.parametrize("name", ["tensorflow-intel", "tensorflow-macos", "tensorflow-cpu-aws"])
def test_what_tensorflow_itself_requires_is_no_twin_of_it(name: str) -> None:
    assert [group.import_name for group in GROUPS if name in group.pypi] == []


def test_pynvml_is_a_twin_only_while_it_holds_the_module() -> None:
    group = next(group for group in GROUPS if group.import_name == "pynvml")

    assert group.until == {"pynvml": "12.0.0"}


@pytest.mark.parametrize(("manager", "name", "brings"), BROUGHT)
def test_a_package_brings_its_libraries(manager, name: str, brings: set[str]) -> None:
    assert {*CATALOG.cuda_packages[manager, name].brings} == brings


@pytest.mark.parametrize(("manager", "name", "cuda_in", "major"), CUDA_OF)
def test_a_package_tells_its_cuda(manager, name: str, cuda_in: str, major: int | None) -> None:
    package = CATALOG.cuda_packages[manager, name]

    assert (package.cuda_in, package.cuda_major) == (cuda_in, major)


def test_cudatoolkit_brings_what_a_torch_wheel_requires() -> None:
    brought = CATALOG.cuda_packages["conda", "cudatoolkit"].brings

    assert {"cublas", "cuda-runtime", "cufft", "curand", "cusolver", "cusparse"} <= {*brought}


def test_a_release_is_of_a_known_package_and_reads_as_a_release() -> None:
    for release in RELEASES:
        assert CATALOG.consumer("pip", release.package)
        assert release.cuda is None or str(CudaVersion.parse(release.cuda)) == release.cuda


@pytest.mark.parametrize(
    ("version", "platform", "cuda"),
    [
        ("1.4.0", "linux-64", "10.1"),
        ("1.13.1", "linux-64", "11.7"),
        ("2.1.2", "linux-64", "12.1"),
        ("2.10.0", "linux-aarch64", None),
        ("2.11.0", "linux-aarch64", "13.0"),
        ("2.15.0", "linux-64", "13.2"),
        ("2.15.0", "win-64", None),
    ],
)
def test_torch_s_releases_are_known(version: str, platform: str, cuda: str | None) -> None:
    release = CATALOG.release("torch", version, platform)

    assert release
    assert release.cuda == cuda


def test_pairs_are_sorted_and_unique() -> None:
    found = [(str(row["package"]), Version(str(row["version"]))) for row in rows("pairs")]

    assert found == sorted(set(found))


def test_pairs_are_of_extensions_of_their_framework() -> None:
    for row in rows("pairs"):
        consumer = CATALOG.consumer("pip", str(row["package"]))

        assert consumer
        assert consumer.extends == row["framework"]


@pytest.mark.parametrize(
    ("package", "version", "release", "or_later"),
    [
        ("torchvision", "0.20.1", "2.5.1", False),
        ("torchvision", "0.20.1+cu124", "2.5.1", False),
        ("torchvision", "0.29.0", "2.14.0", False),
        ("torchvision", "0.29.1", "2.14.0", True),
        ("torchaudio", "2.10.0", "2.10.0", False),
        ("torchaudio", "2.11.0", "2.11.0", True),
        ("torchtext", "0.16.0", "2.1.0", False),
        ("xformers", "0.0.28.post3", "2.5.1", False),
    ],
)
def test_a_release_was_made_for_one_of_its_framework(
    package: str, version: str, release: str, or_later: bool
) -> None:
    pair = CATALOG.pair(package, version)

    assert pair
    assert (pair.release, pair.or_later) == (release, or_later)


@pytest.mark.parametrize(
    ("package", "framework", "version"),
    [
        ("torchvision", "2.5.1+cu124", "0.20.1"),
        ("torchvision", "2.15.0", "0.29.2"),
        ("torchaudio", "2.13.0", "2.11.0"),
        ("torchaudio", "2.0.0", "2.0.1"),
        ("torchaudio", "1.4.0", None),
    ],
)
def test_the_release_of_an_extension_for_a_framework_is_known(
    package: str, framework: str, version: str | None
) -> None:
    assert CATALOG.paired(package, framework) == version


def test_the_releases_of_parts_rise_with_their_versions() -> None:
    found = [
        (str(row["component"]), Version(str(row["since"])), Version(str(row["cuda"])))
        for row in rows("toolkits")
    ]

    assert found == sorted(set(found))
    assert {component for component, _, _ in found} <= {*CATALOG.components}


def test_every_pin_of_a_toolkit_is_of_its_release() -> None:
    assert CATALOG.part_release("cusparse", "12.3.1.170") == "12.4"
    assert CATALOG.part_release("cusparse", "12.5.1.3") == "12.5"
    assert CATALOG.part_release("cusparse", "99.0") is None
    assert CATALOG.part_release("cudnn", "9.1.0.70") is None


def test_a_need_of_cudnn_is_of_a_known_package_and_its_spans_do_not_overlap() -> None:
    for (manager, name), needs in CATALOG.cudnn_needs.items():
        assert CATALOG.consumer(manager, name)
        ends = [Version(need.before or "9999") for need in needs]
        assert ends[:-1] <= [Version(need.since) for need in needs[1:]]


def test_a_clash_is_of_known_components() -> None:
    for clash in CATALOG.clashes:
        assert {clash.component, clash.needs} <= {*CATALOG.components}


@pytest.mark.parametrize("consumer", CONSUMERS, ids=lambda row: row.name)
def test_what_a_consumer_opens_is_a_known_component(consumer) -> None:
    assert {*consumer.opens} <= {*CATALOG.components}


@pytest.mark.parametrize(
    ("component", "major", "name"),
    [
        ("cuda-runtime", 11, "nvidia-cuda-runtime-cu11"),
        ("cudnn", 12, "nvidia-cudnn-cu12"),
        ("cublas", 12, "nvidia-cublas-cu12"),
        ("cublas", 10, None),
    ],
)
def test_the_wheel_that_brings_a_part_is_known(
    component: str, major: int, name: str | None
) -> None:
    assert CATALOG.wheel_of(component, major) == name


def test_the_group_of_an_import_package_is_found_by_any_of_its_wheels() -> None:
    group = CATALOG.import_group("opencv-python-headless")

    assert group is not None
    assert "opencv-python" in group.pypi


def test_a_wheel_that_shares_its_import_package_with_no_other_is_of_no_group() -> None:
    assert CATALOG.import_group("six") is None
