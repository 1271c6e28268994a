from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from manifest_editing import add, add_explicit, add_index, edited, remove, replace

from reconciler.model.manifest import IndexRole, Section

if TYPE_CHECKING:
    from manifest_editing import Ask

edit = partial(edited, "pyproject_toml", "pyproject.toml")
CU118 = "https://download.pytorch.org/whl/cu118"
CU124 = "https://download.pytorch.org/whl/cu124"


def pip(text: str, *, scope: str = "", after: str = "") -> Ask:
    return add(text, section=Section.PIP, scope=scope, after=after)


def in_project(array: str) -> str:
    return f'[project]\nname = "x"\ndependencies = {array}\n'


@pytest.mark.parametrize(
    ("array", "asks", "out"),
    [
        # One line.
        ('["a", "b", "c"]', [remove("a")], '["b", "c"]'),
        ('["a", "b", "c"]', [remove("b")], '["a", "c"]'),
        ('["a", "b", "c"]', [remove("c")], '["a", "b"]'),
        ('["a", "b", "c",]', [remove("b"), remove("c")], '["a",]'),
        ('["a", "b", "c"]', [remove("a"), remove("c")], '["b"]'),
        ('[ "a" ]', [remove("a")], "[]"),
        ('["a",]', [remove("a")], "[]"),
        ('["a", "b"]', [pip("c")], '["a", "b", "c"]'),
        ('["a", "b",]', [pip("c")], '["a", "b", "c",]'),
        ('["a", "b"]', [pip("c", after="a")], '["a", "c", "b"]'),
        ("['a', 'b']", [pip("c")], "['a', 'b', 'c']"),
        ("[]", [pip("c"), pip("d")], '["c", "d"]'),
        ("[ ]", [pip("c")], '["c"]'),
        ('["a", "b"]', [remove("b"), pip("c", after="b")], '["a", "c"]'),
        ('["a", "b"]', [remove("a"), pip("c", after="a")], '["c", "b"]'),
        ('["a"]', [remove("a"), pip("c")], '["c"]'),
        # Many lines.
        ('[\n  "a",\n  "b", # why\n  "c",\n]', [remove("b")], '[\n  "a",\n  "c",\n]'),
        ('[\n  "a",\n  # of b\n  "b"\n]', [remove("b")], '[\n  "a",\n  # of b\n]'),
        ('[\n  "a",\n  "b",\n]', [remove("a"), remove("b")], "[\n]"),
        ('[\n\t"a",\n]', [pip("c"), pip("d")], '[\n\t"a",\n\t"c",\n\t"d",\n]'),
        ('[\n  "a" # why\n]', [pip("c"), pip("d")], '[\n  "a", # why\n  "c",\n  "d"\n]'),
        ('[\n  "a", # why\n  "b",\n  # end\n]', [pip("c", after="a")], '[\n  "a", # why\n  "c",\n  "b",\n  # end\n]'),
        ("[ # none\n]", [pip("c")], '[ # none\n    "c",\n]'),
        ('[\n  "a",\n  "b",\n]', [remove("b"), pip("c", after="b")], '[\n  "a",\n  "c",\n]'),
        ('[\n  "a",\n]', [remove("a"), pip("c", after="a")], '[\n  "c",\n]'),
        ('[\n  "a",\n  "b"]', [remove("b"), pip("c")], '[\n  "a", "c"]'),
        ('["a",\n "b",\n "c"]', [remove("a")], '["b",\n "c"]'),
        ('["a",\n "b",\n "c"]', [pip("d", after="a")], '["a",\n "d",\n "b",\n "c"]'),
        ('["a", # of a\n "b"]', [remove("a")], '["b"]'),
        ('["a", # of a\n "b"]', [remove("b")], '["a", # of a\n ]'),
        ('["a", # of a\n "b"]', [pip("c")], '["a", # of a\n "b", "c"]'),
        ('["a", # of a\n]', [pip("c")], '["a", # of a\n                "c",\n]'),
        ('[ "a"\n, "b"\n]', [pip("c", after="a")], '[ "a", "c"\n, "b"\n]'),
        ('[ "a"\n, "b"\n]', [remove("b")], '[ "a"\n]'),
        # The words of an item.
        ('["a==1"] # why', [replace("a==1", "a==2")], '["a==2"] # why'),
        ("['a==1']", [replace("a==1", "a==2")], "['a==2']"),
        ("['a==1']", [replace("a==1", "a==1; os_name == 'nt'")], """["a==1; os_name == 'nt'"]"""),
        ('["a==1"]', [replace("a==1", 'a==1; os_name == "nt"')], """['a==1; os_name == "nt"']"""),
        ('["""a==1"""]', [replace("a==1", "a==2")], '["a==2"]'),
    ],
)  # fmt: skip
def test_an_array_is_edited_in_its_own_style(array: str, asks: list[Ask], out: str) -> None:
    assert edit(in_project(array), *asks) == (in_project(out), [])


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("end", ["", "\n"])
def test_line_ends_and_the_last_line_stay_as_they_are(newline: str, end: str) -> None:
    lines = ("[project]", 'name = "x"', "dependencies = [", '  "a",', "]")
    text, out = (
        newline.join(some) + end.replace("\n", newline)
        for some in (lines, (*lines[:4], '  "b",', "]", "", "[dependency-groups]", 'dev = ["c"]'))
    )

    assert edit(text, pip("b"), pip("c", scope="group dev")) == (out, [])


