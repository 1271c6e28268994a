"""The commands that make conda supply what a conversion says, in an environment that is there.

Everything that goes is gone before anything comes: at no time are there two CUDAs. conda is asked
first, in a rehearsal that changes nothing, so that nothing is taken away for an environment that
it cannot make.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.builds.managers import Managers
from reconciler.builds.required import required_on
from reconciler.errors import EnvfixError
from reconciler.model.conversion import Converted, Kept
from reconciler.model.distribution import required_name
from reconciler.model.fix import Command
from reconciler.model.turning import Turning, TurningStep
from reconciler.world import World

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.model.catalog import Catalog
    from reconciler.model.conversion import Conversion
    from reconciler.model.distribution import Distribution
    from reconciler.model.owner import Owner
    from reconciler.model.prefix import PrefixRecord
    from reconciler.model.snapshot import Snapshot
    from reconciler.model.solution import Solution

#: What does the work of the script stays.
BENEATH = frozenset({"pip", "python"})


def turn(snapshot: Snapshot, catalog: Catalog, conversion: Conversion) -> Turning:
    """Return the commands for the environment that was converted; raises EnvfixError."""
    world = World(snapshot, catalog)
    solution = _proven(world, conversion)
    managers = Managers(snapshot=world.snapshot, catalog=world.catalog)
    if why := _unfit(world, managers):
        raise EnvfixError(why[0], where=managers.prefix, next_step=why[1])
    if _is_in_place(world, solution):
        made = _in_place(world, conversion, solution, managers)
    else:
        # What its marks forbid is for the environment that stays as it is.
        fresh = replace(world.snapshot, state=None)
        managers = Managers(snapshot=fresh, catalog=world.catalog)
        made = _beside(world, conversion, managers)
    if refusal := managers.refusal([step.command for step in made.steps]):
        raise EnvfixError(
            f"no script, since {refusal}", where=made.prefix, next_step="do these steps yourself"
        )
    return made


def _proven(world: World, conversion: Conversion) -> Solution:
    """Return what conda is to bring here: nothing is taken away for what may not come."""
    platform = world.snapshot.target.platform
    here = [p for p in conversion.proofs if p.proof.platform == platform]
    if here and here[0].solution:
        return here[0].solution
    choices = "; or ".join(conversion.cuda.choices)
    raise EnvfixError(
        f"no script, for it is not proven that conda can supply all of it on {platform}",
        where=world.snapshot.target.prefix or "",
        next_step=f"choose: {choices}" if choices else "see why without --script",
    )


def _unfit(world: World, managers: Managers) -> tuple[str, str] | None:
    """Return why an environment is not to be changed by commands, and what to do."""
    if managers.of_conda == "pixi":
        return "pixi keeps it to its manifest", "convert with --to pixi, and let pixi install it"
    if any(record.name == "conda" for record in world.snapshot.records):
        return "it is conda's own environment, which its packages keep alive", (
            "convert it with -o, and create another environment of the file"
        )
    return None


def _is_in_place(world: World, solution: Solution) -> bool:
    """Tell whether conda can change the environment: what was compiled needs the same Python."""
    python, record = world.snapshot.python, solution.record("python")
    is_same = python and record and record.version.startswith(f"{python.minor}.")
    return world.snapshot.target.kind == "conda" and bool(is_same)


def _in_place(
    world: World, conversion: Conversion, solution: Solution, managers: Managers
) -> Turning:
    platform = solution.platform
    going, staying = _wheels(world, conversion, solution)
    records = [*_overlaid(world, going), *_other_cuda(world, solution)]
    why = "conda's record of it goes, and conda brings what is asked for anew"
    removing = [
        TurningStep(command=managers.removing(record, why), only_if=_meta(record, managers))
        for record in dict.fromkeys(records)
    ]
    commands = [
        _installing(conversion, platform, managers),
        *_whole_again(world, going, staying, managers),
    ]
    there = {wheel.key for wheel in staying}
    if lacking := [line for line in _left(conversion, platform) if line.name not in there]:
        commands.append(_pip(lacking, managers.python))
    rehearsal = _rehearsal(conversion, platform, managers)
    return Turning(
        prefix=managers.prefix,
        steps=(
            TurningStep(command=rehearsal),
            *removing,
            *_uninstalling(going, world, managers),
            *_steps(commands),
        ),
        notes=tuple(_still_with_cuda(world, staying)),
    )


def _steps(commands: Iterable[Command]) -> Iterator[TurningStep]:
    return (TurningStep(command=command) for command in commands)


def _meta(record: PrefixRecord, managers: Managers) -> str:
    """Return the file that conda keeps of an installed package."""
    name = f"{record.name}-{record.version}-{record.build}.json"
    return f"{managers.prefix.rstrip('/')}/conda-meta/{name}"


def _beside(world: World, conversion: Conversion, managers: Managers) -> Turning:
    """Return what makes a new environment: conda installs nothing into what is not its own."""
    platform = world.snapshot.target.platform
    prefix = f"{managers.prefix.rstrip('/')}-conda"
    commands = [_creating(conversion, platform, prefix, managers)]
    if left := _left(conversion, platform):
        commands.append(_pip(left, f"{prefix}/bin/python"))
    return Turning(
        prefix=prefix,
        steps=tuple(_steps(commands)),
        notes=(f"{managers.prefix} stays as it is: remove it when {prefix} serves",),
    )


def _wheels(
    world: World, conversion: Conversion, solution: Solution
) -> tuple[list[Distribution], list[Distribution]]:
    """Return the wheels that go, and those that stay.

    Those go that the conversion gives to conda, or that conda brings besides, and what only they
    require; what is left to pip stays with all that it requires.
    """
    wheels = {name: named for name, named in world.wheels.items() if name not in BENEATH}
    brought = {name for name in wheels if _in_conda(name, world) & _names(solution)}
    left = {line.name for line in _left(conversion, solution.platform)}
    asked = {line.name for line in conversion.on(solution.platform)} - left
    staying = _closure(left, wheels, world) - brought
    going = (_closure(asked, wheels, world) | brought) - staying
    return (
        [wheel for name in sorted(going & wheels.keys()) for wheel in wheels[name]],
        [wheel for name in sorted(wheels.keys() - going) for wheel in wheels[name]],
    )


def _names(solution: Solution) -> set[str]:
    return {record.name for record in solution.records}


def _in_conda(name: str, world: World) -> set[str]:
    """Return conda's names of a project."""
    naming = world.catalog.naming
    row = naming.counterpart(name)
    return {*(row.conda if row else ()), naming.on_conda_forge(name)} - {""}


