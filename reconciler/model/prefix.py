"""What conda's side of a prefix says of itself."""

from __future__ import annotations

from msgspec import Struct

from reconciler.model.activation import Assignment
from reconciler.model.hook import Hook, ScriptState
from reconciler.model.hook_harm import ShellHarm


class PrefixRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One conda package as ``conda-meta/*.json`` records it, in conda's and rattler's dialects."""

    name: str
    version: str
    build: str = ""
    build_number: int = 0
    #: A channel's name or URL, as recorded, without its credentials.
    channel: str = ""
    subdir: str = ""
    depends: tuple[str, ...] = ()
    constrains: tuple[str, ...] = ()
    #: Relative to the prefix, with forward slashes.
    files: tuple[str, ...] = ()
    #: The specs that a user asked for, where this package answers them.
    requested_specs: tuple[str, ...] = ()
    #: Of the python package alone, where its site-packages is not the usual one (3.13t).
    python_site_packages_path: str | None = None

    def __hash__(self) -> int:
        """Leave out the files, of which there are thousands."""
        return hash((self.name, self.version, self.build))

    def __str__(self) -> str:
        """Name and version, as a report's subject."""
        return f"{self.name} {self.version}"

    @property
    def path(self) -> str:
        """The record's own file, relative to the prefix."""
        return f"conda-meta/{self.name}-{self.version}-{self.build}.json"


class Python(Struct, frozen=True, kw_only=True):
    """The interpreter of an environment, as its files say; it is never started."""

    #: ``X.Y`` or more exact: ``3.11.7``.
    version: str
    #: Where its distributions lie, relative to the prefix where inside it, in sys.path order.
    site_packages: tuple[str, ...]
    #: Where the standard library comes from, if not the prefix itself (a venv's ``home``).
    home: str | None = None
    #: Whether that folder is there.
    home_exists: bool = True
    #: The version of the Python that conda has in ``home`` now; None where none of conda's is.
    home_version: str | None = None

    @property
    def minor(self) -> str:
        """``X.Y``, in which compiled extensions and ``lib/pythonX.Y`` are named."""
        return ".".join(self.version.split(".")[:2])


class StateVariable(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A variable that conda exports on activation, replacing what the shell had."""

    name: str
    value: str
    #: Relative to the prefix: ``conda-meta/state``, or a file of ``etc/conda/env_vars.d``.
    source: str
    #: The conda package that installed the source; None for what somebody set.
    owner: str | None = None


class ActivationScript(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A script that activation, or deactivation, sources into the user's shell."""

    #: Relative to the prefix: ``etc/conda/activate.d/name.sh``.
    path: str
    text: str
    #: The conda package that installed it; None for one that somebody wrote.
    owner: str | None = None
    #: What it does to variables, in its order; empty where no script of the prefix has to do with
    #: a variable that a Snapshot keeps.
    assignments: tuple[Assignment, ...] = ()
    #: What it does to the shell itself; empty where ``assignments`` is.
    harms: tuple[ShellHarm, ...] = ()


class InstalledHook(Struct, frozen=True, kw_only=True):
    """The hook that envfix has written into a prefix, as its record has it."""

    hook: Hook
    #: Its scripts, held against the record's checksums.
    scripts: tuple[ScriptState, ...] = ()


class PixiEnvironment(Struct, frozen=True, kw_only=True):
    """Whose environment a prefix is, as pixi has marked it."""

    #: The pixi.toml or pyproject.toml, absolute.
    manifest: str
    environment: str


class PrefixState(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a prefix holds beside its packages: pins, variables, scripts, marks."""

    #: The specs of ``conda-meta/pinned``.
    pinned: tuple[str, ...] = ()
    #: ``conda-meta/frozen`` is there: conda refuses to change the environment (CEP 22).
    frozen: bool = False
    #: ``conda-meta/pixi``: pixi keeps the environment to its lock.
    pixi: PixiEnvironment | None = None
    variables: tuple[StateVariable, ...] = ()
    scripts: tuple[ActivationScript, ...] = ()
    #: None where envfix has written none.
    own_hook: InstalledHook | None = None
    #: The EXTERNALLY-MANAGED file (PEP 668), relative to the prefix where inside it.
    externally_managed: str | None = None
    #: Whether the user who runs envfix may write into the prefix.
    writable: bool = True
    #: A venv's ``include-system-site-packages``.
    system_site_packages: bool = False
