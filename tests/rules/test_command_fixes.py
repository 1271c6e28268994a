"""The fixes of what is installed: commands for the managers that the environment shows."""

import shlex

import pytest

from reconciler import catalog
from reconciler.model.finding import flat
from reconciler.model.fix import Applicability
from reconciler.model.steps import line_of
from reconciler.output import script
from reconciler.pipeline import judge
from reconciler.rules import all_rules
from reconciler.testing import sketch

SITE = "lib/python3.11/site-packages"
CUDNN = "nvidia/cudnn/lib/libcudnn.so.8"
PIP = "/prefix/bin/python -m pip"
AGAIN = f"{PIP} install --force-reinstall --no-deps"
CONDA = "conda install -p /prefix --yes"
PYG = "https://data.pyg.org/whl/torch-2.4.0+cu124.html"
#: A conda environment with a pip of its own.
WITH_PIP = "conda:\n  - pip=25.3=pyh_0\n"


def findings(text):
    report = judge(sketch(text), all_rules().values(), catalog.load())
    assert report.crashes == ()
    return {finding.code: finding for finding in flat(report.findings)}


def fix(text, code):
    return findings(text)[code].fix


def run(text, code):
    """Give the lines of the fix that one rule has, as they would be typed."""
    found = fix(text, code)
    assert found.applicability is Applicability.UNSAFE, found.title
    return [line_of(command) for command in found.commands]


def choice(text, code):
    """Give the title of a fix that is left to a person."""
    found = fix(text, code)
    assert found.applicability is Applicability.DISPLAY
    return found.title


def two_cudnns(more="", requires="nvidia-cudnn-cu12==8.9.2.26", **fields):
    said = "".join(f", {name}: {value}" for name, value in fields.items())
    return f"""
{WITH_PIP}
pip:
  - torch==2.1.2+cu121: {{requires: [{requires}]}}
  - nvidia-cudnn-cu11==8.9.5.29: {{record: "{CUDNN},sha256=eQ,3"{said}}}
  - nvidia-cudnn-cu12==8.9.2.26: {{record: "{CUDNN},sha256=eA,2"{said}}}
payload: [{{path: {SITE}/{CUDNN}, size: 3}}]
{more}
"""


@pytest.mark.parametrize("code", ["DUP104", "CUD201"])
def test_the_other_wheel_goes_and_the_one_that_is_needed_is_installed_again(code):
    assert run(two_cudnns(), code) == [
        f"{PIP} uninstall --yes nvidia-cudnn-cu11",
        f"{AGAIN} nvidia-cudnn-cu12==8.9.2.26",
    ]


def test_the_same_of_uv_where_uv_has_installed_them():
    assert run(two_cudnns(installer="uv"), "DUP104") == [
        "uv pip uninstall --python /prefix/bin/python nvidia-cudnn-cu11",
        "uv pip install --python /prefix/bin/python --reinstall --no-deps nvidia-cudnn-cu12==8.9.2.26",
    ]


def test_the_same_of_uv_where_there_is_no_pip():
    text = two_cudnns().replace(WITH_PIP, "conda: []\n")

    assert run(text, "DUP104")[0].startswith("uv pip uninstall --python /prefix/bin/python ")


def test_what_requires_it_tells_more_than_its_cuda_why_a_wheel_stays():
    assert fix(two_cudnns(), "DUP104").title == (
        "keep pip's nvidia-cudnn-cu12 8.9.2.26, since torch 2.1.2+cu121 requires it"
    )


def test_each_step_has_its_reason():
    first, second = fix(two_cudnns(), "DUP104").commands

    assert first.why.startswith("pip's nvidia-cudnn-cu11 8.9.5.29 goes, since pip's nvidia-cudnn-c")
    assert "takes them along" in second.why
    assert (first.destructive, second.destructive) == (True, False)


