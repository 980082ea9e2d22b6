"""The help: on its first page the keys and signs of where one is, below all others, each once."""

from __future__ import annotations

from collections import Counter

import pytest
from rich.segment import Segment
from textual.widgets import Static

from oh_tui.settings.startup import Settings
from oh_tui.trajectory.glyphs import ASCII, UNICODE
from oh_tui.tui.screens.help import MAIN, HelpScreen, drawn, legend, on_screen, signs
from oh_tui.tui.theme import palette_of, style
from tests.tui.explorer import Explorer, case, explore

PARTS = ("left", "right", "more-left", "more-right")


async def pages(it: Explorer) -> dict[str, list[str]]:
    """The lines of each part of the help that is open; a line begins a row if it has a key."""
    await it.until(lambda: type(it.app.screen) is HelpScreen and it.app.screen.is_mounted)
    texts = {part: it.app.screen.query_one(f"#help-{part}", Static).content for part in PARTS}
    return {part: str(text).splitlines() for part, text in texts.items()}


def rows(lines: list[str]) -> list[str]:
    return [line.strip() for line in lines if line.startswith("  ") and line[2:3].strip()]


@pytest.mark.parametrize("pane", ["1", "2", "3", "4"])
async def test_the_first_page_has_the_keys_that_matter_in_the_pane(pane: str) -> None:
    async with explore(size=(160, 48)) as it:
        await it.open("Parse ISO week dates")
        await it.press(pane, "question_mark")
        first = rows((await pages(it))["left"])
        assert 10 <= len(first) <= 20
        keys = {row.split()[0] for row in first}
        assert keys >= {"j", "enter", "esc", "tab", "/", "*", "ctrl+p", "q"}
        assert ("e" in keys) is (pane in "34") and ("space" in keys) is (pane == "1")


async def test_at_80_columns_the_first_page_has_a_row_a_key_and_leads_to_the_signs() -> None:
    async with explore(size=(80, 24)) as it:
        await it.open("Parse ISO week dates")
        await it.press("question_mark")
        first = (await pages(it))["left"][1:]
        assert rows(first) == [line.strip() for line in first if line.strip()], "none wraps"
        assert {"j k", "e E"} <= {row[:3] for row in rows(first)}
        await it.type("sign")
        assert "in a loop" in " ".join((await pages(it))["left"])


async def test_each_key_and_sign_stands_once() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open("Flaky CI on main")
        await it.press("question_mark")
        found = Counter(row for lines in (await pages(it)).values() for row in rows(lines))
        twice = [row for row, count in found.items() if count > 1]
        assert [row for row in twice if not row.startswith("-word")] == [], "of both filters"


async def test_the_legend_has_the_signs_on_the_screen_first() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open("Parse ISO week dates")
        await it.press("question_mark")
        told = await pages(it)
        here, others = " ".join(told["right"]), " ".join(told["more-right"])
        for meaning in ("in a loop", "condensed", "you wrote", "strip: idle time"):
            with case(meaning):
                assert meaning in here and meaning not in others
        for meaning in ("in B: runs that finished", "in T: share", "sorted by it"):
            with case(meaning):
                assert meaning not in here and meaning in others


async def test_a_view_shows_its_own_signs() -> None:
    async with explore(size=(160, 48)) as it:
        await it.press("B")
        await it.until(lambda: type(it.app.screen).__name__ == "BoardScreen")
        view = it.app.screen
        await it.until(lambda: any("claude" in one.text for one in drawn(view)))
        await it.send("question_mark")
        here = " ".join((await pages(it))["right"])
        assert "in B: runs that finished" in here and "sorted by it" in here
        assert "strip" not in here and "you wrote" not in here


async def test_the_first_page_fits_in_ascii_too() -> None:
    async with explore(size=(160, 48), settings=Settings(ascii=True)) as it:
        await it.open("Parse ISO week dates")
        await it.press("question_mark")
        here = " ".join((await pages(it))["right"])
        assert "in a loop" in here and "in B: runs" not in here


async def test_a_key_of_the_footer_is_no_sign() -> None:
    async with explore(size=(160, 48), settings=Settings(ascii=True)) as it:
        await it.press("B")
        await it.until(lambda: type(it.app.screen).__name__ == "BoardScreen")
        await it.send("question_mark")
        assert "waits for you" not in " ".join((await pages(it))["right"]), "? shows all keys"


def test_a_sign_is_known_by_its_form_and_colour() -> None:
    for glyphs in (UNICODE, ASCII):
        entries = {one.meaning.partition(":")[0]: one for one in signs(glyphs)}
        failed, sub, mark = glyphs.failed, glyphs.sub_agents, glyphs.rejected
        for meaning, text, hue, seen in (
            ("command exit not 0", f" {failed} ", "warn", True),
            ("command exit not 0", f"{failed} exit 1", "warn", True),
            ("command exit not 0", f"stop{failed}", "warn", False),
            ("started sub-agents", sub, "mark", True),
            ("started sub-agents", sub, "llm", False),
            ("call rejected, or blocked by a hook", mark, "dim", True),
            ("call rejected, or blocked by a hook", mark, "llm", False),
            ("a text was cut here for lack of room", f"no room fo{glyphs.more}  ", "", True),
        ):
            entry = next(one for name, one in entries.items() if name.startswith(meaning))
            segment = Segment(text, style("oh-dark", hue))
            assert on_screen(entry, [segment], "oh-dark") is seen, (text, hue)


async def test_in_ascii_as_many_signs_are_here_as_in_the_other_set() -> None:
    found = []
    for ascii in (False, True):
        async with explore(size=(160, 48), settings=Settings(ascii=ascii)) as it:
            await it.open("Parse ISO week dates")
            found.append(signs_here(it))
    assert found[0] == found[1] > {"strip: a phase begins ({ })", "strip: idle time cut out"}


@pytest.mark.parametrize("ascii", [False, True])
async def test_signs_of_marks_and_tags_are_here_only_where_a_run_has_one(ascii: bool) -> None:
    async with explore(settings=Settings(ascii=ascii)) as it:
        signs = signs_here(it)
        marked, tagged = "marked with space", "a run with a tag of yours"
        assert not {marked, tagged} & signs
        await it.press("space", "number_sign")
        await it.type("bug")
        await it.press("enter", "escape")
        assert {marked, tagged} <= signs_here(it)


def signs_here(it: Explorer) -> set[str]:
    view = it.app.screen
    at = getattr(view, "HELP_TITLE", MAIN)
    entries = signs(it.screen.footer.glyphs)
    return {
        one.meaning for one in legend(entries, at, drawn(view), palette_of(it.app.current_theme))
    }
