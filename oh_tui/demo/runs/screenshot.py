"""The screenshot of browser observations: a real PNG, drawn here."""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode

WIDTH, HEIGHT = 64, 40


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _screenshot() -> str:
    paper, bar, ink = b"\x14\x17\x1c", b"\x2f\x6f\xb0", b"\xd7\xdc\xe2"
    rows = bytearray()
    for y in range(HEIGHT):
        rows.append(0)
        for x in range(WIDTH):
            if y < 6:
                rows += bar
            elif y % 5 == 3 and 5 <= x < 58 - y % 13:
                rows += ink
            else:
                rows += paper
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header)
    png += _chunk(b"IDAT", zlib.compress(bytes(rows), 9)) + _chunk(b"IEND", b"")
    return b64encode(png).decode()


SCREENSHOT = _screenshot()
"""A miniature page, a title bar over lines of text, as a PNG in base64."""
