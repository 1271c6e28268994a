"""What would compile CUDA code for the environment: nvcc, headers, libraries, host compilers.

They are looked for as torch.utils.cpp_extension does, in the shell as it would be once the
environment is activated, where the user is about to compile, or the project's files declare what pip
compiles. Nothing is started (decision 47).
"""

from __future__ import annotations

import os
import re
import shlex
from itertools import pairwise
from typing import TYPE_CHECKING

from reconciler.collect import compilers
from reconciler.collect.compilers import WRAPPERS, Disk
from reconciler.collect.ground import Found
from reconciler.collect.secrets import masked
from reconciler.model.activating import activated
from reconciler.model.manifest import Section
from reconciler.model.os_name import from_os
from reconciler.model.snapshot import Fact, Gap
from reconciler.model.toolchain import DRIVER, HEADERS, RUNTIME, CudaRoot, Toolchain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.collect.ground import Ground
    from reconciler.model.activating import Manager
    from reconciler.model.snapshot import Snapshot
    from reconciler.model.toolchain import Compiler

#: Where torch looks last; and where NVIDIA, Arch and Debian put their toolkits.
LAST = "/usr/local/cuda"
_PLACES = ("/usr/local", "/opt")
_TOOLKIT = re.compile(r"cuda(?:-\d+(?:\.\d+)*)?")
_SYSTEM_HEADERS = ("/usr/include", "/usr/local/include")
_SYSTEM_LIBRARIES = (
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/lib64",
    "/lib",
    "/usr/local/lib",
    "/usr/local/lib64",
    "/usr/lib/wsl/lib",
)
_VERSIONED = re.compile(r"(?:g|clang)\+\+-\d{1,2}(?:\.\d{1,2})*")
#: conda's compilers, whose activation sets CC and CXX: conda-forge/ctng-compiler-activation-feedstock.
_CONDA_CXX = re.compile(r"[\w-]+-linux-gnu-c\+\+")
_ACTIVATION = "etc/conda/activate.d"
_ON = frozenset({"ON", "1", "YES", "TRUE", "Y"})


def collect(ground: Ground, snapshot: Snapshot) -> Found:
    """Follow the way of a build from the folder of CUDA to the compiler of the host's code."""
    target = snapshot.target
    if target.platform.startswith("osx") or not _is_wanted(ground, snapshot):
        return Found(value=None)
    if not target.platform.startswith("linux"):
        reason = f"what compiles CUDA extensions on {target.platform} is not looked for"
        return Found(value=None, gaps=(Gap(fact=Fact.TOOLCHAIN, reason=reason),))
    disk = Disk(root=ground.root, prefix=target.prefix, read={})
    environ = _environ(ground, snapshot, disk)
    path = [from_os(p) for p in environ.get("PATH", "").split(":") if p.startswith("/")]
    root = _taken(disk, environ, path, snapshot)
    host, cxx = _host(disk, environ, path), _cxx(disk, environ, path)
    flags = f"{environ.get('NVCC_PREPEND_FLAGS', '')} {environ.get('NVCC_APPEND_FLAGS', '')}"
    toolchain = Toolchain(
        root=root,
        others=tuple(_others(disk, root, snapshot)),
        host=host,
        cxx=cxx,
        versioned=tuple(_versioned(disk, path)),
        ninja=_which(disk, path, ("ninja", "ninja-build")),
        headers_elsewhere=_found(disk, _include_paths(environ, snapshot), HEADERS),
        headers_of_wheels=dict(_of_wheels(disk, snapshot)),
        libraries_elsewhere=_found(disk, _library_paths(environ, snapshot), (RUNTIME, DRIVER)),
        allows_any="allow-unsupported-compiler" in flags,
        is_unchecked=environ.get("TORCH_DONT_CHECK_COMPILER_ABI") in _ON,
    )
    return Found(value=toolchain, gaps=tuple(_gaps(root.nvcc if root else None, host, cxx)))


def _is_wanted(ground: Ground, snapshot: Snapshot) -> bool:
    # Compilers are large, and most scans are not about to start one.
    marks = ground.wanted.compiled
    declared = (d for m in snapshot.manifests for d in m.declared if d.section is Section.PIP)
    return snapshot.target.builds or any(
        line.name in marks or ("/" in line.text and any(m in line.text.lower() for m in marks))
        for line in declared
    )


def _gaps(*found: Compiler | None) -> Iterator[Gap]:
    for path in dict.fromkeys(one.path for one in found if one and not one.release):
        yield Gap(fact=Fact.TOOLCHAIN, item=path, reason="none of its files tells its release")


