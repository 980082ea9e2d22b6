"""New conversations: `ctrl+n` starts one, from the form to the run that is followed; `F` forks one
at the step under the cursor, and goes on from there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from oh_tui.actions import agent_setup, forking
from oh_tui.actions.attempts import Wanted
from oh_tui.actions.start_draft import Draft, choices, draft_like
from oh_tui.actions.start_offers import may_pause
from oh_tui.actions.starting import stage_of, title_lost
from oh_tui.catalog.run_status import WORDS
from oh_tui.conversation import Conversation, bare_id, same_id
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe, safe_line
from oh_tui.trajectory.changes.at_step import differing, differing_words
from oh_tui.trajectory.model.bodies import message_text
from oh_tui.tui.controllers.agent.attempts import attempts_on
from oh_tui.tui.controllers.controller import Controller, in_worker, short_title
from oh_tui.tui.controllers.run.target import NOT_READ, TargetRun
from oh_tui.tui.messages import ListsChanged, ListsWanted, RunWanted
from oh_tui.tui.remedies import words_of
from oh_tui.tui.screens.start import screen
from oh_tui.tui.ui import NotNow
from oh_tui.tui.widgets import editor as editing
from oh_tui.tui.widgets.conversation_list import title_of
from oh_tui.tui.widgets.drawing import Piece
from oh_tui.tui.widgets.question_bar import Answer, Question, Stake

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from oh_tui.actions.agent_actions import Agents
    from oh_tui.actions.forking import Forked, Origin
    from oh_tui.api.requests import StartRequest
    from oh_tui.sources.source import Source
    from oh_tui.trajectory.context.fork_places import ForkPlace
    from oh_tui.trajectory.findings.study import Study
    from oh_tui.tui.controllers.agent.agents import AgentActions
    from oh_tui.tui.controllers.agent.compose import Composer
    from oh_tui.tui.controllers.system.external import ExternalPrograms
    from oh_tui.tui.widgets.timeline import Timeline

COST = "makes a new sandbox and starts the agent in it, which may cost money"

COST_ALONE = "starts an agent on the server, which may cost money"

UNREAD = "The first message of that run is not read: L in its timeline reads all. "


class NewConversations(Controller):
    _run: TargetRun
    _programs: ExternalPrograms

    @in_worker("ask")
    async def action_open(self) -> None:
        self._require_start()
        if (source := await self._choose_server()) is not None:
            self._open(source, self._session.draft or Draft())

    def action_like(self) -> None:
        """Ask what to start, the form filled from the run on screen."""
        draft = self._session.draft
        if draft and draft.prompt.strip():
            raise NotNow("ctrl+n has a text that was not sent: start it, or empty it, first")
        self._require_start()
        self._run.act(self._like, opens=True)

    def _like(self) -> None:
        conversation = self._meant()
        study = self._run.study_of(conversation)
        draft = draft_like(conversation, study.trajectory if study else None)
        source, why = self._session.holder(conversation), self._session.no_change_of(conversation)
        if source is None or why:
            raise NotNow(why)
        self._open(source, draft, "" if draft.prompt else UNREAD)

    async def _choose_server(self) -> Source | None:
        """Of several servers that on which to start; None if the user wants none."""
        session, source = self._session, self._session.source
        if source is None or not source.members:
            return source
        fit = {
            name: one
            for name, one in source.members.items()
            if not (session.settings.of(name).read_only or name in session.hearing.away)
        }
        if not fit:
            raise NotNow("none of these servers can start one: read-only, or not answering")
        answers = [Answer(one.label, name, str(n)) for n, (name, one) in enumerate(fit.items(), 1)]
        question = Question("Start a conversation on", [], answers, "nowhere", harmless=True)
        return fit.get(await self._ui.ask(question)) if len(fit) > 1 else next(iter(fit.values()))

    def _require_start(self) -> None:
        """One start at a time, as two at once may take each other's port (measured, process
        sandboxes). Raises NotNow."""
        session = self._session
        if session.no_changes or session.source is None:
            raise NotNow(session.no_changes)
        if session.starting:
            raise NotNow(f"a conversation is being started: {session.starting}")

    def _open(self, source: Source, draft: Draft, remark: str = "") -> None:
        session = self._session
        assert source.agents is not None

        def begin(request: StartRequest) -> None:
            session.draft = form.draft
            self._ui.work_on("start", self._watch, form, source, request)

        def closed(_: None) -> None:
            session.draft = None if form.finished else form.draft
            if session.starting:
                self._ui.tell("the start goes on; the list will show it")

        stakes = COST_ALONE
        if source.sandboxes is not None:
            own = [one for one in session.sandboxes.all if session.holder(one) is source]
            pauses = may_pause(own, session.conversations)
            stakes = "\n".join(filter(None, (COST, pauses.replace(": ", ":\n", 1))))
        form = screen.StartScreen(
            draft,
            choices(session.conversations),
            source.label,
            begin,
            offers=source.agents.offers,
            stakes=f"{remark}{stakes}",
            edit=self._programs.edited_text,
        )
        self._ui.push_screen(form, closed)

    async def _watch(self, form: screen.StartScreen, source: Source, request: StartRequest) -> None:
        """Follow a start to its end, whether or not the form is still open."""
        session, listed, draft = self._session, self._session.source, form.draft
        session.starting = "asking the server"
        conversation: Conversation | None = None
        try:
            with session.writes.doing("starting a conversation"):
                async for step in _steps(source, request, draft):
                    if isinstance(step, Conversation):
                        conversation = conversation or step
                        continue
                    session.starting = step
                    if not form.left:
                        form.show_stage(session.starting)
        except Problem as problem:
            if form.left:
                told = f"{words_of(problem)} · ctrl+n has the text"
                self._ui.tell(told, error=True, about="start")
            else:
                form.fail(problem)
            self._ui.post_message(ListsWanted())
            return
        finally:
            session.starting = ""
        assert conversation is not None
        if session.source is listed:
            self._started(form, conversation)
            if lost := title_lost(request, conversation):
                self._ui.tell(f"started, but {lost}", error=True, about="start")
        else:
            self._ui.tell(f"started on {source.label}: {title_of(conversation)}")

    def _started(self, form: screen.StartScreen, conversation: Conversation) -> None:
        """Open it, unless the user went on to something else."""
        session = self._session
        session.draft = None
        if not any(same_id(c.id, conversation.id) for c in session.conversations):
            session.loaded.take([conversation])
            session.loaded.reorder(keep=conversation.id)
            self._ui.post_message(ListsChanged())
        self._ui.post_message(ListsWanted())
        told = f"started: {title_of(conversation)}" if form.left else ""
        if form.draft.count > 1:
            told = f"{form.draft.count} attempts started: ctrl+p attempts"
        self._ui.tell(told, about="start")
        if form.left:
            return
        form.finish()
        session.follow = True
        self._ui.post_message(RunWanted(conversation, go=True))


async def _steps(
    source: Source, request: StartRequest, draft: Draft
) -> AsyncGenerator[str | Conversation, None]:
    """What a start, or the start of several attempts, does, and what it has started."""
    if draft.count == 1:
        assert source.agents is not None
        async for step in source.agents.start(request):
            yield step if isinstance(step, Conversation) else stage_of(step.status)
        return
    attempts = attempts_on(source)
    plan = await attempts.plan(Wanted(request, draft.count, draft.verify.strip()))
    async for done in attempts.start(plan):
        yield done if isinstance(done, str) else done.conversation


LONGEST = 100_000
"""Characters of a message that are put into the line to write in."""

MOST = 9
"""Profiles to choose from, by a digit each."""


class Forking(Controller):
    _steps: Timeline
    _run: TargetRun
    _agents: AgentActions
    _composer: Composer

    @in_worker("write")
    async def action_fork(self) -> None:
        """Fork the run at the cursor, or before a message of one's own; from lists at its end."""
        session, ui = self._session, self._ui
        source = session.source
        if session.no_agent or source is None or source.agents is None:
            raise NotNow(session.no_agent)
        if session.in_run and self._steps.sub_step_here:
            raise NotNow("a fork begins at a step of the run, not of a sub-agent")
        in_run, conversation = session.in_run, self._run.show_wanted()
        agents = source.holder(conversation).agents
        assert agents is not None
        with ui.reporting():
            with ui.preparing("looking where it can be forked"):
                study = await self._run.until_shown(conversation)
                if study is None:
                    raise NotNow(NOT_READ)
                ready = await forking.ready(agents, conversation.id)
                origin = ready.conversation
                step = self._steps.step_here if in_run and study.trajectory.steps else None
                said = own_message(study, step)
                place, changed = await asyncio.to_thread(
                    _looked, study, step, before=said is not None
                )
            where = f"at step {place.step}" if said is None else f"before step {step}"
            at = f"of {short_title(origin)} {where}"
            name = f"{bare_id(origin.id)}/{place.event_id}"
            lines = _stakes(ready, study, place, changed)
            text = await self._first_message(name, at, said or "", lines)
            if text is None:
                return
            if said is None:  # the end may be another one by now
                step = place.step
            forked = await self._forked(agents, origin, study, step, before=said is not None)
            session.drafts.pop(name, None)
            if text.strip():
                session.drafts[bare_id(forked.conversation.id)] = text
            if session.source is not source:
                ui.tell(f"forked on {source.label}: {short_title(forked.conversation)}")
                return
            self._show(forked, len(study.trajectory))
            await self._go_on(source, agents, forked)

    async def _first_message(
        self, name: str, at: str, said: str, lines: list[list[Piece]]
    ) -> str | None:
        """What the fork is told first; None for no fork. The text is kept until there is a fork."""
        session = self._session
        editor = editing.Editor(
            ((f"First message to the fork {at}", "title"),),
            lines=lines, text=session.drafts.get(name, said), send="fork, and send it",
            hint="leave it empty and the fork waits for one", keep="no fork",
        )  # fmt: skip
        text, sent = await self._agents.write(editor)
        if text.strip() and text != said:
            session.drafts[name] = text
            if not sent:
                self._ui.tell("nothing was forked; F has the text")
        else:
            session.drafts.pop(name, None)
        return text if sent else None

    async def _forked(
        self, agents: Agents, origin: Conversation, study: Study, step: int | None, *, before: bool
    ) -> Forked:
        works = origin.execution_status == "running"
        stage = "forking: it is made when this step ends" if works else "forking"
        self._ui.tell(stage, passing=True)
        run, writes = study.trajectory, self._session.writes
        with writes.doing("forking a run", origin.id), self._agents.waiting(stage):
            return await forking.fork(agents, origin.id, run, step, before=before)

    def _show(self, forked: Forked, total: int) -> None:
        session, conversation = self._session, forked.conversation
        session.loaded.take([conversation])
        if not forked.is_whole:
            session.loaded.take_fork_step(conversation.id, forked.place.step)
        session.loaded.reorder(keep=conversation.id)
        self._ui.post_message(ListsChanged())
        self._ui.post_message(ListsWanted())
        session.follow = True
        self._ui.post_message(RunWanted(conversation, go=True))
        told = ". ".join(forked.remarks) or f"the fork knows {forked.place.words(total)}"
        self._tell_of(conversation, f"forked: {told}", error=bool(forked.remarks))

    def _tell_of(self, fork: Conversation, told: str, *, error: bool) -> None:
        """Show what is to be known of a fork until it runs."""

        def is_idle() -> bool:
            row = self._session.loaded.row(fork.id)
            return row is None or row.status not in WORDS["running"] | WORDS["finished"]

        self._ui.tell(told, error=error, about=f"fork {fork.id}", holds=is_idle)

    async def _go_on(self, source: Source, agents: Agents, forked: Forked) -> None:
        """Send the first message, if the fork is what was asked for; else it stays a draft."""
        session, conversation = self._session, forked.conversation
        has_text = bare_id(conversation.id) in session.drafts
        if forked.has_key is False and not await self._brings_key(agents, conversation, has_text):
            return
        if not has_text:
            return
        if forked.is_whole or forked.problem or not forked.is_listed:
            self._ui.note("the first message was not sent: m has it")
            return
        await self._composer.send_draft(source, agents, conversation)

    async def _brings_key(self, agents: Agents, conversation: Conversation, has_text: bool) -> bool:
        """Offer the profiles that have a key to a fork without one; False when it gets none."""
        kept = "; m has the first message" if has_text else ""
        setup = await agent_setup.read(agents, conversation.id)
        profiles = setup.profiles.profiles if setup.profiles else ()
        fit = [one for one in profiles if one.api_key_set is not False][:MOST]
        if not fit:
            told = f"{forking.WITHOUT_KEY}: {forking.make_a_profile(agents)}{kept}"
            self._tell_of(conversation, told, error=True)
            return False
        answers = [
            Answer(f"{safe_line(one.name)}  {safe_line(one.model or '')}".strip(), one.name, str(n))
            for n, one in enumerate(fit, 1)
        ]
        then = ", and the message is sent then" if has_text else ""
        lines: list[list[Piece]] = [
            [(f"{forking.WITHOUT_KEY}.", "warn")],
            [(f"A profile of the server brings one{then}.", "")],
        ]
        stake = Stake.WORK if has_text else Stake.NOTHING
        question = Question("The fork has no key", lines, answers, "leave it so", stake)
        chosen = await self._ui.ask(question)
        if not chosen:
            self._ui.tell(f"the fork has no key{kept}")
            return False
        await agent_setup.switch_profile(agents, setup, chosen)
        self._ui.tell(f"the fork uses {safe_line(chosen)}", about=f"fork {conversation.id}")
        return True


