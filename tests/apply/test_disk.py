"""A file that is written anew lets in whom the old one did, and nobody else."""

from __future__ import annotations

import errno
import os
import struct
from pathlib import Path

import pytest
from apply.scene import mode

from reconciler.apply.disk import DISK

ACCESS, DEFAULT = "system.posix_acl_access", "system.posix_acl_default"
USER_OBJ, USER, GROUP_OBJ, MASK, OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
NOBODY_IN_PARTICULAR = 0xFFFFFFFF


def access_list(user: int) -> bytes:
    """The owner and one more user may read and write: linux/posix_acl_xattr.h."""
    entries = [(USER_OBJ, 6), (USER, 6), (GROUP_OBJ, 0), (MASK, 6), (OTHER, 0)]
    packed = (
        struct.pack("<HHI", tag, bits, user if tag == USER else NOBODY_IN_PARTICULAR)
        for tag, bits in entries
    )
    return struct.pack("<I", 2) + b"".join(packed)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    (tmp_path / "old").touch(0o600)
    return tmp_path / "old"


@pytest.fixture
def new(tmp_path: Path) -> Path:
    (tmp_path / "new").touch(0o600)
    return tmp_path / "new"


@pytest.fixture
def foreign(old: Path) -> Path:
    """A file of another user, and of another group."""
    try:
        os.chown(old, 1234, 2345)
    except (AttributeError, OSError):
        # Whoever may not give a file away is not the administrator.
        return Path("/etc/passwd")
    old.chmod(0o676)
    return old


def give(path: Path, name: str, value: bytes) -> None:
    try:
        os.setxattr(path, name, value)
    except (AttributeError, OSError):
        pytest.skip("this file system keeps no access lists")


def fails(error: int) -> object:
    def call(*_: object) -> None:
        raise OSError(error, os.strerror(error))

    return call


def test_an_access_list_is_kept(old: Path, new: Path) -> None:
    give(old, ACCESS, access_list(1234))

    DISK.dress(str(new), str(old))

    assert os.getxattr(new, ACCESS) == access_list(1234)
    assert mode(new) == mode(old) == 0o660


def test_an_access_list_that_the_folder_gives_is_not_taken(old: Path, tmp_path: Path) -> None:
    give(tmp_path, DEFAULT, access_list(1234))
    new = tmp_path / "new"
    new.touch()
    assert ACCESS in os.listxattr(new)

    DISK.dress(str(new), str(old))

    assert ACCESS not in os.listxattr(new)
    assert mode(new) == 0o600


def test_an_access_list_that_cannot_be_kept_is_an_error(
    old: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(old, ACCESS, access_list(1234))
    monkeypatch.setattr(os, "setxattr", fails(errno.ENOTSUP))

    with pytest.raises(OSError, match="not supported"):
        DISK.dress(str(new), str(old))


def test_another_attribute_that_cannot_be_kept_is_let_go(
    old: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(old, "user.color", b"green")
    monkeypatch.setattr(os, "setxattr", fails(errno.ENOTSUP))

    DISK.dress(str(new), str(old))

    assert os.listxattr(new) == []


@pytest.mark.skipif(not hasattr(os, "listxattr"), reason="this system has no attributes")
def test_a_file_system_without_attributes_will_do(
    old: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old.chmod(0o640)
    monkeypatch.setattr(os, "listxattr", fails(errno.ENOTSUP))

    DISK.dress(str(new), str(old))

    assert mode(new) == 0o640


def test_a_system_without_attributes_will_do(
    old: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old.chmod(0o640)
    monkeypatch.delattr(os, "listxattr", raising=False)

    DISK.dress(str(new), str(old))

    assert mode(new) == 0o640


def test_the_owner_is_asked_for_first(
    foreign: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr(os, "chown", lambda *arguments: asked.append(arguments))
    found = foreign.stat()

    DISK.dress(str(new), str(foreign))

    assert asked == [(str(new), found.st_uid, found.st_gid)]
    assert mode(new) == mode(foreign)


def test_what_a_group_might_do_is_not_for_another(
    foreign: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "chown", fails(errno.EPERM))

    DISK.dress(str(new), str(foreign))

    assert mode(new) == (0o644 if foreign.name == "passwd" else 0o666)
