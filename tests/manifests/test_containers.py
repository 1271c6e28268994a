"""Apptainer definitions, devcontainer.json and the scripts of activate.d."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler import manifests
from reconciler.manifests import activation_script, apptainer_def, devcontainer_json
from reconciler.model.editor_lines import split
from reconciler.model.install_set import install_sets
from reconciler.model.manifest import Kind, ManifestError


def sets(manifest):
    found = install_sets([manifest], "linux-64")
    return {install.name: [d.text for d in install.declared] for install in found}


@pytest.mark.parametrize(
    ("path", "text", "form"),
    [
        ("train.def", "Bootstrap: docker\nFrom: x\n", "apptainer_def"),
        ("containers/Singularity.gpu", "bootstrap:docker\n", "apptainer_def"),
        ("module.def", "LIBRARY x\n", ""),
        (".devcontainer/devcontainer.json", "{}", "devcontainer_json"),
        (".devcontainer.json", "{}", "devcontainer_json"),
        (".devcontainer/gpu/devcontainer.json", "{}", "devcontainer_json"),
        ("etc/conda/activate.d/env_vars.sh", "", "activation_script"),
        ("scripts/env_vars.sh", "", "activation_script"),
        ("scripts/setup.sh", "", ""),
    ],
)
def test_each_is_known_by_its_name_and_text(path, text, form):
    assert manifests.format_of(path, text) == form


def test_a_definition_is_read_by_its_stages():
    text = """\
Bootstrap: docker
From: nvidia/cuda:12.1.0-devel-ubuntu22.04
Stage: build

%files
    reqs/gpu.txt /opt/requirements.txt
    local.txt

%post -c /bin/bash
    export CUDA_HOME=/usr/local/cuda
    pip install torch==2.5.1 \\
        torchvision>=0.20
    pip install -r /opt/requirements.txt -r local.txt -r /a/other.txt
    conda remove x

%environment
    export LD_LIBRARY_PATH=/usr/local/cuda/lib64
%runscript
    pip install numpy

bootstrap: library
from: ubuntu
%labels
    Stage: not a header
"""
    manifest = apptainer_def.read("docker/x.def", text)
    assert [(d.name, d.line, d.column) for d in manifest.declared] == [
        ("nvidia/cuda", 2, 7),
        ("CUDA_HOME", 10, 12),
        ("torch", 11, 17),
        ("torchvision", 12, 9),
        ("docker/reqs/gpu.txt", 13, 17),
        ("docker/local.txt", 13, 42),
        ("docker/a/other.txt", 13, 55),
        ("LD_LIBRARY_PATH", 17, 12),
    ]
    assert [*sets(manifest)] == ["docker/x.def (stage build)", "docker/x.def (stage 1)"]
    assert [(f.line, f.column) for f in manifest.faults] == [(12, 9)]


@pytest.mark.parametrize(
    "text", ["", "From: x", "%post\npip install x", "Bootstrap: docker\n%files"]
)
def test_what_is_no_definition_declares_nothing(text):
    manifest = apptainer_def.read("x.def", text)
    assert manifest.declared == ()
    assert manifest.combinations


def test_a_template_s_base_is_left_out():
    text = "Bootstrap: docker\nFrom: x:{{ V }}\nRegistry: y"
    assert apptainer_def.read("x.def", text).declared == ()


def test_a_devcontainer_is_read_with_its_comments():
    text = """\
// what it is
{
\t"image": "nvidia/cuda:12.1.0-devel-ubuntu22.04", /* a
comment */
  "containerEnv": {"LD_LIBRARY_PATH": "/usr/local/cuda/lib64", "URL": "http://x//y"},
  "remoteEnv": {"A": null},
  "features": {},
  "onCreateCommand": ["pip", "install", "torch>=2.0"],
  "updateContentCommand": {
    "one": "pip install \\"jax==0.4.1\\" && pip install -r ./requirements.txt",
    "two": ["pip", "install", "numpy"],
  },
  "postCreateCommand": "pip install torch>=2.0; pip uninstall -y jax",
}
"""
    manifest = devcontainer_json.read(".devcontainer/devcontainer.json", text)
    assert [(d.name, d.line, d.column) for d in manifest.declared] == [
        ("nvidia/cuda", 3, 12),
        ("LD_LIBRARY_PATH", 5, 21),
        ("URL", 5, 65),
        ("A", 6, 18),
        ("torch", 8, 42),
        ("requirements.txt", 10, 55),
        ("numpy", 11, 32),
        ("torch", 13, 37),
    ]
    assert [(f.line, f.column) for f in manifest.faults] == [(13, 37)]


@pytest.mark.parametrize("text", ["", "[]", "{", '"'])
def test_what_is_no_object_is_refused(text):
    with pytest.raises(ManifestError):
        devcontainer_json.read("devcontainer.json", text)


@pytest.mark.parametrize(
    "text", ["{}", '{"image": "${localEnv:X}", "postCreateCommand": null}', '{"build": {}}']
)
def test_a_devcontainer_may_say_nothing(text):
    assert devcontainer_json.read("devcontainer.json", text).declared == ()


def test_an_activation_script_exports_variables():
    text = "#!/bin/sh\nexport CUDA_HOME=$CONDA_PREFIX\npip install x\n"
    (found,) = activation_script.read("activate.d/a.sh", text).declared
    assert (found.kind, found.text, found.line, found.column) == (
        Kind.VARIABLE,
        "CUDA_HOME=$CONDA_PREFIX",
        2,
        8,
    )


DEF = ["Bootstrap: docker\n", "From: a:b\n", "%post\n", "%files\n", "a b\n", "pip install x==1\n", "\u2028", "\r\n", "'", "%environment\n", "export A=b\n", "-r a.txt ", "\x1c"]  # fmt: skip
JSON = ["{", "}", '"image": ', '"postCreateCommand": ', '"pip install x"', "[", "]", ",", ":", "//", "/*", "*/", "\n", "\t", '"', "\\", "\u2028", "null", "&a", "*a"]  # fmt: skip


@given(
    st.lists(st.sampled_from(DEF), max_size=20).map("".join),
    st.lists(st.sampled_from(JSON), max_size=20).map("".join) | st.text(max_size=40),
)
def test_no_container_breaks_the_readers(definition, container):
    for reader, text in (
        (apptainer_def, definition),
        (activation_script, definition),
        (devcontainer_json, container),
    ):
        with suppress(ManifestError):
            manifest = reader.read("x/y", text)
            lines = split(text)
            for place in (*manifest.declared, *manifest.faults):
                assert 1 <= place.line <= len(lines)
                assert 1 <= place.column <= len(lines[place.line - 1]) + 1
