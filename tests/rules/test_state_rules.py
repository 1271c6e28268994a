"""PTH410 and VIS304: what they find, what they leave alone, and how they say it."""

import pytest

from reconciler import catalog
from reconciler.check import run_rules
from reconciler.model.finding import Severity
from reconciler.rules import all_rules
from reconciler.testing import sketch
from reconciler.world import World

STATE = "conda-meta/state"


def found(code, text):
    return list(run_rules([all_rules()[code]], World(sketch(text), catalog.load())))


def variable(name, value, source=STATE, **more):
    fields = {"name": name, "value": value, "source": source, **more}
    return f"state: {{variables: [{fields}]}}\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PYTHONNOUSERSITE", "1"),
        ("CUDA_HOME", "/opt/env"),
        ("LD_LIBRARY_PATH", ""),
        ("PS1", "$USER"),
        ("PATTERN", "a${b}%c%"),
        ("GONE", "***unset***"),
    ],
)
def test_a_plain_variable_is_left_alone(name, value):
    assert not found("PTH410", variable(name, value))


def test_an_environment_without_state_is_left_alone():
    assert not found("PTH410", "conda: []\nstate: {}\n")


@pytest.mark.parametrize("name", ["LD_LIBRARY_PATH", "PATH"])
def test_a_list_that_is_replaced_is_a_warning(name):
    (finding,) = found("PTH410", variable(name, "/opt/env/lib:/usr/lib"))

    assert finding.severity is Severity.WARNING
    assert finding.message == (
        f"conda sets {name} to `/opt/env/lib:/usr/lib` when this environment is activated, and"
        " replaces what the shell has in it"
    )
    assert finding.remedy.startswith(f"`conda env config vars unset {name}`")
    assert "activate.d" in finding.remedy
    assert finding.cause == f"state-variable-replaces-path@{STATE}:{name}"


def test_a_pythonpath_that_is_replaced_is_info():
    (finding,) = found("PTH410", variable("PYTHONPATH", "/project/src"))

    assert finding.severity is Severity.INFO


@pytest.mark.parametrize(
    ("name", "value", "unexpanded"),
    [
        ("LD_LIBRARY_PATH", "$CONDA_PREFIX/lib:$LD_LIBRARY_PATH", "$CONDA_PREFIX"),
        ("PYTHONPATH", "${HOME}/src", "${HOME}"),
        ("PATH", "%CONDA_PREFIX%\\bin", "%CONDA_PREFIX%"),
        ("PARAMS", "${CONDA_PREFIX}/share/params", "${CONDA_PREFIX}"),
        ("XLA_FLAGS", "--xla_gpu_cuda_data_dir=$CONDA_PREFIX/lib", "$CONDA_PREFIX"),
    ],
)
def test_what_is_not_expanded_is_a_warning(name, value, unexpanded):
    (finding,) = found("PTH410", variable(name, value))

    assert finding.severity is Severity.WARNING
    assert f"do not expand the `{unexpanded}`" in finding.message


def test_what_the_loader_expands_is_a_list_like_any_other():
    (finding,) = found("PTH410", variable("LD_LIBRARY_PATH", "/opt/$LIB:/x/${ORIGIN}"))

    assert "replaces" in finding.message


def test_the_mark_of_unset_is_info_until_the_shell_has_it():
    text = variable("LD_LIBRARY_PATH", "***unset***")

    (left,) = found("PTH410", text)
    (exported,) = found("PTH410", text + "env: {LD_LIBRARY_PATH: '***unset***'}\n")

    assert (left.severity, exported.severity) == (Severity.INFO, Severity.WARNING)
    assert "this shell" in exported.message
    assert "editor" in left.remedy


def test_any_variable_of_the_shell_may_hold_the_mark():
    text = variable("CUDA_HOME", "***unset***") + "env: {CUDA_HOME: '***unset***'}\n"

    assert len(found("PTH410", text)) == 1


def test_only_the_last_source_of_a_variable_counts():
    (finding,) = found(
        "PTH410",
        f"""
        state:
          variables:
            - {{name: LD_LIBRARY_PATH, value: /a, source: etc/conda/env_vars.d/a.json}}
            - {{name: LD_LIBRARY_PATH, value: /b, source: {STATE}}}
        """,
    )

    assert finding.at.path == STATE


