"""A conda spec (MatchSpec): which package, from where, in which versions and builds.

Every spelling that conda and rattler read becomes one value with text fields: ``pytorch=1.10``,
``python >=3.8,<3.12``, ``jaxlib=*=*cuda*``, ``conda-forge/linux-64::numpy[version='1.26.*']``, the
URL of a package. What would be misread is refused in words. Where conda and py-rattler differ,
conda is followed; ``tests/model/test_conda_spec.py`` lists each difference with its reason.

References
----------
- CEP 29, the MatchSpec query language: https://github.com/conda/ceps/blob/main/cep-0029.md
- conda, "Package match specifications":
  https://docs.conda.io/projects/conda/en/stable/user-guide/concepts/pkg-specs.html

"""

from __future__ import annotations

import re
from functools import cached_property, lru_cache

from msgspec import Struct

from reconciler.model.conda_constraint import (
    InvalidCondaConstraint,
    VersionConstraint,
    close_up,
    compile_pattern,
    parse_constraint,
)
from reconciler.model.conda_version import CondaVersion, InvalidCondaVersion, parse_version

_HEAD = re.compile(r"(?:([^\s'\"]*):[^:\s]*:)?(\^[^$]*\$|[A-Za-z0-9_.*-]+)\s*(.*)")
_VERSION_BUILD = re.compile(
    r"(?P<version>.+?)"
    r"(?:(?:\s+|(?<![=<>!~,|])=)(?P<build>\^.*\$|[^\s^$,|()<>=!~;]+))?"
)
_FUZZY = re.compile(r"=[^=<>~,|*]+")
# These are compiled when a spec asks for it: few have brackets, a channel or a file name.
_SECTIONS = r"((?:\^[^$]*\$|[^\[^])*)\[(.*)\]"
_PAIR = r"""\s*([a-z0-9_]+)\s*=\s*(?:"([^"]+)"|'([^']+)'|([^\s,'"\[\]]+))\s*(?:,|$|(?<=\s))"""
_PACKAGE = (
    r"(?a)(?P<folder>[^\s\[\]'\"#]*/)?"
    r"(?P<file>(?P<name>[\w.-]+)-(?P<version>[\w.!+]+)-(?P<build>[\w.+]+)\.(?:conda|tar\.bz2))"
    r"(?:\#(?:(?P<md5>[0-9a-f]{32})|sha256:(?P<sha256>[0-9a-f]{64})))?"
)
_FILES = (".conda", ".tar.bz2")
_PLAIN_CHANNEL = r"(?a)[\w./:+@%~-]+"
_PLAIN_BUILD = r"(?a)[\w.*+-]+"
_SUBDIR = (
    r"noarch|emscripten-wasm32|freebsd-64|osx-(64|arm64)|wasi-wasm32|win-(32|64|arm64)|zos-z"
    r"|linux-(32|64|aarch64|armv6l|armv7l|ppc64|ppc64le|riscv32|riscv64|s390x)"
)
_NOT_UNDERSTOOD = frozenset({"extras", "flags", "when"})


