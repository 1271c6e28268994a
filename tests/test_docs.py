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


def test_what_is_generated_is_fresh():
    stale = runpy.run_path(str(ROOT / "docs" / "generate.py"))["stale"]
    assert stale() == []


@EACH_PAGE
def test_every_relative_link_leads_somewhere(page):
    for link in LINK.findall(page.read_text("utf-8")):
        assert (page.parent / link).exists(), link


def test_the_readme_lists_every_rule():
    readme = (ROOT / "README.md").read_text("utf-8")
    assert {code for code in all_rules() if f"docs/rules/{code}.md" in readme} == set(all_rules())


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
