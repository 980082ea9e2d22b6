"""`oh-tui whoami` and `oh-tui status`: whose server this is, and who on it needs somebody."""

from __future__ import annotations

import contextlib
from argparse import ArgumentParser
from collections.abc import Mapping

import msgspec

from oh_tui import __version__
from oh_tui.commands.shared import store
from oh_tui.commands.shared.documents import conversation_id, conversation_json, line
from oh_tui.commands.shared.frame import Call, Command
from oh_tui.commands.shared.printing import (
    Cell,
    Column,
    Hue,
    Style,
    number,
    pairs,
    print_json,
    stamp,
    table,
)
from oh_tui.commands.shared.reading import short_id, title
from oh_tui.commands.shared.standing import GLYPHS, HUES, Needy, needy, remembered
from oh_tui.sources.remembered import Seen
from oh_tui.sources.server import ServerSource
from oh_tui.text.human import age, cost_words, plural
from oh_tui.text.problem import Problem
from oh_tui.trajectory.model.events import seconds

FRESH = 60.0
"""Seconds for which an answer is good: a status line asks every few of them."""

PLACE = 72
"""Characters of where a key was found: a command may be long."""


async def whoami(call: Call) -> int:
    source, settings = call.source, call.settings
    assert isinstance(source, ServerSource)
    user = await source.api.users_me()
    key_from = (line(settings.key_from) or "")[:PLACE]
    found: dict[str, str | bool | None] = {
        "server": source.api.base_url,
        "demo": bool(call.asked.demo),
        "key_from": key_from or None,
        "email": line(user.email),
        "git_user_name": line(user.git_user_name),
        "git_user_email": line(user.git_user_email),
        "agent_server_version": await _agent_server_version(source),
        "oh_tui_version": __version__,
    }
    if call.as_json:
        print_json(found)
        return 0
    git = " ".join(filter(None, (line(user.git_user_name), line(user.git_user_email))))
    facts = (
        ("server", source.label if call.asked.demo else str(found["server"])),
        ("key", key_from or "none"),
        ("account", str(found["email"] or git or "none: the server tells of no accounts")),
        ("git", git),
        ("agent server", str(found["agent_server_version"] or "")),
        ("oh-tui", __version__),
    )
    for text in pairs(call.style, facts):
        print(text)
    return 0


async def _agent_server_version(source: ServerSource) -> str | None:
    """Of a sandbox that runs; the app server does not tell its own (measured)."""
    with contextlib.suppress(Problem):
        page = await source.newest()
        for one in page.items:
            agent = source.api.agent_server(one) if one.sandbox_status == "RUNNING" else None
            if agent:
                return await agent.version() or None
    return None


# status


class _Counts(msgspec.Struct, frozen=True):
    waiting: int = 0
    failed: int = 0
    running: int = 0
    conversations: int = 0
    cost: float = 0.0
    """US dollars, of those whose price is known."""
    priced: int = 0
    """How many these are."""
    more: bool = False
    """There are older ones, which were not looked at."""


class _Answer(msgspec.Struct, frozen=True):
    """What a server said at some time; `asked` is when it was tried last."""

    counts: _Counts
    at: float
    asked: float


class _Told(msgspec.Struct, frozen=True):
    """What is there to print: the counts, and the rows if the server was asked just now."""

    answer: _Answer
    rows: tuple[Needy, ...] = ()


async def status(call: Call) -> int:
    """At most one call a minute with `--short`: what was told within it is told again. An answer
    that is older, because the server cannot be asked, is told with its age."""
    seen = remembered(call)
    told = await (_short_told(call, seen) if call.asked.short else _ask(call, seen))
    counts, now = told.answer.counts, call.style.now
    if call.as_json:
        print_json(
            {
                "server": call.source.label,
                "waiting": counts.waiting,
                "failed": counts.failed,
                "running": counts.running,
                "conversations": counts.conversations,
                "more": counts.more,
                "cost": number(counts.cost),
                "priced": counts.priced,
                "asked": stamp(told.answer.at),
                "age_s": number(max(0.0, now - told.answer.at), 1),
                "listed": [
                    {"group": row.group, "conversation": conversation_json(row.conversation)}
                    for row in told.rows
                ],
            }
        )
    elif call.asked.short:
        parts = [f"{call.style.glyph(*GLYPHS[name])}{number}" for name, number in _found(counts)]
        if now - told.answer.at >= FRESH:
            parts.append(age(told.answer.at, now))
        print(" ".join(parts))
    else:
        if not call.style.piped:
            print(_sentence(call.style, counts))
        for text in table(call.style, _COLUMNS, (_row(call.style, row) for row in told.rows)):
            print(text)
    return 0


