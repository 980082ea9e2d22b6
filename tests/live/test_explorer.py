"""The explorer itself on the real server, driven by keys as a user would."""

from __future__ import annotations

import asyncio
import zipfile
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from oh_tui.api import AppServer, Secret, same_id
from oh_tui.conversation import bare_id
from oh_tui.settings.startup import Settings
from oh_tui.sources.server import ServerSource
from oh_tui.trajectory.model.event_kinds import HIDDEN_KINDS
from oh_tui.trajectory.model.steps import Outcome
from oh_tui.trajectory.model.trajectory import Trajectory
from tests.tui.explorer import Explorer, explore

from .conftest import Live
from .servers.server import LiveServer
from .test_live import TOUR, agent_of, in_sandbox, stored

pytestmark = pytest.mark.live

REFRESH = 25.0
"""Seconds in which a change that happens elsewhere must be on the screen: the lists are read
every 15 s, and a sandbox that was frozen is given 5 s to answer before."""


def connected(
    url: str, *, key: Secret | None = None, open_id: str = "", downloads: Path = Path()
) -> AbstractAsyncContextManager[Explorer]:
    settings = Settings(base_url=url, key=key, download_folder=downloads)
    place = url.partition("://")[2]
    return explore(
        source=lambda: ServerSource(AppServer(url, key=key), place),
        settings=settings,
        open_id=open_id,
        size=(160, 100),  # the server's conversations of all tests, and a whole run
    )


async def status(live: Live) -> str:
    """The sandbox's state in the server's own words."""
    found = await asyncio.to_thread(live.server.get, "/api/v1/sandboxes", id=live.sandbox)
    return str(found[0]["status"])


async def ask(live: Live, action: str) -> None:
    """Pause or resume the sandbox behind the explorer's back."""
    await asyncio.to_thread(live.server.post, f"/api/v1/sandboxes/{live.sandbox}/{action}", {})


@asynccontextmanager
async def running_again(live: Live) -> AsyncIterator[None]:
    """Whatever happens to the sandbox within, other tests find it running."""
    try:
        yield
    finally:
        await ask(live, "resume")


async def shows(it: Explorer, selector: str, *texts: str) -> None:
    """Wait until a pane shows these: what a key sets off may be drawn a moment later."""
    try:
        await it.until(lambda: all(text in it.text(selector) for text in texts))
    except AssertionError:
        raise AssertionError(f"{selector} lacks {texts}: {it.text(selector)}") from None


async def find(it: Explorer, title: str, identifier: str) -> None:
    """List the runs with this title alone: those of other tests are more than a page."""
    it.screen.focus_pane("conversations")
    await it.press("slash", "ctrl+u")
    await it.type(title)
    await it.press("enter")
    listed = it.screen.sidebar
    await it.until(lambda: any(same_id(one.id, identifier) for one in listed.conversations))


async def open_run(it: Explorer, title: str, identifier: str) -> None:
    """Open this one of the runs with a title, with enter."""
    await find(it, title, identifier)
    it.screen.sidebar.highlight(bare_id(identifier))
    it.screen.focus_pane("conversations")
    await it.press("enter")


def run_shown(it: Explorer) -> Trajectory:
    trajectory = it.screen.timeline.trajectory
    assert trajectory is not None
    return trajectory


async def read_whole(it: Explorer) -> None:
    timeline = it.screen.timeline
    await it.until(lambda: timeline.trajectory and timeline.trajectory.complete)


def step_ids(trajectory: Trajectory) -> list[str]:
    return [step.event.id for step in trajectory.steps]


def detail(it: Explorer) -> tuple[str, ...]:
    """What Call and Result show, with their rules."""
    return tuple(it.text(name) for name in ("#call-rule", "#call", "#result-rule", "#result"))


# Seeing


async def test_the_list_tells_the_title_and_state_of_every_conversation(live: Live) -> None:
    async with connected(live.url) as it:
        await find(it, "About tour", live.tour)
        assert "✓ About tour" in it.text("#conversations")
        await find(it, "About refused", live.refused)
        await shows(it, "#conversations", "✗ About refused")
        assert it.text("#header").strip().startswith(f"oh-tui  {live.url.partition('://')[2]}")
        await shows(it, "#sandboxes-rule", "1 up")


