"""What is imported in place of the environment's own, and who starts another Python."""

import msgspec
import pytest

from reconciler import catalog
from reconciler.check import run_rules
from reconciler.model.finding import Severity
from reconciler.pipeline import judge
from reconciler.rules import all_rules
from reconciler.testing import sketch
from reconciler.world import World

KNOWN = catalog.load()
SITE = "lib/python3.11/site-packages"
USER = "/home/user/.local/lib/python3.11/site-packages"
OWN = f"{{path: {SITE}, origin: site-packages}}"


def found(code, text):
    return list(run_rules([all_rules()[code]], World(sketch(text), KNOWN)))


def seen(entries, outside, own="[numpy==1.26.4]", *more):
    """Sketch an environment of Python 3.11 by the entries before its site-packages."""
    lines = [
        "python: 3.11.7",
        f"pip: {own}",
        f"import_paths: [{entries}, {OWN}]",
        f"outside: {outside}",
        *more,
    ]
    return "\n".join(lines) + "\n"


def on_pythonpath(path="/opt/tools", **fields):
    more = "".join(f", {name}: {value}" for name, value in fields.items())
    return f"{{path: {path}, origin: PYTHONPATH{more}}}"


def at(path, *distributions, **fields):
    more = "".join(f", {name}: {value}" for name, value in fields.items())
    return "[" + ", ".join(f"{{{d}: {{location: {path}{more}}}}}" for d in distributions) + "]"


USER_ENTRY = f"{{path: {USER}, origin: user site}}"


# PTH402


def test_what_pythonpath_answers_is_named_with_what_it_hides():
    (finding,) = found("PTH402", seen(on_pythonpath(), at("/opt/tools", "numpy==1.24.4")))
    assert finding.message == (
        "numpy 1.24.4 is imported from PYTHONPATH (/opt/tools) in place of pip's numpy 1.26.4 of"
        " this environment"
    )


def test_an_entry_is_one_finding_and_each_package_evidence():
    (finding,) = found(
        "PTH402",
        seen(
            on_pythonpath(),
            at("/opt/tools", "numpy==1.24.4", "scipy==1.9.0"),
            "[numpy==1.26.4, scipy==1.11.0]",
        ),
    )
    assert "numpy 1.24.4, and 1 more" in finding.message
    assert finding.evidence == (
        "numpy 1.24.4 instead of pip's numpy 1.26.4",
        "scipy 1.9.0 instead of pip's scipy 1.11.0",
    )


def test_the_first_of_two_entries_answers():
    (finding,) = found(
        "PTH402",
        "python: 3.11.7\npip: [numpy==1.26.4]\n"
        f"import_paths: [{on_pythonpath('/a')}, {on_pythonpath('/b')}, {OWN}]\n"
        "outside:\n"
        "  - numpy==1.24.4: {location: /b}\n"
        "  - numpy: {location: /a, version: 1.25.0, directory: numpy-1.25.0.dist-info}\n",
    )
    assert finding.at.subject == "PYTHONPATH entry /a"


def test_a_package_without_a_distribution_hides_an_installed_one():
    entry = on_pythonpath(modules="[torch/__init__.py]")
    (finding,) = found("PTH402", seen(entry, "[]", "[torch==2.5.1]"))
    assert finding.message.startswith("/opt/tools/torch/__init__.py is imported from PYTHONPATH")


def test_a_wheel_hides_a_package_of_conda_that_has_no_distribution():
    text = seen(
        on_pythonpath(), at("/opt/tools", "torch==2.5.1"), "[]", "conda: [pytorch=2.3.1=py3.11_0]"
    )
    (finding,) = found("PTH402", text)
    assert "in place of conda's pytorch 2.3.1" in finding.message


def test_one_version_of_a_framework_is_another_build_under_conda():
    own = "[{torch==2.5.1: {installer: conda}}]"
    assert found("PTH402", seen(on_pythonpath(), at("/opt/tools", "torch==2.5.1"), own))