@pytest.mark.parametrize(
    ("text", "asks", "out"),
    [
        # Each scope has its array.
        ('[project.optional-dependencies]\nGPU = ["a"]\n', [pip("b", scope="extra gpu")], '[project.optional-dependencies]\nGPU = ["a", "b"]\n'),
        ('[project]\nname = "x"\n\n[tool.x]\n', [pip("b", scope="extra gpu")], '[project]\nname = "x"\n\n[project.optional-dependencies]\ngpu = ["b"]\n\n[tool.x]\n'),
        ('[project]\nname = "x"\n', [pip("b"), pip("c")], '[project]\nname = "x"\ndependencies = ["b", "c"]\n'),
        ('[dependency-groups]\ndev = ["a"]\n', [pip("b", scope="group dev")], '[dependency-groups]\ndev = ["a", "b"]\n'),
        ('[tool.uv]\ndev-dependencies = ["a"]\n', [pip("b", scope="group dev")], '[tool.uv]\ndev-dependencies = ["a", "b"]\n'),
        ('[tool.pdm.dev-dependencies]\ntest = ["a"]\n', [pip("b", scope="group test")], '[tool.pdm.dev-dependencies]\ntest = ["a", "b"]\n'),
        ('[tool.hatch.envs.x]\ndependencies = ["a"]\n', [pip("b", scope="hatch environment x")], '[tool.hatch.envs.x]\ndependencies = ["a", "b"]\n'),
        ('[build-system]\nrequires = ["a"]\n', [pip("b", scope="build system")], '[build-system]\nrequires = ["a", "b"]\n'),
        ('project = {name = "x", dependencies = ["a"]}\n', [remove("a")], 'project = {name = "x", dependencies = []}\n'),
        # Pairs.
        ('[project]\nname = "x"\nrequires-python = ">=3.8" # old\n', [replace(">=3.8", ">=3.10")], '[project]\nname = "x"\nrequires-python = ">=3.10" # old\n'),
        ('[project]\nname = "x"\nrequires-python = ">=3.8" # old\n', [remove(">=3.8")], '[project]\nname = "x"\n'),
        # Indexes of uv.
        (f'[tool.uv]\nextra-index-url = ["{CU118}", "b"]\n', [remove(CU118)], '[tool.uv]\nextra-index-url = ["b"]\n'),
        (f'[tool.uv]\nindex-url = "{CU118}"\n\n[x]\n', [remove(CU118)], "[tool.uv]\n\n[x]\n"),
        (f'[[tool.uv.index]]\nname = "a"\nurl = "{CU118}"\n\n[x]\ny = 1\n', [remove(CU118)], "\n[x]\ny = 1\n"),
        (f'[x]\ny = 1\n\n[[tool.uv.index]]\nname = "a"\nurl = "{CU118}"\n', [remove(CU118)], "[x]\ny = 1\n"),
        (f'[tool.uv]\nindex = [{{url = "{CU118}"}}, {{url = "b"}}]\n', [remove(CU118)], '[tool.uv]\nindex = [{url = "b"}]\n'),
        (f'[[tool.uv.index]]\nurl = "{CU118}" # why\n', [replace(CU118, CU124)], f'[[tool.uv.index]]\nurl = "{CU124}" # why\n'),
        (f'[tool.uv]\nextra-index-url = ["{CU118}"]\n', [replace(CU118, f"--extra-index-url {CU124}")], f'[tool.uv]\nextra-index-url = ["{CU124}"]\n'),
        ("[tool.uv]\npackage = false\n", [add_index("https://h.io")], '[tool.uv]\npackage = false\n\n[[tool.uv.index]]\nname = "h"\nurl = "https://h.io"\n'),
        ("[tool.uv]\npackage = false\n", [add_index("https://h.io/x", role=IndexRole.DEFAULT)], '[tool.uv]\npackage = false\n\n[[tool.uv.index]]\nname = "h-x"\nurl = "https://h.io/x"\ndefault = true\n'),
        ("[tool.uv]\npackage = false\n", [add_index("https://h.io/x", role=IndexRole.LINKS)], '[tool.uv]\npackage = false\nfind-links = ["https://h.io/x"]\n'),
        ('[tool.uv]\nindex = [{name = "a", url = "b"}]\n', [add_index("https://h.io/x")], '[tool.uv]\nindex = [{name = "a", url = "b"}, { name = "h-x", url = "https://h.io/x" }]\n'),
        # Of pdm.
        ('[[tool.pdm.source]]\nname = "a"\nurl = "b"\n', [add_index(CU118)], f'[[tool.pdm.source]]\nname = "a"\nurl = "b"\n\n[[tool.pdm.source]]\nname = "pytorch-cu118"\nurl = "{CU118}"\n'),
        ("[tool.pdm]\ndistribution = true\n", [add_index("https://h.io/x.html", role=IndexRole.LINKS)], '[tool.pdm]\ndistribution = true\n\n[[tool.pdm.source]]\nname = "h-x"\nurl = "https://h.io/x.html"\ntype = "find_links"\n'),
    ],
)  # fmt: skip
def test_what_is_new_stands_where_its_tool_looks(text: str, asks: list[Ask], out: str) -> None:
    assert edit(text, *asks) == (out, [])


