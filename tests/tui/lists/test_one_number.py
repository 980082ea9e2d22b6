"""One number for one word: header, headings, `status`, `is:`, `conversations` and board agree."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oh_tui.batch import run_stats
from oh_tui.catalog import conversation_query
from oh_tui.catalog.filter_words import Subject
from oh_tui.catalog.needy import needy
from oh_tui.catalog.run_status import WORDS, Group, RunStatus
from oh_tui.catalog.status_cache import LastKnown, LastKnownStates
from oh_tui.conversation import Conversation
from oh_tui.settings.startup import Settings
from oh_tui.trajectory.glyphs import UNICODE
from oh_tui.tui.session import Session
from oh_tui.tui.state.across_runs.passes import SourceRuns
from oh_tui.tui.state.loaded_conversations import LoadedConversations
from oh_tui.tui.totals import totals
from oh_tui.tui.widgets.conversation_list import ConversationList
from tests.tui.acting.test_answering import OAUTH, opened
from tests.tui.explorer import Explorer, case, explore

NOW = 1_800_000_000.0
IDS = [f"{number:032x}" for number in range(8)]
STATES = ["idle", "running", "paused", "waiting_for_confirmation", "finished", "error", "stuck",
          "deleting", "levitating", None]  # fmt: skip
SANDBOXES = ["RUNNING", "STARTING", "PAUSED", "MISSING", "ERROR", "FROZEN", None]
OTHERS = [None, *IDS[:4]]
OUTCOMES = ["", "levitating", *RunStatus]

conversation = st.builds(
    Conversation,
    title=st.just("a"),
    execution_status=st.sampled_from(STATES),
    sandbox_status=st.sampled_from(SANDBOXES),
    parent_conversation_id=st.sampled_from(OTHERS),
    forked_from_conversation_id=st.sampled_from(OTHERS),
    created_at=st.just("2026-01-01T00:00:00Z"),
    updated_at=st.sampled_from(["2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"]),
)
known = st.builds(
    LastKnown,
    outcome=st.sampled_from(OUTCOMES),
    when=st.sampled_from([0.0, NOW]),
    opened=st.sampled_from([0.0, 1.0, NOW]),
    silent=st.sampled_from([None, NOW - 900]),
)
listing = st.lists(conversation, max_size=len(IDS)).map(
    lambda rows: [_named(row, id) for row, id in zip(rows, IDS, strict=False)]
)


def _named(one: Conversation, id: str) -> Conversation:
    return Conversation(**{**{n: getattr(one, n) for n in one.__struct_fields__}, "id": id})


def said(session: Session) -> dict[str, int]:
    """The numbers of the header by their words."""
    text = "".join(text for text, _ in totals(session, UNICODE)[0])
    found = {word: number for number, word in re.findall(r"([\d,]+) (?:of them )?(\w+)", text)}
    return {"waiting" if word.startswith("wait") else word: int(n) for word, n in found.items()}


def asked(session: Session, words: str) -> int:
    query = conversation_query.parse(words)
    assert query
    rows = session.loaded.rows
    return sum(bool(query.matches(Subject(r.conversation, r.state, NOW))) for r in rows)


def headings(listed: ConversationList, session: Session) -> dict[str, int]:
    """The numbers beside the headings of the list."""
    listed.set_reactive(ConversationList.rows, session.loaded.rows)
    listed._lay_out()
    return dict(listed._headings.values())


def on_board(session: Session) -> dict[str, int]:
    """Of runs of which no event says how they ended."""
    runs: Any = SourceRuns._make([None] * len(SourceRuns._fields))
    runs = runs._replace(loaded=session.loaded)
    verdicts = Counter(runs.listed_verdict(one.id) for one in session.conversations)
    nothing: Any = [None] * len(run_stats.Group._fields)
    group = run_stats.Group(*nothing)._replace(endings=verdicts)
    return {"failed": group.failed, "finished": group.finished}


@pytest.mark.slow
@settings(max_examples=300)
@given(st.lists(listing, min_size=1, max_size=3), st.lists(known, max_size=len(IDS)), st.data())
def test_all_places_agree(
    readings: list[list[Conversation]], remembered: list[LastKnown], data: Any
) -> None:
    seen = dict(zip(IDS, remembered, strict=False))
    session, listed = Session(Settings(), clock=lambda: NOW), ConversationList()
    session.loaded = LoadedConversations(LastKnownStates(last_known=seen))
    for reading in readings:
        session.loaded.take(reading)
        if session.loaded.rows and data.draw(st.booleans()):
            one = data.draw(st.sampled_from(session.loaded.rows))
            session.loaded.open(one.id)
        if data.draw(st.booleans()):
            session.loaded.reorder()
    in_header, beside, board = said(session), headings(listed, session), on_board(session)
    known = session.loaded.last_known
    counts, rows = needy(session.conversations, lambda one: known.get(one.id))
    in_table = Counter(row.group for row in rows)
    for word in ("waiting", "failed", "running", "silent"):
        number = asked(session, f"is:{word}")
        assert in_header.get(word, 0) == getattr(counts, word) == number, word
        if word != "silent":
            assert in_table[word] == number, word
    if any(row.group is Group.RUNNING for row in session.loaded.rows):
        assert beside["running"] == asked(session, "is:running")
    if any(row.group is Group.NEEDS_YOU for row in session.loaded.rows):
        assert beside["needs you"] == asked(session, "is:needs")
    for word in ("failed", "finished"):
        assert board[word] == asked(session, f"is:{word}")
    for row in session.loaded.rows:
        assert row.line or row.status is RunStatus.UNKNOWN, "no second line is blank"
        words = [word for word, statuses in WORDS.items() if row.status in statuses]
        assert all(asked(session, f"is:{word}") for word in words)


def agree(it: Explorer) -> None:
    session, text = it.screen.session, it.text("#header")
    rows = [row for row in session.loaded.rows if row.tall]
    for word in ("failed", "running"):
        found = re.search(rf"(\d+) {word}", text)
        assert int(found[1]) if found else asked(session, f"is:{word}") == 0
    found = re.search(r"^ running +(\d+)$", it.text("#conversations"), re.MULTILINE)
    assert (int(found[1]) if found else 0) == asked(session, "is:running")
    for row in rows:
        assert row.line


async def test_they_agree_while_the_runs_of_the_demo_go_on() -> None:
    async with explore(size=(160, 50)) as it:
        it.screen.session.clock = it.demo.world.clock.now
        for seconds in (0, 2, 5, 30, 60, 300, 3000):
            with case(seconds):
                it.demo.advance(seconds)
                it.screen.controllers.conversations.schedule.ask()
                await it.settle()
                agree(it)


async def test_a_row_that_was_answered_moves_though_its_list_has_the_keys() -> None:
    """It went on and finished, and still stood among those that need somebody."""
    async with explore(size=(160, 50)) as it:
        it.screen.session.clock = it.demo.world.clock.now
        await opened(it, OAUTH)
        await it.press("1")
        places = [row.id for row in it.screen.session.loaded.rows]
        await it.press("a", "y", "enter")
        await it.until(lambda: "approved" in it.footer)
        loaded = it.screen.session.loaded

        def group() -> Group:
            return next(row.group for row in loaded.rows if row.conversation.title == OAUTH)

        assert it.screen.session.pane == "conversations" and group() is Group.RUNNING
        it.demo.advance(600)
        it.screen.controllers.conversations.schedule.ask()
        await it.settle()
        assert group() not in (Group.RUNNING, Group.NEEDS_YOU)
        others = [row.id for row in loaded.rows if row.conversation.title != OAUTH]
        moved = set(places) - set(others)
        assert others == [one for one in places if one not in moved], "all others stay"
