"""The effect of keys and sizes on the whole screen: help, palette, narrow views."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.segment import Segment
from textual.actions import parse
from textual.color import Color
from textual.widgets import OptionList, Static

import oh_tui
from oh_tui.settings.startup import Settings
from oh_tui.trajectory.glyphs import ASCII, UNICODE, Glyphs
from oh_tui.tui.app import AsciiFilter
from oh_tui.tui.hints import idle_keys
from oh_tui.tui.keys import COPY_KEYS, MORE, MOVE_KEYS, SCREEN_KEYS
from oh_tui.tui.main_screen import MainScreen
from oh_tui.tui.palette import Palette
from oh_tui.tui.platform.scrolling import THUMB
from oh_tui.tui.rendering import prose
from oh_tui.tui.screens.context.screen import ContextScreen
from oh_tui.tui.screens.costs_page import EIGHTHS
from oh_tui.tui.screens.help import HelpScreen, signs
from oh_tui.tui.screens.view import View
from oh_tui.tui.widgets.bars import Footer
from oh_tui.tui.widgets.drawing import Rule
from tests.tui.explorer import Explorer, case, explore


def shown(it: Explorer) -> str:
    """What the help shows, on one line."""
    parts = ("left", "right", "more-left", "more-right")
    texts = [it.app.screen.query_one(f"#help-{part}", Static).content for part in parts]
    return " ".join(" ".join(map(str, texts)).split())


async def test_help_names_every_key() -> None:
    async with explore() as it:
        await it.press("question_mark")
        assert [type(screen) for screen in it.app.screen_stack] == [MainScreen, HelpScreen]
        text = shown(it)
        idle = idle_keys(it.screen.session.source)
        for key in (*MOVE_KEYS, *SCREEN_KEYS):
            if key.id in idle:
                continue
            assert key.help in text
            assert key.shown in text
        footer = it.app.screen.query_one(Footer).render_line(0).text
        assert "type to search" in footer and footer.strip().endswith("esc close")
        pane = it.app.screen.query_one("#help")
        await it.pilot.press("pagedown")
        await it.pilot.pause()
        assert pane.scroll_y > 0
        await it.pilot.press("escape")
        await it.pilot.pause()
        assert [type(screen) for screen in it.app.screen_stack] == [MainScreen]


async def test_help_says_more_of_a_key_than_the_footer() -> None:
    async with explore() as it:
        await it.press("B")
        await it.until(lambda: type(it.app.screen).__name__ == "BoardScreen")
        await it.pilot.press("f")
        await it.until(lambda: type(it.app.screen).__name__ == "FailuresScreen")
        await it.pilot.press("question_mark")
        await it.until(lambda: type(it.app.screen) is HelpScreen)
        assert "compare one that recovered with one not" in shown(it)
        assert "enter open the example" in shown(it), "what the footer alone knows stays"


async def test_help_opens_on_the_keys_of_where_one_is_and_ends_with_the_signs() -> None:
    async with explore() as it:
        for pane, title in (("2", "In the sandboxes"), ("3", "In the timeline")):
            await it.press(pane, "question_mark")
            assert shown(it).startswith(title)
            assert "condensed: events forgotten" in shown(it)
            await it.pilot.press("f1")
            await it.pilot.pause()
        legend = {entry.meaning: entry for entry in signs(UNICODE)}
        assert legend["waits for you"].hue == "warn"
        told = {entry.name for entry in legend.values()}
        assert {UNICODE.loop, UNICODE.cut, UNICODE.found, UNICODE.no_result} <= told


FRAME = {"rule", "heavy", "divider", "dot"}
"""Glyphs that only part things: they mean nothing."""


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_no_sign_that_is_drawn_is_missing_in_the_legend(glyphs: Glyphs) -> None:
    legend = " ".join(f"{entry.name} {entry.meaning}" for entry in signs(glyphs))
    signs_of_ours = {name: getattr(glyphs, name) for name in set(Glyphs.__struct_fields__) - FRAME}
    assert [name for name, sign in signs_of_ours.items() if sign not in legend.split()] == []


def test_no_sign_is_drawn_past_the_table_of_glyphs() -> None:
    """Every character that looks like a sign comes from the table, or is one of these."""
    known = {*"·…←→↑↓─━", *EIGHTHS, THUMB}
    odd = set[str]()
    for file in Path(oh_tui.__file__).parent.glob("tui/**/*.py"):
        if file.name in ("theme.py", "app.py", "cells.py"):
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                odd |= {one for one in node.value if "\u2190" <= one <= "\u2bff"} - known
    assert odd == set()


def test_the_document_explains_every_sign_in_both_forms() -> None:
    document = Path(oh_tui.__file__).parents[1] / "docs" / "keys.md"
    rows = document.read_text("utf-8").partition("## Signs")[2].replace("\\|", "|")
    for name in set(Glyphs.__struct_fields__) - FRAME:
        pair = [getattr(glyphs, name)[-1] for glyphs in (UNICODE, ASCII)]
        told = [row for row in rows.splitlines() if f"`{pair[0]}`" in row]
        assert any(f"`{pair[1]}`" in row for row in told), name


def test_in_ascii_a_cut_and_a_condensation_are_different_signs() -> None:
    assert ASCII.condensed != ASCII.more
    drawn_so = [chr(sign) for sign, mark in AsciiFilter.MARKS.items() if mark == ASCII.condensed]
    assert drawn_so == [UNICODE.condensed]


def test_in_ascii_a_page_has_no_sign_of_the_other_set() -> None:
    signs = "".join(getattr(UNICODE, name) for name in Glyphs.__struct_fields__)
    drawn = AsciiFilter().apply([Segment(f"{signs} ✗ stuck +2")], Color(0, 0, 0))[0].text
    assert drawn.isascii() and drawn.endswith(" x stuck +2")


def test_in_ascii_prose_is_drawn_with_ascii() -> None:
    source = "# a\n\n- b\n  - c\n\n1. d\n\n> e\n\n---\n\n| f | g |\n|---|---|\n| 1 | 2 |\n\n![h](http://i)\n"
    lines = [[Segment(text) for text, _ in line] for line in prose.render(source, 40)]
    drawn = [
        "".join(one.text for one in AsciiFilter().apply(line, Color(0, 0, 0))) for line in lines
    ]
    assert " * b" in drawn and all(line.isascii() for line in drawn)


async def test_in_ascii_arrow_keys_are_words() -> None:
    """`<` `>` and `v` are other keys."""
    async with explore(settings=Settings(ascii=True), size=(160, 48)) as it:
        await it.press("w")
        assert "long lines are cut: 4, then left right scroll" in it.footer
        await it.press("question_mark")
        text = shown(it)
        assert "j down " in text and "left " in text
        assert "right opens them, left closes" in text
        assert "left close them" in text and "< close" not in text
        assert "up down PgUp PgDn" in it.text_of(it.app.screen.query_one(Footer))


async def test_typing_in_the_help_searches_it() -> None:
    async with explore() as it:
        await it.press("question_mark")
        for key in "jq pause?":
            await it.pilot.press("space" if key == " " else key if key != "?" else "question_mark")
        assert type(it.app.screen) is HelpScreen, "letters close nothing"
        assert "nothing found" in it.app.screen.query_one(Rule).render_line(0).text
        await it.pilot.press(*["backspace"] * 9)
        await it.type("pause sandbox")
        assert "pause the sandbox, or resume it" in shown(it)
        assert "previous step" not in shown(it)
        await it.press("ctrl+u")
        assert "previous step" in shown(it)


async def test_the_help_finds_commands_without_a_key_and_all_labels() -> None:
    async with explore() as it:
        await it.press("question_mark")
        for words, answer in (
            ("copy", "the result as text"),
            ("copy", "drag ctrl+c select text"),
            ("rename", "another title"),
            ("theme", "other colours"),
            ("shell", "run a command where the agent works"),
            ("where it went", "where time and money went"),
        ):
            await it.type(words)
            assert answer in " ".join(shown(it).split())
            assert "previous step" not in shown(it), "what was not searched for is hidden"
            await it.press("ctrl+u")


HELP = {
    "c": "In the changed files",
    "T": "Where it went",
    "exclamation_mark": "In the shell",
    "ctrl+n": "In a new conversation",
    "ctrl+p": "In the palette",
    "slash": "In the line to type in",
    "p": "To answer the question",
    "y": "To answer the question",
    "m": "While you write",
    "colon": "In the line to type in",
    "ampersand": "In the line to type in",
}
"""By the key that opens a view or a dialog: how the help that one gets there begins."""


async def test_every_view_and_dialog_has_help() -> None:
    async with explore() as it:
        await it.open("Flaky CI on main")
        for key, title in HELP.items():
            with case(key):
                await opens_help(it, key, title)
                await it.press("escape")
                await it.until(lambda: it.app.screen is it.screen)
                assert not it.screen.asking.is_asking and it.screen.asking.editor is None


async def opens_help(it: Explorer, key: str, title: str) -> None:
    asking = it.screen.asking
    await it.press(key)
    await it.until(lambda: len(it.app.screen_stack) > 1 or asking.is_asking or asking.editor)
    below = it.app.screen
    await it.pilot.press("f1")
    await it.until(lambda: type(it.app.screen) is HelpScreen)
    await it.until(lambda: shown(it).startswith(title))
    await it.pilot.press("escape")
    await it.until(lambda: it.app.screen is below)
    assert asking.is_asking == (key in ("slash", "p", "y", "colon", "ampersand"))


async def test_the_footer_of_every_view_names_the_help_at_80_columns() -> None:
    async with explore(size=(80, 24)) as it:
        await it.open("Flaky CI on main")
        for key, help in (("c", "?"), ("T", "?"), ("exclamation_mark", "F1"), ("ctrl+n", "F1")):
            with case(key):
                await it.press(key)
                await it.until(lambda: len(it.app.screen_stack) > 1)
                await names_help(it, help)
                await it.press("escape")
                await it.until(lambda: it.app.screen is it.screen)


async def test_views_label_keys_that_they_have_and_the_help_names_those_of_their_base() -> None:
    async with explore() as it:
        await it.open("Flaky CI on main")
        for key in ("c", "H", "T", "V", "S", "B", "asterisk", "ctrl+n", "exclamation_mark"):
            with case(key):
                await it.press(key)
                await it.until(lambda: isinstance(it.app.screen, View) and it.app.screen.is_mounted)
                await names_its_keys(it)
                await it.press("escape")
                await it.until(lambda: it.app.screen is it.screen)


async def names_its_keys(it: Explorer) -> None:
    view = it.app.screen
    assert isinstance(view, View)
    assert (view.key_labels() or {}).keys() <= {one.description for _, one in view.key_table()}
    await it.pilot.press("f1")
    await it.until(lambda: type(it.app.screen) is HelpScreen)
    text = shown(it)
    assert all(f" {name} " in text for name, _ in view.key_table()), text
    await it.press("escape")
    await it.until(lambda: it.app.screen is view)


async def test_tab_does_not_leave_a_line_that_is_typed_in() -> None:
    async with explore() as it:
        await it.open("Flaky CI on main")
        await it.press("V")
        await it.until(lambda: isinstance(it.app.screen, ContextScreen))
        await it.settle()
        await it.press("slash", "tab", "x", "shift+tab", "y")
        view = it.app.screen
        assert isinstance(view, ContextScreen) and view.find.is_open
        assert view.find.words.has_focus and view.find.words.value == "xy"


async def names_help(it: Explorer, help: str) -> None:
    footer = it.app.screen.query_one(Footer)
    await it.until(lambda: f" {help} " in footer.render_line(0).text)
    line = footer.render_line(0).text
    assert all(f" {hint.key} " in line for hint in (*footer.hints[:4], *footer.always)), line


async def test_a_question_mark_is_a_letter_in_a_field() -> None:
    async with explore() as it:
        await it.press("slash", "question_mark")
        assert it.screen.asking.find_input.value == "?"
        assert "F1 all keys  esc close" in it.footer


def test_the_document_names_every_key() -> None:
    document = Path(oh_tui.__file__).parents[1] / "docs" / "keys.md"
    table = document.read_text("utf-8").partition("## Signs")[0]
    named = set(re.findall("`(.*?)`", table.replace("\\|", "|")))
    shown = [key.shown.split()[0] for key in (*MOVE_KEYS, *SCREEN_KEYS)]
    assert [key for key in (*shown, *(key for key, _, _ in COPY_KEYS)) if key not in named] == []


async def test_no_two_keys_of_the_screen_are_the_same() -> None:
    keys = [name for key in (*MOVE_KEYS, *SCREEN_KEYS) for name in key.keys.split(",")]
    assert len(keys) == len(set(keys))
    ids = [key.id for key in (*MOVE_KEYS, *SCREEN_KEYS)]
    assert len(ids) == len(set(ids))


async def test_every_key_and_command_names_an_action_that_there_is() -> None:
    async with explore() as it:
        commands = [action for _, _, action in MORE]
        for action in (*commands, *(key.action for key in SCREEN_KEYS)):
            namespace, name, arguments = parse(action)
            owner = {"": it.screen, "app": it.app}.get(namespace)
            owner = owner or getattr(it.screen.controllers, namespace)
            assert inspect.signature(getattr(owner, f"action_{name}")).bind(*arguments)
        for pane in (it.screen.timeline, it.screen.run_view.detail.result_view):
            for key in MOVE_KEYS:
                _, name, arguments = parse(key.action)
                assert inspect.signature(getattr(pane, f"action_{name}")).bind(*arguments)
        assert "p" in it.app.active_bindings, "those of controllers are no mistake to Textual"


async def test_the_palette_lists_what_can_be_done_here_first_a_line_each() -> None:
    async with explore() as it:
        await it.open("Add OAuth login")
        await it.pilot.press("ctrl+p")
        await it.until(lambda: len(it.app.screen.query("CommandList")) > 0)
        listed = it.app.screen.query_one("CommandList", OptionList)
        await it.until(lambda: listed.option_count > 20)
        lines = [str(option.prompt) for option in listed.options]
        assert lines[0].split()[:2] == ["a", "answer"] and not any("\n" in line for line in lines)
        words = [" ".join(line.split()) for line in lines]
        pager = words.index("F3 pager show call or result in $PAGER")
        assert pager > words.index("c changed files the files that the run read and changed")
        assert "rename give the conversation another title; on its server" in words
        await it.type("zzzz")
        await it.until(lambda: listed.option_count == 1)
        await it.until(lambda: "no command has that name" in str(listed.options[0].prompt))
        for _ in "zzzz":
            await it.pilot.press("backspace")
        await it.type("export")
        await it.until(
            lambda: any("the trajectory as a zip" in str(one.prompt) for one in listed.options)
        )


async def test_the_palette_says_what_the_program_does_not_do() -> None:
    async with explore() as it:
        await it.pilot.press("ctrl+p")
        await it.until(lambda: len(it.app.screen.query("CommandList")) > 0)
        listed = it.app.screen.query_one("CommandList", OptionList)
        for typed in ("delete", "archive"):
            with case(typed):
                await it.type(typed)
                await it.until(lambda: listed.option_count == 1)
                await it.until(lambda: "oh-tui d" in str(listed.options[0].prompt))
                await it.press("ctrl+u")
                await it.until(lambda: listed.option_count > 1)


async def test_a_search_during_which_the_palette_closes_ends_quietly() -> None:
    async with explore() as it:
        await it.pilot.press("ctrl+p")
        await it.until(lambda: len(it.app.screen.query("CommandList")) > 0)
        palette = it.app.screen
        assert isinstance(palette, Palette)

        async def search() -> None:
            await palette.query_one("CommandList").remove()
            palette.query_one("CommandList")

        searching = palette.run_worker(search)
        await it.until(lambda: searching.is_finished)
        assert searching.error is None
        it.app.pop_screen()
        await it.settle()


async def test_the_palette_opens_a_conversation_by_its_title() -> None:
    async with explore() as it:
        await it.pilot.press("ctrl+p")
        await it.find_command("rename store", "Rename Store to Ledger")
        await it.pilot.press("enter")
        await it.until(lambda: it.app.screen is it.screen)
        await it.settle()
        assert (
            it.screen.session.current
            and it.screen.session.current.title == "Rename Store to Ledger"
        )


async def test_the_palette_survives_titles_that_look_like_markup() -> None:
    async with explore() as it:
        await it.pilot.press("ctrl+p")
        await it.find_command("markup", "markup")
        found = it.app.screen.query_one(OptionList)
        prompts = [str(found.get_option_at_index(n).prompt) for n in range(found.option_count)]
        assert any("[/b] and [red]markup[/red]" in prompt for prompt in prompts)
        await it.pilot.press("escape")
        await it.until(lambda: it.app.screen is it.screen)


async def test_narrow_screens_have_two_views_and_esc_leads_back() -> None:
    async with explore(size=(80, 24)) as it:
        assert it.screen.sidebar.display
        assert not it.screen.run_view.display
        await it.press("j", "enter")
        assert not it.screen.sidebar.display
        assert it.screen.run_view.display
        await it.press("enter")
        assert it.screen.session.arrangement.zoom == "detail"
        await it.press("escape")
        assert it.screen.session.arrangement.zoom == ""
        assert it.screen.session.pane == "timeline"
        await it.press("escape")
        assert it.screen.sidebar.display
        assert it.screen.sidebar.list.cursor == 1


async def test_a_screen_too_small_says_so_and_recovers() -> None:
    async with explore(size=(100, 30)) as it:
        await it.pilot.resize_terminal(50, 12)
        await it.pilot.pause()
        assert it.screen.query_one("#too-small").display
        assert not it.screen.query_one("#panes").display
        await it.pilot.resize_terminal(1, 1)
        await it.pilot.pause()
        await it.pilot.resize_terminal(120, 36)
        await it.pilot.pause()
        assert it.screen.query_one("#panes").display
        arrangement = it.screen.session.arrangement
        assert arrangement == replace(arrangement, width=120, height=36)


async def test_q_closes_the_run_of_a_narrow_screen_though_something_is_told_there() -> None:
    async with explore(size=(80, 24)) as it:
        await it.press("enter", "t")
        assert it.screen.footer.news
        it.screen.session.is_reading = True
        await it.press("q")
        assert it.screen.sidebar.display
        assert not it.screen.run_view.display


async def test_keys_typed_in_one_burst_go_to_the_pane_they_name() -> None:
    async with explore() as it:
        await it.open("Parse ISO week dates")
        await it.press("1")
        last, listed = it.screen.timeline.cursor, it.screen.sidebar.list.cursor
        it.screen.controllers.navigation.action_pane("timeline")
        assert it.screen.focused is it.screen.timeline
        await it.press("k")
        assert it.screen.timeline.cursor == last - 1
        assert it.screen.sidebar.list.cursor == listed
