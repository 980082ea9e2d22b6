"""What went wrong with a call: httpx's exceptions and HTTP statuses as the tree of errors."""

from __future__ import annotations

import contextlib
import math
import socket
import ssl
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from oh_tui.api.addresses import WANTED
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
    TimedOut,
    TooLarge,
    Unreachable,
)
from oh_tui.api.models import Secret
from oh_tui.text.clean import clean_line, safe_line
from oh_tui.text.problem import Remedy
from oh_tui.trajectory.model.events import decode_json

LONGEST = 86_400.0
"""Seconds up to which a wait that a server asks for is told."""

MAYBE_DONE = Remedy.MAYBE_DONE

_SAID_ALREADY = frozenset({"not found", "unauthorized", "internal server error", "forbidden"})


@dataclass(frozen=True)
class Call:
    """What was asked of whom, for the sentence: "Could not {doing}: {host} ..."."""

    doing: str
    method: str
    url: str
    """Without query and without credentials."""
    host: str
    key: Secret | None = None
    """The key that goes with the call, to keep it out of what the server says."""
    hints: Mapping[type[ApiError], str] = field(default_factory=dict)
    """What to try next, where the call knows better than the status tells."""
    acts: bool = False
    """It changes something, and doing it twice would not be the same."""

    @property
    def address(self) -> str:
        return f"{self.method} {self.url}"


@dataclass(frozen=True)
class Answer:
    """The body of a 2xx, whole, and the call it answers."""

    call: Call
    data: bytes = field(repr=False)  # may hold keys of sandboxes
    content_type: str = ""


def short(identifier: str) -> str:
    """An id as sentences name it."""
    return clean_line(identifier)[:12]


class Failure(Exception):
    """One attempt failed; `again` is False, True (after the usual wait) or the wait in seconds.
    `unsent`: the server cannot have seen anything of it."""

    def __init__(self, error: ApiError, again: bool | float, *, unsent: bool = False) -> None:
        super().__init__(error.sentence)
        self.error = error
        self.again = again
        self.unsent = unsent


def from_status(
    call: Call, status: int, body: bytes, content_type: str, wait: float | None = None
) -> ApiError:
    """The error for an answer that is no 2xx; `wait` is its Retry-After in seconds."""
    kind, reason, hint = _by_status(status, with_key=call.key is not None)
    hint = call.hints.get(kind, hint)
    if call.acts and status in (502, 504):
        hint = MAYBE_DONE
    if wait:
        long = wait > LONGEST
        hint = "It asks to wait longer than a day" if long else f"Try again in {math.ceil(wait)} s"
    detail = explanation(body, content_type, call.key)
    if detail and detail.lower() not in _SAID_ALREADY:
        reason = f"said: {_shortened(detail.rstrip('.'), 240)}"
    return kind(
        f"Could not {call.doing}: {call.host} {reason} ({status})",
        hint,
        status=status,
        address=call.address,
        detail=detail,
    )


def _by_status(status: int, *, with_key: bool) -> tuple[type[ApiError], str, str]:
    match status:
        case 401 if with_key:
            return AuthError, "does not accept this key", "Check that the key is for this server"
        case 401:
            return AuthError, "wants a key", "Set OPENHANDS_API_KEY to a key of this server"
        case 403:
            return AuthError, "does not allow this with this key", "Use a key that has the right"
        case 404 | 410:
            return NotFound, "knows no such thing", "It may be deleted or belong to someone else"
        case 409:
            return (
                Conflict,
                "cannot do it in its present state",
                "Look how it stands, and try again",
            )
        case 413:
            return TooLarge, "finds it too large", ""
        case 429:
            return RateLimited, "asks for fewer calls", "Wait a minute, then try again"
        case 502 | 503 | 504:
            hint = "What stands behind it may be asleep or starting: try again in a moment"
            return ServerError, "is not ready", hint
        case _ if status >= 500:
            return ServerError, "failed", "Try again; if it stays so, look into the server's log"
        case _ if 300 <= status < 400:
            return NotTheApi, "sent us to another address", WANTED
        case _:
            return InvalidRequest, "does not take this request", "Its version may differ"


def explanation(body: bytes, content_type: str, key: Secret | None = None) -> str:
    """The server's own words, cleaned and redacted; "" when it gave none, or a web page.

    Forms seen: {"detail": text or list}, {"error": text}, {"message": text}, a bare JSON string,
    plain text; the agent server says "Internal Server Error" in `detail` and why in `exception`
    (all measured).
    """
    try:
        text = _said(decode_json(body))
    except ValueError:
        plain = "html" not in content_type and not body.lstrip().startswith(b"<")
        text = body.decode("utf-8", "replace") if plain else ""
    if key is not None:
        text = text.replace(key.reveal(), "…")
    return _shortened(safe_line(_shortened(text, 4000)), 1000).strip()


