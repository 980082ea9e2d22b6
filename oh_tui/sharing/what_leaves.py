"""What leaves with a run that is shared: files, hosts, names, what was masked and what was not."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from oh_tui.sharing.hidden import hidden_in
from oh_tui.sharing.shared_run import SharedRun
from oh_tui.sharing.suspects import shortened, suspects
from oh_tui.text.human import plural
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem
from oh_tui.text.redact import is_secret_name, masked, safe_line
from oh_tui.text.secret_patterns import NO_SECRET
from oh_tui.trajectory.analysis.study import Study, SubRun
from oh_tui.trajectory.files.touched import shown_path
from oh_tui.trajectory.files.touches import is_read, may_touch, touches
from oh_tui.trajectory.model.bodies import arguments, content_text
from oh_tui.trajectory.model.bodies import field as field_of
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.presentation.images import data_text, find_images

SHOWN = 20
"""Of each kind, so that the list can be read."""

MOST = 1_000
"""Of each kind that are counted: a hostile run may name any number."""

_LONGEST = 2_000_000
"""Characters of one event, or of a patch, that are looked at; what follows is said not to be."""

Places = dict[str, list[int]]
"""What leaves -> the numbers of its first steps, 0 for what belongs to none."""


@dataclass
class WhatLeaves:
    """What others learn from a run besides the work itself. All texts are safe on one line."""

    steps: int = 0
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
    unread: list[int] = field(default_factory=list)
    """Steps of which a part is too long to be looked at."""

    @property
    def rows(self) -> list[tuple[str, str]]:
        """Label and text of each kind that there is."""
        hidden = {
            f"{kind} {self.times[kind]:,} times" if self.times[kind] > 1 else kind: steps
            for kind, steps in self.masked.items()
        }
        found = (
            ("whole files", _named(self.files)),
            ("hosts", _named(self.hosts)),
            ("addresses", _named(self.addresses)),
            ("user names", _named(self.people)),
            ("images", f"{self.images:,}" if self.images else ""),
            ("hidden", _named(hidden)),
            ("maybe secret", _named(self.suspects)),
            ("not looked at", _steps(self.unread) if self.unread else ""),
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
        return plural(self.steps, "step") + (f": {what}" if what else "")


def _named(places: Places) -> str:
    shown = [f"{what} ({_steps(steps)})" for what, steps in list(places.items())[:SHOWN]]
    rest = len(places) - SHOWN
    more = f" and {rest:,} {'or more' if len(places) == MOST else 'more'}" if rest > 0 else ""
    return ", ".join(shown) + more


def _steps(numbers: list[int]) -> str:
    """Such as "steps 3, 4…" or "step 3, head"; 0 is what belongs to no step."""
    named = [str(number) for number in numbers if number][:3]
    steps = f"step{'s' if len(named) > 1 else ''} {', '.join(named)}" if named else ""
    more = "…" if len(numbers) > 3 else ""
    return ", ".join(filter(None, (f"{steps}{more}", "besides the steps" if 0 in numbers else "")))


def what_leaves(
    run: SharedRun,
    *,
    sub_agents: bool = False,
    patch: bool = False,
    is_wanted: Callable[[], bool] = lambda: True,
) -> WhatLeaves:
    """Reads each event that is written once. What `sub_agents` did is told by the step that
    started them, where they leave too; so may the `patch` that a whole run handed in. Raises
    Problem once it is not wanted any more."""
    found = WhatLeaves(len(run.steps))
    with_sub_agents = sub_agents and not run.is_part
    for step in run.steps:
        _step(found, step, step.number, is_wanted)
        for started in run.study.sub_runs.of(step) if with_sub_agents else ():
            _sub_agent(found, started, step.number, is_wanted)
        if note := run.kept.step_notes.get(step.event.id, ""):
            _text(found, note, step.number)
    for started in run.study.sub_runs.loose if with_sub_agents else ():
        _sub_agent(found, started, 0, is_wanted)
    for event in run.others:
        _event(found, event, 0)
    about = run.conversation
    facts = (about.title, about.selected_repository, about.selected_branch, run.kept.note)
    _text(found, _APART.join(filter(None, facts)), 0)
    if patch and not run.is_part:
        _patch(found, run.study)
    return found


def _sub_agent(found: WhatLeaves, run: SubRun, number: int, is_wanted: Callable[[], bool]) -> None:
    """With those below it."""
    for one in (run, *run.sub_runs.all()):
        for step in one.trajectory.steps:
            _step(found, step, number, is_wanted)


def _step(found: WhatLeaves, step: Step, number: int, is_wanted: Callable[[], bool]) -> None:
    if not is_wanted():
        raise Problem("What leaves was not looked at to the end")
    _files(found, step, number)
    for event in (step.event, *step.results):
        _event(found, event, number)


def _add(places: Places, what: str, number: int) -> None:
    steps = places.get(what)
    if steps is None:
        if len(places) < MOST:
            places[what] = [number]
    elif len(steps) < 4 and steps[-1] != number:
        steps.append(number)


# files


def _files(found: WhatLeaves, step: Step, number: int) -> None:
    """A file that was made, viewed whole or written back leaves with its whole text."""
    event = step.event
    if not may_touch(event):
        return
    for touch in touches(step, contents=True):
        is_whole = bool(touch.old) or bool(touch.new)
        if touch.verb == "read":
            is_whole = _shows_whole(step)
        if is_whole:
            _add(found.files, shown_path(touch.path), number)


_PARTS_OF = ("view_range", "offset", "limit", "start_line", "end_line", "lines_shown")


def _shows_whole(step: Step) -> bool:
    body = step.event.body()
    asked = field_of(body, "action") or field_of(body, "raw_input")
    if isinstance(asked, dict) and any(asked.get(name) for name in _PARTS_OF):
        return False
    result = step.result or step.event
    if result.failed or not is_read(step.event):
        return False
    answer = result.body()
    seen = field_of(answer, "observation") or answer
    if isinstance(seen, dict) and seen.get("file_content"):
        return not seen.get("is_truncated")
    return _NUMBERED.search(content_text(answer)[:2000]) is not None or _acp_text(answer)


_NUMBERED = pattern(r"(?m)^ {0,12}1\t")


def _acp_text(answer: dict[str, object]) -> bool:
    return answer.get("kind") == "ACPToolCallEvent" and bool(answer.get("raw_output"))


def _patch(found: WhatLeaves, study: Study) -> None:
    for file in study.changes.patch:
        if file.letter in ("A", "D") and file.hunks:
            _add(found.files, shown_path(file.path), 0)
    _text(found, study.trajectory.recorded.patch, 0)


# texts


_APART = "\n;\n"
"""Between texts, so that none goes on in the next."""

_LINKS = frozenset({
    *("id", "kind", "timestamp", "tool_call_id", "action_id", "llm_response_id", "parent_id"),
    *("responses_item_id", "signature", "encrypted_content", "forgotten_event_ids", "type"),
})  # fmt: skip
"""Fields with ids and data of the model's provider."""


