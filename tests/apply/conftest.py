"""The projects that the tests of this folder write to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from apply.scene import BEFORE, Scene, scene

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def made(tmp_path: Path) -> Scene:
    """A project of four files."""
    return scene(tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The one file of a project."""
    path = tmp_path / "project" / "environment.yml"
    path.parent.mkdir()
    path.write_bytes(BEFORE)
    return path
