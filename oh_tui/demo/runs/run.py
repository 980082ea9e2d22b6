"""Run: what can happen in a run: the user writes, the model answers, a tool gives its result."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from oh_tui.demo.runs.meter import Model, tokens_of
from oh_tui.demo.runs.recorder import SYSTEM_TOKENS, Interventions, Recorder, UserSpoke, pieces
from oh_tui.demo.runs.stored_events import (
    MESSAGE,
    SYSTEM_PROMPT,
    TOOLS,
    Call,
    Plan,
    StoredEvent,
    arguments_of,
    text,
)
from oh_tui.trajectory.model.bodies import message_text


class Run(Recorder):
    """One run; `files` are those of its working folder, so that views and edits agree."""

    root = "/workspace/project"
    plan: Plan
    pending: tuple[Call, ...] = ()
    """The calls without a result in the last answer."""
    has_key = True
    """Its agent has the key of the model."""
    unanswered = ""
    """What the user wrote and the agent has not answered."""

    def __init__(
        self, slug: str, began: datetime, model: Model, interventions: Interventions | None = None
    ) -> None:
        super().__init__(slug, began, model, interventions)
        self.original: dict[str, str] = {}
        """Its files as it found them."""
        self.files: dict[str, str] = {}
        self.written: list[tuple[float, str, str | None]] = []
        """When a call wrote a file, its path and content; None for a file that it removed."""
        self.before_edit: dict[str, str] = {}
        """Each file as it was before its last edit."""

    def find(self, files: dict[str, str]) -> None:
        """These files are there when the run begins, besides those already found."""
        self.original |= files
        self.files |= files

    def go_on_from(self, events: Sequence[StoredEvent], files: dict[str, str]) -> None:
        """Begin with the events of another run, in its folder as that is now."""
        self.events += events
        self.find(files)
        for event in events:
            self._leaf = event.id
            is_user = event.kind == "MessageEvent" and event.source == "user"
            self._last_user = event.id if is_user else self._last_user or ""
            if event.kind == "Condensation":
                condensed = msgspec.json.decode(event.raw)
                self._forget(condensed["forgotten_event_ids"], condensed["summary"])
            elif event.kind in _SEEN:
                self.context += len(event.raw) // 4
        last = events[-1] if events else None
        if last and last.kind == "MessageEvent" and last.source == "user":
            self.unanswered = message_text(msgspec.json.decode(last.raw))

    def write(self, path: str, content: str | None) -> None:
        """What the next calls see; others see it when the call has its result."""
        if content is None:
            self.files.pop(path, None)
        else:
            self.files[path] = content

    # who speaks -----------------------------------------------------------------------------

    def user(
        self, words: str, *, after: float = 0.0, skills: tuple[str, ...] = (), named: bool = True
    ) -> None:
        """The user writes after some seconds, and the agent starts to run."""
        self.wait(after)
        first = self._last_user is None
        self.message(words, skills=skills)
        self.wait(0.04)
        self.set_status("running")
        if first and named:
            self.name_the_run()
        self.wait(0.4)

    def message(self, words: str, *, skills: tuple[str, ...] = ()) -> None:
        """The user writes; the agent does not run because of it."""
        if self._last_user is None:
            self._open()
        self._last_user = self._message("user", words, skills=skills)
        self.context += tokens_of(words)
        self.wait(0.003)
        self.state("last_user_message_id", self._last_user)

    def hear(self) -> None:
        for act in [act for act in self.acts if act.what in _HEARD and act.at <= self.now]:
            self.acts.remove(act)
            if act.what == "condense":
                self.condense_now()
            else:
                self.message(act.text)
                self.unanswered = act.text

    def say(self, words: str, *, llm: float | None = None) -> None:
        """The model answers with text only, which ends the run."""
        response = self.ask_model(tokens_of(words), llm, deltas=tuple(pieces(words, 6)))
        self._message("agent", words, response)
        self.release()
        self.end("finished")

    def _message(
        self,
        source: str,
        words: str,
        response: str | None = None,
        skills: tuple[str, ...] = (),
    ) -> str:
        role = "user" if source == "user" else "assistant"
        return self.emit(
            "MessageEvent",
            source,
            llm_message={"role": role, "content": [text(words)], **MESSAGE},
            llm_response_id=response,
            activated_skills=list(skills),
            extended_content=[text(f"<skill>{name}</skill>") for name in skills],
            sender=None,
            critic_result=None,
        )

    def do(
        self,
        thought: str,
        *calls: Call,
        llm: float | None = None,
        because: str = "",
        stays: bool = False,
    ) -> None:
        """The model answers with tool calls, which get their results one after the other. `because`
        is its reasoning; with `stays` the calls get no result."""
        self._act(thought, calls, llm, because)
        if not stays:
            for call in calls:
                self.answer(call)
            self.wait(0.012)
            self.release()

    def ask(self, thought: str, *calls: Call, llm: float | None = None, because: str = "") -> None:
        """As `do`, but the run stops until the user confirms."""
        self._act(thought, calls, llm, because)
        self.wait(0.01)
        self.set_status("waiting_for_confirmation")
        self.release()

    def reject(self, reason: str, by: str = "user") -> None:
        for call in self.pending:
            self.emit(
                "UserRejectObservation",
                "environment",
                tool_name=call.tool,
                tool_call_id=call.call_id,
                rejection_reason=reason,
                rejection_source=by,
                action_id=call.id,
            )
        self.pending = ()

    def answer(self, call: Call) -> None:
        if call.action is None or (call.observation is None and not call.error):
            return
        self.wait(self.shorten(call.ran * self.vary(1.0, 1.03)))
        if call.observation is None:
            self.tool_error(call)
        else:
            self.observe(call, call.observation)

    def observe(self, call: Call, observation: dict[str, Any]) -> None:
        self.written += [(self.now, path, content) for path, content in call.leaves.items()]
        self._settle(call, *(part.get("text", "") for part in observation["content"]))
        self.emit(
            "ObservationEvent",
            "environment",
            tool_name=call.tool,
            tool_call_id=call.call_id,
            observation=observation,
            action_id=call.id,
            extended_content=[],
        )

    def tool_error(self, call: Call) -> None:
        """Record the error that takes the place of a result."""
        self._settle(call, call.error)
        self.emit(
            "AgentErrorEvent",
            "agent",
            tool_name=call.tool,
            tool_call_id=call.call_id,
            error=call.error,
        )

    def _settle(self, call: Call, *texts: str) -> None:
        """The call is no longer pending, and the model will read these texts."""
        self.pending = tuple(each for each in self.pending if each is not call)
        self.context += sum(map(tokens_of, texts))

    def finish(self, message: str, *, llm: float | None = None) -> None:
        """The model calls `finish`, which ends the run."""
        observation = {"content": [text(message)], "is_error": False, "kind": "FinishObservation"}
        action = {"message": message, "kind": "FinishAction"}
        self.do("", Call(tool="finish", action=action, observation=observation, ran=0.002), llm=llm)
        self.end("finished")

    def end(self, status: str) -> None:
        """End the run; a message that came meanwhile keeps it from finishing."""
        self.wait(0.002)
        if status == "finished":
            self.hear()
            if self.unanswered:
                raise UserSpoke
        self.set_status(status)
        self.wait(0.3)
        self.full_state()

    def fail(self, code: str, detail: str) -> None:
        self.set_status("error")
        self.wait(0.02)
        self.emit("ConversationErrorEvent", "environment", code=code, detail=detail)
        self.release()
        self.wait(0.2)
        self.full_state()

    def condense(
        self, summary: str, *, keep: int, llm: float, requested: bool = False, keep_first: int = 2
    ) -> None:
        """Replace the events in the middle with a summary, or with neither end all (source)."""
        if requested:
            self.emit("CondensationRequest", "environment")
        seen = [e.id for e in self.events if not e.app_only and e.kind in _SEEN]
        response = self.ask_model(tokens_of(summary), llm, usage="condenser")
        old = seen[keep_first : len(seen) - keep]
        gone = [identifier for identifier in old if identifier not in self._forgotten]
        self.emit(
            "Condensation",
            "environment",
            forgotten_event_ids=gone,
            summary=summary,
            summary_offset=keep_first,
            llm_response_id=response,
        )
        self.release()
        self._forget(gone, summary)

    def _forget(self, ids: Sequence[str], summary: str) -> None:
        """From here on the model sees a summary in the place of these events."""
        self._forgotten.update(ids)
        self.context = SYSTEM_TOKENS + 3_000 + tokens_of(summary)
        self._cached = SYSTEM_TOKENS

    def condense_now(self) -> None:
        """As the user asks. Pending calls run instead, without asking (measured)."""
        if not self.pending:
            self.condense("What was done so far, in short.", keep=2, llm=0.8, requested=True)
            return
        self.emit("CondensationRequest", "environment")
        for call in self.pending:
            self.answer(call)
        self.release()

    def hook(
        self,
        kind: str,
        command: str,
        *,
        code: int = 0,
        out: str = "",
        err: str = "",
        call: Call | None = None,
        reason: str | None = None,
    ) -> None:
        """A hook runs, for `call` if it belongs to a tool's use; code 2 blocks."""
        self.emit(
            "HookExecutionEvent",
            "hook",
            hook_event_type=kind,
            hook_command=command,
            tool_name=call.tool if call else None,
            success=code == 0,
            blocked=code == 2,
            exit_code=code,
            stdout=out,
            stderr=err,
            reason=reason,
            additional_context=None,
            error=None,
            action_id=call.id if call else None,
            message_id=None,
            hook_input=None,
        )

    def cut_off(self) -> None:
        """The events of a stop in the middle of a step."""
        self.wait(0.01)
        for call in self.pending:
            call.error = "Tool call interrupted before completion. The conversation was paused."
            self.tool_error(call)
        self.release()
        self.set_status("paused")
        self.emit("InterruptEvent", "user")
        self.full_state()

    # ------------------------------------------------------------------------------------------

    def _open(self) -> None:
        self.full_state()
        self.wait(0.2)
        tools = [
            {
                "description": what,
                "action_type": f"{kind}Action",
                "observation_type": f"{kind}Observation",
                "annotations": None,
                "meta": None,
                "kind": f"{kind}Tool",
                "title": name,
            }
            for kind, name, what in TOOLS
        ]
        self.emit(
            "SystemPromptEvent",
            "agent",
            system_prompt=text(SYSTEM_PROMPT),
            tools=tools,
            dynamic_context=text(f"Working folder: {self.root}"),
        )
        self.wait(0.004)

    def _act(self, thought: str, calls: tuple[Call, ...], llm: float | None, because: str) -> None:
        written = [arguments_of(call) for call in calls]
        out = tokens_of(thought) + sum(tokens_of(arguments) + 24 for arguments in written)
        deltas = (*((because,) if because else ()), *pieces(thought))
        response = self.ask_model(out, llm, reasoning=tokens_of(because), deltas=deltas)
        self.pending = calls
        for index, (call, arguments) in enumerate(zip(calls, written, strict=True)):
            call.call_id = self.new_call_id()
            call.id = self.emit(
                "ActionEvent",
                "agent",
                thought=[text(thought)] if thought and not index else [],
                reasoning_content=because if because and not index else None,
                thinking_blocks=[],
                responses_reasoning_item=None,
                action=call.action,
                tool_name=call.tool,
                tool_call_id=call.call_id,
                tool_call={
                    "id": call.call_id,
                    "responses_item_id": None,
                    "name": call.tool,
                    "arguments": arguments,
                    "origin": "completion",
                },
                llm_response_id=response,
                security_risk=call.risk,
                critic_result=None,
                summary=call.summary,
            )
            self.wait(0.002)
            if call.action is None and call.error:
                self.tool_error(call)
        self.wait(0.004)


_HEARD = ("message", "condense")
"""Acts that an agent at work takes up between two steps."""

_SEEN = frozenset(
    {"SystemPromptEvent", "MessageEvent", "ActionEvent", "ObservationEvent", "AgentErrorEvent"}
)
"""The kinds of events that the model reads."""
