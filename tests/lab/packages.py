"""The content of the channel's packages: stub libraries, stand-ins and true wheels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .conda_package import File, Link
from .elf_stub import stub_library
from .interpreter import interpreter
from .running import EXTENSION, SITE_PACKAGES
from .wheels import Wheel, dist_info, download, read_wheel, record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from .records import Library, PythonStandIn, Record, Torch

DIRECT_URL = b'{"dir_info": {}, "url": "file:///home/conda/feedstock_root/build_artifacts/work"}'
#: What conda-build leaves in the metadata of every Python package (docs/lab.md, section 5).
CONDA_MARKS = {"INSTALLER": b"conda\n", "REQUESTED": b"", "direct_url.json": DIRECT_URL}
#: Requires-Dist of torch 2 without its nvidia-* wheels.
TORCH_NEEDS = ("filelock", "typing-extensions", "sympy", "networkx", "jinja2", "fsspec")
TORCH_LIBRARIES = ("libc10.so", "libtorch.so", "libtorch_cpu.so")
TORCH_CUDA_LIBRARIES = ("libc10_cuda.so", "libtorch_cuda.so")


def content(package: Record, cache: Path) -> Mapping[str, File | Link]:
    """Make the files of one package."""
    if package.nvb[0] == "python":
        return interpreter()
    if package.wheel:
        return noarch(read_wheel(download(package.wheel, cache)))
    if package.torch:
        return _torch(package.torch)
    if package.python:
        return _stand_in(package.python, package)
    return _libraries(package)


def entry_points(package: Record) -> Sequence[str]:
    """Name the scripts that the installer has to make of a noarch package."""
    scripts = [f"{name} = pip._internal.cli.main:main" for name in ("pip", "pip3")]
    return scripts if package.nvb[0] == "pip" else ()


def _libraries(package: Record) -> Mapping[str, File | Link]:
    files: dict[str, File | Link] = {}
    for library in package.libraries:
        file = library.file or _file_name(library, package)
        # conda-forge/cuda-cudart-feedstock, recipe/build.sh: libraries in targets, links in lib
        folder = "targets/x86_64-linux/lib" if package.targets else "lib"
        stub = stub_library(library.soname, library.needed, rpath="$ORIGIN")
        files[f"{folder}/{library.soname}"] = Link(file)
        files[f"{folder}/{file}"] = File(stub, executable=True)
        if package.targets:
            names = (library.soname, file)
            files |= {f"lib/{name}": Link(f"../{folder}/{name}") for name in names}
    return files


def _file_name(library: Library, package: Record) -> str:
    """Name the real file as NVIDIA does: by the version of the component."""
    stem, dot_so, version = library.soname.partition(".so.")
    return f"{stem}{dot_so}{package.nvb[1]}" if version else library.soname


def _torch(torch: Torch) -> Mapping[str, File | Link]:
    code = {
        "torch/__init__.py": b"from .version import __version__\n",
        "torch/version.py": version_py(torch.version, torch.cuda),
        "torch/lib/libtorch_python.so": stub_library(
            "libtorch_python.so", ["libtorch.so"], rpath="$ORIGIN:$ORIGIN/../../../.."
        ),
        f"torch/_C{EXTENSION}": stub_library(None, ["libtorch_python.so"], rpath="$ORIGIN/lib"),
    }
    # libtorch owns the libraries: github.com/conda-forge/pytorch-cpu-feedstock/issues/243
    names = TORCH_LIBRARIES + (TORCH_CUDA_LIBRARIES if torch.cuda else ())
    links = {f"{SITE_PACKAGES}/torch/lib/{name}": Link(f"../../../../{name}") for name in names}
    wheel = Wheel("torch", torch.version, code, TORCH_NEEDS)
    return {**links, **in_site_packages(_installed(wheel))}


def version_py(version: str, cuda: str | None) -> bytes:
    """Write torch/version.py as pytorch's tools/generate_torch_version.py does."""
    lines = ["from typing import Optional", ""]
    lines += ["__all__ = ['__version__', 'debug', 'cuda', 'git_version', 'hip']"]
    lines += [f"__version__ = {version!r}", "debug = False", f"cuda: Optional[str] = {cuda!r}"]
    lines += ["git_version = 'Unknown'", "hip: Optional[str] = None", ""]
    return "\n".join(lines).encode()


def _stand_in(python: PythonStandIn, package: Record) -> Mapping[str, File | Link]:
    version = package.nvb[1]
    code = {f"{python.module}/__init__.py": f"__version__ = {version!r}\n".encode()}
    if python.extension:
        up = "/".join([".."] * (python.extension.count("/") + 2))
        extension = stub_library(None, python.needed, rpath=f"$ORIGIN/{up}")
        code[python.extension + EXTENSION] = extension
    files = _installed(Wheel(python.distribution, version, code, python.requires))
    if package.noarch == "python":
        return {f"site-packages/{path}": File(data) for path, data in files.items()}
    return in_site_packages(files)


def _installed(wheel: Wheel) -> Mapping[str, bytes]:
    return {**wheel.files, **dist_info(wheel, CONDA_MARKS)}


def noarch(wheel: Mapping[str, bytes]) -> Mapping[str, File]:
    # setuptools vendors distributions, which have RECORDs of their own
    (old,) = (path for path in wheel if path.endswith(".dist-info/RECORD") and path.count("/") == 1)
    folder = old.rpartition("/")[0]
    files = {path: data for path, data in wheel.items() if path != old}
    files |= {f"{folder}/{name}": data for name, data in CONDA_MARKS.items()}
    files[old] = record(files, old)
    return {f"site-packages/{path}": File(data) for path, data in files.items()}


def in_site_packages(files: Mapping[str, bytes]) -> Mapping[str, File]:
    return {
        f"{SITE_PACKAGES}/{path}": File(data, executable=path.endswith(".so"))
        for path, data in files.items()
    }
