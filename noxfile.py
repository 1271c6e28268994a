"""Everything that CI runs: ``nox``. One session: ``nox -s lint``."""

import shutil
from pathlib import Path

import nox

nox.options.default_venv_backend = "venv"
nox.options.error_on_missing_interpreters = True

#: The tests that want what was built: the others are the session tests'.
IN_PACKAGE = "test_package or test_the_action_installs"
#: What GitHub reads, by the name of its schema.
WORKFLOWS = {
    "github-workflows": ".github/workflows/*.yml",
    "github-actions": "action.yml",
    "dependabot": ".github/dependabot.yml",
    "github-issue-forms": ".github/ISSUE_TEMPLATE/*.yml",
}


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format, and the workflows that others run."""
    session.install("--no-compile", "ruff>=0.15,<0.18", "check-jsonschema>=0.37", "zizmor>=1.29")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("zizmor", "--offline", "--no-progress", "--quiet", "--strict-collection", ".")
    for schema, files in WORKFLOWS.items():
        paths = (str(path) for path in sorted(Path().glob(files)))
        session.run("check-jsonschema", "--builtin-schema", f"vendor.{schema}", *paths)


@nox.session
def tests(session: nox.Session) -> None:
    """Check types, the generated files, and every test; pass on what follows --."""
    session.install(".[test]")
    session.run("mypy")
    session.run("python", "docs/generate.py", "--check")
    if session.posargs:
        session.run("python", "-m", "pytest", *session.posargs)
        return
    # A worker for each core; the tests of the lab, which share its environments, go to one of them.
    session.run("python", "-m", "pytest", "-q", "-n", "auto", "--cov", "--cov-report=")
    session.run("coverage", "report")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site; a dead link, a missing anchor or a page behind no link fails it."""
    project = nox.project.load_toml("pyproject.toml")["project"]
    # Without envfix itself, which the site does not need, and without bytecode for one build.
    session.install("--no-compile", *project["optional-dependencies"]["docs"])
    site = f"{session.create_tmp()}/site"
    quiet = {"NO_MKDOCS_2_WARNING": "1"}  # Material's advice to look at Zensical: decision 54
    session.run("mkdocs", "build", "--strict", "--site-dir", site, env=quiet)


@nox.session
def package(session: nox.Session) -> None:
    """Build what is released, hold it to what is promised of it, and run what it installs.

    After --, the folder to build into.
    """
    tools = ("hatchling>=1.26", "check-wheel-contents>=0.6", "pytest>=8.3", "twine>=6.1")
    session.install("--no-compile", *tools, "ruamel.yaml")
    dist = Path(*session.posargs or (session.create_tmp(), "dist")).resolve()
    shutil.rmtree(dist, ignore_errors=True)
    session.run("python", "-m", "hatchling", "build", "-d", str(dist), silent=True)
    session.run("twine", "check", "--strict", *map(str, dist.iterdir()))
    session.run("check-wheel-contents", *map(str, dist.glob("*.whl")))
    env = {"ENVFIX_DIST": str(dist)}
    tests = ("tests/test_package.py", "tests/test_workflows.py")
    session.run("python", "-m", "pytest", "-q", "-o", "addopts=", "-k", IN_PACKAGE, *tests, env=env)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Time a scan against its peers."""
    session.install(".", "uv")
    session.run("python", "-m", "bench", *session.posargs)
