"""What the zip of a run alone has: which event follows which, where the agent server leaves that
out, and the sub-agents of the task and delegate tools, which are folders in it."""

from __future__ import annotations

import asyncio
import io
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from oh_tui.api.agent_server import AgentServer
from oh_tui.api.errors import NotFound
from oh_tui.api.server import GivesRuns, running_agent
from oh_tui.conversation import Conversation
from oh_tui.sources import file_runs
from oh_tui.sources.saving import save_download
from oh_tui.text.human import size
from oh_tui.text.problem import Problem, Refused, Remedy
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.context.sdk_versions import version_of
from oh_tui.trajectory.findings.sub_agents import starts
from oh_tui.trajectory.formats.zip import archive
from oh_tui.trajectory.model.trajectory import SubAgent, Trajectory
from oh_tui.trajectory.presentation.blocks import links_of

STRIPPING = ((1, 31, 2), (1, 36, 1))
"""The first and the last version that leave `parent_id` out of the events that they send (source;
1.34.0 measured). Older ones have none: nobody can go back in their runs. Newer ones send it."""

LARGEST = 1_000_000_000
"""Bytes of a zip above which it is not read for this alone."""


async def read_parents(
    api: GivesRuns, conversation: Conversation, progress: Callable[[int], None]
) -> dict[str, str]:
    """Event id -> the id of the event that it follows; empty where the events themselves tell all
    that there is. Raises Problem where it cannot be told."""
    try:
        agent = running_agent(api, conversation)
        if agent is None:
            raise Refused("its events do not say what they follow, and no agent server runs")
        version = version_of(await agent.version())
        if version is not None and not STRIPPING[0] <= version <= STRIPPING[1]:
            return {}
        with tempfile.TemporaryDirectory(prefix="oh-tui-") as folder:
            zipped = Path(folder) / "run.zip"
            await save_download(agent.download(), zipped, partial(_received, progress))
            found = await asyncio.to_thread(_parents_in, zipped)
        if not found:
            raise Refused("neither its events nor its zip say what they follow")
    except Problem as problem:
        told = f"The branches of this run cannot be told: {problem.sentence}"
        raise Refused(told, problem.hint) from problem
    return found


def _received(progress: Callable[[int], None], count: int) -> None:
    if count > LARGEST:
        raise Refused(f"the zip that tells them is longer than {size(LARGEST)}", Remedy.DOWNLOAD)
    progress(count)


def _parents_in(file: Path) -> dict[str, str]:
    with archive.open_archive(file) as run:
        return {event.id: event.parent_id for event in run.events() if event.parent_id}


IN_MEMORY = 64_000_000
"""Bytes of a download that are held in memory."""


async def sub_agents(agent: AgentServer) -> Sequence[SubAgent]:
    """None from a server without that download. Raises Problem."""
    file = io.BytesIO()
    try:
        async with agent.download() as pieces:
            async for piece in pieces:
                if file.tell() > IN_MEMORY:
                    told = f"The run is longer than {size(IN_MEMORY)}, and its sub-agents are in it"
                    raise Refused(told, Remedy.DOWNLOAD)
                file.write(piece)
    except NotFound:
        return ()
    run = await asyncio.to_thread(archive.open_archive, file, "the download")
    return file_runs.run_of(run, ()).sub_agents


def out_of_reach(status: str | None) -> Refused:
    """The sentence for sub-agents whose sandbox does not run."""
    told, hint = _OUT_OF_REACH.get(status or "MISSING", ("", Remedy.WAIT))
    told = told or f"which is {safe_line(status or '').lower()[:20]}"
    return Refused(f"The steps of the sub-agents are in the sandbox, {told}", hint)


_OUT_OF_REACH = {
    "PAUSED": ("which is paused", Remedy.RESUME),
    "STARTING": ("which is starting", Remedy.WAIT),
    "ERROR": ("which failed", ""),
    "MISSING": ("which is gone", ""),
}


def may_have(run: Trajectory) -> bool:
    """Whether a step started a sub-agent that is no conversation."""
    return any(starts(step) and not links_of(step) for step in run.steps)
