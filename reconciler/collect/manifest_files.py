"""The project's declared files, and the files that they include."""

from __future__ import annotations

import re
from posixpath import dirname, normpath
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler import manifests
from reconciler.collect import discovery, files
from reconciler.collect.ground import Found
from reconciler.collect.secrets import masked
from reconciler.collect.text_encoding import Decoded, decode
from reconciler.model.editor_lines import split
from reconciler.model.manifest import Fault, FaultKind, Kind, Manifest, ManifestError, Section
from reconciler.model.os_name import from_os
from reconciler.model.snapshot import Fact, Gap

if TYPE_CHECKING:
    from reconciler.collect.ground import Ground
    from reconciler.model.manifest import Declared
    from reconciler.model.snapshot import Snapshot

# More than any environment file has; ruamel.yaml reads half of it in a second.
LIMIT = files.MEGABYTE
#: A lock is written and read by programs, and is as long as its environments are many.
LOCK_LIMIT = 8 * files.MEGABYTE
# Seen in pip 26.3 (req_file) and conda 26.7 (conda.env.env.load_file).
_WANTS_UTF_8 = {
    "pip": "pip stops there, and on Windows reads it in the code page of the system",
    "conda": "conda reads UTF-8 or UTF-16 with its mark, and stops at anything else",
}
_INCLUDING = frozenset({Kind.INCLUDE, Kind.CONSTRAINT})
#: The formats that conda takes by ``--file``.
_OF_CONDA = frozenset({"environment_yml", "explicit_txt", "conda_list"})
_ELSEWHERE = re.compile(r"\.\.(?:/|$)|/|[A-Za-z][A-Za-z0-9+.-]*:")


def collect(ground: Ground, snapshot: Snapshot) -> Found:
    """Read the files that declare an environment; a project without one is no gap."""
    target = snapshot.target
    discovered = Found(value=target.files) if target.files else discovery.find(target.project)
    asked = frozenset(discovered.value)
    pending = list(dict.fromkeys(discovered.value))
    included_by: dict[str, Section | None] = dict.fromkeys(pending)
    found: dict[str, Manifest] = {}
    gaps = list(discovered.gaps)
    for path in pending:
        try:
            manifest = _manifest(target.project, path, included_by[path])
        except files.UnreadableError as error:
            # What was found a moment ago may be gone; one that is asked for is missed, unless it is
            # too long and something else.
            is_missed = (
                target.files or path not in asked or not isinstance(error, files.MissingError)
            )
            full = path if path.startswith("/") else f"{target.project}/{path}"
            if is_missed and (path not in asked or discovery.declares(full, path)):
                gaps.append(Gap(fact=Fact.MANIFESTS, item=path, reason=str(error)))
            continue
        if manifest is None:
            continue
        found[path] = manifest = _with_found_includes(target.project, manifest)
        for line in manifest.declared:
            named = normpath(line.name) if line.kind in _INCLUDING else path
            if named not in included_by:
                pending.append(named)
                included_by[named] = line.section
    return Found(value=tuple(found.values()), gaps=tuple(gaps))


def _with_found_includes(project: str, manifest: Manifest) -> Manifest:
    """Lead what commands install from to where it lies in the project; the rest is no file of it.

    A command is given the path that a file has where the command runs: in an image, mostly.
    """
    if manifest.tool != "shell":
        return manifest
    folder = dirname(manifest.path)
    lines: list[Declared] = []
    for line in manifest.declared:
        if line.kind not in _INCLUDING:
            lines.append(line)
            continue
        # A file lies beside the one that names it, or else where the whole is built: at the root.
        paths = (line.name, line.name.removeprefix(f"{folder}/"))
        within = (path for path in paths if not _ELSEWHERE.match(path))
        if path := next((path for path in within if files.exists(f"{project}/{path}")), ""):
            lines.append(replace(line, name=path))
    return replace(manifest, declared=tuple(lines))


def _manifest(project: str, path: str, included_by: Section | None) -> Manifest | None:
    """Read one file; None where it is not about a Python environment."""
    if included_by and _ELSEWHERE.match(path):
        raise files.UnreadableError("included, but not of this project: it is not read")
    full = path if path.startswith("/") else f"{project}/{path}"
    decoded = _decoded(full)
    text = decoded.text
    form = manifests.format_of(path, text)
    if included_by is Section.PIP and not form.startswith("requirements"):
        # pip reads what it is told to include, whatever its name.
        form = "requirements_txt"
    elif included_by is Section.CONDA and form not in _OF_CONDA:
        # A list of specs, one a line: in requirements.txt they look like pip's.
        form = ""
    if not form:
        return None
    try:
        manifest = manifests.read(form, path, text)
    except ManifestError as error:
        fault = _unreadable(text, error.line or 1, error.why)
        return Manifest(path=path, text=text, format=form, faults=(fault,))
    # Docker and shells take any bytes.
    if not decoded.trouble or manifest.tool == "shell":
        return manifest
    why = f"{decoded.trouble}: {_WANTS_UTF_8.get(manifest.tool, 'it is read as UTF-8')}"
    fault = _unreadable(text, decoded.line, why, "the file saved as UTF-8")
    return replace(manifest, faults=(fault, *manifest.faults))


def _unreadable(text: str, line: int, why: str, better: str = "") -> Fault:
    lines = split(text)
    # What is missing at the end is missing on the last line that there is.
    line = min(line, max(len(lines) - (not lines[-1]), 1))
    return Fault(
        kind=FaultKind.UNREADABLE, text=lines[line - 1].strip(), why=why, better=better, line=line
    )


def read_text(path: str) -> str:
    """Return the text of a declared file, its secrets masked; raises UnreadableError."""
    return _decoded(path).text


def _decoded(path: str) -> Decoded:
    raw = files.read(path, limit=limit_of(path))
    try:
        decoded = decode(raw)
    except UnicodeDecodeError as error:
        raise files.UnreadableError(
            f"not {error.encoding}: {error.reason} at byte {error.start}"
        ) from error
    return decoded._replace(text=masked(from_os(decoded.text)))


def limit_of(path: str) -> int:
    """Return how many bytes of a declared file are read at most."""
    return LOCK_LIMIT if "lock" in path.rpartition("/")[2].lower() else LIMIT
