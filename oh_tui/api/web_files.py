"""Files at https addresses of any server: what one is, and its bytes.

No key is sent. A redirect is followed to https only.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx

from oh_tui.api.addresses import redirect_target
from oh_tui.api.errors import ApiError, AuthError, BadAnswer, Unreachable
from oh_tui.api.http.connections import USUAL, Connections
from oh_tui.api.http.http_errors import ApiCall, FailedAttempt, from_status, translated
from oh_tui.api.http.transport import MAX_REDIRECTS
from oh_tui.text.human import size
from oh_tui.text.redact import safe_line

_HINTS: dict[type[ApiError], str] = {
    AuthError: "It wants a login: download it with your browser, and give the file"
}

_TRY_AGAIN = "the same command begins anew; curl -LO -C - ADDRESS goes on where it broke off"


@dataclass(frozen=True)
class WebFile:
    """A file whose bytes are on their way."""

    total: int | None
    """Bytes of the whole file, as the server tells; None if it does not."""
    version: str
    """What tells this version from others; "" if the server does not."""
    pieces: AsyncIterator[bytes]
    """Raises ApiError for a connection that breaks off, and for more or fewer bytes than told."""


@contextlib.asynccontextmanager
async def open_web_file(connections: Connections, address: str) -> AsyncIterator[WebFile]:
    """The file at an address. Raises ApiError."""
    url = _https(address)
    for _ in range(MAX_REDIRECTS + 1):
        place = str(url.copy_with(query=None))
        call = ApiCall("download the file", "GET", place, url.host, hints=_HINTS)
        async with _answer(connections, call, url) as response:
            if "location" in response.extensions:
                target = redirect_target(response)
                if target is None or target.scheme != "https":
                    raise Unreachable(
                        f"{url.host} redirects to an address that is not https",
                        "oh-tui follows https alone: find out the right address",
                        address=call.address,
                    )
                url = target
                continue
            yield _file(call, response)
            return
    raise Unreachable(f"{url.host} redirects more than {MAX_REDIRECTS} times", "check the address")


def _https(address: str) -> httpx.URL:
    with contextlib.suppress(httpx.InvalidURL, UnicodeError):
        url = httpx.URL(address)
        if url.scheme == "https" and url.host and not url.userinfo:
            return url.copy_with(fragment=None)
    raise Unreachable(f"“{safe_line(address)[:80]}” is not an https address", "check the address")


@contextlib.asynccontextmanager
async def _answer(
    connections: Connections, call: ApiCall, url: httpx.URL
) -> AsyncIterator[httpx.Response]:
    client = connections.client(call)
    asked = {"Accept": "*/*", "Accept-Encoding": "identity"}
    request = client.build_request("GET", url, headers=asked, timeout=connections.timeout(USUAL))
    try:
        with translated(call):
            response = await client.send(request, stream=True)
    except FailedAttempt as failure:
        raise failure.error from None
    try:
        yield response
    finally:
        await response.aclose()


def _file(call: ApiCall, response: httpx.Response) -> WebFile:
    if response.status_code != 200:
        raise from_status(call, response.status_code, b"", "")
    told = response.headers.get("Content-Length", "")
    total = int(told) if told.isdecimal() and len(told) < 19 else None
    tag = response.headers.get("ETag", "")
    version = tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")
    return WebFile(total, safe_line(version)[:200], _pieces(call, response, total))


async def _pieces(
    call: ApiCall, response: httpx.Response, total: int | None
) -> AsyncIterator[bytes]:
    """The bytes as they stand on the server: an output.jsonl.gz stays packed."""
    place = 0
    try:
        with translated(call):
            async for piece in response.aiter_raw():
                place += len(piece)
                if total is not None and place > total:
                    raise BadAnswer(
                        f"{call.host} sends more than the {size(total)} that it told",
                        "ask who runs the server",
                        address=call.address,
                    )
                yield piece
    except FailedAttempt as failure:
        raise _broken_off(call, place, total) from failure.error
    if total is not None and place < total:
        raise _broken_off(call, place, total)


def _broken_off(call: ApiCall, place: int, total: int | None) -> ApiError:
    of = f" of {size(total)}" if total is not None else ""
    return Unreachable(
        f"The download from {call.host} broke off after {size(place)}{of}",
        _TRY_AGAIN,
        address=call.address,
    )
