"""A file of an installed package is not the one that the package has installed.

Its size or hash is another's: of a second wheel that owns the same path, of the same distribution
installed by the other manager, or of nobody who is known.

All that is disputed is held against what its owners recorded; of other files, CUDA's libraries.
A library that nobody else owns is a warning: a file that was patched in place looks the same.

Why it matters
--------------
What runs is not what `pip list` or `conda list` say: cuDNN 9.10 where 9.26 is listed, with the error
of the one and the version of the other. No tool checks sizes or hashes after the installation.

Fix safety
----------
A command is proposed, and never run: the package's manager installs it again, which needs its index
or its channel. Where another package owns the same files, DUP103 or DUP104 has the commands.

References
----------
- pytorch/pytorch#186591: nvidia-nccl-cu12 2.29.3 in place of -cu13 2.29.7
- rwth-i6/returnn#1802: nvidia-nccl-cu11 2.14.3 in place of -cu12 2.27.3

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
    code="ELF507",
    name="payload-overwritten",
    severity=Severity.ERROR,
    needs=frozenset({Fact.PAYLOAD}),
    needs_any=frozenset({Fact.RECORDS, Fact.DISTRIBUTIONS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
conda: []
pip:
  - nvidia-nccl-cu13==2.29.7: {record: "nvidia/nccl/lib/libnccl.so.2,sha256=eA,7"}
payload: [{path: lib/python3.11/site-packages/nvidia/nccl/lib/libnccl.so.2, size: 3}]
"""

GOOD = """\
python: 3.11.7
conda: []
pip:
  - nvidia-nccl-cu13==2.29.7: {record: "nvidia/nccl/lib/libnccl.so.2,sha256=eA,7"}
payload: [{path: lib/python3.11/site-packages/nvidia/nccl/lib/libnccl.so.2, size: 7}]
"""


def check(world: World) -> Iterator[Finding]:
    """Hold each file that was looked at against what its owners recorded."""
    lost = {record.path for record in world.lost_records}
    found: dict[str, tuple[Owner, list[ClaimedFile]]] = {}
    for file in world.claimed_files:
        for owner in file.losers():
            if owner.path not in lost and (file.is_library or world.twins_of(owner)):
                found.setdefault(owner.path, (owner, []))[1].append(file)
    for owner, files in found.values():
        yield _finding(world, owner, files)


def _finding(world: World, owner: Owner, files: Sequence[ClaimedFile]) -> Finding:
    disputes = world.disputes_of(owner)
    files = sorted(files, key=lambda file: not file.is_library)
    winners = {winner.path: winner for file in files if (winner := file.winner())}
    whose = f", but of {' and '.join(map(title_of, winners.values()))}" if winners else ""
    more = len(files) - 1
    some = files[0].path + (f" and {more} more file{'s' * (more > 1)}" if more else "")
    theirs = "are not those" if more else "is not the one"
    return RULE.finding(
        f"{some} {theirs} that {title_of(owner)} has installed{whose}",
        severity=None if winners else Severity.WARNING,
        at=Location(subject=title_of(owner), path=owner.path, in_prefix=True),
        related=(
            Location(subject=files[0].path.rpartition("/")[2], path=files[0].path, in_prefix=True),
        ),
        shows_as=f"what runs is not {owner}, whatever the lists of packages say: an undefined symbol,"
        " or a version that is not the one compiled against",
        remedy=f"`{installing_again(owner)}`",
        evidence=tuple(_seen(owner, file) for file in files[:6]),
        # Of what two own, DUP103 and DUP104 say which stays.
        fix=None
        if disputes
        else world.mending.again(owner, "its files are not those that it has installed"),
        cause=cause_of(RULE.name, INSTALLED, owner.path),
        explained_by=disputes,
    )


def _seen(owner: Owner, file: ClaimedFile) -> str:
    claim = next(c for o, c in zip(file.owners, file.claims, strict=True) if o is owner)
    if file.seen and claim.size != file.seen.size:
        return f"{file.path} has {file.seen.size} bytes, and {claim.size} were installed"
    return f"{file.path} has another sha256 than the one that was installed"
