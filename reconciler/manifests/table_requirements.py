"""Requirements whose names are the keys of TOML: poetry's, pixi's and conda-lock's tables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from reconciler.manifests import pip_requirement
from reconciler.manifests.toml_draft import quoted, quoted_key
from reconciler.model.conda_spec import CondaSpec, InvalidCondaSpec
from reconciler.model.distribution import normalize_name
from reconciler.model.fix import HeldBackError

if TYPE_CHECKING:
    from reconciler.manifests.toml_draft import Site, TomlDraft
    from reconciler.manifests.toml_nodes import Node

_PARTS = re.compile(r"([A-Za-z0-9][\w.-]*)\s*(\[[^\]]*\])?\s*\(?([^()@]*?)\)?", re.ASCII)
_PIN = re.compile(r"==\s*([\w.+!]+)")
_FLOOR = re.compile(r">=([^,|]+)")
_FIELDS = ("version", "build", "channel")


class _Requirement(NamedTuple):
    name: str
    extras: tuple[str, ...]
    version: str
    marker: str


def replace_of_pip(draft: TomlDraft, site: Site, old: str, new: str) -> None:
    """Write another version, and another name, of a requirement of PyPI."""
    was, now = _read(old), _read(new)
    if (was.extras, _bare(was.marker)) != (now.extras, _bare(now.marker)):
        raise HeldBackError("of a requirement in a table, only name and version are replaced")
    _rename(draft, site, was.name, now.name)
    node = site.value if site.value.text() else site.value.at("version")
    if was.version != now.version:
        _set(draft, site, "version", _as_before(now.version, node), node)


def replace_of_conda(draft: TomlDraft, site: Site, old: str, new: str) -> None:
    """Write another name, version, build or channel of a conda package."""
    was, now = _spec(old), _spec(new)
    if was.name.startswith("__"):
        _raise_driver(draft, site, was, now)
        return
    kept = replace(now, name=was.name, version=was.version, build=was.build, channel=was.channel)
    if kept != was:
        raise HeldBackError("of a requirement in a table, only version, build, and channel change")
    _rename(draft, site, was.name, now.name)
    text = site.value.text()
    if text and (now.build or now.channel):
        draft.write_raw(site.value, _of_fields(now, site.value))
        return
    for field in _FIELDS:
        if getattr(was, field) != getattr(now, field):
            node = site.value if text else site.value.at(field)
            said = getattr(now, field) or ""
            _set(draft, site, field, _as_before(said, node) if field == "version" else said, node)


def add_key(draft: TomlDraft, site: Site, key: str, text: str) -> None:
    """Write one more key into the table of a requirement, made of its version where it is none."""
    value = site.value
    if value.at(key).text() == text:
        return
    if value.at(key):
        raise HeldBackError(f"{site.keys[-1]} has a key {key} already")
    pair = f"{key} = {quoted(text)}"
    if value.text():
        draft.wrap(value, "{ version = ", f", {pair} }}")
    elif value.end:
        draft.insert(value, pair)
    else:
        draft.add_pair(site.keys, pair)


def pair_of_pip(text: str, marker_key: str) -> str:
    """Return a requirement as key and value; ``marker_key`` is what its tool calls a marker."""
    said = _read(text)
    version = quoted(said.version or "*")
    listed = ", ".join(map(quoted, said.extras))
    fields = {"extras": f"[{listed}]"} if listed else {}
    fields |= {marker_key: quoted(said.marker)} if said.marker else {}
    further = "".join(f", {key} = {value}" for key, value in fields.items())
    return f"{quoted_key(said.name)} = " + (
        f"{{ version = {version}{further} }}" if fields else version
    )


def pair_of_conda(text: str) -> str:
    """Return a MatchSpec as key and value."""
    spec = _spec(text)
    bare = CondaSpec(name=spec.name, version=spec.version, build=spec.build, channel=spec.channel)
    if bare != spec or not re.fullmatch(r"(?!__)[\w.-]+", spec.name, re.ASCII):
        raise HeldBackError(f"{text} has no simple form in a table of TOML")
    value = _of_fields(spec) if spec.build or spec.channel else quoted(spec.version or "*")
    return f"{quoted_key(spec.name)} = {value}"


def _read(text: str) -> _Requirement:
    said, marker = pip_requirement.split_marker(text)
    match = _PARTS.fullmatch(said)
    if match is None:
        raise HeldBackError(f"{said} is not a name with a version")
    return _Requirement(match[1], pip_requirement.extras(said), match[3].strip(), marker)


def _spec(text: str) -> CondaSpec:
    try:
        return CondaSpec.parse(text)
    except InvalidCondaSpec as error:
        raise HeldBackError(f"{text} is no spec of conda: {error.reason}") from error


def _bare(marker: str) -> str:
    return re.sub(r"\s+", "", marker).replace("'", '"')


def _rename(draft: TomlDraft, site: Site, old: str, new: str) -> None:
    if normalize_name(old) == normalize_name(new):
        return
    if site.key is None:
        raise HeldBackError(f"{site.keys[-1]} has several tables under one name")
    draft.write_raw(site.key, quoted_key(new))


def _as_before(version: str, node: Node) -> str:
    """Return a pin without its operator where the one in its place has none."""
    pin = _PIN.fullmatch(version)
    return pin[1] if pin and node.text()[:1].isdigit() else version


def _set(draft: TomlDraft, site: Site, field: str, text: str, node: Node) -> None:
    if node.text() and (text or field == "version"):
        draft.write(node, text or "*")
    elif node.text():
        draft.remove(draft.site(node))
    elif node or not site.value.pairs() or not text:
        raise HeldBackError(f"{site.keys[-1]} has no {field} that could be replaced")
    else:
        add_key(draft, site, field, text)


def _raise_driver(draft: TomlDraft, site: Site, was: CondaSpec, now: CondaSpec) -> None:
    floor = _FLOOR.fullmatch(now.version or "")
    if replace(now, version=was.version) != was or not floor:
        raise HeldBackError("system requirements name the least version alone")
    draft.write(site.value if site.value.text() else site.value.at("driver"), floor[1])


def _of_fields(spec: CondaSpec, node: Node | None = None) -> str:
    version = _as_before(spec.version or "*", node) if node else spec.version or "*"
    said = {"version": version, "build": spec.build, "channel": spec.channel}
    return f"{{ {', '.join(f'{key} = {quoted(text)}' for key, text in said.items() if text)} }}"
