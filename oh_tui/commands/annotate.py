"""`oh-tui bookmark`, `note`, `tag`: what the user keeps of runs and steps, on this machine.

Without anything to write they print what there is. Each is a command of its own, as all that act
are: what comes after the ID differs, and so does its help.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from oh_tui.batch.reports.one_run import chosen, whole
from oh_tui.catalog.tags import fits_server, read_tags, tag_words
from oh_tui.catalog.user_annotations import Annotations, RunAnnotations
from oh_tui.commands.framework import filter_argument
from oh_tui.commands.framework.acting import require_writable, short, text_of
from oh_tui.commands.framework.command import OF_RUN, RUN, Call, argument, command, flag
from oh_tui.commands.framework.opening import open_run
from oh_tui.commands.framework.printing import print_json
from oh_tui.conversation import Conversation
from oh_tui.documents.run import named
from oh_tui.documents.steps import step_at
from oh_tui.text.problem import Problem, Refused
from oh_tui.text.redact import safe, safe_line
from oh_tui.text.remarks import progress
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.reading.describe import describe

if TYPE_CHECKING:
    from oh_tui.documents.shapes import acts

_KEPT = "It stays on this machine, for you alone, under the id of the conversation: a downloaded\n"
_KEPT += "zip shows what you kept of the run on its server, and so does the explorer."


@command(
    "bookmark",
    *OF_RUN,
    flag("--remove", about="remove the bookmark"),
    examples={
        "bookmark 5f3a --at 58": "step 58",
        "bookmark 5f3a": "list the bookmarks",
        "bookmark 5f3a --at 58 --remove": "remove it from step 58",
    },
    epilog=f"{_KEPT}\noh-tui steps ID is:bookmarked shows what they did.",
    takes_step=True,
)
async def bookmark(call: Call) -> int:
    conversation, loaded = await open_run(call)
    trajectory, kept = whole(loaded), call.annotations()
    if call.args.at:
        _require_disk(call)
        step = step_at(trajectory, call.args.at)
        kept.bookmark(conversation, step.event.id, on=not call.args.remove)
        _save(kept)
    elif call.args.remove:
        raise Problem("bookmark --remove needs a step", "oh-tui bookmark ID --at STEP --remove")
    own = kept.of(conversation)
    steps = sorted(
        filter(None, map(trajectory.step_of, own.bookmarks)), key=lambda step: step.number
    )
    if call.as_json:
        rows = [_step_json(step, own) for step in steps]
        print_json({**named(conversation), "bookmarks": rows})
    else:
        for step in steps:
            print("\t".join(_row(step, own)) if call.style.piped else "  ".join(_row(step, own)))
        if not steps and not call.style.piped:
            print("no bookmarks")
    return 0


@command(
    "note",
    *OF_RUN,
    argument(
        "text", metavar="TEXT|-", nargs="?", default="", help="the note; - reads it from stdin"
    ),
    flag("--remove", about="remove the note"),
    examples={
        "note 5f3a 'ask Ada about week 53'": "on the run",
        "note 5f3a 'the same again' --at 58": "on step 58",
        "note 5f3a": "print the note",
    },
    epilog=_KEPT,
    takes_step=True,
)
async def note(call: Call) -> int:
    text, step = text_of(call.args.text).strip(), None
    if call.args.text and not text:
        raise Problem("There is nothing to write", "--remove removes the note")
    if text and call.args.remove:
        raise Problem("--remove and a text cannot be used together", "leave one of them out")
    if call.args.at:
        conversation, loaded = await open_run(call)
        step = step_at(whole(loaded), call.args.at)
    else:
        conversation = await chosen(call.source, call.identifier)
    kept = call.annotations()
    event_id = step.event.id if step else ""
    if text or call.args.remove:
        _require_disk(call)
        kept.write_note(conversation, text, event_id)
        _save(kept)
    own = kept.of(conversation)
    written = own.step_notes.get(event_id, "") if event_id else own.note
    if call.as_json:
        about = {"step": step.number if step else None, "event": event_id or None}
        print_json({**named(conversation), **about, "note": safe(written) or None})
    elif written or not call.style.piped:
        print(safe(written) or "no note")
    return 0


@command(
    "tag",
    RUN,
    argument(
        "tags",
        metavar="TAG",
        nargs="*",
        default=(),
        action=filter_argument.Words,
        help="a word, or a word with a value: kind:flaky; -word removes it",
    ),
    flag("--on-server", about="write them to the agent server too, for everyone who uses it"),
    examples={
        "tag 5f3a bug kind:flaky": "two tags, one with a value",
        "tag 5f3a -bug": "remove one",
        "tag 5f3a": "list the tags",
        "tag 5f3a kind:flaky --on-server": "while its sandbox runs",
    },
    epilog=f"{_KEPT}\noh-tui conversations tag:kind:flaky finds the runs that have it.\n\n"
    "--on-server adds yours to the tags on the agent server, where other clients see them. While\n"
    "the agent works, it waits for the end of its step.",
)
async def tag(call: Call) -> int:
    changes = read_tags(call.args.tags)
    conversation = await chosen(call.source, call.identifier)
    kept = call.annotations()
    if call.args.on_server:
        await _write_there(call, conversation, changes)
    elif changes:
        _require_disk(call)
    if changes:
        kept.tag(conversation, changes)
        _save(kept)
    tags = kept.of(conversation).tags
    if call.as_json:
        shown = {safe_line(key): safe_line(value) for key, value in tags.items()}
        print_json({**named(conversation), "tags": shown})
    elif tags or not call.style.piped:
        print(" ".join(tag_words(tags)) or "no tags")
    return 0


async def _write_there(
    call: Call, conversation: Conversation, changes: Mapping[str, str | None]
) -> None:
    if not changes:
        raise Problem("--on-server needs a tag to write", "oh-tui tag ID kind:flaky --on-server")
    require_writable("tag --on-server", call.settings, by_flag=call.args.read_only)
    if call.source.records is None:
        raise Problem(
            "--on-server is for a conversation on a server, and this is a file", "leave it out"
        )
    if odd := [key for key in changes if not fits_server(key)]:
        raise Problem(
            f"The server takes only letters a-z and digits before the colon: {odd[0]}",
            "without --on-server the tag is kept here",
        )
    call.about = short(conversation)
    call.goes_on = "the tags may still be written there"
    with progress() as show:
        show("writing the tags")
        await call.source.records.tag(conversation, changes)
    call.goes_on = ""


def _row(step: Step, own: RunAnnotations) -> tuple[str, ...]:
    note = safe_line(own.step_notes.get(step.event.id, ""))
    return tuple(filter(None, (str(step.number), describe(step, Outcome.OK).what, note)))


def _step_json(step: Step, own: RunAnnotations) -> acts.Bookmark:
    return {
        "step": step.number,
        "event": safe_line(step.event.id),
        "what": describe(step, Outcome.OK).what,
        "note": safe(own.step_notes.get(step.event.id, "")) or None,
    }


def _require_disk(call: Call) -> None:
    if call.settings.annotations_file is not None:
        return
    if call.args.no_state:
        raise Problem("--no-state keeps nothing", "leave it out")
    raise Problem("There is no home folder to keep it in", "set HOME")


def _save(kept: Annotations) -> None:
    if not kept.save():
        raise Refused(
            f"Bookmarks, notes and tags cannot be written into {kept.trouble}",
            "XDG_STATE_HOME names another folder",
        )
