"""The commands by which the user's own package managers change one environment."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.builds.indexes import address_of
from reconciler.model.catalog import Catalog
from reconciler.model.fix import OF_CONDA, Command
from reconciler.model.offer import label_of
from reconciler.model.prefix import PrefixRecord, PrefixState
from reconciler.model.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.model.distribution import Distribution
    from reconciler.model.fix import Tool
    from reconciler.model.owner import Owner

# The subdir, which conda adds to the channel that it was asked for.
_SUBDIR = re.compile(r"/(?:noarch|(?:linux|osx|win)-[\w]+)/?$")
#: What stands in the place of a secret.
_MASKED = re.compile(r"\*\*|//[*:]+@")


class Managers(Struct, frozen=True, kw_only=True, dict=True):
    """Who looks after the packages of an environment, as it shows itself, and what to tell him."""

    snapshot: Snapshot
    catalog: Catalog

    @cached_property
    def prefix(self) -> str:
        """The folder of the environment."""
        return self.snapshot.target.prefix or ""

    @cached_property
    def _state(self) -> PrefixState:
        return self.snapshot.state or PrefixState()

    @cached_property
    def python(self) -> str:
        """The environment's interpreter."""
        target, python = self.snapshot.target, self.snapshot.python
        if target.platform.startswith("win"):
            folder = f"{self.prefix}/Scripts" if target.kind == "venv" else self.prefix
            return f"{folder}/python.exe"
        # A system has no plain `python`, or that of another version.
        version = python.minor if python and target.kind == "system" else ""
        return f"{self.prefix.rstrip('/')}/bin/python{version}"

    @cached_property
    def of_conda(self) -> Tool:
        """Who looks after conda's packages: by pixi's mark, else by the shell's variables."""
        if self._state.pixi:
            return "pixi"
        named = {found.variable: found.path for found in self.snapshot.variable_paths}
        mamba, root = named.get("MAMBA_EXE", ""), named.get("MAMBA_ROOT_PREFIX", "").rstrip("/")
        is_below = bool(root) and f"{self.prefix}/".startswith(f"{root}/")
        if not mamba or ("CONDA_EXE" in named and not is_below):
            return "conda"
        return "micromamba" if "micromamba" in mamba.rpartition("/")[2] else "mamba"

    def of_wheel(self, wheel: Distribution | None = None) -> Tool:
        """Return who looks after a wheel: who has installed it, or could."""
        installer = wheel.installer or "" if wheel else ""
        if self._state.pixi and installer.startswith("uv"):
            return "pixi"
        return "pip" if self._has_pip and not installer.startswith("uv") else "uv"

    @cached_property
    def _has_pip(self) -> bool:
        seen = self.snapshot
        return "pip" in {*(d.key for d in seen.distributions), *(r.name for r in seen.records)}

    def removing(self, owner: Owner, why: str, *, times: int = 1) -> Command:
        """Return the command that removes a package, and nothing that depends on it."""
        if isinstance(owner, PrefixRecord):
            argv: tuple[str, ...] = ("remove", "-p", self.prefix, "--yes", "--force", owner.name)
            if self.of_conda == "pixi":
                argv = ("remove", "--manifest-path", self._manifest, owner.name)
            return _command(
                self.of_conda, (self.of_conda, *argv), why, "conda", (owner.name,), destructive=True
            )
        tool = self.of_wheel(owner)
        if tool == "pixi":
            argv = ("pixi", "remove", "--pypi", "--manifest-path", self._manifest, owner.key)
        elif tool == "uv":
            # uv removes all that are of one name.
            argv, times = ("uv", "pip", "uninstall", "--python", self.python, owner.key), 1
        else:
            argv = (self.python, "-m", "pip", "uninstall", "--yes", owner.key)
        return _command(tool, argv, why, "pip", (owner.key,), destructive=True, times=times)

    def installing_again(self, owner: Owner, why: str) -> Command:
        """Return the command that writes all files of a package anew, and no other package's."""
        if isinstance(owner, PrefixRecord):
            return self._record_again(owner, why)
        tool = self.of_wheel(owner)
        if tool == "pixi":
            return _command(tool, (*self._pixi_again, owner.key), why, "pip", (owner.key,))
        sources = tuple(self._source(owner))
        return self.installing(sources, why, owner.key, tool=tool, is_forced=True)

    def _record_again(self, record: PrefixRecord, why: str) -> Command:
        spec = f"{record.name}={record.version}" + (f"={record.build}" if record.build else "")
        argv = (
            (*self._pixi_again, record.name)
            if self.of_conda == "pixi"
            else (*self._conda_install(record), "--force-reinstall", spec)
        )
        return _command(self.of_conda, argv, why, "conda", (record.name,))

    def installing_specs(self, specs: Sequence[str], record: PrefixRecord, why: str) -> Command:
        """Return the command that lets conda solve for specs, in the channel of a package."""
        names = tuple(re.split("[=<>! ]", spec)[0] for spec in specs)
        argv = (
            ("pixi", "add", "--manifest-path", self._manifest, *specs)
            if self.of_conda == "pixi"
            else (*self._conda_install(record), *specs)
        )
        return _command(self.of_conda, argv, why, "conda", names)

    def _conda_install(self, record: PrefixRecord) -> tuple[str, ...]:
        channel = _SUBDIR.sub("", record.channel.rstrip("/"))
        # conda and mamba take a channel's folder as well as its name; `pypi` is none.
        named = ("--channel", channel) if channel and channel != "pypi" else ()
        return (self.of_conda, "install", "-p", self.prefix, "--yes", *named)

    @property
    def _manifest(self) -> str:
        return self._state.pixi.manifest if self._state.pixi else ""

    @property
    def _pixi_again(self) -> tuple[str, ...]:
        environment = self._state.pixi.environment if self._state.pixi else "default"
        place = ("--manifest-path", self._manifest, "--environment", environment)
        return ("pixi", "reinstall", *place)

    def installing(
        self,
        arguments: Sequence[str],
        why: str,
        *names: str,
        tool: Tool | None = None,
        is_forced: bool = False,
    ) -> Command:
        """Return the command that lets pip, or uv, install requirements into the environment.

        With ``is_forced`` it writes these alone, whether they are there or not.
        """
        tool = tool or self.of_wheel()
        if tool == "uv":
            forced = ("--reinstall", "--no-deps") if is_forced else ()
            argv = ("uv", "pip", "install", "--python", self.python, *forced, *arguments)
        else:
            forced = ("--force-reinstall", "--no-deps") if is_forced else ()
            argv = (self.python, "-m", "pip", "install", *forced, *arguments)
        return _command(tool, argv, why, "pip", names)

    def _source(self, wheel: Distribution) -> Iterator[str]:
        """Yield what pip is told to find the wheel that is installed: its URL, or its index."""
        if wheel.editable and wheel.direct_url:
            yield from ("--editable", wheel.direct_url.removeprefix("file://"))
        elif wheel.direct_url:
            yield f"{wheel.key} @ {wheel.pinned_url or wheel.direct_url}"
        else:
            yield from self.index_of(wheel.key, wheel.version)
            yield f"{wheel.key}=={wheel.version}"

    def index_of(self, name: str, version: str) -> tuple[str, ...]:
        """Return the options that lead pip to a build which PyPI cannot have; () for all others."""
        published, label = self.catalog.published, label_of(version)
        site = published.site_of(name) if label else None
        torch = next((d.version for d in self.snapshot.distributions if d.key == "torch"), "")
        address = address_of(site, version, label, torch.partition("+")[0]) if site else ""
        if site is None or not address:
            return ()
        return ("--find-links" if site.address.endswith(".html") else "--index-url", address)

    def setting(self, name: str, value: str, why: str) -> Command:
        """Return the command that lets activation set a variable."""
        argv = ("conda", "env", "config", "vars", "set", "-p", self.prefix, f"{name}={value}")
        return Command(manager="conda", argv=argv, why=why, destructive=False)

    def refusal(self, commands: Iterable[Command]) -> str:
        """Return why commands are not to be run in this environment; "" where they may."""
        return next(self._refusals(tuple(commands)), "")

    def _refusals(self, commands: Sequence[Command]) -> Iterator[str]:
        state, tools = self._state, {command.manager for command in commands}
        if any(_MASKED.search(word) for command in commands for word in command.argv):
            yield "a URL in it has credentials, which envfix does not keep"
        for pin in (pin for command in commands for pin in self._lost(command)):
            yield f"it is not known which index has {pin}"
        if state.frozen:
            yield "conda-meta/frozen says that this environment is not to be changed"
        if state.externally_managed and tools - OF_CONDA:
            yield f"{state.externally_managed} says that another manager looks after it (PEP 668)"
        if not state.writable:
            yield "the environment cannot be written to by who runs envfix"
        if any(c.manager == "pixi" and c.argv[1] in {"remove", "add"} for c in commands):
            yield f"pixi keeps this environment to its lock, and the step changes {self._manifest}"
        gone = {name for c in commands if c.destructive for name in c.packages}
        if "pip" in tools and gone & {"pip:pip", "conda:pip"}:
            yield "pip is among what goes, and is needed for the next step"

    def _lost(self, command: Command) -> Iterator[str]:
        """Yield the pins on builds that PyPI cannot have, where nothing says who has them."""
        is_told = {"--index-url", "--find-links"} & {*command.argv}
        has_own = any("index" in o.name or "links" in o.name for o in self.snapshot.pip_options)
        if command.manager in OF_CONDA or is_told or has_own:
            return
        yield from (word for word in command.argv if re.search(r"==[^@]*\+", word))


def _command(  # noqa: PLR0913 - a command's parts, by name
    tool: Tool,
    argv: tuple[str, ...],
    why: str,
    side: str,
    names: Iterable[str],
    *,
    destructive: bool = False,
    times: int = 1,
) -> Command:
    packages = tuple(f"{side}:{name}" for name in names)
    return Command(
        manager=tool,
        argv=argv,
        why=why,
        destructive=destructive,
        packages=packages,
        times=times,
    )
