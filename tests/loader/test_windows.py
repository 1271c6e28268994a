"""Which file Windows maps for Python, by its documented rules, on trees of plain values."""

from __future__ import annotations

import pytest

from reconciler.loader.answer import Reason
from reconciler.loader.process import CannotStartError, NotLoadedError
from reconciler.loader.tree import Unfit
from reconciler.loader.windows import BAD_FORMAT, NOT_FOUND, Process
from reconciler.loader.windows_search import CONDA_DIRECTORIES, Added, Search, Site, Windows
from reconciler.loader.windows_tree import PlainWindowsTree
from reconciler.model.windows_image import WindowsImage

ENV = "C:/Users/me/env"
PYTHON = f"{ENV}/python.exe"
PACKAGES = f"{ENV}/Lib/site-packages"
EXTENSION = f"{PACKAGES}/cupy/cuda/nvrtc.pyd"
SYSTEM32 = "C:/Windows/System32"
CUDART = "cudart64_12.dll"


def image(path: str, *imports: str, **fields: object) -> dict[str, WindowsImage | Unfit]:
    return {path: WindowsImage(path=path, imports=imports, **fields)}  # type: ignore[arg-type]  # a test's shorthand


def started(
    *files: dict[str, WindowsImage | Unfit],
    added: tuple[tuple[str, str], ...] = (),
    **fields: object,
) -> Process:
    """Start Python 3.12 in a machine whose System32 has but kernel32.dll and what is given."""
    known = {
        **image(PYTHON, "python312.dll", "KERNEL32.dll"),
        **image(f"{ENV}/python312.dll", "VCRUNTIME140.dll", "api-ms-win-crt-heap-l1-1-0.dll"),
        **image(f"{ENV}/vcruntime140.dll", "KERNEL32.dll"),
        **image(f"{SYSTEM32}/kernel32.dll", "ntdll.dll"),
    }
    for one in files:
        known.update(one)
    usual = {
        "python": PYTHON,
        "version": (3, 12),
        "added": tuple(Added(directory=directory, by=by) for directory, by in added),
    }
    return Process(PlainWindowsTree(known), Site(**{**usual, **fields}))  # type: ignore[arg-type]  # a test's shorthand


def test_python_starts_with_what_lies_beside_it() -> None:
    process = started()

    assert process.mapped == (
        PYTHON,
        f"{ENV}/python312.dll",
        f"{SYSTEM32}/kernel32.dll",
        f"{ENV}/vcruntime140.dll",
    )
    assert [(one.name, one.reason) for one in process.answers] == [
        ("python312.dll", Reason.APPLICATION),
        ("KERNEL32.dll", Reason.KNOWN_DLL),
        ("VCRUNTIME140.dll", Reason.APPLICATION),
        ("api-ms-win-crt-heap-l1-1-0.dll", Reason.API_SET),
        ("KERNEL32.dll", Reason.LOADED),
    ]
    assert process.missing == ()


def test_what_is_no_program_starts_nothing() -> None:
    with pytest.raises(CannotStartError, match=r"nowhere/python\.exe cannot be opened"):
        started(python="C:/nowhere/python.exe")
    with pytest.raises(CannotStartError, match="is no program: no MZ"):
        started({PYTHON: Unfit("no MZ at its start")})


def test_an_extension_finds_what_lies_beside_it_first() -> None:
    beside = f"{PACKAGES}/cupy/cuda/{CUDART}"
    opened = started(
        image(EXTENSION, CUDART),
        image(beside),
        image(f"{ENV}/{CUDART}"),
        image(f"{SYSTEM32}/{CUDART}"),
    ).open(EXTENSION)

    answer = opened.answers[1]
    assert (answer.path, answer.reason) == (beside, Reason.DLL_DIRECTORY)
    assert [(one.path, one.reason, one.why_not) for one in answer.candidates[1:]] == [
        (f"{ENV}/{CUDART}", Reason.APPLICATION, f"{beside} comes first"),
        (f"{SYSTEM32}/{CUDART}", Reason.SYSTEM32, f"{beside} comes first"),
    ]
    assert opened.mapped == (EXTENSION, beside)


