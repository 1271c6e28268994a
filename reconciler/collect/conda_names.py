"""Where conda keeps environments by name: as its configuration says, and as its own API says.

The API is conda's context alone. ``list_all_known_prefixes`` is not asked: it rewrites the user's
environments.txt, which a scan must not.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.collect import files
from reconciler.manifests import yaml_nodes
from reconciler.model.manifest import ManifestError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_OF_THE_MACHINE = (
    (
        "C:/ProgramData/conda/condarc.d",
        "C:/ProgramData/conda/condarc",
        "C:/ProgramData/conda/.condarc",
    )
    if os.name == "nt"
    else (
        "/var/lib/conda/condarc.d/",
        "/var/lib/conda/condarc",
        "/var/lib/conda/.condarc",
        "/etc/conda/condarc.d/",
        "/etc/conda/condarc",
        "/etc/conda/.condarc",
    )
)
#: conda, base/constants.py, SEARCH_PATH, but the strongest first. $CONDA_ROOT is conda's own prefix.
PLACES = (
    "$CONDARC",
    "$CONDA_PREFIX/condarc.d/",
    "$CONDA_PREFIX/condarc",
    "$CONDA_PREFIX/.condarc",
    "$HOME/.condarc",
    "$HOME/.conda/condarc.d/",
    "$HOME/.conda/condarc",
    "$HOME/.conda/.condarc",
    "$HOME/.config/conda/condarc.d/",
    "$HOME/.config/conda/condarc",
    "$HOME/.config/conda/.condarc",
    "$XDG_CONFIG_HOME/conda/condarc.d/",
    "$XDG_CONFIG_HOME/conda/condarc",
    "$XDG_CONFIG_HOME/conda/.condarc",
    "$CONDA_ROOT/condarc.d/",
    "$CONDA_ROOT/condarc",
    "$CONDA_ROOT/.condarc",
    *_OF_THE_MACHINE,
)
#: conda, common/configuration.py: what of a folder is a part of the configuration.
YAML = (".yml", ".yaml")
#: More files than anybody keeps in one condarc.d.
MOST_FILES = 256
#: A setting and its alias.
KEYS = ("envs_dirs", "envs_path")


class CondaNames(Struct, frozen=True):
    """What conda's context says."""

    root: str
    #: The folders of named environments, the first searched first.
    envs_dirs: tuple[str, ...]


def ask() -> CondaNames | None:
    """Ask conda, where it can be imported: envfix in conda's own base environment."""
    try:
        conda = importlib.import_module("conda")
        error = getattr(conda, "CondaError", ImportError)
    except ImportError:
        return None
    try:
        search_path = importlib.import_module("conda.base.constants").SEARCH_PATH
        # A context of our own: that of a conda which was only imported has read no .condarc.
        context = importlib.import_module("conda.base.context").Context(search_path)
        return CondaNames(str(context.root_prefix), tuple(map(str, context.envs_dirs)))
    except (ImportError, AttributeError, error):
        # A .condarc that conda refuses; its files tell as much as they can.
        return None


def configured(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the folders of named environments that .condarc files list."""
    for place in PLACES:
        for path in _condarcs(_expanded(place, environ)):
            for folder in _listed(path):
                if expanded := _expanded(folder, environ):
                    yield expanded


def _condarcs(place: str) -> Iterator[str]:
    """Yield the file that a place is, or those of the folder that it is, the last name first."""
    if not place:
        return
    if not os.path.isdir(place):
        yield place
        return
    try:
        names = [name for name in files.names(place) if name.endswith(YAML)]
    except files.UnreadableError:
        return
    # conda reads them by name, and a later one is stronger.
    yield from (os.path.join(place, name) for name in reversed(names[-MOST_FILES:]))


def _listed(path: str) -> Iterator[str]:
    try:
        raw = files.read(path, limit=files.MEGABYTE)
    except files.UnreadableError:
        return
    try:
        settings = yaml_nodes.parse(raw.decode("utf-8", "replace"))
    except ManifestError:
        return
    for key in KEYS if settings else ():
        listed = settings.get(key) if settings else None
        yield from (node.text() for node in listed.items()) if listed else ()


def _expanded(text: str, environ: Mapping[str, str]) -> str:
    """Return a path with ``~`` and ``$NAME`` put in; "" where a variable is not set."""
    home = environ.get("HOME") or environ.get("USERPROFILE") or ""
    if text == "~" or text.startswith("~/"):
        text = f"$HOME{text[1:]}"
    head, separator, rest = text.partition("/")
    if head.startswith("$"):
        name = head[1:].strip("{}")
        head = home if name == "HOME" else environ.get(name, "")
        if not head:
            return ""
    return f"{head}{separator}{rest}"
