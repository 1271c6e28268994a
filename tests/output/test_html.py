"""The page as text, and the picture as numbers."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from markupsafe import escape
from msgspec.structs import replace

from reconciler import catalog, pipeline
from reconciler.cli import cli
from reconciler.model.host import SystemToolkit
from reconciler.model.os_name import from_os, printable
from reconciler.model.report import Report, Skip
from reconciler.model.snapshot import Fact, Gap
from reconciler.output import html
from reconciler.output.html import words
from reconciler.output.html.rows import _OTHER_TITLES, _TITLES, CONSUMERS, DRIVER, OTHERS
from reconciler.output.html.subject import pictured
from reconciler.testing import sketch
from tests.output.html_pages import (
    CLEAN,
    DECLARED,
    MIXED,
    declared_of,
    large,
    page_of,
    report_of,
)
from tests.output.reports import BAD, EMPTY, ESCAPE, finding, report

HOSTILE = (
    "<script>alert(1)</script>",
    "</style><b>",
    "</title>",
    "-->",
    "\" onload='x",
    "{{ 7 * 7 }}",
    "javascript:alert(1)",
    ESCAPE,
    "\u2066\u202e\u200f",
    from_os("\udcff\ud800"),
    "a" * 50_000,
    "`<i>`",
)


class Outline(HTMLParser):
    """The tags of a page, their attributes, and whether each is closed by its own end."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_name_is_text_and_nothing_else(text: str) -> None:
    plain, page = Outline(html.render(named("x"))), html.render(named(text))
    outline = Outline(page)

    # Backticks make code of what is between them, and a long name has two lines in its box.
    told = [[t for t in page.tags if t not in {"code", "text"}] for page in (outline, plain)]
    assert told[0] == told[1]
    assert outline.attributes == plain.attributes
    assert all(c.isprintable() or c == "\n" for c in page)
    assert escape(printable(text)[:20]) in page.replace("<code>", "`").replace("</code>", "`")
    page.encode()
    assert len(page) < 120_000


def named(text: str) -> Report:
    """Make a report with a finding and packages of one name."""
    made = report(text)
    builds = (replace(b, package=text, version=text, evidence=text) for b in made.builds)
    toolkit = SystemToolkit(path=text, version=text)
    return replace(made, builds=tuple(builds), toolkits=(toolkit,))


def test_a_command_is_never_cut_off() -> None:
    name = "a" * 3000
    text = "python: 3.11.7\nconda: [cudatoolkit=11.8.0=h4ba93d1_13]\npip: [torch==2.1.2+cu121]\n"
    found = pipeline.scan(sketch(text))
    page = html.render(_renamed(found, name))

    assert f"/{name} " in page


def _renamed(found: Report, name: str) -> Report:
    raw = msgspec.json.encode(found).replace(b"/prefix", f"/{name}".encode())
    return msgspec.json.decode(raw, type=Report)


@pytest.mark.parametrize("code", sorted(BAD))
def test_each_rule_s_example_has_its_page(code: str) -> None:
    page = html.render(BAD[code])

    assert code in page


def test_a_snapshot_gives_the_same_page_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "seen.json").write_bytes(pipeline.save_snapshot(sketch(MIXED)))
    arguments = ["scan", str(tmp_path), "--snapshot", str(tmp_path / "seen.json"), "--format"]
    page = tmp_path / "report.html"

    done = CliRunner().invoke(cli, [*arguments, "html", "-o", str(page)])
    extra = CliRunner().invoke(cli, [*arguments, "json", "--report", f"html={page}2"])

    assert (done.exit_code, extra.exit_code, done.stdout) == (1, 1, "")
    assert page.read_text("utf-8") == page_of(MIXED) == Path(f"{page}2").read_text("utf-8")


