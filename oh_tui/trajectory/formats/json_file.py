"""A run as a JSON file of its own, plain or compressed."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from oh_tui.text.human import size
from oh_tui.trajectory.formats.documents import may_be_run, read_document
from oh_tui.trajectory.formats.held_run import HeldRun, OneHeldRun
from oh_tui.trajectory.formats.lines.json_lines import LARGEST
from oh_tui.trajectory.formats.run_file import (
    Format,
    FormatProblem,
    Indexes,
    RunList,
    shown_name,
)
from oh_tui.trajectory.formats.streams import open_stream


def _is_json(head: bytes, name: str) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[") and may_be_run(head)


def _open(path: Path, indexes: Indexes | None) -> RunList:
    """Reads the file at once. Raises OSError and FormatProblem."""
    return OneHeldRun(partial(_read, path))


def _read(path: Path) -> HeldRun:
    name = shown_name(path.name)
    stream = open_stream(path)
    try:
        text = stream.read(0, LARGEST + 1)
    finally:
        stream.close()
    if len(text) > LARGEST:
        raise FormatProblem(f"{name} has more than {size(LARGEST)} in one JSON text")
    return HeldRun(name, read_document(text, name))


FORMAT = Format("JSON file", _is_json, _open)
