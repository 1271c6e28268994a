"""What the model of binding says of symbols, on plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from loader.test_process import GLIBC, MUSL, PYTHON, library
from reconciler.loader import system
from reconciler.loader.process import Process
from reconciler.loader.symbols import FileSymbols, PlainSymbols
from reconciler.loader.tree import PlainTree
from reconciler.model.binding import (
    Definition,
    Fault,
    FileVersions,
    Outcome,
    Unbound,
    Undefined,
    Use,
    VersionMissing,
    VersionNeed,
)

if TYPE_CHECKING:
    from reconciler.loader.answer import Opened
    from reconciler.model.library import SharedLibrary

JITLINK = "libnvJitLink.so.12"
SPARSE, OLD, NEW = "/w/libcusparse.so.12", f"/usr/local/cuda/{JITLINK}", f"/w/{JITLINK}"


def asks(  # noqa: PLR0913 - what may differ between two references
    *names: str,
    file: str | None = None,
    version: str | None = None,
    lazy: bool = False,
    now: bool = False,
    weak: bool = False,
    call: bool = True,
) -> FileSymbols:
    need = (VersionNeed(file=file, version=version),) if file and version else ()
    return FileSymbols(
        versions=FileVersions(needed=need, binds_now=now),
        undefined=tuple(
            Undefined(name=name, file=file, version=version, weak=weak) for name in names
        ),
        uses=tuple(
            Use(name=name, version=version, is_lazy=lazy, needs_real=call) for name in names
        ),
    )


def defines(
    *definitions: tuple[str, Definition], versions: tuple[str, ...] | None = None
) -> FileSymbols:
    names = {name for name, _ in definitions}
    return FileSymbols(
        versions=FileVersions(defined=versions),
        defined={name: tuple(d for other, d in definitions if other == name) for name in names},
    )


def of_version(name: str, version: str, *, hidden: bool = False) -> tuple[str, Definition]:
    return name, Definition(version=version, is_hidden=hidden)


def plain(name: str) -> tuple[str, Definition]:
    return name, Definition(is_oldest=True)


def started(
    *files: dict[str, SharedLibrary],
    symbols: dict[str, FileSymbols],
    interpreter: str = GLIBC,
    variables: dict[str, str] | None = None,
    path: str = "/w",
) -> Process:
    known = {**library(PYTHON, soname=None, interpreter=interpreter), **library(interpreter)}
    for one in files:
        known.update(one)
    everything = {"LD_LIBRARY_PATH": path, **(variables or {})}
    process = Process(PlainTree(known), system.debian(), PYTHON, everything)
    given = {path: symbols.get(path, FileSymbols()) for path in known}
    assert process.bind(PlainSymbols(given)) == ()
    return process


def opened(
    consumer: FileSymbols, provider: FileSymbols, *, is_now: bool = True, **more: object
) -> Opened:
    """Open a library that needs another."""
    process = started(
        library("/w/liba.so", "libb.so"), library("/w/libb.so"),
        symbols={"/w/liba.so": consumer, "/w/libb.so": provider},
        **more,  # type: ignore[arg-type]  # a test's shorthand
    )  # fmt: skip
    return process.dlopen("/w/liba.so", is_now=is_now)


def test_a_library_captured_by_a_path_lacks_the_symbol_of_the_real_import_error() -> None:
    wanted = asks("__nvJitLinkComplete_12_4", file=JITLINK, version=JITLINK)
    known = defines(of_version("__nvJitLinkComplete_12_1", JITLINK), versions=(JITLINK,))
    process = started(
        library(SPARSE, JITLINK), library(OLD), library(NEW),
        symbols={SPARSE: wanted, OLD: known}, path="/usr/local/cuda:/w",
    )  # fmt: skip

    failed = process.dlopen(SPARSE)

    text = f"{SPARSE}: undefined symbol: __nvJitLinkComplete_12_4, version {JITLINK}"
    assert (failed.error, failed.mapped) == (text, ())
    assert failed.faults == (
        Unbound(
            symbol="__nvJitLinkComplete_12_4",
            version=JITLINK,
            wanted_by=SPARSE,
            expected_in=JITLINK,
            provider=OLD,
            outcome=Outcome.REFUSED,
            error=text,
        ),
    )
    assert SPARSE not in process.mapped


def test_a_version_that_is_not_defined_refuses_the_file() -> None:
    stdcxx, extension = "/env/lib/libstdc++.so.6", "/e/core.so"
    process = started(
        library(extension, "libstdc++.so.6"), library(stdcxx),
        symbols={
            extension: asks("f", file="libstdc++.so.6", version="GLIBCXX_3.4.32"),
            stdcxx: defines(plain("f"), versions=("GLIBCXX_3.4.29",)),
        },
        path="/env/lib",
    )  # fmt: skip

    failed = process.dlopen(extension)

    text = f"{stdcxx}: version `GLIBCXX_3.4.32' not found (required by {extension})"
    assert failed.error == text
    assert failed.faults[0] == VersionMissing(
        version="GLIBCXX_3.4.32",
        wanted_by=extension,
        file="libstdc++.so.6",
        provider=stdcxx,
        error=text,
    )


def test_a_weak_need_of_a_version_only_warns() -> None:
    need = VersionNeed(file="libb.so", version="V_2", weak=True)
    consumer = FileSymbols(versions=FileVersions(needed=(need,)))

    assert opened(consumer, defines(versions=("V_1",))).error is None


def test_a_library_that_needs_versions_and_defines_none_serves_any() -> None:
    elsewhere = FileVersions(needed=(VersionNeed(file="libb.so", version="V_1"),))
    provider = msgspec.structs.replace(defines(plain("f")), versions=elsewhere)

    result = opened(asks("f", file="libb.so", version="V_1"), provider)

    assert result.error is None


def test_the_loader_ends_over_a_file_that_lost_all_its_versions() -> None:
    wanted = asks("f", file="libb.so", version="V_1")

    result = opened(wanted, defines(plain("f")))

    assert [fault.outcome for fault in result.faults] == [Outcome.ENDS]
    assert (result.error or "").startswith("Inconsistency detected by ld.so: dl-lookup.c: ")


def test_a_file_of_another_name_may_serve_a_version_without_having_any() -> None:
    process = started(
        library("/w/liba.so", "libb.so", "libc1.so"), library("/w/libb.so"),
        library("/w/libc1.so"),
        symbols={
            "/w/liba.so": asks("f", file="libb.so", version="V_1"),
            "/w/libb.so": defines(versions=("V_1",)),
            "/w/libc1.so": defines(plain("f")),
        },
    )  # fmt: skip

    assert process.dlopen("/w/liba.so").error is None


def test_the_loader_ends_over_a_need_of_what_is_not_loaded() -> None:
    result = opened(asks(file="libother.so", version="V_1"), defines())

    assert [fault.outcome for fault in result.faults] == [Outcome.ENDS]
    assert (result.error or "").startswith("Inconsistency detected by ld.so: dl-version.c: ")


SERVED = {
    "without versions": (None, defines(plain("f"))),
    "its version": ("V_1", defines(of_version("f", "V_1"), versions=("V_1",))),
    "its version, though hidden": (
        "V_1",
        defines(of_version("f", "V_1", hidden=True), versions=("V_1",)),
    ),
    "a version, from one of no version": ("V_1", defines(plain("f"), versions=("V_1",))),
    "any, from the first version": (
        None,
        defines(
            ("f", Definition(version="V_1", is_oldest=True, is_hidden=True)),
            of_version("f", "V_2"),
            of_version("f", "V_3"),
            versions=("V_1", "V_2", "V_3"),
        ),
    ),
    "any, from the only later version": (
        None,
        defines(
            of_version("f", "V_2"), of_version("f", "V_3", hidden=True), versions=("V_2", "V_3")
        ),
    ),
}


@pytest.mark.parametrize(("version", "provider"), SERVED.values(), ids=SERVED)
def test_a_symbol_is_found(version: str | None, provider: FileSymbols) -> None:
    assert opened(asks("f", file="libb.so", version=version), provider).error is None


UNSERVED = {
    "nothing": (None, defines(plain("g"))),
    "another version": ("V_1", defines(of_version("f", "V_2"), versions=("V_1", "V_2"))),
    "a version, and the one of no version is hidden": (
        "V_1",
        defines(("f", Definition(is_hidden=True, is_oldest=True)), versions=("V_1",)),
    ),
    "any, and there are two": (
        None,
        defines(of_version("f", "V_2"), of_version("f", "V_3"), versions=("V_2", "V_3")),
    ),
    "any, and the only one is hidden": (
        None,
        defines(of_version("f", "V_2", hidden=True), versions=("V_2",)),
    ),
    "a call, and there is a program's stub": (None, defines(("f", Definition(is_stub=True)))),
}


@pytest.mark.parametrize(("version", "provider"), UNSERVED.values(), ids=UNSERVED)
def test_a_symbol_is_not_found(version: str | None, provider: FileSymbols) -> None:
    error = opened(asks("f", file="libb.so", version=version), provider).error

    asked = "f" if version is None else f"f, version {version}"
    assert error == f"/w/liba.so: undefined symbol: {asked}"


def test_data_may_point_at_a_program_s_stub() -> None:
    provider = defines(("f", Definition(is_oldest=True, is_stub=True)))

    assert opened(asks("f", call=False), provider).error is None


def test_a_weak_symbol_need_not_be_there() -> None:
    assert opened(asks("f", weak=True), defines()).faults == ()


def test_a_symbol_without_a_use_is_never_looked_up() -> None:
    consumer = msgspec.structs.replace(asks("f"), uses=())

    assert opened(consumer, defines()).faults == ()


LAZY = {
    "RTLD_LAZY": ({}, {}, Outcome.AT_CALL),
    "RTLD_NOW": ({}, {"is_now": True}, Outcome.REFUSED),
    "LD_BIND_NOW": ({}, {"variables": {"LD_BIND_NOW": "1"}}, Outcome.REFUSED),
    "an empty LD_BIND_NOW": ({}, {"variables": {"LD_BIND_NOW": ""}}, Outcome.AT_CALL),
    "DF_BIND_NOW": ({"now": True}, {}, Outcome.REFUSED),
    "data": ({"lazy": False}, {}, Outcome.REFUSED),
}


@pytest.mark.parametrize(("file", "how", "outcome"), LAZY.values(), ids=LAZY)
def test_what_is_only_called_is_missed_at_its_call(
    file: dict[str, Any], how: dict[str, object], outcome: Outcome
) -> None:
    consumer = asks("f", **{"lazy": True, **file})

    result = opened(consumer, defines(), **{"is_now": False, **how})  # type: ignore[arg-type]  # a test's shorthand

    assert [fault.outcome for fault in result.faults] == [outcome]
    assert (result.error is None) == (outcome is Outcome.AT_CALL)


@pytest.mark.parametrize("is_global", [True, False])
def test_a_library_opened_globally_serves_those_that_come_later(is_global: bool) -> None:
    process = started(
        library("/w/liba.so"), library("/w/libb.so", "libc1.so"), library("/w/libc1.so"),
        symbols={"/w/liba.so": asks("f"), "/w/libc1.so": defines(plain("f"))},
    )  # fmt: skip

    process.dlopen("/w/libb.so", is_global=is_global)

    assert (process.dlopen("/w/liba.so").error is None) == is_global


def test_the_faults_of_what_is_needed_come_before_those_of_its_user() -> None:
    process = started(
        library("/w/liba.so", "libb.so"), library("/w/libb.so", "libc1.so"),
        library("/w/libc1.so", "liba.so"),
        symbols={path: asks(path[-4]) for path in ("/w/liba.so", "/w/libb.so", "/w/libc1.so")},
    )  # fmt: skip

    faults = process.dlopen("/w/liba.so").faults

    assert [fault.wanted_by for fault in faults] == ["/w/libc1.so", "/w/libb.so", "/w/liba.so"]


def test_of_two_that_are_needed_the_last_one_is_bound_first() -> None:
    paths = ("/w/liba.so", "/w/libb.so", "/w/libc1.so")
    process = started(
        library(paths[0], "libb.so", "libc1.so"), library(paths[1]), library(paths[2]),
        symbols={path: asks(path[-4]) for path in paths},
    )  # fmt: skip

    faults = process.dlopen("/w/liba.so").faults

    assert [fault.wanted_by for fault in faults] == ["/w/libc1.so", "/w/libb.so", "/w/liba.so"]


def test_a_program_that_does_not_start_says_why() -> None:
    files = {
        **library(PYTHON, "libb.so", soname=None, interpreter=GLIBC),
        **library(GLIBC),
        **library("/w/libb.so"),
    }
    process = Process(PlainTree(files), system.debian(), PYTHON, {"LD_LIBRARY_PATH": "/w"})
    known = {GLIBC: FileSymbols(), PYTHON: asks("f"), "/w/libb.so": FileSymbols()}

    (fault,) = process.bind(PlainSymbols(known))

    assert fault.error == f"{PYTHON}: undefined symbol: f"


def test_nothing_is_said_where_a_file_of_the_scope_cannot_be_read() -> None:
    process = started(
        library("/w/liba.so", "libb.so"), library("/w/libb.so"), symbols={}
    )  # fmt: skip
    process.bind(PlainSymbols({PYTHON: FileSymbols(), "/w/liba.so": asks("f")}))

    assert process.dlopen("/w/liba.so").faults == ()


def test_musl_s_binding_is_not_modelled() -> None:
    result = opened(asks("f"), defines(), interpreter=MUSL)

    assert result.faults == ()


def test_a_file_is_known_by_its_real_path() -> None:
    links = {"/w/libb.so": "libb.so.1"}
    files = {
        **library(PYTHON, soname=None, interpreter=GLIBC), **library(GLIBC),
        **library("/w/liba.so", "libb.so", runpath="$ORIGIN/../w"), **library("/w/libb.so.1"),
    }  # fmt: skip
    tree = PlainTree(files, links=links)
    process = Process(tree, system.debian(), PYTHON, {})
    known = {path: FileSymbols() for path in files}
    known |= {"/w/liba.so": asks("f"), "/w/libb.so.1": defines(plain("f"))}
    process.bind(PlainSymbols(known, tree.real_path))

    result = process.dlopen("/w/liba.so")

    assert (result.answers[-1].path, result.error) == ("/w/../w/libb.so", None)


def test_what_was_seen_can_be_kept() -> None:
    faults = opened(asks("f", file="libb.so", version="V_1"), defines(versions=("V_2",))).faults

    kept = msgspec.json.decode(msgspec.json.encode(faults), type=tuple[Fault, ...])

    assert kept == faults
    assert [type(fault) for fault in kept] == [VersionMissing, Unbound]
