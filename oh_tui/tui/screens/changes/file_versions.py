"""What is said and shown of a version of a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from oh_tui.text.human import plural
from oh_tui.text.redact import safe
from oh_tui.trajectory.changes.history import FileHistory, FileState
from oh_tui.trajectory.changes.touched_files import Moment, shown_path
from oh_tui.trajectory.changes.versions import PossibleWrite, Version
from oh_tui.trajectory.model.difference import unified
from oh_tui.trajectory.presentation.block import Block, Code, Diff, Heading, Note
from oh_tui.trajectory.reading.describe import describe_event
from oh_tui.tui.widgets.drawing import Piece

NAMED = 5
"""Commands that are named of those that may have written a version."""

NOT_KNOWN = "the events do not hold its text"


def versions_until(file: FileHistory, moment: Moment) -> list[Version]:
    state = file.at(moment)
    return [one for one in file.versions if one is state.version or one.edit.ended <= moment]


def state_of(
    file: FileHistory, versions: Sequence[Version], number: int, moment: Moment
) -> FileState:
    """The file as one of its versions: the last as at the moment, others as made or found."""
    version = versions[number]
    if number == len(versions) - 1:
        return file.at(moment)
    if version.is_found:
        certain = version.side.is_exact
        return FileState(file.path, version, version.exists, certain, (), version.edit)
    return file.at(version.edit.ended)


def origin(versions: Sequence[Version], number: int) -> str:
    """Of a version that no edit made: "elsewhere, between 10 and 16: 1 command that may write"."""
    version = versions[number]
    if version.kind == "before":
        return "before the run"
    count = len(version.between)
    writers = f"{plural(count, 'command')} that may write" if count else "by no command of the run"
    before = versions[number - 1].label if number else ""
    return f"elsewhere, between {before} and {version.label}: {writers}"


def facts(versions: Sequence[Version], number: int, state: FileState) -> list[Piece]:
    version = versions[number]
    found: list[Piece] = [(f"version {number + 1:,} of {len(versions):,}", "")]
    if version.is_found:
        found.append((origin(versions, number), ""))
    else:
        found += [(f"step {version.label}", ""), (version.kind, "")]
    if state.certain and (not version.is_found or number == len(versions) - 1):
        found.append(("certain", "dim"))
    return found


def version_blocks(
    file: FileHistory,
    versions: Sequence[Version],
    number: int,
    moment: Moment,
    *,
    whole: bool,
) -> list[Block]:
    """What a version changed, or with `whole` its text. Reads two results."""
    version, state = versions[number], state_of(file, versions, number, moment)
    blocks: list[Block] = list(map(Note, _remarks(versions, number, state)))
    if number == len(versions) - 1 and (said := evidence(file, state, moment)):
        blocks.append(Note(said))
    blocks += _content(file, versions, number, whole=whole)
    if version.is_found:
        blocks += commands("may have written it", version.between)
    return [*blocks, *commands("since then", state.since)]


def _content(
    file: FileHistory, versions: Sequence[Version], number: int, *, whole: bool
) -> list[Block]:
    version = versions[number]
    text = version.text() if version.exists else ""
    if whole and not version.exists:
        return [Note("the file is not there any more")]
    if text is None:
        hunk = "" if whole or version.is_found else safe(version.edit.hunk)
        return [Diff(hunk, file.shown) if hunk else Note(NOT_KNOWN)]
    before = _text_before(versions, number)
    if whole or before is None:
        is_told = whole or version.kind == "before"
        about = [] if is_told else [Note("the text before it is not known; its whole text:")]
        told = Code(safe(text).removesuffix("\n"), file.shown)
        return [*about, told if text else Note("an empty file")]
    diff = unified(safe(before), safe(text))
    same = "the same text again" if before == text else "only invisible characters differ"
    return [Diff(diff, file.shown) if diff else Note(same)]


def _text_before(versions: Sequence[Version], number: int) -> str | None:
    """The text of the version before, "" if there was no file; None if it is not known."""
    version = versions[number]
    if number:
        before = versions[number - 1]
        return before.text() if before.exists else ""
    return "" if not version.is_found and not version.edit.old.exists else None


def _remarks(versions: Sequence[Version], number: int, state: FileState) -> Iterator[str]:
    version = versions[number]
    if version.kind == "move" and version.edit.other:
        way = "from" if version.exists else "to"
        yield f"moved {way} {shown_path(version.edit.other)}"
    if version.twin is not None:
        label = version.twin.part.label(version.twin.step)
        yield f"the text that step {label} left in {shown_path(version.twin.path)}:"
        yield "a command copied or moved it, or made a link"
    if version.is_found:
        yield f"as step {version.label} found it"
    if not state.certain and (not version.is_found or number == len(versions) - 1):
        yield state.words


def evidence(file: FileHistory, state: FileState, moment: Moment) -> str:
    """What the last step that read a file since an edit tells of it. Reads a result."""
    reading = None if state.certain else file.last_read(state, moment)
    shown = reading.shown() if reading else None
    text = state.text()
    if reading is None or shown is None or text is None:
        return ""
    lines = plural(len(shown.lines), "line")
    if shown.agrees(text):
        return f"step {reading.label} read {lines} of it since, and found them so"
    return f"step {reading.label} read {lines} of it since, and found another text"


def commands(label: str, writers: Sequence[PossibleWrite]) -> list[Block]:
    """The last commands of several, under a heading."""
    if not writers:
        return []
    lines = [f"step {one.label}  {describe_event(one.step.event).what}" for one in writers[-NAMED:]]
    rest = len(writers) - NAMED
    more = [f"{plural(rest, 'earlier command')}, then"] if rest > 0 else []
    return [Heading(label), Note("\n".join([*more, *lines]))]
