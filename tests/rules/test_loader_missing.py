"""ELF501: what frameworks and extensions ask the loader for in vain, and what only looks like it."""

from reconciler import catalog
from reconciler.model.finding import Severity
from reconciler.pipeline import judge
from reconciler.rules import all_rules
from reconciler.rules.elf501_soname_not_found import check
from reconciler.testing import sketch
from reconciler.world import World

SITE = "lib/python3.11/site-packages"
PREFIX = f"/prefix/{SITE}"
CAPI = f"{SITE}/onnxruntime/capi"
ONNXRUNTIME = f"""
  {CAPI}/onnxruntime_pybind11_state.so: {{of: onnxruntime-gpu}}
  {CAPI}/libonnxruntime_providers_cuda.so: {{of: onnxruntime-gpu, needed: [libcudnn.so.9]}}
"""
CUDNN = f"  {SITE}/nvidia/cudnn/lib/libcudnn.so.9: {{of: nvidia-cudnn-cu12}}\n"
CUBLAS = f"  {SITE}/nvidia/cublas/lib/libcublas.so.12: {{of: nvidia-cublas-cu12}}\n"
BUILT = f"""
evidence:
  {SITE}/onnxruntime/capi/build_and_package_info.py: |
    package_name = 'onnxruntime-gpu'
    cuda_version = '12.2'
"""
CTRANSLATE2 = f"""
  {SITE}/ctranslate2/_ext.cpython-311-x86_64-linux-gnu.so: {{of: ctranslate2}}
"""
TORCH = f"""
  {SITE}/torch/lib/libtorch_cuda.so:
    {{of: torch, needed: [libcublas.so.12], rpath: $ORIGIN/../../nvidia/cublas/lib}}
  {SITE}/torch/lib/libtorch_global_deps.so: {{of: torch, needed: [libtorch_cuda.so], rpath: $ORIGIN}}
  {SITE}/torch/_C.cpython-311-x86_64-linux-gnu.so:
    {{of: torch, needed: [libtorch_cuda.so], rpath: $ORIGIN/lib}}
"""

FOR_CUDA = f"""
evidence:
  {SITE}/torch/version.py: "cuda = '12.4'"
"""


def world(pip, loader, more=""):
    return sketch(f"python: 3.11.7\npip: {pip}\nloader:\n{loader}\n{more}")


def found(pip, loader, more=""):
    return list(check(World(world(pip, loader, more), catalog.load())))


def roots(snapshot):
    report = judge(snapshot, list(all_rules().values()), catalog.load())
    assert report.crashes == ()
    return report.findings


def test_a_provider_of_onnx_runtime_does_not_look_into_wheels():
    pip = "[onnxruntime-gpu==1.22.0, nvidia-cudnn-cu12==9.10.2.21]"
    (finding,) = found(pip, ONNXRUNTIME + CUDNN, BUILT)
    assert finding.severity is Severity.WARNING
    assert finding.message == (
        "ONNX Runtime (pip's onnxruntime-gpu 1.22.0) asks for libcudnn.so.9. It lies in"
        f" {PREFIX}/nvidia/cudnn/lib (pip's nvidia-cudnn-cu12 9.10.2.21), where nothing leads the loader:"
        " it cannot be opened, in every shell"
    )
    assert "a session on CUDA loads its provider, and stays on the CPU" in finding.shows_as
    assert finding.remedy.startswith("call `onnxruntime.preload_dlls()` right after its import")


def two_wheels():
    pip = "[onnxruntime-gpu==1.22.0, nvidia-cublas-cu12==12.4.5.8, nvidia-cudnn-cu12==9.10.2.21]"
    needed = ONNXRUNTIME.replace("[libcudnn.so.9]", "[libcublas.so.12, libcudnn.so.9]")
    return pip, needed + CUBLAS + CUDNN


