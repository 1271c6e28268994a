"""Two environments are active at once, or a virtual environment has lost the Python beneath it.

A virtual environment is active inside a conda environment with another Python; a conda environment
was activated with `--stack` over one that has a Python of its own; or a virtual environment's home,
the Python that it was made of, is gone or is now of another version.

Silent where base is the one below, where the virtual environment was made of the conda
environment's own Python, and where the one below has no Python.

Why it matters
--------------
Both environments are on PATH, and the activation hooks of both have run: `conda install` changes
one, `pip install` the other, and LD_LIBRARY_PATH or CUDA_HOME of the first reach the second. A
command that the inner one lacks is silently the outer one's. A virtual environment is but a link to
its Python: `conda update python` from 3.11 to 3.12 below it, or `conda env remove`, leaves it
without its packages or unable to start; this is an error.

Fix safety
----------
No fix is applied: which environment is meant is the user's choice.

References
----------
- conda/conda#9578: with `--stack`, the Python of another environment answers
- python/cpython#143768: the links of an old virtual environment lead to a Python that was removed
- ContinuumIO/anaconda-issues#305: a virtual environment broke when the Python below was upgraded

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Location, Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding
    from reconciler.model.prefix import Python
    from reconciler.world import World

RULE = Rule(
    code="PTH407",
    name="environments-stacked",
    severity=Severity.WARNING,
    needs=frozenset({Fact.PYTHON, Fact.VARIABLES, Fact.VARIABLE_PATHS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
env: {CONDA_SHLVL: "1"}
variable_paths:
  - {variable: VIRTUAL_ENV, path: /prefix, environment: /prefix}
  - {variable: CONDA_PREFIX, path: /conda/envs/a, environment: /conda/envs/a, python: 3.9.18}
"""

GOOD = """\
python: 3.11.7
env: {CONDA_SHLVL: "1"}
variable_paths:
  - {variable: VIRTUAL_ENV, path: /prefix, environment: /prefix}
  - {variable: CONDA_PREFIX, path: /conda, environment: /conda, python: 3.9.18}
  - {variable: CONDA_EXE, path: /conda/bin/conda, environment: /conda, python: 3.9.18}
"""


def check(world: World) -> Iterator[Finding]:
    """Look at what lies below the environment: in the shell, and in its pyvenv.cfg."""
    python = world.snapshot.python
    if python is None:
        return
    if why := _lost_home(python):
        yield _lost(world, why)
    elif below := _outer(world, python):
        yield _stacked(world, *below)


def _lost_home(python: Python) -> str:
    if not python.home_exists:
        return f"{python.home}, the home of its Python, is gone"
    now = python.home_version
    if now and now.split(".")[:2] != python.version.split(".")[:2]:
        return f"conda's Python in {python.home} is now {now}, and was {python.version}"
    return ""


def _outer(world: World, python: Python) -> tuple[str, str] | None:
    """Return the conda environment below an active one, and its Python's version."""
    if not world.shell.is_in_environment:
        return None
    variables = world.snapshot.variables
    level = variables.get("CONDA_SHLVL", "")
    if world.snapshot.target.kind == "venv":
        outer = world.shell.named_by("CONDA_PREFIX")
    elif level.isdecimal() and f"CONDA_STACKED_{level}" in variables:
        outer = world.shell.named_by(f"CONDA_PREFIX_{int(level) - 1}")
    else:
        return None
    if outer is None or outer.environment is None or outer.python is None:
        return None
    if variables.get("CONDA_DEFAULT_ENV") == "base" or world.shell.is_base(outer.environment):
        return None
    # As pyvenv.cfg has it, which may be through a link.
    own = (f"{outer.environment}/", f"{outer.path.rstrip('/')}/")
    is_made_of_it = f"{python.home}/".startswith(own)
    return None if is_made_of_it else (outer.environment, outer.python)


def _stacked(world: World, outer: str, version: str) -> Finding:
    target, python = world.snapshot.target, world.snapshot.python
    own = "virtual environment" if target.kind == "venv" else "environment"
    return RULE.finding(
        f"the {own} {target.prefix} (Python {python.version if python else '?'}) is active on top of"
        f" the conda environment {outer} (Python {version})",
        at=Location(subject=f"the active environments {target.prefix} and {outer}"),
        shows_as="`pip install` changes one and `conda install` the other; a command that the first"
        " lacks is the second's, and so are CUDA_HOME and LD_LIBRARY_PATH of its activation hooks",
        remedy="deactivate both and activate the one that is meant; or make the virtual environment"
        f" of the conda environment's own Python: `{outer}/bin/python -m venv FOLDER`",
        cause=cause_of(RULE.name, outer),
    )


def _lost(world: World, why: str) -> Finding:
    prefix = world.snapshot.target.prefix
    return RULE.finding(
        f"the virtual environment {prefix} has lost the Python that it was made of: {why}",
        at=Location(subject=f"{prefix}/pyvenv.cfg", path="pyvenv.cfg", in_prefix=True),
        shows_as="its python does not start (`No such file or directory`), or starts and finds none"
        " of its packages (`ModuleNotFoundError`)",
        remedy="make it anew with the Python that is meant (`python -m venv --clear FOLDER`) and"
        " install its requirements again",
        severity=Severity.ERROR,
        cause=cause_of(RULE.name, str(prefix), "home"),
    )
