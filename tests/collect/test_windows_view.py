"""What is collected of an environment of Windows, looked at from anywhere, and what it answers."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

import pytest
from loader.pe_stub import stub_image

from reconciler import catalog, pipeline
from reconciler.collect import windows_view
from reconciler.collect.ground import EvidenceWanted
from reconciler.errors import LoaderUnknownError
from reconciler.model.snapshot import Fact

from .trees import look, reasons, write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reconciler.model.snapshot import Snapshot
    from reconciler.model.which import Which

SITE = "Lib/site-packages"
TORCH = f"{SITE}/torch/lib"
CUDART = "cudart64_12.dll"
KNOWN = catalog.load()
WANTED = EvidenceWanted(windows=KNOWN.windows)
FACTS = tuple(fact for fact in Fact if fact is not Fact.PIP_VIEW)


def wheel(name: str, version: str, files: Mapping[str, bytes]) -> dict[str, str | bytes]:
    """The files of a wheel for Windows, relative to site-packages, and its RECORD."""
    info = f"{name}-{version}.dist-info"
    record = "".join(f"{path},,{len(raw)}\n" for path, raw in files.items())
    return {f"{SITE}/{path}": raw for path, raw in files.items()} | {
        f"{SITE}/{info}/METADATA": f"Name: {name}\nVersion: {version}\n\n",
        f"{SITE}/{info}/RECORD": f"{record}{info}/RECORD,,\n",
        f"{SITE}/{info}/INSTALLER": "pip\n",
    }


def torch(*without: str) -> dict[str, str | bytes]:
    """PyTorch for CUDA 12.4, whose RECORD lists all of its files even where some are gone."""
    needs: dict[str, list[str]] = {
        "c10_cuda.dll": ["CUDART64_12.dll", "KERNEL32.dll", "nvcuda.dll"],
        "torch_cuda.dll": ["c10_cuda.dll", "cublas64_12.dll", "VCRUNTIME140_1.dll"],
        "cublas64_12.dll": ["cublasLt64_12.dll"],
        "cublasLt64_12.dll": ["KERNEL32.dll"],
        CUDART: ["KERNEL32.dll"],
    }
    files = {
        f"torch/lib/{name}": stub_image({one: ["f"] for one in imports})
        for name, imports in needs.items()
    }
    files["torch/__init__.py"] = b""
    files["torch/version.py"] = b"__version__ = '2.5.1+cu124'\ncuda = '12.4'\nhip = None\n"
    gone = {f"{SITE}/torch/{one}" for one in without}
    written = wheel("torch", "2.5.1+cu124", files)
    return {path: raw for path, raw in written.items() if path not in gone}


def venv(folder: Path, *packages: Mapping[str, str | bytes]) -> Path:
    settings = {"pyvenv.cfg": "home = C:\\Python311\nversion = 3.11.9\n"}
    own: dict[str, str | bytes] = {**settings, "Scripts/python.exe": stub_image()}
    for one in packages:
        own.update(one)
    return write(folder, own)


def seen(prefix: Path, environ: Mapping[str, str] | None = None) -> Snapshot:
    return look(prefix, *FACTS, platform="win-64", wanted=WANTED, environ=environ)


def asked(snapshot: Snapshot, name: str = CUDART) -> Which:
    return pipeline.which(snapshot, name)


def test_the_dll_that_a_wheel_brings_answers_for_its_own(tmp_path: Path) -> None:
    prefix = venv(tmp_path, torch())

    first, second = asked(seen(prefix)).answers

    assert first.path == second.path == f"{prefix}/{TORCH}/{CUDART}"
    assert first.askers == (f"{prefix}/{TORCH}/c10_cuda.dll",)
    assert first.owner
    assert first.owner.title == "pip's torch 2.5.1+cu124"
    assert second.because.startswith(f"it was loaded before for {prefix}/{TORCH}/c10_cuda.dll")


def test_every_answer_says_that_no_windows_was_asked(tmp_path: Path) -> None:
    (note,) = asked(seen(venv(tmp_path, torch()))).notes

    assert "not tested on Windows itself" in note


def test_a_snapshot_answers_alike_where_the_files_are_gone(tmp_path: Path) -> None:
    prefix = venv(tmp_path / "env", torch())
    snapshot = seen(prefix)
    saved = pipeline.save_snapshot(snapshot)
    prefix.rename(tmp_path / "elsewhere")

    replayed = pipeline.load_snapshot(saved, where="saved.json")

    assert replayed == snapshot
    for name in (CUDART, "cublas64_12.dll", "cudnn64_9.dll"):
        assert asked(replayed, name) == asked(snapshot, name)


def test_a_name_may_be_asked_for_in_any_case(tmp_path: Path) -> None:
    snapshot = seen(venv(tmp_path, torch()))

    assert asked(snapshot, "CUDART64_12.DLL").answers == asked(snapshot).answers


def test_a_name_may_lack_its_release_or_have_a_path(tmp_path: Path) -> None:
    snapshot = seen(venv(tmp_path, torch()))

    known = asked(snapshot)
    assert asked(snapshot, "cudart").soname == CUDART
    assert asked(snapshot, "cudart").asked == "cudart"
    for name in ("cudart", f"C:\\somewhere\\{CUDART}"):
        assert asked(snapshot, name).answers == known.answers
    assert asked(snapshot, "cudart64_110.dll").near == (CUDART,)


def test_of_a_conda_environment_library_bin_is_searched(tmp_path: Path) -> None:
    files = {f"Library/bin/{CUDART}": stub_image(), "Library/bin/numba_cuda.dll": b""}
    record = {"name": "cuda-cudart", "version": "12.6.77", "build": "0", "subdir": "win-64"}
    meta = json.dumps({**record, "files": [*files]})
    python = {"name": "python", "version": "3.12.8", "build": "0", "subdir": "win-64", "files": []}
    prefix = write(
        tmp_path,
        {
            **files,
            "conda-meta/cuda-cudart-12.6.77-0.json": meta,
            "conda-meta/python-3.12.8-0.json": json.dumps(python),
            "conda-meta/history": "",
        },
    )

    (answer,) = asked(seen(prefix)).answers

    assert answer.path == f"{prefix}/Library/bin/{CUDART}"
    assert answer.because == "conda's Python gives its folder to os.add_dll_directory"


def test_a_toolkit_of_this_machine_is_looked_into_where_its_variable_leads(tmp_path: Path) -> None:
    toolkit = write(tmp_path / "toolkit", {f"bin/{CUDART}": stub_image()})
    cupy = wheel(
        "cupy_cuda12x",
        "13.6.0",
        {"cupy/__init__.py": b"", "cupy/runtime.pyd": stub_image({CUDART: ["f"]})},
    )
    prefix = venv(tmp_path / "env", cupy)
    shell = {"SystemRoot": "C:\\Windows", "CUDA_PATH": str(toolkit), "SECRET": "x"}

    snapshot = seen(prefix, shell)

    first = asked(snapshot).answers[0]
    assert first.path == f"{toolkit}/bin/{CUDART}"
    assert first.owner
    assert first.owner.title == f"the CUDA toolkit in {toolkit}"
    assert snapshot.windows
    assert snapshot.windows.variables.keys() == {"CUDA_PATH"}


def test_what_has_nothing_of_cuda_is_not_read(tmp_path: Path) -> None:
    many = {f"big/m{number}.pyd": b"" for number in range(3000)}
    prefix = venv(tmp_path, wheel("big", "1.0", many))
    snapshot = look(prefix, *FACTS[:4], platform="win-64", wanted=WANTED)
    assert snapshot.distributions

    start = time.perf_counter()
    whole = seen(prefix)
    took = time.perf_counter() - start

    assert whole.windows is None
    # of a busy machine: alone, it takes some milliseconds
    assert took < 2
    with pytest.raises(LoaderUnknownError, match="nothing in this environment uses CUDA"):
        asked(whole)


def test_of_what_is_read_only_cuda_s_part_is_kept(tmp_path: Path) -> None:
    more = wheel("more", "1.0", {"more/plain.pyd": stub_image({"zlib.dll": ["f"]})})
    view = seen(venv(tmp_path, torch(), more)).windows

    assert view
    kept = {image.path.rpartition("/")[2]: image.imports for image in view.images}
    assert kept["c10_cuda.dll"] == ("CUDART64_12.dll",)
    assert "plain.pyd" not in kept


def test_what_is_no_library_is_told_where_it_would_answer(tmp_path: Path) -> None:
    prefix = venv(tmp_path, torch(), {f"{TORCH}/{CUDART}": b"MZ, and nothing that follows"})

    answer = asked(seen(prefix)).answers[-1]

    assert answer.path is None
    assert answer.candidates[0].why_not == "truncated PE header"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_is_a_gap(tmp_path: Path) -> None:
    prefix = venv(tmp_path, torch())
    (prefix / TORCH / CUDART).chmod(0)

    gaps = reasons(seen(prefix))

    assert gaps[f"{prefix}/{TORCH}/{CUDART}"] == "Permission denied"


def test_a_pipe_in_a_library_s_place_is_a_gap_and_does_not_hang(tmp_path: Path) -> None:
    prefix = venv(tmp_path, torch())
    place = prefix / TORCH / CUDART
    place.unlink()
    os.mkfifo(place)

    gaps = reasons(seen(prefix))

    assert gaps[str(place)] == "not a regular file"


def test_a_share_of_the_network_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed: list[str] = []
    real = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: listed.append(str(path)) or real(path))
    shell = {"SystemRoot": "C:\\Windows", "PATH": "\\\\server\\there;//other/place"}

    seen(venv(tmp_path, torch()), shell)

    assert listed
    assert not [path for path in listed if path.startswith(("//", "\\\\"))]


def test_the_environment_of_another_system_has_none() -> None:
    snapshot = look(None, Fact.WINDOWS_LOADER)

    assert snapshot.windows is None
    assert reasons(snapshot) == {None: "no environment to look at"}


def test_more_libraries_than_are_read_are_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows_view, "MAX_FILES", 2)

    gaps = reasons(seen(venv(tmp_path, torch())))

    assert gaps["libraries"] == "5 libraries, more than the 2 that are read"


def test_what_is_opened_at_its_first_call_is_looked_for_on_path(tmp_path: Path) -> None:
    toolkit = write(tmp_path / "toolkit", {CUDART: stub_image()})
    late = wheel("late", "1.0", {"late/late.pyd": stub_image(delayed=[CUDART])})
    cupy = wheel("cupy_cuda12x", "13.6.0", {"cupy/__init__.py": b""})
    prefix = venv(tmp_path / "env", late, cupy)

    first, second = asked(seen(prefix, {"SystemRoot": "C:\\Windows", "PATH": str(toolkit)})).answers

    assert (first.path, first.because) == (f"{toolkit}/{CUDART}", "PATH has its folder")
    assert first.askers == (f"{prefix}/{SITE}/late/late.pyd",)
    assert (second.path, second.askers) == (None, ())
    assert second.because == "[WinError 126] The specified module could not be found"


def test_what_a_package_opens_by_its_path_serves_the_rest(tmp_path: Path) -> None:
    user = wheel("user", "1.0", {"user/user.pyd": stub_image({"cublasLt64_12.dll": ["f"]})})
    (answer,) = (
        one
        for one in asked(seen(venv(tmp_path, torch(), user)), "cublasLt64_12.dll").answers
        if any(asker.endswith("user.pyd") for asker in one.askers)
    )

    assert answer.path == f"{tmp_path}/{TORCH}/cublasLt64_12.dll"
    assert "before" in answer.because
