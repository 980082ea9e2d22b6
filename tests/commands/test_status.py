"""`oh-tui status` and the header of the explorer show the same counts; what needs one, in
sentences."""

from __future__ import annotations

import json
from itertools import product

import pytest

from oh_tui.batch.reports.wall import Tile
from oh_tui.catalog.needy import Needy, needy
from oh_tui.catalog.run_status import Counts, RunStatus
from oh_tui.catalog.status_cache import UNSEEN, LastKnown, LastKnownStates
from oh_tui.commands.framework.spoken import sentences
from oh_tui.commands.framework.status import outcome
from oh_tui.conversation import Conversation
from oh_tui.text.human import spelled
from oh_tui.tui.state.loaded_conversations import LoadedConversations
from tests.commands.test_outputs import demo

STATUSES = (None, "running", "waiting_for_confirmation", "error", "stuck", "finished", "flying")
SANDBOXES = ("STARTING", "RUNNING", "PAUSED", "ERROR", "MISSING", None)
CHANGED = "2026-11-24T12:00:00Z"
OPENED_SINCE, OPENED_BEFORE = 1_800_000_000.0, 1.0
NOW = 1_800_000_000.0


def test_status_counts_what_the_explorer_counts() -> None:
    remembered: dict[str, LastKnown] = {}
    conversations: list[Conversation] = []
    for number, (status, sandbox, seen, opened, parent) in enumerate(
        product(STATUSES, SANDBOXES, RunStatus, (0.0, OPENED_BEFORE, OPENED_SINCE), (None, "0"))
    ):
        one = Conversation(
            id=f"{number:032x}",
            execution_status=status,
            sandbox_status=sandbox,
            parent_conversation_id=parent,
            updated_at=CHANGED,
        )
        conversations.append(one)
        remembered[one.id] = LastKnown(seen.value, 1.0, "", opened)
        alone = LoadedConversations(LastKnownStates(last_known=remembered))
        alone.take([one])
        counts, rows = needy([one], lambda one: remembered[one.id])
        assert counts == alone.sums().counts, one
        assert [row.group for row in rows] == [
            name for name, count in counts._asdict().items() for _ in range(count)
        ]
    loaded = LoadedConversations(LastKnownStates(last_known=remembered))
    loaded.take(conversations)
    assert needy(conversations, lambda one: remembered[one.id])[0] == loaded.sums().counts


def test_what_failed_before_its_sandbox_was_paused_says_so() -> None:
    asleep = Conversation(id="a" * 32, sandbox_status="PAUSED", updated_at=CHANGED)
    counts, (row,) = needy([asleep], lambda _: LastKnown("stuck", 1.0))
    assert (counts, row.group, row.word) == (Counts(failed=1), "failed", "stuck")
    broken = Conversation(id="b" * 32, sandbox_status="ERROR", updated_at=CHANGED)
    assert needy([broken], lambda _: UNSEEN)[1][0].word == "sandbox failed"
    opened = LastKnown("error", 1.0, "", OPENED_SINCE)
    assert needy([broken], lambda _: opened)[0] == Counts(failed=1), "it failed all the same"


def test_the_state_that_is_listed_is_that_of_the_agent_as_in_the_explorer() -> None:
    asleep = Conversation(id="a" * 32, sandbox_status="PAUSED", updated_at=CHANGED)
    assert outcome(asleep, LastKnown("error", 1.0)) == ("error", "dim")
    assert outcome(asleep, LastKnown("running", 1.0)) == ("stopped", "dim")
    assert outcome(asleep, LastKnown()) == ("not known", "dim")
    awake = Conversation(id="a" * 32, execution_status="error", sandbox_status="RUNNING")
    assert outcome(awake, LastKnown("finished", 1.0)) == ("error", "red")
    broken = Conversation(id="b" * 32, sandbox_status="ERROR", updated_at=CHANGED)
    assert outcome(broken, LastKnown("error", 1.0)) == ("error", "dim")
    assert outcome(broken, LastKnown()) == ("sandbox failed", "dim")
    stopped = Conversation(id="c" * 32, execution_status="paused", sandbox_status="RUNNING")
    assert outcome(stopped, LastKnown()) == ("stopped", "dim")


def test_a_list_asked_for_by_state_knows_the_agent_s_and_the_sandbox_s() -> None:
    title = "Get the Windows build green"  # failed, and its sandbox was paused
    for status in ("error", "paused"):
        told = demo("conversations", f"is:{status}").stdout
        (line,) = [line for line in told.splitlines() if line.endswith(title)]
        assert line.split("\t")[1] == "error"
    assert title not in demo("conversations", "is:finished").stdout


def test_of_several_in_a_sandbox_the_one_that_the_explorer_lists_first_is_named_first() -> None:
    named = [line.split("\t")[-1] for line in demo("sandboxes").stdout.splitlines()]
    assert "Migrate to pydantic 2, Pydantic notes" in named
    assert "Docker follow-ups, Cache the docker layers" in named


def test_of_the_demo_too() -> None:
    told = json.loads(demo("status", "--json").stdout)
    assert [told[name] for name in ("waiting", "failed", "running")] == [1, 4, 3]
    assert len(told["listed"]) == 8 and told["conversations"] == 35


def run_that(group: str, word: str, title: str = "Fix it.", server: str = "") -> Needy:
    return Needy(Conversation(id="a" * 32, title=title, server=server), group, word, UNSEEN)


def told(row: Needy, tile: Tile | None = None) -> str:
    _, sentence = sentences([row], [tile] if tile else [], NOW)
    return sentence


def test_what_a_run_waits_for_is_told_only_where_its_end_was_read() -> None:
    row = run_that("waiting", "waiting")
    unknown = "Fix it has waited: what it wants is not known."
    assert told(row) == unknown
    assert told(row, Tile(row, call="$ ls")) == unknown, "it is only remembered"
    read = Tile(row, call="edit a.py", heard=NOW - 250)
    assert told(row, read) == "Fix it has waited for 4 minutes: it wants to do this: edit a.py."


@pytest.mark.parametrize(
    ("group", "word", "sentence"),
    [
        ("failed", "stuck", "Fix it on work is stuck."),
        ("failed", "sandbox failed", "Fix it on work has a sandbox that failed."),
        ("running", "starting", "Fix it on work is starting."),
        ("running", "silent", "Fix it on work should run, but nothing was heard of it for long."),
    ],
)
def test_each_state_is_a_sentence(group: str, word: str, sentence: str) -> None:
    assert told(run_that(group, word, server="work")) == sentence


def test_they_are_counted_and_none_are_said_to_be_none() -> None:
    rows = [run_that("waiting", "waiting")] * 10
    assert next(sentences(rows, [], NOW)) == "10 runs wait for your yes."
    assert next(sentences(rows[:2], [], NOW)) == "Two runs wait for your yes."
    assert list(sentences([], [], NOW)) == [
        "Nothing waits for you, nothing failed, and nothing is at work."
    ]


def test_a_span_is_told_in_whole_units() -> None:
    spans = (-1, 1, 59.9, 60, 7300, 90_000, 200_000)
    assert [spelled(span) for span in spans] == [
        "0 seconds", "1 second", "59 seconds", "1 minute", "2 hours", "1 day", "2 days"
    ]  # fmt: skip