def test_a_file_that_somebody_wrote_is_to_be_edited():
    (finding,) = found("PTH410", variable("PATH", "/a", "etc/conda/env_vars.d/a.json"))

    assert finding.remedy.startswith("take PATH out of etc/conda/env_vars.d/a.json")


def test_a_file_of_a_package_is_for_its_maintainers():
    text = variable("PATH", "/a", "etc/conda/env_vars.d/a.json", owner="libfoo")

    (finding,) = found("PTH410", text)

    assert "the maintainers of libfoo" in finding.remedy


def test_an_environment_that_is_anyones_to_change_is_left_alone():
    text = "state: {pinned: [numpy <2], system_site_packages: true}\npip_options: []\n"

    assert not found("VIS304", text)


def test_each_mark_is_info_of_its_own():
    state = "{externally_managed: lib/python3.11/EXTERNALLY-MANAGED, frozen: true, writable: false}"

    findings = found("VIS304", f"conda: []\nstate: {state}\npip_options: []\n")

    assert {finding.severity for finding in findings} == {Severity.INFO}
    assert [finding.cause for finding in findings] == [
        "pip-cannot-install@lib/python3.11/EXTERNALLY-MANAGED",
        "pip-cannot-install@conda-meta/frozen",
        "pip-cannot-install@prefix",
    ]


def test_a_mark_that_pip_is_told_to_pass_over_does_not_stop_it():
    managed, _ = found(
        "VIS304",
        """
        state: {externally_managed: lib/python3.11/EXTERNALLY-MANAGED}
        pip_options: [{source: PIP_BREAK_SYSTEM_PACKAGES, name: break-system-packages, value: "1"}]
        """,
    )

    assert managed.shows_as.startswith("pip installs nonetheless")


def test_pip_never_leaves_a_venv_for_the_user_site():
    (finding,) = found("VIS304", "state: {writable: false}\npip_options: []\n")

    assert "Permission denied" in finding.shows_as


def options(*lines, conda="conda: []\n"):
    return f"{conda}state: {{}}\npip_options: [{', '.join(lines)}]\n"


INDEX = "{source: /etc/pip.conf, name: index-url, value: 'https://mirror.example/simple'}"


def test_a_mirror_is_one_info():
    (finding,) = found("VIS304", options(INDEX))

    assert finding.severity is Severity.INFO
    assert finding.message == (
        "the configuration of pip changes what is installed: index-url, set in /etc/pip.conf"
    )
    assert finding.evidence == ("/etc/pip.conf: index-url = https://mirror.example/simple",)


def test_all_that_is_configured_is_one_finding():
    backend = "{source: UV_TORCH_BACKEND, name: torch-backend, value: cu128}"
    limit = "{source: PIP_CONSTRAINT, name: constraint, value: /c.txt}"
    other = "{source: UV_RESOLUTION, name: resolution, value: lowest}"

    (finding,) = found("VIS304", options(INDEX, limit, backend, other))

    assert finding.message.startswith("the configuration of pip and uv changes what is installed:")
    assert "pip installs only the versions that it allows (constraint)" in finding.shows_as
    assert "uv is told lowest (resolution)" in finding.shows_as


def test_the_last_of_an_option_counts():
    forbidden = "{source: /etc/pip.conf, name: no-index, value: 'true'}"
    allowed = "{source: PIP_NO_INDEX, name: no-index, value: '0'}"

    assert found("VIS304", options(forbidden))
    assert not found("VIS304", options(forbidden, allowed))


def test_an_index_of_uv_is_not_one_of_pip():
    of_uv = "{source: UV_INDEX_URL, name: index-url, value: 'https://uv.example/'}"

    (finding,) = found("VIS304", options(INDEX, of_uv))

    assert len(finding.evidence) == 2


def test_a_virtual_environment_is_what_require_virtualenv_asks_for():
    required = "{source: PIP_REQUIRE_VIRTUALENV, name: require-virtualenv, value: '1'}"

    (finding,) = found("VIS304", options(required))

    assert "refuses every environment of conda" in finding.shows_as
    assert not found("VIS304", options(required, conda=""))
