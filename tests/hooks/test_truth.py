"""What real shells make of a script is what the model says, or the model says that it cannot tell."""

from __future__ import annotations

from random import Random
from shutil import which
from typing import TYPE_CHECKING

import pytest

from .sourcing import disagreements, environment, modelled, script, sourced

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = range(250)


@pytest.mark.parametrize("shell", ["bash", "dash"])
def test_a_script_does_in_the_shell_what_it_does_in_the_model(shell: str, tmp_path: Path) -> None:
    if not which(shell):
        pytest.skip(f"{shell} is not on this machine")
    differences: dict[int, object] = {}
    unknown = ended = 0
    for seed in SEEDS:
        random = Random(seed)
        text, variables = script(random, is_bash=shell == "bash"), environment(random)
        real = sourced(shell, text, variables, str(tmp_path))
        known, doubted = modelled(text, variables)
        if real is None:
            # What dash cannot read ends it.
            ended += 1
            continue
        unknown += bool(doubted)
        if found := disagreements(real, known, doubted):
            differences[seed] = (found, text)

    assert differences == {}
    assert ended < 0.02 * len(SEEDS)
    assert unknown < 0.2 * len(SEEDS)
