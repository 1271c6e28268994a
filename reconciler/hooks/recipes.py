"""Substitutions of which it is known what they give: a path that Python is asked for.

The recipe of TensorFlow's guide: https://www.tensorflow.org/install/pip (2023), which was taken over into
many projects: talmolab/sleap#1496, tensorflow/docs#2214.
"""

from __future__ import annotations

import re

from reconciler.model.activation import Computed, ModulePath

_DIRNAME = re.compile(r"\s*dirname\s+(?:--\s+)?(.*)", re.DOTALL)
_INNER = re.compile(r"(\"?)(?:\$\((.*)\)|`([^`]*)`)\1\s*", re.DOTALL)
_PYTHON = re.compile(r"\s*python3?\s+(?:-I\s+)?-c\s*(['\"])(.*)\1\s*", re.DOTALL)
_STATEMENT = r"\s*import\s+(?P<module>[A-Za-z_][\w.]*)(?:\s+as\s+(?P<alias>\w+))?\s*;\s*"
_FILE = re.compile(
    _STATEMENT
    + r"print\(\s*(?P<name>[A-Za-z_][\w.]*)\.(?P<asked>__file__|__path__\[0\])\s*\)\s*;?\s*"
)
_SITE = re.compile(
    r"\s*import\s+site\s*;\s*print\(\s*site\.getsitepackages\(\)\[0\]\s*\)\s*"
    r"|\s*import\s+sysconfig\s*;\s*print\(\s*sysconfig\.get_paths?\(\s*['\"]?purelib['\"]?\s*\)\s*\)\s*"
)
_DEEPEST = 4


def path_of(script: str) -> ModulePath | Computed:
    """Return what ``$(script)`` gives."""
    written = Computed(text=f"$({script})")
    ups, inner = 0, script
    while (found := _DIRNAME.fullmatch(inner)) and ups < _DEEPEST:
        operand = _INNER.fullmatch(found[1])
        if not operand:
            return written
        inner, ups = operand[2] or operand[3] or "", ups + 1
    python = _PYTHON.fullmatch(inner)
    # Between double quotes the shell would read these first.
    if not python or (python[1] == '"' and re.search(r"[$`\\\"]", python[2])):
        return written
    if _SITE.fullmatch(python[2]):
        return ModulePath(asked="site-packages", ups=ups, text=written.text)
    file = _FILE.fullmatch(python[2])
    if not file or file["name"] != (file["alias"] or file["module"]):
        return written
    return ModulePath(
        module=file["module"], asked=file["asked"].removesuffix("[0]"), ups=ups, text=written.text
    )
