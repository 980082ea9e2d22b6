"""Filter words: their meaning, the position of errors, and that hostile events raise nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.text.human import seconds_of
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.events import Event, parse_event
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usage import Usage
from oh_tui.trajectory.search.field import moment
from oh_tui.trajectory.search.fields import FIELDS
from oh_tui.trajectory.search.step_filter import QueryError, complete, parse, suggest
from tests.demo_runs import demo_run
from tests.trajectory.made import call, event, failure, message, output, result, shell, state, used
from tests.work import counted


@dataclass
class Books:
    costs: dict[int, float]
    fills: dict[int, float]

    def of(self, step: Step) -> Usage | None:
        return used(cost=self.costs[step.number]) if step.number in self.costs else None

    def inherited(self, step: Step) -> Usage | None:
        return None

    def ran(self, step: Step) -> float | None:
        return step.ran()

    def fill(self, step: Step) -> float | None:
        return self.fills.get(step.number)


@dataclass
class Known:
    loops: frozenset[int] = frozenset()
    accounts: Books | None = None


def edit(id: str, path: str, second: float = 0) -> tuple[Event, Event]:
    action = {"kind": "FileEditorAction", "command": "str_replace", "path": path}
    seen = {"kind": "FileEditorObservation", "old_content": "a\n", "new_content": "gizmo\n"}
    return (
        call(id, action, tool="file_editor", second=second),
        result(id, seen, tool="file_editor", second=second + 0.2),
    )


PATCH = "*** Begin Patch\n*** Update File: src/patched.py\n-a\n+b\n*** End Patch"


@pytest.fixture
def run() -> Trajectory:
    """1 your message, 2 and 3 commands (ok, failed), 4 an edit, 5 a call not run, 6 an answer,
    7 a patch, 8 a call without result."""
    trajectory = Trajectory()
    trajectory.extend(
        [
            message("m", "Mend the gizmo", second=0),
            shell("a", "pytest -q", second=1, security_risk="LOW", summary="run the tests"),
            output("a", "2 passed", second=9),
            shell("b", "rm -rf build", second=10, security_risk="HIGH"),
            output("b", "no such file", 1, second=10.3),
            *edit("c", "/workspace/src/dates.py", 20),
            call("d", None, tool="terminal", second=30),
            failure("d", "Error validating args", second=30),
            message("n", "All is done", source="agent", second=40),
            call("p", {"kind": "ApplyPatchAction", "patch": PATCH}, tool="apply_patch", second=45),
            result("p", {"kind": "ApplyPatchObservation"}, tool="apply_patch", second=45.5),
            shell("z", "sleep 100", second=50),
        ]
    )
    return trajectory


KNOWN = cast(
    "Study", Known(frozenset({2, 3}), Books({2: 0.02, 3: 0.005, 4: 0.0}, {2: 0.85, 3: 0.5}))
)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", [1, 2, 3, 4, 5, 6, 7, 8]),
        ("kind:Action", [2, 3, 4, 5, 7, 8]),
        ("kind:actionevent", [2, 3, 4, 5, 7, 8]),
        ("kind:Message", [1, 6]),
        ("kind:TerminalAction", [2, 3, 8]),
        ("kind:observation", [2, 3, 4, 7]),
        ("kind:AgentError", [5]),
        ("kind:error", [5]),
        ("kind:Event", []),
        ("tool:terminal", [2, 3, 5, 8]),
        ("TOOL:Edit", [4, 7]),
        ("tool:file_ed", [4]),
        ("tool:you", [1]),
        ("tool:agent", [6]),
        ("source:user", [1]),
        ("source:agent", [2, 3, 4, 5, 6, 7, 8]),
        ("is:failed", [3, 5]),
        ("is:error", [5]),
        ("is:noresult", [8]),
        ("is:loop", [2, 3]),
        ("is:loop is:failed", [3]),
        ("-is:loop is:failed", [5]),
        ("risk:HIGH", [3]),
        ("-risk:high kind:action", [2, 4, 5, 7, 8]),
        ("took:>5s", [2]),
        ("took:>=8", [2]),
        ("took:8s", [2]),
        ("took:<1s", [3, 4, 7]),
        ("took:<=200ms", [4]),
        ("took:=0.3", [3]),
        ("cost:>0.01", [2]),
        ("cost:>$0.004", [2, 3]),
        ("cost:=0.02", [2]),
        ("cost:<=0", [4]),
        ("context:>80%", [2]),
        ("context:<=50", [3]),
        ("context:=85%", [2]),
        ("-context:>80%", [1, 3]),  # 1 has no context; those of 4 to 8 are not known
        ("after:+0:30", [5, 6, 7, 8]),
        ("before:+10s", [1, 2]),
        ("after:2026-03-01T10:00:45Z", [7, 8]),
        ("before:2026-03-01T10:00:01+00:00", [1]),
        ("after:2026-03-02", []),
        ("path:src/", [4, 7]),
        ("path:SRC/dates", [4]),
        ("path:src/patched.py", [7]),
        ("gizmo", [1, 4]),
        ("GIZMO -tool:you", [4]),
        ('"mend the"', [1]),
        ('-"mend the" gizmo', [4]),
        ('"exit 1"', [3]),
        ("--no-such", []),
        ("-q", [1, 2, 3, 4, 5, 6, 7, 8]),
        ('"-q"', [2]),
        ("step:2-4", [2, 3, 4]),
        ("step:7-", [7, 8]),
        ("-step:1-7", [8]),
    ],
)
def test_what_each_word_asks(text: str, numbers: list[int], run: Trajectory) -> None:
    query = parse(text)
    if text == "-q":  # all steps that lack the letter
        numbers = [n for n in numbers if n != 2]
    assert [step.number for step in run.steps if query.matches(step, run, KNOWN)] == numbers


@dataclass
class Marks:
    bookmarks: tuple[str, ...]
    step_notes: dict[str, str]


def test_what_the_user_keeps_of_steps_is_found(run: Trajectory) -> None:
    ids = [step.event.id for step in run.steps]
    kept = Marks((ids[1], ids[4], "of another run"), {ids[4]: "Why this?", ids[6]: "good"})

    def found(text: str, kept: Marks | None = kept) -> list[int]:
        query = parse(text)
        assert query.needs_annotations
        return [step.number for step in run.steps if query.matches(step, run, annotations=kept)]

    assert found("is:bookmarked") == [2, 5]
    assert found("is:book tool:terminal note:WHY") == [5]
    assert found("note:any") == [5, 7]
    assert found("-note:any is:bookmarked") == [2]
    assert found("is:bookmarked", None) == found("note:any", None) == []
    assert not parse("is:failed bookmarked").needs_annotations


def test_waiting_and_running_are_what_the_run_says(run: Trajectory) -> None:
    def last(text: str) -> bool:
        return parse(text).matches(run.steps[-1], run)

    assert (last("is:waiting"), last("is:running")) == (False, False)
    run.extend([state("s", "waiting_for_confirmation")])
    assert (last("is:waiting"), last("is:noresult")) == (True, False)
    run.live = True
    run.extend([state("t", "running")])
    assert (last("is:waiting"), last("is:running")) == (False, True)


def test_without_facts_nothing_is_in_a_loop_or_has_a_cost(run: Trajectory) -> None:
    for text in ("is:loop", "cost:<=100"):
        assert not any(parse(text).matches(step, run) for step in run.steps)
    assert parse("took:>5s").matches(run.steps[1], run)


@pytest.mark.parametrize(("clock", "hour"), [("", "10"), ("+00:00", "05"), ("-05:00", "10")])
@pytest.mark.usefixtures("in_new_york")
def test_a_time_of_day_is_local_and_of_the_day_the_run_began(
    run: Trajectory, clock: str, hour: str
) -> None:
    """Where no clock is known it is the one that the run shows."""
    known = Trajectory(clock=clock)
    known.extend(run.events)

    def numbers(text: str) -> list[int]:
        return [s.number for s in known.steps if parse(text).matches(s, known)]

    assert numbers(f"after:{hour}:00:40") == [6, 7, 8]
    assert numbers(f"before:{hour}:00:10") == [1, 2]
    assert numbers("after:02:00") == [1, 2, 3, 4, 5, 6, 7, 8]
    assert numbers(f"after:{hour}:01") == []
    assert numbers(f"after:2026-03-01T{hour}:00:40") == [6, 7, 8]


def test_events_without_a_time_are_neither_before_nor_after() -> None:
    trajectory = Trajectory()
    trajectory.extend([event("MessageEvent", "m", timestamp=None)])
    for text in ("after:00:00", "before:23:59", "after:+0:00", "before:9999-01-01"):
        assert not parse(text).matches(trajectory.steps[0], trajectory)


def test_how_long_is_not_known_of_a_run_not_read_to_its_beginning(run: Trajectory) -> None:
    run.complete = False
    assert not any(parse("after:+0:00").matches(step, run) for step in run.steps)


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("is:failed tol:terminal", "tol", "tool:"),
        ("zzz:1", "zzz", "kind"),
        ("words ImportError:x", "ImportError", '"ImportError:x"'),
        ("is:faild", "faild", "failed"),
        ("is:", "is:", "is:failed"),
        ("risk:none", "none", "HIGH"),
        ("took:soon", "soon", ">5s"),
        ("took:>", ">", ">5s"),
        ("took:>5parsecs", ">5parsecs", ">5s"),
        ("cost:>much", ">much", "0.01"),
        ("cost:>nan", ">nan", "0.01"),
        ("context:>full", ">full", ">80%"),
        ("context:>1e9", ">1e9", ">80%"),
        ("after:25:00", "25:00", "13:30"),
        ("before:soon x", "soon", "13:30"),
        ("step:x", "x", "10-20"),
        ('a "b c', '"b c', "close"),
        ('a ""', '""', "quotes"),
        ('-is:"nope"', 'nope"', "failed"),
    ],
)
def test_what_is_wrong_is_pointed_at(text: str, place: str, told: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    error = caught.value
    assert text[error.start : error.end] == place
    assert told in error.hint
    assert error.sentence


@pytest.mark.parametrize("text", ["http://x.org", "a.py:12", ":x", "12:30", "--", "-", "say\\"])
def test_words_with_odd_characters_are_text(text: str) -> None:
    (term,) = parse(text).terms
    assert (term.field, term.value.text) == ("", text)


def test_quotes_inside_quotes() -> None:
    (term,) = parse(r'"say \"hi\" to C:\new"').terms
    assert term.value.text == r'say "hi" to c:\new'


def test_a_query_without_words_is_empty() -> None:
    assert parse("  ").empty
    assert not parse("x").empty


def test_bodies_are_asked_last(run: Trajectory) -> None:
    """A step that a head rules out is not read."""

    class Gone:
        def read(self, place: int) -> bytes:
            raise AssertionError("it was read")

        original = read

    step = run.steps[1]
    step.event.inline, step.event.store = b"", Gone()
    assert not parse("word path:src is:error").matches(step, run)
    with pytest.raises(AssertionError):
        parse("word").matches(step, run)


_WORDS = st.sampled_from(
    [
        "is:",
        "kind:",
        "took:>",
        "after:",
        "-",
        '"',
        "x",
        " ",
        "\\",
        ":",
        "failed",
        "5s",
        "12:30",
        "é",
    ]
)


@given(st.text(max_size=30) | st.lists(_WORDS, max_size=8).map("".join))
def test_any_text_is_a_query_or_points_at_what_is_wrong(text: str) -> None:
    try:
        query = parse(text)
    except QueryError as error:
        assert 0 <= error.start < error.end <= len(text)
        assert error.hint
        return
    assert parse(query.text).terms == query.terms
    assert query.empty is (not text.strip())


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["kind", "command", "path", "patch", "file_path"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)
_NAMES = ["id", "timestamp", "action", "observation", "tool_call", "tool_name", "security_risk",
          "action_id", "tool_call_id", "source", "error"]  # fmt: skip
_EVERYTHING = ("-kind:x tool:edit -source:y -is:loop risk:LOW took:<1s cost:<1 after:+1s "
               "before:23:00 path:a step:1- word")  # fmt: skip


@given(st.lists(st.dictionaries(st.sampled_from(_NAMES), _JSON, max_size=8), max_size=4))
def test_hostile_events_raise_nothing(bodies: list[dict[str, object]]) -> None:
    trajectory = Trajectory()
    for n, body in enumerate(bodies):
        kind = ("ActionEvent", "ObservationEvent", "AgentErrorEvent", "MessageEvent")[n % 4]
        trajectory.extend([parse_event(json.dumps({"kind": kind} | body).encode())])
    queries = [parse(word) for word in _EVERYTHING.split()] + [parse(_EVERYTHING)]
    for step in trajectory.steps:
        for query in queries:
            assert query.matches(step, trajectory, KNOWN) in (True, False)


@pytest.mark.parametrize("stamp", ["9999-12-31T23:59:59", "0001-01-01", "nonsense", "2026-03-01"])
def test_odd_times_raise_nothing(stamp: str) -> None:
    trajectory = Trajectory()
    trajectory.extend([event("MessageEvent", "m", timestamp=stamp)])
    for text in ("after:13:30", "before:+999999999s", "after:0001-01-01", "before:9999-12-31"):
        assert parse(text).matches(trajectory.steps[0], trajectory) in (True, False)


def test_completion_of_fields_and_values(run: Trajectory) -> None:
    def words(text: str, cursor: int | None = None) -> list[str]:
        return complete(text, len(text) if cursor is None else cursor, run)

    assert words("ki") == ["kind:"]
    assert words("x -to") == ["x -tool:", "x -took:"]
    assert words("is:n") == ["is:noresult"]
    assert words("-risk:h") == ["-risk:HIGH"]
    assert words("kind:A") == ["kind:Action", "kind:AgentError"]
    assert words("tool:fi x", 7) == ["tool:file_editor x"]
    assert words("tool:") == [
        f"tool:{name}"
        for name in ("agent", "apply_patch", "edit", "file_editor", "terminal", "you")
    ]
    assert words('"is:f') == words("word") == words("is:failed") == words("zz:a") == []


def test_without_a_run_the_usual_values_are_offered() -> None:
    assert "tool:terminal" in complete("tool:te", 7)
    assert complete("kind:Mess", 9) == ["kind:Message"]


@given(st.text(max_size=20), st.integers(0, 20))
def test_completion_takes_any_text_and_keeps_the_words_after_the_cursor(
    text: str, cursor: int
) -> None:
    cursor = min(cursor, len(text))
    _, space, words = text[cursor:].partition(" ")
    for new in complete(text, cursor):
        assert new.endswith(space + words)


def test_every_value_that_is_offered_is_understood() -> None:
    trajectory = demo_run("week-dates")
    for name, asked in FIELDS.items():
        for value in [*asked.values(None), *asked.values(trajectory)]:
            assert not parse(f"{name}:{value}").empty


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5", 5), ("5s", 5), ("0.5", 0.5), (".5", 0.5), ("300ms", 0.3), ("1m30s", 90), ("2h", 7200),
     ("1d", 86400), ("", None), ("5x", None), ("-5", None), ("٥", None), ("nan", None)],
)  # fmt: skip
def test_spans_of_time(text: str, seconds: float | None) -> None:
    assert seconds_of(text) == pytest.approx(seconds) if seconds else seconds_of(text) is None


@pytest.mark.parametrize("text", ["+12:30", "+750s", "+12m30s", "+0:12:30"])
def test_time_since_the_run_began(text: str) -> None:
    found = moment(text)
    assert found is not None
    assert found.since_began == 750


@pytest.mark.parametrize("text", ["", "+", "13", "13:3", "24:00", "1:2:3", "x", "2026-13-01"])
def test_what_is_no_moment(text: str) -> None:
    assert moment(text) is None


def test_the_demos_stuck_run() -> None:
    trajectory = demo_run("week-dates")

    def count(text: str, check: Callable[[Step], bool]) -> None:
        query = parse(text)
        found = [s.number for s in trajectory.steps if query.matches(s, trajectory)]
        assert found == [s.number for s in trajectory.steps if check(s)]
        assert found

    count("is:failed tool:terminal", lambda s: s.result is not None and bool(
        s.result.exit_code or (s.result.failed and s.event.tool_name == "terminal")
    ))  # fmt: skip
    count("took:>5s", lambda s: (s.ran() or 0) > 5)


def test_what_can_be_typed_grows_with_the_run_and_is_not_gathered_anew() -> None:
    trajectory = Trajectory(live=True)
    trajectory.extend([shell(f"a{n}") for n in range(20_000)])
    assert complete("tool:te", 7, trajectory) == ["tool:terminal"]
    assert complete("kind:", 5, trajectory) == ["kind:Action"]
    with counted() as work:
        for _ in range(20):
            complete("kind:", 5, trajectory)
    assert work.lines < 5_000
    trajectory.extend([output("a7"), message("m", "so")])
    assert complete("kind:", 5, trajectory) == ["kind:Action", "kind:Message", "kind:Observation"]
    assert "tool:you" in complete("tool:", 5, trajectory)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("tool:termnal", "did you mean tool:terminal?"),
        ("is:failed tool:termnal", "did you mean tool:terminal?"),
        ("kind:Mesage", "did you mean kind:Message?"),
        ("source:agnet", "did you mean source:agent?"),
        ("tool:web", ""),  # there is such a name; this run has none of it
        ("tool:browser_tool", ""),
        ("tool:term", ""),
        ("-tool:termnal", ""),
        ("termnal", ""),
    ],
)
def test_a_name_that_the_run_has_not_is_set_right(text: str, hint: str) -> None:
    assert suggest(parse(text), demo_run("week-dates")) == hint
