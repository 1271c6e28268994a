"""The arguments of ``pip install`` and ``conda install``: what one command declares.

References
----------
- https://pip.pypa.io/en/stable/cli/pip_install/
- https://docs.astral.sh/uv/reference/cli/#uv-pip-install
- https://docs.conda.io/projects/conda/en/stable/commands/install.html

"""

from __future__ import annotations

import re
from posixpath import dirname, join, normpath
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from reconciler.manifests import pip_line
from reconciler.manifests.shell_words import UNKNOWN
from reconciler.model.conda_spec import CondaSpec, InvalidCondaSpec
from reconciler.model.manifest import Declared, Kind, Section

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.manifests.script import Script

#: Options of pip and of uv that declare something, by what pip calls them.
_PIP_DECLARING = {
    "-r": "-r",
    "--requirement": "-r",
    "--requirements": "-r",
    "-c": "-c",
    "--constraint": "-c",
    "--constraints": "-c",
    "-i": "--index-url",
    "--index-url": "--index-url",
    "--default-index": "--index-url",
    "--extra-index-url": "--extra-index-url",
    "--index": "--extra-index-url",
    "-f": "--find-links",
    "--find-links": "--find-links",
    "-e": "-e",
    "--editable": "-e",
}
#: Options that take a value which declares nothing.
_VALUES_OF_PIP = """
    -b --abi --build-option --build-constraint --build-constraints --cache-dir --cert -C
    --client-cert --config-setting --config-settings -d --dest --exists-action --exclude-newer
    --extra --global-option --group --implementation --index-strategy --install-option
    --keyring-provider --link-mode --log --no-binary --no-binary-package --no-build-isolation-package
    --no-build-package --only-binary --override --overrides --package --platform --prefix
    --prerelease --progress-bar --proxy -P -p --python --python-platform --python-version
    --reinstall-package --report --resolution --resume-retries --retries --root
    --root-user-action --src -t --target --timeout --torch-backend --trusted-host
    --upgrade-package --upgrade-strategy --use-deprecated --use-feature --optional --branch --tag
    --rev
"""
_VALUES_OF_CONDA = """
    -n --name -p --prefix --solver --experimental --subdir --platform --repodata-fn --clone
    --revision --channel-priority --rc-file --root-prefix -r --environment-specifier --env-spec
"""
_PIP_VALUES = frozenset(_VALUES_OF_PIP.split())
_CONDA_VALUES = frozenset(_VALUES_OF_CONDA.split())
_NAMED_INDEX = re.compile(r"[\w.-]+=(?=[a-z]+://)")
_TORCH_BACKEND = re.compile(r"cu\d+|cpu|rocm[\d.]+|xpu")
_ENVIRONMENT_FILE = re.compile(r".*\.ya?ml(\.\w+)?", re.IGNORECASE)


class Argument(NamedTuple):
    """One argument of a command, with its place in the script."""

    text: str
    offset: int

    @property
    def is_known(self) -> bool:
        """Whether nothing in it is told by a run alone."""
        return UNKNOWN not in self.text


class At(NamedTuple):
    """Where a command stands: all that it declares bears its number."""

    path: str
    script: Script
    number: int

    def conda(self, argument: Argument, kind: Kind, text: str, name: str) -> Declared:
        """Return one thing that conda is asked for."""
        line, column = self.script.place(argument.offset)
        return Declared(
            path=self.path,
            section=Section.CONDA,
            kind=kind,
            text=text,
            name=name,
            line=line,
            column=column,
            command=self.number,
        )

    def pip(self, argument: Argument, text: str) -> Declared | None:
        """Return what one argument, or one option, asks of pip."""
        line, column = self.script.place(argument.offset)
        found = pip_line.declared(text, path=self.path, line=line, column=column)
        return found and replace(found, command=self.number)