def test_another_python_explains_what_its_entry_hides():
    text = seen(on_pythonpath("/opt/lib/python3.8/site-packages"), "[]", "[numpy==1.26.4]") + (
        "pythonpath: [{path: /opt/lib/python3.8/site-packages, python_in_path: '3.8'}]\n"
    )
    text = text.replace("outside: []", "outside: [{numpy==1.17.4: {location: %s}}]") % (
        "/opt/lib/python3.8/site-packages"
    )
    report = judge(sketch(text), list(all_rules().values()), KNOWN)
    (root,) = report.findings
    assert (root.code, [s.code for s in root.symptoms]) == ("PTH401", ["PTH402"])


# PTH403


def test_the_remedy_for_the_user_site_is_condas_own_variable():
    text = seen(USER_ENTRY, at(USER, "numpy==2.1.0"), "[numpy==1.26.4]", "conda: []")
    (finding,) = found("PTH403", text)
    assert "`conda env config vars set -p /prefix PYTHONNOUSERSITE=1`" in finding.remedy
    assert finding.at.path == USER


def test_what_a_pth_file_of_the_user_site_adds_is_of_the_user_site():
    added = f"{{path: /home/user/src, origin: .pth, via: {USER}/easy-install.pth}}"
    entries = f"{USER_ENTRY}, {added}"
    (finding,) = found("PTH403", seen(entries, at("/home/user/src", "numpy==2.1.0")))
    assert finding.cause == f"user-site-shadows@{USER}"


def test_another_wheel_of_one_import_hides_the_own_one():
    entry = f"{{path: {USER}, origin: user site, modules: [cupy/__init__.py]}}"
    (finding,) = found(
        "PTH403", seen(entry, at(USER, "cupy-cuda12x==13.3.0"), "[cupy-cuda11x==13.3.0]")
    )
    assert "in place of pip's cupy-cuda11x 13.3.0" in finding.message


# PTH405


def test_a_folder_that_packages_were_installed_into_is_led_to():
    added = f"{{path: /data/wheels, origin: .pth, via: {SITE}/more.pth}}"
    (finding,) = found("PTH405", seen(added, at("/data/wheels", "torch==2.5.1")))
    assert "which packages were installed into: torch 2.5.1" in finding.message


# PTH406


def test_a_pythonhome_that_is_not_there_is_said_to_be_so():
    (finding,) = found(
        "PTH406",
        "python: 3.11.7\nvariable_paths: [{variable: PYTHONHOME, path: /gone, exists: false}]\n",
    )
    assert "/gone, which does not exist" in finding.message


# PTH407


def test_a_venv_whose_home_is_gone_is_an_error():
    (finding,) = found(
        "PTH407",
        "python: {version: 3.11.7, home: /conda/envs/a/bin, home_exists: false}\n"
        "env: {}\nvariable_paths: []\n",
    )
    assert finding.severity is Severity.ERROR
    assert "/conda/envs/a/bin, the home of its Python, is gone" in finding.message


def test_a_venv_on_a_python_of_conda_that_was_upgraded_is_an_error():
    (finding,) = found(
        "PTH407",
        "python: {version: 3.11.7, home: /conda/bin, home_version: 3.12.1}\n"
        "env: {}\nvariable_paths: []\n",
    )
    assert "conda's Python in /conda/bin is now 3.12.1, and was 3.11.7" in finding.message


def test_a_stacked_environment_is_found():
    (finding,) = found(
        "PTH407",
        """
        python: 3.11.7
        conda: []
        env: {CONDA_SHLVL: "3", CONDA_STACKED_3: "true", CONDA_DEFAULT_ENV: b}
        variable_paths:
          - {variable: CONDA_PREFIX, path: /prefix, environment: /prefix, python: 3.11.7}
          - {variable: CONDA_PREFIX_2, path: /conda/envs/a, environment: /conda/envs/a, python: 3.9.1}
          - {variable: CONDA_EXE, path: /conda/bin/conda, environment: /conda}
        """,
    )
    assert "on top of the conda environment /conda/envs/a (Python 3.9.1)" in finding.message


# PTH408


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("{variable: CUDA_HOME, path: /gone, exists: false}", "which does not exist"),
        (
            "{variable: CUDA_HOME, path: ':/usr/local/cuda-11.8', exists: false}",
            "which is a list, and no folder",
        ),
        (
            "{variable: XLA_FLAGS, path: /conda/envs/b, environment: /conda/envs/b}",
            "which belongs to another environment, /conda/envs/b",
        ),
        ("{variable: TRITON_PTXAS_PATH, path: /gone, exists: false}", "which does not exist"),
    ],
)
def test_a_stale_variable_is_found(row, why):
    (finding,) = found("PTH408", f"variable_paths: [{row}]\n")
    assert finding.message.endswith(why)