def test_two_wheels_of_which_nothing_tells_which_is_meant_are_left_to_a_person():
    text = (
        two_cudnns()
        .replace("torch==2.1.2+cu121", "other==1")
        .replace("nvidia-cudnn-cu12==8", "x==8", 1)
    )

    assert choice(text, "DUP104").startswith("keep one: pip's nvidia-cudnn-cu11 8.9.5.29 or pip's")


def test_two_wheels_that_are_both_required_are_left_to_a_person():
    text = two_cudnns().replace("==8.9.2.26]", "==8.9.2.26, nvidia-cudnn-cu11]")

    assert choice(text, "DUP104").startswith("keep one: ")


def test_the_wheel_that_the_framework_is_for_does_not_go_over_what_requires_the_other():
    text = two_cudnns(requires="nvidia-cudnn-cu11")

    assert choice(text, "DUP104").startswith("keep one: ")


def test_the_line_that_a_file_has_tells_which_of_two_is_meant():
    text = """
python: 3.11.7
conda: [pip=25.3=pyh_0]
pip: [onnxruntime==1.20.0, onnxruntime-gpu==1.20.0]
environment.yml: |
  name: prefix
  dependencies:
    - python=3.11
    - pip:
        - onnxruntime-gpu==1.20.0
"""
    assert run(text, "DUP105") == [
        f"{PIP} uninstall --yes onnxruntime",
        f"{AGAIN} onnxruntime-gpu==1.20.0",
    ]


def test_what_was_asked_for_by_name_stays_over_what_came_along():
    text = """
conda: [pip=25.3=pyh_0]
pip:
  - opencv-python==4.10.0.84: {requested: true}
  - opencv-python-headless==4.10.0.84
"""
    assert run(text, "DUP105")[0] == f"{PIP} uninstall --yes opencv-python-headless"


def test_what_was_asked_for_by_name_does_not_stay_over_what_another_package_requires():
    text = """
conda: [pip=25.3=pyh_0]
pip:
  - opencv-python==4.10.0.84: {requested: true}
  - opencv-python-headless==4.10.0.84
  - albumentations==1.4: {requires: [opencv-python-headless]}
"""
    assert choice(text, "DUP105").startswith("keep one: ")


def test_what_alone_is_required_stays():
    text = """
conda: [pip=25.3=pyh_0]
pip:
  - opencv-python==4.10.0.84
  - opencv-python-headless==4.10.0.84
  - albumentations==1.4: {requires: [opencv-python-headless]}
"""
    assert run(text, "DUP105")[0] == f"{PIP} uninstall --yes opencv-python"


def test_the_wheel_for_the_cuda_of_the_framework_stays():
    text = """
conda: [pip=25.3=pyh_0]
pip: [torch==2.1.2+cu121, cupy-cuda11x==13.3.0, cupy-cuda12x==13.3.0]
"""
    lines = [f"{PIP} uninstall --yes cupy-cuda11x", f"{AGAIN} cupy-cuda12x==13.3.0"]

    assert run(text, "DUP105") == run(text, "CUD201") == lines


def test_all_of_conda_s_packages_of_an_import_stay_together():
    text = """
conda:
  - pip=25.3=pyh_0
  - cupy=13.3.0=py311_0: {depends: [cupy-core 13.3.0 py311_1], requested_specs: [cupy]}
  - cupy-core=13.3.0=py311_1: {channel: conda-forge}
pip: [cupy-cuda12x==13.3.0]
"""
    assert run(text, "DUP105") == [
        f"{PIP} uninstall --yes cupy-cuda12x",
        "conda install -p /prefix --yes --force-reinstall cupy=13.3.0=py311_0",
        f"{CONDA} --channel conda-forge --force-reinstall cupy-core=13.3.0=py311_1",
    ]


def test_conda_s_cuda_of_another_major_goes_where_nothing_of_conda_needs_it():
    text = """
conda:
  - cudatoolkit=11.8.0=h_0
  - cudnn=8.8.0.121=h_0: {depends: [cudatoolkit 11.*]}
pip: [torch==2.1.2+cu121, nvidia-cuda-runtime-cu12==12.1.105]
"""
    assert run(text, "CUD201") == [
        "conda remove -p /prefix --yes --force cudatoolkit",
        "conda remove -p /prefix --yes --force cudnn",
    ]