def _environ(ground: Ground, snapshot: Snapshot, disk: Disk) -> Mapping[str, str]:
    """Return the variables of the shell once the environment is activated, as far as is known."""
    prefix, state = snapshot.target.prefix, snapshot.state
    if prefix is None or snapshot.target.kind not in {"conda", "venv"}:
        return ground.environ
    manager: Manager = "venv" if snapshot.target.kind == "venv" else "conda"
    variables = dict(activated(ground.environ, state, prefix, manager=manager).variables)
    scripts = disk.names(f"{prefix}/{_ACTIVATION}")
    if any(name.startswith("activate-gxx") for name in scripts):
        names = (name for name in disk.names(f"{prefix}/bin") if _CONDA_CXX.fullmatch(name))
        if compiler := next(names, None):
            variables["CXX"] = f"{prefix}/bin/{compiler}"
            variables["CC"] = f"{prefix}/bin/{compiler.removesuffix('c++')}cc"
    return variables


def _taken(
    disk: Disk, environ: Mapping[str, str], path: Iterable[str], snapshot: Snapshot
) -> CudaRoot | None:
    """Return the folder that torch.utils.cpp_extension takes: ``_find_cuda_home``."""
    for variable in ("CUDA_HOME", "CUDA_PATH"):
        if value := environ.get(variable):
            return _root(disk, masked(from_os(value)), variable, snapshot)
    if compiler := _which(disk, path, ("nvcc",)):
        # As it is named: bin/nvcc may be a link to another folder, or a script.
        folder = os.path.dirname(os.path.dirname(compiler))
        return _root(disk, folder, "nvcc on PATH", snapshot)
    return _root(disk, LAST, "its own name", snapshot) if disk.has(LAST) else None


def _others(disk: Disk, taken: CudaRoot | None, snapshot: Snapshot) -> Iterator[CudaRoot]:
    prefix = snapshot.target.prefix
    machine = (
        f"{place}/{name}"
        for place in _PLACES
        # cuda-12.4 before cuda, which is a link to one of them
        for name in reversed(disk.names(place))
        if _TOOLKIT.fullmatch(name)
    )
    seen = {disk.real(taken.path.rstrip("/")) if taken else None}
    for folder in (*((prefix,) if prefix else ()), *machine):
        real = disk.real(folder)
        if real not in seen and disk.has(f"{folder}/bin/nvcc"):
            seen.add(real)
            yield _root(disk, folder, "", snapshot)


def _root(disk: Disk, path: str, found_by: str, snapshot: Snapshot) -> CudaRoot:
    folder = path.rstrip("/") or "/"
    if not folder.startswith("/") or not disk.has(folder):
        return CudaRoot(path=path, found_by=found_by, exists=False)
    targets = [f"targets/{name}" for name in disk.names(f"{folder}/targets")]
    libraries = ["lib64", "lib", *(f"{target}/lib" for target in targets)]
    includes = ["include", *(f"{target}/include" for target in targets)]
    headers = {each: _found(disk, (f"{folder}/{each}",), HEADERS) for each in includes}
    stubs = [each for parent in libraries for each in (f"{parent}/stubs", parent)]
    return CudaRoot(
        path=path,
        found_by=found_by,
        nvcc=compilers.nvcc(disk, folder, snapshot.records),
        headers={each: names for each, names in headers.items() if names},
        runtimes=tuple(each for each in libraries if disk.has(f"{folder}/{each}/{RUNTIME}")),
        stubs=tuple(each for each in stubs if disk.has(f"{folder}/{each}/{DRIVER}")),
        library_folder=_library_folder(disk, folder),
    )


def _library_folder(disk: Disk, folder: str) -> str:
    # torch.utils.cpp_extension, library_paths
    has_lib = disk.has(f"{folder}/lib") and not disk.has(f"{folder}/lib64")
    return "lib" if has_lib else "lib64"


def _of_wheels(disk: Disk, snapshot: Snapshot) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the folders of NVIDIA's wheels that have headers: nvidia/cublas/include."""
    prefix, python = snapshot.target.prefix, snapshot.python
    for site in python.site_packages if python else ():
        top = f"{site if site.startswith('/') else f'{prefix}/{site}'}/nvidia"
        for name in disk.names(top):
            if names := _found(disk, (f"{top}/{name}/include",), HEADERS):
                yield f"{top}/{name}/include", names


def _which(disk: Disk, path: Iterable[str], names: Iterable[str]) -> str | None:
    """Return the first of some programs on PATH, as shutil.which finds it."""
    for folder in path:
        for name in names:
            here = f"{folder.rstrip('/')}/{name}"
            real = disk.real(here)
            if real and os.path.isfile(real) and os.access(real, os.X_OK):
                return here
    return None


