"""A second client that answers in the middle of our answer, and leaves another call waiting."""

from __future__ import annotations

from oh_tui.demo import Demo
from oh_tui.demo.catalog import ENTRIES
from tests.tui.explorer import Between

RUN = "POST /runtime/*/run"
RESPOND = "POST /runtime/*/events/respond_to_confirmation"
SEND = "POST /api/v1/app-conversations/*/send-message"

OAUTH = next(entry.id for entry in ENTRIES if entry.slug == "oauth")
SHOWN = "git push --force origin auth"
NEXT = "rm -rf build"
"""The command that waits at first, and the one that waits after somebody else has approved it."""


class Other:
    """Another client of the conversation that waits, with hands of its own on the demo."""

    def __init__(self, demo: Demo, between: Between) -> None:
        self.demo, self.between = demo, between
        found = demo.world.conversation(OAUTH)
        assert found is not None
        self.conversation = found

    def approves(self) -> None:
        """The call runs, and the agent works."""
        self._do("message", "then delete the folder build")
        self._do("run")

    def asks_anew(self) -> None:
        """The agent wants to run the next call, and waits for an answer to that."""
        self.demo.advance(60)

    def approves_and_it_asks_anew(self) -> None:
        self.approves()
        self.asks_anew()

    def rejects(self) -> None:
        self._do("reject", "never on a Friday")

    def before(self, pattern: str) -> None:
        """All of it right before a call of ours arrives: between our last look and our answer."""
        self.between.first(pattern, self.approves_and_it_asks_anew)

    def around_a_refusal(self) -> None:
        """Our first `run` comes while the agent works and is refused; then it asks anew."""
        self.between.first(RUN, self.approves)
        self.between.after(RUN, self.asks_anew)

    def _do(self, what: str, text: str = "") -> None:
        world = self.demo.world
        act = world.act(self.conversation, what, text)
        world.show(self.conversation, world.shows(self.conversation, act))

    @property
    def ran(self) -> list[str]:
        """Of the two commands those that were run, in order."""
        self.demo.advance(60)
        events = self.demo.world.agent_events(self.conversation)
        calls = {e.id: e for e in events if b"TerminalAction" in e.raw}
        found = []
        for event in events:
            if event.kind != "ObservationEvent":
                continue
            made = [str(c.raw) for name, c in calls.items() if name in str(event.raw)]
            found += [word for word in (SHOWN, NEXT) if any(word in one for one in made)]
        return found