def pip_install(arguments: Sequence[Argument], at: At) -> Iterator[Declared]:
    """Yield what ``pip install`` or ``uv pip install`` is asked for."""
    found: list[Declared | None] = []
    serves_unknown = False
    for option, value, argument in _options(arguments, _PIP_VALUES | _PIP_DECLARING.keys()):
        known = Argument(value, argument.offset).is_known
        if option == "--torch-backend" and _TORCH_BACKEND.fullmatch(value):
            url = f"https://download.pytorch.org/whl/{value}"
            index = at.pip(argument, f"--extra-index-url {url}")
            found.append(index and replace(index, text=f"{option}={value}"))
        elif not option:
            if known and value != "--":
                found.append(at.pip(argument, value))
        elif (plain := _PIP_DECLARING.get(option)) and known and value:
            plain_value = _NAMED_INDEX.sub("", value) if "index" in plain else value
            declared = at.pip(argument, f"{plain} {plain_value}")
            found.append(declared and replace(declared, text=f"{option} {value}"))
        elif plain and ("index" in plain or "links" in plain):
            serves_unknown = True
    for declared in found:
        # From an index that only a run tells comes a build that only a run tells.
        if declared and not (serves_unknown and _is_open(declared)):
            yield declared


def _is_open(declared: Declared) -> bool:
    return declared.kind is Kind.REQUIREMENT and not re.search(r"==[^;]*\+|@", declared.text)


def conda_install(arguments: Sequence[Argument], at: At) -> Iterator[Declared]:
    """Yield what ``conda install`` or ``conda create`` is asked for."""
    takes_value = _CONDA_VALUES | {"-c", "--channel", "-f", "--file"}
    for option, value, argument in _options(arguments, takes_value):
        if not value or not Argument(value, argument.offset).is_known:
            continue
        if option in {"-c", "--channel"}:
            yield at.conda(argument, Kind.CHANNEL, value, value)
        elif option in {"-f", "--file"}:
            yield _conda_file(argument, option, value, at)
        elif not option and value != "--":
            yield at.conda(argument, Kind.REQUIREMENT, value, _conda_name(value))


def conda_env(arguments: Sequence[Argument], at: At) -> Iterator[Declared]:
    """Yield the file of ``conda env create`` or ``conda env update``."""
    files = [
        (option, value, argument)
        for option, value, argument in _options(arguments, _CONDA_VALUES | {"-f", "--file"})
        if option in {"-f", "--file"} or (not option and _ENVIRONMENT_FILE.fullmatch(value))
    ]
    for option, value, argument in files:
        if value and Argument(value, argument.offset).is_known:
            yield _conda_file(argument, option, value, at)


def _conda_file(argument: Argument, option: str, value: str, at: At) -> Declared:
    name = normpath(join(dirname(at.path), value))
    return at.conda(argument, Kind.INCLUDE, f"{option} {value}".strip(), name)


def value_of(arguments: Sequence[Argument], *names: str) -> str:
    """Return the value of an option; "" where it is not there, or only a run tells it."""
    found = ""
    for option, value, _ in _options(arguments, frozenset(names)):
        if option in names and UNKNOWN not in value:
            found = value
    return found


def _options(
    arguments: Sequence[Argument], takes_value: frozenset[str] | set[str]
) -> Iterator[tuple[str, str, Argument]]:
    """Yield option, value and place of each; option is "" for what is no option."""
    waiting: tuple[str, Argument] | None = None
    for argument in arguments:
        text = argument.text
        if waiting:
            yield waiting[0], text, waiting[1]
            waiting = None
        elif text.startswith("--") and "=" in text:
            option, _, value = text.partition("=")
            yield option, value, argument
        elif text in takes_value:
            waiting = (text, argument)
        elif text.startswith("-") and not text.startswith("--") and text[:2] in takes_value:
            yield text[:2], text[2:].removeprefix("="), argument
        elif text.startswith("-") and text != "-":
            yield text, "", argument
        else:
            yield "", text, argument


def _conda_name(text: str) -> str:
    try:
        return CondaSpec.parse(text).name
    except InvalidCondaSpec:
        return ""
