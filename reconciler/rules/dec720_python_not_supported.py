"""The Python that a file pins or allows is none that a pinned wheel was made for.

PyTorch 1.13 has wheels for Python 3.7 to 3.11, TensorFlow 2.10 for 3.7 to 3.10. Where the Python is
pinned to another, or every one that `requires-python` allows is another, pip finds no file.

Silent where one allowed Python will do, where a release has a source distribution, whose build pip
would try, and for what an index may have of which nothing is known.

Why it matters
--------------
pip says `No matching distribution found` and lists the versions that have a wheel for this Python,
so that the pin seems never to have existed. It is often met years later, when a file without a
bound is installed with the Python of the day.

Fix safety
----------
Nothing is changed: whether the Python or the pin gives way is the user's choice, and both ways are
shown.

References
----------
- facebookresearch/ImageBind#139: `torch==1.13.1` with Python 3.12 and 3.11
- pytorch/pytorch#66399: `torch==1.9.1+cu111` with Python 3.10
- pytorch/pytorch#114893: no wheel for Python 3.12, months after it came out
- AUTOMATIC1111/stable-diffusion-webui#9321: `torch==1.13.1+cu117` with Python 3.11

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Severity, cause_of
from reconciler.model.fix import Applicability, Fix
from reconciler.model.offer import pythons_for
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.finding import Finding
    from reconciler.model.offer import PythonMisfit
    from reconciler.world import World

RULE = Rule(
    code="DEC720",
    name="python-not-supported",
    severity=Severity.ERROR,
    needs=frozenset({Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
environment.yml: |
  dependencies:
    - python=3.12
    - pip
    - pip:
      - torch==1.13.1
"""

GOOD = """\
environment.yml: |
  dependencies:
    - python=3.10
    - pip
    - pip:
      - torch==1.13.1
"""


def check(world: World) -> Iterator[Finding]:
    """Hold the pinned wheels of each set against the Pythons that it allows."""
    for install in world.install_sets:
        if misfits := world.supply.python_misfits(install):
            yield _finding(install.name, misfits)


def _finding(place: str, misfits: Sequence[PythonMisfit]) -> Finding:
    first = misfits[0]
    shown = ", ".join(
        f"{m.line.name}=={m.version} has wheels for {m.span.words}" for m in misfits[:4]
    )
    said = " and ".join(f"`{line.text}`" for line in first.because[:3])
    wanted = first.allowed[0] if len(first.allowed) == 1 else f"{first.allowed[0]} or later"
    fitting = [f"{m.line.name}=={m.fitting}" for m in misfits[:4] if m.fitting]
    ways = [f"take {pythons}"] if (pythons := pythons_for(misfits)) else []
    ways += [f"pin a release that has wheels for it: {', '.join(fitting)}"] if fitting else []
    remedy = "; or ".join(ways) or f"take another release of {first.line.name}"
    return RULE.finding(
        f"{place} is for Python {wanted}, by {said}, but {shown}",
        at=first.line.location,
        related=tuple(
            line.location for line in (*first.because[:2], *(m.line for m in misfits[1:3]))
        ),
        shows_as=f"`No matching distribution found for {first.line.name}=={first.version}`",
        remedy=remedy,
        fix=Fix(title=remedy, applicability=Applicability.DISPLAY),
        evidence=tuple(f"{m.line.name} {m.version}: {m.span.source}" for m in misfits[:4]),
        cause=cause_of(RULE.name, place),
    )
