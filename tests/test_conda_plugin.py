"""envfix inside conda, and inside RAPIDS's doctor: what they are offered, and that neither breaks."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tomllib
from dataclasses import MISSING, fields, is_dataclass
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import conda_fake
import pytest
from conda_fake import (
    NEWEST,
    DryRunExit,
    LibMambaUnsatisfiableError,
    PackagesNotFoundInChannelsError,
)
from test_hooks_command import SCRIPT, prefix, venv  # noqa: F401 - fixtures

from reconciler import answering, conda_plugin, rapids_doctor
from reconciler.solve import child

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
CASES = ROOT / "fixtures/envs"
BROKEN = CASES / "cudatoolkit-11-beside-pytorch-cuda-12/prefix"
HEALTHY = sorted(CASES.glob("healthy-*/prefix"))
RECORDED = ROOT / "docs/decisions/0051-what-conda-takes-from-a-plugin.md"
NOWHERE = "/nowhere/python"
#: Where the environment lies on the page for users.
SHOWN = "/home/me/miniforge3/envs/segment"
NOT_FOUND = PackagesNotFoundInChannelsError(
    "The following packages are not available from current channels:\n\n  - cudatoolkit=12.4\n"
)
NO_DRIVER = LibMambaUnsatisfiableError(
    "Encountered problems while solving:\n"
    "  - nothing provides __cuda needed by pytorch-2.1.0-cuda112py310_300\n"
)

each_release = pytest.mark.parametrize("release", [*conda_fake.TYPES])


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The prefix of a conda that has one environment, my-env, which is broken."""
    (tmp_path / "envs").mkdir()
    (tmp_path / "envs/my-env").symlink_to(BROKEN)
    monkeypatch.delenv(conda_plugin.VARIABLE, raising=False)
    conda_fake.put(monkeypatch, NEWEST, conda_fake.context(tmp_path, envfix_drift=True))
    return tmp_path


def offered(release: str, hook: str, **given: Any) -> list[Any]:
    """What a release of conda hears from the plugin when it asks a hook."""
    manager = conda_fake.manager(release)
    manager.register(conda_plugin)
    manager.check_pending()
    return [one for several in getattr(manager.hook, hook)(**given) for one in several]


def recorded() -> Iterator[tuple[str, str, str, str]]:
    text = RECORDED.read_text("utf-8")
    yield from re.findall(r"^([\d.]+) (\w+)\((.*)\) (\w+)$", text, re.MULTILINE)


def of_fake() -> Iterator[tuple[str, str, str, str]]:
    for release, types in conda_fake.TYPES.items():
        for name, kind in types.items():
            form = "dataclass" if is_dataclass(kind) else "NamedTuple"
            yield release, name, ", ".join(_fields(kind)), form
        for name in dir(conda_fake.HOOKS[release]):
            if name.startswith("conda_"):
                given = [*signature(getattr(conda_fake.HOOKS[release], name)).parameters][1:]
                yield release, name, ", ".join(given), "hook"


def _fields(kind: Any) -> list[str]:
    if not is_dataclass(kind):
        return [*kind._fields]
    return [f.name if f.default is MISSING else f"{f.name}=" for f in fields(kind)]


def test_the_fake_has_the_signatures_that_were_read_from_conda_s_sources() -> None:
    assert sorted(of_fake()) == sorted(recorded())


@each_release
def test_each_release_of_conda_is_offered_what_it_takes(
    release: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    conda_fake.put(monkeypatch, release, conda_fake.context(tmp_path))
    types = conda_fake.TYPES[release]

    subcommand = offered(release, "conda_subcommands")[0]
    check = offered(release, "conda_health_checks")[0]
    warning = offered(release, "conda_post_commands")[0]

    assert (subcommand.name, check.name, warning.name) == ("envfix",) * 3
    assert {"create", "install", "update", "remove"} <= warning.run_for
    assert hasattr(check, "fixer") == (release >= "26.1")
    if "CondaSetting" in types:
        assert offered(release, "conda_settings")[0].parameter.default is False
    if "CondaErrorHint" in types:
        assert offered(release, "conda_error_hints", error=NOT_FOUND)


def test_a_conda_that_has_none_of_it_is_offered_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "conda.plugins.types", None)

    assert conda_plugin.conda_subcommands() == []
    assert "envfix: " in caplog.text


