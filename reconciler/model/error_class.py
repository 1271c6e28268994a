"""A class of error messages: how it is recognized, and what is known of it."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

from reconciler.model.row import Row

#: The tables of the catalog that hold them, one for each kind of trouble.
ERROR_TABLES = (
    "errors/building",
    "errors/conda",
    "errors/cpu",
    "errors/driver",
    "errors/extensions",
    "errors/gpu",
    "errors/installing",
    "errors/libraries",
    "errors/symbols",
    "errors/versions",
    "errors/windows",
)
#: From the surest to what only says that something above has failed.
SPECIFICITIES = ("specific", "general", "symptom")


class ErrorClass(Row, frozen=True, kw_only=True, dict=True):
    """Messages that have the same causes and the same remedies."""

    id: str
    #: What happened, in a clause.
    title: str
    #: One such message as users paste it, and as they ask a search engine for it.
    message: str
    #: ``symptom``: it says only that something has failed that other lines name.
    specificity: Literal["specific", "general", "symptom"] = "general"
    #: Texts of which one stands, to the letter, in the first line of every such message.
    marks: tuple[str, ...]
    #: Regular expressions that begin in that line, the one that captures most first. A space in
    #: one stands for any white space, because logs wrap. What a group captures is named after it.
    patterns: tuple[str, ...]
    #: How many lines such a message may take.
    lines: int = 2
    #: Sentences: what it means wherever it is seen.
    cause: str
    #: The codes of the rules that would find it in an environment.
    rules: tuple[str, ...] = ()
    #: The name of the Consumer of which a build for the CPU says this; "" where none does.
    cpu_build_of: str = ""
    #: The library that is to be looked for though the message does not name it; "" for none.
    about: str = ""
    #: Sentences: what to do wherever it is seen.
    remedy: str
    #: The threads in which it was seen, parted by semicolons.
    source: str

    @property
    def rank(self) -> int:
        """0 for the most specific."""
        return SPECIFICITIES.index(self.specificity)

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """The addresses of the threads."""
        return tuple(f"https://{source}" for source in self.source.split("; "))
