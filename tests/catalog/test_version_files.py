from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import pytest

from reconciler import catalog
from reconciler.model.cuda import CudaVersion

if TYPE_CHECKING:
    from reconciler.model.consumer import VersionFile

CATALOG = catalog.load()
FILES = {c.name: c.version_file for c in CATALOG.consumers.values() if c.version_file}


class Text(NamedTuple):
    consumer: str
    wheel: str
    text: str
    #: A release, ``cpu``, ``rocm``, or "" where the file tells nothing.
    says: str


TORCH_1_4 = """\
__version__ = '1.4.0'
debug = False
cuda = '10.1'
git_version = '7f73f1d591afba823daa4a99a939217fb54d7688'
hip = None
"""
TORCH_1_13 = """\
__version__ = '1.13.1+cu117'
debug = False
cuda = '11.7'
git_version = '49444c3e546bf240bed24a101e747422d1f8a0ee'
hip = None
"""
TORCH_1_13_WINDOWS = TORCH_1_13.replace("+cu117", "+cpu").replace("'11.7'", "None")
TORCH_2_1_AARCH64 = """\
__version__ = '2.1.2'
debug = False
cuda = None
git_version = 'a8e7c98cb95ff97bb30a728c6b2a1ce6bff946eb'
hip = None
"""
TORCH_2_8_AARCH64 = """\
from typing import Optional

__all__ = ['__version__', 'debug', 'cuda', 'git_version', 'hip', 'xpu']
__version__ = '2.8.0+cpu'
debug = False
cuda: Optional[str] = None
git_version = 'a1cb3cc05d46d198467bebbb6e8fba50a325d4e7'
hip: Optional[str] = None
xpu: Optional[str] = None
"""
TORCH_2_15 = """\
from typing import Optional

__all__ = ['__version__', 'debug', 'cuda', 'git_version', 'hip', 'rocm', 'xpu']
__version__ = '2.15.0+cu132'
debug = False
cuda: Optional[str] = '13.2'
git_version = 'd0f2af8b66b20da4baa50644c0cd3f887a2eae2e'
hip: Optional[str] = None
rocm: Optional[str] = None
xpu: Optional[str] = None
"""
TORCH_2_15_WINDOWS = TORCH_2_15.replace("+cu132", "+cpu").replace("'13.2'", "None")
# After tools/generate_torch_version.py of PyTorch: no wheel for these was read.
TORCH_ROCM = TORCH_2_8_AARCH64.replace(
    "hip: Optional[str] = None", "hip: Optional[str] = '6.4.43482'"
)
TORCH_XPU = TORCH_2_8_AARCH64.replace(
    "xpu: Optional[str] = None", "xpu: Optional[str] = '20250101'"
)

TENSORFLOW_2_1 = """\
is_rocm_build = False
is_cuda_build = True

cuda_version_number = '10.1'
cudnn_version_number = '7'
"""
TENSORFLOW_2_3 = """\
build_info = {'cuda_version': '10.1', 'cudnn_version': '7', 'cuda_compute_capabilities': \
['sm_35', 'sm_37', 'sm_52', 'sm_60', 'sm_61', 'compute_70'], 'cpu_compiler': '/usr/bin/gcc-5', \
'is_rocm_build': False, 'is_cuda_build': True}
"""
TENSORFLOW_2_21 = """\
build_info = collections.OrderedDict([('cpu_compiler', 'clang'), ('cuda_compute_capabilities', \
['sm_60', 'sm_70', 'sm_80', 'sm_89', 'compute_90']), ('cuda_version', '12.5.1'), \
('cudnn_version', '9'), ('is_cuda_build', True), ('is_rocm_build', False), \
('is_tensorrt_build', False)])
"""
TENSORFLOW_CPU = """\
build_info = collections.OrderedDict([('is_cuda_build', False), ('is_rocm_build', False), \
('is_tensorrt_build', False)])
"""
TENSORFLOW_ROCM = TENSORFLOW_CPU.replace("('is_rocm_build', False)", "('is_rocm_build', True)")
TENSORFLOW_WINDOWS = """\
build_info = collections.OrderedDict([('cuda_version', '64_112'), ('cudart_dll_name', \
'cudart64_112.dll'), ('is_cuda_build', True), ('is_rocm_build', False)])
"""

TORCHVISION = """\
__version__ = '0.29.2+cu132'
git_version = 'f12281517f1b2f6255904639b027c9436f3e5008'
from torchvision.extension import _check_cuda_version
if _check_cuda_version() > 0:
    cuda = _check_cuda_version()
"""
TORCHAUDIO_0_9 = """\
__version__ = '0.9.0'
git_version = '33b2469744955e2129c6367457dffe9bb4b05dea'
"""
TORCHAUDIO_2_11_WINDOWS = """\
__version__ = '2.11.0+cpu'
git_version = '34c52a67e8941bbd8e6adaca0eb0b9eabec11d78'
"""
ORT_GPU = """\
package_name = 'onnxruntime-gpu'
__version__ = '1.31.1'
cuda_version = '13.0'
"""
ORT_CPU = """\
package_name = 'onnxruntime'
__version__ = '1.31.1'

"""
ORT_ROCM = """\
package_name = 'onnxruntime-rocm'
__version__ = '1.22.2'
"""
XFORMERS = '{"version": {"cuda": 1208, "hip": null, "torch": "2.10.0+cu128", "python": "3.10.19"}}'
XFORMERS_0_0_16 = '{"version": {"cuda": 1107, "torch": "1.13.1+cu117", "python": "3.10.9"}}'
PADDLE_GPU = """\
full_version    = '2.2.2'
cuda_version    = '10.2'
cudnn_version   = '7.6.5'

def show():
    print('cuda:', cuda_version)
"""
PADDLE_CPU = """\
full_version     = '2.6.2'
cuda_version     = 'False'
cudnn_version    = 'False'

def show():
    \"\"\"
            cuda: '10.2'
    \"\"\"
"""

