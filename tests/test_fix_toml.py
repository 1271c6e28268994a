"""What a fix makes of pyproject.toml and pixi.toml, from the finding to the text."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from reconciler import manifests, pipeline
from reconciler.model.snapshot import Fact, Snapshot, Target

if TYPE_CHECKING:
    from reconciler.model.plan import Repair

CU118 = "https://download.pytorch.org/whl/cu118"


class Case(NamedTuple):
    """A file that pins builds for CUDA 11.8, and what is to change in it."""

    path: str
    text: str
    #: Each with what is to stand there instead.
    changes: tuple[tuple[str, str], ...]


UV = Case(
    "pyproject.toml",
    """\
[project]
name = "x"
requires-python = "==3.10.*"
dependencies = [
  "torch==2.0.1+cu118", # the driver is old
  "torchvision==0.15.2+cu118",
  "numpy<2",
]

[tool.uv]
package = false

[tool.ruff] # of ours
line-length = 100
""",
    (
        (
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
        ),
    ),
)
POETRY = Case(
    "pyproject.toml",
    """\
[tool.poetry.dependencies]
python = "~3.10"
torch = "2.0.1+cu118" # the driver is old
torchvision = {version = "0.15.2+cu118"}
numpy = "<2"
""",
    (
        ('"2.0.1+cu118"', '{ version = "2.0.1+cu118", source = "pytorch-cu118" }'),
        ('"0.15.2+cu118"}', '"0.15.2+cu118", source = "pytorch-cu118"}'),
        (
            '"<2"\n',
            f"""\
"<2"

[[tool.poetry.source]]
name = "pytorch-cu118"
url = "{CU118}"
priority = "explicit"
""",
        ),
    ),
)
PDM = Case(
    "pyproject.toml",
    """\
[project]
name = "x"
requires-python = "==3.10.*"
dependencies = ["torch==2.0.1+cu118"]

[tool.pdm]
distribution = false
""",
    (
        (
            "distribution = false\n",
            f"""\
distribution = false

[[tool.pdm.source]]
name = "pytorch-cu118"
url = "{CU118}"
""",
        ),
    ),
)
PIXI = """\
[workspace]
channels = ["conda-forge"]
platforms = ["linux-64"]

[dependencies]
python = "3.10.*" # no wheels for 3.13

[feature.gpu.pypi-dependencies]
torch = "==2.0.1+cu118" # the driver is old

[environments]
gpu = ["gpu"]
"""


@pytest.mark.parametrize("case", [UV, POETRY, PDM], ids=["uv", "poetry", "pdm"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_build_s_index_is_named_in_the_form_of_its_tool(case: Case, newline: str) -> None:
    text, out = case.text, case.text
    for old, new in case.changes:
        out = out.replace(old, new)

    repair = fixed(case.path, text.replace("\n", newline))

    assert [f.code for f in repair.before.findings] == ["DEC701"]
    assert repair.after.findings == ()
    assert [file.after for file in repair.files] == [out.replace("\n", newline)]
    assert fixed(case.path, repair.files[0].after).files == ()


def test_an_index_of_a_feature_of_pixi_stays_in_that_feature() -> None:
    repair = fixed("pixi.toml", PIXI, unsafe=True)

    (file,) = repair.files
    lost = {*PIXI.splitlines()} - {*file.after.splitlines()}
    assert repair.after.findings == ()
    assert CU118 in file.after[file.after.index("[feature.gpu") : file.after.index("[environments")]
    assert not lost or lost == {'torch = "==2.0.1+cu118" # the driver is old'}


def test_a_version_in_an_array_is_replaced_where_it_stands() -> None:
    text = UV.text.replace("2.0.1+cu118", "2.1.0").replace("0.15.2+cu118", "0.17.0")

    repair = fixed(UV.path, text, unsafe=True)

    assert [f.code for f in repair.before.findings] == ["CUD205"]
    assert [file.after for file in repair.files] == [text.replace("0.17.0", "0.16.0")]


def fixed(path: str, text: str, *, unsafe: bool = False) -> Repair:
    manifest = manifests.read(manifests.format_of(path, text), path, text)
    snapshot = Snapshot(
        envfix="0.1.0",
        asked=(Fact.MANIFESTS,),
        target=Target(project="/project", platform="linux-64"),
        manifests=(manifest,),
    )
    return pipeline.fix(snapshot, unsafe=unsafe)
