"""The image that a container is built from, and the CUDA in it."""

from __future__ import annotations

from msgspec import Struct

from reconciler.model.cuda import CudaVersion
from reconciler.model.manifest import Declared
from reconciler.model.row import Row


class Image(Row, frozen=True, kw_only=True):
    """An image that brings CUDA, and what its tags say."""

    #: Without the tag: ``nvidia/cuda``.
    name: str
    #: A regular expression of tags, whose group ``cuda`` is the release.
    cuda: str
    #: A regular expression of the tags that have nvcc.
    compiler: str
    #: The name of a Consumer that is installed in it.
    framework: str = ""
    #: A regular expression of tags, whose group ``release`` is the framework's version.
    release: str = ""
    source: str


class BaseImage(Struct, frozen=True, kw_only=True):
    """The image that an install set is built from."""

    at: Declared
    cuda: CudaVersion
    has_compiler: bool
    #: The name of the Consumer that it brings, with its version; "" for none.
    framework: str = ""
    release: str = ""
