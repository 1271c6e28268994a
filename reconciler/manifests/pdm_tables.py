"""pdm's tables of pyproject.toml, and hatch's environments.

The forms: https://pdm-project.org/latest/usage/dependency/, .../usage/config/ and
https://hatch.pypa.io/latest/config/environment/overview/
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from reconciler.manifests import pip_requirement, toml_lines
from reconciler.manifests.toml_lines import Asked
from reconciler.model.distribution import required_name
from reconciler.model.manifest import Combination, IndexRole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.manifests.toml_lines import Line
    from reconciler.manifests.toml_nodes import Node
    from reconciler.model.manifest import Declared

_EDITABLE = re.compile(r"(?:-e|--editable)[\s=]+(?P<url>\S+[#&]egg=(?P<name>[A-Za-z0-9._-]+)\S*)")


def indexes(root: Node) -> Iterator[Declared]:
    """Yield pdm's sources; the one that is named pypi stands in place of PyPI."""
    for source in root.at("tool", "pdm", "source").items():
        url = source.at("url")
        is_pypi = source.at("name").text().lower() == "pypi"
        role = IndexRole.DEFAULT if is_pypi else IndexRole.EXTRA
        if source.at("type").text() == "find_links":
            role = IndexRole.LINKS
        if url.text():
            yield toml_lines.index(url, role)


def place(root: Node, asked: Iterable[Asked]) -> Iterator[Line]:
    """Yield the project's requirements, with pdm's overrides and the sources kept for them."""
    overrides = {
        required_name(key.text()): (key, value.text())
        for key, value in root.at("tool", "pdm", "resolution", "overrides").pairs()
        if value.text()
    }
    for one in asked:
        text, node = one.text, one.node
        if one.name in overrides:
            node, said = overrides[one.name]
            text = _overridden(one.text, said)
        url = _source(root, one.name)
        yield toml_lines.requirement(node, text, scope=one.scope, index=url)


def groups(root: Node) -> Iterator[tuple[str, Node]]:
    """Yield pdm's own groups, by their scopes."""
    for key, group in root.at("tool", "pdm", "dev-dependencies").pairs():
        yield f"group {required_name(key.text())}", group


def requirements(root: Node) -> Iterator[Line]:
    """Yield what pdm's own groups ask for; unlike the project's, they may hold ``-e URL``."""
    for scope, group in groups(root):
        for node in group.texts():
            editable = _EDITABLE.match(node.text())
            text = f"{editable['name']} @ {editable['url']}" if editable else node.text()
            if not text.startswith("-"):
                yield from place(root, [Asked(node, text, scope)])


def hatch(root: Node) -> tuple[tuple[Line, ...], tuple[Combination, ...]]:
    """Return what hatch's environments ask for, and each as a combination with the project."""
    environments = root.at("tool", "hatch", "envs")
    lines: list[Line] = []
    combinations: list[Combination] = []
    for key, table in environments.pairs():
        name = key.text()
        for part in ("dependencies", "extra-dependencies"):
            lines += (
                toml_lines.requirement(node, node.text(), scope=f"hatch environment {name}")
                for node in table.at(part).texts()
            )
        combinations.append(_hatch_combination(name, environments))
    return tuple(lines), tuple(combinations)


def _hatch_combination(name: str, environments: Node) -> Combination:
    scopes: dict[str, None] = {}
    table = environments.at(name)
    above = name
    # An environment takes from its template; those that none is named for, from the default one.
    while f"hatch environment {above}" not in scopes:
        scopes[f"hatch environment {above}"] = None
        if environments.at(above, "dependencies") and above != name:
            break
        above = environments.at(above, "template").text() or "default"
    alone = any(table.at(key).value is True for key in ("detached", "skip-install"))
    extras = (f"extra {required_name(node.text())}" for node in table.at("features").texts())
    base = () if alone else ("", *extras)
    return Combination(name=f"hatch environment {name}", scopes=(*base, *scopes))


def _overridden(text: str, said: str) -> str:
    named, marker = pip_requirement.split_marker(text)
    name = pip_requirement.bare(named)
    if "://" in said:
        return pip_requirement.compose(name, url=said, markers=(marker,))
    specifier = said if said[:1] in "<>=!~" else f"=={said}"
    return pip_requirement.compose(name, specifier, markers=(marker,))


def _source(root: Node, name: str) -> str:
    for source in root.at("tool", "pdm", "source").items():
        kept = source.at("include_packages").texts()
        if any(fnmatchcase(name, pattern.text().lower()) for pattern in kept):
            return source.at("url").text()
    return ""
