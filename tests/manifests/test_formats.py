from __future__ import annotations

import time

import pytest

from reconciler.manifests import format_of

LIST = "name: x\ndependencies:\n  - python\n"


@pytest.mark.parametrize(
    "path",
    [
        "environment.yml", "env.yml", "conda.yaml", "environment-gpu.yml", "envs/Torch.YAML",
        "dgl_dev.yml.template", "env.yaml.j2",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "text",
    [
        LIST,
        '"dependencies":\r\n- python',
        "dependencies: [python]",
        "dependencies: &all\n  - python",
        "dependencies:  # why\n\n  # why\n  - conda-forge::python",
        "dependencies:\n<<<<<<< HEAD\n  - python",
        "dependencies:\n{% if gpu %}\n  - python",
        "dependencies:\n  - {{ python }}",
        "dependencies:\n  - pip:\n    - torch",
        "dependencies:\n  - 'python=3'",
        "dependencies:\n  -\n    python",
        "dependencies:\n  conda:\n    - python",
    ],
)
def test_what_lists_dependencies_is_an_environment_file(path: str, text: str) -> None:
    assert format_of(path, text) == "environment_yml"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("Chart.yaml", "dependencies:\n  - name: postgresql\n    version: 1\n"),
        ("meta/main.yml", "dependencies:\n  - role: common\n"),
        ("meta/main.yml", "dependencies:\n  - { role: common }\n"),
        ("meta/main.yml", "dependencies: []\n"),
        ("meta/main.yml", "dependencies: [{role: common}]\n"),
        ("pubspec.yaml", "dependencies:\n  flutter:\n    sdk: flutter\n"),
        ("circle.yml", "dependencies:\n  override:\n    - pip install torch\n"),
        ("meta.yaml", "package:\n  name: x\nrequirements:\n  run:\n    - python\n"),
        ("recipe.yaml", "requirements:\n  host:\n    - python\n"),
        (".github/workflows/ci.yml", "on: push\n"),
        ("mkdocs.yml", "site_name: x\nplugins:\n  - search\n"),
        ("docker-compose.yml", "services:\n  x:\n    depends_on: [y]\n"),
        ("dependencies.yaml", "dependencies:\n  common:\n    - output_types: conda\n"),
        ("notes.txt", "torch==2.1\nnumpy==1.2\n"),
        ("install.txt", "Run pip install torch==2.1\nand enjoy.\n"),
        ("packages.txt", "libgl1\nffmpeg\n"),
    ],
)
def test_what_is_about_something_else_is_left_alone(path: str, text: str) -> None:
    assert format_of(path, text) == ""


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("requirements.txt", ""),
        ("reqs.txt", ""),
        ("requirements.in", ""),
        ("requirements/gpu.txt", ""),
        ("wsl-requirements-3090.txt", ""),
        ("tf-ci-constraints.txt", ""),
        ("condaenv.6nilr2xy.requirements.txt", ""),
        ("pip.txt", "# why\ntorch==2.1\nnumpy>=1.2  # why\n"),
        ("torch_gpu_pip.txt", "--extra-index-url https://h\n"),
        ("pip_cuda.txt", "-f https://h\ntorch\n"),
    ],
)
def test_what_is_named_or_written_for_pip_is_a_requirements_file(path: str, text: str) -> None:
    assert format_of(path, text) == "requirements_txt"


@pytest.mark.parametrize("text", ["dependencies:" + "\n" * 100_000, "dependencies:\n" + " # \n" * 50_000, "dependencies:" + " " * 100_000, "dependencies:\n" * 20_000, "a==1\n" * 50_000, "a=" * 50_000])  # fmt: skip
def test_a_hostile_file_is_told_at_once(text: str) -> None:
    start = time.process_time()

    format_of("env.yml", text)
    format_of("pip.txt", text)

    assert time.process_time() - start < 20
