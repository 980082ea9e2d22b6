"""Turns HTTP statuses and httpx's exceptions into the errors of `oh_tui.api.errors`."""

from __future__ import annotations

import contextlib
import math
import socket
import ssl
import urllib.request
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import httpcore
import httpx

from oh_tui.api.addresses import EXPECTED, origin
from oh_tui.api.errors import (
    ApiError,
    AuthError,
    BadAnswer,
    Conflict,
    InvalidRequest,
    NotFound,
    NotTheApi,
    RateLimited,
    ServerError,
    SignInWanted,
    TimedOut,
    TooLarge,
    Unreachable,
)
from oh_tui.text.clean import clean_line
from oh_tui.text.problem import Remedy
from oh_tui.text.redact import Secret, safe_line
from oh_tui.trajectory.model.events import decode_json

E = TypeVar("E", bound=ApiError)
MAYBE_DONE = Remedy.MAYBE_DONE

_GENERIC = frozenset({"not found", "unauthorized", "internal server error", "forbidden"})
"""Explanations that say no more than the status."""


@dataclass(frozen=True)
class ApiCall:
    """A call as its errors describe it: "Could not {doing}: {host} ..."."""

    doing: str
    method: str
    url: str
    """Without query and without credentials."""
    host: str
    hints: Mapping[type[ApiError], str] = field(default_factory=dict)
    """What to try next, by kind of error, where the call knows better than the status."""
    acts: bool = False
    """The call changes something and must not be repeated."""
    has_key: bool = False
    secrets: Sequence[Secret] = ()
    """The key and the values of headers, which are removed from the server's explanation."""

    @property
    def address(self) -> str:
        return f"{self.method} {self.url}"

    def failed(
        self, kind: type[E], what: str, hint: str, status: int | None = None, detail: str = ""
    ) -> E:
        """The error that says what went wrong, and its hint."""
        sentence = f"Could not {self.doing}: {what}"
        return kind(sentence, hint, status=status, address=self.address, detail=detail)


@dataclass(frozen=True)
class Answer:
    """The whole body of a 2xx, and its call."""

    call: ApiCall
    data: bytes = field(repr=False)  # may contain keys of sandboxes
    content_type: str = ""


def short_id(identifier: str) -> str:
    return clean_line(identifier)[:12]


class FailedAttempt(Exception):
    """An attempt that failed. `again` says whether to retry: False, True (after the usual wait) or
    the seconds to wait. With `unsent` the server cannot have seen any of it."""

    def __init__(self, error: ApiError, again: bool | float, *, unsent: bool = False) -> None:
        super().__init__(error.sentence)
        self.error = error
        self.again = again
        self.unsent = unsent


def from_status(
    call: ApiCall,
    status: int,
    body: bytes,
    content_type: str,
    wait: float | None = None,
    asks: str = "",
) -> ApiError:
    """The error for a status other than 2xx; `wait` is its Retry-After in seconds, `asks` the
    scheme of its WWW-Authenticate."""
    is_page = _is_page(body, content_type)
    other_scheme = asks.lower() not in ("", "bearer")  # servers of OpenHands ask for no other
    if status in (401, 403) and (is_page or (status == 401 and other_scheme)):
        return sign_in(call, f" ({safe_line(asks, 20)})" if asks else "", status)
    kind, reason, hint = _by_status(status, with_key=call.has_key)
    hint = call.hints.get(kind, hint)
    if call.acts and status in (502, 504):
        hint = MAYBE_DONE
    if wait:
        hint = f"Try again in {math.ceil(wait)} s"
        if wait > 86_400:
            hint = "It asks to wait longer than a day"
    detail = explanation(body, content_type, call.secrets)
    if detail and detail.lower() not in _GENERIC:
        reason = f"said: {_shortened(detail.rstrip('.'), 240)}"
    return call.failed(kind, f"{call.host} {reason} ({status})", hint, status, detail)


_NOT_FOUND = (NotFound, "knows no such thing", "It may be deleted or belong to someone else")
_NOT_READY = (
    ServerError,
    "is not ready",
    "The service behind it may be asleep or starting: try again in a moment",
)

_BY_STATUS: dict[int, tuple[type[ApiError], str, str]] = {
    401: (AuthError, "wants a key", "Set OPENHANDS_API_KEY to a key of this server"),
    403: (AuthError, "does not allow this with this key", "Use a key that has the right"),
    404: _NOT_FOUND,
    409: (Conflict, "cannot do it in its present state", "Check its state, and try again"),
    410: _NOT_FOUND,
    413: (TooLarge, "finds it too large", ""),
    429: (RateLimited, "asks for fewer calls", "Wait a minute, then try again"),
    502: _NOT_READY,
    503: _NOT_READY,
    504: _NOT_READY,
}


