"""An older libstdc++ answers than a library was compiled with.

A process has one libstdc++.so.6: the first that is asked for. LD_LIBRARY_PATH of a cluster's module,
or LD_PRELOAD, leads to that of an older compiler; a wheel with a RUNPATH, which does not look at the
RPATH of conda's Python, takes the system's, and then conda's own packages get it as well; or what was
compiled with the system's newer compiler runs in an environment whose libstdcxx is older.

Each library that needs a version which some libstdc++ or libgcc_s in reach does not define is opened
by itself, and after the modules with a RUNPATH. The latter is a warning, since the order of the
imports decides. Silent where the file that answers has all versions, whichever it is; a newer one
serves every older library.

Why it matters
--------------
Import fails with `version 'GLIBCXX_3.4.32' not found` and the path of a libstdc++ which nobody has
chosen, while the environment has a newer one. It depends on the shell, on the machine, and on which
package is imported first.

Fix safety
----------
No fix is applied: where a variable is set, and in which order a program imports, only the user knows.
Links into the system's folders, as many threads advise, break at the next update.

References
----------
- mantidproject/mantidimaging#1228: a wheel of PyQt5, imported first, takes the system's libstdc++ from conda's SciPy
- scipy/scipy#18163: a wheel beside conda's SciPy, and GLIBCXX_3.4.29 is not found
- scipy/scipy#17070: a module with a RUNPATH picks up the system's libstdc++ in a conda environment
- MolSSI/cookiecutter-cms#70: a cluster's LD_LIBRARY_PATH has an older libstdc++
- conda/conda-libmamba-solver#544: GLIBCXX_3.4.29 is not found until LD_LIBRARY_PATH is unset
- pybind/cmake_example#8: a module of the system's compiler, in a conda with an older libstdc++

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import INSTALLED, Location, Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact
from reconciler.model.which import Situation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.finding import Finding
    from reconciler.model.outdated import Outdated
    from reconciler.world import World

RULE = Rule(
    code="DUP108",
    name="libstdcxx-captured",
    severity=Severity.ERROR,
    needs=frozenset({Fact.LOADER}),
    needs_any=frozenset({Fact.RECORDS, Fact.DISTRIBUTIONS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
env: {LD_LIBRARY_PATH: /opt/gcc-9/lib64}
conda: [python=3.11.7=h1, libstdcxx=13.2.0=0, scipy=1.11.4=0]
loader:
  bin/python3.11: {rpath: $ORIGIN/../lib}
  lib/libstdc++.so.6: {of: libstdcxx}
  lib/python3.11/site-packages/scipy/linalg/_f.cpython-311-x86_64-linux-gnu.so:
    {of: scipy, needed: [libstdc++.so.6], runpath: $ORIGIN/../../../..}
  /opt/gcc-9/lib64/libstdc++.so.6: {}
misfits:
  - consumer: lib/python3.11/site-packages/scipy/linalg/_f.cpython-311-x86_64-linux-gnu.so
    provider: /opt/gcc-9/lib64/libstdc++.so.6
    soname: libstdc++.so.6
    versions:
      - version: GLIBCXX_3.4.30
        file: libstdc++.so.6
        error: "/opt/gcc-9/lib64/libstdc++.so.6: version `GLIBCXX_3.4.30' not found (required by _f.so)"
"""

GOOD = BAD.replace("env: {LD_LIBRARY_PATH: /opt/gcc-9/lib64}", "env: {}")


_FIRST = "what is imported first"


def check(world: World) -> Iterator[Finding]:
    """Group what is refused by the file that answers, and by what has brought it in."""
    found: dict[tuple[str, str], list[Outdated]] = {}
    for one in world.loading.outdated_runtimes if world.loading else ():
        brought = _FIRST if one.after else one.link.entry or ""
        found.setdefault((one.link.real or "", brought), []).append(one)
    for (path, brought), group in found.items():
        yield _finding(world, path, brought, group)


def _finding(world: World, path: str, brought: str, group: Sequence[Outdated]) -> Finding:
    one = max(group, key=lambda each: len(each.situation.names))
    link = one.link
    packages = dict.fromkeys(each.link.asker.title for each in group)
    also = f"; so do {', '.join(list(packages)[1:5])}" if len(packages) > 1 else ""
    names = {name: None for each in group for name in each.situation.names}
    shells = Situation(names=tuple(names), variables=())
    takers = tuple(dict.fromkeys(e.after_owner.title for e in group if e.after_owner))
    others = f" (or that of {', '.join(takers[1:4])})" if takers[1:] else ""
    first = f", after {_file(one.after)} of {takers[0]}{others} was imported" if takers else ""
    errors = tuple(dict.fromkeys(e for each in group for e in each.link.errors))
    return RULE.finding(
        f"{_file(link.asked_by)} of {link.asker.title} needs {_needed(one)} of {link.soname}, and gets"
        f" {link.path} of {link.owner.title if link.owner else 'nobody'}, which is older{first},"
        f" {shells}{also}",
        severity=_severity(world, group),
        at=Location(subject=link.soname, path=link.path),
        related=(Location(subject=link.asker.title, path=link.asked_by),),
        shows_as=f"`ImportError: {errors[0]}`",
        remedy=_remedy(one, " or ".join(takers[:3])),
        evidence=(f"{link.path} answers: {link.because}", *errors[:4]),
        cause=cause_of(RULE.name, INSTALLED, path, brought),
        explained_by=(cause_of("ld-library-path-captures", INSTALLED, "LD_LIBRARY_PATH", brought),)
        if link.reason == "LD_LIBRARY_PATH"
        else (),
    )


def _file(path: str | None) -> str:
    return (path or "").rpartition("/")[2]


def _needed(one: Outdated) -> str:
    names = [version.version for version in one.versions]
    return names[-1] if len(names) == 1 else f"{names[-1]} (and {len(names) - 1} more)"


def _severity(world: World, group: Sequence[Outdated]) -> Severity:
    is_inside = world.shell.is_in_environment
    if not any(one.situation.is_in_use(is_inside=is_inside) for one in group):
        return Severity.INFO
    return Severity.WARNING if group[0].after else Severity.ERROR


def _remedy(one: Outdated, takers: str) -> str:
    link, asker = one.link, one.link.asker.title
    if one.after:
        return (
            f"import {asker} before {takers}, so that the newer libstdc++ is there first; or take"
            f" {takers} from conda, whose build looks into the environment"
        )
    if link.reason == "LD_LIBRARY_PATH":
        return (
            f"take `{link.entry}` out of LD_LIBRARY_PATH where it is set: a module, a job script or"
            " ~/.bashrc; what needs it gets it for its own command alone"
        )
    owner = link.owner
    if owner is not None and owner.kind == "conda":
        return f"`conda install '{owner.package}>{owner.version}'`, as newer ones serve all older libraries"
    if one.better is not None:
        return (
            f"{one.better.path} of {one.better.owner.title} has it: let that one come first, by"
            f" removing what leads to {link.path} ({link.because})"
        )
    return (
        f"build {asker} with this machine's compiler, or take a build for an older system; or use an"
        " environment of conda, which brings a newer libstdc++"
    )
