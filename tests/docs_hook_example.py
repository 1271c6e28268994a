"""The environment of the page on hooks: CTranslate2 of PyPI, and the cuBLAS that it opens by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collect.trees import PYTHON_RECORD, SITE, conda_prefix, dist_info, write
from lab.elf_stub import stub_library, stub_program

if TYPE_CHECKING:
    from pathlib import Path

LOADER = "/lib64/ld-linux-x86-64.so.2"
INNER = "libctranslate2-d3638643.so.4.5.0"
MODULE = "ctranslate2/_ext.cpython-311-x86_64-linux-gnu.so"
CUBLAS = "nvidia/cublas/lib/libcublas.so.12"


def furnish(prefix: Path) -> None:
    """Write a conda environment that is proven to need a hook."""
    conda_prefix(prefix, {**PYTHON_RECORD, "files": ["bin/python"]})
    libraries = {
        "bin/python": stub_program(LOADER, rpath="$ORIGIN/../lib"),
        f"{SITE}/{MODULE}": stub_library(None, [INNER], rpath="$ORIGIN/../ctranslate2.libs"),
        f"{SITE}/ctranslate2.libs/{INNER}": stub_library(INNER),
        f"{SITE}/{CUBLAS}": stub_library("libcublas.so.12", runpath="$ORIGIN"),
    }
    write(prefix, libraries)
    record = f"{MODULE},,\nctranslate2.libs/{INNER},,\n"
    dist_info(prefix, "ctranslate2", "4.5.0", RECORD=record, INSTALLER="pip\n")
    dist_info(prefix, "nvidia_cublas_cu12", "12.4.5.8", RECORD=f"{CUBLAS},,\n", INSTALLER="pip\n")
