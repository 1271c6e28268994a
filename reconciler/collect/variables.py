"""The variables of the shell that matter to Python, the loader, CUDA and the managers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.collect.ground import Found
from reconciler.collect.secrets import masked_variable
from reconciler.model.kept_variables import is_kept
from reconciler.model.os_name import from_os

if TYPE_CHECKING:
    from reconciler.collect.ground import Ground
    from reconciler.model.snapshot import Snapshot


def collect(ground: Ground, snapshot: Snapshot) -> Found:
    """Keep the variables that matter, without the credentials in them."""
    return Found(
        value={
            from_os(name): masked_variable(name, from_os(value))
            for name, value in sorted(ground.environ.items())
            if is_kept(name)
        }
    )
