"""Measure `envfix check` of one environment.yml beside a bare Python: `python -m bench.check`.

It is what pre-commit waits for at every commit, so that it counts as a whole process, from start to exit. The file
has 60 lines: conda's packages with and without builds, and a pip section. As in `python -m bench`, the commands run in
turn, with warm bytecode, and nothing fails when the target is missed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from bench.run import BARE, VERSION, Measured, envfix, measure, over_bare, table, word

CHECK, CHECK_MS = "envfix check", 120.0
#: 45 lines of conda and 9 of pip, of which some have to do with CUDA.
CONDA = """\
python=3.10 pip pytorch=2.1.2=py3.10_cuda11.8_cudnn8.7.0_0 torchvision=0.16.2 torchaudio=2.1.2 pytorch-cuda=11.8
cudatoolkit=11.8.0=h6a678d5_0 numpy=1.26.4 scipy=1.11.4 pandas=2.1.4 matplotlib=3.8.0 scikit-learn=1.3.2 pillow=10.2.0
jupyterlab=4.0.11 ipykernel=6.28.0 tqdm=4.65.0 pyyaml=6.0.1 h5py=3.9.0 numba=0.59.0 seaborn=0.12.2 requests=2.31.0
boost networkx=3.1 sympy=1.12 jinja2=3.1.3 filelock=3.13.1 fsspec=2023.10.0 mpmath=1.3.0 mkl=2023.1.0 libpng=1.6.39
libtiff=4.5.1 zlib=1.2.13 openssl=3.0.13 sqlite=3.41.2 tk=8.6.12 xz=5.4.5 readline=8.2 ncurses=6.4 ffmpeg=4.3 opencv
cython=3.0.6 setuptools=68.2.2 wheel=0.41.2 tensorboard=2.15.1 nccl=2.19.3.1"""
PIP = """\
transformers==4.36.2 datasets==2.16.1 accelerate==0.26.1 einops==0.7.0 timm==0.9.12 xformers==0.0.23.post1
flash-attn==2.5.0 cupy-cuda11x==12.3.0 wandb>=0.16"""


def environment() -> str:
    """Return an environment.yml of 60 lines."""
    head = ["name: bench", "channels:", "  - pytorch", "  - nvidia", "dependencies:"]
    conda = [f"  - {spec}" for spec in CONDA.split()]
    return (
        "\n".join([*head, *conda, "  - pip:", *(f"      - {line}" for line in PIP.split())]) + "\n"
    )


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.check")
    parser.add_argument("--runs", type=int, default=20, metavar="N", help="runs after the warm-up")
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory(prefix="envfix-bench-") as folder:
        path = Path(folder, "environment.yml")
        path.write_text(environment(), "utf-8")
        outcome = measure(
            {
                BARE: [sys.executable, "-c", "pass"],
                VERSION: [*envfix(), "--version"],
                CHECK: [*envfix(), "check", str(path)],
            },
            runs,
        )
    row = outcome[CHECK]
    over = over_bare(row, outcome) if isinstance(row, Measured) else None
    aim = f"{CHECK}: at most {CHECK_MS:.0f} ms over bare: {word(over, CHECK_MS)}"
    print("\n".join([*table(outcome), "", aim]))


if __name__ == "__main__":
    main()