def _closure(
    names: Iterable[str], wheels: Mapping[str, Sequence[Distribution]], world: World
) -> set[str]:
    """Return these wheels with what they require, as far as pip has it."""
    found: set[str] = set()
    waiting = [name for name in names if name in wheels]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        needed = (r for wheel in wheels[name] for r in required_on(wheel, world.snapshot))
        waiting += [other for r in needed if (other := required_name(r)) in wheels]
    return found


def _overlaid(world: World, going: Iterable[Distribution]) -> Iterator[PrefixRecord]:
    """Yield conda's packages of the same files: what pip uninstalls, it takes from them too."""
    known, going = world.catalog.cuda_packages, [*going]
    names = {name for wheel in going for name in _in_conda(wheel.key, world)}
    sharing = [owner for owners in _shared(world, going) for owner in owners]
    for record in world.snapshot.records:
        is_twin = record.name in names and ("conda", record.name) not in known
        if (is_twin or record in sharing) and record.name not in BENEATH:
            yield record


def _shared(world: World, going: Sequence[Distribution]) -> list[tuple[Owner, ...]]:
    """Return the owners of each file that one of the wheels has in common with others."""
    return [
        owners
        for owners in world.ownership.shared.values()
        if any(owner is wheel for owner in owners for wheel in going)
    ]


