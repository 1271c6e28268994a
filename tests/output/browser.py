"""One Chromium for the tests of the page, which talks to nobody."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome

_ARGUMENTS = (
    "--headless=new",
    # a container has no user namespaces, which the sandbox needs
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


@contextmanager
def started(profile: Path) -> Iterator[Chrome]:
    """Start Debian's Chromium; skip the tests without it, or fail where the gate has installed it."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        if os.environ.get("ENVFIX_BROWSER") == "required":
            pytest.fail("chromium is required here, but is not installed", pytrace=False)
        pytest.skip("chromium and chromium-driver are not installed here")
    from selenium.webdriver import Chrome, ChromeOptions  # noqa: PLC0415 - not on Windows
    from selenium.webdriver.chrome.service import Service  # noqa: PLC0415 - not on Windows

    options = ChromeOptions()
    options.binary_location = program
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for argument in (*_ARGUMENTS, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    # A driver that is named is not looked for, so that selenium asks no other machine.
    chrome = Chrome(options=options, service=Service(driver))
    try:
        yield chrome
    finally:
        chrome.quit()


def show(
    chrome: Chrome, page: Path, *, width: int = 1400, scheme: str = "light", script: bool = True
) -> None:
    """Open a page from the disk in a window of some width."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not script})
    chrome.get(page.as_uri())


def violations(chrome: Chrome, axe: str, *without: str) -> list[str]:
    """Return what axe-core's rules find wrong with the page that is shown, each with an example."""
    # By the debugger's door, since the page's policy lets no foreign script in.
    chrome.execute_cdp_cmd("Runtime.evaluate", {"expression": axe})
    found: list[str] = chrome.execute_async_script(
        "const [rules, done] = arguments;"
        "axe.run(document, {resultTypes: ['violations'], rules}).then(r => done("
        "r.violations.map(v => `${v.id}: ${v.nodes[0].html}`)))",
        {rule: {"enabled": False} for rule in without},
    )
    return found
