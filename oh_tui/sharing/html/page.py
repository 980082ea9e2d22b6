"""The page: its parts in order, its style and script, and what of a long run it has."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib.resources import files

from oh_tui.sharing.found_in_text import listed
from oh_tui.sharing.html.blocks import seen, text
from oh_tui.sharing.html.head import changed_files_html, head_html
from oh_tui.sharing.html.steps import StepsWriter, event_html
from oh_tui.sharing.shared_run import SharedRun, Sink
from oh_tui.text.human import plural
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import hide_keys
from oh_tui.trajectory.glyphs import COLOURS, HUES
from oh_tui.trajectory.model.steps import Outcome, Step


def page(run: SharedRun, sink: Sink) -> Iterator[str]:
    """The page of a run, a few kB at a time."""
    run = fitting(run)
    yield hide_keys(_top(run))
    # its texts are masked; a mask of the whole could take a part of a tag for a secret
    for part in map(hide_keys, _body(run, sink)):
        sink.take(seen(part))
        yield part
    yield hide_keys(_bottom(sink))


def read_page(part: str) -> str:
    """A part of the page as its readers see it, without empty lines and the picture."""
    before, _, picture = (part.partition("<body>")[2] or part).partition("<svg")
    shown = _SPAN.sub("", before + picture.partition("</svg>")[2])
    shown = shown.replace("</dd></div>\n<div><dt>", " · ")
    chapters = (seen(one).splitlines() for one in _HEADING.split(shown))
    lines = ["".join(f"{line}\n" for line in one if line.strip()) for one in chapters]
    return "\n".join(lines)


_HEADING = pattern("(?=<h2 )")
_SPAN = pattern("</?(?:span|b|time)(?: [^<>]{0,}+)?>")
"""In the rows of a list the page has blanks between them."""


def _body(run: SharedRun, sink: Sink) -> Iterator[str]:
    here = {step.number for step in run.steps}
    yield from head_html(run, here)
    yield "<main>\n"
    if not run.is_part:
        yield from changed_files_html(run.study, sink, here)
    yield '<section aria-labelledby="steps"><h2 id="steps">Steps</h2>\n'
    yield _SEARCH
    if not run.steps:
        yield '<p class="note">no steps</p>\n'
    writer = StepsWriter(
        run.study,
        sink,
        run.kept,
        _opened(run),
        with_sub_agents=not run.is_part,
        phases={phase.first: f"{phase.name} · {phase.summary}" for phase in run.phases},
    )
    yield from writer.written(run.steps, told_gaps=run.is_cut)
    yield "</section>\n"
    sink.at(0)
    if run.others:
        named = f"{plural(len(run.others), 'hidden event')}, which belong to no step"
        yield f'<details class="others"><summary>{named}</summary>\n'
        for event in run.others:
            yield event_html(event, sink)
        yield "</details>\n"
    yield "</main>\n"


def _top(run: SharedRun) -> str:
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy()}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f'<link rel="icon" href="data:,">\n<title>{text(run.title)}</title>\n'
        f"<style>{style()}</style>\n<script>{script()}</script>\n</head>\n<body>\n"
    )


_SEARCH = """<form id="bar" role="search" hidden>
<input id="search" type="search" placeholder="Search the steps" aria-label="Search the steps">
<output id="found" aria-live="polite"></output>
<button type="button" id="fold">Open all</button>
<span class="keys"><kbd>j</kbd> <kbd>k</kbd> steps <kbd>e</kbd> errors <kbd>/</kbd> search</span>
</form>
"""
"""The script shows it."""


def _bottom(sink: Sink) -> str:
    found = sink.hidden.items()
    rows = [f"<li>{text(where)}: {text(listed(secrets))}</li>\n" for where, secrets in found]
    told = (
        f"<ul>\n{''.join(rows)}</ul>"
        if rows
        else "<p>Nothing: no known kind of secret was found.</p>"
    )
    return f"<footer><h2>What was hidden</h2>\n{told}\n</footer>\n</body>\n</html>\n"


def _opened(run: SharedRun) -> frozenset[int]:
    """The last step, and the answer: the last message of the agent, or its end."""
    answer = next((step for step in reversed(run.steps) if step.event.ends_turn), None)
    return frozenset(step.number for step in (*run.steps[-1:], answer) if step)


_DARK, _LIGHT = 0, 1
"""Columns of COLOURS."""

_ATTRIBUTES = {
    "bold": "font-weight:600",
    "italic": "font-style:italic",
    "underline": "text-decoration:underline",
    "strike": "text-decoration:line-through",
}


@cache
def style() -> str:
    """The explorer's colours and hues as variables and classes, then the layout."""
    dark, light = (
        "".join(
            f"--{name}:{values[column]};" for name, values in COLOURS.items() if name != "found"
        )
        for column in (_DARK, _LIGHT)
    )
    hues = "".join(f".h-{hue}{{{_rules(words)}}}\n" for hue, words in HUES.items())
    on_hues = "".join(
        f".rev.h-{hue}{{background:var(--{words});color:var(--paper)}}\n"
        for hue, words in HUES.items()
        if words in COLOURS
    )
    return (
        f":root{{{light}}}\n@media (prefers-color-scheme: dark){{:root{{{dark}}}}}\n"
        f"@media print{{:root{{{light}}}}}\n{hues}{_read('page.css')}{on_hues}"
    )


@cache
def script() -> str:
    """Search, folding and keys; the page is whole without it."""
    return _read("page.js")


def policy() -> str:
    """A Content-Security-Policy under which nothing is loaded, sent or run but `script`."""
    return (
        f"default-src 'none'; style-src {_hash(style())}; script-src {_hash(script())}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _rules(words: str) -> str:
    """A hue of the explorer, such as "bold red" or "on added", in CSS."""
    rules: list[str] = []
    is_ground = False
    for word in words.split():
        if word == "on":
            is_ground = True
        elif word in _ATTRIBUTES:
            rules.append(_ATTRIBUTES[word])
        elif word in COLOURS and word != "found":
            rules.append(f"{'background' if is_ground else 'color'}:var(--{word})")
    return ";".join(rules)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


MOST = 5_000
"""Steps of such a page."""

_ENDS = 2_000
"""Steps at the begin and at the end of a longer run; between them errors and turns."""

_OTHERS = 1_000
"""Hidden events of such a page, the first ones."""

_HOW = "This page is cut: oh-tui export --whole writes all of the run, --only 40-61 other steps"


def fitting(run: SharedRun) -> SharedRun:
    """The run, without the middle of a long one, unless it is to be written whole."""
    too_many = max(0, len(run.others) - _OTHERS)
    if run.whole or run.is_cut or not (len(run.steps) > MOST or too_many):
        return run
    missing = f"{plural(too_many, 'hidden event')} left out" if too_many else ""
    return replace(
        run,
        steps=list(_fewer(run)) if len(run.steps) > MOST else run.steps,
        others=run.others[:_OTHERS],
        note=". ".join(filter(None, (run.note, _HOW, missing))),
        is_cut=True,
    )


def _fewer(run: SharedRun) -> Iterator[Step]:
    outcome, last = run.study.trajectory.outcome, len(run.steps) - _ENDS
    room = MOST - 2 * _ENDS
    for place, step in enumerate(run.steps):
        if _ENDS <= place < last:
            if not room or not (outcome(step) is Outcome.ERROR or step.event.is_by_user):
                continue
            room -= 1
        yield step
