"""Which messages are in the context of an answer, and how contexts differ."""

from __future__ import annotations

from typing import Any

from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import Trajectory
from tests.trajectory.context.made import (
    act,
    condensation,
    contexts,
    ids_at,
    last,
    said,
    seen_at,
    system,
    user,
)
from tests.trajectory.made import event, failure, result


def answered(of: str, **more: Any) -> Event:
    return result(of, {"kind": "ThinkObservation"}, tool="think", **more)


def pair(id: str) -> list[Event]:
    return [act(id), answered(id)]


def test_a_context_has_all_that_came_before_its_answer() -> None:
    found = contexts(system(), user("u"), *pair("a"), *pair("b"), said("m"))
    assert [one.event_id for one in found.answers] == ["a", "b", "m"]
    assert ids_at(found, "a") == ["s", "u"]
    assert ids_at(found, "b") == ["s", "u", "a", "r-a"]
    assert ids_at(found, "m") == ["s", "u", "a", "r-a", "b", "r-b"]
    kinds = [message.kind for message in last(found).messages]
    assert kinds == ["system", "user", "model", "result", "model", "result"]


def test_what_came_since_the_answer_before_is_new() -> None:
    found = contexts(system(), user("u"), *pair("a"), *pair("b"), said("m"))
    assert [message.is_new for message in seen_at(found, "a").messages] == [True, True]
    assert [message.is_new for message in last(found).messages] == [False] * 4 + [True] * 2
    assert found.before(found.answers[1]) == found.answers[0]
    assert found.before(found.answers[0]) is None


def test_calls_of_one_answer_are_one_message() -> None:
    calls = [act(one, llm_response_id="r") for one in ("a", "b")]
    results = [answered(one) for one in ("a", "b")]
    found = contexts(system(), user("u"), *calls, *results, said("m"))
    assert [one.event_ids for one in found.answers] == [("a", "b"), ("m",)]
    sent = last(found).dump()
    assert [message["role"] for message in sent] == ["system", "user", "assistant", "tool", "tool"]
    assert [one["id"] for one in sent[2]["tool_calls"]] == ["call-a", "call-b"]
    assert last(found).messages[2].steps == (2, 3)
    assert found.reply(found.answers[0]).event_ids == ("a", "b")


def test_a_step_leads_to_the_answer_that_made_it() -> None:
    calls = [act(one, llm_response_id="r") for one in ("a", "b")]
    found = contexts(system(), user("u"), *calls, user("v"), said("m"))
    steps = [step.event.id for step in found.run.steps]
    assert steps == ["u", "a", "b", "v", "m"]
    made = [found.of(number) for number in range(7)]
    assert [one and one.event_id for one in made] == [None, None, "a", "a", None, "m", None]
    near = [found.nearest(number) for number in (-5, 1, 4, 99)]
    assert [one and one.step for one in near] == [2, 2, 2, 5]
    assert contexts(user("u")).nearest(1) is None


def test_a_condensation_takes_out_and_puts_its_summary_in_place() -> None:
    found = contexts(
        system(), user("u"), *pair("a"), *pair("b"), *pair("c"),
        condensation("k", "a", "r-a", "b", "r-b", summary="It was so.", offset=2), *pair("d"),
        said("m"),
    )  # fmt: skip
    assert ids_at(found, "c") == ["s", "u", "a", "r-a", "b", "r-b"]
    assert ids_at(found, "d") == ["s", "u", "k-summary", "c", "r-c"]
    context = last(found)
    assert context.messages[1].event_ids == ("u", "k-summary")  # both are the user's
    user_, summary = context.messages[1].parts
    assert (user_.kind, user_.replaces) == ("user", ())
    assert (summary.kind, summary.replaces, summary.steps) == ("summary", (2, 3), (5,))
    assert summary.dump() == {"role": "user", "content": [{"type": "text", "text": "It was so."}]}
    assert [message.event_ids for message in context.forgotten] == [
        ("a",), ("r-a",), ("b",), ("r-b",)
    ]  # fmt: skip
    assert not any(message.is_new for message in context.forgotten)
    assert {message.forgotten_by for message in context.forgotten} == {5}
    assert context.unseen_steps == {2, 3}