def test_path_is_not_searched_for_an_extension() -> None:
    toolkit = "C:/CUDA/v12.4/bin"
    opened = started(
        image(EXTENSION, CUDART), image(f"{toolkit}/{CUDART}"), variables={"Path": toolkit}
    ).open(EXTENSION)

    assert opened.error == NOT_FOUND
    assert opened.mapped == ()
    assert opened.answers[1].candidates == ()


def test_path_is_searched_where_no_flag_is_given() -> None:
    toolkit = r"C:\CUDA\v12.4\bin"
    files = image("C:/CUDA/v12.4/bin/" + CUDART)
    process = started(files, variables={"PATH": f'relative;"{toolkit}\\";;'})

    assert process.open(CUDART).error == NOT_FOUND
    answer = process.open(CUDART, Search.STANDARD).answers[0]
    assert (answer.path, answer.reason) == (f"C:/CUDA/v12.4/bin/{CUDART}", Reason.PATH_VARIABLE)


def test_added_directories_are_not_searched_where_no_flag_is_given() -> None:
    process = started(image(f"C:/added/{CUDART}"), added=(("C:/added", "torch"),))

    assert process.open(CUDART, Search.STANDARD).error == NOT_FOUND
    assert process.open(CUDART).answers[0].candidates[0].of == "torch"


def test_the_standard_order_is_python_s_folder_windows_the_working_directory_and_path() -> None:
    process = started(variables={"PATH": "C:/a;C:/b"}, directory="D:/work")

    places = [one.directory for one in process.directories("C:/x/y.dll")]

    assert places == [
        "C:/x",
        ENV,
        SYSTEM32,
        "C:/Windows/System",
        "C:/Windows",
        "D:/work",
        "C:/a",
        "C:/b",
    ]


def test_with_the_altered_order_the_library_s_folder_stands_for_python_s() -> None:
    plugin = image("C:/x/plugin.dll", "near.dll", "home.dll")
    process = started(plugin, image("C:/x/near.dll"), image(f"{ENV}/home.dll"))

    opened = process.open("C:/x/plugin.dll", Search.ALTERED)

    assert [one.path for one in opened.answers] == ["C:/x/plugin.dll", "C:/x/near.dll", None]


def test_windows_promises_no_order_among_added_directories() -> None:
    process = started(
        image(f"{PACKAGES}/torch/lib/{CUDART}"),
        image(f"{PACKAGES}/nvidia/cuda_runtime/bin/{CUDART}"),
        added=((f"{PACKAGES}/torch/lib", "torch"), (f"{PACKAGES}/nvidia/cuda_runtime/bin", "cupy")),
    )

    taken, tied = process.open(CUDART).answers[0].candidates

    assert (taken.of, taken.tied, taken.why_not) == ("cupy", False, None)
    assert (tied.of, tied.tied) == ("torch", True)
    assert tied.why_not is not None
    assert tied.why_not.endswith(
        "comes first, though Windows promises no order among added directories"
    )


def test_a_file_that_only_other_rules_pass_over_is_not_tied() -> None:
    process = started(
        image(f"{ENV}/{CUDART}"), image(f"C:/added/{CUDART}"), added=(("C:/added", "cupy"),)
    )

    _, other = process.open(CUDART).answers[0].candidates

    assert not other.tied


def test_what_is_loaded_serves_every_import_of_its_name() -> None:
    torch = f"{PACKAGES}/torch/lib/{CUDART}"
    process = started(
        image(torch), image(f"{PACKAGES}/cupy/cuda/{CUDART}"), image(EXTENSION, CUDART.upper())
    )
    process.open(torch)

    answer = process.open(EXTENSION).answers[1]

    assert (answer.path, answer.reason) == (torch, Reason.LOADED)
    (other,) = answer.candidates
    assert other.path == f"{PACKAGES}/cupy/cuda/{CUDART}"
    assert other.why_not == f"{torch} is already loaded under this name"