def _by_status(status: int, *, with_key: bool) -> tuple[type[ApiError], str, str]:
    if status == 401 and with_key:
        return AuthError, "does not accept this key", "Check that the key is for this server"
    if status == 403 and not with_key:
        return AuthError, "does not allow this without a key", _BY_STATUS[401][2]
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return ServerError, "failed", "Try again; if it stays so, look into the server's log"
    if 300 <= status < 400:
        return NotTheApi, "sent us to another address", EXPECTED
    return InvalidRequest, "does not take this request", "Its version may differ"


def explanation(body: bytes, content_type: str, secrets: Sequence[Secret] = ()) -> str:
    """The server's explanation, cleaned and redacted; "" for none or for a web page.

    The known forms: {"detail": text or list}, {"error": text}, {"message": text}, a JSON string,
    plain text. The agent server puts "Internal Server Error" into `detail` and the reason into
    `exception` (all measured).
    """
    try:
        text = _explained(decode_json(body))
    except ValueError:
        text = "" if _is_page(body, content_type) else body.decode("utf-8", "replace")
    for secret in secrets:
        text = text.replace(secret.reveal(), "…")
    return _shortened(safe_line(_shortened(text, 4000)), 1000).strip()


def _explained(value: object, depth: int = 0) -> str:
    if isinstance(value, str):
        return value
    if depth == 20:  # a real one has three levels
        return ""
    if isinstance(value, list):
        return "; ".join(filter(None, (_explained(one, depth + 1) for one in value[:5])))
    if isinstance(value, dict):
        for name in ("detail", "exception", "error", "message", "msg"):
            text = _explained(value.get(name), depth + 1)
            if text and not (text.lower() in _GENERIC and value.get("exception")):
                location = value.get("loc")
                last = location[-1] if isinstance(location, list) and location else None
                return f"{last}: {text}" if isinstance(last, str) else text
    return ""


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def from_exception(call: ApiCall, error: Exception) -> ApiError:
    kind: type[ApiError] = Unreachable
    match error:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            kind = TimedOut
            reason = f"{call.host} does not take the connection"
            hint = "Check the address and your network"
        case httpx.TimeoutException():
            kind = TimedOut
            reason = f"{call.host} did not answer in time"
            hint = call.hints.get(TimedOut, "It may be busy, or frozen: try again, or refresh")
        case httpx.DecodingError():
            kind = BadAnswer
            reason = f"the answer of {call.host} cannot be unpacked"
            hint = "Something between here and the server damages it: try again"
        case httpx.ProxyError():
            reason = f"the proxy on the way to {call.host} refused"
            hint = "Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY"
        case httpx.InvalidURL() | UnicodeError():
            kind = InvalidRequest
            reason = f"{call.host} cannot be asked for it in these words"
            hint = "Look for odd characters, or shorten it"
        case httpx.UnsupportedProtocol():
            reason = f"{call.host} is not an http or https address"
            hint = EXPECTED
        case _:
            reason, hint = _connection(call, error)
    before = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
    answered = (httpx.TransportError, httpx.DecodingError)
    sent = isinstance(error, answered) and not isinstance(error, before)
    if call.acts and sent and not isinstance(error, httpx.UnsupportedProtocol):
        hint = MAYBE_DONE
    return call.failed(kind, reason, hint)


class NotTrusted(httpcore.ConnectError):
    """Nothing must be sent over a connection; the text says why."""


@contextlib.contextmanager
def translated(call: ApiCall) -> Generator[None, None, None]:
    """Turns httpx's exceptions into FailedAttempt."""
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, OSError) as error:
        transient = (httpx.NetworkError, httpx.ConnectTimeout, httpx.RemoteProtocolError)
        again = isinstance(error, transient) and not is_certificate(error)
        unsent = isinstance(error, httpx.ConnectError)
        raise FailedAttempt(from_exception(call, error), again, unsent=unsent) from None


def is_certificate(error: BaseException) -> bool:
    """Whether TLS itself failed, which a retry does not repair."""
    return any(isinstance(cause, ssl.SSLError) for cause in _causes(error))


