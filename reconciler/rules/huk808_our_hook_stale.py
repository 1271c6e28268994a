"""The hook that envfix has written does not do what is needed today, or does what is not.

The start of each framework is played without the hook, as when it was written. What the loader then
asks for in vain is held against what the hook brings.

Silent where the play tells nothing certain, and on what the hook takes away: whether another shell
has such a variable is not known here.

Why it matters
--------------
A hook is written for the packages of one day. A new release of a wheel has its libraries in another
folder, or finds them by itself; another Python has another site-packages. Then the hook leads to
nothing, and what is missing is missing again, or a folder that nobody needs takes part in each
search. That is information: it does no harm by itself.

Fix safety
----------
No fix is applied: `envfix hooks install` writes the hook anew.

References
----------
- tensorflow/tensorflow#60183: a path that was computed once for a hook is not right later
- pytorch/pytorch#134929: a folder that is still on LD_LIBRARY_PATH leads new wheels to an old library

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Location, Severity, cause_of
from reconciler.model.hook import PrependPath
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.finding import Finding
    from reconciler.model.hook import HookVariable, StaleHook
    from reconciler.world import World

RULE = Rule(
    code="HUK808",
    name="our-hook-stale",
    severity=Severity.WARNING,
    needs=frozenset({Fact.STATE, Fact.LOADER, Fact.VARIABLES}),
    since="0.1.0",
)

_SKETCH = """\
python: {version: 3.11.7, home: /usr/bin}
env: {}
pip: [ctranslate2==4.5.0, nvidia-cublas-cu12==12.4.5.8]
loader:
  lib/python3.11/site-packages/ctranslate2/_ext.cpython-311-x86_64-linux-gnu.so:
    {of: ctranslate2, needed: [libctranslate2-d3.so.4], rpath: $ORIGIN/../ctranslate2.libs}
  lib/python3.11/site-packages/ctranslate2.libs/libctranslate2-d3.so.4: {of: ctranslate2}
  lib/python3.11/site-packages/nvidia/cublas/lib/libcublas.so.12:
    {of: nvidia-cublas-cu12, needed: [libcublasLt.so.12], runpath: $ORIGIN}
  lib/python3.11/site-packages/nvidia/cublas/lib/libcublasLt.so.12: {of: nvidia-cublas-cu12}
state:
  own_hook:
    hook:
      prefix: /prefix
      place: venv
      variables:
        - type: prepend
          name: LD_LIBRARY_PATH
          directories: [FOLDER]
      why: [{code: ELF501, sentence: nothing else leads the loader there}]
      created_by: 0.1.0
"""

BAD = _SKETCH.replace("FOLDER", "lib/python3.10/site-packages/nvidia/cublas/lib")

GOOD = _SKETCH.replace("FOLDER", "lib/python3.11/site-packages/nvidia/cublas/lib")


def check(world: World) -> Iterator[Finding]:
    """Hold what the hook does against what is needed without it."""
    stale = world.hook_audit.stale
    if stale is not None:
        yield _finding(stale)


def _finding(stale: StaleHook) -> Finding:
    told = [f"lacks {_list(stale.lacks)}"] if stale.lacks else []
    told += [f"has {_list(stale.idle)}, which nothing needs"] if stale.idle else []
    return RULE.finding(
        f"the hook that envfix has written is not what this environment needs today: it"
        f" {' and '.join(told)}",
        at=Location(subject="envfix's hook", path="etc/envfix/hooks.json", in_prefix=True),
        shows_as="a library that is installed is not found, as before the hook was written"
        if stale.lacks
        else "nothing by itself; what lies in the folder one day would be taken first",
        remedy="`envfix hooks install` writes the hook anew"
        if stale.lacks
        else "`envfix hooks install` writes the hook anew; where nothing is needed any more,"
        " `envfix hooks remove` takes it away",
        severity=None if stale.lacks else Severity.INFO,
        cause=cause_of(RULE.name, "etc/envfix/hooks.json"),
    )


def _list(variables: Sequence[HookVariable]) -> str:
    return " and ".join(
        f"{one.directories[0]} on {one.name}" if isinstance(one, PrependPath) else one.name
        for one in variables
    )
