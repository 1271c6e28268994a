"""``envfix hooks``, and the hook that ``envfix fix --write`` installs: written, seen, and taken away."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from collect.trees import write
from lab.elf_stub import stub_library

from reconciler import activation, pipeline
from reconciler.cli import cli
from reconciler.errors import HookError

if TYPE_CHECKING:
    from collections.abc import Callable

MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"
SITE = f"lib/python{MINOR}/site-packages"
CUBLAS = f"{SITE}/nvidia/cublas/lib"
INNER = "libctranslate2-d3638643.so.4.5.0"
EXTENSION = f"cpython-{MINOR.replace('.', '')}-x86_64-linux-gnu.so"
MODULE = f"ctranslate2/_ext.{EXTENSION}"
SCRIPT = "etc/conda/activate.d/~~envfix.sh"
RECORD = "etc/envfix/hooks.json"
ALL = ("sh", "fish", "csh", "ps1")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the model of ld.so is Linux's")


def wheel(name: str, version: str, *files: str) -> dict[str, str | bytes]:
    """The dist-info of a wheel that has installed some files."""
    info = f"{SITE}/{name.replace('-', '_')}-{version}.dist-info"
    listed = "".join(f"{file.removeprefix(SITE + '/')},,\n" for file in files)
    return {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/RECORD": listed,
        f"{info}/INSTALLER": "pip\n",
    }


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CTranslate2, which opens cuBLAS by its name, and the wheel that has it."""
    folder = tmp_path_factory.mktemp("home") / "my env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    inner = f"{SITE}/ctranslate2.libs/{INNER}"
    libraries: dict[str, str | bytes] = {
        f"{SITE}/{MODULE}": stub_library(None, [INNER], rpath="$ORIGIN/../ctranslate2.libs"),
        inner: stub_library(INNER),
        f"{CUBLAS}/libcublas.so.12": stub_library("libcublas.so.12", runpath="$ORIGIN"),
    }
    return write(
        folder,
        libraries
        | wheel("ctranslate2", "4.5.0", f"{SITE}/{MODULE}", inner)
        | wheel("nvidia-cublas-cu12", "12.4.5.8", f"{CUBLAS}/libcublas.so.12"),
    )


