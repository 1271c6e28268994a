"""What was published: the tables hold together, and agree with the collected facts."""

from __future__ import annotations

import json
import re

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version
from shared_data import shared

from reconciler import catalog
from reconciler.model.offer import label_of, torch_of
from reconciler.model.release_clause import clauses_of
from reconciler.model.row import numbers

KNOWN = catalog.load()
PUBLISHED = KNOWN.published
VERSIONS = tuple(PUBLISHED._versions.values())
OF_PYPI = [row for row in VERSIONS if row.manager == "pip"]
BUILDS = tuple(PUBLISHED._index_builds.values())


def test_packages_are_sorted_and_unique() -> None:
    found = [(row.manager, row.package) for row in VERSIONS]
    assert found == sorted(set(found))


@pytest.mark.parametrize("row", OF_PYPI, ids=lambda row: row.package)
def test_versions_are_in_pip_s_order_and_of_a_normal_name(row) -> None:
    found = [Version(version) for version in row.versions]
    assert found == sorted(set(found))
    assert row.package == canonicalize_name(row.package)
    assert not row.versions or row.since in row.versions or row.since == "2.0.0"


def test_the_pythons_of_a_release_are_of_one_that_is_known_and_in_order() -> None:
    for package, by_release in PUBLISHED._pythons.items():
        known = PUBLISHED.versions("pip", package)
        assert known is not None
        assert by_release.keys() <= {numbers(version) for version in known.versions}
        for row in by_release.values():
            assert not row.last or numbers(row.first) <= numbers(row.last)


def test_builds_are_sorted_and_of_releases_that_are_known() -> None:
    found = [(row.package, Version(row.version)) for row in BUILDS]
    assert found == sorted(set(found))
    known = PUBLISHED.versions("pip", "torch")
    assert known
    assert {row.version for row in BUILDS} <= {*known.versions}


def test_builds_are_those_of_the_facts() -> None:
    facts = json.loads(shared("facts", "wheels.json").read_text("utf-8"))["torch"]["releases"]
    told = {
        row["version"]: {tag for found in row["cu_indexes"] for tag in found["indexes"]} - {"cpu"}
        for row in facts
        if row["cu_indexes"]
    }
    assert {row.version: {*row.tags} for row in BUILDS} == told


def test_every_release_of_the_facts_is_known() -> None:
    wheels = json.loads(shared("facts", "wheels.json").read_text("utf-8"))
    rows = [
        (canonicalize_name(row.get("package", key)), row["version"])
        for key, package in wheels.items()
        for row in package.get("releases", [])
        if "version" in row
    ]
    missing = [
        f"{package}=={version}"
        for package, version in rows
        if (known := PUBLISHED.versions("pip", package)) and version not in known.versions
    ]
    assert missing == []


def test_the_pythons_of_pytorch_are_those_of_the_facts() -> None:
    facts = json.loads(shared("facts", "wheels.json").read_text("utf-8"))["torch"]["releases"]
    for row in facts:
        span = PUBLISHED.pythons("torch", row["version"])
        tags = [re.sub(r"cp(\d)(\d+)", r"\1.\2", tag) for tag in row["python_tags"]]
        assert span
        assert all(span.holds(tag) for tag in tags)
        assert {span.first, span.last} == {min(tags, key=numbers), max(tags, key=numbers)}


@pytest.mark.parametrize("site", PUBLISHED.sites, ids=lambda site: site.title)
def test_the_address_of_an_index_is_its_own(site) -> None:
    if site.address:
        url = site.address.format(label="cu118", torch="2.1.0")
        found = PUBLISHED.site(url)
        assert found
        assert found[0] == site
        assert found[1].groupdict().get("tag", "cu118") == "cu118"


