"""Why two runs part: what the model saw at the first answer that differs."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from oh_tui.trajectory.comparison import parted
from oh_tui.trajectory.comparison.parted import Parted, Seen, name_of
from oh_tui.trajectory.comparison.plain import FOLDERS, TERMINAL, How, told
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.events import parse_event
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.write_targets import working_folder
from tests.demo_runs import demo_events

Events = list[dict[str, Any]]

Plant = Callable[[Events, int], None]
Pair = tuple[Study, Study]

RUNS = ("pydantic", "erp-dates", "week-dates", "oauth", "ledger")


def events_of(slug: str) -> Events:
    return [json.loads(event.raw()) for event in demo_events(slug, "agent")]


def study(events: Events) -> Study:
    run = Trajectory()
    run.extend(parse_event(json.dumps(event).encode()) for event in events)
    return Study(run)


def with_other_ids(events: Events) -> Events:
    """As another run of the same: no id of an event, call or answer is that of the first."""
    text = json.dumps(events)
    for one in set(re.findall(r'"(?:id|tool_call_id|llm_response_id|action_id)": "([^"]+)"', text)):
        text = text.replace(one, str(uuid.uuid4()))
    made: Events = json.loads(text)
    return made


def results(events: Events) -> list[int]:
    """Where results of commands with several lines are, of calls that nothing follows at once."""
    return [
        at
        for at, event in enumerate(events)
        if event["kind"] == "ObservationEvent"
        and event.get("tool_name") == "terminal"
        and "\n" in output(event).strip()
    ]


def output(event: dict[str, Any]) -> str:
    return "".join(block["text"] for block in event["observation"]["content"])


def write_output(event: dict[str, Any], text: str) -> None:
    event["observation"]["content"][0]["text"] = text


def pair(slug: str, plant: Plant, plant_in_a: Plant = lambda events, at: None) -> Pair:
    """A run, and one that saw something else up to a result and then did something else."""
    a = events_of(slug)
    at = results(a)[1]
    b = with_other_ids(a)
    plant(b, at)
    plant_in_a(a, at)
    answer = next(n for n in range(at, len(b)) if b[n]["kind"] == "ActionEvent")
    call, arguments = b[answer], {"command": "echo something else"}
    call["tool_name"] = call["tool_call"]["name"] = "terminal"
    call["action"] = {"kind": "TerminalAction", **arguments}
    call["tool_call"]["arguments"] = json.dumps(arguments)
    return study(a), study(b[: answer + 1])


def prompt_line(events: Events, _: int) -> None:
    message = next(event for event in events if event["kind"] == "MessageEvent")
    message["llm_message"]["content"][0]["text"] += "\nDo not touch the tests."


def file_line(events: Events, at: int) -> None:
    write_output(events[at], output(events[at]).replace("\n", "\ndef test_zero(self):\n", 1))


def tool_error(events: Events, at: int) -> None:
    write_output(events[at], "bash: fork: Cannot allocate memory")
    events[at]["observation"]["is_error"] = True


def order(events: Events, at: int) -> None:
    write_output(events[at], "\n".join(reversed(output(events[at]).split("\n"))))


def family(events: Events, _: int) -> None:
    block = "\n<IMPORTANT>\nThink before each call.\n</IMPORTANT>"
    events[0]["system_prompt"]["text"] += block


def sdk(events: Events, _: int) -> None:
    lines = events[0]["system_prompt"]["text"].split("\n")
    events[0]["system_prompt"]["text"] = "\n".join(
        [*lines[:2], "* Only add a comment …", *lines[2:]]
    )


def numbers(events: Events, at: int) -> None:
    write_output(events[at], f"{output(events[at])}\n7 passed")


def fewer(events: Events, at: int) -> None:
    write_output(events[at], f"{output(events[at])}\n6 passed")


def times(hour: int) -> Plant:
    def plant(events: Events, at: int) -> None:
        text = f"{output(events[at])}\nRan 3 tests in 0.00{hour}s at 2026-12-01 0{hour}:00"
        write_output(events[at], text)

    return plant


def elsewhere(events: Events, at: int) -> None:
    text = json.dumps(events).replace(working_folder(study(events).trajectory), "/srv/other/place")
    events[:] = json.loads(text)


def nothing(events: Events, at: int) -> None:
    pass


REAL: dict[str, tuple[Plant, str]] = {
    "prompt line": (prompt_line, "the user's message"),
    "file line": (file_line, "the result"),
    "tool error": (tool_error, "the result"),
    "order": (order, "the result"),
    "model family": (family, "the system prompt"),
    "SDK": (sdk, "the system prompt"),
}


def parting(a: Study, b: Study) -> Parted:
    found = parted.parting(a, b)
    assert found
    return found


@pytest.mark.parametrize("slug", RUNS)
@pytest.mark.parametrize("plant", REAL)
def test_what_was_planted_is_named_first(slug: str, plant: str) -> None:
    change, name = REAL[plant]
    found = parting(*pair(slug, change))
    assert found.seen is Seen.OTHER
    assert found.sentence.startswith(f"they saw other things: first {name}")
    assert len(found.real) == 1
    assert (found.real[0].told.how is How.ORDER) == (plant == "order")
    assert found.a == found.b is not None


@pytest.mark.parametrize("slug", RUNS)
def test_only_times_are_noise(slug: str) -> None:
    found = parting(*pair(slug, times(1), times(2)))
    assert (found.seen, found.plain, found.real) == (Seen.NOISE, ["times"], [])
    assert found.sentence == "only noise differed (times), so it was the model or chance"


@pytest.mark.parametrize("slug", RUNS)
def test_another_folder_is_noise(slug: str) -> None:
    found = parting(*pair(slug, elsewhere))
    assert (found.seen, found.plain, found.real) == (Seen.NOISE, [FOLDERS], [])


@pytest.mark.parametrize("slug", RUNS)
def test_the_same_is_the_same_whatever_the_ids(slug: str) -> None:
    found = parting(*pair(slug, nothing))
    assert (found.seen, found.differs) == (Seen.SAME, [])
    assert found.sentence == "both saw the same, so it was the model or chance"
    assert found.not_told == "not known: native tool calling, tool parameters"


def test_a_number_is_no_noise() -> None:
    found = parting(*pair("erp-dates", numbers, fewer))
    assert found.seen is Seen.OTHER
    assert found.real[0].told.how is How.NUMBERS
    assert found.sentence.endswith(", only its numbers")


def test_what_came_since_they_agreed_is_named_before_what_did_not_part_them() -> None:
    def both(events: Events, at: int) -> None:
        prompt_line(events, at)
        tool_error(events, at)

    found = parting(*pair("erp-dates", both))
    assert [one.kind for one in found.differs] == ["user", "result"]
    assert name_of(found.real[0]).startswith("the result of step ")
    assert found.sentence.endswith(", and 1 more")


def test_runs_that_do_the_same_do_not_part() -> None:
    events = events_of("erp-dates")
    assert parted.parting(study(events), study(with_other_ids(events))) is None


def test_a_run_that_ends_before_the_other_saw_nothing_there() -> None:
    events = events_of("erp-dates")
    last = max(at for at, event in enumerate(events) if event["kind"] == "ActionEvent")
    found = parting(study(events), study(with_other_ids(events)[:last]))
    assert (found.b, found.seen, found.sentence) == (None, None, "B has no more answers")


def test_an_agent_that_keeps_its_context_itself_tells_nothing() -> None:
    found = parting(study(events_of("acp")), study(events_of("erp-dates")))
    assert (found.seen, found.differs) == (None, [])
    assert "the agent of A keeps its context itself" in found.sentence
    both = parting(study(events_of("acp")), study(events_of("acp")))
    assert (both.a, both.b, both.seen) == (None, None, None)


def test_results_of_calls_that_changed_places_are_in_another_order() -> None:
    def swapped(events: Events, at: int) -> None:
        first, second = results(events)[:2]
        one, other = output(events[first]), output(events[second])
        write_output(events[first], other)
        write_output(events[second], one)

    found = parting(*pair("erp-dates", swapped))
    assert {one.told.how for one in found.differs} == {How.ORDER}


@pytest.mark.parametrize(
    ("a", "b", "how"),
    [
        ("x", "x", How.EQUAL),
        ("took 1.25s", "took 3.5s", How.PLAIN),
        ("commit 9c41d07", "commit 1a2b3c4", How.PLAIN),
        ("/tmp/tmpab1/x", "/tmp/tmpzz9/x", How.PLAIN),
        ("[1] 4711", "[1] 4712", How.PLAIN),
        ("b\na", "a\nb", How.ORDER),
        ("7 passed", "6 passed", How.NUMBERS),
        ("line 10", "line 12", How.NUMBERS),
        ("OK", "FAILED", How.REAL),
        ("took 1.25s OK", "took 3.5s FAILED", How.REAL),
        ("deadbeef", "cafebabe", How.REAL),  # words: no digit in them
        ("-rw-r--r-- 1 me me 10 x", "-rw-r--r-- 1 me me 12 x", How.NUMBERS),
    ],
)
def test_how_two_texts_differ(a: str, b: str, how: How) -> None:
    assert told(a, b).how is how
    assert told(b, a).how is how


def test_the_folders_of_two_runs_are_the_same_place_and_others_are_not() -> None:
    folders = "/w/a", "/w/b"
    assert told("/w/a/src", "/w/b/src", folders) == told("/w/b/src", "/w/a/src", folders[::-1])
    assert told("/w/a/src", "/w/b/src", folders).names == {FOLDERS}
    assert told("/w/ab/src", "/w/bb/src", folders).how is How.REAL
    assert told("see /w/a", "see /w/b", ("", "")).how is How.REAL


def test_leftovers_of_the_terminal_are_told_from_what_a_command_printed() -> None:
    echoed = {("", "pytest -q"), ("", "ls")}
    clean, dirty = "2 passed", "clear\npytest -q\n\n2 passed"
    assert told(clean, dirty, echoed=echoed).names == {TERMINAL}
    assert told(clean, dirty).how is How.REAL
    for other in ("1 passed", "", "2 passed\nclean", "pytest -x\n2 passed", "2 passed\n2 passed"):
        assert told(other, dirty, echoed=echoed).how in (How.REAL, How.NUMBERS), other


def test_a_file_that_a_command_wrote_is_no_leftover_of_it() -> None:
    written = ("cat > a.py <<'E'", "def f():", "return 1", "E")
    echoed = {*pairwise(("", *written)), ("", "cat a.py")}
    whole = "def f():\n    return 1"
    for other in ("def f():", "return 1", "def f():\nreturn 1", ""):
        assert told(whole, other, echoed=echoed).how is How.REAL, other
    for leftover in (written, (*written, "cat a.py"), written[:3]):
        dirty = "\n\n".join((*leftover, whole))
        assert told(whole, dirty, echoed=echoed).names == {TERMINAL}, leftover


def indent(events: Events, at: int) -> None:
    write_output(events[at], output(events[at]).replace("\n", "\n    "))


def test_an_indented_output_is_no_noise() -> None:
    assert (found := parting(*pair("erp-dates", indent))) and found.seen is Seen.OTHER
