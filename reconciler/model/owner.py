"""A package that owns files, under either manager: its names, and the commands about it."""

from __future__ import annotations

from reconciler.model.distribution import Distribution
from reconciler.model.prefix import PrefixRecord

Owner = PrefixRecord | Distribution


def name_of(owner: Owner) -> str:
    """Return the name by which its own manager knows a package."""
    return owner.key if isinstance(owner, Distribution) else owner.name


def title_of(owner: Owner) -> str:
    """Return ``pip's numpy 2.1.0``."""
    return f"{'pip' if isinstance(owner, Distribution) else 'conda'}'s {owner}"


def removing(owner: Owner) -> str:
    """Return the command that removes a package, and nothing that depends on it."""
    if isinstance(owner, Distribution):
        return f"pip uninstall {owner.key}"
    return f"conda remove --force {owner.name}"


def installing_again(owner: Owner) -> str:
    """Return the command that writes all files of a package anew, and no other package's."""
    if not isinstance(owner, Distribution):
        return f"conda install --force-reinstall {owner.name}={owner.version}"
    if owner.editable and owner.direct_url:
        place = owner.direct_url.removeprefix("file://")
        return f"pip install --force-reinstall --no-deps --editable {place}"
    return f"pip install --force-reinstall --no-deps {owner.key}=={owner.version}"
