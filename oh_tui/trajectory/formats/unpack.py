"""Unpacks a file or a tar into a folder. Limits of size, ratio, names, members and free disk are
checked here and nowhere else."""

from __future__ import annotations

import bz2
import contextlib
import errno
import gzip
import importlib
import lzma
import os
import shutil
import tarfile
from collections.abc import Callable, Iterable, Iterator
from itertools import takewhile
from pathlib import Path
from typing import IO, Any

from oh_tui.text.human import are, plural, size
from oh_tui.trajectory.formats.plain_file import start_of
from oh_tui.trajectory.formats.run_file import MOST, FormatProblem, Unpacked, short_name, some
from oh_tui.trajectory.formats.zip import archive
from oh_tui.trajectory.formats.zip.zip_members import CannotRead
from oh_tui.trajectory.formats.zip.zip_table import RATIO_FREE, RATIO_LIMIT

PIECE = 2**18
"""Bytes unpacked at once."""

SPARE, SEEN = 2**28, 2**26
"""Bytes of the disk that must stay free, and bytes written between two looks at it."""

MEMBERS_LIMIT = 1_000_000
"""Most files in a tar. An evaluation of 500 instances has 150,000."""

LONGEST_HEADERS, LONGEST_NAME, LONGEST_PART = 2**18, 4096, 255
"""Most bytes of all headers of one file, of a name, and of a part of a name."""

BLOCK = 512

PADDING = 2**20
"""Bytes after the end mark of a plain tar that are looked at."""


def _open_zstd(file: IO[bytes]) -> Any:
    """Python 3.14 has zstd built in; older versions use its backport."""
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(name).ZstdFile(file)
        except ImportError:
            continue
    raise FormatProblem(
        "This Python cannot unpack .zst files",
        "use Python 3.14, or: pip install backports.zstd; or unpack the file: zstd -d FILE",
    )


PACKINGS: dict[bytes, Callable[[IO[bytes]], Any]] = {  # each module is loaded when used
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"\xfd7zXZ\0": lambda file: lzma.LZMAFile(file),  # noqa: SIM115
    b"BZh": lambda file: bz2.BZ2File(file),
    b"\x28\xb5\x2f\xfd": _open_zstd,
}
"""How a packed file begins -> what opens it. Raises FormatProblem if this Python lacks it."""


class Stream:
    """The unpacked content of a file, read once and forward. A file object for `tarfile`."""

    def __init__(self, path: Path, room: int | None = None) -> None:
        """A packed file gives at most `room` bytes. Raises OSError, and FormatProblem if this
        Python lacks the compression."""
        # opening a pipe would block
        self.file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb")
        self.size = os.fstat(self.file.fileno()).st_size
        most = max(RATIO_FREE, RATIO_LIMIT * self.size)
        self.path = path
        self.most = most if room is None else min(most, room)
        """Bytes that it may unpack to."""
        self.place = self.given = 0
        self.problem = ""
        self._piece, self._at = b"", 0
        self.headers = LONGEST_HEADERS
        """Bytes that `tarfile` may still read for the headers of the next file."""
        self.block = b""
        """The block that `tarfile` read last."""
        self.watch: Callable[[], None] = lambda: None
        """Called for each piece. Ends the reading by raising."""
        try:
            head = self.file.read(8)
            self.file.seek(0)
            opener = next((PACKINGS[magic] for magic in PACKINGS if head.startswith(magic)), None)
            self.inner = opener(self.file) if opener else None
            """What unpacks it; None for a plain file."""
        except BaseException:
            self.file.close()
            raise

    @property
    def left(self) -> int:
        """Most bytes that can follow, whatever a header claims."""
        return self.size - self.place if self.inner is None else self.most - self.given

    def close(self) -> None:
        self.file.close()

    def peek(self, count: int) -> bytes:
        while len(self._piece) - self._at < count and (more := self._next()):
            self._piece, self._at = self._piece[self._at :] + more, 0
        return self._piece[self._at : self._at + count]

    def pieces(self, count: int | None = None) -> Iterator[bytes]:
        while count is None or count > 0:
            if self._at == len(self._piece):
                self._piece, self._at = self._next(), 0
                if not self._piece:
                    return
            end = len(self._piece) if count is None else self._at + count
            part = self._piece[self._at : end]
            self._at += len(part)
            self.place += len(part)
            count = None if count is None else count - len(part)
            yield part

    def _next(self) -> bytes:
        self.watch()
        if self.inner is None:
            return self.file.read(PIECE)
        if self.problem:
            return b""
        try:
            piece: bytes = self.inner.read1(PIECE)
        except EOFError:
            self.problem = "is cut off: the end of the packed data is missing"
        except MemoryError:
            raise
        except Exception as error:  # each module has its own exception
            self.problem = "is damaged, and what stands near the damage may be wrong"
            if self.given and str(error).startswith("Not a gzipped file"):
                self.problem = "has something else after its end"
        else:
            self.given += len(piece)
            if self.given <= self.most:
                return piece
            self.problem = f"unpacks from so little to more than {size(self.most)}, like a bomb"
        return b""

    # for tarfile

    def tell(self) -> int:
        return self.place

    def read(self, count: int) -> bytes:
        self.headers -= count
        if self.headers < 0:
            raise tarfile.ReadError("oversized header")
        self.block = b"".join(self.pieces(count))
        return self.block

    def seek(self, place: int) -> None:
        if place < self.place:
            raise tarfile.ReadError("a size below zero")
        if self.inner is None and place > self.place + len(self._piece) - self._at:
            self.file.seek(place)
            self.place, self._piece, self._at = place, b"", 0
            return
        for _ in self.pieces(place - self.place):
            pass


