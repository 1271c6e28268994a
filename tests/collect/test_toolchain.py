from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reconciler import catalog, collect, pipeline
from reconciler.collect.ground import Ground
from reconciler.collect.prefixes import kind_of
from reconciler.model.snapshot import Fact, Target
from reconciler.model.toolchain import HEADERS, CudaRoot, Toolchain

from .trees import NOTHING_WANTED, PYTHON_RECORD, SITE, conda_prefix, reasons, write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.model.snapshot import Snapshot

GXX = "etc/conda/activate.d/activate-gxx_linux-64.sh"
NVCC_SCRIPT = "etc/conda/activate.d/~cuda-nvcc_activate.sh"


def gcc(release: str = "12.2.0", words: str = "(Debian 12.2.0-14) ") -> bytes:
    """Write what a driver of gcc holds of its version; started, it would not run."""
    return b"\x7fELF" + b"\0" * 64 + f"gcc\0{release}\0{words}\0".encode()


def nvcc(release: str = "12.4", patch: int = 131) -> bytes:
    said = f"Cuda compilation tools, release {release}, V{release}.{patch}\nBuild cuda"
    return b"\x7fELF" + b"\0" * 64 + said.encode() + b"\0"


def programs(root: Path, files: Mapping[str, bytes | str]) -> Path:
    write(root, files)
    for name in files:
        (root / name).chmod(0o755)
    return root


def toolkit(root: Path, folder: str = "usr/local/cuda-12.4", release: str = "12.4") -> Path:
    programs(root, {f"{folder}/bin/nvcc": nvcc(release)})
    headers = {f"{folder}/include/{name}": "" for name in HEADERS}
    write(
        root,
        headers | {f"{folder}/lib64/libcudart.so": b"", f"{folder}/lib64/stubs/libcuda.so": b""},
    )
    return root


def seen(
    root: Path | str, prefix: Path | None = None, platform: str = "linux-64", **environ: str
) -> Snapshot:
    target = Target(
        project="/project",
        prefix=str(prefix) if prefix else None,
        kind=kind_of(str(prefix)) if prefix else "none",
        platform=platform,
        builds=True,
    )
    ground = Ground(
        target=target,
        environ={"PATH": "/usr/bin"} | environ,
        wanted=NOTHING_WANTED,
        root=str(root),
    )
    asked = (Fact.RECORDS, Fact.PYTHON, Fact.STATE, Fact.TOOLCHAIN) if prefix else (Fact.TOOLCHAIN,)
    return collect.collect(ground, asked, envfix="0")


def toolchain(root: Path, prefix: Path | None = None, **environ: str) -> Toolchain:
    found = seen(root, prefix, **environ).toolchain
    assert found is not None
    return found


def taken(root: Path, prefix: Path | None = None, **environ: str) -> CudaRoot:
    found = toolchain(root, prefix, **environ).root
    assert found is not None
    return found


def test_a_machine_without_any_has_nothing_and_no_gap(tmp_path: Path) -> None:
    snapshot = seen(tmp_path, PATH="/usr/bin::relative:/nowhere")

    assert (snapshot.toolchain, snapshot.gaps) == (Toolchain(), ())


def test_it_is_not_looked_for_elsewhere_than_on_linux(tmp_path: Path) -> None:
    mac, windows = (seen(toolkit(tmp_path / p), platform=p) for p in ("osx-arm64", "win-64"))

    assert (mac.toolchain, mac.gaps, windows.toolchain) == (None, (), None)
    assert reasons(windows) == {None: "what compiles CUDA extensions on win-64 is not looked for"}


@pytest.mark.parametrize(
    ("line", "is_wanted"),
    [
        ("flash-attn==2.7.4", True),
        ("git+https://github.com/NVlabs/Tiny-CUDA-nn/#subdirectory=bindings/torch", True),
        ("torch==2.5.1+cu124", False),
        ("./submodules/diff-gaussian-rasterization", True),
    ],
)
def test_it_is_looked_for_where_files_declare_what_pip_compiles(
    tmp_path: Path, line: str, is_wanted: bool
) -> None:
    write(tmp_path / "project", {"requirements.txt": f"{line}\n"})
    choice = pipeline.Choice(no_env=True)

    snapshot = pipeline.look(str(tmp_path / "project"), choice, {}, root=str(tmp_path / "root"))

    assert (snapshot.toolchain is not None) is is_wanted


