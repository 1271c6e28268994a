"""pip, or conda, does not install into this environment what it is asked for.

The environment is marked EXTERNALLY-MANAGED (PEP 668) or frozen (CEP 22), the user may not write
into it, or a configuration file or variable redirects, limits or forbids what pip installs.

Silent where nothing of the kind is set, on settings that only change how pip downloads, such as a
proxy, a certificate or a timeout, and on those that only add a source, as every mirror does.

Why it matters
--------------
A remedy that says `pip install` fails, or ends elsewhere, without the environment being broken.
With EXTERNALLY-MANAGED pip ends with `error: externally-managed-environment`. Where site-packages
is not writable, pip installs into the user site instead, which every Python of that version sees.
With PIP_REQUIRE_VIRTUALENV it refuses each conda environment. An index in place of PyPI, or a
constraint, in a configuration file decides which build of torch is found.

Fix safety
----------
No fix is applied: somebody set these on purpose, and it is info for that reason.

References
----------
- conda/conda#10787: PIP_REQUIRE_VIRTUALENV makes pip refuse conda's environments
- conda/conda#12245: EXTERNALLY-MANAGED asked for in base, so that pip does not break it
- pypa/pip#12924: pip quietly installs for the user where a shared conda cannot be written

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Location, Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.finding import Finding
    from reconciler.model.host import PipOption
    from reconciler.model.prefix import PrefixState
    from reconciler.world import World

RULE = Rule(
    code="VIS304",
    name="pip-cannot-install",
    severity=Severity.INFO,
    needs=frozenset({Fact.STATE, Fact.PIP_OPTIONS}),
    since="0.1.0",
)

BAD = """\
state: {externally_managed: lib/python3.11/EXTERNALLY-MANAGED}
pip_options: []
"""

GOOD = """\
state: {pinned: [cuda-version=12.4]}
pip_options: []
"""

#: What options do, where it is not told by their names; those of uv with the same name do the same.
EFFECTS = {
    "index-url": "takes packages from there, and not from PyPI",
    "default-index": "takes packages from there, and not from PyPI",
    "no-index": "takes packages from no index",
    "constraint": "installs only the versions that it allows",
    "override": "installs its versions, whatever packages require",
    "target": "installs into that folder, and not into the environment",
    "prefix": "installs into that prefix, and not into the environment",
    "root": "installs below that folder, and not into the environment",
    "user": "installs into the user site, and not into the environment",
    "require-virtualenv": "refuses every environment of conda, which is no virtual environment",
    "no-binary": "builds these packages from their sources",
    "only-binary": "installs these packages only where they have a wheel",
    "pre": "takes pre-releases as well",
    "torch-backend": "takes torch for that CUDA",
}
#: They add to what pip finds, and keep nothing away.
ADDING = {"extra-index-url", "find-links", "index"}
OFF = {"0", "false", "no", "off", "f", "n"}


def check(world: World) -> Iterator[Finding]:
    """Say each mark of the prefix, and then what is configured."""
    state = world.snapshot.state
    yield from _marks(world, state) if state else ()
    if options := _in_force(world):
        yield _configured(options)


def _marks(world: World, state: PrefixState) -> Iterator[Finding]:
    if mark := state.externally_managed:
        breaks = any(option.name == "break-system-packages" for option in _in_force(world))
        yield RULE.finding(
            f"the environment is marked as not pip's to change: {mark} is there",
            at=Location(subject=mark, path=mark, in_prefix=True),
            shows_as="pip installs nonetheless, because break-system-packages is set"
            if breaks
            else "`pip install` ends with `error: externally-managed-environment`",
            remedy="install with conda; what conda does not have belongs in an environment of its"
            " own, since the mark protects this one from pip",
            cause=cause_of(RULE.name, mark),
        )
    if state.frozen:
        yield RULE.finding(
            "the environment is frozen: conda-meta/frozen is there",
            at=Location(subject="conda-meta/frozen", path="conda-meta/frozen", in_prefix=True),
            shows_as="conda refuses to install, update or remove anything here; pip does not know"
            " this mark",
            remedy="make changes in another environment; whoever maintains this one can use"
            " `--override-frozen` of conda",
            cause=cause_of(RULE.name, "conda-meta/frozen"),
        )
    if not state.writable:
        yield RULE.finding(
            "the user who runs envfix may not write into this environment",
            at=Location(subject=f"environment {world.snapshot.target.prefix}"),
            shows_as="`pip install` ends with `Permission denied`"
            if world.snapshot.target.kind == "venv"
            else "conda ends with `EnvironmentNotWritableError`; pip says `Defaulting to user"
            " installation` and installs into ~/.local, which every Python of this version sees",
            remedy="make an environment of your own (`conda create --clone`, or a venv), or ask"
            " whoever maintains this one",
            cause=cause_of(RULE.name, "prefix"),
        )


def _in_force(world: World) -> Sequence[PipOption]:
    """Return the last of each option, pip's and uv's apart, without those that are turned off."""
    options = world.snapshot.pip_options
    last = {(_tool(option), option.name): option for option in options}
    in_venv = world.snapshot.target.kind == "venv"
    # pip is content with a virtual environment.
    passed_over = ADDING | {"require-virtualenv"} if in_venv else ADDING
    return [
        option
        for option in last.values()
        if option.value.lower() not in OFF and option.name not in passed_over
    ]


def _tool(option: PipOption) -> str:
    return "uv" if option.source.startswith("UV_") else "pip"


def _configured(options: Sequence[PipOption]) -> Finding:
    tools = " and ".join(sorted({_tool(option) for option in options}))
    sources = list(dict.fromkeys(option.source for option in options))
    names = ", ".join(dict.fromkeys(option.name for option in options))
    effects: dict[str, list[str]] = {}
    for option in options:
        effects.setdefault(_effect(option), []).append(option.name)
    return RULE.finding(
        f"the configuration of {tools} changes what is installed: {names}, set in {', '.join(sources)}",
        at=Location(subject=f"configuration of {tools}"),
        shows_as="; ".join(f"{effect} ({', '.join(by)})" for effect, by in effects.items()),
        remedy="nothing, where this is meant; `pip --isolated install ...` passes over variables and"
        " the user's file, and `PIP_CONFIG_FILE=/dev/null` over every file",
        evidence=tuple(f"{o.source}: {o.name} = {o.value}" for o in options),
        cause=cause_of(RULE.name, "configuration"),
    )


def _effect(option: PipOption) -> str:
    return f"{_tool(option)} {EFFECTS.get(option.name, f'is told {option.value}')}"
