"""A library of CUDA that a framework opens, or an extension needs, is found by nobody.

It is not installed; or another release is, under another soname (`libcudnn.so.9` where
`libcudnn.so.8` is asked for); or a wheel of NVIDIA or a toolkit has it, in a folder to which
nothing leads the loader: the wheels of ctranslate2, of onnxruntime-gpu and of CuPy before 14 ask by
the name alone, and have no RPATH to `nvidia/*/lib`.

Silent where another way succeeds, where a framework works without it and no GPU was meant, of the
driver's own libraries, and where only conda has it (VIS301).

Why it matters
--------------
The program ends with `libcublas.so.12: cannot open shared object file`, often not before the first
model runs. Or it goes on with the CPU alone: ONNX Runtime, JAX and TensorFlow write a line of log.

Fix safety
----------
Where the model of the loader proves that a folder of NVIDIA's wheels on LD_LIBRARY_PATH is enough,
and does no harm, a reversible hook has the activation of the environment put it there. Else what to
do is shown for a person to choose: a program that imports another framework first, a call, a
variable, or another package.

References
----------
- microsoft/onnxruntime#25609: libcudnn.so.9 lies in site-packages/nvidia, and is not found
- microsoft/onnxruntime#21684: libcublasLt.so.11 for a wheel of another CUDA major
- SYSTRAN/faster-whisper#516: libcudnn_ops_infer.so.8 is wanted, and found through LD_LIBRARY_PATH
- OpenNMT/CTranslate2#1826: libcudnn_cnn.so.9 is not found
- nvidia-cosmos/cosmos-transfer1#128: libcudnn_graph.so.9 is not found
- tensorflow/tensorflow#63362: "Cannot dlopen some GPU libraries" beside the wheels that have them

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
    from reconciler.model.missing import Copy, Missing
    from reconciler.world import World

    Group = Sequence[Missing]

RULE = Rule(
    code="ELF501",
    name="soname-not-found",
    severity=Severity.ERROR,
    needs=frozenset({Fact.LOADER}),
    needs_any=frozenset({Fact.RECORDS, Fact.DISTRIBUTIONS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
pip: [cupy-cuda12x==13.6.0, nvidia-cuda-nvrtc-cu12==12.4.127]
loader:
  lib/python3.11/site-packages/cupy/_core/core.cpython-311-x86_64-linux-gnu.so: {of: cupy-cuda12x}
  lib/python3.11/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12: {of: nvidia-cuda-nvrtc-cu12}
"""

GOOD = """\
python: 3.11.7
env: {LD_LIBRARY_PATH: /prefix/lib/python3.11/site-packages/nvidia/cuda_nvrtc/lib}
pip: [cupy-cuda12x==13.6.0, nvidia-cuda-nvrtc-cu12==12.4.127]
loader:
  lib/python3.11/site-packages/cupy/_core/core.cpython-311-x86_64-linux-gnu.so: {of: cupy-cuda12x}
  lib/python3.11/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12: {of: nvidia-cuda-nvrtc-cu12}
"""

#: Whose copy serves best: the narrowest folder first.
_TAKEN = ("pip", "toolkit", "conda")
FEW = 3
_BY_HOOK = (
    " (`envfix hooks install` has the activation set it; IDE kernels and cron skip that, and conda"
    " advises against the variable)"
)


def check(world: World) -> Iterator[Finding]:
    """Group what is asked for in vain by who asks, and by whether it lies anywhere."""
    groups: dict[object, list[Missing]] = {}
    for one in world.loading.missing if world.loading else ():
        if one.is_worth_saying and not one.is_condas_alone:
            key = (one.title, one.user, one.shells, bool(one.copies))
            groups.setdefault(key, []).append(one)
    for group in groups.values():
        yield _finding(world, sorted(group, key=lambda one: not one.is_fatal))


def _finding(world: World, group: Group) -> Finding:
    first = group[0]
    sonames = list(dict.fromkeys(one.soname for one in group))
    where = _where_it_is(group) if first.copies else _what_is_there(group)
    it = "it" if len(sonames) == 1 else "they"
    return RULE.finding(
        f"{first.title} ({first.user.title}) asks for {', '.join(sonames)}{where}: {it} cannot be opened,"
        f" {first.when}",
        severity=severity_of(group, is_inside=world.shell.is_in_environment),
        at=first.at,
        related=tuple(
            Location(subject=_best(one).owner.title, path=_best(one).path)
            for one in group
            if one.copies
        ),
        shows_as=f"`{first.error}`" + (f": {first.step}" if first.step else ""),
        remedy="; or ".join(_ways(world, group)),
        evidence=tuple(dict.fromkeys(f"{one.asked_by} asks: {one.why}" for one in group)),
        fix=world.hooking.for_missing(group) or world.mending.choice(next(_ways(world, group))),
        cause=cause_of(RULE.name, INSTALLED, first.title, *sonames),
        explained_by=tuple(dict.fromkeys(_reasons(world, group))),
    )


