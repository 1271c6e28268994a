"""Sketch an environment in a few lines: for a rule's examples, and for tests of rules anywhere.

A sketch is YAML. A key left out is a fact that could not be collected, not an empty one::

    python: 3.11.7                        # the environment's Python; or the fields of Python
    platform: linux-64                    # the default
    conda:                                # conda's records: name=version=build
      - cudatoolkit=11.8.0=h4ba93d1_13
      - pytorch=2.5.1=cuda126_py311_0: {depends: ["cuda-version >=12.6,<13"]}
    pip:                                  # distributions: name==version
      - torch==2.1.2: {requires: [nvidia-cuda-runtime-cu12==12.1.105], installer: pip}
    libraries:                            # by path: soname and what it needs
      lib/libcudart.so.12: {soname: libcudart.so.12, needed: []}
    evidence:                             # texts that tell how a package was built
      lib/python3.11/site-packages/torch/version.py: cuda = '12.1'
    env: {LD_LIBRARY_PATH: /usr/lib}      # variables of the shell
    pythonpath: [{path: /opt/src}]        # entries of PYTHONPATH: the fields of PathEntry
    driver: "580.65.06"                   # the release of the driver
    gpus: [{name: NVIDIA A100, capability: "8.0"}]      # the fields of Gpu
    surroundings: {container: /.dockerenv}              # the fields of Surroundings
    gpu_code: {lib/libtorch_cuda.so: [sm_80, compute_90]}   # what libraries have code for
    aim: {driver: "550", gpus: [sm_90]}   # another machine: --driver, --gpu
    state: {frozen: true}                 # the fields of PrefixState
    import_paths: [{path: /x, origin: .pth, via: lib/python3.11/site-packages/x.pth}]
    outside: [numpy==1.26.4]              # distributions that a user site or PYTHONPATH adds
    payload: [{path: lib/libnccl.so.2}]   # files as they lie on the disk, or do not
    kernels: [{name: python3, path: share/jupyter/kernels/python3, interpreter: /usr/bin/python3}]
    pip_options: [{source: PIP_INDEX_URL, name: index-url, value: "https://example.org"}]
    toolkits: [{path: /usr/local/cuda-12.1, version: "12.1", found_by: [CUDA_HOME]}]
    toolchain: {root: {path: /usr/local/cuda, found_by: CUDA_HOME}}     # the fields of Toolchain
    build: true                           # --build
    variable_paths: [{variable: CUDNN_PATH, path: /opt/cudnn, exists: false}]
    loader:                               # what the loader may come to, by path; soname: its name
      lib/libcudart.so.12: {of: cudatoolkit}            # a package of this sketch has installed it
      lib/python3.11/site-packages/torch/_C.so: {of: torch, needed: [libcudart.so.12]}
      /usr/local/cuda/lib64/libcudart.so.12: {cached: true}      # ld.so.cache has it
      bin/python3.11: {rpath: $ORIGIN/../lib}           # as conda's; without it, none
    dlls:                                 # the same of Windows; who is looked at there has SystemRoot
      Lib/site-packages/torch/lib/torch_cuda.dll: {of: torch, imports: [cudart64_12.dll]}
    links: {lib/libcudart.so: libcudart.so.12}          # beside the files of the loader
    misfits: [{consumer: a.so, provider: b.so, soname: b.so, symbols: [{symbol: f}]}]
    pip_view: {listed: [{name: torch, version: 2.1.2, location: lib/python3.11/site-packages}]}
    environment.yml: |                    # a manifest, as it would be written
      dependencies: [python=3.11]
"""

from __future__ import annotations

from functools import cache
from io import StringIO
from typing import TYPE_CHECKING, Any

import msgspec
from ruamel.yaml import YAML

