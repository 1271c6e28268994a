"""One project is declared for conda and for pip.

The file asks conda for `pytorch` and pip for `torch`, or for `filelock` on both sides: one project,
by its names under both managers, or two projects that install the same import package.

Silent where conda's package of that name is another thing than the project on PyPI (`graphviz` is
the program, `python-graphviz` what PyPI calls graphviz), and on constraints, which install nothing.

Why it matters
--------------
conda installs first, and pip second into the same folder. Where the version that is there already
is what the line of pip asks for, pip leaves it, and the line does nothing. Where it is not, pip
deletes conda's files and writes its own, while conda's records go on naming the old ones: the next
`conda install` brings them back, over pip's. Of PyTorch and its kin the two are besides built for
different releases of CUDA.

Fix safety
----------
Where conda's version is what the line of pip asks for, one of the two lines is dropped: conda's where
all else of PyTorch's family, or of the whole file, is pip's, else pip's. It is unsafe, since what
else depends on it is not known. Where the versions differ, or the line of pip names an extra, a
label or an URL, a person has to choose.

References
----------
- conda/conda#11103: asks for a warning about what conda and pip are both asked for
- conda-forge/opencv-feedstock#188: opencv of conda beside opencv-python of pip
- micasense/imageprocessing#146: the two in one environment, and Qt's plugins fail
- conda/conda#14161: pip replaced a package that conda still records

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Severity, cause_of
from reconciler.model.manifest import Section
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.model.finding import Finding
    from reconciler.model.install_set import InstallSet
    from reconciler.model.manifest import Declared
    from reconciler.world import World

RULE = Rule(
    code="DUP102",
    name="distribution-declared-twice",
    severity=Severity.WARNING,
    needs=frozenset({Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
environment.yml: |
  dependencies:
    - python=3.11
    - pytorch=2.1.2
    - pip
    - pip:
      - torch==2.1.2
"""

GOOD = """\
environment.yml: |
  dependencies:
    - python=3.11
    - pytorch=2.1.2
    - graphviz
    - pip
    - pip:
      - graphviz
"""


def check(world: World) -> Iterator[Finding]:
    """Hold the names on pip's side against PyPI's names of what conda is asked for."""
    for install in world.install_sets:
        if install.is_lock:
            continue
        wheels = {line.name: line for line in install.requirements(Section.PIP) if line.name}
        told: set[str] = set()
        for line in install.requirements(Section.CONDA) if wheels else ():
            twin = _twin(world, line, wheels)
            # pytorch and pytorch-gpu are one to pip: it is said once.
            if twin and twin.name not in told:
                told.add(twin.name)
                yield _finding(world, install, line, twin)


def _twin(world: World, line: Declared, wheels: Mapping[str, Declared]) -> Declared | None:
    """Return the line of pip that is of the same project, or installs the same import."""
    names = world.catalog.distributions_of(line.name)
    groups = (world.catalog.import_group(name) for name in names)
    others = (name for group in groups if group for name in group.pypi)
    return next((wheels[name] for name in (*names, *others) if name in wheels), None)


def _finding(world: World, install: InstallSet, conda: Declared, pip: Declared) -> Finding:
    known = world.catalog.consumer("pip", pip.name)
    keep = (
        f"keep `{conda.text}` and drop `{pip.text}` from the pip section, so that one manager has"
        " it; or drop conda's, if pip's version is the one that is meant"
    )
    shows_as = _shows_as(conda, pip)
    if known and known.kind == "framework":
        shows_as += ", and its CUDA is the wheel's then, not conda's"
    return RULE.finding(
        f"{install.name} asks conda for {conda.text!r} and pip for {pip.text!r}, which"
        f" {_relation(conda, pip)}",
        at=pip.location,
        related=(conda.location,),
        shows_as=shows_as,
        remedy=keep,
        fix=world.files.fixing(install).one_manager(conda, pip),
        cause=cause_of(RULE.name, install.name, pip.name),
    )


def _relation(conda: Declared, pip: Declared) -> str:
    same = conda.name.lower().replace("_", "-").replace(".", "-") == pip.name
    return "is one project" if same else "install the same package"


def _shows_as(conda: Declared, pip: Declared) -> str:
    asked = (conda.spec.pinned_version if conda.spec else None) or ""
    pinned = pip.pin.partition("+")[0]
    if asked and pinned and not (pinned == asked or pinned.startswith(f"{asked}.")):
        return (
            f"pip deletes conda's {conda.name} {asked} and installs {pinned} in its place, while"
            " conda goes on recording the old one"
        )
    return (
        "what conda has installed is left as it is if it happens to satisfy pip's line; if not, pip"
        " deletes conda's files and writes its own, which conda knows nothing of"
    )
