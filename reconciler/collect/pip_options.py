"""What configures pip, and uv's pip, beside the command line: files and variables.

Only options that change what is installed, or where. The files and their order are those of
pip/_internal/configuration.py.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reconciler.collect import files
from reconciler.collect.ground import Found
from reconciler.collect.secrets import masked
from reconciler.model.host import PipOption
from reconciler.model.os_name import from_os, to_os
from reconciler.model.snapshot import Fact, Gap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.collect.ground import Ground
    from reconciler.model.snapshot import Snapshot

# Long options of ``pip install`` (pip 23 to 26) that decide which file is installed, or where to.
_OF_PIP = """
abi break-system-packages build-constraint constraint dry-run extra-index-url find-links
force-reinstall ignore-installed implementation index-url no-binary no-deps no-index
only-binary platform pre prefer-binary prefix python python-version require-hashes
require-virtualenv requirement root src target upgrade-strategy uploaded-prior-to user
"""
# The same of uv, as its variables name them.
_OF_UV = """
break-system-packages build-constraint constraint default-index exclude exclude-newer
extra-index-url find-links index index-strategy index-url no-binary no-binary-package no-build
no-build-package no-index offline override prerelease python resolution system-python
torch-backend
"""
OF_PIP = frozenset(_OF_PIP.split())
OF_UV = frozenset(_OF_UV.split())
#: The sections that ``pip install`` reads, a later one over an earlier one.
SECTIONS = ("global", "install")


def collect(ground: Ground, snapshot: Snapshot) -> Found:
    """Read pip's configuration in the order in which pip takes it: the last of a name wins."""
    found: dict[str, list[PipOption]] = {section: [] for section in SECTIONS}
    gaps = []
    for path in _files(ground, snapshot):
        try:
            for section, name, value in _settings(path):
                found[section].append(
                    PipOption(source=_shown(path, snapshot), name=name, value=value)
                )
        except files.MissingError:
            continue
        except files.UnreadableError as error:
            gaps.append(Gap(fact=Fact.PIP_OPTIONS, item=_shown(path, snapshot), reason=str(error)))
    options = (option for section in SECTIONS for option in found[section])
    return Found(value=(*options, *_of_variables(ground)), gaps=tuple(gaps))


def _files(ground: Ground, snapshot: Snapshot) -> Iterator[str]:
    """Yield every file that pip would read, whether it is there or not, the weakest first."""
    chosen = ground.environ.get("PIP_CONFIG_FILE")
    if chosen == os.devnull:
        return
    platform = snapshot.target.platform
    name = "pip.ini" if platform.startswith("win") else "pip.conf"
    yield from (f"{folder}/{name}" for folder in _global_folders(ground, platform))
    # A file that PIP_CONFIG_FILE names stands in for those of the user.
    if not (chosen and os.path.exists(chosen)):
        yield from (f"{folder}/{name}" for folder in _user_folders(ground, platform))
    if snapshot.target.prefix:
        yield f"{snapshot.target.prefix}/{name}"
    if chosen:
        yield from_os(chosen)


def _global_folders(ground: Ground, platform: str) -> Iterator[str]:
    if platform.startswith("win"):
        if folder := ground.environ.get("PROGRAMDATA"):
            yield f"{from_os(folder)}/pip"
        return
    if platform.startswith("osx"):
        yield f"{ground.root}/Library/Application Support/pip"
        return
    listed = from_os(ground.environ.get("XDG_CONFIG_DIRS", ""))
    for folder in filter(None, listed.split(":")) if listed else (f"{ground.root}/etc/xdg",):
        yield f"{folder}/pip"
    yield f"{ground.root}/etc"


def _user_folders(ground: Ground, platform: str) -> Iterator[str]:
    is_windows = platform.startswith("win")
    home = from_os(ground.environ.get("USERPROFILE" if is_windows else "HOME", ""))
    if home:
        yield f"{home}/{'pip' if is_windows else '.pip'}"
    if is_windows:
        if folder := ground.environ.get("APPDATA"):
            yield f"{from_os(folder)}/pip"
        return
    of_mac = f"{home}/Library/Application Support/pip"
    if home and platform.startswith("osx") and os.path.isdir(to_os(of_mac)):
        yield of_mac
    elif folder := ground.environ.get("XDG_CONFIG_HOME"):
        yield f"{from_os(folder)}/pip"
    elif home:
        yield f"{home}/.config/pip"


def _settings(path: str) -> Iterator[tuple[str, str, str]]:
    """Yield section, name and value of what a file sets; raises UnreadableError."""
    text = files.read(path, limit=files.MEGABYTE).decode("utf-8", "surrogateescape")
    import configparser  # noqa: PLC0415 - few machines have such a file

    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error as error:
        # pip itself stops here, whatever it was asked to do.
        why = from_os(str(error).replace("\n", " ").replace("'<string>'", "").strip())
        raise files.UnreadableError(f"not a configuration of pip: {masked(why)}") from error
    for section in SECTIONS:
        if parser.has_section(section):
            for key, value in parser.items(section):
                name = _normal(key)
                if name in OF_PIP and value and value.strip():
                    yield section, name, _shown_value(value)


def _of_variables(ground: Ground) -> Iterator[PipOption]:
    for variable, value in sorted(ground.environ.items()):
        tool, _, rest = variable.partition("_")
        name = _normal(rest)
        # pip and uv pass over a variable that is set to nothing.
        if name in {"PIP": OF_PIP, "UV": OF_UV}.get(tool, ()) and value.strip():
            yield PipOption(source=variable, name=name, value=_shown_value(value))


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").removeprefix("--")


def _shown_value(value: str) -> str:
    return from_os(masked(" ".join(value.split())))


def _shown(path: str, snapshot: Snapshot) -> str:
    prefix = snapshot.target.prefix
    return path.removeprefix(f"{prefix}/") if prefix else path
