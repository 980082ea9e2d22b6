"""Bookmarks, notes and tags in the explorer: what their keys do, and where they are shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from oh_tui.catalog.user_annotations import Annotations, RunAnnotations
from oh_tui.settings.startup import Settings
from tests.tui.explorer import Between, Explorer, explore

WEEK = "Parse ISO week dates"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(annotations_file=tmp_path / "oh-tui" / "annotations.json")


def kept(it: Explorer) -> RunAnnotations:
    current = it.screen.session.current
    assert current
    return it.screen.session.annotations.of(current)


def written(settings: Settings) -> dict[str, Any]:
    """What the file keeps of the only run."""
    assert settings.annotations_file
    (run,) = json.loads(settings.annotations_file.read_text())["runs"].values()
    assert isinstance(run, dict)
    return run


async def go_to(it: Explorer, step: int) -> None:
    assert it.screen.timeline.go_to_step(step)
    await it.settle()


def row(it: Explorer, step: int) -> str:
    """The line of a step in the timeline, after the cell of the cursor."""
    timeline = it.screen.timeline
    number = timeline.row_of_step(step)
    assert number is not None
    return timeline.render_line(number - round(timeline.scroll_y)).text[1:]


def shown(it: Explorer) -> list[int]:
    """The steps that a filter shows."""
    return list(it.screen.timeline.filtered or ())


async def write_note(it: Explorer, text: str) -> None:
    await it.press("semicolon")
    await it.until(lambda: it.screen.asking.editor)
    await it.press("ctrl+u") if not text else await it.type(text)
    await it.press("ctrl+s")
    await it.until(lambda: not it.screen.asking.editor)
    await it.settle()


async def tag(it: Explorer, text: str, *, there: str = "escape") -> None:
    """Tag the run; `there` answers whether the server is to hold it too."""
    await it.press("number_sign")
    await it.type(text)
    await it.press("enter")
    await it.settle()
    if it.screen.asking.is_questioning:
        await it.press(there)
        await it.settle()


async def test_b_bookmarks_a_step_and_takes_the_bookmark_off(settings: Settings) -> None:
    async with explore(settings=settings, size=(160, 48)) as it:
        await it.open(WEEK)
        assert row(it, 58).startswith("∞ ")
        await it.press("b")
        assert "step 58 bookmarked" in it.footer
        assert row(it, 58).startswith("∞★")
        await it.until(lambda: settings.annotations_file and settings.annotations_file.exists())
        await it.until(lambda: len(written(settings)["bookmarks"]) == 1)
    async with explore(settings=settings, size=(160, 48)) as it:
        await it.open(WEEK)
        assert row(it, 58).startswith("∞★"), "it is there in the next session"
        listed = it.text("#conversations")
        assert "✗★ Parse ISO week dates" in listed, "apart from the title"
        assert "◆  Add OAuth login" in listed and "\n    asks: git" in listed, "as all others are"
        await it.press("b")
        assert "bookmark removed" in it.footer
        assert row(it, 58).startswith("∞ ")
        assert "★" not in it.text("#conversations")
        assert "✗ Parse ISO week dates" in it.text("#conversations")
    assert settings.annotations_file
    assert json.loads(settings.annotations_file.read_text())["runs"] == {}


async def test_in_a_list_b_says_where_the_steps_are() -> None:
    async with explore() as it:
        await it.press("b")
        assert "b bookmarks a step: enter goes to the steps" in it.footer
        assert not it.screen.session.annotations.runs


async def test_without_a_file_it_says_that_it_does_not_last() -> None:
    async with explore() as it:
        await it.open(WEEK)
        await it.press("b")
        assert "step 58 bookmarked, until oh-tui ends" in it.footer


async def test_an_apostrophe_goes_from_bookmark_to_bookmark_and_around() -> None:
    async with explore() as it:
        await it.open(WEEK)
        await it.press("apostrophe")
        assert "no bookmark: b bookmarks a step" in it.footer
        for step in (12, 30, 3):
            await go_to(it, step)
            await it.press("b")
        for step, told in ((12, ""), (30, ""), (3, "wrapped to the first bookmark"), (12, "")):
            await it.press("apostrophe")
            assert it.screen.timeline.step_here == step
            assert ("wrapped" in it.footer) == bool(told)
        await it.press("b")
        await go_to(it, 30)
        await it.press("b")
        await it.press("apostrophe")
        assert it.screen.timeline.step_here == 3
        await it.press("apostrophe")
        assert "the only bookmark" in it.footer
        await it.press("x", "apostrophe")
        assert it.screen.timeline.step_here == 3, "with a row for each event too"


async def test_bookmarks_are_passed_over_that_a_filter_hides() -> None:
    async with explore() as it:
        await it.open(WEEK)
        for step in (8, 12, 17):
            await go_to(it, step)
            await it.press("b")
        await it.press("ampersand")
        await it.type("is:bookmarked")
        await it.press("enter")
        assert shown(it) == [8, 12, 17]
        await it.press("b")
        assert shown(it) == [8, 12], "the filter follows"
        await it.press("ampersand")
        await it.press("ctrl+u")
        await it.type("step:1-10")
        await it.press("enter", "apostrophe")
        assert it.screen.timeline.step_here == 8
        await it.press("apostrophe")
        assert "the filter hides the other bookmarks" in it.footer
        await it.press("ampersand")
        await it.press("ctrl+u")
        await it.type("step:1-5")
        await it.press("enter", "apostrophe")
        assert "the filter hides the bookmarks: esc shows all steps" in it.footer


async def test_a_note_being_written_keeps_the_keys_when_the_terminal_changes_its_size() -> None:
    async with explore() as it:
        await it.press("semicolon")
        await it.until(lambda: it.screen.asking.editor)
        await it.type("please")
        await it.pilot.resize_terminal(121, 36)
        await it.type(" go")
        assert it.screen.asking.editor and it.screen.asking.editor.text == "please go"


async def test_an_event_that_is_no_step_has_no_bookmark_and_no_note() -> None:
    async with explore() as it:
        await it.open(WEEK)
        await it.press("x")
        timeline = it.screen.timeline
        timeline.move_to(next(n for n in range(timeline.row_count()) if timeline.row(n)[0] is None))
        for key in ("b", "semicolon"):
            await it.press(key)
            assert "this event is not part of a step" in it.footer
        assert kept(it) == RunAnnotations()


async def test_a_note_on_a_step_is_shown_above_its_call_and_removed_by_an_empty_one(
    settings: Settings,
) -> None:
    async with explore(settings=settings, size=(160, 48)) as it:
        await it.open(WEEK)
        await it.press("semicolon")
        await it.until(lambda: it.screen.asking.editor)
        assert "Note on step 58" in it.text("Editor Rule")
        await it.type("week 53 [/b] again")
        await it.press("ctrl+s")
        await it.settle()
        assert "note saved" in it.footer
        assert it.text("#call").startswith("¶ week 53 [/b] again")
        assert row(it, 58).startswith("∞¶")
        await it.until(lambda: settings.annotations_file and settings.annotations_file.exists())
        await it.until(lambda: list(written(settings)["step_notes"].values()))
        await it.press("j")
        assert "¶" not in it.text("#call")
        await it.press("k", "semicolon")
        await it.until(lambda: it.screen.asking.editor)
        editor = it.screen.asking.editor
        assert editor and editor.text == "week 53 [/b] again"
        editor.lines.text = " "
        await it.press("ctrl+s")
        await it.settle()
        assert "note removed" in it.footer
        assert row(it, 58).startswith("∞ ")
        assert not kept(it).step_notes


async def test_in_the_lists_the_note_is_on_the_run_and_stands_above_the_strip() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open(WEEK)
        await it.press("1")
        await write_note(it, "ask Ada")
        assert kept(it).note == "ask Ada"
        assert it.text("#annotations") == " ¶ ask Ada"
        assert "¶" in it.text("#conversations")
        await it.press("j", "enter")
        assert not it.screen.query_one("#annotations").display, "another run has none"


async def test_a_note_that_is_put_aside_is_kept_as_a_draft_and_quitting_asks() -> None:
    async with explore() as it:
        await it.open(WEEK)
        await it.press("semicolon")
        await it.until(lambda: it.screen.asking.editor)
        await it.type("half a")
        await it.press("escape")
        assert "draft kept: ; continues it" in it.footer
        assert kept(it) == RunAnnotations()
        await it.press("q")
        assert "1 unsaved note will be lost if you quit." in it.text("#question")
        await it.press("escape", "semicolon")
        await it.until(lambda: it.screen.asking.editor)
        await it.type(" thought")
        await it.press("ctrl+s")
        assert list(kept(it).step_notes.values()) == ["half a thought"]
        assert not it.screen.session.note_drafts


async def test_a_note_that_is_too_long_is_refused_and_its_text_stays() -> None:
    async with explore() as it:
        await it.open(WEEK)
        await it.press("semicolon")
        await it.until(lambda: it.screen.asking.editor)
        editor = it.screen.asking.editor
        assert editor
        editor.lines.text = "x" * 4_001
        await it.press("ctrl+s")
        await it.until(lambda: it.screen.asking.editor not in (None, editor))
        again = it.screen.asking.editor
        assert again and again.text == "x" * 4_001
        assert "at most 4,000 characters" in it.text("Editor Rule")
        await it.press("escape")


async def test_tags_are_set_shown_and_taken_off() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open(WEEK)
        await tag(it, "Bug kind:flaky, why:dates")
        assert "tags: bug kind:flaky why:dates" in it.footer
        assert it.text("#annotations") == " #bug #kind:flaky #why:dates"
        assert "#" in it.text("#conversations")
        await tag(it, "-kind -why again")
        assert kept(it).tags == {"bug": "", "again": ""}
        await it.press("number_sign")
        assert "Tag Parse ISO week dates: bug again" in it.text("#asked-rule")
        await it.press("escape")
        await tag(it, "-bug -again")
        assert "no tags" in it.footer
        assert not it.screen.query_one("#annotations").display


async def test_what_is_no_tag_is_said_and_can_be_typed_again() -> None:
    async with explore() as it:
        await it.open(WEEK)
        await it.press("number_sign")
        line = it.screen.asking.find_input
        for typed, told in (
            ("x" * 70, "A tag has at most 64 characters before its colon"),
            ("a/b", "a/b is not a tag"),
            ("[/b]", "[/b] is not a tag"),
        ):
            line.value = typed
            await it.press("enter")
            assert told in it.text("#asked")
            assert line.value == typed
        await it.press("ctrl+u")
        await it.type("bug")
        await it.press("enter")
        assert kept(it).tags == {"bug": ""}


async def test_a_tag_of_another_run_is_completed() -> None:
    async with explore() as it:
        await it.open(WEEK)
        await tag(it, "kind:flaky")
        await it.open("Add OAuth login")
        await it.press("number_sign")
        await it.type("ki")
        await it.until(lambda: it.screen.asking.find_input.suggestion)
        await it.press("tab", "enter")
        assert kept(it).tags == {"kind": "flaky"}


async def test_the_list_is_filtered_by_what_is_kept_and_follows_it() -> None:
    async with explore() as it:
        await it.open(WEEK)
        await tag(it, "bug")
        await it.open("Add OAuth login")
        await tag(it, "bug")
        await write_note(it, "later")
        await it.press("1", "ampersand")
        await it.type("tag:bug")
        await it.press("enter")
        await it.settle()

        def listed() -> list[str | None]:
            return [one.conversation.title for one in it.screen.sidebar.list.rows]

        assert set(listed()) == {WEEK, "Add OAuth login"}
        await it.press("ampersand", "ctrl+u")
        await it.type("tag:bug note:LATER")
        await it.press("enter")
        await it.settle()
        assert listed() == ["Add OAuth login"]
        await tag(it, "-bug")
        assert listed() == ["Add OAuth login"], "it stays under the cursor"
        await it.press("escape", "ampersand")
        await it.type("tag:bug")
        await it.press("enter")
        await it.settle()
        assert listed() == [WEEK]


async def test_what_another_program_keeps_is_there_after_reading_again(
    settings: Settings,
) -> None:
    async with explore(settings=settings, size=(160, 48)) as it:
        await it.open(WEEK)
        current = it.screen.session.current
        assert current
        other = Annotations(settings.annotations_file)
        other.tag(current, {"theirs": ""})
        assert other.save()
        await it.press("r")
        assert "#theirs" in it.text("#annotations")


async def test_a_disk_that_takes_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file in the place of the folder")
    settings = Settings(annotations_file=tmp_path / "state" / "annotations.json")
    async with explore(settings=settings) as it:
        await it.open(WEEK)
        await it.press("b")
        await it.until(lambda: "could not be written to the disk" in it.footer)
        assert kept(it).bookmarks


async def test_signs_have_an_ascii_form() -> None:
    async with explore(settings=Settings(ascii=True), size=(160, 48)) as it:
        await it.open(WEEK)
        await it.press("b")
        assert row(it, 58).startswith("@'")
        assert f"x' {WEEK}" in it.text("#conversations"), "no letter stands beside a title"
        await write_note(it, "odd")
        assert "; odd" in it.text("#call")
        assert all(line.text.isascii() for line in it.strips() if "odd" in line.text)


# Tags on the server


def agent_tags(it: Explorer) -> dict[str, str]:
    current = it.screen.session.current
    assert current
    return it.demo.world.conversations[current.id].agent_tags


async def test_a_tag_is_offered_to_the_agent_server_and_added_to_those_it_has() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open(WEEK)
        agent_tags(it)["team"] = "web"
        await it.press("number_sign")
        await it.type("bug needs-review -gone")
        await it.press("enter")
        assert "On this machine, until oh-tui ends: bug. The server" in it.text("#question")
        assert agent_tags(it) == {"team": "web"}
        await it.press("y")
        await it.settle()
        assert agent_tags(it) == {"team": "web", "bug": ""}
        assert "tags on the server: team:web bug" in it.footer
        await it.until(lambda: "#team:web" in it.text("#annotations"))
        assert kept(it).tags == {"bug": "", "needs-review": ""}, "the others are of the server"


async def test_a_tag_that_is_kept_here_alone_reaches_no_server() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await it.open(WEEK)
        await tag(it, "bug")
        assert between.count("PATCH *") == 0
        assert kept(it).tags == {"bug": ""}


@pytest.mark.parametrize("title", ["Port the CLI to click", "Fix the add function"])
async def test_nothing_is_offered_without_an_agent_server(title: str) -> None:
    async with explore() as it:
        await it.open(title)
        await it.press("number_sign")
        await it.type("bug")
        await it.press("enter")
        assert not it.screen.asking.is_questioning
        assert kept(it).tags == {"bug": ""}


async def test_read_only_offers_nothing_and_keeps_tags_here() -> None:
    async with explore(settings=Settings(read_only=True)) as it:
        await it.open(WEEK)
        await it.press("number_sign")
        await it.type("bug")
        await it.press("enter")
        assert not it.screen.asking.is_questioning
        assert kept(it).tags == {"bug": ""}


async def test_a_tag_of_the_server_can_be_removed_there() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open(WEEK)
        await tag(it, "team:web", there="y")
        await it.until(lambda: agent_tags(it))
        await it.press("r")
        await it.settle()
        await tag(it, "-team", there="y")
        await it.until(lambda: not agent_tags(it))
        assert "whose list may still show it: none" in it.footer
        assert kept(it).tags == {}


async def test_a_server_that_refuses_is_told_and_the_tag_stays_here() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await it.open(WEEK)
        between.answer("PATCH *", 500)
        await tag(it, "bug", there="y")
        await it.until(lambda: "Could not write the tags" in it.footer)
        assert kept(it).tags == {"bug": ""}
