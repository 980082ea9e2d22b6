"""Problems: refusals, unreachable servers, broken files, hostile texts, empty runs."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from oh_tui.api import AppServer, Secret
from oh_tui.demo import Demo
from oh_tui.demo.catalog import ENTRIES
from oh_tui.demo.servers.app_writes import START_TASK_IDS
from oh_tui.settings.startup import Settings
from oh_tui.sources.file_source import FileSource
from oh_tui.sources.server import ServerSource
from oh_tui.text.problem import Problem
from tests.tui.explorer import AT_ONCE, NOW, Between, explore

OAUTH = "Add OAuth login"
BROKEN = "Backfill invoice numbers"
PAGE = "<!doctype html><html><body>Sign in</body></html>"
EVENTS = "GET /api/v1/conversation/*/events/*"
IDS = {entry.title: entry.id for entry in ENTRIES}


# The whole server


async def test_the_pane_of_a_server_that_is_not_there_names_the_key_that_helps() -> None:
    demo = Demo(NOW)
    between = Between()
    between.answer("GET */app-conversations/search", 404)

    def source() -> ServerSource:
        api = AppServer("http://app.test", app=between(demo.app), retries=AT_ONCE)
        return ServerSource(api, "test")

    async with explore(source=source) as it:
        await it.until(lambda: "Could not list" in it.text("#conversations"))
        assert it.text("#conversations").rstrip().endswith("r tries again")
        between.answers.clear()
        await it.press("r")
        await it.until(lambda: OAUTH in it.text("#conversations"))


async def test_a_key_that_is_wanted_is_not_asked_for_by_the_same_call() -> None:
    between = Between()
    between.answer("*", 401, '{"detail": "Unauthorized"}', "application/json")

    def source() -> ServerSource:
        app = between(lambda scope, receive, send: receive())  # type: ignore[arg-type,return-value]
        return ServerSource(AppServer("http://app.test", app=app, retries=AT_ONCE), "test")

    async with explore(source=source) as it:
        await it.until(lambda: "OPENHANDS_API_KEY" in it.text("#conversations"))
        assert "r tries again" not in it.text("#conversations")


async def test_a_wrong_key_is_named_in_the_pane_and_in_the_footer() -> None:
    between = Between()
    between.answer("*", 401, '{"detail": "Unauthorized"}', "application/json")

    def source() -> ServerSource:
        app = between(lambda scope, receive, send: receive())  # type: ignore[arg-type,return-value]
        key = Secret("sk-oh-7Qz1vX9mKp4RtL2w")
        return ServerSource(AppServer("http://app.test", key=key, app=app, retries=AT_ONCE), "test")

    async with explore(source=source) as it:
        for place in (it.text("#conversations"), it.footer):
            assert "app.test does not accept this key" in re.sub(r"\s+", " ", place)
        assert "Check that the key is for this server" in re.sub(
            r"\s+", " ", it.text("#conversations")
        )
        assert "r tries again" not in it.text("#conversations"), "it would fail again"
        assert "7Qz1vX9mKp4RtL2w" not in "".join(strip.text for strip in it.strips())
        await it.press("escape")
        assert "q quit" in it.footer
        await it.press("j", "enter", "p", "d", "e", "x", "y", "escape", "2", "3", "4")
        assert it.app.is_running


async def test_an_error_is_there_whole_and_leaves_the_line_as_it_was() -> None:
    error = "The sandbox failed, because of this and of that: " + "read on, " * 20 + "press r"
    async with explore(size=(80, 24)) as it:
        hints = it.footer
        it.screen.footer.tell(error, error=True)
        await it.pilot.pause()
        assert it.footer.strip() == error
        it.screen.footer.tell(wide := "日本語 " * 30, error=True)
        await it.pilot.pause()
        assert "".join(it.footer.split()) == "".join(wide.split())
        await it.press("escape")
        assert it.footer == hints
        assert it.screen.footer.size.height == 1


async def test_news_take_the_whole_line_from_the_keys() -> None:
    news = "nothing waits for your answer: the agent has finished: m goes on with one"
    async with explore(size=(80, 24)) as it:
        it.screen.footer.tell(news)
        assert it.footer.strip() == news


async def test_a_web_page_in_place_of_an_answer_is_said_to_be_one() -> None:
    between = Between()
    between.answer("*", 200, PAGE, "text/html")
    async with explore(wrap=between) as it:
        assert "web page" in it.text("#conversations").lower() + it.footer.lower()
        assert "<html>" not in it.footer
        between.answers.clear()
        await it.press("r")
        assert "Flaky CI on main" in it.text("#conversations"), "r tries again"
        assert "42 conversations" in it.text("#header")
        assert "9 up" in it.text("#sandboxes-rule")
        assert it.screen.timeline.row_count() or it.screen.timeline.empty


async def test_a_server_that_cannot_be_reached_is_named() -> None:
    def source() -> ServerSource:
        return ServerSource(AppServer("http://127.0.0.1:9", retries=AT_ONCE), "127.0.0.1:9")

    async with explore(source=source) as it:
        assert "127.0.0.1:9" in it.footer
        assert it.screen.footer.history[-1][1]
        # What was not read is not said to be nothing.
        assert "sandbox is" not in it.text("#sandboxes-rule")
        assert "0" not in it.text("#conversations-rule")


async def test_a_source_that_cannot_be_made_can_be_tried_again() -> None:
    tried: list[int] = []

    def source() -> FileSource:
        tried.append(1)
        raise Problem("The key holds a line break", "set it anew")

    async with explore(source=source) as it:
        assert "The key holds a line break: set it anew" in it.footer
        await it.press("r")
        assert len(tried) == 2


async def test_sandboxes_that_cannot_be_listed_leave_the_conversations() -> None:
    between = Between()
    between.answer("GET /api/v1/sandboxes/search", 500, '{"detail": "no docker"}')
    async with explore(wrap=between) as it:
        assert "no docker" in it.footer
        assert "Flaky CI on main" in it.text("#conversations")
        await it.open(BROKEN)
        assert it.screen.timeline.row_count() == 12
        between.answers.clear()
        await it.press("r")
        assert "9 up" in it.text("#sandboxes-rule")


# One call only


async def test_one_call_that_fails_leaves_the_rest_of_the_screen() -> None:
    between = Between()
    between.answer(EVENTS, 500, '{"detail": "disk on fire"}', "application/json")
    async with explore(wrap=between) as it:
        await it.open(BROKEN)
        assert "disk on fire" in it.text("#timeline")
        assert "disk on fire" in it.footer
        assert BROKEN in it.text("#run-rule")
        assert BROKEN in it.text("#conversations")
        await it.press("j", "x", "x", "t", "e", "u", "J", "enter", "R", "R", "1")
        assert "disk on fire" in it.footer, "an error stays"
        await it.press("3", "escape")
        assert "disk on fire" not in it.footer
        assert it.screen.session.pane == "timeline"
        between.answers.clear()
        await it.press("r")
        assert it.screen.timeline.row_count() == 12
        assert "12 steps" in it.text("#timeline-rule")


async def test_a_reading_that_breaks_off_keeps_what_came_and_says_so() -> None:
    between = Between()
    between.answer(
        "GET /api/v1/app-conversations/*/download", 503, '{"detail": "busy"}', "application/json"
    )
    async with explore(wrap=between) as it:
        await it.open("Raise the coverage of billing")
        assert it.screen.timeline.row_count() > 0
        assert "broken off · r reads on" in it.text("#timeline-rule")
        assert "busy" in it.footer
        await it.press("escape")
        assert "busy" not in it.footer
        between.answers.clear()
        await it.press("r")
        assert it.screen.timeline.row_count() == 843


async def test_an_agent_server_that_fails_is_replaced_by_the_app_server() -> None:
    between = Between()
    between.answer("GET /runtime/*", 503, "no server is available")
    async with explore(wrap=between) as it:
        await it.open(OAUTH)
        assert it.screen.timeline.row_count() == 18
        assert "from the app server" in it.text("#timeline-rule")
        assert any("may lag" in text for text, _ in it.screen.footer.history)


async def test_lists_that_fail_later_stay_as_they_were() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        rows = it.screen.sidebar.conversations
        between.answer("GET /api/v1/app-conversations/search", 502, "")
        await it.press("r")
        assert "is not ready" in it.footer
        assert it.screen.sidebar.conversations == rows


# No key


async def test_without_a_key_the_demo_is_a_key_away() -> None:
    async with explore(has_key=False) as it:
        question = it.text("#question")
        assert "app.all-hands.dev needs a key" in question
        assert "OPENHANDS_API_KEY" in question
        await it.press("d")
        await it.until(lambda: it.screen.timeline.row_count() or it.screen.sidebar.conversations)
        await it.settle()
        assert not it.screen.asking.question_bar.display
        assert "Flaky CI on main" in it.text("#conversations")


async def test_without_a_key_a_file_can_be_opened_by_its_path(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.zip", [message("one", "Say hello.")])
    async with explore(has_key=False) as it:
        await it.press("o")
        it.screen.asking.find_input.value = str(path)
        await it.press("enter")
        await it.until(it.screen.timeline.row_count)
        await it.settle()
        assert "Say hello." in it.text("#timeline")


async def test_without_a_key_q_quits_and_esc_leaves_a_word_on_what_to_do() -> None:
    async with explore(has_key=False) as it:
        await it.press("escape")
        assert "export OPENHANDS_API_KEY=" in it.text("#conversations")
        await it.send("q")
        await it.until(lambda: it.app.return_value == 0)
    async with explore(has_key=False) as it:
        await it.send("q")
        await it.until(lambda: it.app.return_value == 0)


async def test_a_path_that_is_nothing_says_so(tmp_path: Path) -> None:
    async with explore(has_key=False) as it:
        await it.press("o")
        it.screen.asking.find_input.value = str(tmp_path / "none.zip")
        await it.press("enter")
        await it.until(lambda: it.screen.footer.history)
        assert "none.zip" in it.footer


async def test_a_conversation_that_is_not_there_is_named() -> None:
    async with explore(open_id="0123456789abcdef0123456789abcdef") as it:
        assert "There is no conversation 0123456789abcdef" in it.footer
        assert "Flaky CI on main" in it.text("#conversations")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "the id of a start that is not over: preparing the repository"),
        (1, ""),
        (2, "the id of a start that failed: 500: Sandbox not found: nope"),
    ],
)
async def test_the_id_of_a_start_is_known_as_one(number: int, words: str) -> None:
    async with explore(open_id=START_TASK_IDS[number].replace("-", "")) as it:
        if words:
            assert words in it.footer
        else:
            assert it.screen.session.current
            assert it.screen.session.current.title == "Flaky CI on main"
            assert it.screen.session.pane == "timeline"


# Files


def write(path: Path, events: list[dict[str, Any] | bytes], **meta: Any) -> Path:
    """A trajectory zip as the app server makes it."""
    with zipfile.ZipFile(path, "w") as archive:
        for number, event in enumerate(events):
            raw = event if isinstance(event, bytes) else json.dumps(event).encode()
            archive.writestr(f"event_{number:06}_{number:032x}.json", raw)
        archive.writestr("meta.json", json.dumps({"id": "5" * 32, **meta}))
    return path


def message(name: str, text: str, second: int = 0) -> dict[str, Any]:
    return {
        "id": name,
        "kind": "MessageEvent",
        "source": "user",
        "timestamp": f"2026-03-01T10:00:{second:02}",
        "llm_message": {"role": "user", "content": [{"type": "text", "text": text}]},
    }


EVIL = (
    "\x1b]0;owned\x07\x1b[2J\x1b[31m[/b][red]x[/red]\x9b1m\u202egnp\u202c\u2066i\u200b\x00\x08\ud800"
    " 日本語 👩‍👩‍👧‍👦 e\u0301\u0301 \r\n\t\x85\u2028end [link=https://evil.example]"
)


def hostile_events() -> list[dict[str, Any] | bytes]:
    action = {
        "id": "call" + EVIL,
        "kind": "ActionEvent",
        "source": EVIL,
        "timestamp": EVIL,
        "tool_name": EVIL,
        "tool_call_id": EVIL,
        "llm_response_id": EVIL,
        "summary": EVIL,
        "thought": [{"type": "text", "text": EVIL}],
        "action": {"kind": "ExecuteBashAction", "command": EVIL, EVIL: EVIL},
        "security_risk": EVIL,
        "tool_call": {"id": EVIL, "name": EVIL, "arguments": EVIL},
    }
    return [
        message("m", EVIL),
        action,
        {
            "id": "result",
            "kind": "ObservationEvent",
            "timestamp": "2026-03-01T10:00:01",
            "action_id": "call" + EVIL,
            "tool_call_id": EVIL,
            "tool_name": EVIL,
            "observation": {
                "kind": "ExecuteBashObservation",
                "command": EVIL,
                "exit_code": 1,
                "content": [{"type": "text", "text": EVIL * 40}],
                "metadata": {"working_dir": EVIL, "exit_code": 1},
            },
        },
        {**action, "id": "b", "tool_call_id": "b", "action": {"kind": EVIL, "path": EVIL}},
        {**action, "id": "c", "tool_call_id": "c", "action": None, "tool_name": "[/]"},
        {"id": "d", "kind": EVIL, "timestamp": "not a time", EVIL: [EVIL]},
        {"id": "e", "kind": "AgentErrorEvent", "error": EVIL, "tool_call_id": "c"},
        {"id": "f", "kind": "ConversationErrorEvent", "code": EVIL, "detail": EVIL},
        {"id": "g", "kind": "ConversationStateUpdateEvent", "key": EVIL, "value": EVIL},
        {
            "id": "h",
            "kind": "ObservationEvent",
            "action_id": "nowhere",
            "observation": {
                "kind": "FileEditorObservation",
                "path": EVIL,
                "old_content": EVIL,
                "new_content": EVIL + "2",
                "content": [{"type": "text", "text": EVIL}],
            },
        },
        b"no json at all \x1b[31m \xff",
        b'{"id": 5, "kind": ["x"], "timestamp": {}}',
        b"null",
    ]


HARMLESS = re.compile(
    r"[^\x00-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff]*"
)


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("size", [(160, 48), (100, 30), (61, 17)])
async def test_hostile_texts_stay_texts_in_every_pane(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    path = write(
        tmp_path / "evil.zip",
        hostile_events(),
        title=EVIL,
        selected_repository=EVIL,
        selected_branch=EVIL,
        llm_model=EVIL,
        created_at=EVIL,
        metrics=EVIL,
    )

    def check(where: str) -> None:
        for strip in it.strips():
            assert HARMLESS.fullmatch(strip.text), (where, strip.text)
            assert cell_len(strip.text) == strip.cell_length, (where, strip.text)
        for widget in ("timeline", "conversations", "run-rule", "call-rule", "result-rule"):
            pane = it.screen.query_one(f"#{widget}")
            widths = {pane.render_line(y).cell_length for y in range(pane.size.height)}
            assert widths <= {pane.size.width, pane.scrollable_content_region.width}, where

    async with explore(source=lambda: FileSource([path]), size=size) as it:
        await it.press("enter", "x")
        timeline = it.screen.timeline
        assert timeline.row_count() == 13
        for row in range(timeline.row_count()):
            timeline.move_to(row)
            await it.settle()
            check(f"event {row}")
        timeline.show_events = False
        for row in range(timeline.row_count()):
            timeline.move_to(row)
            await it.settle()
            check(f"step {row}")
        timeline.move_to(1)
        await it.press("R", "4", "z")
        check("JSON")
        await it.press("y", "j")
        await it.press("y", "o")
        it.app.clipboard.encode()
        assert not any(ord(c) < 32 and c not in "\n\t" for c in it.app.clipboard)


async def test_a_server_full_of_hostile_words_stays_words() -> None:
    def evil(number: int) -> dict[str, Any]:
        return {
            "id": f"{number:032x}",
            "title": EVIL * (number + 1),
            "sandbox_id": EVIL,
            "sandbox_status": EVIL,
            "execution_status": EVIL,
            "selected_repository": EVIL,
            "selected_branch": EVIL,
            "llm_model": EVIL,
            "conversation_url": EVIL,
            "session_api_key": EVIL,
            "created_at": EVIL,
            "updated_at": "2026-11-24T99:99:99Z",
        }

    between = Between()
    talks, boxes = "GET /api/v1/app-conversations/", "GET /api/v1/sandboxes/"
    page = {"items": [*map(evil, range(4)), None, 5, {"id": None}], "next_page_id": None}
    between.answer(f"{talks}search", 200, json.dumps(page), "application/json")
    box = {"items": [{"id": EVIL, "status": EVIL, "created_at": EVIL}], "next_page_id": None}
    between.answer(f"{boxes}search", 200, json.dumps(box), "application/json")
    between.answer("GET /api/v1/conversation/*", 500, json.dumps({"detail": EVIL}))
    async with explore(wrap=between) as it:
        for key in ("j", "enter", "2", "j", "p", "4", "z", "z", "1", "z"):
            await it.press(key)
            for strip in it.strips():
                assert HARMLESS.fullmatch(strip.text), (key, strip.text)
                assert cell_len(strip.text) == strip.cell_length, (key, strip.text)


async def test_a_truncated_zip_says_what_was_lost(tmp_path: Path) -> None:
    path = write(tmp_path / "cut.zip", [message(f"m{n}", f"Number {n}.", n) for n in range(40)])
    path.write_bytes(path.read_bytes()[:-6000])
    async with explore(source=lambda: FileSource([path])) as it:
        await it.press("enter")
        assert 0 < it.screen.timeline.row_count() < 40
        assert "Number 30." in it.text("#timeline")
        words = " ".join(text for text, _ in it.screen.footer.history) + it.text("#timeline-rule")
        assert re.search(r"cut|broken|truncated|lost|missing|damaged|incomplete", words), words


async def test_a_zip_that_is_none_among_others_hides_none_of_them(tmp_path: Path) -> None:
    write(tmp_path / "a.zip", [message("m", "Say hello.")], title="The good one")
    (tmp_path / "b.zip").write_bytes(b"not a zip")
    async with explore(source=lambda: FileSource([tmp_path])) as it:
        assert "The good one" in it.text("#conversations")
        assert any("b.zip" in text for text, _ in it.screen.footer.history), "and it is named"


# Nothing there


async def test_an_empty_conversation_says_why() -> None:
    async with explore() as it:
        await it.open("Docs: dark mode")
        assert "the sandbox is starting" in it.text("#timeline")
        await it.open("Docker follow-ups")
        await it.press("j", "k", "e", "u", "enter", "R", "w", "z", "z", "x", "t", "y", "escape")
        assert it.app.is_running


async def test_an_untitled_conversation_without_events_can_be_opened() -> None:
    async with explore() as it:
        it.screen.sidebar.highlight(IDS[None])
        it.screen.focus_pane("conversations")
        await it.press("enter")
        assert "untitled" in it.text("#run-rule")
        assert "no events" in it.text("#timeline")
        assert "keeps none" in it.text("#timeline")


async def test_a_server_without_conversations_says_what_to_do() -> None:
    between = Between()
    empty = '{"items": [], "next_page_id": null}'
    between.answer("GET /api/v1/app-conversations/search", 200, empty, "application/json")
    between.answer("GET /api/v1/app-conversations/count", 200, "0", "application/json")
    between.answer("GET /api/v1/sandboxes/search", 200, empty, "application/json")
    async with explore(wrap=between, settings=Settings()) as it:
        assert "no conversations yet" in it.text("#conversations")
        assert "ctrl+n starts one" in it.text("#conversations")
        assert "no sandbox is up" in it.text("#sandboxes-rule")
        keys = "j k g G enter p d y escape slash escape n x 2 j enter p 3 j e [ ] enter 4 z z R r f"
        names = {"[": "left_square_bracket", "]": "right_square_bracket"}
        await it.press(*(names.get(key, key) for key in keys.split()))
        assert it.app.is_running
        assert "0 conversations" in it.text("#header")
