"""`ctrl+n`: the form, the stages, and the result of a start, driven by keys."""

from __future__ import annotations

from functools import partial

import pytest
from textual import events

from oh_tui.actions import starting as source_starting
from oh_tui.settings.startup import Settings
from oh_tui.sources.file_source import FileSource
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.screens.start.screen import StartScreen
from tests.tui.explorer import Between, Explorer, case, explore

START = "POST /api/v1/app-conversations"
TASKS = "GET /api/v1/app-conversations/start-tasks"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_starting.start, "__defaults__", ((0.02,),))


def form(it: Explorer) -> StartScreen:
    assert isinstance(it.app.screen, StartScreen)
    return it.app.screen


async def open_form(it: Explorer) -> StartScreen:
    await it.send("ctrl+n")
    await it.until(lambda: isinstance(it.app.screen, StartScreen))
    return form(it)


async def fill(it: Explorer, prompt: str = "Add a test for week 53", repository: str = "") -> None:
    shown = form(it)
    shown.text.text = prompt
    shown.fields["repository"].value = repository
    await it.pilot.pause(0)


async def test_the_form_says_what_it_makes_before_anything_is_made() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        shown = await open_form(it)
        assert "new sandbox" in shown.message
        assert "may cost money" in shown.message
        await fill(it)
        await it.send("escape")
        await it.until(lambda: it.app.screen is it.screen)
        assert between.count(START) == 0
        assert (await open_form(it)).text.text == "Add a test for week 53", "the text is kept"


async def test_ctrl_s_starts_shows_the_stages_and_opens_the_run_that_is_followed() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await open_form(it)
        await fill(it, repository="acme/dates")
        await it.send("ctrl+s")
        shown = form(it)
        assert shown.starting
        assert it.screen.session.writes.words == "starting a conversation"
        while it.app.screen is not it.screen:
            it.demo.advance(0.5)
            looks = between.count(TASKS)  # each stage is looked at before the next begins
            await it.until(
                partial(
                    lambda seen: between.count(TASKS) > seen or it.app.screen is it.screen, looks
                )
            )
        told = [what for what, _ in shown.stages]
        assert told[0] == "asking the server"
        assert "preparing the repository" in told
        await it.until(
            lambda: it.screen.session.pane == "timeline" and it.screen.timeline.row_count()
        )
        assert it.screen.session.current
        assert it.screen.session.current.selected_repository == "acme/dates"
        assert it.screen.session.follow
        assert between.count(START) == 1
        assert not it.screen.session.writes.words
        assert (await open_form(it)).text.text == "", "the text did what it was for"


async def test_an_empty_prompt_is_refused_in_place() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        shown = await open_form(it)
        await fill(it, "")
        await it.send("ctrl+s")
        assert "There is no task" in shown.message
        assert shown.is_wrong
        assert shown.focused is shown.text
        await it.send("a")
        assert "may cost money" in shown.message, "typing takes the refusal away"
        assert between.count(START) == 0


async def test_what_is_no_repository_is_pointed_at() -> None:
    async with explore() as it:
        shown = await open_form(it)
        await fill(it, repository="no repository")
        await it.send("ctrl+s")
        assert "owner/name" in shown.message
        assert shown.focused is shown.fields["repository"]
        assert not shown.starting


async def test_a_start_that_fails_keeps_the_text_and_says_why() -> None:
    async with explore() as it:
        shown = await open_form(it)
        await fill(it, repository="acme/nope")
        await it.send("ctrl+s")
        it.demo.advance(30)
        await it.until(lambda: not shown.starting)
        assert "The start failed" in shown.message
        assert "check the repository" in shown.message
        assert shown.text.text == "Add a test for week 53"
        assert not shown.stages
        assert not it.screen.session.writes.words
        assert shown.fields["repository"].disabled is False


async def test_a_start_that_the_server_refuses_keeps_the_text() -> None:
    between = Between()
    between.answer(START, 403, '{"detail": "no more sandboxes"}', "application/json")
    async with explore(wrap=between) as it:
        shown = await open_form(it)
        await fill(it)
        await it.send("ctrl+s")
        await it.until(lambda: not shown.starting)
        assert "no more sandboxes" in shown.message
        assert shown.text.text == "Add a test for week 53"
        assert between.count(START) == 1


