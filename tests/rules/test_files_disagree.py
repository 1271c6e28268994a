"""DEC721: which files are about one environment, and what of them is no contradiction."""

from textwrap import indent

import pytest

from reconciler import catalog
from reconciler.check import run_rules
from reconciler.model.finding import Finding
from reconciler.rules import dec721_files_disagree
from reconciler.testing import sketch
from reconciler.world import World

KNOWN = catalog.load()


def found(files):
    text = "".join(f"{name}: |\n{indent(text, '  ')}\n" for name, text in files.items())
    results = list(run_rules([dec721_files_disagree], World(sketch(text), KNOWN)))
    assert all(isinstance(result, Finding) for result in results), results
    return results


def environment(*lines, name="gpu"):
    return f"name: {name}\ndependencies:\n" + "".join(f"- {line}\n" for line in lines)


def conda_lock(version, build="h0_0", source="environment.yml"):
    return (
        f"metadata:\n  platforms:\n  - linux-64\n  sources:\n  - {source}\npackage:\n"
        f"- name: pytorch\n  version: {version}\n  manager: conda\n  platform: linux-64\n"
        f"  url: https://conda.anaconda.org/conda-forge/linux-64/pytorch-{version}-{build}.conda\n"
    )


def pip_lock(*lines):
    return "# platform: linux-64\n" + "".join(f"{line}=pypi_0\n" for line in lines)


PIXI_LOCK = """\
version: 6
environments:
  default:
    packages:
      linux-64:
      - conda: https://conda.anaconda.org/conda-forge/linux-64/pytorch-2.1.0-h0_0.conda
  new:
    packages:
      linux-64:
      - conda: https://conda.anaconda.org/conda-forge/linux-64/pytorch-2.5.1-h0_0.conda
packages: []
"""


@pytest.mark.parametrize(
    "files",
    [
        {"environment.yml": environment("pytorch=2.1"), "conda-lock.yml": conda_lock("2.1.0")},
        {"environment.yml": environment("pytorch=2.1=*h0*"), "conda-lock.yml": conda_lock("2.1.0")},
        {"environment.yml": environment("pytorch[build_number='>=200']"), "conda-lock.yml": conda_lock("2.1.0")},
        {"environment.yml": environment("pytorch", "numpy=1"), "conda-lock.yml": conda_lock("2.1.0")},
        {"environment.yml": environment("pytorch=>2"), "conda-lock.yml": conda_lock("2.1.0")},
        {"environment.yml": environment("pytorch=2.5"), "conda-lock.yml": conda_lock("2.1.0", source="other.yml")},
        {"environment.yml": environment("pytorch=2.5"), "conda-lock.yml": conda_lock("odd_version!")},
        {"pixi.toml": '[workspace]\nname = "x"\nchannels = ["conda-forge"]\nplatforms = ["linux-64"]\n[dependencies]\npytorch = "2.5.*"\n', "pixi.lock": PIXI_LOCK},
        {"environment.yml": environment("pytorch=2.1", "cudatoolkit"), "conda-lock.yml": conda_lock("2.1.0")},
        {"environment.yml": environment("pytorch=2.1"), "environment-gpu.yml": environment("pytorch=2.5")},
        {"environment.yml": environment("pytorch=2.1"), "environment_cu118.yml": environment("pytorch=2.5")},
        {"environment.yml": environment("pytorch=2.1"), "env.yml": environment("pytorch=2.5", name="cpu")},
        {"environment.yml": environment("pytorch=2.1"), "sub/environment.yml": environment("pytorch=2.5")},
        {"environment.yml": environment("pytorch=2.1"), "env.yml": environment("pytorch=2.1.0", "cudatoolkit=11.8")},
        {"environment.yml": environment("pytorch=2.1"), "env.yml": environment("pytorch>=2.5")},
        {"environment.yml": "dependencies: [pytorch=2.1]\n", "env.yml": "dependencies: [pytorch=2.5]\n"},
        {"environment.yml": environment("pytorch=2.1"), "requirements.txt": "torch==2.5.1\n"},
        {"Dockerfile": "FROM x\nRUN pip install torch==2.1.0+cu118 -f y\nRUN pip install -r requirements.txt\n", "requirements.txt": "torch==2.1.0\n"},
        {"Dockerfile": "FROM x\nRUN pip install numpy==1.0\nRUN pip install -r requirements.txt\n", "requirements.txt": "numpy==2.0\n"},
        {"Dockerfile": "FROM x\nRUN pip install torch==2.1.0\n", "requirements.txt": "torch==2.5.1\n"},
        {"Dockerfile": "FROM x\nRUN pip install torch==2.1.0 -r requirements.txt\n", "requirements.txt": "torch @ https://x/torch-2.5.1-cp310-cp310-linux_x86_64.whl\n"},
        {"requirements.in": "torch>=2\n", "requirements.txt": "torch==2.5.1\n"},
        {"environment.yml": environment("pip:\n  - torch>=2"), "conda-lock.yml": conda_lock("2.1.0").replace("pytorch\n", "torch\n").replace("manager: conda", "manager: pip").replace("2.1.0", "odd!")},
        {"requirements.in": "torch>=2\n", "requirements.txt": "torch\n"},
    ],
)  # fmt: skip
def test_what_agrees_or_is_not_related_is_silent(files):
    assert found(files) == []