def test_windows_drive_is_no_list():
    (finding,) = found(
        "PTH408", "variable_paths: [{variable: CUDA_PATH, path: 'C:\\gone', exists: false}]\n"
    )
    assert finding.message.endswith("which does not exist")


# PTH409


@pytest.mark.parametrize("module", ["torch.py", "torch/__init__.py"])
def test_a_module_of_the_project_hides_the_framework(module):
    entry = f"{{path: /project, origin: working directory, modules: [{module}]}}"
    (finding,) = found("PTH409", seen(entry, "[]", "[torch==2.5.1]"))
    assert finding.at.path == f"/project/{module}"


def test_a_lone_module_hides_whatever_the_project_is():
    entry = "{path: /project, origin: working directory, modules: [numpy.py], source_of: ''}"
    assert found("PTH409", seen(entry, "[]"))


def test_a_folder_in_the_source_of_another_project_hides():
    entry = "{path: /project, origin: working directory, modules: [jax/__init__.py], source_of: x}"
    assert found("PTH409", seen(entry, "[]", "[jax==0.4.30]"))


# VIS303

ACTIVE = "{variable: CONDA_PREFIX, path: /prefix, environment: /prefix}"


def shell(*rows, pip="pip: [pip==25.3]", kind="conda: []"):
    rows = "".join(f"  - {row}\n" for row in (ACTIVE, *rows))
    return f"python: 3.11.7\n{kind}\n{pip}\nvariable_paths:\n{rows}"


def test_python_and_pip_of_another_are_one_finding():
    (finding,) = found(
        "VIS303",
        shell(
            "{variable: PATH, command: python, path: /usr/bin/python}",
            "{variable: PATH, command: pip, path: /usr/bin/pip}",
        ),
    )
    assert finding.message == (
        "PATH leads to /usr/bin/python and /usr/bin/pip first, not to `python` and `pip` of the"
        " active environment /prefix"
    )


def test_a_conda_environment_without_pip_gets_one():
    (finding,) = found(
        "VIS303", shell("{variable: PATH, command: pip, path: /usr/bin/pip}", pip="pip: []")
    )
    assert "`conda install pip`" in finding.remedy


def test_a_pip_that_starts_another_python_is_found():
    (finding,) = found(
        "VIS303",
        shell(
            "{variable: PATH, command: pip, path: /prefix/bin/pip, environment: /prefix,"
            " interpreter: /old/bin/python3.11}"
        ),
    )
    assert finding.message.endswith("starts another Python, /old/bin/python3.11")


@pytest.mark.parametrize(
    "kernel",
    [
        "{name: python3, path: share/jupyter/kernels/python3, interpreter: /old/bin/python}",
        (
            "{name: prefix, path: /home/user/.local/share/jupyter/kernels/prefix,"
            " interpreter: /conda/bin/python, environment: /conda}"
        ),
    ],
)
def test_a_kernel_of_another_python_is_found(kernel):
    (finding,) = found("VIS303", f"python: 3.11.7\nkernels: [{kernel}]\n")
    assert "not this environment's Python" in finding.message


def test_a_stack_explains_whose_pip_answers():
    text = """
        python: 3.11.7
        pip: [pip==25.3]
        env: {CONDA_SHLVL: "1"}
        variable_paths:
          - {variable: VIRTUAL_ENV, path: /prefix, environment: /prefix}
          - {variable: CONDA_PREFIX, path: /conda/envs/a, environment: /conda/envs/a, python: 3.9.1}
          - {variable: PATH, command: pip, path: /conda/envs/a/bin/pip, environment: /conda/envs/a}
    """
    (root,) = judge(sketch(text), list(all_rules().values()), KNOWN).findings
    assert (root.code, [s.code for s in root.symptoms]) == ("PTH407", ["VIS303"])


