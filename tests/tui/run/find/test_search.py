"""Find, filter and go to, in the true app on the demo."""

from __future__ import annotations

import asyncio
import gc
import json
import warnings

import pytest
from textual import events
from textual.strip import Strip

from oh_tui.trajectory.model.events import Event, parse_event
from oh_tui.trajectory.model.steps import Outcome
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.search.step_filter import parse
from oh_tui.tui.controllers.run import filter, pace
from oh_tui.tui.messages import RunGrew
from oh_tui.tui.theme import palette_of, style
from tests.trajectory.made import output, shell
from tests.tui.explorer import Explorer, case, explore

STUCK = "Parse ISO week dates"


async def ask(it: Explorer, key: str, text: str) -> None:
    """Press a key that asks for a line, and give it."""
    await it.press(key)
    it.screen.asking.find_input.value = text
    await it.press("enter")


def number(it: Explorer) -> int:
    """Of the step under the cursor."""
    current = it.screen.timeline.current
    assert current
    assert current[0]
    return current[0].number


def numbers(it: Explorer) -> list[int]:
    """Of all steps that have a row."""
    timeline = it.screen.timeline
    steps = [timeline.row(row)[0] for row in range(timeline.row_count())]
    return [step.number for step in steps if step]


def hits(it: Explorer, selector: str) -> list[str]:
    """The texts marked as hits in a pane."""
    colour = style(palette_of(it.app.current_theme), "hit").bgcolor
    marked: list[str] = []
    for strip in strips(it, selector):
        marked += [s.text for s in strip if s.style and s.style.bgcolor == colour]
    return marked


def strips(it: Explorer, selector: str) -> list[Strip]:
    widget = it.screen.query_one(selector)
    return [widget.render_line(y) for y in range(widget.size.height)]


def run_of(it: Explorer) -> Trajectory:
    assert it.screen.timeline.trajectory
    return it.screen.timeline.trajectory


# Find


async def test_find_goes_to_a_text_that_only_a_body_holds() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open(STUCK)
        await it.press("g")
        await ask(it, "slash", "fromisocalendar")
        first = number(it)
        assert "fromisocalendar" not in it.row().lower()
        shown = it.text("#call").lower() + it.text("#result").lower()
        assert "fromisocalendar" in shown, "the body is scrolled to it"
        assert "".join(hits(it, "#call") + hits(it, "#result")).lower().startswith("fromiso")
        await it.press("n")
        second = number(it)
        assert second > first
        await it.press("N")
        assert number(it) == first
        await it.press("N")
        assert number(it) > second
        assert "wrapped to the end" in it.footer


async def test_a_hit_of_the_row_is_marked_and_the_result_stays_where_it_opens() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open(STUCK)
        await it.press("g")
        await ask(it, "slash", "Pytest -q")
        assert "$ pytest -q" in it.row()
        assert "pytest -q" in hits(it, "#timeline")
        assert "".join(hits(it, "#call")).startswith("pytest -q")
        await it.press("escape")
        assert hits(it, "#timeline") == hits(it, "#call") == []


async def test_what_is_nowhere_is_said_and_the_cursor_stays() -> None:
    async with explore() as it:
        await it.open(STUCK)
        before = number(it)
        await ask(it, "slash", "no such text anywhere")
        assert number(it) == before
        assert "no step contains no such text" in it.footer


async def test_find_in_the_conversations_looks_at_their_rows() -> None:
    async with explore() as it:
        await it.press("1")
        await ask(it, "slash", "oauth")
        current = it.screen.sidebar.list.current
        assert current
        assert "OAuth" in (current.title or "")


async def test_find_with_every_event_shown_finds_hidden_ones() -> None:
    async with explore() as it:
        await it.open(STUCK)
        await it.press("x", "g")
        await ask(it, "slash", "usage_to_metrics")
        assert "no event contains" in it.footer, "names of fields are not looked at"
        await ask(it, "slash", "system prompt")
        current = it.screen.timeline.current
        assert current
        assert current[1].kind == "SystemPromptEvent"


async def test_esc_stops_a_find(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "SLICE", 0.0)
    monkeypatch.setattr(pace, "SHOW_EVERY", 0.0)
    monkeypatch.setattr(filter, "SHOW_EVERY", 0.0)
    async with explore() as it:
        await it.open(STUCK)
        await make_long(it)
        await it.press("g", "slash")
        it.screen.asking.find_input.value = "nowhere to be found"
        await it.send("enter")
        await it.until(lambda: "finding" in it.footer)
        assert "esc stops" in it.footer
        await it.send("escape")
        await it.settle()
        assert "were looked at" in it.footer
        assert number(it) == 1


