"""The CUDA library that is loaded is older than the one that its user was built against.

What a wheel requires, what a conda package depends on, and what the catalog knows of cuDNN, is held
against the file that the loader takes: a wheel for cuDNN 9.1 that is given the system's 9.0, or
conda's, or another wheel's. So are parts of CUDA of which the release matters to one another.

Silent where the file is newer within its major, where its version or the one that is wanted is not
known, and where it comes from the very package that is required: in which version that one is
installed is CUD203's. Where it is so when the environment is activated, or in the shell at hand, it
is an error; where it is so only without activation, it is information.

Why it matters
--------------
The right version is installed, `pip list` shows it, and another one is loaded: "Loaded runtime
CuDNN library: 8.5.0 but source was compiled with: 8.6.0". Functions that the older release lacks
fail when they are called, others compute something else.

Fix safety
----------
Where what is required is not installed, a command is proposed, and never run. All else is left to
the user: which copy goes.

References
----------
- microsoft/onnxruntime#8594: which libcublasLt.so.11 is found in a conda environment
- cupy/cupy#7253: beside wheels, what lies in conda's lib takes precedence
- jax-ml/jax#15268: cuDNN 8.5.0 is loaded and 8.6.0 was compiled against, as an older one is on the system
- tensorflow/tensorflow#37606: the cuDNN of another wheel is loaded, 7.5.1 in place of 7.6.5
- davisking/dlib#2719: libcudnn_ops_infer.so.8 of another version than libcudnn.so.8

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.distribution import required_name
from reconciler.model.finding import INSTALLED, Location, Severity, cause_of
from reconciler.model.mismatch import worst
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.finding import Finding
    from reconciler.model.fix import Fix
    from reconciler.model.mismatch import Mismatch
    from reconciler.world import World

RULE = Rule(
    code="ELF502",
    name="built-against-another",
    severity=Severity.ERROR,
    needs=frozenset({Fact.LOADER}),
    needs_any=frozenset({Fact.RECORDS, Fact.DISTRIBUTIONS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
pip:
  - torch==2.5.1: {requires: [nvidia-cudnn-cu12==9.1.0.70]}
  - nvidia-cudnn-cu12==9.1.0.70
loader:
  lib/python3.11/site-packages/torch/lib/libtorch_cuda.so: {of: torch, needed: [libcudnn.so.9]}
  lib/python3.11/site-packages/nvidia/cudnn/lib/libcudnn.so.9: {of: nvidia-cudnn-cu12}
  /usr/lib/x86_64-linux-gnu/libcudnn.so.9.0.0: {soname: libcudnn.so.9}
links: {/usr/lib/x86_64-linux-gnu/libcudnn.so.9: libcudnn.so.9.0.0}
"""

GOOD = """\
python: 3.11.7
pip:
  - torch==2.5.1: {requires: [nvidia-cudnn-cu12==9.1.0.70]}
  - nvidia-cudnn-cu12==9.1.0.70
loader:
  lib/python3.11/site-packages/torch/lib/libtorch_cuda.so:
    {of: torch, needed: [libcudnn.so.9], rpath: $ORIGIN/../../nvidia/cudnn/lib}
  lib/python3.11/site-packages/nvidia/cudnn/lib/libcudnn.so.9: {of: nvidia-cudnn-cu12}
  /usr/lib/x86_64-linux-gnu/libcudnn.so.9.0.0: {soname: libcudnn.so.9}
links: {/usr/lib/x86_64-linux-gnu/libcudnn.so.9: libcudnn.so.9.0.0}
"""


def check(world: World) -> Iterator[Finding]:
    """Group what is too old by the file."""
    by_file: dict[str, list[Mismatch]] = {}
    for one in world.loading.outdated if world.loading else ():
        by_file.setdefault(one.link.real or "", []).append(one)
    for path, found in by_file.items():
        yield _finding(world, path, found)


def _finding(world: World, path: str, found: Sequence[Mismatch]) -> Finding:
    one, is_inside = worst(found), world.shell.is_in_environment
    link = one.link
    return RULE.finding(
        f"{link.asked_by.rpartition('/')[2]} of {link.asker.title} takes {link.soname}"
        f" {one.release} {link.source}, and was built with"
        f" {one.wanted.version or f'one {one.wanted}'} ({one.because}), {one.when}",
        severity=min((each.severity(is_inside=is_inside) for each in found), key=lambda s: s.rank),
        at=Location(subject=link.soname, path=link.path),
        related=(Location(subject=link.asker.title, path=link.asked_by),),
        shows_as="a version that is `compiled` or `built against` another one than is found, an"
        " undefined symbol, or an error of the library when it is first used",
        remedy=_remedy(world, one),
        evidence=tuple(
            f"{each.link.asked_by}: {each.because}; {path} answers" for each in found[:5]
        ),
        fix=_fix(world, one),
        cause=cause_of(RULE.name, INSTALLED, path),
        explained_by=_explained(world, path, found),
    )


def _explained(world: World, path: str, found: Sequence[Mismatch]) -> tuple[str, ...]:
    """Return the causes of what is behind it: a variable, a missing symbol, installed versions."""
    owner, component = found[0].link.owner, found[0].link.component
    package = owner.package if owner else None
    variables = dict.fromkeys(cause for one in found for cause in one.causes)
    clashes = (
        cause_of("cuda-minors-conflict", INSTALLED, f"{clash.component}-{clash.needs}-{package}")
        for clash in world.catalog.clashes
        if package and clash.needs == component
    )
    return (
        *(variables if all(one.causes for one in found) else ()),
        cause_of("symbol-missing", INSTALLED, path),
        *([cause_of("cudnn-mismatch", INSTALLED, package)] if package else []),
        *(c for one in found for c in one.twice),
        *clashes,
    )


def _missing(world: World, one: Mismatch) -> str:
    """Return what pip would install of what is required; "" where that is there."""
    name = required_name(one.requirement)
    is_pips = one.link.asker.kind == "pip"
    return one.requirement if is_pips and name and name not in world.wheels else ""


def _fix(world: World, one: Mismatch) -> Fix | None:
    requirement = _missing(world, one)
    if not requirement or one.captured_by or "activated" not in one.shells:
        return None
    return world.mending.install(requirement, f"{one.link.asker.title} was built with it")


def _remedy(world: World, one: Mismatch) -> str:
    owner, title = one.link.owner, world.catalog.title(one.link.component or "")
    if one.captured_by:
        variable, entry = one.captured_by
        return f"take `{entry}` out of {variable}, which leads the loader to it"
    if "activated" not in one.shells:
        return "activate the environment before Python is started: another file answers then"
    if requirement := _missing(world, one):
        return f"`pip install '{requirement}'`"
    newer = f"bring {title} {one.wanted} or newer in its place"
    if owner and owner.is_package:
        return f"remove {owner.title} if nothing else needs it, or {newer}, with {owner.kind}"
    return f"{newer}, or take a build of {one.link.asker.title} that brings its own"
