"""One call to a server: its key, its pace, its retries and redirects; an answer or a named error.

Measured facts behind the choices are in the comments; nothing here knows an endpoint.
"""

from __future__ import annotations

import contextlib
import email.utils
import math
import re
import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Literal, TypeAlias, TypeVar

import httpx
import stamina
import stamina.instrumentation

from oh_tui import __version__
from oh_tui.api.addresses import keep_location, origin, redirect_target
from oh_tui.api.asgi import AppTransport, ASGIApp
from oh_tui.api.errors import ApiError, AuthError, TooLarge, Unreachable
from oh_tui.api.failures import (
    Answer,
    Call,
    from_exception,
    from_status,
    is_certificate,
    not_the_api,
    redirected,
)
from oh_tui.api.models import Secret

# stamina logs each retry to stderr unless told otherwise, which a screen cannot have
stamina.instrumentation.set_on_retry_hooks([])

T = TypeVar("T")
Auth: TypeAlias = Literal["bearer", "session"]
Limiter: TypeAlias = contextlib.AbstractAsyncContextManager[None]
Hints: TypeAlias = Mapping[type[ApiError], str]
"""What to try next by kind of error, where a call knows better than its status tells."""

Params: TypeAlias = Sequence[tuple[str, str | int | bool | None]]
"""Names may repeat; a value None leaves the name out."""

MAX_JSON = 64 * 1024 * 1024
"""Bytes of a JSON answer, unpacked, that are read; more raises TooLarge."""

MAX_WORDS = 64 * 1024
"""Bytes of an error's body that are read for the server's explanation."""

MAX_REDIRECTS = 5

_KEY = re.compile(r"[!-~]+")

CONNECT = 5.0
# a page of events of a conversation of 50,000 takes the app server 14 s (measured)
PATIENT = httpx.Timeout(60.0, connect=CONNECT)
USUAL = httpx.Timeout(30.0, connect=CONNECT)
# a paused agent server takes the connection and then is silent for ever (measured)
QUICK = httpx.Timeout(5.0, connect=CONNECT)
# the agent's pause answers when the running step has ended, whenever that is (measured)
UNLIMITED = httpx.Timeout(CONNECT, read=None)


@dataclass(frozen=True)
class Waits:
    """When a safe call is tried again, in seconds: `first`, then twice as long each time up to
    `most`, plus up to `jitter`; a Retry-After of at most `asked` replaces that, and a longer one
    is not waited for."""

    attempts: int = 3
    first: float = 0.5
    most: float = 4.0
    jitter: float = 0.25
    asked: float = 60.0


class _Failure(Exception):
    """One attempt failed; `again` is False, True (after the usual wait) or the wait in seconds."""

    def __init__(self, error: ApiError, again: bool | float) -> None:
        super().__init__(error.sentence)
        self.error = error
        self.again = again


class Connections:
    """The one httpx client behind an app server and its agent servers; made at the first call.

    It holds no key and takes no cookies, so that nothing can follow a call to another server.
    With `app` every call goes to that ASGI app in this process.
    """

    def __init__(self, app: ASGIApp | None = None) -> None:
        self._app = app
        self._client: httpx.AsyncClient | None = None
        self._closed = False

    def client(self, call: Call) -> httpx.AsyncClient:
        """Raises Unreachable when closed, or when the machine's proxy settings are unusable."""
        if self._closed:
            raise Unreachable(f"Could not {call.doing}: the connection was closed here")
        if self._client is None:
            try:
                self._client = httpx.AsyncClient(
                    transport=AppTransport(self._app) if self._app else None,
                    headers={
                        "Accept": "application/json",
                        "User-Agent": f"oh-tui/{__version__}",
                    },
                    cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                    follow_redirects=False,
                    event_hooks={"response": [keep_location]},
                )
            except (ValueError, OSError, ImportError, httpx.InvalidURL):
                # the text of these may hold the proxy's password
                raise Unreachable(
                    f"Could not {call.doing}: the proxy or certificate settings of this machine "
                    "cannot be used",
                    "Check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY and SSL_CERT_FILE",
                    address=call.address,
                ) from None
        return self._client

    async def aclose(self) -> None:
        self._closed = True
        if self._client is not None:
            await self._client.aclose()