async def test_a_run_opened_with_enter_shows_the_steps_that_the_server_has(
    api: AppServer, live: Live
) -> None:
    async with connected(live.url) as it:
        await open_run(it, "About tour", live.tour)
        await read_whole(it)
        truth = await in_sandbox(await agent_of(api, live.tour))
        run = run_shown(it)
        assert step_ids(run) == step_ids(truth)
        assert [event.id for event in run.events] == [event.id for event in truth.events]
        rows = it.text("#timeline").splitlines()[: len(run)]
        for row, told in zip(rows, TOUR_ROWS, strict=True):
            assert all(part in row for part in told), row
        rule = it.text("#timeline-rule")
        for fact in ("12 steps", "2 errors", "2 failed commands", "from the agent server"):
            assert fact in rule
        assert (it.screen.session.pane, it.screen.timeline.cursor) == ("timeline", 11)
        await shows(it, "#result", "The tour is over.")


TOUR_ROWS = [
    ("▲", " 1 ", "you", "Please do script:tour"),
    (" 2 ", "$ echo hello from the sandbox", "hello from the sandbox"),
    (" 3 ", "$ ls /no/such/folder", "! exit 2"),
    (" 4 ", "create", "notes.txt", "+2"),
    (" 5 ", "edit", "notes.txt", "+1 -1"),
    (" 6 ", "edit", "notes.txt", "✗ No replacement was performed"),
    (" 7 ", "no_such_tool", "✗ not run"),
    ("┌", " 8 ", "$ sleep 0.5; echo side one", "side one"),
    ("└", " 9 ", "read", "notes.txt", "2 lines"),
    ("10 ", "exit_code", "! exit 3"),
    ("11 ", "think", "All parts were seen."),
    ("12 ", "finish", "The tour is over."),
]
"""What the rows of the tour must tell."""


async def test_either_half_of_a_pair_shows_both(live: Live) -> None:
    async with connected(live.url) as it:
        await open_run(it, "About tour", live.tour)
        await read_whole(it)
        await it.pilot.press("x", "g")
        shown: dict[int, list[tuple[str, ...]]] = {}
        for _ in run_shown(it).events:
            current = it.screen.timeline.current
            assert current is not None
            if current[0] is not None:
                shown.setdefault(current[0].number, []).append(detail(it))
            await it.pilot.press("j")
        calls = [step.number for step in run_shown(it).steps if step.is_call]
        assert len(calls) == len(TOUR)
        for number in calls:
            call, result = shown[number]
            assert call == result
        _, call_text, result_rule, result_text = shown[2][1]
        assert "$ echo hello from the sandbox" in call_text
        assert "exit 0" in result_rule
        assert "hello from the sandbox" in result_text
        _, _, result_rule, result_text = shown[7][1]
        assert "✗ error" in result_rule
        assert "Tool 'no_such_tool' not found" in result_text


async def test_e_walks_to_every_error_and_back(live: Live) -> None:
    failed = [n for n, (_, outcome) in enumerate(TOUR, 2) if outcome is not Outcome.OK]
    async with connected(live.url) as it:
        await open_run(it, "About tour", live.tour)
        await read_whole(it)
        await it.pilot.press("g")
        walked = []
        for _ in failed:
            await it.pilot.press("e")
            walked.append(it.screen.timeline.cursor + 1)
        assert walked == failed
        await it.pilot.press("e")
        assert it.screen.timeline.cursor + 1 == failed[-1]
        await shows(it, "#footer", "no error after this one")
        await it.pilot.press("E")
        assert it.screen.timeline.cursor + 1 == failed[-2]


async def test_a_run_that_ended_in_an_error_says_which(live: Live) -> None:
    async with connected(live.url) as it:
        await open_run(it, "About refused", live.refused)
        await read_whole(it)
        assert "✗" in it.text("#timeline").splitlines()[1]
        await shows(it, "#result", "LLMAuthenticationError")
        await shows(it, "#timeline-rule", "1 error")


