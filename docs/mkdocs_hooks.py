"""What the site has beyond the pages of this folder: the pages behind a star, and the index of decisions.

MkDocs calls these functions while it builds (`hooks:` of mkdocs.yml). They are here because both
would otherwise be lists that are kept by hand, and that every new page would have to be added to.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.structure.files import File, Files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mkdocs.config.defaults import MkDocsConfig

TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
DECISIONS = "decisions/README.md"
ABOUT = """\
# Decisions

Each choice that could have gone otherwise, with its context, what was chosen, and its price.

"""


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the index of decisions, and put pages in the place of stars in the navigation."""
    files.append(File.generated(config, DECISIONS, content=ABOUT + _decisions(files)))
    pages = sorted(file.src_uri for file in files.documentation_pages())
    config.nav = _expanded(config.nav, pages, _named(config.nav))
    return files


def _decisions(files: Files) -> str:
    paths = sorted(f.src_uri for f in files.documentation_pages() if f.src_uri.startswith("decis"))
    return "".join(f"- [{_title(path)}]({path.partition('/')[2]})\n" for path in paths)


def _title(path: str) -> str:
    return TITLE.search((Path(__file__).parent / path).read_text("utf-8"))[1]


def _named(nav: Sequence[Any]) -> set[str]:
    """Return what stands in the navigation by its own name, and so behind no star."""
    values = [v for entry in nav for v in (entry.values() if isinstance(entry, dict) else [entry])]
    inner = (_named(value) for value in values if isinstance(value, list))
    return {value for value in values if isinstance(value, str)}.union(*inner)


def _expanded(nav: Sequence[Any], pages: Sequence[str], named: set[str]) -> list[Any]:
    entries: list[Any] = []
    for entry in nav:
        if isinstance(entry, dict):
            ((title, inner),) = entry.items()
            is_list = isinstance(inner, list)
            kept = _expanded(inner, pages, named) if is_list else _pages(inner, pages, named)
            entries += [{title: kept if is_list else kept[0]}] if kept else []
        else:
            entries += _pages(entry, pages, named)
    return entries


def _pages(entry: str, pages: Sequence[str], named: set[str]) -> list[str]:
    if "*" in entry:
        return [page for page in pages if fnmatchcase(page, entry) and page not in named]
    return [entry]
