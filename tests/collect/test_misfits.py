"""Which pairs of files are held together, and which were published together."""

from __future__ import annotations

import pytest

from reconciler.collect.misfits import _Published
from reconciler.testing import sketch

SITE = "lib/python3.11/site-packages"
TORCH, CUBLAS, CUFILE = (f"/prefix/{SITE}/{name}.so" for name in ("torch", "cublas", "cufile"))


def published(requires: str, cublas: str = "13.4.1.3", owner: str = "nvidia-cublas") -> _Published:
    return _Published(
        sketch(f"""
pip:
  - torch==2.15.0: {{requires: [{requires}]}}
  - cuda-toolkit==13.2.2:
      requires: [nvidia-cublas==13.4.1.3.*, nvidia-cufile==1.17.*; extra == 'cufile']
  - nvidia-cublas=={cublas}
  - nvidia-cufile==1.17.1.22
loader:
  {SITE}/torch.so: {{of: torch}}
  {SITE}/cublas.so: {{of: {owner}}}
  {SITE}/cufile.so: {{of: nvidia-cufile}}
""")
    )


@pytest.mark.parametrize(
    "requires",
    ["nvidia-cublas==13.4.1.3", "nvidia_cublas (==13.4.1.3) ; sys_platform == 'linux'"],
)
def test_a_wheel_and_what_it_pins_were_published_together(requires: str) -> None:
    assert published(requires).together(TORCH, CUBLAS)


def test_a_metapackage_may_stand_between_a_wheel_and_what_it_pins() -> None:
    pairs = published('"cuda-toolkit[cublas,cufile]==13.2.2"')

    assert pairs.together(TORCH, CUBLAS)
    assert pairs.together(TORCH, CUFILE)
    assert pairs.together(TORCH, TORCH)


@pytest.mark.parametrize("requires", ["", "nvidia-cublas>=13", "nvidia-cublas==13.4.1.4"])
def test_what_is_not_pinned_to_what_is_installed_may_misfit(requires: str) -> None:
    assert not published(requires).together(TORCH, CUBLAS)


def test_another_release_than_the_pinned_one_may_misfit() -> None:
    assert not published('"cuda-toolkit[all]==13.2.2"', cublas="13.4.1.30").together(TORCH, CUBLAS)


def test_a_file_that_is_no_wheel_s_may_misfit() -> None:
    pairs = published("nvidia-cublas==13.4.1.3", owner='""')

    assert not pairs.together(TORCH, CUBLAS)
    assert not pairs.together("/usr/lib/libx.so", TORCH)


def test_a_file_that_two_wheels_claim_may_misfit() -> None:
    snapshot = sketch("""
pip:
  - torch==2.15.0: {requires: [nvidia-nccl-cu13==2.30.7], record: "torch.so,,"}
  - nvidia-nccl-cu13==2.30.7: {record: "nccl.so,,"}
  - nvidia-nccl-cu12==2.20.5: {record: "nccl.so,,"}
""")

    assert not _Published(snapshot).together(TORCH, f"/prefix/{SITE}/nccl.so")
