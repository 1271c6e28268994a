"""Declared files: text in, Manifest out. One module a format, each with a function ``read``."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

if TYPE_CHECKING:
    from reconciler.model.manifest import Manifest


class Format(NamedTuple):
    """How a file of a format is known; both are regular expressions."""

    #: The module here that reads it.
    name: str
    #: Of the path relative to the project, whole and in lower case.
    path: str
    #: What the text of such a file holds, where the path alone is no proof.
    text: str = ""


# An index, or two pins in a row: no prose has them at the beginning of its lines.
_PIP_LINES = (
    r"^(?:-i|-f|--index-url|--extra-index-url|--find-links)[ =]+https?://"
    r"|(?:^[A-Za-z][\w.-]*(?:\[[\w., -]+\])?[ \t]*[=~>]=[ \t]*\d[\w.*+!]*"
    r"[ \t]*(?:[;#][^\r\n]*)?(?:\r?\n|\r|\Z)){2}"
)
# A list of texts, a pip section, or a mapping of conda and pip: the charts of Helm, the roles of
# Ansible and the packages of Dart have mappings there.
_DEPENDENCIES_OF_CONDA = (
    r"^[\"']?dependencies[\"']?[ \t]*:[ \t]*+(?:\[[ \t]*[^\]\s{]|[*&]\w"
    r"|(?:#[^\r\n]*+)?[\r\n]++(?:(?:[ \t]*+(?:(?:#|<{7}|\{[%#])[^\r\n]*+)?[\r\n]++))*+"
    r"[ \t]*(?:-[ \t]*(?:[\r\n]|(?:conda|pip|[\"']pip[\"'])[ \t]*:|\{\{|(?![\w.-]+[ \t]*:(?:\s|$))[^{\s])"
    r"|(?:conda|pip)[ \t]*:|\Z))"
)
#: The first that fits is a file's.
FORMATS = (
    Format(
        "dockerfile",
        r"(.*/)?((dockerfile|containerfile)([._-][^/]*)?|[^/]*[._-](dockerfile|containerfile))",
        r"^[ \t]*(?i:from)[ \t]+\S",
    ),
    Format("github_workflow", r"(.*/)?\.github/workflows/[^/]+\.ya?ml", r"^jobs[ \t]*:"),
    Format("devcontainer_json", r"(.*/)?\.?devcontainer\.json"),
    Format(
        "apptainer_def",
        r"(.*/)?([^/]+\.def|(singularity|apptainer)([._-][^/]*)?)",
        r"^[ \t]*(?i:bootstrap)[ \t]*:",
    ),
    Format(
        "activation_script",
        r"(.*/)?((de)?activate\.d/[^/]+\.(sh|bash|zsh|fish|csh|ps1|bat)|env_vars\.(sh|bash|zsh))",
    ),
    Format("conda_lock", r"(.*/)?[^/]*conda-lock[^/]*\.ya?ml", r"^[\"']?package[\"']?[ \t]*:"),
    Format("pixi_lock", r"(.*/)?pixi\.lock"),
    Format("explicit_txt", r".*\.(txt|lock|list)", r"^@EXPLICIT\s*$"),
    Format(
        "conda_list",
        r".*\.(txt|lock|list)",
        r"^# packages in environment at |^#\s+Name\s+Version\s+Build"
        r"|\A(?:[ \t\r]*(?:#.*)?\n)*+(?:[\w./:-]+::)?[\w.-]+=[^=\s]+=[^=\s]+[ \t\r]*$",
    ),
    Format(
        "requirements_txt",
        r"(.*/)?([^/]*(requirement|constraint|reqs)[^/]*|requirements/[^/]*)\.(txt|in)",
    ),
    Format(
        "requirements_txt",
        r"(.*/)?[^/]*(pip|deps|depend|packages|freeze|torch|cuda|[cg]pu|install)[^/]*\.(txt|in)",
        _PIP_LINES,
    ),
    Format("environment_yml", r"(.*/)?environment\.ya?ml"),
    Format(
        "environment_yml",
        r".*\.ya?ml(\.(template|tmpl|tpl|in|j2|jinja2?))?",
        _DEPENDENCIES_OF_CONDA,
    ),
    Format(
        "pyproject_toml",
        r"(.*/)?[^/]*pyproject\.toml",
        r"^\s*\[+\s*(?:project|build-system|dependency-groups"
        r"|tool\.(?:uv|poetry|pdm|pixi|hatch|conda-lock|unidep))\b",
    ),
    Format("uv_lock", r"(.*/)?[^/]*(?<![a-z0-9])uv\.lock"),
    Format("poetry_lock", r"(.*/)?[^/]*poetry\.lock"),
    Format("pylock_toml", r"(.*/)?[^/]*pylock(\.[^/]+)?\.toml"),
    Format("setup_cfg", r"(.*/)?[^/]*setup\.cfg", r"^\[options(?:\.extras_require)?\]"),
    Format("pipfile", r"(.*/)?[^/]*pipfile", r"^\s*\[+\s*(?:source|packages|dev-packages)\b"),
    Format(
        "pixi_toml",
        r"(.*/)?([^/]*pixi[^/]*|mojoproject)\.toml",
        r"^\s*\[\s*(?:workspace|project|(?:feature\.\S+\.)?(?:pypi-)?dependencies)\b",
    ),
)
#: What a project's environment is looked for in, before anything else of it is.
OF_ENVIRONMENTS = ("environment.yml", "environment.yaml")


def format_of(path: str, text: str) -> str:
    """Return the name of a file's format; "" where it is not about a Python environment."""
    fitting = (form for form in FORMATS if re.fullmatch(form.path, path.lower()))
    return next((f.name for f in fitting if re.search(f.text, text, re.MULTILINE)), "")


def read(form: str, path: str, text: str) -> Manifest:
    """Read a file of a format; raises ManifestError."""
    module = import_module(f"{__name__}.{form}")
    manifest: Manifest = module.read(path, text)
    return replace(manifest, format=form)
