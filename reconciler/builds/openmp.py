"""Which modules start a copy of LLVM's OpenMP runtime each: played alone, and then two by two.

GCC's libgomp gets along with both (threadpoolctl, multiple_openmp.md). That a second copy of LLVM's,
or of Intel's, aborts the process was seen with libiomp5 2024.2.1 on Linux, as was what libmkl_rt
2024.2.2 does: it takes a libgomp.so.1 that is there, and else opens the libiomp5.so beside itself by
its path, whichever is loaded already.
"""

from __future__ import annotations

import posixpath
import re
from itertools import permutations
from typing import TYPE_CHECKING

from reconciler.model.openmp import RuntimeTwice, RuntimeUse, is_llvm_runtime

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.builds.loading import Loading
    from reconciler.loader.frameworks.stage import Stage
    from reconciler.model.loader_view import LoaderView
    from reconciler.model.which import Situation

_MKL = re.compile(r"libmkl_rt\.so")
_MKL_OWN, _MKL_VARIABLE = "libiomp5.so", "MKL_THREADING_LAYER"
_GNU = "libgomp.so.1"
#: How Python names a module that it opens by itself.
_MODULE = re.compile(r"\.(?:cpython-3\d+t?d?-[\w-]+|abi3)\.so$")
#: More packages than that are not played.
MAX_PACKAGES = 20


def twice(loading: Loading, view: LoaderView) -> Iterator[RuntimeTwice]:
    """Yield two modules for each two copies that meet, in each shell."""
    copies = {f.path for f in view.files if is_llvm_runtime(loading.tree.real_path(f.path))}
    modules = _modules(loading, view) if len(copies) > 1 else ()
    for situation in loading.situations if modules else ():
        yield from _in_shell(loading, situation, modules)


def _in_shell(
    loading: Loading, situation: Situation, modules: Iterable[str]
) -> Iterator[RuntimeTwice]:
    uses: dict[str, RuntimeUse] = {}
    for module in modules:
        for runtime in _started(loading, situation, (module,)):
            use = RuntimeUse(
                module=module,
                owner=loading.origins.of(module),
                runtime=runtime,
                runtime_owner=loading.origins.of(runtime),
            )
            uses.setdefault(runtime, use)
    seen: set[frozenset[str]] = set()
    for first, second in permutations(uses.values(), 2):
        both = frozenset({first.runtime, second.runtime})
        is_solved = first.is_of_conda and second.is_of_conda
        if both in seen or is_solved:
            continue
        if both <= _started(loading, situation, (first.module, second.module)):
            seen.add(both)
            yield RuntimeTwice(first=first, second=second, situation=situation)


def _started(loading: Loading, situation: Situation, modules: Iterable[str]) -> frozenset[str]:
    """Return the copies of the runtime that a process has which imports some modules."""
    stage = loading.stage(situation)
    if stage is None:
        return frozenset()
    for module in modules:
        caller = loading.importer(stage.process)
        stage.open(module, because="Python imports it", caller=caller, is_optional=True)
        _start_mkl(stage, situation)
    mapped = (loading.tree.real_path(path) for path in stage.process.mapped)
    return frozenset(path for path in mapped if is_llvm_runtime(path))


def _start_mkl(stage: Stage, situation: Situation) -> None:
    """Open what MKL's own loader opens as it is first called."""
    mapped = ((path, stage.tree.real_path(path)) for path in stage.process.mapped)
    # conda's libcblas.so.3 is a link to it
    names = (path for path, real in mapped if _MKL.match(posixpath.basename(real)))
    library = next(names, None)
    layer = situation.get(_MKL_VARIABLE).upper()
    if library is None or layer not in {"", "INTEL"} or (not layer and stage.loaded(_GNU)):
        return
    beside = posixpath.join(posixpath.dirname(library), _MKL_OWN)
    if stage.has(beside):
        stage.open(beside, because="MKL starts its threads", caller=library, is_optional=True)


def _modules(loading: Loading, view: LoaderView) -> tuple[str, ...]:
    """Return a module of each package that comes to such a runtime, by what it needs."""
    names = _names(loading, view)
    reaching = {
        path for path in names if is_llvm_runtime(path) or _MKL.match(posixpath.basename(path))
    }
    todo, modules = sorted(reaching), dict[tuple[str, str], str]()
    while todo:
        path = todo.pop(0)
        for user in sorted({u for name in names[path] for u in loading.needing.get(name, ())}):
            if user not in reaching:
                reaching.add(user)
                todo.append(user)
            if _MODULE.search(user):
                owner = loading.origins.of(user)
                modules.setdefault((owner.kind, owner.package or ""), user)
    return tuple(modules.values())[:MAX_PACKAGES]


def _names(loading: Loading, view: LoaderView) -> Mapping[str, frozenset[str]]:
    """Return the names by which each library may be needed: links of other names lead to it as well."""
    found = {file.path: {posixpath.basename(file.path), file.soname or ""} for file in view.files}
    for link in view.links:
        if ".so" in link:
            real = loading.tree.real_path(link)
            found.get(real, set()).add(posixpath.basename(link))
    return {path: frozenset(names) for path, names in found.items()}
