"""Hold pip's own view against the disk and conda's records: three columns, never a verdict."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from reconciler.model.distribution import normalize_name
from reconciler.model.pip_view import Difference, LiveView

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.model.pip_view import PipListed, PipView
    from reconciler.model.snapshot import Snapshot

_CLAIM = r"(?:^|/)site-packages/([^/]+?)-([^-/]+)(?:-py\d[\d.]*)?\.(?:dist-info/METADATA|egg-info(?:/PKG-INFO)?)$"


def compare(snapshot: Snapshot) -> LiveView | None:
    """Return every distribution of which the three do not say the same; None if pip was not heard."""
    view = snapshot.pip_view
    if view is None:
        return None
    seen, disk, conda = _seen(view, snapshot), _on_disk(snapshot), _of_conda(snapshot)
    return LiveView(
        seen=len(view.listed),
        differences=tuple(
            difference
            for name in sorted({*seen, *disk, *conda})
            for difference in _differences(name, seen.get(name, []), disk[name], conda[name])
        ),
    )


def _differences(
    name: str, seen: Sequence[PipListed], disk: Sequence[str], conda: Sequence[str]
) -> Iterator[Difference]:
    versions = [*(listed.version for listed in seen), *disk, *conda]
    is_inside = len(seen) == len(disk) == 1 and not seen[0].is_outside
    if is_inside and all(_same(version, versions[0]) for version in versions):
        return
    for listed in seen or (None,):
        yield Difference(name=name, pip=listed, disk=tuple(disk), conda=tuple(conda))


def _seen(view: PipView, snapshot: Snapshot) -> Mapping[str, Sequence[PipListed]]:
    by_name = defaultdict(list)
    base = _base(snapshot)
    for listed in view.listed:
        if not (base and listed.location.startswith(f"{base}/")):
            by_name[normalize_name(listed.name)].append(listed)
    return by_name


def _base(snapshot: Snapshot) -> str | None:
    """Return the prefix whose packages a venv is made to see beside its own."""
    state, python = snapshot.state, snapshot.python
    if not (state and state.system_site_packages and python and python.home):
        return None
    return python.home.rpartition("/")[0]


def _on_disk(snapshot: Snapshot) -> Mapping[str, Sequence[str]]:
    by_name = defaultdict(list)
    for distribution in snapshot.distributions:
        by_name[distribution.key].append(distribution.version)
    return by_name


def _of_conda(snapshot: Snapshot) -> Mapping[str, Sequence[str]]:
    by_name = defaultdict(list)
    for record in snapshot.records:
        for path in record.files:
            if path.endswith(("-info/METADATA", ".egg-info", "egg-info/PKG-INFO")) and (
                claim := re.search(_CLAIM, path)
            ):
                by_name[normalize_name(claim[1])].append(claim[2])
    return by_name


def _same(one: str, other: str) -> bool:
    if one == other:
        return True
    # A folder's name has _ for -, and pip-api gives each version in its normal form.
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - 15 ms, with --live only

    try:
        return Version(one.replace("_", "-")) == Version(other.replace("_", "-"))
    except InvalidVersion:
        return one.replace("_", "-") == other.replace("_", "-")
