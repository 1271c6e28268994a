"""A GPU is meant, and the framework is a build for the CPU.

The project asks for CUDA, or an extension of the framework is built for it, or conda holds CUDA
libraries that nothing uses, while the framework itself has no CUDA in it. Or a file names a build for
the CPU (`tensorflow=1.10.0=mkl_py36_0`) beside `tensorflow-gpu` or a `cudatoolkit` for it.

Silent where the CPU is meant: `cuda = "none"` in the settings, a build for the CPU that a file asks
for (`+cpu`, `cpuonly`) or that says so by its name (`tensorflow-cpu`), an environment without any
CUDA, and CUDA that another package of the environment may use, or that is there for its compiler.

Why it matters
--------------
A solver that finds no fitting CUDA build takes one for the CPU without a word, and a later
`conda install` may swap one for the other. Everything installs, imports and runs, some fifty times
slower, or stops at "Torch not compiled with CUDA enabled".

Fix safety
----------
For what is installed, a command is proposed, and never run, where the PyTorch index is known to have the same release
for the CUDA that is meant. Else, and with conda, another build of the framework is another
environment.

References
----------
- esa/AnomalyMatch#11: pytorch-cuda=12.4 was satisfied with PyTorch for the CPU from conda-forge
- Sygil-Dev/sygil-webui#1659: adding conda-forge turned PyTorch into a CPU build
- conda/conda#14761: PyTorch for the CPU although `__cuda` is there
- oobabooga/one-click-installers#84: "CPU-only ... far too many times"

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.cuda import KnownBy, Role, Variant
from reconciler.model.finding import INSTALLED, Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.cuda import CudaBuild
    from reconciler.model.finding import Finding
    from reconciler.model.fix import Fix
    from reconciler.model.install_set import InstallSet
    from reconciler.world import World

RULE = Rule(
    code="CUD206",
    name="cpu-build",
    severity=Severity.ERROR,
    needs_any=frozenset({Fact.RECORDS, Fact.DISTRIBUTIONS, Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
conda:
  - pytorch=2.5.1=cpu_generic_py311h35f3f2b_0
  - cudatoolkit=11.8.0=h4ba93d1_13
pip: []
"""

GOOD = """\
python: 3.11.7
conda:
  - pytorch=2.5.1=cpu_generic_py311h35f3f2b_0
pip: []
"""


def check(world: World) -> Iterator[Finding]:
    """Hold each framework that is built for the CPU against every sign that CUDA is meant."""
    if not world.can_have_cuda or world.means_cpu:
        return
    for install in world.install_sets:
        yield from _in_file(world, install)
    for name in sorted({build.component for build in world.frameworks}):
        faces = [build for build in world.frameworks if build.component == name]
        if any(build.variant is not Variant.CPU for build in faces):
            continue
        if _is_meant_for_cpu(world, name, faces):
            continue
        if signs := [*_declared(world, name), *_siblings(world, name), *_idle(world, name)]:
            # pytorch is what people know and ask for, libtorch is what it is made of.
            known = min(faces, key=lambda build: build.package.startswith("lib"))
            yield _finding(world, INSTALLED, known, signs, _written(world, name))


def _in_file(world: World, install: InstallSet) -> Iterator[Finding]:
    """Yield the frameworks that a file asks for in a build for the CPU, beside what asks for a GPU."""
    builds = world.declared_builds(install)
    by_build = [build for build in builds if build.known_by is KnownBy.BUILD_STRING]
    for name in sorted({b.component for b in by_build if b.variant is Variant.CPU}):
        faces = [build for build in by_build if build.component == name]
        if world.files.meant(install).cpu or any(f.variant is not Variant.CPU for f in faces):
            continue
        signs = [b for b in builds if b.component == name and b.variant is Variant.CUDA]
        if not world.files.uses_beside(install, name):
            signs += [
                b for b in builds if b.manager == "conda" and b.component == "toolkit" and b.cuda
            ]
        if signs:
            yield _finding(world, install.name, faces[0], signs)


def _written(world: World, name: str) -> tuple[str, ...]:
    """Return the causes of what a file says that would have given a build for the CPU."""
    consumer = world.catalog.consumers[name]
    return tuple(
        cause
        for install in world.install_sets
        if install.is_main
        for cause in (
            cause_of(RULE.name, install.name, name),
            cause_of("windows-pypi-is-cpu", install.name),
            cause_of("aarch64-pypi-is-cpu", install.name),
            *(
                cause_of(rule, install.name, package)
                for rule in ("cudatoolkit-selects-nothing", "gpu-not-pinned")
                for package in consumer.conda
            ),
        )
    )


