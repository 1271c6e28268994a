"""Two distributions install the same files, with different contents.

`nvidia-nccl-cu11` and `nvidia-nccl-cu12` both install `nvidia/nccl/lib/libnccl.so.2`, and so do the
pairs of cuDNN, NVSHMEM, cuRAND, cuSOLVER, NVTX and cuTENSOR. pip writes the second over the first
without a word, `pip check` is silent, and both stay listed.

Silent where the contents are the same or empty, as those of `nvidia/__init__.py`; where a lone
`__init__.py` of a namespace differs; and for what wheels leave at the top of site-packages by
mistake, such as `tests/`. It is a warning where no machine code is among the files.

Why it matters
--------------
A process maps the file that lies there, whichever was meant: it is of the wheel that was installed
last. The framework then says `undefined symbol`, or that it was compiled against another version.
Uninstalling either wheel deletes the files of both, and pip still lists the other one as installed.

Fix safety
----------
For what is installed, commands are proposed, and never run: the one that another package requires,
that a file asks for, or that is for the framework's CUDA stays, and is installed again after the
other one has gone. Of two lines of a file, the one that is not for the CUDA of its framework is
removed, which is unsafe: another file may want it. Where nothing tells which it is, the choice is
shown.

References
----------
- sgl-project/sglang#31035: nvidia-nvshmem-cu12 and -cu13 own one libnvshmem_host.so.3
- pytorch/pytorch#186591: nvidia-nccl-cu12 beside -cu13, `undefined symbol: ncclCommResume`
- rwth-i6/returnn#1802: nvidia-nccl-cu11 2.14.3 beside -cu12 2.27.3, `undefined symbol: ncclMemFree`

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import INSTALLED, Location, Severity, cause_of
from reconciler.model.owner import installing_again, name_of, removing, title_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.finding import Finding
    from reconciler.model.install_set import InstallSet
    from reconciler.model.owner import Owner
    from reconciler.model.ownership import ClaimedFile
    from reconciler.model.rivals import DeclaredRivals, Rivals
    from reconciler.world import World

RULE = Rule(
    code="DUP104",
    name="files-owned-twice",
    severity=Severity.ERROR,
    needs_any=frozenset({Fact.DISTRIBUTIONS, Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
pip:
  - nvidia-curand-cu11==10.2.10.91: {record: "nvidia/curand/lib/libcurand.so.10,sha256=eA,2"}
  - nvidia-curand-cu12==10.3.2.106: {record: "nvidia/curand/lib/libcurand.so.10,sha256=eQ,3"}
payload: [{path: lib/python3.11/site-packages/nvidia/curand/lib/libcurand.so.10, size: 3}]
"""

GOOD = """\
python: 3.11.7
pip:
  - nvidia-curand-cu12==10.3.2.106: {record: "nvidia/__init__.py,sha256=eA,0"}
  - nvidia-cublas-cu12==12.1.3.1: {record: "nvidia/__init__.py,sha256=eA,0"}
payload: []
"""

SHOWS_AS = (
    "a process maps the file that lies there, whichever was meant: `undefined symbol`, or another"
    " version than the one compiled against; and uninstalling either one deletes the files of both"
)


def check(world: World) -> Iterator[Finding]:
    """Look for two owners of one file, among the lines of each file and installed."""
    written: list[str] = []
    for install in world.install_sets:
        for lines in world.declared_rivals(install):
            written.append(_cause(install.name, lines.names))
            yield _declared(world, install, lines)
    for pair in world.rivals:
        yield _installed(world, pair, written)


def _cause(place: str, names: Sequence[str]) -> str:
    return cause_of(RULE.name, place, "+".join(sorted(names)))


def _declared(world: World, install: InstallSet, pair: DeclaredRivals) -> Finding:
    first, second = pair.lines
    return RULE.finding(
        f"{first.name} and {second.name} of {install.name} both install {_some(pair.paths)}",
        at=second.location,
        related=(first.location,),
        shows_as=SHOWS_AS,
        remedy=f"keep the one line that the framework asks for: {first.name} or {second.name}",
        evidence=pair.paths[:6],
        fix=world.files.fixing(install).one_of(pair.lines),
        cause=_cause(install.name, pair.names),
        explained_by=_mixture(world, install.name, pair.names),
    )


def _installed(world: World, pair: Rivals, written: Sequence[str]) -> Finding:
    first, second = pair.owners
    files = sorted(pair.files, key=lambda file: not file.is_library)
    whose = f"; what lies there is of {title_of(pair.winner)}" if pair.winner else ""
    group = world.catalog.import_group(name_of(second))
    is_twin = group and name_of(first) in {*group.pypi, *group.conda}
    twins = (
        [cause_of("import-provided-twice", INSTALLED, group.import_name)]
        if group and is_twin
        else []
    )
    same = _cause("", pair.names)[len(RULE.name) + 1 :]
    return RULE.finding(
        f"{title_of(first)} and {title_of(second)} both own"
        f" {_some([file.path for file in files])}, with different contents{whose}",
        severity=None if pair.has_libraries else Severity.WARNING,
        at=Location(subject=title_of(second), path=second.path, in_prefix=True),
        related=(Location(subject=title_of(first), path=first.path, in_prefix=True),),
        shows_as=SHOWS_AS,
        remedy=_remedy(world, pair),
        evidence=tuple(map(_seen, files[:6])),
        fix=world.mending.one_of(pair.owners),
        cause=_cause(INSTALLED, pair.names),
        explained_by=(
            *(cause for cause in written if cause.endswith(same)),
            *twins,
        ),
    )


def _some(paths: Sequence[str]) -> str:
    more = len(paths) - 1
    return paths[0] + (f" and {more} more file{'s' * (more > 1)}" if more else "")


def _seen(file: ClaimedFile) -> str:
    if file.is_gone:
        return f"{file.path} is gone"
    winner = file.winner()
    return f"{file.path} is of {title_of(winner)}" if winner else f"{file.path}: cannot be told"


def _mixture(world: World, place: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return CUD201's cause where other lines than such rivals ask for the other major.

    A file that asks for two majors is one mistake; a file that was overwritten on the disk stays
    so when the mixture around it is mended.
    """
    packages = (world.catalog.cuda_packages.get(("pip", name)) for name in names)
    majors = {package.cuda_major for package in packages if package}
    is_root = len(majors) < 2 or majors & world.rival_majors(place)
    return () if is_root else (cause_of("cuda-majors-mixed", place),)


def _remedy(world: World, pair: Rivals) -> str:
    needed = {owner.path: world.dependents(name_of(owner)) for owner in pair.owners}
    kept = [owner for owner in pair.owners if needed[owner.path]]
    if len(kept) == 1:
        (other,) = (owner for owner in pair.owners if owner is not kept[0])
        users = ", ".join(str(user) for user in needed[kept[0].path][:3])
        return f"{users} requires {kept[0]}, and nothing requires {other}: {_swap(other, kept[0])}"
    first, second = pair.owners
    ways = f"{_swap(first, second)}; or the other way round"
    if kept:
        users = " and ".join(str(needed[owner.path][0]) for owner in kept)
        return f"{users} require one each: take both in builds for one CUDA. Until then, {ways}"
    return f"keep one of the two: {ways}"


def _swap(gone: Owner, kept: Owner) -> str:
    return (
        f"`{removing(gone)}`, then `{installing_again(kept)}`, since the first takes the files of"
        " both along"
    )