class _KeyHeader(httpx.Auth):
    """Puts the key on the request last, so that no local variable of ours ever holds it."""

    def __init__(self, key: Secret, scheme: Auth) -> None:
        self._key = key
        self._scheme = scheme

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if self._scheme == "bearer":
            request.headers["Authorization"] = f"Bearer {self._key.reveal()}"
        else:
            request.headers["X-Session-API-Key"] = self._key.reveal()
        yield request


class Server:
    """One server; `base` is an address as `addresses.base_address` gives it.

    `auth` fixes the header of the key; None tries `Authorization: Bearer` first and, on a 401,
    `X-Session-API-Key` once, and keeps what worked. Without key no header is sent. Raises
    AuthError for a key that no header can carry.
    """

    def __init__(
        self,
        base: str,
        connections: Connections,
        *,
        key: Secret | None,
        auth: Auth | None,
        limiter: Limiter | None,
        waits: Waits,
        hints: Hints | None = None,
    ) -> None:
        self.base = base
        self.host = httpx.URL(base).netloc.decode("ascii")
        self._connections = connections
        self._key = _usable(key, self.host)
        self._scheme: Auth = auth or "bearer"
        self._settled = auth is not None
        self._limiter: Limiter = limiter or contextlib.nullcontext()
        self._waits = waits
        self._hints = hints or {}

    async def get(
        self, path: str, doing: str, params: Params = (), timeout: httpx.Timeout = USUAL
    ) -> Answer:
        """The body of a 2xx; `doing` names the call in errors, as in "Could not {doing}: ...".

        Raises every error of `oh_tui.api.errors`. Tried again when that may help.
        """
        return await self._whole(self._call("GET", path, doing), params, timeout, retry=True)

    async def post(
        self,
        path: str,
        doing: str,
        *,
        retry: bool = False,
        timeout: httpx.Timeout = USUAL,
        hints: Hints | None = None,
    ) -> Answer:
        """Like `get`; tried again only with `retry`, for what may safely be done twice."""
        call = self._call("POST", path, doing, hints)
        return await self._whole(call, (), timeout, retry=retry)

    @contextlib.asynccontextmanager
    async def stream(
        self, path: str, doing: str, hints: Hints | None = None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """The pieces of a body as they come: no limit in total, 60 s between two pieces.

        Redirects are followed, at most 5; the key is dropped for good when one leads to another
        scheme, host or port. Tried again only before the body has begun, and not after a 5xx.
        """
        call = self._call("GET", path, doing, hints)
        response = await self._retried(
            lambda: self._opened(call, (), PATIENT, follow=True), never=range(500, 600)
        )
        pieces = _pieces(call, response)
        try:
            if "html" in _content_type(response):
                raise not_the_api(Answer(call, b"", _content_type(response)))
            yield pieces
        finally:
            await pieces.aclose()
            await response.aclose()

    def _call(self, method: str, path: str, doing: str, hints: Hints | None = None) -> Call:
        known = {**self._hints, **(hints or {})}
        return Call(doing, method, self.base + path, self.host, self._key, known)

    async def _whole(
        self, call: Call, params: Params, timeout: httpx.Timeout, *, retry: bool
    ) -> Answer:
        async def once() -> Answer:
            response = await self._opened(call, params, timeout, follow=False)
            try:
                body = await _body(call, response, MAX_JSON)
            finally:
                await response.aclose()
            if len(body) > MAX_JSON:
                raise TooLarge(
                    f"Could not {call.doing}: {call.host} sent more than {MAX_JSON >> 20} MiB",
                    "Ask for less at a time",
                    address=call.address,
                )
            answer = Answer(call, body, _content_type(response))
            if "html" in answer.content_type:
                raise not_the_api(answer)
            return answer

        return await self._retried(once, retry=retry)

    async def _retried(
        self, once: Callable[[], Awaitable[T]], *, retry: bool = True, never: range = range(0)
    ) -> T:
        def again(error: Exception) -> bool | float:
            if not isinstance(error, _Failure) or error.error.status in never:
                return False
            return error.again

        waits = self._waits
        try:
            async for attempt in stamina.retry_context(
                on=again,
                attempts=waits.attempts if retry else 1,
                timeout=None,
                wait_initial=waits.first,
                wait_max=waits.most,
                wait_jitter=waits.jitter,
            ):
                with attempt:
                    return await once()
        except _Failure as failure:
            # the cause is in the sentence; its frames hold requests with their headers
            raise failure.error from None
        raise AssertionError("an attempt ends with an answer or an error")

    async def _opened(
        self, call: Call, params: Params, timeout: httpx.Timeout, *, follow: bool
    ) -> httpx.Response:
        """A 2xx with its body unread; whoever gets it closes it."""
        with _named(call):
            response = await self._authorised(call, params, timeout)
            ours = True
            for _ in range(MAX_REDIRECTS if follow else 0):
                target = redirect_target(response)
                if target is None:
                    break
                await response.aclose()
                ours = ours and origin(target) == origin(httpx.URL(self.base))
                response = await self._sent(
                    call, target, (), timeout, self._scheme if ours else None
                )
        if response.is_success:
            return response
        try:
            raise await self._refusal(call, response)
        finally:
            await response.aclose()

    async def _authorised(
        self, call: Call, params: Params, timeout: httpx.Timeout
    ) -> httpx.Response:
        """The answer to the key in the header that this server takes, found out on the way."""
        tried = self._scheme
        response = await self._sent(call, call.url, params, timeout, tried)
        if response.status_code == 401 and self._key is not None:
            # calls run side by side: another may have found the header in the meantime
            if self._settled and self._scheme == tried:
                return response
            other: Auth = "session" if tried == "bearer" else "bearer"
            await response.aclose()
            response = await self._sent(call, call.url, params, timeout, other)
            if response.status_code == 401:
                self._settled = True
            elif response.status_code < 429:
                self._scheme, self._settled = other, True
        elif response.status_code < 429:  # a 429 or 5xx may come before the key was looked at
            self._settled = True
        return response

    async def _sent(
        self,
        call: Call,
        url: httpx.URL | str,
        params: Params,
        timeout: httpx.Timeout,
        scheme: Auth | None,
    ) -> httpx.Response:
        client = self._connections.client(call)
        request = client.build_request(
            call.method,
            url,
            params=[(name, value) for name, value in params if value is not None] or None,
            timeout=timeout,
        )
        key = _KeyHeader(self._key, scheme) if self._key and scheme else httpx.Auth()
        async with self._limiter:
            return await client.send(request, auth=key, stream=True)

    async def _refusal(self, call: Call, response: httpx.Response) -> _Failure:
        status = response.status_code
        if "location" in response.extensions:
            return _Failure(redirected(call, status, redirect_target(response)), again=False)
        try:
            body = await _body(call, response, MAX_WORDS)
        except _Failure:
            body = b""
        wait = retry_after(response.headers.get("Retry-After", ""))
        again: bool | float = status in (429, 502, 503, 504)
        if again and wait is not None:
            again = wait if wait <= self._waits.asked else False
        return _Failure(from_status(call, status, body, _content_type(response), wait), again)


def retry_after(value: str) -> float | None:
    """Seconds to wait by a Retry-After header, a number or an HTTP date; None when it is none."""
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def _usable(key: Secret | None, host: str) -> Secret | None:
    key = Secret(key.reveal().strip()) if key is not None else None
    if key is None or not key.reveal():
        return None
    if not _KEY.fullmatch(key.reveal()):
        raise AuthError(
            f"The key for {host} holds characters that no key has, such as spaces, "
            "control characters or accented letters",
            "Copy the key again, alone and whole",
        )
    return key


@contextlib.contextmanager
def _named(call: Call) -> Generator[None, None, None]:
    """Whatever goes wrong with httpx inside becomes a _Failure."""
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, OSError) as error:
        transient = (httpx.NetworkError, httpx.ConnectTimeout, httpx.RemoteProtocolError)
        again = isinstance(error, transient) and not is_certificate(error)
        raise _Failure(from_exception(call, error), again) from None


async def _body(call: Call, response: httpx.Response, limit: int) -> bytes:
    """The body, or, when it is longer than `limit`, somewhat more than `limit` bytes of it."""
    body = bytearray()
    with _named(call):
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > limit:
                break
    return bytes(body)


async def _pieces(call: Call, response: httpx.Response) -> AsyncGenerator[bytes, None]:
    try:
        with _named(call):
            async for piece in response.aiter_bytes():
                yield piece
    except _Failure as failure:
        raise failure.error from None


def _content_type(response: httpx.Response) -> str:
    return str(response.headers.get("Content-Type", "")).lower()
