"""How what is installed is mended: fixes made of the commands of the user's own managers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from reconciler.builds.keeping import Keeping
from reconciler.builds.managers import Managers
from reconciler.builds.required import required_on
from reconciler.model.distribution import Distribution, required_name
from reconciler.model.fix import Applicability, Command, Fix
from reconciler.model.owner import title_of
from reconciler.model.prefix import PrefixRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.model.catalog import Catalog
    from reconciler.model.cuda import CudaBuild
    from reconciler.model.install_set import InstallSet
    from reconciler.model.installation import Twins
    from reconciler.model.missing import Missing
    from reconciler.model.owner import Owner
    from reconciler.model.snapshot import Snapshot


_EXTRA = r"""extra\s*==\s*["']([^"']+)["']"""
_TAKEN_ALONG = "what is removed owns files of the same paths, and takes them along"


class Mending(Struct, frozen=True, kw_only=True):
    """The fixes of what is installed, as rules give them.

    What may not be run here is shown (DISPLAY), with the reason in its title; so is what only a
    person can choose.
    """

    managers: Managers
    keeping: Keeping

    def fix(self, title: str, commands: Iterable[Command]) -> Fix:
        """Return a fix of commands, UNSAFE at best: what they change does not come back by itself."""
        commands = tuple(commands)
        if refusal := self.managers.refusal(commands):
            return Fix(
                title=f"{title}; left to you, since {refusal}",
                applicability=Applicability.DISPLAY,
                commands=commands,
            )
        return Fix(title=title, applicability=Applicability.UNSAFE, commands=commands)

    def choice(
        self, title: str, *, removes: Iterable[CudaBuild] = (), replaces: Iterable[CudaBuild] = ()
    ) -> Fix:
        """Return what is left to a person; the title says between what."""
        return Fix(
            title=title,
            applicability=Applicability.DISPLAY,
            removes=tuple(f"{build.manager}:{build.package}" for build in removes),
            replaces=tuple(f"{build.manager}:{build.package}" for build in replaces),
        )

    def again(self, owner: Owner, why: str) -> Fix:
        """Return the fix that writes the files of a package anew."""
        command = self.managers.installing_again(owner, why)
        return self.fix(f"install {title_of(owner)} again", (command,))

    def one_of(self, owners: Sequence[Owner]) -> Fix:
        """Return the fix that keeps one of several packages which install the same files."""
        kept = self.keeping.one_of(owners)
        if kept is None:
            return self.choice(f"keep one: {' or '.join(map(title_of, owners))}")
        # Conda's own packages do not exclude each other.
        is_record = isinstance(kept.owner, PrefixRecord)
        stay = [o for o in owners if o is kept.owner or (is_record and isinstance(o, PrefixRecord))]
        gone = [owner for owner in owners if all(owner is not other for other in stay)]
        return self.fix(
            f"keep {title_of(kept.owner)}, since {kept.because}",
            (
                *(self._going(owner, f"{title_of(kept.owner)} stays") for owner in gone),
                *(self.managers.installing_again(owner, _TAKEN_ALONG) for owner in stay),
            ),
        )

    def _going(self, owner: Owner, why: str) -> Command:
        return self.managers.removing(owner, f"{title_of(owner)} goes, since {why}")

    def twin_of(self, twins: Twins) -> Fix:
        """Return the fix that leaves one installation of a distribution."""
        kept = self.keeping.twin_of(twins)
        if kept is None:
            return self.choice(f"keep one: {' or '.join(map(str, twins.installations))}")
        wheels = [i.owner for i in twins.installations if i.manager == "pip"]
        records = [i.owner for i in twins.installations if i.manager == "conda"]
        # Of two, pip uninstalls whichever it meets first: conda's has to be gone before that.
        times = sum(i.is_there for i in twins.installations if i.manager == "pip")
        why = f"{twins.key} is to be there once; {title_of(kept.owner)} is installed again below"
        return self.fix(
            f"keep {title_of(kept.owner)}, since {kept.because}",
            (
                *(self.managers.removing(record, why) for record in records),
                self.managers.removing(wheels[0], why, times=times),
                self.managers.installing_again(kept.owner, _TAKEN_ALONG),
            ),
        )

    def without(
        self, title: str, gone: Sequence[Owner], why: str, sharing: Sequence[Owner] = ()
    ) -> Fix:
        """Return the fix that removes packages, and brings back what goes along with them."""
        if users := self.keeping.users_of([o for o in gone if isinstance(o, PrefixRecord)]):
            names = ", ".join(map(title_of, users[:3]))
            choice = self.choice(f"{title}; left to you, since {names} depends on it")
            return structs.replace(choice, removes=tuple(map(_named, gone)))
        return self.fix(
            title,
            (
                *(self._going(owner, why) for owner in gone),
                *(self.managers.installing_again(owner, _TAKEN_ALONG) for owner in sharing),
            ),
        )

    def owners_of(self, builds: Iterable[CudaBuild]) -> tuple[Owner, ...]:
        """Return the installed packages that builds are of."""
        keys = {(build.manager, build.package) for build in builds}
        snapshot = self.managers.snapshot
        return (
            *(record for record in snapshot.records if ("conda", record.name) in keys),
            *(d for d in snapshot.distributions if ("pip", d.key) in keys),
        )

    def install(self, requirement: str, why: str) -> Fix:
        """Return the fix that lets pip install a requirement, and what that requires."""
        return self.fix(f"install {requirement}", (self._installing(requirement, why),))

    def install_alone(self, requirements: Sequence[str], why: str) -> Fix:
        """Return the fix that lets pip install exact versions, and nothing that they require."""
        commands = (self._installing(each, why, is_forced=True) for each in requirements)
        return self.fix(f"install {' and '.join(requirements)}", commands)

    def exchange(self, build: CudaBuild, requirement: str, why: str) -> Fix:
        """Return the fix that puts another build of a wheel, with what it requires, in its place."""
        gone = (self.managers.removing(owner, why) for owner in self.owners_of((build,)))
        return self.fix(f"install {requirement}", (*gone, self._installing(requirement, why)))

    def _installing(self, requirement: str, why: str, *, is_forced: bool = False) -> Command:
        name, version = required_name(requirement), requirement.rpartition("==")[2]
        arguments = (*self.managers.index_of(name, version), requirement)
        return self.managers.installing(arguments, why, name, is_forced=is_forced)

    def bring(self, build: CudaBuild, requirement: str, why: str) -> Fix:
        """Return the fix that lets a package's manager install what is required of it.

        What another wheel pins of it is taken before all.
        """
        if build.manager == "pip":
            pin = self.pinned(build.package)
            if pin.rpartition("==")[2] == build.version:
                return self.choice(f"take {requirement}, or leave out what requires {pin}")
            return self.install(pin or requirement, why)
        records = self.managers.snapshot.records
        record = next(record for record in records if record.name == build.package)
        return self.solve((requirement,), record, why)

    def solve(self, specs: Sequence[str], record: PrefixRecord, why: str) -> Fix:
        """Return the fix that lets conda solve for specs, in the channel of a package."""
        command = self.managers.installing_specs(specs, record, why)
        return self.fix(f"let conda install {' and '.join(specs)}", (command,))

    def set_variable(self, name: str, value: str, why: str) -> Fix | None:
        """Return the fix that lets conda set a variable; None where another manager is at hand."""
        if self.managers.of_conda != "conda":
            return None
        command = self.managers.setting(name, value, why)
        return self.fix(f"set {name}={value} whenever this environment is activated", (command,))

    def extras_of(self, build: CudaBuild) -> Mapping[str, frozenset[str]]:
        """Return the normal names of what each extra of a wheel requires exactly."""
        found: dict[str, set[str]] = {}
        for owner in self.owners_of((build,)):
            for requirement in owner.requires if isinstance(owner, Distribution) else ():
                line, _, marker = requirement.partition(";")
                extra = re.search(_EXTRA, marker)
                if extra and "==" in line:
                    found.setdefault(extra[1], set()).add(required_name(line))
        return {extra: frozenset(names) for extra, names in found.items()}

    def extra_for(self, missing: Sequence[Missing], builds: Iterable[CudaBuild]) -> str:
        """Return the requirement that brings what a wheel misses, where it looks; "" where none does.

        It is the wheel's own, with an extra: ``tensorflow[and-cuda]==2.15.1``.
        """
        users = {(one.user.kind, one.user.package) for one in missing}
        build = next((b for b in builds if users == {(b.manager, b.package)}), None)
        if build is None or not build.major or not all(one.looks_in_wheels for one in missing):
            return ""
        catalog, major = self.managers.catalog, build.major
        wheels = {catalog.wheel_of(one.component, major) for one in missing}
        extras = (extra for extra, names in self.extras_of(build).items() if wheels <= names)
        extra = next(extras, None)
        return f"{build.package}[{extra}]=={build.version}" if extra else ""

    def pinned(self, name: str) -> str:
        """Return what an installed wheel requires of another exactly; "" where none does."""
        snapshot = self.managers.snapshot
        pins = (
            requirement
            for wheel in snapshot.distributions
            if name in {required_name(r) for r in wheel.requires}
            for requirement in required_on(wheel, snapshot)
            if required_name(requirement) == name and "==" in requirement
        )
        return next(pins, "")


def _named(owner: Owner) -> str:
    """Return a package as ``Command.packages`` names it."""
    if isinstance(owner, PrefixRecord):
        return f"conda:{owner.name}"
    return f"pip:{owner.key}"


def mending_of(
    snapshot: Snapshot,
    catalog: Catalog,
    builds: tuple[CudaBuild, ...],
    frameworks: tuple[CudaBuild, ...],
    files: tuple[InstallSet, ...],
) -> Mending:
    """Return how one environment is mended; ``files`` are those that describe it."""
    return Mending(
        managers=Managers(snapshot=snapshot, catalog=catalog),
        keeping=Keeping(snapshot=snapshot, builds=builds, frameworks=frameworks, files=files),
    )
