"""A check of ``rapids doctor``: what envfix says of the environment that RAPIDS is installed in."""

from __future__ import annotations

import re
import sys
import warnings
from typing import Any


# Documented: what is raised fails the check. In 0.1.3, a check that fails before any other has passed
# ends `rapids doctor` with an UnboundLocalError of its own, whichever check that is.
def envfix_check(*, verbose: bool = False, **_: Any) -> str | None:
    """Check that conda and pip agree on CUDA (envfix)."""
    from reconciler import asking  # noqa: PLC0415 - RAPIDS loads all checks, and runs those asked for

    told = asking.ask("health", sys.prefix, "all", seconds=300)
    for finding in told["findings"]:
        if finding["severity"] == "warning":
            warnings.warn(_line(finding), stacklevel=2)
    errors = [_line(finding) for finding in told["findings"] if finding["severity"] == "error"]
    if errors:
        raise RuntimeError("\n  ".join(errors))
    return f"{sys.prefix}: conda and pip agree on CUDA" if verbose else None


def _line(finding: Any) -> str:
    told = f"{finding['code']}: {finding['message']}. What to do: {finding['remedy']}"
    # rapids-cli prints it with rich, which would take `tensorflow[and-cuda]` for markup
    return re.sub(r"\[(?=[a-z#/@])", r"\\[", told)
