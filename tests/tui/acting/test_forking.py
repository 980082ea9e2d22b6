"""`F`: what a fork means, above its first message, and what is shown of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from oh_tui.catalog.status_cache import LastKnownStates
from oh_tui.demo.servers.agent_setup import Forked
from oh_tui.demo.world import AgentVersion
from oh_tui.settings.startup import Settings
from oh_tui.tui.screens.comparison.screen import CompareScreen
from tests.tui.acting.test_answering import COVERAGE, FLAKY, LEDGER, OAUTH, opened, told
from tests.tui.explorer import Between, Explorer, case, explore
from tests.tui.screens.test_compare_screen import shown as drawn

DATES = "Parse ISO week dates"
FORK, RUN = "POST /runtime/*/fork", "POST /runtime/*/run"


def forks(it: Explorer) -> list[Forked]:
    return [e for c in it.demo.world.conversations.values() if isinstance(e := c.entry, Forked)]


async def at(it: Explorer, title: str, step: int) -> None:
    await opened(it, title)
    await it.press("3")
    await it.until(lambda: it.screen.timeline.study is not None)
    it.screen.timeline.go_to_step(step)
    await it.settle()


async def forking(it: Explorer) -> str:
    """Ask for a fork; gives what is said above its first message."""
    await it.send("F")
    await it.until(lambda: it.screen.asking.editor and it.screen.asking.editor.has_focus_within)
    await it.seen()
    await it.settle()
    return " ".join(f"{it.text('Editor Rule')} {it.text('Editor Labels')}".split())


def text(it: Explorer) -> str:
    assert it.screen.asking.editor is not None
    return it.screen.asking.editor.text


async def begun(it: Explorer, title: str, step: int) -> None:
    """Ask for a fork at a step."""
    await at(it, title, step)
    await forking(it)


async def shown(it: Explorer) -> None:
    await it.until(lambda: forks(it))
    session = it.screen.session
    await it.until(lambda: session.current and session.current.id == forks(it)[-1].id)
    await it.until(lambda: it.screen.timeline.row_count())


async def test_it_says_what_it_means_and_sends_the_first_message() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await at(it, DATES, 42)
        said = await forking(it)
        for words in (
            "First message to the fork of Parse ISO week dates at step 42",
            "The fork knows steps 1-42 of 61, its model is anthropic/claude-sonnet-4-5.",
            "It costs nothing until it gets a message.",
            "Files are not turned back: since step 42, dates/CHANGELOG.md",
            "--at 42 -o FOLDER writes them as they were then",
        ):
            assert words in said
        assert between.count("POST *") == 0 and text(it) == ""
        await it.type("Say it is no error")
        await it.send("ctrl+s")
        await shown(it)
        await it.until(lambda: "sent · " in told(it))
        assert between.count(RUN) == 1 and forks(it)[0].at is not None
        it.demo.advance(60)
        await it.until(lambda: "Say it is no error" in it.text("#timeline"))
        assert it.screen.session.drafts == {}
        assert (it.screen.session.target() or forks(it)[0]).title == f"{DATES} (from step 42)"


async def test_the_version_of_the_server_comes_before_what_a_fork_knows() -> None:
    async with explore() as it:
        it.demo.world.agent_version = AgentVersion.WHOLE
        await at(it, DATES, 42)
        assert "The fork knows all 61 steps: this server cannot" in await forking(it)
        await it.press("escape")
        it.demo.world.agent_version = AgentVersion.OLD
        await it.send("F")
        await it.until(lambda: "Agent server 1.17.0 cannot fork" in told(it))
        assert not forks(it)


async def test_without_a_message_the_fork_waits_for_one() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await begun(it, DATES, 57)
        assert it.screen.asking.editor
        lines = it.screen.asking.editor.lines
        assert str(lines.placeholder) == "leave it empty and the fork waits for one"
        assert lines.get_component_rich_style("text-area--placeholder").italic
        for width, last in ((80, "tab  panes"), (60, "esc no fork")):
            with case(width):
                await it.pilot.resize_terminal(width, 24)
                await it.settle()
                keys = it.text("EditorKeys")
                assert keys.endswith(last) and len(keys) < width
        await it.send("ctrl+s")
        await shown(it)
        await it.until(lambda: "forked: the fork knows steps 1-57 of 61" in told(it))
        await it.settle()
        assert between.count(RUN) == 0 and between.count(FORK) == 1


async def test_at_a_call_without_a_result_it_is_refused_with_the_nearest_steps() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        for title, step in ((DATES, 3), (OAUTH, 0)):
            with case(title):
                await at(it, title, step or 99)
                if not step:
                    await it.press("end")
                await it.send("F")
                await it.until(lambda: "a fork would run again" in told(it))
                assert "the nearest safe place" in told(it)
                assert not it.screen.asking.is_asking
                it.screen.footer.history.clear()
        assert between.count(FORK) == 0


async def test_on_ones_own_message_it_begins_before_it_with_its_text() -> None:
    async with explore() as it:
        await at(it, DATES, 1)
        said = await forking(it)
        assert "before step 1" in said and "The fork knows nothing of this run" in said
        assert "ISO" in text(it)
        await it.type(" Quickly.")
        await it.send("ctrl+s")
        await shown(it)
        await it.until(lambda: "sent · " in told(it))
        it.demo.advance(60)
        events = it.demo.world.agent_events(it.demo.world.conversations[forks(it)[0].id])
        assert [event.kind for event in events[:2]] == ["SystemPromptEvent", "MessageEvent"]
        assert b"Quickly." in events[1].raw and b"ISO" in events[1].raw


async def test_esc_forks_nothing_and_the_text_is_kept() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await at(it, DATES, 57)
        await forking(it)
        await it.type("half a thought")
        await it.press("escape")
        await it.until(lambda: "nothing was forked; F has the text" in it.footer)
        await forking(it)
        assert text(it) == "half a thought"
        await it.press("escape")
        assert between.count(FORK) == 0


async def test_a_fork_that_fails_leaves_the_text() -> None:
    between = Between()
    between.answer(FORK, 500)
    async with explore(wrap=between) as it:
        await begun(it, DATES, 57)
        await it.type("half a thought")
        await it.send("ctrl+s")
        await it.until(lambda: "Could not fork the conversation" in it.footer)
        await forking(it)
        assert text(it) == "half a thought"
        assert between.count(FORK) == 1 and not forks(it)
        await it.press("escape")


async def test_keys_typed_ahead_fork_nothing() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await at(it, DATES, 57)
        held = between.hold("GET /api/v1/app-conversations")
        for key in ("F", "n", "ctrl+s", "enter"):
            it.key(key, after=0.1)
        await asyncio.sleep(0.05)
        held.set()
        await it.until(lambda: it.screen.asking.editor)
        await it.settle()
        assert between.count(FORK) == 0
        await it.press("escape")


async def test_read_only_and_a_sandbox_that_sleeps_say_why_not() -> None:
    between = Between()
    async with explore(wrap=between, settings=Settings(read_only=True)) as it:
        await at(it, DATES, 57)
        await it.press("F")
        assert "read-only" in it.footer
    async with explore(wrap=between) as it:
        await at(it, COVERAGE, 1)
        await it.send("F")
        await it.until(lambda: "the sandbox is paused: p resumes it" in it.footer)
    assert between.count(FORK) == 0


async def test_while_the_agent_works_it_is_forked_when_the_step_ends() -> None:
    async with explore() as it:
        await begun(it, FLAKY, 1)
        await it.send("ctrl+s")
        await it.until(lambda: "when this step ends" in it.footer)
        it.demo.advance(120)
        await shown(it)


async def test_a_fork_without_a_key_gets_one_from_a_profile_and_then_the_message() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        it.demo.world.agent_version = AgentVersion.NEW
        await begun(it, DATES, 57)
        await it.type("Go on")
        await it.send("ctrl+s")
        await it.until(lambda: "The fork has no key" in it.text("#question"))
        assert "left the key of the model out" in it.text("#question")
        assert between.count(RUN) == 0 and "1, then enter  careful" in it.text("#question")
        await it.send("1", "enter")
        await it.until(lambda: "sent · " in told(it))
        assert between.count(RUN) == 1


async def test_without_a_profile_the_message_stays_a_draft() -> None:
    between = Between()
    between.answer("GET /api/v1/settings/profiles", 200, '{"profiles": []}', "application/json")
    async with explore(wrap=between) as it:
        it.demo.world.agent_version = AgentVersion.NEW
        await begun(it, DATES, 57)
        await it.type("Go on")
        await it.send("ctrl+s")
        await it.until(lambda: "make an LLM profile with a key" in told(it))
        await it.settle()
        assert list(it.screen.session.drafts.values()) == ["Go on"]
        assert between.count(RUN) == 0 and "m has the first message" in told(it)


async def test_a_server_that_takes_all_or_dies_gets_no_message() -> None:
    for version, dies in ((AgentVersion.WHOLE, False), (AgentVersion.USUAL, True)):
        between = Between()
        async with explore(wrap=between) as it:
            with case(version):
                it.demo.world.agent_version = version
                await begun(it, DATES, 40)
                await it.type("Go on")
                if dies:
                    between.after(FORK, lambda b=between: b.answer("* /runtime/*", 502))  # type: ignore[misc]
                await it.send("ctrl+s")
                words = "It was made, but then" if dies else "cannot fork at a step"
                await it.until(lambda w=words: w in told(it))  # type: ignore[misc]
                await it.until(lambda: "m has it" in told(it))
                assert between.count(RUN) == 0 and between.count(FORK) == 1
                assert "Go on" in it.screen.session.drafts.values()


async def test_from_the_list_it_forks_the_end() -> None:
    async with explore() as it:
        await it.open(LEDGER)
        await it.until(lambda: it.screen.timeline.row_count())
        await it.press("1")
        steps = len(it.screen.timeline.study.trajectory) if it.screen.timeline.study else 0
        assert f"at step {steps}" in await forking(it)
        await it.press("escape")


async def test_it_stands_under_its_origin_and_is_compared_with_it() -> None:
    async with explore() as it:
        await begun(it, DATES, 57)
        await it.send("ctrl+s")
        await shown(it)
        await it.settle()
        rows = it.text("#conversations").split("\n")
        place = next(n for n, row in enumerate(rows) if "⑂ from 57 Parse ISO" in row)
        assert any("Parse ISO week dates" in row for row in rows[place - 2 : place])
        await it.press("equals_sign")
        await it.until(lambda: isinstance(it.app.screen, CompareScreen))
        await it.until(lambda: "B is a fork of A at step 57" in drawn(it))


async def test_a_fork_of_another_client_has_its_step_once_its_origin_was_read() -> None:
    async with explore() as it:
        await begun(it, DATES, 57)
        await it.send("ctrl+s")
        await shown(it)
        await it.settle()
        session = it.screen.session
        name, origin = forks(it)[0].id, forks(it)[0].origin
        assert f"⑂ {origin[:8]}" in it.text("#run-rule"), "whose fork it is, in sorted lists too"
        session.loaded.take_fork_step(name, 0)
        session.runs._runs.pop(origin)
        await it.press("1", "r")
        assert "⑂ Parse ISO" in it.text("#conversations")
        await it.open(DATES)
        await it.until(lambda: "⑂ from 57 Parse" in it.text("#conversations"))


def test_its_step_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "states.json"
    states = LastKnownStates("here", file)
    states.record_fork("1", 42)
    assert states.save() and LastKnownStates("here", file).get("1").fork_step == 42
