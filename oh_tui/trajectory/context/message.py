"""A message of a context, and the messages of one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import overload

from oh_tui.trajectory.context import sdk_messages
from oh_tui.trajectory.context.context_index import Material
from oh_tui.trajectory.context.message_order import Arrangement, Items
from oh_tui.trajectory.context.sdk_messages import Body

SYSTEM, USER, MODEL, RESULT, SUMMARY = "system", "user", "model", "result", "summary"

OLD = 2**31
"""Greater than any place: nothing is new."""


class Message:
    """One message as the model got it. Its texts are read when they are asked for, and not kept:
    they are as raw as the events, so clean and redact what is shown."""

    __slots__ = ("_before", "_material", "forgotten_by", "items")

    def __init__(self, material: Material, items: Items, *, before: int = OLD, by: int = 0) -> None:
        """`before` is the last event before the answer before, if what came since then is new."""
        self._material = material
        self._before = before
        self.items = items
        """What tells it from other messages of the run: equal messages have the same."""
        self.forgotten_by = by
        """The number of the step that took it out of the context; 0 for a message in it."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and other.items == self.items

    def __hash__(self) -> int:
        return hash(self.items)

    @property
    def is_new(self) -> bool:
        """It, or a part of it, came since the answer before."""
        return max(item if item >= 0 else ~item for item in self.items) > self._before

    @property
    def parts(self) -> tuple[Message, ...]:
        """Messages of the user that follow each other, and a summary among them, are sent as one:
        each of these. Of all other messages the message itself."""
        if len(self.items) == 1 or self.kind == MODEL:
            return (self,)
        parts = ((item,) for item in self.items)
        return tuple(
            Message(self._material, items, before=self._before, by=self.forgotten_by)
            for items in parts
        )

    @property
    def kind(self) -> str:
        """system, user, model, result or summary; that of the first part."""
        event = self._material.texts.event(self.items[0])
        if event.is_summary:
            return SUMMARY
        if event.is_system or event.is_result:
            return SYSTEM if event.is_system else RESULT
        return MODEL if event.is_action or event.source == "agent" else USER

    @property
    def event_ids(self) -> tuple[str, ...]:
        """The events that it was made of; of a summary the id that the SDK gives it."""
        return tuple(map(self._material.peeks.id, self.items))

    @property
    def steps(self) -> tuple[int, ...]:
        """The numbers of the steps that it comes from, ascending; () for the system prompt."""
        return tuple(sorted(self._material.steps(self.items)))

    @property
    def replaces(self) -> tuple[int, ...]:
        """Of a summary: the numbers of the steps that it stands for, ascending."""
        parts = self._material.stood_for(self.items)
        return tuple(sorted(self._material.steps(n for n in parts if n >= 0)))

    @property
    def chars(self) -> int:
        """Characters of its texts, of its calls and of its thinking; images count as 0."""
        return self._material.texts.look(self.items).chars

    @property
    def has_image(self) -> bool:
        return self._material.texts.look(self.items).has_image

    def dump(self) -> Body:
        """As the SDK dumps its `Message`, without nulls and without marks for the cache: `role`,
        `content`, and where they are told `tool_calls`, `tool_call_id`, `name`,
        `reasoning_content`, `thinking_blocks` and `responses_reasoning_item`."""
        return self._material.texts.dump(self.items)

    @property
    def text(self) -> str:
        """All its text, the arguments of calls below."""
        return sdk_messages.plain(self.dump())


class Messages(Sequence[Message]):
    """The messages of a context, made when they are asked for."""

    def __init__(self, material: Material, end: int, before: int) -> None:
        """`end` is the last event on the way to the answer, `before` that of the answer before."""
        self._material, self._end, self._before = material, end, before

    @property
    def arranged(self) -> tuple[Arrangement, int]:
        """Where their items are, and how many of those are in them."""
        return self._material.views.at(self._end)

    def __len__(self) -> int:
        arrangement, count = self.arranged
        return arrangement.count(count)

    @overload
    def __getitem__(self, at: int) -> Message: ...
    @overload
    def __getitem__(self, at: slice) -> list[Message]: ...
    def __getitem__(self, at: int | slice) -> Message | list[Message]:
        arrangement, count = self.arranged
        numbers = range(arrangement.count(count))[at]  # also negative ones; raises IndexError
        if isinstance(numbers, int):
            return self._make(arrangement.message(numbers, count))
        if numbers.step != 1:
            return [self._make(arrangement.message(number, count)) for number in numbers]
        return list(map(self._make, arrangement.messages(numbers, count)))

    def __iter__(self) -> Iterator[Message]:
        return iter(self[:])

    @property
    def parts(self) -> list[Message]:
        return [part for message in self for part in message.parts]

    def since(self, count: int) -> list[Message]:
        """The parts with an item after the first `count`."""
        arrangement, end = self.arranged
        if count >= end:
            return []
        new = set(arrangement.items[count:end])
        first = bisect_right(arrangement.starts, count) - 1
        parts = (part for message in self[first:] for part in message.parts)
        return [part for part in parts if not new.isdisjoint(part.items)]

    def _make(self, items: Items) -> Message:
        return Message(self._material, items, before=self._before)
