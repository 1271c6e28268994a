"""DUP107: two copies of LLVM's OpenMP runtime in one process, and what gets along."""

import pytest

from reconciler import catalog
from reconciler.model.finding import Severity
from reconciler.pipeline import judge
from reconciler.rules import all_rules
from reconciler.testing import sketch

KNOWN = catalog.load()
SITE = "lib/python3.11/site-packages"
TAG = "cpython-311-x86_64-linux-gnu.so"
PADDLE, BUNDLED = f"{SITE}/paddle/base/libpaddle.{TAG}", f"{SITE}/paddle/libs"
MKL = "lib/libmkl_rt.so.2: {of: mkl}\n  lib/libiomp5.so: {of: intel-openmp}"


def told(text):
    report = judge(sketch(text), [all_rules()["DUP107"]], KNOWN)
    assert report.crashes == ()
    return report.findings


def world(  # noqa: PLR0913 - the parts of a sketch, by name
    *, runtime="libiomp5.so", mkl=MKL, blas="libmkl_rt.so.2", env="", more="", links=""
):
    """Sketch conda's NumPy with MKL beside a wheel that brings a runtime of its own."""
    return f"""
python: 3.11.7
env: {{{env}}}
variable_paths: []
links: {{{links}}}
conda: [python=3.11.7=h1, numpy=1.26.4=0, mkl=2024.2.2=0, intel-openmp=2024.2.1=0]
pip: [paddlepaddle==2.6.2, ctranslate2==4.5.0]
loader:
  bin/python3.11: {{rpath: $ORIGIN/../lib}}
  {mkl}
  {SITE}/numpy/core/_umath.{TAG}: {{of: numpy, needed: [{blas}]}}
  {PADDLE}: {{of: paddlepaddle, needed: [{runtime}], rpath: $ORIGIN/../libs}}
  {BUNDLED}/{runtime}: {{of: paddlepaddle}}
  {SITE}/paddle/base/other.{TAG}: {{of: paddlepaddle, needed: [libpaddle.{TAG}], rpath: $ORIGIN}}
  {more}
"""


def test_mkl_of_conda_and_a_wheel_with_its_own_copy_end_the_process():
    (finding,) = told(world())

    assert finding.severity is Severity.WARNING
    assert finding.message == (
        "a process that imports pip's paddlepaddle 2.6.2, then conda's numpy 1.26.4, gets two copies"
        f" of one OpenMP runtime, in every shell: /prefix/{BUNDLED}/libiomp5.so of pip's paddlepaddle"
        " 2.6.2 and /prefix/lib/libiomp5.so of conda's intel-openmp 2024.2.1"
    )
    assert finding.shows_as.startswith(
        "`OMP: Error #15: Initializing libiomp5.so, but found libiomp5.so already initialized.`"
    )
    assert finding.remedy.startswith("take paddlepaddle and numpy from one manager")


def test_a_copy_is_known_by_its_name_with_a_hash_and_by_llvms_name():
    for runtime in ("libiomp5-0dbef4e6.so", "libomp-24e2ab19.so.5"):
        (finding,) = told(world(runtime=runtime))
        assert f"{BUNDLED}/{runtime}" in finding.message


@pytest.mark.parametrize("runtime", ["libgomp-24e2ab19.so.1", "libgomp.so.1"])
def test_gccs_runtime_gets_along(runtime):
    assert told(world(runtime=runtime)) == ()


def test_a_library_of_another_name_that_links_lead_to_is_followed():
    (finding,) = told(world(blas="libcblas.so.3", links="lib/libcblas.so.3: libmkl_rt.so.2"))

    assert "conda's numpy 1.26.4" in finding.message


def test_one_file_under_two_names_is_one_runtime():
    mkl = "lib/libmkl_rt.so.2: {of: mkl}\n  lib/libomp.so: {of: intel-openmp}"
    both = world(mkl=mkl, links="lib/libiomp5.so: libomp.so")
    both = both.replace(f"  {BUNDLED}/libiomp5.so: {{of: paddlepaddle}}\n", "")

    assert told(both) == ()


def test_two_copies_of_conda_are_left_to_its_solver():
    both = world(runtime="libomp.so").replace("of: paddlepaddle", "of: mkl")

    assert told(both) == ()


def test_a_copy_that_nothing_starts_is_left_alone():
    assert told(world(blas="libopenblas.so.0")) == ()


def test_mkl_that_is_told_to_use_another_runtime_starts_none():
    assert told(world(env="MKL_THREADING_LAYER: GNU")) == ()
    assert len(told(world(env="MKL_THREADING_LAYER: intel"))) == 1


def test_mkl_takes_a_libgomp_that_is_there_before_it():
    gomp = "lib/libgomp.so.1: {of: intel-openmp}"
    both = world(more=gomp).replace("needed: [libiomp5.so]", "needed: [libiomp5.so, libgomp.so.1]")

    assert told(both) == ()


def test_mkl_without_a_runtime_beside_it_starts_none_of_its_own():
    apart = MKL.replace("lib/libiomp5.so", f"{SITE}/other/libiomp5.so")

    assert told(world(mkl=apart)) == ()


def test_two_wheels_with_copies_are_kept_apart():
    more = f"""{SITE}/ctranslate2/_ext.{TAG}:
    {{of: ctranslate2, needed: [libiomp5-aaaaaaaa.so], rpath: $ORIGIN}}
  {SITE}/ctranslate2/libiomp5-aaaaaaaa.so: {{of: ctranslate2}}"""
    (finding,) = told(world(blas="libopenblas.so.0", more=more))

    assert finding.remedy.startswith("use them in processes of their own")


def test_what_an_activation_cures_is_information():
    script = """
state:
  scripts:
    - {path: etc/conda/activate.d/mkl.sh, text: export MKL_THREADING_LAYER=GNU}
"""
    (finding,) = told(world() + script)

    assert finding.severity is Severity.INFO
    assert "in this shell and not activated" in finding.message