def test_conda_s_cuda_that_another_package_of_conda_needs_is_left_to_a_person():
    text = """
conda:
  - cudatoolkit=11.8.0=h_0
  - mine=1=0: {depends: [cudatoolkit 11.*]}
pip: [torch==2.1.2+cu121, nvidia-cuda-runtime-cu12==12.1.105]
"""
    assert choice(text, "CUD201").endswith("left to you, since conda's mine 1 depends on it")


def test_an_extension_that_has_no_wheel_for_the_other_major_here_is_left_to_a_person():
    text = "conda: []\npip: [torch==2.1.2+cu121, cupy-cuda11x==13.3.0]\n"

    assert choice(text, "CUD201").endswith(
        "since cupy-cuda11x 13.3.0 has to give way to a build for CUDA 12"
    )


def test_majors_without_a_framework_are_left_to_a_person():
    text = "conda: [cudatoolkit=11.8.0=h_0]\npip: [nvidia-cuda-runtime-cu12==12.1.105]\n"

    assert choice(text, "CUD201").startswith("no framework tells which CUDA is meant")


OVER = """
python: 3.11.7
conda:
  - pip=25.3=pyh_0
  - numpy=1.26.4=py311_0: {{files: [{site}/numpy-1.26.4.dist-info/METADATA], channel: conda-forge}}
{more}
pip:
  - numpy==1.26.4: {{installer: conda}}
  - numpy==2.1.0
{wheels}
"""


def over(more="", wheels="", *, is_replaced=False, file=""):
    text = OVER.format(site=SITE, more=more, wheels=wheels) + file
    return text.replace("  - numpy==1.26.4: {installer: conda}\n", "") if is_replaced else text


CONDA_STAYS = [
    "conda remove -p /prefix --yes --force numpy",
    f"{PIP} uninstall --yes numpy",
    "conda install -p /prefix --yes --channel conda-forge --force-reinstall numpy=1.26.4=py311_0",
]
PIP_STAYS = [*CONDA_STAYS[:2], f"{AGAIN} numpy==2.1.0"]


def test_conda_s_stays_where_all_accept_its_version():
    assert run(over(wheels="  - pandas==2.2: {requires: ['numpy>=1.22']}"), "DUP103") == CONDA_STAYS


def test_conda_s_stays_where_a_package_of_conda_depends_on_it():
    more = "  - scipy=1.14=0: {depends: ['numpy >=1.23']}"

    assert run(over(more, is_replaced=True), "DUP103") == CONDA_STAYS


def test_pip_s_stays_where_something_does_not_accept_conda_s():
    assert run(over(wheels="  - new==1: {requires: ['numpy>=2']}"), "DUP103") == PIP_STAYS


def test_pip_s_stays_where_it_has_replaced_what_nothing_of_conda_needs():
    assert run(over(is_replaced=True), "DUP103") == PIP_STAYS


def test_pip_s_stays_where_the_file_asks_pip_for_it():
    file = """
environment.yml: |
  name: prefix
  dependencies:
    - python=3.11
    - pip:
        - numpy>=2
"""
    assert run(over(file=file), "DUP103") == PIP_STAYS


def test_a_version_that_is_needed_on_either_side_is_left_to_a_person():
    text = over("  - scipy=1.14=0: {depends: ['numpy <2']}", "  - new==1: {requires: ['numpy>=2']}")

    assert choice(text, "DUP103").startswith("keep one: ")


def test_a_record_of_conda_that_its_own_packages_do_not_accept_is_left_to_a_person():
    text = over("  - scipy=1.14=0: {depends: ['numpy >=1.27']}")

    assert choice(text, "DUP103").startswith("keep one: ")


