"""`oh-tui conversations`, `sandboxes` and `show`: what there is on a server, or in a folder."""

from __future__ import annotations

import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from oh_tui.api.models import Conversation, Page, Sandbox, bare_id
from oh_tui.commands.shared.documents import (
    conversation_id,
    conversation_json,
    line,
    sandbox_json,
    verdict_json,
)
from oh_tui.commands.shared.frame import Call, Command, run_argument
from oh_tui.commands.shared.ids import SHOWN
from oh_tui.commands.shared.printing import Cell, Column, Row, Style, pairs, print_json, say, table
from oh_tui.commands.shared.reading import chosen, on_server, short_id, title, with_state
from oh_tui.commands.shared.standing import HUES, NOTHING, outcome, remembered, state
from oh_tui.sources.files import FileSource
from oh_tui.sources.remembered import Seen
from oh_tui.sources.results import cut_words
from oh_tui.sources.triage import conversation_state
from oh_tui.text.clean import clean_line, safe_line
from oh_tui.text.human import compact, dollars
from oh_tui.text.problem import Problem
from oh_tui.trajectory.analysis.moments import seconds_of
from oh_tui.trajectory.analysis.verdict import Verdict, judge
from oh_tui.trajectory.model.events import seconds

LIMIT = 50
"""Conversations that are listed unless more are asked for."""


STATES = "waiting, running, starting, finished, error, stuck, idle, paused, gone"
_STATES = (*STATES.split(", "), "deleting", "sandbox failed")


# conversations


async def conversations(call: Call) -> int:
    asked = call.asked
    limit = None if asked.all else asked.limit
    seen = remembered(call)
    found: list[Conversation] = []
    more = False
    async for page in _pages(call):
        if page.is_cut:
            say(cut_words("conversations"))
        for row in page.items:
            one = with_state(call.source, row)
            if not _is_asked_for(asked, one, _seen(seen, one)):
                continue
            if limit is not None and len(found) == limit:
                more = True
                break
            found.append(one)
        if more or (limit is not None and len(found) == limit and page.next_page_id):
            more = True
            break
    for problem in call.source.problems:
        say(problem)
    if asked.status and not found and asked.status.lower() not in _STATES:
        say(f"{clean_line(asked.status)!r} is no state that is known; those are {STATES}")
    if call.as_json:
        print_json(
            {
                "source": call.source.label,
                "more": more,
                "conversations": [conversation_json(one) for one in found],
            }
        )
        return 0
    rows = (_row(call.style, one, _seen(seen, one)) for one in found)
    for text in table(call.style, _CONVERSATION, rows):
        print(text)
    if not call.style.piped:
        if not found:
            print("no conversation is like that" if _is_narrowed(asked) else "none yet")
        elif more:
            print(call.style.paint("there are more: --limit N or --all", "dim"))
    return 0


def _pages(call: Call) -> AsyncIterator[Page[Conversation]]:
    """The server sorts out what it can; the rest is done here."""
    source, asked = on_server(call.source), call.asked
    if source is None:
        return call.source.pages()
    small = asked.limit if not (asked.all or asked.repo or asked.status) else 100
    return source.api.iter_conversations(
        limit=max(1, min(100, small)),
        title__contains=asked.title or None,
        updated_at__gte=datetime.fromtimestamp(asked.since, UTC) if asked.since else None,
        include_sub_conversations=asked.sub,
    )


def _seen(seen: Mapping[str, Seen], one: Conversation) -> Seen:
    return seen.get(bare_id(one.id), NOTHING)


def _is_asked_for(asked: Any, one: Conversation, seen: Seen) -> bool:
    """A state that is asked for is that of the agent or, where its sandbox does not run, the
    sandbox's."""
    if one.parent_conversation_id and not asked.sub:
        return False
    if asked.title and asked.title.lower() not in (one.title or "").lower():
        return False
    if asked.repo and asked.repo.lower() not in (one.selected_repository or "").lower():
        return False
    if asked.status and asked.status.lower() not in (state(one), outcome(one, seen)[0]):
        return False
    when = seconds(one.updated_at or one.created_at or "")
    return not asked.since or (when is not None and when >= asked.since)


def _is_narrowed(asked: Any) -> bool:
    return bool(asked.title or asked.repo or asked.status or asked.since)


