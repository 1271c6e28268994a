"""The CUDA release that the number of a library's file tells of."""

from __future__ import annotations

import pytest

from reconciler import catalog
from reconciler.builds.captures import cuda_of


@pytest.mark.parametrize(
    ("component", "number", "release"),
    [
        ("cuda-runtime", "12.4.127", "12.4"),
        # NVIDIA, CUPTI of CUDA 13.0: libcupti.so.13 is a link to libcupti.so.2025.3.1
        ("cuda-cupti", "2025.3.1", "None"),
        ("cuda-runtime", "4.0.0", "None"),
        ("cuda-runtime", "", "None"),
    ],
)
def test_a_number_that_no_cuda_has_is_a_part_s_own(
    component: str, number: str, release: str
) -> None:
    assert str(cuda_of(component, number, catalog.load())) == release
