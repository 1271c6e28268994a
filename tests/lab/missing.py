"""The one answer to a machine on which the lab cannot be built."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
import sysconfig
from typing import NoReturn

import pytest


def missing(reason: str) -> NoReturn:
    """Skip the test; fail it where ``ENVFIX_LAB=required`` says that the lab has to run."""
    if os.environ.get("ENVFIX_LAB") == "required":
        pytest.fail(f"the lab is required here, but {reason}", pytrace=False)
    pytest.skip(f"the lab cannot be built: {reason}")


def require_machine() -> None:
    """Look for what every environment of the lab needs."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        missing(f"its packages are for linux-64, and this is {platform.platform()}")
    if sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        missing(f"its packages are for CPython with its global lock, and this is {sys.version}")
    if importlib.util.find_spec("rattler") is None:
        missing("py-rattler is not installed (pip install envfix-cuda[solve])")