def test_declared_files_alone_have_their_page(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("torch==2.1.2+cu121\nnvidia-cublas-cu11\n")

    for command in (["scan", str(tmp_path), "--no-env"], ["check", str(tmp_path)]):
        page = CliRunner().invoke(cli, [*command, "--format", "html"]).stdout
        assert "requirements.txt asks for" in page
        assert re.findall('class="column"[^>]*>([^<]*)', page) == ["conda", "pip"]
        assert "CUDA 11 clashes with CUDA 12" in page


def test_of_a_long_path_the_end_is_shown() -> None:
    made = report_of(MIXED)
    toolkit = SystemToolkit(path=f"/{'far' * 20}/cuda-12.1", version="12.1")

    page = html.render(replace(made, toolkits=(toolkit,)))

    assert re.search(r">…[far]+/cuda-12\.1</text>", page)


def test_the_page_asks_for_nothing_beside_itself() -> None:
    page = page_of(MIXED)

    assert not re.findall(r"(?:src|srcset|action|data)=", page)
    assert all(target.startswith("#") for target in re.findall(r'href="([^"]*)', page))
    assert "@import" not in page
    assert "url(" not in page
    assert "default-src &#39;none&#39;" in page


@pytest.mark.parametrize("count", [80, 500])
def test_a_page_on_many_packages_is_small_and_has_each_of_them(count: int) -> None:
    page = html.render(large(count))

    assert len(page.encode()) < 300_000
    assert f"Packages that have to do with CUDA ({count})" in page
    assert all(f"an-extension-of-a-long-name-{n} " in page for n in range(count - 20))


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (report_of(CLEAN), "No conflict found in this environment"),
        (report_of(MIXED), "CUDA 11 clashes with CUDA 12"),
        (pictured(declared_of(DECLARED))[0], "CUDA 11 clashes with CUDA 12"),
        (BAD["DRV601"], "the driver 470.86 (CUDA 11.4) is too old for torch 2.5.1+cu124"),
        (EMPTY, "No conflict found"),
    ],
)
def test_the_headline_says_what_is_the_matter(made: Report, said: str) -> None:
    assert words.headline(made)[0].startswith(said)


def test_a_clean_page_says_in_one_line_which_cuda_is_there() -> None:
    assert words.headline(report_of(CLEAN))[1] == "CUDA 12.4 from pip; the driver runs up to 12.4."
    unseen = replace(report_of(CLEAN), driver=None)
    assert words.headline(unseen)[1] == "CUDA 12.4 from pip; no driver was seen."
    assert words.headline(EMPTY)[1] == ""


def test_the_top_lists_what_else_is_found() -> None:
    made = report("x", *(finding(f"matter {number}") for number in range(8)))
    page = html.render(made)
    top = page[: page.index("</header>")]

    assert re.findall(r'<a href="#f(\d)">', top) == ["2", "3", "4", "5"]
    assert "matter 4." in top
    assert "and 3 more" in top


def test_a_clean_page_says_how_many_rules_judged_and_why_others_could_not() -> None:
    made = replace(EMPTY, judged=61, skips=(Skip(code="DRV601", reason="no driver was found"),))
    page = html.render(made)

    assert "61 rules judged" in page
    assert "; 1 could not, for want of what they look at:" in page
    assert "<li>DRV601: no driver was found</li>" in page


def test_the_rules_that_judged_are_those_that_were_not_passed_over() -> None:
    made = report_of(CLEAN)

    assert made.judged > 20
    assert made.judged + len({skip.code for skip in made.skips}) <= len(BAD)


@pytest.mark.parametrize(
    ("platform", "gaps", "why"),
    [
        ("linux-64", ("/prefix/bin/python cannot be started: not there",), "cannot be started"),
        ("linux-64", (), "no library of these packages"),
        ("win-64", (), "only that of Linux is drawn"),
    ],
)
def test_a_picture_without_the_loader_s_search_says_why(
    platform: str, gaps: tuple[str, ...], why: str
) -> None:
    made = report_of(CLEAN)
    target = replace(made.target, platform=platform)
    found = tuple(Gap(fact=Fact.LOADER, reason=reason) for reason in gaps)
    page = html.render(replace(made, target=target, loads=(), graph=None, gaps=found))

    assert "Dotted: from the packages&#39; own words" in page
    assert why in page
    assert "Dotted:" not in html.render(made)


