"""Another client answers at each moment of `a` and `m`: what the keys run and report."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from oh_tui.actions import agent_actions
from tests.races import NEXT, RESPOND, RUN, SEND, SHOWN, Other
from tests.tui.acting.test_answering import OAUTH, asked, opened, told, writing
from tests.tui.explorer import Between, Explorer, explore

NOW_ASKS = f"Answered by somebody else; now it asks: $ {NEXT}"
UNSEEN = "a call that was not shown got an answer too"

STAGES: dict[str, tuple[Callable[[Other], object], str, list[str], list[str]]] = {
    "before our look": (Other.approves_and_it_asks_anew, NOW_ASKS, [], [SHOWN]),
    "between a refusal and the next try": (
        Other.around_a_refusal, NOW_ASKS, ["run"], [SHOWN],
    ),
    "between our look and our answer": (
        lambda other: other.before(RUN), f"{UNSEEN}: $ {NEXT}", ["run"], [SHOWN, NEXT],
    ),
}  # fmt: skip
"""When -> what somebody else does, what is said, what was sent, what was run."""


def posts(between: Between) -> list[str]:
    return [call.rpartition("/")[2] for call in between.asked if call.startswith("POST")]


async def error_told(it: Explorer, words: str) -> None:
    await it.until(lambda: any(words in text for text, error in it.screen.footer.history if error))
    await it.settle()


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_actions, "SETTLE", 0.3)


@pytest.mark.parametrize("stage", STAGES)
async def test_an_approval_runs_what_was_shown_or_says_what_it_ran(stage: str) -> None:
    does, words, sent, ran = STAGES[stage]
    between = Between()
    async with explore(wrap=between) as it:
        other = Other(it.demo, between)
        await opened(it, OAUTH)
        assert SHOWN in await asked(it, "a")
        does(other)
        await it.send("y", "enter")
        await error_told(it, words)
        assert posts(between) == sent
        assert "approved" not in told(it)
        assert other.ran == ran


async def test_a_rejection_in_the_same_gap_runs_nothing_and_is_not_said_to_be_one() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        other = Other(it.demo, between)
        await opened(it, OAUTH)
        await asked(it, "a")
        await it.send("n")
        await it.until(lambda: it.screen.asking.editor)
        other.before(RESPOND)
        await it.send("ctrl+s")
        await error_told(it, UNSEEN)
        assert "rejected" not in told(it)
        assert other.ran == [SHOWN]


@pytest.mark.parametrize("keys", [("a", "y", "enter"), ("enter",)], ids=["approve", "reject"])
async def test_a_message_runs_nothing_that_was_not_shown_and_is_not_sent_twice(
    keys: tuple[str, ...],
) -> None:
    between = Between()
    async with explore(wrap=between) as it:
        other = Other(it.demo, between)
        await opened(it, OAUTH)
        await writing(it)
        await it.type("on a branch")
        assert SHOWN in await asked(it, "ctrl+s")
        other.before(SEND)
        await it.send(*keys)
        words = f"now it asks: $ {NEXT}" if keys[0] == "a" else "The message arrived"
        await error_told(it, words)
        assert between.count(RUN) == 0 and between.count(SEND) == 1
        assert it.screen.asking.editor is None and not it.screen.session.drafts
        assert NEXT not in other.ran