@pytest.mark.parametrize(
    ("url", "title", "tag"),
    [
        ("https://pypi.org/simple", "PyPI", None),
        ("https://pypi.tuna.tsinghua.edu.cn/simple", "PyPI", None),
        ("https://download.pytorch.org/whl", "the PyTorch index", None),
        ("https://download.pytorch.org/whl/cu118/", "the PyTorch index", "cu118"),
        ("https://download.pytorch.org/whl/nightly/cu124", "the PyTorch index", "cu124"),
        ("https://download.pytorch.org/whl/rocm5.4.2", "the PyTorch index", "rocm5.4.2"),
        ("https://download.pytorch.org/whl/torch_stable.html", "PyTorch's page of links", None),
        (
            "https://download.pytorch.org/whl/cu113/torch_stable.html",
            "PyTorch's page of links",
            "cu113",
        ),
        ("https://download.pytorch.org/whl/torch/", "PyTorch's page of one project", None),
        ("https://data.pyg.org/whl/torch-1.12.0+cu113.html", "PyG's page of links", "cu113"),
        ("https://pytorch-geometric.com/whl/torch-1.6.0+cpu.html", "PyG's page of links", "cpu"),
        ("https://data.dgl.ai/wheels/torch-2.3/cu118/repo.html", "DGL's page of links", "cu118"),
        ("https://data.dgl.ai/wheels/repo.html", "DGL's page of links", None),
        ("https://pypi.nvidia.com", "NVIDIA's index", None),
    ],
)
def test_an_url_is_known_with_its_build(url: str, title: str, tag: str | None) -> None:
    found = PUBLISHED.site(url)
    assert found
    assert (found[0].title, found[1].groupdict().get("tag")) == (title, tag)


@pytest.mark.parametrize(
    "url",
    [
        "https://wheels.example.org/simple",
        "https://mirrors.aliyun.com/pytorch-wheels/cu118",
        "https://test.pypi.org/simple",
        "https://download.pytorch.org/whl/${CUDA}",
        "https://notpypi.org/simple",
    ],
)
def test_an_url_of_which_nothing_is_known_is_none(url: str) -> None:
    assert PUBLISHED.site(url) is None


@pytest.mark.parametrize(
    ("version", "label", "torch"),
    [
        ("2.1.0+cu118", "cu118", ""),
        ("2.0.1+cu117.with.pypi.cudnn", "cu117", ""),
        ("2.1.0+pt113cu117", "cu117", "1.13.0"),
        ("0.4.23+cuda12.cudnn89", "cuda12", ""),
        ("0.2.56+cpuavx2", "cpu", ""),
        ("2.0.1+rocm5.4.2", "rocm5.4.2", ""),
        ("1.13.1+computecanada", "", ""),
        ("0.9.0a0+33b2469", "", ""),
        ("2.1.0", "", ""),
    ],
)
def test_a_label_names_its_build(version: str, label: str, torch: str) -> None:
    assert (label_of(version), torch_of(version)) == (label, torch)


@pytest.mark.parametrize(
    ("requirement", "release", "is_allowed"),
    [
        ("torch==2.1", "2.1.0", True),
        ("torch===2.1.0", "2.1.0", True),
        ("torch==2.1.*", "2.1.2", True),
        ("torch==2.1.*", "2.10.0", False),
        ("torch!=2.1.0", "2.1.0", False),
        ("torch!=2.1.*", "2.2.0", True),
        ("torch[extra]~=2.1.1", "2.1.2", True),
        ("torch~=2.1", "2.9.0", True),
        ("torch~=2.1.1", "2.2.0", False),
        ("torch (>=1.13,<2.1) ; python_version > '3.8'", "2.0.1", True),
        ("torch>=1.13,<2.1 --hash=sha256:00", "2.1.0", False),
        ("torch>2.1", "2.1.0", False),
        ("torch<=2.1", "2.1.0", True),
        ("torch==2.1.0+cu118", "2.1.0", True),
        ("torch", "9.9", True),
        ("torch @ https://example.org/torch.whl", "9.9", True),
    ],
)
def test_clauses_are_read_by_their_numbers(
    requirement: str, release: str, is_allowed: bool
) -> None:
    clauses = clauses_of(requirement)
    assert all(clause.allows(numbers(release)) for clause in clauses) is is_allowed