async def test_events_that_only_the_sandbox_has_are_shown_and_said_to_be_from_there(
    deaf: tuple[LiveServer, str],
) -> None:
    server, identifier = deaf
    async with connected(server.url, open_id=identifier) as it:
        await read_whole(it)
        await shows(it, "#timeline", "$ echo short")
        await shows(it, "#result", "This run was short.")
        await shows(it, "#timeline-rule", "from the agent server")


# Acting


async def test_p_asks_then_pauses_and_p_resumes(live: Live) -> None:
    async with running_again(live), connected(live.url) as it:
        await open_run(it, "About tour", live.tour)
        await it.press("p")
        await shows(it, "#question", "Pause sandbox", "Pauses the sandbox of")
        await it.press("escape")
        assert await status(live) == "RUNNING"

        await it.press("p")
        await shows(it, "#question", "Pause sandbox")
        await it.press("enter")
        await it.until(lambda: "sandbox paused" in it.text("#run-rule"))
        assert await status(live) == "PAUSED"
        await shows(it, "#footer", "sandbox paused")
        await shows(it, "#footer", "p resume sandbox")
        await shows(it, "#sandboxes-rule", " paused")
        # the history stays as it was read, and is not read anew
        await it.until(lambda: run_shown(it).complete and not it.screen.session.is_reading)
        assert len(run_shown(it)) == len(TOUR) + 1
        await shows(it, "#timeline-rule", "from the agent server")

        await it.press("p")
        await it.until(lambda: "sandbox running" in it.text("#run-rule"))
        assert await status(live) == "RUNNING"
        await shows(it, "#footer", "sandbox running again")
        await shows(it, "#footer", "p pause sandbox")


async def test_d_saves_the_events_of_the_timeline(live: Live, tmp_path: Path) -> None:
    async with running_again(live), connected(live.url, downloads=tmp_path) as it:
        # paused, the timeline too is made of what the app server holds, which is more
        await ask(live, "pause")
        await it.press("r")
        await shows(it, "#sandboxes-rule", " paused")
        await open_run(it, "About tour", live.tour)
        await it.until(lambda: "from the app server" in it.text("#timeline-rule"))
        await it.press("d")
        await shows(it, "#footer", "saved ", " in ")
        saved, held = downloaded(tmp_path)
        await shows(it, "#footer", f"saved {saved.name}, ")
        assert [event.id for event in run_shown(it).events] == held
        assert len(held) > len(TOUR)


async def test_d_saves_every_step_of_a_run_that_was_read_from_its_sandbox(
    live: Live, tmp_path: Path
) -> None:
    async with connected(live.url, downloads=tmp_path) as it:
        await open_run(it, "About tour", live.tour)
        await it.until(lambda: "from the agent server" in it.text("#timeline-rule"))
        await it.press("d")
        await shows(it, "#footer", "saved ", " in ")
        _, held = downloaded(tmp_path)
        steps = step_ids(run_shown(it))
        assert [event for event in held if event in set(steps)] == steps
        assert {event.id for event in run_shown(it).events} <= set(held)


def downloaded(folder: Path) -> tuple[Path, list[str]]:
    """The only file in the folder, a zip, and the ids of the events in it in their order."""
    (saved,) = folder.iterdir()
    with zipfile.ZipFile(saved) as archive:
        names = sorted(name for name in archive.namelist() if name.startswith("event_"))
    return saved, [name.removesuffix(".json").split("_", 2)[2] for name in names]


# Following


async def test_a_run_grows_on_the_screen_while_it_is_watched(api: AppServer, live: Live) -> None:
    identifier = await start_steps(live)
    async with connected(live.url, open_id=identifier) as it:
        await it.until(lambda: "● running" in it.text("#timeline"), REFRESH)
        await shows(it, "#result-rule", "● running")
        grown = {len(run_shown(it))}

        def over() -> bool:
            grown.add(len(run_shown(it)))
            return "All parts are done." in it.text("#result")

        await it.until(over, 40)
        assert len(grown) >= 3
        await it.pilot.pause()
        assert it.screen.timeline.cursor == len(run_shown(it)) - 1
        for row, part in zip(it.text("#timeline").splitlines()[1:4], (1, 2, 3), strict=True):
            assert f"$ sleep 2; echo part {part} done" in row
            assert row.rstrip().endswith(f"part {part} done")
        truth = await in_sandbox(await agent_of(api, identifier))
        assert step_ids(run_shown(it)) == step_ids(truth)
        await it.until(lambda: run_shown(it).status == "finished")
        await it.press("r")
        await shows(it, "#conversations", "✓ About steps")
    await asyncio.to_thread(live.server.wait_until_over, identifier)


