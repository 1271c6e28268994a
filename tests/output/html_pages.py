"""Reports for the page: an environment of two CUDA majors, a healthy one, and as large as is wanted."""

from __future__ import annotations

from itertools import cycle, islice
from typing import TYPE_CHECKING

import msgspec

from reconciler import pipeline
from reconciler.model.cuda import CudaBuild, CudaVersion, KnownBy, Role
from reconciler.model.finding import Location
from reconciler.output import html
from reconciler.testing import sketch
from tests.output.reports import finding

if TYPE_CHECKING:
    from reconciler.model.report import Report

SITE = "lib/python3.11/site-packages"
#: Folder below nvidia/, the wheel, its version, its library, and what that needs.
_WHEELS = (
    ("cuda_runtime", "nvidia-cuda-runtime-cu12", "12.4.127", "libcudart.so.12", ""),
    ("cublas", "nvidia-cublas-cu12", "12.4.5.8", "libcublas.so.12", ""),
    ("cudnn", "nvidia-cudnn-cu12", "9.1.0.70", "libcudnn.so.9", "libcublas.so.12"),
    ("nccl", "nvidia-nccl-cu12", "2.21.5", "libnccl.so.2", ""),
    ("cuda_nvrtc", "nvidia-cuda-nvrtc-cu12", "12.4.127", "libnvrtc.so.12", ""),
    ("nvjitlink", "nvidia-nvjitlink-cu12", "12.4.127", "libnvJitLink.so.12", ""),
    ("cusparse", "nvidia-cusparse-cu12", "12.3.1.170", "libcusparse.so.12", "libnvJitLink.so.12"),
    ("cufft", "nvidia-cufft-cu12", "11.2.1.3", "libcufft.so.11", ""),
    ("cusolver", "nvidia-cusolver-cu12", "11.6.1.9", "libcusolver.so.11", "libcublas.so.12"),
)
_PINS = ", ".join(f"{name}=={version}" for _, name, version, _, _ in _WHEELS)
_NEEDED = ", ".join(soname for _, _, _, soname, _ in _WHEELS if "nvJitLink" not in soname)
_RPATH = ":".join(f"$ORIGIN/../../nvidia/{folder}/lib" for folder, *_ in _WHEELS)
_LIBRARIES = "\n".join(
    f"  {SITE}/nvidia/{folder}/lib/{soname}: {{of: {name}, needed: [{needed}], "
    "rpath: $ORIGIN/../../cublas/lib:$ORIGIN/../../nvjitlink/lib}"
    for folder, name, _, soname, needed in _WHEELS
)
#: PyTorch of pip with CUDA 12 of its own, traced from its extension module on.
CLEAN = f"""
python: 3.11.7
env: {{}}
driver: "550.54.15"
conda: [python=3.11.7=0]
pip: [torch==2.5.1: {{requires: [{_PINS}]}}, torchvision==0.20.1: {{requires: [torch==2.5.1]}}, {_PINS}]
evidence: {{{SITE}/torch/version.py: "cuda = '12.4'"}}
loader:
  bin/python3.11: {{rpath: $ORIGIN/../lib}}
  {SITE}/torch/_C.so: {{of: torch, needed: [libtorch_cuda.so], rpath: $ORIGIN/lib}}
  {SITE}/torch/lib/libtorch_cuda.so:
    {{of: torch, needed: [{_NEEDED}, libcuda.so.1], rpath: "{_RPATH}"}}
{_LIBRARIES}
  /usr/lib/x86_64-linux-gnu/libcuda.so.1: {{cached: true}}
"""
_CUPY = f"""  {SITE}/cupy/_core/core.so:
    {{of: cupy-cuda11x, rpath: $ORIGIN/../../../..,
      needed: [libcudart.so.11.0, libcublas.so.11, libnvrtc.so.11.2, libcuda.so.1]}}
  lib/libcudart.so.11.0: {{of: cudatoolkit}}
  lib/libcublas.so.11: {{of: cudatoolkit}}
  lib/libnvrtc.so.11.2: {{of: cudatoolkit}}
"""
_CONDA = """[python=3.11.7=0, cudatoolkit=11.8.0=h4ba93d1_13,
  nccl=2.21.5.1=h6103f9b_0: {depends: ["cuda-version >=11.8,<12"]}]"""
#: The same beside CuPy for CUDA 11, and conda's cudatoolkit 11.8 for it.
MIXED = (
    CLEAN.replace("[python=3.11.7=0]", _CONDA)
    .replace("pip: [", "pip: [cupy-cuda11x==13.3.0, ")
    .replace("  /usr/lib/x86", f"{_CUPY}  /usr/lib/x86")
) + 'toolkits: [{path: /usr/local/cuda-12.1, version: "12.1", found_by: [CUDA_HOME]}]\n'
DECLARED = """
requirements.txt: |
  --extra-index-url https://download.pytorch.org/whl/cu118
  torch==2.1.2+cu121
  nvidia-cublas-cu11==11.11.3.6
"""


def report_of(text: str) -> Report:
    return pipeline.scan(sketch(text), with_loads=True)


def page_of(text: str) -> str:
    files = pipeline.fix(sketch(text), unsafe=True).files
    return html.render(declared_of(text) if text == DECLARED else report_of(text), files)


def declared_of(text: str) -> Report:
    snapshot = sketch(text)
    target = msgspec.structs.replace(snapshot.target, prefix=None, kind="none")
    return pipeline.scan(msgspec.structs.replace(snapshot, target=target))


def large(count: int) -> Report:
    """Make a report on as many packages that have to do with CUDA, a tenth of them in trouble."""
    base = report_of(MIXED)
    builds = (*base.builds, *islice(map(_build, range(count)), count - len(base.builds)))
    places = [build.at for build in builds[:: max(count // 50, 1)]]
    found = [finding() for _ in places]
    findings = tuple(
        msgspec.structs.replace(one, at=place) for one, place in zip(found, places, strict=True)
    )
    owners = cycle(run.owner for run in base.loads)
    loads = tuple(
        msgspec.structs.replace(
            run,
            title=f"extension_{number}.so",
            owner=msgspec.structs.replace(
                next(owners), package=f"an-extension-of-a-long-name-{number}"
            ),
        )
        for number, run in zip(range(count // 8), cycle(base.loads), strict=False)
    )
    return msgspec.structs.replace(
        base, builds=builds, findings=(*base.findings, *findings), loads=(*base.loads, *loads)
    )


def _build(number: int) -> CudaBuild:
    manager = "conda" if number % 3 else "pip"
    package = f"an-extension-of-a-long-name-{number}"
    brings = ("cublas",) if number % 5 == 0 else ()
    return CudaBuild(
        manager=manager,
        package=package,
        version=f"2.{number}.1.post20261101",
        role=Role.BRINGS if brings else Role.NEEDS,
        component="cublas" if brings else "torch",
        brings=brings,
        cuda=CudaVersion(11 + number % 3, number % 9),
        known_by=KnownBy.VERSION,
        evidence=f"depends {package} >=12.1.105,<13.0a0 of the record {package}-2.{number}.json",
        at=Location(subject=f"{manager}'s {package}", path=f"conda-meta/{package}.json"),
    )
