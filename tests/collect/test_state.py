from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from reconciler.model.snapshot import Fact, Gap
from reconciler.pipeline import load_snapshot, save_snapshot

from .trees import PYTHON_RECORD, SITE, conda_prefix, look, reasons, venv, write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reconciler.model.prefix import PrefixState
    from reconciler.model.snapshot import Snapshot

STATE = "conda-meta/state"
ENV_VARS = "etc/conda/env_vars.d"
HOOK = "etc/conda/activate.d/cuda.sh"


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    return conda_prefix(tmp_path / "prefix", PYTHON_RECORD)


def seen(prefix: Path) -> Snapshot:
    return look(prefix, Fact.RECORDS, Fact.PYTHON, Fact.STATE)


def state(prefix: Path) -> PrefixState:
    found = seen(prefix).state
    assert found is not None
    return found


def test_a_plain_prefix_has_an_empty_state(prefix: Path) -> None:
    snapshot = seen(prefix)

    assert snapshot.gaps == ()
    assert snapshot.state is not None
    assert json.loads(save_snapshot(snapshot))["state"] == {}


def test_no_environment_is_a_gap() -> None:
    snapshot = look(None, Fact.STATE)

    assert snapshot.state is None
    assert snapshot.gaps == (Gap(fact=Fact.STATE, reason="no environment to look at"),)


def test_pins_are_read_without_comments(prefix: Path) -> None:
    write(
        prefix, {"conda-meta/pinned": "# of the group\ncuda-version=12.4  # driver\n\nnumpy <2\n"}
    )

    assert state(prefix).pinned == ("cuda-version=12.4", "numpy <2")


def test_a_frozen_prefix_is_one_though_its_mark_is_empty(prefix: Path) -> None:
    write(prefix, {"conda-meta/frozen": ""})

    assert state(prefix).frozen


def test_the_mark_of_pixi_tells_whose_environment_it_is(prefix: Path) -> None:
    mark = {"manifest_path": "/w/pixi.toml", "environment_name": "gpu", "pixi_version": "0.60.0"}
    write(prefix, {"conda-meta/pixi": json.dumps(mark)})

    found = state(prefix).pixi

    assert found is not None
    assert (found.manifest, found.environment) == ("/w/pixi.toml", "gpu")


@pytest.mark.parametrize("text", ["[]", "{", "1", "[" * 100_000])
def test_a_mark_that_pixi_has_not_written_is_a_gap(prefix: Path, text: str) -> None:
    write(prefix, {"conda-meta/pixi": text})

    assert state(prefix).pixi is None
    assert [gap.item for gap in seen(prefix).gaps] == ["conda-meta/pixi"]


def test_variables_are_read_in_the_order_in_which_conda_takes_them(prefix: Path) -> None:
    write(
        prefix,
        {
            STATE: json.dumps({"env_vars": {"CUDA_HOME": "/a", "GONE": "***unset***"}}),
            f"{ENV_VARS}/b.json": json.dumps({"CUDA_HOME": "/b"}),
            f"{ENV_VARS}/a.json": json.dumps({"OMP_NUM_THREADS": 4}),
        },
    )

    assert [(v.name, v.value, v.source) for v in state(prefix).variables] == [
        ("OMP_NUM_THREADS", "4", f"{ENV_VARS}/a.json"),
        ("CUDA_HOME", "/b", f"{ENV_VARS}/b.json"),
        ("CUDA_HOME", "/a", STATE),
        ("GONE", "***unset***", STATE),
    ]


def test_a_state_without_variables_has_none(prefix: Path) -> None:
    write(prefix, {STATE: '{"other": 1}'})

    assert state(prefix).variables == ()


def test_the_secret_of_a_variable_is_masked(prefix: Path) -> None:
    write(prefix, {STATE: json.dumps({"env_vars": {"HF_TOKEN": "hunter2"}})})

    assert state(prefix).variables[0].value == "*******"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"env_vars": []}', '{"env_vars": null}', "\x00", "[" * 100_000],
    ids=["empty", "cut off", "a list", "a list inside", "null", "garbage", "deep"],
)
def test_a_broken_state_blinds_nothing_else(prefix: Path, text: str) -> None:
    write(prefix, {STATE: text, f"{ENV_VARS}/a.json": '{"A": "1"}', HOOK: "export B=2\n"})

    snapshot = seen(prefix)

    assert snapshot.state is not None
    assert [variable.name for variable in snapshot.state.variables] == ["A"]
    assert [script.path for script in snapshot.state.scripts] == [HOOK]
    assert all(gap.item == STATE for gap in snapshot.gaps)
    assert len(snapshot.gaps) == (1 if text else 0)


def test_a_variable_that_is_no_utf8_can_be_saved(prefix: Path) -> None:
    write(prefix, {STATE: b'{"env_vars": {"A": "caf\xe9", "B": "caf\\udce9"}}'})

    snapshot = seen(prefix)

    assert snapshot.state is not None
    assert [v.value for v in snapshot.state.variables] == ["caf\U0010ffe9", "caf\U0010ffe9"]
    assert load_snapshot(save_snapshot(snapshot), where="here") == snapshot


