from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from lab.elf_stub import stub_library
from lab.fatbin_stub import container, entry, gpu_library

from reconciler.collect import collect
from reconciler.collect.architecture_cache import load, save, stamp_of
from reconciler.collect.architectures import Architectures, read_architectures
from reconciler.collect.ground import EvidenceWanted, Ground
from reconciler.model.gpu_code import GpuArchitecture, GpuCode, LibraryGpuCode
from reconciler.model.snapshot import Fact, Target

from .trees import PYTHON_RECORD, SITE, conda_prefix, dist_info, look, write

if TYPE_CHECKING:
    from pathlib import Path

CUBLAS, TORCH = "lib/libcublas.so.12", f"{SITE}/torch/lib/libtorch_cuda.so"
WANTED = EvidenceWanted(
    libraries=frozenset({"libcublas"}), library_paths=frozenset({"torch/lib/libtorch_cuda.so"})
)
AMPERE = gpu_library(container(entry("sass", 80), entry("ptx", 80)))
HOPPER = gpu_library(container(entry("sass", 90, "a")))
HOPPER_CODE = (GpuCode(kind="sass", architecture=GpuArchitecture(90, "a"), entries=1),)


def environment(folder: Path, *, cublas: bytes = AMPERE, torch: bytes = HOPPER) -> Path:
    """A conda prefix with cuBLAS of conda's and PyTorch of pip's."""
    prefix = conda_prefix(folder, PYTHON_RECORD, {"name": "libcublas", "files": [CUBLAS]})
    dist_info(prefix, "torch", "2.9.0", RECORD="torch/lib/libtorch_cuda.so,,\n")
    return write(prefix, {CUBLAS: cublas, TORCH: torch})


def architectures(
    prefix: Path | None, *, wanted: EvidenceWanted = WANTED, cache: Path | None = None
) -> Architectures:
    snapshot = look(prefix, Fact.RECORDS, Fact.PYTHON, Fact.DISTRIBUTIONS)
    return read_architectures(snapshot, wanted, cache=str(cache) if cache else None)


def named(found: Architectures) -> dict[str, list[str]]:
    return {library.path: [str(code) for code in library.code] for library in found.libraries}


def test_the_libraries_that_are_wanted_are_read(tmp_path: Path) -> None:
    assert named(architectures(environment(tmp_path))) == {
        CUBLAS: ["compute_80", "sm_80"],
        TORCH: ["sm_90a"],
    }


def test_what_is_not_wanted_is_not_read(tmp_path: Path) -> None:
    wanted = EvidenceWanted(libraries=frozenset({"libcublas"}))
    found = architectures(environment(tmp_path, torch=b"damaged"), wanted=wanted)

    assert (list(named(found)), found.unread) == ([CUBLAS], {})


def test_a_library_that_nobody_owns_is_not_read(tmp_path: Path) -> None:
    prefix = write(conda_prefix(tmp_path, PYTHON_RECORD), {CUBLAS: AMPERE})

    assert architectures(prefix) == Architectures()


def test_a_library_without_code_for_gpus_is_known_to_have_none(tmp_path: Path) -> None:
    found = architectures(environment(tmp_path, cublas=stub_library("libcublas.so.12")))

    assert found.libraries[0] == LibraryGpuCode(path=CUBLAS)


