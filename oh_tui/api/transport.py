"""One call to a server: its key, its pace, its retries and redirects; an answer or a named error.

Measured facts behind the choices are in the comments; nothing here knows an endpoint.
"""

from __future__ import annotations

import contextlib
import email.utils
import math
import time
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, TypeVar

import anyio
import httpx
import msgspec
import stamina
import stamina.instrumentation

from oh_tui.api.addresses import origin, redirect_target
from oh_tui.api.bodies import Pieces, body_pieces, body_size, content_type, whole_body
from oh_tui.api.cancelling import apart
from oh_tui.api.connections import PATIENT, USUAL, Auth, Connections, KeyHeader
from oh_tui.api.errors import ApiError, AuthError, TooLarge
from oh_tui.api.failures import (
    Answer,
    Call,
    Failure,
    from_status,
    named,
    not_the_api,
    redirected,
)
from oh_tui.api.models import Secret
from oh_tui.text.patterns import pattern

# stamina logs each retry to stderr unless told otherwise, which a screen cannot have
stamina.instrumentation.set_on_retry_hooks([])

T = TypeVar("T")
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

_KEY = pattern(r"[!-~]+")


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


@dataclass(frozen=True)
class Body:
    """What a call sends: `content` makes it anew for each attempt, `size` is its bytes if known."""

    content: Callable[[], bytes | AsyncIterator[bytes]]
    content_type: str = "application/json"
    size: int | None = None


