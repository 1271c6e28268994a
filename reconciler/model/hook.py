"""An activation hook: what it does to the variables of a shell, and the files that do it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from reconciler.model.os_name import to_os


class SetVariable(Struct, frozen=True, kw_only=True, tag="set"):
    """Give a variable a value, whatever it was."""

    name: str
    #: The text of it, or what stands before the path.
    value: str = ""
    #: What is written behind the value: a path below the live prefix ("" is the prefix itself).
    path: str | None = None

    def __str__(self) -> str:
        below = f"/{self.path}" if self.path else ""
        return f"{self.name} is {self.value}{'' if self.path is None else f'$PREFIX{below}'}"


class PrependPath(Struct, frozen=True, kw_only=True, tag="prepend"):
    """Put directories of the environment in front of those that a variable lists."""

    name: str
    #: Relative to the prefix, which is asked for anew at each activation.
    directories: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} begins with {' and '.join(self.directories)}"


class RemoveElement(Struct, frozen=True, kw_only=True, tag="remove"):
    """Take a directory that came from elsewhere out of those that a variable lists."""

    name: str
    #: As it stands in the variable.
    directory: str

    def __str__(self) -> str:
        return f"{self.name} is without {self.directory}"


class Unset(Struct, frozen=True, kw_only=True, tag="unset"):
    """Take a variable away."""

    name: str

    def __str__(self) -> str:
        return f"{self.name} is not set"


#: What becomes of a variable; as text a clause of it.
HookVariable = SetVariable | PrependPath | RemoveElement | Unset


class Place(StrEnum):
    """How an environment is activated."""

    #: By a manager that sources the scripts of etc/conda.
    CONDA = "conda"
    #: By its user, who sources a script of bin (Scripts on Windows).
    VENV = "venv"


class Reason(Struct, frozen=True, kw_only=True):
    """Why a hook is there."""

    #: Of the rule that asks for it.
    code: str
    #: Without its period.
    sentence: str


class HookChange(Struct, frozen=True, kw_only=True):
    """What the activation of an environment is to change, and why it has to."""

    #: In the order in which they are carried out.
    variables: tuple[HookVariable, ...]
    why: Reason
    #: What was seen when it was tried out in the model, each a clause.
    proof: tuple[str, ...] = ()
    #: Scripts that somebody wrote, relative to the prefix, which go for it; ``envfix undo`` brings
    #: them back.
    replaces: tuple[str, ...] = ()


class HookOffer(Struct, frozen=True, kw_only=True):
    """What an environment needs of its activation, as far as that is proven."""

    changes: tuple[HookChange, ...] = ()
    #: Needed as well, but they take away what somebody has set: made only when asked for.
    left_out: tuple[HookChange, ...] = ()
    #: What is in want of a hook, and why it is given none: each a sentence without its period.
    refusals: tuple[str, ...] = ()
    #: What conda has installed and pip could replace, in pip's words: ``torch==2.5.1``.
    pins: tuple[str, ...] = ()


class Hook(Struct, frozen=True, kw_only=True):
    """What is to be true of a shell while an environment is active in it, and never after."""

    #: Where the environment lay when the hook was written. No script of conda's holds it.
    prefix: str
    place: Place = Place.CONDA
    #: Whether the environment is one of Windows.
    windows: bool = False
    #: In the order in which they are carried out; several may be of one name.
    variables: tuple[HookVariable, ...]
    why: tuple[Reason, ...]
    #: The version of envfix.
    created_by: str

    @property
    def names(self) -> tuple[str, ...]:
        """The variables that it saves, changes and restores, each once."""
        return tuple(dict.fromkeys(variable.name for variable in self.variables))

    @property
    def key(self) -> str:
        """What tells its saved values from those of another environment below it in the shell."""
        return _sha256(self.prefix.encode())[:8]

    def saved(self, name: str) -> str:
        """Return the variable that keeps what ``name`` was."""
        return f"_ENVFIX_{self.key}_{name}"

    def absent(self, name: str) -> str:
        """Return the variable that is set in the other's stead where ``name`` was not."""
        return f"_ENVFIX_NO_{self.key}_{name}"


def _sha256(content: bytes) -> str:
    import hashlib  # noqa: PLC0415 - takes 3 ms, and few environments have a hook

    return hashlib.sha256(content).hexdigest()


class HookFile(Struct, frozen=True, kw_only=True):
    """A script of a hook, as it is to be written."""

    #: Relative to the prefix, with slashes.
    path: str
    #: In the encoding of names in a Snapshot.
    text: str

    @property
    def content(self) -> bytes:
        """Return the bytes of the file."""
        return to_os(self.text).encode("utf-8", "surrogateescape")

    @property
    def sha256(self) -> str:
        """Return the checksum of the file, in hexadecimal digits."""
        return _sha256(self.content)


class WrittenFile(Struct, frozen=True, kw_only=True):
    """A script of a hook, as it was written."""

    #: Relative to the prefix, with slashes.
    path: str
    sha256: str


class HookManifest(Struct, frozen=True, kw_only=True):
    """What envfix has written into an environment, kept there in JSON."""

    schema_version: int = 1
    hook: Hook
    files: tuple[WrittenFile, ...]
    #: What was made for them, relative to the prefix, the outer ones first.
    folders: tuple[str, ...] = ()


class StaleHook(Struct, frozen=True, kw_only=True):
    """Where envfix's own hook does something else than what is needed today."""

    #: Needed, and not done; each directory by itself.
    lacks: tuple[HookVariable, ...] = ()
    #: Done, and not needed.
    idle: tuple[HookVariable, ...] = ()


class FileState(StrEnum):
    """A script on the disk, held against the manifest."""

    INTACT = "intact"
    EDITED = "edited"
    MISSING = "missing"


class ScriptState(Struct, frozen=True, kw_only=True):
    """How one script of a hook is."""

    path: str
    state: FileState


class HookStatus(Struct, frozen=True, kw_only=True):
    """How the hook of an environment is."""

    scripts: tuple[ScriptState, ...]
    #: Whether it does something else than what is wanted today.
    is_stale: bool

    @property
    def is_whole(self) -> bool:
        """Whether every script is as envfix has written it."""
        return all(script.state is FileState.INTACT for script in self.scripts)
