from __future__ import annotations

import os
from collections.abc import Mapping
from types import UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import SnapshotError
from reconciler.model.os_name import from_os, printable, to_os
from reconciler.model.snapshot import SCHEMA, Fact, Snapshot, Target
from reconciler.pipeline import load_snapshot, save_snapshot

if TYPE_CHECKING:
    import msgspec

NOT_FACTS = {"schema", "envfix", "target", "asked", "gaps"}

os_names = st.binary(max_size=24).map(os.fsdecode)
# a name may hold the characters that os_name stores bytes as
odd_names = st.text(st.sampled_from("\U0010ff7f\U0010ff80\U0010ffff\udc80\udcff/aé"), max_size=8)
texts = (os_names | st.text(max_size=24) | odd_names).filter(
    lambda text: not any("\ud800" <= c <= "\udc7f" or "\udd00" <= c <= "\udfff" for c in text)
)
stored = texts.map(from_os)
numbers = st.integers(min_value=0, max_value=2**31)


#: The nouns whose fields are being looked at: a value may hold values of its own kind.
building: list[type[msgspec.Struct]] = []


def within_itself(kind: Any) -> bool:
    return any(each in building for each in (kind, *get_args(kind)))


def structs(noun: type[msgspec.Struct], **fields: st.SearchStrategy) -> st.SearchStrategy:
    """Build any value of a noun: every field by its type, but for those that are given."""
    types = get_type_hints(noun)
    building.append(noun)
    known = {name: values(types[name]) for name in noun.__struct_fields__} | fields
    building.pop()
    return st.builds(noun, **known)


def values(kind: Any) -> st.SearchStrategy:
    """Build any value of a field's type."""
    if kind in {str, int}:
        return stored if kind is str else numbers
    if get_origin(kind) in {Union, UnionType}:
        return st.one_of(*map(values, get_args(kind)))
    if get_origin(kind) is tuple and within_itself(get_args(kind)[0]):
        return st.just(())
    if get_origin(kind) is tuple:
        return st.lists(values(get_args(kind)[0]), max_size=3).map(tuple)
    if get_origin(kind) is Mapping:
        return st.dictionaries(*map(values, get_args(kind)), max_size=3)
    return structs(kind) if hasattr(kind, "__struct_fields__") else st.from_type(kind)


snapshots = structs(Snapshot, schema=st.just(SCHEMA))


@settings(deadline=None, max_examples=30)
@given(snapshots)
def test_a_snapshot_goes_to_json_and_back_without_loss(snapshot: Snapshot) -> None:
    assert load_snapshot(save_snapshot(snapshot), where="here") == snapshot


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

    with pytest.raises(SnapshotError, match=f"of schema {schema.decode()};"):
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
    assert from_os(name).encode().isascii() == name.isascii()


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


@pytest.mark.parametrize(
    ("path", "is_inside"),
    [("/src/app", True), ("/src/app/lib", True), ("/src/apple", False), ("/src", False)],
)
def test_a_path_is_of_the_project_where_it_lies_in_its_folder(path: str, is_inside: bool) -> None:
    target = Target(project="/src/app", platform="linux-64")

    assert target.is_of_project(path) is is_inside