def test_a_later_condensation_may_forget_a_summary() -> None:
    found = contexts(
        system(), user("u"), *pair("a"), condensation("k", "a", "r-a", summary="one", offset=2),
        *pair("b"), condensation("l", "k-summary", "b", "r-b", summary="two", offset=2), *pair("c"),
        said("m"),
    )  # fmt: skip
    assert ids_at(found, "b") == ["s", "u", "k-summary"]
    assert ids_at(found, "m") == ["s", "u", "l-summary", "c", "r-c"]
    summary = last(found).messages[1].parts[1]
    assert summary.replaces == (2, 4)


def test_the_difference_of_neighbours_is_what_came() -> None:
    found = contexts(system(), user("u"), *pair("a"), *pair("b"), said("m"))
    came, went, replaced = found.difference(found.answers[1], found.answers[2])
    assert [message.event_ids for message in came] == [("b",), ("r-b",)]
    assert (went, replaced) == ([], [])


def test_the_difference_over_a_condensation_tells_what_went_and_what_stands_for_it() -> None:
    found = contexts(
        system(), user("u"), *pair("a"), *pair("b"), *pair("c"),
        condensation("k", "a", "r-a", "b", "r-b", summary="so", offset=2), said("m"),
        version="1.25.0",
    )  # fmt: skip
    came, went, replaced = found.difference(found.answers[2], found.answers[3])
    assert [message.event_ids for message in came] == [("k-summary",), ("c",), ("r-c",)]
    assert [message.event_ids for message in went] == [("a",), ("r-a",), ("b",), ("r-b",)]
    assert {message.forgotten_by for message in went} == {5}
    assert replaced == [(came[0], went)]
    back = found.difference(found.answers[3], found.answers[2])
    assert (back.came, back.went) == (went, came)


def test_messages_of_the_user_that_follow_each_other_are_one_since_1_26() -> None:
    events = [system(), user("u"), user("v"), said("m"), user("w"), said("n")]
    assert [m.event_ids for m in last(contexts(*events)).messages] == [
        ("s",), ("u", "v"), ("m",), ("w",)
    ]  # fmt: skip
    apart = last(contexts(*events, version="1.25.0")).messages
    assert [m.event_ids for m in apart] == [("s",), ("u",), ("v",), ("m",), ("w",)]


def test_of_a_message_that_grew_the_new_part_came() -> None:
    found = contexts(
        system(), user("u"), said("m", parent_id="u"), user("v", parent_id="u"), said("n")
    )
    came, went, _ = found.difference(found.answers[0], found.answers[1])
    assert [message.event_ids for message in came] == [("v",)]
    assert went == []
    assert last(found).messages[1].event_ids == ("u", "v")


def test_a_branch_has_what_is_on_the_way_to_it() -> None:
    found = contexts(
        system(parent_id="__root__"),
        user("u", parent_id="s"),
        act("a", parent_id="u"),
        answered("a", parent_id="a"),
        said("m", parent_id="r-a"),
        user("v", parent_id="u"),
        said("n", parent_id="v"),
        user("w", parent_id="m"),
        said("o", parent_id="w"),
        user("x", parent_id="__root__"),
        said("p", parent_id="x"),
    )
    assert ids_at(found, "n") == ["s", "u", "v"]
    assert ids_at(found, "o") == ["s", "u", "a", "r-a", "m", "w"]
    assert ids_at(found, "p") == ["x"]
    before = found.before(found.answers[3])
    assert before is not None
    assert before.event_id == "m"
    assert found.before(found.answers[2]) is None
    assert seen_at(found, "n").unseen_steps == {2, 3}
    assert found.rules.name == "SDK 1.58.2"
    assert not [gap for gap in found.gaps if gap.name == "parents"]


