"""pip's own view: the one collector that starts the environment's interpreter, only if allowed.

pip-api asks the environment's pip. It does so when it is imported, and for one interpreter in a
process, so that it runs in a child of its own: envfix's interpreter, isolated.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from reconciler.collect import files
from reconciler.collect.ground import Found
from reconciler.model.os_name import from_os, to_os
from reconciler.model.pip_view import PipListed, PipView
from reconciler.model.snapshot import Fact, Gap

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping

    from reconciler.collect.ground import Ground
    from reconciler.model.snapshot import Snapshot

INTERPRETERS = ("bin/python", "bin/python3", "python.exe", "Scripts/python.exe")
#: Seconds: pip-api starts pip two times, each of which takes half a second on a large environment.
TIMEOUT = 120.0
LIMIT = 32 * files.MEGABYTE
# What pip itself has to say goes to stderr; the folder is where envfix has its pip-api. Whatever
# goes wrong in there is the environment's trouble, and becomes the reason of a gap.
_CHILD = """
import json, subprocess, sys
sys.path.append(sys.argv[1])
try:
    import pip_api
    found = pip_api.installed_distributions().values()
except subprocess.CalledProcessError as error:
    sys.exit("pip ended with status %s" % error.returncode)
except Exception as error:
    sys.exit("%s: %s" % (type(error).__name__, error))
json.dump([[d.name, str(d.version), d.location or ""] for d in found], sys.stdout)
"""


def collect(ground: Ground, snapshot: Snapshot) -> Found:
    """Ask the environment's pip; what keeps it from answering is the reason of a gap."""
    prefix = snapshot.target.prefix
    if prefix is None:
        return _gap("no environment to look at")
    candidates = (f"{prefix}/{path}" for path in INTERPRETERS)
    interpreter = next((path for path in candidates if os.path.isfile(to_os(path))), None)
    if interpreter is None:
        return _gap("the environment has no interpreter, whose pip could be asked")
    try:
        answer = ask(interpreter, prefix, ground.environ, timeout=TIMEOUT)
    except files.UnreadableError as error:
        return _gap(str(error))
    return Found(value=answer)


def _gap(reason: str) -> Found:
    return Found(value=None, gaps=(Gap(fact=Fact.PIP_VIEW, reason=reason),))


def ask(interpreter: str, prefix: str, environ: Mapping[str, str], *, timeout: float) -> PipView:
    """Return what the pip of an interpreter lists; raises UnreadableError, whose text is why not."""
    output, errors, status = _run(interpreter, prefix, environ, timeout)
    if status != 0:
        raise files.UnreadableError(_why(errors))
    import json  # noqa: PLC0415

    try:
        listed = json.loads(output) if len(output) <= LIMIT else None
        return PipView(
            listed=tuple(
                PipListed(
                    name=from_os(name),
                    version=from_os(version),
                    location=_location(location, prefix),
                )
                for name, version, location in listed or ()
            )
        )
    except (ValueError, TypeError) as error:
        raise files.UnreadableError("pip gave no list of distributions") from error


def _run(
    interpreter: str, prefix: str, environ: Mapping[str, str], timeout: float
) -> tuple[bytes, bytes, int]:
    import subprocess  # noqa: PLC0415 - 3 ms that a scan without --live does not pay

    found = find_spec("pip_api")
    if found is None or found.origin is None:
        raise files.UnreadableError("envfix itself lacks pip-api")
    home = os.path.dirname(os.path.dirname(found.origin))
    child = subprocess.Popen(  # noqa: S603 - this very interpreter, and what --live allows
        [sys.executable, "-I", "-c", _CHILD, home],
        env={**environ, "PIPAPI_PYTHON_LOCATION": to_os(interpreter)},
        # python -m takes its working directory for a place of packages.
        cwd=to_os(prefix),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        output, errors = child.communicate(timeout=timeout)
    except subprocess.TimeoutExpired as error:
        _kill(child)
        raise files.UnreadableError(f"pip gave no answer within {timeout:g} seconds") from error
    return output, errors, child.returncode


def _kill(child: subprocess.Popen[bytes]) -> None:
    import signal  # noqa: PLC0415
    import subprocess  # noqa: PLC0415

    # The interpreter that the child has started holds the pipes too.
    if hasattr(os, "killpg"):
        os.killpg(child.pid, signal.SIGKILL)
    child.kill()
    try:
        child.communicate(timeout=1)
    except subprocess.TimeoutExpired:
        for pipe in (child.stdout, child.stderr):
            if pipe:
                pipe.close()


def _why(errors: bytes) -> str:
    lines = [line.strip() for line in errors.decode("utf-8", "replace").splitlines()]
    said = [line for line in lines if line]
    if any(line.endswith("No module named pip") for line in said):
        return "the environment has no pip"
    # The last line is the child's; pip's own last words come before it.
    return f"pip did not answer: {'; '.join(said[-2:])[:500] or 'it said nothing'}"


def _location(location: str, prefix: str) -> str:
    resolved = from_os(os.path.realpath(to_os(location))) if location else ""
    return resolved.removeprefix(f"{prefix}/").replace("\\", "/")
