"""Invent the packages of the environment: names, versions, requirements and files, from one seed."""

from __future__ import annotations

import itertools
import random
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import cuda
from bench.elf import shared_object

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
TAG = f"cp{sys.version_info.major}{sys.version_info.minor}"
SITE = f"lib/python{PYTHON}/site-packages"

# The shape of a real environment of 400 records: 500 distributions, 61,000 files.
NATIVE, PURE, COMPILED, WHEELS = 150, 150, 100, 250
NATIVE_FILES, PURE_FILES, COMPILED_FILES, WHEEL_FILES = 80, 120, 142, 41
KNOWN = (("pip",), cuda.PURE, cuda.SCIENTIFIC, cuda.WHEEL_LIBRARIES, cuda.WHEELS)
INVENTED = PURE + COMPILED + WHEELS - sum(map(len, KNOWN))
MOST_FILES = 800
UNIQUE_REQUIREMENTS, REQUIREMENTS_EACH = 845, 10

# fmt: off
FIRST = (
    "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "hazel",
    "indigo", "jasper", "karst", "lumen", "maple", "nimbus", "onyx",
)
SECOND = (
    "array", "batch", "cache", "codec", "frame", "graph", "index",
    "kernel", "layer", "matrix", "metric", "model", "parse", "queue",
)
# fmt: on
THIRD = ("core", "io", "tools")
FOLDERS = (
    "",
    "core/",
    "models/attention/",
    "tests/unit/",
    "io/readers/",
    "_internal/distributed/checkpoint/",
    "datasets/loaders/",
    "plugins/registry/builtin/",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """A file or symbolic link, by its path relative to the prefix."""

    path: str
    content: bytes = b""
    target: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Package:
    """What conda or pip installed: a record, a distribution or both."""

    name: str
    version: str
    installer: str
    files: tuple[File, ...]
    build: str = ""
    is_distribution: bool = True
    requires: tuple[str, ...] = ()


def invent(seed: int) -> list[Package]:
    """Return all packages of the environment; the same seed gives the same packages."""
    rng = random.Random(seed)  # noqa: S311
    stems = ["-".join(words) for words in itertools.product(FIRST, SECOND, THIRD)]
    rng.shuffle(stems)
    names = iter([(stem, _version(rng)) for stem in stems])
    native = list(_native(rng, names))
    python = list(itertools.islice(names, INVENTED))
    pool, names = list(_requirements(rng, dict(python))), iter(python)
    return [
        *native,
        *_pure(rng, names, pool),
        *_compiled(rng, names, pool),
        *_wheels(rng, names, pool),
    ]


def _version(rng: random.Random) -> str:
    return f"{rng.randint(0, 9)}.{rng.randint(0, 30)}.{rng.randint(0, 9)}"


def _requirements(rng: random.Random, versions: dict[str, str]) -> Iterator[str]:
    known = versions | cuda.SCIENTIFIC | cuda.PURE
    floors = [f"{name}>={version.rpartition('.')[0]}" for name, version in known.items()]
    yield from floors
    rest = UNIQUE_REQUIREMENTS - len(floors)
    yield from (f'{floor}; extra == "test"' for floor in rng.sample(floors, rest))


def _native(rng: random.Random, names: Iterator[tuple[str, str]]) -> Iterator[Package]:
    yield _interpreter()
    for (name, version), sonames in cuda.CONDA_LIBRARIES.items():
        files = (*_libraries(sonames), *_headers(rng, name))
        yield _conda(name, version, files, "h59595ed_0", is_distribution=False)
    for name, version in itertools.islice(names, NATIVE - 1 - len(cuda.CONDA_LIBRARIES)):
        library = f"lib{name.replace('-', '')}"
        sonames = [f"{library}{part}.so.{version[0]}" for part in ("", "_util", "_compat")]
        files = (*_libraries(sonames), *_headers(rng, library))
        yield _conda(f"lib{name}", version, files, "h59595ed_0", is_distribution=False)


def _pure(
    rng: random.Random, names: Iterator[tuple[str, str]], pool: list[str]
) -> Iterator[Package]:
    yield _pip()
    more = itertools.islice(names, PURE - 1 - len(cuda.PURE))
    for name, version in (*cuda.PURE.items(), *more):
        files = _modules(name, _about(rng, PURE_FILES))
        yield _conda(name, version, files, "pyhd8ed1ab_0", requires=_some(rng, pool))


def _compiled(
    rng: random.Random, names: Iterator[tuple[str, str]], pool: list[str]
) -> Iterator[Package]:
    more = itertools.islice(names, COMPILED - len(cuda.SCIENTIFIC))
    for name, version in (*cuda.SCIENTIFIC.items(), *more):
        modules = _with_bytecode(_modules(name, _about(rng, COMPILED_FILES) // 2))
        files = (*modules, *_extensions(name, "$ORIGIN/../../../.."))
        yield _conda(name, version, files, f"py{TAG[2:]}h7a2b6c4_0", requires=_some(rng, pool))


def _wheels(
    rng: random.Random, names: Iterator[tuple[str, str]], pool: list[str]
) -> Iterator[Package]:
    for (name, version), (folder, *sonames) in cuda.WHEEL_LIBRARIES.items():
        files = tuple(_libraries(sonames, f"{SITE}/nvidia/{folder}/lib"))
        yield Package(name=name, version=version, installer="pip", files=files)
    for (name, version), requires in cuda.WHEELS.items():
        files = tuple(_accelerated(name))
        yield Package(name=name, version=version, installer="pip", files=files, requires=requires)
    count = WHEELS - len(cuda.WHEEL_LIBRARIES) - len(cuda.WHEELS)
    for name, version in itertools.islice(names, count):
        files = tuple(_with_bytecode(_modules(name, _about(rng, WHEEL_FILES) // 2)))
        requires = _some(rng, pool)
        yield Package(name=name, version=version, installer="pip", files=files, requires=requires)


def _conda(name: str, version: str, files: Iterable[File], build: str, **more: Any) -> Package:
    files = tuple(files)
    return Package(name=name, version=version, installer="conda", files=files, build=build, **more)


def _interpreter() -> Package:
    """Return conda's python, whose executable is a link to the running one: tools must be able to start it."""
    executable = File(path=f"bin/python{PYTHON}", target=str(Path(sys.executable).resolve()))
    links = [File(path=f"bin/{name}", target=f"python{PYTHON}") for name in ("python", "python3")]
    version = ".".join(str(part) for part in sys.version_info[:3])
    files = (executable, *links, *_libraries([f"libpython{PYTHON}.so.1.0"]))
    return _conda("python", version, files, "hab00c5b_0_cpython", is_distribution=False)


def _pip() -> Package:
    """Return the running pip with its true files, so that the prefix's own interpreter can run it."""
    pip = metadata.distribution("pip")
    sources = [path for path in pip.files or () if path.parts[0] == "pip" and path.suffix != ".pyc"]
    files = [File(path=f"{SITE}/{path}", content=path.read_binary()) for path in sources]
    return _conda("pip", pip.version, files, "pyh8b19718_0")


def _libraries(sonames: Iterable[str], folder: str = "lib") -> Iterator[File]:
    for soname in sonames:
        content = shared_object(soname, ("libc.so.6",), "$ORIGIN")
        yield File(path=f"{folder}/{soname}", content=content)


def _headers(rng: random.Random, name: str) -> Iterator[File]:
    for word in _words(_about(rng, NATIVE_FILES)):
        guard = word.replace("/", "_").upper()
        content = f"#ifndef {guard}_H\n#define {guard}_H\n#endif\n".encode()
        yield File(path=f"include/{name}/{word}.h", content=content)


def _modules(name: str, count: int) -> Iterator[File]:
    folder = name.replace("-", "_")
    for word in ("__init__", *_words(count)):
        content = f'"""The {word} of {name}."""\n'.encode()
        yield File(path=f"{SITE}/{folder}/{word}.py", content=content)


def _with_bytecode(modules: Iterator[File]) -> Iterator[File]:
    for module in modules:
        yield module
        folder, _, name = module.path.removesuffix(".py").rpartition("/")
        yield File(path=f"{folder}/__pycache__/{name}.cpython-{TAG[2:]}.pyc")


def _extensions(name: str, runpath: str) -> Iterator[File]:
    folder = name.replace("-", "_")
    content = shared_object("", ("libstdc++.so.6", "libgcc_s.so.1", "libc.so.6"), runpath)
    for word in SECOND:
        path = f"{SITE}/{folder}/_{word}.cpython-{TAG[2:]}-x86_64-linux-gnu.so"
        yield File(path=path, content=content)


def _accelerated(name: str) -> Iterator[File]:
    folder = name.replace("-", "_")
    content = shared_object(f"lib{folder}.so", cuda.TORCH_NEEDED, cuda.TORCH_RUNPATH)
    yield File(path=f"{SITE}/{folder}/lib/lib{folder}.so", content=content)
    if name == "torch":
        # What a build for CUDA has and one for the CPU has not.
        content = shared_object("libc10_cuda.so", ("libcudart.so.12",), cuda.TORCH_RUNPATH)
        yield File(path=f"{SITE}/torch/lib/libc10_cuda.so", content=content)
    yield from _with_bytecode(_modules(name, WHEEL_FILES * 5))


def _words(count: int) -> Iterator[str]:
    stems = itertools.cycle([f"{first}_{second}" for first in FIRST for second in SECOND])
    pairs = zip(itertools.cycle(FOLDERS), stems, strict=False)
    return (f"{folder}{stem}" for folder, stem in itertools.islice(pairs, min(count, MOST_FILES)))


def _about(rng: random.Random, mean: int) -> int:
    """Return a size as packages have it: many are small, few are large."""
    return 4 + int(rng.expovariate(1 / (mean - 4)))


def _some(rng: random.Random, pool: list[str]) -> tuple[str, ...]:
    return tuple(sorted(rng.sample(pool, rng.randint(1, 2 * REQUIREMENTS_EACH))))
