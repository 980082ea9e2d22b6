"""What an agent works with: its model, when it asks, its condenser; and a question to it.

Each change starts from what the user saw, and what the server has afterwards is read. Facts without
another source are measured on agent servers 1.17.0, 1.34.0 and 1.58.2.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from oh_tui.actions.agent_actions import Agents, HalfDone, present, watched
from oh_tui.actions.agent_state import AgentState
from oh_tui.api import agent_server
from oh_tui.api.errors import ApiError, InvalidRequest, NotFound
from oh_tui.api.models import AgentConversation, ConfirmationPolicy, LlmProfile, LlmProfiles
from oh_tui.text.human import dollars, plural
from oh_tui.text.problem import Problem, Refused, Remedy
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.context.sdk_versions import version_of

LONGEST_QUESTION = 100_000
"""Characters of a question; every one is sent to the model, behind the whole context."""

MOST_NAMED = 20

POLICIES: Mapping[str, ConfirmationPolicy] = {
    "never": ConfirmationPolicy("NeverConfirm"),
    "risky": ConfirmationPolicy("ConfirmRisky", "HIGH", True),
    "always": ConfirmationPolicy("AlwaysConfirm"),
}
"""When an agent may ask, by the words of the user."""

NEVER = "NeverConfirm"

CONDENSERS = {"LLMSummarizingCondenser": "a model summarizes what is old"}
"""What one of this class does."""


class Act(StrEnum):
    """What a server may be too old for, in words that fit behind "cannot"."""

    ASK = "answer a question about a run"
    CONDENSE = "condense on demand"
    CONFIRM = "change when the agent asks"
    SWITCH = "switch profiles"
    PROFILES = "keep profiles"


SINCE: Mapping[Act, str] = {
    Act.ASK: "1.3", Act.CONDENSE: "1.5.1", Act.CONFIRM: "1.0", Act.SWITCH: "1.18",
    Act.PROFILES: "1.22",
}  # fmt: skip
"""The first agent server that can do it (source)."""


class Answered(NamedTuple):
    text: str
    cost: float | None
    """US dollars; None when it is not known."""


class AgentSetup(msgspec.Struct, frozen=True):
    state: AgentState
    record: AgentConversation
    version: str
    """Of its agent server; "" when it does not say."""
    profiles: LlmProfiles | None
    no_profiles: str = ""

    @property
    def model(self) -> str:
        return _short(self.record.model)

    @property
    def profile(self) -> str:
        """The profile that it was switched to, "" for none."""
        llm = self.record.agent.llm if self.record.agent else None
        before, _, after = ((llm.usage_id if llm else None) or "").partition(":")
        return _short(after.partition(":")[0]) if before == "profile" else ""

    @property
    def condenser(self) -> str:
        agent = self.record.agent
        return _short(agent.condenser.kind if agent and agent.condenser else None)

    @property
    def policy(self) -> str:
        """When it asks, as a word of `POLICIES`; else the name of the class."""
        kind = self.record.confirmation_policy.kind if self.record.confirmation_policy else None
        words = (word for word, policy in POLICIES.items() if policy.kind == kind)
        return next(words, _short(kind))

    @property
    def asks(self) -> str:
        policy = self.record.confirmation_policy
        if self.policy != "risky" or policy is None:
            words = {"never": "never", "always": "before every call"}
            return words.get(self.policy, self.policy or "not known")
        least = _short(policy.threshold or "HIGH").lower()
        if policy.confirm_unknown is False:
            return f"before calls of {least} risk or more"
        if self.record.security_analyzer is None:
            return "before every call, as nothing tells their risk here"
        return f"before calls of {least} risk or more, or of unknown risk"

    @property
    def asking(self) -> str:
        """When it asks, as the end of a sentence about the agent."""
        return "never asks" if self.policy == "never" else f"asks {self.asks}"

    @property
    def names(self) -> list[str]:
        return [one.name for one in self.profiles.profiles] if self.profiles else []

    @property
    def names_shown(self) -> str:
        """The first of them, safe to show, with those that have no key."""
        profiles = self.profiles.profiles if self.profiles else ()
        left = len(profiles) - MOST_NAMED
        more = f" and {left:,} more" if left > 0 else ""
        return ", ".join(map(named, profiles[:MOST_NAMED])) + more

    @property
    def last_cost(self) -> float | None:
        """What the last answer of the agent cost in US dollars; None when it is not known."""
        costs = _usage(self.record, "agent").get("costs")
        last = costs[-1] if isinstance(costs, list) and costs else None
        cost = last.get("cost") if isinstance(last, dict) else None
        return float(cost) if isinstance(cost, int | float) and 0 < cost < 1e6 else None

    @property
    def price(self) -> tuple[str, ...]:
        cost = self.last_cost
        told = f"about {dollars(cost)} like its last answer" if cost else "its price is not known"
        return "one call of the model", told, "leaves no trace in the run"

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What is set and what can be, for people: a label and its words."""
        ask, switch = self.cannot(Act.ASK), self.cannot(Act.SWITCH)
        return [
            ("model", self.model or "not known"),
            ("profile", f"{self.profile or 'none'}; {switch or profile_hint(self)}"),
            ("asks you", f"{self.asks}{_also(self.cannot(Act.CONFIRM))}"),
            (
                "condenser",
                CONDENSERS.get(self.condenser, self.condenser or "none")
                + _also(too_old(self.version, Act.CONDENSE)),
            ),
            ("server", f"agent server {self.version or 'of unknown version'}{_also(ask)}"),
        ]

    def cannot(self, act: Act) -> str:
        """Why this server or this agent cannot do it; "" when it can, as far as is known."""
        if act is Act.CONDENSE and not self.condenser:
            return "this agent has no condenser"
        if self.record.is_acp and act is Act.SWITCH:
            return "this agent chooses its model itself"
        return too_old(self.version, act)


