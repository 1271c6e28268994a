"""What the model of the loader answers, and why, on trees of plain values."""

from __future__ import annotations

import pytest
from lab.elf_stub import stub_library

from loader.test_elf_symbols import reader
from reconciler.loader import elf, system
from reconciler.loader.answer import Reason
from reconciler.loader.process import CannotStartError, NotLoadedError, Process
from reconciler.loader.tree import PlainTree, Unfit
from reconciler.model.library import SharedLibrary
from reconciler.model.system import CacheEntry

GLIBC = "/lib64/ld-linux-x86-64.so.2"
MUSL = "/lib/ld-musl-x86_64.so.1"
PYTHON = "/env/bin/python3.12"
EXTENSION = "/env/lib/python3.12/site-packages/cupy/core.so"


def library(path: str, *needed: str, **fields: object) -> dict[str, SharedLibrary]:
    name = path.rpartition("/")[2]
    known = {"soname": name, "needed": needed, **fields}
    return {path: SharedLibrary(path=path, **known)}  # type: ignore[arg-type]  # a test's shorthand


def started(  # noqa: PLR0913, what may differ between two machines
    *files: dict[str, SharedLibrary],
    python: dict[str, object] | None = None,
    interpreter: str = GLIBC,
    links: dict[str, str] | None = None,
    identities: dict[str, str] | None = None,
    setup: system.System | None = None,
    preload: str = "",
    path: str = "",
    more: dict[str, Unfit] | None = None,
) -> Process:
    own = library(PYTHON, **{"soname": None, "interpreter": interpreter, **(python or {})})
    known: dict[str, SharedLibrary | Unfit] = {**own, **library(interpreter), **(more or {})}
    for one in files:
        known.update(one)
    tree = PlainTree(known, links=links, identities=identities)
    usual = system.musl() if interpreter == MUSL else system.debian(("x86-64-v3", "x86-64-v2"))
    variables = {"LD_LIBRARY_PATH": path, "LD_PRELOAD": preload}
    return Process(tree, setup or usual, PYTHON, variables)


CONDA_NVRTC = library("/env/lib/libnvrtc.so.12")
CUPY = library(EXTENSION, "libnvrtc.so.12")
CONDA_PYTHON = {"rpath": "$ORIGIN/../lib"}
VENV_PYTHON = {"runpath": "$ORIGIN/../lib"}


def test_an_extension_finds_conda_s_library_by_the_rpath_of_conda_s_python() -> None:
    process = started(CONDA_NVRTC, CUPY, python=CONDA_PYTHON)

    _, answer = process.dlopen(EXTENSION).answers

    assert (answer.path, answer.reason) == ("/env/bin/../lib/libnvrtc.so.12", Reason.RPATH)
    assert answer.taken is not None
    assert (answer.taken.of, answer.taken.entry) == (PYTHON, "$ORIGIN/../lib")


def test_an_extension_does_not_find_it_by_the_runpath_of_another_python() -> None:
    process = started(CONDA_NVRTC, CUPY, python=VENV_PYTHON)

    opened = process.dlopen(EXTENSION)

    missing = "libnvrtc.so.12: cannot open shared object file: No such file or directory"
    assert opened.error == missing
    assert opened.mapped == ()
    assert EXTENSION not in process.mapped


def test_a_runpath_of_the_extension_shuts_out_every_rpath_and_says_so() -> None:
    cupy = library(EXTENSION, "libnvrtc.so.12", runpath="$ORIGIN/nothing")
    process = started(CONDA_NVRTC, cupy, python=CONDA_PYTHON)

    answer = process.dlopen(EXTENSION).answers[-1]

    assert [(one.path, one.why_not) for one in answer.candidates] == [
        (
            "/env/bin/../lib/libnvrtc.so.12",
            f"{EXTENSION} has a RUNPATH, so that no RPATH counts for what it needs",
        )
    ]


def test_the_library_path_comes_behind_rpath_and_before_runpath() -> None:
    system_s = library("/usr/local/cuda/lib64/libnvrtc.so.12")
    for python, reason in ((CONDA_PYTHON, Reason.RPATH), ({}, Reason.LD_LIBRARY_PATH)):
        cupy = library(EXTENSION, "libnvrtc.so.12", rpath=None)
        process = started(CONDA_NVRTC, cupy, system_s, python=python, path="/usr/local/cuda/lib64")

        assert process.dlopen(EXTENSION).answers[-1].reason is reason


def test_a_semicolon_separates_in_the_library_path_and_not_in_an_rpath_of_the_same_text() -> None:
    both = "/nowhere;/b"
    process = started(library("/b/libb.so"), python={"rpath": both}, path=both)

    assert process.dlopen("libb.so").answers[0].reason is Reason.LD_LIBRARY_PATH


