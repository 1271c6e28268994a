"""The recipe of conda's package asks for what pyproject.toml asks for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from ruamel.yaml import YAML

from reconciler import __version__
from reconciler.model.conda_spec import CondaSpec

ROOT = Path(__file__).parents[1]
RECIPE = YAML(typ="safe").load(ROOT / "recipe" / "recipe.yaml")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT = PYPROJECT["project"]


def specs(section: str) -> list[str]:
    """The specs of a section of the requirements, with the context's values in them."""
    known = RECIPE["context"]
    lines = RECIPE["requirements"][section]
    return [re.sub(r"\$\{\{ (\w+) \}\}", lambda match: known[match[1]], line) for line in lines]


def as_conda(requirement: Requirement) -> str:
    # conda-forge has the dot of ruamel.yaml, where PyPI takes every spelling.
    return f"{canonicalize_name(requirement.name).replace('ruamel-yaml', 'ruamel.yaml')} {requirement.specifier}"


def test_the_package_needs_what_the_distribution_needs() -> None:
    needed = {as_conda(Requirement(line)) for line in PROJECT["dependencies"]}

    assert set(specs("run")) == needed | {f"python {PROJECT['requires-python']}"}


def test_the_package_is_built_by_what_builds_the_distribution() -> None:
    built_by = {as_conda(Requirement(line)) for line in PYPROJECT["build-system"]["requires"]}
    lowest = PROJECT["requires-python"].removeprefix(">=")

    assert set(specs("host")) == built_by | {"pip", f"python {lowest}.*"}


def test_what_may_be_beside_the_package_is_said_and_not_required() -> None:
    # Of py-rattler nothing is said: conda's base may have another one, and envfix goes without.
    assert specs("run_constraints") == ["conda >=24"]
    assert not any(spec.startswith(("conda", "py-rattler")) for spec in specs("run"))


def test_every_spec_is_one_that_conda_reads() -> None:
    for spec in (*specs("host"), *specs("run"), *specs("run_constraints")):
        assert CondaSpec.parse(spec).name == spec.partition(" ")[0]


def test_the_package_is_of_this_version_and_brings_the_command() -> None:
    points = [point.split(" = ") for point in RECIPE["build"]["python"]["entry_points"]]

    assert RECIPE["context"]["version"] == __version__
    assert RECIPE["package"]["name"] == PROJECT["name"]
    assert dict(points) == PROJECT["scripts"]
    assert RECIPE["build"]["noarch"] == "python"


def test_the_package_says_of_itself_what_the_distribution_says() -> None:
    about = RECIPE["about"]

    assert about["license"] == PROJECT["license"]
    assert about["license_file"] == PROJECT["license-files"]
    assert about["homepage"] == PROJECT["urls"]["Homepage"]
    assert PROJECT["description"].startswith(about["summary"])
