"""What a prefix holds beside its packages: pins, variables, activation scripts, marks."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from reconciler.collect import files
from reconciler.collect.ground import Found
from reconciler.collect.records import FOLDER, stored
from reconciler.collect.secrets import masked, masked_variable
from reconciler.errors import HookError
from reconciler.model.kept_variables import is_kept
from reconciler.model.os_name import from_os, to_os
from reconciler.model.prefix import (
    ActivationScript,
    InstalledHook,
    PixiEnvironment,
    PrefixState,
    StateVariable,
)
from reconciler.model.snapshot import Fact, Gap

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from reconciler.collect.ground import Ground
    from reconciler.model.snapshot import Snapshot

#: conda, base/constants.py: PREFIX_STATE_FILE and PACKAGE_ENV_VARS_DIR.
STATE = f"{FOLDER}/state"
ENV_VARS = "etc/conda/env_vars.d"
PIXI = f"{FOLDER}/pixi"
SCRIPTS = ("etc/conda/activate.d", "etc/conda/deactivate.d")
#: hooks/writing.py: MANIFEST.
OWN_HOOK = "etc/envfix/hooks.json"
MARK = "EXTERNALLY-MANAGED"
#: What every script reads and none sets.
OF_CONDA = frozenset({"CONDA_DEFAULT_ENV", "CONDA_PREFIX", "CONDA_SHLVL"})
#: Commands that may set what the script itself does not name.
RUNS_OTHERS = frozenset({"conda", "eval", "mamba", "micromamba", "ml", "module", "source", "spack"})


def collect(ground: Ground, snapshot: Snapshot) -> Found:
    """Read the state of the prefix; a prefix without any has an empty one."""
    prefix = snapshot.target.prefix
    if prefix is None:
        return Found(value=None, gaps=(Gap(fact=Fact.STATE, reason="no environment to look at"),))
    gaps: list[Gap] = []
    scripts = dict(_scripts(prefix, gaps))
    settings = dict(_settings(prefix, gaps))
    owners = _owners(snapshot, {*scripts, *settings})
    state = PrefixState(
        pinned=tuple(_pinned(prefix, gaps)),
        frozen=os.path.isfile(to_os(f"{prefix}/{FOLDER}/frozen")),
        pixi=_pixi(prefix, gaps),
        variables=tuple(
            StateVariable(name=name, value=value, source=source, owner=owners.get(source))
            for source, variables in settings.items()
            for name, value in variables.items()
        ),
        scripts=tuple(_read(scripts, owners)),
        own_hook=_own_hook(prefix, gaps),
        externally_managed=_externally_managed(prefix, snapshot),
        writable=_is_writable(prefix, snapshot),
        system_site_packages=_has_system_site_packages(prefix, snapshot),
    )
    return Found(value=state, gaps=tuple(gaps))


def _pinned(prefix: str, gaps: list[Gap]) -> Iterator[str]:
    text = _text(prefix, f"{FOLDER}/pinned", gaps)
    for line in from_os(masked(text)).splitlines():
        spec = line.partition("#")[0].strip()
        if spec:
            yield spec


def _pixi(prefix: str, gaps: list[Gap]) -> PixiEnvironment | None:
    """Read pixi's mark: pixi, crates/pixi_core/src/environment, EnvironmentFile."""
    text = _text(prefix, PIXI, gaps)
    if not text:
        return None
    import json  # noqa: PLC0415 - few prefixes are pixi's

    try:
        written = _object(stored(json.loads(text)))
    except (ValueError, RecursionError) as error:
        gaps.append(Gap(fact=Fact.STATE, item=PIXI, reason=f"not the mark of pixi: {error}"))
        return None
    return PixiEnvironment(
        manifest=str(written.get("manifest_path", "")),
        environment=str(written.get("environment_name", "default")),
    )


def _scripts(prefix: str, gaps: list[Gap]) -> Iterator[tuple[str, str]]:
    for folder in SCRIPTS:
        for name in _names(prefix, folder, gaps):
            path = f"{folder}/{name}"
            if text := _text(prefix, path, gaps):
                yield path, from_os(masked(text))


def _read(scripts: Mapping[str, str], owners: Mapping[str, str]) -> Iterator[ActivationScript]:
    """Read what the scripts do, if any does something to a variable that is kept."""
    # One sets what another makes a path of, so that all are read or none.
    is_read = any(_matters(text) for text in scripts.values())
    for path, text in scripts.items():
        script = ActivationScript(path=path, text=text, owner=owners.get(path))
        yield _with_steps(script) if is_read else script


