"""The palette in every view, form and question: its own commands first, then the program's."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from textual.content import Content
from textual.widgets import OptionList

from oh_tui.settings.startup import Settings
from oh_tui.tui.palette import Palette, Row, closeness, told
from oh_tui.tui.screens.start.screen import StartScreen
from oh_tui.tui.screens.view import View
from tests.tui.explorer import Explorer, case, explore

VIEWS = {
    "c": "blame", "T": "go to the step", "V": "answers", "H": "blame", "S": "write",
    "B": "group", "asterisk": "search", "ctrl+n": "start", "exclamation_mark": "run",
    "C": "to the step", "A": "ask",
}  # fmt: skip
"""By the key that opens a view or form: a command of its own."""


async def lines(it: Explorer, wanted: str = "") -> list[str]:
    """The rows of the palette, once one has the text."""
    await it.until(lambda: isinstance(it.app.screen, Palette) and it.app.screen.is_mounted)
    listed = it.app.screen.query_one("CommandList", OptionList)

    def rows() -> list[str]:
        return [" ".join(str(option.prompt).split()) for option in listed.options]

    await it.until(lambda: any(wanted in row for row in rows()) if wanted else rows())
    return rows()


def has_rows(view: View[Any]) -> bool:
    """Keys of a view do something once it has what it shows."""
    return view.key_labels() is not None


async def test_each_view_and_form_has_its_own_commands_first_then_the_programs() -> None:
    async with explore() as it:
        await it.open("Flaky CI on main")
        await it.settle()
        for key, own in VIEWS.items():
            with case(key):
                await it.send(key)
                await it.until(lambda: isinstance(it.app.screen, View) and it.app.screen.is_mounted)
                assert isinstance(it.app.screen, View)
                view = it.app.screen
                await it.until(partial(getattr, view.footer, "always"))
                await it.until(partial(has_rows, view))
                await it.send("ctrl+p")
                found = await lines(it, "board")
                first = [n for n, row in enumerate(found) if own in row]
                of_program = [n for n, row in enumerate(found) if "stop the agent" in row]
                assert first[:1] < of_program, found
                assert not any("next pane" in row for row in found[20:]), "there is no pane here"
                await it.send("escape")
                await it.until(lambda: not isinstance(it.app.screen, Palette))
                assert it.app.screen is view
                view.dismiss(None)
                await it.until(lambda: it.app.screen is it.screen)


async def test_a_command_of_a_view_is_carried_out_in_it() -> None:
    async with explore() as it:
        await it.open("Flaky CI on main")
        await it.press("c")
        await it.until(lambda: isinstance(it.app.screen, View) and it.app.screen.is_mounted)
        view = it.app.screen
        await it.settle()
        await it.send("f2")
        await it.find_command("only read", "only read")
        await it.send("enter")
        await it.until(lambda: it.app.screen is view)


async def test_a_command_of_the_program_closes_the_view_first() -> None:
    async with explore() as it:
        await it.open("Flaky CI on main")
        await it.press("T")
        await it.until(lambda: isinstance(it.app.screen, View) and it.app.screen.is_mounted)
        await it.send("ctrl+p")
        await it.find_command("board", "board")
        await it.send("enter")
        await it.until(lambda: type(it.app.screen).__name__ == "BoardScreen")
        assert len(it.app.screen_stack) == 2


async def test_a_form_that_the_palette_leaves_keeps_its_text() -> None:
    async with explore() as it:
        await it.press("ctrl+n")
        await it.until(lambda: isinstance(it.app.screen, StartScreen))
        await it.type("mend the parser")
        await it.send("ctrl+p")
        await it.find_command("board", "board")
        await it.send("enter")
        await it.until(lambda: type(it.app.screen).__name__ == "BoardScreen")
        await it.send("escape")
        await it.until(lambda: it.app.screen is it.screen)
        await it.press("ctrl+n")
        await it.until(lambda: isinstance(it.app.screen, StartScreen))
        form = it.app.screen
        assert isinstance(form, StartScreen) and form.text.text == "mend the parser"


async def test_the_palette_over_a_question_never_answers_it() -> None:
    async with explore() as it:
        await it.open("Flaky CI on main")
        asking = it.screen.asking
        await it.press("p")
        await it.until(lambda: asking.is_questioning and asking.question_bar.is_seen)
        await it.send("ctrl+p")
        found = await lines(it, "board")
        assert "only its keys answer the question" in found[0]
        await it.send("enter")  # its first row, and at once the key that would answer
        await it.until(lambda: it.app.screen is it.screen)
        await it.send("enter")
        await it.send("y")
        await it.settle()
        assert asking.is_questioning, "keys typed on are ignored"
        await it.send("ctrl+p")
        await it.find_command("fork", "fork")
        await it.send("enter")
        await it.until(lambda: it.app.screen is it.screen)
        await it.until(lambda: "a question waits" in it.footer)
        assert asking.is_questioning
        await it.send("escape")
        await it.until(lambda: not asking.is_questioning)


async def test_the_palette_takes_back_the_first_key_of_an_answer() -> None:
    async with explore() as it:
        await it.open("Add OAuth login")
        asking = it.screen.asking
        await it.press("a")
        await it.until(lambda: asking.is_questioning and asking.question_bar.is_seen)
        for key in ("ctrl+p", "f2"):
            await it.send("y")
            await it.send(key)
            await it.until(lambda: isinstance(it.app.screen, Palette))
            await it.send("escape")
            await it.until(lambda: it.app.screen is it.screen)
            await it.send("enter")
            await it.settle()
            assert asking.is_questioning


async def test_the_palette_over_a_line_presses_its_keys() -> None:
    async with explore() as it:
        await it.press("slash", "x")
        await it.send("ctrl+p")
        await it.find_command("empty it", "empty it")
        await it.send("enter")
        await it.until(lambda: it.app.screen is it.screen)
        await it.until(lambda: it.screen.asking.find_input.value == "")
        assert it.screen.asking.is_typing


@pytest.mark.parametrize(
    ("typed", "found"),
    [("model", "switch profile"), ("switch", "switch profile"), ("price", "where it went"),
     ("cost", "where it went"), ("comment", "note"), ("screenshot", "screenshot"), ("$", "budget")],
)  # fmt: skip
async def test_commands_are_found_by_other_words_too(typed: str, found: str) -> None:
    async with explore() as it:
        await it.open("Flaky CI on main")
        await it.press("ctrl+p")
        await it.find_command(typed, found)


@pytest.mark.parametrize("ascii", [False, True])
async def test_key_name_and_description_look_different_and_fit(ascii: bool) -> None:
    async with explore(size=(80, 24), settings=Settings(ascii=ascii)) as it:
        await it.open("Flaky CI on main")
        await it.press("ctrl+p")
        await lines(it, "budget")
        listed = it.app.screen.query_one("CommandList", OptionList)
        first = it.app.screen.query_one("CommandInput").region.bottom
        assert listed.region.y == first, "no empty row between them"
        assert listed.scrollable_content_region.y == first
        looks, rows = set[tuple[str, ...]](), {}
        for option in listed.options:
            assert isinstance(option.prompt, Content)
            looks |= {tuple(str(span.style) for span in option.prompt.spans)}
            assert option.prompt.cell_length <= 77
            rows[option.prompt.plain[10:28].strip()] = option.prompt.plain[29:]
        assert rows["budget"] == "what the run may cost", "whole up to the ;"
        assert rows["tag"] == "the run: bug kind:flaky; -bug removes it", "all where it fits"
        assert not [row for row in rows.values() if row.endswith(("…", ">"))], "none is cut"
        accent, dim = max(looks, key=len)
        assert accent != dim and looks <= {(accent, dim), (accent,), (dim,)}


async def test_a_long_description_ends_with_the_sign_of_a_cut() -> None:
    async with explore(size=(60, 24), settings=Settings(ascii=True)) as it:
        await it.press("ctrl+p")
        found = await lines(it, "pause")
        assert "p pause sandbox pause the sandbox, or resum~" in found


async def test_a_name_is_said_once() -> None:
    async with explore() as it:
        await it.open("Flaky CI on main")
        await it.press("ctrl+p")
        found = await lines(it, "rename")
        assert len(found) == len(set(found))
        assert "/ find text in the rows, hiding none" in found
        assert "n next hit of what / found" in found
        assert not any("find find" in row or "find: find" in row for row in found)
    assert told("board", "boards of all") == "boards of all", "another word is no name"


@pytest.mark.parametrize(
    ("typed", "hit"),
    [("go", True), ("GO to", True), ("jump", True), ("jum st", True), ("tep", False),
     ("gt", False), ("go zebra", False), ("", False), ("\\", False), ("(", False)],
)  # fmt: skip
def test_what_shares_no_word_and_no_beginning_of_one_is_no_hit(typed: str, hit: bool) -> None:
    row = Row(":", "go to", "a step, a time, an id", lambda: None, "jump")
    assert (closeness(typed, row) > 0) is hit


def test_a_name_counts_more_than_another_word_and_that_more_than_the_help() -> None:
    rows = [Row("", label, help, lambda: None, also) for label, help, also in (
        ("a", "the fork", ""), ("b", "", "fork"), ("forks", "", ""), ("fork", "", ""),
    )]  # fmt: skip
    scores = [closeness("fork", row) for row in rows]
    assert scores == sorted(set(scores))
