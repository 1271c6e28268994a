"""What CTranslate2 opens for a model on a GPU: cuBLAS, by name (src/cuda/cublas_stub.cc).

Its wheel has the runtime linked in and cuDNN's first half beside it; nothing leads to the wheels of
NVIDIA, so that torch, LD_LIBRARY_PATH or the system has to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.loader.frameworks.stage import Stage

NAME = "ctranslate2"


def play(stage: Stage) -> None:
    """Import CTranslate2 and run a model on a GPU."""
    package = stage.package("ctranslate2")
    if package is None:
        stage.fail("ctranslate2 is not installed")
    module = stage.module(package, "_ext", because="import ctranslate2 loads its native code")
    caller = stage.mapped("libctranslate2") or module
    row = stage.step(NAME, "libraries")
    if row is not None:
        because = "CTranslate2 opens cuBLAS for its first model on a GPU, and fails without it"
        stage.open(*row.opens, caller=caller, because=because)
    cudnn, inner = stage.step(NAME, "cudnn"), stage.mapped("libcudnn-")
    if cudnn is not None and inner is not None:
        because = "CTranslate2's own cuDNN opens its other half for models that hear or see"
        stage.open(*cudnn.opens, caller=inner, is_optional=True, because=because)