def _is_meant_for_cpu(world: World, name: str, faces: Sequence[CudaBuild]) -> bool:
    by_name = any(build.known_by is KnownBy.NAME for build in faces)
    # What PyPI gives for a plain torch==2.5.1 on Windows is no word of the user's.
    by_file = any(
        build.component == name
        and build.variant is Variant.CPU
        and build.known_by is not KnownBy.RELEASE
        for install in world.install_sets
        if install.is_main
        for build in world.declared_builds(install)
    )
    return by_name or by_file or "cpuonly" in world.records


def _declared(world: World, name: str) -> Iterator[CudaBuild]:
    """Yield the lines that ask for this framework's CUDA build."""
    for install in (each for each in world.install_sets if each.is_main):
        for build in world.declared_builds(install):
            # As in _is_meant_for_cpu, a release alone asks for nothing.
            if (
                build.component == name
                and build.variant is Variant.CUDA
                and build.known_by is not KnownBy.RELEASE
            ):
                yield build


def _siblings(world: World, name: str) -> Iterator[CudaBuild]:
    """Yield the extensions of this framework that are built for CUDA."""
    for build in world.builds:
        consumer = world.consumer(build)
        if consumer is None or consumer.extends != name or consumer.does_without(build):
            continue
        if build.variant is Variant.CUDA:
            yield build


def _idle(world: World, name: str) -> Iterator[CudaBuild]:
    """Yield what brings conda's CUDA runtime where nothing else of the environment may use it."""
    consumers = (world.consumer(build) for build in world.builds)
    others = [c for c in consumers if c and name not in {c.name, c.extends}]
    conda = [build for build in world.builds if build.manager == "conda"]
    if others or world.compiles:
        return
    states = [build for build in conda if build.role is Role.STATES and world.states_cuda(build)]
    runtimes = [build for build in conda if "cuda-runtime" in build.brings]
    # What somebody asked for by name tells more than what came with it.
    yield from sorted(
        [*states, *runtimes], key=lambda build: not world.records[build.package].requested_specs
    )


def _finding(
    world: World,
    place: str,
    framework: CudaBuild,
    signs: Sequence[CudaBuild],
    written: Sequence[str] = (),
) -> Finding:
    title = world.catalog.title(framework.component)
    shows_as = f"{title} runs on the CPU alone, and lists no GPU"
    if framework.component == "torch":
        shows_as += "; `.cuda()` says `Torch not compiled with CUDA enabled`"
    return RULE.finding(
        f"{title} is a build for the CPU ({framework}: {framework.evidence}), although"
        f" {signs[0].at.subject} asks for a GPU",
        at=framework.at,
        related=tuple(build.at for build in signs),
        shows_as=shows_as,
        remedy=_remedy(world, framework, signs[0]),
        evidence=tuple(dict.fromkeys(f"{b}: {b.evidence}" for b in (framework, *signs))),
        fix=_fix(world, framework, signs) if place == INSTALLED else None,
        cause=cause_of(RULE.name, place, framework.component),
        explained_by=tuple(written),
    )


def _fix(world: World, framework: CudaBuild, signs: Sequence[CudaBuild]) -> Fix:
    cuda = next((sign.cuda for sign in signs if sign.cuda and sign.cuda.minor is not None), None)
    release = framework.version.partition("+")[0]
    builds = world.catalog.published.index_builds(framework.package, release)
    tag = f"cu{cuda.major}{cuda.minor}" if cuda else ""
    if framework.manager != "pip" or builds is None or tag not in builds.tags:
        return world.mending.choice(
            f"take {framework.package} in a build for CUDA, or mean the CPU", replaces=[framework]
        )
    why = f"{framework} is a build for the CPU, and {signs[0].at.subject} asks for CUDA {cuda}"
    return world.mending.exchange(framework, f"{framework.package}=={release}+{tag}", why)


def _remedy(world: World, framework: CudaBuild, sign: CudaBuild) -> str:
    asks_itself = sign.component == framework.component
    otherwise = (
        f"or, if the CPU is meant, ask for that in {sign.at.path}"
        if asks_itself
        else f"or, if the CPU is meant, remove {sign}"
    )
    if framework.manager == "pip":
        wanted = f"for CUDA {sign.cuda}" if sign.cuda else "for CUDA"
        return (
            f"install {framework.package} again in its build {wanted}, from an index that serves"
            f" it; {otherwise}"
        )
    consumer = world.consumer(framework)
    named = sorted(set(consumer.gpu_only) & set(consumer.conda)) if consumer else []
    spec = named[0] if named else f"{framework.package}=*=*cuda*"
    instead = f" in place of {sign.package}" if sign.role is Role.STATES else ""
    return (
        f"ask for the CUDA build by name, `{spec}`{instead}, with all packages from conda-forge, and"
        f" create the environment again: no solver can answer that with another build; {otherwise}"
    )
