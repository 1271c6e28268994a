"""A script of activation is for one shell, and the environment may be activated in another.

conda sources the scripts of activate.d by the ends of their names: .sh in bash, zsh and xonsh,
.fish in fish, .csh in tcsh, .ps1 in PowerShell, .bat in cmd.exe. A script that stands there for one
of them does nothing in the others.

Judged are scripts that somebody wrote, in the environment and in the project. It is a warning where
SHELL names a shell that a script for bash is not for, silent where SHELL names one that it is for, and
information where that is not known. Silent on scripts of conda's packages.

Why it matters
--------------
The libraries are found in one terminal and not in the next one. Nothing says that the script was
passed over.

Fix safety
----------
No fix is applied: the same script for another shell has to be written, or envfix's own, which is
for all of them.

References
----------
- conda/conda#7993: fish passes over the scripts of activate.d that end in .sh
- ContinuumIO/anaconda-issues#11624: in fish the variables of a compiler package are not set

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding
    from reconciler.model.foreign_hook import ForeignHook
    from reconciler.world import World

RULE = Rule(
    code="HUK804",
    name="hook-for-one-shell",
    severity=Severity.WARNING,
    needs_any=frozenset({Fact.STATE, Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
conda: []
env: {SHELL: /usr/bin/fish}
state:
  scripts:
    - {path: etc/conda/activate.d/cuda.sh, text: "export CUDA_HOME=$CONDA_PREFIX"}
"""

GOOD = """\
conda: []
env: {SHELL: /usr/bin/fish}
state:
  scripts:
    - {path: etc/conda/activate.d/cuda.sh, text: "export CUDA_HOME=$CONDA_PREFIX"}
    - {path: etc/conda/activate.d/cuda.fish, text: "set -gx CUDA_HOME $CONDA_PREFIX"}
"""

#: conda, activate.py: the script_extension of each activator.
_ENDINGS = {
    **dict.fromkeys(("bash", "zsh", "dash", "sh", "ksh", "ash", "xonsh"), ".sh"),
    "fish": ".fish",
    **dict.fromkeys(("csh", "tcsh"), ".csh"),
    **dict.fromkeys(("pwsh", "powershell"), ".ps1"),
}
_SHELLS = {
    ".sh": "bash and zsh",
    ".fish": "fish",
    ".csh": "tcsh",
    ".ps1": "PowerShell",
    ".bat": "cmd.exe",
}


def check(world: World) -> Iterator[Finding]:
    """Hold the ends of the names against the shell that is known to be used."""
    used = world.snapshot.variables.get("SHELL", "").replace("\\", "/").rpartition("/")[2]
    wanted = _ENDINGS.get(used)
    for hook in world.hook_audit.foreign:
        served = {hook.ending, *hook.endings}
        is_first = hook.ending == min(served, key=lambda end: (end != ".sh", end))
        if not hook.is_entering or not hook.changes or not is_first or hook.ending not in _SHELLS:
            continue
        if wanted and hook.in_prefix and wanted not in served:
            # Who wrote it for fish uses fish, whatever the login shell is.
            severity = None if hook.ending == ".sh" else Severity.INFO
            yield _finding(world, hook, f"{used}, the shell that SHELL names", severity)
        elif len(served) == 1 and not (wanted in served and hook.in_prefix):
            others = [_SHELLS[end] for end in _SHELLS if end not in served]
            yield _finding(world, hook, " or ".join(others), Severity.INFO)


def _finding(world: World, hook: ForeignHook, others: str, severity: Severity | None) -> Finding:
    step = hook.changes[0]
    names = " and ".join(dict.fromkeys(one.variable for one in hook.changes))
    return RULE.finding(
        f"{hook.path} is for {_SHELLS[hook.ending]} alone, and is not read by {others}",
        at=hook.at(step.line),
        shows_as=f"{names} {'is' if ' and ' not in names else 'are'} not set after `conda activate` there, and nothing says so",
        remedy=f"write the same for that shell, beside it{world.hook_audit.instead.instead_of(hook)}",
        severity=severity,
        evidence=(hook.shown(step.line, step.text),),
        cause=cause_of(RULE.name, hook.path),
        explained_by=hook.explained_by(RULE.name),
    )