from reconciler import __version__, manifests
from reconciler.hooks.reading import with_steps
from reconciler.model.distribution import Distribution
from reconciler.model.gpu_code import GpuArchitecture, GpuCode, LibraryGpuCode
from reconciler.model.host import (
    DriverRelease,
    Gpu,
    Gpus,
    ImportPath,
    KernelSpec,
    PathEntry,
    PipOption,
    Surroundings,
    SystemToolkit,
    VariablePath,
)
from reconciler.model.library import EvidenceText, PayloadFile, SharedLibrary
from reconciler.model.pip_view import PipView
from reconciler.model.prefix import PrefixRecord, PrefixState, Python
from reconciler.model.snapshot import Fact, Gap, Snapshot, Target
from reconciler.model.toolchain import Toolchain
from reconciler.testing import loader, windows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.model.loader_view import LoaderView

#: The fact that each key of a sketch gives; every other key is a manifest's name.
FACTS: Mapping[str, Fact] = {
    "conda": Fact.RECORDS,
    "python": Fact.PYTHON,
    "pip": Fact.DISTRIBUTIONS,
    "libraries": Fact.LIBRARIES,
    "evidence": Fact.EVIDENCE,
    "env": Fact.VARIABLES,
    "pythonpath": Fact.PYTHONPATH,
    "driver": Fact.DRIVER,
    "gpus": Fact.GPUS,
    "surroundings": Fact.SURROUNDINGS,
    "gpu_code": Fact.ARCHITECTURES,
    "state": Fact.STATE,
    "import_paths": Fact.IMPORT_PATHS,
    "outside": Fact.OUTSIDE,
    "payload": Fact.PAYLOAD,
    "kernels": Fact.KERNELS,
    "pip_options": Fact.PIP_OPTIONS,
    "toolkits": Fact.TOOLKITS,
    "toolchain": Fact.TOOLCHAIN,
    "pip_view": Fact.PIP_VIEW,
    "variable_paths": Fact.VARIABLE_PATHS,
    "loader": Fact.LOADER,
    "dlls": Fact.WINDOWS_LOADER,
}
#: The keys of a sketch that are no fact.
_WORDS = frozenset({"aim", "build", "platform", "links", "misfits"})


@cache
def sketch(text: str) -> Snapshot:
    """Return the snapshot that a sketch describes; the same one each time, as nothing changes it."""
    keys: dict[str, Any] = YAML(typ="safe").load(StringIO(text)) or {}
    files = {key: text for key, text in keys.items() if key not in FACTS and key not in _WORDS}
    if unknown := {path for path, text in files.items() if not manifests.format_of(path, text)}:
        raise ValueError(f"not a key of a sketch: {', '.join(sorted(unknown))}")
    given = {FACTS[key] for key in keys if key in FACTS} | ({Fact.MANIFESTS} if files else set())
    given |= {FACTS[key] for key in keys.get("aim", ())}
    python = keys.get("python", "3.11")
    python = python if isinstance(python, dict) else {"version": str(python)}
    version = python["version"]
    site_packages = f"lib/python{'.'.join(version.split('.')[:2])}/site-packages"
    libraries, dlls = keys.get("loader"), keys.get("dlls")
    site_packages = windows.SITE if dlls else site_packages
    records, distributions = loader.owned(
        libraries or dlls or {},
        tuple(_records(keys.get("conda", ()))),
        tuple(_distributions(keys.get("pip", ()), site_packages)),
    )
    imports: list[dict[str, Any]] = [{"path": site_packages, "origin": "site-packages"}]
    return Snapshot(
        envfix=__version__,
        target=_target(keys),
        asked=tuple(Fact),
        manifests=tuple(
            manifests.read(manifests.format_of(path, text), path, text)
            for path, text in files.items()
        ),
        records=records,
        python=msgspec.convert({"site_packages": [site_packages]} | python, Python),
        distributions=distributions,
        libraries=tuple(_libraries(keys.get("libraries", {}))),
        evidence=tuple(
            EvidenceText(path=path, text=text) for path, text in keys.get("evidence", {}).items()
        ),
        variables=keys.get("env", {}),
        pythonpath=msgspec.convert(keys.get("pythonpath", ()), tuple[PathEntry, ...]),
        driver=_driver(keys.get("driver")),
        gpus=Gpus(devices=msgspec.convert(keys.get("gpus") or (), tuple[Gpu, ...])),
        surroundings=_surroundings(keys.get("surroundings")),
        gpu_code=tuple(_gpu_code(keys.get("gpu_code") or {})),
        state=_state(keys.get("state")),
        import_paths=msgspec.convert(
            keys.get("import_paths", imports if libraries else ()), tuple[ImportPath, ...]
        ),
        outside=tuple(_distributions(keys.get("outside", ()), "/home/user/.local/lib")),
        payload=msgspec.convert(keys.get("payload", ()), tuple[PayloadFile, ...]),
        kernels=msgspec.convert(keys.get("kernels", ()), tuple[KernelSpec, ...]),
        pip_options=msgspec.convert(keys.get("pip_options", ()), tuple[PipOption, ...]),
        toolkits=msgspec.convert(keys.get("toolkits", ()), tuple[SystemToolkit, ...]),
        toolchain=_toolchain(keys.get("toolchain")),
        variable_paths=msgspec.convert(keys.get("variable_paths", ()), tuple[VariablePath, ...]),
        loader=_loader(keys, python["version"]) if libraries else None,
        windows=windows.view(dlls, keys.get("env", {})) if dlls else None,
        pip_view=msgspec.convert(keys.get("pip_view"), PipView | None),
        gaps=tuple(Gap(fact=fact, reason="not sketched") for fact in Fact if fact not in given),
    )


