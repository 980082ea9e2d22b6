"""Images in events: found, told by their first bytes, decoded only to be saved."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from oh_tui.text.clean import clean, clean_line, redact
from oh_tui.text.human import size
from oh_tui.text.patterns import pattern
from oh_tui.trajectory.model.bodies import field, text_field
from oh_tui.trajectory.model.steps import Step

_HEADER = 64
"""Characters of base64 decoded to tell the format; a JPEG tells its size somewhere later."""

_JPEG_HEADER = 88_000

EXTENSIONS = {"PNG": "png", "JPEG": "jpg", "GIF": "gif", "WebP": "webp", "BMP": "bmp"}


class Image(msgspec.Struct, frozen=True, gc=False):
    """One image. `format` is told by the bytes, never by a name, "" when they are no image we
    know; `width` and `height` are 0 where not known; `address` is that of an image which is not
    in the event."""

    what: str
    """"screenshot" or "image"."""
    format: str = ""
    width: int = 0
    height: int = 0
    data: str = ""
    """Base64 as it came."""
    address: str = ""

    @property
    def size(self) -> int:
        """Bytes when decoded."""
        return max(0, len(self.data) * 3 // 4 - self.data[-2:].count("="))

    def decode(self) -> bytes | None:
        """The bytes; None when the base64 is broken or empty."""
        return _decode(self.data)

    def __str__(self) -> str:
        if self.address:
            return f"{self.what} at {clean_line(redact(clean(self.address[:2000])))}"
        if not self.format:
            return f"{self.what} that cannot be read, {size(self.size)}"
        pixels = f" {self.width}x{self.height}" if self.width and self.height else ""
        return f"{self.what}, {self.format}{pixels}, {size(self.size)}"


def images_of(step: Step) -> list[Image]:
    """All images of a step, in order: of its event, then of its results."""
    return [image for event in (step.event, *step.results) for image in find_images(event.body())]


IMAGE_PATHS = (
    ("observation", "content"),
    ("llm_message", "content"),
    ("extended_content",),
    ("content",),
)
"""Where events have content blocks."""


def find_images(body: Any) -> list[Image]:
    """The images of one decoded event; never raises. Looks at the first bytes of each only."""
    found: list[Image] = []
    shot = text_field(body, "observation", "screenshot_data")
    if shot:
        found.append(_image(shot, "screenshot"))
    for path in IMAGE_PATHS:
        found += (_image(source) for source in _sources(field(body, *path)))
    return found


_BASE64 = pattern(r"[A-Za-z0-9+/_\-\r\n]++={0,2}\s?")
_MIXED = (pattern("[a-z]"), pattern("[A-Z]"), pattern("[0-9]"))
_WRAPPED = 60
"""Characters that a line of base64 has at least; programs wrap it at 60, 64 or 76."""


def _is_base64(text: str, start: int = 0) -> bool:
    """Names on lines of their own, or paths, have its letters too. But it is wrapped at one length,
    and of its two alphabets one has `+/` and the other `-_`."""
    if not _BASE64.fullmatch(text, start):
        return False
    text = text[start:]
    if ("+" in text or "/" in text) and ("-" in text or "_" in text):
        return False
    first, *more = text.split() or [""]
    if not more:
        return True
    width, last = len(first), more.pop()
    return width >= _WRAPPED and len(last) <= width and {len(line) for line in more} <= {width}


def is_image(source: str) -> bool:
    """Whether a text where an image belongs is one, or where it can be found, and no words."""
    if len(source) >= _HEADER and _is_base64(source):
        return True
    found = _image(source)
    return bool(found.address or found.format)


def data_text(text: str) -> str:
    """A text that is binary data, such as `image, PNG 12x8, 3 kB`; "" for one to be read."""
    start = text.find(";base64,", 0, 200) + 8 if text[:5] == "data:" else 0
    if start < 8 and not (len(text) >= 256 and all(k.search(text, 0, 256) for k in _MIXED)):
        return ""
    if not _is_base64(text, start):
        return ""
    found = _image(text)
    if found.format:
        return str(found)
    return f"data, {size(found.size)}"


def _sources(blocks: Any) -> Iterator[str]:
    """Data or addresses of the image blocks: ours have `image_urls`, those of MCP and ACP `data`
    beside a `mimeType`, ACP wraps a block in another one."""
    for block in blocks if isinstance(blocks, list) else ():
        if not isinstance(block, dict):
            continue
        if isinstance(block.get("content"), dict):
            block = block["content"]
        if block.get("type") != "image":
            continue
        urls = block.get("image_urls")
        if isinstance(urls, list):
            yield from (url for url in urls if isinstance(url, str) and url)
        elif isinstance(block.get("data"), str):
            yield block["data"]


def _image(source: str, what: str = "image") -> Image:
    if source[:5].lower() == "data:":
        source = source[source.find(",", 0, 200) + 1 :]
    elif re.match(r"[a-zA-Z][a-zA-Z+.-]{1,20}://", source):
        return Image(what, address=source)
    head = _decode(source[:_HEADER]) or b""
    format = _format(head)
    if format == "JPEG":
        head = _decode(source[:_JPEG_HEADER]) or b""
    width, height = _pixels(format, head)
    return Image(what, format, width, height, source)


def _decode(text: str) -> bytes | None:
    try:
        found = base64.b64decode(text.encode("ascii") + b"==", validate=False)
    except (binascii.Error, ValueError):
        return None
    return found or None


def _format(head: bytes) -> str:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    return "BMP" if head[:2] == b"BM" else ""


def _pixels(format: str, head: bytes) -> tuple[int, int]:
    if format == "PNG" and head[12:16] == b"IHDR":
        return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    if format == "GIF":
        return int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
    if format == "WebP" and head[12:16] == b"VP8X":
        return (
            int.from_bytes(head[24:27], "little") + 1,
            int.from_bytes(head[27:30], "little") + 1,
        )
    if format == "WebP" and head[12:16] == b"VP8 ":
        return (
            int.from_bytes(head[26:28], "little") & 0x3FFF,
            int.from_bytes(head[28:30], "little") & 0x3FFF,
        )
    return _jpeg_pixels(head) if format == "JPEG" else (0, 0)


def _jpeg_pixels(head: bytes) -> tuple[int, int]:
    """From the start-of-frame segment, the segments before it are jumped over."""
    at = 2
    while at + 9 <= len(head) and head[at] == 0xFF:
        marker = head[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return (
                int.from_bytes(head[at + 7 : at + 9], "big"),
                int.from_bytes(head[at + 5 : at + 7], "big"),
            )
        at += 2 + max(2, int.from_bytes(head[at + 2 : at + 4], "big"))
    return 0, 0
