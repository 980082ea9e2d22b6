"""Contexts of any run: nothing raises, and growing ends where starting anew does."""

from __future__ import annotations

import json
import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from oh_tui.trajectory.context.contexts import Contexts
from oh_tui.trajectory.model.trajectory import Trajectory
from tests.trajectory.context.made import Body, events_of, from_scratch
from tests.trajectory.context.random_runs import RandomRun
from tests.trajectory.foreign.runs import values

VERSIONS = st.sampled_from(["", "1.9.1", "1.11.4", "1.25.0", "1.58.2"])


def damaged(bodies: list[Body], seed: int) -> list[Body]:
    """With events lost, twice, out of order, under the ids of others and under wrong parents."""
    chance = random.Random(seed)
    made = [dict(body) for body in bodies]
    for _ in range(chance.randrange(8)):
        at, other = chance.randrange(len(made)), chance.randrange(len(made))
        match chance.randrange(7):
            case 0:
                made.insert(at, dict(made[other]))
            case 1:
                made[at], made[other] = made[other], made[at]
            case 2:
                made[at]["id"] = made[other]["id"]
            case 3:
                made[at]["parent_id"] = chance.choice([made[other]["id"], "nobody", "__root__"])
            case 4:
                made[at]["tool_call_id"] = made[other].get("tool_call_id", "")
            case 5:
                made[at]["llm_response_id"] = made[other].get("llm_response_id", "")
            case 6 if len(made) > 1:
                del made[at]
    return made


@given(
    seed=st.integers(0, 10**6),
    is_tree=st.booleans(),
    is_damaged=st.booleans(),
    version=VERSIONS,
    cuts=st.lists(st.integers(0, 60), max_size=6),
    asked=st.lists(st.integers(0, 99), max_size=6),
)
def test_a_growing_run_has_the_contexts_of_one_read_at_once(
    seed: int, is_tree: bool, is_damaged: bool, version: str, cuts: list[int], asked: list[int]
) -> None:
    bodies = RandomRun(seed, is_tree=is_tree, damage=seed % 4 / 10).make(seed % 60)
    bodies = damaged(bodies, seed) if is_damaged else bodies
    grown = Trajectory()
    found = Contexts(grown)
    found.written_by(version)
    read = 0
    for end in [*sorted(cuts), len(bodies)]:
        grown.extend(events_of(bodies[read:end]))
        found.update()
        read = max(read, end)
        for number in asked[: len(found.answers)]:
            _ = len(found.at(found.answers[number % len(found.answers)]).messages)
    at_once = Trajectory()
    at_once.extend(events_of(bodies))
    anew = Contexts(at_once)
    anew.written_by(version)
    assert found.answers == anew.answers
    assert found.rules == anew.rules
    assert found.gaps == anew.gaps
    for answer in reversed(anew.answers):
        context, other = found.at(answer), anew.at(answer)
        items = [message.items for message in context.messages]
        assert items == from_scratch(anew, other)
        assert items == [message.items for message in other.messages]
        assert context.dump() == other.dump()
        assert context.forgotten == other.forgotten
        assert context.unseen_steps == other.unseen_steps


@given(seed=st.integers(0, 10**6), is_tree=st.booleans(), version=VERSIONS)
def test_differences_are_what_is_in_one_and_not_in_the_other(
    seed: int, is_tree: bool, version: str
) -> None:
    bodies = damaged(RandomRun(seed, is_tree=is_tree).make(seed % 60), seed)
    run = Trajectory()
    run.extend(events_of(bodies))
    found = Contexts(run)
    found.written_by(version)
    chance = random.Random(seed)
    for second in found.answers:
        first = found.before(second) or chance.choice(found.answers)
        old, new = found.at(first).messages.parts, found.at(second).messages.parts
        came, went, replaced = found.difference(first, second)
        were, are = ({item for part in parts for item in part.items} for parts in (old, new))
        assert came == [part for part in new if not were.issuperset(part.items)]
        assert went == [part for part in old if not are.issuperset(part.items)]
        for summary, stands_for in replaced:
            assert summary in came
            assert all(part in went for part in stands_for)