class InvalidCondaSpec(ValueError):  # noqa: N818  (named as packaging's InvalidRequirement)
    """A text that is no conda spec, or one that would be misread, and why."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"{text!r} is not a conda spec: {reason}")
        self.text = text
        self.reason = reason


class CondaSpec(Struct, frozen=True, kw_only=True, omit_defaults=True, dict=True):
    """Which conda packages are meant. A field that is None asks for nothing."""

    name: str
    """In lower case; may be a glob (``*``, ``py*``) or a regex ``^...$``."""

    version: str | None = None
    """The constraint in its canonical text: ``==1.10``, ``1.10.*``, ``>=3.8,<3.12``."""

    build: str | None = None
    """A build string, a glob or a regex."""

    build_number: str | None = None
    """A constraint as well: ``==3``, ``>=3``."""

    channel: str | None = None
    """As written, without the subdir: a name, ``nvidia/label/cuda-12.1.0``, or a URL."""

    subdir: str | None = None
    md5: str | None = None
    sha256: str | None = None
    url: str | None = None
    fn: str | None = None
    """The file name of the package."""

    license: str | None = None
    license_family: str | None = None
    features: str | None = None
    track_features: str | None = None

    @staticmethod
    @lru_cache(maxsize=8192)
    def parse(text: str) -> CondaSpec:
        """Read a spec, without a comment after it; raise InvalidCondaSpec where that cannot be."""
        try:
            return _parse_package(text) or _parse_query(text)
        except (InvalidCondaConstraint, InvalidCondaVersion) as error:
            raise InvalidCondaSpec(text, str(error)) from error

    @cached_property
    def constraint(self) -> VersionConstraint | None:
        """The version's constraint, read."""
        return None if self.version is None else parse_constraint(self.version)

    @property
    def is_exact(self) -> bool:
        """Whether one version alone is allowed: ``==1.10``."""
        return self.constraint is not None and self.constraint.is_exact

    @property
    def pinned_version(self) -> str | None:
        """The version or prefix of versions allowed alone: 11.8 for ``=11.8``; None for ranges."""
        return None if self.constraint is None else self.constraint.pinned_version

    def matches_name(self, name: str) -> bool:
        """Tell whether a package of this name is meant."""
        return _fits(self.name, name)

    def allows_version(self, version: CondaVersion) -> bool:
        """Tell whether the version satisfies the constraint."""
        return self.constraint is None or self.constraint.allows(version)

    def matches(self, version: str, build: str, build_number: int | None = None) -> bool:
        """Tell whether a record of this name is meant; an unknown number satisfies no constraint.

        The version is read as it stands in the record, and may raise InvalidCondaVersion.
        """
        return (
            self.allows_version(parse_version(version))
            and (self.build is None or _fits(self.build, build))
            and self._allows_build_number(build_number)
        )

    def _allows_build_number(self, number: int | None) -> bool:
        if self.build_number is None:
            return True
        if number is None:
            return False
        return parse_constraint(self.build_number).allows(parse_version(str(number)))

    def __str__(self) -> str:
        shown = self._find_positional()
        place = f"{self.channel}/{self.subdir}" if "subdir" in shown else self.channel
        pairs = ",".join(
            f"{key}={_quote(value)}"
            for key in self.__struct_fields__
            if key not in shown and (value := getattr(self, key)) is not None
        )
        prefix = f"{place}::" if "channel" in shown else ""
        return prefix + self._write_positional(shown) + (f"[{pairs}]" if pairs else "")

    def _find_positional(self) -> set[str]:
        shown = {"name"}
        if self.channel and re.fullmatch(_PLAIN_CHANNEL, self.channel):
            shown.add("channel")
            if self.subdir and re.fullmatch(_SUBDIR, self.subdir):
                shown.add("subdir")
        if self.version and "^" not in self.version:
            shown.add("version")
            if self.build and re.fullmatch(_PLAIN_BUILD, self.build):
                shown.add("build")
        return shown

    def _write_positional(self, shown: set[str]) -> str:
        build = self.build if "build" in shown else None
        if self.version is None or "version" not in shown:
            return self.name
        if self.is_exact or self.version == "*":
            version = self.version if self.is_exact else "=*"
            return self.name + version + (f"={build}" if build else "")
        if self.version == f"{self.pinned_version}.*" and build is None:
            return f"{self.name}={self.pinned_version}"
        return " ".join(filter(None, (self.name, self.version, build)))


def _fits(pattern: str, text: str) -> bool:
    if _is_pattern(pattern):
        return _compile(pattern).search(text) is not None
    return pattern.lower() == text.lower()


def _is_pattern(text: str) -> bool:
    return "*" in text or text.startswith("^")


@lru_cache(maxsize=1024)
def _compile(pattern: str) -> re.Pattern[str]:
    return compile_pattern(pattern)


