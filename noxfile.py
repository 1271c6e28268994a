"""Everything that CI runs: ``nox``. One session: ``nox -s lint``."""

import nox

nox.options.default_venv_backend = "venv"
nox.options.error_on_missing_interpreters = True


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format."""
    session.install("ruff>=0.15,<0.18")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


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


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Time a scan against its peers."""
    session.install(".", "uv")
    session.run("python", "-m", "bench", *session.posargs)