_CONVERSATION = (
    Column("id"),
    Column("state"),
    Column("changed", right=True),
    Column("cost", right=True),
    Column("repository", share=1),
    Column("title", share=3),
)


def _row(style: Style, one: Conversation, seen: Seen) -> Row:
    return (
        conversation_id(one) if style.piped else short_id(one),
        Cell(*outcome(one, seen)),
        style.when(seconds(one.updated_at or one.created_at or "")),
        dollars(one.cost) if one.cost else "",
        line(one.selected_repository) or "",
        ("└ " if one.parent_conversation_id and not style.ascii else "") + title(one),
    )


def _conversation_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("paths", metavar="PATH", nargs="*", help="list those in files instead")
    add("--limit", type=_count, default=LIMIT, metavar="N", help=f"at most N; {LIMIT} if not told")
    add("--all", action="store_true", help="all of them")
    add("--title", metavar="TEXT", default="", help="with this in the title")
    add("--repo", metavar="NAME", default="", help="with this in the name of the repository")
    add(
        "--status",
        metavar="WORD",
        default="",
        help=f"of the agent or of its sandbox: {STATES}",
    )
    add("--since", type=_since, metavar="SPAN", help="changed within 2d, 3h, or since 2026-03-01")
    add("--sub", action="store_true", help="sub-conversations too")


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 10**9:
        raise ArgumentTypeError(f"{clean_line(text)!r} is no number of conversations")
    return int(text)


def _since(text: str) -> float:
    """A moment in seconds since 1970."""
    span = seconds_of(text)
    if span is not None and not text.replace(".", "").isdecimal():
        return max(1.0, time.time() - span)
    moment = seconds(text)
    if moment is None or moment <= 0 or "-" not in text:
        raise ArgumentTypeError(f"{clean_line(text)!r} is neither a span (2d) nor a date")
    return moment


# sandboxes


async def sandboxes(call: Call) -> int:
    sandboxes = call.source.sandboxes
    assert sandboxes is not None
    held = await sandboxes.all()
    for problem in call.source.problems:
        say(problem)
    page = await call.source.newest()
    inside: dict[str, list[Conversation]] = {}
    # The one that the explorer lists first is named first.
    seen = remembered(call)
    for one in sorted(
        page.items, key=lambda one: conversation_state(one, _seen(seen, one)).group(one)
    ):
        inside.setdefault(one.sandbox_id or "", []).append(one)
    rank = {"RUNNING": 0, "STARTING": 1, "ERROR": 2, "PAUSED": 3}
    shown = [one for one in held if call.asked.all or one.status != "MISSING"]
    shown.sort(key=lambda one: rank.get(one.status or "", 4))
    if call.as_json:
        print_json(
            {
                "source": call.source.label,
                "sandboxes": [
                    {
                        **sandbox_json(one),
                        "conversations": [
                            {"id": conversation_id(each), "title": title(each)}
                            for each in inside.get(one.id, [])
                        ],
                    }
                    for one in shown
                ],
            }
        )
        return 0
    rows = (_sandbox_row(call.style, one, inside.get(one.id, [])) for one in shown)
    for text in table(call.style, _SANDBOX, rows):
        print(text)
    gone = len(held) - len(shown)
    if not call.style.piped and (gone or not held):
        told = f"{gone} more are gone: --all lists them" if gone else "none yet"
        print(call.style.paint(told, "dim"))
    return 0


_SANDBOX = (
    Column("id"),
    Column("state"),
    Column("age", right=True),
    Column("conversation", share=1),
)


def _sandbox_row(style: Style, sandbox: Sandbox, inside: Iterable[Conversation]) -> Row:
    names = [title(one) for one in inside]
    more = f" +{len(names) - 1} more" if len(names) > 1 else ""
    status = safe_line(sandbox.status or "").lower()
    word = {"missing": "gone", "error": "failed"}.get(status, status)
    hue = HUES.get("error" if word == "failed" else word, "")
    return (
        safe_line(sandbox.id),
        Cell(word, hue),
        style.when(seconds(sandbox.created_at or "")),
        ", ".join(names) if style.piped else (names[0] + more if names else ""),
    )