def test_a_spec_that_is_none_refuses_nothing():
    text = over("  - scipy=1.14=0: {depends: ['numpy >=!!']}")

    assert run(text, "DUP103") == CONDA_STAYS


def test_two_dist_infos_of_pip_are_uninstalled_one_after_the_other():
    text = "conda: [pip=25.3=p_0]\npip: [six==1.16.0, six==1.17.0, {new==1: {requires: ['six>=1.17']}}]\n"
    first, second = fix(text, "DUP103").commands

    assert (first.times, line_of(first)) == (2, f"{PIP} uninstall --yes six")
    assert line_of(second) == f"{AGAIN} six==1.17.0"


def test_uv_removes_both_at_once():
    text = "conda: []\npip: [six==1.16.0, six==1.17.0, {new==1: {requires: ['six>=1.17']}}]\n"

    assert fix(text, "DUP103").commands[0].times == 1


def test_two_dist_infos_that_all_accept_are_left_to_a_person():
    assert choice("conda: []\npip: [six==1.16.0, six==1.17.0]\n", "DUP103").startswith("keep one")


def test_pip_does_not_remove_itself():
    text = over().replace("numpy", "pip").replace("  - pip=25.3=pyh_0\n", "", 1)

    assert choice(text, "DUP103").endswith(
        "pip is among what goes, and is needed for the next step"
    )


LOST = """
python: 3.11.7
conda:
  - numpy=1.26.4=py311_0: {files: [lib/python3.11/site-packages/numpy-1.26.4.dist-info/METADATA]}
pip: [requests==2.32.3]
"""


def test_a_record_that_lost_its_files_is_brought_back_where_it_was_asked_for():
    text = LOST.replace("METADATA]", "METADATA], requested_specs: [numpy]")

    assert run(text, "DUP106") == [
        "conda install -p /prefix --yes --force-reinstall numpy=1.26.4=py311_0"
    ]


def test_a_record_that_lost_its_files_is_brought_back_where_another_depends_on_it():
    text = LOST.replace("pip: ", "  - scipy=1=0: {depends: [numpy]}\npip: ")

    assert (
        "conda's numpy 1.26.4 are gone, and scipy 1 depends" in fix(text, "DUP106").commands[0].why
    )


def test_a_record_that_lost_its_files_and_that_nobody_needs_is_left_to_a_person():
    assert choice(LOST, "DUP106") == "bring numpy back, or clear conda's record of it"


NVSHMEM = "nvidia/nvshmem/lib/libnvshmem_host.so.3"


def nvshmem(size, fields="", version="3.4.5"):
    seen = f", size: {size}" if size else ""
    record = f'record: "{NVSHMEM},sha256=eA,7"{fields}'
    return f"""
conda: [pip=25.3=pyh_0]
pip: [nvidia-nvshmem-cu13=={version}: {{{record}}}]
payload: [{{path: {SITE}/{NVSHMEM}{seen}}}]
"""


@pytest.mark.parametrize(("size", "code"), [(0, "ELF506"), (3, "ELF507")])
def test_what_lost_its_files_is_installed_again(size, code):
    assert run(nvshmem(size), code) == [f"{AGAIN} nvidia-nvshmem-cu13==3.4.5"]


def test_what_two_own_is_installed_again_by_the_fix_of_the_dispute_alone():
    found = findings(two_cudnns())

    assert found["ELF507"].fix is None


@pytest.mark.parametrize(
    ("fields", "source"),
    [
        ("direct_url: 'file:///w/x.whl'", "'nvidia-nvshmem-cu13 @ file:///w/x.whl'"),
        ("editable: true, direct_url: 'file:///src/x'", "--editable /src/x"),
        (
            "direct_url: 'https://h/x.git', pinned_url: 'git+https://h/x.git@1a2b'",
            "'nvidia-nvshmem-cu13 @ git+https://h/x.git@1a2b'",
        ),
    ],
)
def test_what_came_from_a_url_is_installed_again_from_there(fields, source):
    assert run(nvshmem(0, f", {fields}"), "ELF506") == [f"{AGAIN} {source}"]


