"""The public API: each function is one sentence of the architecture."""

from __future__ import annotations

import os
from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from reconciler import __version__, catalog, rules
from reconciler import config as configuration
from reconciler.config import Config
from reconciler.errors import LoaderUnknownError, SelectionError, SnapshotError, TargetNotFoundError
from reconciler.judgement import judge
from reconciler.model.fix import Applicability
from reconciler.model.install_set import PLATFORMS
from reconciler.model.os_name import from_os
from reconciler.model.snapshot import SCHEMA, Choice, Fact, Gap, Snapshot, Target

__all__ = [
    "Choice",
    "Config",
    "aimed",
    "check",
    "configured",
    "fix",
    "judge",
    "load_snapshot",
    "look",
    "look_at_files",
    "recover",
    "relative",
    "save_snapshot",
    "scan",
    "selected_rules",
    "undo",
    "which",
    "whiches",
    "write",
]

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from reconciler.model.finding import Finding
    from reconciler.model.look import Tell
    from reconciler.model.plan import Repair
    from reconciler.model.report import Report, Written
    from reconciler.model.rule import RuleModule
    from reconciler.model.which import Which
    from reconciler.world import World


class _Schema(msgspec.Struct, frozen=True):
    """What must be known of a snapshot before the rest can be read."""

    schema: int


#: What only the machine around an environment can tell: left out by ``--no-host``.
HOST_FACTS = frozenset({Fact.DRIVER, Fact.GPUS, Fact.SURROUNDINGS, Fact.TOOLCHAIN, Fact.TOOLKITS})
#: What the project's files and the shell tell.
_OF_PROJECT = frozenset({Fact.MANIFESTS, Fact.VARIABLES, Fact.PYTHONPATH, Fact.PIP_OPTIONS})
#: What only an environment can tell: left out by ``--no-env``.
ENVIRONMENT_FACTS = frozenset(Fact) - HOST_FACTS - _OF_PROJECT
#: What only running code of the environment can tell: collected with ``--live`` alone.
LIVE_FACTS = frozenset({Fact.PIP_VIEW})


def look(  # noqa: PLR0913 - what is looked at, by name
    project: str,
    choice: Choice,
    environ: Mapping[str, str],
    *,
    host: bool = True,
    may_run: bool = False,
    sonames: Collection[str] = (),
    opened: Collection[str] = (),
    gpus: Sequence[str] = (),
    builds: bool = False,
    root: str = "",
    tell: Tell | None = None,
    facts: Collection[Fact] = frozenset(Fact),
) -> Snapshot:
    """Take a snapshot of a project and its environment; raises TargetNotFoundError.

    With ``may_run``, the environment's interpreter is started to hear its pip. Libraries of the
    With ``may_run``, the environment's interpreter is started to hear its pip. Libraries of the
    names ``sonames`` are looked for wherever the loader may, and those of the names or paths
    ``opened`` are opened by its model. What libraries have code for is read where
    there is a GPU, or for ``gpus`` such as ``sm_90``; compilers where files declare what is compiled, or
    with ``builds``. The machine's own files are looked for below ``root``, which tests make up. ``tell``
    hears what is read by now.
    """
    from reconciler import collect  # noqa: PLC0415 - a replayed snapshot needs no collectors
    from reconciler.collect.ground import EvidenceWanted, Ground  # noqa: PLC0415
    from reconciler.collect.prefixes import choose  # noqa: PLC0415

    known = catalog.load()
    ground = Ground(
        target=msgspec.structs.replace(
            choose(project, choice, environ), gpus=tuple(gpus), builds=builds
        ),
        directory=os.getcwd(),
        environ=environ,
        wanted=EvidenceWanted(
            libraries=known.evidence_libraries,
            library_paths=known.evidence_paths,
            texts=known.evidence_texts,
            imports=frozenset(known.import_names),
            providers=frozenset(chain.from_iterable(known.import_names.values())),
            sonames=frozenset((*known.loadings.sonames, *sonames)),
            opened=frozenset(opened),
            kernel_libraries=known.kernel_libraries,
            kernel_modules=known.kernel_modules,
            compiled=known.compiling.marks,
            loadings=known.loadings,
            windows=known.windows,
        ),
        root=root,
    )
    nothing: frozenset[Fact] = frozenset()
    left_out = (
        (nothing if host else HOST_FACTS)
        | (nothing if may_run else LIVE_FACTS)
        | (ENVIRONMENT_FACTS if choice.no_env else nothing)
    )
    return collect.collect(ground, {*facts} - left_out, envfix=__version__, tell=tell)


