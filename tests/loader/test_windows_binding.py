"""Which procedures of Windows' libraries are not where they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loader.pe_stub import stub_image
from loader.test_pe import reader
from reconciler.loader import pe
from reconciler.loader.windows import Process
from reconciler.loader.windows_binding import MissingProcedure, missing_procedures
from reconciler.loader.windows_search import Site
from reconciler.loader.windows_tree import PlainWindowsTree

if TYPE_CHECKING:
    from collections.abc import Collection

    from reconciler.model.windows_image import Imported

PYTHON, EXTENSION = "C:/env/python.exe", "C:/env/Lib/cupy/jitify.pyd"
NVRTC = "C:/env/nvrtc64_120_0.dll"
ASKED = ("nvrtcCreateProgram", "nvrtcGetCUBIN", "#7")


class Bytes:
    """The symbols of files that are given as bytes."""

    def __init__(self, contents: dict[str, bytes]) -> None:
        self._contents = contents

    def imported(self, path: str) -> Collection[Imported]:
        return pe.imported(reader(self._contents[path]))

    def exports(self, path: str) -> Collection[str] | None:
        return pe.exports(reader(self._contents[path])) if path in self._contents else None


def missing(*exports: str) -> tuple[MissingProcedure, ...]:
    contents = {
        PYTHON: stub_image({"KERNEL32.dll": ("LoadLibraryW",)}),
        EXTENSION: stub_image({"NVRTC64_120_0.dll": ASKED, "kernel32.dll": ("Sleep",)}),
        NVRTC: stub_image(exports=exports),
    }
    images = {path: pe.read(path, reader(content)) for path, content in contents.items()}
    process = Process(PlainWindowsTree(images), Site(python=PYTHON, version=(3, 12)))
    opened = process.open(EXTENSION)
    assert opened.error is None
    return missing_procedures((*process.answers, *opened.answers), Bytes(contents))


def test_an_older_library_lacks_what_is_asked_of_it() -> None:
    assert missing("nvrtcCreateProgram")[-1] == MissingProcedure(
        name="nvrtcGetCUBIN", asked_by=EXTENSION, library=NVRTC
    )


def test_nothing_is_missing_where_all_names_are_exported() -> None:
    assert missing("nvrtcGetCUBIN", "nvrtcCreateProgram", "more") == ()
