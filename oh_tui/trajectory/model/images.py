"""Images in events: identified by their first bytes, decoded only to be saved."""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Iterator

import msgspec

from oh_tui.text.human import size
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.model.bodies import field, text_field
from oh_tui.trajectory.model.steps import Step

_HEADER = 64
"""Characters of base64 that are decoded to tell the format."""

_JPEG_HEADER = 88_000
"""The same to find the size of a JPEG."""

EXTENSIONS = {"PNG": "png", "JPEG": "jpg", "GIF": "gif", "WebP": "webp", "BMP": "bmp"}


class Image(msgspec.Struct, frozen=True, gc=False):
    """One image.

    `format` comes from the bytes, never from a name; it is "" for an unknown format. `width` and
    `height` are 0 when unknown. An image that is not in the event has an `address`.
    """

    what: str
    """"screenshot" or "image"."""
    format: str = ""
    width: int = 0
    height: int = 0
    data: str = ""
    """Base64 as received."""
    address: str = ""

    @property
    def size(self) -> int:
        """Decoded size in bytes."""
        return max(0, len(self.data) * 3 // 4 - self.data[-2:].count("="))

    def decode(self) -> bytes | None:
        """The bytes; None for broken or empty base64."""
        return _decode(self.data)

    def encoded(self) -> str:
        """The bytes as plain base64, whatever characters came with it; "" for none."""
        return base64.b64encode(self.decode() or b"").decode()

    def __str__(self) -> str:
        if self.address:
            return f"{self.what} at {safe_line(self.address[:2000])}"
        if not self.format:
            return f"{self.what} that cannot be read, {size(self.size)}"
        pixels = f" {self.width}x{self.height}" if self.width and self.height else ""
        return f"{self.what}, {self.format}{pixels}, {size(self.size)}"


def images_of(step: Step) -> list[Image]:
    """All images of a step: those of its event, then those of its results."""
    return [image for event in (step.event, *step.results) for image in find_images(event.body())]


IMAGE_PATHS = (
    ("observation", "content"),
    ("llm_message", "content"),
    ("extended_content",),
    ("content",),
)
"""Paths of content blocks in events."""


def find_images(body: object) -> list[Image]:
    """The images in a decoded event. Decodes only the first bytes of each, and never raises."""
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
"""Shortest line of wrapped base64; programs wrap it at 60, 64 or 76 characters."""


def _is_base64(text: str, start: int = 0) -> bool:
    """Whether a text is base64. Unlike lists of names or paths, base64 has lines of one length and
    never mixes `+/` with `-_`."""
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
    """Whether a text in the place of an image is an image or an address."""
    if len(source) >= _HEADER and _is_base64(source):
        return True
    found = _image(source)
    return bool(found.address or found.format)


def data_text(text: str) -> str:
    """What a text of binary data is, such as `image, PNG 12x8, 3 kB`; "" for any other text."""
    if len(text) < 256 and text[:5] != "data:":
        return ""
    start = text.find(";base64,", 0, 200) + 8 if text[:5] == "data:" else 0
    if start < 8 and " " in text[:255]:
        return ""  # as most texts
    if start < 8 and not (len(text) >= 256 and all(k.search(text, 0, 256) for k in _MIXED)):
        return ""
    if not _is_base64(text, start):
        return ""
    found = _image(text)
    return str(found) if found.format else f"data, {size(found.size)}"


def _sources(blocks: object) -> Iterator[str]:
    """Data or addresses of image blocks. OpenHands has `image_urls`, MCP and ACP have `data` and
    `mimeType`; ACP wraps each block in another one."""
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
        return base64.b64decode(text.encode("ascii") + b"==", validate=False) or None
    except ValueError:
        return None


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
    """Width and height; 0, 0 when they are not in the head."""
    try:
        if format == "PNG" and head[12:16] == b"IHDR":
            return struct.unpack_from(">II", head, 16)
        if format == "GIF":
            return struct.unpack_from("<HH", head, 6)
        if format == "WebP" and head[12:16] == b"VP8X":
            width, high, height, high_too = struct.unpack_from("<HBHB", head, 24)
            return (high << 16) + width + 1, (high_too << 16) + height + 1
        if format == "WebP" and head[12:16] == b"VP8 ":
            width, height = struct.unpack_from("<HH", head, 26)
            return width & 0x3FFF, height & 0x3FFF
        return _jpeg_pixels(head) if format == "JPEG" else (0, 0)
    except struct.error:
        return 0, 0


def _jpeg_pixels(head: bytes) -> tuple[int, int]:
    """Skips the segments before the start-of-frame segment, which has the size."""
    start = 2
    while head[start : start + 1] == b"\xff":
        marker, length, _, height, width = struct.unpack_from(">BHBHH", head, start + 1)
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return width, height
        start += 2 + max(2, length)
    return 0, 0