def _stakes(ready: Origin, study: Study, place: ForkPlace, changed: str) -> list[list[Piece]]:
    """What a fork is, above its first message."""
    origin = ready.conversation
    model = f", its model is {safe_line(origin.llm_model)}" if origin.llm_model else ""
    knows = f"The fork knows {ready.knows(place, len(study.trajectory))}{model}. "
    costs_nothing = ("It costs nothing until it gets a message.", "dim")
    lines: list[list[Piece]] = [[(knows, ""), costs_nothing]]
    if origin.worktree or not changed:
        lines.append([(f"{ready.shares[0].upper()}{ready.shares[1:]}.", "warn")])
    if changed:
        lines.append([("Files are not turned back", "warn"), (f"{changed}.", "")])
        told = f"oh-tui checkout {bare_id(origin.id)[:8]} --at {place.step} -o FOLDER"
        lines.append([(told, "key"), ("  writes them as they were then.", "dim")])
    return lines


def own_message(study: Study, step: int | None) -> str | None:
    """The text of a message of the user, to be said in another way; None for another step."""
    if step is None:
        return None
    event = study.trajectory.steps[step - 1].event
    if not event.is_by_user:
        return None
    text = message_text(event.body())
    return safe(text) if len(text) <= LONGEST else ""


def _looked(study: Study, step: int | None, *, before: bool) -> tuple[ForkPlace, str]:
    """Where to fork, and which files have changed since, in words. Raises Problem."""
    place = forking.place_for(study.trajectory, step, before=before)
    found = differing(study.files.files, study.files.moment(place.step))
    since = f": since step {place.step}, " if place.step else ": since it began, "
    return place, f"{since}{differing_words(found)}" if found else ""
