"""HTTP calls to one server: key, pace, retries and redirects. It knows no endpoint."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, TypeVar

import anyio
import httpx
import msgspec

from oh_tui.api.addresses import EXPECTED, origin, redirect_target
from oh_tui.api.errors import ApiError, NotFound, SignInWanted, TooLarge
from oh_tui.api.http.cancelling import in_own_task
from oh_tui.api.http.connections import (
    NAMES,
    PATIENT,
    USUAL,
    Connections,
    Headers,
    SecretHeaders,
    usable,
)
from oh_tui.api.http.http_errors import (
    Answer,
    ApiCall,
    FailedAttempt,
    from_status,
    no_address,
    not_the_api,
    redirected,
    translated,
)
from oh_tui.api.http.response_body import (
    Pieces,
    body_pieces,
    body_size,
    content_type,
    retry_after,
    timestamp,
    whole_body,
)
from oh_tui.api.models import Auth
from oh_tui.text.problem import Problem
from oh_tui.text.redact import Secret

T = TypeVar("T")
Limiter: TypeAlias = contextlib.AbstractAsyncContextManager[None]
Hints: TypeAlias = Mapping[type[ApiError], str]
"""What to try next, by kind of error, where a call knows better than the status."""

Params: TypeAlias = Sequence[tuple[str, str | int | bool | None]]
"""Query parameters. Names may repeat; None leaves a parameter out."""

MAX_JSON = 64 * 1024 * 1024
"""Bytes of a JSON answer, unpacked, above which TooLarge is raised."""

MAX_EXPLANATION = 64 * 1024
"""Bytes of an error's body that are searched for the server's explanation."""

MAX_REDIRECTS = 5

MISSING_ENDPOINT: Hints = {NotFound: f"The address is wrong or the server too old. {EXPECTED}"}
"""For endpoints that always exist: their 404 means a wrong address, not a missing item."""

UNKNOWN = "Conversation not found"
"""The detail of the answer to an act on a conversation that an agent server lists, but does not
hold (measured, 1.49.1, 1.58.2)."""


@dataclass(frozen=True)
class RetryPolicy:
    """When a safe call is repeated, in seconds.

    The wait begins with `first` and doubles up to `longest`, plus up to `jitter`. A Retry-After of
    at most `longest_asked` replaces it; a call with a longer one is not repeated.
    """

    attempts: int = 3
    first: float = 0.5
    longest: float = 4.0
    jitter: float = 0.25
    longest_asked: float = 60.0


@dataclass(frozen=True)
class RequestBody:
    """The body of a request, made by `content` for each attempt; `size` in bytes, if known."""

    content: Callable[[], bytes | AsyncIterator[bytes]]
    content_type: str = "application/json"
    size: int | None = None


@dataclass(frozen=True)
class _Options:
    params: Params
    timeout: httpx.Timeout
    body: RequestBody | None = None


class HttpClient:
    """HTTP calls to one server, whose address `base` comes from `addresses.base_address`.

    `auth` fixes the header of the key. With None, that of `first` is tried and, after a 401, the
    other one once; the one that worked is kept. Without a key no header is sent. `on_missing` is
    called after a 404 for an address that the server does not have, and may raise a better error.
    `headers` go with every call to the origin of `base` and nowhere else; the key never goes into
    one of them. Raises AuthError for a key that no header can carry.
    """

    def __init__(
        self,
        base: str,
        connections: Connections,
        *,
        key: Secret | None,
        auth: Auth | None,
        limiter: Limiter | None,
        retries: RetryPolicy,
        hints: Hints | None = None,
        first: Auth = "bearer",
        on_missing: Callable[[NotFound], Awaitable[None]] | None = None,
        headers: Headers | None = None,
    ) -> None:
        self.base = base
        self.host = httpx.URL(base).netloc.decode("ascii")
        self._connections = connections
        self._headers = headers or Headers()
        free: list[Auth] = [one for one in NAMES if self._headers.leave(one)]
        self._key = usable(key, self.host) if free else None
        self._scheme: Auth = auth or first
        self._settled = auth is not None
        if len(free) == 1:
            self._scheme, self._settled = free[0], True
        self._limiter: Limiter = limiter or contextlib.nullcontext()
        self._retries = retries
        self._hints = hints or {}
        self._on_missing = on_missing
        self.refused: Callable[[NotFound], None] | None = None
        """Called after an act on a conversation that the server does not hold, although it may list
        it: another one works over the same folder. May raise a better error."""
        self.ahead = 0.0
        """Seconds by which this machine's clock is ahead of the server's, by its last answer."""

    async def get(
        self,
        path: str,
        doing: str,
        params: Params = (),
        timeout: httpx.Timeout = USUAL,
        hints: Hints | None = None,
    ) -> Answer:
        """The answer, if it is a 2xx. `doing` names the call in errors: "Could not {doing}: ...".

        Repeated where that may help. Raises the errors of `oh_tui.api.errors`.
        """
        return await self._whole(self._call("GET", path, doing, hints), _Options(params, timeout))

    async def post(
        self,
        path: str,
        doing: str,
        *,
        json: object = None,
        body: RequestBody | None = None,
        params: Params = (),
        repeatable: bool = False,
        once: bool = False,
        timeout: httpx.Timeout = USUAL,
        hints: Hints | None = None,
        method: Literal["POST", "PATCH", "DELETE"] = "POST",
    ) -> Answer:
        """Like `get`, with `json` or `body` sent.

        A call that is not `repeatable` is repeated only when no connection came about, and with
        `once` not even then: its caller checks the state before each attempt.
        """
        if json is not None:
            data = msgspec.json.encode(json)
            body = RequestBody(lambda: data)
        call = self._call(method, path, doing, hints, acts=not repeatable)
        return await self._whole(call, _Options(params, timeout, body), 1 if once else None)

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
        """The pieces of a body as they arrive, without a limit in total and with 60 s for each.

        At most 5 redirects are followed, none if `follow` is False. The key is dropped for good
        when one leads to another scheme, host or port. Repeated only before the body has begun, and
        after a 5xx only if that is a 500.
        """
        call = self._call("GET", path, doing, hints)
        options = _Options(params, PATIENT)
        async with contextlib.AsyncExitStack() as opened:

            async def once() -> httpx.Response:
                response = await self._opened(call, options, follow=follow)
                opened.push_async_callback(in_own_task, response.aclose)
                return response

            response = await in_own_task(lambda: self._retried(call, once, never=range(501, 600)))
            url = response.url.copy_with(query=None)
            last = replace(call, url=str(url), host=url.netloc.decode("ascii"))
            if "html" in content_type(response):
                page = None
                with contextlib.suppress(FailedAttempt):
                    page = await whole_body(last, response, MAX_EXPLANATION, cut=True)
                raise not_the_api(Answer(last, page or b"", content_type(response)))
            size = body_size(response)
            pieces = body_pieces(last, response, size)
            opened.push_async_callback(in_own_task, pieces.aclose)
            yield Pieces(pieces, size)

    def _call(
        self, method: str, path: str, doing: str, hints: Hints | None = None, *, acts: bool = False
    ) -> ApiCall:
        known = {**self._hints, **(hints or {})}
        secrets = (*filter(None, [self._key]), *self._headers.values.values())
        return ApiCall(
            doing, method, self.base + path, self.host, known, acts, self._key is not None, secrets
        )

    async def _whole(self, call: ApiCall, options: _Options, attempts: int | None = None) -> Answer:
        async def once() -> Answer:
            response = await self._opened(call, options, follow=False)
            try:
                body = await whole_body(call, response, MAX_JSON)
            finally:
                await response.aclose()
            if body is None:
                what = f"{call.host} sent more than {MAX_JSON >> 20} MiB"
                raise call.failed(TooLarge, what, "Ask for less at a time")
            answer = Answer(call, body, content_type(response))
            if "html" in answer.content_type:
                raise not_the_api(answer)
            return answer

        try:
            return await in_own_task(lambda: self._retried(call, once, attempts=attempts))
        except NotFound as error:
            if self._on_missing is not None and error.detail == "Not Found":
                await self._on_missing(error)
            if self.refused is not None and call.acts and error.detail == UNKNOWN:
                self.refused(error)
            raise

    async def _retried(
        self,
        call: ApiCall,
        once: Callable[[], Awaitable[T]],
        *,
        never: range = range(0),
        attempts: int | None = None,
    ) -> T:
        retries = self._retries
        left = (attempts or retries.attempts) - 1
        wait = retries.first
        failed: ApiError | None = None
        """The first 500, after which a call is repeated once."""
        while True:
            try:
                return await once()
            except FailedAttempt as failure:
                again = failure.again if failure.unsent or not call.acts else False
                if failed or again is False or not left or failure.error.status in never:
                    # without the cause: its frames hold requests with their headers
                    raise failed or failure.error from None
                if failure.error.status == 500:
                    failed = failure.error
            left -= 1
            usual = min(wait, retries.longest) + random.uniform(0, retries.jitter)
            await anyio.sleep(usual if again is True else again)
            wait *= 2

    async def _opened(self, call: ApiCall, options: _Options, *, follow: bool) -> httpx.Response:
        """A 2xx with its body unread, for the caller to close."""
        with translated(call):
            response = await self._authorised(call, options)
        ours = True
        for _ in range(MAX_REDIRECTS if follow else 0):
            target = redirect_target(response)
            if target is None:
                break
            await response.aclose()
            ours = ours and origin(target) == origin(httpx.URL(self.base))
            bare = _Options((), options.timeout)
            # from here on errors are those of the other host
            call = replace(call, host=target.netloc.decode("ascii"))
            with translated(call):
                response = await self._sent(call, target, bare, self._scheme if ours else None)
        if response.is_success:
            return response
        try:
            raise await self._refusal(call, response)
        finally:
            await response.aclose()

    async def _authorised(self, call: ApiCall, options: _Options) -> httpx.Response:
        """The response to a request with what a gateway wants, renewed if it is refused."""
        sent = self._headers.values
        response = await self._with_key(call, options)
        refused = response.status_code == 401 or "location" in response.extensions
        if sent and refused:
            try:
                is_renewed = await self._headers.renew(sent)
            except BaseException as error:
                await response.aclose()  # else its connection is never free again
                if isinstance(error, Problem):  # what a command says that failed
                    raise call.failed(SignInWanted, error.sentence, error.hint) from None
                raise
            if is_renewed:
                await response.aclose()
                response = await self._with_key(call, options)
        return response

    async def _with_key(self, call: ApiCall, options: _Options) -> httpx.Response:
        """The response to a request with the key in the header that this server accepts."""
        tried = self._scheme
        response = await self._sent(call, call.url, options, tried)
        if told := timestamp(response.headers.get("Date", "")):
            self.ahead = time.time() - told
        if response.status_code == 401 and self._key is not None:
            # another call may have found the header meanwhile
            if self._settled and self._scheme == tried:
                return response
            other: Auth = "session" if tried == "bearer" else "bearer"
            await response.aclose()
            response = await self._sent(call, call.url, options, other)
            if response.status_code == 401:
                self._settled = True
            elif response.status_code < 429:
                self._scheme, self._settled = other, True
        elif response.status_code < 429 and response.status_code != 404:
            self._settled = True  # the others may come before the key was looked at
        return response

    async def _sent(
        self, call: ApiCall, url: httpx.URL | str, options: _Options, scheme: Auth | None
    ) -> httpx.Response:
        """Without a scheme it carries neither the key nor what a gateway wants."""
        client = self._connections.client(call)
        headers = {}
        if options.body is not None:
            headers["Content-Type"] = options.body.content_type
            if options.body.size is not None:
                headers["Content-Length"] = str(options.body.size)
        timeout = self._connections.timeout(options.timeout)
        request = client.build_request(
            call.method,
            url,
            params=[(name, value) for name, value in options.params if value is not None] or None,
            content=options.body.content() if options.body else None,
            headers=headers,
            timeout=timeout,
        )
        gateway = self._headers.values
        secrets = SecretHeaders(self._key, scheme, gateway) if scheme else httpx.Auth()
        async with self._limiter:
            status, began = None, time.perf_counter()
            try:
                with anyio.fail_after(_until_head(options, timeout)):
                    response = await client.send(request, auth=secrets, stream=True)
                status = response.status_code
                return response
            except TimeoutError:
                raise httpx.ReadTimeout("its head drips") from None
            finally:
                if self._connections.watch:
                    url = str(request.url.copy_with(query=None, userinfo=b""))
                    self._connections.watch(call.method, url, status, time.perf_counter() - began)

    async def _refusal(self, call: ApiCall, response: httpx.Response) -> FailedAttempt:
        status = response.status_code
        if "location" in response.extensions:
            target = redirect_target(response)
            lacks = target is not None and str(target.copy_with(query=None)) == f"{call.url}/"
            moved = no_address(call, status) if lacks else redirected(call, status, target)
            return FailedAttempt(moved, again=False)
        body = b""
        with contextlib.suppress(FailedAttempt):
            body = await whole_body(call, response, MAX_EXPLANATION, cut=True) or b""
        wait = retry_after(response.headers.get("Retry-After", ""))
        again: bool | float = status in (429, 502, 503, 504)
        if status == 500:
            # two calls at once may have met; an agent server then draws a traceback for 5 to 22 s
            # and closes the connection only afterwards (measured, 1.58.2): it is not used again
            again = call.method == "GET"
            if stream := response.extensions.get("network_stream"):
                await stream.aclose()
        if again and wait is not None:
            again = wait if wait <= self._retries.longest_asked else False
        asks = response.headers.get("WWW-Authenticate", "").partition(" ")[0]
        error = from_status(call, status, body, content_type(response), wait, asks)
        return FailedAttempt(error, again)


def _until_head(options: _Options, timeout: httpx.Timeout) -> float | None:
    """Seconds within which the head of a response must be complete. httpx limits the time for each
    piece of a head, not for all. None for a request with a body, or without a timeout."""
    if options.body is not None or timeout.read is None:
        return None
    return (timeout.connect or 0.0) + 2 * timeout.read
