from __future__ import annotations

import base64
import hashlib

import pytest

from reconciler.model.distribution import Distribution
from reconciler.model.installation import installed_twice, lost_records
from reconciler.model.library import Claim, PayloadFile
from reconciler.model.ownership import (
    ClaimedFile,
    Ownership,
    claimed_files,
    installed_paths,
    ownership,
)
from reconciler.model.prefix import PrefixRecord
from reconciler.model.snapshot import Fact, Gap, Snapshot, Target

SITE = "lib/python3.11/site-packages"


def wheel(name: str, *lines: str, version: str = "1.0", installer: str | None = "pip"):
    return Distribution(
        name=name,
        version=version,
        location=SITE,
        directory=f"{name}-{version}.dist-info",
        installer=installer,
        record="".join(f"{line}\n" for line in lines),
    )


def record(name: str, *files: str, version: str = "1.0") -> PrefixRecord:
    return PrefixRecord(name=name, version=version, build="0", files=files)


def snapshot(records=(), distributions=(), gaps=()) -> Snapshot:
    target = Target(project="/project", platform="linux-64")
    return Snapshot(
        envfix="0", target=target, records=records, distributions=distributions, gaps=gaps
    )


def names(owners) -> list[str]:
    return [owner.name for owner in owners]


def owners_of(index: Ownership, path: str) -> list[str]:
    return names(index.owners_of([path]).get(path, ()))


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("a/__init__.py,sha256=x,1", f"{SITE}/a/__init__.py"),
        ("a/__init__.py,,", f"{SITE}/a/__init__.py"),
        ("../../../bin/a,sha256=x,1", "bin/a"),
        ("a/../b.py,,", f"{SITE}/a/../b.py"),
        ("/opt/a.py,,", "/opt/a.py"),
        ('"a,b.py",sha256=x,1', f"{SITE}/a,b.py"),
        ('"a""b.py",,', f'{SITE}/a"b.py'),
    ],
)
def test_a_line_of_a_record_is_a_path_from_the_prefix(line: str, path: str) -> None:
    assert installed_paths(wheel("a", line, "z.py,,")) == [path, f"{SITE}/z.py"]


def test_bytecode_has_no_owner() -> None:
    cached = "a/__pycache__/a.cpython-311.pyc"

    assert installed_paths(wheel("a", f"{cached},,", f'"{cached}",,')) == []
    assert installed_paths(wheel("a", f"{cached},,")) == []
    assert (
        ownership((record("a", f"{SITE}/{cached}"), record("b", f"{SITE}/{cached}")), ()).shared
        == {}
    )


@pytest.mark.parametrize("text", [None, "", "\n"])
def test_a_distribution_without_a_record_owns_nothing_that_matters(text: str | None) -> None:
    empty = Distribution(
        name="a", version="1", location=SITE, directory="a-1.dist-info", record=text
    )

    assert {*installed_paths(empty)} <= {f"{SITE}/"}


def test_the_owner_of_a_file_is_told_by_its_path() -> None:
    index = ownership((record("cudnn", "lib/libcudnn.so.9"),), (wheel("six", "six.py,,"),))

    assert owners_of(index, "lib/libcudnn.so.9") == ["cudnn"]
    assert owners_of(index, f"{SITE}/six.py") == ["six"]
    assert owners_of(index, "lib/nobody.so") == []


def test_a_distribution_of_conda_is_no_owner_beside_its_record() -> None:
    metadata = f"{SITE}/six-1.0.dist-info/METADATA"
    condas = record("six", f"{SITE}/six.py", metadata)

    for installer in ("conda", None):
        faces = (wheel("six", "six.py,,", installer=installer),)
        assert owners_of(ownership((condas,), faces), f"{SITE}/six.py") == ["six"]
    over = ownership((condas,), (wheel("six", "six.py,,"),))
    assert owners_of(over, f"{SITE}/six.py") == ["six", "six"]


@pytest.mark.parametrize("egg", ["six-1.0-py3.11.egg-info", "six-1.0-py3.11.egg-info/PKG-INFO"])
def test_an_egg_info_of_conda_is_conda_s(egg: str) -> None:
    face = Distribution(
        name="six", version="1.0", location=SITE, directory="six-1.0-py3.11.egg-info"
    )

    assert ownership((record("six", f"{SITE}/{egg}"),), (face,)).wheels == ()


def test_three_owners_of_one_file_are_all_known() -> None:
    wheels = tuple(wheel(name, "nvidia/__init__.py,,") for name in "abc")

    index = ownership((), wheels)

    assert owners_of(index, f"{SITE}/nvidia/__init__.py") == ["a", "b", "c"]


def hashed(content: bytes) -> tuple[str, str]:
    digest = hashlib.sha256(content)
    text = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
    return f"sha256={text},{len(content)}", digest.hexdigest()


def claimed(*contents: bytes, seen: bytes | None, is_hashed: bool = True) -> ClaimedFile:
    wheels = tuple(
        wheel(name, f"lib.so,{hashed(content)[0]}")
        for name, content in zip("abc", contents, strict=False)
    )
    file = PayloadFile(
        path=f"{SITE}/lib.so",
        size=None if seen is None else len(seen),
        sha256=hashed(seen)[1] if seen is not None and is_hashed else None,
    )
    (found,) = claimed_files(ownership((), wheels), [file.path], [file])
    return found


@pytest.mark.parametrize(
    ("contents", "is_disputed"), [((b"x", b"x"), False), ((b"x", b"y"), True), ((b"", b""), False)]
)
def test_a_file_is_disputed_where_its_owners_installed_different_contents(
    contents: tuple[bytes, ...], is_disputed: bool
) -> None:
    assert claimed(*contents, seen=b"x").is_disputed is is_disputed