def _matters(text: str) -> bool:
    words = frozenset(re.findall(r"\w+", text))
    return any(
        word in RUNS_OTHERS or (word not in OF_CONDA and is_kept(word)) for word in words
    ) or bool(re.search(r"(?:^|[\s;&|({])\.\s", text))


def _with_steps(script: ActivationScript) -> ActivationScript:
    from reconciler.hooks import reading  # noqa: PLC0415 - few prefixes have a script that matters

    return reading.with_steps(script)


def _own_hook(prefix: str, gaps: list[Gap]) -> InstalledHook | None:
    """Read what envfix has written, and hold it against what lies there."""
    if not os.path.lexists(to_os(f"{prefix}/{OWN_HOOK}")):
        return None
    from reconciler.collect import own_hook  # noqa: PLC0415 - few prefixes have such a hook
    from reconciler.hooks import manifest  # noqa: PLC0415 - as above

    try:
        own = own_hook.read(prefix)
    except HookError as error:
        gaps.append(Gap(fact=Fact.STATE, item=OWN_HOOK, reason=str(error)))
        return None
    if own is None:
        return None
    status = manifest.status(own.manifest, own.checksums)
    return InstalledHook(hook=own.manifest.hook, scripts=status.scripts)


def _settings(prefix: str, gaps: list[Gap]) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield the files that set variables, the last of which wins, and what each sets."""
    # conda, activate.py: the files of packages in the order of their names, then the state.
    for name in _names(prefix, ENV_VARS, gaps):
        source = f"{ENV_VARS}/{name}"
        if text := _text(prefix, source, gaps):
            yield from _variables(source, text, gaps, key=None)
    if text := _text(prefix, STATE, gaps):
        yield from _variables(STATE, text, gaps, key="env_vars")


def _variables(
    source: str, text: str, gaps: list[Gap], *, key: str | None
) -> Iterator[tuple[str, Mapping[str, str]]]:
    import json  # noqa: PLC0415 - few prefixes set a variable

    try:
        written = _object(stored(json.loads(text)))
        variables = _object(written.get(key, {})) if key else written
    except (ValueError, RecursionError) as error:
        reason = f"not the variables of conda: {error}"
        gaps.append(Gap(fact=Fact.STATE, item=source, reason=reason))
        return
    yield source, {name: masked_variable(name, str(value)) for name, value in variables.items()}


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - what is wrong is the file's value
    return value


def _owners(snapshot: Snapshot, paths: Collection[str]) -> Mapping[str, str]:
    if not paths:
        return {}
    wanted = frozenset(paths)
    return {
        path: record.name
        for record in snapshot.records
        for path in wanted.intersection(record.files)
    }


def _externally_managed(prefix: str, snapshot: Snapshot) -> str | None:
    # pip asks no virtual environment for the mark: utils/misc.py, check_externally_managed.
    if snapshot.python is None or snapshot.target.kind == "venv":
        return None
    for site_packages in snapshot.python.site_packages:
        mark = f"{site_packages.rpartition('/')[0]}/{MARK}"
        if os.path.isfile(to_os(f"{prefix}/{mark}")):
            return mark
    return None


def _is_writable(prefix: str, snapshot: Snapshot) -> bool:
    site_packages = snapshot.python.site_packages if snapshot.python else ()
    paths = (to_os(path) for path in (prefix, *(f"{prefix}/{path}" for path in site_packages)))
    return all(os.access(path, os.W_OK) for path in paths if os.path.isdir(path))


def _has_system_site_packages(prefix: str, snapshot: Snapshot) -> bool:
    if snapshot.target.kind != "venv":
        return False
    # The collector of Python reads the same file, and what is wrong with it is said there.
    pairs = (line.partition("=") for line in _text(prefix, "pyvenv.cfg", []).splitlines())
    settings = {key.strip().lower(): value.strip().lower() for key, _, value in pairs}
    return settings.get("include-system-site-packages") == "true"


def _names(prefix: str, folder: str, gaps: list[Gap]) -> tuple[str, ...]:
    try:
        return files.names(f"{prefix}/{folder}")
    except files.MissingError:
        return ()
    except files.UnreadableError as error:
        gaps.append(Gap(fact=Fact.STATE, item=folder, reason=str(error)))
        return ()


def _text(prefix: str, path: str, gaps: list[Gap]) -> str:
    try:
        raw = files.read(f"{prefix}/{path}", limit=files.MEGABYTE)
    except files.MissingError:
        return ""
    except files.UnreadableError as error:
        gaps.append(Gap(fact=Fact.STATE, item=path, reason=str(error)))
        return ""
    return raw.decode("utf-8", "surrogateescape")
