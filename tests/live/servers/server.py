"""The real app server as a process of ours: started empty, asked for conversations, taken down."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import httpx

from .model import NAME

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "oh-tui-live"
PYTHON = CACHE / "venv-1.11.0" / "bin" / "python"
"""What scripts/live_setup.py makes."""

OVER = ("finished", "error", "stuck")

T = TypeVar("T")


class LiveServer:
    """An app server with its sandboxes.

    `folder` must be private to it and have a short path, for sockets lie below it; what the
    server and the sandboxes log goes there too. `webhook` False leaves out the variable that lets
    the app server hear of events.
    """

    def __init__(self, folder: Path, *, webhook: bool = True, key: str = "") -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.key = key
        self.webhook = webhook
        (folder / "tmp").mkdir(parents=True)
        self._process = self._launched()
        self._groups = [self._process.pid]
        headers = {"X-Session-API-Key": key} if key else {}
        self._client = httpx.Client(base_url=self.url, headers=headers, timeout=60)
        try:
            wait_for(self._alive, "the app server to start", 180)
        except BaseException:
            self.close()
            raise

    def _launched(self) -> subprocess.Popen[bytes]:
        """The app server, the leader of a group that its sandboxes belong to."""
        with (self.folder / "server.log").open("ab") as log:
            return subprocess.Popen(
                [str(PYTHON), str(Path(__file__).with_name("launcher.py")), str(self.port)],
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self) -> None:
        """End the app server as a crash would; its sandboxes run on."""
        self._process.kill()
        self._process.wait()

    def start_again(self) -> None:
        """The app server at its old address, with what it had written down."""
        self._process = self._launched()
        self._groups.append(self._process.pid)
        wait_for(self._alive, "the app server to start again", 180)

    def _environment(self) -> dict[str, str]:
        """The environment of the app server, with webhooks that do not dawdle.

        Sending the first events takes some seconds, for the app server makes a title first; a
        flush delay shorter than that loses the events that come meanwhile until the next one comes
        (measured, agent server 1.34.0). The default is 30 s. A busy machine takes longer: at a load
        of 12 a delay of 8 s lost the end of a short run three times of three.
        """
        made = {
            "OH_PERSISTENCE_DIR": str(self.folder / "data"),
            "OH_AGENT_SERVER_ENV": json.dumps({"TMUX_TMPDIR": str(self.folder / "tmp")}),
            "RUNTIME": "process",
            "SERVE_FRONTEND": "false",
        }
        if self.webhook:
            made["OH_WEBHOOKS_0_BASE_URL"] = f"{self.url}/api/v1/webhooks"
            made["OH_WEBHOOKS_0_FLUSH_DELAY"] = str(min(30, max(8, round(2 * os.getloadavg()[0]))))
            made["OH_WEBHOOKS_0_RETRY_DELAY"] = "1"
        if self.key:
            made["SESSION_API_KEY"] = self.key
        return clean_environment(self.folder) | made

    def _alive(self) -> bool:
        if self._process.poll() is not None:
            raise RuntimeError(f"the app server ended, see {self.folder / 'server.log'}")
        try:
            return self._client.get("/alive").is_success
        except httpx.TransportError:
            return False

    def use_model(self, url: str) -> None:
        llm = {"model": NAME, "api_key": "sk-scripted", "base_url": url}
        self.post("/api/v1/settings", {"agent_settings_diff": {"llm": llm}})

    def start(self, message: str, **more: Any) -> str:
        """Start a conversation, wait until it is READY, and return its id.

        A start that fails is tried once more: two sandboxes that look for a free port at the same
        time can take the same one (measured), and programs of others may get in the way too.
        """
        text = {"role": "user", "content": [{"type": "text", "text": message}], "run": True}
        body = {"initial_message": text, **more}
        task = self._started(body)
        if task["status"] == "ERROR":
            task = self._started(body)
        if task["status"] == "ERROR":
            raise RuntimeError(f"no conversation started: {task['detail']}")
        return str(task["app_conversation_id"])

    def _started(self, body: dict[str, Any]) -> dict[str, Any]:
        task: dict[str, Any] = self.post("/api/v1/app-conversations", body)

        def done() -> bool:
            tasks = self.get("/api/v1/app-conversations/start-tasks", ids=task["id"])
            task.update(tasks[0])
            return task["status"] in ("READY", "ERROR")

        wait_for(done, "a conversation to start", 150)
        return task

    def wait_until_over(self, conversation_id: str) -> None:
        """Until the run has ended and, with a webhook, the app server has heard of all of it."""
        counts: list[int] = []

        def over() -> bool:
            return self.conversation(conversation_id)["execution_status"] in OVER

        def arrived() -> bool:
            """The app server has every event of the sandbox, and no more came for 1.5 s."""
            path = f"/api/v1/conversation/{conversation_id}/events/search"
            held = {event["id"] for event in self.get(path)["items"]}
            counts.append(len(held))
            return counts[-4:] == [len(held)] * 4 and self._in_sandbox(conversation_id) <= held

        wait_for(over, "the run to end", 90)
        if self.webhook:
            wait_for(arrived, "the events to arrive", 60)

    def _in_sandbox(self, conversation_id: str) -> set[str]:
        about = self.conversation(conversation_id)
        answer = self._client.get(
            about["conversation_url"] + "/events/search",
            headers={"X-Session-API-Key": about["session_api_key"]},
        )
        return {event["id"] for event in answer.raise_for_status().json()["items"]}

    def conversation(self, conversation_id: str) -> dict[str, Any]:
        (found,) = self.get("/api/v1/app-conversations", ids=conversation_id)
        return dict(found)

    def get(self, path: str, **query: str) -> Any:
        return self._client.get(path, params=query).raise_for_status().json()

    def post(self, path: str, body: Any) -> Any:
        return self._client.post(path, json=body).raise_for_status().json()

    def delete(self, path: str) -> None:
        self._client.delete(path).raise_for_status()

    def close(self) -> None:
        """Kill the server and its sandboxes, stopped ones too, and the terminals they left."""
        self._client.close()
        end_groups(self._groups, self.folder / "tmp")
        self._process.wait()


def clean_environment(folder: Path) -> dict[str, str]:
    """An environment for a program of OpenHands: nothing of the user's own, no proxy, and
    `folder` for what it writes."""
    theirs = ("OH_", "OPENHANDS_", "LLM_", "SESSION_API_KEY", "TMUX")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(theirs)}
    kept = {k: v for k, v in kept.items() if not k.lower().endswith("_proxy")}
    return kept | {"HOME": str(folder), "TMPDIR": str(folder / "tmp"), "LOG_LEVEL": "WARNING"}


def end_groups(groups: Iterable[int], tmux: Path) -> None:
    """Kill these groups of processes, and the terminals they left whose sockets are in `tmux`."""
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
    # one server of tmux, in 1.53.0 and later one for each conversation (measured)
    for listening in tmux.glob("tmux-*/openhands*"):
        kill = ["tmux", "-S", str(listening), "kill-server"]
        subprocess.run(kill, capture_output=True, check=False)


def temporary_folder() -> Path:
    """A folder with a path short enough for sockets, which macOS's own temporary folder is not."""
    return Path(tempfile.mkdtemp(prefix="oh-live-", dir="/tmp"))


def keep_logs(folder: Path) -> Path:
    """Copy what the servers below `folder` and their sandboxes logged, and say where to."""
    target = Path(tempfile.mkdtemp(prefix="oh-tui-live-logs-"))
    for log in folder.rglob("*.log"):
        name = "-".join(log.relative_to(folder).parts).replace("-.", "-")
        shutil.copy(log, target / name)
    return target


def wait_for(question: Callable[[], T], what: str, seconds: float) -> T:
    """Ask until the answer is true; raises TimeoutError that says what was waited for."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = question()
        if answer:
            return answer
        time.sleep(0.5)
    raise TimeoutError(f"waited {seconds:.0f} s for {what}")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
