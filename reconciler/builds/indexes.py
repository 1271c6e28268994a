"""Which indexes a file gives to each of its requirements, and what they have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.builds.declared import pinned_version
from reconciler.model.manifest import IndexRole, Kind, Section
from reconciler.model.offer import LabeledPin, Offer, Replaced, Unserved, label_of, torch_of
from reconciler.model.release_clause import clauses_of
from reconciler.model.row import numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reconciler.model.catalog import Catalog
    from reconciler.model.install_set import InstallSet
    from reconciler.model.manifest import Declared
    from reconciler.model.published import IndexSite, Published

#: What pip and uv read beside the file: their values are URLs.
_VARIABLES = re.compile(
    r"(?:PIP_(?:EXTRA_)?INDEX_URL|PIP_FIND_LINKS|UV_(?:DEFAULT_|EXTRA_)?INDEX(?:_URL)?|UV_FIND_LINKS)"
)


def offers(
    install: InstallSet, published: Published, requirement: Declared | None = None
) -> Iterator[Offer]:
    """Yield the indexes that may serve a requirement, or any, beside PyPI or in its place."""
    lost = dropped(install)
    for index in install.indexes(requirement):
        if index in lost:
            continue
        # An index that lacks its scheme, or holds a variable, is one of which nothing is known.
        yield _offer(index, index.name, published)
    for variable in install.of_kind(Kind.VARIABLE):
        if _VARIABLES.fullmatch(variable.name):
            for url in variable.text.partition("=")[2].strip("\"'").split():
                yield _offer(variable, url, published)


def asking(install: InstallSet, published: Published) -> Callable[[Declared], tuple[Offer, ...]]:
    """Return what gives each line its indexes: lines of one command, or of one index, share them."""
    known: dict[tuple[str, int], tuple[Offer, ...]] = {}

    def indexes_of(line: Declared) -> tuple[Offer, ...]:
        key = (line.index, line.command)
        if key not in known:
            known[key] = tuple(offers(install, published, line))
        return known[key]

    return indexes_of


def dropped(install: InstallSet) -> Mapping[Declared, Declared]:
    """Return the indexes that pip forgets at an ``--index-url`` below them, each with that line."""
    lost: dict[Declared, Declared] = {}
    # On a command line the order means nothing; in a file, pip begins its list anew (req_file.py).
    if install.tool not in {"pip", "conda"}:
        return lost
    extra: list[Declared] = []
    for index in install.indexes():
        if index.command or index.section is not Section.PIP:
            continue
        if index.role is IndexRole.EXTRA:
            extra.append(index)
        elif index.role is IndexRole.DEFAULT:
            lost |= {above: index for above in extra if above.line != index.line}
            extra = []
    return lost


def _offer(index: Declared, url: str, published: Published) -> Offer:
    found = published.site(url)
    if found is None:
        return Offer(index=index, url=url, site=None)
    site, match = found
    groups = match.groupdict()
    tag, early = groups.get("tag") or "", bool(groups.get("pre"))
    return Offer(index=index, url=url, site=site, tag=tag, is_early=early)


def labeled_pins(install: InstallSet, published: Published) -> Iterator[LabeledPin]:
    """Yield the requirements of a set that pin a build which PyPI cannot have."""
    if not is_asked_for(install):
        return
    lines, given = install.requirements(Section.PIP), asking(install, published)
    for line in lines:
        # A wheel's own URL serves itself; nothing else holds a label.
        if "@" in line.text or not ("+" in line.text or ".post" in line.text):
            continue
        version = pinned_version(line)
        if label := label_of(version) or _own_label(line, version, published):
            site = published.site_of(line.name)
            yield LabeledPin(
                line=line,
                version=version,
                label=label,
                offers=given(line),
                site=site,
                address=address_of(site, version, label, _torch_beside(lines)) if site else "",
            )


def _torch_beside(lines: Sequence[Declared]) -> str:
    pins = (pinned_version(line).partition("+")[0] for line in lines if line.name == "torch")
    return next((pin for pin in pins if pin), "")


def address_of(site: IndexSite, version: str, label: str, torch: str) -> str:
    """Return the URL of just the builds that a version's label names; "" where it is not known."""
    torch = torch or torch_of(version)
    if "{torch}" in site.address and not torch:
        return ""
    # Nightly builds are beside the others.
    address = site.address.replace("/{label}", "/nightly/{label}") if ".dev" in version else ""
    return (address or site.address).format(label=label, torch=torch)


