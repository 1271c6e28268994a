"""What a requirement names as pip reads it: a release, a URL, a wheel, a folder; or why it is none.

The reference is ``pip._internal.req.constructors.parse_req_from_line`` of pip 23 and pip 26.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from reconciler.manifests import pip_refusal
from reconciler.model.distribution import normalize_name, required_name

_URL = re.compile(
    r"(?:https?|ftp|file|ssh|sftp|git|hg|bzr|svn|(?:git|hg|bzr|svn)\+[a-z]+):", re.IGNORECASE
)
_REPOSITORY = re.compile(r"(?:(?:git|hg|bzr|svn)(?:\+[a-z]+)?|ssh):", re.IGNORECASE)
_ARCHIVE = re.compile(
    r"\.(?:zip|whl|tar|tgz|tbz|txz|tlz|tar\.(?:gz|bz2|xz|lz|lzma))$", re.IGNORECASE
)
# A path: no name holds a slash, and what follows a name does so behind one of these.
_PATH = re.compile(r"[./~]|[A-Za-z]:\\|[^\s@;#\[<>=!~]*[/\\]")
_AT = re.compile(rf"{pip_refusal.NAME}\s*(?:{pip_refusal.EXTRAS}\s*)?@")
_WHEEL = re.compile(
    r"(?P<name>[^\s/\\-]+)-(?P<version>\d[^\s/\\-]*)(?:-\d[^/\\-]*)?(?:-[^/\\-]+){3}\.whl",
    re.IGNORECASE,
)
_EGG = re.compile(r"[#&]egg=([^&\s]*)")
_ESCAPE = re.compile(r"%([2-7][0-9A-Fa-f])")
# pip puts the values of these in; the others are put in by whatever makes the file of a template.
_VARIABLE = re.compile(r"\$\{[A-Z0-9_]+\}")
_PLACEHOLDER = re.compile(r"\{\{|\{%|__[A-Z][A-Z0-9_]*__|<%|\$\(|\$\{|\$[A-Z_]+\b|@[A-Z_]+@")


class Required(NamedTuple):
    """One requirement as pip reads it."""

    #: PEP 508 where it has a name; else the URL or path.
    text: str
    #: The normal name; "" of a URL or path that tells none.
    name: str = ""
    #: Why pip refuses it; "" where it does not.
    refused: str = ""
    #: What it would take instead; "" where only the user can know.
    better: str = ""


def is_placeholder(text: str) -> bool:
    """Tell whether a template's own marks stand in a text: jinja, ``__NAME__``."""
    return bool(_PLACEHOLDER.search(_VARIABLE.sub("", text)))


def read(text: str) -> Required:
    """Read what stands on a line in front of its options."""
    if _URL.match(text):
        url, _, marker = text.partition("; ")
        return _of_url(url.strip(), marker.strip())
    # A run of spaces is one: the patterns would be slow on a long one.
    head, _, marker = (" ".join(part.split()) for part in text.partition(";"))
    bare, extras = _split_extras(head)
    if not _AT.match(head) and (_ARCHIVE.search(bare) or _PATH.match(head)):
        return _of_url(bare, marker, extras)
    if _VARIABLE.search(text):
        # Its value is of the machine that installs.
        return Required(text, required_name(head))
    return Required(text, required_name(head), *pip_refusal.of(head, marker))


def read_editable(text: str) -> Required:
    """Read what stands behind ``-e``: a path, or the URL of a repository with its name."""
    if _AT.match(text):  # pip takes this form since 25.3
        return Required(text, required_name(text))
    if not _REPOSITORY.match(text):
        return Required(text)
    egg = _EGG.search(text)
    if egg and egg[1]:
        return Required(text, required_name(egg[1]))
    return Required(text, "", "pip refuses to install a repository as editable without its name")


def _of_url(url: str, marker: str, extras: str = "") -> Required:
    path = re.split("[#?]", url, maxsplit=1)[0]
    behind = f" ; {marker}" if marker else ""
    whole = f"{url}{extras}{behind}"
    if path.lower().endswith(".whl"):
        return _of_wheel(re.split(r"[/\\]", path)[-1], url, extras, behind)
    egg = _EGG.search(url)
    name = required_name(egg[1]) if egg else ""
    if egg is None or not name:
        return Required(whole)
    if re.fullmatch(pip_refusal.NAME, egg[1]):
        return Required(f"{name}{extras} @ {url}{behind}", name)
    why = f"pip 26 refuses egg={egg[1]}, for it is more than a name"
    return Required(whole, name, why, f"{egg[1]} @ {url.partition('#')[0]}{behind}")


def _of_wheel(file: str, url: str, extras: str, behind: str) -> Required:
    wheel = _WHEEL.fullmatch(file)
    if wheel:
        name = normalize_name(_unescaped(wheel["name"]))
        return Required(f"{name}{extras} @ {url}{behind}", name)
    whole = f"{url}{extras}{behind}"
    if _VARIABLE.search(file):
        return Required(whole)
    return Required(whole, "", f"pip refuses it, for {file} is no name of a wheel")


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)


def _split_extras(text: str) -> tuple[str, str]:
    head, bracket, extras = text.rpartition("[")
    return (head, f"[{extras}") if bracket and text.endswith("]") else (text, "")
