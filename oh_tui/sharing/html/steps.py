"""The steps of a run as HTML: one line each, which opens to its call and its result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from oh_tui.catalog.user_annotations import NOTHING, RunAnnotations
from oh_tui.sharing.html.blocks import anchor, blocks_html, line, text
from oh_tui.sharing.shared_run import Sink
from oh_tui.text.human import clock, dollars, duration, plural
from oh_tui.text.redact import safe, safe_line
from oh_tui.trajectory.findings.study import Study, SubRun
from oh_tui.trajectory.glyphs import FAMILY_HUES, UNICODE, outcome_mark, verdict_mark
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.images import find_images, images_of
from oh_tui.trajectory.model.steps import Outcome, Step, decoded
from oh_tui.trajectory.presentation.block import plain_text
from oh_tui.trajectory.presentation.blocks import (
    call_blocks,
    call_title,
    event_blocks,
    result_blocks,
    result_title,
)
from oh_tui.trajectory.presentation.step_context import StepContext
from oh_tui.trajectory.reading.describe import describe, describe_event


@dataclass
class StepsWriter:
    """Writes the steps of a run or of one of its sub-agents."""

    study: Study
    sink: Sink
    kept: RunAnnotations = NOTHING
    opened: frozenset[int] = field(default_factory=frozenset)
    """Numbers of the steps that are open at first, beside errors."""
    with_sub_agents: bool = True
    phases: Mapping[int, str] = field(default_factory=dict)
    """What stands above a step that begins a phase, by its number."""

    def written(self, steps: Sequence[Step], *, told_gaps: bool) -> Iterator[str]:
        """`told_gaps` has a line for steps left out between them."""
        before = 0
        for step in steps:
            if told_gaps and step.number > before + 1:
                yield _gap(before + 1, step.number - 1)
            before = step.number
            if name := self.phases.get(step.number):
                yield f'<p class="phase">{text(name)}</p>\n'
            self.sink.at(step.number, self.study.path)
            with decoded(step):
                shown = self._step(step)
            yield shown
            if self.with_sub_agents:
                for run in self.study.sub_runs.of(step):
                    yield from self._sub_agent(run)
        self.sink.at(0, self.study.path)
        if told_gaps and before < len(self.study.trajectory):
            yield _gap(before + 1, len(self.study.trajectory))
        if self.with_sub_agents:
            for run in self.study.sub_runs.loose:
                yield from self._sub_agent(run)

    def _sub_agent(self, run: SubRun) -> Iterator[str]:
        """Its steps are indented below the step that started it."""
        glyph, hue = verdict_mark(UNICODE, run.verdict.word)
        steps = run.trajectory.steps
        told = " · ".join(filter(None, (run.verdict.word, plural(len(steps), "step"))))
        name = f"sub-agent {text(run.path.rstrip('.'))}"
        cause = f'<span class="came">{text(run.verdict.cause)}</span>' if run.has_failed else ""
        is_open = " open" if run.has_failed else ""
        yield (
            f'<details class="agent"{is_open}><summary><span class="mark h-{hue}">{glyph}</span>'
            f'<span class="what">{name} · {told}</span>{cause}</summary>\n'
        )
        if run.note:
            yield f'<p class="missing">{line(run.note)}</p>\n'
        last = frozenset({len(steps)})
        yield from StepsWriter(run, self.sink, opened=last).written(steps, told_gaps=False)
        yield "</details>\n"

    def _step(self, step: Step) -> str:
        run, event = self.study.trajectory, step.event
        outcome = run.outcome(step)
        name = f"{self.study.path}{step.number}"
        about, context = describe(step, outcome), StepContext(run, step)
        glyph, hue = outcome_mark(UNICODE, outcome)
        mark = f'<span class="mark h-{hue}" role="img" aria-label="{outcome}">{glyph}</span>'
        is_open = outcome is Outcome.ERROR or step.number in self.opened
        family = FAMILY_HUES.get(about.family, "")
        done, result = about.what, about.result
        if event.is_message and result:  # a message is one sentence, not two columns
            done, result = f"{done}: {result}", ""
        came = f'<span class="came">{text(result)}</span>' if result else ""
        ran = self.study.accounts.ran(step)
        took = f'<span class="ran">{duration(ran)}</span>' if ran and ran >= 0.05 else ""
        what = f'<span class="what h-{family}">{text(done)}</span>'
        if event.is_by_user:
            what = f"<h3>{what}</h3>"
        sign = f' <span class="star" role="img" aria-label="bookmarked">{UNICODE.bookmark}</span>'
        sign = sign if event.id in self.kept.bookmarks else ""
        classes = "step bad" if outcome is Outcome.ERROR else "step"
        return (
            f'<details class="{classes}" id="step-{name}"{" open" if is_open else ""}><summary>'
            f'<span class="n">{name}{sign}</span>{mark if glyph else ""}{what}{came}{took}'
            f'</summary><div class="body">\n{self._body(step, outcome, context, name)}\n'
            "</div></details>\n"
        )

    def _body(self, step: Step, outcome: Outcome, context: StepContext, name: str) -> str:
        call = call_blocks(step, whole=True, context=context) if step.is_call else []
        result = result_blocks(step, outcome, context=context)
        note = safe(self.kept.step_notes.get(step.event.id, "")).strip()
        self.sink.hides(f"step {name}", f"{plain_text([*call, *result])}\n{note}")
        self.sink.files(step, diffs=True)
        images = iter(images_of(step))
        parts = [self._about(step, name)]
        if note:
            parts.append(f'<p class="own">{text(note)}</p>')
        if call:
            parts.append(blocks_html(call, images, self.sink))
            title = text(result_title(step, outcome) or "result")
            hue = outcome_mark(UNICODE, outcome)[1] or "dim"
            parts.append(f'<p class="came-to h-{hue}">{title}</p>')
        parts.append(blocks_html(result, images, self.sink))
        return "\n".join(parts)

    def _about(self, step: Step, name: str) -> str:
        """Its address in the page, its time and cost; and the places of its events."""
        places = "".join(f'<a id="{anchor(e.id)}"></a>' for e in (step.event, *step.results))
        spent = self.study.accounts.of(step)
        cost = dollars(spent.cost) if spent and spent.cost else ""
        facts = (
            f'<a href="#step-{name}">#step-{name}</a>',
            text(call_title(step).partition(" · ")[2]),
            time_html(step.event, self.study.trajectory.began),
            text(cost),
        )
        return f'<p class="about">{places}{" · ".join(filter(None, facts))}</p>'


def time_html(event: Event, began: float | None) -> str:
    """When it happened, since the begin of the run; "" without a time."""
    when = event.seconds()
    if when is None or began is None:
        return ""
    at = line(event.timestamp)
    return f'<time datetime="{at}" title="{at}">{clock(when - began)}</time>'


def event_html(event: Event, sink: Sink) -> str:
    about, blocks = describe_event(event), event_blocks(event)
    sink.hides(f"event {safe_line(event.id)}", plain_text(blocks))
    body = blocks_html(blocks, iter(find_images(event.body())), sink)
    head = " · ".join(filter(None, (event.kind, event.key, event.timestamp)))
    return (
        f'<details class="step" id="{anchor(event.id)}"><summary><span class="what">'
        f'{text(about.what)}</span><span class="came">{text(about.result)}</span></summary>'
        f'<div class="body">\n<p class="about">{line(head)}</p>\n{body}\n</div></details>\n'
    )


def _gap(first: int, last: int) -> str:
    steps = f"steps {first:,} to {last:,} are" if last > first else f"step {first:,} is"
    return f'<p class="gap">{steps} left out here</p>\n'
