"""The few statements of PowerShell and cmd.exe that the hooks use, as their manuals have them.

Neither program can be had from PyPI or Debian. An imitation shows that the scripts save, change and
restore what they should; that the shells read them so is not shown by it.
https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_environment_variables
https://learn.microsoft.com/windows-server/administration/windows-commands/for
"""

from __future__ import annotations

import re

_WORD = r"\((?:'(?:[^']|'')*'|\[string\]\[char\]0x[0-9a-f]{4}|[ +])+\)"


class PowerShell:
    """Before 7.5 an empty variable is none."""

    def __init__(self, env: dict[str, str], *, has_empty: bool) -> None:
        self.env = dict(env)
        self.has_empty = has_empty

    def run(self, lines: list[str]) -> None:
        taken = []
        for line in map(str.strip, lines):
            if match := re.fullmatch(r"(\} elseif|if) \((.+)\) \{", line):
                earlier = match[1] != "if" and taken.pop()
                now = not earlier and all(taken_now(taken)) and self._holds(match[2])
                taken.append(None if earlier is None or earlier else now)
            elif line == "} else {":
                earlier = taken.pop()
                taken.append(None if earlier is None else not earlier)
            elif line == "}":
                taken.pop()
            elif all(taken_now(taken)):
                self._assign(*re.fullmatch(r"\$Env:(\w+) = (.+)", line).groups())

    def _holds(self, condition: str) -> bool:
        if match := re.fullmatch(r"Test-Path Env:(\w+)", condition):
            return match[1] in self.env
        if match := re.fullmatch(r"-not \$Env:(\w+)", condition):
            return not self.env.get(match[1])
        return bool(self.env.get(re.fullmatch(r"\$Env:(\w+)", condition)[1]))

    def _assign(self, name: str, expression: str) -> None:
        value = None if expression == "$null" else self._value(expression)
        if value is None or (not value and not self.has_empty):
            self.env.pop(name, None)
        else:
            self.env[name] = value

    def _value(self, expression: str) -> str:
        if match := re.fullmatch(r"\$Env:(\w+)\.Substring\(1\)", expression):
            return self.env[match[1]][1:]
        list_of = r"@\(\$Env:(\w+)\.Split\('(.)'\) -cne (.+)\) -join '.'"
        if match := re.fullmatch(list_of, expression):
            parts = self.env[match[1]].split(match[2])
            return match[2].join(p for p in parts if p != unquoted(match[3]))
        term = rf"\$\(if \(\$Env:(\w+)\) {{ '(.)' \+ \$Env:\w+ }}\)|\$Env:(\w+)|'(.)'|({_WORD})"
        found = [*re.finditer(term, expression)]
        assert " + ".join(match[0] for match in found) == expression
        return "".join(map(self._term, found))

    def _term(self, match: re.Match[str]) -> str:
        optional, between, name, plain, word = match.groups()
        if optional:
            return between + self.env[optional] if self.env.get(optional) else ""
        return self.env.get(name, "") if name else plain or unquoted(word)


def taken_now(taken: list[bool | None]) -> list[bool]:
    """Which of the open branches are run; None is one behind a branch that was taken."""
    return [bool(branch) for branch in taken]


def unquoted(word: str) -> str:
    """Return what a word of ours is by PowerShell's rules of literals and of ``+``."""
    pieces = re.findall(r"'((?:[^']|'')*)'|\[string\]\[char\]0x([0-9a-f]{4})", word)
    written = (f"[string][char]0x{code}" if code else f"'{text}'" for text, code in pieces)
    assert word == f"({' + '.join(written)})"
    units = (
        bytes.fromhex(code) if code else text.replace("''", "'").encode("utf-16-be")
        for text, code in pieces
    )
    return b"".join(units).decode("utf-16-be")


class Cmd:
    """Knows no empty variable."""

    def __init__(self, env: dict[str, str]) -> None:
        self.env = dict(env)

    def run(self, lines: list[str]) -> None:
        labels = {line: number for number, line in enumerate(lines) if line.startswith(":")}
        at = 0
        while at < len(lines):
            goal = None if lines[at].startswith(":") else self._do(lines[at])
            at = labels[goal] if goal else at + 1

    def _do(self, line: str) -> str | None:
        if match := re.fullmatch(r"@if (not )?defined (\w+) (@.+)", line):
            return self._do(match[3]) if (match[2] in self.env) != bool(match[1]) else None
        if match := re.fullmatch(r"@goto (:\w+)", line):
            return match[1]
        if match := re.fullmatch(r'@set "(\w+)=(.*)"', line):
            self._set(match[1], match[2].replace("%%", "%"))
        elif line != "@setlocal EnableExtensions EnableDelayedExpansion":
            copy = r'@for /f "delims=" %%V in \(""(.*)""\) do @endlocal & @set "(\w+)=%%~V"'
            text, name = re.fullmatch(copy, line).groups()
            self._set(name, re.sub(r"!(\w+)(:[^!]+)?!", self._delayed, text.replace("%%", "%")))
        return None

    def _set(self, name: str, value: str) -> None:
        self.env.pop(name, None)
        if value:
            self.env[name] = value

    def _delayed(self, match: re.Match[str]) -> str:
        value = self.env[match[1]]
        if not match[2]:
            return value
        if match[2] == ":~1,-1":
            return value[1:-1]
        old, new = match[2][1:].split("=")
        return re.sub(re.escape(old), lambda _: new, value, flags=re.IGNORECASE)
