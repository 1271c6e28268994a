"""The name of a container's image."""

from __future__ import annotations


def image_of(text: str) -> str:
    """Return an image's name without its tag and its digest: ``nvidia/cuda``."""
    head, slash, last = text.partition("@")[0].removeprefix("docker://").rpartition("/")
    # A colon before a slash is a registry's port.
    return f"{head}{slash}{last.partition(':')[0]}"
