"""Addresses: of servers as people write them, ids as path segments, and origins."""

from __future__ import annotations

import re
from urllib.parse import quote

import httpx

from oh_tui.api.errors import InvalidRequest, Unreachable
from oh_tui.text.clean import clean_line
from oh_tui.text.redact import safe_line

EXPECTED = "Expected is the server's own address, such as https://app.all-hands.dev"


def base_address(address: str) -> str:
    """A server's address reduced to scheme, host and path, without a trailing slash.

    `/api` and `/api/v1` at the end are dropped, and so are query, fragment and credentials. Raises
    Unreachable for anything but an http or https address.
    """
    url = _web_url(address.strip())
    if url is None:
        raise Unreachable(f"“{safe_line(address)[:80]}” is not an http or https address", EXPECTED)
    return re.sub(r"(/api(/v1)?)?/*$", "", str(url.copy_with(query=None)).rstrip("/"))


def segment(identifier: str) -> str:
    """An id as one segment of a path. Raises InvalidRequest for one that would change the path."""
    if identifier.strip() in ("", ".", ".."):
        raise InvalidRequest(f"“{clean_line(identifier)}” is not an id", "Copy the id from a list")
    return quote(identifier, safe="", errors="replace")


async def keep_location(response: httpx.Response) -> None:
    """A response hook that hides the target of a redirect from httpx.

    Even without following redirects httpx would build the next request, copy the key into it, and
    report a malformed target as a broken connection.
    """
    if response.has_redirect_location:
        response.extensions["location"] = response.headers.pop("Location")


def redirect_target(response: httpx.Response) -> httpx.URL | None:
    """The target of a redirect without credentials; None for no redirect or no web address."""
    location = response.extensions.get("location")
    return None if location is None else _web_url(location, response.url)


def origin(url: httpx.URL) -> tuple[str, str, int | None]:
    """Scheme, host and port: the boundary that a key must not cross."""
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)


def _web_url(text: str, base: httpx.URL | None = None) -> httpx.URL | None:
    try:
        url = base.join(text) if base is not None else httpx.URL(text)
        if url.scheme not in ("http", "https") or not url.host or (url.port or 1) > 65535:
            return None
        return url.copy_with(userinfo=b"", fragment=None)
    except (httpx.InvalidURL, UnicodeError):
        return None
