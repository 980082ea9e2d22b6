"""A plain or compressed file: once through in pieces, and any part of what it unpacks to."""

from __future__ import annotations

import importlib
import os
import threading
import zlib
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from oh_tui.text.human import size
from oh_tui.trajectory.formats.file_pool import PooledFile
from oh_tui.trajectory.formats.run_file import FormatProblem
from oh_tui.trajectory.formats.zip.zip_table import RATIO_FREE, RATIO_LIMIT

PIECE = 2**18
"""Bytes that are read or unpacked at once."""

_PACKED_PIECE = 2**15
"""Packed bytes that are read at once: each place below keeps so many."""

_EVERY, _MOST_STOPS = 2**24, 250
"""Unpacking can begin again at places so many unpacked bytes apart; the most places that are kept,
of 80 kB each."""


class Stream(ABC):
    """A file that is open for reading; several threads may read at once."""

    packed_size: int
    """Bytes of it as it stands on disk."""

    def __init__(self) -> None:
        self.problem = ""
        """Why the file ends where it does, once it was read to the end; "" for its proper end."""

    @abstractmethod
    def pieces(self) -> Iterator[bytes]:
        """The whole content, in order."""

    @abstractmethod
    def read(self, start: int, count: int) -> bytes:
        """Part of the content; shorter at its end."""

    @property
    @abstractmethod
    def reads_anywhere(self) -> bool:
        """Whether a part is read at the same cost wherever it is."""

    @property
    @abstractmethod
    def is_closed(self) -> bool: ...

    @abstractmethod
    def close(self) -> None:
        """What is read afterwards is empty."""


class PlainStream(Stream):
    reads_anywhere = True

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        super().__init__()
        self._file = PooledFile(path)
        self._lock = threading.Lock()
        """Held while the file is used, and to close it."""
        self.packed_size = os.fstat(self._file.use().fileno()).st_size

    def pieces(self) -> Iterator[bytes]:
        return pieces_from(self)

    def read(self, start: int, count: int) -> bytes:
        parts: list[bytes] = []
        while count and (part := self._read(start, count)):
            if len(part) == count and not parts:
                return part
            parts.append(part)
            start, count = start + len(part), count - len(part)
        return b"".join(parts)

    def is_at(self, path: Path) -> bool:
        """Whether it is the file that is at this path now. Raises OSError."""
        return not self.is_closed and self._file.is_at(path)

    @property
    def is_closed(self) -> bool:
        return self._file.is_closed

    def close(self) -> None:
        with self._lock:
            self._file.close()

    def _read(self, start: int, count: int) -> bytes:
        with self._lock:
            try:
                file = self._file.use()
            except (OSError, ValueError):  # it is gone, or was closed
                return b""
            return os.pread(file.fileno(), count, start)


class PartStream(Stream):
    """A part of another stream, which stays open when this one is closed."""

    def __init__(self, whole: Stream, start: int, size: int) -> None:
        super().__init__()
        self._whole, self._start = whole, start
        self.packed_size = size
        self._closed = False

    @property
    def reads_anywhere(self) -> bool:
        return self._whole.reads_anywhere

    @property
    def is_closed(self) -> bool:
        return self._closed or self._whole.is_closed

    def pieces(self) -> Iterator[bytes]:
        return pieces_from(self)

    def read(self, start: int, count: int) -> bytes:
        count = min(count, self.packed_size - start)
        if count <= 0 or self._closed:
            return b""
        return self._whole.read(self._start + start, count)

    def close(self) -> None:
        self._closed = True


class HeldStream(Stream):
    """A small file in memory."""

    reads_anywhere, is_closed = True, False

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._data = data
        self.packed_size = len(data)

    def pieces(self) -> Iterator[bytes]:
        return pieces_from(self)

    def read(self, start: int, count: int) -> bytes:
        return self._data[start : start + count]

    def close(self) -> None:
        """Nothing is open."""


def pieces_from(stream: Stream, start: int = 0) -> Iterator[bytes]:
    """What a stream has from a place on; of a plain file also what was added since it was
    opened."""
    while piece := stream.read(start, PIECE):
        start += len(piece)
        yield piece


class Packing(NamedTuple):
    """A way to compress a file."""

    name: str
    magic: bytes
    make: Callable[[], Any]
    """An object as `lzma.LZMADecompressor`. Raises FormatProblem where Python cannot."""


class PackedStream(Stream):
    """A compressed file. A part is read by unpacking from the last place before it at which that
    can begin: for gzip every 16 MB, for others the beginning or the part that was read last."""

    reads_anywhere = False

    def __init__(self, source: Stream, packing: Packing, most: int | None = None) -> None:
        """Takes ownership of the source. `most` bytes are unpacked, if that is less than the size
        allows."""
        super().__init__()
        self.source = source
        self._most = max(RATIO_FREE, RATIO_LIMIT * source.packed_size)
        self._most = self._most if most is None else min(most, self._most)
        self.reached = 0
        """How many bytes were unpacked, at most, from the beginning on."""
        self.packed_size = source.packed_size
        self._packing = packing
        self._lock = threading.Lock()
        self._stops: list[_Unpacker] = []
        self._every = _EVERY
        self._last: _Unpacker | None = None

    def pieces(self) -> Iterator[bytes]:
        unpacker = self._begin()
        while piece := unpacker.next():
            self._note(unpacker)
            yield piece
        self.problem = self.problem or unpacker.problem
        self.reached = max(self.reached, unpacker.place)

    def read(self, start: int, count: int) -> bytes:
        with self._lock:
            unpacker = self._last = self._nearest(start)
            found = bytearray()
            while unpacker.place <= start and unpacker.next():
                self._note(unpacker)
            piece = unpacker.piece[max(0, len(unpacker.piece) - (unpacker.place - start)) :]
            while piece and len(found) < count:
                found += piece
                piece = unpacker.next() if len(found) < count else b""
            self.problem = self.problem or unpacker.problem
            self.reached = max(self.reached, unpacker.place)
            return bytes(found[:count])

    @property
    def is_closed(self) -> bool:
        return self.source.is_closed

    def close(self) -> None:
        self.source.close()

    def _note(self, unpacker: _Unpacker) -> None:
        """Keeps the place as one at which unpacking can begin."""
        stops = self._stops
        if unpacker.place >= (stops[-1].place if stops else 0) + self._every:
            if copy := unpacker.copy():
                stops.append(copy)
            if len(stops) > _MOST_STOPS:
                del stops[::2]
                self._every *= 2

    def _nearest(self, start: int) -> _Unpacker:
        stops, last = self._stops, self._last
        index = bisect_right(stops, start, key=lambda stop: stop.place)
        stop = stops[index - 1] if index else None
        if last and last.begin <= start and (stop is None or stop.place <= last.place):
            return last
        return (stop and stop.copy()) or self._begin()

    def _begin(self) -> _Unpacker:
        return _Unpacker(self.source, self._packing, self._most)


