"""The option that rewrites expectations, and which tests stay together where several workers run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling
    from xdist.workermanage import WorkerController


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--accept", action="store_true", help="rewrite what is expected; read the diff afterwards"
    )


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
