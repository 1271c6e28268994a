"""An index that a file names is not the one of the build that it pins.

Its folder for `cu118` has nothing for `+cu121`; there is no PyTorch 2.1 for CUDA 11.7; and beside
PyPI an index only wins while its version is the higher one: `torch>=1.13.1` with the index for
CUDA 11.6 is answered by PyPI's newest release, which is for another CUDA.

The last is a warning, and so is a plain pin that PyPI answers. uv asks the indexes one after the
other, and takes the first that has the project. Indexes that only lack the newest release, those of
nightly builds, and those for the CPU or for ROCm are not judged for what they lack.

Why it matters
--------------
A labeled pin ends with `No matching distribution found`. Without a label it is worse, for nothing
is said: PyTorch is installed for a CUDA that the driver may be too old for, and that the packages
beside it were not built for.

Fix safety
----------
It is unsafe, since the other CUDA may be meant. Of a labeled pin, its index takes the place of the
one that differs, or stands beside it where another pin is of that one. Of a plain pin, the index is
exchanged for the nearest one of the same CUDA major that has the release; where none of that major
has it, the choice is shown. A range is pinned to the newest release of the index, if it allows that.

References
----------
- Verg-Avesta/CounTR#46: `torch==1.13.1+cu116` is not on the index that was asked
- Lexsi-Labs/DLBacktrace#17: installed from PyPI, torch is for CUDA 12.4, and not for 12.6
- pytorch/pytorch.github.io#1255: `--extra-index-url` gave way to `--index-url` for that reason
- replicate/cog#1135: `torch==1.12.0+cu102`, and an index in the file that has no such build

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model import index_edits, line_edits
from reconciler.model.cuda import CudaVersion
from reconciler.model.finding import Severity, cause_of
from reconciler.model.fix import Applicability, Edit, Fix
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.finding import Finding
    from reconciler.model.install_set import InstallSet
    from reconciler.model.offer import LabeledPin, Unserved
    from reconciler.world import World

RULE = Rule(
    code="DEC702",
    name="index-cuda-differs",
    severity=Severity.ERROR,
    needs=frozenset({Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
requirements.txt: |
  --extra-index-url https://download.pytorch.org/whl/cu118
  torch==2.1.2+cu121
"""

GOOD = """\
requirements.txt: |
  --extra-index-url https://download.pytorch.org/whl/cu121
  torch==2.1.2+cu121
"""


def check(world: World) -> Iterator[Finding]:
    """Hold each labeled pin against its indexes, and each other line against what they have."""
    for install in world.install_sets:
        labeled = [pin for pin in world.supply.labeled_pins(install) if pin.differing]
        for label in dict.fromkeys(pin.label for pin in labeled):
            yield _label_differs(world, install, [pin for pin in labeled if pin.label == label])
        for unserved in world.supply.unserved(install):
            yield _lacks(world, install, unserved)


def _label_differs(world: World, install: InstallSet, pins: Sequence[LabeledPin]) -> Finding:
    first = pins[0]
    shown = ", ".join(f"{pin.line.name}=={pin.version}" for pin in pins[:4])
    tags = " and ".join(dict.fromkeys(offer.tag for offer in first.differing))
    right = first.address or f"the index for {first.label}"
    return RULE.finding(
        f"{install.name} pins {shown}, but its index is the one for {tags}",
        at=first.line.location,
        related=tuple(offer.index.location for offer in first.differing[:3]),
        shows_as=f"`No matching distribution found for {first.line.name}=={first.version}`",
        remedy=f"name {right} in place of {first.differing[0].url}; or pin the build for {tags}",
        evidence=(
            *(f"{pin.line.path}:{pin.line.line}: {pin.line.text}" for pin in pins[:4]),
            *(f"{o.index.path}:{o.index.line}: {o.index.text}" for o in first.differing[:3]),
        ),
        fix=_index_of_pin(world, install, pins),
        cause=cause_of(RULE.name, install.name, first.label),
    )


def _index_of_pin(world: World, install: InstallSet, pins: Sequence[LabeledPin]) -> Fix | None:
    first, differing = pins[0], pins[0].differing[0]
    others = {pin.label for pin in world.supply.labeled_pins(install)} - {first.label}
    edits: tuple[Edit, ...] = ()
    if differing.tag not in others:
        url = first.address
        if differing.site is not first.site:
            url = differing.url.replace(differing.tag, first.label)
        edits = (index_edits.renamed(differing.index, differing.url, url),) if url else ()
    elif first.address and first.site:
        lines = [pin.line for pin in pins]
        is_page = first.site.is_page
        edits = index_edits.naming(install, lines, first.address, is_page=is_page)
    title = f"take the index for {first.label}"
    return Fix(title=title, applicability=Applicability.UNSAFE, edits=edits) if edits else None


def _lacks(world: World, install: InstallSet, found: Unserved) -> Finding:
    line, tag, builds = found.line, found.offer.tag, " or ".join(found.tags)
    cuda = CudaVersion.from_tag(tag)
    asked = f"{line.name} {found.version}"
    other = world.catalog.release(line.name, found.version, install.platform)
    answer = f"PyPI's {asked} is for CUDA {other.cuda}" if other and other.cuda else ""
    if found.is_refused:
        message = f"{install.name} asks the index for {tag} for {asked}, which it never had"
        shows_as = f"`No matching distribution found for {line.name}=={found.version}`"
    else:
        because = f"the newest that the index for {tag} has is {found.newest}"
        had = "which that index never had" if found.is_pinned else because
        message = (
            f"{install.name} names the index for {tag}, but {line.text!r} is answered by PyPI's"
            f" {asked}: {had}"
        )
        shows_as = (
            f"nothing is said; PyTorch is not installed for CUDA {cuda}, and packages built for"
            f" that do not fit it"
        )
    remedy = (
        f"take the index for {builds}; or pin {line.name}=={found.newest}+{tag}"
        if found.is_pinned
        else f"pin {line.name}=={found.newest}+{tag}; or take the index for {builds}"
    )
    return RULE.finding(
        message,
        severity=None if found.is_refused else Severity.WARNING,
        at=line.location,
        related=(found.offer.index.location,),
        shows_as=shows_as,
        remedy=remedy,
        evidence=(f"the PyTorch index has torch {found.torch} for {builds}", answer)[
            : 1 + bool(answer)
        ],
        fix=_served(found) or Fix(title=remedy, applicability=Applicability.DISPLAY),
        cause=cause_of(RULE.name, install.name, line.name),
    )


def _served(found: Unserved) -> Fix | None:
    """Return what makes an index and a line fit to each other; None where the user has to choose."""
    line, offer = found.line, found.offer
    tag = found.nearest_tag
    edit = None
    if not found.is_pinned and found.allows_newest:
        edit = line_edits.pinned(line, f"{found.newest}+{offer.tag}")
    elif tag:
        edit = index_edits.renamed(offer.index, offer.url, offer.url.replace(offer.tag, tag))
    if edit is None:
        return None
    return Fix(
        title=f"write {edit.text!r} in place of {edit.line.text!r}",
        applicability=Applicability.UNSAFE,
        edits=(edit,),
    )
