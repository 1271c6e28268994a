"""Markers for another machine: held against packaging, which judges them for any."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker

from reconciler.model.marker import holds

ENVIRONMENTS = {
    "linux-64": {
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
        "platform_machine": "x86_64",
    },
    "linux-aarch64": {
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
        "platform_machine": "aarch64",
    },
    "win-64": {
        "sys_platform": "win32",
        "platform_system": "Windows",
        "os_name": "nt",
        "platform_machine": "AMD64",
    },
    "osx-arm64": {
        "sys_platform": "darwin",
        "platform_system": "Darwin",
        "os_name": "posix",
        "platform_machine": "arm64",
    },
}
VALUES = sorted({value for values in ENVIRONMENTS.values() for value in values.values()})
COMPARISON = st.builds(
    '{} {} "{}"'.format,
    st.sampled_from(sorted(ENVIRONMENTS["linux-64"])),
    st.sampled_from(["==", "!="]),
    st.sampled_from(VALUES),
)
MARKERS = st.lists(COMPARISON, min_size=1, max_size=3).flatmap(
    lambda parts: st.sampled_from([" and ", " or "]).map(lambda word: word.join(parts))
)


@given(MARKERS, st.sampled_from(sorted(ENVIRONMENTS)))
def test_a_marker_holds_where_packaging_says_so(marker, platform):
    assert holds(marker, platform) == Marker(marker).evaluate(ENVIRONMENTS[platform])


@pytest.mark.parametrize(
    ("marker", "python", "verdict"),
    [
        ('python_version < "3.9"', "3.8.18", True),
        ('python_version < "3.9"', "3.11.7", False),
        ('python_full_version >= "3.11.5"', "3.11.7", True),
        ('python_version == "3.11" and sys_platform == "linux"', "3.11", True),
        ('extra == "cuda"', "3.11", False),
        ('sys_platform == "linux" and extra == "cuda"', "3.11", False),
        ("no marker at all", "3.11", True),
    ],
)
def test_a_marker_is_judged_for_the_python_of_the_environment(marker, python, verdict):
    assert holds(marker, "linux-64", python) is verdict


@pytest.mark.parametrize("marker", ["'gpu' in extras", "sys_platform ~= 'linux'"])
def test_what_packaging_cannot_judge_keeps_nothing_away(marker):
    assert holds(marker, "linux-64")
