"""Who listens on a port of this machine, by /proc of Linux."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc/net")

_LISTEN = "0A"
_LOOPBACK = ("7F", "1".rjust(26, "0") + "000000")
"""How the hexadecimal digits of an address end there: the kernel writes the bytes of four in
reverse."""


class _Listener(NamedTuple):
    is_loopback: bool
    user: int


def why_not_ours(port: int) -> str:
    """Why a key must not go to this port, in words; "" where only this user and root listen there,
    and on a system without /proc, which does not tell."""
    listeners = _listeners(port)
    if listeners is None:
        return ""
    if not listeners:
        return f"this machine does not tell who listens on port {port}"
    if any(one.user not in (os.getuid(), 0) for one in listeners):
        return f"port {port} is another user's"
    return ""


def is_open_to_all(port: int) -> bool | None:
    """Whether other machines reach the port, as far as no firewall stops them; None: not told."""
    listeners = _listeners(port)
    return None if listeners is None else not all(one.is_loopback for one in listeners)


def _listeners(port: int) -> list[_Listener] | None:
    """All that listen on the port, on whatever address; None where nothing tells."""
    found, told = list[_Listener](), False
    for name in ("tcp", "tcp6"):
        try:
            lines = (PROC / name).read_text("ascii", "replace").splitlines()[1:]
        except OSError:  # no /proc, or a system without IPv6
            continue
        told = True
        for line in lines:
            words = line.split()
            address, _, number = (words[1] if len(words) > 7 else "").partition(":")
            if number == f"{port:04X}" and words[3] == _LISTEN and words[7].isdecimal():
                found.append(_Listener(address.endswith(_LOOPBACK), int(words[7])))
    return found if told else None
