"""The CUDA toolkits of the machine, which lie beside every environment. None is started."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from reconciler.collect import files
from reconciler.collect.ground import Found
from reconciler.model.host import SystemToolkit
from reconciler.model.os_name import from_os, to_os
from reconciler.model.snapshot import Fact, Gap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.collect.ground import Ground
    from reconciler.model.snapshot import Snapshot

VARIABLES = ("CUDA_HOME", "CUDA_PATH", "CUDA_ROOT")
#: NVIDIA's own place; Arch's; Debian's, whose parts lie all over /usr.
PLACES = ("/usr/local", "/opt", "/usr/lib")
COMPILER = ("nvcc", "nvcc.exe")
_NAME = r"cuda(?:-\d+(?:\.\d+)*)?"
_NUMBERS = r"\d+(?:\.\d+)+"
_IN_TEXT = r"CUDA Version (\d+(?:\.\d+)+)"
# Not \s, which takes line ends too: a file of a million empty lines would last for hours.
_IN_HEADER = r"(?m)^[ \t]*#[ \t]*define[ \t]+CUDA_VERSION[ \t]+(\d{4,6})\b"
_CUDNN = tuple(
    rf"(?m)^[ \t]*#[ \t]*define[ \t]+CUDNN_{part}[ \t]+(\d+)\b"
    for part in ("MAJOR", "MINOR", "PATCHLEVEL")
)
#: A toolkit has one of these; a folder of that name without any is something else.
_PARTS = frozenset({"version.json", "version.txt", "targets", "nvvm"})
# cuda.h is larger than a megabyte, and says its version in its first pages.
HEAD = 1 << 18


def collect(ground: Ground, snapshot: Snapshot) -> Found:
    """Find the toolkits that variables, the usual places and PATH lead to."""
    found: dict[str, list[str]] = {}
    for label, path in _candidates(ground):
        resolved = os.path.realpath(to_os(path))
        if _is_toolkit(resolved) and not _is_of(snapshot.target.prefix, from_os(resolved)):
            labels = found.setdefault(from_os(resolved), [])
            if label not in labels:
                labels.append(label)
    gaps: list[Gap] = []
    toolkits = tuple(
        SystemToolkit(
            # as the machine itself names it
            path=path.removeprefix(ground.root),
            version=_version(path, gaps),
            found_by=tuple(labels),
            cudnn=_cudnn(path, gaps),
        )
        for path, labels in found.items()
    )
    return Found(value=toolkits, gaps=tuple(gaps))


def _candidates(ground: Ground) -> Iterator[tuple[str, str]]:
    for variable in VARIABLES:
        if value := ground.environ.get(variable):
            yield variable, from_os(value)
    if compiler := _on_path(ground):
        # bin/nvcc, through every link, which may lie in a folder of links.
        yield "nvcc on PATH", os.path.dirname(os.path.dirname(compiler))
    for place in PLACES:
        for name in _names(f"{ground.root}{place}"):
            if re.fullmatch(_NAME, name):
                yield f"{place}/{name}", f"{ground.root}{place}/{name}"


def _on_path(ground: Ground) -> str | None:
    for folder in ground.environ.get("PATH", "").split(os.pathsep):
        # An empty element is the working directory, in which nobody keeps a compiler.
        for name in COMPILER if folder else ():
            path = os.path.join(folder, name)
            if os.path.isfile(path) and os.access(path, os.X_OK):
                return from_os(os.path.realpath(path))
    return None


def _is_toolkit(path: str) -> bool:
    is_whole = bool(_PARTS & set(_names(from_os(path))))
    return is_whole or os.path.isfile(os.path.join(path, "include", "cuda.h"))


def _is_of(prefix: str | None, path: str) -> bool:
    return prefix is not None and (path == prefix or path.startswith(f"{prefix}/"))


def _version(path: str, gaps: list[Gap]) -> str | None:
    if text := _text(f"{path}/version.json", gaps):
        import json  # noqa: PLC0415 - few machines have a toolkit

        try:
            return str(re.findall(_NUMBERS, json.loads(text)["cuda"]["version"])[0])
        except (ValueError, LookupError, TypeError, RecursionError):
            reason = "names no version of CUDA"
            gaps.append(Gap(fact=Fact.TOOLKITS, item=f"{path}/version.json", reason=reason))
    if match := re.search(_IN_TEXT, _text(f"{path}/version.txt", gaps)):
        return match[1]
    # Debian's and pared down toolkits have neither: 12010 is 12.1.
    if match := re.search(_IN_HEADER, _text(f"{path}/include/cuda.h", gaps)):
        return f"{int(match[1]) // 1000}.{int(match[1]) % 1000 // 10}"
    return None


def _cudnn(path: str, gaps: list[Gap]) -> str | None:
    # cuDNN 8 and later have a header for it; before, cudnn.h said it.
    for folder in ("include", *(f"targets/{t}/include" for t in _names(f"{path}/targets"))):
        for header in ("cudnn_version.h", "cudnn.h"):
            text = _text(f"{path}/{folder}/{header}", gaps)
            numbers = [match[1] for part in _CUDNN if (match := re.search(part, text))]
            if len(numbers) == len(_CUDNN):
                return ".".join(numbers)
    return None


def _names(directory: str) -> tuple[str, ...]:
    try:
        return files.names(directory)
    except files.UnreadableError:
        return ()


def _text(path: str, gaps: list[Gap]) -> str:
    try:
        head = files.with_pread(path, lambda pread: pread(0, HEAD))
        return head.decode("utf-8", "replace")
    except files.MissingError:
        return ""
    except files.UnreadableError as error:
        gaps.append(Gap(fact=Fact.TOOLKITS, item=path, reason=str(error)))
        return ""
