"""Files in a tar that are a run each: documents, zips."""

from __future__ import annotations

import io
import os
import struct
from typing import IO, Any

from oh_tui.text.human import size
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem
from oh_tui.trajectory.formats.atif_file import read_files
from oh_tui.trajectory.formats.document import Converted
from oh_tui.trajectory.formats.documents import read_document
from oh_tui.trajectory.formats.folders import Folder
from oh_tui.trajectory.formats.foreign.documents import ATIF
from oh_tui.trajectory.formats.held_run import HeldRun
from oh_tui.trajectory.formats.lines import json_lines
from oh_tui.trajectory.formats.parquet import ParquetRuns
from oh_tui.trajectory.formats.run_file import HEAD, FormatProblem, RunFile
from oh_tui.trajectory.formats.streams import Stream, unpacked
from oh_tui.trajectory.formats.tar.tar_runs import HELD
from oh_tui.trajectory.formats.zip.archive import open_archive
from oh_tui.trajectory.formats.zip.zip_layout import may_be_run

_ENDING = pattern(
    r"(?:\.(?:traj|trajectory))?\.(?:json|traj|zip|tar|tgz|jsonl)(?:\.(?:gz|xz|zst))?$"
)

_COMMON = frozenset({"agent", "output", "run", "traj", "trajectory", ""})
"""Names that tell nothing of a run."""


def title_of(file: str) -> str:
    """The part of a path that tells runs apart: `acme-1` of `acme-1/trajectory.json`."""
    parts = _ENDING.sub("", file).split("/")
    return next((part for part in reversed(parts) if part not in _COMMON), file)


def open_document(folder: Folder, file: str, where: str) -> RunFile:
    """A run as one JSON text, with the files that continue it. Raises Problem."""
    try:
        stream = unpacked(folder.open(file))
        text = stream.read(0, json_lines.LARGEST + 1)
        if len(text) > json_lines.LARGEST:
            most = size(json_lines.LARGEST)
            raise FormatProblem(f"{where} has more than {most} in one JSON text")
        converted = None
        if ATIF.may_be(text[:HEAD]):
            converted = _continued(folder, file)
        converted = converted or read_document(text, where)
    except OSError as error:
        raise FormatProblem(f"{where} cannot be read") from error
    if stream.problem:
        converted.notes.append(f"{where} {stream.problem}")
    return HeldRun(where, converted)


def _continued(folder: Folder, file: str) -> Converted | None:
    try:
        return read_files(folder, file).converted
    except (ValueError, Problem):
        return None


def is_zip_of_run(head: bytes) -> bool | None:
    """Whether a file that begins so is a zip of a run; None where only its end tells."""
    if head[:4] != b"PK\x03\x04" or len(head) < 30:
        return False
    (length,) = struct.unpack_from("<H", head, 26)
    name = head[30 : 30 + length].decode("utf-8", "replace")
    return may_be_run([name]) or None


def open_zip(stream: Stream, where: str) -> RunFile:
    """Raises Problem. In a packed tar the zip is held in memory, as its contents stand at its
    end."""
    return open_archive(_as_file(stream, where, "zips"), where)


def open_table(stream: Stream, where: str) -> ParquetRuns:
    """A Parquet file; in memory as a zip is. Raises Problem."""
    return ParquetRuns(where, _as_file(stream, where, "Parquet files"))


def _as_file(stream: Stream, where: str, what: str) -> IO[bytes]:
    if stream.reads_anywhere:
        return io.BufferedReader(StreamFile(stream))
    if stream.packed_size > HELD:
        raise FormatProblem(
            f"{where} has {size(stream.packed_size)}: {what} above {size(HELD)} in a packed tar"
            " are not opened",
            "unpack the tar",
        )
    return io.BytesIO(stream.read(0, stream.packed_size))


class StreamFile(io.RawIOBase):
    """A stream as a file object."""

    def __init__(self, stream: Stream) -> None:
        self._stream, self._place = stream, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._stream.packed_size}
        place = start[whence] + offset
        if place < 0:
            raise OSError("before the beginning")
        self._place = place
        return place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(self._place, len(buffer))
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)
