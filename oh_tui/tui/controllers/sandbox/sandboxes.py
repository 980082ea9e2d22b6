"""`p`: pause and resume sandboxes, one or all marked ones; and access to a sandbox for the shell
and for files."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from oh_tui.actions import workspace as sandbox_workspace
from oh_tui.actions.sandboxes import SandboxPlan, SandboxStage, ServerSandboxes
from oh_tui.catalog.run_status import reported_status
from oh_tui.text.human import duration, plural
from oh_tui.text.problem import Problem
from oh_tui.trajectory.glyphs import status_mark
from oh_tui.trajectory.model.steps import Outcome
from oh_tui.trajectory.reading.describe import describe
from oh_tui.tui.controllers.controller import Controller, in_worker
from oh_tui.tui.messages import ListsChanged, ListsWanted
from oh_tui.tui.state.work import Batch, Wait
from oh_tui.tui.ui import NotNow
from oh_tui.tui.widgets.conversation_list import first_titles, title_of
from oh_tui.tui.widgets.drawing import Piece, shorten
from oh_tui.tui.widgets.question_bar import Answer, Question, Stake

if TYPE_CHECKING:
    from oh_tui.actions.workspace import Workspace
    from oh_tui.conversation import Conversation
    from oh_tui.tui.controllers import Controllers
    from oh_tui.tui.controllers.run.reader import RunReader

SHOWN = 3
"""Conversations named in a question; the others are counted."""

_FREEZE = Answer("freeze now", "now", "f")

_NEEDED = "The sandbox is paused, and this needs it to run. "


class SandboxActions(Controller):
    _reader: RunReader
    _controllers: Controllers

    @in_worker("write")
    async def action_pause(self) -> None:
        """Pause the sandbox, or resume it when it is paused; likewise all marked ones. Switch an
        automation off, or on."""
        session = self._session
        if session.pane == "automations":
            await self._controllers.automations.switch()
            return
        sandboxes = session.source.sandboxes if session.source else None
        if session.no_changes or sandboxes is None:
            raise NotNow(session.no_changes or session.no_sandboxes)
        if session.means_marked:
            await self._pause_marked(sandboxes)
            return
        sandbox_id = session.target_sandbox()
        if not sandbox_id:
            raise NotNow("no sandbox is selected")
        if await self.change(sandboxes, sandbox_id):
            self._ui.post_message(ListsWanted())

    async def workspace(self, conversation: Conversation) -> Workspace | None:
        """Resumed if it is paused; None if the user declines that. Raises Problem if it is down."""
        session = self._session
        source = session.source
        places = source.holder(conversation).workspaces if source else None
        if source is None or places is None:
            raise Problem("A file has no sandbox")
        sandboxes = source.sandboxes
        try:
            with self._ui.preparing(f"asking for {places.workplace.name}"):
                return await places.open(conversation)
        except sandbox_workspace.Asleep:
            read_only = session.settings.of(conversation.server).read_only
            if read_only or not (sandboxes and conversation.sandbox_id):
                raise
        waits, wait = session.waits, Wait("the sandbox is being resumed", time.monotonic())
        waits.append(wait)
        try:
            await self.change(sandboxes, conversation.sandbox_id, opens=True)
            wanted = wait in waits  # else Esc gave it up, while the resume goes on
        finally:
            if wait in waits:
                waits.remove(wait)
        self._ui.post_message(ListsWanted())
        if not wanted or session.source is not source:  # given up, or another server is open
            return None
        try:
            with self._ui.preparing(f"asking for {places.workplace.name}"):
                return await places.open(conversation)
        except sandbox_workspace.Asleep:
            return None  # the reason has been shown

    # One sandbox

    async def change(
        self, sandboxes: ServerSandboxes, sandbox_id: str, *, opens: bool = False
    ) -> bool:
        """Pause this sandbox, or resume it; not while a change is under way. If that `opens` a
        field or a screen, keys typed meanwhile wait for it. False if nothing was begun."""
        session = self._session
        if sandbox_id in session.changing:
            self._ui.tell(f"it is still {session.changing[sandbox_id]}")
            return False
        with session.claiming([sandbox_id]), self._ui.reporting():
            if not await self._change(sandboxes, sandbox_id, opens):
                return False
        return True  # also if it failed: the lists tell how things are

    async def _change(self, sandboxes: ServerSandboxes, sandbox_id: str, opens: bool) -> bool:
        with self._ui.preparing("asking for the sandbox's state"):
            plan = await sandboxes.plan(sandbox_id)
        if not plan.action:
            raise Problem(f"No pause or resume: {plan.reason}", plan.hint)
        if why := self._session.no_change_of(plan.sandbox):
            raise Problem(why)
        pauses = plan.action == "pause"
        if opens and pauses:  # somebody has resumed it
            return True
        answer = "now"
        if pauses or plan.at_stake:
            answer = await self._ui.ask(self.question(plan, _NEEDED if opens else ""))
        if not answer:
            return False
        with self._ui.expecting() if opens else contextlib.nullcontext():
            await self.as_planned(sandboxes, plan, stop_agents=answer == "stop")
        return True

    async def as_planned(
        self, sandboxes: ServerSandboxes, plan: SandboxPlan, *, stop_agents: bool = False
    ) -> None:
        assert plan.sandbox is not None
        session, sandbox_id, pauses = self._session, plan.sandbox.id, plan.action == "pause"
        session.changing[sandbox_id] = "being paused" if pauses else "being resumed"
        with session.writes.doing("pausing a sandbox" if pauses else "resuming a sandbox"):
            stage = await self._carry_out(sandboxes, plan, self._ui.tell, stop_agents=stop_agents)
            paused = [sandbox.id for sandbox in await sandboxes.displaced(plan)]
            displaced = ""
            if paused:  # by the server, to make room
                titles = [title_of(c) for c in session.conversations if c.sandbox_id in paused]
                named = ", ".join(titles[:2]) or plural(len(paused), "sandbox", "sandboxes")
                displaced = f" · the server paused {named}"
            if stop_agents and plan.running:
                displaced += " · the agent was stopped; after a resume it stays stopped"
            if session.target_sandbox() == sandbox_id:
                whose = "sandbox"
                undo = " · p resumes it" if pauses and not displaced else ""
            else:  # the user has moved on, and p would act on another one
                inside = ", ".join(title_of(c) for c in plan.conversations[:1])
                whose, undo = f"sandbox of {inside}" if inside else "the sandbox", ""
            self._ui.tell(f"{whose} {stage}{displaced}{undo}")

    async def _carry_out(
        self,
        sandboxes: ServerSandboxes,
        plan: SandboxPlan,
        tell: Callable[[str], None],
        *,
        stop_agents: bool = False,
    ) -> str:
        """Show each stage, return the last. No refresh asked for earlier reverts the new state."""
        assert plan.sandbox is not None
        stage = ""
        async for stage in sandboxes.carry_out(plan, stop_agents=stop_agents):
            tell(stage)
            if stage == SandboxStage.PAUSING:
                for conversation in plan.running:
                    await self._reader.read_last(conversation)
        status = "PAUSED" if plan.action == "pause" else "RUNNING"
        self._session.sandbox_settled(plan.sandbox.id, status)
        self._ui.post_message(ListsChanged())
        return stage

    def question(self, plan: SandboxPlan, why: str = "") -> Question:
        on = f" on {plan.sandbox.server}" if plan.sandbox and plan.sandbox.server else ""
        if plan.action == "resume":
            listed = self._session.conversations
            inside = {c.sandbox_id: c for c in reversed(listed)}
            names = [title_of(inside[s.id]) for s in plan.others if s.id in inside][:SHOWN]
            up = plural(len(plan.others), "other sandbox", "other sandboxes")
            limit = "If this goes over its limit, the server pauses the oldest without asking:"
            lines: list[list[Piece]] = [
                [(f"{why}{up} up. {limit}", "")],
                [("  ".join(names) or "their conversations are not loaded", "dim")],
            ]
            resume = Answer("resume", "now")
            return Question(f"Resume sandbox{on}", lines, (resume,), stake=Stake.WORK)
        running = plan.running
        count = plural(len(running), "run")
        head = f"Stops {count}:" if running else "Pauses the sandbox of:"
        first: list[Piece] = [(f"{head} ", "")]
        ordered = [*running, *(c for c in plan.conversations if c not in running)]
        for conversation in ordered[:SHOWN]:
            first += self._named(conversation)
        if len(ordered) > SHOWN:
            first.append((f"and {len(ordered) - SHOWN} more", "dim"))
        answers = [Answer("pause", "now")]
        if running:
            answers = [Answer("stop the agent after this step, then pause", "stop"), _FREEZE]
        again = partial(self.question, plan) if running else None
        return Question(f"Pause sandbox{on}", [first], answers, stake=Stake.WORK, again=again)

    def _named(self, conversation: Conversation) -> list[Piece]:
        """Glyph and title; for the run at the right also its current step."""
        session = self._session
        glyph, hue = status_mark(self._ui.glyphs, reported_status(conversation))
        doing = ""
        run = session.runs.get(conversation.id) if session.is_open(conversation) else None
        if run and len(run.whole):
            last = run.whole.steps[-1]
            began = last.event.seconds()
            if run.whole.outcome(last) is Outcome.RUNNING and began is not None:
                what = shorten(describe(last, Outcome.RUNNING).what, 24)
                doing = f" ({duration(max(0.0, session.clock() - began))} into {what})"
        return [(glyph, hue), (f" {title_of(conversation)}{doing}   ", "")]

    # All that are marked: one question, then one after the other

    def stop_batch(self) -> bool:
        """Stop before the next marked sandbox; False when there is none, or it stops already."""
        batch = self._session.batch
        if batch is None or batch.stopped:
            return False
        batch.stopped = True
        self._ui.tell("stops after this one")
        return True

    async def _pause_marked(self, sandboxes: ServerSandboxes) -> None:
        """Pause the marked ones, or resume them if none runs; skip those that a key changes."""
        session = self._session
        if session.batch:
            raise NotNow("sandboxes marked earlier are still being changed")
        ids = dict.fromkeys(c.sandbox_id for c in session.marked if c.sandbox_id)
        free = [one for one in ids if one not in session.changing]
        if ids and not free:
            word = session.changing[next(iter(ids))]
            raise NotNow(f"{plural(len(ids), 'sandbox', 'sandboxes')} still {word}")
        with session.claiming(free) as claimed, self._ui.reporting():
            plans: dict[str, SandboxPlan] = {}
            for number, one in enumerate(free, 1):  # three calls for each
                with self._ui.preparing(f"looking at sandbox {number} of {len(free)}"):
                    plans[one] = await sandboxes.plan(one)
            action = "pause" if any(p.action == "pause" for p in plans.values()) else "resume"
            todo = {
                one: plan
                for one, plan in plans.items()
                if plan.action == action and not session.no_change_of(plan.sandbox)
            }
            if not todo:
                first = next(iter(plans.values()), None)
                reason = first.reason if first else "none of them has a known sandbox"
                raise Problem(f"No pause or resume: {reason}", first.hint if first else "")
            answer = "now"
            if action == "pause" or any(plan.at_stake for plan in todo.values()):
                question = self._marked_question([*todo.values()], len(ids) - len(todo))
                answer = await self._ui.ask(question)
            if not answer:
                return
            for one in plans.keys() - todo.keys():
                session.release(one, claimed)
            await self._carry_out_all(sandboxes, todo, claimed, stop_agents=answer == "stop")
        self._ui.post_message(ListsWanted())

    async def _carry_out_all(
        self,
        sandboxes: ServerSandboxes,
        todo: dict[str, SandboxPlan],
        claimed: set[str],
        *,
        stop_agents: bool,
    ) -> None:
        """One after the other; unmarks those that are done. Raises Problem if one failed."""
        session = self._session
        count = plural(len(todo), "sandbox", "sandboxes")
        pauses = next(iter(todo.values())).action == "pause"
        verb, passive = ("pausing", "paused") if pauses else ("resuming", "resumed")
        done: set[str] = set()
        problems: list[Problem] = []
        session.changing |= dict.fromkeys(todo, f"waiting to be {passive}")
        session.batch = batch = Batch()

        def tell(head: str, more: str, stage: str) -> None:
            self._ui.tell(f"{head}: {stage}{more}", log=False)

        with session.writes.doing(f"{verb} {count}"):
            try:
                for number, (sandbox_id, plan) in enumerate(todo.items(), 1):
                    if batch.stopped:
                        break
                    session.changing[sandbox_id] = f"being {passive}"
                    more = " · esc stops after this one" if number < len(todo) else ""
                    head = f"{number} of {len(todo)}"
                    try:
                        await self._carry_out(
                            sandboxes, plan, partial(tell, head, more), stop_agents=stop_agents
                        )
                        done.add(sandbox_id)
                    except Problem as problem:
                        problems.append(problem)
                    session.release(sandbox_id, claimed)
            finally:
                session.batch = None
        session.unmark(c for c in session.marked if c.sandbox_id in done)
        self._ui.post_message(ListsChanged())
        counted = f"{len(done)} of {count} {'paused' if pauses else 'up'}"
        if problems:
            sentence = f"{counted}, {len(problems)} failed: {problems[0].sentence}"
            raise Problem(sentence, problems[0].hint)
        paused = len(await sandboxes.displaced(*todo.values()))
        made = f" · the server paused {plural(paused, 'sandbox', 'sandboxes')} to make room"
        instead = made if paused else ""
        self._ui.tell(f"{'stopped: ' if batch.stopped else ''}{counted}{instead}")

    def _marked_question(self, todo: list[SandboxPlan], left: int) -> Question:
        count = plural(len(todo), "sandbox", "sandboxes")
        inside = [c for plan in todo for c in plan.conversations]
        aside = f" Skips {left} that cannot be paused or resumed." if left else ""
        some = partial(first_titles, self._session.loaded, glyphs=self._ui.glyphs)
        if todo[0].action == "resume":
            up = {s.id for plan in todo for s in plan.others}
            lines: list[list[Piece]] = [[(f"Resumes {count}: ", ""), *some(inside)]]
            count_up = plural(len(up), "other sandbox is", "other sandboxes are")
            limit = "If this goes over its limit, the server pauses the oldest without asking."
            lines.append([(f"{count_up} up. {limit}{aside}", "")])
            resume = Answer(f"resume {len(todo)}", "now")
            return Question(f"Resume {count}", lines, (resume,), stake=Stake.WORK)
        running = [c for plan in todo for c in plan.running]
        others = [c for c in inside if c not in running]
        lines = []
        if running:
            stops = f"Stops {plural(len(running), 'run')}: "
            lines.append([(stops, ""), *some(running)])
        if others:
            head = "Also affects: " if running else "Pauses: "
            lines.append([(head, ""), *some(others)])
        if aside:
            lines.append([(aside.strip(), "dim")])
        answers = [Answer(f"pause {len(todo)}", "now")]
        if running:
            answers = [Answer("stop each agent after its step, then pause", "stop"), _FREEZE]
        return Question(f"Pause {count}", lines, answers, stake=Stake.WORK)