def look_at_files(project: str, files: Sequence[str], *, platforms: Sequence[str] = ()) -> Snapshot:
    """Take a snapshot of declared files alone: paths relative to the project, or absolute.

    Nothing else of the machine is read. Without ``platforms`` they are judged for each platform
    that they may be installed on.
    """
    from reconciler.collect import discovery, manifest_files  # noqa: PLC0415 - a replay reads none
    from reconciler.collect.ground import EvidenceWanted, Ground  # noqa: PLC0415

    folder = os.path.realpath(project)
    asked: dict[str, None] = {}
    gaps: tuple[Gap, ...] = ()
    for path in files:
        full = os.path.join(folder, path)
        if not os.path.lexists(full):
            raise TargetNotFoundError("no such file", where=path, next_step="give files that exist")
        name = relative(full, folder)
        if not os.path.isdir(full):
            asked[name] = None
            continue
        found = discovery.find(full)
        asked |= dict.fromkeys(os.path.normpath(f"{name}/{below}") for below in found.value)
        gaps += found.gaps
    target = Target(
        project=folder,
        platform=(*platforms, *PLATFORMS)[0],
        platforms=tuple(platforms),
        # A folder without any is named itself, so that it does not pass for "all of the project".
        files=tuple(asked) or tuple(files),
        because="only declared files were asked for",
    )
    ground = Ground(target=target, environ={}, wanted=EvidenceWanted())
    blank = Snapshot(envfix=__version__, target=target, asked=(Fact.MANIFESTS,), gaps=gaps)
    if not asked:
        return blank
    read = manifest_files.collect(ground, blank)
    return msgspec.structs.replace(blank, manifests=read.value, gaps=gaps + read.gaps)


def relative(full: str, folder: str) -> str:
    """Return a path as a report shows it: relative where it lies in the project."""
    path = os.path.normpath(full)
    inside = path == folder or path.startswith(f"{folder}{os.sep}")
    return from_os(os.path.relpath(path, folder) if inside else path).replace(os.sep, "/")


def configured(project: str) -> Config:
    """Return the user's settings for a project; raises ConfigError."""
    return configuration.load(project, rules.all_rules())


def aimed(  # noqa: PLR0913 - what is aimed at, by name
    snapshot: Snapshot,
    platforms: Sequence[str],
    cuda: str,
    *,
    driver: str | None = None,
    gpus: Sequence[str] = (),
    builds: bool = False,
) -> Snapshot:
    """Return a snapshot whose declared files are judged for these platforms, and this CUDA.

    Where nothing is said, it stays for those that it was taken for. With a driver or GPUs, all of
    it is judged for another machine, which has these; with ``builds``, as one that is to compile.
    """
    before = snapshot.target
    target = msgspec.structs.replace(
        before,
        platforms=tuple(platforms) or before.platforms,
        cuda=before.cuda if cuda == "auto" else cuda,
        driver=driver or before.driver,
        gpus=tuple(gpus) or before.gpus,
        builds=builds or before.builds,
    )
    if platforms and target.prefix is None:
        target = msgspec.structs.replace(target, platform=platforms[0])
    given = {Fact.DRIVER} if target.driver else set()
    given |= {Fact.GPUS} if target.gpus else set()
    gaps = tuple(gap for gap in snapshot.gaps if gap.fact not in given)
    if target.builds and not before.builds and snapshot.toolchain is None:
        reason = "no compiler was looked at as this was taken; take it again with --build"
        gaps = (*gaps, Gap(fact=Fact.TOOLCHAIN, reason=reason))
    return msgspec.structs.replace(
        snapshot,
        target=target,
        # what the user says needs no look at this machine
        asked=(*snapshot.asked, *(fact for fact in Fact if fact in given - {*snapshot.asked})),
        gaps=gaps,
    )


def scan(
    snapshot: Snapshot,
    *,
    select: Collection[str] = (),
    ignore: Collection[str] = (),
    config: Config | None = None,
    with_loads: bool = False,
) -> Report:
    """Judge a snapshot by the selected rules; raises SelectionError.

    What is given here wins over the settings: a rule that is selected here is not ignored there.
    ``with_loads`` asks, too, what the environment's loader maps.
    """
    config = config or Config()
    modules = selected_rules(select or config.settings.select, ignore)
    paths = [manifest.path for manifest in snapshot.manifests]
    ignores = config.ignores(snapshot.target.project, paths)
    wishes = [i for i in ignores if not select or i.path is not None]
    return judge(snapshot, modules, catalog.load(), wishes, with_loads=with_loads)


def check(
    snapshot: Snapshot,
    *,
    select: Collection[str] = (),
    ignore: Collection[str] = (),
    config: Config | None = None,
) -> Report:
    """Judge declared files; what lies in files that were not asked about is read, not reported."""
    report = scan(snapshot, select=select, ignore=ignore, config=config)
    asked = {*snapshot.target.files}
    if not asked:
        return report
    return msgspec.structs.replace(
        report,
        findings=tuple(f for f in report.findings if _places(f) & asked),
        ignored=tuple(i for i in report.ignored if _places(i.finding) & asked),
    )


def _places(finding: Finding) -> frozenset[str | None]:
    return frozenset((finding.at.path, *(place.path for place in finding.related)))