def test_what_the_loader_does_not_come_to_after_the_first_is_told_as_well():
    (finding,) = found(*two_wheels(), BUILT)
    assert "asks for libcublas.so.12, libcudnn.so.9." in finding.message
    folders = f"{PREFIX}/nvidia/cublas/lib:{PREFIX}/nvidia/cudnn/lib"
    assert f"`LD_LIBRARY_PATH={folders}`" in finding.remedy
    assert found(*two_wheels(), BUILT + f"env: {{LD_LIBRARY_PATH: '{folders}'}}") == []


def test_all_that_a_library_needs_and_that_lies_nowhere_is_named_at_once():
    needed = ONNXRUNTIME.replace("[libcudnn.so.9]", "[libcublas.so.12, libc.so.6, libcudnn.so.9]")
    (finding,) = found("[onnxruntime-gpu==1.22.0]", needed, BUILT)
    assert "asks for libcublas.so.12, libcudnn.so.9, which no package here has" in finding.message


def test_of_many_wheels_a_few_are_named():
    names = ("cublas", "cufft", "curand", "cusparse")
    sonames = ("libcublas.so.12", "libcufft.so.11", "libcurand.so.10", "libcusparse.so.12")
    wheels = ", ".join(f"nvidia-{name}-cu12==12.1" for name in names)
    needed = ONNXRUNTIME.replace("[libcudnn.so.9]", f"[{', '.join(sonames)}]")
    for name, soname in zip(names, sonames, strict=True):
        needed += f"  {SITE}/nvidia/{name}/lib/{soname}: {{of: nvidia-{name}-cu12}}\n"
    (finding,) = found(f"[onnxruntime-gpu==1.22.0, {wheels}]", needed, BUILT)
    assert f"They lie in 4 folders, such as {PREFIX}/nvidia/cublas/lib (pip's" in finding.message
    assert "pip's nvidia-curand-cu12 12.1 and 1 more)" in finding.message


def test_what_is_missing_everywhere_is_told_beside_what_lies_in_a_wheel():
    needed = ONNXRUNTIME.replace("[libcudnn.so.9]", "[libcublas.so.12, libcurand.so.10]")
    pip = "[onnxruntime-gpu==1.22.0, nvidia-cublas-cu12==12.4.5.8]"
    wheel, nowhere = found(pip, needed + CUBLAS, BUILT)
    assert "asks for libcublas.so.12. It lies in" in wheel.message
    assert "asks for libcurand.so.10, which no package here has" in nowhere.message


def test_a_release_without_preload_dlls_is_not_told_to_call_it():
    pip = "[onnxruntime-gpu==1.20.1, nvidia-cudnn-cu12==9.10.2.21]"
    (finding,) = found(pip, ONNXRUNTIME + CUDNN, BUILT)
    assert finding.remedy == (
        f"set `LD_LIBRARY_PATH={PREFIX}/nvidia/cudnn/lib` before Python starts, since it is not read"
        " later (`envfix hooks install` has the activation set it; IDE kernels and cron skip that, and"
        " conda advises against the variable)"
    )


def test_what_the_remedy_says_helps():
    pip = "[onnxruntime-gpu==1.22.0, nvidia-cudnn-cu12==9.10.2.21]"
    path = f"env: {{LD_LIBRARY_PATH: {PREFIX}/nvidia/cudnn/lib}}"
    assert found(pip, ONNXRUNTIME + CUDNN, BUILT + path) == []


def test_a_build_for_the_gpu_that_finds_no_cuda_is_told_of():
    (finding,) = found("[onnxruntime-gpu==1.22.0]", ONNXRUNTIME, BUILT)
    assert finding.severity is Severity.WARNING
    assert "asks for libcudnn.so.9, which no package here has" in finding.message
    assert finding.remedy.startswith("`pip install nvidia-cudnn-cu12`, which has libcudnn.so.9")
    assert "call `onnxruntime.preload_dlls()`" in finding.remedy


def test_a_build_that_serves_the_cpu_as_well_may_be_without_cuda():
    assert found("[ctranslate2==4.5.0]", CTRANSLATE2) == []