def too_old(version: str, act: Act) -> str:
    """Says since which version servers can do it, for one that is older; else ""."""
    found, first = version_of(version), version_of(SINCE[act])
    if not found or not first or found >= first:
        return ""
    return f"agent server {version} cannot {act}: servers since {SINCE[act]} can"


def named(profile: LlmProfile) -> str:
    """Its name, safe to show, and whether it has no key."""
    return f"{_short(profile.name)}{' (no key)' if profile.api_key_set is False else ''}"


def _short(text: str | None) -> str:
    """A word of a server, on one line and no longer than a name."""
    return safe_line((text or "")[:200])


def _also(why: str) -> str:
    return f"; {why}" if why else ""


def _usage(record: AgentConversation, name: str) -> Mapping[str, Any]:
    usages = (record.stats or {}).get("usage_to_metrics")
    found = usages.get(name) if isinstance(usages, dict) else None
    return found if isinstance(found, dict) else {}


# reading


async def read(agents: Agents, conversation_id: str) -> AgentSetup:
    """What an agent works with, and what its server can. Raises Problem."""
    state = await agents.state(conversation_id)
    state.require_reachable()
    agent = agents.agent_server(state.conversation)
    record, version, (profiles, why) = await asyncio.gather(
        agent.conversation(), _version(agent), _profiles(agents)
    )
    return AgentSetup(state, record, version, profiles, why or too_old(version, Act.PROFILES))


async def _profiles(agents: Agents) -> tuple[LlmProfiles | None, str]:
    try:
        return await agents.api.llm_profiles(), ""
    except NotFound:
        return None, "its server keeps no profiles: servers since 1.22 do"
    except Problem as problem:
        return None, problem.sentence


# asking


async def ask(agents: Agents, conversation_id: str, question: str) -> Answered:
    """Asks an agent about its run. The call of its model costs money, and goes on there if this is
    cancelled. Raises Problem."""
    question = checked(question)
    now = await present(agents.api, conversation_id)
    AgentState(now).require_reachable()
    agent = agents.agent_server(now)
    before = _spent(await agent.conversation())
    text = await _done(agent, Act.ASK, agent.ask_agent(question))
    cost = 0.0
    with contextlib.suppress(Problem):  # the answer is what counts
        cost = _spent(await agent.conversation()) - before
    return Answered(text, cost if 0 < cost < 1e6 else None)


def checked(question: str) -> str:
    """A question that can be sent. Raises Problem."""
    question = question.strip()
    if not question:
        raise Problem("The question is empty", "ask the agent something about its run")
    if len(question) > LONGEST_QUESTION:
        raise Problem(
            f"A question has at most {LONGEST_QUESTION:,} characters, and this one "
            f"{len(question):,}",
            "shorten it",
        )
    return question


def _spent(record: AgentConversation) -> float:
    """What questions have cost so far, in US dollars."""
    cost = _usage(record, "ask-agent-llm").get("accumulated_cost")
    return float(cost) if isinstance(cost, int | float) else 0.0


# changing


