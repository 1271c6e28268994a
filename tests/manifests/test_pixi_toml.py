from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifest_reading import combined, indexes, installed, is_whole, places, read_or_refused
from packaging.requirements import Requirement
from shared_data import SHARED, shared

from reconciler.collect import manifest_files
from reconciler.manifests import pixi_toml
from reconciler.model.conda_spec import CondaSpec
from reconciler.model.install_set import install_sets
from reconciler.model.manifest import FaultKind, IndexRole, Kind, Section

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.model.manifest import Declared

read = partial(pixi_toml.read, "pixi.toml")

CORPUS = sorted((SHARED / "corpus" / "pixi").glob("*.toml"))

CU124 = "https://download.pytorch.org/whl/cu124"

PIXI = f"""\
[workspace]
name = "x"
channels = ["nvidia/label/cuda-12.4.0", {{channel = "conda-forge", priority = 1}}, "pytorch"]
platforms = ["linux-64", "win-64"]

[system-requirements]
cuda = "12.4"
libc = "2.28"

[activation.env]
LD_LIBRARY_PATH = "$CONDA_PREFIX/lib"

[dependencies]
python = "3.12.*"
numpy = ">=2, <2.4"  # why
pip = "*"
"cuda" = {{version = "*", channel = "nvidia/label/cuda-12.4.0"}}
jaxlib = {{version = "0.4.*", build = "*cuda*"}}
tensorflow = {{version = ">=2, <3", build = "cuda*", build-number = ">=1"}}
cupy = {{build = "*cuda*", subdir = "linux-64"}}
local = {{path = "."}}
archive = {{url = "https://host/linux-64/archive-1.0-h1_0.conda"}}

[dependencies.pytorch]
version = "2.1.2"
channel = "pytorch"

[pypi-dependencies]
torch = {{version = "==2.5.1", index = "{CU124}", extras = ["opt"]}}
einops = "*"
apex = {{git = "https://host/apex.git", branch = "main"}}
here = {{path = "./sub", editable = true}}
wheel = {{url = "https://host/w.whl", env-markers = "os_name == 'posix'"}}

[pypi-options]
index-url = "https://mirror/simple"
extra-index-urls = ["https://extra/simple"]
find-links = [{{path = "./links"}}, {{url = "https://host/links"}}, {{}}]

[target.linux.dependencies]
nccl = "*"
[target.osx-arm64.pypi-dependencies]
mlx = ">=0.1"
[target.win.activation]
env = {{ X = "1", Y = 2 }}
"""


def test_every_requirement_is_at_the_place_of_its_key() -> None:
    assert places(read(PIXI)) == [
        ("", "python 3.12.*", 14, 1),
        ("", "numpy >=2, <2.4", 15, 1),
        ("", "pip", 16, 1),
        ("", "nvidia/label/cuda-12.4.0::cuda", 17, 1),
        ("", "jaxlib 0.4.* *cuda*", 18, 1),
        ("", "tensorflow >=2, <3[build='cuda*',build_number='>=1']", 19, 1),
        ("", "cupy[build='*cuda*',subdir='linux-64']", 20, 1),
        ("", "local", 21, 1),
        ("", "https://host/linux-64/archive-1.0-h1_0.conda", 22, 1),
        ("", "pytorch::pytorch 2.1.2", 24, 15),
        ("", "torch[opt]==2.5.1", 29, 1),
        ("", "einops", 30, 1),
        ("", "apex @ git+https://host/apex.git@main", 31, 1),
        ("", "here @ file:./sub", 32, 1),
        ("", "wheel @ https://host/w.whl ; os_name == 'posix'", 33, 1),
        ("", "nccl", 41, 1),
        ("", "mlx>=0.1", 43, 1),
        ("", "__cuda >=12.4", 7, 8),
    ]


def test_what_is_for_a_target_is_for_its_platforms() -> None:
    by_name = {d.name: d.platforms for d in read(PIXI).declared}

    assert by_name["mlx"] == ("osx-arm64",)
    assert {"linux-64", "linux-aarch64"} <= {*by_name["nccl"]}
    assert "nccl" not in installed(read(PIXI), platform="win-64")


def test_the_channels_stand_in_the_order_of_their_priority() -> None:
    assert [(d.name, d.line, d.column) for d in of_kind(PIXI, Kind.CHANNEL)] == [
        ("conda-forge", 3, 41),
        ("nvidia/label/cuda-12.4.0", 3, 13),
        ("pytorch", 3, 82),
    ]


def of_kind(text: str, kind: Kind) -> list[Declared]:
    return [d for d in read(text).declared if d.kind is kind]


def test_the_indexes_have_their_roles() -> None:
    assert indexes(read(PIXI)) == [
        (CU124, IndexRole.EXPLICIT),
        ("https://mirror/simple", IndexRole.DEFAULT),
        ("https://extra/simple", IndexRole.EXTRA),
        ("./links", IndexRole.LINKS),
        ("https://host/links", IndexRole.LINKS),
    ]
    assert f"torch[opt]==2.5.1 <- {CU124}" in installed(read(PIXI))


def test_the_variables_of_its_activation_are_declared() -> None:
    assert [(d.text, d.name, d.section, d.line) for d in of_kind(PIXI, Kind.VARIABLE)] == [
        ("LD_LIBRARY_PATH=$CONDA_PREFIX/lib", "LD_LIBRARY_PATH", Section.SHELL, 11),
        ("X=1", "X", Section.SHELL, 45),
    ]