async def make_long(it: Explorer, count: int = 3000) -> None:
    """A run of many steps in the place of the one shown."""
    trajectory = Trajectory()
    trajectory.extend(made(n) for n in range(1, count + 1))
    show(it, trajectory)
    await it.settle()


def show(it: Explorer, trajectory: Trajectory) -> None:
    it.screen.session.trajectory = trajectory
    it.screen.run_view.show_run(trajectory, 0)


def made(n: int, kind: str = "ConversationErrorEvent") -> Event:
    minutes, seconds = divmod(n, 60)
    when = f"2026-03-01T{10 + minutes // 60}:{minutes % 60:02}:{seconds:02}"
    detail = "every tenth" if n % 10 == 0 else "another"
    body = {"id": f"made-{n}", "kind": kind, "timestamp": when, "code": "Odd", "detail": detail}
    return parse_event(json.dumps(body).encode())


async def test_find_jumps_while_one_types_and_esc_leads_back() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open(STUCK)
        await it.press("g", "j")
        timeline = it.screen.timeline
        await it.press("slash")
        await it.type("weeks_prop")
        await it.until(lambda: "weeks_prop" in it.row())
        assert it.screen.asking.find_input.display, "the line is still open"
        await it.until(lambda: "1 of " in it.text("#timeline-rule"))
        found = number(it)
        await it.type("no such")
        await it.until(lambda: "no hit" in it.text("#timeline-rule"))
        assert number(it) == 2, "where the find began"
        await it.press("escape")
        assert (number(it), timeline.scroll_y) == (2, 0)
        assert it.screen.session.find_text == ""
        assert "hit" not in it.text("#timeline-rule")
        await ask(it, "slash", "weeks_prop")
        assert number(it) == found


async def test_the_rule_counts_the_hits_and_their_rows_are_marked() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open(STUCK)
        await it.press("g")
        await ask(it, "slash", "fromisocalendar")
        rows = it.screen.timeline.row_count()
        finding = it.screen.session.finding
        assert finding and finding.is_whole
        holding = [row for row in range(rows) if finding.is_hit(row)]
        assert f"1 of {len(holding)} " in it.text("#timeline-rule")
        await it.press("n")
        assert f"2 of {len(holding)} " in it.text("#timeline-rule")
        await it.press("g")
        assert f"{len(holding)} hits" in it.text("#timeline-rule")
        lines = it.text("#timeline").split("\n")
        drawn = [row for row, line in enumerate(lines) if line.startswith("/")]
        assert drawn == [row for row in holding if row < len(lines)]
        await it.press("escape")
        assert not any(line.startswith("/") for line in it.text("#timeline").split("\n"))


async def test_that_it_went_on_at_the_other_end_is_said_once_until_the_next_key() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open(STUCK)
        await it.press("g")
        await ask(it, "slash", "weeks_prop")
        await it.press("N")
        assert "wrapped to the end" in it.footer
        await it.press("j")
        assert "wrapped to the end" not in it.footer, "a remark goes with the next key"
        await it.press("G", "n")
        assert "wrapped to the top" not in it.footer, "said once for a text"
        await ask(it, "slash", "nowhere at all")
        assert "no step contains" in it.footer
        await it.press("k")
        assert "no step contains" not in it.footer


