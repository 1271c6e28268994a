"""The tables of pyproject.toml that ask conda for packages: conda-lock's and unidep's.

The forms: https://conda.github.io/conda-lock/src_pyproject/ and https://unidep.readthedocs.io/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.manifests import pip_requirement, toml_lines
from reconciler.manifests.toml_lines import Tables
from reconciler.model.distribution import required_name
from reconciler.model.manifest import Combination, IndexRole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.manifests.toml_lines import Line
    from reconciler.manifests.toml_nodes import Node

# adaptive:linux64, of unidep; no :: of a channel.
_SELECTOR = re.compile(r"(?<!:):(?!:)\s*([\w\s]+)$")
_SELECTORS = {
    "linux64": ("linux-64",),
    "linux": ("linux-64", "linux-aarch64", "linux-ppc64le"),
    "aarch64": ("linux-aarch64",),
    "ppc64le": ("linux-ppc64le",),
    "osx64": ("osx-64",),
    "osx": ("osx-64", "osx-arm64"),
    "macos": ("osx-64", "osx-arm64"),
    "arm64": ("osx-arm64",),
    "win64": ("win-64",),
    "win": ("win-64",),
    "windows": ("win-64",),
    "unix": ("linux-64", "linux-aarch64", "linux-ppc64le", "osx-64", "osx-arm64"),
}
_NAMED = re.compile(r"\s*((?:[\w./-]+::)?[A-Za-z0-9_.-]+(?:\[[^\]]*\])?)\s*(.*)", re.DOTALL)
_EQUAL = re.compile(r"(?<![<>=!~])=(?!=)")


def conda_lock(root: Node) -> Tables:
    """Return what conda-lock's table asks for.

    What poetry's or the project's tables ask for becomes conda packages there: it is not repeated.
    """
    table = root.at("tool", "conda-lock")
    scope = "conda-lock"
    if not table.pairs():
        return Tables()
    lines: list[Line] = [
        toml_lines.channel(node, node.text() or node.at("url").text(), scope=scope)
        for node in table.at("channels").items()
        if node.text() or node.at("url").text()
    ]
    for key, value in table.at("dependencies").pairs():
        version = value.text() or value.at("version").text()
        lines.append(_locked(key, value, "" if version == "*" else version, scope))
    return Tables(
        lines=tuple(lines),
        combinations=(Combination(name=scope, scopes=(scope,)),),
        platforms=tuple(node.text() for node in table.at("platforms").texts()),
    )


def _locked(key: Node, value: Node, version: str, scope: str) -> Line:
    if value.at("source").text() in {"pypi", "pip"}:
        text = pip_requirement.compose(
            key.text(),
            version if version[:1] in "<>=!~" else f"=={version}",
            with_extras=[extra.text() for extra in value.at("extras").texts()],
        )
        return toml_lines.requirement(key, text, scope=scope)
    if url := value.at("url").text():
        return toml_lines.requirement(key, f"{key.text()} @ {url}", scope=scope)
    channel, build = value.at("channel").text(), value.at("build").text()
    name = f"{channel}::{key.text()}" if channel else key.text()
    return toml_lines.conda_spec(key, " ".join(filter(None, (name, version, build))), scope=scope)


def unidep(root: Node) -> Tables:
    """Return what unidep's table asks for: of conda where it names it there, else of pip."""
    table = root.at("tool", "unidep")
    scope = "unidep"
    if not table.pairs():
        return Tables()
    lines: list[Line] = [
        toml_lines.channel(node, node.text(), scope=scope) for node in table.at("channels").texts()
    ]
    lines += (
        toml_lines.index(node, IndexRole.EXTRA, scope=scope)
        for node in table.at("pip_indices").texts()
    )
    lines += _unified(table.at("dependencies"), scope)
    combinations = [Combination(name=scope, scopes=(scope,))]
    for key, extra in table.at("optional_dependencies").pairs():
        further = f"{scope} extra {required_name(key.text())}"
        lines += _unified(extra, further)
        combinations.append(Combination(name=further, scopes=(scope, further)))
    return Tables(
        lines=tuple(lines),
        combinations=tuple(combinations),
        platforms=tuple(node.text() for node in table.at("platforms").texts()),
    )


def _unified(items: Node, scope: str) -> Iterator[Line]:
    for node in items.items():
        both = node.text()
        text = both or node.at("conda").text()
        if text:
            yield _unidep_line(node, text, scope, for_pip=False)
        elif pip := node.at("pip").text():
            yield _unidep_line(node, pip, scope, for_pip=True)


def _unidep_line(node: Node, text: str, scope: str, *, for_pip: bool) -> Line:
    selector = _SELECTOR.search(text)
    words = selector[1].split() if selector else ()
    platforms = tuple(p for word in words for p in _SELECTORS.get(word, ()))
    said = text[: selector.start()] if selector else text
    named = _NAMED.fullmatch(said)
    name, version = (named[1], named[2]) if named else (said, "")
    if for_pip or "[" in name or "://" in said:
        line = _EQUAL.sub("==", f"{name}{version}") if "@" not in said else said
        return toml_lines.requirement(node, line, scope=scope, platforms=platforms)
    spec = f"{name} {version}".strip()
    return toml_lines.conda_spec(node, spec, scope=scope, platforms=platforms)
