"""What a candidate for a soname lacks of what a consumer binds to it."""

from __future__ import annotations

from loader.test_binding import JITLINK, OLD, SPARSE, asks, defines, of_version, plain
from reconciler.loader.binding import missing_between
from reconciler.loader.symbols import PlainSymbols
from reconciler.model.binding import Outcome


def test_a_candidate_is_held_against_a_consumer_without_a_process() -> None:
    names = ("__nvJitLinkAddData_12_4", "__nvJitLinkCreate_12_1", "other")
    wanted = asks(*names[:2], file=JITLINK, version=JITLINK, lazy=True)
    old = defines(of_version(names[1], JITLINK), versions=(JITLINK,))
    symbols = PlainSymbols({SPARSE: wanted, OLD: old})

    found = missing_between(symbols, SPARSE, OLD, JITLINK)

    assert found is not None
    assert [(one.error, one.outcome) for one in found] == [
        (f"{SPARSE}: undefined symbol: {names[0]}, version {JITLINK}", Outcome.AT_CALL)
    ]
    assert missing_between(symbols, SPARSE, OLD, "libother.so") == ()
    assert missing_between(symbols, SPARSE, "/unread.so", JITLINK) is None


def test_a_candidate_lacks_a_version() -> None:
    wanted = asks(file="libstdc++.so.6", version="GLIBCXX_3.4.32")
    symbols = PlainSymbols({"/a.so": wanted, "/b.so": defines(versions=("GLIBCXX_3.4",))})

    found = missing_between(symbols, "/a.so", "/b.so", "libstdc++.so.6")

    text = "/b.so: version `GLIBCXX_3.4.32' not found (required by /a.so)"
    assert [one.error for one in found or ()] == [text]


def test_a_file_without_versions_has_the_names_that_begin_with_its_own() -> None:
    nccl = "/w/libnccl.so.2"
    wanted = asks("ncclCommRegister", "ncclSend", "torch_init")
    symbols = PlainSymbols({"/a.so": wanted, nccl: defines(plain("ncclSend"))})

    found = missing_between(symbols, "/a.so", nccl, "libnccl.so.2")

    assert [one.error for one in found or ()] == ["/a.so: undefined symbol: ncclCommRegister"]


def test_a_file_with_versions_is_asked_for_nothing_by_name_alone() -> None:
    symbols = PlainSymbols({"/a.so": asks("nvJitLinkNew"), OLD: defines(versions=(JITLINK,))})

    assert missing_between(symbols, "/a.so", OLD, JITLINK) == ()
