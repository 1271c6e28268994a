"""What CUDA Python's bindings open, each as it is first called: through cuda-pathfinder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.loader.frameworks import pathfinder

if TYPE_CHECKING:
    from reconciler.loader.frameworks.stage import Stage

NAME = "cuda-python"


def play(stage: Stage) -> None:
    """Call each binding once."""
    row = stage.step(NAME, "bindings")
    for name in row.opens if row else ():
        pathfinder.load(stage, name, is_optional=True)
