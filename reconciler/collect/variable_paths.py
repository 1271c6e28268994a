"""Where the variables that name a folder lead, and which python and pip are first on PATH."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from reconciler.collect import files
from reconciler.collect.ground import Found
from reconciler.collect.prefixes import environment_above
from reconciler.collect.python import version_of_conda
from reconciler.model.host import VariablePath
from reconciler.model.os_name import from_os, to_os

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.collect.ground import Ground
    from reconciler.model.snapshot import Snapshot

#: Each names one folder, or a file in it.
FOLDERS = (
    "CONDA_EXE",
    "CONDA_PREFIX",
    "CUDA_HOME",
    "CUDA_PATH",
    "CUDA_ROOT",
    "CUDNN_PATH",
    "MAMBA_EXE",
    "MAMBA_ROOT_PREFIX",
    "PYTHONHOME",
    "VIRTUAL_ENV",
)
#: TRITON_PTXAS_PATH, TRITON_LIBCUDA_PATH; not TRITON_CACHE_DIR, which Triton makes itself. And
#: conda's outer environments: CONDA_PREFIX_1.
_NUMBERED = re.compile(r"TRITON_[A-Z0-9_]+_PATH|CONDA_PREFIX_\d+")
_XLA = r"""--xla_gpu_cuda_data_dir[=\s]["']?([^\s"']+)"""
COMMANDS = ("python", "pip")
#: The first lines of a script that pip writes where its interpreter's path is too long for #!.
_EXEC = rb"""^#!/bin/sh\n'''exec' "?(/[^"\n]+?)"? "\$0" """
_SHEBANG = rb"^#!\s*(/\S+)"
HEAD = 1 << 10


def collect(ground: Ground, snapshot: Snapshot) -> Found:
    """Look where each variable leads; one that is empty leads nowhere."""
    return Found(value=(*_folders(ground), *_commands(ground)))


def _folders(ground: Ground) -> Iterator[VariablePath]:
    for variable, value in sorted(ground.environ.items()):
        for path in _paths(variable, value):
            absolute = os.path.join(to_os(ground.target.project), path)
            environment = environment_above(from_os(absolute))
            yield VariablePath(
                variable=from_os(variable),
                path=from_os(path),
                exists=os.path.exists(absolute),
                environment=environment,
                python=version_of_conda(environment) if environment else None,
            )


def _paths(variable: str, value: str) -> list[str]:
    if variable == "XLA_FLAGS":
        return re.findall(_XLA, value)
    if variable == "PYTHONHOME":
        # <prefix>:<exec_prefix>
        return [path for path in value.split(os.pathsep) if path]
    return [value] if value and (variable in FOLDERS or _NUMBERED.fullmatch(variable)) else []


def _commands(ground: Ground) -> Iterator[VariablePath]:
    is_windows = ground.target.platform.startswith("win")
    folders = ground.environ.get("PATH", "").split(";" if is_windows else ":")
    for command in COMMANDS:
        name = f"{command}.exe" if is_windows else command
        for folder in folders:
            path = os.path.join(to_os(ground.target.project), folder, name)
            if os.path.isfile(path) and os.access(path, os.X_OK):
                yield _command(command, from_os(path))
                break


def _command(command: str, path: str) -> VariablePath:
    interpreter = _interpreter(path)
    return VariablePath(
        variable="PATH",
        path=path,
        # The links of the command itself are not followed: a venv's python leads out of it.
        environment=environment_above(os.path.dirname(path)),
        command=command,
        interpreter=interpreter,
        interpreter_in=environment_above(os.path.dirname(interpreter)) if interpreter else None,
    )


def _interpreter(path: str) -> str | None:
    try:
        head = files.with_pread(path, lambda pread: pread(0, HEAD))
    except files.UnreadableError:
        return None
    match = re.match(_EXEC, head) or re.match(_SHEBANG, head)
    if match is None:
        return None
    path = match[1].decode("utf-8", "surrogateescape")
    # `#!/usr/bin/env python` asks PATH again, and a shell's script may do anything.
    return from_os(path) if "python" in os.path.basename(path) else None
