"""What the docs say is true of the code."""

import re
import runpy
import tomllib
from pathlib import Path

import pytest

from reconciler import __version__
from reconciler.rules import all_rules

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
EACH_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
LINK = re.compile(r"\]\(([^)#:]+)\)")
ANCHOR = re.compile(r"\]\(([^)#:]*)#([^)]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
#: What `python -m bench.peers --readme` writes, and the day on which it did.
NAMED = re.compile(r'^<a id="([^"]+)"></a>$', re.MULTILINE)
MEASURED = re.compile(
    r"<!-- written by python -m bench.peers -->\n(.*?Run on \d{4}-\d\d-\d\d.*?)<!-- end -->",
    re.DOTALL,
)


def test_what_is_generated_is_fresh():
    stale = runpy.run_path(str(ROOT / "docs" / "generate.py"))["stale"]
    assert stale() == []


@EACH_PAGE
def test_every_relative_link_leads_somewhere(page):
    for link in LINK.findall(page.read_text("utf-8")):
        assert (page.parent / link).exists(), link


@EACH_PAGE
def test_every_anchor_is_a_heading_there(page):
    for link, anchor in ANCHOR.findall(page.read_text("utf-8")):
        target = (page.parent / link) if link else page
        text = target.read_text("utf-8")
        named = {*map(slug, HEADING.findall(text)), *NAMED.findall(text)}
        assert anchor in named, f"{link}#{anchor}"


def slug(heading):
    return re.sub(r"[^\w\s-]", "", heading.lower()).strip().replace(" ", "-")


def test_the_table_beside_others_is_one_run_and_has_its_day():
    pages = [ROOT / "README.md", ROOT / "docs/comparison.md"]
    readme, comparison = (MEASURED.search(page.read_text("utf-8"))[1] for page in pages)
    assert readme.replace("](docs/", "](") == comparison
    assert {*re.findall(r"\[([A-Z]{3}\d{3})\]", readme)} <= set(all_rules())


def test_the_picture_of_the_readme_is_there():
    picture = re.search(r"!\[[^]]+\]\(([^)]+)\)", (ROOT / "README.md").read_text("utf-8"))[1]
    assert (ROOT / picture).is_file()


def test_the_readme_has_exactly_two_set_up_commands():
    readme = (ROOT / "README.md").read_text("utf-8")
    assert readme.count("python3 -m venv .venv") == 2


def test_the_example_of_the_readme_is_in_the_repository():
    readme = (ROOT / "README.md").read_text("utf-8")
    project, prefix = re.search(r"envfix scan (fixtures\S+) -p (\S+)", readme).groups()
    assert (ROOT / project / "environment.yml").is_file()
    assert (ROOT / prefix / "conda-meta").is_dir()


def test_every_dependency_has_its_line_of_reason():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = [r for requires in project["optional-dependencies"].values() for r in requires]
    reasons = (ROOT / "docs/decisions/0002-dependencies.md").read_text("utf-8")
    for requirement in (*project["dependencies"], *extras):
        name = re.match(r"[\w-]+", requirement)[0]
        assert name == "envfix-cuda" or name in reasons, name


def test_the_changelog_knows_this_version():
    assert f"## {__version__}" in (ROOT / "docs/changelog.md").read_text("utf-8")
