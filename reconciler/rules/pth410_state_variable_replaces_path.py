"""A variable that conda sets on activation replaces a list of paths, or is not what was meant.

`conda env config vars set`, the `variables:` of an environment.yml, or a package set
LD_LIBRARY_PATH, PATH or PYTHONPATH; or the value holds `$CONDA_PREFIX`, which nothing expands.

Silent where the value is empty, which is meant to clear the variable, and on every other variable
whose value is plain text.

Why it matters
--------------
conda exports these variables before it runs any script of activate.d. The value replaces what the
shell had: the folders that a module system, a container or the user put into LD_LIBRARY_PATH are
gone while the environment is active. In bash and zsh the value is quoted, so that
`$CONDA_PREFIX/lib` stays those very characters, and the loader finds nothing there. After
`conda env config vars unset X` conda keeps the text `***unset***`; its own `conda activate` passes
it over, but `conda deactivate` back into the environment, and other tools, export it.

A list that replaces LD_LIBRARY_PATH or PATH, and a value that is not expanded, are warnings. It is
info where PYTHONPATH is replaced, which projects do on purpose, and where only the mark of
`unset` is left and the shell does not have it.

Fix safety
----------
A list of paths is taken out of a file's `variables:`, which is unsafe: which of its paths were
needed, in a script of activate.d, is the user's to say. What conda has stored is left to the user.

References
----------
- conda/conda#12645: `${CONDA_PREFIX}/share/params` in `variables:` stays as it is written
- conda/conda#13952: `LD_LIBRARY_PATH: $CONDA_PREFIX/lib:$LD_LIBRARYPATH`, asked for to use CUDA of conda
- Netflix/metaflow#1540: LD_LIBRARY_PATH that an environment overrides reaches programs outside it

"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.model.finding import Location, Severity, cause_of
from reconciler.model.fix import Applicability, Fix, Remove
from reconciler.model.manifest import Kind, Section
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding
    from reconciler.model.install_set import InstallSet
    from reconciler.model.manifest import Declared
    from reconciler.model.prefix import StateVariable
    from reconciler.world import World

RULE = Rule(
    code="PTH410",
    name="state-variable-replaces-path",
    severity=Severity.WARNING,
    needs_any=frozenset({Fact.STATE, Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
state:
  variables: [{name: LD_LIBRARY_PATH, value: $CONDA_PREFIX/lib, source: conda-meta/state}]
"""

GOOD = """\
state:
  variables: [{name: PYTHONNOUSERSITE, value: "1", source: conda-meta/state}]
"""

#: What each list loses when it is replaced, as a user sees it.
LISTS = {
    "LD_LIBRARY_PATH": "libraries that the shell's own LD_LIBRARY_PATH leads to, such as those of a"
    " module system or a container, are not found while the environment is active, and programs of"
    " the system load the environment's libraries",
    "PATH": "commands are not found while the environment is active; newer releases of conda ignore"
    " the variable, with a warning at each activation",
    "PYTHONPATH": "modules that the shell's own PYTHONPATH leads to are not found while the"
    " environment is active",
}
_ERRORS = {
    "LD_LIBRARY_PATH": "cannot open shared object file",
    "PATH": "command not found",
    "PYTHONPATH": "ModuleNotFoundError",
}
UNSET = "***unset***"
# The loader itself expands $ORIGIN, $LIB and $PLATFORM: ld.so(8).
_OF_THE_SHELL = r"\$\{?(?!(?:ORIGIN|LIB|PLATFORM)\b)[A-Za-z_]\w*\}?|%\w+%"
_OF_CONDA = r"\$\{?CONDA_PREFIX\b\}?|%CONDA_PREFIX%"


def check(world: World) -> Iterator[Finding]:
    """Hold each variable that activation sets against what it does to the shell's."""
    state = world.snapshot.state
    # A later source wins over an earlier one.
    effective = {variable.name: variable for variable in state.variables} if state else {}
    for variable in effective.values():
        if variable.value == UNSET:
            yield from _unset(world, variable)
        elif unexpanded := _unexpanded(variable):
            yield _not_expanded(world, variable, unexpanded)
        elif variable.name in LISTS and variable.value:
            yield _replaced(variable)
    for install in world.install_sets:
        for line in install.of_kind(Kind.VARIABLE):
            if line.section is Section.CONDA and line.name in LISTS:
                yield from _declared(install, line)