async def test_a_sandbox_frozen_behind_our_back_is_told_and_the_keys_still_work(
    api: AppServer, live: Live
) -> None:
    identifier = await start_steps(live)
    async with running_again(live), connected(live.url, open_id=identifier) as it:
        await it.until(lambda: "● running" in it.text("#timeline"), REFRESH)
        await ask(live, "pause")
        end = it.screen.timeline.cursor
        await it.pilot.press("k")
        assert it.screen.timeline.cursor == end - 1
        await it.until(lambda: "sandbox paused" in it.text("#run-rule"), REFRESH)
        await it.until(lambda: "● running" not in it.text("#timeline"))
        await it.press("g")
        await shows(it, "#result", "script:steps")
        await it.until(lambda: "p resume sandbox" in it.footer)
        shown = {event.id for event in run_shown(it).events}
        kept = (await stored(api, identifier)).events
        # the app server also has updates of the state that no agent server gives
        assert {event.kind for event in kept if event.id not in shown} <= set(HIDDEN_KINDS)

        await it.press("p")
        await shows(it, "#run-rule", "sandbox running")
        assert await status(live) == "RUNNING"
        await it.press("G")
        await it.until(lambda: "All parts are done." in it.text("#timeline"), 40)
        assert run_shown(it).counts.ok == 3
    await asyncio.to_thread(live.server.wait_until_over, identifier)


async def start_steps(live: Live) -> str:
    """A run of three calls that take 2 s each, under way."""
    return await asyncio.to_thread(live.server.start, "script:steps", sandbox_id=live.sandbox)


# Failing


@pytest.mark.parametrize(
    ("key", "sentence", "hint"),
    [
        ("wrong", "does not accept this key", "Check that the key is for this server"),
        ("", "wants a key", "Set OPENHANDS_API_KEY to a key of this server"),
    ],
)
async def test_without_the_right_key_one_sentence_says_so_and_what_to_do(
    locked: LiveServer, key: str, sentence: str, hint: str
) -> None:
    async with connected(locked.url, key=Secret(key) if key else None) as it:
        place = locked.url.partition("://")[2]
        await shows(it, "#footer", f"{sentence} (401): {hint}")
        assert in_the_list(it) == f"Could not list conversations: {place} {sentence} (401) {hint}"
        assert len(it.screen.footer.history) == 1


async def test_with_the_right_key_the_header_is_found_out(locked: LiveServer) -> None:
    async with connected(locked.url, key=Secret(locked.key)) as it:
        await shows(it, "#conversations", "no conversations yet")
        assert it.screen.footer.history == []


async def test_a_web_page_in_place_of_the_api_is_told_as_such() -> None:
    async with web_page() as url, connected(url) as it:
        await shows(it, "#footer", "answered with a web page")
        told = in_the_list(it)
        place = url.partition("://")[2]
        assert told.startswith(f"Could not list conversations: {place} answered with a web page")
        assert "The address is wrong or the server too old" in told


async def test_a_port_where_nothing_listens_is_told_as_such() -> None:
    async with web_page() as url:
        pass
    async with connected(url) as it:
        await it.until(lambda: it.screen.footer.news, 20)
        await shows(it, "#footer", "nothing listens")
        place = url.partition("://")[2]
        assert in_the_list(it) == (
            f"Could not list conversations: nothing listens at {place} "
            "Check that the server runs, and its port r tries again"
        )


def in_the_list(it: Explorer) -> str:
    """What stands in the place of conversations, as one line."""
    return " ".join(it.text("#conversations").split())


@asynccontextmanager
async def web_page() -> AsyncIterator[str]:
    """A server that knows nothing but its front page, and gives it to everyone."""
    page = b"<!doctype html><title>Somebody's site</title><p>Welcome"
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\n"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head.encode() + b"Connection: close\r\n\r\n" + page)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
