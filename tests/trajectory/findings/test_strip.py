"""The strip: its columns of time are correct for any run, even an implausible one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.trajectory.costs.accounting import Accounts
from oh_tui.trajectory.findings import activity
from oh_tui.trajectory.findings.loops import MARKS
from oh_tui.trajectory.findings.strip import Column, Label, Strip
from oh_tui.trajectory.model.events import Event, parse_event
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.tool_use import Family
from oh_tui.trajectory.model.trajectory import Trajectory
from tests.demo_runs import SLUGS, demo_run
from tests.trajectory.made import call, event, message, output, result, shell, state
from tests.work import counted

WIDTHS = (1, 2, 7, 40, 119)


class Told(Accounts):
    """The seconds of the model by id of the step's event; `rest` for those not named."""

    def __init__(self, seconds: dict[str, float] | None = None, rest: float | None = 0.0) -> None:
        self.seconds = seconds or {}
        self.rest = rest
        self.changed: int | None = None

    def take_changed(self) -> int | None:
        changed, self.changed = self.changed, None
        return changed

    def llm(self, step: Step) -> float | None:
        return self.seconds.get(step.event.id, self.rest)


def at(second: float) -> dict[str, Any]:
    """The time of an event, any number of seconds after ten o'clock."""
    days, rest = divmod(second + 36000, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    return {
        "timestamp": f"2026-03-{int(days) + 1:02}T{int(hours):02}:{int(minutes):02}:{rest:06.3f}"
    }


def failed(of: str, second: float) -> Event:
    return event("AgentErrorEvent", f"e-{of}", tool_call_id=f"call-{of}", error="no", **at(second))


def run(events: Iterable[Event], **more: Any) -> Trajectory:
    trajectory = Trajectory(**more)
    trajectory.extend(events)
    return trajectory


def strip_of(events: Iterable[Event], told: Told | None = None, **more: Any) -> Strip:
    return Strip(run(events, **more), told or Told())


def lane(columns: list[Column], name: str) -> list[float]:
    return [round(getattr(column, name), 2) for column in columns]


# What it shows


def test_time_of_the_model_and_of_tools() -> None:
    events = [message("m", "go", **at(0)), shell("a", **at(10)), output("a", **at(20))]
    columns = strip_of(events, Told({"a": 5})).picture(8).columns
    assert lane(columns, "llm") == [0, 0, 1, 1, 0, 0, 0, 0]
    assert lane(columns, "tool") == [0, 0, 0, 0, 1, 1, 1, 1]
    assert [column.family for column in columns[4:]] == [Family.TERMINAL] * 4
    assert [column.mark for column in columns] == ["user"] + [""] * 7


def test_shares_are_of_the_time_of_a_column() -> None:
    events = [message("m", "go", **at(0)), shell("a", **at(5)), output("a", **at(20))]
    (first, second) = strip_of(events, Told({"a": 4})).picture(2).columns
    assert (round(first.llm, 3), round(first.tool, 3)) == (0.4, 0.5)
    assert (second.llm, second.tool) == (0.0, 1.0)


def test_a_time_that_is_not_told_is_taken_to_be_the_models() -> None:
    events = [message("m", "go", **at(0)), shell("a", **at(10)), output("a", **at(20))]
    columns = strip_of(events, Told(rest=None)).picture(4).columns
    assert lane(columns, "llm") == [1, 1, 0, 0]


def test_but_not_while_the_run_stood_still_or_for_hours() -> None:
    events = [
        *(shell("a", **at(0)), output("a", **at(1)), state("s", "paused"), shell("b", **at(29))),
        *(output("b", **at(30)), shell("c", **at(8000)), output("c", **at(8001))),
    ]
    columns = strip_of(events, Told(rest=None)).picture(40).columns
    assert sum(column.llm for column in columns) == 0


def test_calls_at_once_are_counted_once() -> None:
    events = [
        *(shell("a", llm_response_id="x", **at(0)), shell("b", llm_response_id="x", **at(0))),
        *(output("b", **at(4)), output("a", **at(8)), shell("c", **at(16)), output("c", **at(16))),
    ]
    columns = strip_of(events).picture(8).columns
    assert lane(columns, "tool") == [1, 1, 1, 1, 0, 0, 0, 0]


def test_the_family_that_took_most_of_a_column() -> None:
    editor = call("a", {"kind": "FileEditorAction", "command": "view"}, tool="e", **at(0))
    events = [
        *(editor, result("a", {"kind": "FileEditorObservation"}, **at(2))),
        *(shell("b", **at(2)), output("b", **at(10))),
    ]
    assert [c.family for c in strip_of(events).picture(1).columns] == [Family.TERMINAL]
    assert strip_of(events).picture(5).columns[0].family is Family.READ


def test_what_took_no_time_is_shown_to_have_happened() -> None:
    events = [message("m", "go", **at(0)), shell("a", **at(10)), output("a", **at(10))]
    columns = strip_of([*events, message("n", "and", **at(20))]).picture(4).columns
    assert [c.happened_tool for c in columns] == [False, False, True, False]
    assert [c.happened_llm for c in columns] == [False, False, True, False]
    assert columns[2].family is Family.TERMINAL


def test_the_axis_can_tell_the_clock_and_then_stands_at_its_round_times() -> None:
    events = [shell("a", **at(40)), output("a", **at(400)), message("m", "on", **at(400))]
    strip = strip_of(events)
    assert [label.text for label in strip.picture(80).axis] == ["0:00", "2:00", "4:00"]
    told = strip.axis(80, UTC)
    assert [label.text for label in told] == ["10:02:00", "10:04:00", "10:06:00"]
    began = strip.column_of(1, 80)
    for label, minutes in zip(told, (2, 4, 6), strict=True):
        assert label.column - began == int((minutes * 60 - 40) / 360 * 80)


def test_idle_time_is_cut_out_and_said() -> None:
    events = [
        *(shell("a", **at(0)), output("a", **at(20)), message("m", "on", **at(7820))),
        *(shell("b", **at(7820)), output("b", **at(7840))),
    ]
    strip = strip_of(events)
    picture = strip.picture(40)
    assert picture.axis == [Label(0, "0:00"), Label(17, "2h10m"), Label(32, "2:10:30")]
    assert [n for n, column in enumerate(picture.columns) if column.idle] == [15, 23]
    assert picture.columns[24].mark == "user"
    assert strip.column_of(2, 40) == 24
    assert lane(picture.columns[:15], "tool") == [1.0] * 15


def test_short_idle_time_stays() -> None:
    """30 s, or 6 % of the active time."""
    events = [
        *(shell("a", **at(0)), output("a", **at(1000)), message("m", "on", **at(1055))),
        *(shell("b", **at(1055)), output("b", **at(1060)), message("n", "on", **at(1130))),
    ]
    columns = strip_of(events).picture(60).columns
    assert sum(column.idle for column in columns) == 2
    columns = strip_of(events[:5]).picture(60).columns
    assert sum(column.idle for column in columns) == 0


def test_the_time_in_which_a_call_waits_for_you_is_idle() -> None:
    events = [
        *(shell("a", **at(0)), output("a", **at(10)), shell("b", **at(20))),
        event("ConversationStateUpdateEvent", "w", key="execution_status",
              value="waiting_for_confirmation", **at(20)),
        event("ConversationStateUpdateEvent", "r", key="execution_status", value="running",
              **at(620)),
        *(output("b", **at(630)),),
    ]  # fmt: skip
    picture = strip_of(events).picture(40)
    assert Label(22, "10m00s") in picture.axis
    assert picture.columns[-1].tool == 1.0


def test_a_rejected_call_did_not_run() -> None:
    rejection = event("UserRejectObservation", "x", action_id="a", tool_call_id="call-a", **at(20))
    columns = strip_of([shell("a", **at(0)), rejection]).picture(4).columns
    assert lane(columns, "tool") == [0, 0, 0, 0]
    assert columns[0].mark == "rejected", "nothing went wrong"


def test_a_call_without_result_is_open_to_the_end() -> None:
    events = [shell("a", **at(0)), output("a", **at(10)), shell("b", **at(12))]
    update = event("ConversationStateUpdateEvent", "s", key="stats", value={}, **at(20))
    columns = strip_of([*events, update], live=True).picture(10).columns
    assert [column.open for column in columns] == [False] * 6 + [True] * 4
    assert lane(columns, "tool")[6:] == [1, 1, 1, 1]


def test_a_call_that_was_left_behind_is_open_until_the_next_step() -> None:
    events = [shell("a", **at(0)), shell("b", **at(10)), output("b", **at(20))]
    columns = strip_of(events, Told({"b": 5})).picture(4).columns
    assert [column.open for column in columns] == [True, True, False, False]
    assert lane(columns, "llm") == [0, 1, 0, 0]


def test_a_call_whose_result_came_first_is_not_under_way() -> None:
    events = [
        *(message("m", "go", **at(0)), output("a", **at(5)), shell("a", **at(6))),
        message("n", "on", **at(26)),
    ]
    columns = strip_of(events).picture(13).columns
    assert not any(column.tool or column.open for column in columns)
    assert columns[3].happened_tool


def test_the_model_may_have_been_at_work_before_your_message() -> None:
    events = [
        *(shell("a", **at(0)), output("a", **at(1)), message("m", "wait", **at(95))),
        *(shell("b", **at(97)), output("b", **at(97))),
    ]
    picture = strip_of(events, Told({"b": 60})).picture(70)
    assert "36 s" in [label.text for label in picture.axis]
    assert sum(column.llm for column in picture.columns) > 58
    assert sum(column.idle for column in picture.columns) == 2


def test_the_strongest_mark_wins() -> None:
    rejection = event("UserRejectObservation", "x", action_id="r", **at(1))
    marked = {
        "rejected": [shell("r", **at(1)), rejection],
        "failed": [shell("f", **at(1)), output("f", code=1, **at(1))],
        "condensed": [event("Condensation", "c", **at(1))],
        "user": [message("u", "on", **at(1))],
        "paused": [event("PauseEvent", "p", source="user", **at(1))],
        "loop": [shell("l", **at(1)), output("l", **at(1))],
        "error": [shell("e", **at(1)), failed("e", 1)],
    }
    events: list[Event] = []
    for mark, more in marked.items():
        trajectory = run([*events, *more])
        strip = Strip(trajectory, Told())
        strip.update(frozenset({len(trajectory)} if mark == "loop" else ()))
        assert strip.picture(1).columns[0].mark == mark
        events += more
    waiting = run([*marked["loop"], shell("w", **at(1)), state("s", "waiting_for_confirmation")])
    assert Strip(waiting, Told()).picture(1).columns[0].mark == "waiting"
    assert MARKS == (
        "error",
        "loop",
        "waiting",
        "paused",
        "user",
        "condensed",
        "failed",
        "rejected",
    )


def test_a_click_finds_the_step_that_a_column_tells_of() -> None:
    events = [
        *(message("m", "go", **at(0)), shell("a", **at(10)), output("a", **at(20))),
        *(shell("b", **at(30)), output("b", code=1, **at(30))),
    ]
    strip = strip_of(events, Told({"a": 10, "b": 4}))
    picked = [strip.step_at(column, 30) for column in range(30)]
    assert picked == [1] + [2] * 19 + [3] * 10
    assert strip_of(events[1:], Told()).step_at(0, 1) == 2  # its mark is that of the column


# True for any run


@pytest.mark.parametrize("width", WIDTHS)
def test_no_step_and_one_step(width: int) -> None:
    empty = strip_of([])
    assert empty.picture(width).columns == []
    assert (empty.column_of(1, width), empty.step_at(0, width)) == (0, 0)
    one = strip_of([message("m", "go", **at(3))])
    columns = one.picture(width).columns
    assert len(columns) == width and columns[0].mark == "user"
    assert (one.column_of(1, width), one.step_at(width - 1, width)) == (0, 1)


def test_equal_times_and_none() -> None:
    for when in (at(5), {"timestamp": None}, {"timestamp": "soon"}):
        events: list[Event] = [shell(str(n), **when) for n in range(50)]
        strip = strip_of([*events, event("ConversationErrorEvent", "x", **when)])
        columns = strip.picture(20).columns
        assert columns[0].mark == "error"
        assert {strip.column_of(n, 20) for n in range(1, 52)} == {0}


def test_a_step_without_a_time_stands_with_the_one_before() -> None:
    times = [at(0), at(10), {"timestamp": None}, at(20)]
    strip = strip_of(message(str(n), "hi", **when) for n, when in enumerate(times))
    assert [strip.column_of(n, 20) for n in range(1, 5)] == [0, 10, 10, 19]


def test_a_clock_that_jumps_is_cut_and_one_that_goes_back_stands_still() -> None:
    times = [0, 5, 10, 15 * 86400, 3, 8, 13]
    events = [
        e
        for n, t in enumerate(times)
        for e in (shell(str(n), **at(t)), output(str(n), **at(t + 1)))
    ]
    strip = strip_of(events)
    picture = strip.picture(60)
    assert [label.text for label in picture.axis if "d" in label.text] == ["14d23h"]
    assert sum(column.tool > 0 for column in picture.columns) >= 7
    strip = strip_of(reversed(events))
    assert len(strip.picture(60).columns) == 60


def test_an_answer_that_came_after_a_jump_is_no_long_call() -> None:
    events = [shell("a", **at(0)), output("a", **at(9 * 86400)), shell("b", **at(9 * 86400 + 5))]
    picture = strip_of(events, Told(rest=9 * 86400.0)).picture(60)
    assert sum(column.idle for column in picture.columns) == 2
    assert all(column.tool < 1 for column in picture.columns)


def test_many_cuts_leave_room_for_the_run() -> None:
    events = [
        e
        for n in range(300)
        for e in (
            parse_event(b'{"id": "m%d", "kind": "MessageEvent", "source": "user"}' % n),
            shell(str(n), **at(n * 7000)),
            output(str(n), **at(n * 7000 + 20)),
        )
    ]
    picture = strip_of(events).picture(100)
    signs = [n for n, column in enumerate(picture.columns) if column.idle]
    assert len(signs) >= 16
    assert sum(column.tool > 0.5 for column in picture.columns) >= 66


Times = st.sampled_from([0.0, 0.01, 0.3, 2.0, 9.0, 31.0, 95.0, 7000.0, 90000.0, -0.2, -50.0, -8e4])
Seconds = st.sampled_from([None, 0.0, 0.5, 3.0, 40.0, 1e5, 1e300, -4.0, float("nan"), float("inf")])
Kinds = st.sampled_from(
    ["call", "call", "mate", "answer", "answer", "error", "reject", "user", "agent", "condensed",
     "pause", "stats", "full", "running", "finished", "waiting_for_confirmation", "acp", "acp end",
     "odd", "early"]
)  # fmt: skip
Happenings = st.tuples(Kinds, Times, st.integers(0, 9), st.integers(0, 3))


@st.composite
def hostile(draw: st.DrawFn) -> list[Event]:
    """Events in any order with any clock."""
    events: list[Event] = []
    now = 0.0
    calls = 0
    for kind, by, has_time, pick in draw(st.lists(Happenings, min_size=30, max_size=70)):
        now = min(max(0.0, now + by), 20 * 86400.0)
        when: dict[str, Any] = at(now) if has_time else {"timestamp": None}
        id, of = f"e{len(events)}", f"c{max(0, calls - 1 - pick)}"
        if kind in ("call", "mate"):
            response = "same" if kind == "mate" else f"answer-{id}"
            tool = ("TerminalAction", "FileEditorAction", "GrepAction", "Odd")[pick]
            more: dict[str, Any] = {"llm_response_id": response}
            events.append(call(f"c{calls}", {"kind": tool}, **when, **more))
            calls += 1
        elif kind == "early":  # its call may come later
            events.append(output(f"c{calls}", **when))
        elif kind == "answer":
            events.append(output(of, code=pick % 2, **when))
        elif kind == "error":
            events.append(event("AgentErrorEvent", id, tool_call_id=f"call-{of}", **when))
        elif kind == "reject":
            fields: dict[str, Any] = {"action_id": of, "tool_call_id": f"call-{of}"}
            events.append(event("UserRejectObservation", id, **fields, **when))
        elif kind in ("user", "agent"):
            events.append(message(id, "hi", kind, **when))
        elif kind == "condensed":
            events.append(event("Condensation", id, **when))
        elif kind == "pause":
            events.append(event("PauseEvent", id, source="user", **when))
        elif kind.startswith("acp"):
            status = "completed" if kind == "acp end" else "in_progress"
            fields = {"tool_call_id": f"acp{pick}", "tool_kind": "read", "status": status}
            events.append(event("ACPToolCallEvent", id, source="agent", **fields, **when))
        elif kind == "odd":
            events.append(event("SomethingNew", id, **when))
        else:
            key = {"stats": "stats", "full": "full_state"}.get(kind, "execution_status")
            value: Any = {} if kind in ("stats", "full") else kind
            fields = {"key": key, "value": value}
            events.append(event("ConversationStateUpdateEvent", id, **fields, **when))
    return events


@given(hostile(), st.lists(Seconds, min_size=4, max_size=4), st.sets(st.integers(-1, 30)))
def test_the_picture_is_true(
    events: list[Event], told: list[float | None], loops: set[int]
) -> None:
    seconds = {e.id: told[n % 4] for n, e in enumerate(events) if told[n % 4] is not None}
    trajectory = run(events)
    strip = Strip(trajectory, Told(seconds, None))  # type: ignore[arg-type]
    strip.update(frozenset(loops))
    errors = [s.number for s in trajectory.steps if trajectory.outcome(s) is Outcome.ERROR]
    for width in WIDTHS:
        picture = strip.picture(width)
        assert len(picture.columns) == (width if trajectory.steps else 0)
        for column in picture.columns:
            assert column.llm >= 0 and column.tool >= 0
            assert column.llm + column.tool <= 1 + 1e-9
            assert not column.llm or column.happened_llm
            assert not column.tool or column.happened_tool
            assert not column.idle or column == Column(idle=True)
            assert not column.happened_tool or column.family is not None
        ends = [label.column + len(label.text) for label in picture.axis]
        assert all(0 <= label.column < width for label in picture.axis)
        assert all(end <= width for end in ends)
        begins = [label.column for label in picture.axis[1:]]
        assert all(end + 2 <= begin for end, begin in zip(ends, begins, strict=False))
        if not trajectory.steps:
            continue
        places = [strip.column_of(step.number, width) for step in trajectory.steps]
        assert places == sorted(places) and places[0] >= 0 and places[-1] < width
        for number in errors:
            assert picture.columns[places[number - 1]].mark == "error"
        for place in places:
            assert not picture.columns[place].idle
            picked = strip.step_at(place, width)
            assert strip.column_of(picked, width) == place
        assert all(1 <= strip.step_at(n, width) <= len(places) for n in range(-1, width + 1))


@given(hostile(), st.lists(Seconds, min_size=4, max_size=4), st.lists(st.integers(1, 9)))
def test_growing_comes_to_the_same_as_reading_at_once(
    events: list[Event], told: list[float | None], parts: list[int]
) -> None:
    """Also when the model's times arrive last, and nearly all events are read again for them."""
    teller = Told(rest=None)
    with patch.object(activity, "_CHECKPOINT", 3):
        trajectory = Trajectory()
        strip = Strip(trajectory, teller)
        place = 0
        for part in [*parts, len(events)]:
            trajectory.extend(events[place : place + part])
            place += part
            strip.update(frozenset({2, 3}))
        same_as_fresh(strip, trajectory, teller)
        for n, e in enumerate(events):
            second = told[n % 4]
            if second is not None and n > len(events) // 3:
                teller.seconds[e.id] = second
        teller.changed = 1
        trajectory.extend([event("ConversationStateUpdateEvent", "f", key="full_state", value={})])
        strip.update(frozenset({2, 3}))
        same_as_fresh(strip, trajectory, teller)


def same_as_fresh(strip: Strip, trajectory: Trajectory, teller: Told) -> None:
    fresh = Strip(run(trajectory.events), teller)
    fresh.update(frozenset({2, 3}))
    for width in WIDTHS:
        assert strip.picture(width) == fresh.picture(width)


def test_a_time_that_is_told_later_is_taken_in() -> None:
    """Such as stats that follow the step, and a full state at the end of a long run."""
    events = [message("m", "go", **at(0))]
    for n in range(900):
        events += [shell(f"a{n}", **at(n * 10 + 10)), output(f"a{n}", **at(n * 10 + 12))]
    teller = Told()
    trajectory = run(events[:-2])
    strip = Strip(trajectory, teller)
    assert sum(column.llm for column in strip.picture(40).columns) == 0
    teller.seconds["a897"] = 8.0
    trajectory.extend(events[-2:])
    strip.update()
    assert strip.picture(40) == Strip(trajectory, teller).picture(40)
    assert [n for n, c in enumerate(strip.picture(40).columns) if c.llm] == [39]
    teller.rest = 8.0
    teller.changed = 1
    trajectory.extend([event("ConversationStateUpdateEvent", "f", key="full_state", value={})])
    strip.update()
    assert strip.picture(40) == Strip(trajectory, teller).picture(40)
    assert min(column.llm for column in strip.picture(40).columns) > 0.7


@pytest.mark.parametrize("slug", SLUGS)
def test_the_demo_grows_as_it_is_read(slug: str) -> None:
    whole = demo_run(slug)
    if len(whole.events) > 5000:
        pytest.skip("long enough is the other one")
    trajectory = Trajectory()
    accounts = Accounts(trajectory)
    strip = Strip(trajectory, accounts)
    size = max(1, len(whole.events) // 7)
    for place in range(0, len(whole.events), size):
        trajectory.extend(whole.events[place : place + size])
        accounts.update()
        strip.update()
    assert strip.picture(112) == Strip(whole, Accounts(whole)).picture(112)


def test_a_hundred_thousand_steps() -> None:
    """Neither a picture nor what grows looks at each."""
    events = []
    for n in range(100_000):
        day, rest = divmod(n * 5, 86400)
        hour, rest = divmod(rest, 3600)
        stamp = b"2026-03-%02dT%02d:%02d:%02d" % (day + 1, hour, rest // 60, rest % 60)
        kind = (b"ActionEvent", b"AgentErrorEvent")[n % 997 == 0]
        events.append(
            parse_event(
                b'{"id": "%d", "kind": "%s", "timestamp": "%s", "source": "agent",'
                b' "action": {"kind": "TerminalAction"}}' % (n, kind, stamp)
            )
        )
    trajectory = run(events[:-10])
    strip = Strip(trajectory, Told(rest=2.0))
    with counted() as drawing:
        columns = strip.picture(119).columns
    assert sum(column.mark == "error" for column in columns) > 70
    trajectory.extend(events[-10:])
    with counted() as growing:
        strip.update()
    assert strip.column_of(100_000, 119) == 118
    assert drawing.lines < 50_000 and growing.lines < 50_000


def test_a_long_way_back_is_read_again_while_the_old_picture_is_shown() -> None:
    events: list[Event] = []
    for n in range(9_000):
        events += [shell(f"a{n}", **at(n * 10 + 10)), output(f"a{n}", **at(n * 10 + 12))]
    teller = Told()
    trajectory = Trajectory(live=True)
    trajectory.extend([state("s", "running"), *events[:-400]])
    strip = Strip(trajectory, teller)
    before = strip.picture(40)
    teller.rest, teller.changed = 8.0, 1
    strip.update()
    first = [column.llm for column in strip.picture(40).columns]
    assert first[:-2] == [column.llm for column in before.columns][:-2]
    updates = 0
    for place in range(-400, 0, 2):
        trajectory.extend(events[place : place + 2 or None])
        strip.update()
        updates += strip.picture(40).columns[5].llm == 0
    trajectory.extend([state("t", "finished")])
    strip.update()
    assert updates > 0
    assert strip.picture(40) == Strip(trajectory, teller).picture(40)
    assert min(column.llm for column in strip.picture(40).columns) > 0.7
