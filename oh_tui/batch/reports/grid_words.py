"""What follows from a grid of tasks and settings, a sentence each. Names stand in backquotes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from oh_tui.batch.reports.grid import MEASURES, Against, Grid, Setting
from oh_tui.batch.run_stats import resolved_of
from oh_tui.text.human import dollars, duration, percent, plural
from oh_tui.text.redact import safe_line

NAMED = 20
"""Tasks that a line names."""

_WORDS: dict[str, Callable[[float], str]] = {
    "cost": dollars, "tokens": "{:,.0f}".format, "requests": "{:,.1f}".format, "work_s": duration,
}  # fmt: skip

LABELS = {"work_s": "time"}


def sums(grid: Grid, *, measured: bool = True) -> Iterator[str]:
    """Without the measures of one setting against another, which take a while."""
    for one in grid.settings:
        resolved, labelled = resolved_of(one.labels)
        told = f"{resolved:,} of {labelled:,} labelled resolved" if labelled else "no labels"
        broken = [f"{name} {count:,}" for name, count in one.broken.items()]
        broke = f"; broken from outside the agent: {', '.join(broken)}" if broken else ""
        numbers = (
            f"{LABELS.get(name, name)} {words}"
            for name in MEASURES
            if (words := spread_words(one, name))
        )
        sizes = f"{plural(one.runs, 'run')} of {plural(len(one.attempts), 'task')}"
        means = "; ".join(numbers)
        yield f"{code(one.name)}: {sizes}, {told}{broke}" + (f"; {means}" if means else "")
    for place in range(1, len(grid.settings)):
        yield from _against_words(grid, grid.against(place, measured=measured))


def flip_words(grid: Grid) -> Iterator[str]:
    for one in grid.settings:
        if tasks := one.flips:
            flips = f"{plural(len(tasks), 'task')} {'flips' if len(tasks) == 1 else 'flip'}"
            yield f"{flips} between attempts of {code(one.name)}: {_tasks_words(tasks)}"


def _against_words(grid: Grid, found: Against) -> Iterator[str]:
    one, base = (code(grid.settings[place].name) for place in (found.setting, found.base))
    who = f"{one} against {base}"
    if found.p is None:
        yield f"{who}: no task has labels in both"
    else:
        counts = f"{len(found.won):,} won, {found.ties:,} tied, {len(found.lost):,} lost"
        broken = f", {found.broken:,} of them broken from outside" if found.broken else ""
        yield f"{who}: {counts}{broken}; {p_words(found.p)}; {_least_words(found)}"
        for how, tasks in (("won", found.won), ("lost", found.lost)):
            if tasks:
                yield f"{who}, {how}: {_tasks_words(tasks)}"
    for name, means in found.measures.items():
        if means.difference is None:
            continue
        word = partial(_signed, word=_WORDS[name])
        sure = sure_words(means.interval, word, means.pairs)
        yield f"{LABELS.get(name, name)} of {who}: mean {word(means.difference)}{sure}"


def p_words(p: float) -> str:
    """Whether a difference may be chance, by the test of McNemar."""
    chance = "unlikely to be" if p < 0.05 else "may be"
    return f"{chance} chance (p {'below 0.001' if p < 0.001 else f'{p:.3f}'})"


def sure_words(
    interval: tuple[float, float] | None, word: Callable[[float], str], pairs: int
) -> str:
    """How sure a difference is: its interval, and the number of pairs it comes from."""
    edges = f", 95% from {word(interval[0])} to {word(interval[1])}" if interval else ""
    return f"{edges} ({plural(pairs, 'pair')})"


def _least_words(found: Against) -> str:
    if found.tasks < 6:
        return f"{plural(found.tasks, 'task')} can show no difference, six are the fewest"
    least = f"{found.tasks:,} tasks can only show one of 6 ({percent(6 / found.tasks)}) or more"
    return f"{least}, with as many that differ as here of {found.least}" if found.least else least


def _signed(value: float, word: Callable[[float], str]) -> str:
    """Without a sign where rounding leaves nothing."""
    shown = word(abs(value))
    is_nothing = shown.startswith("<") or not any(map(shown.__contains__, "123456789"))
    return shown if is_nothing else f"{'-' if value < 0 else '+'}{shown}"


def spread_words(one: Setting, measure: str) -> str:
    found = one.spread(measure)
    if found.mean is None or found.median is None or found.p90 is None:
        return ""
    word = _WORDS[measure]
    return f"mean {word(found.mean)}, median {word(found.median)}, p90 {word(found.p90)}"


def _tasks_words(tasks: Sequence[str]) -> str:
    more = f" and {len(tasks) - NAMED:,} more" if len(tasks) > NAMED else ""
    return ", ".join(map(code, tasks[:NAMED])) + more


def code(text: str) -> str:
    """As code, in which Markdown mentions nobody and makes no link."""
    return f"`{safe_line(text).replace('`', chr(39)).replace('|', '/') or '-'}`"


def plain(text: str) -> str:
    return text.replace("`", "")
