from __future__ import annotations

from functools import partial

from manifest_reading import combined, indexes, installed, places

from reconciler.manifests import pyproject_toml
from reconciler.model.manifest import IndexRole

read = partial(pyproject_toml.read, "pyproject.toml")

CU118 = "https://download.pytorch.org/whl/cu118"

PDM = f"""\
[project]
dependencies = ["torch[opt]>=2; os_name == 'posix'", "numpy", "apex", "einops"]
[tool.pdm.dev-dependencies]
Test = [
    "pytest",
    "-e file:///${{PROJECT_ROOT}}/sub#egg=sub",
    "--pre",
]
[tool.pdm.resolution.overrides]
torch = "2.1.2"
numpy = ">=1.26"
apex = "https://host/apex.whl"
bad = 1
[[tool.pdm.source]]
name = "pytorch"
url = "{CU118}"
include_packages = ["Torch*"]
[[tool.pdm.source]]
name = "PyPI"
url = "https://mirror/simple"
[[tool.pdm.source]]
type = "find_links"
url = "https://host/links"
[[tool.pdm.source]]
name = "no URL"
"""


def test_overrides_and_sources_reach_the_project_s_requirements() -> None:
    assert installed(read(PDM)) == [
        f"torch[opt]==2.1.2; os_name == 'posix' <- {CU118}",
        "numpy>=1.26",
        "apex @ https://host/apex.whl",
        "einops",
    ]


def test_what_is_overridden_stands_where_the_override_does() -> None:
    assert places(read(PDM))[0][2:] == (10, 1)


def test_its_own_groups_may_hold_editable_folders() -> None:
    manifest = read(PDM)

    assert combined(manifest)["group test"] == ("", "group test")
    assert [(text, line) for scope, text, line, _ in places(manifest) if scope] == [
        ("pytest", 5),
        ("sub @ file:///${PROJECT_ROOT}/sub#egg=sub", 6),
    ]


def test_each_source_has_its_role() -> None:
    assert indexes(read(PDM)) == [
        (CU118, IndexRole.EXTRA),
        ("https://mirror/simple", IndexRole.DEFAULT),
        ("https://host/links", IndexRole.LINKS),
    ]