TEXTS = [
    Text("torch", "1.4.0", TORCH_1_4, "10.1"),
    Text("torch", "1.13.1", TORCH_1_13, "11.7"),
    Text("torch", "1.13.1 win", TORCH_1_13_WINDOWS, "cpu"),
    Text("torch", "2.1.2 aarch64", TORCH_2_1_AARCH64, "cpu"),
    Text("torch", "2.8.0 aarch64", TORCH_2_8_AARCH64, "cpu"),
    Text("torch", "2.15.0", TORCH_2_15, "13.2"),
    Text("torch", "2.15.0 win", TORCH_2_15_WINDOWS, "cpu"),
    Text("torch", "rocm", TORCH_ROCM, "rocm"),
    Text("torch", "xpu", TORCH_XPU, ""),
    Text("tensorflow", "2.1.0", TENSORFLOW_2_1, "10.1"),
    Text("tensorflow", "2.3.0", TENSORFLOW_2_3, "10.1"),
    Text("tensorflow", "2.21.0", TENSORFLOW_2_21, "12.5"),
    Text("tensorflow", "cpu 2.18.0", TENSORFLOW_CPU, "cpu"),
    Text("tensorflow", "rocm 2.12.0", TENSORFLOW_ROCM, "rocm"),
    Text("tensorflow", "2.5 win", TENSORFLOW_WINDOWS, ""),
    Text("torchvision", "0.29.2", TORCHVISION, "13.2"),
    Text("torchvision", "0.29.2 win", TORCHVISION.replace("+cu132", "+cpu"), "cpu"),
    Text("torchvision", "rocm", TORCHVISION.replace("+cu132", "+rocm6.4"), "rocm"),
    Text("torchaudio", "0.9.0", TORCHAUDIO_0_9, ""),
    Text("torchaudio", "2.11.0 win", TORCHAUDIO_2_11_WINDOWS, "cpu"),
    Text("onnxruntime", "gpu 1.31.1", ORT_GPU, "13.0"),
    Text("onnxruntime", "1.31.1", ORT_CPU, "cpu"),
    Text("onnxruntime", "conda's CUDA build", ORT_CPU + "cuda_version = '12.9'\n", "12.9"),
    Text("onnxruntime", "rocm 1.22.2", ORT_ROCM, "rocm"),
    Text("xformers", "0.0.35", XFORMERS, "12.8"),
    Text("xformers", "0.0.16", XFORMERS_0_0_16, "11.7"),
    Text("paddle", "gpu 2.2.2", PADDLE_GPU, "10.2"),
    Text("paddle", "2.6.2", PADDLE_CPU, "cpu"),
]


def readings(file: VersionFile, text: str) -> dict[str, str]:
    found = {
        kind: re.search(regex, text, re.MULTILINE)
        for kind, regex in (("cuda", file.cuda), ("cpu", file.cpu), ("rocm", file.rocm))
        if regex
    }
    return {kind: match[0] for kind, match in found.items() if match}


def said(file: VersionFile, text: str) -> str:
    kinds = readings(file, text)
    if "cuda" not in kinds:
        return next(iter(kinds), "")
    tag = re.search(file.cuda, text, re.MULTILINE)["cuda"]
    return str(CudaVersion.parse(tag) or CudaVersion.from_tag(tag))


@pytest.mark.parametrize("case", TEXTS, ids=lambda case: f"{case.consumer} {case.wheel}")
def test_a_version_file_says_what_its_wheel_was_built_for(case: Text) -> None:
    assert said(FILES[case.consumer], case.text) == case.says


@pytest.mark.parametrize("case", TEXTS, ids=lambda case: f"{case.consumer} {case.wheel}")
def test_no_two_expressions_match_one_text(case: Text) -> None:
    assert len(readings(FILES[case.consumer], case.text)) == bool(case.says)


@pytest.mark.parametrize("case", TEXTS, ids=lambda case: f"{case.consumer} {case.wheel}")
def test_what_an_expression_matches_is_one_short_line(case: Text) -> None:
    for match in readings(FILES[case.consumer], case.text).values():
        assert "\n" not in match
        assert len(match) < 80


def test_every_version_file_has_a_text_here() -> None:
    assert {case.consumer for case in TEXTS} == {*FILES}


@pytest.mark.parametrize("name", FILES)
def test_the_group_cuda_is_in_every_expression_for_cuda(name: str) -> None:
    assert "cuda" in re.compile(FILES[name].cuda).groupindex
