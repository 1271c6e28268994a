"""Logs as people paste them: of several processes, of Docker, of notebooks, of Windows."""

from __future__ import annotations

import pytest

from reconciler import explaining

MISSING = "ImportError: libcudart.so.12: cannot open shared object file: No such file or directory"
TORCH = "/env/lib/python3.11/site-packages/torch/__init__.py"
TRACEBACK = (
    "Traceback (most recent call last):",
    f'  File "{TORCH}", line 367, in <module>',
    "    from torch._C import *",
    MISSING,
)
NOTEBOOK = f"""\
---------------------------------------------------------------------------
ImportError                               Traceback (most recent call last)
Cell In[1], line 1
----> 1 import torch

File {TORCH}:367
    365     if USE_GLOBAL_DEPS:
    366         _load_global_deps()
--> 367     from torch._C import *  # noqa: F403

{MISSING}
"""
OLD_NOTEBOOK = (
    "\x1b[0;31mImportError\x1b[0m          Traceback (most recent call last)\n"
    f"\x1b[0;32m{TORCH}\x1b[0m in \x1b[0;36m<module>\x1b[0;34m\x1b[0m\n"
    "\x1b[1;32m    188\x1b[0m     \x1b[0m_load_global_deps\x1b[0m\n"
    f"\x1b[0;31mImportError\x1b[0m: {MISSING.partition(': ')[2]}\n"
)


def plain(prefix: str = "", end: str = "\n") -> str:
    return "".join(f"{prefix}{line}{end}" for line in TRACEBACK)


@pytest.mark.parametrize(
    "text",
    [
        plain(),
        plain(end="\r\n"),
        plain("#12 3.456 "),
        plain("worker-1  | "),
        plain("2026-11-21T10:00:00.123456Z "),
        plain("[rank7]: "),
        plain("[default0]:"),
        plain("(RayWorkerVllm pid=123) "),
        plain("\x1b[36mhost\x1b[0m "),
        "\ufeff" + plain(),
        plain().encode("utf-16"),
        plain(end="\r\n").encode("utf-16-le"),
        plain().encode("utf-16-be"),
        NOTEBOOK,
        OLD_NOTEBOOK,
    ],
)
def test_a_message_and_whose_import_failed_are_known_whatever_stands_before(
    text: str | bytes,
) -> None:
    (found,) = explaining.recognize([text])

    assert (found.error.id, found.captured) == ("library-not-found", {"soname": "libcudart.so.12"})
    assert found.frames == (TORCH,)


def test_of_processes_that_write_at_once_each_message_has_its_own_traceback() -> None:
    text = f"""\
[rank0]: Traceback (most recent call last):
[rank1]: Traceback (most recent call last):
[rank0]:   File "/env/first.py", line 3, in <module>
[rank1]:   File "/env/second.py", line 3, in <module>
[rank1]: {MISSING}
[rank0]: {MISSING.replace("12", "11.0")}
"""

    found = explaining.recognize([text])

    assert [(one.captured["soname"], one.caller) for one in found] == [
        ("libcudart.so.12", "/env/second.py"),
        ("libcudart.so.11.0", "/env/first.py"),
    ]


def test_a_traceback_that_another_error_has_ended_is_not_a_message_s_own() -> None:
    text = f"""\
Traceback (most recent call last):
  File "/env/other.py", line 3, in <module>
KeyError: 'labels'
{MISSING}
"""

    assert explaining.recognize([text])[0].frames == ()


def test_a_traceback_is_whole_across_the_blocks_that_a_log_is_read_in() -> None:
    filling = "step 1 of the training took no time at all\n" * 24_385
    start = (1 << 20) - len(filling) - 60
    text = filling + "x" * start + "\n" + plain()

    (found,) = explaining.recognize([text])

    assert found.frames == (TORCH,)


def test_what_a_framework_says_of_the_loader_s_error_is_one_cause_with_it() -> None:
    text = f"""\
{plain().replace("libcudart", "libcublas")}
The above exception was the direct cause of the following exception:

ImportError:
================================================================
Failed to import CuPy.

Original error:
  {MISSING.replace("libcudart", "libcublas")}
"""

    (told,) = explaining.diagnose(explaining.recognize([text]), None)

    assert told.recognized.error.id == "cupy-library-not-loaded"
    assert told.recognized.also_at == (4,)
    assert told.recognized.caller == TORCH


def test_eight_ranks_that_fail_alike_are_told_once() -> None:
    text = "".join(plain(f"[rank{rank}]: ") for rank in range(8))

    (told,) = explaining.diagnose(explaining.recognize([text]), None)

    assert told.recognized.count == 8
