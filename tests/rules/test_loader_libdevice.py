"""VIS309: libdevice, which compilers for the GPU read, is not where they look."""

import msgspec
import pytest

from reconciler import catalog
from reconciler.model.finding import Severity
from reconciler.pipeline import judge
from reconciler.rules import rule
from reconciler.testing import sketch

KNOWN = catalog.load()
SITE = "lib/python3.11/site-packages"
OF_JAX = (
    *("libcudart.so.12", "libcublas.so.12", "libcublasLt.so.12", "libcusolver.so.11"),
    *("libcusparse.so.12", "libcufft.so.11", "libcudnn.so.9"),
)
LOST = "libcudnn.so.9"
LINES = "\n  "


def world(*files, env="", libraries=OF_JAX, more=""):
    """Sketch JAX with the CUDA of the system; what else lies where is told in files."""
    cached = (f"/usr/lib64/{name}: {{cached: true}}" for name in libraries)
    return f"""
python: 3.11.7
env: {{{env}}}
pip: [jax==0.4.30, jax-cuda12-pjrt==0.4.30, jaxlib==0.4.30]
{more}
loader:
  {SITE}/jaxlib/xla_extension.so: {{of: jaxlib}}
  {SITE}/jax_plugins/xla_cuda12/xla_cuda_plugin.so: {{of: jax-cuda12-pjrt}}
  {LINES.join((*cached, *files))}
"""


def found(text):
    report = judge(sketch(text), [rule("VIS309")], KNOWN)
    assert (report.crashes, report.skips) == ((), ())
    return report.findings


@pytest.mark.parametrize(
    "place",
    [
        f"{SITE}/nvidia/cuda_nvcc",
        f"{SITE}/nvidia/cu13",
        f"{SITE}/jax_plugins/xla_cuda12/cuda",
        "/usr/local/cuda",
        "/opt/cuda",
        "/prefix",
    ],
)
def test_where_xla_looks_libdevice_is_found(place):
    assert found(world(f"{place}/nvvm/libdevice/libdevice.10.bc: {{}}")) == ()


def test_what_xla_flags_names_is_looked_into():
    assert found(
        world(
            "/data/cuda/nvvm/libdevice/libdevice.10.bc: {}",
            env="XLA_FLAGS: --xla_gpu_autotune_level=0 --xla_gpu_cuda_data_dir=/data/cuda",
        )
    ) == ()  # fmt: skip


def test_a_file_of_flags_may_name_any_folder():
    assert found(world(env="XLA_FLAGS: /home/me/flags.txt")) == ()


def test_nothing_is_compiled_for_the_gpu_where_a_library_of_cuda_is_missing():
    assert found(world(libraries=[name for name in OF_JAX if name != LOST])) == ()


def test_a_jax_for_the_cpu_looks_for_nothing():
    assert found(f"pip: [jaxlib==0.4.30]\nloader: {{{SITE}/jaxlib/x.so: {{of: jaxlib}}}}") == ()


def test_a_snapshot_that_has_not_looked_everywhere_tells_nothing():
    seen = sketch(world())
    view = msgspec.structs.replace(seen.loader, whole=())

    report = judge(msgspec.structs.replace(seen, loader=view), [rule("VIS309")], KNOWN)

    assert (report.findings, report.crashes) == ((), ())


def test_a_machine_without_a_loader_that_is_modelled_is_left_alone():
    report = judge(sketch("platform: osx-arm64\npip: [jaxlib==0.4.30]"), [rule("VIS309")], KNOWN)

    assert report.findings == ()


def test_jax_without_libdevice_is_told_the_wheel_of_its_cuda():
    (finding,) = found(world())

    assert finding.severity is Severity.WARNING
    assert finding.message.startswith("JAX finds CUDA's libraries and no libdevice in every shell")
    assert finding.remedy.startswith("`pip install 'nvidia-cuda-nvcc-cu12'`")


def test_libdevice_that_lies_elsewhere_is_led_to():
    (finding,) = found(
        world("/data/cuda/nvvm/libdevice/libdevice.10.bc: {}", env="CUDA_HOME: /data/cuda")
    )

    assert "`export XLA_FLAGS=--xla_gpu_cuda_data_dir=/data/cuda`" in finding.remedy


def test_conda_s_packages_are_mended_with_nvcc():
    (finding,) = found(
        """
python: 3.11.7
conda: [jaxlib=0.4.30=cuda120py311h4008524_0]
pip: []
loader:
"""
        f"  {SITE}/jaxlib/xla_extension.so: {{of: jaxlib}}\n"
        f"  {SITE}/jax_plugins/xla_cuda12/xla_cuda_plugin.so: {{of: jaxlib}}\n  "
        + LINES.join(f"/usr/lib64/{name}: {{cached: true}}" for name in OF_JAX)
    )

    assert "nvcc" in finding.remedy
    assert "pip" not in finding.remedy


def test_the_copy_among_the_libraries_of_cudatoolkit_is_to_be_copied():
    (finding,) = found(world("lib/libdevice.10.bc: {}"))

    assert "cp /prefix/lib/libdevice.10.bc /prefix/nvvm/libdevice/`" in finding.remedy


def test_what_activation_leads_to_is_information():
    script = """
state:
  scripts:
    - path: etc/conda/activate.d/xla.sh
      text: export XLA_FLAGS=--xla_gpu_cuda_data_dir=/prefix/cuda
conda: [python=3.11.7=h0_0]
"""
    (finding,) = found(world("cuda/nvvm/libdevice/libdevice.10.bc: {}", more=script))

    assert finding.severity is Severity.INFO
    assert "cron" in finding.shows_as
