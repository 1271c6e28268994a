from __future__ import annotations

from functools import partial

import pytest
from manifest_reading import combined, indexes, installed, places

from reconciler.manifests import pyproject_toml
from reconciler.model.manifest import IndexRole

read = partial(pyproject_toml.read, "pyproject.toml")

CPU = "https://download.pytorch.org/whl/cpu"
CU128 = "https://download.pytorch.org/whl/cu128"

INDEXES = f"""
[[tool.uv.index]]
name = "cpu"
url = "{CPU}"
explicit = true
[[tool.uv.index]]
name = "cu128"
url = "{CU128}"
explicit = true
"""

EXTRAS = f"""
[project]
name = "p"
dependencies = ["torch==2.9.1", "numpy"]
[project.optional-dependencies]
cpu = ["torch==2.9.1"]
Gpu = ["torch==2.9.1"]
mps = ["torch==2.9.1"]
all = ["p[gpu]"]
both = ["p[gpu,cpu]"]
[tool.uv]
conflicts = [[{{extra = "cpu"}}, {{extra = "gpu"}}], [{{group = "x"}}, {{package = "y"}}]]
[tool.uv.sources]
torch = [{{index = "cpu", extra = "cpu"}}, {{index = "cu128", extra = "gpu"}}]
{INDEXES}"""


def test_a_source_of_an_extra_serves_the_project_s_own_line_too_where_that_extra_is_chosen() -> (
    None
):
    manifest = read(EXTRAS)

    assert installed(manifest) == ["torch==2.9.1", "numpy"]
    assert installed(manifest, "extra cpu") == [
        f"torch==2.9.1 <- {CPU}",
        "numpy",
        f"torch==2.9.1 <- {CPU}",
    ]
    assert installed(manifest, "extra all") == [
        f"torch==2.9.1 <- {CU128}",
        "numpy",
        f"torch==2.9.1 <- {CU128}",
    ]
    assert installed(manifest, "extra mps") == ["torch==2.9.1", "numpy", "torch==2.9.1"]


def test_extras_that_conflict_are_never_combined() -> None:
    assert "extra both" not in combined(read(EXTRAS))


def test_each_index_has_its_role_and_its_place() -> None:
    manifest = read(f"""
[tool.uv]
extra-index-url = ["https://extra"]
find-links = ["./wheels"]
[[tool.uv.index]]
url = "https://default"
default = true
[[tool.uv.index]]
url = "https://beside"
[[tool.uv.index]]
name = "no URL"
[tool.uv.pip]
index-url = "https://of-pip"
{INDEXES}""")

    assert indexes(manifest) == [
        ("https://default", IndexRole.DEFAULT),
        ("https://beside", IndexRole.EXTRA),
        (CPU, IndexRole.EXPLICIT),
        (CU128, IndexRole.EXPLICIT),
        ("https://extra", IndexRole.EXTRA),
        ("./wheels", IndexRole.LINKS),
        ("https://of-pip", IndexRole.DEFAULT),
    ]
    assert (manifest.declared[0].line, manifest.declared[0].column) == (6, 7)


def test_a_source_with_a_marker_leaves_the_other_platforms_to_pypi() -> None:
    manifest = read(f"""
[project]
dependencies = ["torch==2.9.1; python_version >= '3.8'", "cupy"]
[tool.uv.sources]
torch = {{index = "cu128", marker = "sys_platform == 'linux' or sys_platform == 'win32'"}}
cupy = [{{index = "cpu", marker = "sys_platform == 'darwin'"}}, {{index = "cu128", marker = "sys_platform != 'darwin'"}}]
{INDEXES}""")
    marker = "python_version >= '3.8'"

    assert installed(manifest) == [
        f"torch==2.9.1; {marker} and (sys_platform == 'linux' or sys_platform == 'win32') <- {CU128}",
        f"cupy; sys_platform != 'darwin' <- {CU128}",
    ]
    assert installed(manifest, platform="osx-arm64") == [
        f"torch==2.9.1; {marker}",
        f"cupy; sys_platform == 'darwin' <- {CPU}",
    ]


def test_a_source_may_be_a_repository_an_archive_or_a_folder() -> None:
    manifest = read("""
[project]
dependencies = ["a[x]>=1; os_name == 'posix'", "b", "c", "d", "e", "f", "g"]
[dependency-groups]
dev = ["a"]
[tool.uv.sources]
A = {git = "https://host/a", tag = "v1", subdirectory = "python"}
b = {git = "git@host.example:o/b.git"}
c = {url = "https://host/c.whl"}
d = {path = "../d e", editable = true}
e = {workspace = true}
f = {index = "of the workspace's root"}
g = {url = "https://host/g.zip", subdirectory = "x", group = "dev"}
""")

    assert [text for _, text, *_ in places(manifest)] == [
        "a[x] @ git+https://host/a@v1#subdirectory=python ; os_name == 'posix'",
        "b @ git+ssh://git@host.example/o/b.git",
        "c @ https://host/c.whl",
        "d @ file:../d%20e",
        "e",
        "f",
        "g",
        "a @ git+https://host/a@v1#subdirectory=python",
    ]


def test_a_source_of_a_group_serves_that_group() -> None:
    manifest = read(f"""
[dependency-groups]
gpu = ["torch"]
[tool.uv.sources]
torch = {{index = "cu128", group = "gpu"}}
{INDEXES}""")

    assert installed(manifest, "group gpu") == [f"torch <- {CU128}"]


def test_overrides_replace_and_constraints_join_what_is_asked_for() -> None:
    manifest = read("""
[project]
dependencies = ["torch>=2", "torch<3", "numpy", "einops"]
optional-dependencies.x = ["numpy"]
[tool.uv]
override-dependencies = ["torch==2.4.0; sys_platform == 'linux'", "torch==2.3.0; sys_platform != 'linux'", "unused==1"]
constraint-dependencies = ["numpy<2", "unused<2", ""]
dev-dependencies = ["pytest"]
""")

    assert installed(manifest) == [
        "torch==2.4.0; sys_platform == 'linux'",
        "numpy",
        "numpy<2",
        "einops",
    ]
    assert installed(manifest, "extra x")[-2:] == ["numpy", "numpy<2"]
    assert installed(manifest, "group dev")[-1] == "pytest"
    assert ("", "numpy<2", 7, 28) in places(manifest)


@pytest.mark.parametrize(
    ("environments", "platforms"),
    [
        ("[\"sys_platform == 'linux'\"]", ("linux-64", "linux-aarch64")),
        ("\"sys_platform == 'win32'\"", ("win-64",)),
        ("[\"sys_platform != 'emscripten'\"]", ()),
        ("[\"python_version >= '3.9'\"]", ()),
        ("[]", ()),
        ("1", ()),
        (
            "[\"platform_machine == 'x86_64' and sys_platform == 'linux'\", \"sys_platform == 'darwin'\"]",
            ("linux-64", "osx-arm64"),
        ),
    ],
)
def test_the_environments_are_the_platforms_of_the_file(
    environments: str, platforms: tuple[str, ...]
) -> None:
    assert read(f"[tool.uv]\nenvironments = {environments}\n").platforms == platforms


def test_what_is_no_requirement_is_a_fault_wherever_it_comes_from() -> None:
    manifest = read(f"""
[project]
dependencies = ["torch=2", "numpy"]
[tool.uv]
override-dependencies = ["numpy=1"]
[tool.uv.sources]
torch = {{index = "cu128"}}
{INDEXES}""")

    assert [(f.text, f.line) for f in manifest.faults] == [("torch=2", 3), ("numpy=1", 5)]
