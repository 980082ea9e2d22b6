"""One question to whatever listens on a port of this machine, without a key: it may be anything."""

from __future__ import annotations

import asyncio
import contextlib
import threading

import anyio
import httpx

from oh_tui import __version__
from oh_tui.api.http.connections import bound_heads

HOST = "127.0.0.1"


def ask(port: int, path: str, most: int, seconds: float, *, cut: bool = False) -> bytes | None:
    """The body of a 200 for one GET; None for any other answer, none within `seconds` in all, or
    one of more than `most` bytes, of which the beginning is returned with `cut`.

    No key, no cookie, no redirect, and no proxy of the environment: what is on this machine is
    nothing that another one can tell. May be called where an event loop runs, which waits.
    """
    found: list[bytes | None] = []
    url = f"http://{HOST}:{port}{path}"
    thread = threading.Thread(
        target=lambda: found.append(asyncio.run(_ask(url, most, seconds, cut=cut))), daemon=True
    )
    thread.start()
    thread.join()
    return found[0] if found else None


async def _ask(url: str, most: int, seconds: float, *, cut: bool) -> bytes | None:
    headers = {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": f"oh-tui/{__version__}",
    }
    body = bytearray()
    # without TLS there is nothing to verify, and loading certificates takes longer than the answer
    async with httpx.AsyncClient(headers=headers, trust_env=False, verify=False) as client:
        bound_heads(client)
        with contextlib.suppress(httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError):
            with anyio.fail_after(seconds):
                async with client.stream("GET", url, timeout=seconds) as response:
                    if response.status_code != 200 or "Content-Encoding" in response.headers:
                        return None
                    async for piece in response.aiter_raw():
                        body += piece
                        if len(body) > most:
                            return bytes(body[:most]) if cut else None
                    return bytes(body)
    return None
