"""VIS305 to VIS308: what will be compiled for CUDA, held against what stands ready for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from click.testing import CliRunner

from reconciler import catalog, pipeline
from reconciler.cli import cli
from reconciler.model.finding import Severity
from reconciler.model.fix import Applicability
from reconciler.model.toolchain import HEADERS
from reconciler.rules import all_rules
from reconciler.testing import sketch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reconciler.model.finding import Finding

KNOWN = catalog.load()
RULES = tuple(all_rules()[code] for code in ("VIS305", "VIS306", "VIS307", "VIS308"))
ALL = ", ".join(HEADERS)
GCC = "host: {path: /usr/bin/gcc, kind: gcc, release: 12.2.0, found_by: PATH}"
NOTHING = f"toolchain: {{{GCC}}}\n"
TORCH = "pip: [torch==2.5.1+cu124]\n"
FLASH = "requirements.txt: |\n  torch==2.5.1+cu124\n  flash-attn==2.7.4.post1\n"
SCATTER = "requirements.txt: |\n  torch==2.5.1+cu124\n  torch-scatter\n  torch-sparse\n"
TCNN = (
    "requirements.txt: |\n  torch==2.5.1+cu124\n"
    "  git+https://github.com/NVlabs/tiny-cuda-nn/#subdirectory=bindings/torch\n"
)


def root(  # noqa: PLR0913, PLR0917 - a folder's parts, by name
    release: str = "12.4",
    path: str = "/usr/local/cuda",
    found_by: str = "CUDA_HOME",
    rest: str = "",
    headers: str = f"include: [{ALL}]",
    runtimes: str = "lib64",
) -> str:
    """Write a folder of CUDA that is whole, unless it is said otherwise."""
    nvcc = f'{{path: {path}/bin/nvcc, kind: nvcc, release: "{release}"}}' if release else "null"
    library = "lib" if runtimes == "lib" else "lib64"
    return (
        f"{{path: '{path}', found_by: {found_by}, nvcc: {nvcc}, headers: {{{headers}}},"
        f" runtimes: [{runtimes}], library_folder: {library}{rest}}}"
    )


def chain(taken: str, *more: str, host: str = GCC) -> str:
    return f"toolchain: {{root: {taken}, {', '.join((host, *more))}}}\n"


def judged(text: str, **changes: object) -> Sequence[Finding]:
    seen = sketch(text)
    seen = msgspec.structs.replace(seen, target=msgspec.structs.replace(seen.target, **changes))
    report = pipeline.judge(seen, RULES, KNOWN)
    assert report.crashes == ()
    return report.findings


def found(text: str) -> list[str]:
    return [finding.code for finding in judged(text)]


def the(text: str, **changes: object) -> Finding:
    (finding,) = judged(text, **changes)
    return finding


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{TORCH}{NOTHING}", id="nothing is to be compiled"),
        pytest.param(f"{TORCH}{NOTHING}requirements.txt: torch==2.5.1+cu124", id="a wheel alone"),
        pytest.param(f"pip: [torch==2.5.1+cpu]\n{NOTHING}build: true", id="PyTorch for the CPU"),
        pytest.param(
            f"{NOTHING}requirements.txt: |\n  torch==2.5.1+cpu\n  flash-attn", id="declared CPU"
        ),
        pytest.param(f"{NOTHING}requirements.txt: |\n  torch\n  flash-attn", id="an unknown torch"),
        pytest.param(
            f"pip: [torch==2.5.1+cu124, flash-attn==2.7.4]\n{NOTHING}{FLASH}", id="it is installed"
        ),
        pytest.param(
            f"conda: [flash-attn=2.7.4=0]\n{TORCH}{NOTHING}{FLASH}", id="conda has installed it"
        ),
        pytest.param(
            f"{NOTHING}requirements.txt: |\n  torch==2.5.1+cu124\n"
            "  https://example.org/flash_attn-2.7.4+cu12torch2.5cxx11abiFALSE-cp311-cp311-linux_x86_64.whl",
            id="the URL of a wheel",
        ),
        pytest.param(
            f"{NOTHING}requirements.txt: |\n  torch==2.5.1+cu124\n"
            "  https://github.com/Dao-AILab/flash-attention/releases/download/v2.7.4/flash_attn-2.7.4"
            "+cu12torch2.5cxx11abiFALSE-cp311-cp311-linux_x86_64.whl",
            id="the URL of a wheel in the repository's releases",
        ),
        pytest.param(
            f"{NOTHING}requirements.txt: |\n  -f https://data.pyg.org/whl/torch-2.5.0+cu124.html\n"
            "  torch==2.5.1+cu124\n  torch-scatter",
            id="a page of wheels",
        ),
        pytest.param(
            f"{NOTHING}environment.yml: |\n  channels: [conda-forge]\n  dependencies:\n"
            "  - cuda-nvcc=12.4\n  - pytorch=2.5.1=cuda126_py311_0\n  - pip\n  - pip: [flash-attn]",
            id="the file brings nvcc",
        ),
        pytest.param(
            f"conda: [python=3.11.7=0]\n{TORCH}{NOTHING}environment.yml: |\n  name: another\n"
            "  dependencies: [python=3.11, pip, {pip: [torch==2.5.1+cu124, flash-attn]}]",
            id="the file of another environment",
        ),
        pytest.param(
            f"{NOTHING}Dockerfile: |\n  FROM nvidia/cuda:12.4.1-devel-ubuntu22.04\n"
            "  RUN pip install torch==2.5.1+cu124 flash-attn",
            id="another machine's image",
        ),
        pytest.param(
            f"{NOTHING}docs/requirements.txt: |\n  torch==2.5.1+cu124\n  flash-attn",
            id="not what the environment is made of",
        ),
        pytest.param(f"{TORCH}toolchain: null\nbuild: true", id="not looked for, as on Windows"),
        pytest.param(
            f"{NOTHING}requirements.txt: |\n  torch==2.5.1+cu124\n  gsplat\n  apex\n  xformers",
            id="PyPI has wheels, or another project of the name",
        ),
    ],
)
def test_what_is_not_compiled_here_wants_no_compiler(text: str) -> None:
    assert found(f"python: 3.11.7\n{text}") == []


@pytest.mark.parametrize(
    "ready",
    [
        pytest.param(chain(root()), id="a whole toolkit"),
        pytest.param(chain(root("12.1")), id="another minor release"),
        pytest.param(chain(root(runtimes="lib")), id="lib without lib64"),
        pytest.param(
            chain(
                root(path="/prefix", headers="", runtimes=""),
                f"headers_elsewhere: [{ALL}]",
                "libraries_elsewhere: [libcudart.so]",
            ),
            id="conda's, activated; or Debian's, in /usr",
        ),
        pytest.param(chain(root(), host=GCC.replace("12.2.0", "13.3.0")), id="gcc at the limit"),
        pytest.param(
            chain(root(), host="host: {path: /usr/bin/gcc, kind: unknown}"), id="an unknown gcc"
        ),
        pytest.param(
            chain(root("99.0").replace('"99.0"', "null")), id="an nvcc of an unknown release"
        ),
        pytest.param(
            chain(root("12.9"), "cxx: {path: /usr/bin/c++, kind: gcc, release: 14.1.0}"),
            id="another compiler of C++, which fits",
        ),
        pytest.param(
            chain(root(), "allows_any: true", host=GCC.replace("12.2.0", "15.1.0")),
            id="any host compiler is allowed",
        ),
        pytest.param(
            chain(
                root(),
                "is_unchecked: true",
                "cxx: {path: /usr/bin/c++, kind: gcc, release: 15.1.0}",
            ),
            id="torch is told not to check",
        ),
        pytest.param(
            chain(root("12.7"), host=GCC.replace("12.2.0", "15.1.0")), id="no limit is known"
        ),
    ],
)
@pytest.mark.parametrize("asked", ["build: true\n", SCATTER])
def test_a_toolchain_that_is_ready_is_silent(ready: str, asked: str) -> None:
    assert found(f"python: 3.11.7\n{TORCH}{ready}{asked}") == []


def test_no_nvcc_is_told_once_for_all_that_is_compiled() -> None:
    finding = the(f"python: 3.11.7\n{TORCH}{NOTHING}{SCATTER}")

    assert (finding.code, finding.severity) == ("VIS305", Severity.WARNING)
    assert finding.message.startswith("torch-scatter and torch-sparse will be compiled for torch")
    assert "built for the CPU alone" in finding.shows_as
    assert finding.remedy.endswith(
        "or install wheels for your torch, from data.pyg.org; and ninja, which compiles in"
        " parallel: `pip install ninja`"
    )
    assert [place.line for place in (finding.at, *finding.related)] == [2, 3]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("detectron2 @ git+https://github.com/facebookresearch/detectron2.git@v0.6", "detectron2"),
        ("git+https://github.com/NVlabs/nvdiffrast", "nvdiffrast"),
        ("gsplat @ git+https://github.com/nerfstudio-project/gsplat.git", "gsplat"),
        ("apex @ git+ssh://git@github.com/NVIDIA/apex@24.04", "apex"),
        ("deepspeed>=0.14", "deepspeed"),
        ("./submodules/diff_gaussian_rasterization", "diff-gaussian-rasterization"),
    ],
)
def test_what_a_repository_or_pypi_has_in_sources_alone_is_compiled(line: str, name: str) -> None:
    text = f"python: 3.11.7\n{NOTHING}requirements.txt: |\n  torch==2.5.1+cu124\n  {line}\n"

    assert the(text).message.startswith(f"{name} will be compiled")


@pytest.mark.parametrize("index", ["https://download.pytorch.org/whl/cu124"])
def test_pytorch_s_own_index_has_no_wheel_of_it(index: str) -> None:
    text = (
        f"{NOTHING}requirements.txt: |\n  --extra-index-url {index}\n  torch==2.5.1\n  flash-attn"
    )

    assert found(f"python: 3.11.7\n{text}") == ["VIS305"]


def test_a_folder_of_cuda_without_nvcc_is_one_of_a_runtime_alone() -> None:
    ready = chain(root("", found_by="its own name"), "ninja: /usr/bin/ninja")

    finding = the(f"python: 3.11.7\n{TORCH}{ready}{FLASH}")

    assert finding.code == "VIS305"
    assert "/usr/local/cuda, which its own name leads to, has none" in finding.message
    assert "ninja" not in finding.remedy


def test_no_compiler_of_c_is_told_by_itself() -> None:
    finding = the(f"python: 3.11.7\n{TORCH}toolchain: {{root: {root()}}}\nbuild: true\n")

    assert (finding.code, finding.at.subject) == ("VIS305", "pip's torch 2.5.1+cu124")
    assert "no compiler of C++" in finding.message
    assert finding.remedy == "install a compiler of C++, as with `sudo apt-get install g++`"


def test_conda_brings_the_toolkit_of_pytorch_s_cuda() -> None:
    finding = the(f"conda: [python=3.11.7=0]\n{TORCH}{NOTHING}state: {{}}\n{FLASH}")

    line = "conda install -p /prefix --yes --channel conda-forge cuda-toolkit cuda-version=12.4"
    assert finding.remedy.startswith(
        f"`{line}`, activate the environment anew and `export CUDA_HOME=/prefix`"
    )
    assert finding.fix is not None
    assert finding.fix.applicability is Applicability.UNSAFE
    assert " ".join(finding.fix.commands[0].argv) == line


def test_a_release_before_12_is_of_nvidia_s_channel() -> None:
    text = f"conda: [python=3.11.7=0]\npip: [torch==2.1.2+cu118]\n{NOTHING}build: true\n"

    assert "--channel nvidia/label/cuda-11.8.0 cuda-toolkit`" in the(text).remedy


def test_pixi_adds_it_to_its_own_file() -> None:
    pixi = "state: {pixi: {manifest: /project/pixi.toml, environment: default}}\n"

    finding = the(f"conda: [python=3.11.7=0]\n{TORCH}{NOTHING}{pixi}build: true\n")

    assert "`pixi add --manifest-path /project/pixi.toml cuda-toolkit" in finding.remedy


def test_pixi_is_given_no_release_that_its_channels_may_lack() -> None:
    pixi = "state: {pixi: {manifest: /project/pixi.toml, environment: default}}\n"
    text = f"conda: [python=3.11.7=0]\npip: [torch==2.1.2+cu118]\n{NOTHING}{pixi}build: true\n"

    assert the(text).remedy.startswith(
        "install NVIDIA's CUDA toolkit 11.8, or another 11.x, beside"
    )


@pytest.mark.parametrize(
    ("pip", "expected"),
    [
        (
            "pip: [torch==2.5.1+cu124]",
            "NVIDIA's CUDA toolkit 12.4, or another 12.x, beside the environment",
        ),
        ("pip: []", "NVIDIA's CUDA toolkit, of your framework's CUDA"),
    ],
)
def test_a_venv_takes_the_toolkit_of_the_machine(pip: str, expected: str) -> None:
    finding = the(f"python: 3.11.7\n{pip}\n{NOTHING}build: true\n")

    assert expected in finding.remedy
    assert finding.fix is None


@pytest.mark.parametrize(
    ("taken", "what"),
    [
        ("{path: '/usr/local/cuda:/opt/cuda', found_by: CUDA_HOME, exists: false}", "is a list"),
        ("{path: /usr/local/cuda-9.0, found_by: CUDA_PATH, exists: false}", "is not there"),
        ("{path: /opt/cuda, found_by: CUDA_HOME}", "has no nvcc, which /usr/local/cuda-12.4 has"),
    ],
)
def test_a_folder_that_cannot_be_taken_is_named_with_one_that_can(taken: str, what: str) -> None:
    others = (
        f"others: [{root('11.8', '/usr/local/cuda-11.8')}, {root('12.4', '/usr/local/cuda-12.4')}]"
    )

    finding = the(f"python: 3.11.7\n{TORCH}{chain(taken, others)}build: true\n")

    assert finding.code == "VIS306"
    assert what in finding.message
    assert finding.remedy == (
        "`export CUDA_HOME=/usr/local/cuda-12.4`, whose nvcc is 12.4, before you install"
    )


@pytest.mark.parametrize(
    ("others", "taken"),
    [
        (["12.6", "12.4"], "12.4"),
        (["12.6", "11.8"], "12.6"),
        # the first has nvcc and no more
        (["12.4", "12.6"], "12.6"),
    ],
)
def test_of_several_toolkits_a_whole_one_of_the_very_release_is_named(
    others: Sequence[str], taken: str
) -> None:
    roots = [root(release, f"/usr/local/cuda-{release}") for release in others]
    if others[0] == "12.4":
        roots[0] = root("12.4", "/usr/local/cuda-12.4", headers="")
    ready = chain(root("13.0", "/opt/cuda"), f"others: [{', '.join(roots)}]")

    finding = the(f"python: 3.11.7\n{TORCH}{ready}build: true\n")

    assert finding.remedy.startswith(f"`export CUDA_HOME=/usr/local/cuda-{taken}`")


def test_a_variable_that_leads_to_no_nvcc_while_none_is_anywhere_lacks_nvcc() -> None:
    taken = "{path: /opt/cuda, found_by: CUDA_HOME}"

    assert found(f"python: 3.11.7\n{TORCH}{chain(taken)}build: true\n") == ["VIS305"]


def test_a_stray_nvcc_on_path_is_of_another_major() -> None:
    ready = chain(root("13.0", "/opt/stray", "nvcc on PATH"))

    finding = the(f"python: 3.11.7\n{TORCH}{ready}{SCATTER}")

    assert finding.code == "VIS306"
    assert "the nvcc of /opt/stray, which nvcc on PATH leads to, is of CUDA 13.0" in finding.message
    assert "The detected CUDA version (13.0) mismatches" in finding.shows_as


def test_the_environment_s_own_nvcc_is_taken_by_a_variable_of_conda_s() -> None:
    own = f"others: [{root('12.4', '/prefix', '')}]".replace("found_by: ,", "")
    ready = chain(root("11.8", "/usr/local/cuda-11.8"), own)

    finding = the(f"conda: [python=3.11.7=0]\n{TORCH}{ready}state: {{}}\nbuild: true\n")

    assert finding.fix is not None
    assert finding.fix.applicability is Applicability.UNSAFE
    assert finding.fix.commands[0].argv[-1] == "CUDA_HOME=/prefix"


@pytest.mark.parametrize(
    ("ready", "code"),
    [
        (chain(root("11.8")), "VIS306"),
        (chain(root(headers="")), "VIS307"),
        (chain(root(), host=GCC.replace("12.2.0", "15.1.0")), "VIS308"),
    ],
)
def test_what_looks_for_a_wheel_of_its_own_first_is_information(ready: str, code: str) -> None:
    finding = the(f"python: 3.11.7\n{TORCH}{ready}{FLASH}")

    assert (finding.code, finding.severity) == (code, Severity.INFO)
    assert finding.message.endswith(", unless its setup finds a wheel of its own for this torch")


def test_the_environment_s_own_file_is_judged() -> None:
    lines = "dependencies: [python=3.11, pip, {pip: [torch==2.5.1+cu124, flash-attn]}]"

    text = f"{TORCH}{NOTHING}environment.yml: |\n  name: prefix\n  {lines}\n"

    assert found(f"conda: [python=3.11.7=0]\n{text}") == ["VIS305"]


def test_what_is_asked_for_is_judged_beside_what_may_find_a_wheel() -> None:
    text = f"python: 3.11.7\n{TORCH}{chain(root('11.8'))}"

    assert [f.severity for f in judged(f"{text}{FLASH}build: true\n")] == ["warning", "info"]
    # what is sure to be compiled tells the same
    assert [f.severity for f in judged(f"{text}{SCATTER}build: true\n")] == ["warning"]


def test_headers_that_come_with_the_libraries_are_missing_beside_nvcc_alone() -> None:
    ready = chain(root(headers="include: [cuda_runtime_api.h]"))

    finding = the(f"python: 3.11.7\n{TORCH}{ready}build: true\n")

    assert finding.code == "VIS307"
    assert finding.message.startswith(
        "cublas_v2.h, cusparse.h, cusolverDn.h are not in /usr/local/cuda/include, beside its nvcc"
    )
    assert finding.remedy.startswith("take a whole toolkit: ")


def test_headers_in_targets_are_led_to_by_a_variable() -> None:
    ready = chain(root(path="/prefix", headers=f"targets/x86_64-linux/include: [{ALL}]"))

    finding = the(f"conda: [python=3.11.7=0]\n{TORCH}{ready}build: true\n")

    assert finding.remedy == (
        "`export CPATH=/prefix/targets/x86_64-linux/include`, or activate the environment, before you"
        " install"
    )


def test_headers_of_nvidia_s_wheels_are_led_to_by_a_variable() -> None:
    wheels = "headers_of_wheels: {/p/cublas/include: [cublas_v2.h], /p/cu/include: [cusparse.h, cusolverDn.h]}"
    ready = chain(root(headers="include: [cuda_runtime_api.h]"), wheels)

    finding = the(f"python: 3.11.7\n{TORCH}{ready}build: true\n")

    assert finding.remedy.endswith("have them: `export CPATH=/p/cublas/include:/p/cu/include`")


def test_a_lib64_without_the_runtime_hides_that_of_lib() -> None:
    ready = chain(root(runtimes="lib, targets/x86_64-linux/lib"))

    finding = the(f"python: 3.11.7\n{TORCH}{ready}build: true\n")

    assert "libcudart.so lies in /usr/local/cuda/lib, and the linker is led to" in finding.message
    assert finding.remedy == "`export LIBRARY_PATH=/usr/local/cuda/lib` before you install"


def test_a_folder_with_nvcc_alone_is_told_once() -> None:
    """As where nvcc on PATH is a link, or a script, in a folder of programs."""
    whole = f"others: [{root('12.4', '/usr/local/cuda-12.4')}]"
    ready = chain(root(path="/usr/local", found_by="nvcc on PATH", headers="", runtimes=""), whole)

    finding = the(f"python: 3.11.7\n{TORCH}{ready}build: true\n")

    assert [finding.code, *(symptom.code for symptom in finding.symptoms)] == ["VIS307", "VIS307"]
    assert "`export CUDA_HOME=/usr/local/cuda-12.4`" in finding.remedy


@pytest.mark.parametrize(
    ("rest", "remedy"),
    [
        (
            "targets/x86_64-linux/lib/stubs",
            "`export LIBRARY_PATH=/usr/local/cuda/targets/x86_64-linux/lib/stubs` for the build",
        ),
        ("lib64/stubs", "`export LIBRARY_PATH=/usr/local/cuda/lib64/stubs` for the build"),
        ("", "take a whole toolkit, which has a stub"),
    ],
)
def test_what_links_the_driver_wants_it_or_its_stub(rest: str, remedy: str) -> None:
    finding = the(f"python: 3.11.7\n{TORCH}{chain(root(rest=f', stubs: [{rest}]'))}{TCNN}")

    assert (finding.code, "-lcuda" in finding.shows_as) == ("VIS307", True)
    assert finding.remedy.startswith(remedy)


def test_what_links_the_driver_takes_that_of_the_machine() -> None:
    ready = chain(root(), "libraries_elsewhere: [libcuda.so]")

    assert found(f"python: 3.11.7\n{TORCH}{ready}{TCNN}") == []


@pytest.mark.parametrize(
    ("cuda", "newest"), [("11.8", 11), ("12.3", 12), ("12.4", 13), ("13.0", 15)]
)
def test_a_gcc_beyond_the_limit_of_its_cuda_is_too_new(cuda: str, newest: int) -> None:
    tag = f"cu{cuda.replace('.', '')}"
    host = GCC.replace("12.2.0", f"{newest + 1}.1.0")

    finding = the(
        f"python: 3.11.7\npip: [torch==2.9.0+{tag}]\n{chain(root(cuda), host=host)}build: true"
    )

    assert finding.code == "VIS308"
    assert (
        f"gcc {newest + 1}.1.0 (/usr/bin/gcc), which PATH leads to, is too new" in finding.message
    )
    assert f"gcc versions later than {newest} are not supported" in finding.shows_as
    assert f"g++-{newest}`, and `export CC=/usr/bin/gcc-{newest} CXX=" in finding.remedy


def test_a_compiler_beside_it_that_fits_is_named() -> None:
    versioned = ", ".join(
        f"{{path: /usr/bin/g++-{n}, kind: gcc, release: {n}.1.0}}" for n in (11, 13, 14)
    )
    host = GCC.replace("12.2.0", "14.1.0")
    cxx = "cxx: {path: /usr/bin/c++, kind: gcc, release: 14.1.0}"

    finding = the(
        f"python: 3.11.7\n{TORCH}{chain(root(), cxx, f'versioned: [{versioned}]', host=host)}build: true"
    )

    assert finding.remedy == "`export CC=/usr/bin/gcc-13 CXX=/usr/bin/g++-13` before you install"


def test_clang_has_a_limit_of_its_own() -> None:
    host = "host: {path: /usr/bin/clang, kind: clang, release: 18.1.8, found_by: CC}"
    versioned = "versioned: [{path: /usr/bin/clang++-17, kind: clang, release: '17'}]"

    finding = the(f"python: 3.11.7\n{TORCH}{chain(root(), versioned, host=host)}build: true")

    assert "takes clang 17 at most" in finding.message
    assert finding.shows_as == "`unsupported clang version! clang version must be less than 18`"
    assert finding.remedy.startswith("`export CC=/usr/bin/clang-17 CXX=/usr/bin/clang++-17`")


def test_torch_holds_the_compiler_of_c_to_the_same() -> None:
    cxx = "cxx: {path: /opt/g++, kind: gcc, release: 14.1.0, found_by: CXX}"

    finding = the(f"python: 3.11.7\n{TORCH}{chain(root(), cxx)}build: true")

    assert finding.message.startswith("gcc 14.1.0 (/opt/g++), which CXX leads to, is too new")


@pytest.mark.parametrize("platform", ["linux-64", "linux-aarch64"])
def test_conda_brings_a_compiler_that_fits(platform: str) -> None:
    text = f"conda: [python=3.11.7=0]\n{TORCH}{chain(root(), host=GCC.replace('12.2.0', '14.1.0'))}"

    finding = the(f"{text}build: true\n", platform=platform)

    assert finding.fix is not None
    assert finding.fix.commands[0].argv[-1] == f"gxx_{platform}=13"
    assert "which then sets CC and CXX" in finding.remedy


def test_every_consumer_that_pypi_has_in_sources_alone_is_compiled() -> None:
    sources = [name for c in KNOWN.consumers.values() if c.is_source_only for name in c.pypi]

    assert [name for name in sources if not KNOWN.compiling.project(name, name)] == []


def test_build_is_asked_on_the_command_line(tmp_path: Path) -> None:
    snapshot = tmp_path / "seen.json"
    bad = sketch(f"python: 3.11.7\n{TORCH}{NOTHING}")
    snapshot.write_bytes(pipeline.save_snapshot(bad))
    options = ["scan", "--snapshot", str(snapshot), "--select", "VIS305"]

    without, asked = (CliRunner().invoke(cli, [*options, *more]) for more in ([], ["--build"]))

    assert "VIS305" not in without.stdout
    assert "VIS305 nvcc-missing-for-build" in asked.stdout
    assert (without.exit_code, asked.exit_code) == (0, 1)


def test_a_message_of_a_build_is_held_against_the_compilers(tmp_path: Path) -> None:
    snapshot, ready = tmp_path / "seen.json", chain(root("11.8", "/usr/local/cuda-11.8"))
    snapshot.write_bytes(pipeline.save_snapshot(sketch(f"python: 3.11.7\n{TORCH}{ready}")))
    message = (
        "RuntimeError: The detected CUDA version (11.8) mismatches the version that was used to"
        " compile PyTorch (12.4). Please make sure to use the same CUDA versions."
    )

    result = CliRunner().invoke(cli, ["explain", "--snapshot", str(snapshot), message])

    assert "the nvcc of" in result.stdout
    assert "found by VIS306" in result.stdout


def test_a_snapshot_that_was_taken_without_compilers_cannot_tell() -> None:
    seen = msgspec.structs.replace(sketch(f"python: 3.11.7\n{TORCH}{NOTHING}"), toolchain=None)

    report = pipeline.judge(pipeline.aimed(seen, (), "auto", builds=True), RULES, KNOWN)

    assert {skip.reason.partition(";")[0] for skip in report.skips} == {
        "no compiler was looked at as this was taken"
    }


def test_build_looks_at_the_machine() -> None:
    result = CliRunner().invoke(cli, ["scan", "--build", "--no-host"])

    assert (result.exit_code, "--build looks at this machine" in result.stderr) == (2, True)


def test_without_the_host_nothing_of_it_is_asked(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("torch==2.5.1+cu124\nflash-attn\n", "utf-8")
    choice = pipeline.Choice(no_env=True)

    seen = pipeline.look(str(tmp_path), choice, {"PATH": ""}, host=False, root=str(tmp_path))

    assert seen.toolchain is None
    assert pipeline.judge(seen, RULES, KNOWN).findings == ()
