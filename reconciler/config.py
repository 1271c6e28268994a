"""The user's settings: ``[tool.envfix]`` of pyproject.toml, or envfix.toml.

The nearest file upward from the project counts, up to the folder that holds ``.git``; beside each
other, envfix.toml does. Options of the command line win over it. The published schema,
``docs/config.schema.json``, is made of the types here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from reconciler.errors import ConfigError
from reconciler.model.finding import Location
from reconciler.model.ignore import Ignore
from reconciler.model.install_set import SUBDIRS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

OWN, SHARED = "envfix.toml", "pyproject.toml"

Code = Annotated[
    str, Meta(pattern="^[A-Z]{1,3}[0-9]{0,3}$", description="A rule's code, or its beginning.")
]
Reasons = Annotated[
    Mapping[Code, Annotated[str, Meta(min_length=1, description="Why the code is ignored.")]],
    Meta(description="Codes that are ignored, each with the reason."),
]


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """What may stand in the file."""

    select: Annotated[tuple[Code, ...], Meta(description="Only these rules are asked.")] = ()
    ignore: Reasons = {}
    per_file_ignores: Annotated[
        Mapping[str, Reasons],
        Meta(description="By a glob of paths, relative to the file of these settings."),
    ] = {}
    platforms: Annotated[
        tuple[Literal[SUBDIRS], ...],  # type: ignore[valid-type]  # mypy wants them written out
        Meta(description="Declared files are judged for these platforms alone."),
    ] = ()
    cuda: Annotated[
        str,
        Meta(
            pattern=r"^([1-9][0-9]?\.[0-9]{1,2}|none|auto)$",
            description="The CUDA that is meant, as X.Y; none, where the CPU is; auto, not said.",
        ),
    ] = "auto"
    fail_on: Annotated[
        Literal["error", "warning", "info", "never"],
        Meta(description="The least severity that makes the exit code 1."),
    ] = "warning"


#: What each setting has to be, in words.
WANTED: Mapping[str, str] = {
    "select": 'a list of codes, such as ["CUD", "DEC701"]',
    "ignore": 'a table of codes, each with its reason: CUD202 = "our cluster has its own CUDA"',
    "per-file-ignores": 'a table for each glob: "docs/*.yml" = { CUD202 = "an old example" }',
    "platforms": f"a list of conda's platforms: {', '.join(SUBDIRS[:5])} ...",
    "cuda": 'a release such as "12.4", or "none" for the CPU, or "auto"',
    "fail-on": '"error", "warning", "info" or "never"',
}


class Config(Struct, frozen=True, kw_only=True):
    """The settings, and where they stand."""

    settings: Settings = Settings()
    #: Absolute; "" where there are none.
    path: str = ""
    text: str = ""

    def ignores(self, project: str, paths: Iterable[str]) -> Iterator[Ignore]:
        """Yield what it ignores everywhere, and of those files of a project."""
        for code, reason in self.settings.ignore.items():
            yield Ignore(codes=(code,), reason=reason, at=self._location(project, code))
        for glob, reasons in self.settings.per_file_ignores.items():
            for path in paths:
                if _fits(os.path.join(project, path), glob, os.path.dirname(self.path)):
                    for code, reason in reasons.items():
                        at = self._location(project, code)
                        yield Ignore(codes=(code,), reason=reason, at=at, path=path)

    def _location(self, project: str, code: str) -> Location:
        path = os.path.relpath(self.path, project).replace(os.sep, "/")
        return Location(subject=f"{path} ({code})", path=path, line=_line_of(self.text, code))


def load(project: str, known: Collection[str]) -> Config:
    """Return the settings that count for a project; raises ConfigError.

    ``known`` are the codes of all rules.
    """
    for folder in _upward(os.path.realpath(project)):
        for name in (OWN, SHARED):
            found = _read(os.path.join(folder, name))
            if found is not None:
                _check_codes(found, known)
                return found
        if os.path.exists(os.path.join(folder, ".git")):
            break
    return Config()


def schema() -> dict[str, Any]:
    """Return the JSON Schema of envfix.toml, and of [tool.envfix]."""
    return msgspec.json.schema(Settings) | {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The settings of envfix: envfix.toml, or [tool.envfix] of pyproject.toml",
    }


def _upward(folder: str) -> Iterator[str]:
    while True:
        yield folder
        above = os.path.dirname(folder)
        if above == folder:
            return
        folder = above


def _read(path: str) -> Config | None:
    """Read one file; None where it is not there, or has no settings of envfix."""
    is_own = path.endswith(OWN)
    try:
        with open(path, "rb") as file:
            raw = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if not is_own:
            # The collector of manifests says so where it is asked about the file.
            return None
        raise ConfigError(
            error.strerror or str(error), where=path, next_step="make it readable, or remove it"
        ) from error
    # Most projects have a pyproject.toml, and few have settings of envfix in it.
    if not is_own and b"envfix" not in raw:
        return None
    text, table = _table(path, raw, is_own=is_own)
    if table is None:
        return None
    return Config(settings=_settings(path, text, table), path=path, text=text)


def _table(path: str, raw: bytes, *, is_own: bool) -> tuple[str, Any]:
    import tomllib  # noqa: PLC0415 - 5 ms, and only where there is such a file

    try:
        text = raw.decode()
        whole = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        if not is_own:
            return "", None
        raise ConfigError(
            f"not TOML: {error}", where=path, next_step="mend the line, or remove the file"
        ) from error
    tool = whole if is_own else whole.get("tool", {})
    return text, whole if is_own else tool.get("envfix") if isinstance(tool, dict) else None


def _settings(path: str, text: str, table: Any) -> Settings:
    if not isinstance(table, dict):
        raise _wrong(path, text, "envfix", "is not a table", "write [tool.envfix]")
    for key, value in table.items():
        if key not in WANTED:
            raise _wrong(path, text, key, "is no setting of envfix", _nearest(key, WANTED))
        try:
            msgspec.convert({key: value}, Settings)
        except msgspec.ValidationError as error:
            raise _wrong(
                path, text, key, _mistake(key, value, error), f"it is {WANTED[key]}"
            ) from (error)
    return msgspec.convert(table, Settings)


def _mistake(key: str, value: Any, error: msgspec.ValidationError) -> str:
    if key == "ignore" and isinstance(value, list):
        return "is a plain list, without reasons"
    if key == "platforms" and isinstance(value, list):
        unknown = next((v for v in value if v not in SUBDIRS), "")
        return f"names {unknown!r}, which is no platform of conda's ({_nearest(unknown, SUBDIRS)})"
    if isinstance(value, str | int | float | bool):
        return f"is {value!r}"
    return f"is wrong: {str(error)[:1].lower()}{str(error)[1:]}"


def _check_codes(config: Config, known: Collection[str]) -> None:
    settings = config.settings
    per_file = (code for reasons in settings.per_file_ignores.values() for code in reasons)
    for code in (*settings.select, *settings.ignore, *per_file):
        if not any(rule.startswith(code) for rule in known):
            raise _wrong(config.path, config.text, code, "is no rule's code", _nearest(code, known))


def _wrong(path: str, text: str, key: str, what: str, next_step: str) -> ConfigError:
    return ConfigError(
        f"`{key}` {what}", where=f"{path}:{_line_of(text, key) or 1}", next_step=next_step
    )


def _nearest(word: str, words: Collection[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only for what is wrong

    near = get_close_matches(word, sorted(words), n=1, cutoff=0.4)
    few = ", ".join(sorted(words)) if len(words) < 10 else "`envfix rule` lists them"
    return f"`{near[0]}` is the nearest" if near else f"there are {few}"


def _line_of(text: str, key: str) -> int | None:
    """Return the first line in which a key or a value stands; None where none is found."""
    word = re.compile(rf"(?<![\w-]){re.escape(key)}(?![\w-])")
    lines = (line.partition("#")[0] for line in text.splitlines())
    return next((number for number, line in enumerate(lines, 1) if word.search(line)), None)


def _fits(path: str, glob: str, folder: str) -> bool:
    """Tell whether a path lies where a glob says; one without a slash is of names in any folder."""
    from fnmatch import fnmatchcase  # noqa: PLC0415 - only where files are named

    relative = os.path.relpath(path, folder).replace(os.sep, "/")
    name = relative.rpartition("/")[2]
    return fnmatchcase(relative, glob.removeprefix("./")) or fnmatchcase(name, glob)
