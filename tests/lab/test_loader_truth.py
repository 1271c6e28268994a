"""Every library of the lab's environments, opened by its Python and by the model of its loader.

The model has nothing but the Snapshot: what it was not told of the machine, it does not know.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from loader.test_truth import OPENS_EACH

from reconciler import pipeline
from reconciler.collect.disk_symbols import DiskSymbols
from reconciler.loader.process import Process
from reconciler.loader.tree import RecordedTree

from .elf_stub import stub_library
from .wheels import clean_variables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from reconciler.model.loader_view import LoaderView

pytestmark = [pytest.mark.lab, pytest.mark.truth]

ENVIRONMENTS = (
    "majors_mixed",
    "cupy_twice",
    "conda_gpu_of_today",
    "everyday_wheels",
    "wheels_venv",
    "five_faults",
)
#: What people put on LD_LIBRARY_PATH, and what it takes from others.
TRAPS = (
    "libcudart.so.12",
    "libnvJitLink.so.12",
    "libcublasLt.so.12",
    "libz.so.1",
    "libcudart.so.11.0",
)


@pytest.fixture(scope="module")
def traps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("traps")
    for name in TRAPS:
        (folder / name).write_bytes(stub_library(name))
    return folder


@pytest.mark.parametrize("search", ["", "{prefix}/lib", "{traps}:/usr/local/cuda/lib64"])
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_each_library_is_mapped_as_the_environment_s_own_python_maps_it(
    name: str, search: str, traps: Path, request: pytest.FixtureRequest
) -> None:
    prefix: Path = request.getfixturevalue(name)
    listed = search.format(prefix=prefix, traps=traps)
    variables = clean_variables(LD_LIBRARY_PATH=listed) if listed else clean_variables()
    snapshot = pipeline.look(".", pipeline.Choice(prefix=str(prefix)), variables, host=False)
    view = snapshot.loader
    assert view is not None
    # a program is no library
    files = (file for file in view.files if file.interpreter is None)
    libraries = [file.path for file in files if file.path.startswith(f"{prefix}/")]
    own, *seen = opened_by_its_python(prefix, libraries, variables, view.directory)
    tree = RecordedTree(view)
    modules = [one for one in own.split("\0") if ".so" in one]

    predicted = [opened(view, tree, variables, modules, path) for path in libraries]

    program = view.executable
    differ = [
        (path, model ^ real if isinstance(model, set) and isinstance(real, set) else (model, real))
        for path, model, said in zip(libraries, predicted, seen, strict=True)
        if model != (real := as_seen(said, program))
    ]
    assert differ == []
    assert tree.unknown == set()


def opened(
    view: LoaderView,
    tree: RecordedTree,
    variables: Mapping[str, str],
    modules: Sequence[str],
    path: str,
) -> str | set[str]:
    """Return what the model says that ctypes.CDLL does in a Python that has loaded the modules."""
    process = Process(tree, view.system, view.executable, variables, directory=view.directory)
    process.bind(DiskSymbols())
    for module in modules:
        process.dlopen(module)
    caller = next((one for one in modules if "_ctypes." in one), None)
    error = process.dlopen(path, caller, is_now=False).error
    return f"error {error}" if error else {tree.real_path(one) for one in process.mapped}


def as_seen(line: str, program: str) -> str | set[str]:
    """Return the error, or the libraries and the program among what is mapped."""
    if line.startswith(("error", "crash")):
        return line
    return {one for one in line.split("\0") if ".so" in one or one == program}


def opened_by_its_python(
    prefix: Path, libraries: Sequence[str], variables: Mapping[str, str], directory: str
) -> list[str]:
    done = subprocess.run(
        [prefix / "bin/python", "-I", "-c", OPENS_EACH],
        input="\0".join(libraries),
        cwd=directory,
        env=dict(variables),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()
