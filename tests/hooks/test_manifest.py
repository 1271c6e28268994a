"""The record of a hook shows an edited, a missing and a stale script."""

import pytest
from msgspec.structs import replace

from reconciler.errors import HookError
from reconciler.hooks import manifest, writing
from reconciler.model.hook import FileState
from tests.hooks.worlds import hook_of

HOOK = hook_of("a", "/opt/my \udbff\udf80é".encode("utf-16", "surrogatepass").decode("utf-16"))
FILES = writing.scripts(HOOK)
RECORD = manifest.manifest_of(HOOK, FILES)
ON_DISK = {file.path: file.sha256 for file in FILES}


def test_a_record_comes_back_as_it_was_kept():
    assert manifest.decode(manifest.encode(RECORD), where="x") == RECORD


def test_a_hook_that_nobody_touched_is_whole():
    status = manifest.status(RECORD, ON_DISK, HOOK)
    assert status.is_whole
    assert not status.is_stale


def test_an_edited_and_a_missing_script_are_seen():
    edited, missing, *rest = ON_DISK
    found = {**ON_DISK, edited: "0" * 64, missing: None}
    status = manifest.status(RECORD, found)
    states = {script.path: script.state for script in status.scripts}
    assert states == {
        edited: FileState.EDITED,
        missing: FileState.MISSING,
        **dict.fromkeys(rest, FileState.INTACT),
    }
    assert not status.is_whole


def test_a_script_that_was_not_looked_for_is_missing():
    assert not manifest.status(RECORD, {}).is_whole


def test_a_hook_that_does_not_do_what_is_wanted_today_is_stale():
    wanted = replace(HOOK, variables=HOOK.variables[1:])
    assert manifest.status(RECORD, ON_DISK, wanted).is_stale


def test_another_version_or_another_reason_makes_no_hook_stale():
    wanted = replace(HOOK, created_by="9.9", why=())
    assert not manifest.status(RECORD, ON_DISK, wanted).is_stale


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff", b'{"files": []}', b'{"schema_version": 2}']
)
def test_a_record_that_cannot_be_read_is_said(content):
    with pytest.raises(HookError, match=r"hooks\.json: the record"):
        manifest.decode(content, where="/e/etc/envfix/hooks.json")


def test_a_record_of_a_later_schema_is_said():
    later = manifest.encode(replace(RECORD, schema_version=2))
    with pytest.raises(HookError, match="the schema 2"):
        manifest.decode(later, where="x")
