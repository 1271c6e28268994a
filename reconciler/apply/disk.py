"""The few calls to the operating system that a write is made of, as a port."""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if sys.platform == "win32":  # pragma: no cover - the tests run where there is fcntl
    import msvcrt
else:
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Sequence

#: No file that envfix writes comes near it, and a hostile one shall not fill the memory.
LIMIT = 64 << 20
# Without O_NONBLOCK, opening a FIFO waits for its other end for ever.
_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
#: What the kernel, or only an administrator, gives a file.
_NOT_OURS = ("security.", "trusted.")
#: Without it, the bits of the group that a file with an access list shows let others in.
_ACCESS_LIST = "system.posix_acl_access"


class Disk:
    """The machine, as far as a write needs it; a test passes one that dies, is full or fails.

    Every method raises OSError.
    """

    #: Windows gives no handle of a folder, and removes no file that is open.
    is_windows = os.name == "nt"

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, None where there is nothing; refuses what is no regular file."""
        try:
            found = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        _refuse_irregular(found)
        with open(path, "rb") as file:
            return file.read()

    def create(self, path: str, mode: int) -> int:
        """Make a file that is not there yet; return its descriptor."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, mode)

    def open_lock(self, path: str) -> tuple[int, bool]:
        """Open a file to lock it; tell whether it was made by this call."""
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _FLAGS, 0o600), True
        except FileExistsError:
            _refuse_irregular(os.lstat(path))
            return os.open(path, os.O_RDWR | _FLAGS), False

    def lock(self, descriptor: int) -> None:
        """Lock an open file against other processes, until this one closes it or ends."""
        if sys.platform == "win32":  # pragma: no cover - the tests run where there is fcntl
            # One byte far behind the end: a byte that is locked cannot be read by others.
            os.lseek(descriptor, 1 << 30, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            os.lseek(descriptor, 0, os.SEEK_SET)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def is_at(self, descriptor: int, path: str) -> bool:
        """Tell whether an open file is still the one of this path."""
        try:
            return os.path.samestat(os.fstat(descriptor), os.lstat(path))
        except FileNotFoundError:
            return False

    def is_running(self, pid: int) -> bool:
        """Tell whether a process of this machine runs; True where that cannot be asked."""
        if self.is_windows:  # os.kill would end it
            return True
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except OSError:
            return True
        return True

    def write(self, descriptor: int, content: bytes) -> int:
        """Write some of the bytes; return how many."""
        return os.write(descriptor, content)

    def empty(self, descriptor: int) -> None:
        """Make an open file empty."""
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)

    def is_empty(self, descriptor: int) -> bool:
        """Tell whether an open file is empty."""
        return os.fstat(descriptor).st_size == 0

    def sync(self, descriptor: int) -> None:
        """Wait until an open file's bytes are on the disk."""
        os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        """Close a file."""
        os.close(descriptor)

    def dress(self, path: str, like: str) -> None:
        """Give a file the permissions of another, and its owner and attributes where possible."""
        model = os.stat(like)
        mode = stat.S_IMODE(model.st_mode)
        if not self.is_windows and not _give(path, model):
            # What one group might do is not for another, unless all others might.
            mode &= ~0o070 | (mode & 0o007) << 3
        os.chmod(path, mode)
        _copy_attributes(like, path)

    def set_mode(self, path: str, mode: int) -> None:
        """Give a file these permissions."""
        os.chmod(path, mode)

    def link(self, source: str, path: str) -> None:
        """Give a file a second name."""
        os.link(source, path)

    def replace(self, source: str, path: str) -> None:
        """Put a file in the place of another, in one step."""
        os.replace(source, path)

    def remove(self, path: str) -> None:
        """Remove a file, if it is there."""
        with suppress(FileNotFoundError):
            os.remove(path)

    def sync_folder(self, path: str) -> None:
        """Wait until the names of a folder are on the disk."""
        if self.is_windows:
            return
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def make_folder(self, path: str) -> None:
        """Make a folder of the user's own, with those above it, if it is not there."""
        os.makedirs(path, 0o700, exist_ok=True)

    def make_part(self, path: str) -> None:
        """Make one folder of what is written, with the permissions that the umask leaves."""
        with suppress(FileExistsError):
            os.mkdir(path)

    def remove_part(self, path: str) -> None:
        """Remove a folder, unless something lies in it or it is not there."""
        try:
            os.rmdir(path)
        except OSError as error:
            # https://man7.org/linux/man-pages/man2/rmdir.2.html: either tells that it is not empty.
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT, errno.ENOTDIR}:
                raise

    def names(self, path: str) -> Sequence[str]:
        """Return what lies in a folder, in order; nothing where it is not there."""
        try:
            return sorted(os.listdir(path))
        except FileNotFoundError:
            return ()


#: The machine itself.
DISK = Disk()


def write_all(disk: Disk, descriptor: int, content: bytes) -> None:
    """Write all of the bytes, and wait until they are on the disk."""
    rest = memoryview(content)
    while rest:
        rest = rest[disk.write(descriptor, bytes(rest)) :]
    disk.sync(descriptor)


def write_file(  # noqa: PLR0913 - what a file is made of, by name
    disk: Disk,
    path: str,
    content: bytes,
    *,
    at_most: int = 0o600,
    mode: int | None = None,
    like: str | None = None,
) -> None:
    """Make a file of these bytes.

    Its permissions are those of the file ``like``, or ``mode``, or ``at_most`` less the umask.
    """
    descriptor = disk.create(path, at_most)
    try:
        if like is not None:
            disk.dress(path, like)
        elif mode is not None:
            disk.set_mode(path, mode)
        write_all(disk, descriptor, content)
    finally:
        disk.close(descriptor)


def _refuse_irregular(found: os.stat_result) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "Not a regular file")
    if found.st_size > LIMIT:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))


def _give(path: str, model: os.stat_result) -> bool:
    """Give a file an owner and a group; tell whether it has the group."""
    mine = os.stat(path)
    if (mine.st_uid, mine.st_gid) == (model.st_uid, model.st_gid):
        return True
    for owner in (model.st_uid, -1):
        with suppress(OSError):
            os.chown(path, owner, model.st_gid)
            return True
    return False


def _copy_attributes(source: str, path: str) -> None:
    wanted, inherited = _attributes(source), _attributes(path)
    if _ACCESS_LIST in inherited and _ACCESS_LIST not in wanted:
        # What the folder gives its new files: it may let in whom the old file did not.
        os.removexattr(path, _ACCESS_LIST)
    for name in wanted:
        try:
            os.setxattr(path, name, os.getxattr(source, name))
        except OSError:
            if name == _ACCESS_LIST:
                raise


def _attributes(path: str) -> Sequence[str]:
    if not hasattr(os, "listxattr"):
        return ()
    try:
        return [name for name in os.listxattr(path) if not name.startswith(_NOT_OURS)]
    except OSError:
        return ()  # a file system that has none
