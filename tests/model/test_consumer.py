"""A consumer of CUDA whose wheels have it in their names."""

import pytest

from reconciler import catalog


@pytest.mark.parametrize(
    ("package", "major", "sibling"),
    [
        ("cupy-cuda12x", 11, "cupy-cuda11x"),
        ("cupy-cuda110", 12, "cupy-cuda12x"),
        ("cupy-cuda12x", 10, "cupy-cuda100"),
        ("cupy-cuda12x", 7, None),
        ("cupy", 12, None),
    ],
)
def test_the_wheel_for_all_of_a_major_comes_before_those_of_one_release(package, major, sibling):
    cupy = catalog.load().consumers["cupy"]

    assert cupy.sibling(package, major) == sibling