def is_archive(path: Path) -> bool:
    """Whether a file is packed or a tar. Raises OSError."""
    head = start_of(path, BLOCK)
    return head.startswith(tuple(PACKINGS)) or is_tar(head)


def is_tar(head: bytes) -> bool:
    """Whether a file that begins so is a tar, by the checksum of its first header."""
    block = head[:BLOCK]
    told = block[148:156].strip(b" \0")
    if len(block) < BLOCK or not any(block[:100]) or not told or told.strip(b"01234567"):
        return False
    return int(told, 8) == sum(block[:148]) + 8 * 32 + sum(block[156:])


def head_of(path: Path, count: int) -> bytes:
    """The first bytes of a file, unpacked. Raises OSError, and FormatProblem if it cannot be
    unpacked, also because this Python lacks the compression."""
    with contextlib.closing(Stream(path)) as stream:
        head = stream.peek(count)
    if not head and stream.problem:
        raise FormatProblem(f"{short_name(path.name)} {stream.problem}")
    return head


_KINDS = {b"1": "link", b"2": "link", b"3": "device", b"4": "device", b"6": "pipe"}


class Refused(Exception):
    """The unpacked data contains what must not be kept."""


class Unpacking:
    def __init__(
        self, stream: Stream, folder: Path, watch: Callable[[int, int, int], None],
        refuses: Callable[[bytes], bool], is_wanted: Callable[[str], bool],
    ) -> None:  # fmt: skip
        """`watch` gets bytes read, size, and bytes written, and ends the unpacking by raising.
        `refuses` gets all bytes that are kept. `is_wanted` chooses the files of a tar."""
        self._stream, self._folder = stream, folder
        self._refuses, self._is_wanted = refuses, is_wanted
        self._about = Unpacked()
        self._unseen = 0
        """Bytes written since the last look at the free disk."""
        self._made = {folder}
        self._left_out: dict[str, list[str]] = {}
        stream.watch = lambda: watch(stream.file.tell(), stream.size, self._about.size)

    def run(self, name: str) -> Unpacked:
        """Unpacks a file under this name, or the wanted files of a tar. Raises OSError, Refused
        and FormatProblem."""
        self._require(0)
        begin, about = self._stream.peek(BLOCK), self._about
        try:
            if is_tar(begin):
                about.names = self._files()
            elif archive.is_zip(begin):
                about.names = self._files_of_zip()
            else:
                self._copy(self._folder / name)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise self._no_room() from error
            raise
        about.problem = self._stream.problem
        about.problems[:0] = [
            f"holds {plural(len(all), kind)}, which {are(len(all))} not read: {some(all)}"
            for kind, all in self._left_out.items()
        ]
        return about

    def _require(self, count: int) -> None:
        if shutil.disk_usage(self._folder).free < count + SPARE:
            raise self._no_room()

    def _no_room(self) -> FormatProblem:
        free = size(shutil.disk_usage(self._folder).free)
        return FormatProblem(
            f"{short_name(self._stream.path.name)} has no room to be unpacked: {free} of the disk"
            " are free",
            "unpack it yourself where there is room (tar xf FILE -C FOLDER, gunzip -k FILE)"
            " and give that, or name a folder with room in OH_TUI_UNPACK",
        )

    def _copy(self, path: Path, count: int | None = None) -> int:
        """Writes the next bytes to a file and returns their number. Raises OSError."""
        if (needed := min(count or 0, self._stream.left)) > SEEN:
            self._require(needed)
        return self._put(path, self._stream.pieces(count))

    def _put(self, path: Path, pieces: Iterable[bytes]) -> int:
        written, tail = 0, b""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        with os.fdopen(os.open(path, flags, 0o600), "wb", 0) as out:
            for piece in pieces:
                out.write(piece)
                if self._refuses(tail + piece):
                    raise Refused
                written, tail = written + len(piece), piece[-LONGEST_NAME:]
                self._about.size += len(piece)
                self._unseen += len(piece)
                if self._unseen > SEEN:
                    self._unseen = 0
                    self._require(0)
        return written

    def _files(self) -> list[str]:
        stream, names, fails = self._stream, dict[str, None](), False
        try:
            tar = tarfile.TarFile(fileobj=stream, encoding="utf-8")  # type: ignore[arg-type]
            for number, member in enumerate(iter(tar.next, None)):
                tar.members = []  # type: ignore[attr-defined]  # else each stays in memory
                stream.headers = LONGEST_HEADERS
                if number == MEMBERS_LIMIT:
                    self._about.problems.append(f"holds more than {MEMBERS_LIMIT:,} files")
                    return list(names)
                odd = "" if member.isreg() else _KINDS.get(member.type, "odd file")
                odd = "sparse file" if member.issparse() else odd
                name = "" if member.isdir() else self._accepted(member.name, odd)
                if not name:
                    continue
                names[name] = None
                if self._copy(self._folder / name, member.size) < member.size:
                    stream.block, self._about.partial = b"", name
                    break
        except (tarfile.TarError, ValueError, OverflowError, RecursionError):
            fails = True
        self._tell_end(fails)
        return list(names)

    def _files_of_zip(self) -> list[str]:
        """As `_files`. A file that cannot be read is left empty, so that it is missed. Raises
        FormatProblem."""
        about, most = self._about, self._stream.most
        found, failed = dict[str, None](), dict[str, list[str]]()
        with self._stream.path.open("rb") as file:
            members = archive.zip_members(file, self._stream.path.name)
            for index, member in enumerate(members.names):
                name = "" if member.endswith("/") else self._accepted(member)
                if not name:
                    continue
                self._stream.watch()
                try:
                    data = members.read(index)
                except CannotRead as error:
                    failed.setdefault(str(error), []).append(name)
                    data = b""
                if about.size + len(data) > most:
                    about.problems.append(f"unpacks from so little to more than {size(most)}")
                    break
                found[name] = None
                self._put(self._folder / name, [data])
        about.is_cut = members.is_cut
        about.problems += [*(["is cut off"] if members.is_cut else []), *members.notes]
        about.problems += (f"has files that are {why}: {some(all)}" for why, all in failed.items())
        return list(found) if members.is_cut else sorted(found, key=lambda one: one.split("/"))

    def _accepted(self, name: str, odd: str = "") -> str:
        """The name under which a wanted file is unpacked; "" for anything else. What cannot be
        unpacked, as all that is `odd`, is reported."""
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if odd:
            kind = odd
        elif name.startswith("/"):
            kind = "absolute name"
        elif ".." in parts:
            kind = "escaping name"
        else:
            kind, encoded = "unusable name", name.encode("utf-8", "surrogateescape")
            is_short = max(map(len, encoded.split(b"/"))) <= LONGEST_PART
            if parts and is_short and len(encoded) <= LONGEST_NAME and b"\0" not in encoded:
                name = "/".join(parts)
                if not self._is_wanted(name):
                    return ""
                if self._makes_folder(name):
                    return name
        names = self._left_out.setdefault(kind, [])
        names.append(name if len(names) < MOST else "")  # the others are only counted
        return ""

    def _makes_folder(self, name: str) -> bool:
        """Whether a file of this name can be created: a file may be where its folder would be."""
        path = self._folder / name
        missing = list(takewhile(lambda folder: folder not in self._made, path.parents))
        try:
            for folder in reversed(missing):
                folder.mkdir(mode=0o700, exist_ok=True)
                self._made.add(folder)
        except (FileExistsError, NotADirectoryError):
            return False
        return path not in self._made

    def _tell_end(self, fails: bool) -> None:
        """Says what is wrong with the end of the tar, by the block that was read last."""
        stream, problems = self._stream, self._about.problems
        if len(stream.block) < BLOCK:
            self._about.is_cut = True
            if not stream.problem:
                problems.append("has no end mark: it may be cut off")
        elif any(stream.block) or fails:
            place = stream.place - BLOCK
            problems.append(f"is damaged at byte {place:,}: what follows is not listed")
        else:
            place = stream.place
            for piece in stream.pieces(PADDING if stream.inner is None else None):
                if piece.strip(b"\0"):
                    told = f"has something else after its end, at byte {place:,} or later"
                    problems.append(told)
                    return
                place += len(piece)