def test_ctranslate2_beside_a_wheel_that_it_does_not_find_is_told_of():
    pip = "[ctranslate2==4.5.0, nvidia-cublas-cu12==12.4.5.8]"
    (finding,) = found(pip, CTRANSLATE2 + CUBLAS)
    assert "CTranslate2 (pip's ctranslate2 4.5.0) asks for libcublas.so.12" in finding.message
    assert finding.shows_as.startswith(
        "`libcublas.so.12: cannot open shared object file: No such file or directory`"
    )


def test_what_another_framework_loads_is_there_after_its_import():
    pip = "[ctranslate2==4.5.0, torch==2.5.1, nvidia-cublas-cu12==12.4.5.8]"
    (finding,) = found(pip, CTRANSLATE2 + CUBLAS + TORCH, FOR_CUDA)
    assert finding.severity is Severity.WARNING
    assert "`import torch` before it" in finding.remedy


def test_what_would_be_fatal_is_a_warning_where_a_framework_that_is_there_loads_it():
    cupy = f"  {SITE}/cupy/_core/core.so: {{of: cupy-cuda12x}}\n"
    nvrtc = f"  {SITE}/nvidia/cublas/lib/libnvrtc.so.12: {{of: nvidia-cuda-nvrtc-cu12}}\n"
    pip = "[cupy-cuda12x==13.6.0, torch==2.5.1, nvidia-cuda-nvrtc-cu12==12.4.127]"
    torch = TORCH.replace("libcublas.so.12", "libnvrtc.so.12")
    (finding,) = found(pip, cupy + nvrtc + torch, FOR_CUDA)
    assert finding.severity is Severity.WARNING
    (alone,) = found(pip, cupy + nvrtc)
    assert alone.severity is Severity.ERROR


def test_a_framework_that_finds_its_wheels_is_left_alone():
    pip = "[torch==2.5.1, nvidia-cublas-cu12==12.4.5.8]"
    assert found(pip, TORCH + CUBLAS, FOR_CUDA) == []
    assert found(pip, TORCH, FOR_CUDA) != []


def test_a_framework_whose_wheel_is_not_installed_does_not_start():
    pip = "[torch==2.5.1: {requires: [nvidia-cublas-cu12==12.4.5.8]}]"
    (finding,) = found(pip, TORCH, FOR_CUDA)
    assert finding.severity is Severity.ERROR
    assert finding.remedy.startswith("`pip install nvidia-cublas-cu12==12.4.5.8`")
    assert "LD_LIBRARY_PATH" not in finding.remedy


def test_another_release_that_is_there_is_named():
    pip = "[onnxruntime-gpu==1.22.0, nvidia-cudnn-cu11==8.9.6.50]"
    old = f"  {SITE}/nvidia/cudnn/lib/libcudnn.so.8: {{of: nvidia-cudnn-cu11}}\n"
    (finding,) = found(pip, ONNXRUNTIME + old, BUILT)
    assert (
        "no package here has; pip's nvidia-cudnn-cu11 8.9.6.50 has libcudnn.so.8, another release"
        in finding.message
    )
    assert finding.remedy.startswith("`pip install 'nvidia-cudnn-cu12>=9,<10'`")


def test_the_driver_s_libraries_are_not_missed_here():
    loader = f"  {SITE}/cupy/_core/core.cpython-311-x86_64-linux-gnu.so: {{of: cupy-cuda12x}}\n"
    loader += "  /usr/local/cuda/lib64/libnvrtc.so.12: {cached: true}\n"
    assert found("[cupy-cuda12x==13.6.0]", loader) == []


def test_a_library_that_nobody_knows_is_left_alone():
    loader = f"  {SITE}/ucx/libuct_cuda.so: {{of: ucx, needed: [libcudart.so.12]}}\n"
    assert found("[ucx==1.0]", loader) == []


