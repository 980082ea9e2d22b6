"""Which event of a run follows which, where the agent server leaves that out: its zip has it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from oh_tui.api.server import GivesRuns, running_agent
from oh_tui.conversation import Conversation
from oh_tui.sources.saving import save_download
from oh_tui.text.human import size
from oh_tui.text.problem import Problem, Refused, Remedy
from oh_tui.trajectory.context.sdk_versions import version_of
from oh_tui.trajectory.formats.zip.archive import open_archive

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
    with open_archive(file) as run:
        return {event.id: event.parent_id for event in run.events() if event.parent_id}
