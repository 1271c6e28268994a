"""A script of the hook that envfix has written was changed since, or is gone.

Its checksum is not the one in `etc/envfix/hooks.json`, or the file is not there.

Why it matters
--------------
The scripts for activation and deactivation restore together what they set together, and those for
different shells do the same. With one of them edited or missing, a variable stays behind, or is
not set in one of the shells. envfix itself does not remove or replace a script that was edited.

Fix safety
----------
No fix is applied: the edit may be wanted.

References
----------
- ESSS/conda-devenv#37: scripts of activation and deactivation that do not belong together leave variables behind
- Netflix/metaflow#1540: what is not restored reaches programs outside of the environment

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Location, Severity, cause_of
from reconciler.model.hook import FileState
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding
    from reconciler.world import World

RULE = Rule(
    code="HUK807",
    name="our-hook-edited",
    severity=Severity.WARNING,
    needs=frozenset({Fact.STATE}),
    since="0.1.0",
)

BAD = """\
conda: []
state:
  own_hook:
    hook:
      prefix: /prefix
      variables: [{type: prepend, name: LD_LIBRARY_PATH, directories: [lib/cuda]}]
      why: [{code: ELF501, sentence: nothing else leads the loader there}]
      created_by: 0.1.0
    scripts:
      - {path: etc/conda/activate.d/~~envfix.sh, state: edited}
      - {path: etc/conda/deactivate.d/~~envfix.sh, state: intact}
"""

GOOD = """\
conda: []
state:
  own_hook:
    hook:
      prefix: /prefix
      variables: [{type: prepend, name: LD_LIBRARY_PATH, directories: [lib/cuda]}]
      why: [{code: ELF501, sentence: nothing else leads the loader there}]
      created_by: 0.1.0
    scripts:
      - {path: etc/conda/activate.d/~~envfix.sh, state: intact}
      - {path: etc/conda/deactivate.d/~~envfix.sh, state: intact}
"""


def check(world: World) -> Iterator[Finding]:
    """Look for scripts that are not as they were written."""
    own = world.snapshot.state.own_hook if world.snapshot.state else None
    changed = [s for s in own.scripts if s.state is not FileState.INTACT] if own else []
    if not own or not changed:
        return
    edited = [script.path for script in changed if script.state is FileState.EDITED]
    missing = [script.path for script in changed if script.state is FileState.MISSING]
    told = [f"{' and '.join(edited)} was edited"] if edited else []
    told += [f"{' and '.join(missing)} is gone"] if missing else []
    yield RULE.finding(
        f"of the hook that envfix has written, {' and '.join(told)}",
        at=Location(subject="envfix's hook", path=changed[0].path, in_prefix=True),
        shows_as=f"{' and '.join(own.hook.names)} may stay as the activation sets it, or not be set,"
        " in one shell or the other",
        remedy=_remedy(edited),
        evidence=tuple(f"{script.path}: {script.state}" for script in changed)[:6],
        cause=cause_of(RULE.name, "etc/envfix/hooks.json"),
    )


def _remedy(edited: list[str]) -> str:
    if not edited:
        return "`envfix hooks install` writes it again, `envfix hooks remove` takes the rest away"
    return (
        "keep what you need of the edit in a script of your own beside it, delete"
        f" {' and '.join(edited)}, and `envfix hooks install` writes it again; or"
        " `envfix hooks remove` takes the rest away"
    )
