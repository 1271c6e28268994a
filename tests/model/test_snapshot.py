from __future__ import annotations

import os
from typing import get_type_hints

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import SnapshotError
from reconciler.model.distribution import Distribution
from reconciler.model.host import DriverRelease, PathEntry
from reconciler.model.library import EvidenceText, SharedLibrary
from reconciler.model.manifest import Declared, Manifest
from reconciler.model.os_name import from_os, printable, to_os
from reconciler.model.prefix import PrefixRecord, Python
from reconciler.model.snapshot import SCHEMA, Fact, Gap, Snapshot, Target
from reconciler.pipeline import load_snapshot, save_snapshot

NOT_FACTS = {"schema", "envfix", "target", "asked", "gaps"}

os_names = st.binary(max_size=24).map(os.fsdecode)
# a name may hold the characters that os_name stores bytes as
odd_names = st.text(st.sampled_from("\U0010ff7f\U0010ff80\U0010ffff\udc80\udcff/aé"), max_size=8)
texts = (os_names | st.text(max_size=24) | odd_names).filter(
    lambda text: not any("\ud800" <= c <= "\udc7f" or "\udd00" <= c <= "\udfff" for c in text)
)
stored = texts.map(from_os)
numbers = st.integers(min_value=0, max_value=2**31)

STRATEGIES = {str: stored, int: numbers}


def structs(kind: type[msgspec.Struct], **fields: st.SearchStrategy) -> st.SearchStrategy:
    """Build any value of a noun: every field by its type, but for those that are given."""
    types = get_type_hints(kind)
    known = {name: fields.get(name, strategy_of(types[name])) for name in kind.__struct_fields__}
    return st.builds(kind, **known)


def strategy_of(kind: type) -> st.SearchStrategy:
    """Build any value of a field's type."""
    match msgspec.inspect.type_info(kind):
        case msgspec.inspect.StrType():
            return stored
        case msgspec.inspect.VarTupleType():
            return st.lists(strategy_of(kind.__args__[0]), max_size=3).map(tuple)
        case msgspec.inspect.UnionType():
            return st.one_of(*map(strategy_of, kind.__args__))
        case msgspec.inspect.DictType():
            return st.dictionaries(stored, stored, max_size=3)
        case msgspec.inspect.StructType():
            return structs(kind)
        case msgspec.inspect.IntType():
            return numbers
    return st.from_type(kind)


snapshots = structs(Snapshot, schema=st.just(SCHEMA))


@settings(deadline=None, max_examples=150)
@given(snapshots)
def test_a_snapshot_goes_to_json_and_back_without_loss(snapshot: Snapshot) -> None:
    assert load_snapshot(save_snapshot(snapshot), where="here") == snapshot


@pytest.mark.parametrize(
    "noun",
    [
        Declared,
        Distribution,
        DriverRelease,
        EvidenceText,
        Gap,
        Manifest,
        PathEntry,
        PrefixRecord,
        Python,
        SharedLibrary,
        Target,
    ],
)
def test_every_noun_of_a_snapshot_can_be_built(noun: type[msgspec.Struct]) -> None:
    assert structs(noun).example


@given(snapshot=snapshots)
@settings(deadline=None, max_examples=20)
def test_a_saved_snapshot_is_saved_again_as_it_was(snapshot: Snapshot) -> None:
    saved = save_snapshot(snapshot)

    assert save_snapshot(load_snapshot(saved, where="here")) == saved


def test_every_fact_is_a_field_of_the_snapshot() -> None:
    assert {fact.value for fact in Fact} == set(Snapshot.__struct_fields__) - NOT_FACTS


SAVED = save_snapshot(
    Snapshot(
        envfix="0.1.0",
        target=Target(project="/project", platform="linux-64"),
        variables={"PATH": "/bin"},
    )
)


@pytest.mark.parametrize("schema", [b"0", b"2", b"10", b"-1"])
def test_another_schema_is_said_to_be_one(schema: bytes) -> None:
    raw = SAVED.replace(b'"schema": 1', b'"schema": ' + schema)
    assert raw != SAVED

    with pytest.raises(SnapshotError, match=f"another schema \\({schema.decode()}\\)"):
        load_snapshot(raw, where="here")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n",
        b"{}",
        b"[]",
        b"null",
        b"7",
        b"not json",
        b"\x7fELF",
        b"\xff\xfe\x00",
        b'{"schema": 1}',
        b'{"schema": "1"}',
        b'{"schema": null}',
        b'{"schema": true}',
        b'{"schema": 1.0}',
        b'{"schema": {"a":\n1}}',
        b'{"schema": 1, "envfix": 7}',
        b'{"schema": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"schema": ' + b"[" * 100_000,
        b'{"schema": 1, "envfix": "0", "target": ' + b"[" * 100_000,
        SAVED.replace(b'"variables": {', b'"variables": [{'),
        SAVED.replace(b'"none"', b'"other"'),
    ],
    ids=lambda raw: repr(raw[:40]),
)
def test_what_is_no_snapshot_is_an_error_of_one_line(raw: bytes) -> None:
    with pytest.raises(SnapshotError) as caught:
        load_snapshot(raw, where="snapshot.json")

    assert str(caught.value).startswith("snapshot.json: ")
    assert "\n" not in str(caught.value)


@given(st.integers(0, len(SAVED.rstrip()) - 1))
def test_a_truncated_snapshot_is_an_error_of_one_line(length: int) -> None:
    with pytest.raises(SnapshotError) as caught:
        load_snapshot(SAVED[:length], where="snapshot.json")

    assert "\n" not in str(caught.value)


def test_a_field_that_a_later_envfix_adds_is_passed_over() -> None:
    raw = SAVED.replace(b'"schema": 1', b'"schema": 1, "later": [1]')

    assert load_snapshot(raw, where="here") == load_snapshot(SAVED, where="here")


@given(os_names | odd_names)
def test_a_name_comes_back_from_its_stored_form(name: str) -> None:
    assert os.fsencode(to_os(from_os(name))) == os.fsencode(name)


@given(os_names | odd_names)
def test_a_stored_name_can_be_encoded(name: str) -> None:
    assert from_os(name).encode()


@given(os_names | odd_names, os_names | odd_names)
def test_storing_and_joining_commute(left: str, right: str) -> None:
    assert from_os(f"{left}/{right}") == f"{from_os(left)}/{from_os(right)}"


@given(os_names, os_names)
def test_two_names_have_two_stored_forms(left: str, right: str) -> None:
    assert (from_os(left) == from_os(right)) == (left == right)


@given(os_names | odd_names | st.text())
def test_a_printable_name_holds_nothing_that_a_terminal_would_obey(name: str) -> None:
    assert printable(from_os(name)).isprintable()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("café", "café"),
        (os.fsdecode(b"caf\xe9"), "caf\\xe9"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\nb", "a\\x0ab"),
        ("\u202ecba", "\\u202ecba"),
        ("\U000e0001", "\\U000e0001"),
        ("\x9b31m", "\\x9b31m"),
    ],
)
def test_what_a_terminal_would_obey_is_escaped(name: str, shown: str) -> None:
    assert printable(from_os(name)) == shown