def test_a_stale_lock_is_found():
    files = {
        "environment.yml": environment("pytorch=2.5"),
        "conda-lock.yml": conda_lock("2.1.0"),
    }
    (finding,) = found(files)
    assert finding.cause == "files-disagree@environment.yml+conda-lock.yml"
    assert (finding.at.path, finding.at.line) == ("environment.yml", 3)
    assert (finding.related[0].path, finding.related[0].line) == ("conda-lock.yml", 7)
    assert "'pytorch=2.5' and 'pytorch=2.1.0=h0_0'" in finding.message


def test_a_lock_of_another_build_is_found():
    files = {
        "environment.yml": environment("pytorch=2.1=*cuda*"),
        "conda-lock.yml": conda_lock("2.1.0", "cpu_generic_0"),
    }
    assert len(found(files)) == 1


@pytest.mark.parametrize(
    ("source", "asks", "lock", "locked"),
    [
        ("requirements.in", "torch==2.5.1\n", "requirements.txt", "torch==2.1.0\n"),
        ("environment.yml", environment("cudatoolkit=11.8"), "conda-linux-64.lock", "@EXPLICIT\nhttps://conda.anaconda.org/conda-forge/linux-64/cudatoolkit-11.3.1-h0_0.conda\n"),
        ("pixi.toml", '[workspace]\nname = "x"\nchannels = ["conda-forge"]\nplatforms = ["linux-64"]\n[dependencies]\npytorch = "2.7.*"\n', "pixi.lock", PIXI_LOCK),
        ("pyproject.toml", '[project]\nname = "x"\nversion = "1"\ndependencies = ["torch>=2.5"]\n', "uv.lock", 'version = 1\nrequires-python = ">=3.10"\n[[package]]\nname = "x"\nversion = "1"\nsource = { virtual = "." }\ndependencies = [{ name = "torch" }]\n[[package]]\nname = "torch"\nversion = "2.1.0"\nsource = { registry = "https://pypi.org/simple" }\n'),
    ],
)  # fmt: skip
def test_every_kind_of_lock_is_held_against_its_source(source, asks, lock, locked):
    (finding,) = found({source: asks, lock: locked})
    assert (finding.at.path, finding.related[0].path) == (source, lock)


def test_two_files_of_one_name_are_found():
    files = {
        "environment.yml": environment("pytorch=2.1", "cudatoolkit=11.3"),
        "env.yml": environment("pytorch=2.5", "cudatoolkit=11.8"),
    }
    (finding,) = found(files)
    assert "bear one name" in finding.message
    assert finding.message.count(" and '") == 2


def test_a_line_and_the_file_beside_it_are_found():
    files = {
        "Dockerfile": "FROM x\nRUN pip install torch==2.1.0+cu118 -f y\nRUN pip install -r requirements.txt\n",
        "requirements.txt": "torch==2.1.0+cu121\n",
    }
    (finding,) = found(files)
    assert (finding.at.path, finding.at.line) == ("Dockerfile", 2)
    assert finding.remedy == ("pin each package in one of Dockerfile and requirements.txt alone")


def test_more_than_four_are_counted():
    names = ["torch", "torchvision", "torchaudio", "xformers", "vllm", "triton"]
    files = {
        "Dockerfile": "FROM x\nRUN pip install -r requirements.txt\nRUN pip install "
        + " ".join(f"{name}==1.0" for name in names),
        "requirements.txt": "".join(f"{name}==2.0\n" for name in names),
    }
    (finding,) = found(files)
    assert finding.message.endswith("; and 2 more")
    assert len(finding.related) == 4
