"""`A` and the palette's "agent": questions to an agent, and what it works with."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from oh_tui.actions import agent_setup
from oh_tui.actions.agent_setup import Act, AgentSetup, Answered, named, profile_hint
from oh_tui.conversation import Conversation, bare_id
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.tui.controllers.agent.agents import TELLING, AgentActions
from oh_tui.tui.controllers.controller import Controller, in_worker, short_title
from oh_tui.tui.messages import AgentChanged
from oh_tui.tui.remedies import words_of
from oh_tui.tui.screens.ask import AskScreen
from oh_tui.tui.state.questions import Questions
from oh_tui.tui.ui import NotNow
from oh_tui.tui.widgets import prompt as prompting
from oh_tui.tui.widgets.conversation_list import title_of
from oh_tui.tui.widgets.question_bar import Answer, Question, Stake, letters

if TYPE_CHECKING:
    from oh_tui.actions.agent_actions import Agents
    from oh_tui.actions.agent_state import AgentState
    from oh_tui.tui.controllers.run.annotate import AnnotationActions
    from oh_tui.tui.widgets.drawing import Piece

T = TypeVar("T")

MOST_LISTED = 12
"""Profiles that are listed, each with a key."""


class AgentSetups(Controller):
    _agent_actions: AgentActions
    _annotations: AnnotationActions

    # Asking

    @in_worker("ask")
    async def action_ask(self) -> None:
        """Open the questions to the agent, those asked before even if it cannot be asked now."""
        session = self._session
        if session.no_agent or session.source is None or session.source.agents is None:
            raise NotNow(session.no_agent)
        agents, conversation = self._agents_meant()
        asked = session.questions.setdefault(bare_id(conversation.id), Questions())
        with self._ui.reporting():
            try:
                with self._ui.preparing("asking for the agent's state"):
                    price = (await agent_setup.read(agents, conversation.id)).price
            except Problem as problem:
                if not asked.asked:
                    raise
                price = (words_of(problem),)

            async def ask(text: str) -> Answered:
                with session.writes.doing("asking an agent", conversation.id):
                    return await agent_setup.ask(agents, conversation.id, text)

            keep = partial(self._annotations.add_to_note, conversation)
            view = AskScreen(title_of(conversation), asked, price, ask=ask, keep=keep)
            self._ui.push_screen(view)

    # What it works with

    @in_worker("write")
    async def action_open(self) -> None:
        """Show what the agent works with and what its server can, and offer to change it."""
        session = self._session
        if session.source is None or session.source.agents is None:
            raise NotNow(session.no_changes)
        agents, conversation = self._agents_meant()
        with self._ui.reporting():
            setup = await self._read(agents, conversation)
            offered = (
                Answer("switch profile", Act.SWITCH, "p"),
                Answer("change when it asks", Act.CONFIRM, "c"),
                Answer("condense now", Act.CONDENSE, "k"),
            )
            read_only = session.settings.of(conversation.server).read_only
            answers = [one for one in offered if not (read_only or setup.cannot(Act(one.value)))]
            title = f"Agent of {short_title(setup.state.conversation)}"
            facts = [[(f"{label:<10} ", "dim"), (words, "")] for label, words in setup.facts]
            match await self._ui.ask(Question(title, facts, answers, "close")):
                case Act.SWITCH:
                    await self._switch(agents, setup)
                case Act.CONFIRM:
                    await self._set_policy(agents, setup)
                case Act.CONDENSE:
                    await self._condense(agents, setup)

    @in_worker("write")
    async def action_switch(self) -> None:
        """Choose another profile for the agent."""
        session = self._session
        if session.no_changes:
            raise NotNow(session.no_changes)
        agents, conversation = self._agents_meant()
        if why := session.no_change_of(conversation):
            raise NotNow(why)
        with self._ui.reporting():
            await self._switch(agents, await self._read(agents, conversation))

    async def _read(self, agents: Agents, conversation: Conversation) -> AgentSetup:
        with self._ui.preparing("asking what the agent works with"):
            return await agent_setup.read(agents, conversation.id)

    async def goes_on(
        self, agents: Agents, state: AgentState, stakes: Sequence[Sequence[Piece]]
    ) -> bool:
        """Whether an agent goes on with a key that was rejected; offers to switch its profile."""
        with self._ui.preparing("asking for the profiles"):
            setup = await agent_setup.read(agents, state.conversation.id)
        why = setup.cannot(Act.SWITCH)
        uses = f"it uses the profile {setup.profile} now"
        kept = uses if setup.profile else "the conversation keeps the key that it began with"
        lines: list[Sequence[Piece]] = [
            [(f"The model's key was rejected; {kept}.", "warn")],
            [(why or f"Profiles: {setup.names_shown or profile_hint(setup)}", "")],
            *stakes,
        ]
        answers = [Answer("go on with what it has", "go on")]
        if not why:
            answers.append(Answer("switch profile", "switch", "s", Stake.NOTHING))
        title = f"Continue {short_title(state.conversation)}"
        chosen = await self._ui.ask(Question(title, lines, answers, stake=Stake.WORK))
        if chosen == "switch":
            await self._switch(agents, setup)
        return chosen == "go on"

    async def _switch(self, agents: Agents, setup: AgentSetup) -> None:
        if why := setup.cannot(Act.SWITCH):
            raise NotNow(why)
        after = await self._choose(agents, setup)
        if after is None:
            return
        told = f"switched to {after.profile}: {after.model} from the next answer on"
        self._ui.tell(f"{told}; P lets it go on" if setup.state.key_was_rejected else told)

    async def _choose(self, agents: Agents, setup: AgentSetup) -> AgentSetup | None:
        """Switch to one of a list by a key; where there is none, or it is long, by its name."""
        profiles = setup.profiles.profiles if setup.profiles else ()
        names = [one.name for one in profiles if safe_line(one.name) == one.name]
        if len(names) == len(profiles) and 0 < len(names) <= MOST_LISTED:
            rows = zip(names, map(named, profiles), letters(names), strict=True)
            answers = [Answer(label, name, letter) for name, label, letter in rows]
            now = f"Now: {setup.profile or 'no profile'}, {setup.model}."
            lines = [[(now, "")], [("The next answer comes from the other model.", "dim")]]
            name = await self._ui.ask(Question("Switch to a profile", lines, answers, "cancel"))
            if not name:
                return None
            return await self._carry_out(setup, agent_setup.switch_profile(agents, setup, name))
        title = f"Switch to a profile: {setup.names_shown or profile_hint(setup)}"

        async def take(typed: str) -> AgentSetup | None:
            if not (name := typed.strip()):
                return None
            return await self._carry_out(setup, agent_setup.switch_profile(agents, setup, name))

        return await self._ui.prompt_until(
            take, "its name", "", enter="switch", title=title, pane=self._session.pane,
            complete=prompting.complete_from(names),
        )  # fmt: skip

    async def _set_policy(self, agents: Agents, setup: AgentSetup) -> None:
        lines: list[list[Piece]] = [[(f"Now: {setup.asks}.", "")]]
        if setup.state.runs:
            lines.append([("It works: this holds from the end of its step on.", "dim")])
        answers = [
            Answer("before every call", "always", "a"),
            Answer("before risky calls", "risky", "r"),
            Answer("never", "never", "x"),
        ]
        title = "When the agent asks"
        word = await self._ui.ask(Question(title, lines, answers, "cancel", Stake.WORK))
        if not word:
            return
        after = await self._carry_out(setup, agent_setup.set_policy(agents, setup, word))
        self._ui.tell(f"the agent {after.asking}")

    async def _condense(self, agents: Agents, setup: AgentSetup) -> None:
        costs = "A model sums up its older events, which it then forgets. This costs money."
        lines: list[list[Piece]] = [[(costs, "")]]
        question = Question("Condense", lines, (Answer("condense now", "yes"),), stake=Stake.WORK)
        if not await self._ui.ask(question):
            return
        _, gone = await self._carry_out(setup, agent_setup.condense(agents, setup))
        self._ui.tell(f"condensed: {plural(gone, 'event')} forgotten")

    async def _carry_out(self, setup: AgentSetup, change: Coroutine[object, object, T]) -> T:
        """What comes of a change. Shows its seconds, and refreshes lists and run."""
        conversation = setup.state.conversation
        stage = "waiting for the end of its step" if setup.state.runs else "waiting for the server"
        try:
            with (
                self._session.writes.doing(TELLING, conversation.id),
                self._agent_actions.waiting(stage),
            ):
                self._ui.tell(stage, passing=True)
                return await change
        finally:
            self._ui.post_message(AgentChanged(conversation.id))
