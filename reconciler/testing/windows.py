"""The part of a sketch that the loader of Windows sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from reconciler.loader.windows_search import is_absolute, slashed
from reconciler.model.windows_image import WindowsImage
from reconciler.model.windows_view import WindowsView
from reconciler.testing.loader import PREFIX, directories, own_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.testing.loader import Items

SITE = "Lib/site-packages"
PYTHON = f"{PREFIX}/python.exe"


def view(items: Items, variables: Mapping[str, str]) -> WindowsView:
    """Return what the loader may come to; a shell that has SystemRoot is one of a Windows."""
    images = {_placed(name): _image(_placed(name), given or {}) for name, given in items.items()}
    is_here = "SystemRoot" in variables
    return WindowsView(
        python=PYTHON,
        machine=0x8664,
        is_here=is_here,
        root=slashed(variables.get("SystemRoot", "C:/Windows")),
        variables=variables if is_here else {},
        directories=directories((PYTHON, *images)),
        images=tuple(images.values()),
    )


def _placed(path: str) -> str:
    return path if is_absolute(path) else f"{PREFIX}/{path}"


def _image(path: str, fields: dict[str, Any]) -> WindowsImage:
    return msgspec.convert({"path": path} | own_fields(fields), WindowsImage)
