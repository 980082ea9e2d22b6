"""What a run tells of how to run it again, what lacks, and what its calls would do once more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from oh_tui.text.human import are, plural
from oh_tui.text.redact import HIDDEN, safe_line
from oh_tui.trajectory.context.context_index import CALLS_AS_TEXT, NO_SYSTEM
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.bodies import field, text_field
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.reading.describe import describe
from oh_tui.trajectory.reading.file_operations import touches
from oh_tui.trajectory.reading.intents import purposes_of
from oh_tui.trajectory.reading.lasting import cannot_be_undone
from oh_tui.trajectory.reading.write_targets import Target, in_folder, working_folder
from oh_tui.trajectory.replay.start import folder_of, state_of
from oh_tui.trajectory.shell.purpose import Purpose


class Reaching(NamedTuple):
    """A call that may do something beyond the folder of its run."""

    step: int
    """Of the run; for a call of a sub-agent the step that began it, 0 where that is not known."""
    what: str
    """Its line, safe to show, behind its own number for a sub-agent."""
    why: str


class Needed(NamedTuple):
    """A file that a call names before the run made it."""

    step: int
    path: str


class Check(NamedTuple):
    model: str
    tools: tuple[str, ...]
    condenser: str
    """The kind of it; "" where none is told."""
    folder: str
    """Where the run worked; "" where nothing tells it."""
    rules: str
    """By which version of the SDK its contexts are made, in words."""
    version_is_told: bool
    answers: int
    lacks: tuple[str, ...]
    """Why it cannot run again, a sentence each."""
    reaching: tuple[Reaching, ...]
    needed: tuple[Needed, ...]

    @property
    def can(self) -> bool:
        return not self.lacks


def check(study: Study, model: str) -> Check:
    """`model` is its name in the record of the conversation."""
    contexts, run = study.contexts, study.trajectory
    agent = field(state_of(run), "agent")
    answers = contexts.answers
    tools = contexts.at(answers[0]).tools if answers else ()
    return Check(
        safe_line(text_field(agent, "llm", "model") or model),
        tuple(map(safe_line, tools)),
        safe_line(text_field(agent, "condenser", "kind")),
        safe_line(folder_of(run)),
        contexts.rules.sentence,
        not contexts.needs_version,
        len(answers),
        tuple(_lacks(study, agent)),
        tuple(_reaching(study)),
        tuple(_needed(study)),
    )


def _lacks(study: Study, agent: object) -> Iterator[str]:
    contexts = study.contexts
    if contexts.keeps_own_context:
        yield "its agent is another program, which keeps its context itself (ACP)"
        return
    if not contexts.answers:
        yield "no answer of a model is in it"
        return
    if not contexts.rules.is_sdk:
        yield f"it was not written by the OpenHands SDK: {contexts.rules.sentence}"
    gaps = {gap.name: gap for gap in contexts.gaps}
    for name in (NO_SYSTEM.name, "older events"):
        if name in gaps:
            yield gaps[name].about
    if field(agent, "llm", "native_tool_calling") is False:
        yield f"{CALLS_AS_TEXT.about}: their text is not made here"
    if stray := study.trajectory.counts.stray_results:
        yield f"{plural(stray, 'result')} of it {are(stray)} without a call: an answer is missing"
    events = (one for run in _all(study) for one in run.trajectory.events)
    if masked := sum(HIDDEN.encode() in event.raw() for event in events):
        yield f"{plural(masked, 'event')} of it {are(masked)} masked: what stood there is lost"


def _reaching(study: Study) -> Iterator[Reaching]:
    subs = [(one, top.step) for top in study.sub_runs.runs for one in _all(top)]
    for run, place in ((study, None), *subs):
        for step in run.trajectory.steps:
            if step.is_call and (why := _reach(run, step)):
                what = describe(step, run.trajectory.outcome(step)).what
                within = f"{run.path}{step.number} " if run.path else ""
                yield Reaching(step.number if place is None else place, f"{within}{what}", why)


def _all(study: Study) -> tuple[Study, ...]:
    """A run and all sub-agents below it: their tools run again too."""
    return study, *study.sub_runs.all()


_FAR = {
    Purpose.PUSH: "pushes",
    Purpose.FORCE: "pushes over what others may have",
    Purpose.NETWORK: "network",
    Purpose.INSTALL: "installs packages",
    Purpose.SUDO: "as another user",
}

_AT_HOME = frozenset({
    "Terminal", "FileEditor", "Edit", "WriteFile", "ReadFile", "ApplyPatch", "TaskTracker",
    "Think", "Finish", "Glob", "Grep", "ListDirectory", "Task", "Delegate", "",
})  # fmt: skip
"""Tools whose work is in the folder, or told by its commands."""


def _reach(study: Study, step: Step) -> str:
    """Why a call may reach beyond the folder of its run; "" where nothing says so."""
    purposes = purposes_of(step)
    if found := next((why for purpose, why in _FAR.items() if purpose in purposes), ""):
        return found
    writes = study.targets(step)
    if Target.OUTSIDE in writes.known | writes.may_be:
        return "writes outside of its folder"
    if cannot_be_undone(step) and not writes.known:
        return "cannot be undone"
    return "" if step.event.tool in _AT_HOME else "a tool that may reach anywhere"


def _needed(study: Study) -> Iterator[Needed]:
    """The files that its editor names before the run made them, each once."""
    met = set[str]()
    folder = working_folder(study.trajectory)
    for step in study.trajectory.steps:
        if not step.is_call or step.result is None or step.result.failed:
            continue
        for touch in touches(step):
            path = in_folder(touch.path, folder)
            if path not in met and touch.verb != "create" and path != folder:
                yield Needed(step.number, safe_line(path))
            met.add(path)
