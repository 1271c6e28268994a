"""`pip` or `python` is not that of the active environment, or a Jupyter kernel starts another.

The first `python` or `pip` on PATH lies elsewhere though this environment is active; its own `pip`
names another interpreter in its first line; its kernel "python3", or a kernel that bears the
environment's name, starts another interpreter.

Silent where the environment is not active, for the shims of version managers, which lead to what is
active, and for a virtual environment or a pixi environment without pip, which others install into.

Why it matters
--------------
`pip install` then changes another environment, or the system, and says "Successfully installed";
the import fails all the same. With conda's CUDA here and pip's wheels there, each finds nothing of
the other. It happens where a startup file, tmux or an editor puts another folder in front of PATH,
where conda made an environment without pip, and where an environment was moved or copied.

Fix safety
----------
No fix is applied: who has changed PATH is not known.

References
----------
- conda/conda#5666: pip installs into the root environment, since the active one has no pip
- brunoasm/varKoder#29: the same; packages land outside the environment
- jupyterhub/jupyterhub#3598: in a moved environment, kernel.json leads to a folder that is not there
- ipython/ipykernel#68: the kernel "python2" of one environment starts Python 3

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Location, Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding
    from reconciler.model.host import KernelSpec, VariablePath
    from reconciler.world import World

RULE = Rule(
    code="VIS303",
    name="pip-of-another-python",
    severity=Severity.WARNING,
    needs=frozenset({Fact.PYTHON}),
    needs_any=frozenset({Fact.VARIABLE_PATHS, Fact.KERNELS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
conda: []
pip: [pip==25.3]
variable_paths:
  - {variable: CONDA_PREFIX, path: /prefix, environment: /prefix}
  - {variable: PATH, command: pip, path: /usr/bin/pip}
"""

GOOD = """\
python: 3.11.7
conda: []
pip: [pip==25.3]
variable_paths:
  - {variable: CONDA_PREFIX, path: /prefix, environment: /prefix}
  - {variable: PATH, command: pip, path: /prefix/bin/pip, environment: /prefix}
"""

#: The kernel that Jupyter takes for the interpreter of its own environment.
NATIVE = frozenset({"python3", "python2", "python"})
#: Names of folders that many environments bear.
COMMON = frozenset({".venv", "venv", "env", ".env", "default", "base"})


def check(world: World) -> Iterator[Finding]:
    """Look at the commands of PATH, and at the kernels."""
    if world.snapshot.python is None:
        return
    if world.shell.is_in_environment:
        others = [c for c in world.snapshot.variable_paths if c.command and _is_other(world, c)]
        if others:
            yield _of_path(world, others)
        for command in world.snapshot.variable_paths:
            if _starts_another(world, command):
                yield _of_script(command)
    for kernel in world.snapshot.kernels:
        if _is_meant_for(world, kernel) and kernel.environment != world.snapshot.target.prefix:
            yield _of_kernel(kernel)


def _is_other(world: World, command: VariablePath) -> bool:
    target = world.snapshot.target
    if command.environment == target.prefix or "/shims/" in command.path:
        return False
    # uv and pixi install without it, and those who use them do not call pip.
    is_without_pip = target.kind == "venv" or "/.pixi/" in (target.prefix or "")
    return command.command != "pip" or _has_pip(world) or not is_without_pip


def _has_pip(world: World) -> bool:
    return any(d.key == "pip" for d in world.snapshot.distributions)


def _starts_another(world: World, command: VariablePath) -> bool:
    prefix = world.snapshot.target.prefix
    is_own = command.command is not None and command.environment == prefix
    return is_own and command.interpreter is not None and command.interpreter_in != prefix


def _is_meant_for(world: World, kernel: KernelSpec) -> bool:
    # A bare `python` is Jupyter's own; a link may give the folder another name.
    if not kernel.interpreter.startswith("/"):
        return False
    name = (world.snapshot.target.prefix or "").rpartition("/")[2].lower()
    if kernel.path.startswith("/"):
        return kernel.name == name not in COMMON
    return kernel.name in NATIVE or kernel.name == name


def _of_path(world: World, others: list[VariablePath]) -> Finding:
    prefix = world.snapshot.target.prefix
    commands = " and ".join(f"`{c.command}`" for c in others)
    places = " and ".join(dict.fromkeys(c.path for c in others))
    pip = "" if _has_pip(world) else "; this environment has no pip (`conda install pip`)"
    return RULE.finding(
        f"PATH leads to {places} first, not to {commands} of the active environment {prefix}",
        at=Location(subject="the variable PATH"),
        shows_as="`pip install` says `Successfully installed`, and this environment's Python does"
        " not find the package",
        remedy=f"`{prefix}/bin/python -m pip` is this environment's own{pip}; activate it again in a"
        " fresh shell, and look for what puts another folder in front of PATH",
        cause=cause_of(RULE.name, "PATH"),
        explained_by=tuple(cause_of("environments-stacked", str(c.environment)) for c in others),
    )


def _of_script(command: VariablePath) -> Finding:
    return RULE.finding(
        f"{command.path} of this environment starts another Python, {command.interpreter}",
        at=Location(subject=command.path, path=command.path),
        shows_as="`pip install` changes another environment, or fails with `bad interpreter`; it is"
        " so after an environment was moved or copied",
        remedy="make the environment anew where it lies now; until then `python -m pip` of its own"
        " bin folder works",
        cause=cause_of(RULE.name, command.path),
    )


def _of_kernel(kernel: KernelSpec) -> Finding:
    return RULE.finding(
        f"the Jupyter kernel {kernel.name!r} of {kernel.path} starts {kernel.interpreter}, not this"
        " environment's Python",
        at=Location(
            subject=f"the kernel {kernel.name!r}", path=f"{kernel.path}/kernel.json", in_prefix=True
        ),
        shows_as="notebooks import the packages of another environment, or the kernel dies at once;"
        " `%pip install` goes there too",
        remedy="with this environment's python, `python -m ipykernel install"
        f" {'--user' if kernel.path.startswith('/') else '--sys-prefix'} --name {kernel.name}`",
        cause=cause_of(RULE.name, kernel.path),
    )
