"""One distribution is installed twice in one site-packages: by conda and by pip, or twice by pip.

pip installs over what conda has installed: it deletes conda's files and writes its own, and conda's
record stays. conda installs over pip's and deletes nothing, so that two dist-infos of one name lie
side by side. Whose files won is told by their sizes and hashes, held against what each recorded.

It is a warning where pip has replaced conda's files wholly, so that only conda is wrong.

Why it matters
--------------
With two dist-infos, `pip list`, `importlib.metadata` and `conda list` name one version while the
code may be of the other; checks of versions then pass or fail without reason. With conda's record
alone left behind, conda's solver counts on a version that is not there, and its next change to
that package deletes or overwrites pip's files.

Fix safety
----------
Commands are proposed, and never run: pip removes what is there, and the one that stays is installed
again. That is conda's, which its solver counts on, unless something installed refuses its version or
a file of the project asks pip for it; where both are needed, it is for the user to choose.

References
----------
- conda/conda#14161: `conda list` shows wrong or doubled rows after pip installed over conda
- conda/conda#11452: the code is conda's, and `conda list` and `pip list` show pip's version
- conda/conda-pack#98: files managed by conda were found to have been deleted or overwritten

"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.model.finding import INSTALLED, Location, Severity, cause_of
from reconciler.model.owner import installing_again, removing
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.finding import Finding
    from reconciler.model.installation import Installation, Twins
    from reconciler.model.ownership import ClaimedFile
    from reconciler.world import World

RULE = Rule(
    code="DUP103",
    name="distribution-installed-twice",
    severity=Severity.ERROR,
    needs=frozenset({Fact.DISTRIBUTIONS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
conda:
  - packaging=25.0=pyh29332c3_1:
      files: [lib/python3.11/site-packages/packaging-25.0.dist-info/METADATA]
pip:
  - packaging==25.0: {installer: conda}
  - packaging==26.3
"""

GOOD = """\
python: 3.11.7
conda:
  - packaging=25.0=pyh29332c3_1:
      files: [lib/python3.11/site-packages/packaging-25.0.dist-info/METADATA]
pip:
  - packaging==25.0: {installer: conda}
"""


def check(world: World) -> Iterator[Finding]:
    """Look for two installations of one name, and tell by their files which of them won."""
    for twins in world.installed_twice:
        paths = {installation.path for installation in twins.installations}
        files = _disputed(world, twins)
        # Where one dist-info is claimed by both, only different files tell that it is not one.
        if len(paths) > 1 or files:
            yield _finding(world, twins, files)


def _disputed(world: World, twins: Twins) -> Sequence[ClaimedFile]:
    owners = {installation.owner.path for installation in twins.installations}
    shared = (f for f in world.shared_files if sum(o.path in owners for o in f.owners) > 1)
    return tuple(shared)


def _finding(world: World, twins: Twins, files: Sequence[ClaimedFile]) -> Finding:
    wins = Counter(owner.path for file in files if (owner := file.winner()))
    winners = [i for i in twins.installations if wins[i.owner.path]]
    there = [i for i in twins.installations if i.is_there]
    is_replaced = len(there) == 1 and winners in ([], there)
    names = " and ".join(str(installation) for installation in twins.installations)
    return RULE.finding(
        f"{twins.key} is installed twice in {twins.location}, as {names}{_whose(winners, wins)}",
        severity=Severity.WARNING if is_replaced else None,
        at=_at(there[-1]),
        related=tuple(_at(i) for i in twins.installations if i is not there[-1]),
        shows_as=_shows_as(twins, is_replaced=is_replaced),
        remedy=_remedy(twins),
        evidence=tuple(_seen(i, wins.total(), wins[i.owner.path]) for i in twins.installations),
        fix=world.mending.twin_of(twins),
        cause=cause_of(RULE.name, INSTALLED, twins.key),
    )


def _whose(winners: Sequence[Installation], wins: Counter[str]) -> str:
    if len(winners) == 1:
        return f"; the files are those of {winners[0]}"
    shares = (f"{wins[i.owner.path]} of {i}" for i in winners)
    return f"; the files are a mixture, {' and '.join(shares)}" if winners else ""


def _at(installation: Installation) -> Location:
    path = installation.path if installation.is_there else installation.owner.path
    return Location(subject=str(installation), path=path, in_prefix=True)


def _seen(installation: Installation, told: int, won: int) -> str:
    lies = installation.path if installation.is_there else f"{installation.path} is gone"
    count = f"; by size and hash, {won} of {told} disputed files are its own" if told else ""
    return f"{installation}: {lies}{count}"


def _shows_as(twins: Twins, *, is_replaced: bool) -> str:
    old, new = twins.installations[-1], twins.installations[0]
    if is_replaced:
        return (
            f"the code is that of {new}; conda counts on {old}, whose files are gone, and its next"
            " change to that package deletes or overwrites what pip has installed"
        )
    return (
        "`pip list`, `importlib.metadata` and `conda list` may name the version that is not the"
        " code's, and the next update or uninstall takes files of both"
    )


def _remedy(twins: Twins) -> str:
    conda = [i.owner for i in twins.installations if i.manager == "conda"]
    pip = [i.owner for i in twins.installations if i.manager == "pip"]
    gone = f"`pip uninstall {twins.key}` until pip finds none"
    if not conda:
        return f"{gone}, then `{installing_again(pip[-1])}`, or another version that is meant"
    return (
        f"keep conda's: {gone}, then `{installing_again(conda[0])}`; or keep pip's:"
        f" `{removing(conda[0])}`, then `{installing_again(pip[-1])}`"
    )