def test_a_url_with_a_secret_is_left_to_a_person():
    title = choice(nvshmem(0, ", direct_url: 'https://**:***@h/x.whl'"), "ELF506")

    assert title.endswith("since a URL in it has credentials, which envfix does not keep")


def test_a_build_of_the_pytorch_index_is_installed_again_from_there():
    text = nvshmem(0, version="3.4.5+cu118").replace("nvidia-nvshmem-cu13==", "torch==")

    assert run(text, "ELF506") == [
        f"{AGAIN} --index-url https://download.pytorch.org/whl/cu118 torch==3.4.5+cu118"
    ]


def test_a_build_of_a_page_of_links_is_installed_again_from_there():
    text = nvshmem(0, version="2.1.2+pt24cu124").replace("nvidia-nvshmem-cu13==", "torch-scatter==")

    assert run(text, "ELF506") == [f"{AGAIN} --find-links {PYG} torch-scatter==2.1.2+pt24cu124"]


def test_a_build_of_which_no_index_is_known_is_left_to_a_person():
    title = choice(nvshmem(0, version="3.4.5+mine"), "ELF506")

    assert title.endswith("it is not known which index has nvidia-nvshmem-cu13==3.4.5+mine")


def test_such_a_build_is_looked_for_where_pip_is_told_to_look():
    text = nvshmem(0, version="3.4.5+mine") + (
        "pip_options: [{source: pip.conf, name: extra-index-url, value: 'https://h/simple'}]\n"
    )

    assert run(text, "ELF506") == [f"{AGAIN} nvidia-nvshmem-cu13==3.4.5+mine"]


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ("{frozen: true}", "conda-meta/frozen says that this environment is not to be changed"),
        ("{externally_managed: lib/python3.11/EXTERNALLY-MANAGED}", "(PEP 668)"),
        ("{writable: false}", "the environment cannot be written to by who runs envfix"),
    ],
)
def test_an_environment_that_is_not_to_be_changed_is_left_to_a_person(state, why):
    text = nvshmem(0) + f"state: {state}\n"

    assert choice(text, "ELF506").endswith(why)
    assert fix(text, "ELF506").commands


def test_the_mark_of_pep_668_binds_pip_alone():
    text = LOST.replace("METADATA]", "METADATA], requested_specs: [numpy]")

    assert run(text + "state: {externally_managed: lib/EXTERNALLY-MANAGED}\n", "DUP106")


PIXI = "state: {pixi: {manifest: /w/pixi.toml, environment: gpu}}\n"
PIXI_AGAIN = "pixi reinstall --manifest-path /w/pixi.toml --environment gpu"


def test_pixi_installs_its_own_packages_again():
    text = LOST.replace("METADATA]", "METADATA], requested_specs: [numpy]")

    assert run(text + PIXI, "DUP106") == [f"{PIXI_AGAIN} numpy"]
    assert run(nvshmem(0, ", installer: uv-pixi") + PIXI, "ELF506") == [
        f"{PIXI_AGAIN} nvidia-nvshmem-cu13"
    ]


def test_pixi_s_packages_do_not_go_without_its_file():
    text = two_cudnns(PIXI, installer="uv-pixi")
    title = choice(text, "DUP104")

    assert title.endswith("keeps this environment to its lock, and the step changes /w/pixi.toml")
    assert line_of(fix(text, "DUP104").commands[0]) == (
        "pixi remove --pypi --manifest-path /w/pixi.toml nvidia-cudnn-cu11"
    )


def test_pixi_s_packages_of_conda_do_not_go_without_its_file_either():
    text = "conda: [cudatoolkit=11.8.0=h_0]\npip: [torch==2.1.2+cu121]\n" + PIXI
    (command,) = fix(text, "CUD201").commands

    assert choice(text, "CUD201").endswith("the step changes /w/pixi.toml")
    assert line_of(command) == "pixi remove --manifest-path /w/pixi.toml cudatoolkit"


