"""Pipfile: what pipenv installs.

The form: https://pipenv.pypa.io/en/latest/pipfile.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.manifests import pip_requirement, toml_lines, toml_nodes
from reconciler.model.distribution import normalize_name
from reconciler.model.manifest import Combination, IndexRole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.manifests.toml_lines import Line
    from reconciler.manifests.toml_nodes import Node
    from reconciler.model.manifest import Declared, Manifest

#: Its tables that hold no packages; every other is a category of them.
_OTHERS = frozenset({"source", "requires", "scripts", "pipenv"})
_MARKERS = (
    *("os_name", "sys_platform", "platform_machine", "platform_system", "platform_version"),
    *("python_version", "python_full_version", "implementation_name"),
)


def read(path: str, text: str) -> Manifest:
    """Return the file at ``path``, relative to the project; raises ManifestError."""
    root = toml_nodes.parse(text)
    categories = {_scope(key.text()): table for key, table in _tables(root)}
    urls = {s.at("name").text(): s.at("url").text() for s in root.at("source").items()}
    return toml_lines.manifest(
        path,
        text,
        tool="pipenv",
        lines=(
            *_python(root),
            *(
                _requirement(key, value, scope, urls)
                for scope, table in categories.items()
                for key, value in table.pairs()
            ),
            *_indexes(root),
        ),
        combinations=(
            Combination(),
            *(Combination(name=s, scopes=("", s)) for s in categories if s),
        ),
    )


def _tables(root: Node) -> Iterator[tuple[Node, Node]]:
    return ((key, table) for key, table in root.pairs() if key.text() not in _OTHERS)


def _scope(category: str) -> str:
    return "" if category == "packages" else f"group {category.removesuffix('-packages')}"


def _python(root: Node) -> Iterator[Declared]:
    for key, suffix in (("python_version", ".*"), ("python_full_version", "")):
        node = root.at("requires", key)
        if node.text():
            yield toml_lines.python(node, f"=={node.text()}{suffix}")


def _indexes(root: Node) -> Iterator[Declared]:
    """Yield the sources: the first serves all, the others what names them."""
    searches_all = root.at("pipenv", "install_search_all_sources").value is True
    role = IndexRole.DEFAULT
    for source in root.at("source").items():
        if source.at("url").text():
            yield toml_lines.index(source.at("url"), role)
            role = IndexRole.EXTRA if searches_all else IndexRole.EXPLICIT


def _requirement(key: Node, value: Node, scope: str, urls: Mapping[str, str]) -> Line:
    version = (value.text() or value.at("version").text()).strip()
    if version[:1].isdigit():
        why = "no operator stands in front of the version"
        return toml_lines.broken(key, f"{key.text()} {version}", why, f"=={version}")
    url = toml_lines.url(value)
    text = pip_requirement.compose(
        key.text(),
        "" if version == "*" or url else version,
        with_extras=[normalize_name(extra.text()) for extra in value.at("extras").texts()],
        url=url,
        markers=(
            value.at("markers").text(),
            *(f"{n} {value.at(n).text()}" for n in _MARKERS if value.at(n).text()),
        ),
    )
    index = urls.get(value.at("index").text(), "")
    return toml_lines.requirement(key, text, scope=scope, index=index)
