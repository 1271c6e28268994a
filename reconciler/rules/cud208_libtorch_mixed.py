"""One environment has a framework's own libraries twice, or in two builds that do not belong together.

conda splits PyTorch into `libtorch` and `pytorch`, and TensorFlow into `libtensorflow_cc` and its
like. A wheel of PyTorch beside conda's libtorch is one mixture: conda's TorchVision was linked with
the one, and `import torch` loads the other. A `pytorch` of conda on another build of `libtorch` than
it was made with is the other one.

Where conda's Python package is there beside the wheel too, DUP105 says so, and this is folded under
it.

Why it matters
--------------
Both hold a `libtorch.so`; the loader maps one of them, and what was linked with the other calls
into it. It shows itself as an undefined symbol, as `operator torchvision::nms does not exist`, as
a crash, or as a GPU that is never used, since the solver takes a build of libtorch for the CPU for
a package that merely asks for TorchVision.

Fix safety
----------
Where conda's packages are of two builds, a command is proposed, and never run. Whether the framework
is to come from conda or from pip is the user's choice.

References
----------
- nv-morpheus/Morpheus#1943: torch 2.4.0+cu124 of pip beside conda's libtorch and torchvision for the CPU

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import INSTALLED, Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.cuda import CudaBuild
    from reconciler.model.finding import Finding
    from reconciler.world import World

RULE = Rule(
    code="CUD208",
    name="libtorch-mixed",
    severity=Severity.ERROR,
    needs=frozenset({Fact.RECORDS}),
    since="0.1.0",
)

BAD = """\
python: 3.10.14
conda:
  - libtorch=2.4.0=cpu_generic_h4a3044c_1
  - torchvision=0.19.1=cpu_py310hd9679db_0
pip:
  - torch==2.4.0+cu124
"""

GOOD = """\
python: 3.10.14
conda:
  - libtorch=2.4.0=cpu_generic_h4a3044c_1
  - pytorch=2.4.0=cpu_generic_py310hff0b8b8_1: {depends: [libtorch 2.4.0 cpu_generic_h4a3044c_1]}
  - torchvision=0.19.1=cpu_py310hd9679db_0
pip: []
"""


def check(world: World) -> Iterator[Finding]:
    """Look for a wheel beside conda's libraries, and for a package of conda beside other ones."""
    for name in sorted({build.component for build in world.frameworks}):
        faces = [build for build in world.frameworks if build.component == name]
        wheels = [build for build in faces if build.manager == "pip"]
        libraries = [build for build in faces if build.package.startswith("lib")]
        if wheels and libraries:
            yield _twice(world, wheels[0], libraries[0], faces)
            continue
        for build in faces:
            for spec, other in world.unmet(build):
                if other.component == name:
                    yield _torn(world, build, spec, other)


def _twice(
    world: World, wheel: CudaBuild, library: CudaBuild, faces: Sequence[CudaBuild]
) -> Finding:
    title = world.catalog.title(wheel.component)
    users = [
        build
        for build in world.builds
        if build.manager == "conda" and _extends(world, build, wheel.component)
    ]
    condas = [build for build in faces if build.manager == "conda"]
    loaded = f", which conda's {_names(users)} is linked with" if users else ""
    remove = " ".join(build.package for build in [*users, *condas])
    return RULE.finding(
        f"pip's {wheel} for {wheel.words} is installed beside conda's {library} for"
        f" {library.words}{loaded}",
        at=library.at,
        related=(wheel.at, *(build.at for build in users[:3])),
        shows_as=f"what conda has linked with its own {title} is loaded into pip's: an undefined"
        " symbol, an operator that does not exist, or a crash",
        remedy=f"keep one of them: `conda remove {remove}`, and take"
        f" {_names(users) or 'what needs it'} from pip as well; or `pip uninstall {wheel.package}`,"
        f" and take {title} from conda in a build for {wheel.words}",
        evidence=tuple(
            f"{build.manager}'s {build}: {build.evidence}" for build in (wheel, library)
        ),
        fix=world.mending.choice(f"keep one: pip's {wheel} or conda's {library}"),
        cause=cause_of(RULE.name, INSTALLED, wheel.component),
        explained_by=(cause_of("import-provided-twice", INSTALLED, wheel.package),),
    )


def _torn(world: World, build: CudaBuild, spec: str, other: CudaBuild) -> Finding:
    title = world.catalog.title(build.component)
    found = world.records[other.package]
    return RULE.finding(
        f"conda's {build} was made for {spec}, and {found} in its build {found.build} is installed",
        at=other.at,
        related=(build.at,),
        shows_as=f"`import {build.component}` fails with an undefined symbol, or {title} runs as the"
        " other build does",
        remedy=f"`conda install {build.package}={build.version} {other.package}={build.version}`, both"
        " from one channel, so that the solver takes builds that belong together",
        evidence=(f"{build.package} depends on {spec}",),
        fix=world.mending.solve(
            [f"{build.package}={build.version}", f"{other.package}={build.version}"],
            world.records[build.package],
            f"{build} was made for {spec}, and the solver takes builds that belong together",
        ),
        cause=cause_of(RULE.name, INSTALLED, build.component),
    )


def _extends(world: World, build: CudaBuild, name: str) -> bool:
    consumer = world.consumer(build)
    return consumer is not None and consumer.extends == name


def _names(builds: Sequence[CudaBuild]) -> str:
    return ", ".join(str(build) for build in builds[:3])
