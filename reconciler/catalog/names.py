"""Vendor the map of conda's names to PyPI's: ``python -m reconciler.catalog.names MAPPING``.

MAPPING is ``files/v0/conda-forge/compressed_mapping.json`` of https://github.com/prefix-dev/parselmouth
(BSD-3-Clause: LICENSE.parselmouth), which reads it from the dist-info inside every conda-forge
package. A name that is PyPI's own, as most are, needs no row in ``names_map.json``, which leads from
conda to PyPI; ``names_of_pypi.json`` leads the other way, where a name that is the same has to be
known to be there: what nobody has packaged is never guessed.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.model.distribution import normalize_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

HERE = Path(__file__).parent
SOURCE = {
    "source": "prefix-dev/parselmouth files/v0/conda-forge/compressed_mapping.json",
    "license": "BSD-3-Clause, Copyright (c) 2023, prefix.dev GmbH: LICENSE.parselmouth",
}
# A package with more distributions inside has vendored them, or is a suite of its own.
_MOST = 3
#: So many names are one text, which is shorter than a list of them.
_TOGETHER = 12
# What setuptools and templates write where nobody has given a name.
_NO_NAMES = frozenset({"unknown", "placeholder"})
# What no wheel is called: packages of other languages, and parts of a system.
_OF_OTHERS = re.compile(
    r"^(?:_|r-|lib|perl-|ruby-|go-|xorg-|rb-|bioconductor|font|gcc|gxx|gfortran|clang|nodejs-|"
    r"cdt-|ros-|rust-|m2w64|msys2|vs20|sysroot|kernel-headers|ncurses|xcb-|texlive|octave)"
    r"|[_-](?:linux|osx|win|cos\d)[-_]?\w*$|-(?:devel?|static|headers|debug)$"
)


def vendored(mapping: Mapping[str, Sequence[str] | None]) -> dict[str, object]:
    """Return what of a mapping is not told by the names themselves."""
    differs = {
        # pyqt is pyqt5; pyqt5-sip is a part that it brings along.
        name: [n for n in pypi if not any(n.startswith(f"{other}-") for other in pypi)]
        for name, pypi in sorted(mapping.items())
        if pypi and normalize_name(name) not in {normalize_name(other) for other in pypi}
    }
    known = {normalize_name(name) for name, pypi in mapping.items() if pypi}
    without = (name for name, pypi in sorted(mapping.items()) if not pypi)
    is_plain = (name for name in without if not _OF_OTHERS.search(name))
    return {
        **SOURCE,
        "differs": differs,
        # typing-extensions is a metapackage of typing_extensions: the other spelling tells.
        "no_distribution": [name for name in is_plain if normalize_name(name) not in known],
    }


def of_pypi(mapping: Mapping[str, Sequence[str] | None]) -> dict[str, object]:
    """Return by which package of conda each project of PyPI is installed, where one alone is."""
    spellings: dict[str, list[str]] = {}
    for name, pypi in sorted(mapping.items()):
        if _bears_own_name(name, pypi):
            spellings.setdefault(normalize_name(name), []).append(name)
    same = sorted(min(names, key=lambda n: _rank(n, mapping)) for names in spellings.values())
    known = spellings.keys()
    found: dict[str, set[tuple[bool, str]]] = {}
    for name, pypi in sorted(mapping.items()):
        if not pypi or len(pypi) > _MOST or _OF_OTHERS.search(name):
            continue
        for project in {normalize_name(other) for other in pypi} - known - _NO_NAMES:
            if project.endswith("-nightly"):
                continue
            found.setdefault(project, set()).add((len(pypi) > 1, name))
    others = {project: _only(names) for project, names in sorted(found.items())}
    return {
        **SOURCE,
        "same": [" ".join(names) for names in batched(same, _TOGETHER)],
        "others": {p: name for p, name in others.items() if name},
    }


def batched(names: Sequence[str], count: int) -> Iterator[Sequence[str]]:
    """Yield the names, so many at a time: itertools has it from Python 3.12 on."""
    return (names[start : start + count] for start in range(0, len(names), count))


def _bears_own_name(name: str, pypi: Sequence[str] | None) -> bool:
    return normalize_name(name) in {normalize_name(other) for other in pypi or ()}


def _rank(name: str, mapping: Mapping[str, Sequence[str] | None]) -> tuple[int, bool, bool]:
    """Rank a package among its namesakes: that with underscores is mostly older, or a shell."""
    return len(mapping[name] or ()), "_" in name, "." not in name


def _only(names: set[tuple[bool, str]]) -> str:
    """Return the one package that holds nothing else, or else the only one; "" of several."""
    alone = [name for has_more, name in names if not has_more] or [name for _, name in names]
    return alone[0] if len(alone) == 1 else ""


def main() -> None:
    """Read the mapping that is named, and write both tables."""
    mapping = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    for target, table in (("names_map", vendored(mapping)), ("names_of_pypi", of_pypi(mapping))):
        text = json.dumps(table, separators=(",", ":"))
        # Lines of a dozen names or so, so that a diff of two vendorings can be read.
        lines = re.sub(r'((?:[^,]*,){12}|"[^",]* [^",]*",)', r"\1\n", text) + "\n"
        (HERE / f"{target}.json").write_text(lines, "utf-8")


if __name__ == "__main__":
    main()
