"""Forks a conversation: another one that knows its run up to a step.

What a server does with it is checked afterwards, as each generation leaves something out. Facts
without another source are measured on app server 1.11.0, agent servers 1.34.0 and 1.58.2.
"""

from __future__ import annotations

import asyncio
import contextlib
import io

import msgspec

from oh_tui.actions.agent_actions import Agents, present, watched
from oh_tui.actions.agent_state import AgentState
from oh_tui.actions.conversation_records import checked_title
from oh_tui.api import AgentServer, BareAgentServer
from oh_tui.api.errors import ApiError, NotFound
from oh_tui.api.models import IN_SANDBOX, AgentConversation
from oh_tui.api.requests import LONGEST_TITLE
from oh_tui.conversation import ORIGIN, ORIGIN_EVENT, Conversation, bare_id
from oh_tui.text.clean import clean_line
from oh_tui.text.problem import Problem, Refused, Remedy
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.context.fork_places import ForkPlace, ForkPlaces
from oh_tui.trajectory.context.sdk_versions import version_of
from oh_tui.trajectory.formats.zip.zip_members import CannotRead, CutTable, ZipMembers
from oh_tui.trajectory.model.bodies import field
from oh_tui.trajectory.model.events import decode_json
from oh_tui.trajectory.model.trajectory import Trajectory

FORKS, FORKS_AT_STEPS = (1, 18, 0), (1, 31, 0)
"""The first versions of the agent server that can do it (measured, 1.17.0 and 1.30.0; source)."""

WHOLE = "This server cannot fork at a step (from 1.31 on they can)"

WITHOUT_KEY = "This server left the key of the model out of the fork, so that its agent cannot work"


class Origin(msgspec.Struct, frozen=True):
    conversation: Conversation
    takes_all: bool = False
    """Its server takes all steps, whatever is asked for."""

    @property
    def shares(self) -> str:
        one = self.conversation
        place = f"git worktree, {safe_line(one.folder)}" if one.worktree else "folder"
        return f"both agents work in the same {place}"

    def knows(self, place: ForkPlace, total: int) -> str:
        if self.takes_all and place.step < total:
            return f"all {total:,} steps: {WHOLE[0].lower()}{WHOLE[1:]}"
        return place.words(total)


class Forked(msgspec.Struct, frozen=True):
    conversation: Conversation
    place: ForkPlace
    is_whole: bool = False
    """The server took all steps, not only those up to the place."""
    has_key: bool | None = None
    """Whether its agent has the key of the model that the origin has; None when that is not
    known."""
    is_listed: bool = True
    problem: Problem | None = None
    """What failed after it was made, so that the rest is not known."""

    @property
    def remarks(self) -> list[str]:
        """What is not as it was asked for, in sentences."""
        told = []
        if self.is_whole:
            told.append(f"{WHOLE}: the fork knows all of the run. Go on with it so, or leave it")
        if self.has_key is False:
            told.append(WITHOUT_KEY)
        if not self.is_listed:
            told.append("The app server does not list it yet")
        if self.problem:
            told.append(f"It was made, but then: {self.problem.sentence}")
        return told


def make_a_profile(agents: Agents) -> str:
    """How the server gets a profile with a key, for a fork without one."""
    if agents.api.workplace is IN_SANDBOX:
        return "make an LLM profile with a key in the settings of the app server, and switch to it"
    body = '{"llm": {"model": "…", "api_key": "…"}}'
    return f"POST {agents.api.base_url}/api/profiles/NAME with {body} makes one to switch to"


def place_for(run: Trajectory, step: int | None, *, before: bool = False) -> ForkPlace:
    """Where to fork a run: after a step, `before` a message, or without a step at the end. Raises
    Problem where that is not safe, naming the nearest places that are."""
    places = ForkPlaces(run)
    if step is None:
        return places.end()
    return places.before(step) if before else places.at(step)


def title_for(origin: Conversation, place: ForkPlace) -> str:
    end = f" (from step {place.step})"
    return f"{clean_line(origin.title or 'Fork')[: LONGEST_TITLE - len(end)]}{end}"


async def ready(agents: Agents, conversation_id: str) -> Origin:
    """A conversation to fork. Raises Problem when that cannot be now, or not by this version of its
    server, or when its agent is a program of its own: the server copies the session of that with
    the fork, which then knows more than the step (source, 1.58.2)."""
    now = await present(agents.api, conversation_id)
    AgentState(now).require_reachable()
    agent = agents.agent_server(now)
    record, told = await asyncio.gather(agent.conversation(), agent.version())
    version = version_of(told)
    if version is not None and version < FORKS:
        raise _cannot_fork(told)
    if record.is_acp:
        raise Refused(
            "Its agent is a program of its own, of which a fork would know more than the step",
            "start a new conversation instead",
        )
    return Origin(now, version is not None and version < FORKS_AT_STEPS)