def _whole_again(
    world: World,
    going: Sequence[Distribution],
    staying: Sequence[Distribution],
    managers: Managers,
) -> Iterator[Command]:
    """Yield what brings the files back that staying wheels have in common with those that go."""
    sharing = [owner for owners in _shared(world, going) for owner in owners]
    for wheel in staying:
        if any(wheel is owner for owner in sharing):
            why = "what went owned files of the same paths, and took them along"
            yield managers.installing_again(wheel, why)


def _other_cuda(world: World, solution: Solution) -> Iterator[PrefixRecord]:
    """Yield conda's packages of CUDA that the environment is to be without."""
    builds = {build.package for build in world.builds if build.manager == "conda"}
    names = _names(solution)
    for record in world.snapshot.records:
        if record.name in builds and record.name not in names:
            yield record


def _uninstalling(
    going: Sequence[Distribution], world: World, managers: Managers
) -> Iterator[TurningStep]:
    keys = [wheel.key for wheel in going]
    for wheel in {wheel.key: wheel for wheel in going}.values():
        why = f"conda is to supply {wheel.name}, or it came with what conda supplies"
        yield TurningStep(
            command=managers.removing(wheel, why, times=keys.count(wheel.key)),
            unless=_twin(wheel, world, managers),
        )


def _twin(wheel: Distribution, world: World, managers: Managers) -> str:
    """Return how the file begins that conda keeps of the same distribution, once it has brought it."""
    known = world.catalog.cuda_packages
    names = sorted(n for n in _in_conda(wheel.key, world) if ("conda", n) not in known)
    return f"{managers.prefix.rstrip('/')}/conda-meta/{names[0]}-" if names else ""


def _left(conversion: Conversion, platform: str) -> list[Kept | Converted]:
    """Return the lines of which something is left to pip."""
    lines = conversion.on(platform)
    return [x for x in lines if isinstance(x, Kept) or (isinstance(x, Converted) and x.rest)]


def _asking(conversion: Conversion, platform: str) -> tuple[str, ...]:
    channels = (word for name in conversion.channels for word in ("--channel", name))
    return ("--override-channels", *channels, *conversion.specs(platform))


def _rehearsal(conversion: Conversion, platform: str, managers: Managers) -> Command:
    tool, prefix = managers.of_conda, f"{managers.prefix.rstrip('/')}-rehearsal"
    return Command(
        manager=tool,
        argv=(tool, "create", "-p", prefix, "--yes", "--dry-run", *_asking(conversion, platform)),
        why="a rehearsal, which changes nothing: conda says whether it can supply all of it",
        destructive=False,
    )


def _installing(conversion: Conversion, platform: str, managers: Managers) -> Command:
    tool, asked = managers.of_conda, _asking(conversion, platform)
    return Command(
        manager=tool,
        argv=(tool, "install", "-p", managers.prefix, "--yes", *asked),
        why="now conda supplies it, with one CUDA",
        destructive=False,
    )


def _creating(conversion: Conversion, platform: str, prefix: str, managers: Managers) -> Command:
    tool = managers.of_conda
    return Command(
        manager=tool,
        argv=(tool, "create", "-p", prefix, "--yes", *_asking(conversion, platform)),
        why="a new environment, in which conda supplies all of it with one CUDA",
        destructive=False,
    )


def _pip(lines: Sequence[Kept | Converted], python: str) -> Command:
    words: list[str] = []
    for line in lines:
        text = line.requirement if isinstance(line, Kept) else line.rest
        option, _, path = text.partition(" ")
        words += [option, path] if option in {"-e", "--editable"} else [text]
    return Command(
        manager="pip",
        argv=(python, "-m", "pip", "install", *words),
        why="what is left to pip comes last, and finds conda's packages there",
        destructive=False,
        packages=tuple(f"pip:{line.name}" for line in lines),
    )


def _still_with_cuda(world: World, staying: Iterable[Distribution]) -> Iterator[str]:
    known = world.catalog.cuda_packages
    for wheel in staying:
        if ("pip", wheel.key) in known:
            yield (
                f"{wheel.name} {wheel.version} stays, since what is left to pip requires it: it "
                f"brings a CUDA of its own"
            )