class _Unpacker:
    """Unpacks a file from some place on."""

    def __init__(self, source: Stream, packing: Packing, most: int) -> None:
        self._source, self._packing, self._most = source, packing, most
        self._inner = packing.make()
        self._input = b""
        self._at = 0
        """Where in the file the next input is."""
        self._is_done = False
        self.place = 0
        """Unpacked bytes so far."""
        self.piece = b""
        """The last of them."""
        self.problem = ""

    @property
    def begin(self) -> int:
        """Where `piece` begins."""
        return self.place - len(self.piece)

    def copy(self) -> _Unpacker | None:
        """Another one at this place; None where that cannot be."""
        if not hasattr(self._inner, "copy"):  # also between two members
            return None
        other = _Unpacker.__new__(_Unpacker)
        vars(other).update(vars(self), _inner=self._inner.copy(), piece=b"")
        return other

    def next(self) -> bytes:
        """The next piece; b"" at the end."""
        self.piece = b""
        while not self._is_done and not self.piece:
            self._unpack()
        self.place += len(self.piece)
        if self.place > self._most:
            self._end(f"unpacks from so little to more than {size(self._most)}, like a bomb")
        return self.piece

    def _unpack(self) -> None:
        if self._inner is not None and self._inner.eof:
            self._input, self._inner = self._inner.unused_data or b"", None
        if self._inner is None:
            self._next_member()
            return
        if self._inner.needs_input and not self._input:
            self._fill()
            if not self._input:
                self._end("is cut off: the end of the packed data is missing")
                return
        try:
            self.piece = self._inner.decompress(self._input, PIECE)
        except Exception as error:  # each module has an error of its own
            if isinstance(error, MemoryError):
                raise
            self._end("is damaged: what follows cannot be unpacked")
        self._input = b""

    def _next_member(self) -> None:
        """Goes on with packed data that was appended, as `cat a.gz b.gz` does, if need be after the
        zeros with which tapes are filled up."""
        magic = self._packing.magic
        self._input = self._input.lstrip(b"\0")
        if len(self._input) < len(magic):
            before = len(self._input)
            self._fill()
            if len(self._input) > before:
                return
        if self._input.startswith(magic):
            self._inner = self._packing.make()
        else:
            self._end("has something else after its end" if self._input else "")

    def _fill(self) -> None:
        data = self._source.read(self._at, _PACKED_PIECE)
        self._at += len(data)
        self._input += data

    def _end(self, problem: str) -> None:
        self._is_done, self.problem, self._input = True, problem, b""


class _Gunzip:
    """zlib with the interface of `lzma.LZMADecompressor`."""

    def __init__(self, inner: Any = None) -> None:
        self._inner = inner or zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._tail = b""
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return bool(self._inner.eof)

    @property
    def unused_data(self) -> bytes:
        return bytes(self._inner.unused_data)

    def decompress(self, data: bytes, most: int) -> bytes:
        found: bytes = self._inner.decompress(self._tail + data, most)
        self._tail = self._inner.unconsumed_tail
        self.needs_input = not self._tail and len(found) < most
        return found

    def copy(self) -> _Gunzip:
        other = _Gunzip(self._inner.copy())
        other._tail, other.needs_input = self._tail, self.needs_input
        return other


def _unxz() -> Any:
    return importlib.import_module("lzma").LZMADecompressor()


def _unzstd() -> Any:
    """Python 3.14 can; before, the module that brings it to older versions."""
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(name).ZstdDecompressor()
        except ImportError:
            continue
    raise FormatProblem(
        "This Python cannot unpack .zst files",
        "use Python 3.14, or: pip install backports.zstd; or unpack the file: zstd -d FILE",
    )


PACKINGS = (
    Packing("gzip", b"\x1f\x8b", _Gunzip),
    Packing("xz", b"\xfd7zXZ\0", _unxz),
    Packing("zstd", b"\x28\xb5\x2f\xfd", _unzstd),
)


def open_stream(path: Path) -> Stream:
    """Opens a file by how it begins. Raises OSError, and FormatProblem for a packing that this
    Python lacks."""
    return unpacked(PlainStream(path))


def unpacked(source: Stream, most: int | None = None) -> Stream:
    """The content of a stream by how it begins, `most` bytes of it if it is packed; takes
    ownership. Raises as `open_stream`, and closes the source then."""
    try:
        head = source.read(0, 8)
        packing = next((one for one in PACKINGS if head.startswith(one.magic)), None)
        if packing is None:
            return source
        packing.make()
        return PackedStream(source, packing, most)
    except BaseException:
        source.close()
        raise
