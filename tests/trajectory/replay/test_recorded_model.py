"""The model of a recorded run: it finds each answer, and calls what differs by its name."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.text.problem import Problem
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.events import parse_event
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.replay.check import check
from oh_tui.trajectory.replay.folders import Folders, read_pair
from oh_tui.trajectory.replay.record import Record, _arguments, records_of
from oh_tui.trajectory.replay.recorded_model import NO_ANSWER, OFTEN, Match, RecordedModel
from oh_tui.trajectory.replay.requests import Purpose, key_of_answer, read_request
from tests.demo_runs import demo_events

from .made import Body, body_at, request, results

RUNS = ("pydantic", "erp-dates", "week-dates", "oauth", "ledger")


def study_of(slug: str) -> Study:
    run = Trajectory()
    run.extend(demo_events(slug, "agent"))
    return Study(run)


@pytest.fixture(scope="module")
def study() -> Study:
    return study_of("pydantic")


@pytest.mark.parametrize("slug", RUNS)
def test_each_answer_of_a_run_is_found_and_nothing_differs(slug: str) -> None:
    study = study_of(slug)
    model = RecordedModel(list(records_of(study)))
    for number, answer in enumerate(study.contexts.answers):
        outcome = model.answer(request(body_at(study, number)))
        assert (outcome.match, outcome.at, outcome.new) == (Match.EXACT, (0, number), ())
        assert outcome.step == str(answer.step)
        given, made = outcome.given, study.contexts.reply(answer).dump()
        assert given is not None
        assert [one["arguments"] for one in given.calls] == [
            one["arguments"] for one in made.get("tool_calls", ())
        ]
    assert model.answers == len(study.contexts.answers) and not model.has_parted


def test_two_conversations_on_one_model_get_their_own_answers(study: Study) -> None:
    model = RecordedModel([Record(study)])
    count = len(study.contexts.answers)
    turns = [n for pair in zip(range(count), [0, 0, *range(count)], strict=False) for n in pair]
    for number in turns:
        assert model.answer(request(body_at(study, number))).at == (0, number)


def after(study: Study) -> Body:
    """A request for what follows the last answer."""
    last = len(study.contexts.answers) - 1
    body = body_at(study, last)
    given = Record(study).given(last)
    message: Body = {"role": "assistant", "content": given.text}
    if given.calls:
        message["tool_calls"] = [
            {
                "id": c["id"],
                "type": "function",
                "function": {k: c[k] for k in ("name", "arguments")},
            }
            for c in given.calls
        ]
    return body | {"messages": [*body["messages"], message]}


def test_the_end_of_the_record_and_what_it_lacks_are_refused_with_a_sentence(study: Study) -> None:
    model = RecordedModel([Record(study)])
    ended = model.answer(request(after(study)))
    assert (ended.given, ended.refused, ended.is_end) == (None, "the record ends here", True)
    body = body_at(study, results(Record(study))[0])
    last = next(one for one in reversed(body["messages"]) if "tool_calls" in one)
    last["tool_calls"][0]["id"] = "call_of_nobody"
    unknown = model.answer(request(body))
    assert (unknown.refused, unknown.is_end) == (
        "the record has no answer that follows this one", False,
    )  # fmt: skip
    assert model.answer(request(body_at(study, 0))).given


def test_a_client_that_never_stops_asking_is_refused(study: Study) -> None:
    model = RecordedModel([Record(study)])
    asked = request(body_at(study, 0))
    told = [model.answer(asked) for _ in range(OFTEN + 2)]
    assert all(one.given for one in told[:OFTEN])
    assert {one.refused for one in told[OFTEN:]} == {
        "this answer was given 20 times, and is not given again"
    }


PLANTED: dict[str, Callable[[str], str]] = {
    "a line more": lambda text: f"{text}\nFAILED tests/test_a.py::test_zero",
    "a line less": lambda text: text.split("\n", 1)[1],
    "another word": lambda text: text.replace("\n", "\nTraceback ", 1),
    "nothing at all": lambda text: "",
    "an error": lambda text: "bash: pytest: command not found",
    "the folder of another": lambda text: text + "\n/opt/other/file.py",
    "an ending that is not a date": lambda text: text + "\n2026-13",
    "the clear of the terminal and a line": lambda text: f"clear\n\nBOOM\n{text}",
    "a doubled output": lambda text: f"{text}\n{text}",
    "a letter": lambda text: f"x{text}",
}


@pytest.mark.parametrize("what", PLANTED)
def test_a_real_difference_is_called_one_and_not_told_again(study: Study, what: str) -> None:
    record = Record(study)
    model = RecordedModel([record], is_strict=False)
    number = results(record)[0]
    for place in (number, number + 1):
        body = body_at(study, place)
        at = len(body_at(study, number)["messages"]) - 1
        body["messages"][at]["content"] = PLANTED[what](body["messages"][at]["content"])
        outcome = model.answer(request(body))
        if place == number:
            assert outcome.match is Match.REAL and len(outcome.new) == 1
        else:
            assert outcome.match is Match.CARRIED and not outcome.new
    assert model.has_parted


NOISE: dict[str, Callable[[str], str]] = {
    "leftovers": lambda text: f"clear\n\n{text}\n",
    "its prompt": lambda text: f'###PS1JSON###\n{{"pid": 1}}\n###PS1END###\n{text}',
}


@pytest.mark.parametrize("what", NOISE)
def test_a_race_of_the_terminal_is_no_difference(study: Study, what: str) -> None:
    record = Record(study)
    model = RecordedModel([record])
    body = body_at(study, results(record)[0])
    body["messages"][-1]["content"] = NOISE[what](body["messages"][-1]["content"])
    outcome = model.answer(request(body))
    assert outcome.match is Match.PLAIN and not model.has_parted
    assert outcome.new[0].told.names == {"leftovers of the terminal"}


def test_times_are_plain_numbers_are_not(study: Study) -> None:
    record = Record(study)
    number = results(record)[0]
    call = body_at(study, number)["messages"][-1]["tool_call_id"]

    def match(told: str, recorded: str) -> Match | None:
        events = [json.loads(event.raw()) for event in study.trajectory.events]
        result = next(e for e in events if e.get("tool_call_id") == call and "observation" in e)
        result["observation"]["content"][0]["text"] = recorded
        run = Trajectory()
        run.extend(parse_event(json.dumps(one).encode()) for one in events)
        made = Study(run)
        body = body_at(made, number)
        last = body["messages"][-1]
        assert recorded in last["content"]
        last["content"] = last["content"].replace(recorded, told)
        return RecordedModel([Record(made)]).answer(request(body)).match

    assert match("ran in 0.25s", "ran in 0.31s") is Match.PLAIN
    assert match("7 passed", "6 passed") is Match.NUMBERS
    assert match("b\na", "a\nb") is Match.ORDER


def test_a_message_in_one_alone_is_of_another_shape(study: Study) -> None:
    body = body_at(study, 2)
    body["messages"].insert(2, {"role": "user", "content": "And hurry."})
    model = RecordedModel([Record(study)])
    assert model.answer(request(body)).match is Match.SHAPE


def test_strict_refuses_the_first_that_differs(study: Study) -> None:
    record = Record(study)
    model = RecordedModel([record], is_strict=True)
    number = results(record)[0]
    body = body_at(study, number)
    body["messages"][-1]["content"] = "quite another result"
    outcome = model.answer(request(body))
    assert outcome.given is None
    assert outcome.refused == f"this run parts from the record at step {outcome.step}: differs"


@pytest.mark.parametrize(
    ("system", "last", "tools", "purpose"),
    [
        ("You are a tool that generates concise, descriptive titles", "x", [], Purpose.TITLE),
        ("You are maintaining a context-aware state summary", "x", [], Purpose.CONDENSER),
        ("x", "You are maintaining a context-aware state summary", [], Purpose.CONDENSER),
        ("x", "Based on the activity so far answer the following question", [1], Purpose.ASK),
        ("x", "y", [], Purpose.OTHER),
    ],
)
def test_what_is_not_for_the_agent_moves_nothing(
    study: Study, system: str, last: str, tools: list[object], purpose: Purpose
) -> None:
    messages = [{"role": "system", "content": system}, {"role": "user", "content": last}]
    model = RecordedModel([Record(study)], title="Its title")
    outcome = model.answer(request({"messages": messages, "tools": tools}))
    assert outcome.purpose is purpose and not model.given
    if purpose is Purpose.CONDENSER:
        assert outcome.refused == "the record has 0 summaries, and no more"
    elif outcome.given:
        assert outcome.given.text == ("Its title" if purpose is Purpose.TITLE else NO_ANSWER)


def test_each_request_beyond_the_summaries_is_told_how_many_there_are(study: Study) -> None:
    model = RecordedModel([Record(study)])
    system = {"role": "system", "content": "You are maintaining a context-aware state summary"}
    for text in ("one", "another"):
        outcome = model.answer(request({"messages": [system, {"role": "user", "content": text}]}))
        assert outcome.refused == "the record has 0 summaries, and no more"


def test_folders_take_each_others_place_whole_ones_alone() -> None:
    folders = Folders([("/srv", "/tmp/new"), ("/srv/deep", "/else")])
    assert folders.now("cd /srv && ls /srv/a /srvs /my/srv /srv-2 /srv.") == (
        "cd /tmp/new && ls /tmp/new/a /srvs /my/srv /srv-2 /tmp/new."
    )
    assert folders.now("/srv/deep/a") == "/else/a"
    assert folders.then(folders.now("see /srv/a")) == "see /srv/a"
    given = '{"command":  "cd /x\\n/srv/a"}'
    assert json.loads(folders.arguments_now(given)) == {"command": "cd /x\n/tmp/new/a"}
    assert folders.arguments_now('{"a":  1}') == '{"a":  1}'
    assert folders.arguments_now("{not /srv") == "{not /tmp/new"
    for word in ("", "/a", "a=b", "/a=b"):
        with pytest.raises(Problem):
            read_pair(word)


def test_a_run_in_another_folder_is_as_recorded_by_the_map(study: Study) -> None:
    folders = Folders([("/workspace", "/tmp/elsewhere")])
    model = RecordedModel([Record(study)], folders=folders)
    for number in range(len(study.contexts.answers)):
        text = folders.now(json.dumps(body_at(study, number)))
        outcome = model.answer(read_request(text.encode(), folders))
        assert outcome.at == (0, number)
        assert outcome.match in (Match.EXACT, Match.CARRIED, Match.PLAIN)


def test_an_answer_is_found_without_looking_at_others() -> None:
    study = study_of("ledger")
    model = RecordedModel([Record(study)])
    # as long as a run of 1,031 answers: the dict is what is asked
    for number in range(1_031):
        model._next[("calls", f"call-{number}")] = [(0, 0)]
    asked = request(body_at(study, 1))
    began = time.perf_counter()
    for _ in range(100):
        assert model._find(asked) == (0, 1)
    assert (time.perf_counter() - began) / 100 < 0.001


def without(study: Study, event_ids: tuple[str, ...]) -> Study:
    run = Trajectory()
    run.extend(one for one in study.trajectory.events if one.id not in event_ids)
    return Study(run)


def test_a_record_that_lacks_an_answer_says_so(study: Study) -> None:
    lacks = without(study, study.contexts.answers[2].event_ids)
    found = check(lacks, "")
    assert found.lacks == ("1 result of it is without a call: an answer is missing",)
    # where the record ends before it: a client that knows the answer is told, and moves nothing
    ids = [one.event_id for one in study.contexts.answers]
    run = Trajectory()
    run.extend(study.trajectory.events[: study.trajectory.place_of(ids[2])])
    model = RecordedModel([Record(Study(run))])
    later = model.answer(request(body_at(study, 4)))
    assert (later.given, later.is_end) == (None, False)
    assert later.refused == "the record has no answer that follows this one"
    assert model.answer(request(body_at(study, 1))).at == (0, 1)


def repeated(study: Study, count: int) -> Study:
    """A run whose agent makes one call again and again, with the same result."""
    events = [json.loads(event.raw()) for event in study.trajectory.events]
    call = next(one for one in events if one["kind"] == "ActionEvent")
    shown = next(one for one in events if one.get("action_id") == call["id"])
    made = [next(one for one in events if one["kind"] == "SystemPromptEvent")]
    made.append(next(one for one in events if one["kind"] == "MessageEvent"))
    for n in range(count):
        own = {"tool_call_id": f"call-{n}"}
        tool_call = call["tool_call"] | {"id": f"call-{n}"}
        made.append(
            call | own | {"id": f"a-{n}", "llm_response_id": f"r-{n}", "tool_call": tool_call}
        )
        made.append(shown | own | {"id": f"o-{n}", "action_id": f"a-{n}"})
    run = Trajectory()
    run.extend(parse_event(json.dumps(one).encode()) for one in made)
    return Study(run)


def test_equal_calls_get_each_its_own_answer() -> None:
    study = repeated(study_of("week-dates"), 5)
    model = RecordedModel([Record(study)])
    told = [model.answer(request(body_at(study, number))) for number in (0, 1, 2, 3, 4, 2)]
    assert [one.at for one in told] == [(0, n) for n in (0, 1, 2, 3, 4, 2)]
    assert {one.match for one in told} == {Match.EXACT}


def test_a_run_of_100_000_events_is_ready_in_the_time_of_its_events() -> None:
    def seconds(count: int) -> float:
        study = repeated(study_of("week-dates"), count)
        began = time.process_time()
        model = RecordedModel([Record(study)])
        assert model.known == count
        return time.process_time() - began

    few, many = seconds(2_000), seconds(50_000)
    assert many < 25 * max(few, 0.05) * 5  # in the square it would be 625 times as long


def test_arguments_that_the_record_lost_are_unreadable_at_the_same_place() -> None:
    told = '{"_openhands_malformed_tool_call": "Expecting property name: line 1 column 2 (char 1)"}'
    with pytest.raises(json.JSONDecodeError) as error:
        json.loads(_arguments(told))
    assert error.value.pos == 1
    assert _arguments('{"a": 1}') == '{"a": 1}'


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["role", "content", "text", "type", "tool_calls", "id", "function", "name",
                 "arguments", "tool_call_id", "messages", "tools", "stream", "model"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)  # fmt: skip

MODEL = RecordedModel([Record(study_of("week-dates"))])


@given(st.lists(ANYTHING, max_size=5), ANYTHING)
def test_whatever_is_asked_gets_an_answer_or_a_sentence(messages: object, tools: object) -> None:
    data = json.dumps({"messages": messages, "tools": tools}).encode()
    try:
        asked = read_request(data, Folders([("/a", "/b")]))
    except Problem as problem:
        assert problem.sentence
        return
    outcome = MODEL.answer(asked)
    assert outcome.given or outcome.refused


@given(st.binary(max_size=200))
def test_what_is_no_request_is_a_problem(data: bytes) -> None:
    with pytest.raises(Problem):
        read_request(data, Folders())


def test_keys_tell_calls_from_words() -> None:
    assert key_of_answer({"content": [{"text": " a "}]}) == ("text", "a")
    calls = [{"id": "x"}, {"id": "y"}]
    assert key_of_answer({"content": [], "tool_calls": calls}) == ("calls", "x", "y")