TRAPS = {
    "sources on PYTHONPATH, of which an older release is installed": seen(
        on_pythonpath("/project/src"),
        at("/project/src", "library==2.0.dev0", directory="library.egg-info"),
        "[library==1.0]",
    ),
    "an editable install whose sources are on PYTHONPATH too": seen(
        on_pythonpath("/home/user/library"),
        at("/home/user/library", "library==2.0.dev0"),
        "[{library==1.0: {editable: true, direct_url: 'file:///home/user/library'}}]",
    ),
    "one version on PYTHONPATH and in the environment": seen(
        on_pythonpath(), at("/opt/tools", "numpy==1.26.4")
    ),
    "the environment's own site-packages on PYTHONPATH": seen(
        f"{{path: {SITE}, origin: PYTHONPATH}}", "[]"
    ),
    "a user site with tools alone": seen(USER_ENTRY, at(USER, "black==24.8.0")),
    "a user site without anything": seen(USER_ENTRY, "[]"),
    "what the system holds comes after a venv's own": "\n".join(
        [
            "python: 3.11.7",
            "pip: [numpy==1.26.4]",
            f"import_paths: [{OWN}, {{path: /usr/lib/python3/dist-packages, origin: site-packages}}]",
            "outside: [{numpy==1.24.2: {location: /usr/lib/python3/dist-packages}}]",
        ]
    ),
    "an editable install, in the three ways": seen(
        f"{{path: /project/src, origin: .pth, via: {SITE}/__editable__.library-1.0.pth}},"
        f"{{path: /home/user/a, origin: .pth, via: {SITE}/conda.pth}},"
        f"{{path: /home/user/b, origin: .pth, via: {SITE}/easy-install.pth}}",
        at("/home/user/b", "b==1.0", directory="b.egg-info"),
    ),
    "the pip that pipx shares": seen(
        "{path: /home/user/.local/share/pipx/shared/lib/python3.11/site-packages, origin: .pth,"
        f" via: {SITE}/pipx_shared.pth}}",
        "[]",
    ),
    "a .pth file that adds folders of the prefix, and runs code": seen(
        f"{{path: {SITE}/win32, origin: .pth, via: {SITE}/pywin32.pth}},"
        f"{{path: {SITE}, origin: site-packages, runs: [distutils-precedence.pth]}}",
        "[]",
    ),
    "a PYTHONHOME that names the Python below a venv": """
        python: {version: 3.11.7, home: /usr/local/bin}
        variable_paths: [{variable: PYTHONHOME, path: /usr/local}]
    """,
    "a venv over conda's base": """
        python: {version: 3.11.7, home: /usr/bin}
        pip: [pip==25.3]
        env: {CONDA_DEFAULT_ENV: base, CONDA_SHLVL: "1"}
        variable_paths:
          - {variable: VIRTUAL_ENV, path: /prefix, environment: /prefix}
          - {variable: CONDA_PREFIX, path: /conda, environment: /conda, python: 3.12.1}
          - {variable: PATH, command: pip, path: /prefix/bin/pip, environment: /prefix,
             interpreter: /prefix/bin/python, interpreter_in: /prefix}
    """,
    "a venv on the Python of the conda environment around it": """
        python: {version: 3.11.7, home: /conda/envs/a/bin, home_version: 3.11.9}
        env: {CONDA_SHLVL: "1", CONDA_DEFAULT_ENV: a}
        variable_paths:
          - {variable: VIRTUAL_ENV, path: /prefix, environment: /prefix}
          - {variable: CONDA_PREFIX, path: /conda/envs/a, environment: /conda/envs/a, python: 3.11.9}
          - {variable: CUDA_HOME, path: /conda/envs/a, environment: /conda/envs/a}
    """,
    "a venv inside of a conda environment that has CUDA and no Python": """
        python: {version: 3.11.7, home: /usr/bin}
        env: {CONDA_SHLVL: "1", CONDA_DEFAULT_ENV: cuda}
        variable_paths:
          - {variable: VIRTUAL_ENV, path: /prefix, environment: /prefix}
          - {variable: CONDA_PREFIX, path: /conda/envs/cuda, environment: /conda/envs/cuda}
    """,
    "an environment that is stacked on base": """
        python: 3.11.7
        conda: []
        env: {CONDA_SHLVL: "2", CONDA_STACKED_2: "true"}
        variable_paths:
          - {variable: CONDA_PREFIX, path: /prefix, environment: /prefix, python: 3.11.7}
          - {variable: CONDA_PREFIX_1, path: /conda, environment: /conda, python: 3.12.1}
          - {variable: CONDA_EXE, path: /conda/bin/conda, environment: /conda}
    """,
    "one environment after another, without --stack": """
        python: 3.11.7
        conda: []
        env: {CONDA_SHLVL: "2"}
        variable_paths:
          - {variable: CONDA_PREFIX, path: /prefix, environment: /prefix, python: 3.11.7}
          - {variable: CONDA_PREFIX_1, path: /conda/envs/a, environment: /conda/envs/a, python: 3.9.1}
    """,
    "CUDA_HOME of a system's toolkit, and CUDNN_PATH of the user site": """
        variable_paths:
          - {variable: CUDA_HOME, path: /usr/local/cuda}
          - {variable: CUDNN_PATH, path: /home/user/.local/lib/python3.11/site-packages/nvidia/cudnn}
    """,
    "variables of the active environment while another is looked at": """
        variable_paths:
          - {variable: CONDA_PREFIX, path: /conda/envs/a, environment: /conda/envs/a, python: 3.9.1}
          - {variable: CUDA_HOME, path: /conda/envs/a, environment: /conda/envs/a}
          - {variable: PATH, command: pip, path: /conda/envs/a/bin/pip, environment: /conda/envs/a}
    """,
    "on a Mac there is no CUDA to lead to": """
        platform: osx-arm64
        variable_paths: [{variable: CUDA_HOME, path: /usr/local/cuda, exists: false}]
    """,
    "the source of the framework itself": seen(
        "{path: /project, origin: working directory, modules: [cupy/__init__.py],"
        " source_of: cupy-cuda12x}",
        "[]",
        "[cupy-cuda12x==13.3.0]",
    ),
    "a source whose setup.py computes its name": seen(
        "{path: /project, origin: working directory, modules: [torch/__init__.py], source_of: ''}",
        "[]",
        "[torch==2.5.1]",
    ),
    "torch.py where no torch is installed": seen(
        "{path: /project, origin: working directory, modules: [torch.py]}", "[]"
    ),
    "the shims of pyenv": shell(
        "{variable: PATH, command: python, path: /home/user/.pyenv/shims/python}"
    ),
    "a venv of uv, without pip": shell(
        "{variable: PATH, command: python, path: /prefix/bin/python, environment: /prefix}",
        "{variable: PATH, command: pip, path: /usr/bin/pip}",
        pip="pip: []",
        kind="env: {}",
    ),
    "kernels of other environments, beside the own": """
        python: 3.11.7
        kernels:
          - {name: python3, path: share/jupyter/kernels/python3, interpreter: python}
          - {name: other, path: share/jupyter/kernels/other, interpreter: /conda/envs/other/bin/python}
          - {name: python3, path: /home/user/.local/share/jupyter/kernels/python3,
             interpreter: /conda/bin/python, environment: /conda}
          - {name: ir, path: share/jupyter/kernels/ir, interpreter: R}
    """,
}
OURS = ("PTH402", "PTH403", "PTH405", "PTH406", "PTH407", "PTH408", "PTH409", "VIS303")


@pytest.mark.parametrize("text", TRAPS.values(), ids=TRAPS)
def test_a_trap_stays_silent(text):
    rules = [all_rules()[code] for code in OURS]
    report = judge(sketch(text), rules, KNOWN)
    assert [(f.code, f.message) for f in report.findings] == []
    assert report.crashes == ()


@pytest.mark.parametrize("code", ["PTH403", "PTH406", "PTH407", "VIS303"])
def test_without_a_python_there_is_nothing_to_lead_astray(code):
    without = msgspec.structs.replace(sketch(all_rules()[code].BAD), python=None)
    assert not list(run_rules([all_rules()[code]], World(without, KNOWN)))


def test_environments_that_are_not_active_are_not_stacked():
    text = """
        python: 3.11.7
        env: {CONDA_SHLVL: "1"}
        variable_paths:
          - {variable: VIRTUAL_ENV, path: /other, environment: /other}
          - {variable: CONDA_PREFIX, path: /conda/envs/a, environment: /conda/envs/a, python: 3.9.1}
    """
    assert found("PTH407", text) == []
