"""How ld.so binds symbols after the files are chosen, and what it says of one that is not found.

After glibc's elf/dl-version.c (versions), elf/dl-lookup.c (scope and versions of symbols) and
elf/dl-reloc.c (what is bound when), as of glibc 2.30 and later. The texts are dlerror's.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

import msgspec

from reconciler.model.binding import Outcome, Unbound, Undefined, VersionMissing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from reconciler.loader.manner import Loaded
    from reconciler.loader.symbols import Symbols
    from reconciler.model.binding import Definition, Fault, FileVersions, Use, VersionNeed

#: In front of what ld.so says when an assertion of its own fails.
INCONSISTENT = "Inconsistency detected by ld.so: "
NO_PROVIDER = f"{INCONSISTENT}dl-version.c: Assertion `needed != NULL' failed!"
#: The file that a reference names has the symbol, and not one version.
NO_VERSIONS = (
    f"{INCONSISTENT}dl-lookup.c: check_match: Assertion `version->filename == NULL "
    "|| ! _dl_name_match_p (version->filename, map)' failed!"
)


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Where the symbols of newly mapped files are looked up."""

    #: The program and all that it needs, and what was opened with RTLD_GLOBAL.
    everyone: Sequence[Loaded]
    #: The library that is opened and all that it needs; empty while the program starts.
    own: Sequence[Loaded] = ()
    #: Each mapped file by each of its names.
    names: Mapping[str, Loaded]

    @property
    def files(self) -> Sequence[Loaded]:
        """All of them, in the order in which they are asked."""
        return tuple(dict.fromkeys((*self.everyone, *self.own)))


def closure(roots: Sequence[Loaded]) -> list[Loaded]:
    """Return the roots and all that they need, breadth first: a search list of ld.so."""
    found = dict.fromkeys(roots)
    queue = list(found)
    for one in queue:
        for needed in one.needs:
            if needed not in found:
                found[needed] = None
                queue.append(needed)
    return queue


def relocation_order(files: Sequence[Loaded]) -> list[Loaded]:
    """Return a search list in the order of relocation: what is needed comes before its user.

    The first file is the last one even if others need it: dl-sort-maps.c of glibc 2.37, and of
    2.35 and 2.36 as distributions have them. One before it may find another fault first.
    """
    done: dict[Loaded, None] = {}
    seen: set[Loaded] = set(files[:1])
    left = {one: iter(one.needs) for one in files}
    for root in reversed(files[1:]):
        stack = [root]
        while stack:
            one = stack[-1]
            seen.add(one)
            needed = next((other for other in left[one] if other not in seen), None)
            if needed is None:
                done.setdefault(stack.pop())
            else:
                stack.append(needed)
    return [*done, *files[:1]]


def faults(
    symbols: Symbols, mapped: Sequence[Loaded], scope: Scope, *, is_now: bool
) -> Iterator[Fault]:
    """Yield what fails as the files that were mapped are bound, in the loader's order.

    The loader goes no further than the first that is not ``Outcome.AT_CALL``. ``is_now`` tells of
    RTLD_NOW, or of LD_BIND_NOW in the environment.
    """
    new = set(mapped)
    for one in scope.own or mapped:
        if one in new:
            yield from missing_versions(symbols, one, scope.names)
    for one in relocation_order(scope.own or scope.everyone):
        if one in new:
            yield from unbound(symbols, one, scope, is_now=is_now)


def error_of(found: Iterable[Fault]) -> str | None:
    """Return what the loader says of the first that it does not go on from."""
    return next((fault.error for fault in found if fault.outcome is not Outcome.AT_CALL), None)


def missing_versions(
    symbols: Symbols, one: Loaded, names: Mapping[str, Loaded]
) -> Iterator[VersionMissing]:
    """Yield the versions that a file needs and that the files of these names do not define."""
    versions = symbols.versions(one.path)
    for need in versions.needed if versions else ():
        provider = names.get(need.file)
        if provider is None:
            yield VersionMissing(
                version=need.version,
                wanted_by=one.path,
                file=need.file,
                provider=None,
                outcome=Outcome.ENDS,
                error=NO_PROVIDER,
            )
        elif _lacks(symbols.versions(provider.path), need):
            yield _version_missing(need, one.path, provider.path)


def unbound(symbols: Symbols, one: Loaded, scope: Scope, *, is_now: bool) -> Iterator[Unbound]:
    """Yield the symbols that one file uses and that its scope does not define."""
    versions, asked = symbols.versions(one.path), symbols.undefined(one.path)
    search = _Search(symbols)
    unfound = search.unfound(asked or (), scope)
    left = [symbol for symbol in unfound if not symbol.weak or symbol in search.ending]
    if not left or versions is None:
        return
    lost = _Lost(one.path, scope, search, binds_now=is_now or versions.binds_now)
    by_key = {(symbol.name, symbol.version): symbol for symbol in left}
    for use in symbols.uses(one.path, left) or ():
        yield from lost.at(by_key[use.name, use.version], use)


