"""``envfix which``: the file behind a library's name, as a user asks for it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from collect.trees import conda_prefix, write
from lab.elf_stub import stub_library, stub_program

from reconciler import pipeline
from reconciler.cli import cli
from reconciler.testing import sketch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SITE = "lib/python3.11/site-packages"
#: A wheel that needs CUDA 12's runtime, which conda has, and a toolkit that the cache knows.
WORLD = f"""
python: 3.11.7
env: {{}}
conda: [python=3.11.7=h0_0, cuda-cudart=12.4.127=h99ab3db_0]
pip: [flash-attn==2.5.6]
toolkits: [{{path: /usr/local/cuda-12.1, version: "12.1", found_by: [PATH]}}]
loader:
  bin/python3.11: {{of: python, rpath: $ORIGIN/../lib}}
  lib/libcudart.so.12.4.127: {{of: cuda-cudart, soname: libcudart.so.12}}
  /usr/local/cuda-12.1/lib64/libcudart.so.12: {{cached: true}}
  {SITE}/flash_attn_2_cuda.so: {{of: flash-attn, needed: [libcudart.so.12], runpath: /nowhere}}
  {SITE}/libcudnn.so.8: {{of: flash-attn}}
  {SITE}/libcudnn.so.9: {{of: flash-attn}}
