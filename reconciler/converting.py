"""Conversion of what a project's files ask for: the files, and what is known of their lines, joined."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler import apply, manifests
from reconciler.builds import declared
from reconciler.collect import files, manifest_files, rereading
from reconciler.convert import (
    Wish,
    edits,
    environment_yml,
    installed,
    pixi_toml,
    to_pip,
    to_requirements,
)
from reconciler.convert import convert as convert_manifests
from reconciler.errors import EnvfixError, WriteError
from reconciler.manifests import rewriting
from reconciler.model.conversion import NOT_ASKED, Conversion, Rendition
from reconciler.model.host import DriverRelease
from reconciler.model.install_set import PLATFORMS
from reconciler.model.manifest import FaultKind, Manifest
from reconciler.model.plan import FileRepair
from reconciler.model.report import FileChange
from reconciler.model.solution import Status
from reconciler.world import World

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.model.catalog import Catalog
    from reconciler.model.report import Written
    from reconciler.model.snapshot import Snapshot

#: Gives a conversion of some files with what a solver says of it.
Prove = Callable[[Conversion, Sequence[Manifest]], Conversion]

#: How much of a line at fault is shown.
LONGEST = 80
# What stands in an address where a secret stood.
_MASKED = re.compile(r"://[^/\s]*\*[^/\s]*@")
#: The file that each kind of conversion comes to.
NAMES = {"conda": "environment.yml", "pixi": "pixi.toml", "pip": "requirements.txt"}


class Form(Struct, frozen=True, kw_only=True):
    """What a conversion is to come to."""

    #: A key of ``NAMES``.
    to: str = "conda"
    #: ``X.Y``, ``none`` or ``auto``.
    cuda: str = "auto"
    #: The release of the target's driver, such as 550; "" where that is not said.
    driver: str = ""
    #: Whether each line of the file has its reason.
    comments: bool = False


def convert(
    snapshot: Snapshot,
    sources: Sequence[str],
    catalog: Catalog,
    form: Form,
    prove: Prove | None = None,
) -> Rendition:
    """Convert the files that were asked for, with what they include; raises EnvfixError."""
    target = snapshot.target
    read = {manifest.path: manifest for manifest in snapshot.manifests}
    read |= {path: _as_requirements(target.project, path) for path in sources if path not in read}
    given = [read[path] for path in sources]
    _check(given)
    wish = Wish(
        sources=tuple(sources),
        name=_named(given) or os.path.basename(target.project),
        platforms=target.platforms or given[0].platforms or PLATFORMS[:1],
        cuda=form.cuda,
        driver=DriverRelease.known(form.driver),
    )
    convert_to = to_requirements if form.to == "pip" else convert_manifests
    made = convert_to(
        tuple(read.values()),
        wish,
        lambda one: tuple(declared.builds(one, catalog, one.platform)),
        catalog,
    )
    unread = tuple(f"{gap.item} is not part of it: {gap.reason}" for gap in snapshot.gaps)
    made = replace(made, notes=(*made.notes, *unread, *_faults(read.values())))
    return _rendition(_proven(made, tuple(read.values()), form, prove), given, form)


def _proven(
    made: Conversion, manifests: Sequence[Manifest], form: Form, prove: Prove | None
) -> Conversion:
    if form.to == "pip":
        return replace(made, unproven="a solver of conda does not judge what pip is asked for")
    return prove(made, manifests) if prove else replace(made, unproven=NOT_ASKED)


def _faults(read: Iterable[Manifest]) -> Iterator[str]:
    """Yield what of the files their own tool refuses, drops or misreads: it is not converted."""
    for manifest in read:
        for fault in manifest.faults:
            text = fault.text if len(fault.text) <= LONGEST else f"{fault.text[:LONGEST]}..."
            yield f"{manifest.path}:{fault.line} {text!r} is at fault: {fault.why}"


def convert_installed(
    snapshot: Snapshot,
    catalog: Catalog,
    form: Form,
    platforms: Sequence[str],
    prove: Prove | None = None,
) -> Rendition:
    """Convert what somebody has asked for in an installed environment."""
    target, world = snapshot.target, World(snapshot, catalog)
    wheels = [wheel for named in world.wheels.values() for wheel in named]
    path = os.path.basename(target.prefix or "") or "environment"
    manifest = installed.as_manifest(
        path, snapshot.records, wheels, snapshot.python, catalog.naming
    )
    asked = {line.name for line in manifest.declared}
    # What is there tells its CUDA better than any line; what came along has not been asked for.
    found = [b for b in world.builds if b.manager == "pip" or b.package in asked]
    wish = Wish(
        sources=(path,),
        name=path,
        platforms=tuple(platforms) or (target.platform,),
        cuda=form.cuda,
        driver=DriverRelease.known(form.driver),
    )
    convert_to = to_requirements if form.to == "pip" else convert_manifests
    made = convert_to((manifest,), wish, lambda _: found, catalog)
    return _rendition(_proven(made, (manifest,), form, prove), [manifest], form)


def _rendition(conversion: Conversion, sources: Sequence[Manifest], form: Form) -> Rendition:
    """Write the file that a conversion comes to.

    An environment.yml that is the only source is edited, and keeps its comments; where an edit of
    it cannot be made with certainty, the file is written anew.
    """
    notes = conversion.notes
    if form.to == "conda" and len(sources) == 1 and sources[0].format == "environment_yml":
        source = sources[0]
        rewritten = rewriting.rewrite(source, edits.edits(conversion, source))
        if not rewritten.held:
            after, rounds = rewritten.manifest.text, (rewritten.splices,)
            file = FileRepair(path=source.path, before=source.text, after=after, rounds=rounds)
            return Rendition(conversion=conversion, file=file, is_edited=True)
        notes += (f"it is written anew, without its comments: {rewritten.held[0][1]}",)
    platform = conversion.platforms[0]
    texts = {
        "conda": lambda: environment_yml.render(conversion, platform, comments=form.comments),
        "pixi": lambda: pixi_toml.render(conversion),
        "pip": lambda: to_pip.render(conversion),
    }
    text = texts[form.to]()
    if _MASKED.search(text):
        notes += ("credentials are not copied: fill them in where asterisks stand",)
    file = FileRepair(path=NAMES[form.to], before="", after=text, rounds=())
    told = replace(conversion, notes=notes)
    return Rendition(conversion=told, file=file, is_edited=False)


def _named(sources: Iterable[Manifest]) -> str:
    """Return the name that one of the files gives its environment."""
    return next((name for source in sources for name in source.environments if "/" not in name), "")


def _as_requirements(project: str, path: str) -> Manifest:
    """Read a file that is no manifest by name and form as a list of requirements."""
    if not path.endswith((".txt", ".in")):
        raise EnvfixError(
            "not a file of requirements that envfix reads",
            where=path,
            next_step="give requirements.txt, pyproject.toml or environment.yml",
        )
    try:
        written = manifest_files.read_text(os.path.join(project, path))
    except files.UnreadableError as error:
        raise EnvfixError(str(error), where=path, next_step="give a text file") from error
    return replace(manifests.read("requirements_txt", path, written), format="requirements_txt")


def _check(sources: Iterable[Manifest]) -> None:
    """Raise EnvfixError for a file that is no source, or of which nothing can be read."""
    for source in sources:
        if source.is_lock:
            whole = " or ".join(source.sources) or "the file that it was made of"
            raise EnvfixError(
                "a lock, which holds what came along as well",
                where=source.path,
                next_step=f"convert {whole}",
            )
        for fault in source.faults:
            if fault.kind in {FaultKind.UNREADABLE, FaultKind.CONFLICT} and not source.declared:
                raise EnvfixError(
                    fault.why,
                    where=f"{source.path}:{fault.line}",
                    next_step=fault.better or "mend it first",
                )


def write(project: str, made: Rendition) -> Written:
    """Write the file of a conversion: the source itself, edited, or a new one; raises WriteError."""
    file = made.file
    if why := _undecided(made.conversion):
        raise WriteError(why[0], where=file.path, next_step=why[1])
    if made.is_edited:
        return apply.commit([rereading.change_of(project, file)], project)
    path, text = os.path.join(project, file.path), file.after.encode()
    if os.path.lexists(path):
        raise WriteError(
            "there is one already", where=file.path, next_step="give -o FILE, or name it as SOURCE"
        )
    return apply.commit([FileChange(path=path, name=file.path, before=None, after=text)], project)


def _undecided(conversion: Conversion) -> tuple[str, str] | None:
    """Return why a conversion is not to be written, and what to do; None where it may be."""
    if choices := conversion.cuda.choices:
        return "not written, for no CUDA serves all of it", f"choose: {'; or '.join(choices)}"
    refuted = [p.proof.platform for p in conversion.proofs if p.status is Status.UNSOLVED]
    if refuted:
        said = f"not written, for it has no solution on {refuted[0]}"
        return said, "see why without --write; with --no-solve it is written all the same"
    return None