def test_two_files_of_one_name_are_both_mapped_by_their_paths() -> None:
    first, second = f"{ENV}/Library/bin/libiomp5md.dll", f"{PACKAGES}/torch/lib/libiomp5md.dll"
    process = started(image(first), image(second))

    assert process.open(first).mapped == (first,)
    assert process.open(second).mapped == (second,)
    assert process.open("libiomp5md").answers[0].path == first
    assert process.open(second).mapped == ()


def test_an_extension_that_fails_leaves_nothing_behind_and_all_that_is_missing_is_told() -> None:
    files = image(EXTENSION, "found.dll", "a.dll", "b.dll"), image(f"{ENV}/found.dll", "c.dll")
    process = started(*files)
    before = process.mapped

    opened = process.open(EXTENSION)

    assert [one.name for one in opened.answers if one.error] == ["a.dll", "b.dll", "c.dll"]
    assert (opened.mapped, process.mapped, process.missing) == ((), before, ())
    assert process.open("found.dll").answers[0].reason is Reason.APPLICATION


def test_a_folder_that_is_searched_for_two_reasons_gives_one_candidate() -> None:
    process = started(image(f"{ENV}/a.dll", CUDART), image(f"{ENV}/{CUDART}"))

    (only,) = process.open(f"{ENV}/a.dll").answers[1].candidates

    assert only.reason is Reason.DLL_DIRECTORY


def test_in_the_standard_order_the_folder_of_what_is_opened_does_not_count() -> None:
    process = started(image(EXTENSION, CUDART), image(f"{PACKAGES}/cupy/cuda/{CUDART}"))

    assert process.open(EXTENSION, Search.STANDARD).error == NOT_FOUND
    assert process.open(EXTENSION).error is None


def test_the_folder_of_what_is_opened_counts_for_all_that_it_brings_in() -> None:
    provider = f"{PACKAGES}/onnxruntime/capi/onnxruntime_providers_cuda.dll"
    process = started(
        image(provider, "cudnn64_9.dll"),
        image(f"{ENV}/cudnn64_9.dll", "shared.dll", "own.dll"),
        image(f"{PACKAGES}/onnxruntime/capi/shared.dll"),
        image(f"{PACKAGES}/nvidia/own.dll"),
        added=((f"{PACKAGES}/nvidia", "cupy"),),
    )

    reasons = {one.name: one.reason for one in process.open(provider).answers}

    assert reasons["shared.dll"] is Reason.DLL_DIRECTORY
    assert reasons["own.dll"] is Reason.ADDED


def test_names_and_folders_are_found_in_any_case() -> None:
    process = started(
        image(f"{ENV}/Library/Bin/CuDNN64_9.DLL"),
        added=((f"{ENV.upper()}\\library\\BIN\\", "torch"),),
    )

    assert process.open("cudnn64_9.dll").mapped == (f"{ENV}/Library/Bin/CuDNN64_9.DLL",)
    assert process.open(f"{ENV}/LIBRARY/bin/cudnn64_9.dll".replace("/", "\\")).mapped == ()


def test_conda_s_python_looks_into_its_library_folder_activated_or_not() -> None:
    files = image(EXTENSION, CUDART), image(f"{ENV}/Library/bin/{CUDART}")

    assert started(*files).open(EXTENSION).error == NOT_FOUND
    answer = started(*files, is_conda=True).open(EXTENSION).answers[1]
    assert (answer.reason, answer.taken and answer.taken.of) == (Reason.ADDED, "conda's Python")


def test_conda_s_python_searches_mingw_first_and_python_s_own_bin_last() -> None:
    places = started(is_conda=True, added=(("C:/added", "torch"),)).directories()

    assert [one.directory for one in places if one.reason is Reason.ADDED] == [
        "C:/added",
        *(f"{ENV}/{one}" for one in reversed(CONDA_DIRECTORIES)),
    ]


