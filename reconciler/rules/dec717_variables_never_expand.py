"""A variable of an environment file holds another variable, which nothing expands.

`variables:` of environment.yml with a value such as `$CONDA_PREFIX/lib:$LD_LIBRARY_PATH`.

What conda has already stored of such a value is PTH410's to report. Silent on another variable
than a list of paths that does not name `$CONDA_PREFIX`: programs expand `$HOME` by themselves.

Why it matters
--------------
conda stores the text, and on activation exports it in quotes. The loader, or whatever else reads
the variable, gets a folder whose name begins with a dollar sign, finds nothing there, and says
nothing of it. That the shell's own value is meant to be kept in it does not work either: it is
replaced.

Fix safety
----------
The variable is taken out, since it does nothing as it stands. It is unsafe: what was meant needs a
script of activate.d, which is told in words.

References
----------
- conda/conda#12645: `${CONDA_PREFIX}/share/params` in `variables:` stays as it is written
- conda/conda#13952: `LD_LIBRARY_PATH: $CONDA_PREFIX/lib:$LD_LIBRARYPATH`, asked for to use CUDA of conda

"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.model.finding import Severity, cause_of
from reconciler.model.fix import Applicability, Fix, Remove
from reconciler.model.manifest import Kind, Section
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding
    from reconciler.world import World

RULE = Rule(
    code="DEC717",
    name="variables-never-expand",
    severity=Severity.WARNING,
    needs=frozenset({Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
environment.yml: |
  dependencies:
    - python=3.11
  variables:
    CUDA_HOME: $CONDA_PREFIX
"""

GOOD = """\
environment.yml: |
  dependencies:
    - python=3.11
  variables:
    CUDA_HOME: /usr/local/cuda-12.1
"""

# The loader itself expands $ORIGIN, $LIB and $PLATFORM: ld.so(8).
_OF_THE_SHELL = r"\$\{?(?!(?:ORIGIN|LIB|PLATFORM)\b)[A-Za-z_]\w*\}?|%\w+%"
# A program may expand its own variables by itself; what is CUDA's, and lists of paths, nobody does.
_OF_CONDA = r"\$\{?CONDA_PREFIX\b\}?|%CONDA_PREFIX%"
_LISTS = frozenset({"LD_LIBRARY_PATH", "PATH", "PYTHONPATH"})


def check(world: World) -> Iterator[Finding]:
    """Look for the shell's variables in what conda only stores."""
    for manifest in world.snapshot.manifests:
        for line in manifest.declared if manifest.tool == "conda" else ():
            value = line.text.partition("=")[2]
            if line.kind is not Kind.VARIABLE or line.section is not Section.CONDA:
                continue
            pattern = _OF_THE_SHELL if line.name in _LISTS else _OF_CONDA
            if match := re.search(pattern, value):
                yield RULE.finding(
                    f"{manifest.path} sets {line.name} to the text `{value}`, and conda does not"
                    f" expand the `{match[0]}` in it",
                    at=line.location,
                    shows_as=f"whatever reads {line.name} looks for a path that has `{match[0]}` in"
                    " its name, and finds nothing there",
                    remedy=f"take {line.name} out of `variables:`, and set it in a script of the"
                    " environment's etc/conda/activate.d, which the shell expands",
                    fix=Fix(
                        title=f"take {line.name} out of `variables:`; what is meant needs a script"
                        " of etc/conda/activate.d",
                        applicability=Applicability.UNSAFE,
                        edits=(Remove(line=line),),
                    ),
                    cause=cause_of(RULE.name, manifest.path, line.name),
                )
