"""The option that rewrites expectations, and which tests stay together where several workers run."""

from __future__ import annotations

import os
import re
from importlib import import_module
from pkgutil import walk_packages
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling
    from xdist.workermanage import WorkerController


#: A CI may ask every program for color; what is held against its plain text is not asked.
for name in ("FORCE_COLOR", "CLICOLOR_FORCE"):
    os.environ.pop(name, None)


#: Tests of what is not traced (pyproject.toml), and those that hold much against what else is there:
#: to trace these takes longer than to run them, and each line that they reach has a test of its own.
UNTRACED = re.compile(
    r"tests/(?:catalog|explain|hooks|lab|loader|model|output|solve)/|_corpus\.py$"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--accept", action="store_true", help="rewrite what is expected; read the diff afterwards"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.pluginmanager.hasplugin("_cov"):
        return
    from reconciler import manifests  # noqa: PLC0415 - the session `package` has not what it needs

    # A module that is first imported in such a test would be left out itself.
    for module in walk_packages(manifests.__path__, "reconciler.manifests."):
        import_module(module.name)
    for item in items:
        if UNTRACED.search(item.path.as_posix()):
            item.add_marker("no_cover")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(
    config: pytest.Config, log: WorkerController
) -> LoadScopeScheduling:
    """Give the lab, whose environments are built once a session, to one worker.

    The cases of one test go together: sending 20,000 of them singly takes longer than most of them.
    The mark xdist_group would say it, but xdist 3.8 does not see it under pytest 9.2.
    """
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 - without -n it is not needed

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "lab" if nodeid.startswith("tests/lab/") else nodeid.split("[", maxsplit=1)[0]

    return Scheduling(config, log)
