"""One line as pip reads it, in a requirements file or in the pip section of environment.yml.

pip's own rules: https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

from __future__ import annotations

import re
from posixpath import dirname, join, normpath

from reconciler.model.distribution import required_name
from reconciler.model.manifest import Declared, Kind, Section

_OPTION = re.compile(r"(--?[a-z-]+)(?:\s*=\s*|\s+)?(.*)", re.DOTALL)
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9._-]+)")
_INDEXES = {"-i", "--index-url", "--extra-index-url", "-f", "--find-links"}
_FILES = {
    "-r": Kind.INCLUDE,
    "--requirement": Kind.INCLUDE,
    "-c": Kind.CONSTRAINT,
    "--constraint": Kind.CONSTRAINT,
}
_EDITABLE = {"-e", "--editable"}
# A URL, or a path: no name holds a slash, and what follows a name does so behind one of these.
_LOCATION = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|[./~]|[^\s@;#\[<>=!~]*[/\\]")


def declared(text: str, *, path: str, line: int, column: int) -> Declared | None:
    """Return what one logical line declares; None for an option that names nothing to install."""
    kind, name = _kind_and_name(text, folder=dirname(path))
    if kind is None:
        return None
    return Declared(
        path=path, section=Section.PIP, kind=kind, text=text, name=name, line=line, column=column
    )


def _kind_and_name(text: str, *, folder: str) -> tuple[Kind | None, str]:
    if not text.startswith("-"):
        return Kind.REQUIREMENT, _requirement_name(text)
    option, value = _split_option(text)
    if option in _INDEXES:
        return Kind.INDEX, value
    if kind := _FILES.get(option):
        return kind, normpath(join(folder, value))
    if option in _EDITABLE:
        return Kind.REQUIREMENT, _requirement_name(value)
    return None, ""


def _split_option(text: str) -> tuple[str, str]:
    match = _OPTION.match(text)
    option, value = match.groups() if match else (text, "")
    # -rfile and -fURL: a short option may stand against its value.
    if not option.startswith("--") and len(option) > 2:
        return option[:2], text[2:].strip()
    return option, value.strip().strip("\"'")


def _requirement_name(text: str) -> str:
    if match := _EGG.search(text):
        return required_name(match[1])
    return "" if _LOCATION.match(text) else required_name(text)
