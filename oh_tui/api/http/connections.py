"""The httpx client behind every call: its timeouts, and the headers that carry secrets."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Generator, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeAlias

import httpcore
import httpx

from oh_tui import __version__
from oh_tui.api.addresses import keep_location
from oh_tui.api.errors import AuthError, Unreachable
from oh_tui.api.http.asgi import AppTransport, ASGIApp
from oh_tui.api.http.http_errors import ApiCall, NotTrusted
from oh_tui.api.models import Auth
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import Secret

Watch: TypeAlias = Callable[[str, str, int | None, float], None]
"""Called for each attempt with method, URL without query, status or None, and seconds."""

Distrust: TypeAlias = Callable[[], str]

CONNECT = 5.0
# a page of events of a conversation of 50,000 takes the app server 14 s (measured)
PATIENT = httpx.Timeout(60.0, connect=CONNECT)
# a start with a worktree fetches from origin for up to 60 s first (source, agent server 1.58.2)
FETCHING = httpx.Timeout(100.0, connect=CONNECT)
USUAL = httpx.Timeout(30.0, connect=CONNECT)
# a paused agent server accepts the connection and then stays silent for ever (measured)
QUICK = httpx.Timeout(5.0, connect=CONNECT)
# the agent's interrupt waits up to 5 s for the run to end (source)
URGENT = httpx.Timeout(10.0, connect=CONNECT)
# a model may think for minutes, and is asked again after failures
ANSWER = httpx.Timeout(600.0, connect=CONNECT)
# the agent's pause answers when the running step has ended, whenever that is (measured)
UNLIMITED = httpx.Timeout(CONNECT, read=None)


class Connections:
    """The one httpx client behind an app server and its agent servers, created at the first call.

    It holds no key and accepts no cookies, so nothing can follow a call to another server. With
    `app` every call goes to that ASGI app in this process. `patience` multiplies all timeouts.
    `direct` asks no proxy of the environment. `distrust` says of a connection just made why nothing
    must be sent over it, "" for nothing against it; it is called in a thread.
    """

    def __init__(
        self,
        app: ASGIApp | None = None,
        watch: Watch | None = None,
        patience: float = 1.0,
        *,
        direct: bool = False,
        distrust: Distrust | None = None,
    ) -> None:
        self._direct, self._distrust = direct, distrust
        self._app = app
        self.watch = watch
        self._patience = patience
        self._client: httpx.AsyncClient | None = None
        self._closed = False

    def client(self, call: ApiCall) -> httpx.AsyncClient:
        """Raises Unreachable after `aclose`, and for unusable proxy settings of this machine."""
        if self._closed:
            raise Unreachable(f"Could not {call.doing}: the connection was closed here")
        if self._client is None:
            try:
                self._client = httpx.AsyncClient(
                    transport=AppTransport(self._app) if self._app else None,
                    headers={
                        "Accept": "application/json",
                        "Accept-Encoding": "gzip",  # the only one that `unpacking` reads
                        "User-Agent": f"oh-tui/{__version__}",
                    },
                    cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                    follow_redirects=False,
                    trust_env=not self._direct,
                    event_hooks={"response": [keep_location]},
                )
                bound_heads(self._client, self._distrust)
            except (ValueError, OSError, ImportError, httpx.InvalidURL):
                # the text of these may hold the proxy's password
                what = "the proxy or certificate settings of this machine cannot be used"
                hint = "Check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY and SSL_CERT_FILE"
                raise call.failed(Unreachable, what, hint) from None
        return self._client

    def timeout(self, usual: httpx.Timeout) -> httpx.Timeout:
        times = {name: t and t * self._patience for name, t in usual.as_dict().items()}
        return httpx.Timeout(**times)

    async def aclose(self) -> None:
        self._closed = True
        if self._client is not None:
            await self._client.aclose()


class Headers:
    """What a gateway before a server wants in each call to it: values by the names of headers.

    With `again`, which is called in a thread, they are made anew when the gateway does not take
    them, at most once in PAUSE.
    """

    def __init__(
        self,
        values: Mapping[str, Secret] | None = None,
        again: Callable[[], Mapping[str, Secret]] | None = None,
    ) -> None:
        self.values = values or {}
        self._again = again
        self._made = -math.inf
        self._lock = asyncio.Lock()

    def leave(self, scheme: Auth) -> bool:
        """Whether the header of the key is none of these."""
        return NAMES[scheme].lower() not in map(str.lower, self.values)

    async def renew(self, refused: Mapping[str, Secret]) -> bool:
        """Whether there are others now than those that were refused. Raises Problem."""
        async with self._lock:  # of several calls that are refused at once the first renews
            if self.values is refused and self._again and time.monotonic() - self._made > PAUSE:
                self._made = time.monotonic()
                self.values = await asyncio.to_thread(self._again)
        return self.values != refused


PAUSE = 30.0
"""Seconds between two times that values of headers are made anew."""

NAMES: Mapping[Auth, str] = {"bearer": "Authorization", "session": "X-Session-API-Key"}
"""The header of the key in each scheme."""


class SecretHeaders(httpx.Auth):
    """Adds the key and what a gateway wants to the request at the last moment, so that none of our
    variables holds them."""

    def __init__(self, key: Secret | None, scheme: Auth, gateway: Mapping[str, Secret]) -> None:
        self._key, self._scheme, self._gateway = key, scheme, gateway

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if self._key:
            begin = "Bearer " if self._scheme == "bearer" else ""
            request.headers[NAMES[self._scheme]] = begin + self._key.reveal()
        for name, value in self._gateway.items():
            request.headers[name] = value.reveal()
        yield request


_KEY = pattern(r"[!-~]+")


def usable(key: Secret | None, host: str) -> Secret | None:
    """The key without blanks around it; None for none. Raises AuthError."""
    key = Secret(key.reveal().strip()) if key is not None else None
    if key is None or not key.reveal():
        return None
    if not _KEY.fullmatch(key.reveal()):
        raise AuthError(
            f"The key for {host} holds characters that cannot be in a key, such as spaces, "
            "control characters or accented letters",
            "Copy the key again, alone and whole",
        )
    return key


MAX_HEAD = 1 << 18
"""Bytes of a head, including all interim responses before it."""

_BEFORE = b"\r\n\r\n"
_FINAL = pattern(rb"\r?\n\r?\nHTTP/1\.[01] [2-9]")
"""The begin of a final response."""


def bound_heads(client: httpx.AsyncClient, distrust: Distrust | None = None) -> None:
    """Give the client connections with bounded heads. httpx reads interim responses such as 103
    without end, and 64 KiB of them keep the event loop for a tenth of a second (measured). It has
    no public name for the network backend, so this reaches into its pools, also those of
    proxies."""
    for transport in (client._transport, *client._mounts.values()):
        pool = getattr(transport, "_pool", None)
        if pool is not None:
            pool._network_backend = _Backend(pool._network_backend, distrust)


class _Backend(httpcore.AsyncNetworkBackend):
    def __init__(self, backend: httpcore.AsyncNetworkBackend, distrust: Distrust | None) -> None:
        self._backend, self._distrust = backend, distrust

    async def connect_tcp(self, *args: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        stream = await self._backend.connect_tcp(*args, **options)
        # asked once it stands: who listens before may be another one than who accepts
        if self._distrust and (why := await asyncio.to_thread(self._distrust)):
            await stream.aclose()
            raise NotTrusted(why)
        return _Stream(stream)

    async def connect_unix_socket(self, *args: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        return _Stream(await self._backend.connect_unix_socket(*args, **options))

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)


class _Stream(httpcore.AsyncNetworkStream):
    """After each write a head begins; it ends with that of the first final response."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._in_head, self._size, self._end = True, 0, _BEFORE

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if not self._in_head:
            return await self._stream.read(max_bytes, timeout)
        data = await self._stream.read(min(max_bytes, 1 << 13), timeout)
        self._size += len(data)
        seen = self._end + data
        self._end = seen[-len(_BEFORE + b"HTTP/1.1 ") :]
        self._in_head = not _FINAL.search(seen)
        if self._in_head and self._size > MAX_HEAD:
            raise httpcore.RemoteProtocolError("its head has no end")
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._in_head, self._size, self._end = True, 0, _BEFORE
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(self, *args: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        return _Stream(await self._stream.start_tls(*args, **options))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
