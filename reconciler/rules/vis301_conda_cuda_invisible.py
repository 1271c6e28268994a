"""A wheel needs a library of CUDA that only conda has, and nothing makes the loader look there.

conda's own Python has an RPATH that leads to the `lib` of its environment, so that what it imports
finds conda's CUDA without any variable. The Python of a system, of pyenv or of uv has none: a
virtual environment made of it finds nothing there, though the conda environment is active around
it. And a wheel whose library has a RUNPATH of its own is not served by Python's RPATH either.

Silent where a wheel has the library as well (ELF501 has that), where the system has it, where an
activation hook leads there, and where what lacks it works without a GPU and none was meant.

Why it matters
--------------
`conda list` shows the library, and the program says `libnvrtc.so.12: cannot open shared object
file`, or uses the CPU without a word. To install it once more with conda changes nothing.

Fix safety
----------
Where an extra of the wheel requires the missing parts, and the wheel looks where they are
installed, that command is proposed, and never run. Where conda has the library in a folder of the
environment that holds CUDA alone, and the model of the loader proves that it serves, a reversible
hook has the activation put that folder on LD_LIBRARY_PATH. All else is shown for a person to choose: which
Python, and whose build of a framework, is meant.

References
----------
- tensorflow/tensorflow#52988: conda's cudatoolkit and cudnn below a wheel of TensorFlow, no GPU
- tensorflow/tensorflow#62328: cudatoolkit 11.8 and cudnn 8.9 serve once LD_LIBRARY_PATH leads there
- bitsandbytes-foundation/bitsandbytes#234: "Does this not work with conda's CUDA?"
- lfranke/TRIPS#13: libnvrtc-builtins.so.11.6 is in the environment's lib, and is not found

"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from reconciler.model.finding import INSTALLED, Location, Severity, cause_of
from reconciler.model.missing import severity_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.finding import Finding
    from reconciler.model.fix import Fix
    from reconciler.model.missing import Missing
    from reconciler.world import World

RULE = Rule(
    code="VIS301",
    name="conda-cuda-invisible",
    severity=Severity.ERROR,
    needs=frozenset({Fact.LOADER, Fact.DISTRIBUTIONS}),
    since="0.1.0",
)

BAD = """\
python: {version: 3.11.7, home: /usr/bin}
env: {CONDA_PREFIX: /conda/envs/a, VIRTUAL_ENV: /prefix}
variable_paths: [{variable: CONDA_PREFIX, path: /conda/envs/a, environment: /conda/envs/a}]
pip: [cupy-cuda12x==13.6.0]
loader:
  lib/python3.11/site-packages/cupy/_core/core.cpython-311-x86_64-linux-gnu.so: {of: cupy-cuda12x}
  /conda/envs/a/lib/libnvrtc.so.12: {}
"""

GOOD = """\
python: {version: 3.11.7, home: /conda/envs/a/bin}
env: {CONDA_PREFIX: /conda/envs/a, VIRTUAL_ENV: /prefix}
variable_paths: [{variable: CONDA_PREFIX, path: /conda/envs/a, environment: /conda/envs/a}]
pip: [cupy-cuda12x==13.6.0]
loader:
  bin/python3.11: {rpath: /conda/envs/a/lib}
  lib/python3.11/site-packages/cupy/_core/core.cpython-311-x86_64-linux-gnu.so: {of: cupy-cuda12x}
  /conda/envs/a/lib/libnvrtc.so.12: {}
"""


def check(world: World) -> Iterator[Finding]:
    """Group what wheels ask for in vain, and only conda has, by its folder."""
    groups: dict[tuple[str, tuple[str, ...]], list[Missing]] = {}
    for one in world.loading.missing if world.loading else ():
        if one.is_condas_alone:
            groups.setdefault((_folder(one), one.shells), []).append(one)
    for (folder, _), group in groups.items():
        yield _finding(world, folder, group)


def _folder(one: Missing) -> str:
    paths = [copy.path for copy in one.copies if copy.owner.kind == "conda"]
    return posixpath.dirname(paths[0])


def _finding(world: World, folder: str, group: Sequence[Missing]) -> Finding:
    group = sorted(group, key=lambda one: not one.is_fatal)
    first = group[0]
    users = " and ".join(dict.fromkeys(f"{one.title} ({one.user.title})" for one in group))
    sonames = ", ".join(dict.fromkeys(one.soname for one in group))
    it, them = ("it", "it") if "," not in sonames else ("they", "them")
    return RULE.finding(
        f"{users} asks for {sonames}. Only conda has {them}, in {folder}, and nothing leads the loader"
        f" of this Python there: {it} cannot be opened, {first.when}",
        severity=severity_of(group, is_inside=world.shell.is_in_environment),
        at=first.at,
        related=(Location(subject=first.soname, path=f"{folder}/{first.soname}"),),
        shows_as=f"`{first.error}`" + (f", as {first.step}" if first.step else ""),
        remedy="; or ".join(_ways(world, folder, group)),
        evidence=(
            *dict.fromkeys(one.why for one in group),
            *(f"{c.path} is of {c.owner.title}" for one in group for c in one.copies[:1]),
        ),
        fix=_fix(world, folder, group),
        cause=cause_of(RULE.name, INSTALLED, folder, *first.shells),
    )


def _ways(world: World, folder: str, group: Sequence[Missing]) -> Iterator[str]:
    one = group[0]
    if one.works_activated:
        yield "activate the environment before you start it, in kernels and jobs as well"
    environment = posixpath.dirname(folder.partition("/targets/")[0])
    if requirement := world.mending.extra_for(group, world.builds):
        yield f"`pip install '{requirement}'`: its wheels lie where {one.title} looks"
    is_conda = world.snapshot.target.kind == "conda"
    if not is_conda and not one.has_runpath:
        first = f"`conda install -p {environment} python`, then " * _lacks_python(
            world, environment
        )
        yield (
            "make this virtual environment anew with the Python of that conda environment, whose RPATH"
            f" leads to its lib ({first}`{environment}/bin/python -m venv FOLDER`), and install into it"
            " again"
        )
    if names := world.catalog.consumers[one.consumer].conda:
        name = one.consumer if one.consumer in names else names[0]
        other = "" if is_conda else ", and start its Python in place of this one"
        yield (
            f"take {one.title} from conda too (`conda install -p {environment} {name}`, without"
            f" {one.user.title}){other}: what conda builds finds conda's libraries"
        )
    yield (
        f"start single programs with `LD_LIBRARY_PATH={folder}`; do not export it, since every other"
        " program would take its libstdc++ and OpenSSL from there as well"
    )


def _lacks_python(world: World, environment: str) -> bool:
    active = world.shell.named_by("CONDA_PREFIX")
    return active is not None and active.environment == environment and not active.python


def _fix(world: World, folder: str, group: Sequence[Missing]) -> Fix:
    one = group[0]
    if requirement := world.mending.extra_for(group, world.builds):
        why = (
            f"its extra requires what {one.title} asks for, in the releases that it was tested with"
        )
        return world.mending.install(requirement, why)
    if hook := world.hooking.for_missing(group):
        return hook
    return world.mending.choice(next(_ways(world, folder, group)))
