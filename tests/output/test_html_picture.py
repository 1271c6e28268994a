"""The picture as boxes, arrows and numbers."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from reconciler.model.finding import Severity
from reconciler.output import html
from reconciler.output.html.layout import BOX, layout
from reconciler.output.html.lettering import letters
from reconciler.output.html.picture import MOST, Box
from reconciler.output.html.rows import CONSUMERS, DRIVER, OTHERS
from reconciler.output.html.scene import scene_of
from reconciler.output.html.subject import pictured
from tests.output.html_pages import CLEAN, DECLARED, MIXED, SITE, declared_of, large, report_of
from tests.output.reports import BAD

if TYPE_CHECKING:
    from reconciler.model.report import Report

#: Two wheels of one file beside the framework that decides which of them stays.
_RIVALS = """
python: 3.11.7
conda: []
pip:
  - pip==24.0
  - torch==2.5.1+cu124
  - nvidia-curand-cu11==10.2.10.91: {record: "nvidia/curand/lib/libcurand.so.10,sha256=eA,2"}
  - nvidia-curand-cu12==10.3.2.106: {record: "nvidia/curand/lib/libcurand.so.10,sha256=eQ,3"}
payload: [{path: lib/python3.11/site-packages/nvidia/curand/lib/libcurand.so.10, size: 3}]
"""
#: The libraries that PyTorch and CuPy are played to take in MIXED, by the row that they stand in.
TAKEN = {
    ("torch", "nvidia-cuda-runtime-cu12"),
    ("torch", "nvidia-cublas-cu12"),
    ("torch", "nvidia-cudnn-cu12"),
    ("torch", "nvidia-nccl-cu12"),
    ("torch", "nvidia-cuda-nvrtc-cu12"),
    ("torch", "nvidia-nvjitlink-cu12"),
    ("torch", "cuSPARSE, cuFFT + 1"),
    ("torch", "driver 550.54.15"),
    ("cupy-cuda11x", "cudatoolkit"),
    ("cupy-cuda11x", "driver 550.54.15"),
    ("torchvision", "nvidia-cuda-runtime-cu12"),
}


def test_what_is_mapped_is_an_arrow_from_who_takes_it_to_who_brings_it() -> None:
    scene = scene_of(report_of(MIXED))
    names = {box.key: box.name for box in scene.boxes}

    assert {(names[a.source], names[a.target]) for a in scene.arrows} == TAKEN
    dotted = {names[a.source] for a in scene.arrows if not a.is_traced}
    assert dotted == {"torchvision"}


def test_who_takes_the_library_of_another_major_clashes_with_it() -> None:
    scene = scene_of(BAD["ELF504"])
    names = {box.key: box.name for box in scene.boxes}

    clashes = [(names[a.source], names[a.target]) for a in scene.arrows if a.is_clash]
    assert clashes == [("cupy-cuda12x", "nvidia-cuda-nvrtc")]


def test_a_driver_of_another_major_is_no_clash() -> None:
    newer = CLEAN.replace("550.54.15", "580.65.06")

    assert not any(arrow.is_clash for arrow in scene_of(report_of(newer)).arrows)


def test_what_is_found_nowhere_is_a_box_of_its_own() -> None:
    scene = scene_of(BAD["ELF501"])
    missing = next(box for box in scene.boxes if box.kind == "missing")

    assert (missing.name, missing.detail) == ("libnvrtc.so.12", "not found")
    assert [a.is_clash for a in scene.arrows if a.target == missing.key] == [True]


def test_a_library_of_the_system_that_is_taken_is_in_its_column() -> None:
    scene = scene_of(BAD["PTH404"])

    found = {box.row: (box.column, box.cuda) for box in scene.boxes if box.column == 2}
    assert found["nvjitlink"] == (2, "12")


def test_what_no_package_has_brought_is_named_after_its_file() -> None:
    outside = CLEAN.replace(f"  {SITE}/nvidia/cufft/lib/libcufft", "  /opt/cuda/lib64/libcufft")
    outside = outside.replace("{of: nvidia-cufft-cu12, ", "{cached: true, ")
    found = [box for box in scene_of(report_of(outside)).boxes if box.detail == "/opt/cuda/lib64"]

    assert [(box.name, box.column) for box in found] == [("libcufft.so.11", 2)]


def test_a_file_of_a_package_marks_the_package() -> None:
    assert any(box.mark for box in scene_of(BAD["ELF508"]).boxes if box.name == "torch")


def test_what_a_finding_names_is_marked_with_its_number() -> None:
    marked = {box.name: box.mark for box in scene_of(report_of(MIXED)).boxes if box.mark}

    assert {"torch", "cupy-cuda11x", "cudatoolkit"} <= marked.keys()
    assert {mark.finding for mark in marked.values()} == {1}


def test_what_a_fix_changes_is_told_from_what_stays() -> None:
    assert acts(report_of(MIXED)) == {
        ("cupy-cuda11x", "replace"),
        ("cudatoolkit", "remove"),
        ("nccl", "remove"),
        ("cuFFT, CUPTI + 7", "remove"),
        ("torch", "keep"),
        ("nvidia-cuda-runtime-cu12", "keep"),
    }


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        # By its commands: what goes; what comes in another version; what comes in the same.
        ("CUD201", {("torch", "keep"), ("cudatoolkit", "remove")}),
        ("CUD203", {("nvidia-cudnn-cu12", "replace")}),
        ("ELF507", {("nvidia-nccl-cu13", "reinstall")}),
        # No command says which of them is to go.
        ("DUP105", {("cupy-cuda11x", ""), ("cupy-cuda12x", "")}),
    ],
)
def test_the_commands_of_a_fix_say_what_it_changes(
    code: str, expected: set[tuple[str, str]]
) -> None:
    assert expected <= acts(BAD[code])


def test_what_is_written_again_beside_what_goes_stays() -> None:
    made = report_of(_RIVALS)
    assert made.findings[0].fix
    assert [c.destructive for c in made.findings[0].fix.commands] == [True, False]

    assert {("cuRAND", "remove"), ("cuRAND", "keep"), ("torch", "keep")} <= acts(made)


def test_a_line_that_a_fix_takes_out_is_marked_as_such() -> None:
    shown, _ = pictured(declared_of(DECLARED))

    assert ("nvidia-cublas-cu11", "remove") in acts(shown)


def test_what_another_package_of_conda_needs_is_marked_all_the_same() -> None:
    needed = "cudatoolkit=11.8.0=h4ba93d1_13, ucx=1.15.0=h75e419f_3: {depends: [cudatoolkit]}"
    text = f"python: 3.11.7\nconda: [{needed}]\npip: [torch==2.1.2+cu121]\n"

    assert ("cudatoolkit", "remove") in acts(report_of(text))


def test_a_package_of_several_rows_is_marked_once() -> None:
    boxes = [box for box in scene_of(report_of(MIXED)).boxes if "cudatoolkit" in box.members[0]]

    assert [(box.row, box.is_again) for box in boxes] == [
        ("cuda-runtime", False),
        ("cublas", True),
        ("nvrtc", True),
        (OTHERS, True),
    ]
    assert all(box.detail.endswith(", as above") for box in boxes[1:])
    page = html.render(report_of(MIXED))
    assert len(re.findall('class="tag filled"', page)) == len(["cupy", "cudatoolkit", "nccl"]) + 2


def acts(made: Report) -> set[tuple[str, str]]:
    """Return what becomes of each box that a finding names."""
    return {(box.name, box.mark.act) for box in scene_of(made).boxes if box.mark}


def test_a_driver_that_is_too_old_is_marked() -> None:
    driver = next(box for box in scene_of(BAD["DRV601"]).boxes if box.row == DRIVER)

    assert driver.mark
    assert driver.cuda == "11.4"


def test_a_healthy_environment_has_no_mark_and_no_clash() -> None:
    scene = scene_of(report_of(CLEAN))

    assert not any(box.mark for box in scene.boxes)
    assert not any(arrow.is_clash for arrow in scene.arrows)


@pytest.mark.parametrize("count", [80, 500])
def test_a_cell_has_few_boxes_however_many_packages_there_are(count: int) -> None:
    scene = scene_of(large(count))
    cells = [(box.row, box.column) for box in scene.boxes]

    assert max(cells.count(cell) for cell in cells) == MOST
    members = sum(len(box.members) for box in scene.boxes if box.row == CONSUMERS)
    assert members > count / 2


@pytest.mark.parametrize("made", [report_of(MIXED), large(80), large(500), BAD["ELF504"]])
def test_no_arrow_runs_through_a_box_and_no_box_over_another(made: Report) -> None:
    drawing = layout(scene_of(made))
    boxes = {cell.box.key: (cell.x, cell.y, cell.width) for cell in drawing.cells}

    assert len(set(boxes.values())) == len(boxes)
    for line in drawing.lines:
        points = [tuple(map(float, p)) for p in re.findall(r"([\d.]+) ([\d.]+)", line.path)]
        for (ax, ay), (bx, by) in pairwise(points):
            for x, y, width in boxes.values():
                across = max(ax, bx) > x and min(ax, bx) < x + width
                assert not (across and max(ay, by) > y and min(ay, by) < y + BOX)


def test_each_arrow_begins_and_ends_at_its_boxes() -> None:
    drawing = layout(scene_of(large(80)))
    boxes = {cell.box.key: cell for cell in drawing.cells}

    for line in drawing.lines:
        start, end = boxes[line.arrow.source], boxes[line.arrow.target]
        x, y = map(float, re.findall(r"M([\d.]+) ([\d.]+)", line.path)[0])
        assert (x, start.y < y < start.y + BOX) == (start.x, True)
        assert (line.tip, end.y < line.y < end.y + BOX) == (end.x - 1, True)


def test_arrows_to_one_box_do_not_cross_in_front_of_it() -> None:
    drawing = layout(scene_of(report_of(MIXED)))
    lanes: dict[str, list[tuple[float, float]]] = {}
    for line in drawing.lines:
        lane = float(re.findall(r"Q([\d.]+) ", line.path)[-1])
        lanes.setdefault(line.arrow.target, []).append((lane, line.y))

    assert max(map(len, lanes.values())) > 1
    for met in lanes.values():
        assert [y for _, y in sorted(met)] == sorted((y for _, y in met), reverse=True)


def test_an_empty_column_is_narrow() -> None:
    widths = [column.width for column in layout(scene_of(report_of(CLEAN))).columns]

    assert widths[0] < widths[1] / 2
    assert widths[1] == widths[2]


def test_what_is_built_for_one_runtime_shares_one_line_to_it() -> None:
    drawing = layout(scene_of(large(80)))
    ends: dict[tuple[str, int | None], set[float]] = {}
    for line in drawing.lines:
        if not line.arrow.is_traced and not line.arrow.is_clash:
            ends.setdefault((line.arrow.target, line.arrow.major), set()).add(line.y)

    assert ends
    assert all(len(heights) == 1 for heights in ends.values())


def test_no_line_runs_along_the_seam_of_two_rows() -> None:
    drawing = layout(scene_of(report_of(MIXED)))
    seams = {band.y for band in drawing.bands}

    for line in drawing.lines:
        points = re.findall(r"([\d.]+) ([\d.]+)", line.path)
        level = {float(y) for (_, y), (_, other) in pairwise(points) if y == other}
        assert all(abs(y - seam) > 3 for y in level for seam in seams)


def test_a_long_name_has_two_lines_before_it_is_cut_off() -> None:
    box = Box(key="c0", row=CONSUMERS, column=0, kind="consumer", name="", detail="2.1")
    name = "a-package-of-quite-a-long-name"
    two = letters(replace(box, name=name), 180)

    assert [(line.kind, line.text) for line in two] == [
        ("name", "a-package-of-quite-"),
        ("name", "a-long-name"),
        ("detail", "2.1"),
    ]
    assert letters(replace(box, name=name * 4), 180)[1].text.endswith("…")


def test_what_one_finding_changes_and_a_worse_one_names_shows_both() -> None:
    made = report_of(MIXED)
    mild = replace(made.findings[0], severity=Severity.WARNING)
    worse = replace(mild, code="XYZ901", severity=Severity.ERROR, fix=None, symptoms=())
    boxes = scene_of(replace(made, findings=(worse, mild))).boxes
    marked = next(box.mark for box in boxes if box.name == "cudatoolkit")

    assert marked
    assert (marked.severity, marked.finding, marked.act) == (Severity.ERROR, 2, "remove")