def test_what_pip_has_put_into_pixi_s_environment_is_pip_s_to_remove():
    assert run(two_cudnns(PIXI), "DUP104")[0] == f"{PIP} uninstall --yes nvidia-cudnn-cu11"


def paths(**variables):
    said = ", ".join(f"{{variable: {name}, path: {path}}}" for name, path in variables.items())
    return f"variable_paths: [{said}]\n"


MICROMAMBA = "/home/me/.local/bin/micromamba"


@pytest.mark.parametrize(
    ("variables", "manager"),
    [
        ({}, "conda"),
        ({"CONDA_EXE": "/opt/conda/bin/conda"}, "conda"),
        ({"MAMBA_EXE": MICROMAMBA}, "micromamba"),
        ({"MAMBA_EXE": "/opt/bin/mamba"}, "mamba"),
        ({"CONDA_EXE": "/opt/conda/bin/conda", "MAMBA_EXE": MICROMAMBA}, "conda"),
        (
            {"CONDA_EXE": "/c", "MAMBA_EXE": MICROMAMBA, "MAMBA_ROOT_PREFIX": "/prefix"},
            "micromamba",
        ),
    ],
)
def test_conda_s_packages_are_left_to_the_manager_that_the_shell_shows(variables, manager):
    text = LOST.replace("METADATA]", "METADATA], requested_specs: [numpy]") + paths(**variables)

    assert run(text, "DUP106")[0].startswith(f"{manager} install -p /prefix --yes ")


@pytest.mark.parametrize(
    ("channel", "option"),
    [
        (
            "https://conda.anaconda.org/conda-forge/linux-64",
            "https://conda.anaconda.org/conda-forge",
        ),
        ("conda-forge", "conda-forge"),
        ("", None),
        ("pypi", None),
    ],
)
def test_conda_is_led_to_the_channel_that_it_came_from(channel, option):
    text = LOST.replace("METADATA]", f"METADATA], channel: '{channel}', requested_specs: [numpy]")
    words = shlex.split(run(text, "DUP106")[0])

    assert (words[words.index("--channel") + 1] if "--channel" in words else None) == option


@pytest.mark.parametrize(
    ("head", "python"),
    [
        ("platform: win-64\nconda: [pip=25.3=p_0]", "/prefix/python.exe"),
        ("platform: win-64", "/prefix/Scripts/python.exe"),
        ("", "/prefix/bin/python"),
    ],
)
def test_pip_is_run_by_the_interpreter_of_the_environment(head, python):
    text = f"""
python: {{version: 3.11.7, site_packages: [{SITE}]}}
{head}
pip:
  - pip==25.3
  - six==1.16.0
  - six==1.17.0
  - new==1: {{requires: ['six>=1.17']}}
"""
    assert run(text, "DUP103")[0].startswith(f"{python} -m pip ")


JITLINK = """
conda: [pip=25.3=pyh_0]
pip:
  - nvidia-cusparse-cu12==12.3.1.170
  - nvidia-nvjitlink-cu12==12.1.105
"""


def test_the_older_part_is_brought_to_the_release_that_is_needed():
    assert run(JITLINK, "CUD202") == [f"{PIP} install 'nvidia-nvjitlink-cu12>=12.4,<13'"]


def test_what_another_wheel_pins_is_taken():
    text = JITLINK + "  - torch==2.5.1+cu124: {requires: [nvidia-nvjitlink-cu12==12.4.127]}\n"

    assert run(text, "CUD202") == [f"{PIP} install nvidia-nvjitlink-cu12==12.4.127"]


def test_a_part_that_another_wheel_pins_as_it_is_is_left_to_a_person():
    text = JITLINK + "  - mine==1: {requires: [nvidia-nvjitlink-cu12==12.1.105]}\n"

    assert choice(text, "CUD202").endswith(
        "leave out what requires nvidia-nvjitlink-cu12==12.1.105"
    )


