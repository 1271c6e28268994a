"""The running interpreter's names: the only place where the lab looks at its version."""

from __future__ import annotations

import sys

#: As conda-forge's packages of python have it: that of a pre-release is its release's.
RELEASE = sys.version_info[:3]
#: ``3.11``, and what is named by it.
VERSION = f"{RELEASE[0]}.{RELEASE[1]}"
PYTHON = f"python{VERSION}"
SITE_PACKAGES = f"lib/{PYTHON}/site-packages"
#: ``311``, and what is named by it.
NODOT = f"{RELEASE[0]}{RELEASE[1]}"
EXTENSION = f".cpython-{NODOT}-x86_64-linux-gnu.so"
#: Python tag and ABI tag of a wheel.
WHEEL_TAG = f"cp{NODOT}-cp{NODOT}"
