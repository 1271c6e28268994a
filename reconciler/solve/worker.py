"""The solver's own process: the one module that imports py-rattler. JSON in, JSON out, by the line.

py-rattler 0.28 crashes while Python ends, in 24 of 120 runs; this process leaves by os._exit, which
skips that end, and envfix's own process never loads it.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
import warnings
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from reconciler.model.solution import ChannelRecord, VirtualPackage
from reconciler.solve.channels import is_remote, masked

if TYPE_CHECKING:
    from collections.abc import Sequence

    import rattler
    from rattler.networking import CacheAction, Client

#: Seconds until a server that does not even answer a call counts as out of reach.
CONNECT = 5.0
#: Seconds of silence after which a download is mentioned.
PATIENCE = 2.0
_PORTS = {"http": 80, "https": 443}
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What the solver is asked: for a solution, or for every record of some names."""

    specs: tuple[str, ...]
    #: Names of which all records are read, whatever the specs say.
    loose: tuple[str, ...] = ()
    #: Instead of a solution, give the records of these names.
    names: tuple[str, ...] = ()
    #: URLs, the first one first.
    channels: tuple[str, ...]
    platform: str
    virtual_packages: tuple[VirtualPackage, ...] = ()
    strict: bool = True
    offline: bool = False
    #: The folder for repodata.
    cache: str
    #: Seconds that the solver itself may take.
    timeout: float


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One of three: records, a conflict, or why there is no answer."""

    records: tuple[ChannelRecord, ...] = ()
    conflict: str | None = None
    failure: str | None = None


class Line(NamedTuple):
    """What one process has from one request to the next."""

    gateways: dict[tuple[str, CacheAction], rattler.Gateway]
    #: Why a server cannot be reached; None where it can.
    calls: dict[tuple[str, str], str | None]


def main() -> None:
    """Answer the requests on stdin, one a line, until there are no more."""
    warnings.simplefilter("ignore")
    asyncio.run(_serve())
    sys.stderr.flush()
    os._exit(0)


async def _serve() -> None:
    line = Line(gateways={}, calls={})
    told, solved = time.monotonic(), 0
    while text := sys.stdin.buffer.readline():
        request = msgspec.json.decode(text, type=Request)
        answer = await _answer(request, line)
        solved += bool(request.specs)
        if answer.conflict is not None and time.monotonic() - told > PATIENCE:
            told = time.monotonic()
            _say(f"looking for what solves on {request.platform}, {solved} attempts so far ...")
        sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
        sys.stdout.flush()


async def _answer(request: Request, line: Line) -> Answer:
    from rattler import exceptions  # noqa: PLC0415 - an extra

    stranger = None if request.offline else await _out_of_reach(request.channels, line)
    waiting = asyncio.get_running_loop().call_later(PATIENCE, _mention, request)
    use: CacheAction = "force-cache-only" if request.offline else "cache-or-fetch"
    try:
        # What was fetched a moment ago serves without a server, too.
        found = await _ask(request, _gateway(request, "use-cache-only" if stranger else use, line))
    except exceptions.SolverError as error:
        return Answer(conflict=str(error))
    except (
        exceptions.GatewayError,
        exceptions.FetchRepoDataError,
        exceptions.InvalidChannelError,
        exceptions.InvalidMatchSpecError,
        exceptions.InvalidUrlError,
        exceptions.InvalidVersionError,
        exceptions.ParseSubdirError,
        exceptions.IoError,
        exceptions.CacheDirError,
        OSError,
        ValueError,
    ) as error:
        return Answer(failure=stranger or str(error))
    finally:
        waiting.cancel()
    return Answer(records=tuple(_record(record) for record in found))


async def _ask(request: Request, gateway: rattler.Gateway) -> Sequence[rattler.RepoDataRecord]:
    import rattler  # noqa: PLC0415 - an extra

    channels = [rattler.Channel(f"{channel}/") for channel in request.channels]
    platforms: Any = [request.platform, "noarch"]
    if request.names:
        answers = await gateway.query(channels, platforms, request.names, recursive=False)
        return [record for answer in answers for record in answer]
    priority = rattler.ChannelPriority
    return await rattler.solve(
        sources=channels,
        specs=tuple(dict.fromkeys((*request.specs, *request.loose))),
        gateway=gateway,
        platforms=platforms,
        virtual_packages=[_virtual(package) for package in request.virtual_packages],
        channel_priority=priority.Strict if request.strict else priority.Disabled,
        timeout=timedelta(seconds=request.timeout),
    )


def _gateway(request: Request, use: CacheAction, line: Line) -> rattler.Gateway:
    """Return the gateway for a cache; it keeps what it has read."""
    import rattler  # noqa: PLC0415 - an extra

    if (request.cache, use) not in line.gateways:
        line.gateways[request.cache, use] = rattler.Gateway(
            cache_dir=Path(request.cache),
            default_config=rattler.SourceConfig(cache_action=use),
            client=_client(2 if use == "cache-or-fetch" else 0),
            show_progress=True,
        )
    return line.gateways[request.cache, use]


def _client(retries: int) -> Client:
    """Return what fetches; without credentials where those of the user cannot be read."""
    from rattler import exceptions, networking  # noqa: PLC0415 - an extra
    from rattler.networking.middleware import RetryMiddleware  # noqa: PLC0415

    try:
        return networking.Client.default_client(max_retries=retries, user_agent="envfix")
    except exceptions.AuthenticationStorageError as error:
        _say(f"no credentials are used: {error}")
        return networking.Client([RetryMiddleware(retries)], user_agent="envfix")


def _virtual(package: VirtualPackage) -> rattler.GenericVirtualPackage:
    import rattler  # noqa: PLC0415 - an extra

    name, version = rattler.PackageName(package.name), rattler.Version(package.version)
    return rattler.GenericVirtualPackage(name, version, rattler.BuildString(package.build))


def _record(record: rattler.RepoDataRecord) -> ChannelRecord:
    return ChannelRecord(
        name=record.name.normalized,
        version=str(record.version),
        build=str(record.build),
        build_number=record.build_number,
        channel=masked((record.channel or "").rstrip("/")),
        subdir=record.subdir,
        depends=tuple(record.depends),
        constrains=tuple(record.constrains),
    )


async def _out_of_reach(channels: Sequence[str], line: Line) -> str | None:
    """Say which server cannot be reached; rattler itself waits minutes for a silent firewall."""
    if any(os.environ.get(name) or os.environ.get(name.upper()) for name in _PROXIES):
        return None
    for server in dict.fromkeys((urlsplit(c).scheme, urlsplit(c).netloc) for c in channels):
        if server[0] in _PORTS and server not in line.calls:
            line.calls[server] = await _call(*server)
        if why := line.calls.get(server):
            return why
    return None


async def _call(scheme: str, netloc: str) -> str | None:
    url = urlsplit(f"{scheme}://{netloc}")
    try:
        opening = asyncio.open_connection(url.hostname, url.port or _PORTS[scheme])
        _, writer = await asyncio.wait_for(opening, CONNECT)
    except TimeoutError:
        return f"{url.hostname} cannot be reached: no answer within {CONNECT:g} seconds"
    except ConnectionRefusedError:
        return f"{url.hostname} cannot be reached: it refuses connections"
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return f"{url.hostname} cannot be reached: {reason}"
    writer.close()
    return None


def _mention(request: Request) -> None:
    remote = [channel for channel in request.channels if is_remote(channel)]
    if remote and not request.offline:
        names = masked(", ".join(remote))
        _say(f"reading the repodata of {names} ({request.platform}) ...")


def _say(text: str) -> None:
    sys.stderr.write(f"envfix: {text}\n")
    sys.stderr.flush()
