"""A MatchSpec's text, as a person would write it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.convert.pep440 import CondaRange


def written(name: str, asked: CondaRange, build: str = "") -> str:
    """Return the MatchSpec of a name, the versions that are allowed, and a glob of builds."""
    if asked.exact:
        # name=version=build is exact, where name=version alone is every version that begins so.
        return f"{name}={asked.exact}={build}" if build else f"{name}=={asked.exact}"
    if not asked.text:
        return f"{name}=*={build}" if build else name
    if build:
        return f"{name} {asked.text} {build}"
    stem = asked.text.removesuffix(".*")
    if asked.text.endswith(".*") and not set("<>=!~,") & {*stem}:
        return f"{name}={stem}"
    return f"{name} {asked.text}" if asked.text[0].isdigit() else f"{name}{asked.text}"