def _best(one: Missing) -> Copy:
    return min(one.copies, key=lambda copy: (*_TAKEN, copy.owner.kind).index(copy.owner.kind))


def _where_it_is(group: Group) -> str:
    owners = _listed([_best(one).owner.title for one in group], " and ")
    folders = _folders(group)
    it_lies = "It lies" if len({one.soname for one in group}) == 1 else "They lie"
    some = f"{len(folders)} folders, such as " if len(folders) > 1 else ""
    return f". {it_lies} in {some}{folders[0]} ({owners}), where nothing leads the loader"


def _listed(names: Sequence[str], last: str = ", ") -> str:
    shown = list(dict.fromkeys(names))
    more = f" and {len(shown) - FEW} more" if len(shown) > FEW else ""
    return (", " if more else last).join(shown[:FEW]) + more


def _folders(group: Group) -> list[str]:
    return list(dict.fromkeys(posixpath.dirname(_best(one).path) for one in group))


def _what_is_there(group: Group) -> str:
    others = dict.fromkeys(
        f"{other.owner.title} has {posixpath.basename(other.path)}, another release that does not serve"
        for one in group
        for other in one.namesakes[:1]
    )
    return f", which no package here has{''.join(f'; {other}' for other in others)}"


def _ways(world: World, group: Group) -> Iterator[str]:
    one = group[0]
    if one.works_activated:
        yield "activate the environment before you start it, in kernels and jobs as well"
    serving = [f for f in one.after if _serves_all(world, f, group)]
    yield from (
        f"`import {framework}` before it, and let that list its GPUs: what it loads serves"
        f" {one.title} too"
        for framework in serving
    )
    yield from _ways_to_copies(world, group) if one.copies else _ways_to_install(world, group)


def _serves_all(world: World, name: str, group: Group) -> bool:
    """Tell whether a consumer is a framework, which a program imports, and loads all of a group."""
    is_framework = world.catalog.consumers[name].kind == "framework"
    return is_framework and all(name in each.after for each in group)


def _ways_to_copies(world: World, group: Group) -> Iterator[str]:
    one = group[0]
    if all(each.preload_call for each in group):
        yield f"call `{one.preload_call}` right after its import, which opens the wheels of NVIDIA"
    if one.user.kind == "conda" == _best(one).owner.kind:
        yield (
            f"`conda install --force-reinstall {one.user.package}`: as conda installs its files, they"
            " have an RPATH to its lib"
        )
        return
    path = ":".join(_folders(group))
    hook = "" if world.hooking.for_missing(group) is None else _BY_HOOK
    yield f"set `LD_LIBRARY_PATH={path}` before Python starts, since it is not read later{hook}"


def _ways_to_install(world: World, group: Group) -> Iterator[str]:
    one = group[0]
    parts = {each.component: each for each in group}
    wheels = [world.catalog.wheel_of(part, one.major) for part in parts if one.major]
    sonames = ", ".join(dict.fromkeys(each.soname for each in group))
    if one.user.kind == "conda" or not wheels or None in wheels:
        titles = ", ".join(world.catalog.title(part) for part in parts)
        yield f"install {titles} with {one.user.kind}, in releases that have {sonames}"
        return
    known = zip(wheels, parts.values(), strict=True)
    names = " ".join(
        world.mending.pinned(wheel) or _bounded(wheel, each) for wheel, each in known if wheel
    )
    yield f"`pip install {names}`, which has {sonames}{_after_install(group)}"


def _bounded(wheel: str, one: Missing) -> str:
    """Return the requirement of a wheel, by its major where its soname counts that."""
    number = _major_of(one.soname)
    counted = [
        o for o in one.namesakes if (o.owner.version or "").split(".")[0] == _major_of(o.path)
    ]
    return f"'{wheel}>={number},<{int(number) + 1}'" if counted and number.isdecimal() else wheel


def _major_of(soname: str) -> str:
    return soname.rpartition(".so.")[2].partition(".")[0]


def _after_install(group: Group) -> str:
    one = group[0]
    if all(each.looks_in_wheels for each in group):
        return ""
    call = f"call `{one.preload_call}` right after its import" if one.preload_call else ""
    way = "set LD_LIBRARY_PATH to the folders `nvidia/*/lib` that it installs into"
    return f"; {one.title} does not look there by itself: {call or way}"


def _reasons(world: World, group: Group) -> Iterator[str]:
    """Yield the causes that would explain it: files that are gone, and parts that do not fit."""
    sonames = {one.soname for one in group}
    for file in world.claimed_files:
        if file.is_gone and posixpath.basename(file.path) in sonames:
            for owner in file.owners:
                yield cause_of("payload-missing", INSTALLED, owner.path)
    for one in group:
        for other in one.namesakes:
            yield cause_of("cudnn-mismatch", INSTALLED, other.owner.package or "")
            yield cause_of("cuda-majors-mixed", INSTALLED)
        if not one.copies:
            yield cause_of("half-a-stack", INSTALLED, one.consumer)