async def fork(
    agents: Agents,
    conversation_id: str,
    run: Trajectory,
    step: int | None = None,
    *,
    before: bool = False,
    title: str = "",
) -> Forked:
    """Forks a conversation at a place of its run, as `place_for` finds it. It costs nothing until
    the fork gets a message. While the agent of the origin works, the server does it at the end of
    the step.

    Raises Problem, and nothing was made; whatever fails afterwards is in the `problem` of the fork.
    """
    place, title = place_for(run, step, before=before), checked_title(title)
    now = (await ready(agents, conversation_id)).conversation
    agent = agents.agent_server(now)
    title = title or title_for(now, place)
    there = {bare_id(now.id)}
    if isinstance(agents.api, BareAgentServer):
        there |= {bare_id(one.id) async for one in agents.api.conversations()}
    try:
        made = await watched(agent, agent.fork(place.event_id, title=title))
    except NotFound as error:
        raise await _refusal(agent, error, place) from error
    await _require_new(agents, made.id, there)
    # one that takes all events has no place of its own either
    is_whole = made.leaf_event_id != place.event_id and place.step < len(run.steps)
    # an app server does not know of it yet; an agent server that made it does
    is_listed = agents.api.workplace is not IN_SANDBOX
    forked = Forked(_record(now, made, title), place, is_whole, is_listed=is_listed)
    try:
        return await _found_out(agents, agent, forked, made, title)
    except Problem as problem:
        return msgspec.structs.replace(forked, problem=problem)


async def _require_new(agents: Agents, made: str, there: set[str]) -> None:
    """What comes next goes to the conversation that the answer names: no other one may get it."""
    found = None
    if agents.api.workplace is IN_SANDBOX:  # whose list has a fork only later
        (found,) = await agents.api.get_conversations([made])
    if not made or bare_id(made) in there or found is not None:
        raise Refused(
            "The server answered with the id of another conversation, so nothing was sent there",
            Remedy.LIST,
        )


async def _refusal(agent: AgentServer, error: NotFound, place: ForkPlace) -> Refused:
    if error.detail.startswith("Unknown from_event_id"):
        return Refused(
            f"The server does not have the event of step {place.step:,} any more", Remedy.REFRESH
        )
    if error.detail != "Not Found":
        return Refused("This conversation is not on its agent server any more", Remedy.LIST)
    version = ""
    with contextlib.suppress(ApiError):
        version = await agent.version()
    return _cannot_fork(version)


def _cannot_fork(version: str) -> Refused:
    return Refused(
        f"Agent server {version or 'of unknown version'} cannot fork",
        "servers from 1.18 on can, and from 1.31 on at a step",
    )


def _record(origin: Conversation, made: AgentConversation, title: str) -> Conversation:
    """The record of a fork, where no list has one: it is in the same place."""
    identifier = bare_id(made.id)
    base, slash, _ = (origin.conversation_url or "").rpartition("/")
    return msgspec.structs.replace(
        origin,
        id=identifier,
        title=title,
        execution_status=made.execution_status,
        metrics=None,
        parent_conversation_id=None,
        sub_conversation_ids=None,
        created_at=None,
        updated_at=None,
        tags=made.tags,
        conversation_url=f"{base}{slash}{identifier}" if base else None,
    )


async def _found_out(
    agents: Agents, origin: AgentServer, forked: Forked, made: AgentConversation, title: str
) -> Forked:
    """The fork as the list of the server has it, and whether its agent has a key."""
    agent = agents.agent_server(forked.conversation)
    if agents.api.workplace is IN_SANDBOX:
        # an app server hears of a fork only when something in its record changes; 1.34.0 makes the
        # title a tag
        own = {key: value for key, value in (made.tags or {}).items() if key != "title"}
        where = {ORIGIN: bare_id(origin.conversation_id)}
        if not forked.is_whole:
            where[ORIGIN_EVENT] = forked.place.event_id
        await agent.set_tags(own | where)
    listed = await _listed(agents, forked.conversation.id)
    if listed is not None and listed.title != title:
        listed = await agents.api.rename_conversation(listed.id, title)
    forked = msgspec.structs.replace(
        forked, conversation=listed or forked.conversation, is_listed=listed is not None
    )
    try:
        return msgspec.structs.replace(forked, has_key=await _has_key(origin, agent))
    except Problem as problem:  # the rest is known
        return msgspec.structs.replace(forked, problem=problem)


async def _listed(agents: Agents, identifier: str) -> Conversation | None:
    for look in range(10):  # an app server hears of it late
        if look:
            await asyncio.sleep(0.5)
        (found,) = await agents.api.get_conversations([identifier])
        if found is not None:
            return found
    return None


async def _has_key(origin: AgentServer, fork: AgentServer) -> bool | None:
    """Whether the agent of a fork has the key that the origin has. Records hide that; what the
    servers write down tells whether there is one."""
    if await keeps_key(fork):
        return True
    return False if await keeps_key(origin) else None


async def keeps_key(agent: AgentServer) -> bool | None:
    """Whether the server has written down a key for the model of an agent; None if that cannot be
    told, as of an agent that is a program of its own."""
    data = bytearray()
    async with agent.download() as pieces:
        async for piece in pieces:
            data += piece
            if len(data) >= 4_000_000:  # its state comes before the events
                break
    members = ZipMembers(file := io.BytesIO(data), CutTable(file))
    names = {name: n for n, name in enumerate(members.names) if name.endswith("base_state.json")}
    if not names:
        return None
    own = min(names, key=lambda name: (name.count("/"), name))  # those of sub-agents are below
    with contextlib.suppress(CannotRead, ValueError):
        llm = field(decode_json(members.read(names[own])), "agent", "llm")
        return bool(llm.get("api_key")) if isinstance(llm, dict) else None
    return None
