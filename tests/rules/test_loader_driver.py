"""ELF505: what answers for libcuda in the place of the driver's own library."""

import pytest

from reconciler import catalog
from reconciler.model.finding import Severity
from reconciler.pipeline import judge
from reconciler.rules import rule
from reconciler.testing import sketch

KNOWN = catalog.load()
SITE = "lib/python3.11/site-packages"
TOOLKIT = "/usr/local/cuda-12.4"
STUBS = f"LD_LIBRARY_PATH: {TOOLKIT}/lib64/stubs"
STUB = f"{TOOLKIT}/lib64/stubs/libcuda.so.1: {{}}"
DRIVER = "/usr/lib/x86_64-linux-gnu/libcuda.so.1: {cached: true}"
WSL = "/usr/lib/wsl/lib/libcuda.so.1: {}"
WSL_FIRST = "/usr/lib/wsl/lib/libcuda.so.1: {cached: true}"
LINES = "\n  "
INSIDE = """
variable_paths: [{variable: CONDA_PREFIX, path: /prefix, environment: /prefix}]
"""
COMPAT = "LD_LIBRARY_PATH: /usr/local/cuda-12.4/compat"


def world(*files, env="", driver='driver: "580.65.06"', more="", needed="libcudart.so.12"):
    """Sketch torch's wheel with its own CUDA runtime; what else lies where is told in files."""
    return f"""
python: 3.11.7
env: {{{env}}}
{driver}
toolkits: [{{path: {TOOLKIT}, version: "12.4", found_by: [PATH]}}]
pip:
  - torch==2.5.1
  - nvidia-cuda-runtime-cu12==12.4.127
  - other==1.0
loader:
  {SITE}/torch/_C.so: {{of: torch, needed: [libc10_cuda.so], rpath: $ORIGIN/lib}}
  {SITE}/torch/lib/libc10_cuda.so:
    {{of: torch, needed: [{needed}], rpath: $ORIGIN/../../nvidia/cuda_runtime/lib}}
  {SITE}/nvidia/cuda_runtime/lib/libcudart.so.12: {{of: nvidia-cuda-runtime-cu12}}
  {LINES.join(files)}
{more}
"""


def found(text):
    report = judge(sketch(text), [rule("ELF505")], KNOWN)
    assert (report.crashes, report.skips) == ((), ())
    return report.findings


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(world(STUB, DRIVER), id="nothing leads to the stub"),
        pytest.param(
            world(STUB, DRIVER, env=f"LD_LIBRARY_PATH: '/usr/lib/x86_64-linux-gnu:{TOOLKIT}/lib64/stubs'"),
            id="the driver's own comes first",
        ),
        pytest.param(world(STUB, env=STUBS, driver=""), id="an image is built without a driver"),
        pytest.param(world(DRIVER), id="the driver of a PC"),
        pytest.param(world(WSL_FIRST), id="the driver of WSL"),
        pytest.param(
            world(
                "/usr/lib/wsl/drivers/nv_dispi/libcuda.so.1.1: {soname: libcuda.so.1}",
                "/usr/lib/x86_64-linux-gnu/none.so: {}",
                more="links: {/usr/lib/x86_64-linux-gnu/libcuda.so.1: "
                "/usr/lib/wsl/drivers/nv_dispi/libcuda.so.1.1}",
            ),
            id="a container of WSL, which is given a link to Windows' own",
        ),
        pytest.param(
            world(DRIVER, "/usr/local/cuda-12.4/compat/libcuda.so.590.10.01: {soname: libcuda.so.1}",
                  more="links: {/usr/local/cuda-12.4/compat/libcuda.so.1: libcuda.so.590.10.01}",
                  env=COMPAT),
            id="cuda-compat that is newer than the driver, as it is meant",
        ),
        pytest.param(
            world(DRIVER, "/usr/local/cuda-12.4/compat/libcuda.so.1.1: {soname: libcuda.so.1}",
                  more="links: {/usr/local/cuda-12.4/compat/libcuda.so.1: libcuda.so.1.1}",
                  env=COMPAT),
            id="cuda-compat of Tegra, whose name says no release",
        ),
        pytest.param(
            world(DRIVER, "/usr/local/cuda-12.4/compat/libcuda.so.1: {}", env=COMPAT, driver=""),
            id="the release of the driver is not known",
        ),
    ],
)  # fmt: skip
def test_what_leads_to_the_driver_is_left_alone(text):
    assert found(text) == ()


def test_a_machine_without_a_loader_that_is_modelled_is_left_alone():
    report = judge(sketch("platform: osx-arm64\npip: [torch==2.5.1]"), [rule("ELF505")], KNOWN)

    assert report.findings == ()