def test_torch_s_order_is_variables_then_path_then_the_usual_folder(tmp_path: Path) -> None:
    for release in ("11.8", "12.1", "12.4", "99.0"):
        toolkit(tmp_path, f"usr/local/cuda-{release}", release)
    (tmp_path / "usr/local/cuda").symlink_to("/usr/local/cuda-99.0")
    path = "/usr/bin:/usr/local/cuda-12.4/bin"
    by_variables = {"CUDA_HOME": "/usr/local/cuda-11.8", "CUDA_PATH": "/usr/local/cuda-12.1"}

    found = [
        taken(tmp_path, PATH=path, **by_variables),
        taken(tmp_path, PATH=path, CUDA_HOME="", CUDA_PATH="/usr/local/cuda-12.1"),
        taken(tmp_path, PATH=path),
        taken(tmp_path),
    ]

    assert [(root.found_by, root.nvcc.release) for root in found if root.nvcc] == [
        ("CUDA_HOME", "11.8"),
        ("CUDA_PATH", "12.1"),
        ("nvcc on PATH", "12.4"),
        ("its own name", "99.0"),
    ]


def test_the_folder_of_nvcc_on_path_is_as_it_is_named_there(tmp_path: Path) -> None:
    toolkit(tmp_path)
    (tmp_path / "usr/bin").mkdir()
    (tmp_path / "usr/bin/nvcc").symlink_to("/usr/local/cuda-12.4/bin/nvcc")

    found = toolchain(tmp_path)

    assert (found.root.path, found.root.nvcc.release, found.root.headers) == ("/usr", "12.4", {})
    assert [root.path for root in found.others] == ["/usr/local/cuda-12.4"]


def test_the_other_toolkits_are_told_once_the_newest_first(tmp_path: Path) -> None:
    for folder in ("usr/local/cuda-11.8", "usr/local/cuda-12.4", "opt/cuda"):
        toolkit(tmp_path, folder)
    (tmp_path / "usr/local/cuda").symlink_to("cuda-11.8")
    write(tmp_path, {"usr/local/cuda-9.0/version.txt": "", "usr/local/cuda-samples/bin/nvcc": ""})

    found = toolchain(tmp_path, CUDA_HOME="/nowhere")

    assert [root.path for root in found.others] == [
        "/usr/local/cuda-12.4",
        "/usr/local/cuda-11.8",
        "/opt/cuda",
    ]


def test_a_toolkit_is_read_with_its_headers_libraries_and_stubs(tmp_path: Path) -> None:
    root = taken(toolkit(tmp_path), CUDA_HOME="/usr/local/cuda-12.4/")

    assert root.headers == {"include": HEADERS}
    assert (root.runtimes, root.stubs) == (("lib64",), ("lib64/stubs",))
    assert root.library_folder == "lib64"


def test_what_lies_in_targets_is_told_by_its_folder(tmp_path: Path) -> None:
    target = "opt/cuda/targets/x86_64-linux"
    programs(tmp_path, {"opt/cuda/bin/nvcc": nvcc()})
    write(tmp_path, {f"{target}/include/cublas_v2.h": "", f"{target}/lib/libcudart.so": b""})

    root = taken(tmp_path, CUDA_HOME="/opt/cuda")

    assert root.headers == {"targets/x86_64-linux/include": ("cublas_v2.h",)}
    assert (root.runtimes, root.library_folder) == (("targets/x86_64-linux/lib",), "lib64")


def test_lib_is_led_to_where_there_is_no_lib64(tmp_path: Path) -> None:
    write(tmp_path, {"opt/cuda/lib/libcudart.so": b""})

    assert taken(tmp_path, CUDA_HOME="/opt/cuda").library_folder == "lib"


def test_headers_of_nvidia_s_wheels_are_told(tmp_path: Path) -> None:
    prefix = conda_prefix(tmp_path / "env", PYTHON_RECORD)
    folder = f"{SITE}/nvidia/cublas/include"
    write(prefix, {f"{folder}/cublas_v2.h": "", f"{SITE}/nvidia/cudnn/include/cudnn.h": ""})

    found = toolchain(tmp_path / "root", prefix)

    assert found.headers_of_wheels == {f"{prefix}/{folder}": ("cublas_v2.h",)}


@pytest.mark.parametrize(
    ("value", "is_list"),
    [("/usr/local/cuda-9.0", False), ("/usr/local/cuda:/opt/cuda", True), ("relative", False)],
)
def test_a_folder_that_is_none_is_said_as_written(
    tmp_path: Path, value: str, is_list: bool
) -> None:
    root = taken(tmp_path, CUDA_HOME=value)

    assert root == CudaRoot(path=value, found_by="CUDA_HOME", exists=False)
    assert root.is_list is is_list


