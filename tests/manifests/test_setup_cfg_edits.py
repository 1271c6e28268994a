from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from manifest_editing import add, add_index, edited, remove, replace

from reconciler.model.manifest import Section

if TYPE_CHECKING:
    from manifest_editing import Ask

edit = partial(edited, "setup_cfg", "setup.cfg")
SETUP = """\
[metadata]
name = x
[options]
install_requires =
    a==1 # why
    # of b
    b; os_name == "nt"
setup_requires = c; d
dependency_links = https://h/links
[options.extras_require]
gpu =
\te
"""


def pip(text: str, *, scope: str = "", after: str = "") -> Ask:
    return add(text, section=Section.PIP, scope=scope, after=after)


@pytest.mark.parametrize(
    ("asks", "old", "new"),
    [
        ([remove("a==1")], "    a==1 # why\n", ""),
        ([remove("e")], "\te\n", ""),
        ([replace("a==1", "a==2")], "a==1", "a==2"),
        ([replace("c", "c>2")], "c; d", "c>2; d"),
        ([replace("https://h/links", "https://h/others")], "links\n", "others\n"),
        ([pip("f"), pip("g")], 'nt"\n', 'nt"\n    f\n    g\n'),
        ([pip("f", after="a==1")], "# why\n", "# why\n    f\n"),
        ([pip("f", scope="extra gpu")], "\te\n", "\te\n\tf\n"),
        ([remove("a==1"), pip("f", after="a==1")], "    a==1 # why\n", "    f\n"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_an_edit_changes_its_line_alone(asks: list[Ask], old: str, new: str, newline: str) -> None:
    text, out = (one.replace("\n", newline) for one in (SETUP, SETUP.replace(old, new)))

    assert edit(text, *asks) == (out, [])


@pytest.mark.parametrize(
    ("ask", "why"),
    [
        (remove("c"), "line 8 holds more than c"),
        (pip("f", scope="build system"), "line 8 holds more than d"),
        (pip("f", scope="extra cpu"), "the file asks for nothing yet in extra cpu"),
        (pip("f; os_name == 'nt'", after="e", scope="extra cpu"), 'the file would not say f;os_name=="nt" (requirement of pip, extra cpu) afterwards'),
        (add("f"), "a setup.cfg has no place for this: requirement of conda"),
        (add_index("https://h"), "a setup.cfg has no place for this: index of pip"),
    ],
)  # fmt: skip
def test_what_is_not_certain_is_held_back(ask: Ask, why: str) -> None:
    assert edit(SETUP, ask) == (SETUP, [why])


def test_what_does_not_stand_there_as_it_is_read_is_held_back() -> None:
    text = "[options]\ninstall_requires =\n\r    a\n"

    assert edit(text, replace("a", "b")) == (text, ["line 3 does not hold 'a' as it is read"])
