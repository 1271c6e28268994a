"""What channels have of packages, asked as a proof asks it."""

from __future__ import annotations

from reconciler.solve import ALIAS, TIMEOUT, child, question

ONLINE = {"offline": False, "timeout": TIMEOUT, "strict": True, "alias": ALIAS, "cache": None}


def released(names, channels, platform, **options):
    given = ONLINE | options
    where = question.Where(channels=tuple(channels), platform=platform, **given)
    with child.asking(given["timeout"]) as ask:
        return question.released(ask, where, names)