async def test_esc_leaves_the_start_going_on_and_its_end_is_told() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await open_form(it)
        await fill(it)
        await it.send("ctrl+s")
        await it.send("escape")
        await it.until(lambda: it.app.screen is it.screen)
        assert "the list will show it" in it.footer
        before = it.screen.session.current
        await it.send("ctrl+n")
        assert it.app.screen is it.screen, "one start at a time"
        assert "is being started" in it.footer

        await it.send("q")
        await it.until(lambda: it.screen.asking.question_bar.display)
        assert "starting a conversation" in it.text("#question")
        await it.send("escape")

        it.demo.advance(30)
        await it.until(lambda: "started: Add a test" in it.footer)
        titles = [c.title for c in it.screen.sidebar.conversations]
        assert any(title and "week 53" in title for title in titles)
        assert it.screen.session.current is before, "what is read stays"


async def test_a_failure_after_esc_is_told_and_the_text_is_there_again() -> None:
    async with explore() as it:
        await open_form(it)
        await fill(it, repository="acme/nope")
        await it.send("ctrl+s")
        await it.send("escape")
        it.demo.advance(30)
        await it.until(lambda: "The start failed" in it.footer)
        assert (await open_form(it)).text.text == "Add a test for week 53"


async def test_repositories_branches_and_models_are_those_seen() -> None:
    async with explore() as it:
        shown = await open_form(it)
        seen = {c.selected_repository for c in it.screen.sidebar.conversations}
        shown.set_focus(shown.fields["repository"])
        await it.send("down")
        assert shown.fields["repository"].value in seen
        shown.fields["repository"].value = "acme/stor"
        await it.until(lambda: shown.fields["repository"].suggestion)
        await it.send("tab")
        assert shown.fields["repository"].value in seen
        assert shown.focused is shown.fields["repository"]
        await it.send("tab")
        assert shown.focused is shown.fields["branch"]
        await it.send("down")
        assert shown.fields["branch"].value


async def test_a_paste_of_many_lines_is_a_prompt() -> None:
    async with explore() as it:
        shown = await open_form(it)
        it.app.post_message(events.Paste("one\r\ntwo\x1b[2J\x00\nthree"))
        await it.until(lambda: "three" in shown.text.text)
        assert shown.text.text.splitlines()[0] == "one"
        assert "\x1b" not in shown.text.text


async def test_read_only_and_files_start_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with explore(settings=Settings(read_only=True)) as it:
        await it.press("ctrl+n")
        assert it.app.screen is it.screen
        assert "read-only" in it.footer
    folder = tmp_path_factory.mktemp("run")
    (folder / "event_000000_a.json").write_text('{"id": "a", "kind": "PauseEvent"}')
    async with explore(source=lambda: FileSource([folder])) as it:
        await it.press("ctrl+n")
        assert it.app.screen is it.screen
        assert "files" in it.footer


async def test_the_form_fits_80_columns() -> None:
    async with explore(size=(80, 24)) as it:
        shown = await open_form(it)
        assert shown.text.size.height >= 8
        shown_fields = [shown.fields[name] for name, row in shown.rows.items() if row.display]
        assert len(shown_fields) > 5 and all(field.size.width > 60 for field in shown_fields)
        assert shown.said.region.bottom < 24
        assert "F1 all keys  esc keep draft" in shown.footer.render_line(0).text


@pytest.mark.parametrize(("width", "end"), [(80, "sandbox of its own"), (70, "sandbox …")])
async def test_what_stands_in_an_empty_field_is_not_cut_at_the_edge(width: int, end: str) -> None:
    async with explore(size=(width, 24)) as it:
        shown = await open_form(it)
        await it.settle()
        fields = {name: one for name, one in shown.fields.items() if shown.rows[name].display}
        assert str(fields["times"].placeholder).endswith(end)
        for name, field in fields.items():
            with case(name):
                assert width_of(str(field.placeholder)) <= field.content_size.width
