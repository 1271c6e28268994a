"""The page as Chromium shows it: of an environment of two CUDA majors, a healthy one, and large ones."""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING

import pytest

from reconciler.model.finding import Severity
from reconciler.output import html
from reconciler.output.html.scene import scene_of
from tests.output.browser import show, started, violations
from tests.output.html_pages import CLEAN, DECLARED, MIXED, large, page_of, report_of
from tests.output.reports import BAD, EMPTY, finding, report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome

HOSTILE = "<script>document.title='taken'</script></style></svg>\"'><img src=x onerror=\"document.title='taken'\">"
OPEN_ALL = "document.querySelectorAll('details').forEach(each => { each.open = true; })"


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with started(tmp_path_factory.mktemp("chromium")) as chrome:
        yield chrome


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    written = {
        "mixed": page_of(MIXED),
        "clean": page_of(CLEAN),
        "declared": page_of(DECLARED),
        "empty": html.render(EMPTY),
        "hostile": html.render(report(HOSTILE)),
        "two": html.render(report("x", finding(), finding(severity=Severity.WARNING))),
        **{code: html.render(BAD[code]) for code in ("ELF507", "DUP105")},
        "80": html.render(large(80)),
        "500": html.render(large(500)),
    }
    for name, page in written.items():
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def axe() -> str:
    return resources.files("axe_core_python").joinpath("axe.min.js").read_text("utf-8")


def arrows(chrome: Chrome) -> set[tuple[str, str]]:
    found = chrome.execute_script(
        "return [...document.querySelectorAll('.picture .arrow')].map("
        "a => [a.dataset.from, a.dataset.to, a.querySelector('.way').getTotalLength()])"
    )
    assert all(length > 30 for _, _, length in found)
    return {(start, end) for start, end, _ in found}


@pytest.mark.parametrize("name", ["mixed", "clean", "declared", "empty", "hostile", "80", "500"])
def test_a_page_loads_from_the_disk_without_a_word_on_the_console(
    chrome: Chrome, pages: Path, name: str
) -> None:
    show(chrome, pages / f"{name}.html")

    assert chrome.get_log("browser") == []
    assert chrome.title.startswith("envfix: ")
    loaded = chrome.execute_script("return performance.getEntriesByType('resource').length")
    assert loaded == 0


@pytest.mark.parametrize("script", [True, False])
def test_each_arrow_is_there_and_leads_from_box_to_box(
    chrome: Chrome, pages: Path, *, script: bool
) -> None:
    show(chrome, pages / "mixed.html", script=script)
    scene = scene_of(report_of(MIXED))

    assert arrows(chrome) == {(arrow.source, arrow.target) for arrow in scene.arrows}
    boxes = chrome.execute_script(
        "return [...document.querySelectorAll('.picture .box')].map(b => b.id)"
    )
    assert set(boxes) == {box.key for box in scene.boxes}


@pytest.mark.parametrize("name", ["mixed", "80", "500"])
def test_no_text_leaves_its_box(chrome: Chrome, pages: Path, name: str) -> None:
    show(chrome, pages / f"{name}.html")
    outside = chrome.execute_script("""
        return [...document.querySelectorAll('.box svg')].flatMap(clip =>
          [...clip.querySelectorAll('text')].filter(
            text => text.getComputedTextLength() > clip.width.baseVal.value + 1
          ).map(text => text.textContent))""")

    assert outside == []


@pytest.mark.parametrize("name", ["mixed", "ELF507", "DUP105"])
def test_the_word_of_a_box_is_whole_and_beside_its_sign(
    chrome: Chrome, pages: Path, name: str
) -> None:
    show(chrome, pages / f"{name}.html")
    words = chrome.execute_script("""
        return [...document.querySelectorAll('.tag')].map(tag => {
          const pill = tag.querySelector('.pill').getBBox(), word = tag.querySelector('text');
          const sign = tag.querySelector('g') ? 19 : 6;
          return [word.textContent, pill.width - sign - 9 - word.getComputedTextLength()];
        })""")

    assert words
    assert [(word, room) for word, room in words if not 0 <= room < 14] == []


@pytest.mark.parametrize("width", [360, 1400])
@pytest.mark.parametrize("name", ["mixed", "500", "hostile"])
def test_a_page_is_as_wide_as_its_window(
    chrome: Chrome, pages: Path, name: str, width: int
) -> None:
    show(chrome, pages / f"{name}.html", width=width)
    chrome.execute_script(OPEN_ALL)

    assert chrome.execute_script("return document.documentElement.scrollWidth") == width


