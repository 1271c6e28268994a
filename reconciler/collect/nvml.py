"""Ask NVIDIA's management library (NVML), and print JSON: run as a program of its own.

It is a child because what it asks is code of the machine, which may hang with a driver that hangs;
``gpus`` gives it a time limit, and the path of a library that lies where drivers are installed.
"""

from __future__ import annotations

import ctypes
import json
import sys
from typing import Any

# nvml.h: NVML_SUCCESS, NVML_DEVICE_MIG_ENABLE, NVML_DEVICE_NAME_V2_BUFFER_SIZE and the like.
SUCCESS, MIG_ENABLED, TEXT = 0, 1, 96


class Memory(ctypes.Structure):
    """nvmlMemory_t."""

    _fields_ = (
        ("total", ctypes.c_ulonglong),
        ("free", ctypes.c_ulonglong),
        ("used", ctypes.c_ulonglong),
    )


def ask(path: str) -> dict[str, Any]:
    """Return what the library says of the driver and its GPUs, or ``error`` with its number."""
    nvml = ctypes.CDLL(path)
    code = nvml.nvmlInit_v2()
    if code != SUCCESS:
        nvml.nvmlErrorString.restype = ctypes.c_char_p
        said = nvml.nvmlErrorString(code) or b""
        return {"error": f"{said.decode('utf-8', 'replace')} ({code})"}
    count, cuda = ctypes.c_uint(), ctypes.c_int()
    nvml.nvmlDeviceGetCount_v2(ctypes.byref(count))
    nvml.nvmlSystemGetCudaDriverVersion_v2(ctypes.byref(cuda))
    # As cuda.h has CUDA_VERSION: 12040 is 12.4.
    said = f"{cuda.value // 1000}.{cuda.value % 1000 // 10}" if cuda.value else None
    return {
        "release": _text(nvml.nvmlSystemGetDriverVersion),
        "cuda": said,
        "devices": [_device(nvml, index) for index in range(count.value)],
    }


def _device(nvml: Any, index: int) -> dict[str, Any]:
    handle = ctypes.c_void_p()
    nvml.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(handle))
    major, minor, memory = ctypes.c_int(), ctypes.c_int(), Memory()
    nvml.nvmlDeviceGetCudaComputeCapability(handle, ctypes.byref(major), ctypes.byref(minor))
    nvml.nvmlDeviceGetMemoryInfo(handle, ctypes.byref(memory))
    now, pending = ctypes.c_uint(), ctypes.c_uint()
    mig = nvml.nvmlDeviceGetMigMode(handle, ctypes.byref(now), ctypes.byref(pending))
    return {
        "name": _text(nvml.nvmlDeviceGetName, handle) or "GPU",
        "capability": f"{major.value}.{minor.value}" if major.value else None,
        "memory": memory.total or None,
        "is_parted": mig == SUCCESS and now.value == MIG_ENABLED,
    }


def _text(function: Any, *before: Any) -> str | None:
    buffer = ctypes.create_string_buffer(TEXT)
    code = function(*before, buffer, ctypes.c_uint(TEXT))
    return buffer.value.decode("utf-8", "replace") if code == SUCCESS else None


if __name__ == "__main__":
    sys.stdout.write(json.dumps(ask(sys.argv[1])))
