"""What the loader maps, as ``scan -v`` shows it and JSON has it."""

from __future__ import annotations

import json

import msgspec
import pytest

from reconciler import pipeline
from reconciler.model.look import Look
from reconciler.output import json as json_output
from reconciler.output import text
from reconciler.testing import sketch

SITE = "lib/python3.11/site-packages"
CUDART = f"{SITE}/nvidia/cuda_runtime/lib/libcudart.so.12"
#: torch, and three modules that need what nothing leads to and CUDA's runtime as torch does.
WORLD = f"""
python: 3.11.7
env: {{}}
pip: [torch==2.5.1, nvidia-cuda-runtime-cu12==12.4.127, deep-gemm==1.0]
loader:
  {SITE}/torch/_C.so: {{of: torch, needed: [libc10_cuda.so], rpath: $ORIGIN/lib}}
  {SITE}/torch/lib/libc10_cuda.so:
    {{of: torch, needed: [libcudart.so.12, libstdc++.so.6],
      rpath: $ORIGIN/../../nvidia/cuda_runtime/lib}}
  {CUDART}: {{of: nvidia-cuda-runtime-cu12}}
  /usr/lib/libstdc++.so.6: {{cached: true}}
  {SITE}/deep/a.so: {{of: deep-gemm, needed: [libcufft.so.11]}}
  {SITE}/deep/b.so: {{of: deep-gemm, needed: [libcufft.so.11]}}
"""
FOUND = "[libcudart.so.12, libcufft.so.11], rpath: $ORIGIN/../nvidia/cuda_runtime/lib"


def shown(world: str = WORLD, *, width: int = 80) -> list[str]:
    report = pipeline.scan(sketch(world), with_loads=True)
    lines = text.render(report, Look(width=width), verbose=True).splitlines()
    start = lines.index("What the loader maps")
    return lines[start : lines.index("", start)]


def test_starts_in_which_the_same_fails_are_told_once_and_first() -> None:
    lines = shown()

    assert lines[1] == "  a.so, b.so in every shell"
    assert lines[2].startswith("    fails   libcufft.so.11: cannot open shared object file")


def test_each_name_of_cuda_has_its_file_with_owner_and_reason() -> None:
    lines = shown()

    at = lines.index("  PyTorch in every shell")
    assert lines[at + 1] == (
        "    libcudart.so.12         pip's nvidia-cuda-runtime-cu12 12.4.127 (RPATH), in"
    )
    assert lines[at + 2].strip() == "…/site-packages/nvidia/cuda_runtime/lib"


def test_what_is_missing_stands_above_what_is_found() -> None:
    lines = shown(WORLD.replace("[libcufft.so.11]", FOUND, 1))

    names = [line.split()[0] for line in lines if line.startswith("    lib")]
    assert names[0] == "libcufft.so.11"


def test_what_is_found_at_a_second_try_is_not_missing() -> None:
    report = pipeline.scan(sketch(WORLD), with_loads=True)
    torch = next(run for run in report.loads if run.title == "PyTorch")
    lost = msgspec.structs.replace(torch.cuda_links[0], path=None, real=None, owner=None)
    tried = msgspec.structs.replace(torch, links=(lost, *torch.links))

    lines = text.render(msgspec.structs.replace(report, loads=(tried,)), verbose=True)

    assert "not found" not in lines


def test_a_file_under_another_name_is_told_by_its_own() -> None:
    renamed = WORLD.replace(f"  {CUDART}: {{", f"  {CUDART}.4.127: {{soname: libcudart.so.12, ")
    linked = renamed + f"links: {{{CUDART}: libcudart.so.12.4.127}}\n"

    assert "cuda_runtime/lib/libcudart.so.12.4.127" in "".join(shown(linked))


def test_without_cuda_there_is_nothing_to_show() -> None:
    report = pipeline.scan(sketch("pip: []\nloader: {lib/x.so: {}}"), with_loads=True)

    assert "What the loader maps" not in text.render(report, verbose=True)


@pytest.mark.parametrize("verbose", [False, True])
def test_what_was_not_asked_for_is_not_shown(*, verbose: bool) -> None:
    report = pipeline.scan(sketch(WORLD))

    assert (report.loads, report.graph) == ((), None)
    assert "What the loader maps" not in text.render(report, verbose=verbose)


def test_the_graph_has_cuda_and_the_c_library_of_cplusplus_and_no_more() -> None:
    report = pipeline.scan(sketch(WORLD), with_loads=True)
    graph = json.loads(json_output.render(report))["graph"]

    torch = next(run for run in graph["runs"] if run["title"] == "PyTorch")
    assert {edge["soname"] for edge in torch["edges"]} == {"libcudart.so.12", "libstdc++.so.6"}
    failed = next(run for run in graph["runs"] if run["title"] == "a.so")
    assert [(edge["soname"], edge["file"]) for edge in failed["edges"]] == [
        ("libcufft.so.11", None)
    ]
    assert "cannot open shared object file" in failed["edges"][0]["reason"]
    assert failed["failures"]


def test_every_end_of_an_edge_is_a_node() -> None:
    report = pipeline.scan(sketch(WORLD), with_loads=True)
    graph = json.loads(json_output.render(report))["graph"]

    ends = {
        end
        for run in graph["runs"]
        for edge in run["edges"]
        for end in (edge["asker"], edge["file"])
    }
    assert ends - {None} == {node["path"] for node in graph["nodes"]}