links: {{lib/libcudart.so.12: libcudart.so.12.4.127}}
"""
CONDAS = "/prefix/lib/libcudart.so.12"
TOOLKITS = "/usr/local/cuda-12.1/lib64/libcudart.so.12"


def envfix(*arguments: str | Path, environ: Mapping[str, str] | None = None) -> Result:
    nothing = dict.fromkeys(["VIRTUAL_ENV", "CONDA_PREFIX", "LD_LIBRARY_PATH", "LD_PRELOAD"])
    return CliRunner().invoke(cli, [*map(os.fspath, arguments)], env={**nothing, **(environ or {})})


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "saved.json"
    path.write_bytes(pipeline.save_snapshot(sketch(WORLD)))
    return path


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """A conda environment whose Python is a program, with a runtime beside it and a copy of it."""
    folder = conda_prefix(tmp_path / "env")
    loader = "/lib64/ld-linux-x86-64.so.2"
    write(
        folder,
        {
            "bin/python": stub_program(interpreter=loader, rpath="$ORIGIN/../lib"),
            "lib/libcudart.so.12": stub_library("libcudart.so.12"),
        },
    )
    write(tmp_path / "trap", {"libcudart.so.12": stub_library("libcudart.so.12")})
    write(tmp_path / "other", {"libcufft.so.11": stub_library("libcufft.so.11")})
    return folder


def told(*arguments: str | Path) -> dict[str, object]:
    done = envfix("which", *arguments, "--format", "json")
    assert done.stderr == ""
    return json.loads(done.stdout)  # type: ignore[no-any-return] - a test's own JSON


def test_each_that_asks_is_told_its_file_and_why(saved: Path) -> None:
    done = envfix("which", "libcudart.so.12", "--snapshot", saved)

    assert (done.exit_code, done.stderr) == (0, "")
    assert f"is       {TOOLKITS} (the CUDA toolkit 12.1 in" in done.stdout
    assert f"for      /prefix/{SITE}/flash_attn_2_cuda.so" in done.stdout
    assert f"is       {CONDAS} (conda's cuda-cudart 12.4.127)" in done.stdout
    assert "for      Python itself, by name (ctypes)" in done.stdout


def test_a_path_is_shown_without_the_way_back_of_a_search_path(saved: Path) -> None:
    done = envfix("which", "libcudart.so.12", "--snapshot", saved, "-v")

    assert "bin/.." not in done.stdout.replace("$ORIGIN/../lib", "")


def test_the_same_file_by_another_path_is_no_loser_unless_all_is_asked_for(tmp_path: Path) -> None:
    linked = WORLD.replace(
        "links: {", "links: {/usr/lib/libcudart.so.12: /prefix/lib/libcudart.so.12, "
    )
    saved = tmp_path / "linked.json"
    saved.write_bytes(pipeline.save_snapshot(sketch(linked)))

    short = envfix("which", "libcudart.so.12", "--snapshot", saved).stdout
    long = envfix("which", "libcudart.so.12", "--snapshot", saved, "-v").stdout

    loser = "not      /usr/lib/libcudart.so.12"
    # It loses to the toolkit's file; where conda's wins, it is that file.
    assert (short.count(loser), long.count(loser)) == (1, 2)


@pytest.mark.parametrize(
    "asked", ["libcudart", "cudart", "/opt/x/libcudart.so.12", "lib/libcudart.so.12"]
)
def test_a_path_or_the_beginning_of_a_name_is_understood(saved: Path, asked: str) -> None:
    found = told(asked, "--snapshot", saved)

    assert (found["soname"], found["asked"]) == ("libcudart.so.12", asked)
    assert found["winner"]


def test_a_beginning_that_several_names_have_is_answered_with_these(saved: Path) -> None:
    done = envfix("which", "cudnn", "--snapshot", saved)

    assert done.exit_code == 1
    assert "no library has this name; there is libcudnn.so.8, libcudnn.so.9" in done.stdout
    assert told("cudnn", "--snapshot", saved)["near"] == ["libcudnn.so.8", "libcudnn.so.9"]


@pytest.mark.parametrize("asked", ["libcudart.so.13", "libcudrat.so.12"])
def test_a_name_that_is_nowhere_is_answered_with_the_nearest(saved: Path, asked: str) -> None:
    done = envfix("which", asked, "--snapshot", saved)

    assert done.exit_code == 1
    assert "there is libcudart.so.12" in done.stdout


def test_a_name_like_no_other_is_nothing(saved: Path) -> None:
    done = envfix("which", "libunheard.so.1", "--snapshot", saved)

    assert done.exit_code == 1
    assert "is       nothing" in done.stdout
    assert "cannot open shared object file" in done.stdout


def test_those_who_get_one_file_are_told_together_unless_all_is_asked_for(tmp_path: Path) -> None:
    two = "".join(
        f"  {SITE}/{name}.so: {{of: flash-attn, needed: [libcudart.so.12], runpath: $ORIGIN/{up}}}\n"
        for name, up in (("one", "../.."), ("two", "../../../lib"))
    )
    saved = tmp_path / "two.json"
    saved.write_bytes(pipeline.save_snapshot(sketch(WORLD.replace("links: {", f"{two}links: {{"))))

    short = envfix("which", "libcudart.so.12", "--snapshot", saved).stdout
    long = envfix("which", "libcudart.so.12", "--snapshot", saved, "-v").stdout

    assert (short.count(f"is       {CONDAS}"), long.count(f"is       {CONDAS}")) == (1, 3)
    assert "others come to it in other ways (-v)" in " ".join(short.split())
    assert f"for      /prefix/{SITE}/one.so\n           /prefix/{SITE}/two.so" in short


def test_the_json_has_the_winner_the_candidates_and_the_graph(saved: Path) -> None:
    found = told("libcudart.so.12", "--snapshot", saved)

    assert {"schema", "soname", "winner", "because", "candidates", "answers"} <= found.keys()
    graph = found["graph"]
    assert isinstance(graph, dict)
    real = "/prefix/lib/libcudart.so.12.4.127"
    nodes = {node["path"]: node for node in graph["nodes"]}
    assert nodes[real]["owner"] == "conda's cuda-cudart 12.4.127"
    assert (nodes[real]["version"], nodes[real]["component"]) == ("12.4.127", "cuda-runtime")
    edges = [edge for run in graph["runs"] for edge in run["edges"]]
    assert (f"/prefix/{SITE}/flash_attn_2_cuda.so", TOOLKITS) in {
        (edge["asker"], edge["file"]) for edge in edges
    }
    assert {edge["file"] for edge in edges} <= nodes.keys()


def test_a_variable_that_is_supposed_changes_the_answer(prefix: Path, tmp_path: Path) -> None:
    usual = told("libcudart.so.12", "-p", prefix, "--no-host")
    supposed = told(
        "libcudart.so.12", "-p", prefix, "--no-host", "--env", f"LD_LIBRARY_PATH={tmp_path}/trap"
    )

    assert usual["winner"] == f"{prefix}/lib/libcudart.so.12"
    # A RPATH wins over the variable: what asks here is Python, which has one.
    assert supposed["winner"] == usual["winner"]
    other = told(
        "libcufft.so.11", "-p", prefix, "--no-host", "--env", f"LD_LIBRARY_PATH={tmp_path}/other"
    )
    assert other["winner"] == f"{tmp_path}/other/libcufft.so.11"


@pytest.mark.parametrize("asked", ["libcudart.so.12", "cudart"])
def test_a_snapshot_gives_the_same_answer_without_the_disk(
    prefix: Path, tmp_path: Path, asked: str
) -> None:
    kept = tmp_path / "kept.json"
    seen = envfix("which", asked, "-p", prefix, "--no-host", "--save-snapshot", kept)
    for path in ("bin/python", "lib/libcudart.so.12"):
        (prefix / path).unlink()

    again = envfix("which", asked, "--snapshot", kept)

    assert (again.exit_code, again.stdout) == (seen.exit_code, seen.stdout)


def test_an_environment_without_a_loader_is_said_in_one_line(tmp_path: Path) -> None:
    saved = tmp_path / "mac.json"
    saved.write_bytes(pipeline.save_snapshot(sketch("platform: osx-arm64\nconda: []")))

    done = envfix("which", "libcudart.so.12", "--snapshot", saved)

    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)


@pytest.mark.parametrize("asked", [[], [""], ["/"], [".."], ["lib/"]])
def test_without_a_name_there_is_a_hint(asked: list[str]) -> None:
    done = envfix("which", *asked)

    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)


def test_a_scan_shows_what_the_loader_maps_where_all_is_asked_for(saved: Path) -> None:
    short = envfix("scan", "--snapshot", saved).stdout
    long = envfix("scan", "--snapshot", saved, "-v").stdout

    assert "What the loader maps" not in short
    assert "What the loader maps\n  flash_attn_2_cuda.so in every shell\n" in long


def test_the_json_of_a_scan_has_the_graph(saved: Path) -> None:
    report = json.loads(envfix("scan", "--snapshot", saved, "--format", "json").stdout)

    assert [run["title"] for run in report["graph"]["runs"]] == ["flash_attn_2_cuda.so"]
    assert {edge["soname"] for edge in report["graph"]["runs"][0]["edges"]} == {"libcudart.so.12"}


def test_the_report_beside_another_has_the_graph_too(saved: Path, tmp_path: Path) -> None:
    beside = tmp_path / "beside.json"
    envfix("scan", "--snapshot", saved, "--report", f"json={beside}")

    assert json.loads(beside.read_text("utf-8"))["graph"]["nodes"]
