"""What an index that a file names can give for a requirement."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.model.cuda import CudaVersion
from reconciler.model.manifest import Declared, IndexRole
from reconciler.model.published import IndexSite, PythonSpan
from reconciler.model.release_clause import clauses_of
from reconciler.model.row import numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.model.install_set import InstallSet

# torch's cu118 and cpu, torch-scatter's pt20cu117, jaxlib's cuda12.cudnn89, Intel's xpu.
_LABEL = re.compile(r"(?:pt\d+)?(cu(?:da)?\d{2,3}|cpu|rocm\d[\d.]*|xpu)(?=\D|$)")
_RELEASE = re.compile(r"pt(\d)(\d+)")


class Offer(Struct, frozen=True, kw_only=True):
    """One index of a file, as one requirement meets it."""

    #: The line that names it; of kind INDEX, or a variable that pip reads.
    index: Declared
    url: str
    #: None where nothing is known of it: it may have anything.
    site: IndexSite | None
    #: The build that all wheels there are of; "" where it has several.
    tag: str = ""
    #: Whether it has releases for developers alone.
    is_early: bool = False

    @property
    def is_read(self) -> bool:
        """Whether it is given in the form in which its tool finds something in it."""
        return not (self.site and self.site.is_page) or self.index.role in {None, IndexRole.LINKS}

    @property
    def is_page(self) -> bool:
        """Whether it is a page of links."""
        return self.index.role is IndexRole.LINKS

    @property
    def is_pypi(self) -> bool:
        """Whether it has what PyPI has, or may have it."""
        return self.site is None or self.site.mirrors_pypi

    def may_have(self, name: str) -> bool:
        """Tell whether it may have a project at all."""
        return self.site is None or (self.is_read and self.site.has(name))

    def may_have_builds_of(self, name: str) -> bool:
        """Tell whether it may have wheels of a project that PyPI has not."""
        return self.may_have(name) and not (self.site and self.site.mirrors_pypi)


class LabeledPin(Struct, frozen=True, kw_only=True):
    """A requirement that pins a build which PyPI cannot have."""

    line: Declared
    version: str
    #: Such as ``cu118``, ``cpu``, ``post117``.
    label: str
    offers: tuple[Offer, ...]
    #: Where such builds are; None where that is not known.
    site: IndexSite | None = None
    #: The URL of just these builds; "" where it is not known.
    address: str = ""

    @property
    def is_served(self) -> bool:
        """Whether one of its indexes may have builds of the project."""
        return any(offer.may_have_builds_of(self.line.name) for offer in self.offers)

    @property
    def differing(self) -> tuple[Offer, ...]:
        """Its indexes, where each that may serve it is known to be for other builds."""
        serving = tuple(o for o in self.offers if o.may_have_builds_of(self.line.name))
        tags = {offer.tag for offer in serving}
        return () if tags & {"", self.label} else serving


class Unserved(Struct, frozen=True, kw_only=True):
    """A requirement whose index has no build of the release that it asks for."""

    line: Declared
    offer: Offer
    #: The release that is pinned, or that PyPI answers with.
    version: str
    is_pinned: bool
    #: Whether its tool will find nothing, rather than PyPI's own build.
    is_refused: bool
    #: The release of PyTorch that it is, or is for, and the builds that there are of that.
    torch: str
    tags: tuple[str, ...]
    #: The newest release that the index has.
    newest: str

    @property
    def allows_newest(self) -> bool:
        """Whether the line allows the newest release that the index has."""
        return all(clause.allows(numbers(self.newest)) for clause in clauses_of(self.line.text))

    @property
    def nearest_tag(self) -> str:
        """The build of the same CUDA major that is nearest to the index; "" where none is."""
        wanted = CudaVersion.from_tag(self.offer.tag)
        builds = [(cuda, tag) for tag in self.tags if (cuda := CudaVersion.from_tag(tag))]
        same = [(c, tag) for c, tag in builds if wanted and c.major == wanted.major]
        if wanted is None or not same:
            return ""
        minor = wanted.minor or 0
        # An older one before a newer one, which asks for a newer driver.
        return min(same, key=lambda c: ((c[0].minor or 0) > minor, abs((c[0].minor or 0) - minor)))[
            1
        ]


class Replaced(Struct, frozen=True, kw_only=True):
    """An index in place of PyPI, and the requirements that it has not."""

    offer: Offer
    lines: tuple[Declared, ...]


class NeverReleased(Struct, frozen=True, kw_only=True):
    """A line that no version of its package satisfies."""

    line: Declared
    #: The version that it asks for, as written; "" of a package that was never there.
    version: str = ""
    #: What it asks for, where its kind is known; "" where it is a number like others.
    because: str
    #: The existing versions that are nearest, or the one that is meant.
    nearest: tuple[str, ...]
    #: Whether there is such a package at all.
    is_known: bool
    source: str

    @property
    def meant(self) -> str:
        """The one version that is evidently meant, with the label of the pin; "" for no one."""
        wanted, named = numbers(self.version)[:2], [*self.nearest]
        near = named if len(named) == 1 else [v for v in named if numbers(v)[:2] == wanted]
        if len(near) != 1:
            return ""
        label = self.version.partition("+")[2] if label_of(self.version) else ""
        return f"{near[0]}+{label}" if label and "+" not in near[0] else near[0]


class PythonMisfit(Struct, frozen=True, kw_only=True):
    """A pinned wheel that was made for none of the Pythons that a file allows."""

    line: Declared
    version: str
    #: The Pythons that the wheels of that release were made for.
    span: PythonSpan
    #: The lines that say which Python it is.
    because: tuple[Declared, ...]
    #: The Pythons that they allow, the oldest first: ``3.12``.
    allowed: tuple[str, ...]
    #: A release with wheels for one of these; "" where none is known.
    fitting: str


def pythons_for(misfits: Sequence[PythonMisfit]) -> str:
    """Return the Pythons that all of these wheels were made for, in words; "" where none is."""
    first = max((misfit.span.first for misfit in misfits), key=numbers)
    lasts = [misfit.span.last for misfit in misfits if misfit.span.last]
    last = min(lasts, key=numbers, default="")
    common = PythonSpan(package="", versions=(), first=first, last=last, source="")
    return common.words if not last or numbers(first) <= numbers(last) else ""


def label_of(version: str) -> str:
    """Return the build that a version's local label names; "" where it names none."""
    match = _LABEL.match(version.partition("+")[2])
    return match[1].rstrip(".") if match else ""


