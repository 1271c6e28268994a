"""What tables of TOML declare, whichever program reads them: the nouns made of nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from reconciler.manifests import pip_refusal, pip_required, pip_requirement
from reconciler.model.conda_spec import CondaSpec, InvalidCondaSpec
from reconciler.model.distribution import required_name
from reconciler.model.manifest import (
    Combination,
    Correction,
    Declared,
    Fault,
    FaultKind,
    IndexRole,
    Kind,
    Manifest,
    Section,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.manifests.toml_nodes import Node

#: A line that is declared, or what is wrong with one. Both get their path at the end.
Line = Declared | Fault


class Asked(NamedTuple):
    """A requirement of the project, before its tool says where that comes from."""

    node: Node
    text: str
    scope: str = ""

    @property
    def name(self) -> str:
        """The normal name; "" where it has none."""
        return required_name(self.text)


class Tables(NamedTuple):
    """What the tables of one program declare."""

    lines: tuple[Line, ...] = ()
    #: What is installed together, besides the file itself.
    combinations: tuple[Combination, ...] = ()
    platforms: tuple[str, ...] = ()


def requirement(
    node: Node,
    text: str,
    *,
    scope: str = "",
    index: str = "",
    platforms: tuple[str, ...] = (),
) -> Line:
    """Return what one requirement of PEP 508 declares, or why it is none."""
    text = text.strip()
    why, better = pip_refusal.of(*pip_requirement.split_marker(text))
    if why and not pip_required.is_placeholder(text):
        return broken(node, text, why, better)
    return Declared(
        path="",
        section=Section.PIP,
        text=text,
        name=required_name(text),
        line=node.line,
        column=node.column,
        scope=scope,
        index=index,
        platforms=platforms,
    )


def conda_spec(node: Node, text: str, *, scope: str = "", platforms: tuple[str, ...] = ()) -> Line:
    """Return what one MatchSpec declares, or why it is none."""
    try:
        name = CondaSpec.parse(text).name
    except InvalidCondaSpec as error:
        return broken(node, text, f"it is no spec of conda: {error.reason}")
    return Declared(
        path="",
        section=Section.CONDA,
        text=text,
        name=name,
        line=node.line,
        column=node.column,
        scope=scope,
        platforms=platforms,
    )


def index(node: Node, role: IndexRole, *, scope: str = "") -> Declared:
    """Return an index at the place of its URL."""
    return _of_kind(node, Kind.INDEX, Section.PIP, node.text(), scope, role)


def channel(node: Node, name: str, *, scope: str = "") -> Declared:
    """Return a channel of conda."""
    return _of_kind(node, Kind.CHANNEL, Section.CONDA, name, scope)


def python(node: Node, specifier: str, *, scope: str = "") -> Declared:
    """Return the Pythons that a project supports."""
    declared = _of_kind(node, Kind.PYTHON, Section.PIP, specifier, scope)
    return replace(declared, name="python")


def variable(node: Node, name: str, value: str, *, scope: str = "") -> Declared:
    """Return a variable that is set for an environment."""
    declared = _of_kind(node, Kind.VARIABLE, Section.SHELL, f"{name}={value}", scope)
    return replace(declared, name=name)


def broken(node: Node, text: str, why: str, better: str = "") -> Fault:
    """Return a line that its tool refuses."""
    fault = Fault(
        kind=FaultKind.BROKEN,
        text=text,
        why=why,
        better=better,
        line=node.line,
        column=node.column,
    )
    return fault.corrected(Correction(text=better) if better else None)


def _of_kind(  # noqa: PLR0913, PLR0917 - the parts of a line
    node: Node, kind: Kind, section: Section, text: str, scope: str, role: IndexRole | None = None
) -> Declared:
    return Declared(
        path="",
        section=section,
        kind=kind,
        text=text,
        name=text,
        line=node.line,
        column=node.column,
        scope=scope,
        role=role,
    )


def url(node: Node) -> str:
    """Return where a table says that a package itself is: a repository, an archive, a folder."""
    folder = node.at("subdirectory").text()
    if git := node.at("git").text():
        said = (node.at(key).text() for key in ("rev", "ref", "tag", "branch"))
        return pip_requirement.git_url(git, next(filter(None, said), ""), folder)
    if archive := node.at("url").text():
        return f"{archive}#subdirectory={folder}" if folder else archive
    path = node.at("path").text() or node.at("file").text()
    return pip_requirement.file_url(path) if path else ""


def reached(scope: str, leads_to: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Return a scope with those that it takes along, and those that these do."""
    found = {scope: None}
    pending = [scope]
    for current in pending:
        further = [s for s in leads_to.get(current, ()) if s not in found]
        found |= dict.fromkeys(further)
        pending += further
    return tuple(found)


def manifest(  # noqa: PLR0913 - the parts of a manifest
    path: str,
    text: str,
    *,
    tool: str,
    lines: Iterable[Line],
    combinations: Iterable[Combination] = (),
    platforms: Iterable[str] = (),
    is_lock: bool = False,
) -> Manifest:
    """Return a manifest with its lines and faults told apart."""
    lines = tuple(lines)
    return Manifest(
        path=path,
        text=text,
        tool=tool,
        is_lock=is_lock,
        declared=tuple(_placed(lines, path)),
        combinations=tuple(combinations) or (Combination(),),
        platforms=tuple(dict.fromkeys(platforms)),
        faults=tuple(line for line in lines if isinstance(line, Fault)),
    )


def _placed(lines: Iterable[Line], path: str) -> Iterator[Declared]:
    return (replace(line, path=path) for line in lines if isinstance(line, Declared))
