"""Automations of servers: list them and their runs, read the log of a run, stop it, switch one on
and off, run it.

Facts without another source are measured on openhands-automation 1.13.1 and 1.26.0.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from enum import StrEnum
from operator import attrgetter
from typing import TypeAlias, TypeVar

import msgspec
from msgspec.structs import replace

from oh_tui.actions.agent_actions import HalfDone
from oh_tui.api import app_server, bare_server
from oh_tui.api.automation_models import Automation, AutomationRun, RunPage
from oh_tui.api.errors import ApiError, Conflict, InvalidRequest, NotFound, NotTheApi
from oh_tui.api.models import Page
from oh_tui.api.sandbox_server import SandboxServer
from oh_tui.api.server import running_agent
from oh_tui.catalog.automations import (
    conversation_of,
    is_derived,
    is_over,
    outcome,
    works,
    works_on,
)
from oh_tui.catalog.run_status import updated
from oh_tui.conversation import Conversation, same_id
from oh_tui.text.problem import Problem, Refused, Remedy
from oh_tui.trajectory.model.clock import seconds

T = TypeVar("T")

Api: TypeAlias = "app_server.AppServer | bare_server.BareAgentServer"

PATIENCE = 8.0
"""Seconds within which a server must tell its automations, one that starts or hangs."""

LOOK_BACK = 10
"""Pages of runs or of conversations that are searched for one."""

SETTLE = 6.0
"""Seconds within which an interrupted agent has stopped."""

LISTED = 0.3
"""Seconds within which a server lists a run that it just began: 1.13.1 answers first (measured)."""


class StopStage(StrEnum):
    """A stage of stopping a run, in words that fit anywhere."""

    CANCELLING = "stopping the run"
    CANCELLED = "the run is stopped"
    ENDED = "the run ended by itself meanwhile"
    SCRIPT_ENDED = "its script is stopped"
    SCRIPT_GOES_ON = "its script cannot be stopped, and may still start its agent"
    INTERRUPTING = "stopping its agent now"
    STOPPED = "its agent is stopped"


class StopPlan(msgspec.Struct, frozen=True):
    """What stopping a run would do now."""

    run: AutomationRun
    conversation: Conversation | None = None
    """None where there is none, or none is known."""
    script: bool = False
    """Its script has begun and reported no end. A cancel leaves it alone (measured, 1.26.0), so
    that it may still start an agent."""

    @property
    def cancels(self) -> bool:
        return not is_over(self.run)

    @property
    def interrupts(self) -> bool:
        """Its agent works, whether or not the run is over."""
        return works(self.conversation)

    @property
    def works_on(self) -> bool:
        """The run is over and its agent works on."""
        return works_on(self.run, self.conversation)

    @property
    def words(self) -> str:
        """What it does, as part of a sentence; "" for nothing."""
        over = f"the run is over ({outcome(self.run).word})"
        script = "stop its script" if self.script else ""
        if self.works_on:
            return f"{script}{' and ' * self.script}stop its agent, which works on: {over}"
        if self.interrupts:
            return f"stop the run{', its script' * self.script} and its agent, which works"
        if self.run.status == "PENDING":
            return "stop the run before it begins"
        if self.cancels:
            return f"stop the run{' and its script' * self.script}; no agent of it is known to work"
        return f"{script}, which told no end: {over}" * self.script


class RunLog(msgspec.Struct, frozen=True):
    """What the script of a run printed: its setup, and what carried it out."""

    text: str
    exit_code: int | None
    """None while it has not ended."""
    is_cut: bool = False


class Automations:
    """The automations of the servers of a list. Runs are read of one automation at a time: no
    server lists them of all."""

    def __init__(self, apis: Mapping[str, Api]) -> None:
        """`apis` are the servers by their names in the list, "" for the only one."""
        self._apis = apis
        self._known: dict[str, list[Automation]] = {}
        self._without: set[str] = set()
        """Servers that have no automations: they were asked once."""
        self.problems: dict[str, Problem] = {}
        """Why a server did not list its automations when it was last asked, by its name."""

    @property
    def problem(self) -> str:
        """The same in one sentence; "" for none."""
        named = ((name, one.sentence) for name, one in self.problems.items())
        return "; ".join(f"{name}: {why}" if name else why for name, why in named)

    @property
    def are_there(self) -> bool:
        """Whether a server has automations, or may have some that it did not tell."""
        return len(self._without) < len(self._apis)

    def now(self, server: str = "") -> float:
        """The time by the clock of a server, in seconds since 1970."""
        return time.time() - self._apis[server].seconds_ahead

    async def all(self) -> list[Automation]:
        """All automations, those of a server that does not answer as it told them last. All servers
        are asked at once, a page of a hundred at a time."""
        await asyncio.gather(*map(self._ask, self._apis))
        return [one for name in self._apis for one in self._known.get(name, ())]

    async def _ask(self, server: str) -> None:
        if server in self._without:
            return
        self.problems.pop(server, None)
        found: list[Automation] = []
        try:
            async with asyncio.timeout(PATIENCE):
                async for page in self._apis[server].automations.all().pages():
                    found += [replace(one, server=server) for one in page.items]
            self._known[server] = found
        except ApiError as error:
            # a front-end has a page at any address; a gateway's that wants a sign-in is of a kind
            # of its own, and of what is behind it nothing is known
            is_none = isinstance(error, NotFound) or type(error) is NotTheApi
            if is_none and server not in self._known:
                self._without.add(server)
                return
            away = "Automations do not answer: their server is starting, or away"
            starts = error.status in (502, 503)
            self.problems[server] = Refused(away, Remedy.WAIT) if starts else error
        except TimeoutError:
            late = f"The automation server did not answer within {PATIENCE:.0f} s"
            self.problems[server] = Refused(late, Remedy.WAIT)

    async def runs(self, automation: Automation, limit: int = 20) -> RunPage:
        """Its newest runs, at most 100, in one call."""
        page = await self._apis[automation.server].automations.runs(automation.id, limit=limit)
        return replace(page, runs=tuple(_of(automation, run) for run in page.runs))

    async def current(self, run: AutomationRun) -> AutomationRun:
        """The run as it is now: no server tells one alone, so a call for each 100 newer ones.
        Raises Refused if it is not among the newest thousand."""
        for pause in (LISTED, 0.0):
            if found := await self._listed(run):
                return replace(found, automation_id=run.automation_id, server=run.server)
            await asyncio.sleep(pause)
        gone = "The run is not on the server any more, or not among its newest thousand"
        raise Refused(gone, Remedy.REFRESH)

    async def _listed(self, run: AutomationRun) -> AutomationRun | None:
        pages = self._apis[run.server].automations.all_runs(run.automation_id or "").pages()
        async for page in _first(pages):
            if found := next((one for one in page.items if same_id(one.id, run.id)), None):
                return found
        return None

    async def conversation(
        self, run: AutomationRun, loaded: Iterable[Conversation] = ()
    ) -> Conversation | None:
        """Its conversation as it is now: one call where it is known, else one for each hundred
        conversations that changed since the run was made, at most ten. Never a fork of it, whose
        agent is not that of the run."""
        api = self._apis[run.server]
        known = _own(run, loaded)
        if identifier := known.id if known else run.conversation_id:
            with contextlib.suppress(InvalidRequest):  # no id
                if found := (await api.get_conversations([identifier]))[0]:
                    return found
        if run.status == "PENDING":
            return None
        began = seconds(run.created_at or "") or 0.0
        async for page in _first(api.conversations().pages()):
            if found := _own(run, page.items):
                return found
            if page.items and updated(page.items[-1]) < began:
                break
        return None

    async def log(
        self, run: AutomationRun, conversation: Conversation | None = None
    ) -> RunLog | None:
        """What its script printed, up to 8 MiB of it, in one call. None where nothing is told: an
        app server tells it only of a conversation whose sandbox runs."""
        shell = self._shell(run, conversation)
        if not run.bash_command_id or shell is None:
            return None
        page = await shell.search_bash_events(run.bash_command_id)
        if not page.items:
            return None
        parts = sorted(page.items, key=lambda part: (part.order or 0, part.exit_code is not None))
        text = "".join(f"{part.stdout or ''}{part.stderr or ''}" for part in parts)
        codes = [part.exit_code for part in parts if part.exit_code is not None]
        return RunLog(text, codes[-1] if codes else None, page.next_page_id is not None)

    def _shell(self, run: AutomationRun, conversation: Conversation | None) -> SandboxServer | None:
        api = self._apis[run.server]
        if isinstance(api, bare_server.BareAgentServer):
            return api.sandbox
        agent = running_agent(api, conversation) if conversation else None
        return agent.sandbox if agent else None

    # acts

    async def stop_plan(self, run: AutomationRun, loaded: Iterable[Conversation] = ()) -> StopPlan:
        """What stopping it would do now. Raises Refused where there is nothing to stop."""
        now = await self.current(run)
        conversation = await self.conversation(now, loaded)
        plan = StopPlan(now, conversation, await self._script_goes_on(now, conversation))
        if not plan.words:
            raise Refused(f"The run is over ({outcome(now).word}), and no agent of it works")
        return plan

    async def _script_goes_on(self, run: AutomationRun, conversation: Conversation | None) -> bool:
        """Whether it has begun and told no end; of a log that cannot be read, whether its run goes
        on."""
        has_begun = run.status in ("RUNNING", "CANCELLED", "FAILED") and run.bash_command_id
        if not has_begun or not self._shell(run, conversation):
            return False
        try:
            log = await self.log(run, conversation)
        except ApiError:
            return not is_over(run)
        return log is None or log.exit_code is None

    async def stop(self, plan: StopPlan) -> AsyncIterator[StopStage]:
        """Cancels the run, ends its script and interrupts its agent, as planned.

        Raises Refused if it stands otherwise by now, and HalfDone if the agent works on, or may.
        """
        run = plan.run
        now = await self.stop_plan(run, [plan.conversation] if plan.conversation else ())
        if now.run.status != run.status or now.words != plan.words:
            raise Refused("The run has changed meanwhile, so nothing was done", Remedy.REFRESH)
        conversation = now.conversation
        if plan.cancels:
            yield StopStage.CANCELLING
            try:
                await self._apis[run.server].automations.cancel(run.id)
                yield StopStage.CANCELLED
            except Conflict:
                yield StopStage.ENDED
        shell = self._shell(now.run, conversation) if now.script else None
        if shell and now.run.bash_command_id:
            try:
                await shell.stop_bash_command(now.run.bash_command_id)
                yield StopStage.SCRIPT_ENDED
            except ApiError:  # as before 1.52
                yield StopStage.SCRIPT_GOES_ON
        if now.cancels or now.script:  # it may have begun to work in between
            known = [conversation] if conversation else ()
            try:
                conversation = await self.conversation(now.run, known)
            except Problem as error:
                why = f"The run is over, but whether its agent works is not told: {error.sentence}"
                raise HalfDone(why, Remedy.STOP_RUN_AGAIN) from error
        if conversation and works(conversation):
            yield StopStage.INTERRUPTING
            await self._interrupt(run, conversation)
            yield StopStage.STOPPED

    async def _interrupt(self, run: AutomationRun, conversation: Conversation) -> None:
        api, clock = self._apis[run.server], asyncio.get_running_loop().time
        end = clock() + SETTLE
        try:
            if (agent := running_agent(api, conversation)) is None:
                raise Refused("its sandbox is away")
            await agent.interrupt()
            while works((await api.get_conversations([conversation.id]))[0]):
                if clock() > end:
                    raise Refused("it still works")
                await asyncio.sleep(0.2)
        except Problem as error:
            why = f"The run is over, but its agent was not stopped: {error.sentence}"
            raise HalfDone(why, Remedy.STOP_RUN_AGAIN) from error

    async def set_enabled(self, automation: Automation, enabled: bool) -> Automation:
        """Switches its trigger on or off. Raises Refused if somebody did so meanwhile."""
        server = self._apis[automation.server].automations
        now = await server.get(automation.id)
        if now.is_on is enabled:
            raise Refused(f"The automation is {'on' if enabled else 'off'} already", Remedy.REFRESH)
        after = await server.set_enabled(now, enabled)
        return replace(after, server=automation.server)

    async def run_now(self, automation: Automation) -> AutomationRun:
        """Begins a run, which costs money. Raises Refused if it would do something else than the
        user saw, or is off on a server that runs none that is."""
        server = self._apis[automation.server].automations
        seen = attrgetter("name", "prompt", "model")
        if seen(await server.get(automation.id)) != seen(automation):
            changed = "The automation was changed meanwhile, so nothing was done"
            raise Refused(changed, Remedy.REFRESH)
        return _of(automation, await server.dispatch(automation.id))


def _own(run: AutomationRun, loaded: Iterable[Conversation]) -> Conversation | None:
    return conversation_of(run, (one for one in loaded if not is_derived(one)))


def _of(automation: Automation, run: AutomationRun) -> AutomationRun:
    return replace(run, automation_id=automation.id, server=automation.server)


async def _first(pages: AsyncIterator[Page[T]]) -> AsyncIterator[Page[T]]:
    for _ in range(LOOK_BACK):
        if (page := await anext(pages, None)) is None:
            return
        yield page
