"""BodyView in a small app: scrolling, selecting, finding, resizing, any size."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from textual.app import App, ComposeResult
from textual.events import MouseScrollDown
from textual.pilot import Pilot

from oh_tui.trajectory.presentation.block import (
    Block,
    Code,
    Diff,
    Heading,
    ImageNote,
    Markdown,
    Note,
    Output,
)
from oh_tui.tui.rendering.lines import Document
from oh_tui.tui.widgets.body_view import BodyView
from tests.tui.explorer import LONGEST


class Body(App[None]):
    def __init__(self, *blocks: Block, at_end: bool = False) -> None:
        super().__init__()
        self.blocks = blocks
        self.at_end = at_end
        self.positions: list[tuple[int, int, int]] = []
        self.clipped: list[str] = []

    def compose(self) -> ComposeResult:
        yield BodyView(id="body")

    def on_mount(self) -> None:
        self.body.show(self.blocks, at_end=self.at_end)
        self.body.focus()

    @property
    def body(self) -> BodyView:
        return self.query_one(BodyView)

    def on_body_view_scrolled(self, event: BodyView.Scrolled) -> None:
        self.positions.append(self.body.position())

    def copy_to_clipboard(self, text: str) -> None:
        self.clipped.append(text)


def seen(app: Body) -> list[str]:
    """What the pane shows, line by line."""
    body = app.body
    return [body.render_line(y).text.rstrip() for y in range(body.size.height)]


def numbers(count: int) -> Output:
    return Output("\n".join(f"line {n}" for n in range(1, count + 1)))


async def settle(pilot: Pilot[None]) -> None:
    await pilot.pause()
    await pilot.pause()


async def until(pilot: Pilot[None], true: Callable[[], bool]) -> None:
    """Wait for what a timer brings about."""
    async with asyncio.timeout(LONGEST):
        while not true():
            await pilot.pause(0.02)


async def test_keys_scroll_and_the_position_is_told() -> None:
    app = Body(numbers(100))
    async with app.run_test(size=(40, 10)) as pilot:
        await settle(pilot)
        assert app.body.position() == (1, 10, 100)
        expected = [
            ("j", 2), ("down", 3), ("k", 2), ("up", 1), ("pagedown", 10), ("pageup", 1),
            ("ctrl+d", 6), ("ctrl+u", 1), ("G", 91), ("g", 1), ("end", 91), ("home", 1),
        ]  # fmt: skip
        for key, first in expected:
            await pilot.press(key)
            await pilot.pause()
            assert app.body.position()[0] == first, key
            assert seen(app)[0] == f"line {first}"
        assert app.positions[0] == (1, 10, 100)
        assert (91, 100, 100) in app.positions


async def test_one_row_in_sight_is_no_rows() -> None:
    app = Body(numbers(3))
    async with app.run_test(size=(40, 1)) as pilot:
        await settle(pilot)
        assert app.body.position_words == "row 1 of 3"
        await pilot.resize_terminal(40, 2)
        assert app.body.position_words == "rows 1-2 of 3"
        await pilot.resize_terminal(40, 3)
        assert app.body.position_words == ""


async def test_a_screen_can_scroll_it_while_another_pane_has_the_focus() -> None:
    app = Body(numbers(100))
    async with app.run_test(size=(40, 10)) as pilot:
        await settle(pilot)
        app.body.scroll_lines(3)
        app.body.action_page(1)
        await pilot.pause()
        assert app.body.position()[0] == 13
        app.body.action_end()
        assert app.body.position() == (91, 100, 100)
        app.body.scroll_lines(5)
        assert app.body.position() == (91, 100, 100)
        app.body.action_top()
        app.body.scroll_lines(-5)
        assert app.body.position() == (1, 10, 100)


async def test_the_mouse_wheel_scrolls() -> None:
    app = Body(numbers(100))
    async with app.run_test(size=(40, 10)) as pilot:
        await settle(pilot)
        down = MouseScrollDown(app.body, 3, 3, 0, 1, 0, False, False, False)
        app.body.post_message(down)
        await until(pilot, lambda: app.body.position()[0] > 1)


async def test_a_failed_result_opens_at_its_end() -> None:
    app = Body(numbers(100), at_end=True)
    async with app.run_test(size=(40, 10)) as pilot:
        await settle(pilot)
        assert app.body.position() == (91, 100, 100)
        app.body.show([numbers(50)])
        await pilot.pause()
        assert app.body.position() == (1, 10, 50)
        app.body.show([numbers(60)], at_end=True)
        await pilot.pause()
        assert app.body.position() == (51, 60, 60)


async def test_an_empty_document_shows_nothing() -> None:
    app = Body()
    async with app.run_test(size=(20, 4)) as pilot:
        await settle(pilot)
        assert seen(app) == [""] * 4
        assert app.body.position() == (0, 0, 0)
        assert app.body.plain_text() == ""
        assert app.body.find("x") is None
        await pilot.press("j", "G", "pagedown")


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 5), (3, 2)])
async def test_the_smallest_screens_do_no_harm(size: tuple[int, int]) -> None:
    blocks: list[Block] = [
        Heading("日本"),
        Code("x = 1", "a.py"),
        Markdown("# T\n\n| a | b |\n|-|-|\n| 1 | 2 |"),
    ]
    app = Body(*blocks, Diff("@@ -1 +1 @@\n-a\n+b", "a.py"), numbers(20))
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        for key in ("j", "G", "pageup", "ctrl+d", "right", "g"):
            await pilot.press(key)
        await pilot.resize_terminal(40, 10)
        await settle(pilot)
        assert seen(app)[0] == "日本"


async def test_resizing_keeps_the_place() -> None:
    app = Body(Output("\n".join(f"{n:03} " + "x" * 70 for n in range(200))))
    async with app.run_test(size=(100, 10)) as pilot:
        await settle(pilot)
        app.body.scroll_lines(120)
        await pilot.pause()
        assert seen(app)[0].startswith("120 ")
        await pilot.resize_terminal(30, 10)
        await settle(pilot)
        assert seen(app)[0].startswith("120 ")
        await pilot.resize_terminal(100, 14)
        await settle(pilot)
        assert seen(app)[0].startswith("120 ")


async def test_a_taller_pane_at_the_end_stays_at_the_end() -> None:
    app = Body(numbers(100), at_end=True)
    async with app.run_test(size=(40, 10)) as pilot:
        await settle(pilot)
        await pilot.resize_terminal(40, 20)
        await settle(pilot)
        assert app.body.position() == (81, 100, 100)


async def test_a_pane_at_the_end_stays_there_through_a_size_without_room() -> None:
    app = Body(numbers(100), at_end=True)
    async with app.run_test(size=(40, 10)) as pilot:
        await settle(pilot)
        await pilot.resize_terminal(2, 10)
        await settle(pilot)
        assert app.body.size.width == 0 < app.body.size.height
        await pilot.resize_terminal(40, 10)
        await settle(pilot)
        assert app.body.position() == (91, 100, 100)


async def test_wrap_off_scrolls_sideways_and_keeps_the_place() -> None:
    app = Body(Output("\n".join(f"{n:03} " + "0123456789" * 6 for n in range(50))))
    async with app.run_test(size=(32, 6)) as pilot:
        await settle(pilot)
        app.body.scroll_lines(33)
        await pilot.pause()
        assert seen(app)[0].startswith("011 ")
        app.body.wrap = False
        await settle(pilot)
        assert seen(app)[0] == "011 01234567890123456789012345"
        await pilot.press("right")
        await pilot.pause()
        assert seen(app)[0] == "456789012345678901234567890123"
        await pilot.press("left")
        app.body.wrap = True
        await settle(pilot)
        assert seen(app)[0].startswith("011 ")


async def test_sideways_a_wide_character_in_half_leaves_a_blank() -> None:
    app = Body(Output("日本語日本語日本語日本語" + "x" * 40))
    async with app.run_test(size=(20, 3)) as pilot:
        app.body.wrap = False
        await settle(pilot)
        app.body.scroll_to(x=3, animate=False)
        await settle(pilot)
        strip = app.body.render_line(0)
        assert strip.text.startswith(" 語日本")
        assert strip.cell_length == 18 == sum(segment.cell_length for segment in strip)


async def drag(pilot: Pilot[None], start: tuple[int, int], end: tuple[int, int]) -> None:
    await pilot.mouse_down(offset=start)
    await pilot.hover(offset=end)
    await pilot.mouse_up(offset=end)
    await pilot.pause()


async def test_the_mouse_selects_exactly_the_text_under_it() -> None:
    app = Body(Output("first line\nsecond line\n日本語 third"))
    async with app.run_test(size=(40, 8)) as pilot:
        await settle(pilot)
        await drag(pilot, (7, 0), (6, 1))  # one column of padding on the left
        assert app.screen.get_selected_text() == "line\nsecond"
        await pilot.press("ctrl+c")
        assert app.clipped == ["line\nsecond"]
        await drag(pilot, (3, 2), (5, 2))
        assert app.screen.get_selected_text() == "本語"


async def test_a_selection_after_scrolling_over_wrapped_lines_has_no_false_line_ends() -> None:
    app = Body(numbers(30), Output("0123456789" * 6))
    async with app.run_test(size=(32, 6)) as pilot:
        await settle(pilot)
        await pilot.press("G")
        await pilot.pause()
        assert seen(app)[-2:] == ["0123456789" * 3] * 2
        await drag(pilot, (29, 4), (2, 5))
        assert app.screen.get_selected_text() == "8901"


async def test_line_numbers_are_not_selected() -> None:
    app = Body(Code("def f():\n    pass", "a.py", 9))
    async with app.run_test(size=(40, 4)) as pilot:
        await settle(pilot)
        assert seen(app)[0] == " 9  def f():"
        await drag(pilot, (1, 0), (38, 1))
        assert app.screen.get_selected_text() == "def f():\n    pass"


async def test_selected_text_and_hits_look_different() -> None:
    app = Body(Output("some text"))
    async with app.run_test(size=(40, 4)) as pilot:
        await settle(pilot)
        before = {segment.style for segment in app.body.render_line(0) if segment.text.strip()}
        assert len(before) == 1
        app.body.find("text")
        after = {s.text: s.style for s in app.body.render_line(0) if s.text.strip()}
        assert after["text"] != after["some "]
        app.body.find("")
        await drag(pilot, (1, 0), (4, 0))
        after = {s.text: s.style for s in app.body.render_line(0) if s.text.strip()}
        assert after["some"] != after[" text"]


async def test_finding_goes_from_hit_to_hit_and_starts_over() -> None:
    app = Body(numbers(100))
    async with app.run_test(size=(40, 10)) as pilot:
        await settle(pilot)
        assert app.body.find("LINE 5") == 5
        assert app.body.position()[0] == 1
        assert app.body.find("LINE 5") == 50
        await pilot.pause()
        first, last, _ = app.body.position()
        assert first <= 50 <= last
        assert app.body.find("LINE 5", back=True) == 5
        assert app.body.find("LINE 5", back=True) == 59
        assert app.body.find("LINE 5") == 5
        assert app.body.find("nowhere") is None


async def test_long_markdown_becomes_exact_without_moving_what_is_read() -> None:
    text = "\n\n".join(f"Paragraph {n} with *some* words in it." for n in range(600))
    app = Body(Note("before"), Markdown(text), at_end=True)
    async with app.run_test(size=(60, 12)) as pilot:
        await settle(pilot)
        assert seen(app)[-1].startswith("Paragraph 599")
        await until(pilot, lambda: app.body.position()[2] == 2 + 600 * 2 - 1)
        assert app.body.position() == (1190, 1201, 1201)
        assert seen(app)[-1].startswith("Paragraph 599")
        assert "Paragraph 300" in app.body.plain_text()


async def test_showing_something_else_clears_selection_and_hits() -> None:
    app = Body(Output("some text"))
    async with app.run_test(size=(40, 4)) as pilot:
        await settle(pilot)
        await drag(pilot, (1, 0), (4, 0))
        app.body.find("text")
        app.body.show([Output("other text")])
        await pilot.pause()
        assert not app.screen.get_selected_text()
        assert len({s.style for s in app.body.render_line(0) if s.text.strip()}) == 1


@pytest.mark.parametrize("theme", ["textual-light", "ansi-dark"])
async def test_a_change_of_theme_changes_the_colours(theme: str) -> None:
    app = Body(Diff("@@ -1 +1 @@\n-import a\n+import b", "a.py"))
    async with app.run_test(size=(40, 5)) as pilot:
        await settle(pilot)
        before = [segment.style for segment in app.body.render_line(1)]
        app.theme = theme
        await settle(pilot)
        after = [segment.style for segment in app.body.render_line(1)]
        assert before != after
        if theme == "ansi-dark":
            assert all(s is None or s.bgcolor is None or s.bgcolor.is_default for s in after)


async def test_what_was_laid_out_for_another_size_is_laid_out_again() -> None:
    app = Body()
    async with app.run_test(size=(40, 10)) as pilot:
        await settle(pilot)
        blocks = [Output("x" * 76)]
        narrow, fitting = Document(blocks, 19), app.body.layout_now()(blocks)
        app.body.show(blocks, laid_out=narrow)
        assert app.body.position()[2] == 2
        app.body.show(blocks, laid_out=fitting)
        assert app.body.position()[2] == 2
        assert app.body._document is fitting


async def test_an_image_is_named_with_the_key_that_saves_it() -> None:
    app = Body(ImageNote("screenshot, PNG"), ImageNote("1 of 2: image, PNG", many=True))
    async with app.run_test(size=(60, 6)) as pilot:
        await settle(pilot)
        shown = "\n".join(seen(app))
        assert "screenshot, PNG; i saves and opens it" in shown
        assert "1 of 2: image, PNG; i saves them" in shown
