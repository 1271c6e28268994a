"""The machine that is solved for, as virtual packages: never this one."""

from __future__ import annotations

from reconciler.model.solution import VirtualPackage


def target(platform: str, *, cuda: str | None, glibc: str = "2.28") -> tuple[VirtualPackage, ...]:
    """Return the virtual packages of a target machine; ``cuda`` is what its driver runs.

    The defaults are pixi's: https://pixi.prefix.dev/v0.41.1/features/system_requirements.
    """
    system, _, machine = platform.partition("-")
    arch = {"64": "x86_64", "32": "x86"}.get(machine, machine)
    arch = "m1" if platform == "osx-arm64" else arch
    found = {
        "linux": [("__unix", "0"), ("__linux", "4.18"), ("__glibc", glibc)],
        "osx": [("__unix", "0"), ("__osx", "13.0")],
        "win": [("__win", "0")],
    }.get(system, [])
    packages = [VirtualPackage(name, version) for name, version in found]
    if cuda is not None and system != "osx":
        packages.append(VirtualPackage("__cuda", cuda))
    return (*packages, VirtualPackage("__archspec", "1", arch))
