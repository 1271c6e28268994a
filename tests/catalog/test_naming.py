"""From PyPI's names to conda's: rows about CUDA, and the vendored map."""

from collections import Counter

import msgspec
import pytest

from reconciler import catalog
from reconciler.catalog.names import of_pypi
from reconciler.model.conda_spec import CondaSpec
from reconciler.model.distribution import normalize_name
from reconciler.model.naming import Counterpart

CATALOG = catalog.load()
ROWS = msgspec.json.decode(CATALOG.read("counterparts"), type=tuple[Counterpart, ...])
EACH = pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.pypi}[{row.extra}]")


@EACH
def test_a_row_says_what_serves_or_why_nothing_does(row):
    assert bool(row.conda) != bool(row.why)
    assert row.pypi == normalize_name(row.pypi)
    assert {*row.brought_by} <= {*CATALOG.consumers}


@EACH
def test_the_builds_of_a_row_are_globs_that_conda_reads(row):
    for name in row.conda:
        for build in filter(None, (row.cuda_build, row.cpu_build)):
            assert CondaSpec.parse(f"{name}=*={build}").build == build


def test_a_project_and_each_of_its_extras_has_one_row():
    assert [key for key, n in Counter((r.pypi, r.extra) for r in ROWS).items() if n > 1] == []


@pytest.mark.parametrize("name", [n for m, n in CATALOG.cuda_packages if m == "pip"])
def test_no_wheel_of_cuda_s_own_parts_is_left_to_the_general_map(name):
    is_known = CATALOG.naming.counterpart(name) is not None
    # NVIDIA's own names are nobody else's; the rest is PyPI's and conda-forge's alike.
    assert is_known or not name.startswith("nvidia-") or not CATALOG.naming.on_conda_forge(name)


@pytest.mark.parametrize(
    ("mapping", "same", "others"),
    [
        ({"pyyaml": ["pyyaml"]}, ["pyyaml"], {}),
        # Of two spellings the newer one, or the one that holds nothing else.
        ({"a_b": ["a-b"], "a-b": ["a-b"]}, ["a-b"], {}),
        ({"a.b": ["a-b"], "a_b": ["a-b", "x"]}, ["a.b"], {"x": "a_b"}),
        ({"pytables": ["tables"]}, [], {"tables": "pytables"}),
        # Beside the package that holds it alone, another one brings it along.
        (
            {"pytables": ["tables"], "suite": ["tables", "x"]},
            [],
            {"tables": "pytables", "x": "suite"},
        ),
        ({"one": ["a"], "other": ["a"]}, [], {}),
        ({"ray-core": ["ray", "b", "c", "d"]}, [], {}),
        ({"graphviz": None, "python-graphviz": ["graphviz"]}, [], {"graphviz": "python-graphviz"}),
        ({"libx": ["x"], "y": ["unknown", "z-nightly"]}, [], {}),
    ],
)
def test_the_map_is_turned_around_where_one_package_alone_is_meant(mapping, same, others):
    table = of_pypi(mapping)
    assert (table["same"], table["others"]) == (same, others)
