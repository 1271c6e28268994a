"""On Windows, a DLL of CUDA that a build for CUDA imports is found by nobody.

Windows says that "the specified module could not be found", and means one that the named file
imports, or one that this imports in turn; it names neither that one nor where it was looked for. Here
each import is followed: an extension module's own folder, that of python.exe, what packages and conda's
Python give to os.add_dll_directory, and System32 are searched, PATH is not, and the wheels of NVIDIA add
nothing.

It is modeled on what Microsoft, CPython and conda document, and not tested on Windows itself. What is
opened later, at the first call or by choice, is left out, and so are the DLLs of the driver, what
conda's packages keep in another folder, and what a toolkit has beside its nvcc. Of an environment that
lies on another system, what a toolkit of the Windows it is for may bring is left out as well.

Why it matters
--------------
`ImportError: DLL load failed while importing ...` names the file that is there. What is missing is
asked for in forums, and reinstalled at random.

Fix safety
----------
Where a package has recorded the file and it is gone, the command that installs that package again is
proposed, and never run. All else is left to a person.

References
----------
- vladmandic/sdnext#2332: "Error loading ...cudnn_cnn_infer64_8.dll or one of its dependencies", taken for a broken installation
- cupy/cupy#6325: "DLL load failed while importing runtime" of cupy-cuda111, whose CUDA is not found
- cupy/cupy#9127: cudart64_12.dll lies in a toolkit's bin, which is not searched until it is added
- abetlen/llama-cpp-python#225: Python does not search PATH for DLLs, so that CUDA's are not found

"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from reconciler.model.finding import INSTALLED, Location, Severity, cause_of
from reconciler.model.owner import name_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.finding import Finding
    from reconciler.model.owner import Owner
    from reconciler.model.windows_missing import MissingDll
    from reconciler.world import World

RULE = Rule(
    code="ELF508",
    name="dll-not-found",
    severity=Severity.ERROR,
    needs=frozenset({Fact.WINDOWS_LOADER}),
    needs_any=frozenset({Fact.RECORDS, Fact.DISTRIBUTIONS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.9
platform: win-64
pip: [torch==2.5.1+cu124]
evidence: {Lib/site-packages/torch/version.py: "cuda = '12.4'"}
dlls:
  Lib/site-packages/torch/__init__.py: {of: torch}
  Lib/site-packages/torch/lib/c10_cuda.dll: {of: torch, imports: [cudart64_12.dll]}
  Lib/site-packages/torch/lib/cudart64_12.dll: {of: torch}
  Lib/site-packages/torch/lib/torch_cuda.dll: {of: torch, imports: [cublas64_12.dll]}
"""

GOOD = """\
python: 3.11.9
platform: win-64
pip: [torch==2.5.1+cu124]
evidence: {Lib/site-packages/torch/version.py: "cuda = '12.4'"}
dlls:
  Lib/site-packages/torch/__init__.py: {of: torch}
  Lib/site-packages/torch/lib/c10_cuda.dll: {of: torch, imports: [cudart64_12.dll]}
  Lib/site-packages/torch/lib/cudart64_12.dll: {of: torch}
  Lib/site-packages/torch/lib/torch_cuda.dll: {of: torch, imports: [cublas64_12.dll]}
  Lib/site-packages/torch/lib/cublas64_12.dll: {of: torch}
"""


def check(world: World) -> Iterator[Finding]:
    """Tell each DLL that is missing once, with all that import it."""
    for one in world.windows.missing if world.windows else ():
        yield _finding(world, one)


def _finding(world: World, one: MissingDll) -> Finding:
    owner = _recording(world, one)
    return RULE.finding(
        f"{one.title} ({one.user.title}) imports {one.name} through {_names(one.askers)}, and"
        f" {_where_it_is(one)}",
        at=_place(world, one),
        related=tuple(Location(subject=it.title, path=path) for path, it in one.copies[:3]),
        shows_as=_shown(one),
        remedy=_remedy(world, one),
        evidence=(
            *(f"{asker} imports {one.name}" for asker in one.askers[:4]),
            f"looked for in {', '.join(one.places[:12])}",
            "modeled on the documented rules of Windows, not tested on Windows itself",
        ),
        fix=world.mending.again(owner, f"{one.name} is gone, which it has installed")
        if owner
        else None,
        cause=cause_of(RULE.name, INSTALLED, one.user.title, one.name.casefold()),
        explained_by=tuple(_reasons(world, one)),
    )


def _place(world: World, one: MissingDll) -> Location:
    start = f"{world.snapshot.target.prefix}/"
    path = one.askers[0]
    inside = path.removeprefix(start)
    return Location(subject=one.user.title, path=inside, in_prefix=inside != path)


def _names(paths: Sequence[str]) -> str:
    names = [posixpath.basename(path) for path in paths]
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return ", ".join(names[:2]) + more


def _where_it_is(one: MissingDll) -> str:
    if one.copies:
        path, owner = one.copies[0]
        return f"{owner.title} has it in {posixpath.dirname(path)}, where Windows does not look"
    if one.recorded_by:
        return f"the file is gone that {one.recorded_by.title} has installed"
    return "no file of this name is found"


def _shown(one: MissingDll) -> str:
    name = posixpath.basename(one.opened)
    is_module = name.casefold().endswith(".pyd")
    if is_module or one.user.kind == "conda":
        # what conda's packages open lies in Library/bin, and one of their modules asks for it
        module = name.partition(".")[0] if is_module else "..."
        return (
            f"`ImportError: DLL load failed while importing {module}: The specified module could not be"
            f" found.`, which does not name {one.name}"
        )
    return (
        f"`OSError: [WinError 126] The specified module could not be found. Error loading ...{name} or"
        f" one of its dependencies.`, which does not name {one.name}"
    )


def _remedy(world: World, one: MissingDll) -> str:
    if one.copies:
        folder = posixpath.dirname(one.copies[0][0])
        return (
            f"call `os.add_dll_directory(r'{folder}')` before {one.title} is imported, since PATH is not"
            " searched for it; it is for this process alone"
        )
    if one.recorded_by or one.is_self_contained:
        again = one.recorded_by or one.user
        return (
            f"install {again.title} again, with {again.kind}; where the file goes away again, look for it"
            " in what the virus scanner has put aside"
        )
    if one.extends:
        framework = world.catalog.consumers[one.extends].title
        return (
            f"install {one.user.title} again, in a build for the CUDA of the {framework} that is"
            " installed"
        )
    return (
        f"install the CUDA toolkit that has {one.name}, and open a new shell, so that CUDA_PATH leads to"
        " it"
    )


def _recording(world: World, one: MissingDll) -> Owner | None:
    wanted = one.recorded_by
    owners: Sequence[Owner] = (*world.snapshot.records, *world.ownership.wheels)
    found = (
        o for o in owners if wanted and (name_of(o), o.version) == (wanted.package, wanted.version)
    )
    return next(found, None)


def _reasons(world: World, one: MissingDll) -> Iterator[str]:
    """Yield the causes that would explain it: its file is gone, or parts of CUDA are not there."""
    owner = _recording(world, one)
    if owner:
        yield cause_of("payload-missing", INSTALLED, owner.path)
    elif not one.copies:
        yield cause_of("half-a-stack", INSTALLED, one.consumer)
        yield cause_of("cuda-majors-mixed", INSTALLED)
        if one.extends:
            yield cause_of("torch-family-mismatch", INSTALLED, one.extends)
