"""A pin names a build that PyPI cannot have, and no index of the file serves it.

`torch==1.13.1+cu117` is a version with a local label, which PyPI refuses to hold. Such builds are
on indexes of their own: PyTorch's, PyG's pages of links, JAX's. The file has to name that index, in
the form that it is read in: `torch_stable.html` is a page of links, for `--find-links`, and has
nothing where it is given as an `--extra-index-url`.

pip's options hold for all lines of a file, wherever they stand. An index of which nothing is known,
or whose URL holds a variable, may serve anything; labels of clusters, such as `+computecanada`, are
served by their own pip. Neither is judged, nor are constraints and lock files.

Why it matters
--------------
The installation ends with `No matching distribution found`, for everybody but the author, who has
the wheel installed or an index in his own configuration. Without the label, pip takes PyPI's build
instead, which may be for another CUDA.

Fix safety
----------
The index of the pin is added beside PyPI, in the form of the tool that reads the file. That is safe
where the pin names one of PyTorch's indexes and such a build is known to be there. It is unsafe for
other sites, for nightly builds, which are deleted after a while, for pixi, which takes whatever else
such an index has from it too, and where a line of the file is changed: a page of links that is
given as an index. Nothing is done where the file names the index in a way that is lost (DEC704), or
asks for a build that never was (DEC703).

References
----------
- trungpx/xmdpt#2: `No matching distribution found for torch==1.12.1+cu116`
- eckertzhang/Text2NeRF#11: `torch==x+cu116` without an index; the fix is an item of the pip section
- liucongg/ChatGLM-Finetuning#17: a mirror of PyPI has no `torch==1.13.1+cu116` either
- pypa/pipenv#4649: `torch_stable.html` given as an index serves nothing
- harlanhong/ACTalker#10: `torch==2.0.1+cu118`, from versions without any label

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model import index_edits
from reconciler.model.finding import Severity, cause_of
from reconciler.model.fix import Applicability, Edit, Fix
from reconciler.model.manifest import FaultKind, IndexRole
from reconciler.model.offer import how_to_add
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.finding import Finding
    from reconciler.model.install_set import InstallSet
    from reconciler.model.offer import LabeledPin
    from reconciler.world import World

RULE = Rule(
    code="DEC701",
    name="local-version-without-index",
    severity=Severity.ERROR,
    needs=frozenset({Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
requirements.txt: |
  torch==1.13.1+cu117
  torchvision==0.14.1+cu117
"""

GOOD = """\
requirements.txt: |
  --extra-index-url https://download.pytorch.org/whl/cu117
  torch==1.13.1+cu117
  torchvision==0.14.1+cu117
"""


def check(world: World) -> Iterator[Finding]:
    """Look for an index of each labeled pin; those of one index are one finding."""
    for install in world.install_sets:
        without: dict[str, list[LabeledPin]] = {}
        for pin in world.supply.labeled_pins(install):
            if not pin.is_served:
                without.setdefault(pin.address, []).append(pin)
        for pins in without.values():
            yield _finding(world, install, pins)


def _finding(world: World, install: InstallSet, pins: Sequence[LabeledPin]) -> Finding:
    first = pins[0]
    shown = ", ".join(f"{pin.line.name}=={pin.version}" for pin in pins[:4])
    more = f" and {len(pins) - 4} more" if len(pins) > 4 else ""
    unread = next((o for o in first.offers if not o.is_read and o.site), None)
    why = (
        f"{unread.url} is a page of links, and has nothing where it is given as an index"
        if unread
        else f"PyPI has no {'version with a local label' if '+' in first.version else 'such build'},"
        f" and {'no index in it serves one' if first.offers else 'it names no index that does'}"
    )
    return RULE.finding(
        f"{install.name} pins {shown}{more}, but {why}",
        at=first.line.location,
        related=(
            *((unread.index.location,) if unread else ()),
            *(pin.line.location for pin in pins[1:4]),
        ),
        shows_as=f"`No matching distribution found for {first.line.name}=={first.version}`, except"
        " where it is installed already",
        remedy=_remedy(install, first),
        evidence=tuple(f"{p.line.path}:{p.line.line}: {p.line.text}" for p in pins[:6]),
        fix=_fix(world, install, pins),
        cause=cause_of(RULE.name, install.name, first.label, first.line.name),
        explained_by=tuple(_causes(world, install, pins)),
    )


def _fix(world: World, install: InstallSet, pins: Sequence[LabeledPin]) -> Fix | None:
    first, lines = pins[0], [pin.line for pin in pins]
    never = [found.line for found in world.supply.never_released(install)]
    if (
        first.site is None
        or not first.address
        or {*lines} & {*never}
        or _lost(world, install, pins)
    ):
        return None
    unread = [o.index for o in first.offers if not o.is_read and o.site and o.url in o.index.text]
    edits: tuple[Edit, ...] = index_edits.naming(
        install, lines, first.address, is_page=first.site.is_page
    )
    # pixi takes whatever else such an index has from it too: uv's rule of the first index.
    is_certain = (
        not unread and install.tool != "pixi" and all(world.supply.has_build(pin) for pin in pins)
    )
    if unread and edits:
        url = next(o.url for o in first.offers if o.index is unread[0])
        role = IndexRole.LINKS if first.site.is_page else IndexRole.EXTRA
        edits = (index_edits.renamed(unread[0], url, first.address, role),)
    if not edits:
        return None
    return Fix(
        title=f"name {first.address}, which has {first.line.name} for {first.label}",
        applicability=Applicability.SAFE if is_certain else Applicability.UNSAFE,
        edits=edits,
    )


def _lost(world: World, install: InstallSet, pins: Sequence[LabeledPin]) -> list[str]:
    """Return the causes of indexes that the files name in vain."""
    paths = {pin.line.path for pin in pins}
    faults = ((m.path, fault) for m in world.snapshot.manifests for fault in m.faults)
    return [
        *(
            cause_of("index-option-lost", path, str(fault.line))
            for path, fault in faults
            if path in paths and fault.kind is FaultKind.OPTION_LOST and "//" in fault.text
        ),
        *(
            cause_of("index-option-lost", index.path, str(index.line))
            for index in world.supply.dropped(install)
        ),
    ]


def _causes(world: World, install: InstallSet, pins: Sequence[LabeledPin]) -> Iterator[str]:
    """Yield the causes of builds that never were, and of indexes that the files name in vain."""
    for pin in pins:
        yield cause_of("never-released", install.name, pin.line.name)
    yield from _lost(world, install, pins)


def _remedy(install: InstallSet, pin: LabeledPin) -> str:
    plain = pin.version.partition("+")[0]
    if not pin.address or pin.site is None:
        return (
            f"name the index that has {pin.line.name} for {pin.label}, or the URL of its wheel"
            f" (`{pin.line.name} @ https://...`); or pin {plain}, PyPI's own build"
        )
    return how_to_add(install, pin.address, pin.line, is_page=pin.site.is_page)
