"""Scripts sourced by real shells in an environment of known variables, and by the model."""

from __future__ import annotations

import subprocess
from shutil import which
from typing import TYPE_CHECKING

from reconciler.hooks.reading import read
from reconciler.model.sourced import Sourced

if TYPE_CHECKING:
    from random import Random

#: What a shell sets on its own account.
OF_THE_SHELL = frozenset({"PWD", "OLDPWD", "SHLVL", "_", "OPTIND", "PS4", "LOGNAME"})
MARK = "--variables--"


def sourced(
    shell: str, script: str, variables: dict[str, str], folder: str
) -> dict[str, str] | None:
    """Return what programs are given after a script; None where the shell has ended in it."""
    with open(f"{folder}/script.sh", "w", encoding="utf-8", newline="") as file:
        file.write(script)
    path = which(shell)
    assert path
    run = subprocess.run(
        [path, "-c", f'. "{folder}/script.sh"; echo {MARK}; /usr/bin/env -0'],
        env=variables,
        capture_output=True,
        check=False,
        timeout=30,
    )
    _, found, listed = run.stdout.decode("utf-8", "surrogateescape").rpartition(f"{MARK}\n")
    if not found:
        return None
    pairs = (entry.partition("=") for entry in listed.split("\0") if entry)
    return {name: value for name, _, value in pairs if name not in OF_THE_SHELL and "%" not in name}


def modelled(script: str, variables: dict[str, str]) -> tuple[dict[str, str], frozenset[str]]:
    """Return what the model gives for the same, and the variables of which it says unknown."""
    shell = Sourced(variables, is_known=lambda _: True)
    shell.source("script.sh", read(script))
    known, doubts = shell.given()
    return known, frozenset(doubt.variable for doubt in doubts)


def disagreements(
    real: dict[str, str], known: dict[str, str], unknown: frozenset[str]
) -> dict[str, tuple[str | None, str | None]]:
    """Return the variables that the model gives another value than the shell does."""
    if "" in unknown:
        # Whatever was set after the line that may set anything is known again.
        real = {name: value for name, value in real.items() if name in known}
    names = ({*real, *known}) - unknown
    return {n: (real.get(n), known.get(n)) for n in sorted(names) if real.get(n) != known.get(n)}


_NAMES = ("LD_LIBRARY_PATH", "CUDA_HOME", "A", "B", "CONDA_PREFIX")
_TEXTS = ("/opt/cuda", "", "x", "/a b", "lib64", "a:b", "*", "p'q", "~/x", "-n", "ü")


def script(random: Random, *, is_bash: bool) -> str:
    """Return a script of activation, of the kinds of lines that such scripts have."""
    lines = (_line(random, 2, is_bash=is_bash) for _ in range(random.randint(1, 6)))
    return "\n".join(lines) + random.choice(["\n", ""])


def environment(random: Random) -> dict[str, str]:
    """Return the variables of a shell."""
    chosen = random.sample(_NAMES, random.randint(0, len(_NAMES)))
    values = [*_TEXTS, "/usr/lib", "/opt/x:/opt/y"]
    return {"PATH": "/usr/bin:/bin", "HOME": "/root", **{n: random.choice(values) for n in chosen}}


def _line(random: Random, depth: int, *, is_bash: bool) -> str:
    def body() -> str:
        return _line(random, depth - 1, is_bash=is_bash)

    name, test = random.choice(_NAMES), _test(random, is_bash=is_bash)
    plain = [
        f"export {name}={_value(random)}",
        f"{name}={_value(random)}",
        f"{name}={_value(random)}; export {name}",
        f"export {name}={_value(random)} {random.choice(_NAMES)}={_value(random)}  # why",
        f"unset {name}",
        f"export {name}",
        f": ${{{name}:={random.choice(['x', '/opt/y', '$A'])}}}",
        f"{test} && export {name}={_value(random)}",
        f"{test} || {name}={_value(random)}",
        f"{test} && A={_value(random)} || B={_value(random)}",
        f"export {name}=${{{name}:-}}{_value(random)}",
        f'export {name}="{random.choice(["/p", "$A"])}${{{name}:+:${{{name}}}}}"',
        f"export {name}=$(dirname {_value(random)} 2> /dev/null)"
        if random.random() < 0.15
        else "true",
        "mkdir -p /tmp > /dev/null 2>&1",
    ]
    if is_bash:
        plain += [f"{name}+={_value(random)}", f"declare -x {name}={_value(random)}"]
    if not depth or random.random() < 0.6:
        return random.choice(plain)
    return random.choice(
        [
            f"if {test}; then\n  {body()}\nfi",
            f"if {test}\nthen {body()}\nelse\n  {body()}\nfi",
            f"if {test}; then {body()}\nelif {_test(random, is_bash=is_bash)}; then\n{body()}\nelse\n{body()}\nfi",
            (
                f'case ":${name}:" in *":{random.choice(_TEXTS).replace(chr(39), "")}:"*) ;;\n*)'
                f"{body()}\n ;;\nesac"
            ),
            f"case {_value(random)} in x|'') {body()}\n;; /*) {body()}\n;; esac",
            f"{{ {body()}\n{body()}\n}}",
            f"f() {{\n{body()}\n{body()}\n}}\nf",
            f"f() {{\n if {test}; then return 0; fi\n{body()}\n}}\nf",
            f"eval '{body().replace(chr(39), '')}'" if random.random() < 0.3 else "true",
            f"set -a\n{body()}\nset +a",
            f"( {body()}\n)",
            f"for d in x '/a b'; do {body()}\ndone" if random.random() < 0.15 else body(),
            f"{test} && return" if random.random() < 0.2 else body(),
        ]
    )


def _value(random: Random) -> str:
    name, text = random.choice(_NAMES), random.choice(_TEXTS)
    quoted = text.replace("'", "'\\''")
    return random.choice(
        [
            f"'{quoted}'",
            f'"{text}"',
            f'"${name}/{text}"',
            f"${name}:/opt/lib",
            f'"/opt/lib:${{{name}}}"',
            f"${{{name}}}",
            f"${{{name}:-/d}}/lib",
            f'"${{{name}-{text.replace(chr(39), "")}}}"',
            f"/lib${{{name}:+:${name}}}",
            f'"${{{name}+set}}"',
            "a\\ b",
            "~/lib:~/x",
            '"a\\"b\\\\c\\d"',
            '"$A$B"\'$A\'"`"'.replace('"`"', ""),
        ]
    )


def _test(random: Random, *, is_bash: bool) -> str:
    name, text = random.choice(_NAMES), random.choice(("", "x", "/opt/cuda"))
    tests = [
        f'[ -z "${name}" ]',
        f'[ -n "${{{name}:-}}" ]',
        f'[ "${name}" = "{text}" ]',
        f'[ "${name}" != "{text}" ]',
        f'test -n "${name}"',
        f'[ ! -n "${name}" ]',
        f'! [ -z "${name}" ]',
        f"[ -z ${name} ] 2> /dev/null",
        f"[ -n ${name} ] 2> /dev/null",
        f'[ "x${name}" = "x{text}" ]',
        f'[ "${{{name}+x}}" ]',
        "true",
        "false",
        "[ -d /etc ]" if random.random() < 0.15 else "true",
        f'[ -z "$A" ] && [ -n "${name}" ]',
    ]
    if is_bash:
        tests += [
            f"[[ -n ${name} ]]",
            f"[[ -z ${{{name}:-}} || ${name} == /opt* ]]",
            f'[[ ":${name}:" != *":/opt/lib:"* ]]',
            f"[[ -v {name} ]]",
        ]
    return random.choice(tests)