TORCHAUDIO = f"""
  {SITE}/torchaudio/lib/pybind11_prefixctc.so: {{of: torchaudio, needed: [libcublas.so.12]}}
"""


def test_what_the_framework_of_an_extension_has_loaded_is_there():
    pip = "[torch==2.5.1, torchaudio==2.5.1, nvidia-cublas-cu12==12.4.5.8]"
    assert found(pip, TORCH + CUBLAS + TORCHAUDIO, FOR_CUDA) == []


def test_a_library_that_is_no_extension_opens_its_cuda_by_itself():
    loader = (
        f"  {SITE}/nvidia/dali/libdali.so: {{of: nvidia-dali-cuda120, needed: [libcufft.so.11]}}\n"
    )
    assert found("[nvidia-dali-cuda120==1.50.0]", loader) == []


def test_what_a_second_way_opens_is_not_missing():
    loader = f"""
  {SITE}/torch/lib/libtorch_global_deps.so: {{of: torch, needed: [libcublas.so.12]}}
  {SITE}/torch/_C.cpython-311-x86_64-linux-gnu.so: {{of: torch, needed: [libcublas.so.12]}}
"""
    pip = "[torch==2.5.1, nvidia-cublas-cu12==12.4.5.8]"
    more = "".join(
        f"  {SITE}/nvidia/{folder}: {{of: nvidia-cublas-cu12}}\n"
        for folder in (
            "cublas/lib/libcublasLt.so.12",
            "cudnn/lib/libcudnn.so.9",
            "cuda_nvrtc/lib/libnvrtc.so.12",
            "cuda_nvrtc/lib/libnvrtc-builtins.so.12.4",
            "cuda_runtime/lib/libcudart.so.12",
            "cuda_cupti/lib/libcupti.so.12",
            "cufft/lib/libcufft.so.11",
            "curand/lib/libcurand.so.10",
            "nvjitlink/lib/libnvJitLink.so.12",
            "cusparse/lib/libcusparse.so.12",
            "cusparselt/lib/libcusparseLt.so.0",
            "cusolver/lib/libcusolver.so.11",
            "nccl/lib/libnccl.so.2",
            "nvtx/lib/libnvToolsExt.so.1",
        )
    )
    assert found(pip, loader + CUBLAS + more, FOR_CUDA) == []


def test_a_file_of_the_system_is_not_said_to_be_nowhere():
    needed = ONNXRUNTIME.replace("[libcudnn.so.9]", "[libcublas.so.12, libcudnn.so.9]")
    system = "  /usr/local/cuda/lib64/libcudnn.so.9: {cached: true}\n"
    (finding,) = found("[onnxruntime-gpu==1.22.0]", needed + system, BUILT)
    assert "asks for libcublas.so.12, which no package here has" in finding.message


def test_an_extension_may_open_the_wheels_of_nvidia_by_itself():
    pip = "[torchaudio==2.5.1, nvidia-cublas-cu12==12.4.5.8]"
    assert found(pip, CUBLAS + TORCHAUDIO) == []
    assert found("[torchaudio==2.5.1]", TORCHAUDIO) != []


def test_what_a_framework_lacks_is_not_told_again_of_what_starts_it():
    bitsandbytes = f"  {SITE}/bitsandbytes/libbitsandbytes_cuda124.so: {{of: bitsandbytes}}\n"
    pip = "[torch==2.5.1, bitsandbytes==0.45.0]"
    (finding,) = found(pip, TORCH + bitsandbytes, FOR_CUDA)
    assert finding.message.startswith("PyTorch (pip's torch 2.5.1) asks for libcublas.so.12")


