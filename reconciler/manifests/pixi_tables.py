"""pixi's tables: a pixi.toml, or those below ``[tool.pixi]`` of pyproject.toml.

The form: https://pixi.prefix.dev/latest/reference/pixi_manifest/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reconciler.manifests import pip_requirement, toml_lines
from reconciler.manifests.toml_lines import Tables
from reconciler.manifests.toml_nodes import Node
from reconciler.model.manifest import Combination, IndexRole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.manifests.toml_lines import Line
    from reconciler.model.manifest import Declared

_LINUX = (
    *("linux-64", "linux-aarch64", "linux-ppc64le", "linux-s390x", "linux-riscv64"),
    *("linux-armv7l", "linux-armv6l", "linux-32"),
)
_OSX = ("osx-64", "osx-arm64")
_TARGETS = {
    "linux": _LINUX,
    "osx": _OSX,
    "win": ("win-64", "win-arm64", "win-32"),
    "unix": (*_LINUX, *_OSX),
}
#: Scope of what the workspace gives to each of its environments.
WORKSPACE = "pixi workspace"
_ROLES = {"index-url": IndexRole.DEFAULT, "extra-index-urls": IndexRole.EXTRA}


class _Feature(NamedTuple):
    """One feature; the default one is the tables of the workspace itself."""

    scope: str
    table: Node


def read(root: Node, *, default: str, project: Sequence[str] = ()) -> Tables:
    """Return what pixi's tables declare, with its environments.

    ``default`` is the scope of the default feature; ``project``, the scopes that a pyproject.toml
    has besides: each is a feature of that name too.
    """
    workspace = root.at("workspace") or root.at("project")
    features = [
        _Feature(default, root),
        *(_Feature(f"feature {key.text()}", table) for key, table in root.at("feature").pairs()),
    ]
    lines = [
        # A feature's channels stand before the workspace's.
        *(line for f in features[1:] for line in _channels(f.table.at("channels"), f.scope)),
        *_channels(workspace.at("channels"), WORKSPACE),
        *(line for feature in features for line in _of_feature(feature)),
    ]
    return Tables(
        lines=tuple(lines),
        combinations=tuple(_environments(root, default, project)),
        platforms=tuple(node.text() for node in workspace.at("platforms").texts()),
    )


def _channels(node: Node, scope: str) -> Iterator[Declared]:
    """Yield channels, the preferred one first: by ``priority``, then as they are listed."""
    named = [(item, item.text() or item.at("channel").text()) for item in node.items()]
    for item, name in sorted(named, key=lambda pair: -_priority(pair[0])):
        if name:
            yield toml_lines.channel(item, name, scope=scope)


def _priority(node: Node) -> int:
    value = node.at("priority").value
    return value if isinstance(value, int) else 0


def _of_feature(feature: _Feature) -> Iterator[Line]:
    scope, table = feature
    yield from _requirements(table, scope, ())
    for key, target in table.at("target").pairs():
        yield from _requirements(target, scope, _TARGETS.get(key.text(), (key.text(),)))
    cuda = table.at("system-requirements", "cuda")
    if version := cuda.text() or cuda.at("driver").text():
        yield toml_lines.conda_spec(cuda, f"__cuda >={version}", scope=scope)
    yield from _indexes(table.at("pypi-options"), scope)


def _requirements(table: Node, scope: str, platforms: tuple[str, ...]) -> Iterator[Line]:
    for part in ("dependencies", "host-dependencies", "build-dependencies"):
        for key, value in table.at(part).pairs():
            yield _of_conda(key, value, scope, platforms)
    for key, value in table.at("pypi-dependencies").pairs():
        yield from _of_pypi(key, value, scope, platforms)
    for key, value in table.at("activation", "env").pairs():
        if value.text():
            yield toml_lines.variable(key, key.text(), value.text(), scope=scope)


def _of_conda(key: Node, value: Node, scope: str, platforms: tuple[str, ...]) -> Line:
    name = key.text()
    version = (value.text() or value.at("version").text()).strip()
    channel = value.at("channel").text()
    build = value.at("build").text()
    others = [
        f"{field}='{value.at(written).text()}'"
        for field, written in (("build_number", "build-number"), ("subdir", "subdir"))
        if value.at(written).text()
    ]
    if build and (not version or " " in version):
        others.insert(0, f"build='{build}'")
        build = ""
    text = " ".join(
        part
        for part in (f"{channel}::{name}" if channel else name, _version(version, build), build)
        if part
    )
    url = value.at("url").text()
    whole = url or text + (f"[{','.join(others)}]" if others else "")
    return toml_lines.conda_spec(key, whole, scope=scope, platforms=platforms)


def _version(version: str, build: str) -> str:
    return "" if version == "*" and not build else version


def _of_pypi(key: Node, value: Node, scope: str, platforms: tuple[str, ...]) -> Iterator[Line]:
    url, index = toml_lines.url(value), value.at("index")
    if index.text():
        yield toml_lines.index(index, IndexRole.EXPLICIT, scope=scope)
    version = (value.text() or value.at("version").text()).strip()
    if version[:1].isdigit():
        why = "pixi refuses it: no operator stands in front of the version"
        yield toml_lines.broken(key, f"{key.text()} {version}", why, f"=={version}")
        return
    text = pip_requirement.compose(
        key.text(),
        "" if version == "*" or url else version,
        with_extras=[extra.text() for extra in value.at("extras").texts()],
        url=url,
        markers=(value.at("env-markers").text(),),
    )
    yield toml_lines.requirement(key, text, scope=scope, index=index.text(), platforms=platforms)


def _indexes(options: Node, scope: str) -> Iterator[Line]:
    for key, role in _ROLES.items():
        node = options.at(key)
        for url in node.texts() or (node,):
            if url.text():
                yield toml_lines.index(url, role, scope=scope)
    for place in options.at("find-links").items():
        link = place.at("url") or place.at("path")
        if link.text():
            yield toml_lines.index(link, IndexRole.LINKS, scope=scope)


def _environments(root: Node, default: str, project: Sequence[str]) -> Iterator[Combination]:
    environments = {key.text(): value for key, value in root.at("environments").pairs()}
    for name, value in {"default": Node([]), **environments}.items():
        listed = value.texts() or value.at("features").texts()
        features = [feature.text() for feature in listed]
        own = [s for f in features for s in (f"feature {f}", f"extra {f}", f"group {f}")]
        scopes = [s for s in own if s.startswith("feature ") or s in project]
        is_alone = value.at("no-default-feature").value is True
        if not is_alone:
            scopes = [*dict.fromkeys(("", default)), *scopes]
        tables = [root.at("feature", feature) for feature in features]
        if not is_alone or not all(table.at("channels") for table in tables):
            scopes.append(WORKSPACE)
        platforms = _platforms(root, tables)
        if platforms is not None:
            shown = "" if name == "default" else f"environment {name}"
            yield Combination(name=shown, scopes=tuple(scopes), platforms=platforms)


def _platforms(root: Node, features: Iterable[Node]) -> tuple[str, ...] | None:
    """Return those that the workspace and all features are for; None where these share none.

    () where only the workspace says.
    """
    workspace = root.at("workspace") or root.at("project")
    said = [[n.text() for n in f.at("platforms").texts()] for f in features if f.at("platforms")]
    if not said:
        return ()
    first = [n.text() for n in workspace.at("platforms").texts()] or said[0]
    return tuple(p for p in first if all(p in listed for listed in said)) or None
