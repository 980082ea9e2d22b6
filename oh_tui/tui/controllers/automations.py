"""Automations: read them and the runs of those in sight, switch one, run one now, stop a run with
its agent; and the view of the runs of one."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING

from oh_tui.actions.automations import StopStage
from oh_tui.api.automation_models import AutomationRun
from oh_tui.catalog.automations import (
    conversation_of,
    is_derived,
    is_over,
    made_by,
    outcome,
    trigger_words,
)
from oh_tui.conversation import bare_id
from oh_tui.text.human import dollars
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.tui.controllers.controller import Controller, in_worker, short_title
from oh_tui.tui.messages import AgentChanged, AutomationsChanged, AutomationsWanted
from oh_tui.tui.screens import automation as screen
from oh_tui.tui.screens.acting import OpensView
from oh_tui.tui.state.automations import at_work, key_of
from oh_tui.tui.ui import NotNow
from oh_tui.tui.widgets.question_bar import Answer, Question, Stake

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from oh_tui.actions.automations import Automations, StopPlan
    from oh_tui.api.automation_models import Automation
    from oh_tui.conversation import Conversation
    from oh_tui.sources.source import OfServer
    from oh_tui.tui.controllers.across_runs.back_stack import WayBack
    from oh_tui.tui.state.automations import AutomationRow, LoadedAutomations
    from oh_tui.tui.widgets.drawing import Piece

AT_ONCE = 4
"""Calls for runs that are under way together."""

MOST_UNSEEN = 8
"""Automations out of sight whose runs are read, as agents of theirs work."""

STOPPING = "stopping the run of an automation"

_UNDER_WAY = (StopStage.CANCELLING, StopStage.INTERRUPTING)


class AutomationActions(OpensView[screen.AutomationScreen], Controller):
    _way_back: WayBack
    _anew = False
    _at_work: AbstractSet[str] = frozenset()
    """Keys of those whose agents work, in sight or not: an agent of a run that is over is told."""

    def _automations(self) -> Automations:
        """Raises NotNow where the source has none."""
        source = self._session.source
        if source is None or source.automations is None:
            raise NotNow("there are no automations here")
        return source.automations

    def _changeable(self, of: OfServer) -> Automations:
        """Raises NotNow also where nothing can be changed on the server of this."""
        if why := self._session.no_change_of(of):
            raise NotNow(why)
        return self._automations()

    def _row(self) -> AutomationRow:
        """That under the cursor. Raises NotNow."""
        if (row := self._session.automation) is None:
            raise NotNow("no automation is selected: 2 goes to them")
        return row

    # Reading

    def read(self, *, anew: bool = False) -> None:
        self._anew |= anew
        if not self._ui.at_work("automations"):
            self._ui.work_on("automations", self._read)

    async def _read(self) -> None:
        """The list takes one call; then the runs in sight are read that may be others by now."""
        session, automations = self._session, self._automations()
        anew, self._anew = self._anew, False
        kept = session.automations
        found = await automations.all()
        if kept is not session.automations:
            return
        now, servers = time.time(), {one.server for one in found}
        ahead = {each: round(now - automations.now(each)) for each in servers}
        is_sorted = anew or session.pane != "automations"
        kept.take(found, automations.problem, ahead, sort=is_sorted, anew=anew)
        self._ui.post_message(AutomationsChanged())

    def rows_changed(self) -> None:
        kept, made = self._session.automations, map(made_by, at_work(self._session.conversations))
        found = [kept.of(one.automation_id) for one in list(filter(None, made))[:MOST_UNSEEN]]
        self._at_work = {key_of(one) for one in found if one}
        self._renew_view()
        self.read_runs()

    def read_runs(self) -> None:
        """Read the runs of the automations in sight, where they are not known as they are now."""
        if self._unread() and not self._ui.at_work("automation-runs"):
            self._ui.work_on("automation-runs", self._read_runs)

    def _unread(self) -> list[Automation]:
        cursors = self._session.cursors
        seen = self._at_work | set(cursors.automations_in_sight if cursors else ())
        seen |= {key_of(self.view.of)} if self.view else set()
        return self._session.automations.unread(seen)

    async def _read_runs(self) -> None:
        kept, automations = self._session.automations, self._automations()
        while kept is self._session.automations and (some := self._unread()[:AT_ONCE]):
            await asyncio.gather(*(_read_into(kept, automations, one) for one in some))
            self._ui.post_message(AutomationsChanged())

    # The view of one

    def open(self, one: Automation, run_id: str = "") -> None:
        """Show its runs, the cursor on that with this id."""
        changes = not self._session.no_change_of(one)
        log = self._automations().log
        self.push(screen.AutomationScreen(self._ui, one, log, run_id, changes=changes))
        self._renew_view()
        self.read_runs()

    def _renew_view(self) -> None:
        session, kept, view = self._session, self._session.automations, self.view
        if view and (one := kept.of(view.of.id, view.of.server)):
            loaded = session.conversations
            row = kept.row(one, at_work(loaded))
            told = {bare_id(run.conversation_id or "") for run in row.runs}
            theirs = [each for each in loaded if made_by(each) or bare_id(each.id) in told]
            runs = [
                screen.RunRow(run, conversation_of(run, theirs), run.id in row.working)
                for run in row.runs
            ]
            view.show(row, runs, session.hearing.now() - row.ahead)

    @in_worker("write")
    async def action_open_run(self) -> None:
        """Open the conversation of the run under the cursor; esc there comes back to the run."""
        if (view := self.view) is None or (row := self.row) is None:
            return
        if not row.leads:
            raise NotNow("no conversation of it is known: below is what is")
        with self._ui.reporting():
            found = row.conversation
            if found is None:
                with self._ui.preparing("looking for its conversation"):
                    found = await self._automations().conversation(row.run)
            if found is None:
                raise NotNow("its conversation is not on the server any more")
            self.leave()
            self._way_back.open(found, partial(self.open, view.of, row.run.id))

    @in_worker("write")
    async def action_stop(self) -> None:
        """Stop the run under the cursor of the view, or its agent."""
        if self.row and not self.row.can_stop:
            raise NotNow("this run is over, and no agent of it works")
        if self.row:
            await self._stop(self.row.run)

    @in_worker("write")
    async def action_switch(self) -> None:
        if self.view and self.view.row:
            await self.switch(self.view.row.automation)

    def action_of_conversation(self) -> None:
        """Open the automation that made the conversation that a key means, at its run."""
        conversation, kept = self._meant(), self._session.automations
        if (made := made_by(conversation)) is None:
            raise NotNow("no automation made this conversation")
        if (one := kept.that_made(conversation)) is None:
            raise NotNow(kept.problem or "its automation is not among those of the server")
        self.open(one, made.run_id)

    # Acts

    async def switch(self, one: Automation | None = None) -> None:
        """Switch an automation off, or on; by default that under the cursor."""
        one = one or self._row().automation
        automations, wanted = self._changeable(one), one.is_on is not True
        name, when = _named(one), trigger_words(one.trigger)
        if wanted:
            lines: list[list[Piece]] = [[(f"It runs {when}, which costs money.", "")]]
            answers = (Answer("switch on", "on"),)
            question = Question(f"Switch {name} on", lines, answers, stake=Stake.WORK)
            if not await self._ui.ask(question):
                return
        with self._ui.reporting(), self._session.writes.doing("switching an automation"):
            now = await automations.set_enabled(one, wanted)
            self._session.automations.changed(now)
            self._ui.post_message(AutomationsChanged())
            goes_on = "" if wanted else "; what runs goes on"
            self._ui.tell(f"{name} is {'on' if wanted else 'off'}{goes_on} · p undoes it")

    @in_worker("write")
    async def action_run(self) -> None:
        """Begin a run of the automation under the cursor."""
        row = self._row()
        one, name = row.automation, _named(row.automation)
        automations = self._changeable(one)
        last = next((run.price for run in row.runs if run.price), None)
        cost = f", its last run {dollars(last)}" if last else ""
        lines: list[list[Piece]] = [[(f"A run starts now, which costs money{cost}.", "")]]
        if any(not is_over(run) for run in row.runs):
            lines.append([("Another run of it is under way.", "warn")])
        question = Question(f"Run {name}", lines, (Answer("run it", "run"),), stake=Stake.WORK)
        if not await self._ui.ask(question):
            return
        with self._ui.reporting(), self._session.writes.doing("starting a run"):
            await automations.run_now(one)
            self._changed(one)
            self._ui.tell(f"{name} runs: it begins within 10 s")

    async def stop(self) -> None:
        """Stop the run of the automation under the cursor, or the agent of one that is over."""
        row = self._row()
        if row.page is None:
            raise NotNow(row.problem or "its runs are still being read")
        if row.to_stop is None:
            raise NotNow("no run of it is under way, and no agent of one works")
        await self._stop(row.to_stop)

    async def stop_run(self, conversation: Conversation) -> bool:
        """Stop the run that made a conversation, with its agent; False where it is over, or none
        made it: then its agent alone is to be stopped."""
        made = None if is_derived(conversation) else made_by(conversation)
        one = self._session.automations.that_made(conversation)
        if made is None or one is None:
            return False
        run = AutomationRun(made.run_id, one.id, server=one.server)
        try:
            with self._ui.preparing("asking for the run of its automation"):
                run = await self._automations().current(run)
        except Problem:
            return False  # whatever is with the automations, its agent can be stopped
        if is_over(run):
            return False
        await self._stop(run)
        return True

    async def _stop(self, run: AutomationRun) -> None:
        automations, session = self._changeable(run), self._session
        with self._ui.reporting():
            with self._ui.preparing("asking how the run stands"):
                plan = await automations.stop_plan(run, session.conversations)
            if not await self._ui.ask(self._question(plan)):
                return
            one = session.automations.of(run.automation_id or "", run.server)
            about, done = plan.conversation.id if plan.conversation else "", list[str]()
            try:
                with session.writes.doing(STOPPING, about):
                    async for stage in automations.stop(plan):
                        self._ui.tell(stage, passing=True)
                        done += [stage] * (stage not in _UNDER_WAY)
            finally:
                self._changed(one)
                if about:
                    self._ui.post_message(AgentChanged(about))
            self._ui.tell(", ".join(done))

    def _question(self, plan: StopPlan) -> Question:
        """Names the automation, the run and the conversation, and says what ends."""
        run, glyphs = plan.run, self._ui.glyphs
        one = self._session.automations.of(run.automation_id or "", run.server)
        sign, hue = (glyphs.failed, "warn") if plan.works_on else outcome(run).mark(glyphs)
        began = f"run {safe_line(run.id, 8)}"
        name = _named(one) if one else "an automation"
        lines: list[list[Piece]] = [[(f"{sign} ", hue), (name, ""), (f"  {began}", "dim")]]
        if plan.conversation:
            lines.append([("in ", "dim"), (short_title(plan.conversation), "")])
        lines.append([(f"This will {plan.words}.", "")])
        title = "Stop the agent of a run" if plan.works_on else "Stop the run"
        label = "stop the agent" if plan.works_on else "stop both" if plan.interrupts else "stop it"
        return Question(title, lines, (Answer(label, "stop"),), stake=Stake.WORK)

    def _changed(self, one: Automation | None) -> None:
        if one:
            self._session.automations.outdated(key_of(one))
        self._ui.post_message(AutomationsWanted())


def _named(one: Automation) -> str:
    name = safe_line(one.name or "", 40) or "an automation without a name"
    return f"{one.server}: {name}" if one.server else name


async def _read_into(kept: LoadedAutomations, automations: Automations, one: Automation) -> None:
    try:
        kept.take_runs(one, await automations.runs(one))
    except Problem as error:
        kept.take_runs(one, None, error.sentence)