def test_a_secret_in_a_variable_does_not_enter(tmp_path: Path) -> None:
    root = taken(tmp_path, CUDA_HOME="https://user:secret@example.org/cuda")

    assert "secret" not in root.path


def test_nvcc_s_release_is_told_by_version_json_before_its_bytes(tmp_path: Path) -> None:
    said = json.dumps(
        {"cuda": {"version": "12.4.1"}, "cuda_nvcc": {"name": "n", "version": "12.4.131"}}
    )
    write(toolkit(tmp_path, release="9.9"), {"usr/local/cuda-12.4/version.json": said})

    root = taken(tmp_path, CUDA_HOME="/usr/local/cuda-12.4")

    assert (root.nvcc.release, root.nvcc.told_by) == ("12.4", "/usr/local/cuda-12.4/version.json")


def test_nvcc_of_conda_is_told_by_its_record(tmp_path: Path) -> None:
    record = {"name": "cuda-nvcc-tools", "version": "12.4.131", "files": ["bin/nvcc"]}
    prefix = programs(conda_prefix(tmp_path / "env", record), {"bin/nvcc": b"\x7fELF"})

    root = taken(tmp_path / "root", prefix)

    assert (root.path, root.found_by, root.nvcc.release) == (str(prefix), "nvcc on PATH", "12.4")


def test_a_script_of_one_line_is_followed(tmp_path: Path) -> None:
    toolkit(tmp_path)
    wrapper = '#!/bin/sh\nexec /usr/local/cuda-12.4/bin/nvcc "$@"\n'

    root = taken(programs(tmp_path, {"usr/local/bin/nvcc": wrapper}), PATH="/usr/local/bin")

    assert (root.path, root.nvcc.release) == ("/usr/local", "12.4")


def test_scripts_that_call_each_other_in_a_circle_are_no_compiler(tmp_path: Path) -> None:
    programs(tmp_path, {"usr/bin/nvcc": '#!/bin/sh\nexec /usr/bin/nvcc "$@"\n'})
    (tmp_path / "usr/bin/gcc").symlink_to("/usr/bin/gcc")

    found = toolchain(tmp_path)

    assert (found.root.nvcc, found.host) == (None, None)


@pytest.mark.parametrize(
    ("content", "name", "release"),
    [
        pytest.param(gcc(), "x86_64-linux-gnu-gcc-12", "12.2.0", id="Debian"),
        pytest.param(gcc("14.2.1 20240912 (Red Hat 14.2.1-3)"), "gcc", "14.2.1", id="Fedora"),
        pytest.param(
            gcc("13.3.0", "(conda-forge gcc 13.3.0-1) "),
            "x86_64-conda-linux-gnu-cc",
            "13.3.0",
            id="conda",
        ),
        pytest.param(gcc() + b"1.2.13\0", "gcc-12", "12.2.0", id="its name decides"),
        pytest.param(b"\x7fELF", "gcc-11", "11", id="its name alone"),
        pytest.param(b"\x7fELF", "gcc", None, id="nothing tells"),
        pytest.param("#!/bin/sh\nif true; then exec gcc; fi\n", "gcc", None, id="a script"),
        pytest.param(gcc(), "tcc-wrapper", None, id="not gcc"),
    ],
)
def test_gcc_s_release_is_read_of_its_bytes(
    tmp_path: Path, content: bytes, name: str, release: str | None
) -> None:
    programs(tmp_path, {f"usr/bin/{name}": content})
    if name != "gcc":
        (tmp_path / "usr/bin/gcc").symlink_to(name)

    snapshot = seen(tmp_path)

    assert snapshot.toolchain.host.release == release
    expected = {} if release else {"/usr/bin/gcc": "none of its files tells its release"}
    assert reasons(snapshot) == expected


def test_the_folder_of_its_libraries_tells_where_bytes_leave_a_choice(tmp_path: Path) -> None:
    programs(tmp_path, {"usr/bin/gcc": gcc() + b"1.2.13\0"})
    write(tmp_path, {"usr/lib/gcc/x86_64-redhat-linux/12/cc1plus": b""})

    host = toolchain(tmp_path).host

    assert (host.release, host.told_by) == ("12", "/usr/lib/gcc")


