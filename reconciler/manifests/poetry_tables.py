"""poetry's tables of pyproject.toml.

The forms: https://python-poetry.org/docs/dependency-specification/ and .../repositories/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.manifests import pip_requirement, poetry_constraint, toml_lines
from reconciler.manifests.poetry_constraint import InvalidConstraint
from reconciler.model.distribution import required_name
from reconciler.model.manifest import IndexRole

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from reconciler.manifests.toml_lines import Asked, Line
    from reconciler.manifests.toml_nodes import Node
    from reconciler.model.manifest import Declared

_PRIORITIES = {
    "default": IndexRole.DEFAULT,
    "primary": IndexRole.DEFAULT,
    "explicit": IndexRole.EXPLICIT,
}


def indexes(root: Node) -> Iterator[Declared]:
    """Yield poetry's sources.

    One without a priority was beside PyPI until poetry 1.8, and is in its place since: it is taken
    for the former, of which less follows.
    """
    sources = root.at("tool", "poetry", "source").items()
    has_pypi = any(source.at("name").text().lower() == "pypi" for source in sources)
    for source in sources:
        url = source.at("url")
        if not url.text():
            continue
        role = _PRIORITIES.get(source.at("priority").text(), IndexRole.EXTRA)
        if source.at("default").value is True:
            role = IndexRole.DEFAULT
        if has_pypi and role is IndexRole.DEFAULT:
            role = IndexRole.EXTRA
        yield toml_lines.index(url, role)


def place(root: Node, asked: Iterable[Asked]) -> Iterator[Line]:
    """Yield the project's own requirements, with the sources that poetry's table adds to them."""
    urls, table = _urls(root), root.at("tool", "poetry", "dependencies")
    sources = {
        required_name(key.text()): node.at("source").text()
        for key, value in table.pairs()
        for node in value.items() or (value,)
    }
    for one in asked:
        url = urls.get(sources.get(one.name, ""), "")
        yield toml_lines.requirement(one.node, one.text, scope=one.scope, index=url)


def requirements(root: Node, known: Collection[str]) -> Iterator[Line]:
    """Yield what poetry's own tables ask for, besides what the project's are known to."""
    poetry = root.at("tool", "poetry")
    urls = _urls(root)
    for scope, table in _tables(root):
        for key, value in table.pairs():
            name = required_name(key.text())
            if name == "python" and not scope:
                yield from _python(key, value)
            elif name and name not in known:
                for node in value.items() or (value,):
                    for where in _scopes(node, name, scope, poetry.at("extras")):
                        place = node if value.items() else key
                        yield _requirement(place, key.text(), node, where, urls)


def scopes(root: Node) -> Mapping[str, tuple[str, ...]]:
    """Return the extras and groups, each with the groups that it takes along."""
    poetry = root.at("tool", "poetry")
    extras = (f"extra {required_name(key.text())}" for key, _ in poetry.at("extras").pairs())
    groups = {
        f"group {required_name(key.text())}": tuple(
            f"group {required_name(name.text())}" for name in group.at("include-groups").texts()
        )
        for key, group in poetry.at("group").pairs()
    }
    legacy = {"group dev": ()} if poetry.at("dev-dependencies").pairs() else {}
    return {**dict.fromkeys(extras, ()), **legacy, **groups}


def _tables(root: Node) -> Iterator[tuple[str, Node]]:
    poetry = root.at("tool", "poetry")
    yield "", poetry.at("dependencies")
    yield "group dev", poetry.at("dev-dependencies")
    for key, group in poetry.at("group").pairs():
        yield f"group {required_name(key.text())}", group.at("dependencies")


def _urls(root: Node) -> Mapping[str, str]:
    sources = root.at("tool", "poetry", "source").items()
    named = ((source.at("name").text(), source.at("url").text()) for source in sources)
    return {name: url for name, url in named if name}


def _scopes(node: Node, name: str, scope: str, extras: Node) -> Iterator[str]:
    """Yield the scopes of one requirement: an optional one is only in the extras that name it."""
    if node.at("optional").value is not True:
        yield scope
        return
    for key, names in extras.pairs():
        if name in {required_name(text.text()) for text in names.texts()}:
            yield f"extra {required_name(key.text())}"


def _python(key: Node, value: Node) -> Iterator[Line]:
    text = value.text() or value.at("version").text()
    try:
        yield toml_lines.python(key, poetry_constraint.specifier(text))
    except InvalidConstraint:
        yield toml_lines.broken(key, text, "poetry reads no Pythons in it")


def _requirement(place: Node, name: str, node: Node, scope: str, urls: Mapping[str, str]) -> Line:
    version = node.text() or node.at("version").text()
    url = toml_lines.url(node)
    try:
        specifier = poetry_constraint.specifier(version) if version and not url else ""
        python = node.at("python").text()
        text = pip_requirement.compose(
            name,
            specifier,
            with_extras=[extra.text() for extra in node.at("extras").texts()],
            url=url,
            markers=(
                node.at("markers").text(),
                poetry_constraint.python_marker(python) if python else "",
                poetry_constraint.platform_marker(node.at("platform").text()),
            ),
        )
    except InvalidConstraint as error:
        return toml_lines.broken(place, f"{name} {error}", f"poetry reads no version in {error}")
    index = urls.get(node.at("source").text(), "")
    return toml_lines.requirement(place, text, scope=scope, index=index)
