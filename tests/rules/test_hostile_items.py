"""One bad item never blinds a rule to the others: each rule, with broken items beside its fault."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from reconciler import catalog, pipeline, rules
from reconciler.check import run_rules
from reconciler.model.distribution import Distribution
from reconciler.model.host import ImportPath, KernelSpec, PathEntry, PipOption, SystemToolkit
from reconciler.model.library import EvidenceText, PayloadFile, SharedLibrary
from reconciler.model.prefix import ActivationScript, PrefixRecord, PrefixState, StateVariable
from reconciler.model.report import Crash
from reconciler.model.snapshot import Choice, Fact, Gap, Snapshot
from reconciler.testing import sketch
from reconciler.world import World

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.model.finding import Finding
    from reconciler.model.rule import RuleModule

RULES = rules.all_rules()
CATALOG = catalog.load()
CASES = sorted(path.parent for path in Path(__file__).parents[2].glob("fixtures/envs/*/host.toml"))
BROKEN_CASES = [case for case in CASES if not case.name.startswith("healthy-")]
SITE = "lib/python3.11/site-packages"

each_rule = pytest.mark.parametrize("code", RULES)

TEXTS = (
    "",
    " ",
    "\x00",
    "\x1b[2J",
    "a\nb",
    "../../..",
    "/",
    "[[[",
    ">=,<",
    "\U0010ffff",
    "9" * 999,
)
#: Names that the tables know, so that what is odd about an item reaches what asks the tables.
KNOWN = ("numpy", "nvidia-cudnn-cu12", "cuda-version", "torch", "python", "pip")


def records() -> Iterator[PrefixRecord]:
    for text in TEXTS:
        yield PrefixRecord(name=text, version=text, build=text, subdir=text)
        yield PrefixRecord(
            name="never-heard-of",
            version=text,
            build=text,
            build_number=-5,
            channel=text,
            depends=(text, f"cuda-version {text}", f"cudnn {text}", f"python {text}"),
            constrains=(text, f"cuda-version {text}", f"pytorch {text}"),
            files=(text, f"{SITE}/{text}", f"lib/libcudart.so.12/{text}"),
            requested_specs=(text,),
        )


def distributions() -> Iterator[Distribution]:
    for number, text in enumerate(TEXTS):
        for name in (text, f"never-heard-of-{number}"):
            yield Distribution(
                name=name,
                version=text,
                location=SITE,
                directory=f"{text}.dist-info",
                installer=text or None,
                requires=(text, f"never-heard-of=={text}", f"x ; python_version {text}"),
                record=f'{text},{text},{text}\n,,,,\n"{text}\n{text},sha256=,-1\n',
                direct_url=text or None,
                editable=bool(text),
            )


def with_hostile_items(seen: Snapshot) -> Snapshot:
    """Add broken items of every fact that was collected, and say that others were unreadable."""
    absent = {gap.fact for gap in seen.gaps if gap.item is None}
    state = seen.state or PrefixState()
    added = {
        Fact.RECORDS: tuple(records()),
        Fact.DISTRIBUTIONS: tuple(distributions()),
        Fact.OUTSIDE: tuple(distributions()),
        Fact.LIBRARIES: tuple(
            SharedLibrary(path=t, soname=t, needed=(t,), rpath=t, runpath=t) for t in TEXTS
        ),
        Fact.EVIDENCE: tuple(EvidenceText(path=t, text=t) for t in TEXTS),
        Fact.PYTHONPATH: tuple(
            PathEntry(path=t, python_in_path=t, prefix=None, distributions=(t,)) for t in TEXTS
        ),
        Fact.IMPORT_PATHS: tuple(ImportPath(path=t, origin=".pth", via=t) for t in TEXTS),
        Fact.PAYLOAD: tuple(PayloadFile(path=t, size=-1, sha256=t) for t in TEXTS),
        Fact.KERNELS: tuple(KernelSpec(name=t, path=t, interpreter=t) for t in TEXTS),
        Fact.PIP_OPTIONS: tuple(PipOption(source=t, name=t, value=t) for t in TEXTS),
        Fact.TOOLKITS: tuple(SystemToolkit(path=t, version=t, cudnn=t) for t in TEXTS),
    }
    changes = {
        fact.value: (*items, *getattr(seen, fact.value), *items)
        for fact, items in added.items()
        if fact not in absent
    }
    if Fact.STATE not in absent:
        changes["state"] = msgspec.structs.replace(
            state,
            pinned=(*TEXTS, *state.pinned, *TEXTS),
            variables=(
                *(StateVariable(name=t, value=t, source=t) for t in TEXTS),
                *state.variables,
            ),
            scripts=(*(ActivationScript(path=t, text=t) for t in TEXTS), *state.scripts),
        )
    unreadable = tuple(
        Gap(fact=fact, item=text, reason="not a regular file") for fact in Fact for text in TEXTS
    )
    return msgspec.structs.replace(seen, **changes, gaps=seen.gaps + unreadable)


def results(module: RuleModule[World], seen: Snapshot) -> tuple[object, ...]:
    return tuple(run_rules([module], World(seen, CATALOG)))


def causes(found: Iterable[object]) -> set[str]:
    assert [result.traceback for result in found if isinstance(result, Crash)] == []
    return {result.cause for result in found if hasattr(result, "cause")}


@each_rule
def test_a_rule_finds_its_fault_among_broken_items(code: str) -> None:
    bad = sketch(RULES[code].BAD)

    found = causes(results(RULES[code], with_hostile_items(bad)))

    assert causes(results(RULES[code], bad)) <= found


@each_rule
def test_a_rule_survives_broken_items_where_nothing_is_wrong(code: str) -> None:
    causes(results(RULES[code], with_hostile_items(sketch(RULES[code].GOOD))))


@each_rule
@pytest.mark.parametrize("name", KNOWN)
def test_a_rule_survives_known_packages_of_odd_values(code: str, name: str) -> None:
    known = [msgspec.structs.replace(r, name=name) for r in records()]
    wheels = [msgspec.structs.replace(d, name=name) for d in distributions()]
    bad = sketch(RULES[code].BAD)

    causes(
        results(
            RULES[code],
            msgspec.structs.replace(
                bad,
                records=(*known, *bad.records),
                distributions=(*wheels, *bad.distributions),
                outside=(*wheels, *bad.outside),
            ),
        )
    )


@pytest.mark.skipif(os.name == "nt", reason="FIFOs")
@pytest.mark.parametrize("case", BROKEN_CASES, ids=lambda case: case.name)
def test_a_broken_neighbor_hides_nothing_of_an_environment(case: Path, tmp_path: Path) -> None:
    there = tmp_path / "case"
    shutil.copytree(case, there, symlinks=True)
    before = findings(there)

    plant_broken_neighbors(there / "prefix")
    after = findings(there)

    assert {(f.code, f.cause) for f in before} <= {(f.code, f.cause) for f in after}


def findings(case: Path) -> list[Finding]:
    choice = Choice(prefix=str(case / "prefix"))
    seen = pipeline.look(str(case / "project"), choice, variables_of(case), host=False)
    report = pipeline.scan(seen)
    assert report.crashes == ()
    return [f for root in report.findings for f in (root, *root.symptoms)]


def variables_of(case: Path) -> dict[str, str]:
    host = msgspec.toml.decode((case / "host.toml").read_bytes())
    return {n: v.replace("$CASE", str(case)) for n, v in host.get("variables", {}).items()}


def plant_broken_neighbors(prefix: Path) -> None:
    contents = {
        "empty": b"",
        "cut": b'{"name": "x", "fil',
        "garbage": bytes(range(256)),
        "deep": b"[" * 99_999,
    }
    for site in [*prefix.glob("lib/python*/site-packages"), *prefix.glob("Lib/site-packages")]:
        for name, content in contents.items():
            info = site / f"aa_{name}-1.0.dist-info"
            info.mkdir()
            for file in ("METADATA", "RECORD", "INSTALLER", "direct_url.json"):
                (info / file).write_bytes(content)
            (site / f"aa_{name}.pth").write_bytes(content)
        (site / "aa_file-1.0.dist-info").touch()
        (site / "aa_empty_folder-1.0.dist-info").mkdir()
        (site / "aa_loop-1.0.dist-info").symlink_to("aa_loop-1.0.dist-info")
        (site / "zz_no_record-1.0.dist-info").mkdir()
        (site / "zz_no_record-1.0.dist-info" / "METADATA").write_text("Name: zz\nVersion: 1.0\n\n")
        os.mkfifo(site / "zz_no_record-1.0.dist-info" / "RECORD")
    if (prefix / "conda-meta").is_dir():
        for name, content in contents.items():
            (prefix / "conda-meta" / f"aa_{name}.json").write_bytes(content)
        os.mkfifo(prefix / "conda-meta" / "aa_fifo.json")