def _connection(call: ApiCall, error: Exception) -> tuple[str, str]:
    proxy = _proxy(call) if isinstance(error, httpx.ConnectError) else ""
    for cause in _causes(error):
        match cause:
            case NotTrusted():
                return f"{call.host} was sent nothing: {cause}", "Start oh-tui again"
            case ConnectionRefusedError() | socket.gaierror() if proxy:
                return (
                    f"the proxy {proxy} on the way to {call.host} cannot be reached",
                    "Check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY",
                )
            case ssl.SSLCertVerificationError():
                why = clean_line(getattr(cause, "verify_message", "") or "not trusted")
                return (
                    f"the certificate of {call.host} is not valid here ({why})",
                    "Check the address; for a private authority set SSL_CERT_FILE",
                )
            case ssl.SSLError():
                return (
                    f"no secure connection to {call.host}, certificate or TLS trouble",
                    "If the server speaks plain http, write http:// in its address",
                )
            case socket.gaierror():
                return (
                    f"no server named {call.host} was found",
                    "Check the address and your network",
                )
            case ConnectionRefusedError():
                return (
                    f"nothing listens at {call.host}",
                    "Check that the server runs, and its port",
                )
    if isinstance(error, httpx.ConnectError):
        return (f"no connection to {call.host}", "Check the address and your network")
    return (f"the connection to {call.host} broke off", "Try again")


def _proxy(call: ApiCall) -> str:
    """Host and port of the proxy that this machine uses for the server; "" for none."""
    url = httpx.URL(call.url)
    proxies = urllib.request.getproxies()
    address = proxies.get(url.scheme) or proxies.get("all") or ""
    if not address or urllib.request.proxy_bypass(url.host):
        return ""
    try:
        return httpx.URL(address if "://" in address else f"http://{address}").netloc.decode()
    except httpx.InvalidURL:
        return ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception, its causes and contexts, and the members of groups, each once."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop(0)
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [cause.__cause__, cause.__context__]
        if isinstance(cause, BaseExceptionGroup):
            waiting += cause.exceptions


def no_address(call: ApiCall, status: int) -> NotFound:
    """The error for a redirect to the same address with a slash: FastAPI has another one that
    begins so, as agent servers before 1.12 have where newer ones take a query (measured, 1.8.2)."""
    hint = call.hints.get(NotFound, "Its version may differ from what this program knows")
    return call.failed(NotFound, f"{call.host} has no such address ({status})", hint, status)


def _is_page(body: bytes, content_type: str) -> bool:
    return "html" in content_type or body.lstrip()[:1] == b"<"


def sign_in(call: ApiCall, where: str, status: int) -> SignInWanted:
    """The error for a gateway before the server that wants to know who asks."""
    hint = "Its `headers` in the settings file pass a gateway: docs/servers.md, Behind a gateway"
    if len(call.secrets) > call.has_key:
        hint = "It did not take the `headers` of the settings file: they may have run out"
    what = f"a gateway before {call.host} wants a sign-in{where} ({status})"
    return call.failed(SignInWanted, what, hint, status)


def redirected(call: ApiCall, status: int, target: httpx.URL | None) -> NotTheApi:
    """The error for a redirect that is not followed; `target` is None for no web address. One to
    another host, for this time, is a gateway's."""
    if target and target.host != httpx.URL(call.url).host and status in (302, 303, 307):
        return sign_in(call, f" at {target.netloc.decode('ascii')}", status)
    where = f"{target.scheme}://{target.netloc.decode('ascii')}" if target else "nowhere usable"
    hint = "If that is the right server, use its address"
    if target and origin(target) == origin(httpx.URL(call.url)):
        where, hint = f"its page {safe_line(target.path, 60)}", "A gateway may want a sign-in there"
    what = f"{call.host} sent us to {where} ({status})"
    return call.failed(NotTheApi, what, f"{hint}. {EXPECTED}", status)


def not_the_api(answer: Answer) -> NotTheApi:
    """The error for a 200 without JSON: frontends answer unknown paths with a page (measured)."""
    page = _is_page(answer.data, answer.content_type)
    if page and b'type="password"' in answer.data:
        return sign_in(answer.call, "", 200)
    what = "a web page" if page else "no JSON" if answer.data else "nothing"
    call = answer.call
    # a page does not come from a server that did something; half an answer, or none, may
    unsure = call.acts and not page
    or_gateway = "; or a gateway before it wants a sign-in" if page else ""
    hint = f"The address is wrong or the server too old{or_gateway}. {EXPECTED}"
    hint = call.hints.get(NotTheApi, hint)
    what = f"{call.host} answered with {what} at {safe_line(call.url)}"
    return call.failed(NotTheApi, what, MAYBE_DONE if unsure else hint, 200)


def bad_answer(answer: Answer, what: str) -> BadAnswer:
    """The error for JSON without the documented shape."""
    call = answer.call
    hint = "The server's version may differ from what this program knows"
    told = f"the answer of {call.host} is {what}"
    return call.failed(BadAnswer, told, MAYBE_DONE if call.acts else hint, 200)
