from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from reconciler.collect.distributions import HEAD_LIMIT
from reconciler.collect.ground import EvidenceWanted
from reconciler.model.snapshot import Fact
from reconciler.pipeline import load_snapshot, save_snapshot

from .trees import SITE, dist_info, look, reasons, venv, write

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.model.distribution import Distribution
    from reconciler.model.snapshot import Snapshot

HEAD = "Metadata-Version: 2.1\nName: torch\nVersion: 2.1.2+cu118\n"


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    return venv(tmp_path / "venv")


def distributions(prefix: Path) -> Snapshot:
    return look(prefix, Fact.PYTHON, Fact.DISTRIBUTIONS)


def distribution(prefix: Path) -> Distribution:
    (found,) = distributions(prefix).distributions
    return found


def folder(prefix: Path, name: str) -> Path:
    return prefix / SITE / name


def test_a_folder_without_distributions_has_no_gap(prefix: Path) -> None:
    snapshot = distributions(prefix)

    assert (snapshot.distributions, snapshot.gaps) == ((), ())


def test_a_site_packages_that_is_not_there_has_no_distributions(prefix: Path) -> None:
    (prefix / SITE).rmdir()

    snapshot = distributions(prefix)

    assert (snapshot.distributions, snapshot.gaps) == ((), ())


def test_no_environment_is_a_gap_of_all_distributions() -> None:
    snapshot = look(None, Fact.DISTRIBUTIONS)

    assert reasons(snapshot) == {None: "no environment to look at"}


@pytest.mark.parametrize("name", ["torch", "torch.egg-link", "torch.dist-info.bak", "x.pth"])
def test_what_is_no_dist_info_is_left_alone(prefix: Path, name: str) -> None:
    write(prefix, {f"{SITE}/{name}/METADATA": HEAD})

    assert distributions(prefix).distributions == ()


@pytest.mark.parametrize("name", ["~orch-2.1.dist-info", "~-rch-2.1.dist-info"])
def test_what_a_crash_of_pip_left_behind_is_left_alone(prefix: Path, name: str) -> None:
    write(prefix, {f"{SITE}/{name}/METADATA": HEAD})

    snapshot = distributions(prefix)

    assert (snapshot.distributions, snapshot.gaps) == ((), ())


def test_a_distribution_is_read_with_its_place(prefix: Path) -> None:
    dist_info(prefix, "torch", "2.1.2+cu118", INSTALLER="pip\n", RECORD="torch/__init__.py,,\n")

    found = distribution(prefix)

    assert (found.name, found.version, found.installer) == ("torch", "2.1.2+cu118", "pip")
    assert (found.location, found.directory) == (SITE, "torch-2.1.2+cu118.dist-info")
    assert found.record == "torch/__init__.py,,\n"


@pytest.mark.parametrize("installer", ["", "\n", " \r\n"])
def test_an_empty_installer_is_none(prefix: Path, installer: str) -> None:
    dist_info(prefix, "torch", "2.1.2", INSTALLER=installer)

    assert distribution(prefix).installer is None


def test_neither_installer_nor_record_is_needed(prefix: Path) -> None:
    dist_info(prefix, "torch", "2.1.2")

    found = distribution(prefix)

    assert (found.installer, found.record) == (None, None)


@pytest.mark.parametrize("end", ["\n\nRequires-Dist: example\n", "\n", ""])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_requirements_are_those_of_the_head(prefix: Path, newline: str, end: str) -> None:
    head = f"{HEAD}Requires-Dist: filelock\nRequires-Dist: triton==2.1.0 ; extra == 'x'{end}"
    dist_info(prefix, "torch", "2.1.2", METADATA=head.replace("\n", newline))

    found = distribution(prefix)

    assert found.requires == ("filelock", "triton==2.1.0 ; extra == 'x'")
    assert (found.name, found.version) == ("torch", "2.1.2+cu118")


def test_the_description_names_no_distribution(prefix: Path) -> None:
    dist_info(prefix, "torch", "2.1.2", METADATA="Version: 1\n\nName: torch\nVersion: 2\n")

    assert list(reasons(distributions(prefix)).values()) == [
        "METADATA names no distribution and version"
    ]


def test_a_requirement_is_kept_without_its_credentials(prefix: Path) -> None:
    required = "inner @ git+https://me:hunter2@git.example/inner.git"
    dist_info(prefix, "torch", "2.1.2", METADATA=f"{HEAD}Requires-Dist: {required}\n\n")

    (found,) = distribution(prefix).requires

    assert found == "inner @ git+https://**:*******@git.example/inner.git"


def test_what_is_no_utf8_is_kept_byte_by_byte(prefix: Path) -> None:
    dist_info(
        prefix,
        "accents",
        "1.0",
        METADATA=b"Name: caf\xe9\nVersion: 1.0\n\n",
        INSTALLER=b"\xff",
        RECORD=b"caf\xe9/__init__.py,,\n",
    )

    snapshot = distributions(prefix)

    assert snapshot.distributions[0].name == "caf\U0010ffe9"
    assert load_snapshot(save_snapshot(snapshot), where="here") == snapshot


