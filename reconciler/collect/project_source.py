"""Of which distribution a project's folder is the source, as its files say."""

from __future__ import annotations

import re

from reconciler.collect import files
from reconciler.model.os_name import from_os

#: In the order of preference; the older two are read for a name that is written as a text.
SOURCES = ("pyproject.toml", "setup.cfg", "setup.py")
_NAME = {
    "setup.cfg": r"(?m)^name\s{0,9}[=:]\s{0,9}([\w.-]+)\s*$",
    "setup.py": r"""\bname\s{0,9}=\s{0,9}["']([\w.-]+)["']""",
}


def name(project: str) -> str | None:
    """Return the distribution's name, "" where it is not said, None where there is none."""
    found = None
    for source in SOURCES:
        try:
            raw = files.read(f"{project}/{source}", limit=files.MEGABYTE)
        except files.UnreadableError:
            continue
        text = from_os(raw.decode("utf-8", "surrogateescape"))
        said = _of_pyproject(text) if source == "pyproject.toml" else _of_text(source, text)
        if said:
            return said
        found = said if found is None else found
    return found


def _of_text(source: str, text: str) -> str:
    match = re.search(_NAME[source], text)
    return match[1] if match else ""


def _of_pyproject(text: str) -> str | None:
    import tomllib  # noqa: PLC0415 - few projects have a file that asks for this look

    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError):
        return ""
    project, tool = document.get("project"), document.get("tool")
    poetry = tool.get("poetry") if isinstance(tool, dict) else None
    for table in (project, poetry):
        if isinstance(table, dict):
            said = table.get("name")
            return said if isinstance(said, str) else ""
    # Many a pyproject.toml only configures tools, or how an older setup.py is built.
    return "" if "build-system" in document else None
