"""Unpacks a file or a tar into a folder. Limits of size, ratio, names, members and free disk are
checked here and nowhere else."""

from __future__ import annotations

import bz2
import errno
import gzip
import importlib
import lzma
import os
import shutil
import tarfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from oh_tui.text.human import are, plural, size
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

Watch = Callable[[int, int, int], None]
"""Called with bytes read, size, and bytes written. Ends the unpacking by raising."""


class Packing(NamedTuple):
    """A compression format."""

    magic: bytes
    open: Callable[[IO[bytes]], Any]
    """Raises FormatProblem if this Python lacks it."""


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


PACKINGS = (  # each module is loaded when used
    Packing(b"\x1f\x8b", lambda file: gzip.GzipFile(fileobj=file)),
    Packing(b"\xfd7zXZ\0", lambda file: lzma.LZMAFile(file)),  # noqa: SIM115
    Packing(b"BZh", lambda file: bz2.BZ2File(file)),
    Packing(b"\x28\xb5\x2f\xfd", _open_zstd),
)


class NoRoom(FormatProblem):
    """It does not fit on the disk."""

    def __init__(self, folder: Path) -> None:
        free = shutil.disk_usage(folder).free
        super().__init__(
            f"has no room to be unpacked: {size(free)} of the disk are free",
            "unpack it yourself where there is room (tar xf FILE -C FOLDER, gunzip -k FILE)"
            " and give that, or name a folder with room in OH_TUI_UNPACK",
        )