def torch_of(version: str) -> str:
    """Return the PyTorch that a label such as ``pt113cu117`` names; "" where it names none."""
    match = _RELEASE.match(version.partition("+")[2])
    return f"{match[1]}.{match[2]}.0" if match else ""


#: How a project's file says what serves one of its requirements: for an index, or a page of links.
_UV = """\
add `[[tool.uv.index]]` with `name = 'builds'`, `url = '{url}'`{flat} and `explicit = true`, and \
`{name} = {{ index = 'builds' }}` to `[tool.uv.sources]` in {path}"""
_POETRY = """\
add `[[tool.poetry.source]]` with `name = 'builds'`, `url = '{url}'` and `priority = 'explicit'` \
to {path}, and `source = 'builds'` to {name}"""
_PDM = """\
add `[[tool.pdm.source]]` with `name = 'builds'`, `url = '{url}'` and `type = '{kind}'` to {path}"""
_FORMS = {
    "uv": (_UV.replace("{flat}", ""), _UV.replace("{flat}", ", `format = 'flat'`")),
    "poetry": (_POETRY, _POETRY),
    "pixi": (
        "add `extra-index-urls = ['{url}']` to `[pypi-options]` in {path}",
        "add `find-links = [{{ url = '{url}' }}]` to `[pypi-options]` in {path}",
    ),
    "pdm": (_PDM.replace("{kind}", "index"), _PDM.replace("{kind}", "find_links")),
}


def how_to_add(install: InstallSet, url: str, line: Declared, *, is_page: bool) -> str:
    """Return how a file says that an index, or a page of links, serves a requirement."""
    if forms := _FORMS.get(install.tool):
        return forms[is_page].format(url=url, name=line.name, path=line.path)
    option = f"--find-links {url}" if is_page else f"--extra-index-url {url}"
    if line.command:
        return f"give `{option}` to the command in {line.path}:{line.line}"
    if install.tool == "conda" and line.path == install.path:
        return f"add the item `- {option}` to the pip section of {line.path}"
    if line.path.endswith((".toml", ".cfg")):
        return f"tell users to run `pip install {option}`, since {line.path} cannot name an index"
    return f"add the line `{option}` to {line.path}"