def _parse_package(text: str) -> CondaSpec | None:
    """Read the URL or path of a package, whose file name says name, version and build."""
    is_file = any(end in text for end in _FILES)
    package = re.fullmatch(_PACKAGE, text.strip()) if is_file else None
    if package is None:
        return None
    folder = package["folder"] or ""
    channel, subdir = _split_subdir(folder.rstrip("/"))
    return _make(
        name=package["name"],
        version=f"=={package['version']}",
        build=package["build"],
        channel=channel if "://" in folder else None,
        subdir=subdir,
        md5=package["md5"],
        sha256=package["sha256"],
        url=f"{folder}{package['file']}",
    )


def _parse_query(text: str) -> CondaSpec:
    """Read ``channel/subdir:namespace:name version build[key=value,...]``."""
    positional, pairs = _split_brackets(text)
    head = _HEAD.fullmatch(close_up(positional))
    if head is None:
        raise InvalidCondaSpec(text, f"no package name is found in {positional.strip()!r}")
    place, name, rest = head.groups()  # a namespace is read and ignored: CEP 29
    version, build = _split_version_build(text, rest)
    fields = {"version": version, "build": build}
    fields |= dict(zip(("channel", "subdir"), _split_subdir(place), strict=True))
    if "channel" in pairs:
        channel, subdir = _split_subdir(pairs["channel"])
        fields |= {"channel": channel, "subdir": subdir or fields["subdir"]}
    return _make(name=name, **(fields | {k: v for k, v in pairs.items() if k != "channel"}))


def _make(*, name: str, **fields: str | None) -> CondaSpec:
    for key in ("version", "build_number"):
        if (constraint := fields.get(key)) is not None:
            fields[key] = str(parse_constraint(constraint))
    for pattern in (name, fields.get("build")):
        if pattern is not None and _is_pattern(pattern):
            _compile(pattern)  # so that no unreadable pattern becomes a spec
    return CondaSpec(name=name if name.startswith("^") else name.lower(), **fields)


def _split_brackets(text: str) -> tuple[str, dict[str, str]]:
    """Split off ``[key=value, key='value']``; each key once, none that would be misread."""
    stripped = text.strip()
    sections = re.fullmatch(_SECTIONS, stripped) if stripped.endswith("]") else None
    if sections is None:
        return stripped, {}
    positional, inside = sections.groups()
    if not inside.strip():
        raise InvalidCondaSpec(text, "its brackets are empty")
    pairs: dict[str, str] = {}
    while inside.strip():
        key, value, inside = _take_pair(text, inside)
        if key in pairs:
            raise InvalidCondaSpec(text, f"{key!r} is given twice")
        pairs[key] = value
    return positional, pairs


def _take_pair(text: str, inside: str) -> tuple[str, str, str]:
    key = inside.partition("=")[0].strip()
    if key in _NOT_UNDERSTOOD:
        raise InvalidCondaSpec(text, f"{key!r} is a newer form that envfix does not read yet")
    pair = re.match(_PAIR, inside)
    if pair is None:
        raise InvalidCondaSpec(text, f"{inside.strip()!r} is not key=value; extras are pip's")
    if key == "name" or key not in CondaSpec.__struct_fields__:
        raise InvalidCondaSpec(text, f"{key!r} is no key of a spec")
    return key, pair[2] or pair[3] or pair[4], inside[pair.end() :]


def _split_version_build(text: str, rest: str) -> tuple[str | None, str | None]:
    if not rest:
        return None, None
    parts = _VERSION_BUILD.fullmatch(rest)
    if parts is None or " " in parts["version"]:
        raise InvalidCondaSpec(text, f"{rest!r} is not a version and a build")
    version, build = parts["version"], parts["build"]
    if build is not None and _FUZZY.fullmatch(version):
        version = f"={version}"  # name=1.2=build is exact, as conda list --export writes it: CEP 29
    return version, build


def _split_subdir(place: str | None) -> tuple[str | None, str | None]:
    channel, _, subdir = (place or "").rpartition("/")
    if channel and re.fullmatch(_SUBDIR, subdir):
        return None if channel == "*" else channel, subdir
    return None if place in {"", "*"} else place, None


def _quote(value: str) -> str:
    return f'"{value}"' if "'" in value else f"'{value}'"
