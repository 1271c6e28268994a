"""What the activation of an environment is to do, why, and how its hook is: for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.hook import FileState, PrependPath
from reconciler.model.look import PLAIN
from reconciler.model.os_name import printable
from reconciler.output.page import Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.model.hook import HookChange, HookOffer, HookStatus
    from reconciler.model.look import Look
    from reconciler.model.snapshot import Target

_ON_PATHS = (
    "conda advises against LD_LIBRARY_PATH: every program that is started while the environment is"
    " active looks there first. The folders above hold nothing but libraries of CUDA"
)
_ON_ALL = (
    "kernels of IDEs and notebooks, cron and `path/to/python` start Python without an activation,"
    " and have no hook"
)
_IN_VENV = (
    "plain `activate` stays as it is: `. {prefix}/bin/envfix-activate.sh` in its place brings the"
    " hook (.fish and .csh beside it)"
)


def add_changes(page: Page, changes: Iterable[HookChange], target: Target) -> None:
    """Add each change of activation, and what to know of such changes, to a page."""
    listed = tuple(changes)
    for change in listed:
        said = "; ".join(map(str, change.variables))
        page.paragraph(f"{said}.", label="- ", indent=0)
        page.paragraph(f"{change.why.code}: {change.why.sentence}.", body="dim")
        if change.replaces:
            gone = " and ".join(map(printable, change.replaces))
            page.paragraph(f"{gone}, which `envfix undo` brings back.", label="instead of  ")
        for proof in change.proof:
            page.paragraph(f"{proof}.", label="proof  ", style="dim", body="dim")
    for advice in advice_on(listed):
        page.paragraph(f"{advice}.", label="know   ", style="warning")
    if listed and target.kind == "venv":
        page.paragraph(
            f"{_IN_VENV.format(prefix=target.prefix)}.", label="know   ", style="warning"
        )


def advice_on(changes: Sequence[HookChange]) -> tuple[str, ...]:
    """Return what to know of such changes before they are made."""
    is_path_brought = any(
        isinstance(variable, PrependPath) for change in changes for variable in change.variables
    )
    said = (_ON_PATHS, _ON_ALL) if is_path_brought else (_ON_ALL,)
    return said if changes else ()


def render_offer(offer: HookOffer, target: Target, look: Look = PLAIN) -> str:
    """Return what a hook is to do, and what it could do as well."""
    page = Page(look)
    if offer.changes:
        page.paragraph(f"What the activation of {target.prefix} is to do", indent=0)
        add_changes(page, offer.changes, target)
    else:
        page.paragraph(
            f"No hook is written for {target.prefix}: of no variable is it proven that it changes for"
            " the better what is loaded or imported.",
            indent=0,
        )
    for refusal in offer.refusals:
        page.paragraph(f"{refusal}.", label="but    ", style="warning")
    if offer.left_out:
        page.paragraph("With --unsafe-fixes, too", indent=0)
        add_changes(page, offer.left_out, target)
    return "\n".join(page.lines) + "\n"


_STATES = {
    FileState.INTACT: "as envfix wrote it",
    FileState.EDITED: "edited since envfix wrote it",
    FileState.MISSING: "gone",
}


def render_status(status: HookStatus | None, target: Target, look: Look = PLAIN) -> str:
    """Return how the hook of an environment is, a line a script."""
    if status is None:
        return f"{target.prefix} has no hook of envfix\n"
    page = Page(look)
    page.paragraph(f"The hook of envfix in {target.prefix}", indent=0)
    for script in status.scripts:
        page.paragraph(f"{script.state:<8} {script.path}: {_STATES[script.state]}")
    if status.is_stale:
        page.paragraph(
            "stale: what the environment needs today is something else; `envfix hooks install`"
            " writes it anew, and `envfix hooks remove` takes it away."
        )
    elif status.is_whole:
        page.paragraph("It does what the environment needs.")
    return "\n".join(page.lines) + "\n"