def test_halves_of_one_library_are_left_to_a_person():
    text = "conda: [cudatoolkit=11.3.1=h_0, libcublas=11.11.3.6=0]\npip: []\n"

    assert choice(text, "CUD202").startswith("keep one: ")


OVERLAID = """
conda:
  - cudatoolkit=11.3.1=h_0: {files: [lib/libcudart.so.11.0, lib/libcublas.so.11]}
  - cuda-cudart=11.7.99=0: {files: [lib/libcudart.so.11.0]}
  - libcublas=11.10.3.66=0: {files: [lib/libcublas.so.11]}
  - pytorch-cuda=11.7=0
pip: []
"""


def test_what_conda_brings_in_parts_stays_over_what_it_brings_whole():
    lines = run(OVERLAID, "CUD202")

    assert lines[0] == "conda remove -p /prefix --yes --force cudatoolkit"
    assert "--force-reinstall cuda-cudart=11.7.99=0" in lines[1]
    assert "--force-reinstall libcublas=11.10.3.66=0" in lines[2]


def test_the_cudnn_that_is_required_is_installed():
    text = """
conda: [pip=25.3=pyh_0]
pip:
  - torch==2.4.0: {requires: [nvidia-cudnn-cu12==9.1.0.70]}
  - nvidia-cudnn-cu12==8.9.2.26
"""
    assert run(text, "CUD203") == [f"{PIP} install nvidia-cudnn-cu12==9.1.0.70"]


def test_a_cudnn_that_another_needs_as_it_is_is_left_to_a_person():
    text = """
conda: []
pip:
  - torch==2.4.0: {requires: [nvidia-cudnn-cu12==9.1.0.70]}
  - tensorflow==2.15.0: {requires: [nvidia-cudnn-cu12==8.9.4.25]}
  - nvidia-cudnn-cu12==8.9.4.25
"""
    assert choice(text, "CUD203").startswith("take one: nvidia-cudnn-cu12>=9.1,<10, or what")


def test_conda_solves_for_a_newer_cudnn():
    text = """
conda:
  - jaxlib=0.7.2=cuda129_py311h731d619_200: {depends: ["cudnn >=9.13.1.26,<10.0a0"]}
  - cudnn=9.10.1.4=h_0: {channel: conda-forge}
pip: []
"""
    assert run(text, "CUD203") == [
        "conda install -p /prefix --yes --channel conda-forge 'cudnn>=9.13,<10'"
    ]


HALF = """
conda: [pip=25.3=pyh_0]
pip:
  - tensorflow==2.14.1: {requires: [REQUIRES]}
  - nvidia-cudnn-cu11==8.7.0.84
"""


def test_the_extra_that_requires_what_is_missing_is_installed():
    known = catalog.load()
    parts = known.consumers["tensorflow"].opens
    wheels = [name for part in parts if (name := known.wheel_of(part, 11))]
    lines = ", ".join(f"\"{name}==1.0; extra == 'and-cuda'\"" for name in wheels)

    assert run(HALF.replace("REQUIRES", lines), "CUD204") == [
        f"{PIP} install 'tensorflow[and-cuda]==2.14.1'"
    ]


def test_missing_parts_of_which_no_extra_tells_the_release_are_left_to_a_person():
    assert choice(HALF.replace("REQUIRES", "numpy"), "CUD204").startswith("install CUDA runtime")


def test_the_extension_of_the_released_pair_is_installed_from_the_framework_s_index():
    text = "conda: [pip=25.3=p_0]\npip: [torch==2.4.0+cu121, torchvision==0.20.1+cu124]\n"

    assert run(text, "CUD205") == [
        f"{AGAIN} --index-url https://download.pytorch.org/whl/cu121 torchvision==0.19.0+cu121"
    ]