def _said(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "; ".join(filter(None, map(_said, value[:5])))
    if isinstance(value, dict):
        for name in ("detail", "exception", "error", "message", "msg"):
            text = _said(value.get(name))
            if text and not (text.lower() in _SAID_ALREADY and value.get("exception")):
                where = value.get("loc")
                last = where[-1] if isinstance(where, list) and where else None
                return f"{last}: {text}" if isinstance(last, str) else text
    return ""


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def from_exception(call: Call, error: Exception) -> ApiError:
    """The error for a call that got no complete answer."""
    could_not = f"Could not {call.doing}"
    kind: type[ApiError] = Unreachable
    match error:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            kind = TimedOut
            reason = f"{call.host} does not take the connection"
            hint = "Check the address and your network"
        case httpx.TimeoutException():
            kind = TimedOut
            reason = f"{call.host} did not answer in time"
            hint = "It may be busy, or its sandbox frozen: try again, or refresh"
        case httpx.DecodingError():
            kind = BadAnswer
            reason = f"the answer of {call.host} cannot be unpacked"
            hint = "Something between here and the server damages it: try again"
        case httpx.ProxyError():
            reason = f"the proxy on the way to {call.host} refused"
            hint = "Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY"
        case httpx.InvalidURL() | UnicodeError():
            kind = InvalidRequest
            reason = f"it cannot be asked of {call.host} in these words"
            hint = "Look for odd characters, or shorten it"
        case httpx.UnsupportedProtocol():
            reason = f"{call.host} is no http or https address"
            hint = WANTED
        case _:
            reason, hint = _connection(call, error)
    before = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
    answered = (httpx.TransportError, httpx.DecodingError)
    sent = isinstance(error, answered) and not isinstance(error, before)
    if call.acts and sent and not isinstance(error, httpx.UnsupportedProtocol):
        hint = MAYBE_DONE
    return kind(f"{could_not}: {reason}", hint, address=call.address)


@contextlib.contextmanager
def named(call: Call) -> Generator[None, None, None]:
    """Whatever goes wrong with httpx inside becomes a Failure."""
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, OSError) as error:
        transient = (httpx.NetworkError, httpx.ConnectTimeout, httpx.RemoteProtocolError)
        again = isinstance(error, transient) and not is_certificate(error)
        unsent = isinstance(error, httpx.ConnectError)
        raise Failure(from_exception(call, error), again, unsent=unsent) from None


def is_certificate(error: BaseException) -> bool:
    """Whether TLS itself failed, which trying again does not mend."""
    return any(isinstance(cause, ssl.SSLError) for cause in _causes(error))


def _connection(call: Call, error: Exception) -> tuple[str, str]:
    proxy = _proxy(call) if isinstance(error, httpx.ConnectError) else ""
    for cause in _causes(error):
        match cause:
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
                return (f"the name {call.host} is not known", "Check the address and your network")
            case ConnectionRefusedError():
                return (
                    f"nothing listens at {call.host}",
                    "Check that the server runs, and its port",
                )
    if isinstance(error, httpx.ConnectError):
        return (f"no connection to {call.host}", "Check the address and your network")
    return (f"the connection to {call.host} broke off", "Try again")


def _proxy(call: Call) -> str:
    """Host and port of the proxy that the machine's settings put before the server; "" for none."""
    import urllib.request  # not at the top: nobody needs it where all is well

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
    """An exception, what it was raised from, and the members of groups; each once."""
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


def broken_off(call: Call, received: int, size: int) -> Unreachable:
    """A body that ended before all of it had come."""
    return Unreachable(
        f"Could not {call.doing}: it broke off after {received:,} of {size:,} bytes",
        "Try again",
        address=call.address,
    )


def redirected(call: Call, status: int, target: httpx.URL | None) -> NotTheApi:
    """A redirect where none is followed, or one too many; `target` is None when unusable."""
    where = f"{target.scheme}://{target.netloc.decode('ascii')}" if target else "nowhere usable"
    return NotTheApi(
        f"Could not {call.doing}: {call.host} sent us to {where} ({status})",
        f"If that is the right server, use its address. {WANTED}",
        status=status,
        address=call.address,
    )


def not_the_api(answer: Answer) -> NotTheApi:
    """A 200 that is no JSON: the frontend answers any unknown path with its page (measured)."""
    page = "html" in answer.content_type or answer.data.lstrip()[:1] == b"<"
    what = "a web page" if page else "no JSON" if answer.data else "nothing"
    call = answer.call
    # a page is no answer of a server that did something; half of an answer, or none, may be
    unsure = call.acts and not page
    return NotTheApi(
        f"Could not {call.doing}: {call.host} answered with {what} at {safe_line(call.url)}",
        MAYBE_DONE if unsure else f"The address is wrong or the server too old. {WANTED}",
        status=200,
        address=call.address,
    )


def bad_answer(answer: Answer, what: str) -> BadAnswer:
    call = answer.call
    return BadAnswer(
        f"Could not {call.doing}: the answer of {call.host} is {what}",
        MAYBE_DONE if call.acts else "The server's version may differ from what this program knows",
        status=200,
        address=call.address,
    )
