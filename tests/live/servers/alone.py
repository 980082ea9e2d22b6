"""An agent server started alone, without an app server, as a process of ours."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import httpx

from oh_tui.demo.world import AgentVersion

from .front import Front
from .model import ScriptedModel
from .server import CACHE, PYTHON, clean_environment, end_groups, free_port, wait_for

IN_SANDBOXES = AgentVersion.USUAL
"""The version of the agent servers that the app server starts in its sandboxes."""

KEY = "key-of-the-agent-server-alone"


def python(version: str) -> Path:
    """The Python of its venv, which scripts/live_setup.py makes."""
    if version == IN_SANDBOXES:  # the app server's own venv has it
        return PYTHON
    return CACHE / f"venv-agent-{version}" / "bin" / "python"


class AgentServerAlone:
    """An agent server of some version, with a front that oh-tui can be pointed at.

    `folder` must be private to it and have a short path; agents work in `work`. `more` is added to
    its environment.
    """

    def __init__(
        self,
        version: str,
        folder: Path,
        work: Path,
        model: ScriptedModel,
        more: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = folder
        (folder / "tmp").mkdir(parents=True)
        self.agent_url = f"http://127.0.0.1:{free_port()}"
        command = [str(python(version)), "-m", "openhands.agent_server", "--host", "127.0.0.1"]
        with (folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--port", self.agent_url.rpartition(":")[2]],
                cwd=folder,
                env=clean_environment(folder)
                | {"TMUX_TMPDIR": str(folder / "tmp"), "OH_SESSION_API_KEYS_0": KEY}
                | {"OH_ENABLE_VSCODE": "false", "OH_ENABLE_VNC": "false"}
                | {"OH_CONVERSATION_WORKTREE_ROOT": str(folder / "conversation-worktrees")}
                | dict(more or {}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._front = Front(self.agent_url, KEY, model.url, str(work))
        self.url = self._front.url
        self._client = httpx.Client(base_url=self.url, timeout=60, trust_env=False)
        try:
            wait_for(self._alive, f"agent server {version} to start", 90)
        except BaseException:
            self.close()
            raise

    def _alive(self) -> bool:
        if self._process.poll() is not None:
            raise RuntimeError(f"the agent server ended, see {self._folder / 'server.log'}")
        try:
            return httpx.get(f"{self.agent_url}/health", trust_env=False).is_success
        except httpx.TransportError:
            return False

    def run(self, message: str, *, model: str | None = None) -> str:
        """Start a conversation, wait until it is over, and return its id."""
        text = {"content": [{"type": "text", "text": message}]}
        body = {"initial_message": text, "llm_model": model}
        answer = self._client.post("/api/v1/app-conversations", json=body).raise_for_status()
        identifier = str(answer.json()["app_conversation_id"])

        def over() -> bool:
            path = "/api/v1/app-conversations"
            (found,) = self._client.get(path, params={"ids": identifier}).json()
            return found["execution_status"] in ("finished", "error")

        wait_for(over, "the run to end", 90)
        return identifier

    def close(self) -> None:
        self._client.close()
        self._front.close()
        end_groups([self._process.pid], self._folder / "tmp")
        self._process.wait()
