"""Random runs that every version of the SDK since 1.9 can read: batches, failures, condensations,
branches, and what goes wrong: calls without a result, second results, careless condensations."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from typing import Any

Body = dict[str, Any]

ROOT = "__root__"

_SEEN = ("SystemPromptEvent", "MessageEvent", "ActionEvent", "ObservationEvent",
         "AgentErrorEvent", "UserRejectObservation")  # fmt: skip


def text(words: str) -> Body:
    return {"type": "text", "text": words}


class RandomRun:
    """Makes the events of one run."""

    def __init__(self, seed: int, *, is_tree: bool = False, damage: float = 0.1) -> None:
        """`is_tree`: events name their parents, and branch. `damage` is the share of what is
        amiss."""
        self.random = random.Random(seed)
        self.events: list[Body] = []
        self.is_tree, self.damage = is_tree, damage
        self._leaf = ""
        self._answers = 0

    def make(self, count: int) -> list[Body]:
        """Makes at least so many events."""
        self._add("SystemPromptEvent", "agent", system_prompt=text("You are an agent."), tools=[])
        self._user()
        while len(self.events) < count:
            chance = self.random.random()
            if chance < 0.62:
                self._answer()
            elif chance < 0.72:
                self._said()
            elif chance < 0.84:
                self._user()
            elif chance < 0.92:
                self._condense()
            elif chance < 0.95:
                self._add("PauseEvent", "user")
            elif self.is_tree:
                self._go_back()
        return self.events

    def _odd(self) -> bool:
        return self.random.random() < self.damage

    def _add(self, kind: str, source: str, **fields: Any) -> str:
        name = f"e{len(self.events)}"
        when = datetime(2026, 3, 1) + timedelta(seconds=len(self.events))
        body = {"kind": kind, "id": name, "timestamp": when.isoformat(), "source": source}
        if self.is_tree:
            body["parent_id"] = self._leaf or ROOT
        self.events.append(body | fields)
        self._leaf = name
        return name

    def _user(self) -> None:
        more = [text("a skill")] if self._odd() else []
        content = [text(f"message {len(self.events)}")]
        if self._odd():
            content.append({"type": "image", "image_urls": ["data:image/png;base64,iVBO"]})
        said = {"role": "user", "content": content}
        self._add("MessageEvent", "user", llm_message=said, extended_content=more)

    def _said(self) -> None:
        self._answers += 1
        said: Body = {"role": "assistant", "content": [text("I am done.")]}
        if self._odd():
            said["reasoning_content"] = "so it seems"
        self._add("MessageEvent", "agent", llm_message=said, llm_response_id=f"r{self._answers}")

    def _answer(self) -> None:
        self._answers += 1
        thinks = self.random.random() < 0.3
        count = self.random.choice((1, 1, 1, 2, 3))
        calls = [self._call(is_first=not n, thinks=thinks and not n) for n in range(count)]
        if self._odd():
            self.random.shuffle(calls)
        for name, call, tool in calls:
            if not self._odd():
                self._result(name, call, tool)
            if self._odd() and self._odd():
                self._result(name, call, tool)

    def _call(self, *, is_first: bool, thinks: bool) -> tuple[str, str, str]:
        call = f"c{len(self.events)}"
        tool = self.random.choice(("terminal", "terminal", "file_editor", "think", "lost"))
        actions: dict[str, Body | None] = {
            "terminal": {"kind": "TerminalAction", "command": "ls"},
            "file_editor": {"kind": "FileEditorAction", "command": "view", "path": "/a"},
            "think": {"kind": "ThinkAction", "thought": "so"},
            "lost": None,
        }
        made: Body = {"thought": [text("First.")] if is_first and not self._odd() else []}
        if thinks:
            made["thinking_blocks"] = [
                {"type": "thinking", "thinking": "well", "signature": "s"},
                {"type": "redacted_thinking", "data": "d"},
            ]
            made["reasoning_content"] = "well"
        arguments = json.dumps({"number": len(self.events)})
        called = {"id": call, "name": tool, "arguments": arguments, "origin": "completion"}
        name = self._add(
            "ActionEvent",
            "agent",
            action=actions[tool],
            tool_name=tool,
            tool_call_id=call,
            tool_call=called,
            llm_response_id=f"r{self._answers}",
            **made,
        )
        return name, call, tool

    def _result(self, name: str, call: str, tool: str) -> None:
        links = {"tool_name": tool, "tool_call_id": call}
        chance = self.random.random()
        if tool == "lost" or chance < 0.08:
            self._add("AgentErrorEvent", "agent", error=f"no tool {tool}", **links)
        elif chance < 0.14:
            reason = "not on main"
            self._add("UserRejectObservation", "user", rejection_reason=reason, action_id=name,
                      **links)  # fmt: skip
        else:
            seen = getattr(self, f"_{tool}")()
            self._add("ObservationEvent", "environment", observation=seen, action_id=name, **links)

    def _terminal(self) -> Body:
        chance = self.random
        long = self._odd()
        output = "".join(f"line {n} of it\n" for n in range(chance.choice((3000, 6000)) * long))
        metadata: Body = {"exit_code": chance.choice((0, 1, -1))}
        for field, value in (
            ("prefix", "[before]\n"), ("suffix", "\n[after]"),
            ("working_dir", "/workspace"), ("py_interpreter_path", "/usr/bin/python"),
        ):  # fmt: skip
            if chance.random() < 0.5:
                metadata[field] = value
        seen: Body = {"kind": "TerminalObservation", "content": [text(output or "total 0")]}
        seen |= {"command": "ls", "metadata": metadata, "is_error": self._odd()}
        if chance.random() < 0.5:
            seen["full_output_save_dir"] = "saved/observations"
        return seen

    def _file_editor(self) -> Body:
        words = "x" * 60_000 if self._odd() else "     1\tx"
        seen: Body = {"kind": "FileEditorObservation", "command": "view", "path": "/a"}
        return seen | {"content": [text(words)], "is_error": self._odd()}

    def _think(self) -> Body:
        if self._odd():
            return self._picture()
        return {"kind": "ThinkObservation", "content": [text("Your thought has been logged.")]}

    def _picture(self) -> Body:
        seen: Body = {"kind": "BrowserObservation", "content": [text("a page"), text(" of it")]}
        seen["screenshot_data"] = self.random.choice(("iVBORw0KGgoAAA==", "/9j/AAAA", "AAAA"))
        if self._odd():
            seen["full_output_save_dir"] = "saved/observations"
        return seen

    def _condense(self) -> None:
        """Forgets a part of what was said, mostly whole answers with their results."""
        known = [e["id"] for e in self.events if e["kind"] in _SEEN]
        known += [f"{e['id']}-summary" for e in self.events if e["kind"] == "Condensation"]
        first = self.random.randrange(1, max(2, len(known) // 3))
        last = self.random.randrange(first, len(known))
        gone = known[first:last]
        if self.random.random() < 0.4:
            gone += [one for one in known if one.endswith("-summary")]
        if not self._odd():
            gone = self._whole(gone)
        if self._odd():
            gone.append("nobody")
        made: Body = {"forgotten_event_ids": list(dict.fromkeys(gone)), "llm_response_id": "k"}
        if self.random.random() < 0.8:
            made |= {"summary": f"summary {len(self.events)}"}
            made |= {"summary_offset": self.random.choice((0, 1, 2, 2, 3, 99))}
        self._add("Condensation", "environment", **made)

    def _whole(self, gone: list[str]) -> list[str]:
        """With all calls of the same answers, and their results."""
        calls = [e for e in self.events if e["kind"] == "ActionEvent"]
        answers = {e["llm_response_id"] for e in calls if e["id"] in gone}
        ids = {e["tool_call_id"] for e in calls if e["llm_response_id"] in answers}
        more = [
            e["id"]
            for e in self.events
            if e.get("tool_call_id") in ids or e.get("llm_response_id") in answers
        ]
        strays = {e["id"] for e in self.events if e.get("tool_call_id")} - set(more)
        return [one for one in gone if one not in strays] + more

    def _go_back(self) -> None:
        whole = [e["id"] for e in self.events if e["kind"] in ("MessageEvent", "Condensation")]
        self._leaf = self.random.choice(whole)
        self._user()
