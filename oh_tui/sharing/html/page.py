"""The page: its parts in order."""

from __future__ import annotations

from collections.abc import Iterator

from oh_tui.sharing.hidden import listed
from oh_tui.sharing.html.changed_files import changed_files_html
from oh_tui.sharing.html.escaping import seen, text
from oh_tui.sharing.html.head import head_html
from oh_tui.sharing.html.long_run import fitting
from oh_tui.sharing.html.steps import StepsWriter, event_html
from oh_tui.sharing.html.style import policy, script, style
from oh_tui.sharing.shared_run import SharedRun
from oh_tui.sharing.sink import Sink
from oh_tui.text.human import plural
from oh_tui.text.redact import hide_keys


def page(run: SharedRun, sink: Sink) -> Iterator[str]:
    """The page of a run, a few kB at a time."""
    run = fitting(run)
    yield hide_keys(_top(run))
    # its texts are masked; a mask of the whole could take a part of a tag for a secret
    for part in map(hide_keys, _body(run, sink)):
        sink.take(seen(part))
        yield part
    yield hide_keys(_bottom(sink))


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
