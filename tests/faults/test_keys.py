"""Keys that act, while the server fails: the message, and that nothing unknown is reported as
done."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

import pytest

from oh_tui.actions import agent_actions, sandboxes
from tests.faults import faults
from tests.faults.conftest import KEY, source
from tests.faults.test_acts import MAYBE
from tests.faults.test_table import at_once, told
from tests.faults.wire import Fault, Wire
from tests.tui.explorer import Explorer, explore

SHAPE = "another shape"
HALF = "half of the JSON"

FAULTS: dict[str, tuple[Fault, str]] = {
    "401": (faults.detail(401, "Unauthorized"), "HOST does not accept this key (401)"),
    "403": (faults.detail(403, "Forbidden"), "HOST does not allow this with this key (403)"),
    "404": (faults.detail(404, "Not Found"), "HOST knows no such thing (404)"),
    "409": (faults.detail(409, "Not now."), "HOST said: Not now (409)"),
    "429": (faults.detail(429, "Slow down", Retry_After="3600"), "HOST said: Slow down (429)"),
    "500": (faults.says(500, "Internal Server Error", "text/plain"), "HOST failed (500)"),
    "502": (faults.says(502, faults.PAGE, "text/html"), "HOST is not ready (502)"),
    "reset": (faults.reset, "the connection to HOST broke off"),
    SHAPE: (faults.says(200, '{"a": 1}'), ""),
    HALF: (faults.cut_json, "HOST answered with no JSON at AT"),
}
"""Name -> the fault, and what it is told as. The last is done by the server all the same."""

NEW_KEY = "Refresh: after a resume the sandbox may have a new key"
HINTS = {
    "401": NEW_KEY,
    "403": NEW_KEY,
    "404": "Its conversation is not on this agent server, or the server too old for this",
    "429": "Try again in 3600 s",
    "500": "The sandbox may be asleep or starting: refresh, or resume it",
    "502": MAYBE,
    "reset": MAYBE,
    HALF: MAYBE,
}
"""Of what is told to an agent."""


@dataclass(frozen=True)
class Key:
    """Keys on a run, the call that meets the faults, and what is said of it."""

    title: str
    keys: tuple[str, ...]
    call: str
    stage: str
    could_not: str
    refused: str
    """The hint of a 409."""
    shape: tuple[str, bool]
    """What another shape is told as, when nothing has changed, and whether as an error."""


RESPOND = "POST /runtime/*/events/respond_to_confirmation"
STILL_WAITS = ("The server accepted the answer, but the call still waits: look, and answer again",
               True)  # fmt: skip
LOOK = "Check its state, and try again"
NOT_READY = "It is not ready for an answer: check its state, and try again in a moment"
WORKS_ON = ("The agent was asked to stop, but still works: P asks again", True)

AGENT = {
    "P, after this step": Key(
        "Flaky CI on main", ("P", "enter"), "POST /runtime/*/pause",
        "the agent stops after this step", "stop the agent", LOOK, WORKS_ON,
    ),
    "P, now": Key(
        "Flaky CI on main", ("P", "f", "enter"), "POST /runtime/*/interrupt",
        "stopping the agent now", "interrupt the agent", LOOK, WORKS_ON,
    ),
    "P, continue": Key(
        "Split the settings module", ("P", "enter"), "POST /runtime/*/run",
        "the agent goes on", "let the agent go on",
        "It is still ending its step: P again in a moment",
        ("The agent was asked to continue, but its state is as before: P tries again", True),
    ),
    "a, yes": Key(
        "Add OAuth login", ("a", "y", "enter"), "POST /runtime/*/run",
        "approving", "approve what the agent wants to do", NOT_READY, STILL_WAITS,
    ),
    "a, no": Key(
        "Add OAuth login", ("a", "n", "ctrl+s"), RESPOND,
        "rejecting", "reject what the agent wants to do", NOT_READY, STILL_WAITS,
    ),
}  # fmt: skip


async def news(it: Explorer, wire: Wire, keys: tuple[str, ...]) -> list[tuple[str, bool]]:
    """What the keys bring, each with whether it is an error; the last word is in the footer."""
    before, screen = len(it.screen.footer.history), it.screen
    first, *answers = keys
    await it.send(first)
    for key in answers:
        if key == "ctrl+s":
            await it.until(lambda: screen.asking.editor and screen.asking.editor.has_focus_within)
        else:
            await it.until(lambda: screen.asking.question_bar.display)
        await it.pilot.pause(0.02)  # what a question is about comes with it
        await it.send(key)
    await it.until(
        lambda: len(screen.footer.history) > before + 1 and not screen.session.writes.words
    )
    await it.settle()
    said = screen.footer.history[before:]
    assert said[-1][0][:40] in it.footer and KEY not in str(said)
    await it.press("escape")
    return [(told(wire, text), error) for text, error in said]


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked for is so at the next look, or never."""
    at_once(monkeypatch)
    monkeypatch.setattr(agent_actions, "SETTLE", 0.1)
    monkeypatch.setattr(agent_actions, "READY", 0.1)


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("key", AGENT.values(), ids=AGENT)
@pytest.mark.usefixtures("hurried")
async def test_what_is_told_to_an_agent(wire: Wire, key: Key) -> None:
    async with explore(source=lambda: source(wire)) as it:
        await it.open(key.title)
        await it.until(lambda: it.screen.timeline.row_count())
        said, wanted = {}, {}
        for name, (fault, sentence) in FAULTS.items():
            wire.arm(key.call, fault)
            asked = len(wire.asked)
            said[name] = await news(it, wire, key.keys)
            sent = sum(fnmatchcase(call, key.call) for call in wire.asked[asked:])
            assert sent == 1 or name == "409", "nothing is sent twice that may have been done"
            wire.disarm()
            hint = (HINTS | {"409": key.refused}).get(name)
            error = (f"Could not {key.could_not}: {sentence}: {hint}", True)
            wanted[name] = [(key.stage, False), key.shape if name == SHAPE else error]
        assert said == wanted


