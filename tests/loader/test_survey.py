"""What is recorded of a machine answers, without it, what the machine would."""

from __future__ import annotations

import posixpath
import re
import shutil
import sys
from typing import TYPE_CHECKING

import msgspec
import pytest

from loader import reality
from loader.worlds import Builder
from reconciler.collect import loader_view
from reconciler.collect.disk_tree import DiskTree
from reconciler.loader.package_folders import folders
from reconciler.loader.process import CannotStartError, Process
from reconciler.loader.survey import Survey
from reconciler.loader.tree import PlainTree, RecordedTree
from reconciler.model.library import SharedLibrary
from reconciler.model.loader_view import LoaderView
from reconciler.model.system import System

if TYPE_CHECKING:
    from pathlib import Path

    from loader.worlds import RandomWorld
    from reconciler.loader.answer import Opened

WORLDS = 60


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    if sys.platform != "linux" or shutil.which("gcc") is None:
        pytest.skip("there is no ld.so, or no gcc")
    return reality.templates(tmp_path_factory.mktemp("templates"))


@pytest.mark.parametrize("seed", range(WORLDS))
def test_a_recorded_world_answers_as_the_disk_does(
    seed: int, templates: tuple[Path, Path], tmp_path: Path
) -> None:
    system = reality.this_system(str(templates[0]))
    world = Builder(tmp_path, system, seed).build(*templates)
    view = recorded(world, system)
    replayed = RecordedTree(msgspec.json.decode(msgspec.json.encode(view), type=LoaderView))

    assert life(replayed, world, system) == life(DiskTree(), world, system)
    assert replayed.unknown == set()


def recorded(world: RandomWorld, system: System) -> LoaderView:
    tree = DiskTree()
    survey = Survey(tree, system, world.directory)
    names = [name for opened in world.opened for name in opened.split("@")]
    survey.look_at([world.program])
    origin = posixpath.dirname(world.program)
    survey.follow(world.variables.get("LD_LIBRARY_PATH", ""), origin)
    preloaded = re.split("[ :]", world.variables.get("LD_PRELOAD", ""))
    survey.need((*names, *preloaded), origin=origin)
    survey.finish()
    return loader_view.view_of(tree, world.program, system, world.directory)


def life(
    tree: RecordedTree | DiskTree, world: RandomWorld, system: System
) -> tuple[tuple[str, ...], list[Opened]]:
    """Return what is mapped in the end, and what each dlopen did."""
    process = Process(tree, system, world.program, world.variables, directory=world.directory)
    opened = []
    for name in world.opened if not process.missing else ():
        caller, at, called = name.rpartition("@")
        if not at or not process.dlopen(caller).error:
            opened.append(process.dlopen(called, caller or None))
    return process.mapped, opened


SYSTEM = System(lib="lib64", platform="x86_64", default_directories=("/lib64",))
PROGRAM = SharedLibrary(path="/p/bin/python", interpreter="/lib64/ld.so", needed=("liba.so",))


def test_what_was_never_looked_at_is_said_to_be_unknown() -> None:
    view = LoaderView(
        executable="/p/bin/python",
        system=SYSTEM,
        directories={"/p/lib": ("liba.so",)},
        files=(PROGRAM,),
    )
    tree = RecordedTree(view)

    assert tree.elf("/p/lib/liba.so") is None
    assert tree.names("/elsewhere") == ()
    assert tree.unknown == {"/p/lib/liba.so", "/elsewhere"}


def test_a_name_that_is_not_in_a_recorded_directory_is_known_to_be_missing() -> None:
    tree = RecordedTree(LoaderView(executable="", system=SYSTEM, directories={"/p/lib": ()}))

    assert (tree.elf("/p/lib/liba.so"), tree.unknown) == (None, set())


def test_a_library_leads_to_what_it_needs_in_the_places_that_others_lead_to() -> None:
    seen = PlainTree(
        {
            "/p/bin/python": PROGRAM,
            "/p/x.so": SharedLibrary(path="/p/x.so", runpath="$ORIGIN/lib:relative"),
            "/p/lib/liba.so": SharedLibrary(path="/p/lib/liba.so", needed=("libb.so",)),
            "/w/relative/libb.so": SharedLibrary(path="/w/relative/libb.so"),
        }
    )
    tree = Noting(seen)
    survey = Survey(tree, SYSTEM, "/w")

    survey.look_at(["/p/bin/python", "/p/x.so"])
    survey.finish()

    assert tree.asked >= {"/p/lib/liba.so", "/w/relative/libb.so"}


def test_a_path_that_two_need_is_followed_from_each() -> None:
    needing = {
        path: SharedLibrary(path=path, needed=("$ORIGIN/own.so",))
        for path in ("/a/x.so", "/b/y.so")
    }
    tree = Noting(PlainTree(needing))
    survey = Survey(tree, SYSTEM, "/w")

    survey.look_at(needing)
    survey.finish()

    assert tree.asked >= {"/a/own.so", "/b/own.so"}


class Noting:
    """A Tree that notes whose head was asked for."""

    def __init__(self, tree: PlainTree) -> None:
        self.names, self.real_path, self.identity = tree.names, tree.real_path, tree.identity
        self._tree = tree
        self.asked: set[str] = set()

    def elf(self, path: str) -> object:
        self.asked.add(path)
        return self._tree.elf(path)


def test_a_program_that_is_not_recorded_cannot_be_started() -> None:
    tree = RecordedTree(LoaderView(executable="/p/bin/python", system=SYSTEM))

    with pytest.raises(CannotStartError, match="cannot be opened"):
        Process(tree, SYSTEM, "/p/bin/python", {})


def test_a_file_that_is_named_by_its_path_is_a_candidate_for_its_soname() -> None:
    path = "/trap/renamed.so"
    survey = Survey(PlainTree({path: SharedLibrary(path=path, soname="liba.so.1")}), SYSTEM, "/")

    survey.need([path, "/nowhere/libb.so"])

    assert survey.candidates("liba.so.1") == (path,)
    assert survey.candidates("libb.so") == ()


def test_a_toolkit_s_root_beside_a_library_is_looked_into() -> None:
    plugin = "/p/site-packages/jax_plugins/xla_cuda12"
    tree = PlainTree(
        {
            path: SharedLibrary(path=path)
            for path in (f"{plugin}/x.so", f"{plugin}/cuda/nvvm/libdevice/libdevice.10.bc")
        }
    )

    found = {*folders(tree, ["/p/site-packages"], [f"{plugin}/x.so"])}

    assert {f"{plugin}/cuda/nvvm", f"{plugin}/cuda/nvvm/libdevice"} <= found


def test_what_lies_in_a_folder_that_the_root_does_not_have_is_known_to_be_absent() -> None:
    view = LoaderView(
        executable="/p/bin/python", system=SYSTEM, directories={"/": ("usr",)}, whole=("/",)
    )
    tree = RecordedTree(view)

    assert (tuple(tree.names("/opt/cuda/lib64")), tree.unknown) == ((), set())
