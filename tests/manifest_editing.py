"""What tests of edits share: edits named by the text of their line, and what they make of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reconciler.manifests import read
from reconciler.manifests.rewriting import apply_splices, rewrite
from reconciler.model.fix import Add, Edit, Remove, Replace
from reconciler.model.manifest import IndexRole, Kind, Section

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.model.manifest import Declared, Manifest

    #: An edit of whatever manifest it is given.
    Ask = Callable[[Manifest], Edit]


class Outcome(NamedTuple):
    """What edits make of a text."""

    text: str
    #: Why those are held back that are.
    held: list[str]


def edited(form: str, path: str, text: str, *asks: Ask) -> Outcome:
    """Return what the edits make of a file."""
    manifest = read(form, path, text)
    found = rewrite(manifest, [ask(manifest) for ask in asks])
    out = apply_splices(text, found.splices)
    assert found.manifest.text == out
    return Outcome(out, [why for _, why in found.held])


def line_of(manifest: Manifest, text: str) -> Declared:
    """Return the first line that is declared with a text."""
    return next(line for line in manifest.declared if line.text == text)


def remove(text: str) -> Ask:
    return lambda manifest: Remove(line=line_of(manifest, text))


def replace(text: str, new: str) -> Ask:
    return lambda manifest: Replace(line=line_of(manifest, text), text=new)


def add(  # noqa: PLR0913 - the parts of an edit
    text: str,
    *,
    section: Section = Section.CONDA,
    kind: Kind = Kind.REQUIREMENT,
    after: str = "",
    scope: str = "",
    role: IndexRole | None = None,
) -> Ask:
    return lambda manifest: Add(
        path=manifest.path,
        section=section,
        kind=kind,
        text=text,
        scope=scope,
        role=role,
        after=line_of(manifest, after) if after else None,
    )


def add_pip(text: str, *, after: str = "") -> Ask:
    return add(text, section=Section.PIP, after=after)


def add_index(url: str, *, role: IndexRole | None = None, after: str = "") -> Ask:
    return add(url, section=Section.PIP, kind=Kind.INDEX, role=role, after=after)


def add_explicit(url: str, after: str, *, scope: str | None = None) -> Ask:
    """Name an index for one requirement; of several of one text, for that of a scope."""

    def ask(manifest: Manifest) -> Edit:
        alike = [line for line in manifest.declared if line.text == after]
        (line, *_) = (one for one in alike if scope is None or one.scope == scope)
        return Add(
            path=manifest.path,
            section=Section.PIP,
            kind=Kind.INDEX,
            text=url,
            role=IndexRole.EXPLICIT,
            after=line,
        )

    return ask
