"""What an environment's activation has to change: proposed only where the model proves it.

Each need is played again with the variables that the hook would give. It is a need only if what failed
then works, and nothing else is worse: no start fails that did not, no file takes another's place, no
library is mapped twice.
"""

from __future__ import annotations

import posixpath
from functools import cached_property
from typing import TYPE_CHECKING

from reconciler.builds.import_needs import PYTHONPATH, USER_SITE, import_needs
from reconciler.builds.proof import Trial, trial
from reconciler.model.fix import Applicability, Fix
from reconciler.model.hook import (
    HookChange,
    PrependPath,
    Reason,
    RemoveElement,
    SetVariable,
)
from reconciler.model.hook_variables import changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.builds.loading import Loading
    from reconciler.builds.mending import Mending
    from reconciler.model.catalog import Catalog
    from reconciler.model.cuda import CudaBuild
    from reconciler.model.hook import HookVariable
    from reconciler.model.missing import Missing
    from reconciler.model.snapshot import Snapshot
    from reconciler.model.which import Situation

PATHS, FLAGS = "LD_LIBRARY_PATH", "XLA_FLAGS"
#: What is found may itself need what nothing leads to.
_MOST_ROUNDS = 6
_DATA_DIR = "--xla_gpu_cuda_data_dir="


