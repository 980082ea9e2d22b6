"""What differs between two contexts, message by message: ids of calls do not count."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

from oh_tui.trajectory.comparison.plain import Echoed, How, Told, lines_of, told
from oh_tui.trajectory.context.message import MODEL, RESULT
from oh_tui.trajectory.model.alignment import common

TOOLS = "tools"
"""Stands for the kind of a message where the names of the tools differ."""

_FAR = 4
"""Results of the terminal over which its lines may move."""


class Sent(Protocol):
    """A message that a model got: see `Message`, which is one."""

    @property
    def kind(self) -> str: ...
    @property
    def steps(self) -> tuple[int, ...]: ...
    @property
    def is_new(self) -> bool: ...
    def dump(self) -> dict[str, Any]: ...


class SeenMessage(NamedTuple):
    """A message without the ids in it."""

    kind: str
    """As `Message.kind`."""
    name: str
    """Of the tool, for a result."""
    text: str
    """All its texts, a line break between two; an image is a line of its own."""
    calls: tuple[tuple[str, str], ...]
    """The name of each tool that it calls, and its arguments as JSON text."""

    @property
    def is_terminal(self) -> bool:
        return self.kind == RESULT and self.name in ("terminal", "execute_bash", "bash")

    @property
    def whole(self) -> str:
        return "\n".join(filter(None, (self.text, *(f"{n} {given}" for n, given in self.calls))))

    @property
    def place(self) -> tuple[str, ...]:
        """What it has in common with a message that stands for it in another context."""
        return (self.kind, self.name, *(name for name, _ in self.calls))


class Differing(NamedTuple):
    """Messages that stand for each other and differ, or one that is in one context alone."""

    kind: str
    """As `Message.kind`, or `TOOLS`."""
    a: str | None
    """Its text, as raw as the events; None for a message in the other context alone."""
    b: str | None
    told: Told
    is_new: bool
    """It came since the answer before, on which both agreed."""
    message: Sent | None
    """That of B, or of A where it is in A alone; None for the tools."""

    @property
    def step(self) -> int | None:
        """The first step that it comes from; None for the system prompt and the tools."""
        return next(iter(self.message.steps), None) if self.message else None


class Context(NamedTuple):
    """The messages of a context, and what is known of its run."""

    messages: Sequence[Sent]
    folder: str = ""
    tools: tuple[str, ...] = ()


def differing(a: Context, b: Context) -> list[Differing]:
    """What differs, in the order of the contexts; [] where both are equal but for ids of calls."""
    return list(_differing(a, b))


def _differing(a: Context, b: Context) -> Iterator[Differing]:
    if a.tools != b.tools:
        how = How.ORDER if sorted(a.tools) == sorted(b.tools) else How.REAL
        yield Differing(TOOLS, "\n".join(a.tools), "\n".join(b.tools), Told(how), False, None)
    bodies = [[message.dump() for message in one.messages] for one in (a, b)]
    seen_a, seen_b = (
        [_seen(message, body) for message, body in zip(one.messages, dumped, strict=True)]
        for one, dumped in zip((a, b), bodies, strict=True)
    )
    echoed = frozenset(_commands(seen_a)) | frozenset(_commands(seen_b))
    folders, is_equal = (a.folder, b.folder), True
    moved = {*seen_a} & {*seen_b}
    pairs = list(_paired(seen_a, seen_b))
    told_of: dict[tuple[int | None, int | None], Told] = {}
    outputs: list[tuple[int, int]] = []
    for x, y in pairs:
        if x is not None and y is not None and seen_a[x] != seen_b[y]:
            told_of[x, y] = _told(seen_a[x], seen_b[y], folders, echoed)
            if told_of[x, y].how is How.REAL and seen_a[x].is_terminal:
                outputs.append((x, y))
    texts = [(seen_a[x].text, seen_b[y].text) for x, y in outputs]
    late = _moved(texts, folders, echoed)
    for place, (x, y) in enumerate(outputs):
        if place in late:
            told_of[x, y] = Told(How.MOVED)
        elif seen_a[x] in moved and seen_b[y] in moved:
            told_of[x, y] = Told(How.ORDER)
    for at_a, at_b in pairs:
        one = seen_a[at_a] if at_a is not None else None
        other = seen_b[at_b] if at_b is not None else None
        if one == other:
            continue
        is_equal = False
        message = b.messages[at_b] if at_b is not None else a.messages[at_a or 0]
        # one alone may be the same message, at another place in the other context
        alone = Told(How.ORDER if (one or other) in moved else How.REAL)
        yield Differing(
            (other or one or seen_a[0]).kind,
            one.whole if one else None,
            other.whole if other else None,
            told_of.get((at_a, at_b), alone),
            message.is_new,
            message,
        )
    if is_equal and _numbered(bodies[0]) != _numbered(bodies[1]):
        last = b.messages[-1]
        yield Differing(RESULT, None, None, Told(How.ORDER), last.is_new, last)


def _paired(
    a: Sequence[SeenMessage], b: Sequence[SeenMessage]
) -> Iterator[tuple[int | None, int | None]]:
    """Places side by side: of equal messages first, then of those between that take one place. What
    the terminal gave is none of those: it may have come with another call."""
    done_a = done_b = 0
    fixed_a, fixed_b = ([one.place if one.is_terminal else one for one in side] for side in (a, b))
    for end_a, end_b in [*common(fixed_a, fixed_b), (len(a), len(b))]:
        between = common(
            [one.place for one in a[done_a:end_a]], [one.place for one in b[done_b:end_b]]
        )
        for at_a, at_b in [*((x + done_a, y + done_b) for x, y in between), (end_a, end_b)]:
            yield from ((place, None) for place in range(done_a, at_a))
            yield from ((None, place) for place in range(done_b, at_b))
            if at_a < len(a) and at_b < len(b):
                yield at_a, at_b
            done_a, done_b = at_a + 1, at_b + 1


def _told(a: SeenMessage, b: SeenMessage, folders: tuple[str, str], echoed: Echoed) -> Told:
    """The greatest of its differences, with all that was made plain."""
    parts = [told(a.text, b.text, folders, echoed if a.is_terminal else ())]
    for (_, one), (_, other) in zip(a.calls, b.calls, strict=True):
        parts.append(told(one, other, folders))
    most = max(parts, key=lambda part: _RANK[part.how])
    return Told(most.how, frozenset().union(*(part.names for part in parts)))


def _moved(texts: Sequence[tuple[str, str]], folders: tuple[str, str], echoed: Echoed) -> set[int]:
    """The places of outputs that say the same together, but some of it a call later: under load
    the terminal tool does so (measured, 1.17.0 to 1.58.2)."""
    lines = [
        (lines_of(one, folders[0], echoed), lines_of(other, folders[1], echoed))
        for one, other in texts
    ]
    found = set[int]()
    for begin in range(len(lines)):
        a, b = Counter[str](), Counter[str]()
        for end, (one, other) in enumerate(lines[begin : begin + _FAR], begin + 1):
            a, b = a + one, b + other
            if a == b:
                found.update(range(begin, end))
            if a == b or not (a <= b or b <= a):
                break
    return found


_RANK = {how: rank for rank, how in enumerate(How)}


def _seen(message: Sent, body: dict[str, Any]) -> SeenMessage:
    texts = [
        text if isinstance(text := block.get("text"), str) else f"<{block.get('type')}>"
        for block in body["content"]
    ]
    texts[:0] = _thoughts(body)
    calls = (
        (str(call.get("name", "")), _plain_json(call.get("arguments")))
        for call in body.get("tool_calls", ())
    )
    kind = message.kind
    name = str(body.get("name") or "") if kind == RESULT else ""
    return SeenMessage(kind, name, "\n".join(texts), tuple(calls))


def _thoughts(body: dict[str, Any]) -> Iterator[str]:
    """Its thinking, without what providers sign or encrypt in it."""
    if text := body.get("reasoning_content"):
        yield str(text)
    for block in body.get("thinking_blocks") or ():
        if text := block.get("thinking"):
            yield str(text)
    if told_of := (body.get("responses_reasoning_item") or {}).get("summary"):
        yield json.dumps(told_of, ensure_ascii=False)


def _plain_json(text: object) -> str:
    """Arguments in one form, as no model tells their spaces and order apart from chance."""
    if not isinstance(text, str):
        return ""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, sort_keys=True)
    except (ValueError, RecursionError):
        return text


def _commands(seen: Sequence[SeenMessage]) -> Iterator[tuple[str, str]]:
    """The lines of the commands in it, as `Echoed`."""
    for message in seen:
        for _, given in message.calls if message.kind == MODEL else ():
            try:
                command = json.loads(given).get("command")
            except (ValueError, AttributeError, RecursionError):
                continue
            if isinstance(command, str):
                yield from pairwise(["", *filter(None, map(str.strip, command.split("\n")))])


def _numbered(bodies: Sequence[dict[str, Any]]) -> list[int]:
    """The ids of calls in the order of a context, each by the place at which it came first."""
    first: dict[object, int] = {}
    ids = (
        one
        for body in bodies
        for one in (
            *(call.get("id") for call in body.get("tool_calls", ())),
            body.get("tool_call_id"),
        )
    )
    return [first.setdefault(one, len(first)) for one in ids if isinstance(one, str)]
