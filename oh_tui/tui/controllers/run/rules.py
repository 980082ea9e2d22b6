"""`C`: which rules the run at the right holds and which it breaks. Its verdict line tells how many
of high severity it breaks, once that is known."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

from oh_tui.batch.rules import agreed, rule
from oh_tui.settings.paths import tilde
from oh_tui.text.problem import Problem
from oh_tui.trajectory.presentation.block import Code
from oh_tui.tui.controllers.controller import Controller
from oh_tui.tui.controllers.run.pace import Pace
from oh_tui.tui.messages import RulesFound, StepWanted
from oh_tui.tui.screens import rules as screen
from oh_tui.tui.state import rules as state
from oh_tui.tui.widgets.conversation_list import title_of
from oh_tui.tui.widgets.question_bar import Answer, Question, Stake

if TYPE_CHECKING:
    from pathlib import Path

    from oh_tui.batch.rules.rule_places import Rules
    from oh_tui.conversation import Conversation
    from oh_tui.trajectory.findings.study import Study
    from oh_tui.tui.controllers import Controllers
    from oh_tui.tui.controllers.run.target import TargetRun
    from oh_tui.tui.screens.rules import RulesScreen
    from oh_tui.tui.state.rules import RunFindings
    from oh_tui.tui.widgets.timeline import Timeline

LONG = 5_000
"""Steps of a run from which only `C` asks its rules: that takes seconds."""

EVERY = 0.2
"""Seconds between two showings of the progress."""


class RulesOfRun(Controller):
    _steps: Timeline
    _run: TargetRun
    _controllers: Controllers
    _in_force: Rules | None = None
    _found: RunFindings | None = None

    @property
    def broken(self) -> int:
        """How many rules of high severity the run at the right breaks; 0 while not known."""
        found, study = self._found, self._steps.study
        return found.broken if found and found.state.study() is study else 0

    # In the background

    def look(self) -> None:
        """The run at the right was read, or has come to rest."""
        if self._steps.is_running and not self._ui.at_work("rules"):
            self._ui.work_on("rules", self._ask_unseen)

    async def _ask_unseen(self) -> None:
        study = self._steps.study
        if study is None or len(study.trajectory) > LONG or self._goes_on(study):
            return
        if self._session.current is not None:
            await self._ask(self._session.current, study)

    def _goes_on(self, study: Study) -> bool:
        run = study.trajectory
        return self._session.reader is not None or (run.live and run.status == "running")

    # The view

    def action_rules(self) -> None:
        conversation = self._run.show_wanted()
        self._in_force = None  # their file may have changed
        file = agreed.of_repository(agreed.here())
        if file is None:
            self._open(conversation)
        else:
            with self._ui.expecting():
                self._ui.work_on("agree", self._agree, file, conversation, instead=True)

    async def _agree(self, file: Path, conversation: Conversation) -> None:
        """Ask before the rules of a repository count, showing its file; then open the view."""
        with contextlib.suppress(Problem):  # the view tells it
            asked = agreed.not_agreed(os.environ, file)
            if asked is not None and await self._agrees(asked):
                with self._ui.reporting():
                    asked.agree(os.environ)
        self._open(conversation)

    async def _agrees(self, asked: agreed.NotAgreed) -> bool:
        lines = [[("Whoever wrote this repository wrote these rules; a change asks again", "")]]
        question = Question("", lines, [Answer("let them count", "yes")], stake=Stake.WORK)
        title = (("Rules of this repository", "title"),)
        facts = ((tilde(asked.file, os.environ), "dim"),)
        blocks = [Code(asked.text, "rules.toml")]
        return bool(await self._ui.ask_about(blocks, question, title, facts))

    def _open(self, conversation: Conversation, under: str = "") -> None:
        is_shown = self._run.study_of(conversation) is not None and self._steps.row_count()
        here = self._steps.step_here if is_shown else 0
        view = screen.RulesScreen(title_of(conversation), here, under)

        def closed(chosen: screen.Chosen | None) -> None:
            self._ui.cancel("rules")
            if chosen and self._session.is_open(conversation):
                self._go(conversation, chosen)

        self._ui.push_screen(view, closed)
        self._ui.work_on("rules", self._show, view, conversation, instead=True)

    def _go(self, conversation: Conversation, chosen: screen.Chosen) -> None:
        """To the step; esc there comes back to the rule."""
        study = self._run.study_of(conversation)
        step = study.trajectory.step_of(chosen.event_id) if study else None
        if step is not None:
            self._ui.focus_pane("timeline")
            self._ui.post_message(StepWanted(step.number))
            again = partial(self._open, conversation, chosen.rule)
            self._controllers.way_back.leave_view(conversation, again)

    async def _show(self, view: RulesScreen, conversation: Conversation) -> None:
        """Show what the rules find as soon as the run is read, and again as it grows."""
        session = self._session
        while study := await self._run.until_shown(conversation):
            began, goes_on = perf_counter(), self._goes_on(study)
            view.show(await self._ask(conversation, study, view))
            if not goes_on:
                return
            await asyncio.sleep(perf_counter() - began)  # half of the time is for others
            if self._goes_on(study):  # else its last news came meanwhile
                await session.run_news.wait()
        view.tell_progress((self._steps.empty or ("this run could not be read",))[0])

    # Asking

    async def _ask(
        self, conversation: Conversation, study: Study, view: RulesScreen | None = None
    ) -> RunFindings:
        """What the rules find in a run, as it is now. In a thread, which ends with the worker."""
        if self._in_force is None:
            # in the thread: loading what knows the rules takes longer than a frame
            self._in_force = await asyncio.to_thread(lambda: state.in_force(os.environ))
        in_force, now = self._in_force, state.RunState.of(study)
        if self._found is None or (self._found.in_force, self._found.state) != (in_force, now):
            self._found = await self._find(in_force, conversation, study, view)
        self._ui.post_message(RulesFound())
        return self._found

    async def _find(
        self,
        in_force: Rules,
        conversation: Conversation,
        study: Study,
        view: RulesScreen | None,
    ) -> RunFindings:
        kept, stop = self._session.annotations.of(conversation), threading.Event()
        at, steps = [0], len(study.trajectory)
        of, pace = state.RunState.of(study), Pace(self._ui, behind=True)

        def watch(number: int) -> None:
            at[0] = number
            pace.rest_in_thread()
            if stop.is_set():
                raise _Stopped

        ask = asyncio.to_thread(
            lambda: rule.findings(in_force.rules, study, conversation, kept, watch)
        )
        work = asyncio.create_task(ask)
        try:
            while not (await asyncio.wait({work}, timeout=EVERY))[0]:
                if view is not None:
                    view.tell_progress(f"asking the rules, step {at[0]:,} of {steps:,}")
            return state.RunFindings(in_force, of, work.result())
        finally:
            stop.set()
            work.cancel()


class _Stopped(Exception):
    """The view was closed, or another run was opened."""
