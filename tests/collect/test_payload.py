from __future__ import annotations

import base64
import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from reconciler import catalog
from reconciler.collect import payload
from reconciler.collect.ground import EvidenceWanted, Ground
from reconciler.model.snapshot import Fact
from reconciler.world import World

from .trees import SITE, conda_prefix, dist_info, look, reasons, venv, write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reconciler.model.library import PayloadFile
    from reconciler.model.snapshot import Snapshot

FACTS = (Fact.RECORDS, Fact.PYTHON, Fact.DISTRIBUTIONS, Fact.PAYLOAD)
WANTED = EvidenceWanted(libraries=frozenset({"libnccl"}))
LIBRARY = "nvidia/nccl/lib/libnccl.so.2"


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    return venv(tmp_path / "venv")


def line(path: str, content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(content)}\n"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def install(prefix: Path, name: str, files: Mapping[str, bytes], version: str = "1.0") -> None:
    record = "".join(line(path, content) for path, content in files.items())
    dist_info(prefix, name, version, RECORD=record, INSTALLER="pip\n")
    write(prefix / SITE, files)


def seen(prefix: Path, wanted: EvidenceWanted = WANTED) -> Mapping[str, PayloadFile]:
    snapshot = look(prefix, *FACTS, wanted=wanted)
    assert snapshot.gaps == ()
    return {file.path.removeprefix(f"{SITE}/"): file for file in snapshot.payload}


def world(snapshot: Snapshot) -> World:
    return World(snapshot, catalog.load())


def test_no_environment_is_a_gap_of_all_files() -> None:
    assert reasons(look(None, Fact.PAYLOAD)) == {None: "no environment to look at"}


def test_of_a_healthy_wheel_one_module_and_its_cuda_libraries_are_looked_at(prefix: Path) -> None:
    files = {"torch/__init__.py": b"x", "torch/_C.so": b"x", "torch/lib/libnccl.so.2": b"lib"}
    install(prefix, "torch", files)

    found = seen(prefix)

    assert {path: file.size for path, file in found.items()} == {
        "torch/__init__.py": 1,
        "torch/lib/libnccl.so.2": 3,
    }
    assert {file.sha256 for file in found.values()} == {None}


def test_a_library_that_two_wheels_dispute_is_hashed_where_the_sizes_are_equal(
    prefix: Path,
) -> None:
    install(prefix, "nvidia_nccl_cu11", {LIBRARY: b"11"})
    install(prefix, "nvidia_nccl_cu12", {LIBRARY: b"12"})

    assert seen(prefix)[LIBRARY].sha256 == sha256(b"12")


def test_a_library_is_not_hashed_where_its_size_tells_who_won(prefix: Path) -> None:
    install(prefix, "nvidia_nccl_cu11", {LIBRARY: b"eleven"})
    install(prefix, "nvidia_nccl_cu12", {LIBRARY: b"12"})

    found = seen(prefix)[LIBRARY]

    assert (found.size, found.sha256) == (2, None)