def test_names_of_the_environment_are_shown_and_never_run(chrome: Chrome, pages: Path) -> None:
    show(chrome, pages / "hostile.html")

    assert chrome.title != "taken"
    assert HOSTILE in chrome.find_element("tag name", "h1").text
    assert chrome.find_elements("css selector", "img") == []
    assert len(chrome.find_elements("css selector", "script, style")) == 2


def test_a_foreign_script_is_refused_by_the_page_s_policy(
    chrome: Chrome, pages: Path, tmp_path: Path
) -> None:
    page = (pages / "clean.html").read_text("utf-8")
    inject = "<script>document.title = 'taken'</script><p style='color:red'>x</p></body>"
    (tmp_path / "injected.html").write_text(page.replace("</body>", inject), encoding="utf-8")
    show(chrome, tmp_path / "injected.html")

    assert chrome.title != "taken"
    assert len(chrome.get_log("browser")) == 2


def test_the_filter_hides_a_severity_without_script(chrome: Chrome, pages: Path) -> None:
    show(chrome, pages / "two.html", script=False)
    first = chrome.find_element("css selector", ".filter input")
    severity = first.get_attribute("id").removeprefix("show-")
    found = chrome.find_elements("css selector", f".finding.{severity}")
    assert found
    assert all(one.is_displayed() for one in found)

    first.click()

    assert not any(one.is_displayed() for one in found)


def test_buttons_to_copy_are_there_only_where_script_runs(chrome: Chrome, pages: Path) -> None:
    show(chrome, pages / "declared.html", script=False)
    assert not any(b.is_displayed() for b in chrome.find_elements("tag name", "button"))

    show(chrome, pages / "declared.html")
    button = chrome.find_element("tag name", "button")
    assert button.is_displayed()
    button.click()
    assert (
        chrome.execute_async_script(
            "const b = arguments[0], done = arguments[1];"
            "setTimeout(() => done(b.textContent), 200)",
            button,
        )
        == "Copied"
    )


def test_all_that_can_be_used_is_reached_by_the_keyboard(chrome: Chrome, pages: Path) -> None:
    show(chrome, pages / "mixed.html")
    wanted = chrome.execute_script(
        "return [...document.querySelectorAll('a, button, input, summary, [tabindex]')]"
        ".filter(e => e.checkVisibility()).length"
    )
    chrome.execute_script("""
        window.reached = new Set();
        document.addEventListener('focusin', event => window.reached.add(event.target));""")
    body = chrome.find_element("tag name", "body")
    for _ in range(wanted):
        (chrome.switch_to.active_element or body).send_keys("\ue004")

    assert chrome.execute_script("return window.reached.size") == wanted


def test_a_box_in_trouble_leads_to_its_finding(chrome: Chrome, pages: Path) -> None:
    show(chrome, pages / "mixed.html")
    link = chrome.find_element("css selector", ".picture a")
    link.send_keys("\ue007")

    assert re.search(r"#f\d+$", chrome.current_url)
    assert chrome.find_element("css selector", ".finding:target").is_displayed()


@pytest.mark.parametrize("width", [360, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_that_shuts_somebody_out(
    chrome: Chrome, pages: Path, axe: str, scheme: str, width: int
) -> None:
    show(chrome, pages / "mixed.html", width=width, scheme=scheme)
    chrome.execute_script(OPEN_ALL)

    assert violations(chrome, axe) == []


@pytest.mark.parametrize("name", ["clean", "declared", "hostile", "empty", "500"])
def test_axe_finds_nothing_in_other_pages(chrome: Chrome, pages: Path, axe: str, name: str) -> None:
    show(chrome, pages / f"{name}.html", width=360)

    # Their colors are those of the page above, and take long to be looked at.
    assert violations(chrome, axe, "color-contrast") == []


def test_on_paper_everything_is_open_and_light(chrome: Chrome, pages: Path) -> None:
    show(chrome, pages / "mixed.html", scheme="dark")
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    chrome.execute_script("dispatchEvent(new Event('beforeprint'))")

    assert chrome.find_elements("css selector", "details:not([open])") == []
    color = chrome.execute_script("return getComputedStyle(document.body).color")
    assert color == "rgb(22, 32, 44)"
