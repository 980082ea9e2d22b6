"""Tools over the files that a run changed."""

from __future__ import annotations

from functools import partial

from oh_tui.commands.changed_files import changes_at
from oh_tui.commands.changed_files.blame import report as blame_report
from oh_tui.commands.changed_files.changes import changed_by
from oh_tui.commands.changed_files.states import point_in_time
from oh_tui.commands.framework.listening import in_background
from oh_tui.commands.mcp import arguments
from oh_tui.commands.mcp.answers import Found, Rows
from oh_tui.commands.mcp.of_run import word
from oh_tui.commands.mcp.session import Session
from oh_tui.trajectory.files.at_step import files_then, text_of
from oh_tui.trajectory.files.blame import blame as blame_lines
from oh_tui.trajectory.files.history import Files


async def changes(session: Session, asked: arguments.Changes) -> Found:
    read = await session.read(asked.run, asked.branch)
    if asked.step is None:
        changed = await changed_by(read.call.source, read.conversation, read.study)
        head = changed.document()
    else:
        head = await in_background(partial(_changes_at, read.study.files, word(asked.step)))
    rows = head.pop("files")
    return Found(
        head, Rows(("files",), rows, lambda row: str(row["path"]), lambda row: {"files": row})
    )


def _changes_at(files: Files, step: str) -> dict[str, object]:
    return changes_at.report(step, list(files_then(files.files, point_in_time(files, step))))


async def file_at(session: Session, asked: arguments.FileAt) -> Found:
    read = await session.read(asked.run, asked.branch)
    return await in_background(partial(_file_at, read.study.files, asked))


def _file_at(files: Files, asked: arguments.FileAt) -> Found:
    file = files.named(asked.path)
    state = file.at(point_in_time(files, word(asked.step)))
    text = text_of(state)
    head = {
        "path": file.shown,
        "at": word(asked.step) or None,
        "exists": state.exists,
        "certain": state.certain,
        "state": state.words,
        "known": text is not None,
    }
    return Found(head, text=text or "")


async def blame(session: Session, asked: arguments.Blame) -> Found:
    read = await session.read(asked.run, asked.branch)
    return await in_background(partial(_blame, read.study.files, asked))


def _blame(files: Files, asked: arguments.Blame) -> Found:
    file, at = files.named(asked.path), word(asked.step)
    found = blame_lines(files, file, file.at(point_in_time(files, at)))
    head = blame_report(file, at, found)
    rows = head.pop("lines")
    return Found(
        head,
        Rows(
            ("lines",),
            rows,
            lambda row: f"{row['line']} {row['text']}",
            lambda row: {"lines": row},
        ),
    )