class Stream:
    """The unpacked content of a file, read once and forward. A file object for `tarfile`."""

    def __init__(self, path: Path, room: int | None = None) -> None:
        """A packed file gives at most `room` bytes. Raises OSError, and FormatProblem if this
        Python lacks the compression."""
        # opening a pipe would block
        self._file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb")
        self.size = os.fstat(self._file.fileno()).st_size
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
            head = self._file.read(8)
            self._file.seek(0)
            packing = next((one for one in PACKINGS if head.startswith(one.magic)), None)
            self._inner = packing.open(self._file) if packing else None
        except BaseException:
            self._file.close()
            raise

    @property
    def is_packed(self) -> bool:
        return self._inner is not None

    @property
    def left(self) -> int:
        """Most bytes that can follow, whatever a header claims."""
        return self.most - self.given if self.is_packed else self.size - self.place

    @property
    def packed_place(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()

    def peek(self, count: int) -> bytes:
        """The next bytes, without consuming them."""
        while len(self._piece) - self._at < count and (more := self._next()):
            self._piece, self._at = self._piece[self._at :] + more, 0
        return self._piece[self._at : self._at + count]

    def pieces(self, count: int | None = None) -> Iterator[bytes]:
        """The next `count` bytes, or all that follow."""
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
        if self._inner is None:
            return self._file.read(PIECE)
        if self.problem:
            return b""
        try:
            piece: bytes = self._inner.read1(PIECE)
        except EOFError:
            return self._end("is cut off: the end of the packed data is missing")
        except MemoryError:
            raise
        except Exception as error:  # each module has its own exception
            if self.given and str(error).startswith("Not a gzipped file"):
                return self._end("has something else after its end")
            return self._end("is damaged, and what stands near the damage may be wrong")
        self.given += len(piece)
        if self.given > self.most:
            return self._end(f"unpacks from so little to more than {size(self.most)}, like a bomb")
        return piece

    def _end(self, problem: str) -> bytes:
        self.problem = problem
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
        if self._inner is None and place > self.place + len(self._piece) - self._at:
            self._file.seek(place)
            self.place, self._piece, self._at = place, b"", 0
            return
        for _ in self.pieces(place - self.place):
            pass


def is_archive(path: Path) -> bool:
    """Whether a file is packed or a tar. Raises OSError."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        head = file.read(BLOCK)
    return any(head.startswith(one.magic) for one in PACKINGS) or is_tar(head)


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
    stream = Stream(path)
    try:
        head = stream.peek(count)
    finally:
        stream.close()
    if not head and stream.problem:
        raise FormatProblem(f"{short_name(path.name)} {stream.problem}")
    return head


_KINDS = {b"1": "link", b"2": "link", b"3": "device", b"4": "device", b"6": "pipe"}


class Unpacking:
    """Unpacks one file into a folder."""

    def __init__(
        self, stream: Stream, folder: Path, watch: Watch, check: Callable[[bytes], None]
    ) -> None:
        """`check` gets all bytes that are kept. It ends the unpacking by raising."""
        self._stream, self._folder = stream, folder
        self._check = check
        self._size = self._unseen = 0
        """Bytes written, and those since the last look at the free disk."""
        self._made = {folder}
        self._left_out: dict[str, list[str]] = {}
        self._ends: list[str] = []
        """What is wrong with the end of the tar."""
        self._is_cut, self._partial = False, ""
        stream.watch = lambda: watch(stream.packed_place, stream.size, self._size)

    def run(self, name: str, is_wanted: Callable[[str], bool]) -> Unpacked:
        """Unpacks a file under this name, or the wanted files of a tar. Raises OSError and
        NoRoom."""
        self._require(0)
        try:
            return self._run(name, is_wanted)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise NoRoom(self._folder) from error
            raise

    def _run(self, name: str, is_wanted: Callable[[str], bool]) -> Unpacked:
        begin = self._stream.peek(BLOCK)
        if is_tar(begin) or archive.is_zip(begin):
            names = (self._files if is_tar(begin) else self._files_of_zip)(is_wanted)
            left_out = [
                f"holds {plural(len(all), kind)}, which {are(len(all))} not read: {some(all)}"
                for kind, all in self._left_out.items()
            ]
            problems = left_out + self._ends
        else:
            names, problems = None, []
            self._copy(self._folder / name)
        return Unpacked(
            self._size, self._stream.problem, names, problems, self._is_cut, self._partial
        )

    def _require(self, count: int) -> None:
        if shutil.disk_usage(self._folder).free < count + SPARE:
            raise NoRoom(self._folder)

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
                self._check(tail + piece)
                written, tail = written + len(piece), piece[-LONGEST_NAME:]
                self._size += len(piece)
                self._unseen += len(piece)
                if self._unseen > SEEN:
                    self._unseen = 0
                    self._require(0)
        return written

    def _files(self, is_wanted: Callable[[str], bool]) -> list[str]:
        stream, names, fails = self._stream, dict[str, None](), False
        try:
            for number, member in enumerate(self._members()):
                if number == MEMBERS_LIMIT:
                    self._ends.append(f"holds more than {MEMBERS_LIMIT:,} files")
                    return list(names)
                name = "" if member.isdir() else self._accepted(member)
                if not (name and is_wanted(name) and self._makes_folder(name)):
                    continue
                names[name] = None
                if self._copy(self._folder / name, member.size) < member.size:
                    stream.block, self._partial = b"", name
                    break
        except (tarfile.TarError, ValueError, OverflowError, RecursionError):
            fails = True
        self._tell_end(fails)
        return list(names)

    def _files_of_zip(self, is_wanted: Callable[[str], bool]) -> list[str]:
        """As `_files`. A file that cannot be read is left empty, so that it is missed. Raises
        FormatProblem."""
        found, failed, most = dict[str, None](), dict[str, list[str]](), self._stream.most
        with self._stream.path.open("rb") as file:
            members = archive.zip_members(file, self._stream.path.name)
            for index, member in enumerate(members.names):
                name = "" if member.endswith("/") else self._accepted_name(member)
                if not (name and is_wanted(name) and self._makes_folder(name)):
                    continue
                self._stream.watch()
                try:
                    data = members.read(index)
                except CannotRead as error:
                    failed.setdefault(str(error), []).append(name)
                    data = b""
                if self._size + len(data) > most:
                    self._ends.append(f"unpacks from so little to more than {size(most)}")
                    break
                found[name] = None
                self._put(self._folder / name, [data])
        self._is_cut = members.is_cut
        self._ends += [*(["is cut off"] if members.is_cut else []), *members.notes]
        self._ends += (f"has files that are {why}: {some(all)}" for why, all in failed.items())
        return list(found) if members.is_cut else sorted(found, key=lambda one: one.split("/"))

    def _members(self) -> Iterator[tarfile.TarInfo]:
        tar = tarfile.TarFile(fileobj=self._stream, encoding="utf-8")  # type: ignore[arg-type]
        while (member := tar.next()) is not None:
            yield member
            tar.members = []  # type: ignore[attr-defined]  # else each stays in memory
            self._stream.headers = LONGEST_HEADERS

    def _accepted(self, member: tarfile.TarInfo) -> str:
        """The name of a file to unpack; "" for anything else, which is reported."""
        if member.issparse() or not member.isreg():
            sparse = "sparse file" if member.issparse() else ""
            self._leave_out(sparse or _KINDS.get(member.type, "odd file"), member.name)
            return ""
        return self._accepted_name(member.name)

    def _accepted_name(self, name: str) -> str:
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if name.startswith("/"):
            kind = "absolute name"
        elif ".." in parts:
            kind = "escaping name"
        elif not parts or not _is_usable(name):
            kind = "unusable name"
        else:
            return "/".join(parts)
        self._leave_out(kind, name)
        return ""

    def _makes_folder(self, name: str) -> bool:
        """Whether a file of this name can be created: a file may be where its folder would be."""
        path = self._folder / name
        missing = []
        for folder in path.parents:
            if folder in self._made:
                break
            missing.append(folder)
        try:
            for folder in reversed(missing):
                folder.mkdir(mode=0o700, exist_ok=True)
                self._made.add(folder)
        except (FileExistsError, NotADirectoryError):
            missing = [path]
        if path in self._made or path in missing:
            self._leave_out("unusable name", name)
            return False
        return True

    def _leave_out(self, kind: str, name: str) -> None:
        names = self._left_out.setdefault(kind, [])
        names.append(name if len(names) < MOST else "")  # the others are only counted

    def _tell_end(self, fails: bool) -> None:
        """Says what is wrong with the end of the tar, by the block that was read last."""
        stream, problems = self._stream, self._ends
        if len(stream.block) < BLOCK:
            self._is_cut = True
            if not stream.problem:
                problems.append("has no end mark: it may be cut off")
        elif any(stream.block) or fails:
            place = stream.place - BLOCK
            problems.append(f"is damaged at byte {place:,}: what follows is not listed")
        else:
            place = stream.place
            for piece in stream.pieces(None if stream.is_packed else PADDING):
                if piece.strip(b"\0"):
                    told = f"has something else after its end, at byte {place:,} or later"
                    problems.append(told)
                    return
                place += len(piece)


def _is_usable(name: str) -> bool:
    encoded = name.encode("utf-8", "surrogateescape")
    longest = max(map(len, encoded.split(b"/")))
    return b"\0" not in encoded and len(encoded) <= LONGEST_NAME and longest <= LONGEST_PART