async def _short_told(call: Call, seen: Mapping[str, Seen]) -> _Told:
    folder, address, now = call.settings.cache_folder, call.source.address, call.style.now
    held = _read(store.read(folder, "status") if address else b"")
    before = held.get(address)
    if before and 0 <= now - before.asked < FRESH:
        return _Told(before)
    try:
        told = await _ask(call, seen)
    except Problem:
        if before is None:
            raise
        told = _Told(msgspec.structs.replace(before, asked=now))
    if address:
        held[address] = told.answer
        store.write(folder, "status", msgspec.json.encode(held))
    return told


async def _ask(call: Call, seen: Mapping[str, Seen]) -> _Told:
    """One call: what needs somebody has changed lately, and is on the first page."""
    page = await call.source.newest()
    found, rows = needy(page.items, seen)
    costs = [one.cost for one in page.items if one.cost]
    more = page.next_page_id is not None
    counts = _Counts(
        *found, conversations=len(page.items), cost=sum(costs), priced=len(costs), more=more
    )
    return _Told(_Answer(counts, call.style.now, call.style.now), tuple(rows))


def _read(data: bytes) -> dict[str, _Answer]:
    try:
        return msgspec.json.decode(data, type=dict[str, _Answer])
    except (ValueError, RecursionError):  # msgspec's own errors are ValueErrors
        return {}


def _found(counts: _Counts) -> list[tuple[str, int]]:
    numbers = (counts.waiting, counts.failed, counts.running)
    return [(name, number) for name, number in zip(GLYPHS, numbers, strict=True) if number]


def _sentence(style: Style, counts: _Counts) -> str:
    words = {
        "waiting": ("waits for you", "wait for you"),
        "failed": ("failed", "failed"),
        "running": ("running", "running"),
    }
    hues: dict[str, Hue] = {"waiting": "amber", "failed": "red", "running": "cyan"}
    parts = [
        style.paint(f"{style.glyph(*GLYPHS[name])} {number} {words[name][number > 1]}", hues[name])
        for name, number in _found(counts)
    ]
    more = "the newest " if counts.more else ""
    total = f"{more}{plural(counts.conversations, 'conversation')}"
    parts.append(total + cost_words(counts.cost, counts.priced, counts.conversations))
    return f"  {style.glyph('·', '|')}  ".join(parts)


_COLUMNS = (
    Column(""),
    Column("id"),
    Column("state"),
    Column("changed", right=True),
    Column("title", share=1),
)


def _row(style: Style, row: Needy) -> tuple[str | Cell, ...]:
    one, hue = row.conversation, HUES.get(row.word, "")
    updated = seconds(one.updated_at or one.created_at or "")
    shown = short_id(one) if not style.piped else conversation_id(one)
    return (
        Cell(style.glyph(*GLYPHS[row.group]), hue),
        shown,
        Cell(row.word, hue),
        style.when(updated),
        title(one),
    )


def _status_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--short",
        action="store_true",
        help="one short line for a status bar; asks the server at most once a minute",
    )


COMMANDS = {
    "whoami": Command(
        "",
        lambda parser: None,
        whoami,
        (
            ("whoami", "is this the right server, and the right key?"),
            ("whoami --server localhost:3000 --json", "for a script"),
        ),
        reads="server",
    ),
    "status": Command(
        "",
        _status_arguments,
        status,
        (
            ("status", "who waits for you, what failed, what runs"),
            ("status --short", "in tmux: set -g status-right '#(oh-tui status --short)'"),
        ),
        reads="server",
    ),
}
