from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from reconciler.collect.distributions import HEAD_LIMIT
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


@pytest.mark.parametrize("name", ["torch", "torch-2.1.2.egg-info", "torch.dist-info.bak", "x.pth"])
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
