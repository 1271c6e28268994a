"""Run one command and print a JSON line: wall in milliseconds, peak memory in MB, exit code.

It is a process of its own, started without `site`, because on Linux a child inherits the peak memory of the
process that starts it: this one is smaller than any Python that is measured.
"""

import os
import sys
import time

SILENT = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]

started = time.perf_counter()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=SILENT)
_, status, usage = os.wait4(child, 0)
wall = time.perf_counter() - started

# ru_maxrss is in kilobytes on Linux and in bytes on macOS: getrusage(2).
unit = 1_000_000 if sys.platform == "darwin" else 1_000
print(f"[{wall * 1000:.3f}, {usage.ru_maxrss / unit:.1f}, {os.waitstatus_to_exitcode(status)}]")