def _unexpanded(variable: StateVariable) -> str:
    pattern = _OF_THE_SHELL if variable.name in LISTS else _OF_CONDA
    match = re.search(pattern, variable.value)
    return match[0] if match else ""


def _not_expanded(world: World, variable: StateVariable, unexpanded: str) -> Finding:
    text = f"{variable.name}={variable.value}"
    files = (
        line.path
        for install in world.install_sets
        for line in install.of_kind(Kind.VARIABLE)
        if line.text == text
    )
    return _finding(
        variable,
        f"conda sets {variable.name} to the text `{variable.value}` when this environment is"
        f" activated, and bash and zsh do not expand the `{unexpanded}` in it",
        shows_as=f"whatever reads {variable.name} looks for a path that has `{unexpanded}` in its"
        f" name, and fails with `{_ERRORS.get(variable.name, 'No such file or directory')}` though"
        " the file is in the environment",
        explained_by=tuple(cause_of("variables-never-expand", f, variable.name) for f in files),
    )


def _replaced(variable: StateVariable) -> Finding:
    return _finding(
        variable,
        f"conda sets {variable.name} to `{variable.value}` when this environment is activated, and"
        " replaces what the shell has in it",
        shows_as=LISTS[variable.name],
        severity=Severity.INFO if variable.name == "PYTHONPATH" else None,
    )


def _declared(install: InstallSet, line: Declared) -> Iterator[Finding]:
    """Report a list that a file sets; one that is not expanded either is DEC717's."""
    value = line.text.partition("=")[2]
    if value and not re.search(_OF_THE_SHELL, value):
        yield RULE.finding(
            f"{install.name} sets {line.name} to `{value}` whenever the environment is activated,"
            " and replaces what the shell has in it",
            at=line.location,
            shows_as=LISTS[line.name],
            remedy=f"take {line.name} out of `variables:`; paths that are needed belong in a script"
            f" of etc/conda/activate.d, before what {line.name} holds",
            severity=Severity.INFO if line.name == "PYTHONPATH" else None,
            fix=Fix(
                title=f"take {line.name} out of `variables:`; paths that are needed belong in a script"
                " of etc/conda/activate.d",
                applicability=Applicability.UNSAFE,
                edits=(Remove(line=line),),
            ),
            cause=cause_of(RULE.name, install.name, line.name),
        )


def _unset(world: World, variable: StateVariable) -> Iterator[Finding]:
    is_exported = world.snapshot.variables.get(variable.name) == UNSET
    if is_exported or variable.name in LISTS:
        yield _finding(
            variable,
            f"conda keeps the text `{UNSET}` for {variable.name}, which was unset"
            + (", and it is the value of the variable in this shell" if is_exported else ""),
            shows_as=f"`conda deactivate` back into this environment, and activation by other tools,"
            f" set {variable.name} to `{UNSET}` as if that were a path",
            remedy=f"take {variable.name} out of {variable.source} with an editor (`conda env config"
            " vars unset` would only write the mark again), then open a new shell",
            severity=None if is_exported else Severity.INFO,
        )


def _finding(  # noqa: PLR0913 - the parts that differ, by name
    variable: StateVariable,
    message: str,
    *,
    shows_as: str,
    remedy: str = "",
    severity: Severity | None = None,
    explained_by: tuple[str, ...] = (),
) -> Finding:
    return RULE.finding(
        message,
        explained_by=explained_by,
        at=Location(subject=f"variable {variable.name}", path=variable.source, in_prefix=True),
        shows_as=shows_as,
        remedy=remedy or _remedy(variable),
        severity=severity,
        evidence=(f"{variable.source}: {variable.name}={variable.value}",),
        cause=cause_of(RULE.name, variable.source, variable.name),
    )


def _remedy(variable: StateVariable) -> str:
    is_list = variable.name in LISTS
    script = "an activate.d script, which the shell expands" + (
        f", before what {variable.name} holds" if is_list else ""
    )
    if variable.owner:
        return (
            f"tell the maintainers of {variable.owner}, whose file {variable.source} is, and until"
            f" then restore the variable in a script of etc/conda/activate.d, which runs later"
        )
    if variable.source != "conda-meta/state":
        return f"take {variable.name} out of {variable.source}; paths that are needed belong in {script}"
    return (
        f"`conda env config vars unset {variable.name}` in the activated environment, and activate"
        f" it anew; paths that are needed belong in {script}, and an environment.yml with"
        " `variables:` has to lose the line too"
    )