def test_states_do_not_stand_between_an_event_and_its_parent() -> None:
    found = contexts(
        event("ConversationStateUpdateEvent", "x", key="full_state", value={}),
        system(),
        user("u", parent_id="s"),
        event("ConversationStateUpdateEvent", "y", key="stats", value={}, parent_id="u"),
        act("a", parent_id="u"),
        answered("a", parent_id="a"),
        said("m", parent_id="r-a"),
    )
    assert ids_at(found, "m") == ["s", "u", "a", "r-a"]
    assert len(found._material.tree.lines) == 1


def test_a_call_without_a_result_is_left_out_until_it_has_one() -> None:
    run = Trajectory()
    study = Study(run)
    assert study.contexts.answers == []
    run.extend([system(), user("u"), *pair("a"), act("b"), said("m")])
    study.update()
    assert ids_at(study.contexts, "m") == ["s", "u", "a", "r-a"]
    run.extend([answered("b"), said("n")])
    study.update()
    assert ids_at(study.contexts, "m") == ["s", "u", "a", "r-a"]
    assert ids_at(study.contexts, "n") == ["s", "u", "a", "r-a", "b", "m", "r-b"]
    assert last(study.contexts).unseen_steps == frozenset()


def test_of_two_results_of_a_call_the_first_counts() -> None:
    events = [system(), user("u"), act("a"), failure("a", "it was lost", tool="think")]
    events += [answered("a"), said("m")]
    assert ids_at(contexts(*events), "m") == ["s", "u", "a", "e-a"]
    assert ids_at(contexts(*events, version="1.17.0"), "m") == ["s", "u", "a", "e-a", "r-a"]


def test_a_batch_of_which_a_part_is_forgotten_goes_out_whole() -> None:
    calls = [act(one, llm_response_id="r") for one in ("a", "b")]
    results = [answered(one) for one in ("a", "b")]
    found = contexts(
        system(), user("u"), *calls, *results, condensation("k", "a", "r-a"), *pair("c"), said("m")
    )
    assert ids_at(found, "c") == ["s", "u"]
    assert ids_at(found, "m") == ["s", "u", "c", "r-c"]
    assert last(found).unseen_steps == {2, 3}


def test_a_tool_loop_that_begins_with_thinking_goes_out_whole() -> None:
    thinking = [{"type": "thinking", "thinking": "hm", "signature": "s"}]
    events = [
        system(), user("u"), act("a", thinking_blocks=thinking),
        answered("a"), *pair("b"),
        condensation("k", "a", "r-a"), *pair("c"), said("m"),
    ]  # fmt: skip
    assert ids_at(contexts(*events), "m") == ["s", "u", "c", "r-c"]
    before = ids_at(contexts(*events, version="1.11.4"), "m")
    assert before == ["s", "u", "b", "r-b", "c", "r-c"]


def test_before_1_10_condensations_act_at_once() -> None:
    found = contexts(
        system(), user("u"), *pair("a"), condensation("k", "a", "r-a", summary="one", offset=2),
        *pair("b"), condensation("l", "b", "r-b", summary="two", offset=1), *pair("c"), said("m"),
        version="1.9.1",
    )  # fmt: skip
    assert ids_at(found, "m") == ["s", "l-summary", "u", "c", "r-c"]


def test_an_answer_has_the_tokens_that_the_stats_list_for_it() -> None:
    listed: dict[str, Any] = {
        "prompt_tokens": 900,
        "completion_tokens": 20,
        "cache_read_tokens": 800,
    }
    listed |= {"context_window": 1000, "response_id": "answer-a"}
    value = {"usage_to_metrics": {"agent": {"token_usages": [listed]}}}
    state = event("ConversationStateUpdateEvent", "x", key="full_state", value={"stats": value})
    run = Trajectory()
    run.extend([system(), user("u"), *pair("a"), state, said("m")])
    first, second = Study(run).contexts.answers
    assert first.usage is not None
    assert (first.usage.prompt, first.usage.cache_read, first.window) == (900, 800, 1000)
    assert first.fill == 0.9
    assert (second.usage, second.window, second.fill) == (None, 0, None)