def test_a_name_of_a_folder_that_is_no_utf8_is_read(prefix: Path) -> None:
    os.mkdir(os.fsencode(prefix / SITE) + b"/caf\xe9-1.0.dist-info")
    path = os.fsencode(prefix / SITE) + b"/caf\xe9-1.0.dist-info/METADATA"
    with open(path, "w") as file:
        file.write(HEAD)

    assert distribution(prefix).directory == "caf\U0010ffe9-1.0.dist-info"


@pytest.mark.parametrize("metadata", [b"", b"\n\n", b"\x00" * 100, b"Name: torch\n\n", b"\xff\xfe"])
def test_a_metadata_of_nothing_is_a_gap_and_the_others_are_read(
    prefix: Path, metadata: bytes
) -> None:
    dist_info(prefix, "numpy", "1.26.4")
    dist_info(prefix, "torch", "2.1.2", METADATA=metadata)

    snapshot = distributions(prefix)

    assert [d.name for d in snapshot.distributions] == ["numpy"]
    assert list(reasons(snapshot)) == [f"{SITE}/torch-2.1.2.dist-info"]


def test_a_missing_metadata_is_a_gap(prefix: Path) -> None:
    folder(prefix, "torch-2.1.2.dist-info").mkdir()

    assert reasons(distributions(prefix)) == {
        f"{SITE}/torch-2.1.2.dist-info": "METADATA: no such file"
    }


def test_a_dist_info_that_is_a_file_is_a_gap(prefix: Path) -> None:
    folder(prefix, "torch-2.1.2.dist-info").write_text("")

    assert list(reasons(distributions(prefix))) == [f"{SITE}/torch-2.1.2.dist-info"]


def test_a_dist_info_that_is_a_circle_of_links_is_a_gap(prefix: Path) -> None:
    folder(prefix, "torch-2.1.2.dist-info").symlink_to("torch-2.1.2.dist-info")

    assert list(reasons(distributions(prefix))) == [f"{SITE}/torch-2.1.2.dist-info"]


@pytest.mark.parametrize("name", ["METADATA", "RECORD", "INSTALLER"])
def test_a_pipe_in_a_dist_info_is_a_gap(prefix: Path, name: str) -> None:
    dist_info(prefix, "torch", "2.1.2")
    path = folder(prefix, "torch-2.1.2.dist-info") / name
    path.unlink(missing_ok=True)
    os.mkfifo(path)

    (reason,) = reasons(distributions(prefix)).values()

    assert reason.endswith("not a regular file")


@pytest.mark.parametrize("name", ["METADATA", "RECORD", "INSTALLER"])
def test_a_folder_in_a_dist_info_is_a_gap(prefix: Path, name: str) -> None:
    dist_info(prefix, "torch", "2.1.2")
    path = folder(prefix, "torch-2.1.2.dist-info") / name
    path.unlink(missing_ok=True)
    path.mkdir()

    assert list(reasons(distributions(prefix))) == [f"{SITE}/torch-2.1.2.dist-info"]


def test_a_head_without_an_end_is_a_gap(prefix: Path) -> None:
    dist_info(prefix, "torch", "2.1.2", METADATA=HEAD + "X: ")
    with (folder(prefix, "torch-2.1.2.dist-info") / "METADATA").open("r+b") as file:
        file.truncate(50_000_000)

    assert list(reasons(distributions(prefix)).values()) == [
        f"METADATA: no end of its head within {HEAD_LIMIT} bytes"
    ]


def test_a_long_description_is_not_read(prefix: Path) -> None:
    dist_info(prefix, "torch", "2.1.2", METADATA=HEAD + "\n")
    with (folder(prefix, "torch-2.1.2.dist-info") / "METADATA").open("r+b") as file:
        file.truncate(50_000_000)

    assert distribution(prefix).version == "2.1.2+cu118"


def test_a_site_packages_that_is_a_file_is_a_gap(prefix: Path) -> None:
    (prefix / SITE).rmdir()
    (prefix / SITE).write_text("")

    assert list(reasons(distributions(prefix))) == [SITE]


def egg_info(prefix: Path, name: str, **files: str) -> None:
    write(prefix, {f"{SITE}/{name}/{file}": text for file, text in files.items()})


