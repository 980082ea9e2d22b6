"""The palette's "replay this run": one question, then the run is followed beside its record."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING

from oh_tui.actions.replay_plan import Plan, make_plan, require_folder, server_for
from oh_tui.actions.replaying import Started, run_again
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.replay.check import check
from oh_tui.trajectory.replay.folders import read_pair
from oh_tui.trajectory.replay.recorded_model import Outcome
from oh_tui.tui import messages
from oh_tui.tui.controllers.controller import Controller, in_worker
from oh_tui.tui.controllers.run.target import NOT_READ, TargetRun
from oh_tui.tui.state.replays import Replay
from oh_tui.tui.ui import NotNow
from oh_tui.tui.widgets.drawing import Piece, joined
from oh_tui.tui.widgets.question_bar import Answer, Question, Stake

if TYPE_CHECKING:
    from oh_tui.api.bare_server import BareAgentServer
    from oh_tui.conversation import Conversation

MOST_NAMED = 6
"""Calls and files that the question names."""


class Replays(Controller):
    _run: TargetRun

    @in_worker("ask")
    async def action_run(self) -> None:
        session, ui = self._session, self._ui
        if session.no_changes or ui.at_work("replay"):
            raise NotNow(session.no_changes or "a run is being replayed: esc in it stops that")
        conversation = self._run.show_wanted()
        label, api = self._server(conversation)
        with ui.reporting():
            with ui.preparing("looking what it takes to run it again"):
                study = await self._run.until_shown(conversation)
                if study is None:
                    raise NotNow(NOT_READ)
                if study.trajectory.live and study.trajectory.status == "running":
                    raise NotNow("it runs still: it can run again when it is over")
                found = await asyncio.to_thread(check, study, conversation.llm_model or "")
            if not found.can:
                raise NotNow(f"it cannot run again: {'; '.join(found.lacks)}")

            async def take(typed: str) -> tuple[str, Plan]:
                place, *maps = typed.split() or [""]
                require_folder(place)
                pairs = [read_pair(one) for one in maps]
                plan = partial(make_plan, study, conversation, found, place=place, maps=pairs)
                return typed, await asyncio.to_thread(plan)

            typed, plan = await take("")
            while (answer := await ui.ask(_question(plan, typed, label))) == "folder":
                typed, plan = await ui.prompt_until(
                    take, "FOLDER, then OLD=NEW for each other folder that has moved",
                    typed or plan.place, enter="take it", title="Where its agent works",
                    pane=session.pane,
                ) or (typed, plan)  # fmt: skip
        if answer:
            session.replay = Replay(conversation, plan.model, partial(ui.cancel, "replay"))
            ui.work_on("replay", self._replay, session.replay, plan, api)

    def _server(self, conversation: Conversation) -> tuple[str, BareAgentServer]:
        """That of the conversation, else the first of the list where it can run. Raises NotNow."""
        session = self._session
        assert session.source is not None
        for one in (session.source.holder(conversation), *session.source.members.values()):
            with contextlib.suppress(Problem):
                api = server_for(getattr(one, "api", None))
                if not session.settings.of(api.name).read_only:
                    return one.label, api
        raise NotNow("no agent server of this machine is in the list: see oh-tui replay --on")

    async def _replay(self, replay: Replay, plan: Plan, api: BareAgentServer) -> None:
        session, post = self._session, self._ui.post_message
        doing = session.writes.doing("replaying a run, whose agent stops then", replay.record.id)
        try:
            with self._ui.reporting(), doing:
                async with contextlib.aclosing(run_again(api, plan)) as happenings:
                    async for one in happenings:
                        if isinstance(one, Started):
                            replay.started, session.follow = one.conversation, True
                            session.loaded.take([one.conversation])
                            session.loaded.reorder(keep=one.conversation.id)
                            post(messages.ListsChanged())
                            post(messages.RunWanted(one.conversation, go=True))
                        elif isinstance(one, Outcome):
                            replay.take(one)
                        post(messages.ReplayChanged())
                replay.over.set()
                self._ui.tell(f"replayed: {', '.join(words for words, _ in replay.facts)}")
        finally:
            replay.over.set()
            post(messages.ReplayChanged())
            post(messages.ListsWanted())

    def ask_stop(self) -> bool:
        """Esc in its run asks whether to stop it; False where another run is shown."""
        if replay := self._session.replayed:
            self._ui.work_on("ask", self._ask_stop, replay)
        return replay is not None

    async def _ask_stop(self, replay: Replay) -> None:
        lines, answers = [joined(replay.facts, self._ui.glyphs.dot)], (Answer("stop it", "stop"),)
        if await self._ui.ask(Question("Stop the replay", lines, answers, "go on", Stake.WORK)):
            await replay.stop()


def _question(plan: Plan, typed: str, label: str) -> Question:
    """Names what its calls do once more beyond the folder, and what is missing there."""
    far = plan.found.reaching
    told = [*far, *((step, path, "is missing there") for step, path in plan.missing)]
    lines: list[list[Piece]] = [
        [(plan.stake(label), ""), (f"  {safe_line(' '.join(typed.split()[1:]))}", "dim")],
        *(
            [(f"step {step:,} ", "dim"), (what, ""), (f"  {why}", "warn")]
            for step, what, why in told[:MOST_NAMED]
        ),
    ]
    if (more := len(told) - MOST_NAMED) > 0:
        lines.append([(f"and {more:,} more: oh-tui replay --check names all", "warn")])
    answers = [Answer("replay it", "yes")] if plan.place else []
    answers.append(Answer("another folder", "folder", "f", Stake.NOTHING))
    return Question("Replay", lines, answers, stake=Stake.FINAL if far else Stake.WORK)
