"""An option that names an index is lost, or takes PyPI away from everything else.

`torch==2.1.2 --index-url U` on one line: pip passes the option over. `--extra-index-url U torch` on
one line: pip passes torch over. An `--index-url` below an `--extra-index-url` drops it. And an
`--index-url` of PyTorch's own index replaces PyPI for every line of the file, or of the pip section,
wherever it stands, so that what that index has not is found nowhere.

An index of which nothing is known may have everything, and is not judged.

Why it matters
--------------
Nothing is said where an option is lost: pip takes PyPI's build, for another CUDA or for the CPU. An
index in place of PyPI ends the installation at the first package that it has not.

Fix safety
----------
An option behind a requirement gets a line of its own, in the form that leaves PyPI there: that is
safe, since the option says what is meant and does nothing where it stands. The others are unsafe: a
requirement behind an option, which is then installed for the first time; `--pre`, which lets every
line take releases for developers; an index that is moved below the `--index-url` that drops it; and
an `--index-url` that becomes an `--extra-index-url`. Where an index replaces PyPI for uv or poetry,
nothing is done.

References
----------
- pypa/pip#6071: `test_package==0.2.2 --extra-index-url ...` asks PyPI alone
- pypa/pip#11511: `--extra-index-url` is ignored where it stands before `--index-url`
- replicate/cog#1135: an `--index-url` in requirements.txt hides every other version of torch
- pypa/pip#13637: markers behind an index mean nothing

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model import index_edits
from reconciler.model.finding import Severity, cause_of
from reconciler.model.fix import Add, Applicability, Fix, Mend, Remove
from reconciler.model.manifest import FaultKind, IndexRole, Kind
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding
    from reconciler.model.install_set import InstallSet
    from reconciler.model.manifest import Declared, Fault, Manifest
    from reconciler.model.offer import Replaced
    from reconciler.world import World

RULE = Rule(
    code="DEC704",
    name="index-option-lost",
    severity=Severity.ERROR,
    needs=frozenset({Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
requirements.txt: |
  --index-url https://download.pytorch.org/whl/cu128
  torch==2.9.1
  gymnasium
  tensorboard
"""

GOOD = """\
requirements.txt: |
  --extra-index-url https://download.pytorch.org/whl/cu128
  torch==2.9.1
  gymnasium
  tensorboard
"""


def check(world: World) -> Iterator[Finding]:
    """Report the options that are lost, and the indexes that lack what is asked of them."""
    yield from _lost_by_form(world)
    for install in world.install_sets:
        for index, below in world.supply.dropped(install).items():
            yield _dropped(index, below)
        for replaced in world.supply.replaced(install):
            yield _replaces(install, replaced)


def _lost_by_form(world: World) -> Iterator[Finding]:
    for manifest in world.snapshot.manifests:
        for fault in manifest.faults:
            if fault.kind is FaultKind.OPTION_LOST:
                yield RULE.finding(
                    f"{manifest.path}:{fault.line}: {fault.why}",
                    at=fault.location(manifest.path),
                    shows_as="nothing is said; what is installed comes from PyPI, or is missing",
                    remedy=_written(fault.better) or "write the option on a line of its own",
                    fix=_own_lines(manifest, fault),
                    cause=cause_of(RULE.name, manifest.path, str(fault.line)),
                )


def _own_lines(manifest: Manifest, fault: Fault) -> Fix | None:
    if not fault.corrections:
        return None
    first = fault.corrections[0]
    own = ", ".join(f"`{text}`" for text in (*first.above, *first.below))
    moved = [e for r in fault.corrections for e in index_edits.on_own_line(manifest.declared, r)]
    added = [edit for edit in moved if isinstance(edit, Add)]
    # A page of links that is given as an index serves nothing on its own line either.
    if any(e.role is not IndexRole.LINKS and e.text.endswith(".html") for e in added):
        return None
    # What a page has is not known: it may be for another release than the one that is asked for.
    is_certain = all(correction.is_certain for correction in fault.corrections) and not any(
        edit.role is IndexRole.LINKS for edit in added
    )
    return Fix(
        title=f"give {own} a line of its own" if own else f"write `{first.text}` without its dash",
        applicability=Applicability.SAFE if is_certain else Applicability.UNSAFE,
        edits=tuple(dict.fromkeys(moved)) or (Mend(path=manifest.path, fault=fault),),
    )


def _dropped(index: Declared, below: Declared) -> Finding:
    return RULE.finding(
        f"{index.path}:{index.line}: pip begins its list of indexes anew at {below.text!r}, and"
        f" forgets {index.text!r} above it",
        at=index.location,
        related=(below.location,),
        shows_as="nothing is said; what is installed comes from the other index, or is not found",
        remedy=f"move line {index.line} below line {below.line} of {below.path}",
        fix=_below(index, below) if index.path == below.path else None,
        cause=cause_of(RULE.name, index.path, str(index.line)),
    )


def _below(index: Declared, below: Declared) -> Fix:
    add = index_edits.beside((below,), below, index.name, IndexRole.EXTRA)
    return Fix(
        title=f"move {index.text!r} below {below.text!r}",
        applicability=Applicability.UNSAFE,
        edits=(Remove(line=index), add),
    )


def _written(better: str) -> str:
    lines = [f"`{line}`" for line in better.splitlines() if line.strip()]
    each = ", each on a line of its own" if len(lines) > 1 else ""
    return f"write {', '.join(lines)}{each}" if lines else ""


def _replaces(install: InstallSet, replaced: Replaced) -> Finding:
    index, title = replaced.offer.index, replaced.offer.site.title if replaced.offer.site else ""
    names = ", ".join(line.name for line in replaced.lines[:4])
    more = f" and {len(replaced.lines) - 4} more" if len(replaced.lines) > 4 else ""
    first = replaced.lines[0]
    remedy = (
        f"write `--extra-index-url {replaced.offer.url}`, which stands beside PyPI"
        if index.role is IndexRole.DEFAULT and install.tool in {"pip", "conda"}
        else "name PyPI too, https://pypi.org/simple, or bind the index to the packages that it has"
    )
    is_option = index.kind is Kind.INDEX and index.text.startswith("-") and not index.command
    url = replaced.offer.url
    fix = Fix(
        title=f"name {url} beside PyPI, not in its place",
        applicability=Applicability.UNSAFE,
        edits=(index_edits.renamed(index, url, url, IndexRole.EXTRA),),
    )
    scope = f"the command in {index.path}" if index.command else f"all of {install.name}"
    return RULE.finding(
        f"{index.text!r} replaces PyPI for {scope}, and {title} has no {names}{more}",
        at=index.location,
        related=tuple(line.location for line in replaced.lines[:3]),
        shows_as=f"`No matching distribution found for {first.name}`",
        remedy=remedy,
        fix=fix if is_option else None,
        evidence=tuple(f"{line.path}:{line.line}: {line.text}" for line in replaced.lines[:4]),
        cause=cause_of(RULE.name, index.path, str(index.line)),
    )