def fix(
    snapshot: Snapshot,
    *,
    unsafe: bool = False,
    select: Collection[str] = (),
    ignore: Collection[str] = (),
    config: Config | None = None,
) -> Repair:
    """Make the fixes of what ``check`` finds in files, or ``scan`` in a project, in memory alone."""
    from reconciler.rehearsal import rehearse  # noqa: PLC0415 - a scan changes nothing

    config = config or Config()
    # The harm that a fix does may be what nobody has selected; that an environment is not yet what
    # its file has become is no harm.
    all_selected = msgspec.structs.replace(
        config, settings=msgspec.structs.replace(config.settings, select=())
    )

    def watch(seen: Snapshot) -> Report:
        files = Snapshot(
            envfix=seen.envfix,
            target=seen.target,
            asked=(Fact.MANIFESTS,),
            manifests=seen.manifests,
        )
        return scan(files, ignore=ignore, config=all_selected)

    return rehearse(
        snapshot,
        Applicability.UNSAFE if unsafe else Applicability.SAFE,
        judge=lambda seen: check(seen, select=select, ignore=ignore, config=config),
        watch=watch,
    )


def which(snapshot: Snapshot, soname: str) -> Which:
    """Tell which file a soname means in an environment; raises LoaderUnknownError."""
    return next(whiches(snapshot, (soname,)))


def whiches(snapshot: Snapshot, sonames: Iterable[str]) -> Iterator[Which]:
    """Tell it of several sonames, the environment being started once; raises LoaderUnknownError."""
    from reconciler.builds import which as answers  # noqa: PLC0415 - a scan asks for none
    from reconciler.builds import windows_which  # noqa: PLC0415
    from reconciler.world import World  # noqa: PLC0415

    world = World(snapshot, catalog.load())
    if world.windows is not None:
        yield from (windows_which.which(world.windows, soname) for soname in sonames)
        return
    loading = world.loading
    if loading is None:
        facts = {Fact.LOADER, Fact.WINDOWS_LOADER}
        reasons = (gap.reason for gap in snapshot.gaps if gap.fact in facts and not gap.item)
        raise LoaderUnknownError(
            next(reasons, _unknown_loader(snapshot)),
            where=snapshot.target.prefix or snapshot.target.project,
            next_step="name an environment of Linux or Windows with -p or -n",
        )
    yield from (answers.which(loading, soname) for soname in sonames)


def _unknown_loader(snapshot: Snapshot) -> str:
    platform = snapshot.target.platform
    if platform.startswith("win"):
        return "nothing in this environment uses CUDA, so that none of its DLLs was looked at"
    return f"no model of the loader of {platform}"


def recover(project: str) -> Written:
    """Answer a crash of an earlier run that wrote; raises WriteError."""
    from reconciler import apply  # noqa: PLC0415 - a scan writes nothing

    return apply.recover(os.path.abspath(project))


def write(repair: Repair) -> Written:
    """Write the files of a repair, all of them or none; raises WriteError."""
    from reconciler import apply  # noqa: PLC0415 - a scan writes nothing
    from reconciler.collect import rereading  # noqa: PLC0415

    project = repair.before.target.project
    return apply.commit([rereading.change_of(project, file) for file in repair.files], project)


def selected_rules(
    select: Collection[str], ignore: Collection[str]
) -> tuple[RuleModule[World], ...]:
    """Return the rules whose codes begin with one of ``select`` and with none of ``ignore``."""
    for code in (*select, *ignore):
        if not any(known.startswith(code) for known in rules.modules()):
            near = rules.nearest(code)
            meant = f"did you mean {near}? " if near else ""
            raise SelectionError(
                "no rule has this code", where=code, next_step=f"{meant}`envfix rule` lists them"
            )
    return tuple(
        rules.rule(code)
        for code in rules.modules()
        if (not select or code.startswith(tuple(select))) and not code.startswith(tuple(ignore))
    )


def undo(project: str) -> Written:
    """Bring back the files that the last repair of a project wrote; raises WriteError."""
    from reconciler import apply  # noqa: PLC0415 - a scan writes nothing

    return apply.undo(os.path.abspath(project))


def save_snapshot(snapshot: Snapshot) -> bytes:
    """Return a snapshot as JSON."""
    return msgspec.json.format(msgspec.json.encode(snapshot), indent=1) + b"\n"


def load_snapshot(raw: bytes, *, where: str) -> Snapshot:
    """Return the snapshot in a file's bytes; raises SnapshotError."""
    try:
        schema = msgspec.json.decode(raw, type=_Schema).schema
        if schema != SCHEMA:
            raise SnapshotError(
                f"a snapshot of schema {schema}",
                where=where,
                next_step=f"take it again with this envfix, which reads schema {SCHEMA}",
            )
        return msgspec.json.decode(raw, type=Snapshot)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise SnapshotError(
            f"not a snapshot of envfix: {error}",
            where=where,
            next_step="`envfix scan --save-snapshot FILE` makes one",
        ) from error