def missing_between(
    symbols: Symbols, consumer: str, provider: str, soname: str
) -> tuple[Fault, ...] | None:
    """Return what a file binds to another of this soname and a candidate for it does not define.

    Without a process: what else is loaded might define a symbol, too. Only what was linked against
    versions tells from which file it comes; of a file without versions, such as NCCL's, the names
    that begin with its own do (``ncclCommRegister``). None where a file cannot be read.
    """
    wanted, defined = symbols.versions(consumer), symbols.versions(provider)
    asked = symbols.bound(consumer, soname)
    if wanted is None or defined is None or asked is None:
        return None
    if defined.defined is None:
        asked = (*asked, *_by_name(symbols.undefined(consumer) or (), soname))
    bound = [symbol for symbol in asked if not symbol.weak]
    definitions = symbols.define(provider, [symbol.name for symbol in bound])
    if definitions is None:
        return None
    lost = [one for one in bound if not _serves(definitions.get(one.name, ()), one, defined)]
    found: list[Fault] = [*(versions_between(symbols, consumer, provider, soname) or ())]
    uses = symbols.uses(consumer, lost) if lost else ()
    by_key = {(symbol.name, symbol.version): symbol for symbol in lost}
    for use in uses or ():
        symbol = by_key.pop((use.name, use.version), None)
        if symbol:
            lazy = use.is_lazy and not wanted.binds_now
            found.append(_unbound(symbol, consumer, provider, lazy=lazy))
    return tuple(found)


def _by_name(asked: Iterable[Undefined], soname: str) -> list[Undefined]:
    """Return what is asked of any file, and is of one by its name: ``libnccl.so.2`` has nccl*."""
    own = soname.removeprefix("lib").partition(".so")[0].partition("_")[0].lower()
    return [
        symbol for symbol in asked if symbol.file is None and symbol.name.lower().startswith(own)
    ]


def versions_between(
    symbols: Symbols, consumer: str, provider: str, soname: str
) -> tuple[Fault, ...] | None:
    """Return the versions that a file needs of this soname and a candidate does not define."""
    wanted, defined = symbols.versions(consumer), symbols.versions(provider)
    if wanted is None or defined is None:
        return None
    needs = (need for need in wanted.needed if need.file == soname)
    return tuple(_version_missing(n, consumer, provider) for n in needs if _lacks(defined, n))


class _Search:
    """The definitions of names in a scope."""

    def __init__(self, symbols: Symbols) -> None:
        self._symbols = symbols
        #: Which the program has a place of its own for, that data may have.
        self.stubbed: set[Undefined] = set()
        #: Over which the loader ends the process.
        self.ending: set[Undefined] = set()

    def unfound(self, wanted: Sequence[Undefined], scope: Scope) -> Collection[Undefined]:
        """Return the symbols that no file defines for a call; none where a file cannot be read."""
        left = wanted
        for one in scope.files:
            if not left:
                break
            found = self._symbols.define(one.path, {symbol.name for symbol in left})
            versions = self._symbols.versions(one.path)
            if found is None or versions is None:
                # it may define anything
                return tuple(self.ending)
            if found:
                left = [
                    symbol
                    for symbol in left
                    if not self._is_found(found.get(symbol.name, ()), symbol, versions, one)
                ]
        return left

    def _is_found(
        self,
        found: Sequence[Definition],
        symbol: Undefined,
        versions: FileVersions,
        one: Loaded,
    ) -> bool:
        if symbol in self.ending:
            return False
        if found and symbol.version and symbol.file in one.names and not versions.is_versioned:
            self.ending.add(symbol)
            return False
        if _serves([each for each in found if not each.is_stub], symbol, versions):
            return True
        if _serves(found, symbol, versions):
            self.stubbed.add(symbol)
        return False


@dataclass(frozen=True)
class _Lost:
    """What one file does not find."""

    path: str
    scope: Scope
    search: _Search
    _: KW_ONLY
    binds_now: bool

    def at(self, symbol: Undefined, use: Use) -> Iterator[Unbound]:
        """Yield what comes of one use of a symbol."""
        if symbol in self.search.stubbed and not use.needs_real:
            return
        provider = self.scope.names.get(symbol.file) if symbol.file else None
        lazy = use.is_lazy and not self.binds_now
        found = _unbound(symbol, self.path, provider.path if provider else None, lazy=lazy)
        if symbol in self.search.ending:
            outcome = Outcome.AT_CALL if lazy else Outcome.ENDS
            found = msgspec.structs.replace(found, outcome=outcome, error=NO_VERSIONS)
        yield found


def _lacks(versions: FileVersions | None, need: VersionNeed) -> bool:
    """Tell whether a version is missing; a file that defines none at all only warns."""
    if versions is None or versions.defined is None or need.weak:
        return False
    return need.version not in versions.defined


def _serves(found: Sequence[Definition], symbol: Undefined, versions: FileVersions) -> bool:
    """Tell whether a reference binds to one of a file's definitions: dl-lookup.c, check_match."""
    if not found or not versions.is_versioned:
        return bool(found)
    if symbol.version is not None:
        return any(
            one.version == symbol.version or (one.version is None and not one.is_hidden)
            for one in found
        )
    shown = [one for one in found if not one.is_hidden]
    return any(one.is_oldest for one in found) or len(shown) == 1


def _version_missing(need: VersionNeed, consumer: str, provider: str) -> VersionMissing:
    error = f"{provider}: version `{need.version}' not found (required by {consumer})"
    return VersionMissing(
        version=need.version, wanted_by=consumer, file=need.file, provider=provider, error=error
    )


def _unbound(symbol: Undefined, consumer: str, provider: str | None, *, lazy: bool) -> Unbound:
    version = f", version {symbol.version}" if symbol.version else ""
    return Unbound(
        symbol=symbol.name,
        version=symbol.version,
        wanted_by=consumer,
        expected_in=symbol.file,
        provider=provider,
        outcome=Outcome.AT_CALL if lazy else Outcome.REFUSED,
        error=f"{consumer}: undefined symbol: {symbol.name}{version}",
    )
