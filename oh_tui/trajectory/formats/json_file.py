"""A run as a JSON file of its own, plain or compressed."""

from __future__ import annotations

from functools import partial

from oh_tui.text.human import size
from oh_tui.trajectory.formats.converted_run import ConvertedRun, OneHeldRun
from oh_tui.trajectory.formats.document import Converted
from oh_tui.trajectory.formats.documents import may_be_run, read_document
from oh_tui.trajectory.formats.lines.json_lines import LARGEST
from oh_tui.trajectory.formats.plain_file import start_of
from oh_tui.trajectory.formats.run_file import Format, FormatProblem, Source


def _is_json(head: bytes, name: str) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[") and may_be_run(head)


def read(source: Source) -> ConvertedRun:
    name = source.name
    text = start_of(source.path, LARGEST + 1)
    if len(text) > LARGEST:
        raise FormatProblem(f"{name} has more than {size(LARGEST)} in one JSON text")
    return held(source, read_document(text, name))


def held(source: Source, converted: Converted) -> ConvertedRun:
    if source.about.problem:
        converted.notes.append(f"{source.name} {source.about.problem}")
    return ConvertedRun(source.name, converted)


FORMAT = Format("JSON file", _is_json, lambda source: OneHeldRun(partial(read, source)))
