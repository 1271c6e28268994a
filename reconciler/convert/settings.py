"""Options of pip's: which of them the pip section still has, and why the rest goes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.model.conversion import Converted, Dropped, Setting
from reconciler.model.editor_lines import split
from reconciler.model.location import Location
from reconciler.model.manifest import IndexRole, Kind, Section

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.model.conversion import Line
    from reconciler.model.manifest import Declared, Manifest

_EXTRA = "--extra-index-url"
_OPTIONS = {IndexRole.DEFAULT: "--index-url", IndexRole.LINKS: "--find-links"}
_HASH = re.compile(r"--hash[ =]")
_OPTION = re.compile(
    r"\s*(--(?:no-binary|only-binary|pre|prefer-binary|trusted-host|require-hashes|use-feature|"
    r"no-index)\b[^#\r\n]*)"
)


def settings(manifests: Sequence[Manifest], lines: Iterable[Line]) -> tuple[Setting, ...]:
    """Return what becomes of the options that the files give to pip."""
    kept = frozenset(x.at for x in lines if not isinstance(x, Dropped) and not _is_done(x))
    stays = bool(kept)
    found = [*_indexes(manifests, kept, stays=stays)]
    for manifest in manifests:
        if manifest.format == "requirements_txt":
            found += _others(manifest, stays=stays)
    return tuple(found)


def _is_done(line: Line) -> bool:
    """Tell whether conda serves all of a line."""
    return isinstance(line, Converted) and not line.rest


def _indexes(
    manifests: Sequence[Manifest], kept: frozenset[Location], *, stays: bool
) -> Iterator[Setting]:
    declared = [line for manifest in manifests for line in manifest.declared]
    named = {line.index for line in declared if line.location in kept}
    for line in declared:
        if line.kind is Kind.INDEX:
            is_explicit = line.role is IndexRole.EXPLICIT
            yield _index(line, stays=line.name in named if is_explicit else stays)
        if line.kind is Kind.CONSTRAINT and line.section is Section.PIP:
            yield _limits(line, stays=stays)


def _index(line: Declared, *, stays: bool) -> Setting:
    if stays:
        why = "what stays under pip may come from there"
    else:
        why = "nothing is left for pip to look for there: what it serves comes from conda"
    # A pyproject.toml gives the address alone.
    option = (
        ""
        if line.text.startswith("-")
        else f"{_OPTIONS.get(line.role or IndexRole.EXTRA, _EXTRA)} "
    )
    return Setting(text=f"{option}{line.text}", at=line.location, is_carried=stays, reason=why)


def _limits(line: Declared, *, stays: bool) -> Setting:
    why = "conda is asked for what it allows" + (", and pip has to keep to it" if stays else "")
    return Setting(text=line.text, at=line.location, is_carried=stays, reason=why)


def _others(manifest: Manifest, *, stays: bool) -> Iterator[Setting]:
    hashed = [n for n, text in enumerate(split(manifest.text), 1) if _HASH.search(text)]
    if hashed:
        yield Setting(
            text="--hash",
            at=_at(manifest, "--hash", hashed[0]),
            is_carried=False,
            reason="the hashes are those of PyPI's files, and conda's have others",
        )
    for number, text in enumerate(split(manifest.text), 1):
        if match := _OPTION.match(text):
            option = match[1].strip()
            yield Setting(
                text=option,
                at=_at(manifest, option, number),
                is_carried=False,
                reason="conda passes no such option to pip; give it by an environment variable"
                if stays
                else "nothing is left for pip to install",
            )


def _at(manifest: Manifest, subject: str, line: int) -> Location:
    return Location(subject=subject, path=manifest.path, line=line, column=1)
