"""What is asked of the solver, and what its answers mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.model.conda_spec import CondaSpec
from reconciler.model.solution import (
    ChannelRecord,
    NoSolution,
    NotProven,
    Outcome,
    Solution,
    VirtualPackage,
)
from reconciler.solve import conflict
from reconciler.solve.channels import addresses, is_remote, masked
from reconciler.solve.worker import Answer, Request

if TYPE_CHECKING:
    from collections.abc import Iterator

Ask = Callable[[Request], Answer]


class Where(Struct, frozen=True, kw_only=True):
    """What all questions of a proof have in common."""

    channels: tuple[str, ...]
    platform: str
    virtual_packages: tuple[VirtualPackage, ...] = ()
    offline: bool
    #: Seconds.
    timeout: float
    strict: bool
    #: conda's channel_alias.
    alias: str
    #: The folder for repodata; None for the user's own.
    cache: str | None

    @property
    def urls(self) -> tuple[str, ...]:
        """The addresses of the channels, the first one first."""
        found = (addresses(channel, self.platform, self.alias) for channel in self.channels)
        return tuple(dict.fromkeys(url for urls in found for url in urls))

    @property
    def request(self) -> Request:
        """What every request says."""
        return Request(
            specs=(),
            channels=self.urls,
            platform=self.platform,
            virtual_packages=self.virtual_packages,
            strict=self.strict,
            offline=self.offline,
            cache=self.cache or _user_cache(),
            timeout=self.timeout,
        )


def outcome(ask: Ask, where: Where, specs: Sequence[str]) -> Outcome:
    """Return what comes of specs; raises InvalidCondaSpec."""
    wanted = tuple(CondaSpec.parse(spec) for spec in specs)
    spelled = tuple(dict.fromkeys(_spelled(spec, where) for spec in wanted))
    loose = _loose(wanted) if where.strict and len(where.urls) > 1 else ()
    answer = ask(replace(where.request, specs=spelled, loose=loose))
    if answer.failure is not None:
        return NotProven(platform=where.platform, why=_why(answer.failure, where))
    if answer.conflict is not None:
        return _no_solution(where.platform, answer.conflict, wanted)
    records = sorted(answer.records, key=lambda record: record.name)
    return Solution(platform=where.platform, records=tuple(records))


def released(
    ask: Ask, where: Where, names: Iterable[str]
) -> Mapping[str, tuple[ChannelRecord, ...]] | NotProven:
    """Return every record of each name that a solver may choose from."""
    asked = tuple(dict.fromkeys(names))
    if not asked:
        return {}
    answer = ask(replace(where.request, names=asked))
    if answer.failure is not None:
        return NotProven(platform=where.platform, why=_why(answer.failure, where))
    return {name: tuple(_eligible(name, answer.records, where)) for name in asked}


def _user_cache() -> str:
    from platformdirs import user_cache_path  # noqa: PLC0415 - for a solve alone

    return str(user_cache_path("envfix", appauthor=False) / "repodata")


def _spelled(spec: CondaSpec, where: Where) -> str:
    """Write a spec with brackets: ``n=2.*=cuda*``, which conda reads, py-rattler 0.28 refuses."""
    channel = addresses(spec.channel, where.platform, where.alias)[0] if spec.channel else None
    fields = {
        "version": spec.version,
        "build": spec.build,
        "build_number": spec.build_number,
        "channel": f"{channel}/" if channel else None,
        "subdir": spec.subdir,
    }
    pairs = ",".join(f"{key}='{value}'" for key, value in fields.items() if value is not None)
    return f"{spec.name}[{pairs}]" if pairs else spec.name


def _loose(wanted: Sequence[CondaSpec]) -> tuple[str, ...]:
    """Return the names whose every record must be read, for strict priority goes by the name.

    py-rattler 0.28 reads the records that a spec matches, and so takes ``pytorch=*=cuda118*`` from
    conda-forge though the pytorch channel comes first; conda does not. A spec that names its
    channel is above the priority.
    """
    return tuple(dict.fromkeys(spec.name for spec in wanted if spec.channel is None))


def _no_solution(platform: str, tree: str, wanted: Sequence[CondaSpec]) -> NoSolution:
    return NoSolution(
        platform=platform,
        conflict=masked(conflict.shorten(tree)),
        culprits=conflict.blamed(tree, {spec.name for spec in wanted}),
        is_absence=conflict.is_absence(tree),
    )


def _why(failure: str, where: Where) -> str:
    first = failure.strip().partition("\nCaused by: ")
    reason = first[2].rpartition("Caused by: ")[2].strip() or first[0]
    remote = [url for url in where.urls if is_remote(url)]
    if where.offline and remote:
        return masked(f"offline, and the repodata of {', '.join(remote)} is not cached")
    return masked(f"{first[0]}: {reason}" if reason != first[0] else reason)


def _eligible(name: str, records: Sequence[ChannelRecord], where: Where) -> Iterator[ChannelRecord]:
    """Yield the records of a name; under strict priority those of the first channel that has it."""
    mine = [record for record in records if record.name == name]
    # They come in the order of the channels.
    yield from (record for record in mine if not where.strict or record.channel == mine[0].channel)
