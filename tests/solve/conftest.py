"""The small channels, written once a session, and a solver that reads them."""

from __future__ import annotations

from functools import partial

import pytest
from small_channels import write_channels
from solve.released import released

from reconciler.solve import solve


@pytest.fixture(scope="session")
def alias(tmp_path_factory):
    return write_channels(tmp_path_factory.mktemp("channels"))


@pytest.fixture(scope="session")
def where(alias, tmp_path_factory):
    return {"alias": alias, "cache": str(tmp_path_factory.mktemp("repodata"))}


@pytest.fixture(scope="session")
def solved(where):
    return partial(solve, **where)


@pytest.fixture(scope="session")
def records_of(where):
    return partial(released, **where)