def test_a_summary_may_stand_for_itself() -> None:
    """A condensation that forgets its own summary, and one that forgets those of later ones."""
    run = Trajectory()
    made: list[Body] = []
    for name, gone in (("k", ["k-summary", "l-summary"]), ("l", ["l-summary", "k-summary"])):
        made.append({"kind": "Condensation", "id": name, "forgotten_event_ids": gone,
                     "summary": "so", "summary_offset": 9})  # fmt: skip
    made.append({"kind": "ActionEvent", "id": "a", "llm_response_id": "r"})
    run.extend(events_of(made))
    found = Contexts(run)
    (message,) = found.at(found.answers[0]).messages
    assert message.event_ids == ("l-summary",)
    assert message.replaces == ()


ANY = values(["type", "text", "role", "content", "kind", "name", "id", "function"])
FIELDS = [
    "system_prompt", "dynamic_context", "tools", "llm_message", "extended_content", "thought",
    "reasoning_content", "thinking_blocks", "responses_reasoning_item", "tool_call", "observation",
    "error", "rejection_reason", "forgotten_event_ids", "summary", "summary_offset", "value",
]  # fmt: skip
KINDS = [
    "SystemPromptEvent", "MessageEvent", "ActionEvent", "ObservationEvent", "AgentErrorEvent",
    "UserRejectObservation", "Condensation", "CondensationSummaryEvent", "CondensationRequest",
    "ConversationStateUpdateEvent",
]  # fmt: skip
IDS = st.sampled_from(["a", "b", "c", "a-summary", "b-summary", "__root__", ""])
SEEN_BY_TOOLS = ["Terminal", "Browser", "Task", "ConsultTom", "SleeptimeCompute", "Other"]
SEEN_FIELDS = [
    "content", "metadata", "is_error", "screenshot_data", "full_output_save_dir", "confidence",
    "suggestions", "sessions_processed", "task_id", "output",
]  # fmt: skip
OBSERVATIONS = st.fixed_dictionaries(
    {"kind": st.sampled_from([f"{name}Observation" for name in SEEN_BY_TOOLS])},
    optional=dict.fromkeys(SEEN_FIELDS, ANY),
)


@st.composite
def any_event(draw: st.DrawFn) -> Any:
    names = ("id", "parent_id", "tool_call_id", "action_id", "llm_response_id")
    body: Body = {"kind": draw(st.sampled_from(KINDS)), "source": draw(st.sampled_from(
        ["agent", "user", "environment"]))}  # fmt: skip
    body |= {name: draw(IDS) for name in names if draw(st.booleans())}
    body |= draw(st.dictionaries(st.sampled_from(FIELDS), ANY, max_size=4))
    if draw(st.booleans()):
        body["observation"] = draw(OBSERVATIONS)
    if draw(st.booleans()):
        body["forgotten_event_ids"] = draw(st.lists(IDS, max_size=4))
        body |= {"summary": "so", "summary_offset": draw(st.integers(-9, 9))}
    return body


@given(bodies=st.lists(any_event(), max_size=12), version=VERSIONS)
def test_nothing_in_an_event_raises(bodies: list[Body], version: str) -> None:
    run = Trajectory()
    run.extend(events_of(bodies))
    found = Contexts(run)
    found.written_by(version)
    for step in range(len(run.steps) + 2):
        found.nearest(step)
    for answer in found.answers:
        context = found.at(answer)
        assert [message.items for message in context.messages] == from_scratch(found, context)
        _ = context.gaps, context.tools, context.unseen_steps
        for message in (*context.messages, *context.forgotten, found.reply(answer)):
            made = message.dump()
            assert isinstance(made["role"], str)
            assert all(block["type"] in ("text", "image") for block in made["content"])
            _ = message.kind, message.chars, message.text, message.steps, message.replaces
            json.dumps(made)