class Hooking:
    """The needs of one environment that activation can answer."""

    def __init__(
        self,
        snapshot: Snapshot,
        loading: Loading | None,
        catalog: Catalog,
        mending: Mending,
        builds: Sequence[CudaBuild],
    ) -> None:
        self._snapshot = snapshot
        self._loading = loading
        self._catalog = catalog
        self._mending = mending
        self._builds = builds
        self._prefix = snapshot.target.prefix or ""

    @property
    def fixes(self) -> tuple[Fix, ...]:
        """Every change of activation that is proven to be needed."""
        found = (self.libraries, *self.captured.values(), self.libdevice, *self.imports.values())
        return tuple(fix for fix in found if fix)

    def for_missing(self, missing: Iterable[Missing]) -> Fix | None:
        """Return the fix that leads the loader to libraries which a finding is about."""
        served = {(one.title, one.soname) for one in self._wanted}
        asked = {(one.title, one.soname) for one in missing}
        return self.libraries if asked and asked <= served else None

    @cached_property
    def libraries(self) -> Fix | None:
        """The narrowest directories of the environment that serve what is asked for in vain."""
        loading, shell = self._loading, self._activated
        if loading is None or shell is None or not self._is_free(PATHS):
            return None
        wanted = self._wanted
        directories = self._narrowed(loading, shell, wanted, self._gathered(loading, shell, wanted))
        if not directories:
            return None
        titles = " and ".join(dict.fromkeys(one.title for one in wanted))
        names = ", ".join(dict.fromkeys(one.soname for one in wanted))
        is_condas = all(one.is_condas_alone for one in wanted)
        return _fix(
            f"have the activation lead the loader to {names}",
            PrependPath(name=PATHS, directories=tuple(directories)),
            code="VIS301" if is_condas else "ELF501",
            why=f"{titles} asks for {names}, and nothing else leads the loader there",
            proof=(f"with {' and '.join(directories)} on {PATHS}, {titles} starts",),
            # A call in the program does the same for it alone.
            applicability=Applicability.UNSAFE
            if all(one.preload_call for one in wanted)
            else Applicability.SAFE,
        )

    @property
    def refusals(self) -> tuple[str, ...]:
        """Why no directory is proposed for what is asked for in vain, each a sentence."""
        loading = self._loading
        if loading is None or self.libraries is not None:
            return ()
        asked = [one for one in loading.missing if one.is_worth_saying and one.copies]
        return tuple(dict.fromkeys(self._refusal(loading, one) for one in asked))

    def _refusal(self, loading: Loading, one: Missing) -> str:
        what = f"{one.title} asks for {one.soname} in vain"
        if "activated" not in one.shells:
            return f"{what}, but not where the environment is activated"
        if one.after:
            return f"{what}, unless {one.after[0]} is imported before it, which finds it"
        return f"{what}, and {self._obstacle(loading, one)}"

    def _obstacle(self, loading: Loading, one: Missing) -> str:
        if self._activated is None:
            return f"what {PATHS} is after an activation is not known"
        if not self._is_free(PATHS):
            return f"the environment's own activation sets {PATHS}: mend that first"
        if not self._directory(one):
            return "no folder of the environment that holds CUDA alone has it"
        if one not in self._wanted:
            return "a package that brings it where it is looked for is better"
        directories = [self._directory(each) for each in self._wanted]
        worse = self._with(loading, self._activated, directories).worse
        return f"{worse[0] if worse else 'no folder is enough'} with a hook"

    @cached_property
    def _wanted(self) -> tuple[Missing, ...]:
        missing = self._loading.missing if self._loading else ()
        return tuple(one for one in missing if self._is_wanted(one))

    @cached_property
    def captured(self) -> dict[tuple[str, str], Fix]:
        """By variable and element: what is to be taken out of a variable that the shell has."""
        loading, shell = self._loading, self._activated
        found: dict[tuple[str, str], Fix] = {}
        if loading is None or shell is None:
            return found
        for one in loading.captures:
            key = one.variable, one.entry
            is_ours = one.variable == PATHS and one.situation.is_normal_use and self._is_free(PATHS)
            if not one.is_harmful or not is_ours or key in found or not _is_element(one.entry):
                continue
            variable = RemoveElement(name=PATHS, directory=one.entry)
            after = self._trial(loading, shell, (variable,))
            if after.worse or any(c.entry == one.entry for c in after.after.captures):
                continue
            found[key] = _fix(
                f"have the activation take `{one.entry}` out of {PATHS}",
                variable,
                code="PTH404",
                why=f"{one.entry} puts another {one.link.soname} in the place of"
                f" {one.due.owner.title if one.due.owner else one.due.path}'s",
                proof=(f"without it {one.started} maps {one.due.path}",),
                applicability=Applicability.UNSAFE,
            )
        return found

    @cached_property
    def libdevice(self) -> Fix | None:
        """The folder of the environment in which XLA finds libdevice, where it looks in no such."""
        loading, shell = self._loading, self._activated
        if loading is None or shell is None or shell.get(FLAGS) or not self._is_free(FLAGS):
            return None
        lacking = [run for run in loading.libdevice.lacking if run.situation.is_normal_use]
        for root in self._within(loading.libdevice.elsewhere) if lacking else ():
            variable = SetVariable(name=FLAGS, value=_DATA_DIR, path=root)
            after = self._trial(loading, shell, (variable,))
            if after.worse or after.after.libdevice.lacking:
                continue
            titles = " and ".join(dict.fromkeys(run.title for run in lacking))
            return _fix(
                f"have the activation lead XLA to libdevice in {root or 'the environment'}",
                variable,
                code="VIS309",
                why=f"{titles} looks for libdevice where it is not",
                proof=(f"with {FLAGS}, it is found in {self._prefix}/{root}",),
            )
        return None

    @cached_property
    def imports(self) -> dict[str, Fix]:
        """What keeps the user site, or a foreign PYTHONPATH, from answering imports."""
        return {
            need.origin: _fix(
                need.title,
                need.variable,
                code=need.code,
                why=need.why,
                proof=need.proof,
                applicability=Applicability.SAFE
                if need.origin == USER_SITE
                else Applicability.UNSAFE,
            )
            for need in import_needs(self._snapshot, self._catalog)
            if self._is_free(need.variable.name) and not self._has_other_way(need.variable.name)
        }

    def _has_other_way(self, name: str) -> bool:
        """Tell whether conda itself is at hand to set a variable, which it also takes back."""
        is_condas = self._snapshot.target.kind == "conda" and name != PYTHONPATH
        return is_condas and self._mending.set_variable(name, "1", "") is not None

    @cached_property
    def _activated(self) -> Situation | None:
        """The shell after activation; None where what it would have is not known."""
        shells = self._loading.situations if self._loading else ()
        own = next((one for one in shells if one.is_normal_use), None)
        return own if own and not own.unknown else None

    def _is_free(self, name: str) -> bool:
        """Tell whether nothing else in the environment sets a variable as it is activated.

        Of two scripts that set one, the first that is taken back would bring the other's value.
        """
        state = self._snapshot.state
        if state is None:
            return True
        scripts = (step.variable for one in state.scripts for step in one.assignments)
        return name not in {*scripts, *(variable.name for variable in state.variables)}

    def _is_wanted(self, one: Missing) -> bool:
        if not one.is_worth_saying or one.after or "activated" not in one.shells:
            return False
        # To install what is missing where it is looked for is better than any variable.
        is_better = self._mending.extra_for((one,), self._builds)
        return not is_better and bool(self._directory(one))

    def _gathered(
        self, loading: Loading, shell: Situation, wanted: Sequence[Missing]
    ) -> list[str] | None:
        """Return directories with which all that is wanted is found; None where there are none."""
        directories: dict[str, None] = {}
        lacking = list(wanted)
        for _ in range(_MOST_ROUNDS if wanted else 0):
            more = [self._directory(one) for one in lacking]
            if not all(more):
                return None
            directories |= dict.fromkeys(more)
            after = self._with(loading, shell, list(directories))
            lacking = [one for one in after.after.missing if _is_same_start(one, wanted)]
            if not lacking:
                return list(directories)
        return None

    def _narrowed(
        self,
        loading: Loading,
        shell: Situation,
        wanted: Sequence[Missing],
        directories: list[str] | None,
    ) -> list[str]:
        """Return those of the directories without which it would not do; none where harm is done."""
        kept = list(directories or ())
        for one in kept if len(kept) > 1 else ():
            rest = [other for other in kept if other != one]
            lacking = self._with(loading, shell, rest).after.missing
            if not any(_is_same_start(each, wanted) for each in lacking):
                kept = rest
        if not kept:
            return []
        after = self._with(loading, shell, kept)
        failed = {run.title for run in after.after.alone if run.failures}
        return [] if after.worse or failed & {one.title for one in wanted} else kept

    def _with(self, loading: Loading, shell: Situation, directories: Sequence[str]) -> Trial:
        variables = (PrependPath(name=PATHS, directories=tuple(directories)),)
        return self._trial(loading, shell, variables if directories else ())

    def _trial(
        self, loading: Loading, shell: Situation, variables: Iterable[HookVariable]
    ) -> Trial:
        wanted = tuple(variables)
        changed = changes(wanted, dict(shell.variables), self._prefix)
        only_takes = all(isinstance(variable, RemoveElement) for variable in wanted)
        return trial(loading, shell, changed, only_takes=only_takes)

    def _directory(self, one: Missing) -> str:
        """Return the narrowest directory of the environment that has a library; "" where none does."""
        view, beginning = self._snapshot.loader, f"{self._prefix}/"
        listed = view.directories.items() if view else ()
        homes = {posixpath.dirname(copy.path) for copy in one.copies}
        found = [
            directory.removeprefix(beginning)
            for directory, names in listed
            if one.soname in names
            and directory.startswith(beginning)
            and (directory in homes or "/targets/" in directory)
            and self._is_narrow(directory, names)
        ]
        return min(found, key=lambda path: ("/nvidia/" not in path, len(path), path), default="")

    def _is_narrow(self, directory: str, names: Iterable[str]) -> bool:
        """Tell whether a directory has nothing but CUDA's own libraries: others would be captured."""
        if directory in {f"{self._prefix}/lib", f"{self._prefix}/lib64"} or self._loading is None:
            return False
        origins = self._loading.origins
        owners = (origins.of(f"{directory}/{name}") for name in names if ".so" in name)
        return all(
            (owner.kind, owner.package or "") in self._catalog.cuda_packages for owner in owners
        )

    def _within(self, roots: Iterable[str]) -> Iterator[str]:
        """Yield the folders that lie in the environment, relative to it."""
        for root in roots:
            if f"{root}/".startswith(f"{self._prefix}/"):
                yield root[len(self._prefix) + 1 :]


def _fix(  # noqa: PLR0913 - what a hook says of itself, by name
    title: str,
    variable: HookVariable,
    *,
    code: str,
    why: str,
    proof: tuple[str, ...],
    applicability: Applicability = Applicability.SAFE,
) -> Fix:
    change = HookChange(variables=(variable,), why=Reason(code=code, sentence=why), proof=proof)
    return Fix(title=title, applicability=applicability, hooks=(change,))


def _is_element(entry: str) -> bool:
    return bool(entry) and ":" not in entry and ";" not in entry


def _is_same_start(one: Missing, wanted: Iterable[Missing]) -> bool:
    return one.is_worth_saying and any(one.title == other.title for other in wanted)