def test_the_candidates_stand_in_the_order_of_the_search_with_why_not() -> None:
    trap = library("/usr/local/cuda/lib64/libnvrtc.so.12", machine=183)
    cupy = library(EXTENSION, "libnvrtc.so.12", runpath="/env/lib")
    late = library("/usr/lib/libnvrtc.so.12")
    process = started(CONDA_NVRTC, cupy, trap, late, path="/usr/local/cuda/lib64")

    answer = process.dlopen(EXTENSION).answers[-1]

    assert [(one.reason, one.why_not) for one in answer.candidates] == [
        (Reason.LD_LIBRARY_PATH, "it is for another machine (number 183, 64 bits)"),
        (Reason.RUNPATH, None),
        (Reason.DEFAULT, "/env/lib/libnvrtc.so.12 comes first"),
    ]


def test_a_soname_that_is_loaded_wins_over_every_search() -> None:
    wheel = library("/wheel/libcudart.so.12")
    other = library("/env/lib/libcudart.so.12")
    torch = library("/wheel/torch.so", "libcudart.so.12", runpath="/env/lib")
    process = started(wheel, other, torch)
    process.dlopen("/wheel/libcudart.so.12")

    answer = process.dlopen("/wheel/torch.so").answers[-1]

    assert (answer.path, answer.reason) == ("/wheel/libcudart.so.12", Reason.LOADED)
    assert [one.why_not for one in answer.candidates] == [
        "/wheel/libcudart.so.12 is already loaded under this name"
    ]


def test_one_file_of_two_paths_is_mapped_once() -> None:
    process = started(
        library("/env/lib/liba.so"),
        library("/pkgs/lib/libb.so", soname=None),
        identities={"/env/lib/liba.so": "1:7", "/pkgs/lib/libb.so": "1:7"},
    )
    process.dlopen("/env/lib/liba.so")

    opened = process.dlopen("/pkgs/lib/libb.so")

    assert (opened.mapped, opened.error) == ((), None)
    assert opened.answers[0].path == "/env/lib/liba.so"


def test_a_dlopen_that_fails_leaves_nothing_behind() -> None:
    process = started(
        library("/a/liba.so", "libb.so", "libgone.so", rpath="/a"), library("/a/libb.so")
    )
    before = process.mapped

    opened = process.dlopen("/a/liba.so")

    assert opened.error is not None
    assert process.mapped == before
    assert process.dlopen("libb.so").error is not None
    assert process.answers == []


def test_the_caller_s_runpath_finds_what_it_opens() -> None:
    process = started(library("/a/liba.so", runpath="$ORIGIN/b"), library("/a/b/libb.so"))
    process.dlopen("/a/liba.so")

    assert process.dlopen("libb.so").error is not None
    assert process.dlopen("libb.so", "/a/liba.so").answers[0].reason is Reason.RUNPATH


def test_the_caller_s_rpath_does_not_count_for_what_the_opened_library_needs() -> None:
    process = started(
        library("/a/liba.so", rpath="$ORIGIN/b"),
        library("/a/b/libb.so", "libc2.so"),
        library("/a/b/libc2.so"),
    )
    process.dlopen("/a/liba.so")

    assert process.dlopen("libb.so", "/a/liba.so").answers[-1].path is None


def test_who_is_not_loaded_cannot_call_dlopen() -> None:
    with pytest.raises(NotLoadedError, match="is not loaded"):
        started().dlopen("liba.so", "/a/liba.so")


def test_a_better_file_is_taken_from_the_hwcaps_directory() -> None:
    process = started(
        library("/a/liba.so"), library("/a/glibc-hwcaps/x86-64-v3/liba.so"), path="/a"
    )

    assert process.dlopen("liba.so").answers[0].path == "/a/glibc-hwcaps/x86-64-v3/liba.so"


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("$LIB", True),
        ("${LIB}", True),
        ("${PLATFORM}/$LIB", False),
        ("$LIBRARY", False),
    ],
)
def test_tokens_are_expanded(entry: str, *, found: bool) -> None:
    process = started(library("/a/lib/x86_64-linux-gnu/liba.so"), path=f"/a/{entry}")

    assert (process.dlopen("liba.so").error is None) == found


def test_the_cache_comes_before_the_system_s_directories() -> None:
    cached = CacheEntry(path="/opt/liba.so", flags=0x303)
    later = CacheEntry(path="/opt2/liba.so", flags=0x303)
    setup = system.System(
        lib="lib64", platform="x86_64", default_directories=("/lib64",),
        cache={"liba.so": (cached, later)},
    )  # fmt: skip
    process = started(library("/opt/liba.so"), library("/lib64/liba.so"), setup=setup)

    answer = process.dlopen("liba.so").answers[0]

    assert (answer.path, answer.reason) == ("/opt/liba.so", Reason.CACHE)
    assert [one.why_not for one in answer.candidates] == [
        None,
        "ld.so.cache has a better or an earlier file of this name",
        "/opt/liba.so comes first",
    ]


