"""The footer's hints, from the session alone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from oh_tui.api.models import Sandbox
from oh_tui.catalog.attributes import ORDERS
from oh_tui.catalog.conversation_order import Sorting
from oh_tui.catalog.conversation_query import parse
from oh_tui.conversation import Conversation
from oh_tui.settings.startup import Settings
from oh_tui.tui.hints import key_hints
from oh_tui.tui.session import Session
from tests.tui.explorer import explore

ZIPS = SimpleNamespace(gives_zips=True)
"""The runs of a server."""

ONE = Conversation(id="1" * 32, sandbox_id="box", sandbox_status="RUNNING")


def made(conversation: Conversation, *, read_only: bool = False) -> Session:
    session = Session(Settings(read_only=read_only))
    source: Any = SimpleNamespace(agents=object(), sandboxes=object(), remote=ZIPS)
    session.source, session.current, session.pane = source, conversation, "timeline"
    session.is_reading = True  # steps may come
    status = conversation.sandbox_status
    session.sandboxes.take([Sandbox(id="box", status=status)], 0.0)
    return session


def labels(session: Session, *, zoom: str = "") -> set[str]:
    left, _ = key_hints(session, zoom=zoom, followed=False)
    return {f"{hint.key} {hint.label}" for hint in left}


@pytest.mark.parametrize(
    ("status", "label"),
    [
        ("waiting_for_confirmation", "a answer"),
        ("running", "P stop agent"),
        ("paused", "P continue agent"),
    ],
)
def test_keys_of_agents_are_named_by_what_they_would_do(status: str, label: str) -> None:
    conversation = replace(ONE, execution_status=status)
    assert {label, "m message", "p pause sandbox"} <= labels(made(conversation))
    assert not {label, "m message", "p pause sandbox"} & labels(made(conversation, read_only=True))


def test_an_agent_in_a_paused_sandbox_can_be_written_to() -> None:
    named = labels(made(replace(ONE, sandbox_status="PAUSED", execution_status="paused")))
    assert {"m message", "p resume sandbox"} <= named
    assert not any(one.startswith(("a ", "P ")) for one in named)


def test_enter_reads_a_step_whole_and_makes_it_smaller_again() -> None:
    session = made(ONE)
    assert "enter read whole" in labels(session)
    session.pane = "detail"
    assert "enter smaller" in labels(session, zoom="detail")


def test_without_steps_no_key_that_looks_at_one_is_named() -> None:
    session = made(ONE)
    assert {"/ find", "e next error", "V context"} <= labels(session)
    session.is_reading = False
    named = labels(session)
    assert "enter read again" in named
    assert not {one.split()[0] for one in named} & set("/e&cTVHCSFwR")


async def test_the_next_error_is_named_where_there_is_one() -> None:
    async with explore(size=(160, 48)) as it:
        for title, has in (("Explain the retry policy", False), ("Fix the add function", True)):
            await it.open(title)
            await it.until(lambda: it.screen.session.run and it.screen.session.run.study)
            await it.settle()
            assert ("e next error" in it.footer) is has, title
            await it.press("escape")


async def test_while_there_are_hits_the_next_is_named_first() -> None:
    async with explore(size=(80, 24)) as it:
        await it.open("Fix the add function")
        await it.press("slash")
        await it.type("pytest")
        await it.press("enter")
        assert it.footer.startswith(" n next hit ")
        await it.press("escape")
        assert "n next hit" not in it.footer


async def test_after_a_zoom_the_footer_says_what_enter_does_now() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open("Fix the add function")
        await it.press("4")
        assert "enter whole screen" in it.footer
        await it.press("z")
        assert "enter smaller" in it.footer


def test_while_steps_are_selected_the_keys_are_those_of_the_selection() -> None:
    session = made(ONE)
    cursors: Any = SimpleNamespace(selecting=True, listed=ONE, sandbox=None, automation=None)
    session.cursors = cursors
    assert "esc drop it" in labels(session)
    assert "p pause sandbox" not in labels(session)


def first(session: Session) -> str:
    left, _ = key_hints(session, zoom="", followed=False)
    return f"{left[0].key} {left[0].label}"


def test_the_key_that_matters_in_this_state_stands_first() -> None:
    session = made(replace(ONE, execution_status="waiting_for_confirmation"))
    assert first(session) == "a answer"
    session = made(replace(ONE, execution_status="paused"))
    assert first(session) == "P continue agent"
    session.pane = "conversations"
    session.current, session.all_listed = None, True
    assert first(session) == "ctrl+n new conversation"


PANES = ("conversations", "sandboxes", "automations", "timeline", "detail")
AGENTS = (
    None,
    "waiting_for_confirmation",
    "running",
    "paused",
    "finished",
    "error",
    "stuck",
    "idle",
)
BOXES = ("RUNNING", "PAUSED", "MISSING", "STARTING", "ERROR")


def states() -> Iterator[Session]:
    """A session in each state that the footer tells apart: of agent and sandbox, with and without
    rights, conversation, server, marks, filter and order."""
    for agent, box, read_only in product(AGENTS, BOXES, (False, True)):
        yield made(replace(ONE, execution_status=agent, sandbox_status=box), read_only=read_only)
    for pane, remote in product(PANES, (True, False)):
        for change in ("nothing", "files", "marks", "query", "order", "selecting", "follow"):
            session = made(replace(ONE, execution_status="running"))
            source: Any = session.source
            source.remote = ZIPS if remote else None
            session.pane = pane
            match change:
                case "nothing":
                    session.current, session.all_listed = None, True
                case "files":
                    source.agents = source.sandboxes = source.remote = None
                case "marks":
                    session.marks = frozenset({ONE.id})
                case "query":
                    session.listing.set_query(parse("is:failed"))
                case "order":
                    session.listing.set_order(Sorting(ORDERS["cost"]))
                case "selecting":
                    cursors: Any = SimpleNamespace(
                        selecting=True, listed=ONE, sandbox=None, automation=None
                    )
                    session.cursors = cursors
            yield session


async def test_at_80_columns_four_keys_and_the_help_are_named_in_every_pane_and_state() -> None:
    async with explore(size=(80, 24)) as it:
        footer = it.screen.footer
        footer.clear()
        for session, pane, zoom in product(states(), PANES, ("", "detail")):
            session.pane = pane
            footer.hints, footer.always = key_hints(session, zoom=zoom, followed=True)
            line = footer.render_line(0).text
            named = [hint.key for hint in footer.hints[:4]]
            assert len(named) == 4
            assert all(f" {key} " in line for key in (*named, "?")), line


def test_where_few_keys_do_something_the_next_pane_and_the_palette_are_named() -> None:
    session = Session(Settings())
    session.pane = "sandboxes"
    left, _ = key_hints(session, zoom="", followed=False)
    assert [hint.label for hint in left] == ["open", "show gone", "refresh", "next pane"]


def test_a_list_without_rows_has_nothing_to_open() -> None:
    session = made(ONE)
    session.pane = "conversations"
    assert "enter open" in labels(session)
    session.listing.set_query(parse("nothing like it"))
    assert not session.listed and "enter open" not in labels(session)


async def test_a_wide_footer_of_the_list_names_the_searches_last() -> None:
    async with explore(size=(150, 36)) as it:
        await it.press("1")
        await it.until(lambda: "* search all runs" in it.footer)
        assert it.footer.index("r refresh") < it.footer.index("* search all runs")
        assert "& filter" in it.footer
