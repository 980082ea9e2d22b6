"""`oh-tui whoami` and `oh-tui status`: the server and the account, and what needs somebody."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, cast

import msgspec

from oh_tui import __version__
from oh_tui.api.errors import AuthError, OtherKind
from oh_tui.api.models import User
from oh_tui.batch.reports import wall
from oh_tui.batch.reports.seen import Seen
from oh_tui.catalog.names import title
from oh_tui.catalog.needy import Needy, needy
from oh_tui.catalog.run_status import updated_text
from oh_tui.catalog.usage_cache import with_spent
from oh_tui.commands.framework import cache_files
from oh_tui.commands.framework.command import Call, command, flag
from oh_tui.commands.framework.printing import (
    Hue,
    Style,
    between_tabs,
    fit,
    print_json,
    print_pairs,
    print_rows,
    shown_id,
)
from oh_tui.commands.framework.spoken import sentences
from oh_tui.commands.framework.status import GLYPHS, HUES
from oh_tui.documents.run import conversation_json, line
from oh_tui.settings.canvas import read_canvas_files
from oh_tui.settings.private_store import PrivateStore
from oh_tui.settings.startup import Settings
from oh_tui.sources import canvas, listeners
from oh_tui.sources.agent_server import AgentServerSource
from oh_tui.sources.server import ServerSource
from oh_tui.sources.source import Source
from oh_tui.tables.column import Cell, Column
from oh_tui.text.human import age, cost_words, number, plural, stamp, without
from oh_tui.text.problem import Problem
from oh_tui.text.remarks import say
from oh_tui.trajectory.model.usage import cost_sum

if TYPE_CHECKING:
    from oh_tui.documents.shapes.acts import CanvasHere, StatusRun

FRESH = 60.0
"""Seconds for which an answer is fresh: a status bar asks every few seconds."""

PLACE = 72
"""Characters of the name of the place where the key was found: it may be a long command."""


@command(
    "whoami",
    examples={
        "whoami": "is this the right server, and the right key?",
        "whoami --server localhost:3000 --json": "for a script",
    },
    wants="server",
    of_one_server=True,
)
async def whoami(call: Call) -> int:
    source, settings = call.source, call.settings
    user, version, address = await _account(source)
    key_from = (line(settings.key_from) or "")[:PLACE]
    found: dict[str, str | bool | None] = {
        "server": address,
        "demo": bool(call.args.demo),
        "key_from": key_from or None,
        "email": line(user.email),
        "git_user_name": line(user.git_user_name),
        "git_user_email": line(user.git_user_email),
        "agent_server_version": version,
        "oh_tui_version": __version__,
    }
    here = None if call.args.demo else await asyncio.to_thread(_canvas_here, settings)
    if call.as_json:
        print_json({**found, "canvas": here})
        return 0
    git = " ".join(filter(None, (line(user.git_user_name), line(user.git_user_email))))
    facts = (
        ("server", source.label if call.args.demo else str(found["server"])),
        ("key", key_from or "none"),
        ("account", str(found["email"] or git or "none: this server has no accounts")),
        ("git", git),
        ("agent server", str(found["agent_server_version"] or "")),
        ("oh-tui", __version__),
        *(_canvas_facts(here, beside=here["address"] != address) if here else ()),
    )
    print_pairs(call.style, facts)
    return 0


def _canvas_here(settings: Settings) -> CanvasHere | None:
    """The Canvas that runs on this machine, also beside another server. Two requests at most."""
    if (found := canvas.look()) is None:
        return None
    files = settings.canvas or read_canvas_files(os.environ)
    return {
        "address": found.address,
        "agent_server_version": found.version,
        "automations": found.automations,
        "key_from": files.key_from[:PLACE] or None,
        "key_skipped": files.skipped or listeners.why_not_ours(found.port) or None,
        "gives_key_away": canvas.gives_key_away(found),
    }


def _canvas_facts(here: CanvasHere, *, beside: bool) -> Iterator[tuple[str, str]]:
    version = here["agent_server_version"]
    if beside:
        yield "canvas", here["address"] + (f", agent server {version}" if version else "")
        yield "its key", here["key_skipped"] or here["key_from"] or "not found"
    yield "automations", here["automations"] or ""
    if here["gives_key_away"]:
        yield (
            "warning",
            "its page hands that key to whoever opens it, and other machines reach it unless a "
            "firewall stops them; agent-canvas --public asks for the key instead",
        )


async def _account(source: Source) -> tuple[User, str | None, str]:
    """The account, the version of the agent server, and the server's address. An agent server that
    is the server has no accounts; reading its list shows whether it takes the key. Nor has a Canvas
    that does not run."""
    if source.remote is None:
        return User(), None, source.label
    if isinstance(source, AgentServerSource):
        await source.newest()
        return User(), await source.api.version() or None, source.api.base_url
    assert isinstance(source, ServerSource)
    return await source.api.users_me(), await _agent_server_version(source), source.api.base_url


async def _agent_server_version(source: ServerSource) -> str | None:
    """That of the first sandbox that runs; the app server does not tell its own (measured)."""
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
    silent: int = 0
    """Those that run and of which no event has come for long."""
    conversations: int = 0
    more: bool = False
    """There are older conversations, which are not counted."""
    cost: float = 0.0
    """US dollars for the `priced` ones."""
    priced: int = 0
    """Conversations whose price is known."""
    partial: int = 0
    """Those of them whose cost may lack a part."""
    estimates: int = 0
    """Conversations whose cost is an estimate, and no part of `cost`."""


class _Answer(msgspec.Struct, frozen=True):
    """What a server answered `at` a time; `asked` is when it was asked last."""

    counts: _Counts
    at: float
    asked: float


class _Answers(PrivateStore[dict[str, _Answer], tuple[str, _Answer]]):
    def decoded(self, data: bytes) -> dict[str, _Answer]:
        """Of a damaged file nothing is kept aside: the next answer takes its place."""
        try:
            return msgspec.json.decode(data, type=dict[str, _Answer])
        except (ValueError, RecursionError):
            return {}

    def encoded(self, held: dict[str, _Answer]) -> bytes:
        return msgspec.json.encode(held)

    def changed(self, held: dict[str, _Answer], change: tuple[str, _Answer]) -> dict[str, _Answer]:
        address, answer = change
        return {**held, address: answer}


@command(
    "status",
    (
        flag("--short", about="one line for a status bar; asks the server at most once a minute"),
        flag("--wall", about="up to six that wait or run: what each does, says, costs, edits"),
        flag("--say", about="sentences without signs and columns, for a screen reader or a voice"),
    ),
    examples={
        "status": "who waits for you, what failed, what runs",
        "status --wall": "what those do that wait and run",
        "status --say": "the same in sentences, to be read aloud",
        "status --short": "in tmux: set -g status-right '#(oh-tui status --short)'",
    },
    wants="server",
)
async def status(call: Call) -> int:
    """With `--short` the server is asked at most once a minute. An answer that is older, because
    the server does not answer, is printed with its age. With `--wall` and `--say` the end of each
    of at most six runs is read, in one call each."""
    call.require_one_form("say")
    answer, rows = await (_kept_or_asked(call) if call.args.short else _ask(call))
    told = wall.rows_of(rows) if call.args.wall or call.args.say else []
    told = [row for row in told if call.args.wall or row.group == "waiting"]
    tiles = await _read_wall(call, told) if told else []
    counts, now = answer.counts, call.style.now
    if call.as_json:
        tiles_json = [{**_row_json(one.row), **wall.tile_json(one)} for one in tiles]
        print_json(
            {
                "server": call.source.label,
                **msgspec.structs.asdict(counts),
                "cost": number(counts.cost) if counts.priced else None,
                "asked": stamp(answer.at),
                "age_s": number(max(0.0, now - answer.at), 1),
                "listed": [_row_json(row) for row in rows],
                **({"wall": tiles_json} if call.args.wall else {}),
            }
        )
    elif call.args.short:
        numbers = zip(GLYPHS, (counts.waiting, counts.failed, counts.running), strict=True)
        parts = [f"{call.style.glyph(*GLYPHS[name])}{count}" for name, count in numbers if count]
        if counts.silent:
            parts.append(f"({counts.silent} silent)")
        if now - answer.at >= FRESH:
            parts.append(age(answer.at, now))
        print(" ".join(parts))
    elif call.args.say:
        print(*sentences(rows, tiles, now), sep="\n")
        if counts.more:
            print("There are older conversations, which were not looked at.")
    else:
        if not call.style.piped:
            print(_sentence(call.style, counts))
        on = [_SERVER] if call.source.members else []
        if call.args.wall:
            _print_wall(call.style, (*_COLUMNS[:2], *on, *_COLUMNS[2:3], _COLUMNS[-1]), tiles)
        else:
            print_rows(call.style, (*_COLUMNS[:2], *on, *_COLUMNS[2:]), rows)
    return 0


def _row_json(row: Needy) -> StatusRun:
    told = conversation_json(row.conversation, last_known=row.last_known)
    return cast("StatusRun", {"group": row.group, "conversation": told})


async def _read_wall(call: Call, rows: Sequence[Needy]) -> list[wall.Tile]:
    """In one call for each, all at once."""
    seen = Seen(call)
    ends = await asyncio.gather(*(seen.end_of(row.conversation) for row in rows))
    return wall.with_shared([wall.tile_of(*pair) for pair in zip(rows, ends, strict=True)])


def _print_wall(
    style: Style, columns: Sequence[Column[Needy, Style]], tiles: Sequence[wall.Tile]
) -> None:
    """On a terminal the lines of a tile stand below its row; for a pipe they follow in it."""
    for tile in tiles:
        facts = wall.facts_of(tile, style.when_ago(tile.heard))
        told = [*facts, *((line, "") for line in tile.says[-SAID:])]
        cells = [column.cell(tile.row, style) for column in columns]
        if style.room is None:
            print(between_tabs([*cells, *(text for text, _ in told)]))
            continue
        print("  ".join(style.paint(*Cell(*cell)) for cell in cells))
        for text, hue in told:
            print("   ", style.paint(fit(text, style.room - 4, style), _HUES.get(hue, "")))


SAID = 3
"""Last lines of what an agent says that are printed."""

_HUES = {"dim": "dim", "warn": "amber"}


async def _kept_or_asked(call: Call) -> tuple[_Answer, list[Needy]]:
    folder, source, now = call.settings.cache_folder, call.source, call.style.now
    address = source.address or " ".join(one.address for one in source.members.values())
    file = folder / cache_files.KEPT["status"].path if folder and address else None
    key = call.settings.key
    if account := key.reveal() if key else call.settings.key_from:  # a server may have several
        address += f" {hashlib.blake2b(account.encode(), digest_size=16).hexdigest()}"
    kept = _Answers(file, 1_000_000, dict)
    before = (kept.read() or {}).get(address)
    if before and 0 <= now - before.asked < FRESH:
        return before, []
    rows: list[Needy] = []
    try:
        answer, rows = await _ask(call)
    except (AuthError, OtherKind):
        raise
    except Problem:
        if before is None:
            raise
        answer = msgspec.structs.replace(before, asked=now)
    kept.to_write((address, answer))
    kept.save()
    return answer, rows


async def _ask(call: Call) -> tuple[_Answer, list[Needy]]:
    """One call, as what needs somebody has changed lately and is on the first page; and one for
    each run that may be silent."""
    page = await call.source.newest()
    for told in call.source.problems if call.source.members else ():
        say(told)
    seen = Seen(call)
    for one in page.items:
        seen.record(one)
    seen.save()
    await seen.find_silent(page.items)
    listed = [with_spent(one, seen.of(one).spent) for one in page.items]
    found, rows = needy(listed, seen.of)
    counts = _Counts(
        *found,
        conversations=len(listed),
        **cost_sum(one.price for one in listed)._asdict(),
        more=page.next_page_id is not None,
    )
    return _Answer(counts, call.style.now, call.style.now), rows


def _sentence(style: Style, counts: _Counts) -> str:
    parts = []
    told: tuple[tuple[str, int, str, Hue], ...] = (
        ("waiting", counts.waiting, "wait" if counts.waiting > 1 else "waits", "amber"),
        ("failed", counts.failed, "failed", "red"),
        ("running", counts.running, "running", "cyan"),
    )
    for name, many, words, hue in told:
        if many:
            for_you = " for you" if name == "waiting" else ""
            glyph = style.glyph(*GLYPHS[name])
            silent = f" ({counts.silent} silent)" * bool(name == "running" and counts.silent)
            parts.append(style.paint(f"{glyph} {many} {words}{for_you}{silent}", hue))
    more = "the newest " if counts.more else ""
    total = f"{more}{plural(counts.conversations, 'conversation')}"
    costs = (counts.cost, counts.priced, counts.partial, counts.estimates)
    parts += (total + cost_words(counts.conversations, *costs), *without(counts.estimates))
    return f"  {style.glyph('·', '|')}  ".join(parts)


def _hue(row: Needy) -> str:
    return HUES.get(row.word, "")


_COLUMNS: tuple[Column[Needy, Style], ...] = (
    Column("", lambda row, style: Cell(style.glyph(*GLYPHS[row.group]), _hue(row))),
    Column("id", lambda row, style: shown_id(row.conversation, style)),
    Column("state", lambda row, _: Cell(row.word, _hue(row))),
    Column("changed", lambda row, style: style.when(updated_text(row.conversation)), right=True),
    Column("title", lambda row, _: title(row.conversation), share=1),
)

_SERVER: Column[Needy, Style] = Column("server", lambda row, _: row.conversation.server)