async def switch_profile(agents: Agents, shown: AgentSetup, name: str) -> AgentSetup:
    """Lets the agent use the model of a profile from its next answer on; returns the setup then."""
    now = await _as_shown(agents, shown, Act.SWITCH)
    if now.profiles and name not in now.names:
        raise Problem(f"There is no profile {_short(name)}", profile_hint(now))
    agent = agents.agent_server(now.state.conversation)
    switch = agents.api.switch_profile(now.state.conversation.id, name)
    after = await _changed(agents, now, _done(agent, Act.SWITCH, switch))
    kept = now.profiles.profiles if now.profiles else ()
    model = next((one.model for one in kept if one.name == name), None)
    if after.profile != _short(name):
        raise HalfDone(f"The server accepted the switch, but the agent uses {after.model}", "")
    if model and after.record.model != model:
        raise HalfDone(
            f"The agent uses {_short(name)} as it was when this conversation used it before, "
            f"with {after.model}",
            "save the profile under another name on its server, and switch to that",
        )
    return after


async def set_policy(agents: Agents, shown: AgentSetup, word: str) -> AgentSetup:
    """Sets when the agent asks, at the end of its step; returns the setup then."""
    now = await _as_shown(agents, shown, Act.CONFIRM)
    agent = agents.agent_server(now.state.conversation)
    setting = agent.set_confirmation_policy(POLICIES[word])
    after = await _changed(agents, now, _done(agent, Act.CONFIRM, setting))
    if after.policy != word:
        raise HalfDone(f"The server accepted it, but the agent {after.asking}", "")
    return after


async def condense(agents: Agents, shown: AgentSetup) -> tuple[AgentSetup, int]:
    """Puts a summary in the place of the agent's older events, at the end of its step; returns the
    setup then, and how many events were forgotten.

    The server does a step of the agent for it, which first runs each call that has no result,
    without asking. So it is refused while there is one, and while one may come to wait.
    """
    now = await _as_shown(agents, shown, Act.CONDENSE)
    state = now.state
    if state.calls and not state.runs:
        raise Refused(
            f"{plural(len(state.calls), 'call has', 'calls have')} no result, and condensing would "
            "run it: nothing was done",
            Remedy.ANSWER_FIRST,
        )
    state.require_in_sight()
    if state.runs and now.policy != "never":
        raise Refused(
            "The agent works, and condensing would run the call that it asks about next: nothing "
            "was done",
            Remedy.STOP_FIRST,
        )
    agent = agents.agent_server(state.conversation)
    after = await _changed(agents, now, _done(agent, Act.CONDENSE, agent.condense()))
    known = {event.id for event in state.events}
    for event in reversed([event for event in after.state.events if event.id not in known]):
        if event.is_condensation:
            gone = event.body().get("forgotten_event_ids")
            return after, len(gone) if isinstance(gone, list) else 0
    raise HalfDone("The server accepted it, but no summary came into the run", Remedy.LOOK_FIRST)


def profile_hint(setup: AgentSetup) -> str:
    if setup.no_profiles:
        return setup.no_profiles
    named = setup.names_shown
    return f"the server has {named}" if named else "the server has none: make one there"


async def _as_shown(agents: Agents, shown: AgentSetup, act: Act) -> AgentSetup:
    """The setup now. Raises Refused if the user saw another, or if the server cannot do it."""
    now = await read(agents, shown.state.conversation.id)
    if why := now.cannot(act):
        raise Refused(f"{why[0].upper()}{why[1:]}")
    if (now.model, now.profile, now.policy) != (shown.model, shown.profile, shown.policy):
        raise Refused(
            f"Somebody else changed it meanwhile: {now.model}, {now.asking}", Remedy.LOOK_FIRST
        )
    return now


async def _changed(
    agents: Agents, before: AgentSetup, change: Coroutine[Any, Any, None]
) -> AgentSetup:
    """The setup after a change. A failure to read it says that the change was made."""
    await change
    try:
        return await read(agents, before.state.conversation.id)
    except Problem as problem:
        raise HalfDone(f"It was done, but then: {problem.sentence}", problem.hint) from problem


async def _done(
    agent: agent_server.AgentServer, act: Act, request: Coroutine[Any, Any, Any]
) -> Any:
    """The answer to a request. A refusal of a server that is too old says since when they can."""
    try:
        return await watched(agent, request)
    except (NotFound, InvalidRequest) as error:
        if error.status in (404, 405) and (why := too_old(await _version(agent), act)):
            raise Refused(f"{why[0].upper()}{why[1:]}") from error
        raise


async def _version(agent: agent_server.AgentServer) -> str:
    try:
        return await agent.version()
    except ApiError:
        return ""
