"""Conversations and Sandboxes: their content, how they are read, and that rows stay put."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from oh_tui.api import AppServer
from oh_tui.api.models import Page, Sandbox
from oh_tui.catalog.run_status import Group, RunStatus
from oh_tui.conversation import Conversation
from oh_tui.demo import Demo
from oh_tui.demo.catalog import ENTRIES
from oh_tui.settings.startup import Settings
from oh_tui.sources.file_source import FileSource
from oh_tui.sources.server import ServerSource
from oh_tui.sources.server_runs.loading import ServerRuns
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.tui.state.conversation_rows import Row
from oh_tui.tui.widgets.conversation_list import ConversationList, title_of
from tests.tui.explorer import NOW, Between, Explorer, explore
from tests.work import counted

FLAKY = "Flaky CI on main"
LEDGER = "Rename Store to Ledger"
IDS = {entry.title: entry.id for entry in ENTRIES}
LEDGER_ID = IDS[LEDGER]
CACHE_ID = IDS["Cache the docker layers"]


async def test_the_first_screen_shows_both_lists_and_the_first_run() -> None:
    async with explore() as it:
        assert "Parse ISO week dates" in it.text("#conversations")
        assert "✗ Parse ISO week dates" in it.text("#conversations")
        header = it.text("#header")
        assert "42 conversations" in header and "at least $" in header
        assert "42" in it.text("#conversations-rule"), "sub-conversations too"
        assert "of" not in it.text("#conversations-rule").partition("Conversations")[2]
        assert "9 up" in it.text("#sandboxes-rule")
        assert it.screen.session.current is not None
        assert it.screen.session.current.id == it.screen.sidebar.conversations[0].id


async def test_resting_on_a_conversation_shows_its_run_without_enter() -> None:
    async with explore() as it:
        wanted = ["Add OAuth login"]

        def is_shown() -> bool:
            return (
                it.screen.session.current is not None
                and it.screen.session.current.title == wanted[-1]
            )

        for title in ("Parse ISO week dates", "Nightly dependency bump", FLAKY):  # each time
            wanted.append(title)
            await it.press("j")
            await it.until(is_shown)
        await it.settle()
        assert it.screen.timeline.row_count() > 0
        assert it.screen.session.pane == "conversations"


async def test_a_long_run_that_nobody_asked_for_is_not_read() -> None:
    async with explore() as it:
        listed = it.screen.sidebar.conversations
        long = next(c for c in listed if c.title == "Fuzz the parser over night")
        it.screen.sidebar.highlight(long.id)
        await it.until(lambda: it.screen.session.current == long)
        await it.settle()
        assert it.screen.timeline.row_count() == 0
        assert "12,000 events" in it.text("#timeline")
        assert "enter reads the newest" in it.text("#timeline")


async def test_hostile_titles_are_shown_harmless_and_in_line() -> None:
    async with explore(size=(160, 48)) as it:
        await it.press("G")
        rows = it.text("#conversations").splitlines()
        assert any("[/b] and [red]markup" in row for row in rows)
        assert "\x1b" not in "".join(rows)
        assert "\u202e" not in "".join(rows)
        widths = {it.screen.sidebar.list.render_line(y).cell_length for y in range(len(rows))}
        assert len(widths) == 1


class Looks(ServerRuns):
    """Nothing is told of the runs of those that changed."""

    def __init__(self, source: Changing) -> None:
        super().__init__(source.api)
        self.source = source

    async def peek(self, conversation: Conversation) -> Trajectory | None:
        return (
            None if conversation.title in self.source.statuses else await super().peek(conversation)
        )


class Changing(ServerSource):
    """A server on which the statuses of some conversations have just changed; on every change it
    makes them look new (measured)."""

    def __init__(self) -> None:
        demo = Demo(NOW, "everything")
        super().__init__(AppServer(demo.base_url, app=demo.app), "demo", last_known=demo.last_known)
        self.statuses: dict[str, str] = {}
        """Title -> execution status."""
        self.runs = self.remote = Looks(self)

    async def newest(self) -> Page[Conversation]:
        page = await super().newest()
        page.items = [self._now(one) for one in page.items]
        return page

    def _now(self, one: Conversation) -> Conversation:
        status = self.statuses.get(one.title or "")
        now = NOW.isoformat()
        if status is None:
            return one
        return msgspec.structs.replace(
            one, execution_status=status, created_at=now, updated_at=now, sandbox_status="RUNNING"
        )


def titles(it: Explorer) -> list[str | None]:
    return [c.title for c in it.screen.sidebar.conversations]


def group_of(it: Explorer, title: str) -> Group:
    return next(r.group for r in it.screen.session.loaded.rows if r.conversation.title == title)


async def test_rows_do_not_move_under_the_cursor_until_asked() -> None:
    source = Changing()
    async with explore(source=lambda: source) as it:
        before = titles(it)
        source.statuses = {LEDGER: "waiting_for_confirmation", FLAKY: "finished"}
        await it.press("j", "j")
        under = it.screen.sidebar.list.current
        assert under is not None
        it.screen.controllers.conversations.schedule.ask()
        await it.settle()
        assert titles(it) == before
        assert f"✓ {FLAKY}" in it.text("#conversations"), "what it shows is true at once"
        assert f"◆ {LEDGER}" in it.text("#conversations")
        assert "◆ 2 wait for you" in it.text("#header")
        await it.press("r")
        assert titles(it)[0] == LEDGER
        assert group_of(it, FLAKY) is Group.NOT_OPENED
        assert it.screen.sidebar.list.current
        assert it.screen.sidebar.list.current.id == under.id


async def test_leaving_the_pane_puts_rows_in_order_and_a_question_does_not() -> None:
    source = Changing()
    async with explore(source=lambda: source) as it:
        before = titles(it)
        source.statuses = {LEDGER: "error"}
        it.screen.controllers.conversations.schedule.ask()
        await it.settle()
        await it.press("slash", "escape")
        assert titles(it) == before
        await it.press("3")
        assert group_of(it, LEDGER) is Group.NEEDS_YOU
        assert titles(it).index(LEDGER) < titles(it).index(FLAKY)


async def test_the_groups_are_as_in_the_drawing() -> None:
    async with explore(size=(160, 48)) as it:
        await it.until(lambda: "pytest -q" in it.text("#conversations"))
        lines = it.text("#conversations").splitlines()
        assert [line.rstrip() for line in lines[:14]] == [
            " needs you                           3",
            "▌◆ Add OAuth login                  9m",
            "▌  asks: git push --force origin auth",
            " ✗ Parse ISO week dates             4m",
            "   stuck: same call and result 4 times",
            " ✗ Nightly dependency bump          2h",
            "   LLM key rejected at the first step",
            " running                             3",
            " ● Flaky CI on main               0:42",
            "   $ npm test -- --runInBand",
            " ● Migrate to pydantic 2         12:08",
            "   $ pytest -q",
            " ○ Docs: dark mode                0:05",
            "   starting",
        ]
        assert "idle                                1" in lines[14]
        assert "○ Docker follow-ups               40m" in lines[15]
        assert "finished, not opened yet            2" in lines[16]
        assert "✓ Cache the docker layers $0.21+   1h" in lines[17]
        assert "earlier                            33" in lines[19]
        assert any("· Bump eslint to 10       $0.15+   1d" in line for line in lines)
        assert any("✓ └ Migration notes        $0.13   1d" in line for line in lines)
        assert it.app.title == "oh-tui ◆1 ✗4 ●3"
        header = it.text("#header")
        assert "◆ 1 waits for you: Add OAuth login · ✗ 4 failed · at least $1" in header
        assert "● 3 running · 42 conversations · without 1 ACP run" in header


async def test_what_is_remembered_is_dim_and_what_is_told_is_not() -> None:
    async with explore() as it:
        listed = it.screen.sidebar.list
        hues = {}
        for place, row in enumerate(listed.rows):
            hues[row.conversation.title] = listed.pieces(place, 38)[0]
        assert hues["Get the Windows build green"] == ("✗", "dim")
        assert hues["Parse ISO week dates"] == ("✗", "bad")
        assert hues[LEDGER] == ("✓", "good")


async def test_the_cursor_passes_over_headings_and_second_lines() -> None:
    async with explore() as it:
        listed = it.screen.sidebar.list
        await it.press("j", "j", "j")
        assert listed.current and listed.current.title == FLAKY
        shown = [line for line in it.text("#conversations").splitlines() if line.startswith("▌")]
        assert [line[1:4] for line in shown] == ["● F", "  $"]
        await it.press("k", "k", "k", "k")
        assert listed.cursor == 0
        assert it.text("#conversations").startswith(" needs you")
        await it.press("G")
        assert listed.cursor == 41
        await it.press("g")
        assert (listed.cursor, listed.scroll_y) == (0, 0)


async def test_clicks_find_the_row_of_a_line() -> None:
    async with explore() as it:
        listed = it.screen.sidebar.list
        await it.pilot.click("#conversations", offset=(5, 6))  # the second line of the third row
        assert listed.current and listed.current.title == "Nightly dependency bump"
        await it.pilot.click("#conversations", offset=(5, 7))
        assert listed.current.title == "Nightly dependency bump", "a heading takes no click"
        await it.pilot.click("#conversations", offset=(5, 8))
        assert listed.current.title == FLAKY
        await it.settle()


@pytest.mark.parametrize("key", ["pagedown", "ctrl+d", "pageup", "ctrl+u"])
async def test_pages_move_on_in_a_pane_of_three_lines(key: str) -> None:
    async with explore(size=(100, 16)) as it:
        listed = it.screen.sidebar.list
        it.screen.sidebar.list.styles.height = 2
        await it.pilot.pause()
        listed.move_to(3)
        for _ in range(6):
            before = listed.cursor
            await it.press(key)
            if key in ("pageup", "ctrl+u"):
                assert listed.cursor < before or before == 0
            else:
                assert listed.cursor > before


async def test_find_goes_to_titles_and_to_second_lines() -> None:
    async with explore() as it:
        listed = it.screen.sidebar.list
        await it.press("slash")
        await it.type("runInBand")
        await it.press("enter")
        assert listed.current and listed.current.title == FLAKY
        await it.press("escape", "slash")
        await it.type("key rejected")
        await it.press("enter")
        assert listed.current.title == "Nightly dependency bump"


async def test_the_top_row_shows_its_beginning() -> None:
    async with explore(size=(120, 36)) as it:
        listed = it.screen.sidebar.list
        listed.scroll_to(y=2, animate=False, immediate=True, force=True)
        await it.settle()
        assert "◆ Add OAuth login" in it.text("#conversations").splitlines()[0]


async def test_what_is_found_in_a_title_is_in_sight() -> None:
    async with explore(size=(80, 24)) as it:
        await it.press("slash")
        await it.type("ERP")
        await it.press("enter")
        found = next(line for line in it.text("#conversations").splitlines() if "ERP" in line)
        assert found.startswith("▌✓ …"), found
        await it.press("slash", "ctrl+u")
        await it.type("Read the")
        await it.press("enter")
        assert "▌✓ Read the ISO dates" in it.text("#conversations"), "it begins where that shows it"


async def test_the_hits_have_the_room_of_the_number_of_runs() -> None:
    async with explore(size=(120, 36)) as it:
        await it.press("slash")
        await it.type("ERP")
        await it.press("enter")
        await it.until(lambda: "1 of 1 hit" in it.text("#conversations-rule"))
        assert it.text("#conversations-rule").startswith("━ 1 Conv")


async def test_opening_a_finished_run_makes_it_an_earlier_one_when_the_cursor_is_elsewhere() -> (
    None
):
    async with explore() as it:
        await it.open(LEDGER)
        assert group_of(it, LEDGER) is Group.NOT_OPENED, "it waits where it was for who comes back"
        assert re.search(r"not opened yet +2\b", it.text("#conversations")), "one for each row"
        await it.press("1", "k", "2")
        assert group_of(it, LEDGER) is Group.EARLIER
        await it.press("1")
        it.screen.sidebar.highlight(CACHE_ID)
        await it.until(
            lambda: it.screen.session.current and it.screen.session.current.id == CACHE_ID
        )
        await it.settle()
        assert it.screen.session.loaded.sums().counts.waiting == 1
        row = it.screen.session.loaded.row(CACHE_ID)
        assert row and not row.opened, "resting on it is not reading it"


async def test_what_was_seen_is_known_in_the_next_session(tmp_path: Path) -> None:
    kept = replace(Settings(), last_known_file=tmp_path / "oh-tui" / "seen.json")
    demo = Demo(NOW, "everything")

    def source() -> ServerSource:
        api = AppServer(demo.base_url, app=demo.app)
        return ServerSource(api, "own", address="https://own.example")

    async with explore(source=source, settings=kept) as it:
        assert group_of(it, LEDGER) is Group.NOT_OPENED
        await it.open(LEDGER)
        await it.open("Get the Windows build green")
    box = demo.world.conversations[LEDGER_ID].sandbox
    assert box
    demo.world.pause(box.id)
    demo.advance(5)
    async with explore(source=source, settings=kept) as it:
        row = it.screen.session.loaded.row(LEDGER_ID)
        assert row
        assert (row.status, row.certain, row.group) == (RunStatus.FINISHED, False, Group.EARLIER)


async def test_rows_do_not_need_the_calls_that_tell_their_second_lines() -> None:
    between = Between()
    between.answer("GET /runtime/*", 500)
    async with explore(wrap=between) as it:
        text = it.text("#conversations")
        assert "the agent works" in text
        assert not it.footer.startswith("Could")
        assert "reads" not in it.footer
        asked = between.count("GET /runtime/*/events/search")
        it.screen.controllers.conversations.schedule.ask()
        await it.settle()
        assert between.count("GET /runtime/*/events/search") <= asked + 1, "not again and again"


async def test_a_change_can_ring_and_the_first_reading_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rung: list[str] = []
    source = Changing()
    settings = replace(Settings(), notice=("osc9",))
    async with explore(source=lambda: source, settings=settings) as it:
        monkeypatch.setattr(it.app, "write_terminal", rung.append)
        it.screen.controllers.conversations.schedule.ask()
        await it.settle()
        assert rung == []
        source.statuses = {LEDGER: "waiting_for_confirmation", FLAKY: "finished", "x": "error"}
        it.screen.controllers.conversations.schedule.ask()
        await it.settle()
        it.screen.controllers.conversations.schedule.ask()
        await it.settle()
        (text,) = rung
        assert text.startswith("\x1b]9;oh-tui: 2 conversations: ")
        assert f"{FLAKY} finished" in text
        assert f"{LEDGER} waits for you" in text


async def test_by_default_nothing_rings(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Changing()
    async with explore(source=lambda: source) as it:
        monkeypatch.setattr(it.app, "bell", lambda: pytest.fail("it rang"))
        monkeypatch.setattr(it.app, "write_terminal", lambda text: pytest.fail("it rang"))
        source.statuses = {LEDGER: "error"}
        it.screen.controllers.conversations.schedule.ask()
        await it.settle()
        assert "✗ 5 failed" in it.text("#header")


async def test_ascii_marks_and_title() -> None:
    async with explore(settings=Settings(ascii=True)) as it:
        assert it.app.title == "oh-tui ?1 x4 *3"
        await it.press("space")
        assert "?#Add OAuth login" in it.text("#conversations")


async def test_files_have_a_glyph_each_and_no_groups(tmp_path: Path) -> None:
    for name, status in (("a", "stuck"), ("b", "finished")):
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            event = {"kind": "ConversationStateUpdateEvent", "id": "s", "key": "execution_status",
                     "value": status, "timestamp": "2026-03-01T10:00:00"}  # fmt: skip
            archive.writestr("event_000000_s.json", json.dumps(event))
    async with explore(source=lambda: FileSource([tmp_path])) as it:
        text = it.text("#conversations")
        assert text.splitlines()[0].startswith("▌✗ a.zip")
        assert " ✓ b.zip" in text
        assert "earlier" not in text
        assert it.app.title == "oh-tui ✗1"
        assert "space mark" in it.footer, "= compares them"
        await it.press("2")
        assert it.screen.session.pane == "conversations"
        assert "these are files: there is no sandbox" in it.footer


@pytest.mark.parametrize(
    ("files", "at", "size", "pane"),
    [
        (1, "", (160, 48), "conversations"),
        (1, "2", (160, 48), "timeline"),
        (2, "2", (160, 48), "timeline"),
        (1, "", (80, 24), "timeline"),  # a list of one would be all there is to see
        (2, "", (80, 24), "conversations"),
    ],
)
async def test_a_run_is_gone_into_where_there_is_nothing_to_choose(
    tmp_path: Path, files: int, at: str, size: tuple[int, int], pane: str
) -> None:
    for name in "ab"[:files]:
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            for number in range(3):
                event = {"kind": "MessageEvent", "id": f"m{number}", "source": "user",
                         "timestamp": f"2026-03-01T10:00:0{number}",
                         "llm_message": {"role": "user", "content": []}}  # fmt: skip
                archive.writestr(f"event_00000{number}_m{number}.json", json.dumps(event))
    async with explore(source=lambda: FileSource([tmp_path]), at=at, size=size) as it:
        assert it.screen.session.pane == pane
        if at:
            current = it.screen.timeline.current
            assert current is not None and current[0] is not None and current[0].number == 2


async def test_a_sandbox_marks_its_conversations_and_opens_the_first() -> None:
    async with explore() as it:
        await it.press("2", "j", "j", "j")
        row = it.screen.sidebar.sandbox_list.current
        assert row is not None
        assert len(row.conversations) == 2
        assert it.screen.sidebar.list.marked_sandbox == row.id
        await it.press("enter")
        assert it.screen.session.current == row.conversations[0]
        assert it.screen.session.pane == "timeline"


async def test_gone_sandboxes_are_a_number_until_x() -> None:
    async with explore() as it:
        await it.press("2")
        before = it.screen.sidebar.sandbox_list.row_count()
        assert "are gone (x)" in it.text("#sandboxes-fold")
        await it.press("x")
        assert it.screen.sidebar.sandbox_list.row_count() > before
        assert it.text("#sandboxes-fold").rstrip().endswith(" are gone"), "x does another thing"
        assert "x hide gone" in it.footer
        pane = it.screen.sidebar.sandbox_list
        assert pane.current is not None and pane.current.is_gone
        names = [
            line.split(maxsplit=1)[-1].split("…")[0] for line in it.text("#sandboxes").splitlines()
        ]
        assert any(title_of(pane.current.conversations[0]).startswith(n) for n in names)
        await it.press("x")
        assert pane.current is not None and not pane.current.is_gone


async def test_a_new_sandbox_is_seen_where_nobody_has_moved() -> None:
    async with explore() as it:
        pane, before = it.screen.sidebar.sandbox_list, it.screen.sidebar.sandboxes
        new = Sandbox(id="new", status="ERROR", created_at="2026-11-24T15:59:59Z")
        it.screen.sidebar.sandboxes = (new, *before)
        await it.settle()
        assert (pane.cursor, pane.scroll_y) == (0, 0)
        assert pane.current is not None and pane.current.id == "new"
        it.screen.sidebar.sandboxes = before
        await it.press("2")
        held = pane.current.id
        it.screen.sidebar.sandboxes = (new, *before)
        await it.settle()
        assert pane.current.id == held, "under the cursor nothing moves"


async def test_a_run_opened_with_every_event_shown_lands_on_its_step() -> None:
    async with explore() as it:
        await it.open("Parse ISO week dates")
        await it.press("x")
        await it.open("Add OAuth login")
        current = it.screen.timeline.current
        assert current and current[0]
        assert it.screen.timeline.trajectory
        assert it.screen.timeline.trajectory.outcome(current[0]) == "waiting"


def test_what_a_server_tells_of_a_conversation_is_shown_without_keys() -> None:
    key = "sk-ant-api03-abcd1234567890abcd"
    cut = f"\x1b[31mdeploy {key[:9]}\u200b{key[9:]}\n"
    one = Conversation(id="a", title=cut, selected_repository=f"o/{key}")
    assert title_of(one) == "deploy [hidden]"
    shown = ConversationList()
    shown.set_reactive(ConversationList.rows, (Row(one),))
    assert key not in shown.row_text(0)
    assert title_of(Conversation(id="a", title="\x07\n")) == "untitled"
    assert len(title_of(Conversation(id="a", title="t " * 100_000))) < 1_000


def test_a_change_of_the_list_cleans_no_titles_of_files() -> None:
    """Of 20,000, that took longer than people wait for a key."""
    shown = ConversationList()
    rows = [Conversation(id=str(n), title=f"title {n}", file_name="f") for n in range(1_000)]
    shown.set_reactive(ConversationList.rows, tuple(map(Row, rows)))
    with counted() as work:
        shown._lay_out()
    assert work.lines < 185 * len(rows)  # 205 with cleaning


async def test_a_second_line_leaves_the_last_column_free() -> None:
    async with explore(size=(160, 48)) as it:
        listed = it.screen.sidebar.list
        row = listed.rows[0]
        listed.rows = (msgspec.structs.replace(row, line="x" * 200, tall=True), *listed.rows[1:])
        _, _, second, *_ = it.text("#conversations").splitlines()
        assert second.endswith("x…")
        assert len(second) == listed.scrollable_content_region.width - 1


async def test_lists_that_arrive_while_the_app_ends_harm_nothing() -> None:
    """A worker still reports results while the screen is taken down."""
    async with explore() as it:
        loaded = it.screen.session.loaded
    with it.app._context():
        loaded.rows = loaded.rows[:1]
        it.screen.show_lists()
    assert it.screen.sidebar.rows == loaded.rows


async def test_the_time_of_what_runs_counts_up_each_second() -> None:
    def seconds(text: str) -> list[int]:
        return [60 * int(m) + int(s) for m, s in re.findall(r" (\d+):(\d\d)$", text, re.MULTILINE)]

    async with explore(size=(160, 70)) as it:
        before = seconds(it.text("#conversations"))
        it.screen.session.clock = lambda: NOW.timestamp() + 1
        it.screen.tick()
        assert before and seconds(it.text("#conversations")) == [one + 1 for one in before]