def test_a_stub_on_ld_library_path_is_named_with_the_element_that_leads_to_it():
    (finding,) = found(world(STUB, DRIVER, env=STUBS))

    assert finding.severity is Severity.ERROR
    assert f"PyTorch gets {TOOLKIT}/lib64/stubs/libcuda.so.1" in finding.message
    assert f"take `{TOOLKIT}/lib64/stubs` out of LD_LIBRARY_PATH" in finding.remedy
    assert "the driver's own library is /usr/lib/x86_64-linux-gnu/libcuda.so.1" in finding.evidence


def test_a_stub_is_told_where_the_driver_is_known_and_its_library_is_not():
    (finding,) = found(world(STUB, env=STUBS))

    assert not any("own library" in evidence for evidence in finding.evidence)


def test_a_stub_of_conda_beside_the_runtime_is_told():
    link = f"links: {{{SITE}/nvidia/cuda_runtime/lib/libcuda.so.1: /prefix/lib/stubs/libcuda.so}}"
    stub = "lib/stubs/libcuda.so: {soname: libcuda.so.1}"
    asks = world(DRIVER, stub, more=link, needed="libcudart.so.12, libcuda.so.1")
    (finding,) = found(asks)

    assert "/prefix/lib/python3.11/site-packages" in finding.message
    assert "build what has that RPATH again without it" in finding.remedy


def test_a_package_cannot_bring_the_library_of_the_driver():
    own = f"{SITE}/nvidia/cuda_runtime/lib/libcuda.so.1: {{of: other}}"
    (finding,) = found(world(DRIVER, own, needed="libcudart.so.12, libcuda.so.1"))

    assert "pip's other 1.0" in finding.message


def test_a_stub_in_the_cache_is_taken_out_with_ldconfig():
    stub = f"{TOOLKIT}/lib64/stubs/libcuda.so.1: {{cached: true}}"
    (finding,) = found(world(stub))

    assert "`sudo ldconfig`" in finding.remedy


def test_a_stub_in_a_directory_of_the_system_is_removed():
    link = f"links: {{/usr/lib/libcuda.so.1: {TOOLKIT}/lib64/stubs/libcuda.so.1}}"
    (finding,) = found(world(STUB, more=link))

    assert finding.remedy.startswith("remove /usr/lib/libcuda.so.1")


def test_the_library_of_a_driver_for_linux_is_told_in_wsl():
    (finding,) = found(world(WSL, DRIVER))

    assert "in WSL the driver is Windows' own" in finding.message
    assert "the driver's own library is /usr/lib/wsl/lib/libcuda.so.1" in finding.evidence
    assert "apt-get purge" in finding.remedy


def test_cuda_compat_that_is_older_than_the_driver_is_told():
    (finding,) = found(
        world(
            DRIVER,
            "/usr/local/cuda-12.4/compat/libcuda.so.550.54.15: {soname: libcuda.so.1}",
            more="links: {/usr/local/cuda-12.4/compat/libcuda.so.1: libcuda.so.550.54.15}",
            env=COMPAT,
        )
    )

    assert "error 803" in finding.shows_as
    assert "the driver is newer" in finding.remedy


def test_a_library_that_needs_the_driver_by_itself_is_asked_too():
    own = f"{SITE}/other/_x.so: {{of: other, needed: [libcuda.so.1], rpath: {TOOLKIT}/lib64/stubs}}"
    (finding,) = found(world(STUB, DRIVER, own))

    assert "_x.so gets" in finding.message


def test_what_only_a_shell_that_is_not_activated_leads_to_is_information():
    hook = """
state:
  scripts:
    - path: etc/conda/activate.d/cuda.sh
      text: export LD_LIBRARY_PATH=/usr/lib/x86_64-linux-gnu
conda: [python=3.11.7=h0_0]
"""
    stub = f"{TOOLKIT}/lib64/stubs/libcuda.so.1: {{cached: true}}"
    driver = "/usr/lib/x86_64-linux-gnu/libcuda.so.1: {}"
    (finding,) = found(world(stub, driver, more=hook))

    assert finding.severity is Severity.INFO
    assert "cron" in finding.shows_as


def test_what_the_shell_inside_the_environment_leads_to_is_an_error_though_activation_would_mend_it():
    hook = """
state:
  scripts:
    - path: etc/conda/activate.d/cuda.sh
      text: export LD_LIBRARY_PATH=/usr/lib/x86_64-linux-gnu
conda: [python=3.11.7=h0_0]
"""
    stub = f"{TOOLKIT}/lib64/stubs/libcuda.so.1: {{cached: true}}"
    driver = "/usr/lib/x86_64-linux-gnu/libcuda.so.1: {}"
    (finding,) = found(world(stub, driver, more=hook + INSIDE))

    assert finding.severity is Severity.ERROR