@dataclass(frozen=True)
class _Ask:
    """What goes with a call besides its address."""

    params: Params
    timeout: httpx.Timeout
    body: Body | None = None


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
        self,
        path: str,
        doing: str,
        params: Params = (),
        timeout: httpx.Timeout = USUAL,
        hints: Hints | None = None,
    ) -> Answer:
        """The body of a 2xx; `doing` names the call in errors, as in "Could not {doing}: ...".

        Raises every error of `oh_tui.api.errors`. Tried again when that may help.
        """
        return await self._whole(self._call("GET", path, doing, hints), _Ask(params, timeout))

    async def post(
        self,
        path: str,
        doing: str,
        *,
        json: Any = None,
        body: Body | None = None,
        params: Params = (),
        repeatable: bool = False,
        once: bool = False,
        timeout: httpx.Timeout = USUAL,
        hints: Hints | None = None,
        method: str = "POST",
    ) -> Answer:
        """Like `get`, with `json` or `body` sent. What may not be done twice, anything that is not
        `repeatable`, is tried again only when no connection came about, and with `once` not even
        then: the caller looks how things stand before each try."""
        if json is not None:
            data = msgspec.json.encode(json)
            body = Body(lambda: data)
        call = self._call(method, path, doing, hints, acts=not repeatable)
        return await self._whole(call, _Ask(params, timeout, body), 1 if once else None)

    @contextlib.asynccontextmanager
    async def stream(
        self,
        path: str,
        doing: str,
        hints: Hints | None = None,
        params: Params = (),
        *,
        follow: bool = True,
    ) -> AsyncIterator[Pieces]:
        """The pieces of a body as they come: no limit in total, 60 s between two pieces.

        Redirects are followed, at most 5, unless `follow` is False; the key is dropped for good
        when one leads to another scheme, host or port. Tried again only before the body has begun,
        and not after a 5xx.
        """
        call = self._call("GET", path, doing, hints)
        ask = _Ask(params, PATIENT)
        async with contextlib.AsyncExitStack() as opened:

            async def once() -> httpx.Response:
                response = await self._opened(call, ask, follow=follow)
                opened.push_async_callback(apart, response.aclose)
                return response

            response = await apart(lambda: self._retried(call, once, never=range(500, 600)))
            url = response.url.copy_with(query=None)
            last = replace(call, url=str(url), host=url.netloc.decode("ascii"))
            if "html" in content_type(response):
                raise not_the_api(Answer(last, b"", content_type(response)))
            size = body_size(response)
            pieces = body_pieces(last, response, size)
            opened.push_async_callback(apart, pieces.aclose)
            yield Pieces(pieces, size)

    def _call(
        self, method: str, path: str, doing: str, hints: Hints | None = None, *, acts: bool = False
    ) -> Call:
        known = {**self._hints, **(hints or {})}
        return Call(doing, method, self.base + path, self.host, self._key, known, acts)

    async def _whole(self, call: Call, ask: _Ask, attempts: int | None = None) -> Answer:
        async def once() -> Answer:
            response = await self._opened(call, ask, follow=False)
            try:
                body = await whole_body(call, response, MAX_JSON)
            finally:
                await response.aclose()
            if body is None:
                raise TooLarge(
                    f"Could not {call.doing}: {call.host} sent more than {MAX_JSON >> 20} MiB",
                    "Ask for less at a time",
                    address=call.address,
                )
            answer = Answer(call, body, content_type(response))
            if "html" in answer.content_type:
                raise not_the_api(answer)
            return answer

        return await apart(lambda: self._retried(call, once, attempts=attempts))

    async def _retried(
        self,
        call: Call,
        once: Callable[[], Awaitable[T]],
        *,
        never: range = range(0),
        attempts: int | None = None,
    ) -> T:
        def again(error: Exception) -> bool | float:
            if not isinstance(error, Failure) or error.error.status in never:
                return False
            return error.again if error.unsent or not call.acts else False

        waits = self._waits
        try:
            async for attempt in stamina.retry_context(
                on=again,
                attempts=attempts or waits.attempts,
                timeout=None,
                wait_initial=waits.first,
                wait_max=waits.most,
                wait_jitter=waits.jitter,
            ):
                with attempt:
                    return await once()
        except Failure as failure:
            # the cause is in the sentence; its frames hold requests with their headers
            raise failure.error from None
        raise AssertionError("an attempt ends with an answer or an error")

    async def _opened(self, call: Call, ask: _Ask, *, follow: bool) -> httpx.Response:
        """A 2xx with its body unread; whoever gets it closes it."""
        with named(call):
            response = await self._authorised(call, ask)
        ours = True
        for _ in range(MAX_REDIRECTS if follow else 0):
            target = redirect_target(response)
            if target is None:
                break
            await response.aclose()
            ours = ours and origin(target) == origin(httpx.URL(self.base))
            onwards = _Ask((), ask.timeout)
            # what goes wrong from here on is the other host's
            call = replace(call, host=target.netloc.decode("ascii"))
            with named(call):
                response = await self._sent(call, target, onwards, self._scheme if ours else None)
        if response.is_success:
            return response
        try:
            raise await self._refusal(call, response)
        finally:
            await response.aclose()

    async def _authorised(self, call: Call, ask: _Ask) -> httpx.Response:
        """The answer to the key in the header that this server takes, found out on the way."""
        tried = self._scheme
        response = await self._sent(call, call.url, ask, tried)
        if response.status_code == 401 and self._key is not None:
            # calls run side by side: another may have found the header in the meantime
            if self._settled and self._scheme == tried:
                return response
            other: Auth = "session" if tried == "bearer" else "bearer"
            await response.aclose()
            response = await self._sent(call, call.url, ask, other)
            if response.status_code == 401:
                self._settled = True
            elif response.status_code < 429:
                self._scheme, self._settled = other, True
        elif response.status_code < 429:  # a 429 or 5xx may come before the key was looked at
            self._settled = True
        return response

    async def _sent(
        self, call: Call, url: httpx.URL | str, ask: _Ask, scheme: Auth | None
    ) -> httpx.Response:
        client = self._connections.client(call)
        headers = {}
        if ask.body is not None:
            headers["Content-Type"] = ask.body.content_type
            if ask.body.size is not None:
                headers["Content-Length"] = str(ask.body.size)
        timeout = self._connections.waits(ask.timeout)
        request = client.build_request(
            call.method,
            url,
            params=[(name, value) for name, value in ask.params if value is not None] or None,
            content=ask.body.content() if ask.body else None,
            headers=headers,
            timeout=timeout,
        )
        key = KeyHeader(self._key, scheme) if self._key and scheme else httpx.Auth()
        async with self._limiter:
            status, began = None, time.perf_counter()
            try:
                with anyio.fail_after(_until_head(ask, timeout)):
                    response = await client.send(request, auth=key, stream=True)
                status = response.status_code
                return response
            except TimeoutError:
                raise httpx.ReadTimeout("its head drips") from None
            finally:
                if self._connections.watch:
                    url = str(request.url.copy_with(query=None, userinfo=b""))
                    took = time.perf_counter() - began
                    self._connections.watch(call.method, url, status, took)

    async def _refusal(self, call: Call, response: httpx.Response) -> Failure:
        status = response.status_code
        if "location" in response.extensions:
            return Failure(redirected(call, status, redirect_target(response)), again=False)
        body = b""
        with contextlib.suppress(Failure):
            body = await whole_body(call, response, MAX_WORDS, cut=True) or b""
        wait = retry_after(response.headers.get("Retry-After", ""))
        again: bool | float = status in (429, 502, 503, 504)
        if again and wait is not None:
            again = wait if wait <= self._waits.asked else False
        return Failure(from_status(call, status, body, content_type(response), wait), again)


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


def _until_head(ask: _Ask, timeout: httpx.Timeout) -> float | None:
    """Seconds in which an answer must begin; None where that depends on what we send, or is not
    known. httpx has a limit for each piece of a head, and none for all of them."""
    if ask.body is not None or timeout.read is None:
        return None
    return (timeout.connect or 0.0) + 2 * timeout.read
