"""What packages add to the DLL search of Windows, by the catalog's rows, and what comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loader.test_windows import ENV, PACKAGES, PYTHON, SYSTEM32, image
from reconciler.catalog import load
from reconciler.loader.answer import Reason
from reconciler.loader.windows import NOT_FOUND, Process
from reconciler.loader.windows_packages import added_by, imported, opened_by
from reconciler.loader.windows_search import Site
from reconciler.loader.windows_tree import PlainWindowsTree
from reconciler.model.windows_loading import Installed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.loader.tree import Unfit
    from reconciler.model.windows_image import WindowsImage

ROWS = {row.module: row for row in load().windows_loadings}
CUDA = "C:/Program Files/NVIDIA GPU Computing Toolkit/CUDA/v12.4"
TORCH = image(f"{PACKAGES}/torch/lib/torch_cuda.dll", "cudart64_12.dll")


def machine(*files: dict[str, WindowsImage | Unfit]) -> PlainWindowsTree:
    known = {
        **image(PYTHON, "KERNEL32.dll"),
        **image(f"{ENV}/Library/bin/zlib.dll"),
        **image(f"{SYSTEM32}/kernel32.dll"),
    }
    for one in files:
        known.update(one)
    return PlainWindowsTree(known)


def installed(variables: Mapping[str, str] | None = None, **fields: object) -> Installed:
    usual = {"packages": (PACKAGES,), "prefix": ENV, "base": ENV, "variables": variables or {}}
    return Installed(**{**usual, **fields})  # type: ignore[arg-type]  # a test's shorthand


def added(tree: PlainWindowsTree, what: Installed) -> list[str]:
    return [one.directory for one in added_by(tree, what, ROWS.values())]


def process(
    tree: PlainWindowsTree, what: Installed, variables: Mapping[str, str] | None = None
) -> Process:
    gave = added_by(tree, what, ROWS.values())
    return Process(
        tree, Site(python=PYTHON, version=(3, 12), added=gave, variables=variables or {})
    )


def test_what_is_not_installed_adds_nothing() -> None:
    assert imported(machine(), installed(), ROWS.values()) == ()
    assert added(machine(), installed()) == []


def test_torch_adds_its_own_folder_and_conda_s_once() -> None:
    tree = machine(TORCH, image(f"{PACKAGES}/torch/lib/cudart64_12.dll"))

    assert added(tree, installed()) == [f"{PACKAGES}/torch/lib", f"{ENV}/Library/bin"]


def test_a_wheel_that_delvewheel_has_mended_adds_its_libraries() -> None:
    tree = machine(
        image(f"{PACKAGES}/numpy.libs/msvcp140-d64049c6.dll"),
        image(f"{PACKAGES}/empty.libs/readme.txt"),
    )

    (only,) = added_by(tree, installed(), ROWS.values())

    assert (only.directory, only.by) == (f"{PACKAGES}/numpy.libs", "numpy")


def test_torch_in_a_venv_adds_the_base_s_library_folder() -> None:
    tree = machine(TORCH, image("C:/base/Library/bin/cudart64_12.dll"))

    found = added(tree, installed(prefix="C:/venv", base="C:/base"))

    assert found == [f"{PACKAGES}/torch/lib", "C:/base/Library/bin"]


@pytest.mark.parametrize(
    ("variables", "cuda", "found"),
    [
        ({}, "12.4", True),
        ({"PROGRAMFILES": r"C:\Program Files"}, "12.4", True),
        ({"CUDA_PATH_V12_4": CUDA}, "12.4", True),
        ({"CUDA_PATH_V12_4": "D:/gone"}, "12.4", False),
        ({}, "12.6", False),
        ({}, None, False),
    ],
)
def test_torch_without_cuda_of_its_own_looks_for_the_toolkit_of_its_release(
    variables: Mapping[str, str], cuda: str | None, found: bool
) -> None:
    tree = machine(TORCH, image(f"{CUDA}/bin/cudart64_12.dll"))
    what = installed(variables, built_for={"torch": cuda} if cuda else {})

    assert (f"{CUDA}/bin" in added(tree, what)) == found


def test_torch_with_cuda_of_its_own_adds_no_toolkit() -> None:
    own = image(f"{PACKAGES}/torch/lib/cudart64_12.dll")
    tree = machine(TORCH, own, image(f"{CUDA}/bin/cudart64_12.dll"))

    assert f"{CUDA}/bin" not in added(tree, installed(built_for={"torch": "12.4"}))


def test_a_variable_with_signs_of_a_template_is_taken_as_it_is() -> None:
    tree = machine(image(f"{PACKAGES}/cupy/.data/lib/cutensor.dll"), image("C:/{odd}%x%/bin/a.dll"))

    assert added(tree, installed({"CUDA_PATH": "C:/{odd}%x%"})) == [
        "C:/{odd}%x%/bin",
        f"{PACKAGES}/cupy/.data/lib",
    ]


def test_torch_opens_its_libraries_and_serves_those_who_come_after_it() -> None:
    tree = machine(TORCH, image(f"{PACKAGES}/torch/lib/cudart64_12.dll"))
    python = process(tree, installed())

    opened = opened_by(python, tree, installed(), ROWS["torch"])

    assert [one.error for one in opened] == [None, None]
    assert python.open("cudart64_12.dll").answers[0].reason is Reason.LOADED


def test_torch_looks_on_path_for_what_it_does_not_find() -> None:
    path = {"PATH": "C:/other"}
    tree = machine(
        image(f"{PACKAGES}/torch/lib/torch_cuda.dll", "cupti64.dll", "zlib.dll"),
        image("C:/other/cupti64.dll"),
        image("C:/other/zlib.dll"),
    )
    python = process(tree, installed(), path)

    (opened,) = opened_by(python, tree, installed(), ROWS["torch"])

    assert opened.error is None
    assert [(one.path, one.taken and one.taken.of) for one in opened.answers[1:]] == [
        ("C:/other/cupti64.dll", None),
        (f"{ENV}/Library/bin/zlib.dll", "PyTorch"),
    ]


def test_onnxruntime_finds_cuda_on_path_and_not_in_added_directories() -> None:
    provider = f"{PACKAGES}/onnxruntime/capi/onnxruntime_providers_cuda.dll"
    tree = machine(
        TORCH,
        image(provider, "cudart64_12.dll"),
        image(f"{PACKAGES}/torch/lib/cudart64_12.dll"),
        image(f"{CUDA}/bin/cudart64_12.dll"),
    )

    (alone,) = opened_by(process(tree, installed()), tree, installed(), ROWS["onnxruntime"])
    on_path = process(tree, installed(), {"PATH": f"{CUDA}/bin"})
    (found,) = opened_by(on_path, tree, installed(), ROWS["onnxruntime"])
    after_torch = process(tree, installed())
    opened_by(after_torch, tree, installed(), ROWS["torch"])
    (loaded,) = opened_by(after_torch, tree, installed(), ROWS["onnxruntime"])

    assert alone.error == NOT_FOUND
    assert found.answers[1].path == f"{CUDA}/bin/cudart64_12.dll"
    assert loaded.answers[1].reason is Reason.LOADED


def test_onnxruntime_finds_what_its_extension_has_loaded() -> None:
    capi = f"{PACKAGES}/onnxruntime/capi"
    tree = machine(
        image(f"{capi}/onnxruntime_pybind11_state.pyd", "msvcp140.dll"),
        image(f"{capi}/onnxruntime_providers_cuda.dll", "msvcp140.dll"),
        image(f"{ENV}/msvcp140.dll"),
    )

    (opened,) = opened_by(process(tree, installed()), tree, installed(), ROWS["onnxruntime"])

    assert opened.answers[1].reason is Reason.LOADED


def test_ctranslate2_opens_all_libraries_in_its_folder_and_no_extension() -> None:
    tree = machine(
        image(f"{PACKAGES}/ctranslate2/ctranslate2.dll", "libiomp5md.dll"),
        image(f"{PACKAGES}/ctranslate2/libiomp5md.DLL"),
        image(f"{PACKAGES}/ctranslate2/_ext.cp312-win_amd64.pyd"),
    )

    opened = opened_by(process(tree, installed()), tree, installed(), ROWS["ctranslate2"])

    assert [one.mapped for one in opened] == [
        (f"{PACKAGES}/ctranslate2/ctranslate2.dll", f"{PACKAGES}/ctranslate2/libiomp5md.DLL"),
        (),
    ]


def test_what_is_not_installed_opens_nothing() -> None:
    tree = machine()

    assert opened_by(process(tree, installed()), tree, installed(), ROWS["torch"]) == ()
