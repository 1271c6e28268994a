"""``envfix scan --live``: the environment's own pip beside the disk and conda's records."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from .prefix import install
from .running import SITE_PACKAGES, VERSION
from .test_scan import scan
from .wheels import Wheel, build_wheel, clean_variables, dist_info, pip_install, read_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .channel import Channel

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def user_base(lab: Path) -> Path:
    """A ~/.local with a package in its site-packages, for the running version of Python."""
    base = lab / "user-base"
    wheel = build_wheel(lab / "wheels", Wheel("colorama", "0.4.6", {"colorama/__init__.py": b""}))
    for path, content in read_wheel(wheel).items():
        (base / SITE_PACKAGES / path).parent.mkdir(parents=True, exist_ok=True)
        (base / SITE_PACKAGES / path).write_bytes(content)
    return base


@pytest.fixture(scope="module")
def planted(lab: Path, channel: Channel) -> Path:
    """pip's setuptools over conda's, a second dist-info of a wheel, and no numpy that conda recorded."""
    # from 3.13 on, conda-forge's pip no longer brings setuptools
    prefix = install(lab / "live", [f"python={VERSION}", "pip", "setuptools", "numpy"], channel)
    code = b"__version__ = 'planted'\n"
    wheels = [
        Wheel("setuptools", "999.0", {"setuptools/__init__.py": code}),
        Wheel("packaging", "26.3", {"packaging/__init__.py": code}),
    ]
    for wheel in wheels:
        pip_install(prefix, build_wheel(lab / "wheels", wheel))
    uninstall = [str(prefix / "bin/python"), "-m", "pip", "uninstall", "--yes", "numpy"]
    subprocess.run(uninstall, env=clean_variables(), check=True, capture_output=True)
    older = Wheel("packaging", "25.0", {"packaging/__init__.py": code})
    for path, content in dist_info(older, {"INSTALLER": b"conda\n"}).items():
        (prefix / SITE_PACKAGES / path).parent.mkdir(exist_ok=True)
        (prefix / SITE_PACKAGES / path).write_bytes(content)
    return prefix


def live(project: Path, prefix: Path, **variables: str) -> Mapping[str, Any]:
    _, report = scan(project, prefix, "--live", **variables)
    return report


@pytest.mark.parametrize("name", ["majors_mixed", "cupy_twice", "conda_gpu", "wheels_venv"])
def test_where_nothing_is_planted_pip_sees_what_the_disk_and_conda_say(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    report = live(tmp_path, request.getfixturevalue(name))

    assert report["live"]["differences"] == []
    assert report["live"]["seen"] > 0


def test_what_is_planted_is_said_and_nothing_else(
    planted: Path, user_base: Path, tmp_path: Path
) -> None:
    said = live(tmp_path, planted, PYTHONUSERBASE=str(user_base))["live"]["differences"]

    by_name = {difference["name"]: difference for difference in said}
    assert sorted(by_name) == ["colorama", "numpy", "packaging", "setuptools"]
    assert by_name["colorama"]["pip"]["location"] == f"{user_base}/{SITE_PACKAGES}"
    assert (by_name["colorama"]["disk"], by_name["colorama"]["conda"]) == ([], [])
    assert (by_name["numpy"]["pip"], by_name["numpy"]["disk"]) == (None, [])
    assert len(by_name["numpy"]["conda"]) == 1
    assert by_name["packaging"]["disk"] == ["25.0", "26.3"]
    assert by_name["packaging"]["pip"]["version"] in {"25.0", "26.3"}
    assert by_name["setuptools"]["pip"]["version"] == "999.0"
    assert by_name["setuptools"]["disk"] == ["999.0"]
    assert by_name["setuptools"]["conda"] not in ([], ["999.0"])


def test_an_environment_without_pip_is_one_line(
    lab: Path, channel: Channel, tmp_path: Path
) -> None:
    prefix = install(lab / "without_pip", [f"python={VERSION}"], channel)

    report = live(tmp_path, prefix)

    said = [gap["reason"] for gap in report["gaps"] if gap["fact"] == "pip_view"]
    assert report["live"] is None
    assert said == ["the environment has no pip"]


def test_pip_is_not_asked_without_leave(planted: Path, tmp_path: Path) -> None:
    _, report = scan(tmp_path, planted)

    assert report["live"] is None
    assert "pip_view" not in {gap["fact"] for gap in report["gaps"]}