UV = """\
[project]
name = "x"
dependencies = ["torch==2.1.0+cu118", "torchvision==0.16.0+cu118", "numpy"]

[project.optional-dependencies]
fast = ["apex"]
slow = ["apex"]

[tool.uv]
package = false
# of ruff
[tool.ruff]
line-length = 100
"""


def test_an_index_of_uv_is_named_once_for_all_that_it_serves() -> None:
    out = edit(
        UV,
        add_explicit(CU118, "torch==2.1.0+cu118"),
        add_explicit(CU118, "torchvision==0.16.0+cu118"),
    )

    assert out.held == []
    assert out.text == UV.replace(
        "package = false\n",
        f"""\
package = false

[[tool.uv.index]]
name = "pytorch-cu118"
url = "{CU118}"
explicit = true

[tool.uv.sources]
torch = {{ index = "pytorch-cu118" }}
torchvision = {{ index = "pytorch-cu118" }}

""",
    )


def test_an_index_that_the_file_knows_keeps_its_name() -> None:
    text = f'{UV}\n[[tool.uv.index]]\nname = "mine"\nurl = "{CU118}"\nexplicit = true\n'

    out = edit(text, add_explicit(CU118, "torch==2.1.0+cu118"))

    assert out.held == []
    assert out.text == f'{text}\n[tool.uv.sources]\ntorch = {{ index = "mine" }}\n'


