"""Real shells, and how each is told to do what conda and rattler tell it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote

import pytest

#: Of Debian; xonsh comes from PyPI with the extra ``test``.
OF_DEBIAN = ("bash", "dash", "zsh", "ksh", "fish", "tcsh")
SHELLS = (*OF_DEBIAN, "xonsh")
BARE = {
    "bash": ("--norc", "--noprofile"),
    "dash": (),
    "zsh": ("-f",),
    "ksh": (),
    "fish": ("--no-config",),
    "tcsh": ("-f",),
    "xonsh": ("--no-rc",),
}
POSIX = {"bash", "dash", "zsh", "ksh"}
_EVERY_POSIX = "set -eu; set -f; set -C; IFS=/:e; alias export=false unset=false"
#: What users have in their startup files, and what breaks scripts that are not written for it.
STRICT = {
    "bash": ("shopt -s expand_aliases failglob nullglob; set -o pipefail", _EVERY_POSIX),
    "dash": (_EVERY_POSIX,),
    "zsh": (
        "setopt sh_word_split glob_subst ksh_arrays rc_quotes null_glob extended_glob posix_argzero",
        "setopt csh_null_glob ksh_glob auto_name_dirs all_export warn_create_global",
        _EVERY_POSIX,
    ),
    "ksh": (_EVERY_POSIX,),
    "tcsh": ("set noglob; set backslash_quote; set noclobber; set echo_style = both",),
}


def find(shell: str) -> str:
    """Return the program; without it skip the test, or fail it where the gate has installed it.

    ``ENVFIX_SHELLS`` names those of Debian that .ci/run has installed. xonsh comes with the tests.
    """
    beside = Path(sys.executable).with_name(shell)
    program = str(beside) if beside.exists() else shutil.which(shell)
    if program is None:
        required = os.environ.get("ENVFIX_SHELLS", "").split()
        if shell in required or (shell == "xonsh" and os.environ.get("ENVFIX_LAB") == "required"):
            pytest.fail(f"{shell} is required here, but is not installed", pytrace=False)
        pytest.skip(f"{shell} is not installed here")
    return program


@dataclass
class Session:
    """Lines for one shell, and the environments that its ``dump`` lines write."""

    shell: str
    folder: Path
    lines: list[str] = field(default_factory=list)
    dumps: int = 0

    def be_strict(self) -> None:
        """Take on what a user may have set."""
        self.lines.extend(STRICT.get(self.shell, ()))

    def source(self, path: Path, *, within_function: bool = False) -> None:
        """Source a script as a manager does; conda itself is a function."""
        if self.shell == "xonsh":
            line = f'source-bash --suppress-skip-message -n "{path}"'
        else:
            line = f'{"." if self.shell in POSIX else "source"} "{path}"'
        if within_function and self.shell in POSIX:
            line = f"manager () {{ {line}; }}; manager"
        if within_function and self.shell == "fish":
            line = f"function manager; {line}; end; manager"
        self.lines.extend(
            {
                "fish": [f"{line}; or exit 9"],
                "tcsh": [line, "if ( $status ) exit 9"],
                "xonsh": [line],
            }.get(self.shell, [f"{line} || exit 9"])
        )

    def copy(self, name: str, source: str) -> None:
        """Export ``name`` with the value of another variable, which no quoting can spoil."""
        self.lines.append(
            {
                "fish": f'set -gx {name} "${source}"',
                "tcsh": f"setenv {name} ${{{source}:q}}",
                "xonsh": f"${name} = ${{'{source}'}}",
            }.get(self.shell, f'\\export {name}="${source}"')
        )

    def unset(self, name: str) -> None:
        self.lines.append(
            {
                "fish": f"set -e {name}",
                "tcsh": f"unsetenv {name}",
                "xonsh": f"${{...}}.pop('{name}', None)",
            }.get(self.shell, f"\\unset {name}")
        )

    def dump(self) -> int:
        """Write the environment that a program would get now; return its number."""
        self.dumps += 1
        self.lines.append(f"/usr/bin/env -0 > {quote(str(self._dump(self.dumps)))}")
        return self.dumps

    def run(self, variables: dict[str, bytes]) -> list[dict[str, bytes]]:
        """Run the lines; return the dumped environments in their order."""
        script = self.folder / "script"
        script.write_text("\n".join([*self.lines, ""]), "utf-8")
        env = {
            b"PATH": b"/usr/bin:/bin",
            b"HOME": os.fsencode(self.folder),
            b"LC_ALL": b"C.UTF-8",
            **{os.fsencode(name): value for name, value in variables.items()},
        }
        argv = [find(self.shell), *BARE[self.shell], str(script)]
        done = subprocess.run(
            argv, env=env, cwd=self.folder, capture_output=True, timeout=60, check=False
        )
        assert (done.returncode, done.stderr) == (0, b""), done.stderr.decode(errors="replace")
        return [self._read(number) for number in range(1, self.dumps + 1)]

    def _dump(self, number: int) -> Path:
        return self.folder / f"dump-{number}"

    def _read(self, number: int) -> dict[str, bytes]:
        pairs = self._dump(number).read_bytes().split(b"\0")[:-1]
        return {os.fsdecode(k): v for k, _, v in (pair.partition(b"=") for pair in pairs)}
