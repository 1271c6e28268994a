from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from lab.elf_stub import stub_library

from reconciler.collect.ground import EvidenceWanted
from reconciler.model.library import SharedLibrary
from reconciler.model.snapshot import Fact

from .trees import PYTHON_RECORD, SITE, conda_prefix, dist_info, look, reasons, write

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.model.snapshot import Snapshot

CUDART = "lib/libcudart.so.12"
WANTED = EvidenceWanted(
    libraries=frozenset({"libcudart"}),
    library_paths=frozenset({"torch/lib/libtorch_cuda.so"}),
)
STUB = stub_library("libcudart.so.12", ("libc.so.6",), runpath="$ORIGIN")


def libraries(prefix: Path) -> Snapshot:
    facts = (Fact.RECORDS, Fact.PYTHON, Fact.DISTRIBUTIONS, Fact.LIBRARIES)
    return look(prefix, *facts, wanted=WANTED)


def paths(prefix: Path) -> list[str]:
    return [library.path for library in libraries(prefix).libraries]


def owning(folder: Path, *files: str) -> Path:
    """A conda prefix with a package that owns these files."""
    return conda_prefix(folder, PYTHON_RECORD, {"name": "cuda-cudart", "files": files})


def test_a_library_that_nobody_owns_is_not_looked_for(tmp_path: Path) -> None:
    assert paths(write(conda_prefix(tmp_path), {CUDART: STUB})) == []


@pytest.mark.parametrize(
    "path", ["lib/libcudartx.so", "lib/cudart.txt", "lib/libcudart.a", "include/libcudart_so.h"]
)
def test_a_file_that_is_no_evidence_is_not_read(tmp_path: Path, path: str) -> None:
    assert paths(write(owning(tmp_path, path), {path: STUB})) == []


def test_a_library_of_a_record_is_read(tmp_path: Path) -> None:
    snapshot = libraries(write(owning(tmp_path, CUDART), {CUDART: STUB}))

    assert snapshot.libraries == (
        SharedLibrary(
            path=CUDART, soname="libcudart.so.12", needed=("libc.so.6",), runpath="$ORIGIN"
        ),
    )


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("nvidia/cuda_runtime/lib/libcudart.so.12,sha256=x,1", "nvidia/cuda_runtime/lib/libcudart.so.12"),
        ('"odd, name/libcudart.so.12",,', "odd, name/libcudart.so.12"),
        ("torch/lib/libtorch_cuda.so,,", "torch/lib/libtorch_cuda.so"),
        ("torch.libs/libcudart-9335f6a2.so.12,,", None),
        ("cupy/lib/libtorch_cuda.so,,", None),
    ],
)  # fmt: skip
def test_a_library_of_a_record_file_is_read_if_it_is_evidence(
    tmp_path: Path, line: str, path: str | None
) -> None:
    prefix = dist_info(conda_prefix(tmp_path, PYTHON_RECORD), "torch", "2.1", RECORD=f"{line}\n")
    if path:
        write(prefix, {f"{SITE}/{path}": STUB})

    assert paths(prefix) == ([f"{SITE}/{path}"] if path else [])


def test_a_library_of_two_owners_is_read_once(tmp_path: Path) -> None:
    path = f"{SITE}/torch/lib/libcudart.so.12"
    prefix = dist_info(
        owning(tmp_path, path), "torch", "2.1", RECORD="torch/lib/libcudart.so.12,,\n"
    )

    assert paths(write(prefix, {path: STUB})) == [path]


def test_a_library_that_is_recorded_and_not_there_is_no_gap(tmp_path: Path) -> None:
    snapshot = libraries(owning(tmp_path, CUDART))

    assert (snapshot.libraries, snapshot.gaps) == ((), ())


@pytest.mark.parametrize("content", [b"", b"INPUT(-lcudart)", STUB[:100], STUB[:-40]])
def test_what_is_no_library_is_a_gap_and_the_others_are_read(
    tmp_path: Path, content: bytes
) -> None:
    other = "lib/libcudart.so.11.0"
    prefix = write(owning(tmp_path, CUDART, other), {CUDART: content, other: STUB})

    snapshot = libraries(prefix)

    assert [library.path for library in snapshot.libraries] == [other]
    assert list(reasons(snapshot)) == [CUDART]


def test_a_pipe_in_place_of_a_library_is_a_gap(tmp_path: Path) -> None:
    prefix = owning(tmp_path, CUDART)
    os.mkfifo(prefix / CUDART)

    assert reasons(libraries(prefix)) == {CUDART: "not a regular file"}


def test_a_circle_of_links_in_place_of_a_library_is_a_gap(tmp_path: Path) -> None:
    prefix = owning(tmp_path, CUDART)
    (prefix / CUDART).symlink_to("libcudart.so.12")

    assert list(reasons(libraries(prefix))) == [CUDART]


def test_a_link_to_a_library_is_followed(tmp_path: Path) -> None:
    prefix = write(owning(tmp_path, CUDART), {"lib/libcudart.so.12.4.127": STUB})
    (prefix / CUDART).symlink_to("libcudart.so.12.4.127")

    assert paths(prefix) == [CUDART]


def test_a_path_with_a_null_byte_is_a_gap(tmp_path: Path) -> None:
    assert list(reasons(libraries(owning(tmp_path, "lib/\0/libcudart.so")))) == [
        "lib/\0/libcudart.so"
    ]


def test_no_environment_is_a_gap() -> None:
    assert reasons(look(None, Fact.LIBRARIES)) == {None: "no environment to look at"}
