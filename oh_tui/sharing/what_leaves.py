"""What leaves with runs that are shared: files, hosts, names, what was masked and what was not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from oh_tui.sharing import found_in_text
from oh_tui.sharing.found_in_text import hidden_in, shortened, suspects
from oh_tui.text.human import plural
from oh_tui.text.redact import is_secret_name, safe_line
from oh_tui.text.secret_values import NO_SECRET
from oh_tui.trajectory.model.bodies import arguments
from oh_tui.trajectory.model.images import data_text

SHOWN = 20
"""Of each kind but possible secrets, so that the list can be read."""

MOST = 1_000
"""Of each kind that are counted: a hostile run may name any number."""

FIRST = 4
"""Places of each that are kept, one more than are named."""

_RUN = 40
"""Most characters of the name of a run in a place."""

Place: TypeAlias = "int | str"
"""The number of a step, 0 for what belongs to none; with many runs the run before it."""

Places: TypeAlias = dict[str, list[Place]]
"""What leaves -> where it is first."""


@dataclass
class WhatLeaves:
    """What others learn besides the work itself. All texts are safe on one line."""

    steps: int = 0
    runs: int = 0
    """0 for one run, whose name no place needs."""
    files: Places = field(default_factory=dict)
    """Whose whole text is there."""
    hosts: Places = field(default_factory=dict)
    addresses: Places = field(default_factory=dict)
    """IP and mail addresses."""
    people: Places = field(default_factory=dict)
    """User names: owners of home folders, authors in git."""
    images: int = 0
    masked: Places = field(default_factory=dict)
    """The kinds of secrets that were hidden."""
    times: Counter[str] = field(default_factory=Counter)
    """How often each of these was hidden."""
    suspects: Places = field(default_factory=dict)
    """What looks like a secret and was not hidden, shortened."""

    def take(
        self, texts: Iterable[str], place: Place, by_name: Counter[str] | None = None
    ) -> Counter[str]:
        """Looks at texts that leave, and lack their secrets already. `by_name` are the secret
        fields that were hidden beside them. Returns the secrets that were hidden."""
        text = _APART.join(texts)
        kinds = hidden_in(text) + (by_name or Counter())
        for kind in kinds:
            add(self.masked, kind, place)
        self.times += Counter({kind: n for kind, n in kinds.items() if kind in self.masked})
        for host in found_in_text.hosts(text):
            add(self.hosts, host, place)
        for address in found_in_text.addresses(text):
            add(self.addresses, address, place)
        for name in found_in_text.people(text):
            add(self.people, name, place)
        for word in suspects(text):
            add(self.suspects, safe_line(shortened(word)), place)
        return kinds

    def take_run(self, run: str, found: WhatLeaves) -> None:
        """Adds what leaves with one more run, of this name."""
        self.runs += 1
        self.steps += found.steps
        self.images += found.images
        name = safe_line(run, _RUN)
        for mine, theirs in zip(self._kinds, found._kinds, strict=True):
            for what, places in theirs.items():
                for place in places:
                    add(mine, what, f"{name} {place}" if place else name)
        self.times += Counter({k: n for k, n in found.times.items() if k in self.masked})

    @property
    def _kinds(self) -> tuple[Places, ...]:
        return (
            self.files,
            self.hosts,
            self.addresses,
            self.people,
            self.masked,
            self.suspects,
        )

    @property
    def rows(self) -> list[tuple[str, str]]:
        """Label and text of each kind that there is."""
        hidden = {
            f"{kind} {self.times[kind]:,} times" if self.times[kind] > 1 else kind: places
            for kind, places in self.masked.items()
        }
        found = (
            ("whole files", _named(self.files)),
            ("hosts", _named(self.hosts)),
            ("addresses", _named(self.addresses)),
            ("user names", _named(self.people)),
            ("images", f"{self.images:,}" if self.images else ""),
            ("hidden", _named(hidden)),
            ("maybe secret", _named(self.suspects, MOST)),
        )
        return [(label, text) for label, text in found if text]

    @property
    def headline(self) -> str:
        """Such as "61 steps: 3 whole files, 2 possible secrets"."""
        counted = (
            plural(len(self.files), "whole file") if self.files else "",
            plural(len(self.hosts), "host") if self.hosts else "",
            plural(len(self.suspects), "possible secret") if self.suspects else "",
        )
        what = ", ".join(filter(None, counted))
        return self.size + (f": {what}" if what else "")

    @property
    def size(self) -> str:
        """Such as "61 steps", or "61 steps of 3 runs"."""
        of = f" of {plural(self.runs, 'run')}" if self.runs else ""
        return plural(self.steps, "step") + of


_APART = "\n;\n"
"""Between texts, so that none goes on in the next."""


def add(places: Places, what: str, place: Place) -> None:
    known = places.get(what)
    if known is None:
        if len(places) < MOST:
            places[what] = [place]
    elif len(known) < FIRST and place not in known:
        known.append(place)


def _named(places: Places, most: int = 0) -> str:
    most = most or SHOWN
    shown = [f"{what} ({_placed(where)})" for what, where in list(places.items())[:most]]
    rest = len(places) - most
    more = f" and {rest:,} {'or more' if len(places) == MOST else 'more'}" if rest > 0 else ""
    return ", ".join(shown) + more


def _placed(places: list[Place]) -> str:
    """Such as "steps 3, 4…", "step 3, besides the steps", or "dates 3, docs 12" of many runs."""
    named = [str(place) for place in places if place][: FIRST - 1]
    more = "…" if len(places) >= FIRST else ""
    is_of_many = any(isinstance(place, str) for place in places)
    label = "" if is_of_many or not named else "steps " if len(named) > 1 else "step "
    steps = f"{label}{', '.join(named)}{more}" if named else ""
    return ", ".join(filter(None, (steps, "besides the steps" if 0 in places else "")))


_LINKS = frozenset({
    *("id", "kind", "timestamp", "tool_call_id", "action_id", "llm_response_id", "parent_id"),
    *("source_call_id", "responses_item_id", "signature", "encrypted_content"),
    *("forgotten_event_ids", "type"),
})  # fmt: skip
"""Fields with ids and data of the model's provider."""


def texts_in(body: object, by_name: Counter[str]) -> Iterator[str]:
    """The texts of decoded JSON. Leaves out those below a secret name, and counts them by it."""
    todo = [body]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            if len(item) < 256 or not data_text(item):
                yield item
        elif isinstance(item, list):
            todo += reversed(item)
        elif isinstance(item, dict) and item.get("type") != "image":
            if isinstance(item.get("arguments"), str):  # JSON in a text
                item = item | {"arguments": arguments({"tool_call": item})}
            for name, inner in reversed(item.items()):
                if isinstance(inner, str) and is_secret_name(name):
                    if NO_SECRET.fullmatch(inner) or not inner:
                        continue
                    by_name[safe_line(name.lower(), 40)] += 1
                elif name not in _LINKS:
                    todo.append(inner)


def told(found: WhatLeaves) -> Iterator[str]:
    """The lines of a list for a terminal or a pipe; one line where there is nothing to tell."""
    rows = found.rows
    if not rows:
        yield f"what leaves: {found.size}; no whole file, host, name or secret"
        return
    yield f"what leaves: {found.size}"
    for label, text in rows:
        yield f"  {label}: {text}"
