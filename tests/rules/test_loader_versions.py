"""ELF502: files that are older than what their users were built against."""

import pytest

from reconciler import catalog
from reconciler.model.finding import Severity
from reconciler.pipeline import judge
from reconciler.rules import all_rules
from reconciler.testing import sketch

KNOWN = catalog.load()
SITE = "lib/python3.11/site-packages"
LIB = "/usr/lib/x86_64-linux-gnu"
ELF502, ELF503, PTH404, CUD203, DUP101 = "ELF502", "ELF503", "PTH404", "CUD203", "DUP101"
TORCH = "torch==2.5.1: {requires: [nvidia-cudnn-cu12==9.1.0.70]}"
WHEEL = "nvidia-cudnn-cu12==9.1.0.70"
EXTRA = "mine==1: {requires: ['nvidia-cudnn-cu12==9.1.0.70; extra == \"x\"']}"


def roots(text, *codes):
    report = judge(sketch(text), [all_rules()[code] for code in codes or (ELF502,)], KNOWN)
    assert (report.crashes, report.skips) == ((), ())
    return report.findings


def only(text, *codes):
    (finding,) = roots(text, *codes)
    return finding


def world(*packages, conda=(), files=(), env="", more=""):
    """Sketch a torch that takes cuDNN from wherever the loader comes to it."""
    wheels = "".join(f"\n  - {one}" for one in packages or (TORCH, WHEEL))
    records = "".join(f"\n  - {one}" for one in conda)
    lines = "".join(f"\n  {one}" for one in files)
    return f"""
python: 3.11.7
env: {{{env}}}
pip:{wheels}
{"conda:" + records if conda else ""}
loader:
  {SITE}/torch/lib/libtorch_cuda.so: {{of: torch, needed: [libcudnn.so.9]}}{lines}
{more}
"""


def system(version, folder=LIB):
    """Sketch a cuDNN of the system, with the link by which it is found."""
    return (
        f"{folder}/libcudnn.so.{version}: {{soname: libcudnn.so.9}}",
        f"links: {{{folder}/libcudnn.so.9: libcudnn.so.{version}}}",
    )


def of_system(version, *packages, **fields):
    file, links = system(version)
    return world(*packages, files=(file,), more=links, **fields)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(of_system("9.1.1"), id="the same minor release"),
        pytest.param(of_system("9.5.0"), id="a newer one"),
        pytest.param(world(files=(f"{LIB}/libcudnn.so.9: {{}}",)), id="of an unknown version"),
        pytest.param(of_system("9.0.0", "torch==0.1", WHEEL), id="nothing tells what is wanted"),
        pytest.param(
            of_system("9.0.0", EXTRA).replace("of: torch", "of: mine"),
            id="only an extra asks",
        ),
        pytest.param(
            world(
                TORCH,
                "nvidia-cudnn-cu12==9.0.0.312",
                files=("lib/libcudnn.so.9: {of: nvidia-cudnn-cu12}",),
                env="LD_LIBRARY_PATH: /prefix/lib",
            ),
            id="the very package that is required is installed in that version",
        ),
        pytest.param(of_system("9.0.0").replace("of: torch, ", ""), id="of no package"),
        pytest.param(
            world(
                "mine==1: {requires: [nvidia-cuda-runtime-cu12==12.4.127]}",
                files=("/usr/local/cuda-12.1/lib64/libcublas.so.12: {cached: true}",),
                more='toolkits: [{path: /usr/local/cuda-12.1, version: "12.1", found_by: [PATH]}]',
            ).replace("of: torch, needed: [libcudnn.so.9]", "of: mine, needed: [libcublas.so.12]"),
            id="another part is required",
        ),
    ],
)
def test_what_may_do_is_left_alone(text):
    assert roots(text) == ()


def test_the_system_s_older_file_is_told_beside_what_is_required():
    finding = only(of_system("9.0.0"))

    assert finding.severity is Severity.ERROR
    assert finding.message == (
        "libtorch_cuda.so of pip's torch 2.5.1 takes libcudnn.so.9 9.0.0 of the system, and was built"
        " with 9.1.0.70 (it requires nvidia-cudnn-cu12==9.1.0.70), in every shell"
    )
    assert finding.remedy.startswith("bring cuDNN 9.1.0.70 or newer in its place")
    assert finding.fix is None


def test_what_is_required_and_gone_is_installed():
    finding = only(of_system("9.0.0", TORCH))

    assert finding.remedy == "`pip install 'nvidia-cudnn-cu12==9.1.0.70'`"
    assert finding.fix.commands[0].argv[-1] == "nvidia-cudnn-cu12==9.1.0.70"


def test_what_the_catalog_knows_of_cudnn_counts_too():
    finding = only(of_system("9.0.0", "torch==2.5.1"))

    assert "was built with 9.1 (torch 2.5.1 was built with cuDNN 9.1)" in finding.message


def test_what_is_known_of_the_one_that_starts_holds_for_its_other_wheels():
    plugin = f"{SITE}/jax_plugins/xla_cuda12"
    text = of_system("9.0.0", "jax-cuda12-plugin==0.5.3", "jax-cuda12-pjrt==0.5.3", "jaxlib==0.5.3")
    text = text.replace(
        f"  {SITE}/torch/lib/libtorch_cuda.so: {{of: torch",
        f"  {SITE}/jaxlib/__init__.py: {{of: jaxlib}}\n"
        f"  {plugin}/__init__.py: {{of: jax-cuda12-pjrt}}\n"
        f"  {plugin}/xla_cuda_plugin.so: {{of: jax-cuda12-pjrt",
    )

    finding = only(text)

    assert (
        "xla_cuda_plugin.so of pip's jax-cuda12-pjrt 0.5.3 takes libcudnn.so.9" in finding.message
    )
    assert "jax-cuda12-plugin 0.5.3 was built with cuDNN 9.1" in finding.message