def test_the_hash_tells_who_won() -> None:
    file = claimed(b"x", b"y", seen=b"y")

    assert file.winner().name == "b"
    assert names(file.losers()) == ["a"]


def test_the_size_tells_who_won_without_a_hash() -> None:
    assert claimed(b"x", b"yy", seen=b"yy", is_hashed=False).winner().name == "b"


@pytest.mark.parametrize("seen", [b"z", None])
def test_nobody_has_won_a_file_that_is_another_or_gone(seen: bytes | None) -> None:
    file = claimed(b"x", b"y", seen=seen)

    assert file.winner() is None
    assert file.is_gone is (seen is None)


def test_nobody_has_won_a_file_whose_size_alone_is_known_and_fits_both() -> None:
    file = claimed(b"x", b"y", seen=b"y", is_hashed=False)

    assert (file.winner(), file.losers()) == (None, ())


def test_many_lines_of_a_record_are_found_as_few_are() -> None:
    lines = [f"m{n}.py,{hashed(b'x' * n)[0]}" for n in range(60)]
    index = ownership((), (wheel("a", *lines),))

    files = claimed_files(index, [f"{SITE}/m{n}.py" for n in range(60)], ())

    assert [file.claims[0].size for file in files] == list(range(60))


def test_what_conda_recorded_is_told_by_the_payload() -> None:
    condas = record("six", f"{SITE}/six.py")
    index = ownership((condas,), (wheel("six", f"six.py,{hashed(b'pip')[0]}"),))
    told = Claim(owner=condas.path, size=5)
    file = PayloadFile(path=f"{SITE}/six.py", size=5, recorded=(told,))

    (known,) = claimed_files(index, [file.path], [file])
    (unknown,) = claimed_files(index, [file.path], [])

    assert (known.is_disputed, known.winner()) == (True, condas)
    assert not unknown.is_disputed


def test_a_broken_hash_in_a_record_is_none() -> None:
    (file,) = claimed_files(
        ownership((), (wheel("a", "x.py,sha256=!,1", "y.py,,"),)), [f"{SITE}/x.py"], ()
    )

    assert file.claims[0].sha256 in {None, ""}


@pytest.mark.parametrize(
    ("name", "is_library"),
    [
        ("libnccl.so.2", True),
        ("_C.pyd", True),
        ("x.so", True),
        ("x.py", False),
        ("x.sources", False),
    ],
)
def test_a_library_is_known_by_its_name(name: str, is_library: bool) -> None:
    file = ClaimedFile(path=f"lib/{name}", owners=(), claims=())

    assert file.is_library is is_library


def twins(records=(), distributions=()):
    return list(
        installed_twice(ownership(records, distributions), snapshot(records, distributions))
    )


def test_a_distribution_that_conda_and_pip_installed_is_twice_there() -> None:
    condas = record("packaging", f"{SITE}/packaging-25.0.dist-info/METADATA", version="25.0")
    pips = wheel("packaging", version="26.3")

    (found,) = twins((condas,), (wheel("packaging", version="25.0", installer="conda"), pips))

    assert [str(i) for i in found.installations] == [
        "conda's packaging 25.0",
        "pip's packaging 26.3",
    ]
    assert all(i.is_there for i in found.installations)


def test_what_pip_removed_before_it_installed_is_twice_recorded() -> None:
    condas = record("packaging", f"{SITE}/packaging-25.0.dist-info/METADATA", version="25.0")

    (found,) = twins((condas,), (wheel("packaging", version="26.3"),))

    assert [i.is_there for i in found.installations] == [True, False]


@pytest.mark.parametrize(
    ("records", "distributions"),
    [
        ((), (wheel("a"), wheel("b"))),
        (
            (record("a", f"{SITE}/a-1.0.dist-info/METADATA"),),
            (wheel("a", installer="conda"),),
        ),
        (
            (record("setuptools", f"{SITE}/setuptools/_vendor/packaging-24.2.dist-info/METADATA"),),
            (wheel("packaging"),),
        ),
        (
            (record("a", f"{SITE}/a-1.0.dist-info/METADATA", f"{SITE}/a-1.0.egg-info/PKG-INFO"),),
            (
                wheel("a", installer="conda"),
                Distribution(name="a", version="1.0", location=SITE, directory="a-1.0.egg-info"),
            ),
        ),
    ],
    ids=["two names", "one of conda", "vendored", "two faces of one record"],
)
def test_what_is_there_once_is_no_twin(records, distributions) -> None:
    assert twins(records, distributions) == []


def lost(records, distributions, gaps=()) -> list[str]:
    index = ownership(records, distributions)
    return names(lost_records(index, snapshot(records, distributions, gaps)))


def test_a_record_whose_dist_info_is_gone_is_lost() -> None:
    records = (record("a", f"{SITE}/a-1.0.dist-info/METADATA"), record("lib", "lib/lib.so"))

    assert lost(records, (wheel("other"),)) == ["a"]


def test_a_record_is_not_lost_where_nothing_was_read_or_its_dist_info_could_not_be() -> None:
    records = (record("a", f"{SITE}/a-1.0.dist-info/METADATA"),)
    unread = Gap(fact=Fact.DISTRIBUTIONS, reason="no", item=f"{SITE}/a-1.0.dist-info")

    assert lost(records, ()) == []
    assert lost(records, (wheel("other"),), (unread,)) == []
    assert lost(records, (wheel("a", installer="conda"),)) == []