@dataclass(frozen=True)
class Sandbox:
    title: str
    keys: tuple[str, ...]
    verb: str
    state: str
    done: list[tuple[str, bool]]
    """What is told when the call is done and its answer lost."""


SANDBOX = {
    "p, pause": Sandbox(
        "Split the settings module", ("p", "enter"), "pause", "running",
        [("paused", False), ("sandbox paused · p resumes it", False)],
    ),
    "p, resume": Sandbox(
        "Raise the coverage of billing", ("p", "enter"), "resume", "paused",
        [
            (
                "The server was asked to resume the sandbox, which is still starting: "
                "r reads again",
                True,
            )
        ],
    ),
}  # fmt: skip


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("key", SANDBOX.values(), ids=SANDBOX)
@pytest.mark.usefixtures("hurried")
async def test_what_is_asked_of_a_sandbox(wire: Wire, key: Sandbox) -> None:
    """Whatever the outcome of the call, the state is read again and shown."""
    verb = key.verb
    async with explore(source=lambda: source(wire)) as it:
        await it.open(key.title)
        it.screen.focus_pane("conversations")
        said, wanted = {}, {}
        for name, (fault, sentence) in FAULTS.items():
            wire.arm(f"POST /api/v1/sandboxes/*/{verb}", fault)
            said[name] = [
                (re.sub(r"the sandbox \w{12}:", "ID:", text), error)
                for text, error in await news(it, wire, key.keys)
            ]
            wire.disarm()
            words = f"The server did not {verb} the sandbox; it is {key.state}"
            words += f": Could not {verb} ID: {sentence}"
            words += f": {HINTS[name]}" if name == "429" else ""
            if name == SHAPE:
                words = f"The server was asked to {verb} the sandbox, which is still {key.state}"
                words += ": r reads again"
            after = key.done if name == HALF else [(words, True)]
            wanted[name] = [(f"sandbox {verb.removesuffix('e')}ing", False), *after]
        assert said == wanted


async def test_a_resume_whose_answer_was_lost_is_waited_for(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A resume takes longer than the timeout for a call with an unknown outcome."""
    monkeypatch.setattr(sandboxes, "UNSURE", 0.0)
    wire.arm("POST /api/v1/sandboxes/*/resume", faults.reset_midway)
    async with explore(source=lambda: source(wire)) as it:
        await it.open("Raise the coverage of billing")
        it.screen.focus_pane("conversations")
        await it.send("p")
        await it.until(lambda: it.screen.asking.question_bar.display)
        await it.send("enter")
        await it.until(lambda: "sandbox running again" in it.footer)