async def test_hits_of_steps_that_come_are_counted_too() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open(STUCK)
        for steps in (1, 2, 9, 10, 19, 30):
            with case(steps):
                await make_long(it, steps)
                await ask(it, "slash", "every tenth")
                await until_found(it, steps // 10)
                run = run_of(it)
                for n in range(steps + 1, steps + 13):
                    grow(it, made(n))
                    assert len(run) == n
                    await until_found(it, n // 10)
                rule, hits = it.text("#timeline-rule"), (steps + 12) // 10
                assert f"of {hits} " in rule or f"{hits} hit" in rule
                await it.press("escape")


async def test_a_call_is_found_by_a_result_that_comes_with_many_steps() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open(STUCK)
        await begin(it, shell("a"))
        await ask(it, "slash", "every tenth")
        await until_found(it, 0)
        grow(it, output("a", "every tenth"), *(made(n) for n in range(101, 130)))
        await until_found(it, 3)


async def test_a_result_is_found_in_a_filtered_run_that_grows() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open(STUCK)
        await begin(it, shell("a"), made(1))
        await ask(it, "ampersand", "tool:terminal")
        await ask(it, "slash", "every tenth")
        await until_found(it, 0)
        grow(it, output("a", "every tenth"))
        await until_found(it, 1)


async def begin(it: Explorer, *events: Event) -> None:
    """A run of these events in the place of the one shown."""
    run = Trajectory()
    run.extend(events)
    show(it, run)
    await it.settle()


def grow(it: Explorer, *events: Event) -> None:
    """These come while the run is followed."""
    it.screen.on_run_grew(RunGrew(run_of(it).extend(events), settled=False))


async def until_found(it: Explorer, hits: int) -> None:
    def is_so() -> bool:
        finding, rows = it.screen.session.finding, it.screen.timeline.row_count()
        return bool(
            finding
            and finding.basis is it.screen.timeline.basis
            and [finding.known(row) for row in range(rows)].count(True) == hits
            and finding.is_counted
        )

    await it.until(is_so)


async def test_a_filter_counts_the_hits_anew() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open(STUCK)
        await make_long(it, 30)
        await ask(it, "slash", "every tenth")
        await ask(it, "ampersand", "step:1-12")
        await it.until(lambda: "1 of 1 " in it.text("#timeline-rule"))


async def test_the_lines_of_a_result_are_counted_and_esc_leads_back() -> None:
    async with explore(size=(120, 30)) as it:
        await it.open("Summarise the on-call handbook")
        await it.press("g", "j", "j", "4")
        result = it.screen.run_view.detail.result_view
        await it.press("slash")
        await it.type("on call")
        await it.until(lambda: "1 of " in it.text("#result-rule"))
        await it.press("escape")
        assert result.scroll_y == 0
        assert "1 of " not in it.text("#result-rule")


# Filter


async def test_a_filter_hides_the_other_steps_and_esc_shows_them() -> None:
    async with explore() as it:
        await it.open(STUCK)
        run = run_of(it)
        await ask(it, "ampersand", "is:failed tool:terminal")
        wanted = [
            step.number
            for step in run.steps
            if run.outcome(step) in (Outcome.COMMAND_FAILED, Outcome.ERROR)
            and step.event.tool_name == "terminal"
        ]
        assert numbers(it) == wanted
        assert it.screen.session.filter_text == "is:failed tool:terminal"
        assert number(it) in wanted
        here = number(it)
        await it.press("escape")
        assert len(numbers(it)) == len(run)
        assert it.screen.session.filter_text == ""
        assert number(it) == here, "the cursor stays with its step"


async def test_find_and_errors_walk_within_the_filter() -> None:
    async with explore() as it:
        await it.open(STUCK)
        await ask(it, "ampersand", "tool:edit")
        edits = numbers(it)
        await ask(it, "slash", "def ")
        assert number(it) in edits
        await it.press("n")
        assert number(it) in edits


async def test_a_wrong_filter_is_asked_again_with_the_wrong_word_selected() -> None:
    async with explore() as it:
        await it.open(STUCK)
        await ask(it, "ampersand", "is:failed tol:edit")
        line = it.screen.asking.find_input
        await it.until(lambda: line.selected_text == "tol")
        assert line.display
        assert line.value == "is:failed tol:edit"
        assert "no field tol" in it.text_of(it.screen.asking.asked)
        assert "tool:" in it.text_of(it.screen.asking.asked)
        await it.type("tool")
        assert line.value == "is:failed tool:edit"
        await it.press("enter")
        assert not line.display
        assert it.screen.session.filter_text == "is:failed tool:edit"
        assert not it.screen.footer.news


async def test_esc_gives_up_a_filter_that_was_wrong() -> None:
    async with explore() as it:
        await it.open(STUCK)
        await ask(it, "ampersand", "is:nothing")
        assert it.screen.asking.find_input.display
        await it.press("escape")
        assert not it.screen.asking.find_input.display
        assert it.screen.session.filter_text == ""
        assert len(numbers(it)) == len(run_of(it))


async def test_tab_completes_a_word_and_leaves_the_line_where_there_is_none() -> None:
    async with explore() as it:
        await it.open(STUCK)
        await it.press("ampersand")
        line = it.screen.asking.find_input
        await it.type("is:fa")
        await it.until(lambda: line.suggestion)
        await it.press("tab")
        assert line.value == "is:failed"
        assert line.display
        await it.press("tab")
        assert not line.display


async def test_no_words_take_the_filter_off() -> None:
    async with explore() as it:
        await it.open(STUCK)
        await ask(it, "ampersand", "is:error")
        assert len(numbers(it)) < len(run_of(it))
        await it.press("ampersand")
        assert it.screen.asking.find_input.value == "is:error", "the words are there to be changed"
        it.screen.asking.find_input.value = ""
        await it.press("enter")
        assert len(numbers(it)) == len(run_of(it))


async def test_a_filter_that_nothing_passes_says_so_and_leads_back() -> None:
    async with explore() as it:
        await it.open(STUCK)
        before = number(it)
        await ask(it, "ampersand", "nowhere-in-this-run")
        assert numbers(it) == []
        assert 'no steps match "nowhere-in-this-run"' in it.text("#timeline")
        await it.press("escape")
        assert number(it) == before
        await ask(it, "ampersand", "tool:termnal")
        told = it.text("#timeline")
        assert 'no steps match "tool:termnal"' in told and "did you mean tool:terminal?" in told


async def test_a_filter_after_one_that_hid_all_steps_begins_where_the_cursor_was() -> None:
    async with explore() as it:
        await it.open(STUCK)
        await ask(it, "colon", "30")
        await ask(it, "ampersand", "nowhere-in-this-run")
        await ask(it, "ampersand", "tool:terminal")
        shown = numbers(it)
        assert number(it) == next(n for n in shown if n >= 30) != shown[0]


async def test_a_filter_is_taken_off_when_another_run_is_opened() -> None:
    async with explore() as it:
        await it.open(STUCK)
        await ask(it, "ampersand", "is:error")
        await it.open("Add OAuth login")
        assert it.screen.session.filter_text == ""
        assert len(numbers(it)) == len(run_of(it))


async def test_a_filter_shows_what_it_has_found_and_esc_takes_it_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pace, "SLICE", 0.0)
    monkeypatch.setattr(pace, "SHOW_EVERY", 0.0)
    monkeypatch.setattr(filter, "SHOW_EVERY", 0.0)
    async with explore() as it:
        await it.open(STUCK)
        await make_long(it, 1500)
        await it.press("ampersand")
        it.screen.asking.find_input.value = '"every tenth"'
        await it.send("enter")
        await it.until(lambda: it.screen.timeline.filtered)
        assert set(numbers(it)) < set(range(10, 1501, 10)), "not all of them yet"
        assert "filtering" in it.footer
        await it.send("escape")
        await it.settle()
        assert it.screen.session.filter_text == ""
        assert len(numbers(it)) == 1500
        await ask(it, "ampersand", '"every tenth"')
        assert numbers(it) == list(range(10, 1501, 10))


async def test_steps_that_come_are_tested_too() -> None:
    async with explore() as it:
        await it.open(STUCK)
        await make_long(it, 30)
        await ask(it, "ampersand", '"every tenth"')
        assert numbers(it) == [10, 20, 30]
        run = run_of(it)
        changed = run.extend(made(n) for n in range(31, 52))
        it.screen.run_view.grown(changed, follow=True)
        it.screen.controllers.filter.run_grew(changed)
        await it.settle()
        assert numbers(it) == [10, 20, 30, 40, 50]


async def test_a_step_leaves_the_filter_when_its_result_comes() -> None:
    async with explore() as it:
        await it.open(STUCK)
        run = Trajectory()
        action = {"kind": "TerminalAction", "command": "ls"}
        call = {"id": "c", "kind": "ActionEvent", "tool_name": "terminal", "action": action}
        answer = {"id": "r", "kind": "ObservationEvent", "action_id": "c",
                  "observation": {"kind": "TerminalObservation", "exit_code": 1}}  # fmt: skip
        run.extend([made(1), parse_event(json.dumps(call).encode())])
        show(it, run)
        it.screen.controllers.filter.set_filter(parse("is:noresult"))
        await it.settle()
        assert numbers(it) == [2]
        changed = run.extend([parse_event(json.dumps(answer).encode())])
        it.screen.run_view.grown(changed, follow=False)
        it.screen.controllers.filter.run_grew(changed)
        await it.settle()
        assert numbers(it) == []


# Go to


async def test_go_to_a_step_a_share_or_a_time() -> None:
    async with explore() as it:
        await it.open(STUCK)
        for place, wanted in (
            *(("7", 7), ("#12", 12), ("0%", 1), ("100%", 61), ("50%", 31)),
            *(("+0:00", 1), ("+99:00:00", 61)),
        ):
            await ask(it, "colon", place)
            assert number(it) == wanted, place


async def test_a_key_typed_after_a_place_is_for_the_timeline() -> None:
    async with explore() as it:
        await it.open(STUCK)
        await it.press("1", "colon")
        await it.type("7")
        for key in ("enter", "j"):
            it.app.post_message(events.Key(key, None if key == "enter" else key))
        await it.settle()
        assert number(it) == 8


async def test_go_to_the_time_that_the_timeline_shows() -> None:
    async with explore() as it:
        await it.open(STUCK)
        run = run_of(it)
        for _ in range(2):
            await it.press("t")
        assert it.screen.timeline.time == "UTC"
        wanted = run.steps[40]
        await ask(it, "colon", wanted.event.timestamp[11:19])
        assert abs(number(it) - wanted.number) <= 1
        assert (run.steps[number(it) - 1].event.seconds() or 0) >= (wanted.event.seconds() or 0) - 1


async def test_go_to_an_id() -> None:
    async with explore() as it:
        await it.open(STUCK)
        step = run_of(it).steps[20]
        assert step.result
        await ask(it, "colon", step.result.id[:13])
        assert number(it) == 21


async def test_what_is_not_there_is_said() -> None:
    async with explore() as it:
        await it.open(STUCK)
        before = number(it)
        for place, told in (
            ("99", "no step 99: the last is 61"),
            ("zzz", "no step, time or id: zzz"),
            ("0", "no step 0"),
        ):
            await ask(it, "colon", place)
            assert number(it) == before, place
            assert told in it.footer
            await it.press("escape")


async def test_a_step_that_the_filter_hides_is_said() -> None:
    async with explore() as it:
        await it.open(STUCK)
        await ask(it, "ampersand", "is:error")
        await ask(it, "colon", "1")
        assert "the filter hides step" in it.footer


async def test_the_screen_goes_on_while_much_is_looked_through() -> None:
    async with explore() as it:
        await it.open(STUCK)
        await make_long(it, 20_000)
        await it.press("g")
        it.screen.controllers.find.set_find("nowhere to be found")
        it.screen.controllers.find.action_next(1)
        turns = 0
        while any(w.group == "find" and not w.is_finished for w in it.app.workers):
            await asyncio.sleep(0)
            turns += 1
        assert turns > 50, "a slice of it takes 2 ms, all of it a tenth of a second or more"
        await it.settle()
        assert "no step contains" in it.footer


async def test_one_that_comes_before_the_last_has_begun_takes_its_place_without_a_warning() -> None:
    """Python writes that warning to stderr for a coroutine that never began."""
    async with explore() as it:
        await it.open(STUCK)
        it.screen.controllers.find.set_find("week")
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            for _ in range(2):
                it.screen.controllers.find.action_next(1)
                it.screen.controllers.filter.set_filter(parse("tool:terminal"))
            await it.settle()
            gc.collect()
        assert [str(one.message) for one in warned] == []


@pytest.mark.parametrize("size", [(80, 24), (64, 20)], ids=str)
async def test_the_line_that_was_found_is_copied_whole(size: tuple[int, int]) -> None:
    """Also one that wraps, within the text that is looked for."""
    async with explore(size=size) as it:
        await it.open(STUCK)
        await it.press("y")
        assert "f  line" not in it.text("#question")
        await it.press("escape", "enter")
        await ask(it, "slash", "int(week_date[2])")
        await it.press("y")
        assert "f  line" in it.text("#question")
        is_whole = "fromisocalendar(int(week_date[1]), int(week_date[2])" in it.text("#result")
        assert is_whole is (size[0] == 80), "it wraps at 64"
        await it.press("f")
        await it.until(lambda: bool(it.app.clipboard))
        assert it.app.clipboard == (
            "    monday = date.fromisocalendar(int(week_date[1]), int(week_date[2]), 1)"
        )
        assert "the line was sent" in it.footer


async def test_the_line_that_a_find_in_the_steps_shows_is_copied() -> None:
    """The row shows the text too, so that the result did not scroll to it."""
    async with explore() as it:
        await it.open(STUCK)
        await it.press("slash")
        assert it.footer.startswith(" enter find")
        await it.type("Invalid week")
        await it.press("enter", "y", "f")
        await it.until(lambda: bool(it.app.clipboard))
        assert it.app.clipboard == "ValueError: Invalid week: 53"


async def test_the_rule_says_that_a_pattern_took_too_long() -> None:
    async with explore() as it:
        await it.open(STUCK)
        query = parse("re:/e/")
        query.terms[0].value.slow = 1
        it.screen.controllers.filter.set_filter(query)
        await it.until(lambda: "the pattern took too long" in it.text("#timeline-rule"))
        assert numbers(it)