def _own_label(line: Declared, version: str, published: Published) -> str:
    """Return what stands for a label where a project numbers its builds: 2.4.2.post117."""
    site = published.site_of(line.name)
    match = re.search(site.label, version) if site and site.label else None
    known = published.versions("pip", line.name) if match else None
    return match[0].strip(".") if match and known and version not in known.versions else ""


def unserved(install: InstallSet, catalog: Catalog) -> Iterator[Unserved]:
    """Yield the requirements whose indexes have no build of the release that they ask for."""
    if not is_asked_for(install):
        return
    for line in install.requirements(Section.PIP):
        if line.name not in {"torch", "torchvision"} or "@" in line.text:
            continue
        given = tuple(offers(install, catalog.published, line))
        serving = [offer for offer in given if offer.may_have_builds_of(line.name)]
        # What one of them may have, all of them are not asked for.
        if not serving or not all(o.tag.startswith("cu") and not o.is_early for o in serving):
            continue
        if found := _unserved(line, given, serving, install, catalog):
            yield found


def _unserved(
    line: Declared,
    given: tuple[Offer, ...],
    serving: Sequence[Offer],
    install: InstallSet,
    catalog: Catalog,
) -> Unserved | None:
    published, tags = catalog.published, {offer.tag for offer in serving}
    newest = max((published.newest_build("torch", tag) for tag in tags), key=numbers)
    pin = pinned_version(line)
    version = pin or _above(line, newest, published)
    torch = version.partition("+")[0]
    if line.name != "torch":
        pair = catalog.pair(line.name, version)
        torch = pair.release if pair and not pair.or_later else ""
        newest = catalog.paired(line.name, newest) or ""
    builds = published.index_builds("torch", torch)
    if not (builds and newest) or tags & {*builds.tags}:
        return None
    # A build that never was is DEC703's to tell.
    if label_of(version):
        return None
    # uv takes the first index that has the project, whatever its versions.
    alone = bool(line.index) or install.tool == "uv" or _in_place_of_pypi(given) is not None
    if not pin and (alone or install.tool not in {"pip", "conda"}):
        return None
    return Unserved(
        line=line,
        offer=serving[0],
        version=torch if line.name == "torch" else version.partition("+")[0],
        is_pinned=bool(pin),
        is_refused=alone,
        torch=torch,
        tags=builds.tags,
        newest=newest,
    )


def _above(line: Declared, newest: str, published: Published) -> str:
    """Return PyPI's release that an unpinned line gets over an index's newest; "" for none."""
    known = published.versions("pip", line.name)
    if known is None or line.name != "torch":
        return ""
    clauses = clauses_of(line.text)
    allowed = [
        version
        for version in known.versions
        if numbers(version) > numbers(newest) and all(c.allows(numbers(version)) for c in clauses)
    ]
    # Builds of the newest release come in over days, and the tables may not know of them.
    minors = {numbers(version)[:2] for version in allowed} - {numbers(newest)[:2]}
    return allowed[-1] if len(minors) > 1 else ""


def is_asked_for(install: InstallSet) -> bool:
    """Tell whether a set's lines are yet to be found on an index."""
    # A lock was solved, and what limits versions asks for none.
    return not install.is_lock and "constraint" not in install.path.rpartition("/")[2]


def replaced(install: InstallSet, published: Published) -> Iterator[Replaced]:
    """Yield the indexes in place of PyPI that lack what is asked of them."""
    roles = {index.role for index in install.indexes()}
    if IndexRole.DEFAULT not in roles or not is_asked_for(install):
        return
    lacking: dict[int, tuple[Offer, list[Declared]]] = {}
    given = asking(install, published)
    for line in install.requirements(Section.PIP):
        # A path, a repository and a wheel's URL are asked of no index.
        if not line.name or "://" in line.text or "@" in line.text or line.index:
            continue
        offer = _in_place_of_pypi(given(line))
        if offer and not any(o.may_have(line.name) for o in given(line)):
            lacking.setdefault(id(offer), (offer, []))[1].append(line)
    for offer, lines in lacking.values():
        yield Replaced(offer=offer, lines=tuple(lines))


def _in_place_of_pypi(given: tuple[Offer, ...]) -> Offer | None:
    """Return the index that replaces PyPI, where no other has, or may have, what PyPI has."""
    default = next((o for o in reversed(given) if o.index.role is IndexRole.DEFAULT), None)
    if default is None or any(offer.is_pypi for offer in given):
        return None
    return default
