"""The order in which an activation is done, held against rattler's."""

from __future__ import annotations

import json
import subprocess
from shutil import which
from typing import TYPE_CHECKING

import pytest

from reconciler.hooks.reading import read
from reconciler.model.activating import UNSET, activated
from reconciler.model.prefix import ActivationScript, PrefixState, StateVariable

if TYPE_CHECKING:
    from pathlib import Path

SCRIPTS = {
    "20-later.sh": 'export CUDA_HOME="$CUDA_HOME/later"\n',
    "10-first.sh": 'export CUDA_HOME="$CUDA_HOME/first"\nexport XLA_FLAGS="--dir=$CONDA_PREFIX"\n',
    "30.sh": "export LD_LIBRARY_PATH=$CONDA_PREFIX/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}\n",
}
VARIABLES = {"CUDA_HOME": "/state", "CUDNN_PATH": UNSET}


def test_an_activation_comes_to_what_rattler_s_comes_to(tmp_path: Path) -> None:
    shells = pytest.importorskip("rattler.shell")
    bash = which("bash")
    if not bash:
        pytest.skip("bash is not on this machine")
    prefix = tmp_path / "envs" / "gpu"
    folder = prefix / "etc" / "conda" / "activate.d"
    folder.mkdir(parents=True)
    (prefix / "conda-meta").mkdir()
    (prefix / "conda-meta" / "state").write_text(json.dumps({"env_vars": VARIABLES}), "utf-8")
    for name, text in SCRIPTS.items():
        (folder / name).write_text(text, "utf-8")
    shell = {"PATH": "/usr/bin:/bin", "LD_LIBRARY_PATH": "/opt/lib", "CUDA_HOME": "/shell"}
    rendered = shells.activate(prefix, shells.ActivationVariables(None, []), shells.Shell.bash)

    run = subprocess.run(
        [bash, "-c", f"{rendered.script}\n/usr/bin/env -0"],
        env=shell,
        capture_output=True,
        check=True,
    )
    real = dict(entry.split("=", 1) for entry in run.stdout.decode().split("\0") if entry)
    found = activated(
        shell,
        PrefixState(
            variables=tuple(
                StateVariable(name=name, value=value, source="conda-meta/state")
                for name, value in VARIABLES.items()
            ),
            scripts=tuple(
                ActivationScript(
                    path=f"etc/conda/activate.d/{name}", text=text, assignments=read(text)
                )
                for name, text in SCRIPTS.items()
            ),
        ),
        str(prefix),
        manager="rattler",
    )

    assert found.unknown == ()
    # rattler takes PATH from its own process, and counts in a level of its own.
    assert real["PATH"].split(":")[0] == found.variables["PATH"].split(":")[0]
    others = found.variables.keys() - {"PATH", "CONDA_DEFAULT_ENV", "CONDA_SHLVL"}
    assert {n: real.get(n) for n in others} == {n: found.variables[n] for n in others}
