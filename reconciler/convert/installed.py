"""What somebody has asked for in an environment, as the file that it was never written down in.

Not the closure: what only came along comes along again. conda and pip both record what was asked
for by name; of an environment where neither has, that is asked for which nothing else requires.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.model.conda_spec import CondaSpec, InvalidCondaSpec
from reconciler.model.distribution import required_name
from reconciler.model.manifest import Declared, Kind, Manifest, Section

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.model.distribution import Distribution
    from reconciler.model.naming import Naming
    from reconciler.model.prefix import PrefixRecord, Python

#: pip and what it comes with: they are no part of what an environment is for.
_TOOLS = frozenset({"pip", "setuptools", "wheel"})
_DOWNLOADED = re.compile(r"(?:file://|https://files\.pythonhosted\.org/).*\.whl(?:#.*)?$")
_EXTRA = re.compile(r"extra\s*==")


def as_manifest(
    path: str,
    records: Sequence[PrefixRecord],
    wheels: Sequence[Distribution],
    python: Python | None,
    naming: Naming,
) -> Manifest:
    """Return the environment at ``path`` as a manifest; the wheels are those of pip alone."""
    conda = [*_of_conda(path, records)]
    lines = [*_python(path, conda, python), *conda, *_of_pip(path, wheels, naming)]
    return Manifest(path=path, text="", tool="conda", declared=tuple(lines))


def _python(path: str, conda: Iterable[Declared], python: Python | None) -> Iterator[Declared]:
    # What was compiled for this Python serves no other.
    if python and not any(line.name == "python" for line in conda):
        text = f"=={python.minor}.*"
        yield _line(path, Section.PIP, text, "python", kind=Kind.PYTHON)


def _of_conda(path: str, records: Sequence[PrefixRecord]) -> Iterator[Declared]:
    asked = [record for record in records if record.requested_specs]
    if not asked:
        needed = {depends.split()[0] for record in records for depends in record.depends}
        asked = [record for record in records if record.name not in needed]
    for record in sorted(asked, key=lambda record: record.name):
        if record.name not in _TOOLS:
            yield _line(path, Section.CONDA, _spec(record), record.name)


def _spec(record: PrefixRecord) -> str:
    """Return what to ask for: the version that is there, to the minor where that was not pinned."""
    for text in record.requested_specs:
        try:
            spec = CondaSpec.parse(text)
        except InvalidCondaSpec:
            continue
        if spec.is_exact or spec.build:
            return f"{record.name}=={record.version}"
    minor = re.match(r"\d+(?:\.\d+)?", record.version)
    return f"{record.name}={minor[0]}" if minor else record.name


def _of_pip(path: str, wheels: Sequence[Distribution], naming: Naming) -> Iterator[Declared]:
    asked = [wheel for wheel in wheels if wheel.requested or wheel.editable]
    if not any(wheel.requested for wheel in wheels):
        named = (r for wheel in wheels for r in wheel.requires if not _EXTRA.search(r))
        needed = {required_name(requirement) for requirement in named}
        asked = [wheel for wheel in wheels if wheel.key not in needed or wheel.editable]
    for wheel in sorted(asked, key=lambda wheel: wheel.key):
        if wheel.key not in _TOOLS:
            yield _line(path, Section.PIP, _requirement(wheel, naming), wheel.key)


def _requirement(wheel: Distribution, naming: Naming) -> str:
    if wheel.editable and wheel.direct_url:
        return f"-e {wheel.direct_url.removeprefix('file://')}"
    # A wheel that lay in a folder, or on PyPI, is that release of its project.
    if naming.on_conda_forge(wheel.key) and _DOWNLOADED.match(wheel.direct_url or ""):
        return f"{wheel.name}=={wheel.version}"
    if url := wheel.pinned_url or wheel.direct_url:
        return f"{wheel.name} @ {url}"
    return f"{wheel.name}=={wheel.version}"


def _line(
    path: str, section: Section, text: str, name: str, *, kind: Kind = Kind.REQUIREMENT
) -> Declared:
    # Each line has a place of its own, though there is no file.
    return Declared(path=path, section=section, kind=kind, text=text, name=name, line=0, column=0)
