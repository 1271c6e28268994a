"""The package of conda: built by rattler-build from the recipe, installed by py-rattler, and run."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reconciler import __version__

from .missing import missing
from .needs_channel import write_needs
from .prefix import install
from .running import SITE_PACKAGES, VERSION
from .wheels import clean_variables

if TYPE_CHECKING:
    from .channel import Channel

pytestmark = pytest.mark.lab
ROOT = Path(__file__).parents[2]
PROJECT = "fixtures/envs/requirements-of-two-majors/project"


@pytest.fixture(scope="module")
def needs(lab: Path, downloads: Path) -> Path:
    """The channel of what envfix needs, beside the lab's own, which has Python."""
    return write_needs(lab / "needs", downloads)


@pytest.fixture(scope="module")
def recipe(lab: Path) -> Path:
    """The recipe, for the one Python that the lab has."""
    text = (ROOT / "recipe" / "recipe.yaml").read_text("utf-8")
    for old, new in {
        'python_min: "3.11"': f'python_min: "{VERSION}"',
        "path: ..": f"path: {ROOT}",
    }.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    # Of its own: what lies beside a recipe goes into the package.
    path = lab / "recipe" / "recipe.yaml"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def package(lab: Path, channel: Channel, needs: Path, recipe: Path) -> Path:
    """The package that the recipe makes; rattler-build has run the recipe's own tests of it."""
    try:
        import rattler_build  # noqa: PLC0415 - 90 MB that the other tests do without
    except ModuleNotFoundError:
        missing("py-rattler-build is not installed")
    (variant,) = rattler_build.Stage0Recipe.from_file(recipe).render()
    made = variant.run_build(
        tool_config=rattler_build.ToolConfiguration(test_strategy="native"),
        output_dir=lab / "built",
        channels=[needs.as_uri(), channel.path.as_uri()],
    )
    said = "\n".join(made.log)
    assert said.count("all tests passed!") == 1, said
    return Path(made.packages[0])


@pytest.fixture(scope="module")
def prefix(lab: Path, channel: Channel, needs: Path, package: Path) -> Path:
    """An environment in which py-rattler has installed the package."""
    here = package.parent.parent
    return install(lab / "with-envfix", ["envfix-cuda"], channel, more=(here, needs))


def envfix(prefix: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [str(prefix / "bin" / "envfix"), *map(str, arguments)]
    return subprocess.run(
        command, env=clean_variables(), capture_output=True, text=True, check=False
    )


def test_the_package_runs_where_conda_installs_it(prefix: Path) -> None:
    done = envfix(prefix, "--version")

    assert (done.returncode, done.stdout) == (0, f"envfix, version {__version__}\n"), done.stderr


def test_the_package_scans_the_environment_that_it_is_in(prefix: Path) -> None:
    done = envfix(prefix, "scan", ROOT / PROJECT, "-p", prefix, "--format", "json")

    report = json.loads(done.stdout)
    assert done.returncode == 1, done.stderr
    assert report["target"]["prefix"] == str(prefix)
    assert "CUD201" in {finding["code"] for finding in report["findings"]}
    assert report["crashes"] == []


def test_the_package_is_for_every_python_and_asks_for_no_conda(prefix: Path) -> None:
    (meta,) = prefix.glob("conda-meta/envfix-cuda-*.json")
    record = json.loads(meta.read_text())

    assert (record["subdir"], record["noarch"]) == ("noarch", "python")
    assert "conda >=24" in record["constrains"]
    assert not [spec for spec in record["depends"] if spec.startswith("conda")]
    assert {"bin/envfix", f"{SITE_PACKAGES}/reconciler/catalog/releases.json"} <= {*record["files"]}


def test_conda_finds_the_plugin_in_the_package(prefix: Path) -> None:
    said = [
        prefix / "bin" / "python",
        "-c",
        "from importlib.metadata import entry_points; print(*entry_points(group='conda').names)",
    ]

    done = subprocess.run([*map(str, said)], env=clean_variables(), capture_output=True, check=True)

    assert done.stdout == b"envfix\n"
