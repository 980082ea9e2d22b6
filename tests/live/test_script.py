"""The whole life of a run from a shell script, and answers from one, on the real server."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.acting import Stage
from tests.processes import oh_tui

from .conftest import Live

pytestmark = pytest.mark.live


def test_the_life_of_a_run_from_a_shell_script(live: Live, folder: Path) -> None:
    work = folder / "work" / "life"
    work.mkdir()
    done = subprocess.run(
        ["bash", str(Path(__file__).with_name("life.sh")), live.url, str(work)],
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=420,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "== all"


async def command(live: Live, *words: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(oh_tui, "--server", live.url, *words)


async def test_what_waits_is_approved_by_a_command(stage: Stage, live: Live) -> None:
    conversation = await stage.waiting()
    refused = await command(live, "send", conversation.id, stage.prompts.reply)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "a message would run it: nothing was sent" in refused.stderr
    assert (await command(live, "continue", conversation.id, "--yes")).returncode == 1
    assert not stage.ran(conversation)
    done = await command(live, "approve", conversation.id)
    assert done.returncode == 0 and done.stdout.startswith("approved  $ echo ran >>"), done
    await stage.until_status(conversation, "finished")
    assert stage.ran(conversation)
    assert (await command(live, "approve", conversation.id)).returncode == 1


async def test_what_waits_is_rejected_by_a_command_and_the_agent_goes_on(
    stage: Stage, live: Live
) -> None:
    conversation = await stage.waiting()
    done = await command(live, "reject", conversation.id, "another folder, please")
    assert done.returncode == 0 and "oh-tui continue" in done.stdout, done
    assert await stage.status(conversation) == "idle"
    (rejection,) = [
        event for event in await stage.events(conversation) if event.kind == "UserRejectObservation"
    ]
    assert rejection.body()["rejection_reason"] == "another folder, please"
    assert (await command(live, "continue", conversation.id)).returncode == 0
    await stage.until_status(conversation, "finished")
    assert not stage.ran(conversation)


async def test_a_message_rejects_first_when_it_is_told_to(stage: Stage, live: Live) -> None:
    conversation = await stage.waiting()
    done = await command(live, "send", conversation.id, stage.prompts.reply, "--reject")
    assert done.returncode == 0 and done.stdout.startswith("rejected and sent  $ echo"), done
    await stage.until_status(conversation, "finished")
    assert not stage.ran(conversation)
    kinds = await stage.kinds(conversation)
    assert kinds[kinds.index("UserRejectObservation") :].count("MessageEvent") == 2