JAX = f"""
  {SITE}/jaxlib/_jax.so: {{of: jaxlib}}
  {SITE}/jax_cuda12_plugin/_versions.so: {{of: jax-cuda12-plugin}}
  {SITE}/jax_plugins/xla_cuda12/xla_cuda_plugin.so: {{of: jax-cuda12-pjrt}}
  /usr/lib64/libcudart.so.12: {{cached: true}}
  /usr/lib64/libcublas.so.12: {{cached: true}}
  /usr/lib64/libcusolver.so.11: {{cached: true}}
  /usr/lib64/libcusparse.so.12: {{cached: true}}
  /usr/lib64/libcufft.so.11: {{cached: true}}
  /usr/lib64/libcupti.so.12: {{cached: true}}
  /usr/lib64/libnvJitLink.so.12: {{cached: true}}
"""


def test_a_framework_that_opens_wheels_by_itself_needs_no_variable():
    pip = "[jax==0.6.2, jaxlib==0.6.2, jax-cuda12-plugin==0.6.2, jax-cuda12-pjrt==0.6.2]"
    (finding,) = found(pip, JAX)
    assert finding.severity is Severity.WARNING
    assert "JAX" in finding.message
    assert finding.remedy == "`pip install nvidia-cudnn-cu12`, which has libcudnn.so.9"


def test_tensorflow_for_the_cpu_is_left_alone():
    loader = f"""
  {SITE}/tensorflow/python/_pywrap_tensorflow_internal.so:
    {{of: tensorflow, needed: [libtensorflow_cc.so.2], rpath: $ORIGIN/..}}
  {SITE}/tensorflow/libtensorflow_cc.so.2: {{of: tensorflow}}
"""
    built = f"""
evidence:
  {SITE}/tensorflow/python/platform/build_info.py: |
    build_info = collections.OrderedDict([('cuda_version', '12.5.1'), ('is_cuda_build', True)])
"""
    assert found("[tensorflow==2.18.0]", loader, built) == []


def test_a_healthy_environment_of_conda_is_left_alone():
    snapshot = sketch("""
python: 3.11.7
conda: [cupy=13.6.0=py311h0, cuda-nvrtc=12.4.127=h0, libcublas=12.4.5.8=h0]
loader:
  bin/python3.11: {rpath: $ORIGIN/../lib}
  lib/python3.11/site-packages/cupy/_core/core.so: {of: cupy}
  lib/python3.11/site-packages/cupy/cuda/jitify.so: {of: cupy, needed: [libnvrtc.so.12]}
  lib/libnvrtc.so.12: {of: cuda-nvrtc}
  lib/libcublas.so.12: {of: libcublas}
""")
    assert list(check(World(snapshot, catalog.load()))) == []


def test_an_extension_without_its_library_is_told_of():
    loader = (
        f"  {SITE}/torch_sparse/_spmm_cuda.so: {{of: torch-sparse, needed: [libcusparse.so.11]}}\n"
    )
    (finding,) = found("[torch-sparse==0.6.15]", loader)
    assert "_spmm_cuda.so (pip's torch-sparse 0.6.15) asks for libcusparse.so.11" in finding.message
    assert finding.severity is Severity.ERROR


def test_a_file_that_is_gone_is_the_root():
    lost = "nvidia-cublas-cu12==12.4.5.8: {record: 'nvidia/cublas/lib/libcublas.so.12,sha256=eA,1'}"
    payload = f"payload: [{{path: {SITE}/nvidia/cublas/lib/libcublas.so.12}}]"
    snapshot = world(f"[torch==2.5.1, {lost}]", TORCH, FOR_CUDA + payload)
    (finding,) = roots(snapshot)
    assert (finding.code, [s.code for s in finding.symptoms]) == ("ELF506", ["ELF501"])


def test_what_conda_has_for_conda_is_installed_again():
    snapshot = sketch("""
conda: [cupy=13.6.0=py311h0, cuda-nvrtc=12.4.127=h0, cuda-version=12.4=h0]
loader:
  lib/python3.11/site-packages/cupy/_core/core.so: {of: cupy}
  lib/libnvrtc.so.12: {of: cuda-nvrtc}
""")
    (finding,) = check(World(snapshot, catalog.load()))
    assert "`conda install --force-reinstall cupy`" in finding.remedy