def _sandbox_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help="those that are gone too")


# one conversation


class _Known(msgspec.Struct, frozen=True):
    """What was found out beside the record."""

    events: int | None
    counted_by: str | None
    sandbox: Sandbox | None
    ending: Verdict | None
    """Of a file: a server tells the state of now."""


async def show(call: Call) -> int:
    conversation = with_state(call.source, await chosen(call.source, call.identifier))
    known = await _look(call, conversation)
    if call.as_json:
        print_json(
            {
                "conversation": conversation_json(conversation),
                "sandbox": sandbox_json(known.sandbox) if known.sandbox else None,
                "ended": verdict_json(known.ending) if known.ending else None,
                "events": known.events,
                "counted_by": known.counted_by,
                "web": _web(call, conversation) or None,
            }
        )
        return 0
    if not call.style.piped:
        print(call.style.paint(title(conversation), "bold"))
    for text in pairs(call.style, _facts(call, conversation, known)):
        print(text)
    return 0


async def _look(call: Call, conversation: Conversation) -> _Known:
    """What a call more each tells; one that fails is said and leaves the rest as it is."""
    source = call.source
    events: int | None = None
    by: str | None = None
    sandbox: Sandbox | None = None
    try:
        events, by = await source.runs.count_events(conversation)
        if source.sandboxes and conversation.sandbox_id:
            sandbox = await source.sandboxes.get(conversation.sandbox_id)
    except Problem as problem:
        say(problem.sentence)
    ending = judge(source.runs.read(conversation)) if isinstance(source, FileSource) else None
    return _Known(events, by, sandbox, ending)


def _facts(call: Call, one: Conversation, known: _Known) -> list[tuple[str, str | Cell]]:
    style, tokens = call.style, one.tokens
    by = known.counted_by if known.counted_by != "file" else None
    counted = f"{known.events:,}" if known.events is not None else ""
    changed = style.when(seconds(one.updated_at or ""))
    ago = " ago" if changed not in ("", "now") and style.times == "relative" else ""
    return [
        ("id", conversation_id(one)),
        ("title", title(one) if style.piped else ""),
        ("state", Cell(*outcome(one, _seen(remembered(call), one)))),
        ("ended", known.ending.cause if known.ending else ""),
        ("sandbox", " ".join(filter(None, (line(one.sandbox_id), _sandbox_word(known.sandbox))))),
        ("repository", line(one.selected_repository) or ""),
        ("branch", line(one.selected_branch) or ""),
        ("pull request", ", ".join(map(str, one.pr_number or ()))),
        ("model", line(one.llm_model) or ""),
        ("cost", dollars(one.cost) if one.cost else "price unknown" if tokens else ""),
        ("tokens", compact(tokens) if tokens else ""),
        ("events", f"{counted}, counted by the {by}" if counted and by else counted),
        ("changed", changed + ago),
        ("parent", safe_line(one.parent_conversation_id or "")),
        ("sub-conversations", ", ".join(i[:SHOWN] for i in one.sub_conversation_ids or ())),
        ("web", _web(call, one)),
    ]


def _sandbox_word(sandbox: Sandbox | None) -> str:
    word = safe_line((sandbox and sandbox.status) or "").lower()
    return f"({'gone' if word == 'missing' else word})" if word else ""


def _web(call: Call, conversation: Conversation) -> str:
    """Where a browser shows it; "" of a file and of the demo."""
    if not call.source.address:
        return ""
    return f"{call.source.address}/conversations/{conversation_id(conversation)}"


COMMANDS = {
    "conversations": Command(
        "[PATH...]",
        _conversation_arguments,
        conversations,
        (
            ("conversations", f"the {LIMIT} created last"),
            ("conversations --status error --since 2d", "what failed lately"),
            ("conversations --repo acme/api --all --json", "for a script"),
            ("conversations runs/", "those in a folder of zips"),
        ),
    ),
    "sandboxes": Command(
        "",
        _sandbox_arguments,
        sandboxes,
        (("sandboxes", "those that are there, running first"),),
        reads="server",
    ),
    "show": Command(
        "ID|PATH",
        run_argument,
        show,
        (("show 5f3a", "state, repository, cost, sandbox"), ("show run.zip --json", "of a file")),
    ),
}