def _target(keys: Mapping[str, Any]) -> Target:
    aim = keys.get("aim", {})
    return Target(
        project="/project",
        prefix="/prefix",
        kind="conda" if "conda" in keys else "venv",
        platform=keys.get("platform", "linux-64"),
        because="it is sketched",
        driver=aim.get("driver"),
        gpus=tuple(aim.get("gpus", ())),
        builds=keys.get("build", False),
    )


def _items(items: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each item's text and its fields: an item is a text, or a mapping of one to fields."""
    for item in items:
        yield from item.items() if isinstance(item, dict) else ((item, {}),)


def _records(items: Any) -> Iterator[PrefixRecord]:
    for text, fields in _items(items):
        name, version, build = text.split("=")
        known = {"name": name, "version": version, "build": build, "subdir": "linux-64"}
        yield msgspec.convert(known | fields, PrefixRecord)


def _distributions(items: Any, site_packages: str) -> Iterator[Distribution]:
    for text, fields in _items(items):
        name, _, version = text.partition("==")
        known = {
            "name": name,
            "version": version,
            "location": site_packages,
            "directory": f"{name.replace('-', '_')}-{version}.dist-info",
            "installer": "pip",
        }
        yield msgspec.convert(known | fields, Distribution)


def _libraries(items: dict[str, dict[str, Any]]) -> Iterator[SharedLibrary]:
    for path, fields in items.items():
        yield msgspec.convert({"path": path} | fields, SharedLibrary)


def _loader(keys: dict[str, Any], python: str) -> LoaderView:
    minor = ".".join(python.split(".")[:2])
    view = loader.view(keys["loader"], minor, keys.get("links", {}))
    return msgspec.structs.replace(view, misfits=tuple(loader.misfits(keys.get("misfits", ()))))


def _state(fields: dict[str, Any] | None) -> PrefixState | None:
    """Return the state, its scripts read as the collector reads them."""
    state = msgspec.convert(fields, PrefixState | None)
    if state is None:
        return None
    scripts = map(with_steps, state.scripts)
    return msgspec.structs.replace(state, scripts=tuple(scripts))


def _gpu_code(items: Mapping[str, list[str]]) -> Iterator[LibraryGpuCode]:
    for path, names in items.items():
        code = (
            GpuCode(
                kind="ptx" if name.startswith("compute_") else "sass",
                architecture=GpuArchitecture.parse(name),
                entries=1,
            )
            for name in names
        )
        yield LibraryGpuCode(path=path, code=tuple(code))


def _surroundings(fields: Any) -> Surroundings | None:
    return msgspec.convert(fields, Surroundings) if isinstance(fields, dict) else None


def _toolchain(fields: Any) -> Toolchain | None:
    return msgspec.convert(fields, Toolchain) if isinstance(fields, dict) else None


def _driver(release: str | None) -> DriverRelease | None:
    return None if release is None else DriverRelease.parse(release)