def _host(disk: Disk, environ: Mapping[str, str], path: Iterable[str]) -> Compiler | None:
    """Return what nvcc takes for the host's code; the last ``-ccbin`` counts, and torch gives CC."""
    said = (
        ("-ccbin of NVCC_APPEND_FLAGS", _ccbin(environ.get("NVCC_APPEND_FLAGS", ""))),
        ("CC", environ.get("CC", "")),
        ("-ccbin of NVCC_PREPEND_FLAGS", _ccbin(environ.get("NVCC_PREPEND_FLAGS", ""))),
        ("NVCC_CCBIN", environ.get("NVCC_CCBIN", "")),
    )
    for found_by, command in said:
        if found := _named(disk, command, found_by, path):
            return found
    # nvcc --dryrun names gcc, and g++ for the link alone.
    return _called(disk, ("gcc", "g++"), "PATH", path)


def _cxx(disk: Disk, environ: Mapping[str, str], path: Iterable[str]) -> Compiler | None:
    named = _named(disk, environ.get("CXX", ""), "CXX", path)
    return named or _called(disk, ("c++", "g++"), "PATH", path)


def _ccbin(flags: str) -> str:
    found = ""
    for word, after in pairwise([*_words(flags), ""]):
        name, _, value = word.partition("=")
        if name in {"-ccbin", "--compiler-bindir"}:
            found = value or after
    return found


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()


def _named(disk: Disk, command: str, found_by: str, path: Iterable[str]) -> Compiler | None:
    """Return the compiler that a variable names: a command, a file, or a folder of compilers."""
    words = (w for w in _words(command) if os.path.basename(w) not in WRAPPERS)
    word = from_os(next(words, ""))
    if not word.startswith("/"):
        return _called(disk, (word,), found_by, path) if word and "/" not in word else None
    return compilers.host(disk, word, found_by) or _called(disk, ("g++",), found_by, [word])


def _called(
    disk: Disk, names: Iterable[str], found_by: str, path: Iterable[str]
) -> Compiler | None:
    for name in names:
        for folder in path:
            real = disk.real(f"{folder.rstrip('/')}/{name}")
            # ccache's folder holds links of every compiler's name to itself
            if real and os.path.basename(real) in WRAPPERS:
                continue
            if found := compilers.host(disk, f"{folder.rstrip('/')}/{name}", found_by):
                return found
    return None


def _versioned(disk: Disk, path: Iterable[str]) -> Iterator[Compiler]:
    seen: set[str] = set()
    for folder in dict.fromkeys(path):
        for name in disk.names(folder):
            if name in seen or not _VERSIONED.fullmatch(name):
                continue
            seen.add(name)
            if found := compilers.host(disk, f"{folder.rstrip('/')}/{name}", "PATH"):
                yield found


def _include_paths(environ: Mapping[str, str], snapshot: Snapshot) -> Iterator[str]:
    """Yield the folders that a compiler looks into beside those that torch names."""
    for variable in ("CPATH", "CPLUS_INCLUDE_PATH", "CUDA_INC_PATH"):
        yield from environ.get(variable, "").split(":")
    for variable in ("CFLAGS", "CXXFLAGS", "CPPFLAGS"):
        yield from _led_to(environ.get(variable, ""), ("-I", "-isystem"))
    yield from (f"{folder}/include" for folder in _targets(snapshot))
    yield from _SYSTEM_HEADERS


def _library_paths(environ: Mapping[str, str], snapshot: Snapshot) -> Iterator[str]:
    yield from environ.get("LIBRARY_PATH", "").split(":")
    yield from _led_to(environ.get("LDFLAGS", ""), ("-L",))
    yield from (f"{folder}/lib{end}" for folder in _targets(snapshot) for end in ("", "/stubs"))
    yield from _SYSTEM_LIBRARIES


def _led_to(flags: str, options: tuple[str, ...]) -> Iterator[str]:
    for word, after in pairwise([*_words(flags), ""]):
        for option in options:
            if word.startswith(option):
                yield word[len(option) :] or after


def _targets(snapshot: Snapshot) -> Iterator[str]:
    """Yield the folders that conda's nvcc adds to the compiler's flags as it is activated.

    conda-forge/cuda-nvcc-feedstock, recipe/activate.sh.
    """
    state, prefix = snapshot.state, snapshot.target.prefix
    for script in state.scripts if state else ():
        if "nvcc" in script.path and "CXXFLAGS" in script.text:
            for target in ("x86_64-linux", "sbsa-linux"):
                yield f"{prefix}/targets/{target}"


def _found(disk: Disk, folders: Iterable[str], names: Iterable[str]) -> tuple[str, ...]:
    places = [folder.rstrip("/") for folder in folders if folder.startswith("/")]
    return tuple(n for n in names if any(disk.has(f"{place}/{n}") for place in places))
