"""The rows of the picture: the parts of CUDA that people ask for by name, from the user to the driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CONSUMERS, OTHERS, DRIVER = "consumers", "others", "driver"
#: By component, as the catalog names it; ``toolkit`` is one that stands beside every environment.
_TITLES = {
    CONSUMERS: "Frameworks",
    "cuda-runtime": "CUDA runtime",
    "cublas": "cuBLAS",
    "cudnn": "cuDNN",
    "nccl": "NCCL",
    "nvrtc": "NVRTC",
    "nvjitlink": "nvJitLink",
    OTHERS: "Others",
    "toolkit": "Toolkit",
    DRIVER: "Driver",
}
#: Those of the other parts whose names are not their component's own.
_OTHER_TITLES = {
    "cufft": "cuFFT",
    "cupti": "CUPTI",
    "curand": "cuRAND",
    "cusolver": "cuSOLVER",
    "cusparse": "cuSPARSE",
    "cusparselt": "cuSPARSELt",
    "cufile": "cuFile",
    "npp": "NPP",
    "nvjpeg": "nvJPEG",
    "nvshmem": "NVSHMEM",
    "nvtx": "NVTX",
    "nvvm": "NVVM",
    "tensorrt": "TensorRT",
}


class Row(Struct, frozen=True, kw_only=True):
    """A row of the picture."""

    key: str
    title: str


def rank_of(row: str) -> int:
    """Return how far from the top a row stands."""
    return tuple(_TITLES).index(row)


def row_of(component: str) -> str:
    """Return the row that a component of CUDA stands in."""
    # libcuda.so.1 is the driver's, and of cuda-compat, which stands in for it.
    if component == "cuda-compat":
        return DRIVER
    return component if component in _TITLES and component != "toolkit" else OTHERS


def title_of(component: str) -> str:
    """Return a component as people write it."""
    return _OTHER_TITLES.get(component) or _TITLES.get(component, component)


def rows_in(used: Iterable[str]) -> Iterator[Row]:
    """Yield the rows that have something in them, from the top."""
    there = {*used}
    yield from (Row(key=key, title=title) for key, title in _TITLES.items() if key in there)