@pytest.mark.parametrize(
    ("version", "enabled", "is_conda", "found"),
    [
        ((3, 10), "1", True, True),
        ((3, 10), "0", True, False),
        ((3, 10), None, True, False),
        ((3, 11), "1", True, False),
        ((3, 10), "1", False, False),
    ],
)
def test_conda_s_python_searched_path_up_to_3_10_where_it_was_asked_to(
    version: tuple[int, int],
    enabled: str | None,
    is_conda: bool,
    found: bool,
) -> None:
    variables = {"PATH": "C:/CUDA/bin"}
    if enabled is not None:
        variables["CONDA_DLL_SEARCH_MODIFICATION_ENABLE"] = enabled
    process = started(
        image(EXTENSION, CUDART),
        image(f"C:/CUDA/bin/{CUDART}"),
        version=version,
        variables=variables,
        is_conda=is_conda,
    )

    assert (process.open(EXTENSION).error is None) == found


def test_a_file_for_another_machine_ends_the_search() -> None:
    process = started(
        image(f"C:/added/{CUDART}", machine=0x14C, bits=32),
        image(f"{SYSTEM32}/{CUDART}"),
        added=(("C:/added", "cupy"),),
    )

    answer = process.open(CUDART).answers[0]

    assert (answer.path, answer.error) == (None, BAD_FORMAT)
    assert [one.why_not for one in answer.candidates] == [
        "it is for another machine (number 0x14c, 32 bits)",
        f"Windows gives up at C:/added/{CUDART}",
    ]


@pytest.mark.parametrize(
    ("files", "error"),
    [({}, NOT_FOUND), ({EXTENSION: Unfit("no MZ at its start")}, BAD_FORMAT)],
)
def test_a_path_is_opened_or_not(files: dict[str, WindowsImage | Unfit], error: str) -> None:
    assert started(files).open(EXTENSION).error == error


def test_a_path_may_be_relative() -> None:
    process = started(image("D:/folder/x.dll"), directory="D:/folder/below")

    assert process.open("../x.dll").mapped == ("D:/folder/x.dll",)


def test_an_api_set_is_no_file_and_not_missing() -> None:
    ucrt = "api-ms-win-crt-runtime-l1-1-0.dll"
    process = started(image(EXTENSION, ucrt), image(f"{ENV}/{ucrt}"))

    answer = process.open(EXTENSION).answers[1]

    assert (answer.path, answer.reason, answer.error) == (None, Reason.API_SET, None)


def test_what_is_opened_at_the_first_call_is_looked_for_on_path_and_mapped_by_nobody() -> None:
    late = image(EXTENSION, delayed=("cudnn64_9.dll", "vcruntime140.dll", "gone.dll"))
    found = image("C:/CUDA/bin/cudnn64_9.dll"), image(f"{PACKAGES}/cupy/cuda/gone.dll")
    process = started(late, *found, variables={"PATH": "C:/CUDA/bin"})
    opened = process.open(EXTENSION)
    before = process.mapped

    answers = process.delayed(EXTENSION)

    assert opened.error is None
    assert [(one.name, one.reason) for one in answers] == [
        ("cudnn64_9.dll", Reason.PATH_VARIABLE),
        ("vcruntime140.dll", Reason.LOADED),
        ("gone.dll", None),
    ]
    assert process.mapped == before


def test_only_a_mapped_library_opens_anything_late() -> None:
    with pytest.raises(NotLoadedError, match="is not loaded"):
        started(image(EXTENSION)).delayed(EXTENSION)


def test_where_windows_cannot_be_seen_its_own_libraries_are_taken_for_granted() -> None:
    process = started(
        image(EXTENSION, "dbghelp.dll", "nvcuda.dll"), windows=Windows(root="E:/elsewhere")
    )

    _, part, driver = process.open(EXTENSION).answers

    assert not process.sees_windows
    assert (part.path, part.reason) == ("E:/elsewhere/System32/dbghelp.dll", Reason.SYSTEM32)
    assert driver.error == NOT_FOUND


def test_where_windows_can_be_seen_nothing_is_taken_for_granted() -> None:
    process = started(image(EXTENSION, "dbghelp.dll"))

    assert process.sees_windows
    assert process.open(EXTENSION).error == NOT_FOUND


def test_circles_of_imports_end() -> None:
    process = started(image(f"{ENV}/a.dll", "b.dll"), image(f"{ENV}/b.dll", "a.dll", "b.dll"))

    assert process.open("a.dll").mapped == (f"{ENV}/a.dll", f"{ENV}/b.dll")
