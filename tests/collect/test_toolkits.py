from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from reconciler import collect
from reconciler.collect.ground import Ground
from reconciler.model.snapshot import Fact, Target

from .trees import NOTHING_WANTED, conda_prefix, reasons, write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reconciler.model.host import SystemToolkit
    from reconciler.model.snapshot import Snapshot

VERSION_JSON = json.dumps({"cuda": {"name": "CUDA SDK", "version": "12.1.1"}})
CUDNN = "#define CUDNN_MAJOR 8\n#define CUDNN_MINOR 9\n#define CUDNN_PATCHLEVEL 7\n"


def toolkit(root: Path, path: str = "usr/local/cuda-12.1", **files: str) -> Path:
    """Write a toolkit with its compiler, which would leave a mark if it were started."""
    folder = write(
        root / path, {"bin/nvcc": "#!/bin/sh\ntouch $0.started\n", "nvvm/a": "", **files}
    )
    (folder / "bin/nvcc").chmod(0o755)
    return folder


def seen(
    root: Path, environ: Mapping[str, str] | None = None, prefix: str | None = None
) -> Snapshot:
    target = Target(project="/project", prefix=prefix, platform="linux-64")
    ground = Ground(target=target, environ=environ or {}, wanted=NOTHING_WANTED, root=str(root))
    return collect.collect(ground, (Fact.TOOLKITS,), envfix="0")


def toolkits(root: Path, **environ: str) -> tuple[SystemToolkit, ...]:
    return seen(root, environ).toolkits


def test_a_machine_without_any_has_none(tmp_path: Path) -> None:
    snapshot = seen(tmp_path, {"PATH": "/nowhere::", "CUDA_HOME": "/a:/b"})

    assert (snapshot.toolkits, snapshot.gaps) == ((), ())


def test_a_toolkit_is_one_whatever_leads_to_it(tmp_path: Path) -> None:
    folder = toolkit(tmp_path, **{"version.json": VERSION_JSON})
    (tmp_path / "usr/local/cuda").symlink_to("cuda-12.1")
    (tmp_path / "usr/bin").mkdir()
    (tmp_path / "usr/bin/nvcc").symlink_to(folder / "bin/nvcc")

    (found,) = toolkits(
        tmp_path, CUDA_HOME=f"{tmp_path}/usr/local/cuda", PATH=f"/nowhere:{tmp_path}/usr/bin"
    )

    assert f"{tmp_path}{found.path}" == str(folder)
    assert found.version == "12.1.1"
    assert found.found_by == (
        "CUDA_HOME",
        "nvcc on PATH",
        "/usr/local/cuda",
        "/usr/local/cuda-12.1",
    )
    assert list(tmp_path.rglob("*.started")) == []


@pytest.mark.parametrize("variable", ["CUDA_HOME", "CUDA_PATH", "CUDA_ROOT"])
def test_each_variable_leads_to_one(tmp_path: Path, variable: str) -> None:
    folder = toolkit(tmp_path, "apps/cuda/11.8")

    (found,) = toolkits(tmp_path, **{variable: str(folder)})

    assert found.found_by == (variable,)


@pytest.mark.parametrize("path", ["opt/cuda", "opt/cuda-12.4", "usr/lib/cuda", "usr/local/cuda-13"])
def test_each_usual_place_is_known(tmp_path: Path, path: str) -> None:
    toolkit(tmp_path, path)

    (found,) = toolkits(tmp_path)

    assert found.found_by == (f"/{path}",)


@pytest.mark.parametrize("path", ["usr/local/cuda-samples", "usr/local/cuda-12.1.bak", "opt/cudax"])
def test_a_folder_of_another_name_is_none(tmp_path: Path, path: str) -> None:
    toolkit(tmp_path, path)

    assert toolkits(tmp_path) == ()


def test_a_folder_without_a_toolkit_is_none(tmp_path: Path) -> None:
    write(tmp_path, {"usr/local/cuda/README": "", "usr/local/bin/nvcc": "#!/bin/sh\n"})
    (tmp_path / "usr/local/bin/nvcc").chmod(0o755)

    assert toolkits(tmp_path, PATH=f"{tmp_path}/usr/local/bin") == ()


def test_a_toolkit_of_the_environment_is_not_the_machines(tmp_path: Path) -> None:
    prefix = conda_prefix(tmp_path / "env")
    toolkit(tmp_path, "env")

    environ = {"CUDA_HOME": str(prefix), "PATH": f"{prefix}/bin"}

    assert seen(tmp_path, environ, prefix=str(prefix)).toolkits == ()


def test_a_toolkit_of_another_environment_is_beside_this_one(tmp_path: Path) -> None:
    other = toolkit(tmp_path, "env-b")

    environ = {"CUDA_HOME": str(other)}

    assert len(seen(tmp_path, environ, prefix=str(tmp_path / "env")).toolkits) == 1


@pytest.mark.parametrize(
    ("files", "version"),
    [
        ({"version.json": VERSION_JSON}, "12.1.1"),
        ({"version.txt": "CUDA Version 10.1.243\n"}, "10.1.243"),
        ({"include/cuda.h": "/* */\n#define CUDA_VERSION 12010\n" + " " * (1 << 21)}, "12.1"),
        ({"include/cuda.h": "#define CUDA_VERSION 9020\n"}, "9.2"),
        ({}, None),
    ],
    ids=["json", "txt", "large header", "header of old", "none"],
)
def test_the_version_is_read(tmp_path: Path, files: Mapping[str, str], version: str | None) -> None:
    toolkit(tmp_path, **files)

    (found,) = toolkits(tmp_path)

    assert found.version == version


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"cuda": 1}', '{"cuda": {"version": 12}}', '{"cuda": {"version": "new"}}']
)
def test_a_broken_version_is_a_gap_and_the_header_tells(tmp_path: Path, text: str) -> None:
    files = {"version.json": text, "include/cuda.h": "#define CUDA_VERSION 12010\n"}
    folder = toolkit(tmp_path, **files)

    snapshot = seen(tmp_path)

    assert [found.version for found in snapshot.toolkits] == ["12.1"]
    assert reasons(snapshot) == {f"{folder}/version.json": "names no version of CUDA"}


@pytest.mark.parametrize(
    "path",
    [
        "include/cudnn_version.h",
        "include/cudnn.h",
        "targets/x86_64-linux/include/cudnn_version.h",
        "targets/sbsa-linux/include/cudnn_version.h",
    ],
)
def test_a_cudnn_that_was_copied_in_is_known(tmp_path: Path, path: str) -> None:
    toolkit(tmp_path, **{path: CUDNN})

    (found,) = toolkits(tmp_path)

    assert found.cudnn == "8.9.7"


def test_a_header_that_names_no_cudnn_is_passed_over(tmp_path: Path) -> None:
    toolkit(tmp_path, **{"include/cudnn_version.h": "#define CUDNN_MAJOR 8\n"})

    (found,) = toolkits(tmp_path)

    assert found.cudnn is None


def test_a_header_that_is_a_pipe_is_a_gap(tmp_path: Path) -> None:
    folder = toolkit(tmp_path, **{"include/a.h": ""})
    os.mkfifo(folder / "include/cuda.h")

    assert reasons(seen(tmp_path)) == {f"{folder}/include/cuda.h": "not a regular file"}


def test_a_circle_of_links_is_no_toolkit(tmp_path: Path) -> None:
    (tmp_path / "opt").mkdir()
    (tmp_path / "opt/cuda").symlink_to("cuda-12.1")
    (tmp_path / "opt/cuda-12.1").symlink_to("cuda")

    assert toolkits(tmp_path) == ()
