from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from reconciler.collect import gpus
from reconciler.model.host import Gpu, Gpus
from reconciler.model.snapshot import Fact

from .machines import machine, seen
from .trees import write

if TYPE_CHECKING:
    from pathlib import Path

CC = shutil.which("cc")
NEEDS_CC = pytest.mark.skipif(CC is None, reason="no C compiler is installed")
#: A library that answers as NVIDIA's does, after nvml.h.
ANSWERS = """
#include <string.h>
typedef struct { unsigned long long total, free, used; } memory_t;
int nvmlInit_v2(void) { return INIT; }
const char *nvmlErrorString(int code) { return "Driver/library version mismatch"; }
int nvmlDeviceGetCount_v2(unsigned *n) { *n = 2; return 0; }
int nvmlSystemGetCudaDriverVersion_v2(int *v) { *v = 12080; return 0; }
int nvmlSystemGetDriverVersion(char *text, unsigned size) { strncpy(text, "570.124.06", size); return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned n, void **device) { *device = (void *)(long)(n + 1); return 0; }
int nvmlDeviceGetCudaComputeCapability(void *d, int *major, int *minor) { *major = 9; *minor = 0; return 0; }
int nvmlDeviceGetMemoryInfo(void *d, memory_t *m) { m->total = 85520809984ULL; return 0; }
int nvmlDeviceGetMigMode(void *d, unsigned *now, unsigned *pending) { *now = d == (void *)2L; return 0; }
int nvmlDeviceGetName(void *d, char *text, unsigned size) { strncpy(text, "NVIDIA H100", size); return 0; }
"""
HANGS = "#include <unistd.h>\nint nvmlInit_v2(void) { sleep(60); return 0; }\n"
DIES = "#include <stdlib.h>\nint nvmlInit_v2(void) { abort(); }\n"


def built(folder: Path, source: str, *options: str) -> str:
    """Compile a library."""
    write(folder, {"nvml.c": source})
    made = folder / "libnvidia-ml.so.1"
    subprocess.run(
        [str(CC), "-shared", "-fPIC", *options, "-o", made, folder / "nvml.c"], check=True
    )
    return str(made)


@NEEDS_CC
def test_the_library_tells_of_the_driver_and_its_gpus(tmp_path: Path) -> None:
    device = Gpu(name="NVIDIA H100", capability="9.0", memory=85520809984)
    parted = Gpu(name="NVIDIA H100", capability="9.0", memory=85520809984, is_parted=True)

    asked = gpus.ask(built(tmp_path, ANSWERS, "-DINIT=0"))

    assert asked == Gpus(devices=(device, parted), release="570.124.06", cuda="12.8")


@NEEDS_CC
@pytest.mark.parametrize(
    ("source", "reason"),
    [
        pytest.param(ANSWERS, "Driver/library version mismatch (18)", id="it refuses"),
        pytest.param(DIES, "it cannot be started, or its answer be read", id="it dies"),
        pytest.param(HANGS, "no answer within 0 s", id="it hangs"),
        pytest.param("int other;", "it cannot be started, or its answer be read", id="another"),
    ],
)
def test_a_library_without_an_answer_is_told_why(tmp_path: Path, source: str, reason: str) -> None:
    library = built(tmp_path, source, "-DINIT=18")

    with pytest.raises(gpus.SilentError) as told:
        gpus.ask(library, seconds=0.4 if source == HANGS else 30)

    assert str(told.value) == reason


def test_below_a_made_up_root_nothing_is_asked_and_the_names_do(tmp_path: Path) -> None:
    machine(tmp_path, "550.54.15", "NVIDIA GeForce RTX 4090", "Tesla V100-SXM2-16GB")
    write(tmp_path, {"usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1": b"hostile"})
    snapshot = seen(tmp_path)

    assert snapshot.gpus == Gpus(
        devices=(Gpu(name="NVIDIA GeForce RTX 4090"), Gpu(name="Tesla V100-SXM2-16GB"))
    )
    assert snapshot.gaps == ()


def test_what_of_a_gpu_cannot_be_read_does_not_hide_the_others(tmp_path: Path) -> None:
    machine(tmp_path, "550.54.15", "NVIDIA L4")
    (tmp_path / "proc/driver/nvidia/gpus/0000:09:00.0/information").mkdir(parents=True)

    assert seen(tmp_path).gpus == Gpus(devices=(Gpu(name="NVIDIA L4"),))


def test_a_mac_has_no_gpus_of_cuda(tmp_path: Path) -> None:
    assert seen(tmp_path, Fact.GPUS, platform="osx-arm64").gpus is None
