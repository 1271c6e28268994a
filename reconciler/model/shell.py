"""The shell that envfix was started from: where its variables lead."""

from __future__ import annotations

from msgspec import Struct

from reconciler.model.host import VariablePath


class Shell(Struct, frozen=True, kw_only=True):
    """The variables of a shell that name a folder, beside the environment that is looked at."""

    paths: tuple[VariablePath, ...]
    #: The folder of the environment; None where none is looked at.
    prefix: str | None = None

    @property
    def is_in_environment(self) -> bool:
        """Whether the shell's innermost environment is the one that is looked at."""
        # A venv is activated over conda; its variable is gone when it is deactivated.
        active = self.named_by("VIRTUAL_ENV") or self.named_by("CONDA_PREFIX")
        return active is not None and active.environment == self.prefix

    def named_by(self, variable: str) -> VariablePath | None:
        """Return where a variable leads."""
        return next((path for path in self.paths if path.variable == variable), None)

    def is_base(self, environment: str) -> bool:
        """Tell whether an environment is the one that conda itself, or micromamba, calls base."""
        roots = (self.named_by("CONDA_EXE"), self.named_by("MAMBA_ROOT_PREFIX"))
        return environment in {root.environment for root in roots if root}
