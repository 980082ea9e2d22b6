"""The files in a tar, plain or packed: found in one pass, with bounds on all that it declares.

`tarfile` reads headers of any size into memory and keeps an object for each file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from oh_tui.text.human import are, plural
from oh_tui.trajectory.formats.run_file import MOST, shown_name
from oh_tui.trajectory.formats.streams import PIECE, Stream

BLOCK = 512

MEMBERS_LIMIT = 1_000_000
"""Most files of a tar; an evaluation of 500 instances has 150,000."""

LONGEST_HEADER, LONGEST_NAME = 2**20, 4096
"""Bytes of an extended header and of a name that are read."""

_LARGEST = 2**60
"""Most bytes that a file may claim to have; no offset in the tar overflows."""

_PADDING = 2**20
"""Bytes after the end mark that are looked at in a plain tar."""

_FILES, _FOLDER = b"0\0" + b"7", b"5"
_LEFT_OUT = {
    b"1": "link", b"2": "link", b"3": "device", b"4": "device", b"6": "pipe", b"S": "sparse file",
}  # fmt: skip
_EXTENDED, _SHARED, _LONG_NAME, _LONG_LINK = b"x", b"g", b"L", b"K"

Read = Callable[[int, int], bytes]
"""A part of the content by start and count; shorter at the end."""


class Member(NamedTuple):
    """A file in a tar."""

    name: str
    start: int
    size: int


class TarTable:
    """Finds the files; `problems` grows while it does."""

    def __init__(self) -> None:
        self.is_cut = False
        """The end mark is missing."""
        self._read: Read | None = None
        self._broken: list[str] = []
        self._left_out: dict[str, list[str]] = {}
        self._counts: dict[str, int] = {}

    @property
    def problems(self) -> list[str]:
        """Each worded to follow the name of the file: "holds 2 links, which are not read"."""
        told = []
        for kind, names in self._left_out.items():
            count = self._counts[kind]
            more = ", ..." if count > len(names) else ""
            some = ", ".join(map(shown_name, names))
            told.append(f"holds {plural(count, kind)}, which {are(count)} not read: {some}{more}")
        return told + self._broken

    def head(self, member: Member, most: int) -> bytes:
        """The first bytes of the file that `read` gave last, which costs no pass of its own."""
        return self._read(member.start, min(most, member.size)) if self._read else b""

    def read(self, stream: Stream) -> Iterator[Member]:
        """Gives each file as it is found; a plain tar is read by its headers alone."""
        read: Read = stream.read if stream.reads_anywhere else _Forward(stream)
        self._read = read
        place = count = 0
        told: dict[str, bytes] = {}
        while True:
            block = read(place, BLOCK)
            if len(block) < BLOCK or not any(block):
                self._end(stream, read, place, block)
                return
            size = _number(block[124:136])
            if size is None or size > _LARGEST or not is_header(block):
                self._broken.append(f"is damaged at byte {place:,}: what follows is not listed")
                return
            kind, start = block[156:157], place + BLOCK
            if kind in (_EXTENDED, _SHARED, _LONG_NAME, _LONG_LINK):
                told |= self._told(kind, read, start, size)
            else:
                longer = _decimal(told.get("size", b""))
                size = size if longer is None else longer
                count += 1
                if count > MEMBERS_LIMIT:
                    self._broken.append(f"holds more than {MEMBERS_LIMIT:,} files")
                    return
                encoded = told.get("path", b"") or _name(block)
                if name := self._accepted(kind, encoded, "sparse" in told):
                    yield Member(name, start, size)
                told = {}
            place = start + -(-size // BLOCK) * BLOCK

    def _accepted(self, kind: bytes, encoded: bytes, is_sparse: bool) -> str:
        """The name of a file that is listed; "" for anything else."""
        name = encoded.decode("utf-8", "surrogateescape")
        if kind == _FOLDER or (kind == b"\0" and name.endswith("/")):
            return ""
        parts = [part for part in name.split("/") if part not in ("", ".")]
        why = ""
        if is_sparse or kind not in _FILES:
            why = "sparse file" if is_sparse else _LEFT_OUT.get(kind, "odd file")
        elif name.startswith("/"):
            why = "absolute name"
        elif ".." in parts:
            why = "escaping name"
        elif not parts or len(encoded) > LONGEST_NAME:
            why = "unusable name"
        if why:
            self._leave_out(why, name)
            return ""
        return "/".join(parts)

    def _leave_out(self, why: str, name: str) -> None:
        names = self._left_out.setdefault(why, [])
        self._counts[why] = self._counts.get(why, 0) + 1
        if len(names) < MOST:
            names.append(name)

    def _told(self, kind: bytes, read: Read, start: int, size: int) -> dict[str, bytes]:
        """What a header before a file tells of it."""
        if kind in (_SHARED, _LONG_LINK):
            return {}  # nothing that is needed
        if size > LONGEST_HEADER:
            self._leave_out("oversized header", f"at byte {start - BLOCK:,}")
            return {}
        data = read(start, size)
        if kind == _LONG_NAME:
            return {"path": data.rstrip(b"\0")}
        found = _records(data)
        if found is None:
            self._leave_out("damaged header", f"at byte {start - BLOCK:,}")
            return {}
        return found

    def _end(self, stream: Stream, read: Read, place: int, block: bytes) -> None:
        if len(block) < BLOCK:
            self.is_cut = True
            if place == 0:
                self._broken.append("is no tar")
            elif not stream.problem:
                self._broken.append("has no end mark: it may be cut off")
            return
        last = place + _PADDING if stream.reads_anywhere else float("inf")
        while place < last and (piece := read(place, PIECE)):
            if any(piece) and piece.strip(b"\0"):
                self._broken.append(f"has something else after its end, at byte {place:,} or later")
                return
            place += len(piece)


class _Forward:
    """Reads a packed stream once, forward."""

    def __init__(self, stream: Stream) -> None:
        self._pieces = stream.pieces()
        self._piece, self._begin = b"", 0

    def __call__(self, start: int, count: int) -> bytes:
        found = self._part(start, count)
        while len(found) < count and self._next():
            found += self._part(start + len(found), count - len(found))
        return found

    def _part(self, start: int, count: int) -> bytes:
        offset = start - self._begin
        return self._piece[offset : offset + count]

    def _next(self) -> bool:
        self._begin += len(self._piece)
        self._piece = next(self._pieces, b"")
        return bool(self._piece)


def is_header(block: bytes) -> bool:
    """Whether this is the header of a file in a tar, by its checksum."""
    if len(block) < BLOCK:
        return False
    told = _number(block[148:156])
    return told == sum(block[:148]) + 8 * 32 + sum(block[156:BLOCK]) and any(block[:100])


def _number(text: bytes) -> int | None:
    """A number in octal digits, or in base 256 as GNU writes large ones."""
    if text[:1] == b"\x80":
        return int.from_bytes(text[1:], "big")
    digits = text.replace(b"\0", b" ").strip()
    if not digits:
        return 0
    return int(digits, 8) if digits.isdigit() and not set(digits) & set(b"89") else None


def _decimal(text: bytes) -> int | None:
    return int(text) if text.isdigit() and len(text) < 19 else None


def _name(block: bytes) -> bytes:
    name = block[:100].partition(b"\0")[0]
    prefix = block[345:500].partition(b"\0")[0] if block[257:263] == b"ustar\0" else b""
    return prefix + b"/" + name if prefix else name


def _records(data: bytes) -> dict[str, bytes] | None:
    """The records of an extended header that are needed; None if it is damaged."""
    found: dict[str, bytes] = {}
    place = 0
    while place < len(data) and data[place]:
        space = data.find(b" ", place, place + 10)
        length = _decimal(data[place:space]) if space > 0 else None
        if not length or length <= space - place or place + length > len(data):
            return None
        key, equals, value = data[space + 1 : place + length].partition(b"=")
        if not equals or value[-1:] != b"\n":
            return None
        if key in (b"path", b"size"):
            found[key.decode()] = value[:-1]
        elif key.startswith(b"GNU.sparse"):
            found["sparse"] = b""
        place += length
    return found