def test_to_import_the_plugin_costs_conda_no_other_module() -> None:
    code = (
        "import sys, logging, typing, importlib, pluggy; before = {*sys.modules};"
        "import reconciler.conda_plugin; print(*sorted({*sys.modules} - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["reconciler", "reconciler.conda_plugin"]


def test_the_entry_points_lead_to_what_is_there() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]

    assert import_module(groups["conda"]["envfix"]) is conda_plugin
    module, name = groups["rapids_doctor_check"]["envfix"].split(":")
    assert getattr(import_module(module), name) is rapids_doctor.envfix_check


def test_conda_envfix_finds_a_name_where_conda_has_it_and_returns_the_exit_code(
    root: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    elsewhere = root / "elsewhere/envs"
    (elsewhere / "my-env/conda-meta").mkdir(parents=True)
    monkeypatch.setenv("CONDA_ENVS_PATH", str(elsewhere))
    action = offered(NEWEST, "conda_subcommands")[0].action

    assert action(("scan", "-n", "my-env", "--no-host", "--select", "CUD201", "-q")) == 1
    assert "CUD201" in capfd.readouterr().out


def test_conda_envfix_says_how_it_was_called_and_what_is_wrong_with_the_call(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert conda_plugin.run(()) == 0
    assert conda_plugin.run(("scan", "-n", "no-such-env")) == 2

    told = capfd.readouterr()
    assert told.out.startswith("Usage: conda envfix")
    assert "no conda environment of that name" in told.err


def test_a_rule_with_a_bug_is_told_and_nothing_is_called_right() -> None:
    told = {"findings": [], "uses_cuda": True, "crashed": ["CUD201"]}

    assert [*conda_plugin._health(told, "/env")] == [
        "❌ envfix has a bug in CUD201: `conda envfix scan -p /env` shows it."
    ]


def test_conda_doctor_tells_what_is_wrong_and_what_is_not(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    check = offered(NEWEST, "conda_health_checks")[0].action
    (tmp_path / "empty/conda-meta").mkdir(parents=True)

    check(str(BROKEN), False)
    check(str(tmp_path / "empty"), False)

    told = capsys.readouterr().out
    assert "❌ envfix finds 1 error in what" in told
    assert "error CUD201: CUDA 11" in told
    assert "do: keep pytorch 2.3.1" in told
    assert "✅ Nothing that is installed uses CUDA." in told


@pytest.mark.skipif(sys.platform != "linux", reason="the model of ld.so is Linux's")
def test_the_fixer_writes_the_hook_once_its_user_agrees(
    prefix: Path,  # noqa: F811 - the fixture that is imported
    capsys: pytest.CaptureFixture[str],
) -> None:
    fixer = offered(NEWEST, "conda_health_checks")[0].fixer
    asked: list[str] = []

    code = fixer(str(prefix), None, asked.append)

    assert (code, len(asked)) == (0, 1)
    assert (prefix / SCRIPT).exists()
    told = capsys.readouterr().out
    assert told.startswith("What the activation of")
    assert f"written {SCRIPT}" in told


@pytest.mark.skipif(sys.platform != "linux", reason="the model of ld.so is Linux's")
def test_the_fixer_writes_nothing_in_a_dry_run(
    prefix: Path,  # noqa: F811 - the fixture that is imported
) -> None:
    def confirm(message: str) -> None:
        raise DryRunExit(message)

    with pytest.raises(DryRunExit):
        conda_plugin.fix(str(prefix), None, confirm)
    assert not (prefix / "etc").exists()


def test_the_fixer_leaves_packages_to_their_managers_and_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = conda_plugin.fix(str(BROKEN), None, pytest.fail)

    assert code == 1
    told = capsys.readouterr().out
    assert "    conda remove -p" in told
    assert told.startswith("What is left for you")


def test_no_solver_is_put_into_the_python_of_conda(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "conda").mkdir()
    (tmp_path / "conda/__init__.py").touch()
    monkeypatch.delitem(sys.modules, "conda")
    monkeypatch.syspath_prepend(tmp_path)

    assert 'run: pipx install "envfix-cuda[solve]"' in str(child._missing("no py-rattler"))


@pytest.mark.parametrize(
    ("error", "code", "advice"),
    [
        (NOT_FOUND, "envfix_conda_cuda_not_found", "`cuda-version="),
        (NO_DRIVER, "envfix_conda_no_driver_at_solving", "`CONDA_OVERRIDE_CUDA="),
    ],
)
def test_an_error_over_cuda_gets_its_line_of_advice(
    error: Exception, code: str, advice: str
) -> None:
    (hint,) = offered(NEWEST, "conda_error_hints", error=error)

    assert hint.hint_code == code
    assert advice in hint.text
    assert "\n" not in hint.text


@pytest.mark.parametrize(
    "error",
    [
        conda_fake.CondaError("Not a conda environment: /nowhere"),
        DryRunExit("Dry run: would install cudatoolkit"),
    ],
)
def test_an_error_over_something_else_starts_nothing(
    error: Exception,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(sys, "executable", NOWHERE)

    assert offered(NEWEST, "conda_error_hints", error=error) == []
    assert caplog.text == ""


def test_after_a_command_the_user_is_warned_of_what_does_not_agree(
    capsys: pytest.CaptureFixture[str],
) -> None:
    conda_plugin.warn("install")

    told = capsys.readouterr()
    assert told.err.startswith("envfix: CUD201 CUDA 11")
    assert "`conda envfix scan -p" in told.err
    assert told.out == ""


@each_release
def test_nothing_is_started_after_a_command_unless_it_is_asked_for(
    release: str,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(sys, "executable", NOWHERE)
    has_settings = "CondaSetting" in conda_fake.TYPES[release]
    settings = {"envfix_drift": False} if has_settings else {}
    conda_fake.put(monkeypatch, release, conda_fake.context(root, **settings))

    conda_plugin.warn("install")

    assert caplog.text == ""


def test_a_program_that_reads_json_is_told_nothing_else(
    root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", NOWHERE)
    known = conda_fake.context(root, envfix_drift=True)
    known.json = True
    conda_fake.put(monkeypatch, NEWEST, known)

    conda_plugin.warn("install")

    assert caplog.text == ""


def test_the_page_shows_what_is_printed(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs/conda-plugin.md").read_text("utf-8")

    conda_plugin.check(str(BROKEN), False)
    conda_plugin.warn("install")

    said = capsys.readouterr()
    warned = said.err.replace(str(root / "envs/my-env"), SHOWN)
    assert said.out.strip().replace(str(BROKEN), SHOWN) in page
    assert warned.strip() in page


def test_a_conda_without_settings_takes_the_variable(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known = conda_fake.context(root)
    del known.plugins
    conda_fake.put(monkeypatch, "24.1.0", known)
    monkeypatch.setenv(conda_plugin.VARIABLE, "true")

    conda_plugin.warn("install")

    assert "CUD201" in capsys.readouterr().err


@pytest.mark.parametrize("folder", HEALTHY, ids=lambda path: path.parent.name)
def test_nothing_is_warned_of_in_a_healthy_environment(folder: Path) -> None:
    assert answering.health(str(folder), "quick").findings == ()


def test_a_code_page_without_the_marks_is_printed_to() -> None:
    page = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")

    conda_plugin._print("❌ Zoë", to=page)

    page.flush()
    assert page.buffer.getvalue().decode("cp1252").rstrip() == "? Zoë"