def test_conda_s_older_copy_is_named_and_whoever_brings_it_twice_is_the_root():
    text = world(
        TORCH,
        WHEEL,
        conda=("cudnn=9.0.0.312=0",),
        files=("lib/libcudnn.so.9: {of: cudnn}", "bin/python3.11: {rpath: $ORIGIN/../lib}"),
    )

    finding, root = only(text), only(text, ELF502, DUP101)

    assert finding.remedy.startswith("remove conda's cudnn 9.0.0.312 if nothing else needs it")
    assert (root.code, [one.code for one in root.symptoms]) == (DUP101, [ELF502])


def test_a_depends_of_conda_is_a_bound_as_well():
    text = world(
        conda=("thing=1=0: {depends: ['cudnn >=9.1.0.70,<10.0a0']}",),
        files=("lib/thing.so: {of: thing, needed: [libcudnn.so.9]}", system("9.0.0")[0]),
        more=system("9.0.0")[1],
    ).replace("libtorch_cuda.so: {of: torch, needed: [libcudnn.so.9]}", "x.so: {of: torch}")

    assert "it depends on cudnn >=9.1.0.70,<10.0a0" in only(text).message


def test_a_package_of_conda_may_be_known_by_the_catalog_alone():
    text = world(
        conda=("thing=1=0",),
        files=("lib/thing.so: {of: thing, needed: [libcudnn.so.9]}", system("9.0.0")[0]),
        more=system("9.0.0")[1],
    ).replace("libtorch_cuda.so: {of: torch, needed: [libcudnn.so.9]}", "x.so: {of: torch}")

    assert roots(text) == ()


def test_a_part_that_has_to_be_as_new_as_its_user_is_held_against_it():
    site = f"{SITE}/nvidia/cusparse/lib/libcusparse.so.12"
    text = world(
        "nvidia-cusparse-cu12==12.3.1.170",
        "torch==2.5.1",
        files=(
            f"{site}: {{of: nvidia-cusparse-cu12, needed: [libnvJitLink.so.12]}}",
            "/usr/local/cuda-12.1/lib64/libnvJitLink.so.12: {cached: true}",
        ),
        more='toolkits: [{path: /usr/local/cuda-12.1, version: "12.1", found_by: [PATH]}]',
    ).replace("[libcudnn.so.9]", "[libcusparse.so.12], rpath: $ORIGIN/../../nvidia/cusparse/lib")

    finding = only(text)

    assert "was built with one of CUDA 12.4 (it is itself of CUDA 12.4)" in finding.message


def test_a_whole_toolkit_that_is_required_tells_the_release_of_its_parts():
    text = world(
        conda=("cudatoolkit=11.8.0=0", "thing=1=0: {depends: ['cudatoolkit >=11.8,<12']}"),
        files=(
            "lib/thing.so: {of: thing, needed: [libcublas.so.11]}",
            "/usr/local/cuda-11.2/lib64/libcublas.so.11: {cached: true}",
        ),
        more='toolkits: [{path: /usr/local/cuda-11.2, version: "11.2", found_by: [PATH]}]',
    ).replace("libtorch_cuda.so: {of: torch, needed: [libcudnn.so.9]}", "x.so: {of: torch}")

    assert "takes libcublas.so.11 of CUDA 11.2" in only(text).message


def test_a_variable_that_leads_there_is_the_root():
    file, links = system("9.0.0", "/opt/cudnn")
    own = f"{SITE}/nvidia/cudnn/lib/libcudnn.so.9: {{of: nvidia-cudnn-cu12}}"
    text = world(files=(file, own), env="LD_LIBRARY_PATH: /opt/cudnn", more=links)
    text = text.replace(
        "[libcudnn.so.9]}", "[libcudnn.so.9], runpath: $ORIGIN/../../nvidia/cudnn/lib}"
    )

    root = only(text, ELF502, PTH404)

    assert (root.code, [one.code for one in root.symptoms]) == (PTH404, [ELF502])
    assert root.symptoms[0].remedy.startswith("take `/opt/cudnn` out of LD_LIBRARY_PATH")


def test_a_symbol_that_is_missing_says_more():
    said = f"""
misfits:
  - consumer: {SITE}/torch/lib/libtorch_cuda.so
    provider: {LIB}/libcudnn.so.9.0.0
    soname: libcudnn.so.9
    symbols: [{{symbol: f, outcome: refused, error: "x: undefined symbol: f"}}]
"""
    root = only(of_system("9.0.0") + said, ELF502, ELF503)

    assert (root.code, [one.code for one in root.symptoms]) == (ELF503, [ELF502])


def test_what_works_once_activated_is_information():
    hook = f"text: export LD_LIBRARY_PATH=/prefix/{SITE}/nvidia/cudnn/lib"
    file, links = system("9.0.0")
    text = world(
        TORCH,
        WHEEL,
        conda=("thing=1=0",),
        files=(file, f"{SITE}/nvidia/cudnn/lib/libcudnn.so.9: {{of: nvidia-cudnn-cu12}}"),
        more=f"{links}\nstate: {{scripts: [{{path: etc/conda/activate.d/x.sh, {hook}}}]}}",
    )

    finding = only(text)

    assert finding.severity is Severity.INFO
    assert finding.remedy.startswith("activate the environment before Python is started")
