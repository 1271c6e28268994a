from __future__ import annotations

import pytest

from reconciler.model.activation import ModulePath
from reconciler.model.distribution import Distribution
from reconciler.model.module_paths import module_paths
from reconciler.model.prefix import PrefixRecord, Python
from reconciler.model.snapshot import Snapshot, Target

SITE = "lib/python3.11/site-packages"


def snapshot(*, python: Python | None) -> Snapshot:
    cudnn = Distribution(
        name="nvidia-cudnn-cu12",
        version="9.1.0.70",
        location=SITE,
        directory="nvidia_cudnn_cu12-9.1.0.70.dist-info",
        record="nvidia/__init__.py,,\nnvidia/cudnn/__init__.py,,\nnvidia/cudnn/lib/libcudnn.so.9,,\n"
        "nvidia/cu13/lib/libcublas.so.13,,\nsix.py,,\n",
    )
    torch = PrefixRecord(name="pytorch", version="2.5.1", files=(f"{SITE}/torch/__init__.py",))
    return Snapshot(
        envfix="0.1.0",
        target=Target(project="/p", platform="linux-64", prefix="/envs/gpu"),
        python=python,
        distributions=(cudnn,),
        records=(torch,),
    )


@pytest.mark.parametrize(
    ("module", "asked", "path"),
    [
        ("nvidia.cudnn", "__file__", f"/envs/gpu/{SITE}/nvidia/cudnn/__init__.py"),
        ("nvidia.cudnn", "__path__", f"/envs/gpu/{SITE}/nvidia/cudnn"),
        ("torch", "__file__", f"/envs/gpu/{SITE}/torch/__init__.py"),
        ("six", "__file__", f"/envs/gpu/{SITE}/six.py"),
        ("nvidia.cu13", "__path__", f"/envs/gpu/{SITE}/nvidia/cu13"),
        ("nvidia.cu13", "__file__", None),
        ("nvidia.nccl", "__path__", None),
        ("", "site-packages", f"/envs/gpu/{SITE}"),
    ],
)
def test_a_module_lies_where_its_package_says(module: str, asked: str, path: str | None) -> None:
    find = module_paths(snapshot(python=Python(version="3.11.7", site_packages=(SITE,))))

    assert find(ModulePath(module=module, asked=asked, text="")) == path


def test_without_a_python_nothing_is_found() -> None:
    find = module_paths(snapshot(python=None))

    assert find(ModulePath(module="torch", asked="__file__", text="")) is None