def test_a_name_that_is_taken_gets_a_number() -> None:
    text = UV + '\n[[tool.uv.index]]\nname = "pytorch-cu118"\nurl = "https://other"\n'

    assert 'name = "pytorch-cu118-2"\n' in edit(text, add_explicit(CU118, "numpy")).text


def test_an_index_for_one_of_several_extras_is_for_that_alone() -> None:
    tied = {"extra fast": CU118, "extra slow": CU124}

    out = edit(UV, *(add_explicit(url, "apex", scope=scope) for scope, url in tied.items()))

    assert out.held == []
    assert (
        'apex = [{ index = "pytorch-cu118", extra = "fast" },'
        ' { index = "pytorch-cu124", extra = "slow" }]\n'
    ) in out.text


def test_a_further_source_of_a_package_stands_beside_those_that_it_has() -> None:
    text = UV + '[tool.uv.sources]\napex = [{ url = "https://h/apex.zip", extra = "slow" }]\n'

    out = edit(text, add_explicit(CU118, "apex", scope="extra fast"))

    assert out.held == []
    assert (
        'apex = [{ url = "https://h/apex.zip", extra = "slow" },'
        ' { index = "pytorch-cu118", extra = "fast" }]\n'
    ) in out.text


def test_a_page_of_links_is_a_flat_index_of_uv() -> None:
    out = edit(UV, add_explicit("https://data.pyg.org/whl/torch-2.1.0+cu118.html", "numpy"))

    assert (
        'name = "pyg-torch-2.1.0-cu118"\n'
        'url = "https://data.pyg.org/whl/torch-2.1.0+cu118.html"\n'
        'format = "flat"\n'
        "explicit = true\n"
    ) in out.text


POETRY = """\
[tool.poetry.dependencies]
python = "^3.10"
torch = "2.1.0+cu118" # the newest
torchvision = {version = "0.16.0+cu118", optional = false}
numpy = "^1.26"

[tool.poetry.dependencies.apex]
version = "0.1"

[tool.poetry.group.dev.dependencies]
pytest = "*"
"""


def test_a_source_of_poetry_is_named_at_each_requirement_that_it_serves() -> None:
    asks = [
        add_explicit(CU118, text) for text in ("torch==2.1.0+cu118", "torchvision==0.16.0+cu118")
    ]

    out = edit(POETRY, *asks, add_explicit(CU118, "apex==0.1"))

    assert out.held == []
    assert out.text == (
        POETRY.replace('"2.1.0+cu118"', '{ version = "2.1.0+cu118", source = "pytorch-cu118" }')
        .replace("optional = false", 'optional = false, source = "pytorch-cu118"')
        .replace('version = "0.1"\n', 'version = "0.1"\nsource = "pytorch-cu118"\n')
        + f"""
[[tool.poetry.source]]
name = "pytorch-cu118"
url = "{CU118}"
priority = "explicit"
"""
    )


@pytest.mark.parametrize(
    ("text", "out"),
    [
        ("[tool.poetry]\npackage-mode = false\n", '\n{source}\n[tool.poetry.dependencies]\ntorch = { source = "pytorch-cu118" }\n'),
        ("[tool.poetry.dependencies]\ntorch = {optional = true}\n", "\n{source}"),
    ],
)  # fmt: skip
def test_poetry_s_own_table_says_where_the_project_s_requirements_come_from(
    text: str, out: str
) -> None:
    text = f'[project]\ndependencies = ["torch==2.1.0"]\n\n{text}'
    source = f"""\
[[tool.poetry.source]]
name = "pytorch-cu118"
url = "{CU118}"
priority = "explicit"
"""

    found = edit(text, add_explicit(CU118, "torch==2.1.0"))

    tied = text.replace("optional = true", 'optional = true, source = "pytorch-cu118"')
    assert found == (tied + out.replace("{source}", source), [])