def test_an_egg_info_is_a_distribution(prefix: Path) -> None:
    egg_info(
        prefix,
        "PyYAML-5.3.1-py3.11.egg-info",
        **{
            "PKG-INFO": "Metadata-Version: 1.1\nName: PyYAML\nVersion: 5.3.1\n",
            "requires.txt": "six>=1.9\n\n[:python_version < '3']\nenum34\n\n[libyaml]\ncython\n",
            "installed-files.txt": "../yaml/__init__.py\n../../../../bin/yaml\nPKG-INFO\n",
        },
    )

    found = distribution(prefix)

    assert (found.name, found.version, found.installer) == ("PyYAML", "5.3.1", None)
    assert found.requires == (
        "six>=1.9",
        "enum34 ; (python_version < '3')",
        'cython ; extra == "libyaml"',
    )
    assert [file.path for file in found.files()] == [
        "yaml/__init__.py",
        "../../../bin/yaml",
        "PyYAML-5.3.1-py3.11.egg-info/PKG-INFO",
    ]


def test_an_egg_info_may_be_a_single_file(prefix: Path) -> None:
    write(prefix, {f"{SITE}/six-1.16-py3.11.egg-info": "Name: six\nVersion: 1.16\n"})

    found = distribution(prefix)

    assert (found.name, found.version, found.record) == ("six", "1.16", None)


@pytest.mark.parametrize("files", [{"SOURCES.txt": "x"}, {"PKG-INFO": "nothing"}])
def test_an_egg_info_of_nothing_is_a_gap(prefix: Path, files: dict[str, str]) -> None:
    egg_info(prefix, "six-1.16.egg-info", **files)

    assert list(reasons(distributions(prefix))) == [f"{SITE}/six-1.16.egg-info"]


def test_what_a_user_asked_for_is_marked(prefix: Path) -> None:
    dist_info(prefix, "torch", "2.1.2", REQUESTED="")

    assert distribution(prefix).requested


def origin(prefix: Path, url: str, **files: str) -> Distribution:
    dist_info(prefix, "torch", "2.1.2", **{"direct_url.json": url}, **files)
    return distribution(prefix)


def test_an_editable_install_is_known_with_its_place(prefix: Path) -> None:
    found = origin(prefix, '{"url": "file:///home/me/torch", "dir_info": {"editable": true}}')

    assert (found.direct_url, found.editable) == ("file:///home/me/torch", True)


def test_the_url_of_an_install_is_kept_without_its_credentials(prefix: Path) -> None:
    found = origin(prefix, '{"url": "https://me:hunter2@git.example/a.git", "vcs_info": {}}')

    assert found.direct_url == "https://**:*******@git.example/a.git"
    assert not found.editable


def test_a_repository_is_kept_with_its_commit_as_pip_takes_it(prefix: Path) -> None:
    vcs = '"vcs_info": {"vcs": "git", "commit_id": "1a2b"}, "subdirectory": "python"'

    found = origin(prefix, f'{{"url": "https://git.example/a.git", {vcs}}}')

    assert found.pinned_url == "git+https://git.example/a.git@1a2b#subdirectory=python"


def test_a_repository_without_a_commit_is_no_more_than_its_url(prefix: Path) -> None:
    found = origin(prefix, '{"url": "https://git.example/a.git", "vcs_info": {"vcs": "git"}}')

    assert (found.direct_url, found.pinned_url) == ("https://git.example/a.git", None)


@pytest.mark.parametrize("installer", ["conda", ""])
def test_where_conda_build_worked_is_no_editable_install(prefix: Path, installer: str) -> None:
    url = "file:///home/conda/feedstock_root/build_artifacts/x_1/work"
    found = origin(
        prefix, f'{{"url": "{url}", "dir_info": {{"editable": true}}}}', INSTALLER=installer
    )

    assert (found.direct_url, found.editable) == (None, False)


def test_conda_asks_for_all_that_it_installs(prefix: Path) -> None:
    dist_info(prefix, "torch", "2.1.2", INSTALLER="conda\n", REQUESTED="")

    assert not distribution(prefix).requested


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"url": 1}', "\x00", "[" * 10_000])
def test_a_broken_direct_url_is_a_gap_and_the_distribution_is_kept(prefix: Path, text: str) -> None:
    assert origin(prefix, text).version == "2.1.2"
    assert list(reasons(distributions(prefix))) == [f"{SITE}/torch-2.1.2.dist-info/direct_url.json"]


def test_the_record_of_conda_s_distribution_is_read_where_it_may_answer_an_import(
    prefix: Path,
) -> None:
    wanted = EvidenceWanted(providers=frozenset({"nvidia-ml-py"}))
    for name in ("six", "nvidia_ml_py"):
        dist_info(prefix, name, "1.0", INSTALLER="conda\n", RECORD=f"{name}.py,,\n")
    dist_info(prefix, "filelock", "1.0", INSTALLER="pip\n", RECORD="filelock.py,,\n")

    snapshot = look(prefix, Fact.PYTHON, Fact.DISTRIBUTIONS, wanted=wanted)

    assert {d.name: d.record for d in snapshot.distributions} == {
        "six": None,
        "nvidia_ml_py": "nvidia_ml_py.py,,\n",
        "filelock": "filelock.py,,\n",
    }
