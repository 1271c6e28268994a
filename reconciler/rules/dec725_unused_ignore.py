"""An ignore that silences nothing, or does not say what it is for.

A comment `# envfix: ignore[CODE, CODE] reason` names a code of which its line has no finding, or
that no rule has; or it names no code at all, and silences nothing; or it gives no reason.

It is asked last. Only codes of rules that were asked are called idle: with `--select CUD`, nothing
is known of an ignore of DEC701. `ignore[DEC725]` on the line silences this rule too.

Why it matters
--------------
The trouble that was once accepted is gone, and the comment stays: it will hide the next finding of
that kind on its line, which nobody has judged. Without a reason nobody can tell whether it holds.

Fix safety
----------
No fix is applied: whether a code was mistyped or the comment is stale, its author knows.

References
----------
- sqlfluff/sqlfluff#5029: comments that silence nothing are told of, as mypy does
- TomHennen/wrangle#613: `# zizmor: ignore[...]` was dead weight after the line had changed
- sbdchd/squawk#648: an ignore that is not needed is expected to be told of

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding
    from reconciler.model.ignore import Ignore
    from reconciler.world import World

RULE = Rule(
    code="DEC725",
    name="unused-ignore",
    severity=Severity.INFO,
    needs=frozenset({Fact.MANIFESTS}),
    since="0.1.0",
    is_last=True,
)

BAD = """\
environment.yml: |
  name: gpu
  dependencies:
    - python=3.11
    - pip  # envfix: ignore
"""

GOOD = """\
environment.yml: |
  name: gpu
  dependencies:
    - cudatoolkit=11.8  # envfix: ignore[CUD201] only its ptxas is used, by its path
    - pip
    - pip:
        - torch==2.1.2+cu121
"""

_NO_CODE = (
    "names no rule, and silences nothing",
    "the findings of the line are reported as if the comment were not there",
    "name the codes, as in `# envfix: ignore[CUD201] the reason`",
)
_NO_REASON = (
    "gives no reason",
    "the findings are silent, and nobody who reads the line can tell why they may be",
    "write the reason behind the bracket, as in `# envfix: ignore[CUD201] the reason`",
)


def check(world: World) -> Iterator[Finding]:
    """Hold each ignore against the rules that there are, and what it has silenced."""
    for ignore in world.ignores:
        for key, (what, shows_as, remedy) in _troubles(world, ignore):
            yield RULE.finding(
                f"`{ignore.at.subject}` {what}",
                at=ignore.at,
                shows_as=shows_as,
                remedy=remedy,
                cause=cause_of(RULE.name, ignore.at.path or "", ignore.at.subject, key),
            )


def _troubles(world: World, ignore: Ignore) -> Iterator[tuple[str, tuple[str, str, str]]]:
    """Yield what is wrong with an ignore, each with a key."""
    if not ignore.codes:
        yield "no-code", _NO_CODE
    for code in world.judged.unknown(ignore):
        from difflib import get_close_matches  # noqa: PLC0415 - only for what is wrong

        near = get_close_matches(code, sorted(world.judged.known), n=1)
        meant = f"write `{near[0]}`, if that is meant; " if near else ""
        yield (
            code,
            (
                f"names {code}, which is no rule's code",
                f"nothing is silenced by {code}",
                f"{meant}`envfix rule` lists the codes of all rules",
            ),
        )
    for code in world.judged.idle(ignore):
        yield (
            code,
            (
                f"silences nothing: its line has no finding of {code}",
                f"the next finding of {code} on this line would be hidden before anybody saw it",
                f"remove {code} from the comment, or the comment if no other code is left",
            ),
        )
    if ignore.codes and not ignore.reason:
        yield "no-reason", _NO_REASON