def test_the_platforms_are_those_of_the_workspace() -> None:
    assert read(PIXI).platforms == ("linux-64", "win-64")


FEATURES = """\
[project]
channels = ["conda-forge"]
platforms = ["linux-64", "win-64", "osx-arm64"]
[dependencies]
python = "3.12"
[feature.gpu]
channels = ["nvidia"]
platforms = ["linux-64", "linux-aarch64"]
[feature.gpu.system-requirements]
cuda = {driver = "12"}
[feature.gpu.target.linux-64.dependencies]
cuda-version = "12.4.*"
[feature.cpu.dependencies]
pytorch-cpu = "*"
[feature.win]
platforms = ["win-64"]
[feature.lint]
channels = ["conda-forge"]
dependencies = {ruff = "*"}
[environments]
default = ["cpu"]
gpu = {features = ["gpu"], solve-group = "x"}
lint = {features = ["lint"], no-default-feature = true}
alone = {features = ["cpu"], no-default-feature = true}
never = ["gpu", "win"]
"""


def test_an_environment_holds_its_features_on_their_platforms() -> None:
    manifest = read(FEATURES)

    assert combined(manifest) == {
        "": ("", "feature cpu", "pixi workspace"),
        "environment gpu": ("", "feature gpu", "pixi workspace"),
        "environment lint": ("feature lint",),
        "environment alone": ("feature cpu", "pixi workspace"),
    }
    assert {c.name: c.platforms for c in manifest.combinations}["environment gpu"] == ("linux-64",)
    assert installed(manifest, "environment gpu") == [
        "python 3.12",
        "cuda-version 12.4.*",
        "__cuda >=12",
    ]


def test_a_feature_s_channels_are_preferred_to_the_workspace_s() -> None:
    (gpu,) = (s for s in install_sets([read(FEATURES)], "linux-64") if "gpu" in s.name)

    assert [channel.name for channel in gpu.channels] == ["nvidia", "conda-forge"]


def test_features_for_different_platforms_are_installed_on_none() -> None:
    assert "environment never" not in combined(read(FEATURES))


def test_without_platforms_of_the_workspace_a_feature_s_are_meant() -> None:
    manifest = read("[feature.a]\nplatforms = ['win-64']\n[environments]\na = ['a']\n")

    assert manifest.combinations[1].platforms == ("win-64",)


def test_a_table_may_go_over_several_lines() -> None:
    text = "[dependencies]\npython = {\n  version = '3.12', # why\n}\n"

    assert places(read(text)) == [("", "python 3.12", 2, 1)]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[pypi-dependencies]\ntorch = '2.1.2'\n", 2),
        ("[pypi-dependencies]\ntorch = ''\ncupy = '=1'\n", 3),
        ("[dependencies]\n'a b c' = '1'\n", 2),
        ("[dependencies]\n\npytorch = '>=>1'\n", 3),
    ],
)
def test_what_pixi_refuses_is_a_fault_at_its_place(text: str, line: int) -> None:
    (fault,) = read(text).faults

    assert (fault.kind, fault.line) == (FaultKind.BROKEN, line)


@pytest.mark.parametrize(
    "text",
    ["", "workspace = 1", "[workspace]\nchannels = 'x'\nplatforms = 1", "[feature]\na = 1", "[environments]\na = 1", "[target]\nlinux = 1", "pypi-options = []", "[workspace]\nchannels = [1, {}, '']", "[pypi-options]\nfind-links = 'x'"],
)  # fmt: skip
def test_what_is_of_another_shape_declares_nothing(text: str) -> None:
    assert read(text).declared == ()


PIXI_LIKE = st.lists(
    st.sampled_from(
        ["[workspace]\n", "channels=", "['a', {channel='b', priority=2}]\n", "platforms=", "[dependencies]\n", "[pypi-dependencies]\n", "[feature.x.dependencies]\n", "[feature.x]\n", "[target.linux.dependencies]\n", "[environments]\n", "x=", "default=", "['x']\n", "{features=['x'], no-default-feature=true}\n", "'*'\n", "'>=1,<2'\n", "'1 2 3'\n", "{version='*', channel='c', build='*cuda*'}\n", "{git='git@h:x', rev='1'}\n", "{url='https://h/x', index='i'}\n", "{\n version='1',\n}\n", "cuda='12'\n", "[system-requirements]\n", "[activation.env]\n", "[pypi-options]\n", "index-url='u'\n", "1\n", "é", "\n", "\r\n"]
    ),
    max_size=14,
).map("".join)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(PIXI_LIKE)
def test_any_text_is_a_manifest_with_its_places_inside_or_an_error(text: str) -> None:
    manifest = read_or_refused("pixi_toml", "pixi.toml", text)

    assert manifest is None or is_whole(manifest)


def test_the_corpus_is_there() -> None:
    assert list(shared("corpus", "pixi").glob("*.toml"))


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_a_file_of_the_corpus_is_read(path: Path) -> None:
    manifest = read(manifest_files.read_text(str(path)))

    assert is_whole(manifest)
    assert not manifest.faults
    assert manifest.declared
    for declared in manifest.declared:
        if declared.kind is Kind.REQUIREMENT:
            parse = CondaSpec.parse if declared.section is Section.CONDA else Requirement
            assert parse(declared.text).name
