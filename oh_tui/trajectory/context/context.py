"""The context of one answer of the model, and the difference of two."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

from oh_tui.trajectory.context import sdk_messages
from oh_tui.trajectory.context.context_index import IMAGES, Gap, Material
from oh_tui.trajectory.context.message import SYSTEM, Message, Messages
from oh_tui.trajectory.context.message_order import Arrangement
from oh_tui.trajectory.context.sdk_messages import Body
from oh_tui.trajectory.context.sdk_versions import SdkBehaviour
from oh_tui.trajectory.model.event_tree import NONE
from oh_tui.trajectory.model.usage import Usage, fill


class Answer(NamedTuple):
    """One answer of the agent's model: a message, or one or more calls."""

    step: int
    """The number of its first step."""
    event_id: str
    """Of its first event."""
    event_ids: tuple[str, ...]
    """Of the message, or of all calls in it."""
    response: str
    """Its `llm_response_id`; "" where the run has none."""
    usage: Usage | None
    """Its tokens, cost and time, from the list of answers in the stats of the run; None where that
    does not have it, as in a run of which only sums are known."""
    window: int
    """The tokens that the model's context had room for, from the same list; 0 when not known."""

    @property
    def fill(self) -> float | None:
        """How full the context was, 1 being full; None when a number for it is not known."""
        return fill(self.usage, self.window)


class Context:
    """What the model saw when it gave an answer."""

    def __init__(self, material: Material, answer: Answer, place: int, before: int) -> None:
        """`place` is that of the answer's first event in the run, `before` that of the answer
        before, or -1."""
        self._material = material
        self._place = place
        self.answer = answer
        up = material.tree.up
        self.end = up[place]
        """The place in the run of the last event on the way to the answer; -1 without one."""
        self.messages = Messages(material, self.end, NONE if before == NONE else up[before])
        """In the order in which they were sent."""

    @property
    def rules(self) -> SdkBehaviour:
        """Those by which the messages were made."""
        return self._material.rules

    @cached_property
    def gaps(self) -> list[Gap]:
        """What the events do not tell of it. Reads all messages, once."""
        found = list(self._material.gaps)
        if any(message.has_image for message in self.messages):
            found.append(IMAGES)
        return found

    @property
    def tools(self) -> tuple[str, ...]:
        """The names of the tools in its system prompt, raw."""
        first = next((m for m in self.messages if m.kind == SYSTEM), None)
        return (
            sdk_messages.tools(self._material.texts.event(first.items[0]).body()) if first else ()
        )

    @cached_property
    def forgotten(self) -> list[Message]:
        """The messages before it that condensations took out, in the order of the run."""
        material = self._material
        by = {item: place for item, place in material.views.forgotten(self.end) if item >= 0}
        arranged = Arrangement(material.peeks, material.rules, sorted(by))
        count = len(arranged.items)
        made = arranged.messages(range(len(arranged.starts)), count)
        return [Message(material, items, by=material.step(by[items[0]])) for items in made]

    @property
    def events_forgotten(self) -> int:
        """How many events condensations took out before it."""
        return sum(item >= 0 for item, _ in self._material.views.forgotten(self.end))

    @cached_property
    def unseen_steps(self) -> frozenset[int]:
        """The numbers of the steps before it of which the model saw nothing any more: a
        condensation took them out, they are on another branch, or they lack a result."""
        material = self._material
        arranged, count = self.messages.arranged
        seen = set(arranged.items[:count])
        others = (n for n in range(self._place) if n not in seen)
        hidden = material.steps(n for n in others if material.run.events[n].is_seen)
        return frozenset(hidden - material.steps(seen))

    def dump(self) -> list[Body]:
        return [message.dump() for message in self.messages]


class Difference(NamedTuple):
    """What is in one context and not in another, in `parts` of messages."""

    came: list[Message]
    """In the second alone, in its order."""
    went: list[Message]
    """In the first alone, in its order; `forgotten_by` says which step took each out."""
    replaced: list[tuple[Message, list[Message]]]
    """Each summary that came, with those that went and for which it stands."""


def difference(material: Material, first: Context, second: Context) -> Difference:
    """From one context to another of the same run, usually a later one."""
    old, before = first.messages.arranged
    new, after = second.messages.arranged
    if old is new and before <= after:
        return Difference(second.messages.since(before), [], [])
    were, are = set(old.items[:before]), set(new.items[:after])
    came = [part for part in second.messages.parts if not were.issuperset(part.items)]
    by = dict(material.views.forgotten(second.end))
    went = [
        Message(material, part.items, by=material.step(by.get(part.items[0], NONE)))
        for part in first.messages.parts
        if not are.issuperset(part.items)
    ]
    stands = ((part, material.stood_for(part.items)) for part in came)
    replaced = [
        (part, [one for one in went if not parts.isdisjoint(one.items)])
        for part, parts in stands
        if parts
    ]
    return Difference(came, went, replaced)