@pytest.fixture
def prefix(venv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same as a conda environment, and a user who has nothing set."""
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX", "LD_LIBRARY_PATH", "PYTHONPATH", "PIP_CONSTRAINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    folder = tmp_path / "env"
    shutil.copytree(venv, folder, symlinks=True)
    (folder / "pyvenv.cfg").unlink()
    version = ".".join(map(str, sys.version_info[:3]))
    record = {"name": "python", "version": version, "build": "0", "subdir": "linux-64", "files": []}
    return write(folder, {"conda-meta/python-0.json": json.dumps(record)})


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [*map(os.fspath, arguments)])


def hooks(verb: str, prefix: Path, *more: str) -> Result:
    return run("hooks", verb, "-p", prefix, *more)


def everything(folder: Path) -> dict[str, tuple[int, bytes | str]]:
    """Every file, link and folder: its permissions, and its bytes or where it leads."""
    found: dict[str, tuple[int, bytes | str]] = {}
    for path in folder.rglob("*"):
        content: bytes | str = b""
        if path.is_symlink():
            content = os.readlink(path)
        elif path.is_file():
            content = path.read_bytes()
        found[str(path.relative_to(folder))] = (path.lstat().st_mode, content)
    return found


def test_what_is_proven_is_written_for_every_shell_and_removed_without_a_trace(
    prefix: Path,
) -> None:
    before = everything(prefix)

    done = hooks("install", prefix)

    assert done.exit_code == 0, done.output
    written = {
        f"etc/conda/{step}.d/~~envfix.{end}" for step in ("activate", "deactivate") for end in ALL
    }
    assert {
        path for path in everything(prefix).keys() - before.keys() if (prefix / path).is_file()
    } == {
        *written,
        RECORD,
    }
    assert f"LD_LIBRARY_PATH begins with {CUBLAS}" in " ".join(done.stdout.split())
    assert "conda advises against LD_LIBRARY_PATH" in done.stdout
    assert "kernels of IDEs" in done.stdout
    assert f"'/{CUBLAS}'" in (prefix / SCRIPT).read_text()

    gone = hooks("remove", prefix)

    assert gone.exit_code == 0
    assert gone.stdout.endswith("open a new one\n")
    assert everything(prefix) == before


def test_a_folder_that_was_there_stays(prefix: Path) -> None:
    write(prefix, {"etc/conda/activate.d/own.fish": "# mine\n"})
    before = everything(prefix)

    hooks("install", prefix)
    hooks("remove", prefix)

    assert everything(prefix) == before


def test_a_file_that_has_come_into_a_folder_since_keeps_it(prefix: Path) -> None:
    hooks("install", prefix)
    write(prefix, {"etc/conda/activate.d/own.fish": "# mine\n"})

    assert hooks("remove", prefix).exit_code == 0
    assert [p.name for p in (prefix / "etc/conda").rglob("*") if p.is_file()] == ["own.fish"]
    assert not (prefix / "etc/envfix").exists()


def test_with_diff_nothing_is_written(prefix: Path) -> None:
    before = everything(prefix)

    shown = hooks("install", prefix, "--diff")

    assert shown.exit_code == 1
    assert f"+++ b/{SCRIPT}\n" in shown.stdout
    assert everything(prefix) == before
    hooks("install", prefix)
    installed = everything(prefix)
    assert hooks("install", prefix, "--diff").exit_code == 0
    assert hooks("remove", prefix, "--diff").exit_code == 1
    assert everything(prefix) == installed


def test_a_second_installation_writes_nothing(prefix: Path) -> None:
    hooks("install", prefix)
    installed = everything(prefix)

    done = hooks("install", prefix)

    assert done.stdout.endswith("The hook is there already, as it should be\n")
    assert everything(prefix) == installed


def test_undo_takes_both_back(prefix: Path) -> None:
    before = everything(prefix)
    hooks("install", prefix)
    installed = everything(prefix)
    hooks("remove", prefix)

    assert run("undo", prefix).exit_code == 0
    assert everything(prefix) == installed
    assert run("undo", prefix).exit_code == 0
    assert everything(prefix) == before


def test_for_one_shell_alone_its_two_scripts_are_written(prefix: Path) -> None:
    hooks("install", prefix, "--shell", "zsh")

    assert [p.name for p in sorted((prefix / "etc/conda").rglob("~~*"))] == ["~~envfix.sh"] * 2
    hooks("install", prefix, "--shell", "fish")
    assert [p.name for p in sorted((prefix / "etc/conda").rglob("~~*"))] == ["~~envfix.fish"] * 2


def test_status_tells_what_is_as_it_was_written(prefix: Path) -> None:
    assert hooks("status", prefix).stdout == f"{prefix} has no hook of envfix\n"
    hooks("install", prefix)
    whole = hooks("status", prefix)
    (prefix / SCRIPT).write_text("echo mine\n")
    (prefix / SCRIPT).with_suffix(".fish").unlink()
    broken = hooks("status", prefix)

    assert (whole.exit_code, broken.exit_code) == (0, 1)
    assert whole.stdout.endswith("It does what the environment needs.\n")
    said = " ".join(broken.stdout.split())
    assert f"edited {SCRIPT}: edited since envfix wrote it" in said
    assert "missing etc/conda/activate.d/~~envfix.fish: gone" in said


def test_a_hook_that_is_no_longer_needed_is_stale(prefix: Path) -> None:
    hooks("install", prefix)
    shutil.rmtree(prefix / SITE / "ctranslate2")

    done = hooks("status", prefix)

    assert done.exit_code == 1
    assert "stale: what the environment needs today is something else" in done.stdout


@pytest.mark.parametrize("before", [None, "/opt/mine"])
def test_a_hook_in_force_in_this_shell_is_not_stale(
    prefix: Path, monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    hooks("install", prefix)
    known = activation.own_hook.read(str(prefix))
    assert known
    state = f"{known.manifest.hook.key}_LD_LIBRARY_PATH"
    monkeypatch.setenv("CONDA_PREFIX", str(prefix))
    monkeypatch.setenv("LD_LIBRARY_PATH", f"{prefix}/{CUBLAS}{f':{before}' if before else ''}")
    monkeypatch.setenv(f"_ENVFIX_{state}" if before else f"_ENVFIX_NO_{state}", before or "1")

    assert hooks("status", prefix).exit_code == 0
    assert hooks("install", prefix).stdout.endswith("as it should be\n")


def test_an_edited_script_is_neither_removed_nor_written_over(prefix: Path) -> None:
    hooks("install", prefix)
    (prefix / SCRIPT).write_text("echo mine\n")
    before = everything(prefix)

    for verb in ("remove", "install"):
        done = hooks(verb, prefix)
        assert done.exit_code == 2
        assert f"edited since envfix wrote it: {SCRIPT}; nothing was changed" in done.stderr
        assert done.stderr.count("\n") == 1
    assert everything(prefix) == before


def test_a_script_of_somebody_else_under_that_name_is_written_over_only_with_its_undo(
    prefix: Path,
) -> None:
    write(prefix, {SCRIPT: "echo mine\n"})
    hooks("install", prefix)
    run("undo", prefix)

    assert (prefix / SCRIPT).read_text() == "echo mine\n"


def frozen(prefix: Path) -> None:
    write(prefix, {"conda-meta/frozen": ""})


def locked(prefix: Path) -> None:
    prefix.chmod(0o555)


@pytest.mark.parametrize(
    ("prepare", "why"),
    [(frozen, "the environment is frozen (conda-meta/frozen)"), (locked, "is read-only")],
)
def test_what_may_not_be_written_is_said_in_one_line(
    prefix: Path, prepare: Callable[[Path], None], why: str
) -> None:
    prepare(prefix)
    before = everything(prefix)

    done = hooks("install", prefix)

    prefix.chmod(0o755)
    assert done.exit_code == 2
    assert why in done.stderr
    assert done.stderr.count("\n") == 1
    assert everything(prefix) == before


def test_the_environment_of_another_user_is_left_alone(
    prefix: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = os.stat(prefix).st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)

    done = hooks("install", prefix)

    assert done.exit_code == 2
    assert f"the environment belongs to another user (uid {owner})" in done.stderr
    assert not (prefix / "etc").exists()


@pytest.mark.parametrize(
    "path", ["../outside", "/etc/passwd", "bin/python", "conda-meta/history", "etc/conda/../../x"]
)
def test_a_record_of_strangers_removes_nothing_but_what_envfix_writes(
    prefix: Path, path: str
) -> None:
    hooks("install", prefix)
    record = json.loads((prefix / RECORD).read_text())
    record["files"].append({"path": path, "sha256": "0" * 64})
    (prefix / RECORD).write_text(json.dumps(record))

    done = hooks("remove", prefix)

    assert done.exit_code == 2
    assert "which is no file of it" in done.stderr


@pytest.mark.parametrize("record", [b"", b"{", b"[" * 100_000, b'{"schema_version": 9}', b"\xff"])
def test_a_broken_record_is_said_in_one_line(prefix: Path, record: bytes) -> None:
    hooks("install", prefix)
    (prefix / RECORD).write_bytes(record)

    for verb in ("status", "remove", "install"):
        done = hooks(verb, prefix)
        assert done.exit_code == 2
        assert RECORD in done.stderr


def test_a_hook_goes_through_a_second_name_of_a_file_to_neither(
    prefix: Path, tmp_path: Path
) -> None:
    hooks("install", prefix)
    os.link(prefix / SCRIPT, tmp_path / "twin")
    twin = (tmp_path / "twin").read_bytes()

    done = hooks("remove", prefix)

    assert (tmp_path / "twin").read_bytes() == twin
    assert (done.exit_code, (prefix / SCRIPT).exists()) == (2, True)
    assert "the file has 2 names (hard links)" in done.stderr


def test_nothing_is_written_where_nothing_is_needed(prefix: Path) -> None:
    shutil.rmtree(prefix / SITE / "ctranslate2")
    before = everything(prefix)

    done = hooks("install", prefix)

    assert (done.exit_code, everything(prefix)) == (0, before)
    assert done.stdout.startswith("No hook is written for")


def test_what_another_script_stands_in_the_way_of_is_said(prefix: Path) -> None:
    write(prefix, {"etc/conda/activate.d/own.sh": "export LD_LIBRARY_PATH=/opt/x\n"})
    before = everything(prefix)

    done = hooks("install", prefix)

    said = " ".join(done.stdout.split())
    assert "the environment's own activation sets LD_LIBRARY_PATH: mend that first" in said
    assert everything(prefix) == before


def test_a_hook_in_a_virtual_environment_is_sourced_in_the_place_of_activate(venv: Path) -> None:
    before = everything(venv)
    done = hooks("install", venv)
    after = everything(venv)
    assert hooks("status", venv).exit_code == 0
    hooks("remove", venv)

    assert f"`. {venv}/bin/envfix-activate.sh` in its place" in " ".join(done.stdout.split())
    assert {path for path in after.keys() - before.keys() if path.startswith("bin/")} == {
        f"bin/envfix-{step}.{end}" for step in ("activate", "deactivate") for end in ALL
    }
    assert everything(venv) == before


def test_a_foreign_element_is_taken_out_only_when_that_is_asked_for(
    prefix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_site = tmp_path / "there"
    info = {
        f"{d}/METADATA": f"Name: numpy\nVersion: {v}\n"
        for d, v in (
            (f"{prefix}/{SITE}/numpy-1.26.4.dist-info", "1.26.4"),
            (f"{user_site}/numpy-2.1.0.dist-info", "2.1.0"),
        )
    }
    for path, text in info.items():
        write(Path(path).parent, {"METADATA": text})
    monkeypatch.setenv("PYTHONPATH", str(user_site))

    safe = " ".join(hooks("install", prefix, "--diff").stdout.split())
    unsafe = " ".join(hooks("install", prefix, "--diff", "--unsafe-fixes").stdout.split())

    assert "PYTHONPATH is not set" in safe.partition("With --unsafe-fixes, too")[2]
    assert "PYTHONPATH is not set" in unsafe.partition("What the activation of")[2]
    assert "With --unsafe-fixes, too" not in unsafe


def test_a_hook_goes_back_where_the_files_of_a_fix_cannot_be_written(prefix: Path) -> None:
    only = ("-p", prefix, "--no-host", "--select", "ELF501,DEC712")
    write(Path(), {"environment.yml": "name: x\ndependencies: [python]\nprefix: /home/ann/x\n"})
    os.link("environment.yml", "environment.yml.twin")
    before = everything(prefix)

    done = run("fix", "--write", *only)

    assert done.exit_code == 2
    assert "the file has 2 names" in done.stderr
    assert everything(prefix) == before


def test_pip_is_kept_from_conda_s_packages_where_that_is_wished(prefix: Path) -> None:
    info = f"{SITE}/torch-2.5.1.dist-info"
    write(
        prefix,
        {f"{info}/METADATA": "Name: torch\nVersion: 2.5.1\n", f"{info}/INSTALLER": "conda\n"},
    )
    before = everything(prefix)

    assert hooks("install", prefix, "--pin-conda").exit_code == 0

    assert (prefix / "etc/envfix/constraints.txt").read_text().splitlines()[1:] == ["torch==2.5.1"]
    assert "PIP_CONSTRAINT" in (prefix / SCRIPT).read_text()
    assert hooks("status", prefix).exit_code == 0
    hooks("remove", prefix)
    assert everything(prefix) == before


def test_pip_s_own_constraints_are_not_replaced(
    prefix: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = f"{SITE}/torch-2.5.1.dist-info"
    write(
        prefix,
        {f"{info}/METADATA": "Name: torch\nVersion: 2.5.1\n", f"{info}/INSTALLER": "conda\n"},
    )
    monkeypatch.setenv("PIP_CONSTRAINT", "/etc/mine.txt")

    done = hooks("install", prefix, "--pin-conda")

    assert done.exit_code == 2
    assert "already set, to /etc/mine.txt" in done.stderr


def test_a_fix_installs_what_was_planned(prefix: Path) -> None:
    before = everything(prefix)
    only = ("-p", prefix, "--no-host", "--select", "ELF501")

    shown = run("fix", *only)
    assert shown.exit_code == 1
    assert "What activation is to do" in shown.stdout
    assert shown.stdout.endswith("closes 1 finding: `envfix fix --write`\n")
    assert everything(prefix) == before

    done = run("fix", "--write", *only)
    assert done.exit_code == 0, done.output
    assert "What activation does now" in done.stdout
    assert (prefix / SCRIPT).is_file()
    report = json.loads(run("scan", *only, "--format", "json").stdout)
    assert [f["severity"] for f in report["findings"]] == ["info"]
    hooks("remove", prefix)
    assert everything(prefix) == before


def test_a_frozen_environment_keeps_no_file_of_the_project_from_its_fix(prefix: Path) -> None:
    write(Path(), {"environment.yml": "name: x\ndependencies: [python]\nprefix: /home/ann/x\n"})
    frozen(prefix)

    done = run("fix", "--write", "-p", prefix, "--no-host", "--select", "ELF501,DEC712")

    assert "prefix:" not in Path("environment.yml").read_text()
    assert "the environment is frozen (conda-meta/frozen)" in " ".join(done.stdout.split())
    assert not (prefix / "etc").exists()


def test_envfix_s_own_hook_is_no_foreign_one(prefix: Path) -> None:
    hooks("install", prefix)

    report = json.loads(run("scan", "-p", prefix, "--no-host", "--format", "json").stdout)

    assert [f["code"] for f in report["findings"] if f["code"].startswith("HUK")] == []
    assert report["crashes"] == []


def test_a_report_tells_programs_what_activation_is_to_do(prefix: Path) -> None:
    only = ("-p", prefix, "--no-host", "--select", "ELF501")
    (finding,) = json.loads(run("scan", *only, "--format", "json").stdout)["findings"]

    (hook,) = finding["fix"]["hooks"]
    assert (hook["name"], hook["does"]) == ("LD_LIBRARY_PATH", "prepend")
    assert hook["values"] == [f"$PREFIX/{CUBLAS}"]


def test_a_script_of_commands_sends_to_the_hook(prefix: Path, tmp_path: Path) -> None:
    script = tmp_path / "mend.sh"
    run("fix", "-p", prefix, "--no-host", "--select", "ELF501", "--script", script)

    assert "Not in here: `envfix hooks install` does it" in " ".join(script.read_text().split())


def test_without_an_environment_there_is_none_to_hook(prefix: Path) -> None:
    done = run("hooks", "status")

    assert prefix.is_dir()
    assert done.exit_code == 2
    assert "name one with -p or -n" in done.stderr


def test_a_prefix_with_a_colon_is_refused(prefix: Path) -> None:
    odd = prefix.with_name("a:b")
    prefix.rename(odd)

    target = activation.at(".", pipeline.Choice(prefix=str(odd)), {})
    with pytest.raises(HookError, match="cannot serve an environment with ':'"):
        activation.install(target, ())


def torch_of_conda(prefix: Path) -> None:
    info = f"{SITE}/torch-2.5.1.dist-info"
    metadata = "Name: torch\nVersion: 2.5.1\n"
    write(prefix, {f"{info}/METADATA": metadata, f"{info}/INSTALLER": "conda\n"})


def test_a_later_installation_keeps_what_was_wished_and_what_another_shell_had_set(
    prefix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch_of_conda(prefix)
    for folder, version in ((prefix / SITE, "1.26.4"), (tmp_path / "there", "2.1.0")):
        metadata = f"Name: numpy\nVersion: {version}\n"
        write(folder, {f"numpy-{version}.dist-info/METADATA": metadata})
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "there"))
    hooks("install", prefix, "--unsafe-fixes", "--pin-conda")
    monkeypatch.delenv("PYTHONPATH")
    installed = everything(prefix)
    assert "unset PYTHONPATH" in (prefix / SCRIPT).read_text()

    assert hooks("status", prefix).exit_code == 0
    hooks("install", prefix)

    script = (prefix / SCRIPT).read_text()
    assert ("unset PYTHONPATH" in script, "PIP_CONSTRAINT" in script) == (True, True)
    assert everything(prefix).keys() == installed.keys()


def test_a_virtual_environment_that_was_moved_has_a_stale_hook(venv: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(venv, moved, symlinks=True)
    hooks("install", moved)
    moved.rename(tmp_path / "again")

    done = hooks("status", tmp_path / "again")

    assert (done.exit_code, "stale:" in done.stdout) == (1, True)
    hooks("install", tmp_path / "again")
    assert hooks("status", tmp_path / "again").exit_code == 0
