"""What stops the program: each error says what is wrong, where, and what to do next."""

from __future__ import annotations


class EnvfixError(Exception):
    """envfix cannot go on; ``str()`` is one line for the user's screen."""

    def __init__(self, what: str, *, where: str, next_step: str) -> None:
        super().__init__(f"{where}: {what}; {next_step}")
        self.what = what
        self.where = where
        self.next_step = next_step


class TargetNotFoundError(EnvfixError):
    """The environment that was asked for is not there, or is none."""


class SnapshotError(EnvfixError):
    """A saved snapshot cannot be read, or is of a schema that this envfix does not know."""


class SelectionError(EnvfixError):
    """A code given to --select or --ignore names no rule."""


class OutputError(EnvfixError):
    """A report or a snapshot cannot be written where it was asked for."""


class WriteError(EnvfixError):
    """Files cannot be written, or taken back; unless it says so, all of them are as they were."""


class ConfigError(EnvfixError):
    """The user's settings cannot be read, or say what envfix does not know."""


class HookError(EnvfixError):
    """An activation hook cannot be written so that every shell, or the loader, takes it."""


class LoaderUnknownError(EnvfixError):
    """Nothing is known of the dynamic loader of the environment that was asked about."""
