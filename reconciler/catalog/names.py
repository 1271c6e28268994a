"""Vendor the map of conda's names to PyPI's: ``python -m reconciler.catalog.names MAPPING``.

MAPPING is ``files/v0/conda-forge/compressed_mapping.json`` of https://github.com/prefix-dev/parselmouth
(BSD-3-Clause: LICENSE.parselmouth), which reads it from the dist-info inside every conda-forge
package. A name that is PyPI's own, as most are, needs no row.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.model.distribution import normalize_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TARGET = Path(__file__).parent / "names_map.json"
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
        "source": "prefix-dev/parselmouth files/v0/conda-forge/compressed_mapping.json",
        "license": "BSD-3-Clause, Copyright (c) 2023, prefix.dev GmbH: LICENSE.parselmouth",
        "differs": differs,
        # typing-extensions is a metapackage of typing_extensions: the other spelling tells.
        "no_distribution": [name for name in is_plain if normalize_name(name) not in known],
    }


def main() -> None:
    """Read the mapping that is named, and write the table."""
    mapping = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    text = json.dumps(vendored(mapping), separators=(",", ":"))
    # A line a hundred names or so, so that a diff of two vendorings can be read.
    TARGET.write_text(re.sub(r"((?:[^,]*,){12})", r"\1\n", text) + "\n", "utf-8")


if __name__ == "__main__":
    main()
