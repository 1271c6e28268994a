"""Errors explained: a text is recognized by the catalog, and held against the environment."""

from __future__ import annotations

from reconciler.explain.diagnosing import diagnose, general, sonames_of
from reconciler.explain.recognizing import recognize
from reconciler.explain.replaying import files_of

__all__ = ["diagnose", "files_of", "general", "recognize", "sonames_of"]
