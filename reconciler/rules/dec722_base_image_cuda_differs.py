"""A container's base image does not fit the wheels that are installed in it.

Four things are found in a stage that is FROM nvidia/cuda or pytorch/pytorch: something is compiled
for CUDA, and the image has no nvcc; something is compiled, and PyTorch's wheels are for another
CUDA major than the image's nvcc; LD_LIBRARY_PATH puts the image's older libraries before those of
the wheels; and pip installs another PyTorch over the one that the image was taken for.

Everything else is fine, and silent: wheels bring their own CUDA, so that plain wheels for CUDA 12.4
run on an image of 11.8, or of none. So is a compiler that conda or apt-get installs, and an
environment of its own beside the image's.

Why it matters
--------------
The first two end the build of the image, mostly after many minutes: "nvcc not found", "the detected
CUDA version (11.8) mismatches the version that was used to compile PyTorch (12.1)". The third ends
in an undefined symbol at the first import. The fourth doubles the image, and leaves the torchvision
of the image beside a PyTorch that it was not made for.

Fix safety
----------
No fix is applied: which of the two is meant, the image or the wheels, is the user's choice.

References
----------
- mistralai/mistral-inference#54: nvidia/cuda:11.8.0-devel, and wheels of PyTorch for CUDA 12.1
- mistralai/mistral-inference#76: the same while apex is compiled after pip installed PyTorch
- oobabooga/textgen#4288: the base image is changed so that its CUDA is that of the wheels
- Dao-AILab/flash-attention#869: flash-attn calls nvcc, which nvidia/cuda:12.3.2-runtime has not
- Dao-AILab/flash-attention#1635: only images whose names contain devel will provide nvcc
- infiniflow/ragflow#4466: LD_LIBRARY_PATH leads the wheels to the older CUDA of /usr/local/cuda
- FoundationVision/ByteTrack#49: a pinned version replaces the PyTorch of the image by an older one

"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.model.finding import Severity, cause_of
from reconciler.model.manifest import Kind, Section
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.cuda import CudaBuild
    from reconciler.model.finding import Finding
    from reconciler.model.image import BaseImage
    from reconciler.model.install_set import InstallSet
    from reconciler.model.manifest import Declared
    from reconciler.world import World

RULE = Rule(
    code="DEC722",
    name="base-image-cuda-differs",
    severity=Severity.WARNING,
    needs=frozenset({Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
Dockerfile: |
  FROM nvidia/cuda:11.8.0-devel-ubuntu22.04
  RUN pip install torch==2.5.1
  RUN pip install flash-attn --no-build-isolation
"""

GOOD = """\
Dockerfile: |
  FROM nvidia/cuda:12.4.1-devel-ubuntu22.04
  RUN pip install torch==2.5.1
  RUN pip install flash-attn --no-build-isolation
"""

_CUDA = re.compile(r"cuda|nvcc", re.IGNORECASE)
_SKIPS = re.compile(r"SKIP_CUDA_BUILD=(?!0|FALSE)", re.IGNORECASE)
#: The packages of a system that bring nvcc.
_COMPILER = re.compile(r"cuda(-|$)|nvcc|nvidia-cuda-toolkit")


def check(world: World) -> Iterator[Finding]:
    """Hold each image against what is compiled and installed on it."""
    for install in world.install_sets:
        image = world.files.base_image(install)
        if image is None:
            continue
        frameworks = _frameworks(world, install)
        step = _compiled(world, install)
        if step and not image.has_compiler:
            yield _no_compiler(install, image, step)
        for build in frameworks:
            if step and image.has_compiler and build.major != image.cuda.major:
                yield _other_major(install, image, step, build)
            elif line := _capturing(install, image, build):
                yield _captured(install, image, line, build)
        yield from _replaced(world, install, image, frameworks)


def _frameworks(world: World, install: InstallSet) -> list[CudaBuild]:
    """Return the pinned wheels, for a CUDA that is known, that compiled code is loaded into."""
    builds = (b for b in world.declared_builds(install) if b.manager == "pip" and b.version)
    extended = {c.extends for c in world.catalog.consumers.values() if c.extends}
    return [b for b in builds if b.component in extended and b.cuda]


def _compiled(world: World, install: InstallSet) -> Declared | None:
    """Return the first line by which the image's nvcc is used; None where no line is sure to."""
    variables = install.of_kind(Kind.VARIABLE)
    brought = (
        *install.of_kind(Kind.SYSTEM),
        *install.requirements(Section.CONDA),
    )
    if any(_SKIPS.search(v.text) for v in variables) or any(
        _COMPILER.search(line.name) for line in brought
    ):
        return None
    for line in install.requirements(Section.PIP):
        consumer = world.catalog.consumer("pip", line.name)
        is_wheel = ".whl" in line.text or install.indexes(line)
        if consumer and consumer.is_source_only and not is_wheel:
            return line
    steps = install.of_kind(Kind.COMPILATION)
    is_for_cuda = any(_CUDA.search(v.name) for v in variables)
    return next((step for step in steps if is_for_cuda or _CUDA.search(step.text)), None)