@pytest.mark.parametrize(
    ("old", "new", "line", "out"),
    [
        ("torch==2.1.0+cu118", "torch==2.1.2+cu118", 'torch = "2.1.0+cu118"', 'torch = "2.1.2+cu118"'),
        ("torch==2.1.0+cu118", "torch>=2.1,<3", 'torch = "2.1.0+cu118"', 'torch = ">=2.1,<3"'),
        ("torch==2.1.0+cu118", "pytorch==2.1.0+cu118", "torch =", "pytorch ="),
        ("torchvision==0.16.0+cu118", "torchvision", '"0.16.0+cu118"', '"*"'),
        ("numpy>=1.26,<2.0", "numpy>=1.26,<3", '"^1.26"', '">=1.26,<3"'),
        ("numpy>=1.26,<2.0", "numpy ==1.26.4", '"^1.26"', '"1.26.4"'),
        ("apex==0.1", "apex==0.2", '"0.1"', '"0.2"'),
        (">=3.10,<4.0", ">=3.10,<3.13", '"^3.10"', '">=3.10,<3.13"'),
    ],
)  # fmt: skip
def test_a_version_of_poetry_is_written_in_its_own_form(
    old: str, new: str, line: str, out: str
) -> None:
    wanted = out if "1.26.4" not in out else '"==1.26.4"'

    assert edit(POETRY, replace(old, new)) == (POETRY.replace(line, wanted, 1), [])


@pytest.mark.parametrize(
    ("asks", "old", "new"),
    [
        ([remove("numpy>=1.26,<2.0")], 'numpy = "^1.26"\n', ""),
        ([remove("apex==0.1")], '\n[tool.poetry.dependencies.apex]\nversion = "0.1"\n', ""),
        ([remove("pytest")], 'pytest = "*"\n', ""),
        ([pip("b")], 'numpy = "^1.26"\n', 'numpy = "^1.26"\nb = "*"\n'),
        ([pip("b>=1", after="torch==2.1.0+cu118")], "newest\n", 'newest\nb = ">=1"\n'),
        ([pip("b[x,y]>=1; os_name == 'nt'", scope="group dev")], 'pytest = "*"\n', 'pytest = "*"\nb = { version = ">=1", extras = ["x", "y"], markers = "os_name == \'nt\'" }\n'),
    ],
)  # fmt: skip
def test_pairs_of_poetry_come_and_go_as_lines(asks: list[Ask], old: str, new: str) -> None:
    assert edit(POETRY, *asks) == (POETRY.replace(old, new), [])


def test_a_group_of_poetry_of_old_is_known() -> None:
    text = '[tool.poetry.dev-dependencies]\npytest = "*"\n'

    assert edit(text, pip("b", scope="group dev")).text == text + 'b = "*"\n'


SOURCES = f"""\
[project]
name = "x"
dynamic = ["dependencies"]

[project.optional-dependencies]
all = ["torch", "x[gpu]"]
gpu = ["torch", "jax"]

[tool.uv]
sources.jax = {{ index = "mine", marker = "sys_platform == 'linux'" }}

[[tool.uv.index]]
# the mirror
name = "mine"
url = "{CU124}"

[[tool.uv.index]]
url = "{CU118}"
"""
TWICE = """\
[tool.poetry.dependencies]
torch = [{version = "2.1", markers = "os_name == 'nt'"}, {version = "2.2", markers = "os_name == 'posix'"}]
apex.git = "https://h/apex"
numpy = {version = "1.26", source = "other"}
"""


