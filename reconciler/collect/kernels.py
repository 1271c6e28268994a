"""Jupyter's kernels: which interpreter each of them starts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import msgspec

from reconciler.collect import files
from reconciler.collect.ground import Found
from reconciler.collect.prefixes import environment_above
from reconciler.collect.records import stored
from reconciler.model.host import KernelSpec
from reconciler.model.os_name import from_os
from reconciler.model.snapshot import Fact, Gap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.collect.ground import Ground
    from reconciler.model.snapshot import Snapshot

#: jupyter_core.paths: where the data of an environment lies.
DATA = "share/jupyter"
LIMIT = files.MEGABYTE


def collect(ground: Ground, snapshot: Snapshot) -> Found:
    """Read the kernel.json files of the prefix, of JUPYTER_PATH and of the user."""
    prefix = snapshot.target.prefix
    if prefix is None:
        reason = "no environment to look at"
        return Found(value=(), gaps=(Gap(fact=Fact.KERNELS, reason=reason),))
    found: list[KernelSpec] = []
    gaps: list[Gap] = []
    for folder in (f"{prefix}/{DATA}/kernels", *_user_folders(ground)):
        for name in _names(folder):
            path = f"{folder}/{name}"
            try:
                if kernel := _kernel(name, path, prefix):
                    found.append(kernel)
            except (files.UnreadableError, ValueError, RecursionError) as error:
                item = path.removeprefix(f"{prefix}/")
                gaps.append(Gap(fact=Fact.KERNELS, item=item, reason=from_os(str(error))))
    return Found(value=tuple(found), gaps=tuple(gaps))


def _user_folders(ground: Ground) -> Iterator[str]:
    environ = ground.environ
    separator = ";" if ground.target.platform.startswith("win") else ":"
    for path in environ.get("JUPYTER_PATH", "").split(separator):
        if os.path.isabs(path):
            yield f"{from_os(path)}/kernels"
    if data := _user_data(ground):
        yield f"{from_os(data)}/kernels"


def _user_data(ground: Ground) -> str | None:
    environ = ground.environ
    if own := environ.get("JUPYTER_DATA_DIR"):
        return own
    home = environ.get("HOME")
    if ground.target.platform.startswith("win"):
        roaming = environ.get("APPDATA")
        return f"{roaming}/jupyter" if roaming else None
    if ground.target.platform.startswith("osx"):
        return f"{home}/Library/Jupyter" if home else None
    shared = environ.get("XDG_DATA_HOME") or (f"{home}/.local/share" if home else None)
    return f"{shared}/jupyter" if shared else None


def _names(folder: str) -> tuple[str, ...]:
    try:
        return files.names(folder)
    except files.UnreadableError:
        return ()


def _kernel(name: str, path: str, prefix: str) -> KernelSpec | None:
    try:
        written: Any = msgspec.json.decode(files.read(f"{path}/kernel.json", limit=LIMIT))
    except files.MissingError:
        return None
    argv = written.get("argv") if isinstance(written, dict) else None
    interpreter = argv[0] if isinstance(argv, list) and argv else None
    if not isinstance(interpreter, str):
        raise files.UnreadableError("kernel.json has no argv")
    return KernelSpec(
        name=name,
        path=path.removeprefix(f"{prefix}/"),
        interpreter=stored(interpreter),
        environment=_environment(interpreter),
    )


def _environment(interpreter: str) -> str | None:
    # A bare name is looked for on PATH, or taken for Jupyter's own interpreter. The links of the
    # interpreter itself are not followed: that of a venv leads to the Python that it was made of.
    if not interpreter.startswith("/"):
        return None
    return environment_above(os.path.dirname(interpreter))
