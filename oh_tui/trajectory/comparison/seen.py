"""What differs between two contexts, message by message: ids of calls do not count."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from oh_tui.trajectory.comparison.plain import How, Told, told
from oh_tui.trajectory.context.message import MODEL, RESULT
from oh_tui.trajectory.model.alignment import common

TOOLS = "tools"
"""Stands for the kind of a message where the names of the tools differ."""


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
    for at_a, at_b in _paired(seen_a, seen_b):
        one = seen_a[at_a] if at_a is not None else None
        other = seen_b[at_b] if at_b is not None else None
        if one == other:
            continue
        is_equal = False
        message = b.messages[at_b] if at_b is not None else a.messages[at_a or 0]
        if one and other:
            found = _told(one, other, folders, echoed)
        else:
            # the same message, at another place in the other context
            found = Told(How.ORDER if (one or other) in moved else How.REAL)
        yield Differing(
            (other or one or seen_a[0]).kind,
            one.whole if one else None,
            other.whole if other else None,
            found,
            message.is_new,
            message,
        )
    if is_equal and _numbered(bodies[0]) != _numbered(bodies[1]):
        last = b.messages[-1]
        yield Differing(RESULT, None, None, Told(How.ORDER), last.is_new, last)


def _paired(
    a: Sequence[SeenMessage], b: Sequence[SeenMessage]
) -> Iterator[tuple[int | None, int | None]]:
    """Places side by side: of equal messages first, then of those between that take one place."""
    done_a = done_b = 0
    for end_a, end_b in [*common(a, b), (len(a), len(b))]:
        between = common(
            [one.place for one in a[done_a:end_a]], [one.place for one in b[done_b:end_b]]
        )
        for at_a, at_b in [*((x + done_a, y + done_b) for x, y in between), (end_a, end_b)]:
            yield from ((place, None) for place in range(done_a, at_a))
            yield from ((None, place) for place in range(done_b, at_b))
            if at_a < len(a) and at_b < len(b):
                yield at_a, at_b
            done_a, done_b = at_a + 1, at_b + 1


def _told(a: SeenMessage, b: SeenMessage, folders: tuple[str, str], echoed: frozenset[str]) -> Told:
    """The greatest of its differences, with all that was made plain."""
    is_terminal = a.kind == RESULT and a.name in ("terminal", "execute_bash", "bash")
    parts = [told(a.text, b.text, folders, echoed if is_terminal else ())]
    for (_, one), (_, other) in zip(a.calls, b.calls, strict=True):
        parts.append(told(one, other, folders))
    most = max(parts, key=lambda part: _RANK[part.how])
    return Told(most.how, frozenset().union(*(part.names for part in parts)))


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


def _commands(seen: Sequence[SeenMessage]) -> Iterator[str]:
    """The lines of the commands in it."""
    for message in seen:
        for _, given in message.calls if message.kind == MODEL else ():
            try:
                command = json.loads(given).get("command")
            except (ValueError, AttributeError, RecursionError):
                continue
            if isinstance(command, str):
                yield from filter(None, (line.strip() for line in command.split("\n")))


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
