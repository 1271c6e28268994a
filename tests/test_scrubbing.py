"""A snapshot that is saved for others has nobody's name in its paths, and is found the same of."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import example, given, settings
from hypothesis import strategies as st
from model.test_snapshot import snapshots
from test_envs import CASES, judged, snapshot_of

from reconciler import pipeline
from reconciler.cli import cli
from reconciler.collect.person import person
from reconciler.model.os_name import from_os
from reconciler.model.person import Person
from reconciler.model.snapshot import Fact, Snapshot, Target
from reconciler.scrubbing import scrub

if TYPE_CHECKING:
    from pathlib import Path

#: Names that are also those of folders, packages, users of images, and of parts of other names.
HOSTILE = (
    *("a", "lib", "python", "envs", "nvidia", "torch", "conda", "usr", "home", "user", "users"),
    *("site-packages", "prefix", "project", "bin", "cuda", "so", "1", "x86_64", "host", "root"),
    *("Ann Lee", "ann.lee", "ann+x", "$ann", "änn", "ann-12", "user2", "lib64", "c", "dist-info"),
)
names = st.sampled_from(HOSTILE) | st.text(
    st.characters(categories=("L", "N", "P"), exclude_characters="/\\:;,\"'<>|`()[]{}*?#"),
    min_size=1,
    max_size=8,
).filter(lambda name: not name.endswith(".") and not name.startswith("~"))
#: Where NAME is a person's folder.
PLACES = ("/home/NAME", "/Users/NAME", "/scratch/NAME", "/mnt/nfs/homes/NAME/work")


@cache
def seen(case: Path) -> bytes:
    return msgspec.json.encode(snapshot_of(case))


def taken_in(case: Path, place: str) -> Snapshot:
    """The snapshot of a case as it would be if the case lay in another folder."""
    inside_a_string = json.dumps(place, ensure_ascii=False)[1:-1].encode()
    raw = seen(case).replace(str(case).encode(), inside_a_string)
    return msgspec.json.decode(raw, type=Snapshot)


def codes(snapshot: Snapshot) -> list[tuple[str, str]]:
    return sorted((finding.code, finding.severity) for finding in judged(snapshot).findings)


def of(name: str, place: str = "/home/NAME") -> Person:
    return Person(homes=(place.replace("NAME", name),), names=(name,), hosts=("gpu-box.example",))


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda n: CASES[n].name)
def test_every_environment_is_found_the_same_of_without_its_user(number: int) -> None:
    name, place = HOSTILE[number % len(HOSTILE)], PLACES[number % len(PLACES)]
    taken = taken_in(CASES[number], f"{place.replace('NAME', name)}/case")

    scrubbed = scrub(taken, of(name))

    assert codes(scrubbed) == codes(taken)


@given(case=st.sampled_from(CASES[::6]), name=names, place=st.sampled_from(PLACES))
@example(case=CASES[0], name="prefix", place="/scratch/NAME")
@example(case=CASES[0], name="project", place="/scratch/NAME")
@settings(deadline=None, max_examples=25)
def test_no_name_of_a_user_changes_what_is_found(case: Path, name: str, place: str) -> None:
    taken = taken_in(case, f"{place.replace('NAME', name)}/case")

    scrubbed = scrub(taken, of(name, place))

    assert codes(scrubbed) == codes(taken)
    assert scrub(scrubbed, of(name, place)) == scrubbed or name in HOSTILE


@given(taken=snapshots, name=names)
@settings(deadline=None, max_examples=25)
def test_whatever_a_snapshot_holds_is_held_afterwards(taken: Snapshot, name: str) -> None:
    scrubbed = scrub(taken, of(name))

    for fact in Fact:
        before, after = getattr(taken, fact.value), getattr(scrubbed, fact.value)
        assert (
            len(after) == len(before) if hasattr(before, "__len__") else bool(after) == bool(before)
        )
    assert pipeline.load_snapshot(pipeline.save_snapshot(scrubbed), where="here") == scrubbed


@given(name=names)
@example(name="X")
@settings(deadline=None, max_examples=60)
def test_no_home_keeps_the_name_of_its_user(name: str) -> None:
    # Folders whose names are longer than any that is drawn: X is a user of the folder x as well.
    inner = "somewhere"
    home, tilde = f"/home/{name}", f"~{name}"
    text = f"a {home}/{inner}:{home}\nC:\\Users\\{name}\\{inner} {tilde}/{inner} '{home}'"

    scrubbed = shown(text, of(name), project=f"/home/{name}/work")

    mine = name if re.fullmatch(r"user\d*", name) else scrubbed.split("/")[2]
    assert re.fullmatch(r"user\d*", mine)
    assert scrubbed.startswith(f"a /home/{mine}/{inner}:/home/{mine}\nC:\\Users\\")
    assert scrubbed.endswith(f" ~{mine if ' ' not in name else name}/{inner} '/home/{mine}'")


def shown(text: str, who: Person, *, prefix: str | None = None, project: str = "/srv/p") -> str:
    """What becomes of a text that a snapshot holds."""
    target = Target(project=project, prefix=prefix, platform="linux-64")
    taken = Snapshot(envfix="0", target=target, variables={"SOME": from_os(text)})
    return scrub(taken, who).variables["SOME"]


ANN = Person(homes=("/home/ann", "/data/people/ann"), names=("ann",), hosts=("box.example", "box"))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("/home/ann", "/home/user"),
        ("/home/ann/x:/home/bob/y:/home/ann", "/home/user/x:/home/user2/y:/home/user"),
        ("It lies in /home/ann.", "It lies in /home/user."),
        ("/data/people/ann/envs/gpu", "/data/people/user/envs/gpu"),
        ("/scratch/ann/wheels", "/scratch/user/wheels"),
        ("/scratch/ann/old/ann/x", "/scratch/user/old/user/x"),
        ("/var/home/ann/x", "/var/home/user/x"),
        ("/mnt/c/Users/ann/x", "/mnt/c/Users/user/x"),
        ("C:\\Users\\Ann\\x;C:\\Users\\ANN\\y", "C:\\Users\\user\\x;C:\\Users\\user\\y"),
        ("C:\\\\Users\\\\ann\\\\x", "C:\\\\Users\\\\user\\\\x"),
        ("c:/users/Ann/x", "c:/users/user/x"),
        ("file:///home/ann/a.whl", "file:///home/user/a.whl"),
        ("file://localhost/home/ann/a.whl", "file://localhost/home/user/a.whl"),
        ("gcc -L/home/ann/lib -I/home/ann/include", "gcc -L/home/user/lib -I/home/user/include"),
        ("--find-links=/home/ann/w", "--find-links=/home/user/w"),
        ("x @ file:///home/ann/a#sha256=1", "x @ file:///home/user/a#sha256=1"),
        ("cd ~ann/x && cd ~/y", "cd ~user/x && cd ~/y"),
        ("prefix: '/home/ann/e'\n", "prefix: '/home/user/e'\n"),
        ("/net/box/x", "/net/host2/x"),
        ("http://box:8080/simple", "http://host2:8080/simple"),
        ("https://me:**@box.example/simple", "https://me:**@host/simple"),
    ],
)
def test_who_and_where_a_user_is_becomes_anybody(text: str, kept: str) -> None:
    assert shown(text, ANN) == kept


@pytest.mark.parametrize(
    "text",
    [
        "ann==1.0",
        "lib/python3.11/site-packages/ann/lib.so,sha256=ann,7",
        "https://github.com/ann/project",
        "https://conda.anaconda.org/ann/linux-64",
        "/usr/lib/ann/x.so",
        "/opt/conda/lib/ann.so",
        "/opt/ann",
        "/scratch/e/lib/python3.11/site-packages/ann/x.so",
        "${HOME}/home/ann",
        "docs/home/ann",
        "/root/x",
        "/homestead/ann-2",
        "planning",
    ],
)
def test_what_tells_of_no_one_is_kept(text: str) -> None:
    assert shown(text, ANN) == text


def test_what_lies_in_the_prefix_keeps_its_names() -> None:
    inside = "/scratch/ann/gpu/ann/x.so"

    assert shown(inside, ANN, prefix="/scratch/ann/gpu") == "/scratch/user/gpu/ann/x.so"


@pytest.mark.parametrize("prefix", ["/scratch/envs/ann", "/scratch/ann/ann"])
def test_an_environment_keeps_its_name(prefix: str) -> None:
    kept = shown(f"{prefix}/bin:{prefix}", ANN, prefix=prefix)

    assert {path.removesuffix("/bin").rpartition("/")[2] for path in kept.split(":")} == {"ann"}


def test_two_people_do_not_become_one() -> None:
    assert shown("/home/ann:/home/user:/home/user2", ANN) == "/home/user3:/home/user:/home/user2"


def test_a_home_is_no_folder_of_a_package_whatever_its_name_is() -> None:
    who = Person(homes=("/home/bin",), names=("ann",))

    assert shown("/home/bin/ann/x", who) == "/home/user2/user/x"


def test_a_folder_with_a_space_is_one_folder() -> None:
    lee = Person(homes=("/Users/Ann Lee",), names=("Ann Lee",))

    assert shown("/Users/Ann Lee/bin:/bin", lee) == "/Users/user/bin:/bin"


def test_the_names_of_a_folder_s_list_and_of_links_become_the_same() -> None:
    name = next(case.name for case in CASES if json.loads(seen(case))["loader"])
    taken = taken_in(next(c for c in CASES if c.name == name), "/home/ann/case")
    loader = msgspec.structs.replace(
        taken.loader, directories={"/home": ("ann", "libann.so")}, links={"/home/b": "ann"}
    )

    scrubbed = scrub(msgspec.structs.replace(taken, loader=loader), ANN).loader

    assert (scrubbed.directories, scrubbed.links) == (
        {"/home": ("user", "libann.so")},
        {"/home/user2": "/home/user"},
    )


def test_a_path_without_end_is_read_to_an_end() -> None:
    text = "/home/ann" + "/a" * 100_000 + " /" * 100_000 + "~" * 100_000

    assert shown(text, ANN).startswith("/home/user/a/a")


def test_who_runs_envfix_is_known_by_variables_and_by_the_machine(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    home = str(tmp_path / "link")

    who = person({"HOME": home, "USER": "ann", "SUDO_USER": "bob", "HOSTNAME": "box"})

    assert who.homes == (home, str((tmp_path / "real").resolve()))
    assert who.names == ("ann", "bob")
    assert "box" in who.hosts


def test_a_snapshot_is_saved_anonymously_on_request(tmp_path: Path) -> None:
    home = tmp_path / "home" / "ann"
    (home / "work").mkdir(parents=True)
    (home / "work" / "environment.yml").write_text(
        f"name: gpu\nprefix: {home}/envs/gpu\ndependencies: [python]\n"
    )
    files = {name: tmp_path / f"{name}.json" for name in ("plain", "anonymous")}
    command = ["scan", str(home / "work"), "--no-env", "--no-host", "--save-snapshot"]
    environ = {"HOME": str(home), "USER": "ann"}
    CliRunner(env=environ).invoke(cli, [*command, str(files["plain"])])
    CliRunner(env=environ).invoke(cli, [*command, str(files["anonymous"]), "--anonymize"])

    saved = {name: file.read_text() for name, file in files.items()}
    assert f"{home}/envs" in saved["plain"]
    assert "/ann" not in saved["anonymous"]
    replayed = pipeline.load_snapshot(saved["anonymous"].encode(), where="here")
    assert codes(replayed) == codes(pipeline.load_snapshot(saved["plain"].encode(), where="here"))


def test_what_is_not_saved_is_not_anonymized() -> None:
    done = CliRunner().invoke(cli, ["scan", "--no-env", "--anonymize"])

    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "--save-snapshot" in done.stderr
