"""What a message means where the model of the loader opens what it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from reconciler import explaining
from reconciler.model.replay import Replay
from reconciler.testing import sketch

if TYPE_CHECKING:
    from reconciler.model.diagnosis import Diagnosis

SITE = "lib/python3.11/site-packages"
EVERY = ("in this shell", "activated", "not activated")
MODULE = f"/prefix/{SITE}/mine/_C.so"
LIBRARY = f"/prefix/{SITE}/nvidia/curand/lib/libcurand.so.10"
WORLD = f"""
python: 3.11.7
env: {{}}
pip: [mine==1.0, nvidia-curand-cu12==10.3.5.147]
loader:
  {SITE}/mine/_C.so:
    {{of: mine, needed: [libcurand.so.10], runpath: $ORIGIN/../nvidia/curand/lib}}
  {SITE}/nvidia/curand/lib/libcurand.so.10: {{of: nvidia-curand-cu12}}
"""
SYMBOL = Replay(
    opened=MODULE,
    shells=EVERY,
    outcome="symbol",
    error=f"{MODULE}: undefined symbol: curandNew, version libcurand.so.10",
    asker=MODULE,
    soname="libcurand.so.10",
    symbol="curandNew",
    version="libcurand.so.10",
    at=LIBRARY,
    reason="RUNPATH",
    entry="$ORIGIN/../nvidia/curand/lib",
)
UNFIT = Replay(
    opened=MODULE,
    shells=EVERY,
    outcome="unfit",
    error=f"{LIBRARY}: no ELF magic at its start",
    asker=MODULE,
    soname="libcurand.so.10",
    at=LIBRARY,
    begins="version https://git-lfs.github.com/spec/v1",
)
OPENED = Replay(opened=MODULE, shells=EVERY, outcome="opened", soname=MODULE, at=MODULE)
FAILS = f"ImportError: {MODULE}: undefined symbol: curandNew, version libcurand.so.10"


def told(text: str, *replays: Replay) -> Diagnosis:
    snapshot = sketch(WORLD)
    loader = msgspec.structs.replace(snapshot.loader, replays=replays)
    seen = msgspec.structs.replace(snapshot, loader=loader)
    (diagnosis,) = explaining.diagnose(explaining.recognize([text]), seen)
    return diagnosis


@pytest.mark.parametrize(
    "text",
    [
        FAILS,
        # before glibc 2.30
        (
            f"ImportError: {MODULE}: symbol curandNew, version libcurand.so.10 not defined in file"
            " libcurand.so.10 with link time reference"
        ),
        # another folder, as in the image of a container
        "ImportError: /opt/venv/lib/mine/_C.so: undefined symbol: curandNew, version libcurand.so.10",
    ],
)
def test_the_file_that_answers_and_lacks_the_symbol_is_the_culprit(text: str) -> None:
    diagnosis = told(text, SYMBOL)

    assert diagnosis.certainty == "proven"
    assert diagnosis.culprit is not None
    assert (diagnosis.culprit.path, diagnosis.culprit.owner.title) == (
        LIBRARY,
        "pip's nvidia-curand-cu12 10.3.5.147",
    )
    assert "does not define curandNew" in diagnosis.cause


@pytest.mark.parametrize(
    "text",
    [
        FAILS.replace("curandNew", "curandOther"),
        FAILS.replace("_C.so", "_D.so"),
        "ImportError: libcurand.so.10: cannot open shared object file: No such file or directory",
        "ImportError: libcurand.so.10: file too short",
    ],
)
def test_another_failure_than_the_one_here_is_not_explained_by_it(text: str) -> None:
    diagnosis = told(text, SYMBOL)

    assert (diagnosis.certainty, diagnosis.culprit) == ("general", None)


@pytest.mark.parametrize("words", ["invalid ELF header", "Ungültiger ELF-Header", "无效的 ELF 头"])
def test_a_damaged_file_is_told_by_what_it_begins_with(words: str) -> None:
    diagnosis = told(f"ImportError: {LIBRARY}: {words}", UNFIT)

    assert diagnosis.certainty == "proven"
    assert "begins with `version https://git-lfs.github.com/spec/v1`" in diagnosis.cause
    assert "`pip install --force-reinstall --no-deps nvidia-curand-cu12==10.3.5.147`" in (
        diagnosis.remedy
    )


def test_that_it_opens_here_is_told_and_nobody_is_blamed() -> None:
    diagnosis = told(FAILS, OPENED)

    assert (diagnosis.certainty, diagnosis.culprit) == ("general", None)
    assert "of another environment or shell" in diagnosis.evidence[0]


def test_the_shell_at_hand_is_where_a_message_is_from() -> None:
    trap = msgspec.structs.replace(
        SYMBOL,
        shells=("in this shell",),
        at="/opt/cuda/lib64/libcurand.so.10",
        reason="LD_LIBRARY_PATH",
        entry="/opt/cuda/lib64",
    )
    other = msgspec.structs.replace(SYMBOL, shells=("not activated",))

    diagnosis = told(FAILS, other, trap)

    assert diagnosis.remedy.startswith("Take `/opt/cuda/lib64` out of LD_LIBRARY_PATH")