def test_an_extension_of_which_no_fitting_release_is_known_is_left_to_a_person():
    text = "conda: []\npip: [torch==2.4.0+cu121, torch-scatter==2.1.2+pt25cu124]\n"

    assert choice(text, "CUD205").startswith("keep torch 2.4.0+cu121, or what torch-scatter")


def test_a_build_for_the_cpu_is_exchanged_where_the_index_has_that_release_for_cuda():
    text = """
conda: [pip=25.3=pyh_0]
pip: [torch==2.5.1+cpu, torchvision==0.20.1+cu124]
"""
    assert run(text, "CUD206") == [
        f"{PIP} uninstall --yes torch",
        f"{PIP} install --index-url https://download.pytorch.org/whl/cu124 torch==2.5.1+cu124",
    ]


def test_conda_s_build_for_the_cpu_is_left_to_a_person():
    text = "conda: [pytorch=2.5.1=cpu_generic_py311h35f3f2b_0, cudatoolkit=11.8.0=h_0]\npip: []\n"

    assert choice(text, "CUD206") == "take pytorch in a build for CUDA, or mean the CPU"
    assert fix(text, "CUD206").replaces == ("conda:pytorch",)


def test_conda_solves_for_builds_that_belong_together():
    text = """
conda:
  - libtorch=2.4.0=cpu_1
  - pytorch=2.4.0=cuda_0: {depends: [libtorch 2.4.0 cuda_0], channel: conda-forge}
pip: []
"""
    assert run(text, "CUD208") == [
        "conda install -p /prefix --yes --channel conda-forge pytorch=2.4.0 libtorch=2.4.0"
    ]


def test_pixi_is_told_what_to_solve_for_and_that_changes_its_file():
    text = """
conda:
  - libtorch=2.4.0=cpu_1
  - pytorch=2.4.0=cuda_0: {depends: [libtorch 2.4.0 cuda_0]}
pip: []
"""
    assert choice(text + PIXI, "CUD208").endswith("the step changes /w/pixi.toml")


SHADOW = """
python: 3.11.7
conda: [numpy=1.26.4=py311_0]
pip: [numpy==1.26.4: {installer: conda}]
import_paths:
  - {path: /home/me/.local/lib/python3.11/site-packages, origin: user site, modules: [numpy/__init__.py]}
outside: [numpy==2.1.0: {location: /home/me/.local/lib/python3.11/site-packages}]
"""


def test_conda_sets_what_keeps_the_user_site_away():
    assert run(SHADOW, "PTH403") == ["conda env config vars set -p /prefix PYTHONNOUSERSITE=1"]


def test_nothing_is_proposed_where_conda_is_not_at_hand():
    # a hook is written by envfix itself, and no command
    assert fix(SHADOW + paths(MAMBA_EXE=MICROMAMBA), "PTH403").commands == ()
    without = findings(SHADOW.replace("conda: [numpy=1.26.4=py311_0]\n", ""))["PTH403"]
    assert without.fix is None or without.fix.commands == ()


@pytest.mark.parametrize("module", all_rules().values(), ids=lambda module: module.RULE.code)
def test_no_fix_with_commands_is_safe(module):
    for finding in judge(sketch(module.BAD), [module], catalog.load()).findings:
        has_commands = finding.fix is not None and finding.fix.commands
        assert not has_commands or finding.fix.applicability is not Applicability.SAFE


def test_one_script_removes_first_and_brings_nothing_back_that_another_fix_removes():
    snapshot = sketch(two_cudnns().replace(WITH_PIP, f"{WITH_PIP}  - cudatoolkit=11.8.0=h_0\n"))
    report = judge(snapshot, all_rules().values(), catalog.load())
    text = script.render(flat(report.findings), report.target, envfix="0")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]

    assert lines[-3:] == [
        "conda remove -p /prefix --yes --force cudatoolkit",
        f"{PIP} uninstall --yes nvidia-cudnn-cu11",
        f"{AGAIN} nvidia-cudnn-cu12==8.9.2.26",
    ]