def test_a_clash_is_told_below_the_picture() -> None:
    page = html.render(BAD["ELF504"])

    assert "<b>Clash:</b> cupy-cuda12x: libnvrtc.so.13 of pip&#39;s nvidia-cuda-nvrtc" in page
    assert "<b>Not found:</b> cupy-cuda12x: libnvrtc.so.12" in html.render(BAD["ELF501"])


def test_what_is_nowhere_has_another_end_than_what_clashes() -> None:
    nowhere, clash = html.render(BAD["ELF501"]), html.render(BAD["ELF504"])

    assert ('class="nothing"' in nowhere, 'class="cross"' in nowhere) == (True, False)
    assert ('class="nothing"' in clash, 'class="cross"' in clash) == (False, True)


def test_each_column_says_which_cuda_it_brings() -> None:
    assert words.brings(report_of(MIXED)) == (
        "brings CUDA 11.8",
        "brings CUDA 12.4",
        "toolkit 12.1, driver up to 12.4",
    )


def test_many_releases_are_told_by_their_majors() -> None:
    assert words.brings(large(80))[0] == "brings CUDA 11, 12 and 13"


def test_of_several_files_that_of_the_worst_finding_is_drawn() -> None:
    other = "environment.yml: |\n  dependencies: [pytorch-cuda=12.1]\n"
    shown, title = pictured(declared_of(DECLARED + other))

    assert title == "What requirements.txt asks for"
    assert {build.manager for build in shown.builds} == {"pip"}


def test_of_several_files_without_a_finding_none_is_drawn() -> None:
    text = "a/requirements.txt: 'torch==2.1.2'\nb/requirements.txt: 'torch==2.1.2'\n"
    made = replace(declared_of(text), findings=())

    assert pictured(made)[1] == ""
    assert "2 declared files were judged" in html.render(made)


def test_declared_files_have_the_diff_that_mends_them() -> None:
    page = page_of(DECLARED)

    code = page[page.index('<code id="diff1">') :].partition("</code>")[0]
    lines = re.sub("<[^>]*>", "", code).splitlines()
    assert lines[:2] == ["--- a/requirements.txt", "+++ b/requirements.txt"]
    assert {line[:1] for line in lines[2:]} <= {"@", " ", "-", "+"}
    assert '<span class="removed">-' in code
    assert '<span class="added">+' in code


def test_the_components_of_the_rows_are_the_catalog_s() -> None:
    known = catalog.load().components
    own = {CONSUMERS, OTHERS, DRIVER, "toolkit"}

    for name, title in (_TITLES | _OTHER_TITLES).items():
        assert name in own or known[name].title == title, name


def test_text_stands_out_from_what_is_behind_it() -> None:
    style = resources.files(html).joinpath("page.css").read_text("utf-8")
    light, dark = (_variables(part) for part in style.split("@media screen", 1))
    pairs = [(text, back) for text in ("ink", "soft", "link") for back in ("page", "card", "band")]
    pairs += [("ink", "error-soft"), ("ink", "warning-soft"), ("added", "card")]
    pairs += [("removed", "card"), ("info", "card")]
    hues = ("m10", "m11", "m12", "m13", "m", "soft")
    pairs += [("on", hue) for hue in (*hues, "error", "warning")]
    pairs += [(hue, back) for hue in hues for back in ("card", "band")]
    pairs += [("error", "card"), ("warning", "card")]

    for colors in (light, dark):
        assert {p: c for p in pairs if (c := _contrast(colors, *p)) < 4.5} == {}
        shapes = [
            (hue, back) for hue in ("error", "warning", "m11", "m12") for back in ("card", "band")
        ]
        assert {p: c for p in shapes if (c := _contrast(colors, *p)) < 3} == {}


def _variables(style: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, color in re.findall(r"--([\w-]+): (#[0-9a-f]{6})", style):
        found.setdefault(name, color)
    return found


def _contrast(colors: dict[str, str], one: str, other: str) -> float:
    # https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
    low, high = sorted(_luminance(colors[name]) for name in (one, other))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * p for weight, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
