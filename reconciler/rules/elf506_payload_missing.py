"""Files of an installed package are gone.

Two wheels own one library, one of them is uninstalled, and the other's file is deleted with it: its
dist-info stays, and pip says that it is installed. Or somebody has deleted files by hand.

CUDA's libraries are looked at, and one module of each wheel; where one of these is gone, so are all
files of its package. A package is reported where a library is gone, or half of its files. What conda
records and pip has uninstalled is DUP106's.

Why it matters
--------------
`pip install` of the package says "Requirement already satisfied", `pip check` finds nothing, and
`import torch` dies with `libnvshmem_host.so.3: cannot open shared object file`.

Fix safety
----------
A command is proposed, and never run: the package's manager installs it again, which needs its index
or its channel. Where another package owns the same files, DUP103 or DUP104 has the commands.

References
----------
- sgl-project/sglang#31035: uninstalling nvidia-nvshmem-cu12 deletes the file of -cu13
- pypa/pip#9129: pip breaks after pip has installed and conda has uninstalled the same package

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import INSTALLED, Location, Severity, cause_of
from reconciler.model.owner import installing_again, title_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.finding import Finding
    from reconciler.model.owner import Owner
    from reconciler.model.ownership import ClaimedFile
    from reconciler.world import World

RULE = Rule(
    code="ELF506",
    name="payload-missing",
    severity=Severity.ERROR,
    needs=frozenset({Fact.PAYLOAD}),
    needs_any=frozenset({Fact.RECORDS, Fact.DISTRIBUTIONS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
conda: []
pip:
  - nvidia-nvshmem-cu13==3.4.5: {record: "nvidia/nvshmem/lib/libnvshmem_host.so.3,sha256=eA,1"}
payload: [{path: lib/python3.11/site-packages/nvidia/nvshmem/lib/libnvshmem_host.so.3}]
"""

GOOD = """\
python: 3.11.7
conda: []
pip:
  - nvidia-nvshmem-cu13==3.4.5: {record: "nvidia/nvshmem/lib/libnvshmem_host.so.3,sha256=eA,1"}
payload: [{path: lib/python3.11/site-packages/nvidia/nvshmem/lib/libnvshmem_host.so.3, size: 1}]
"""


def check(world: World) -> Iterator[Finding]:
    """Count the files of each package that are gone."""
    seen: dict[str, tuple[Owner, list[ClaimedFile]]] = {}
    for file in world.claimed_files:
        for owner in file.owners if file.seen else ():
            seen.setdefault(owner.path, (owner, []))[1].append(file)
    lost = {record.path for record in world.lost_records}
    for path, (owner, files) in seen.items():
        gone = [file for file in files if file.is_gone]
        is_broken = any(file.is_library for file in gone) or len(gone) * 2 >= len(files) > 1
        if is_broken and path not in lost:
            yield _finding(world, owner, gone, len(files))


def _finding(world: World, owner: Owner, gone: Sequence[ClaimedFile], looked_at: int) -> Finding:
    disputes = world.disputes_of(owner)
    gone = sorted(gone, key=lambda file: not file.is_library)
    name = gone[0].path.rpartition("/")[2]
    some = f"{name} is gone" if len(gone) == 1 else f"{name} and {len(gone) - 1} more are gone"
    return RULE.finding(
        f"{title_of(owner)} is listed as installed, and of its files {some}",
        at=Location(subject=title_of(owner), path=owner.path, in_prefix=True),
        related=(Location(subject=name, path=gone[0].path, in_prefix=True),),
        shows_as=f"`{name}: cannot open shared object file`, while its manager takes it to be installed"
        if gone[0].is_library
        else "`ModuleNotFoundError` at import, while its manager takes it to be installed",
        remedy=f"`{installing_again(owner)}`",
        evidence=(
            f"{len(gone)} of {looked_at} files that were looked at are gone",
            *(f"{file.path} is gone" for file in gone[:5]),
        ),
        # Of what two own, DUP103 and DUP104 say which stays.
        fix=None
        if disputes
        else world.mending.again(
            owner, "its files are gone, while its manager takes it to be installed"
        ),
        cause=cause_of(RULE.name, INSTALLED, owner.path),
        explained_by=disputes,
    )
