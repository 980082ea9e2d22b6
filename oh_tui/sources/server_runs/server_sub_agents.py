"""The sub-agents of the task and delegate tools. They are no conversations, but folders within that
of the run on its agent server; only a download of the whole run contains them."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence

from oh_tui.api.agent_server import AgentServer
from oh_tui.api.errors import NotFound
from oh_tui.sources import file_runs
from oh_tui.text.human import size
from oh_tui.text.problem import Refused, Remedy
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.findings.sub_agents import starts
from oh_tui.trajectory.formats.zip import archive
from oh_tui.trajectory.model.trajectory import SubAgent, Trajectory
from oh_tui.trajectory.presentation.blocks import links_of

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
    """Why they cannot be read in a sandbox that does not run."""
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