def test_a_library_may_refuse_the_system_s_directories() -> None:
    setup = system.System(
        lib="lib64", platform="x86_64", default_directories=("/lib64",),
        cache={"liba.so": (CacheEntry(path="/lib64/liba.so", flags=0x303),)},
    )  # fmt: skip
    strict = library("/b/libb.so", "liba.so", no_default_paths=True)
    process = started(library("/lib64/liba.so"), strict, setup=setup)

    answer = process.dlopen("/b/libb.so").answers[-1]

    assert {one.why_not for one in answer.candidates} == {
        "/b/libb.so refuses the system's directories (DF_1_NODEFLIB)"
    }
    assert answer.path is None


def test_what_is_no_library_ends_the_search() -> None:
    more = {"/a/liba.so": Unfit("no ELF magic at its start")}
    process = started(library("/lib/liba.so"), more=more, path="/a")

    answer = process.dlopen("liba.so").answers[0]

    assert answer.error == "/a/liba.so: no ELF magic at its start"
    assert answer.candidates[-1].why_not == "the loader gives up at /a/liba.so"


def test_a_preloaded_library_is_there_first_and_one_that_is_missing_is_ignored() -> None:
    trap = library("/trap/libcudart.so.12")
    needs = {"needed": ("libcudart.so.12",), "runpath": "/env/lib"}
    process = started(
        trap, library("/env/lib/libcudart.so.12"), python=needs,
        preload="/trap/libcudart.so.12 libgone.so",
    )  # fmt: skip

    assert [answer.path for answer in process.preloads] == ["/trap/libcudart.so.12", None]
    assert process.answers[0].path == "/trap/libcudart.so.12"
    assert process.missing == ()


def test_a_program_lists_all_that_it_misses() -> None:
    process = started(python={"needed": ("liba.so", "libb.so")})

    assert [answer.name for answer in process.missing] == ["liba.so", "libb.so"]


def test_a_program_is_what_its_link_leads_to() -> None:
    tree = PlainTree(
        {
            **library("/usr/bin/python3.12", "liba.so", interpreter=GLIBC, rpath="$ORIGIN"),
            **library("/usr/bin/liba.so"),
            **library(GLIBC),
        },
        links={"/venv/bin/python": "../../usr/bin/python3.12"},
    )

    process = Process(tree, system.lib64(), "/venv/bin/python", {})

    assert process.mapped == ("/usr/bin/python3.12", GLIBC, "/usr/bin/liba.so")


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({}, "cannot be opened"),
        ({PYTHON: Unfit("no ELF magic at its start")}, "is no program: no ELF magic"),
        (library(PYTHON), "linked statically"),
        (library(PYTHON, interpreter=GLIBC), "asks for /lib64/ld-linux-x86-64.so.2, which cannot"),
    ],
)
def test_what_no_loader_starts_is_an_error(
    files: dict[str, SharedLibrary | Unfit], why: str
) -> None:
    with pytest.raises(CannotStartError, match=why):
        Process(PlainTree(files), system.debian(), PYTHON, {})


def test_a_circle_of_links_leads_nowhere() -> None:
    tree = PlainTree({}, links={"/a": "/b", "/b": "/a"})

    assert tree.real_path("/a/x.so") == "/a/x.so"
    assert tree.names("/a") == ()
    assert tree.elf("/b") is None


def test_musl_asks_the_library_path_before_rpath() -> None:
    cupy = library(EXTENSION, "libnvrtc.so.12", "libc.so.6", rpath="${ORIGIN}/../../..")
    trap = library("/trap/libnvrtc.so.12")
    process = started(CONDA_NVRTC, cupy, trap, interpreter=MUSL, path="/trap")

    _, nvrtc, libc = process.dlopen(EXTENSION).answers

    assert (nvrtc.path, nvrtc.reason) == ("/trap/libnvrtc.so.12", Reason.LD_LIBRARY_PATH)
    assert [one.reason for one in nvrtc.candidates] == [Reason.LD_LIBRARY_PATH, Reason.RPATH]
    assert (libc.path, libc.reason) == (MUSL, Reason.LOADED)


def test_musl_inherits_runpath() -> None:
    process = started(CONDA_NVRTC, CUPY, python=VENV_PYTHON, interpreter=MUSL)

    assert process.dlopen(EXTENSION).answers[-1].reason is Reason.RUNPATH


def test_musl_does_not_look_at_sonames() -> None:
    process = started(library("/a/x.so", soname="liba.so"), interpreter=MUSL, preload="/a/x.so")

    assert process.dlopen("liba.so").error == (
        f"Error loading shared library liba.so: No such file or directory (needed by {PYTHON})"
    )


def test_musl_leaves_out_a_path_of_tokens_that_it_does_not_know() -> None:
    process = started(
        library("/a/liba.so", "libb.so", rpath="/a:$LIB"), library("/a/libb.so"), interpreter=MUSL
    )

    assert process.dlopen("/a/liba.so").error is not None


def test_what_is_read_of_a_file_is_what_the_model_takes() -> None:
    path = "/a/liba.so"
    stub = elf.read(path, reader(stub_library("liba.so", ("libb.so",), runpath="$ORIGIN")))

    process = started({path: stub}, library("/a/libb.so"))

    assert process.dlopen(path).mapped == ("/a/liba.so", "/a/libb.so")