def _event(found: WhatLeaves, event: Event, number: int) -> None:
    body = event.body()
    found.images += len(find_images(body))
    by_name: Counter[str] = Counter()
    text = _APART.join(dict.fromkeys(_texts(body, by_name)))
    _text(found, text, number, by_name)


def _texts(body: object, by_name: Counter[str]) -> Iterator[str]:
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


def _text(found: WhatLeaves, text: str, number: int, by_name: Counter[str] | None = None) -> None:
    if len(text) > _LONGEST:
        text = text[:_LONGEST]
        found.unread += [number][: len(found.unread) < MOST]
    left = masked(text)
    kinds = hidden_in(left) + (by_name or Counter())
    for kind in kinds:
        _add(found.masked, kind, number)
    found.times += Counter({kind: n for kind, n in kinds.items() if kind in found.masked})
    for find in _FINDERS:
        find(found, left, number)
    for word in suspects(left):
        _add(found.suspects, safe_line(shortened(word)), number)


_HOST = pattern(
    r"(?:\b[a-z][a-z0-9+.-]{1,20}://(?:[^\s/@\"'<>]{1,200}@)?|\bgit@)"
    r"((?=[a-z0-9.-]*[a-z])[a-z0-9](?:[a-z0-9-]{0,62}\.){0,8}[a-z0-9-]{1,63})",
)
_INTERNAL = pattern(
    r"(?<![\w.@/-])((?:[a-z0-9-]{1,63}\.){1,6}(?:internal|lan|corp|intranet))(?![\w(.-])"
)
_IPV4 = pattern(r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)")
_IPV6 = pattern(r"(?<![\w:.])(?:[0-9a-fA-F]{0,4}:){4,7}[0-9a-fA-F]{1,4}(?![\w:])")
_MAIL = pattern(
    r"(?<![\w.+/:@\\-])([\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,6}[A-Za-z]{2,24})(?![\w@:/-])"
)
_HOME = pattern(r"(?:/home/|/Users/|[A-Z]:\\{1,2}Users\\{1,2})([A-Za-z][\w.-]{0,40})")
_AUTHOR = pattern(
    r"(?:\bAuthor|\bCommitter|\bauthor|\bcommitter|-[bB]y|\buser\.name)\b[ =:\"']{1,4}"
    r"([^\W\d][^\n<>\"';,|]{1,60}?)\s?(?=<[^\n<>]{3,100}@|\"|'|\n|\Z)"
)

_NOBODY = frozenset({"openhands", "root", "user", "runner", "vscode", "node", "app", "shared"})
"""Owners of home folders in containers."""


def _hosts(found: WhatLeaves, text: str, number: int) -> None:
    if "://" in text or "git@" in text:
        for match in _HOST.finditer(text):
            host = match[1].rstrip(".-")
            if host not in ("localhost", "workspace"):
                _add(found.hosts, safe_line(host, 80), number)
    for match in _INTERNAL.finditer(text):
        _add(found.hosts, safe_line(match[1], 80), number)


def _addresses(found: WhatLeaves, text: str, number: int) -> None:
    for shape in (_IPV4, _IPV6):
        for match in shape.finditer(text):
            if _is_address(match[0]):
                _add(found.addresses, match[0], number)
    if "@" in text:
        for match in _MAIL.finditer(text):
            if not match[1].startswith("git@"):
                _add(found.addresses, safe_line(match[1], 80), number)


def _is_address(text: str) -> bool:
    """Whether a text is the address of a machine, and not of each machine itself."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_multicast)


def _people(found: WhatLeaves, text: str, number: int) -> None:
    for match in _HOME.finditer(text):
        if match[1].lower() not in _NOBODY:
            _add(found.people, safe_line(match[1], 80), number)
    for match in _AUTHOR.finditer(text):
        _add(found.people, safe_line(match[1], 80), number)


_FINDERS: tuple[Callable[[WhatLeaves, str, int], None], ...] = (_hosts, _addresses, _people)


def told(found: WhatLeaves) -> Iterator[str]:
    """The lines of a list for a terminal or a pipe; one line where there is nothing to tell."""
    rows = found.rows
    if not rows:
        yield f"what leaves: {plural(found.steps, 'step')}; no whole file, host, name or secret"
        return
    yield f"what leaves: {plural(found.steps, 'step')}"
    for label, text in rows:
        yield f"  {label}: {text}"