@pytest.mark.parametrize(
    ("text", "ask", "why"),
    [
        (in_project('["a", "b", # of both\n "c"]'), remove("b"), "a comment behind it may be about what stays"),
        (in_project('["a",\n # of b\n "b"]'), remove("a"), "a comment behind it may be about what stays"),
        (in_project('["a", # of a\n]'), remove("a"), "comments stand between the items of a list that would be empty"),
        (SOURCES, remove(CU124), "line 10 takes a package from 'mine'"),
        (SOURCES.replace("sources.jax", "sources.a"), replace("jax", "numpy"), None),
        (SOURCES, replace("jax; sys_platform == 'linux'", "jax<1"), '"jax; sys_platform == \'linux\'" comes of other tables as well'),
        (SOURCES, pip("b"), "the file has no table for what is always installed"),
        (SOURCES, pip("b", scope="group dev"), None),
        (SOURCES, pip("b", scope="unidep"), "the file has no table for unidep"),
        (SOURCES, add("b"), "a pyproject.toml has no place for this: requirement of conda"),
        (SOURCES, add_explicit(CU124, "jax; sys_platform == 'linux'"), "[tool.uv.sources] says already where jax comes from"),
        (SOURCES, add_explicit(CU118, "torch"), f"the index {CU118} has no name in the file"),
        (SOURCES, add_index(CU118, role=IndexRole.EXPLICIT), "nothing says which requirement the index is for"),
        (SOURCES.replace("# the mirror\n", "").replace("jax = { index", "jax = { x"), remove(CU124), None),
        (SOURCES.replace("jax = { index", "jax = { x"), remove(CU124), "a comment stands in it"),
        ("[project]\nname = 'x'\n", add_index(CU118), "the file names no indexes for pip"),
        ("[tool.poetry]\nname = 'x'\n", add_index(CU118, role=IndexRole.LINKS), "poetry has no form for an index: links"),
        ("[tool.uv]\nfind-links = 'x'\n", add_index(CU118, role=IndexRole.LINKS), "tool.uv.find-links is no array"),
        (SOURCES, add_explicit(CU124, "torch", scope="extra all"), "tool.uv.sources is written in keys with dots"),
        (UV + "[build-system]\nrequires = ['b']\n", add_explicit(CU124, "b"), f"b would not come from {CU124} afterwards"),
        (UV, add_explicit(CU118, "torch==2.1.0+cu118", scope=""), None),
        (UV.replace('"apex"', '"numpy"'), add_explicit(CU118, "numpy", scope="extra fast"), "numpy is asked for outside of extra fast as well"),
        (TWICE, add_explicit(CU118, "torch==2.1; os_name == 'nt'"), "poetry's table has several sources for torch"),
        (TWICE, replace("torch==2.1; os_name == 'nt'", "torch==2.0; os_name == 'nt'"), None),
        (TWICE, replace("torch==2.1; os_name == 'nt'", "pytorch==2.1; os_name == 'nt'"), "torch has several tables under one name"),
        (TWICE, remove("torch==2.1; os_name == 'nt'"), None),
        (TWICE, remove("apex @ git+https://h/apex"), "it is not in one place of the file"),
    ],
)  # fmt: skip
def test_what_is_not_certain_is_held_back(text: str, ask: Ask, why: str | None) -> None:
    out = edit(text, ask)

    assert out.held == ([why] if why else [])
    assert (out.text == text) == bool(why)


def test_one_package_does_not_come_from_several_indexes() -> None:
    asks = [add_explicit(url, "numpy") for url in (CU118, CU124)]

    out = edit(UV, *asks)

    assert out.held == ["numpy cannot come from several indexes at once"]
    assert out.text == edit(UV, asks[0]).text


def test_a_requirement_is_told_once_where_it_comes_from() -> None:
    text = POETRY + f'[[tool.poetry.source]]\nname = "other"\nurl = "{CU118}"\n'
    text = text.replace('"^1.26"', '{ version = "^1.26", source = "other" }')

    assert edit(text, add_explicit(CU118, "numpy>=1.26,<2.0")) == (text, [])