@pytest.mark.parametrize(
    ("real", "release"),
    [
        ("usr/bin/clang++-17", "17"),
        ("usr/lib/llvm-14/bin/clang", "14"),
        ("opt/llvm/bin/clang", "18.1.8"),
        ("apps/bin/clang", None),
    ],
)
def test_clang_s_release_is_told_by_where_it_lies(
    tmp_path: Path, real: str, release: str | None
) -> None:
    programs(tmp_path, {real: b"\x7fELF"})
    write(tmp_path, {"opt/llvm/lib/clang/18.1.8/include/a.h": ""})

    cxx = toolchain(tmp_path, CXX=f"/{real}").cxx

    assert (cxx.kind, cxx.release, cxx.found_by) == ("clang", release, "CXX")


@pytest.mark.parametrize(
    ("environ", "found_by"),
    [
        ({"NVCC_APPEND_FLAGS": "-O2 -ccbin /a/gcc", "CC": "gcc"}, "-ccbin of NVCC_APPEND_FLAGS"),
        ({"CC": "ccache /a/gcc -m64", "NVCC_PREPEND_FLAGS": "-ccbin=gcc"}, "CC"),
        ({"NVCC_PREPEND_FLAGS": "--compiler-bindir=/a"}, "-ccbin of NVCC_PREPEND_FLAGS"),
        ({"NVCC_CCBIN": "/a/gcc"}, "NVCC_CCBIN"),
        ({"CC": "'unclosed", "PATH": "/a"}, "PATH"),
        ({"CC": "./here/gcc", "PATH": "/usr/lib/ccache:/a"}, "PATH"),
    ],
)
def test_what_nvcc_hands_the_host_s_code_to_is_the_last_that_is_said(
    tmp_path: Path, environ: Mapping[str, str], found_by: str
) -> None:
    programs(tmp_path, {"usr/bin/gcc": gcc("9.4.0"), "a/gcc": gcc(), "a/g++": gcc()})
    programs(tmp_path, {"usr/bin/ccache": b"\x7fELF"})
    (tmp_path / "usr/lib/ccache").mkdir(parents=True)
    (tmp_path / "usr/lib/ccache/gcc").symlink_to("../../bin/ccache")

    host = toolchain(tmp_path, **environ).host

    assert (host.release, host.found_by) == ("12.2.0", found_by)


def test_other_compilers_on_path_are_told_once(tmp_path: Path) -> None:
    names = ("g++-12", "g++-13", "g++-13-extra", "gcc-12")
    programs(tmp_path, {f"usr/bin/{name}": gcc(f"{name[4:6]}.1.0") for name in names})
    programs(tmp_path, {"usr/local/bin/g++-12": gcc("12.9.9"), "usr/bin/ninja": b"\x7fELF"})

    found = toolchain(tmp_path, PATH="/usr/bin:/usr/local/bin:/usr/bin")

    assert [(c.path, c.major) for c in found.versioned] == [
        ("/usr/bin/g++-12", 12),
        ("/usr/bin/g++-13", 13),
    ]
    assert found.ninja == "/usr/bin/ninja"


def test_what_compiler_and_linker_find_by_themselves_is_told(tmp_path: Path) -> None:
    headers = {"usr/include/cuda_runtime_api.h": "", "a/cublas_v2.h": "", "b/cusparse.h": ""}
    write(tmp_path, headers | {"c/libcudart.so": b"", "usr/lib64/libcuda.so": b""})

    found = toolchain(tmp_path, CPATH="/a:", CXXFLAGS="-O2 -I /b", LDFLAGS="-L/c -lfoo")

    assert found.headers_elsewhere == ("cuda_runtime_api.h", "cublas_v2.h", "cusparse.h")
    assert found.libraries_elsewhere == ("libcudart.so", "libcuda.so")


@pytest.mark.parametrize(
    ("environ", "allows_any", "is_unchecked"),
    [
        ({}, False, False),
        ({"NVCC_PREPEND_FLAGS": "-allow-unsupported-compiler"}, True, False),
        ({"TORCH_DONT_CHECK_COMPILER_ABI": "1"}, False, True),
    ],
)
def test_checks_that_are_turned_off_are_told(
    tmp_path: Path, environ: Mapping[str, str], allows_any: bool, is_unchecked: bool
) -> None:
    found = toolchain(tmp_path, **environ)

    assert (found.allows_any, found.is_unchecked) == (allows_any, is_unchecked)