def _capturing(install: InstallSet, image: BaseImage, build: CudaBuild) -> Declared | None:
    """Return the variable by which the image's older libraries come before those of a wheel."""
    if build.cuda is None or build.major != image.cuda.major or build.cuda.minor is None:
        return None
    if (image.cuda.minor or 0) >= build.cuda.minor or "-base" in image.at.text:
        return None
    variables = (v for v in install.of_kind(Kind.VARIABLE) if v.name == "LD_LIBRARY_PATH")
    return next((v for v in variables if re.search(r"/cuda|CUDA_HOME|CUDA_PATH", v.text)), None)


def _no_compiler(install: InstallSet, image: BaseImage, step: Declared) -> Finding:
    devel = re.sub(r"\b(runtime|base)\b", "devel", image.at.text)
    return RULE.finding(
        f"`{step.text}` is compiled in {install.name}, and its image {image.at.text} has no nvcc",
        at=step.location,
        related=(image.at.location,),
        shows_as="the build of the image fails: `nvcc was not found`, or `CUDA_HOME environment"
        " variable is not set`",
        remedy=f"build it FROM {devel}, be it in a stage of its own; or install a wheel that is"
        " compiled already",
        evidence=(f"only images with devel in their tags bring nvcc: {image.at.text}",),
        cause=cause_of(RULE.name, install.name, "no-compiler"),
    )


def _other_major(
    install: InstallSet, image: BaseImage, step: Declared, build: CudaBuild
) -> Finding:
    return RULE.finding(
        f"`{step.text}` is compiled with CUDA {image.cuda} of {image.at.text} in {install.name}, and"
        f" {build} is for CUDA {build.cuda}",
        at=step.location,
        related=(image.at.location, build.at),
        shows_as=f"the build of the image fails: `The detected CUDA version ({image.cuda}) mismatches"
        f" the version that was used to compile PyTorch ({build.cuda})`",
        remedy=f"take an image of CUDA {build.major}, of {build.cuda} at best; or install a build of"
        f" {build.package} for CUDA {image.cuda.major}",
        evidence=(f"{build}: {build.evidence}", f"{image.at.text}: CUDA {image.cuda}"),
        cause=cause_of(RULE.name, install.name, "other-major"),
    )


def _captured(install: InstallSet, image: BaseImage, line: Declared, build: CudaBuild) -> Finding:
    return RULE.finding(
        f"`{line.text}` puts the libraries of CUDA {image.cuda} of {image.at.text} before those of"
        f" {build}, which are of CUDA {build.cuda}, in {install.name}",
        at=line.location,
        related=(image.at.location, build.at),
        shows_as="an undefined symbol while it is imported, such as `__nvJitLinkComplete_12_4` or"
        " `cublasLt...`, since a library of one release meets its older half",
        remedy="remove the line: the wheels find their own libraries without it; or take an image of"
        f" CUDA {build.cuda} or newer",
        evidence=(f"{build}: {build.evidence}", f"{image.at.text}: CUDA {image.cuda}"),
        cause=cause_of(RULE.name, install.name, "captured"),
    )


def _replaced(
    world: World, install: InstallSet, image: BaseImage, frameworks: Sequence[CudaBuild]
) -> Iterator[Finding]:
    if not image.framework or install.of_kind(Kind.ENVIRONMENT):
        return
    for build in frameworks:
        version, _, label = build.version.partition("+")
        differs = not f"{version}.".startswith(f"{image.release}.") or (
            label and build.cuda and build.cuda != image.cuda
        )
        if build.component != image.framework or not differs:
            continue
        title = world.catalog.title(image.framework)
        yield RULE.finding(
            f"{build} is installed in {install.name} over the {title} {image.release} for CUDA"
            f" {image.cuda} of its image {image.at.text}",
            at=build.at,
            related=(image.at.location,),
            shows_as=f"the image holds {title} twice, and what it brings for {image.release}, such"
            f" as torchvision, fails beside {build.version}",
            remedy=f"take the image of {title} {version}, or an image without {title}; or leave the"
            f" line out, and use {image.release}",
            evidence=(f"{image.at.text}: {title} {image.release}", f"{build}: {build.evidence}"),
            cause=cause_of(RULE.name, install.name, "replaced"),
        )