@pytest.mark.parametrize("limit", ["HASH_LIMIT", "HASHED_IN_ALL"])
def test_a_large_file_is_not_hashed(
    prefix: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(payload, limit, 1)
    install(prefix, "nvidia_nccl_cu11", {LIBRARY: b"11"})
    install(prefix, "nvidia_nccl_cu12", {LIBRARY: b"12"})

    assert seen(prefix)[LIBRARY].sha256 is None


@pytest.mark.parametrize("content", [b"", b"# the namespace of NVIDIA\n"])
def test_what_wheels_share_alike_is_left_alone(prefix: Path, content: bytes) -> None:
    for name in ("nvidia_nccl_cu12", "nvidia_cublas_cu12"):
        install(prefix, name, {f"nvidia/{name}.so": b"x", "nvidia/__init__.py": content})

    snapshot = look(prefix, *FACTS)

    assert world(snapshot).shared_files == ()
    assert {file.path for file in snapshot.payload} <= {f"{SITE}/nvidia/__init__.py"}


def test_where_a_library_is_gone_all_files_of_its_wheel_are_looked_at(prefix: Path) -> None:
    install(prefix, "nvidia_nccl_cu12", {LIBRARY: b"12", "nvidia/nccl/include/nccl.h": b"h"})
    (prefix / SITE / LIBRARY).unlink()

    found = seen(prefix)

    assert found[LIBRARY].size is None
    assert found["nvidia/nccl/include/nccl.h"].size == 1


def test_a_link_is_looked_at_through_and_a_dangling_one_is_gone(prefix: Path) -> None:
    install(prefix, "nvidia_nccl_cu12", {LIBRARY: b"12"})
    path = prefix / SITE / LIBRARY
    path.rename(path.with_name("real"))
    path.symlink_to("real")
    linked = seen(prefix)[LIBRARY]
    path.with_name("real").unlink()

    assert (linked.size, linked.is_link) == (2, True)
    assert seen(prefix)[LIBRARY].size is None


def test_what_cannot_be_looked_at_is_a_gap_and_not_gone(prefix: Path) -> None:
    install(prefix, "nvidia_nccl_cu12", {LIBRARY: b"12"})
    (prefix / SITE / LIBRARY).unlink()
    (prefix / SITE / LIBRARY).symlink_to("libnccl.so.2")

    snapshot = look(prefix, *FACTS, wanted=WANTED)

    assert list(reasons(snapshot)) == [f"{SITE}/{LIBRARY}"]
    assert snapshot.payload == ()


def test_a_pipe_is_not_waited_for(prefix: Path) -> None:
    install(prefix, "nvidia_nccl_cu11", {LIBRARY: b""})
    install(prefix, "nvidia_nccl_cu12", {LIBRARY: b"12"})
    (prefix / SITE / LIBRARY).unlink()
    os.mkfifo(prefix / SITE / LIBRARY)

    assert seen(prefix)[LIBRARY].sha256 is None


def entry(path: str, content: bytes, **more: Any) -> Mapping[str, Any]:
    known = {"_path": path, "path_type": "hardlink", "size_in_bytes": len(content)}
    return {**known, "sha256": sha256(b"package"), "sha256_in_prefix": sha256(content), **more}


def conda(tmp_path: Path, *entries: Mapping[str, Any], files: tuple[str, ...] = ()) -> Path:
    """Write conda's six, over which pip's was installed."""
    python = {"name": "python", "version": "3.11.7", "build": "0", "subdir": "linux-64"}
    six = {"name": "six", "version": "1.0", "build": "0", "subdir": "noarch"}
    six |= {
        "files": [f"{SITE}/six.py", f"{SITE}/six-1.0.dist-info/METADATA", *files],
        "paths_data": {"paths": list(entries), "paths_version": 1},
    }
    prefix = conda_prefix(tmp_path / "conda", python)
    write(prefix, {"conda-meta/six-1.0-0.json": json.dumps(six)})
    install(prefix, "six", {"six.py": b"pip's"}, version="2.0")
    return prefix


@pytest.mark.parametrize("path", ["site-packages/six.py", f"{SITE}/six.py"])
def test_what_conda_recorded_of_a_disputed_file_is_read_in_each_dialect(
    tmp_path: Path, path: str
) -> None:
    found = seen(conda(tmp_path, entry(path, b"conda")))

    (claim,) = found["six.py"].recorded
    assert (claim.owner, claim.size) == ("conda-meta/six-1.0-0.json", 5)
    assert found["six.py"].sha256 == sha256(b"pip's")


def test_rattler_records_no_second_hash_of_a_plain_file(tmp_path: Path) -> None:
    found = seen(conda(tmp_path, entry(f"{SITE}/six.py", b"conda", sha256_in_prefix=None)))

    assert found["six.py"].recorded[0].sha256 == sha256(b"package")


def test_the_size_of_a_file_with_a_prefix_in_it_is_not_that_of_the_package(tmp_path: Path) -> None:
    found = seen(conda(tmp_path, entry(f"{SITE}/six.py", b"conda", prefix_placeholder="/opt")))

    (claim,) = found["six.py"].recorded
    assert (claim.size, claim.sha256) == (None, sha256(b"conda"))


def test_neither_hash_nor_size_of_a_link_is_that_of_a_file(tmp_path: Path) -> None:
    prefix = conda(tmp_path, entry(f"{SITE}/six.py", b"conda", path_type="softlink"))

    assert "six.py" not in [path for path, file in seen(prefix).items() if file.recorded]


@pytest.mark.parametrize("text", ["", "[]", '{"paths_data": {"paths": [{}]}}', "[" * 10_000])
def test_a_record_that_turned_to_garbage_is_a_gap_of_the_disputes_alone(
    tmp_path: Path, text: str
) -> None:
    prefix = conda(tmp_path)
    known = look(prefix, *FACTS[:-1])
    (prefix / "conda-meta/six-1.0-0.json").write_text(text)

    found = payload.collect(Ground(target=known.target, environ={}, wanted=WANTED), known)

    assert [gap.item for gap in found.gaps] == ["conda-meta/six-1.0-0.json"]


def test_scripts_of_a_noarch_package_lie_in_bin(tmp_path: Path) -> None:
    prefix = conda(tmp_path, entry("python-scripts/six", b"conda"), files=("bin/six",))
    record = line("../../../bin/six", b"pip's") + line("six.py", b"pip's")
    dist_info(prefix, "six", "2.0", RECORD=record, INSTALLER="pip\n")
    write(prefix, {"bin/six": "pip's"})

    assert seen(prefix)["bin/six"].recorded[0].size == 5


def test_the_files_of_a_record_whose_dist_info_is_gone_are_looked_at(tmp_path: Path) -> None:
    prefix = conda(tmp_path, files=(f"{SITE}/six_more.py",))

    assert seen(prefix)["six_more.py"].size is None


def test_nothing_of_a_healthy_environment_is_hashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = conda_prefix(tmp_path / "conda", {"name": "nccl", "files": ["lib/libnccl.so.2"]})
    write(prefix, {"lib/libnccl.so.2": b"x"})
    monkeypatch.setattr(payload.files, "sha256", pytest.fail)

    assert list(seen(prefix)) == ["lib/libnccl.so.2"]
