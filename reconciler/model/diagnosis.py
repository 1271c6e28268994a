"""What an error means in one environment."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from reconciler.model.finding import Finding
from reconciler.model.recognized import Recognized
from reconciler.model.which import Origin

#: proven: seen in this environment, with a part that the message names; likely: what causes such
#: messages was seen here; general: what is known of such messages anywhere.
Certainty = Literal["proven", "likely", "general"]
CERTAINTIES = ("proven", "likely", "general")


class Culprit(Struct, frozen=True, kw_only=True):
    """The file that a message is about: as this environment has it, or as the project declares it."""

    path: str
    #: Of a declared file, from 1.
    line: int | None = None
    owner: Origin


class Diagnosis(Struct, frozen=True, kw_only=True):
    """A message, its cause here as surely as that is known, and what to do."""

    recognized: Recognized
    certainty: Certainty
    #: Sentences.
    cause: str
    culprit: Culprit | None = None
    #: What was seen in the environment, in the order in which it leads to the cause.
    evidence: tuple[str, ...] = ()
    #: Sentences.
    remedy: str
    #: What rules found here that causes such a message; the first one is that of ``cause``.
    findings: tuple[Finding, ...] = ()

    @property
    def rules(self) -> tuple[str, ...]:
        """The codes of the rules that found it here; of those that would where none has."""
        codes = dict.fromkeys(finding.code for finding in self.findings)
        return tuple(codes) or self.recognized.error.rules
