"""NVIDIA's library of functions for the compilers of the GPU, which is read and never mapped."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from reconciler.model.run import Run

FOLDER = "nvvm/libdevice"
FILE = f"{FOLDER}/libdevice.10.bc"


class Libdevice(Struct, frozen=True, kw_only=True):
    """Who looks for libdevice in vain, and how it would be there."""

    #: The starts that find all of CUDA's libraries and not this.
    lacking: tuple[Run, ...]
    #: The roots of toolkits that have it, and that these do not look into.
    elsewhere: tuple[str, ...]
    #: The path of a copy that lies in no such root: conda's cudatoolkit has it among its libraries.
    loose: str | None
    #: The requirement of the wheel that brings it for each of these Consumers' CUDA.
    wheels: Mapping[str, str]
