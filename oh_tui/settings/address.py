"""The address of a server: from the form people write to the one that the API is called with."""

from __future__ import annotations

from urllib.parse import urlsplit

from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line


def server_address(text: str) -> str:
    """The address without /api, /api/v1 and trailing slashes.

    A missing scheme becomes https, and http for this machine. Raises Problem for anything that is
    no server address, and for one with a user name or password.
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
    schemes = ("http", "https")  # `http` as a host: the colon of the scheme was forgotten
    unusable = not host.isprintable() or " " in host or host in ("", *schemes)
    if unusable or parts.scheme not in schemes:
        raise Problem(
            f"{shown!r} is not a server address", "an address looks like https://app.all-hands.dev"
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
