"""Where the channel of a name lies: conda's own rules, written in this one place.

References
----------
- conda, "Managing channels", channel_alias:
  https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-channels.html
- conda/conda, conda/base/constants.py: DEFAULT_CHANNEL_ALIAS, DEFAULT_CHANNELS

"""

from __future__ import annotations

import os
import re
from pathlib import Path

from reconciler.model.os_name import to_os

#: conda's channel_alias: what stands before a channel that is given by name.
ALIAS = "https://conda.anaconda.org"
#: conda's default_channels, which have a server of their own.
_ANACONDA = "https://repo.anaconda.com/pkgs"
#: A user and password before a host, and conda's token: https://host/t/TOKEN/channel.
_SECRET = re.compile(r"(?<=://)[^/\s@]+@|(?<=/t/)[^/\s]+(?=/)")
_URL = re.compile(r"[a-z][a-z0-9+]*://", re.IGNORECASE)
_FOLDER = re.compile(r"[/~.\\]|[A-Za-z]:[/\\]")


def addresses(channel: str, platform: str, alias: str = ALIAS) -> tuple[str, ...]:
    """Return the URLs that a channel stands for: a name, a URL, or a folder of this machine."""
    if _URL.match(channel):
        return (channel.rstrip("/"),)
    if _FOLDER.match(channel):
        return (Path(os.path.abspath(os.path.expanduser(to_os(channel)))).as_uri(),)
    name = channel.strip("/")
    if alias.rstrip("/") != ALIAS:
        return (f"{alias.rstrip('/')}/{name}",)
    if name == "defaults":
        parts = ("main", "r", "msys2") if platform.startswith("win") else ("main", "r")
        return tuple(f"{_ANACONDA}/{part}" for part in parts)
    if name.startswith("pkgs/"):
        return (f"{_ANACONDA}/{name.removeprefix('pkgs/')}",)
    return (f"{ALIAS}/{name}",)


def is_remote(address: str) -> bool:
    """Tell whether the network is needed to read a channel."""
    return not address.lower().startswith("file:")


def masked(text: str) -> str:
    """Return what is told of channels without the credentials that their URLs may hold."""
    return _SECRET.sub(lambda secret: "" if secret[0].endswith("@") else "****", text)
