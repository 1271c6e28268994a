"""Secrets never enter a Snapshot: they are masked by asterisks, one for each character.

The length is kept, so that the line and column of everything else still hold.
"""

from __future__ import annotations

import re
from functools import lru_cache

_SECRETS = re.compile(
    r"""
      (?<=://)[^/\s@]+(?=@)                          # https://user:password@host/
    | (?<=/t/)[^/\s]{4,}(?=/)                        # conda's token: https://host/t/TOKEN/channel
    | (?<=[?&])(?:[\w-]*(?:token|key|sig|secret)[\w-]*)=[^&\s"']+
    | (?im:(?<=^)(?P<key>[\s{,-]*["']?[\w.-]*
        (?:token|secret|passw(?:or)?d|api_?key|access_?key|credential)[\w.-]*["']?\s*[:=]\s*)
        (?P<value>\S.*)$)                            # variables: of environment.yml
    """,
    re.VERBOSE | re.IGNORECASE,
)
# ${TOKEN} is the name of a secret, not the secret.
_VARIABLES = re.compile(r"(\$\{\w+\}|\$\w+|[:=])")


# A prefix has hundreds of records, and a handful of channels.
@lru_cache(maxsize=64)
def masked(text: str) -> str:
    """Return ``text`` with its credentials, tokens and passwords masked."""
    if "://" not in text and not _KEYS.search(text):
        return text
    return _SECRETS.sub(_mask, text)


_KEYS = re.compile(r"token|secret|passw|key|credential", re.IGNORECASE)


def _mask(match: re.Match[str]) -> str:
    kept = match["key"] or ""
    parts = _VARIABLES.split(match[0][len(kept) :])
    return kept + "".join(part if n % 2 else "*" * len(part) for n, part in enumerate(parts))
