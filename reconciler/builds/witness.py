"""What names, labels, build strings and pins say of a build: the readings that witnesses share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from reconciler.model.cuda import CudaVersion, KnownBy, Variant

if TYPE_CHECKING:
    from reconciler.model.catalog import Catalog
    from reconciler.model.consumer import Consumer
    from reconciler.model.cuda_package import CudaPackage

_CUDA_LABEL = re.compile(r"(cu(?:da)?\d{2,3})(?=\D|$)")
# A build as recorded, or as a glob asks for it: cuda118py310_0, *cuda118*.
_CUDA_IN_BUILD = re.compile(r"(?:^|[_*])(?:cuda|cu)_?(\d{1,2}\.\d{1,2}|\d{2,3})?(?=\D|$)")


class Known(NamedTuple):
    """What a witness says of one package's build."""

    variant: Variant
    #: None where the build's release is not told, and for the other variants.
    cuda: CudaVersion | None
    known_by: KnownBy
    #: The observation in words, with the text that was seen.
    evidence: str
    #: Where there is a library for each: their releases, in order.
    releases: tuple[CudaVersion, ...] = ()


def read_local_label(local: str, version: str) -> Known | None:
    """Read a version's local label: ``cu121``, ``cuda12.cudnn89``, ``pt21cu121``, ``cpu``."""
    evidence = f"its version {version}"
    if match := _CUDA_LABEL.search(local):
        cuda = CudaVersion.from_tag(match[1])
        return Known(Variant.CUDA, cuda, KnownBy.LOCAL_VERSION, evidence)
    for beginning, variant in (("cpu", Variant.CPU), ("rocm", Variant.ROCM)):
        if local.startswith(beginning):
            return Known(variant, None, KnownBy.LOCAL_VERSION, evidence)
    return None


def read_name(name: str, consumer: Consumer) -> Known | None:
    """Read what a package's name alone says: ``cupy-cuda12x``, ``faiss-cpu``."""
    evidence = f"its name {name}"
    if release := consumer.cuda_of_name.get(name):
        return Known(Variant.CUDA, CudaVersion.parse(release), KnownBy.NAME, evidence)
    if name in consumer.cpu_only:
        return Known(Variant.CPU, None, KnownBy.NAME, evidence)
    if name in consumer.gpu_only:
        return Known(Variant.CUDA, None, KnownBy.NAME, evidence)
    return None


def read_release(catalog: Catalog, name: str, version: str, platform: str) -> Known | None:
    """Read what PyPI's own wheel of a version was built for."""
    release = catalog.release(name, version, platform)
    if release is None:
        return None
    cuda = CudaVersion.parse(release.cuda) if release.cuda else None
    built_for = f"CUDA {cuda}" if cuda else "the CPU"
    evidence = f"PyPI's {name} {version} for {platform} is built for {built_for}"
    return Known(Variant.CUDA if cuda else Variant.CPU, cuda, KnownBy.RELEASE, evidence)


def read_platform(catalog: Catalog, name: str, version: str, platform: str) -> Known | None:
    """Read what PyPI's wheels for a platform are known to be, whatever else they are."""
    if version and catalog.channels.is_for_cpu(name, platform, version):
        evidence = f"PyPI's {name} for {platform} is built for the CPU"
        return Known(Variant.CPU, None, KnownBy.RELEASE, evidence)
    return None


def read_build_string(build: str) -> Known | None:
    """Read conda's build string: ``cuda118py310``, ``py3.9_cuda11.3_cudnn8``, ``cpu_generic``."""
    evidence = f"its build string {build}"
    if match := _CUDA_IN_BUILD.search(build):
        # cuda0.0 is how faiss-cpu's feedstock spelled "no CUDA".
        if match[1] == "0.0":
            return Known(Variant.CPU, None, KnownBy.BUILD_STRING, evidence)
        return Known(Variant.CUDA, _of_build_tag(match[1] or ""), KnownBy.BUILD_STRING, evidence)
    if "rocm" in build:
        return Known(Variant.ROCM, None, KnownBy.BUILD_STRING, evidence)
    if "cpu" in build:
        return Known(Variant.CPU, None, KnownBy.BUILD_STRING, evidence)
    if "gpu" in build:
        return Known(Variant.CUDA, None, KnownBy.BUILD_STRING, evidence)
    return None


def read_consumer_build(build: str, consumer: Consumer) -> Known | None:
    """Read the build string of a project whose builds for the CPU may have names of their own."""
    if consumer.cpu_build and re.search(consumer.cpu_build, build):
        evidence = f"its build string {build}"
        return Known(Variant.CPU, None, KnownBy.BUILD_STRING, evidence)
    return read_build_string(build)


def cuda_of_wheel(
    package: CudaPackage, version: str, catalog: Catalog
) -> tuple[CudaVersion | None, KnownBy]:
    """Return the CUDA of a wheel of CUDA's own parts, from its version or its name."""
    told = version if package.cuda_in == "version" else version.partition(".")[0]
    if package.cuda_in in {"version", "major"} and (cuda := CudaVersion.parse(told)):
        return finer_release(cuda, package, version, catalog), KnownBy.VERSION
    cuda = CudaVersion(package.cuda_major) if package.cuda_major else None
    return finer_release(cuda, package, version, catalog), KnownBy.NAME


def finer_release(
    cuda: CudaVersion | None, package: CudaPackage, version: str, catalog: Catalog
) -> CudaVersion | None:
    """Return the release that a part's own version is of, unless another major is known."""
    if cuda and cuda.minor is not None:
        return cuda
    told = catalog.part_release(package.component, version)
    finer = CudaVersion.parse(told) if told else None
    return finer if finer and (cuda is None or finer.major == cuda.major) else cuda


def _of_build_tag(tag: str) -> CudaVersion | None:
    if "." in tag:
        return CudaVersion.parse(tag)
    return CudaVersion.from_tag(f"cu{tag}") if tag else None