def test_conda_s_compilers_are_those_that_activation_sets(tmp_path: Path) -> None:
    """conda-forge/ctng-compiler-activation-feedstock, conda-forge/cuda-nvcc-feedstock."""
    triple = "bin/x86_64-conda-linux-gnu"
    prefix = programs(
        conda_prefix(tmp_path / "env"),
        {f"{triple}-cc": gcc("12.4.0"), f"{triple}-c++": gcc("12.4.0"), "bin/nvcc": nvcc()},
    )
    folder = "targets/x86_64-linux"
    script = f'export CXXFLAGS="${{CXXFLAGS}} -I${{CONDA_PREFIX}}/{folder}/include"\n'
    write(prefix, {GXX: "", NVCC_SCRIPT: script, f"{folder}/include/cusparse.h": ""})
    write(prefix, {f"{folder}/lib/stubs/libcuda.so": b""})
    root = programs(tmp_path / "root", {"usr/bin/gcc": gcc("14.1.0")})

    found = toolchain(root, prefix, CC="/usr/bin/gcc", CXX="/usr/bin/gcc")

    assert (found.host.path, found.host.release) == (f"{prefix}/{triple}-cc", "12.4.0")
    assert (found.cxx.path, found.root.path) == (f"{prefix}/{triple}-c++", str(prefix))
    assert found.headers_elsewhere == ("cusparse.h",)
    assert found.libraries_elsewhere == ("libcuda.so",)


def test_what_activation_sets_wins_over_the_shell(tmp_path: Path) -> None:
    prefix = conda_prefix(tmp_path / "env")
    state = {"env_vars": {"CUDA_HOME": "/usr/local/cuda-12.4"}}
    write(prefix, {"conda-meta/state": json.dumps(state)})

    root = taken(toolkit(tmp_path / "root"), prefix, CUDA_HOME="/nowhere")

    assert (root.path, root.nvcc.release) == ("/usr/local/cuda-12.4", "12.4")


def test_links_lead_below_the_root_however_deep_they_lie(tmp_path: Path) -> None:
    toolkit(tmp_path, "usr/local/cuda-99.1", "99.1")
    (tmp_path / "etc/alternatives").mkdir(parents=True)
    (tmp_path / "etc/alternatives/cuda").symlink_to("/usr/local/cuda-99.1")
    (tmp_path / "usr/local/cuda").symlink_to("../../etc/./alternatives/cuda")

    root = taken(tmp_path)

    assert (root.path, root.nvcc.release, root.runtimes) == ("/usr/local/cuda", "99.1", ("lib64",))
    assert toolchain(tmp_path).others == ()


def test_hostile_files_are_no_compiler_and_hang_nothing(tmp_path: Path) -> None:
    (tmp_path / "usr/bin/g++").mkdir(parents=True)
    os.mkfifo(tmp_path / "usr/bin/gcc")
    write(tmp_path, {"usr/bin/c++": gcc(), "usr/local/cuda/bin/nvcc": nvcc()})
    (tmp_path / "usr/local/cuda/version.json").mkdir()

    found = toolchain(tmp_path)

    # what may not be executed is no program
    assert (found.host, found.cxx, found.root.nvcc) == (None, None, None)


@pytest.fixture(scope="module")
def here() -> Toolchain:
    found = seen("", PATH=os.environ.get("PATH", "")).toolchain
    assert found is not None
    return found


@pytest.mark.skipif(not shutil.which("gcc"), reason="this machine has no gcc")
def test_truth_gcc_is_what_it_says_itself(here: Toolchain) -> None:
    said = subprocess.run(["gcc", "-dumpfullversion"], capture_output=True, text=True, check=True)

    assert here.host.path == shutil.which("gcc")
    assert here.host.release == said.stdout.strip()


@pytest.mark.skipif(not shutil.which("nvcc"), reason="this machine has no nvcc on PATH")
def test_truth_nvcc_is_what_it_says_itself(here: Toolchain) -> None:
    said = subprocess.run(["nvcc", "--version"], capture_output=True, text=True, check=True)

    assert here.root.nvcc.path == shutil.which("nvcc")
    assert here.root.nvcc.release == re.findall(r"release (\d+\.\d+),", said.stdout)[0]


def test_truth_the_limits_are_those_of_the_header(here: Toolchain) -> None:
    known, path = catalog.load().compiling, "include/crt/host_config.h"
    roots = [r for r in here.roots if r.nvcc and Path(r.path, path).is_file()]
    if not roots:
        pytest.skip("this machine has no toolkit with its headers")
    for root in roots:
        text, release = Path(root.path, path).read_text("utf-8"), root.nvcc.release

        (gnu,) = re.findall(r"#if __GNUC__ > (\d+)", text)
        clang = re.findall(r"clang version must be less than (\d+)", text)[-1]
        assert known.newest("gcc", release) == int(gnu)
        assert known.newest("clang", release) == int(clang) - 1
