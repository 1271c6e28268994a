"""What is asked of the loader in vain: in which shells, whose copies lie where, and how bad it is."""

import pytest

from reconciler import catalog
from reconciler.model.finding import Severity
from reconciler.model.missing import severity_of
from reconciler.testing import sketch
from reconciler.world import World

SITE = "lib/python3.11/site-packages"
CUPY = f"""
pip: [cupy-cuda12x==13.6.0, nvidia-cuda-nvrtc-cu12==12.4.127, nvidia-cuda-nvrtc-cu11==11.8.89]
loader:
  {SITE}/cupy/_core/core.so: {{of: cupy-cuda12x}}
  {SITE}/nvidia/cuda_nvrtc/lib/libnvrtc.so.12: {{of: nvidia-cuda-nvrtc-cu12}}
  {SITE}/nvidia/cuda_nvrtc/lib/libnvrtc.so.11.2: {{of: nvidia-cuda-nvrtc-cu11}}
"""
HERE = f"env: {{LD_LIBRARY_PATH: /prefix/{SITE}/nvidia/cuda_nvrtc/lib, VIRTUAL_ENV: /prefix}}"
HOOK = f"""
conda: []
state:
  scripts:
    - path: etc/conda/activate.d/cuda.sh
      text: export LD_LIBRARY_PATH=$CONDA_PREFIX/{SITE}/nvidia/cuda_nvrtc/lib
"""


def missing(text):
    loading = World(sketch(text), catalog.load()).loading
    assert loading is not None
    return loading.missing


def test_a_name_without_a_file_has_its_copies_and_its_namesakes():
    (one,) = missing(CUPY)
    assert (one.soname, one.title, one.is_needed, one.is_meant) == (
        "libnvrtc.so.12",
        "CuPy",
        True,
        True,
    )
    assert [copy.owner.package for copy in one.copies] == ["nvidia-cuda-nvrtc-cu12"]
    assert [copy.owner.package for copy in one.namesakes] == ["nvidia-cuda-nvrtc-cu11"]


def test_what_a_variable_of_this_shell_leads_to_is_not_missing():
    assert missing(CUPY + HERE) == ()


@pytest.mark.parametrize(
    ("is_inside", "severity"), [(True, Severity.ERROR), (False, Severity.INFO)]
)
def test_what_a_hook_leads_to_is_missing_without_it(is_inside, severity):
    found = missing(CUPY + HOOK)
    assert [one.shells for one in found] == [("in this shell", "not activated")]
    assert severity_of(found, is_inside=is_inside) is severity


def test_a_shell_that_lacks_what_it_would_have_is_broken_wherever_it_is():
    path = "env: {CONDA_PREFIX: /prefix}"
    (one,) = missing(CUPY + HOOK + path)
    assert severity_of([one], is_inside=False) is Severity.ERROR
    assert one.when == "in every shell"
