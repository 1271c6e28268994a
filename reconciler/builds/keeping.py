"""Which of several packages that exclude each other is meant, as far as the environment tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.builds.required import required_on
from reconciler.model.conda_spec import CondaSpec, InvalidCondaSpec
from reconciler.model.conda_version import InvalidCondaVersion
from reconciler.model.cuda import CudaBuild
from reconciler.model.distribution import Distribution, required_name
from reconciler.model.install_set import InstallSet
from reconciler.model.manifest import Section
from reconciler.model.owner import Owner, name_of, title_of
from reconciler.model.prefix import PrefixRecord
from reconciler.model.release_clause import clauses_of
from reconciler.model.row import numbers
from reconciler.model.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.installation import Installation, Twins


class Kept(Struct, frozen=True, kw_only=True):
    """The one to keep, and what tells so."""

    owner: Owner
    #: In words, to stand behind "since".
    because: str


class Keeping(Struct, frozen=True, kw_only=True):
    """What tells which of several packages is meant."""

    snapshot: Snapshot
    #: What is installed that has to do with CUDA, and the frameworks among it.
    builds: tuple[CudaBuild, ...]
    frameworks: tuple[CudaBuild, ...]
    #: The files that describe this environment.
    files: tuple[InstallSet, ...]

    def one_of(self, owners: Sequence[Owner]) -> Kept | None:
        """Return the one of several packages to keep; None where a person has to choose.

        What others need stays; of what nobody needs, the one that a file asks for, that is for the
        framework's CUDA, or that was asked for by name.
        """
        needed = {owner.path: user for owner in owners if (user := self._user_of(owner, owners))}
        for question in (self._asked_for, self._for_the_framework, self._by_name):
            told = [(o, because) for o in owners if (because := question(o, owners))]
            if told and not needed.keys() <= {owner.path for owner, _ in told}:
                return None
            if len(told) == 1:
                owner, because = told[0]
                if owner.path in needed:
                    because = f"{needed[owner.path]} requires it"
                return Kept(owner=owner, because=because)
        if len(needed) != 1:
            return None
        (owner,) = (owner for owner in owners if owner.path in needed)
        return Kept(owner=owner, because=f"{needed[owner.path]} requires it")

    def _user_of(self, owner: Owner, rivals: Sequence[Owner]) -> str:
        """Return a package that requires one of them; "" where none does."""
        names = {name_of(rival) for rival in rivals}
        if isinstance(owner, PrefixRecord):
            records = self.snapshot.records
            users = (r for r in records if r.name not in names and _depends_on(r, owner.name))
            return next(map(str, users), "")
        wheels = self.snapshot.distributions
        naming = (d for d in wheels if owner.key in {required_name(r) for r in d.requires})
        requiring = (
            d
            for d in naming
            if d.key not in names
            and owner.key in {required_name(r) for r in required_on(d, self.snapshot)}
        )
        return next(map(str, requiring), "")

    def _asked_for(self, owner: Owner, _: Sequence[Owner] = ()) -> str:
        section = Section.CONDA if isinstance(owner, PrefixRecord) else Section.PIP
        asking = (
            f"{install.path} asks for it"
            for install in self.files
            for line in install.requirements(section)
            if line.name == name_of(owner)
        )
        return next(asking, "")

    def _for_the_framework(self, owner: Owner, rivals: Sequence[Owner]) -> str:
        names = {name_of(rival) for rival in rivals}
        chiefs = [b for b in self.frameworks if b.major and b.package not in names]
        majors = {build.major for build in chiefs}
        own = {
            build.major
            for build in self.builds
            if build.package == name_of(owner)
            and (build.manager == "conda") == isinstance(owner, PrefixRecord)
        }
        is_told = len(majors) == 1 and own == majors
        return f"{chiefs[0]} is for CUDA {chiefs[0].major} too" if is_told else ""

    def _by_name(self, owner: Owner, _: Sequence[Owner]) -> str:
        asked = owner.requested if isinstance(owner, Distribution) else owner.requested_specs
        return "it was asked for by name" if asked else ""

    def twin_of(self, twins: Twins) -> Kept | None:
        """Return the installation of one distribution to keep; None where a person has to choose.

        That of conda, which its other packages count on, if all accept its version; else pip's,
        where no package of conda depends on conda's.
        """
        conda = [i for i in twins.installations if i.manager == "conda"]
        pip = [i for i in twins.installations if i.manager == "pip"]
        if not conda:
            fitting = [i for i in pip if not self._refusing(twins.key, i)]
            is_told = len({i.version for i in fitting}) == 1
            because = "all that requires it accepts that version"
            return Kept(owner=fitting[-1].owner, because=because) if is_told else None
        ours, theirs = conda[0].owner, pip[-1].owner
        user, refusing = self._user_of(ours, ()), self._refusing(twins.key, conda[0])
        asked = "" if self._asked_for(ours) else self._asked_for(theirs)
        if not (user or conda[0].is_there or self._asked_for(ours)):
            asked = asked or "its files are what is there, and nothing of conda needs the other"
        if not (refusing or asked):
            because = f"{user} depends on it" if user else "conda's solver counts on it"
            return Kept(owner=ours, because=because)
        if user or self._refusing(twins.key, pip[-1]):
            return None
        return Kept(owner=theirs, because=asked or f"{refusing} does not accept {title_of(ours)}")

    def _refusing(self, name: str, installation: Installation) -> str:
        """Return a package that does not accept that version; "" where all do."""
        release = numbers(installation.version)
        for wheel in self.snapshot.distributions:
            for requirement in wheel.requires:
                if required_name(requirement) != name or wheel.key == name:
                    continue
                is_asked = requirement.partition(";")[0].strip() in required_on(
                    wheel, self.snapshot
                )
                if is_asked and not all(c.allows(release) for c in clauses_of(requirement)):
                    return str(wheel)
        if isinstance(installation.owner, PrefixRecord):
            return next(self._unsatisfied(installation.owner), "")
        return ""

    def _unsatisfied(self, record: PrefixRecord) -> Iterator[str]:
        for other in self.snapshot.records:
            for text in other.depends:
                if text.partition(" ")[0] == record.name and not _matches(text, record):
                    yield str(other)

    def users_of(self, records: Sequence[PrefixRecord]) -> tuple[PrefixRecord, ...]:
        """Return the other packages of conda that depend on one of these."""
        names = {record.name for record in records}
        others = (record for record in self.snapshot.records if record.name not in names)
        return tuple(o for o in others if any(_depends_on(o, name) for name in names))


def _depends_on(record: PrefixRecord, name: str) -> bool:
    return any(text.partition(" ")[0] == name for text in record.depends)


def _matches(text: str, record: PrefixRecord) -> bool:
    try:
        return CondaSpec.parse(text).matches(record.version, record.build, record.build_number)
    except (InvalidCondaSpec, InvalidCondaVersion):
        return True
