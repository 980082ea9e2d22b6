"""Run by the Python of an SDK's venv: a conversation whose model keeps what it was sent.

usage: context_recorder.py FOLDER. Writes FOLDER/requests.json, a list of `{"id", "messages"}` by
response id, and the run below FOLDER/kept. The run has what makes contexts differ: parallel calls,
a failure, an unknown tool, an output too long, messages of the user that follow each other, a
rejected call, condensations, and where the SDK can go back a second branch.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from openhands.sdk import LLM, Agent, LocalConversation, Tool  # type: ignore[import-not-found]
from openhands.sdk.context.condenser import (  # type: ignore[import-not-found]
    LLMSummarizingCondenser,
)
from openhands.sdk.event import MessageEvent  # type: ignore[import-not-found]
from openhands.sdk.security.confirmation_policy import (  # type: ignore[import-not-found]
    AlwaysConfirm,
    NeverConfirm,
)
from openhands.tools.file_editor import FileEditorTool  # type: ignore[import-not-found]
from openhands.tools.terminal import TerminalTool  # type: ignore[import-not-found]

Call = tuple[str, dict[str, Any]]


def shell(command: str) -> Call:
    return "terminal", {"command": command, "security_risk": "LOW"}


def view(path: str) -> Call:
    return "file_editor", {"command": "view", "path": path, "security_risk": "LOW"}


ANSWERS: list[str | list[Call]] = [
    [shell("echo one"), view("/nowhere/at/all"), shell("false")],
    [("no_such_tool", {"x": 1})],
    [shell("seq 1 9000")],
    "First part done.",
    [shell("echo two")],
    [view("/etc/hostname"), shell("echo three")],
    *([shell(f"echo step {number}")] for number in range(6)),
    "Second part done.",
    [shell("echo refused")],
    [shell("echo after it")],
    "Third part done.",
    *([shell(f"echo again {number}")] for number in range(8)),
    "Fourth part done.",
    [shell("echo on another branch")],
    [shell("echo and more of it")],
    "The branch is done.",
]


class Model(BaseHTTPRequestHandler):
    requests: ClassVar[list[dict[str, Any]]] = []
    answered = 0

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = f"chatcmpl-{len(Model.requests)}"
        Model.requests.append({"id": name, "messages": request["messages"]})
        message: dict[str, Any] = {"role": "assistant", "content": "So far all went well."}
        if request.get("tools"):
            answer = ANSWERS[Model.answered]
            Model.answered += 1
            if isinstance(answer, str):
                message["content"] = answer
            else:
                message["content"] = f"Number {Model.answered}." if Model.answered % 2 else ""
                message["tool_calls"] = [
                    {
                        "id": f"call-{Model.answered}-{place}",
                        "type": "function",
                        "function": {"name": tool, "arguments": json.dumps(arguments)},
                    }
                    for place, (tool, arguments) in enumerate(answer)
                ]
        body = json.dumps({
            "id": name, "object": "chat.completion", "created": 1, "model": "scripted",
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12},
        }).encode()  # fmt: skip
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def main() -> None:
    logging.disable(logging.CRITICAL)
    folder = Path(sys.argv[1])
    (folder / "work").mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        converse(folder, f"http://127.0.0.1:{server.server_port}/v1")
    finally:
        server.shutdown()
    (folder / "requests.json").write_text(json.dumps(Model.requests))


def converse(folder: Path, url: str) -> None:
    def llm(usage: str) -> Any:
        return LLM(model="openai/scripted", base_url=url, api_key="none", usage_id=usage,
                   num_retries=0, native_tool_calling=True)  # fmt: skip

    talk = LocalConversation(
        agent=Agent(
            llm=llm("agent"),
            tools=[Tool(name=TerminalTool.name), Tool(name=FileEditorTool.name)],
            condenser=LLMSummarizingCondenser(llm=llm("condenser"), max_size=24, keep_first=2),
        ),
        workspace=str(folder / "work"),
        persistence_dir=str(folder / "kept"),
        visualizer=None,
        delete_on_close=False,
    )
    try:
        talk.send_message("Do it.")
        talk.send_message("And do it well.")
        talk.run()
        talk.send_message("Go on.")
        talk.run()
        talk.set_confirmation_policy(AlwaysConfirm())
        talk.send_message("Now something else.")
        talk.run()  # waits for an answer
        talk.reject_pending_actions("not here")
        talk.set_confirmation_policy(NeverConfirm())
        talk.run()
        talk.send_message("Once more.")
        talk.run()
        if hasattr(talk, "navigate_to"):
            said = (e for e in talk.state.events if isinstance(e, MessageEvent))
            talk.navigate_to(next(e.id for e in said if e.source == "agent"))
            talk.send_message("Try another way.")
            talk.run()
    finally:
        talk.close()


if __name__ == "__main__":
    main()
