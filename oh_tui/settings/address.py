"""The address of a server, as people write it and as it is called."""

from __future__ import annotations

from urllib.parse import urlsplit

from oh_tui.text.clean import safe_line
from oh_tui.text.problem import Problem

CLOUD = "https://app.all-hands.dev"
"""The address of OpenHands Cloud."""


def server_address(text: str) -> str:
    """A server's address as people write it, made the one form that the API is called with.

    Takes it with or without scheme (https, but http for this machine), /api, /api/v1 and slashes;
    raises Problem when it names no server.
    """
    text = text.strip()
    address = text
    if "://" not in text:
        address = f"{'http' if _is_this_machine(text) else 'https'}://{text}"
    shown = safe_line(text.rpartition("@")[2])
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    schemes = ("http", "https")  # no host is called so: its colon was forgotten
    if (
        not host.isprintable()
        or " " in host
        or host in ("", *schemes)
        or (parts.scheme not in schemes)
    ):
        raise Problem(
            f"{shown!r} is no server address", "an address looks like https://app.all-hands.dev"
        )
    if parts.username is not None:
        raise Problem(
            f"The server address {shown} carries a user name or password",
            "give the address alone, and the key as OPENHANDS_API_KEY",
        )
    path = parts.path.rstrip("/")
    for end in ("/api/v1", "/api"):
        path = path.removesuffix(end).rstrip("/")
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}{f':{port}' if port else ''}{path}"


def _is_this_machine(text: str) -> bool:
    host = text.partition("/")[0].lower()
    if host.startswith("["):
        return host.startswith("[::1]")
    return host.partition(":")[0] in ("localhost", "127.0.0.1", "0.0.0.0")