def test_a_library_that_is_gone_is_left_out(tmp_path: Path) -> None:
    prefix = environment(tmp_path)
    (prefix / CUBLAS).unlink()
    found = architectures(prefix)

    assert (list(named(found)), found.unread) == ([TORCH], {})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"INPUT(-lc)", "no ELF file of 64 bits"),
        (AMPERE[:-1], "its section headers are truncated"),
    ],
)
def test_one_damaged_library_does_not_hide_the_others(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    found = architectures(environment(tmp_path, cublas=content))

    assert named(found) == {TORCH: ["sm_90a"]}
    assert list(found.unread) == [CUBLAS]
    assert reason in found.unread[CUBLAS]


def test_a_folder_in_place_of_a_library_is_told(tmp_path: Path) -> None:
    prefix = environment(tmp_path)
    (prefix / CUBLAS).unlink()
    (prefix / CUBLAS).mkdir()

    assert architectures(prefix).unread == {CUBLAS: "not a regular file"}


def test_without_an_environment_nothing_is_read() -> None:
    assert architectures(None) == Architectures()


def test_a_library_tells_its_architectures_of_one_kind(tmp_path: Path) -> None:
    cublas, torch = architectures(environment(tmp_path)).libraries

    assert cublas.architectures("ptx") == (GpuArchitecture(80),)
    assert torch.architectures("ptx") == ()


def test_what_was_read_is_remembered(tmp_path: Path) -> None:
    prefix, cache = environment(tmp_path / "env"), tmp_path / "cache"

    first = architectures(prefix, cache=cache)

    assert len(load(str(cache), str(prefix))) == 2
    assert architectures(prefix, cache=cache) == first


def test_a_remembered_library_is_not_read_again(tmp_path: Path) -> None:
    prefix, cache = environment(tmp_path / "env", cublas=b"damaged"), tmp_path / "cache"
    stamp = stamp_of(f"{prefix}/{CUBLAS}")
    assert stamp is not None
    save(str(cache), str(prefix), {stamp: HOPPER_CODE})

    assert named(architectures(prefix, cache=cache))[CUBLAS] == ["sm_90a"]


def test_a_library_that_was_replaced_is_read_again(tmp_path: Path) -> None:
    prefix, cache = environment(tmp_path / "env"), tmp_path / "cache"
    architectures(prefix, cache=cache)
    write(prefix, {CUBLAS: HOPPER})

    assert named(architectures(prefix, cache=cache))[CUBLAS] == ["sm_90a"]
    assert len(load(str(cache), str(prefix))) == 2


def test_a_library_that_cannot_be_read_is_not_remembered(tmp_path: Path) -> None:
    prefix, cache = environment(tmp_path / "env", cublas=b"damaged"), tmp_path / "cache"
    architectures(prefix, cache=cache)

    assert [stamp.path for stamp in load(str(cache), str(prefix))] == [f"{prefix}/{TORCH}"]


def test_a_second_look_does_not_write(tmp_path: Path) -> None:
    prefix, cache = environment(tmp_path / "env"), tmp_path / "cache"
    architectures(prefix, cache=cache)
    (file,) = (path for path in cache.rglob("*.json"))
    before = file.stat().st_ino

    architectures(prefix, cache=cache)

    assert file.stat().st_ino == before


def test_a_cache_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    prefix = environment(tmp_path / "env")
    (tmp_path / "file").write_text("")

    assert len(architectures(prefix, cache=tmp_path / "file").libraries) == 2


KERNELS = EvidenceWanted(kernel_libraries=frozenset({"libtorch_cuda"}))
FACTS = (Fact.RECORDS, Fact.PYTHON, Fact.DISTRIBUTIONS, Fact.ARCHITECTURES)


def test_nothing_is_read_where_no_gpu_is_known(tmp_path: Path) -> None:
    snapshot = look(environment(tmp_path), *FACTS, wanted=KERNELS)

    assert (snapshot.gpu_code, snapshot.gaps) == ((), ())


@pytest.mark.parametrize(
    ("torch", "code", "gaps"), [(HOPPER, [HOPPER_CODE], []), (AMPERE[:-1], [], [TORCH])]
)
def test_for_a_gpu_that_is_named_the_kernels_are_read_and_kept_nowhere_but_in_the_cache(
    tmp_path: Path, torch: bytes, code: list[tuple[GpuCode, ...]], gaps: list[str]
) -> None:
    prefix = environment(tmp_path / "env", torch=torch)
    target = Target(project="/project", prefix=str(prefix), platform="linux-64", gpus=("sm_90",))
    ground = Ground(target=target, environ={}, wanted=KERNELS, root=str(tmp_path))
    snapshot = collect(ground, FACTS, envfix="0")

    assert [library.code for library in snapshot.gpu_code] == code
    assert [gap.item for gap in snapshot.gaps] == gaps
