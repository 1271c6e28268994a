"""Lines that pip refuses, drops or misreads, as they were meant: where that is certain, or older pips say it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace
from packaging.requirements import InvalidRequirement, Requirement

from reconciler.model.distribution import required_name
from reconciler.model.manifest import Declared, Section

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.manifest import Fault, Manifest

# torch>=2.0.1+cu117: PEP 440 has never allowed a local label there.
_LABELED = re.compile(r"(?P<bound>(?:[<>]=?|~=)\s*\d[\w.]*)\+(?P<label>\w[\w.]*)")
# A table or a list, that begins or ends.
_LIST = re.compile(r"^\s*\[|=\s*\[|^\s*\]|:\s*$")


def mended(manifest: Manifest) -> Manifest:
    """Return a file with the requirements in its lines at fault that can be read.

    In an environment.yml these lines are left to whoever edits it.
    """
    if manifest.format == "environment_yml":
        return manifest
    found = [line for fault in manifest.faults for line in _declared(manifest, fault)]
    if not found:
        return manifest
    return replace(manifest, declared=(*manifest.declared, *found))


def _declared(manifest: Manifest, fault: Fault) -> Iterator[Declared]:
    """Yield what a line asks for; nothing where its part of the file is not certain."""
    labeled = fault.text.strip("\"', ") if _LABELED.search(fault.text) else ""
    scope = "" if manifest.format == "requirements_txt" else _scope(manifest, fault)
    for text in (fault.better or labeled).splitlines():
        if scope is not None and (text == labeled or _is_requirement(text)):
            yield Declared(
                path=manifest.path,
                section=Section.PIP,
                text=text,
                name=required_name(text),
                line=fault.line,
                column=fault.column,
                scope=scope,
            )


def _is_requirement(text: str) -> bool:
    try:
        Requirement(text)
    except (InvalidRequirement, RecursionError):
        return False
    return True


def _scope(manifest: Manifest, fault: Fault) -> str | None:
    """Return the part of the requirement before it, where no other list begins between them."""
    before = (
        d for d in manifest.declared if _place(d) < _place(fault) and d.section is Section.PIP
    )
    last = max(before, key=_place, default=None)
    if last is None:
        return None
    between = manifest.text.splitlines()[last.line : fault.line]
    return None if any(_LIST.search(line) for line in between) else last.scope


def _place(one: Declared | Fault) -> tuple[int, int]:
    return one.line, one.column


def unlabeled(text: str) -> tuple[str, tuple[str, ...]]:
    """Return a requirement without the labels that no bound may bear, and the labels."""
    labels = tuple(match["label"] for match in _LABELED.finditer(text))
    return _LABELED.sub(r"\g<bound>", text), labels
