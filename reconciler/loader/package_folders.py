"""The folders of packages whose names decide what a framework opens.

What ``loader.frameworks`` lists and globs below sys.path; their libraries' own folders are surveyed
anyway.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.loader.tree import Tree

#: The import packages of the frameworks.
PACKAGES = frozenset(
    (
        *("bitsandbytes", "ctranslate2", "cuda", "cupy", "cupy_backends", "jax_plugins", "jaxlib"),
        *("numba", "numba_cuda", "nvidia", "onnxruntime", "tensorflow", "torch"),
    )
)
#: jax_cuda12_plugin.
BEGINNING = "jax_cuda"
#: A toolkit's root beside a library, in which XLA looks for libdevice.
_ROOT = "cuda"
#: Of NVIDIA's wheels: headers by the thousand.
HEADERS = "include"
#: nvidia/cuda_nvcc/nvvm/libdevice.
DEPTH = 3


def folders(tree: Tree, directories: Iterable[str], libraries: Iterable[str]) -> Iterator[str]:
    """Yield the folders below the directories of packages, which are of sys.path, and these.

    ``libraries`` are the paths of libraries. All paths are absolute.
    """
    inside = {posixpath.dirname(path) for path in libraries}
    for directory in directories:
        yield directory
        packages = [one for one in tree.names(directory) if _is_framework(one)]
        for package in packages:
            folder = posixpath.join(directory, package)
            yield folder
            if package == "nvidia":
                yield from _below(tree, folder, DEPTH)
            for each in _between(folder, inside):
                yield each
                # jax_plugins/xla_cuda12/cuda/nvvm/libdevice, beside the plugin
                if _ROOT in tree.names(each):
                    yield posixpath.join(each, _ROOT)
                    yield from _below(tree, posixpath.join(each, _ROOT), DEPTH - 1)


def _is_framework(name: str) -> bool:
    return name in PACKAGES or name.startswith(BEGINNING)


def _below(tree: Tree, folder: str, depth: int) -> Iterator[str]:
    for name in tree.names(folder) if depth else ():
        # A file has no names in it; one with a suffix is not even asked.
        if name != HEADERS and "." not in name:
            yield posixpath.join(folder, name)
            yield from _below(tree, posixpath.join(folder, name), depth - 1)


def _between(folder: str, inside: Iterable[str]) -> Iterator[str]:
    """Yield the folders that lie in one and hold libraries, and those between."""
    for each in inside:
        while each.startswith(f"{folder}/"):
            yield each
            each = posixpath.dirname(each)  # noqa: PLW2901 - up to the package
