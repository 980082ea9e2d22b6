"""Text selected with the mouse: visible in every theme, of panes alone, copied with ctrl+c."""

from __future__ import annotations

import pytest
from rich.color import Color
from rich.style import Style
from textual.geometry import Offset
from textual.selection import SELECT_ALL

from oh_tui.settings.config import THEMES
from oh_tui.tui.rendering import highlight
from oh_tui.tui.theme import theme_name
from oh_tui.tui.widgets.bars import Footer
from oh_tui.tui.widgets.body_view import BodyView
from oh_tui.tui.widgets.drawing import Drawn
from tests.tui.explorer import Explorer, explore

OAUTH = "Add OAuth login"


def luminance(color: Color) -> float:
    """As WCAG 2 defines it."""

    def linear(part: int) -> float:
        share = part / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = map(linear, color.get_truecolor())
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Color, other: Color) -> float:
    """1 for two equal colours, 21 for black and white."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def styles_at(view: BodyView, y: int) -> list[Style]:
    return [s.style for s in view.render_line(y) if s.style and s.text.strip()]


async def drawn_for_good(it: Explorer) -> None:
    """Texts that were drawn before their colours were loaded are shown anew a second after the
    start, which takes a selection away."""
    await it.until(lambda: not (highlight.is_put_off() or it.screen.ui.at_work("warm")))
    await it.settle()


async def drag(it: Explorer, start: tuple[str, int, int], end: tuple[str, int, int]) -> None:
    """Select from one place to another; once more when a body was drawn anew meanwhile, which
    takes a selection away."""
    await drawn_for_good(it)
    for _ in range(3):
        await it.pilot.pause()
        await it.pilot.mouse_down(f"#{start[0]}", offset=start[1:])
        await it.pilot.hover(f"#{end[0]}", offset=end[1:])
        await it.pilot.mouse_up(f"#{end[0]}", offset=end[1:])
        await it.pilot.pause()
        if it.screen.selections:
            return


@pytest.mark.slow
async def test_a_selection_is_readable_under_every_theme() -> None:
    async with explore() as it:
        await it.open(OAUTH)
        await drawn_for_good(it)
        view = it.screen.run_view.detail.call_view
        for theme in THEMES:
            it.app.theme = theme_name(theme)
            it.screen.clear_selection()
            await it.turn(it.app)  # the theme's styles
            await it.turn(it.screen)  # the watcher of selections
            # without a turn between, in which anything may draw the view or clear the selection
            view.selection_updated(None)
            ground, before = view.base, styles_at(view, 0)
            it.screen.selections = {view: SELECT_ALL}
            view.selection_updated(SELECT_ALL)
            selected = styles_at(view, 0)
            assert selected, theme
            assert selected != before, theme
            for style in selected:
                if style.reverse:  # the terminal's own two colours change places
                    assert it.app.current_theme.ansi, theme
                    continue
                assert style.color and style.bgcolor and ground.bgcolor
                assert contrast(style.color, style.bgcolor) >= 4.5, theme
                assert contrast(style.bgcolor, ground.bgcolor) >= 3, f"{theme}: it stands out"


@pytest.mark.slow
async def test_a_selection_in_the_help_is_readable_under_every_theme() -> None:
    async with explore() as it:
        await it.press("question_mark")
        for theme in THEMES:
            it.app.theme = theme_name(theme)
            await it.turn(it.app)
            style = it.app.screen.get_component_rich_style("screen--selection")
            if it.app.current_theme.ansi:
                assert style.reverse, theme
            else:
                assert style.color and style.bgcolor
                assert contrast(style.color, style.bgcolor) >= 4.5, theme


async def test_a_selection_over_two_bodies_holds_no_rule_and_no_line_number() -> None:
    async with explore() as it:
        await it.open(OAUTH)
        await it.press("k")
        call, result = it.screen.run_view.detail.call_view, it.screen.run_view.detail.result_view
        await drag(it, ("call", 0, 0), ("result", 30, result.size.height - 1))
        assert set(it.screen.selections) == {call, result}
        text = it.screen.get_selected_text()
        assert text
        shown = f"{call.plain_text()}\n{result.plain_text()}"
        assert all(line in shown for line in text.split("\n"))
        assert "Rule" not in text
        assert "Result" not in text
        assert "─" not in text


async def test_only_bodies_can_be_selected_from() -> None:
    async with explore() as it:
        await it.open(OAUTH)
        for widget in it.screen.query("*"):
            if isinstance(widget, Drawn):
                assert widget.allow_select == isinstance(widget, BodyView), widget
        # wherever a drag ends: once on each widget that is below each other there
        ends = {it.screen.get_widget_at(120, y)[0]: y for y in range(it.app.size.height)}
        assert len(ends) > 6
        for y in ends.values():
            await it.pilot.mouse_down(offset=(0, 0))
            await it.pilot.hover(offset=(120, y))
            await it.pilot.mouse_up(offset=(120, y))
            assert all(isinstance(one, BodyView) for one in it.screen.selections)


async def test_ctrl_c_copies_and_says_how_much() -> None:
    async with explore() as it:
        await it.open(OAUTH)
        view = it.screen.run_view.detail.call_view
        it.screen.selections = {view: SELECT_ALL}
        await it.press("ctrl+c")
        text = view.plain_text()
        assert it.app.clipboard == text
        lines = f"{text.count(chr(10)) + 1} line"
        assert f"copied {lines}" in it.footer
        assert f", {len(text)} characters, to the terminal's clipboard" in it.footer


async def test_the_footer_says_how_to_copy_what_is_selected() -> None:
    async with explore() as it:
        await it.open(OAUTH)
        await drag(it, ("call", 0, 0), ("call", 12, 0))
        await it.until(lambda: "ctrl+c copies the selected text" in it.footer)
        await it.press("j")
        assert "ctrl+c copies" not in it.footer
        await it.pilot.click("#call", offset=(2, 0))
        await it.settle()
        assert "ctrl+c copies" not in it.footer


async def test_ctrl_c_in_a_view_says_it_there() -> None:
    async with explore() as it:
        await it.open("Parse ISO week dates")
        await it.press("c")
        await it.until(lambda: it.app.screen.query_one(BodyView).plain_text())
        it.app.screen.selections = {it.app.screen.query_one(BodyView): SELECT_ALL}
        await it.press("ctrl+c")
        assert it.app.clipboard
        (news, _), *_ = it.app.screen.query_one(Footer).news
        assert news.startswith("copied ")


async def test_ctrl_c_after_a_mere_click_leaves_the_clipboard_alone() -> None:
    async with explore() as it:
        await it.open(OAUTH)
        it.app.copy_to_clipboard("mine")
        await it.pilot.click("#result", offset=(3, 0))
        await it.press("ctrl+c")
        assert it.app.clipboard == "mine"
        assert "ctrl+c copies selected text" in it.footer


async def test_what_is_copied_holds_no_secret_and_no_control_sequence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret = "sk-ant-api03-abcdefghijklmnopqrstuvwxyz012345"
    hostile = f"a\x1b]52;c;AAAA\x07b \ud800 api_key={secret}\x9b1m"
    async with explore() as it:
        await it.open(OAUTH)
        view = it.screen.run_view.detail.call_view
        monkeypatch.setattr(view, "get_selection", lambda _: (hostile, "\n"))
        it.screen.selections = {view: SELECT_ALL}
        await it.press("ctrl+c")
        assert it.app.clipboard.startswith("ab ")
        assert secret not in it.app.clipboard
        assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in it.app.clipboard)
        it.app.copy_to_clipboard(hostile)
        assert "\x1b" not in it.app.clipboard, "whoever copies"


async def test_a_gutter_is_no_part_of_a_selection() -> None:
    async with explore() as it:
        await it.open("Fix the add function")
        for _ in range(20):
            view = it.screen.run_view.detail.result_view
            line = view._document.line(0) if view.position()[2] else None
            if line and line.gutter:
                break
            await it.press("k")
        else:
            pytest.fail("no step with line numbers")
        await drag(it, ("result", 0, 0), ("result", view.size.width - 1, 0))
        assert it.screen.get_selected_text() == line.text.rstrip("\n")
        assert it.screen.selections[view].start in (None, Offset(0, 0))
