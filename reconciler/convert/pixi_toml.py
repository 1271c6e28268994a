"""A conversion as the text of a pixi.toml: one workspace for all of its platforms."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement

from reconciler.model.conda_spec import CondaSpec
from reconciler.model.conversion import Stance

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.model.conversion import Conversion

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_GIT = re.compile(r"git\+(?P<url>[^@#]+(?:@[^@#/]+(?=/)[^@#]*)?)(?:@(?P<rev>[^@#]+))?(?:#.*)?")


def render(conversion: Conversion) -> str:
    """Return the file for all platforms, each with what is for it alone."""
    shared = _shared(conversion)
    lines = [
        "[workspace]",
        f"name = {_text(conversion.name)}",
        f"channels = {_array(conversion.channels)}",
        f"platforms = {_array(conversion.platforms)}",
    ]
    if conversion.cuda.stance is Stance.CUDA and conversion.cuda.release:
        major = conversion.cuda.release.partition(".")[0]
        lines += ["", "[system-requirements]", f"cuda = {_text(major)}"]
    lines += ["", "[dependencies]", *_tables(shared[0])]
    if shared[1]:
        lines += ["", "[pypi-dependencies]", *_pypi(shared[1])]
    for platform in conversion.platforms:
        lines += _target(conversion, platform, shared)
    if urls := dict.fromkeys(s.text.split()[-1] for s in conversion.settings if s.is_carried):
        lines += ["", "[pypi-options]", f"extra-index-urls = {_array(urls)}"]
    return "\n".join(lines) + "\n"


def _shared(conversion: Conversion) -> tuple[list[str], list[str]]:
    """Return the MatchSpecs and the requirements that every platform has."""
    chief = conversion.platforms[0]
    others = conversion.platforms[1:]
    specs = [
        s for s in _specs(conversion, chief) if all(s in _specs(conversion, o) for o in others)
    ]
    pip = [
        r for r in conversion.pip_lines(chief) if all(r in conversion.pip_lines(o) for o in others)
    ]
    return specs, pip


def _specs(conversion: Conversion, platform: str) -> list[str]:
    # pixi installs what PyPI has by itself, and needs no pip.
    return [spec for spec in conversion.specs(platform) if spec != "pip"]


def _target(
    conversion: Conversion, platform: str, shared: tuple[list[str], list[str]]
) -> Iterator[str]:
    if own := [spec for spec in _specs(conversion, platform) if spec not in shared[0]]:
        yield from ("", f"[target.{platform}.dependencies]", *_tables(own))
    if pip := [line for line in conversion.pip_lines(platform) if line not in shared[1]]:
        yield from ("", f"[target.{platform}.pypi-dependencies]", *_pypi(pip))


def _tables(specs: Iterable[str]) -> Iterator[str]:
    """Yield a key for each package, with all that is asked of it."""
    by_name: dict[str, list[CondaSpec]] = {}
    for text in specs:
        spec = CondaSpec.parse(text)
        by_name.setdefault(spec.name, []).append(spec)
    for name, named in by_name.items():
        versions = dict.fromkeys(s.version for s in named if s.version and s.version != "*")
        build = next((s.build for s in reversed(named) if s.build), None)
        channel = next((s.channel for s in named if s.channel), None)
        version = ",".join(versions) or "*"
        pairs = {"version": version, "build": build, "channel": channel}
        said = {key: value for key, value in pairs.items() if value}
        yield f"{_key(name)} = {_inline(said) if len(said) > 1 else _text(version)}"


def _pypi(requirements: Iterable[str]) -> Iterator[str]:
    for text in requirements:
        yield _pypi_line(text) or f"# pixi has no form for: {text}"


def _pypi_line(text: str) -> str:
    """Return a key of pixi's for a requirement; "" where there is no such form.

    Of a folder, or of a repository without a name, only its own build tells the key's name.
    """
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return ""
    said: dict[str, str | list[str]] = {}
    if requirement.url and (git := _GIT.fullmatch(requirement.url)):
        said |= {"git": git["url"]} | ({"rev": git["rev"]} if git["rev"] else {})
    elif requirement.url:
        said["url"] = requirement.url
    else:
        said["version"] = str(requirement.specifier) or "*"
    if requirement.extras:
        said["extras"] = sorted(requirement.extras)
    is_plain = said.keys() == {"version"}
    value = _text(str(said["version"])) if is_plain else _inline(said)
    return f"{_key(requirement.name)} = {value}"


def _inline(pairs: dict[str, str | list[str]] | dict[str, str]) -> str:
    said = (
        f"{key} = {_array(value) if isinstance(value, list) else _text(value)}"
        for key, value in pairs.items()
    )
    return "{ " + ", ".join(said) + " }"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(text: str) -> str:
    # A basic string of TOML escapes what JSON does.
    return json.dumps(text, ensure_ascii=False)


def _array(texts: Iterable[str]) -> str:
    return f"[{', '.join(map(_text, texts))}]"
