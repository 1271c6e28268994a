"""pip's own view beside the disk's and conda's: what differs, and how the reports say it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
import pytest
from click.testing import CliRunner

from reconciler import catalog, live, pipeline
from reconciler.cli import cli
from reconciler.model.pip_view import LiveView
from reconciler.model.prefix import PrefixState
from reconciler.output import json as json_report
from reconciler.output import text
from reconciler.testing import sketch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.model.pip_view import Difference
    from reconciler.model.report import Report

SITE = "lib/python3.11/site-packages"
ELSEWHERE = "/home/me/.local/lib/python3.11/site-packages"


def listed(name: str, version: str, location: str = SITE) -> str:
    return f"{{name: {name}, version: '{version}', location: {location}}}"


def sketched(*listing: str, disk: str = "", conda: Sequence[str] = ()) -> str:
    files = ", ".join(f"{SITE}/{claim}" for claim in conda)
    return (
        f"conda: [some=1.0=0: {{files: [{files}]}}]\n"
        f"pip: [{disk}]\n"
        f"pip_view: {{listed: [{', '.join(listing)}]}}\n"
    )


def differences(text: str) -> Sequence[Difference]:
    compared = live.compare(sketch(text))
    assert compared is not None
    return compared.differences


def test_where_pip_was_not_asked_there_is_nothing_to_compare() -> None:
    assert live.compare(sketch("conda: []\npip: [torch==2.1.2]\n")) is None


def test_views_that_agree_do_not_differ() -> None:
    text = sketched(
        listed("torch", "2.1.2+cu121"),
        listed("Ruamel_Yaml", "0.18.6"),
        listed("dated", "2021.4.1"),
        listed("post", "1.0.post1"),
        disk="torch==2.1.2+cu121, ruamel.yaml==0.18.6, dated==2021.04.01, post==1.0-1",
        conda=[
            "ruamel.yaml-0.18.6.dist-info/METADATA",
            "dated-2021.04.01-py3.11.egg-info/PKG-INFO",
            "post-1.0_1.dist-info/METADATA",
            "setuptools/_vendor/packaging-24.0.dist-info/METADATA",
        ],
    )

    assert live.compare(sketch(text)) == LiveView(seen=4)


def test_a_package_that_pip_installed_is_no_difference_though_conda_has_no_record() -> None:
    assert differences(sketched(listed("torch", "2.1"), disk="torch==2.1")) == ()


def test_another_version_in_condas_record_is_one() -> None:
    (difference,) = differences(
        sketched(
            listed("packaging", "26.3"),
            disk="packaging==26.3",
            conda=["packaging-25.0.dist-info/METADATA"],
        )
    )

    assert difference.pip is not None
    assert (difference.pip.version, difference.disk, difference.conda) == (
        "26.3",
        ("26.3",),
        ("25.0",),
    )


def test_a_second_dist_info_that_pip_does_not_list_is_one() -> None:
    (difference,) = differences(
        sketched(listed("packaging", "26.3"), disk="packaging==25.0, packaging==26.3")
    )

    assert difference.disk == ("25.0", "26.3")


def test_a_package_that_only_condas_record_knows_is_one() -> None:
    (difference,) = differences(sketched(conda=["numpy-1.26.4.dist-info/METADATA"]))

    assert (difference.pip, difference.disk, difference.conda) == (None, (), ("1.26.4",))


def test_a_folder_that_pip_does_not_see_is_one() -> None:
    (difference,) = differences(sketched(disk="torch==2.1"))

    assert (difference.pip, difference.disk) == (None, ("2.1",))


def test_what_pip_sees_outside_the_environment_is_one() -> None:
    (difference,) = differences(sketched(listed("numpy", "1.24", ELSEWHERE)))

    assert difference.pip is not None
    assert difference.pip.location == ELSEWHERE


def test_what_pip_sees_outside_instead_of_inside_is_one() -> None:
    (difference,) = differences(sketched(listed("numpy", "1.26", ELSEWHERE), disk="numpy==1.26"))

    assert difference.disk == ("1.26",)


def test_what_a_venv_is_made_to_see_of_its_base_is_none() -> None:
    of_base = listed("numpy", "1.24", "/usr/lib/python3/dist-packages")
    of_user = listed("torch", "2.1", ELSEWHERE)
    snapshot = sketch(f"python: 3.11.7\n{sketched(of_base, of_user)}")
    assert snapshot.python is not None
    venv = msgspec.structs.replace(
        snapshot,
        state=PrefixState(system_site_packages=True),
        python=msgspec.structs.replace(snapshot.python, home="/usr/bin"),
    )

    compared = live.compare(venv)

    assert compared is not None
    assert [difference.name for difference in compared.differences] == ["torch"]


def report(text: str) -> Report:
    return pipeline.judge(sketch(text), (), catalog.load())


def test_the_text_says_the_three_views() -> None:
    others = [listed(name, "1.0", ELSEWHERE) for name in ("a", "b", "c", "d", "e")]
    planted = sketched(
        listed("packaging", "26.3"),
        *others,
        disk="packaging==26.3, packaging==25.0, gone==2.0",
        conda=["packaging-25.0.dist-info/METADATA"],
    )

    shown = text.render(report(planted))

    assert "pip's own view: 6 distributions, 7 differences\n" in shown
    assert "  gone: pip sees none; on the disk is 2.0.\n" in shown
    assert "pip sees 26.3; on the disk is 26.3 and 25.0; conda has recorded\n  25.0." in shown
    assert "a 1.0, b 1.0, c 1.0 and 2 more: pip alone sees it, in" in shown


def test_the_text_says_that_nothing_differs() -> None:
    shown = text.render(report(sketched(listed("a", "1"), disk="a==1")))

    assert "pip's own view: 1 distributions, as on the disk\n" in shown


def test_escapes_of_a_terminal_are_shown_and_not_sent() -> None:
    shown = text.render(report(sketched('{name: "a\\e[31m", version: "1", location: /x}')))

    assert "\x1b" not in shown
    assert "a\\x1b[31m 1" in shown


def test_the_text_without_live_says_nothing_of_it() -> None:
    assert "pip's own view" not in text.render(report("conda: []\npip: [a==1]\n"))


def test_the_json_has_each_difference() -> None:
    outside = listed("numpy", "1.24", ELSEWHERE)

    said = json.loads(json_report.render(report(sketched(outside, disk="torch==2.1"))))["live"]

    assert said == {
        "seen": 1,
        "differences": [
            {
                "name": "numpy",
                "pip": {"version": "1.24", "location": ELSEWHERE},
                "disk": [],
                "conda": [],
            },
            {"name": "torch", "pip": None, "disk": ["2.1"], "conda": []},
        ],
    }
    assert json.loads(json_report.render(report("conda: []\n")))["live"] is None


@pytest.mark.parametrize("other", [["--no-env"], ["--snapshot", "saved.json"]])
def test_only_an_environment_can_be_asked(other: Sequence[str]) -> None:
    done = CliRunner().invoke(cli, ["scan", "--live", *other])

    assert done.exit_code == 2
    assert "--live asks an environment" in done.output