def test_scripts_are_read_with_the_package_that_owns_them(tmp_path: Path) -> None:
    nvcc = {"name": "cuda-nvcc", "files": ["etc/conda/activate.d/nvcc.sh", f"{ENV_VARS}/n.json"]}
    prefix = conda_prefix(tmp_path, PYTHON_RECORD, nvcc)
    write(
        prefix,
        {
            "etc/conda/activate.d/nvcc.sh": "export CUDA_HOME=$CONDA_PREFIX\n",
            "etc/conda/deactivate.d/mine.fish": "set -e API_TOKEN; export API_TOKEN=hunter2\n",
            f"{ENV_VARS}/n.json": '{"NVCC": "1"}',
        },
    )

    found = state(prefix)

    assert [(script.path, script.owner) for script in found.scripts] == [
        ("etc/conda/activate.d/nvcc.sh", "cuda-nvcc"),
        ("etc/conda/deactivate.d/mine.fish", None),
    ]
    assert found.scripts[0].text == "export CUDA_HOME=$CONDA_PREFIX\n"
    assert "hunter2" not in found.scripts[1].text
    assert found.variables[0].owner == "cuda-nvcc"


def test_a_script_that_is_a_pipe_or_too_large_is_a_gap_of_its_own(prefix: Path) -> None:
    write(prefix, {HOOK: "true\n", "etc/conda/activate.d/large.sh": b"#" * (1 << 21)})
    os.mkfifo(prefix / "etc/conda/activate.d/pipe.sh")

    snapshot = seen(prefix)

    assert snapshot.state is not None
    assert [script.path for script in snapshot.state.scripts] == [HOOK]
    assert reasons(snapshot) == {
        "etc/conda/activate.d/large.sh": "2097152 bytes, more than the 1048576 that are read",
        "etc/conda/activate.d/pipe.sh": "not a regular file",
    }


@pytest.mark.parametrize(
    ("record", "mark"),
    [
        ({}, "lib/python3.11/EXTERNALLY-MANAGED"),
        ({"subdir": "win-64"}, "Lib/EXTERNALLY-MANAGED"),
        (
            {"python_site_packages_path": "lib/python3.13t/site-packages"},
            "lib/python3.13t/EXTERNALLY-MANAGED",
        ),
    ],
    ids=["linux", "windows", "free-threaded"],
)
def test_the_mark_of_pep_668_is_found(tmp_path: Path, record: Mapping[str, str], mark: str) -> None:
    prefix = conda_prefix(tmp_path, {**PYTHON_RECORD, **record})
    write(prefix, {mark: "[externally-managed]\n"})

    assert state(prefix).externally_managed == mark


def test_the_mark_means_nothing_in_a_venv(tmp_path: Path) -> None:
    prefix = write(venv(tmp_path / "venv"), {"lib/python3.11/EXTERNALLY-MANAGED": ""})

    assert state(prefix).externally_managed is None


@pytest.mark.parametrize("locked", ["", SITE], ids=["prefix", "site-packages"])
def test_a_prefix_that_may_not_be_written_is_known(
    prefix: Path, locked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # whoever runs the tests as root may write everywhere
    monkeypatch.setattr(os, "access", lambda path, _: os.fspath(path) != str(prefix / locked))

    assert not state(prefix).writable


@pytest.mark.parametrize(("value", "expected"), [("true", True), ("TRUE", True), ("false", False)])
def test_system_site_packages_of_a_venv_are_known(
    tmp_path: Path, value: str, expected: bool
) -> None:
    prefix = venv(tmp_path / "venv")
    write(prefix, {"pyvenv.cfg": f"version = 3.11.7\ninclude-system-site-packages = {value}\n"})

    assert state(prefix).system_site_packages is expected


def test_what_a_script_does_is_read_and_saved(prefix: Path) -> None:
    write(prefix, {HOOK: 'export LD_LIBRARY_PATH="$CONDA_PREFIX/lib:$LD_LIBRARY_PATH"\n'})

    snapshot = seen(prefix)

    assert snapshot.state is not None
    (script,) = snapshot.state.scripts
    assert [(step.action, step.variable) for step in script.assignments] == [
        ("prepend", "LD_LIBRARY_PATH")
    ]
    assert load_snapshot(save_snapshot(snapshot), where="here") == snapshot


def test_a_script_that_nobody_can_read_blinds_nothing_else(prefix: Path) -> None:
    other = "etc/conda/activate.d/other.sh"
    write(prefix, {HOOK: "eval (((\x00", other: b"export A=caf\xe9\n"})

    snapshot = seen(prefix)

    assert snapshot.state is not None
    steps = [step for script in snapshot.state.scripts for step in script.assignments]
    assert [(step.action, step.variable) for step in steps] == [("anything", ""), ("set", "A")]
    assert load_snapshot(save_snapshot(snapshot), where="here") == snapshot


@pytest.mark.parametrize(
    ("text", "is_read"),
    [
        ("export GDAL_DATA=$CONDA_PREFIX/share/gdal\n", False),
        ("export XLA_FLAGS=$CONDA_PREFIX\n", True),
        ("export TRITON_CACHE_DIR=/a\n", True),
        ("test -f /a.sh && . /a.sh\n", True),
        ("source /opt/intel/setvars.sh\n", True),
        ("module load cuda\n", True),
    ],
)
def test_scripts_are_followed_where_one_has_to_do_with_a_variable_that_is_kept(
    prefix: Path, text: str, is_read: bool
) -> None:
    write(prefix, {HOOK: text, "etc/conda/activate.d/a.sh": "export A=/a\n"})

    assert [bool(script.assignments) for script in state(prefix).scripts] == [is_read, is_read]
