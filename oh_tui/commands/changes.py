"""`oh-tui changes`: which files a run changed, and by how much."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from oh_tui.commands import MakeSource
from oh_tui.commands.reading import chosen, name, read_run, whole
from oh_tui.problem import Problem
from oh_tui.sources import Loaded, Source
from oh_tui.trajectory.changes import ChangeLog, FileChange, rows
from oh_tui.trajectory.changes import changes as changes_of

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation

Git = list[tuple[str, str]]
"""A letter and a path for each file."""


def changes(make_source: MakeSource, identifier: str, *, as_json: bool) -> int:
    """Prints what the run with this id changed, or the only one of the source; returns 0."""
    return asyncio.run(_changes(make_source, identifier, as_json=as_json))


async def _changes(make_source: MakeSource, identifier: str, *, as_json: bool) -> int:
    source = make_source()
    try:
        conversation = await chosen(source, identifier)
        loaded = await read_run(source, conversation)
        log = changes_of(whole(loaded))
        git = await _git(source, conversation)
        if as_json:
            if _is_damaged(loaded):
                print(f"oh-tui: {loaded.note}", file=sys.stderr)
            print(json.dumps(report(log, git), indent=2))
        else:
            print(name(conversation))
            if loaded.note:
                print(f"note: {loaded.note}")
            print("\n".join(_lines(log, git)))
    finally:
        await source.close()
    return 0


async def _git(source: Source, conversation: Conversation) -> Git | None:
    """What git says in a sandbox that runs; without an answer the run's own list is enough."""
    try:
        found = await source.git_changes(conversation)
    except Problem as problem:
        print(f"oh-tui: {problem.sentence}", file=sys.stderr)
        return None
    if found is None:
        return None
    return [(change.letter, change.path) for change in found]


def _is_damaged(loaded: Loaded) -> bool:
    return loaded.via == "file" and bool(loaded.note)


def report(log: ChangeLog, git: Git | None) -> dict[str, Any]:
    """What `--json` prints. `git` of a file is null when git could not be asked, "" when it lists
    no change of it; a file that only git knows has null for all that the run would tell."""
    return {
        "changed": log.changed,
        "added": log.added,
        "removed": log.removed,
        "files": [
            {"path": row.path, **_file(row.file), "git": row.git if git is not None else None}
            for row in rows(log, git)
        ],
        "only_read": [file.shown for file in log.only_read],
        "note": log.note,
    }


def _file(file: FileChange | None) -> dict[str, Any]:
    names = ("added", "removed", "created", "deleted", "whole", "last_step", "steps")
    if file is None:
        return dict.fromkeys(("reads", "edits", *names))
    return {
        "reads": len(file.reads),
        "edits": len(file.edits),
        **{name: getattr(file, name) for name in names},
    }


def _lines(log: ChangeLog, git: Git | None) -> Iterator[str]:
    """The list for people: a line a file, columns as wide as they need to be."""
    yield f"{log.headline}; {log.note}" if log.changed else log.why_nothing
    if git == [] and log.changed:
        yield "git lists no change: all was pushed, or there is no repository"
    table = [["path", "reads", "edits", "+", "-", "last step", "git" if git else "", ""]]
    found = rows(log, git)
    for row in found:
        cells = ["", "", "", "", ""]
        if file := row.file:
            numbers = (len(file.reads), len(file.edits), file.added, file.removed, file.last_step)
            cells = [f"{number:,}" if number else "" for number in numbers]
        table.append([row.path, *cells, row.git, row.remark(git is not None)])
    if found:
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        for path, *cells, letter, remark in table:
            line = [f"{path:<{widths[0]}}"]
            line += [f"{cell:>{w}}" for cell, w in zip(cells, widths[1:-2], strict=True)]
            line += [f"{letter:<{widths[-2]}}"] if widths[-2] else []
            yield "  ".join([*line, remark]).rstrip()
    if any(row.file and not row.file.whole for row in found):
        yield "pieces: the file is not known whole, + and - are the sum of its edits"
