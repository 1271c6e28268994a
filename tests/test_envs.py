"""Each folder of fixtures/envs is one environment: what the scan says of it is its expected.txt."""

from __future__ import annotations

import base64
import hashlib
import shutil
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from reconciler import catalog, pipeline, rules
from reconciler.collect.prefixes import Choice
from reconciler.collect.rereading import change_of
from reconciler.model.finding import Severity
from reconciler.model.host import DriverRelease
from reconciler.model.report import Report
from reconciler.model.snapshot import Fact
from reconciler.output import text

if TYPE_CHECKING:
    from reconciler.model.snapshot import Snapshot

CASES = sorted(path.parent for path in Path(__file__).parents[1].glob("fixtures/envs/*/host.toml"))
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


class Host(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The host.toml of a case."""

    about: str
    #: The threads that it is from, such as ``owner/repo#N``; none where no thread is behind it.
    thread: str | None = None
    #: conda's name of the platform that the environment is for.
    platform: str = "linux-64"
    #: The release of the driver; None on a machine without one.
    driver: str | None = None
    #: The variables of the shell; $CASE stands for the case's own folder. HOME is $CASE/home.
    variables: Mapping[str, str] = {}
    #: Files of the prefix that another's installation or removal has overwritten or deleted.
    lost: tuple[str, ...] = ()


def host_of(case: Path) -> Host:
    return msgspec.convert(tomllib.loads((case / "host.toml").read_text("utf-8")), Host)


def snapshot_of(case: Path) -> Snapshot:
    seen = seen_of(case)
    host = host_of(case)
    return msgspec.structs.replace(
        seen,
        asked=(*seen.asked, Fact.DRIVER),
        driver=DriverRelease.parse(host.driver) if host.driver else None,
        # a prefix that does not tell is taken for one of the machine that runs the tests
        target=msgspec.structs.replace(seen.target, platform=host.platform),
    )


def seen_of(case: Path) -> Snapshot:
    host = host_of(case)
    variables = {"HOME": "$CASE/home", **host.variables}
    variables = {n: v.replace("$CASE", str(case)) for n, v in variables.items()}
    choice = Choice(prefix=str(case / "prefix"))
    seen = pipeline.look(str(case / "project"), choice, variables, host=False, root=str(case))
    if (case / "prefix/bin/python").exists():
        return seen
    # without an interpreter there is nothing that a loader would start
    return msgspec.structs.replace(
        seen,
        asked=tuple(fact for fact in seen.asked if fact is not Fact.LOADER),
        gaps=tuple(gap for gap in seen.gaps if gap.fact is not Fact.LOADER),
    )


def fixed(case: Path) -> dict[str, bytes | None]:
    """Return what the fixes make of the case's files, with those that may not be what is meant."""
    repair = pipeline.fix(snapshot_of(case), unsafe=True)
    changes = [change_of(str(case / "project"), file) for file in repair.files]
    return {change.name: change.after for change in changes}


def judged(snapshot: Snapshot) -> Report:
    return pipeline.judge(snapshot, tuple(rules.all_rules().values()), catalog.load())


def rendered(case: Path, snapshot: Snapshot) -> str:
    # the folder's name goes before the page is set, so that lines break alike everywhere
    report = msgspec.json.encode(judged(snapshot)).replace(str(case).encode(), b"CASE")
    return text.render(msgspec.json.decode(report, type=Report))


@each_case
def test_the_report_is_the_expected_one(case: Path, pytestconfig: pytest.Config) -> None:
    report = rendered(case, snapshot_of(case))
    expected = case / "expected.txt"
    if pytestconfig.getoption("accept"):
        expected.write_text(report, encoding="utf-8")
    assert report == expected.read_text(encoding="utf-8")


@each_case
def test_the_files_are_mended_as_expected(case: Path, pytestconfig: pytest.Config) -> None:
    files = fixed(case)
    folder = case / "fixed"
    if pytestconfig.getoption("accept"):
        shutil.rmtree(folder, ignore_errors=True)
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content or b"")
    expected = (path for path in sorted(folder.rglob("*")) if path.is_file())
    assert files == {p.relative_to(folder).as_posix(): p.read_bytes() for p in expected}


@pytest.mark.parametrize(
    "case", [c for c in CASES if c.name.startswith("healthy-")], ids=lambda case: case.name
)
def test_a_healthy_environment_is_left_alone(case: Path) -> None:
    assert judged(snapshot_of(case)).findings == ()


@pytest.mark.parametrize(
    "case", [c for c in CASES if not c.name.startswith("healthy-")], ids=lambda case: case.name
)
def test_a_broken_environment_is_found(case: Path) -> None:
    severities = {finding.severity for finding in judged(snapshot_of(case)).findings}

    assert severities & {Severity.ERROR, Severity.WARNING}


@pytest.mark.parametrize(
    "case",
    [c for c in CASES if host_of(c).platform != "linux-64"],
    ids=lambda case: case.name,
)
def test_the_platform_of_another_machine_s_environment_is_seen(case: Path) -> None:
    assert seen_of(case).target.platform == host_of(case).platform


@each_case
def test_everything_is_judged_and_nothing_unseen(case: Path) -> None:
    report = judged(snapshot_of(case))

    assert (report.gaps, report.skips, report.crashes) == ((), (), ())


@each_case
def test_a_saved_snapshot_gives_the_same_report_elsewhere(case: Path, tmp_path: Path) -> None:
    there = tmp_path / case.name
    shutil.copytree(case, there)
    saved = pipeline.save_snapshot(snapshot_of(there))
    shutil.rmtree(there)

    replayed = pipeline.load_snapshot(saved, where="saved.json")

    assert rendered(there, replayed) == rendered(case, snapshot_of(case))


@each_case
def test_every_recorded_file_is_there_as_the_last_that_installed_it_says(case: Path) -> None:
    snapshot = snapshot_of(case)
    said: dict[Path, set[tuple[str, int | None]]] = defaultdict(set)
    for distribution in snapshot.distributions:
        folder = case / "prefix" / distribution.location
        # Of conda's, a snapshot keeps no RECORD.
        record = (folder / distribution.directory / "RECORD").read_text("utf-8")
        record = record.replace("\\", "/") if distribution.location.startswith("Lib/") else record
        for file in msgspec.structs.replace(distribution, record=record).files():
            said[folder / file.path].add((file.hash, file.size))

    for path, claims in said.items():
        if path.relative_to(case / "prefix").as_posix() in host_of(case).lost:
            continue
        content = path.read_bytes()
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        is_record = path.parts[-2].endswith(".dist-info") and path.name == "RECORD"
        assert (("", None) if is_record else (f"sha256={digest}", len(content))) in claims, path


@each_case
def test_the_files_of_conda_records_are_there_with_the_hash_and_size_recorded(case: Path) -> None:
    prefix = case / "prefix"
    for meta in sorted(prefix.glob("conda-meta/*.json")):
        record = msgspec.json.decode(meta.read_bytes())
        paths = record["paths_data"]["paths"]
        assert record["files"] == [path["_path"] for path in paths]
        for path in paths:
            if path["_path"] in host_of(case).lost:
                continue
            content = (prefix / path["_path"]).read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            assert (path["sha256_in_prefix"], path["size_in_bytes"]) == (digest, len(content))


@each_case
def test_a_case_is_small(case: Path) -> None:
    files = [path for path in case.rglob("*") if path.is_file()]

    assert len(files) < 90
    assert max(path.stat().st_size for path in files) < 10_000
