"""What the stages of a Dockerfile are built from, and what they install."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler import manifests
from reconciler.manifests import dockerfile
from reconciler.model.editor_lines import split
from reconciler.model.install_set import install_sets
from reconciler.model.manifest import Kind


def read(text, path="Dockerfile"):
    return dockerfile.read(path, text)


def declared(text, path="Dockerfile"):
    return read(text, path).declared


def sets(text, platform="linux-64"):
    return {
        install.name: [d.text for d in install.declared if d.kind is not Kind.ENVIRONMENT]
        for install in install_sets([read(text)], platform)
    }


@pytest.mark.parametrize(
    "path",
    ["Dockerfile", "Containerfile", "docker/Dockerfile.gpu", "gpu.Dockerfile", "docker/train.dockerfile", "Dockerfile-cuda"],
)  # fmt: skip
def test_a_dockerfile_is_known_by_its_name(path):
    assert manifests.format_of(path, "ARG X\nFROM nvidia/cuda:12.1.0-base\n") == "dockerfile"


@pytest.mark.parametrize(
    "path", [".dockerignore", "Dockerfile.md.txt2", "mydockerfile", "docker-compose.yml"]
)
def test_other_names_are_no_dockerfile(path):
    assert manifests.format_of(path, "services:\n") == ""


def test_wheels_of_another_cuda_than_the_base_are_one_install_set():
    text = (
        "FROM nvidia/cuda:11.8.0-devel-ubuntu22.04\n"
        "RUN pip install torch==2.5.1 flash-attn --no-build-isolation\n"
    )
    assert sets(text) == {
        "Dockerfile": [
            "nvidia/cuda:11.8.0-devel-ubuntu22.04",
            "torch==2.5.1",
            "flash-attn",
            "pip install torch==2.5.1 flash-attn --no-build-isolation",
        ]
    }
    assert sets(text, "win-64") == {}


@pytest.mark.parametrize(
    ("line", "name", "text"),
    [
        ("FROM nvidia/cuda:12.1.0-base", "nvidia/cuda", "nvidia/cuda:12.1.0-base"),
        ("from pytorch/pytorch:2.1.0-cuda12.1-cudnn8-runtime as x", "pytorch/pytorch", "pytorch/pytorch:2.1.0-cuda12.1-cudnn8-runtime"),
        ("FROM ubuntu", "ubuntu", "ubuntu"),
        ("FROM host:5000/a/b:1@sha256:abc", "host:5000/a/b", "host:5000/a/b:1@sha256:abc"),
        ("ARG V=12.1.0\nFROM nvidia/cuda:${V}-base", "nvidia/cuda", "nvidia/cuda:12.1.0-base"),
        ("ARG I=nvidia/cuda\nARG T=${I}:9.0\nFROM $T", "nvidia/cuda", "nvidia/cuda:9.0"),
        ("FROM --platform=$BUILDPLATFORM nvidia/cuda:9.0", "nvidia/cuda", "nvidia/cuda:9.0"),
    ],
)  # fmt: skip
def test_the_image_of_a_stage_is_found(line, name, text):
    (image,) = declared(line)
    assert (image.kind, image.name, image.text) == (Kind.IMAGE, name, text)
    assert line.splitlines()[image.line - 1][image.column - 1 :].startswith(("$", name))


@pytest.mark.parametrize(
    "text",
    ["", "FROM", "FROM scratch", "FROM $X", "# FROM a", "RUN pip install x", "FROM --platform=x", "EXPOSE 80", "-- x", "FROM scratch\nENV\nARG\nCOPY x\nSHELL x\nRUN\nCMD x\nONBUILD\nONBUILD 1"],
)  # fmt: skip
def test_what_says_nothing_of_packages_declares_nothing(text):
    assert declared(text) == ()


def test_lines_are_continued_over_comments_and_empty_lines():
    text = "FROM scratch\r\nRUN pip install \\  \r\n  # why\r\n    torch==2.1.0 \\\r\n\r\n    numpy\r\n"
    assert [(d.text, d.line, d.column) for d in declared(text)] == [
        ("torch==2.1.0", 4, 5),
        ("numpy", 6, 5),
    ]


def test_a_heredoc_may_be_empty_and_comments_may_be_all():
    assert declared("FROM scratch\nRUN <<EOF\nEOF\n") == ()
    assert declared("# syntax=x\n# check=x") == ()


def test_the_escape_directive_is_followed():
    text = "# syntax=docker/dockerfile:1\n# escape=`\nFROM scratch\nRUN pip install `\n  torch\n"
    assert [(d.text, d.line) for d in declared(text)] == [("torch", 5)]


def test_a_line_that_continues_at_the_end_is_read():
    assert [d.text for d in declared("FROM scratch\nRUN pip install torch \\\n")] == ["torch"]


def test_the_exec_form_is_read_with_its_places():
    text = (
        'FROM scratch\nRUN ["pip", "install", "torch>=2.0"]\n'
        'RUN ["/bin/bash", "-lc", "pip install \\"jax==0.4.1\\" scipy && \\\n pip install numpy"]\n'
        "RUN [ -e x ] || pip install y\n"
    )
    assert [(d.text, d.line, d.column) for d in declared(text)] == [
        ("torch>=2.0", 2, 25),
        ("jax==0.4.1", 3, 41),
        ("scipy", 3, 54),
        ("numpy", 4, 14),
        ("y", 5, 29),
    ]
    assert read(text).faults == ()


def test_heredocs_are_scripts_where_a_shell_reads_them():
    text = (
        "FROM scratch\n"
        "RUN <<EOF\npip install a\nEOF\n"
        "RUN bash -e <<'EOF'\npip install b\nEOF\n"
        "RUN <<EOF\n#!/usr/bin/env bash\npip install c\nEOF\n"
        "RUN <<EOF\n#!/usr/bin/python3\npip install d\nEOF\n"
        "RUN cat <<EOF > x && pip install e\npip install f\nEOF\n"
        "COPY <<EOF /x\nRUN pip install g\nEOF\n"
        "RUN echo $((1<<N)) <<<x\nRUN pip install h\n"
    )
    assert [(d.text, d.line) for d in declared(text)] == [
        ("a", 3),
        ("b", 6),
        ("c", 10),
        ("e", 16),
        ("h", 23),
    ]


def test_variables_and_arguments_are_known_where_they_have_values():
    text = (
        "ARG CUDA=cu118\nARG NONE\nFROM scratch\nARG CUDA\nARG NONE\nARG TORCH=2.1.0\n"
        "ENV A=1 B='2 3'\nENV C c d\nENV TORCH=$NONE\nENV D=$CUDA\n"
        "RUN pip install x==$A $C z==$TORCH w==1+$D v==$NONE\n"
    )
    found = declared(text)
    assert [d.text for d in found if d.kind is Kind.VARIABLE] == [
        "A=1",
        "B=2 3",
        "C=c d",
        "TORCH=$NONE",
        "D=$CUDA",
    ]
    assert [d.text for d in found if d.kind is Kind.REQUIREMENT] == [
        "x==1",
        "c",
        "d",
        "w==1+cu118",
    ]


def test_a_stage_holds_what_it_is_built_from():
    text = (
        "FROM nvidia/cuda:12.1.0-devel AS base\nRUN pip install torch==2.1.0\n"
        "FROM base AS train\nRUN pip install flash-attn\n"
        "FROM Base\nRUN pip install vllm\n"
        "FROM 2\nRUN pip install ray\n"
        "FROM python:3.11\nCOPY --from=base /x /x\nRUN pip install numpy\n"
    )
    assert sets(text) == {
        "Dockerfile (stage train)": ["nvidia/cuda:12.1.0-devel", "torch==2.1.0", "flash-attn"],
        "Dockerfile (stage 3)": ["nvidia/cuda:12.1.0-devel", "torch==2.1.0", "vllm", "ray"],
        "Dockerfile (stage 4)": ["python:3.11", "numpy"],
    }


def test_a_stage_that_is_built_from_itself_ends():
    assert sets("FROM a AS a\nFROM a AS a\nRUN pip install x") != {}


def test_the_platform_of_a_stage_is_said():
    text = "FROM --platform=linux/arm64 ubuntu\nRUN pip install torch\n"
    assert sets(text) == {}
    assert sets(text, "linux-aarch64") == {"Dockerfile": ["ubuntu", "torch"]}


def test_onbuild_and_shell_are_followed():
    text = (
        'FROM scratch\nSHELL ["conda", "run", "-n", "gpu", "/bin/bash", "-c"]\n'
        "ONBUILD RUN pip install x\nRUN conda create -n other y\n"
    )
    assert sets(text) == {
        "Dockerfile": [],
        "Dockerfile (environment gpu)": ["x"],
        "Dockerfile (environment other)": ["y"],
    }


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        ("RUN pip install -r requirements.txt", "docker/requirements.txt"),
        ("COPY requirements.txt .\nRUN pip install -r requirements.txt", "docker/requirements.txt"),
        ("COPY reqs/gpu.txt /tmp/requirements.txt\nRUN pip install -r /tmp/requirements.txt", "docker/reqs/gpu.txt"),
        ("COPY --chown=a reqs/gpu.txt a.txt /tmp/\nRUN pip install -r /tmp/gpu.txt", "docker/reqs/gpu.txt"),
        ("WORKDIR /app\nADD . .\nRUN pip install -r reqs/gpu.txt", "docker/reqs/gpu.txt"),
        ("COPY . /app\nRUN pip install -r /app/gpu.txt", "docker/gpu.txt"),
        ('COPY ["gpu.txt", "/app/"]\nWORKDIR /app\nRUN pip install -r gpu.txt', "docker/gpu.txt"),
        ("RUN --mount=type=bind,source=gpu.txt,target=/tmp/r.txt --network=none pip install -r /tmp/r.txt", "docker/gpu.txt"),
        ("RUN --mount=type=cache,target=/root/.cache pip install -r a.txt", "docker/a.txt"),
        ("COPY environment.yml /\nRUN conda env create -f /environment.yml", "docker/environment.yml"),
        ("RUN pip install -r /opt/a.txt", "docker/opt/a.txt"),
        ("COPY x.txt /opt\nRUN pip install -r /opt/a.txt", "docker/opt/a.txt"),
        ("RUN pip install -c /opt/a.txt", "docker/opt/a.txt"),
    ],
)  # fmt: skip
def test_an_included_file_is_looked_for_where_it_was_copied_from(lines, name):
    (included,) = declared(f"FROM scratch\n{lines}", "docker/Dockerfile")
    assert included.name == name


def test_a_bound_that_the_shell_takes_is_a_fault():
    (fault,) = read("FROM scratch\nRUN apt update && \\\n  pip install torch>=2.0\n").faults
    assert (fault.line, fault.column, fault.text) == (3, 15, "torch>=2.0")


DOCKER = st.lists(
    st.sampled_from(
        ["FROM a AS b\n", "FROM b\n", "RUN ", "RUN <<E\n", "E\n", "ENV A=", "ARG A\n", "# escape=`\n", "pip install torch==2 ", "-r x.txt ", "\\\n", "`\n", "COPY . .\n", '["bash", "-c", "', '"]', "$A", "\r\n", "--mount=type=bind,source=a,target=b ", "'", "\u2028", "SHELL ", "WORKDIR ", "ONBUILD ", "[", "conda install -c x y=1 "]
    ),
    max_size=25,
).map("".join)  # fmt: skip


@given(DOCKER | st.text(max_size=60))
def test_no_dockerfile_breaks_the_reader(text):
    manifest = read(text)
    lines = split(text)
    for place in (*manifest.declared, *manifest.faults):
        assert 1 <= place.line <= len(lines)
        assert 1 <= place.column <= len(lines[place.line - 1]) + 1
