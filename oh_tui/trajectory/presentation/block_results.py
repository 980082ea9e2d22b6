"""Blocks of results: of each kind of observation, of errors and rejections."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from oh_tui.text.patterns import pattern
from oh_tui.text.redact import safe, safe_line
from oh_tui.trajectory.model import bodies
from oh_tui.trajectory.model.bodies import Body, content_text, field, number_text, text_field
from oh_tui.trajectory.model.call import Call
from oh_tui.trajectory.model.difference import change, count_changes
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.images import find_images
from oh_tui.trajectory.model.tool_use import count
from oh_tui.trajectory.presentation import take
from oh_tui.trajectory.presentation.block import (
    Block,
    Code,
    Diff,
    Failure,
    Heading,
    Markdown,
    Note,
    Output,
    Plain,
    Table,
    headed,
    plain_text,
)
from oh_tui.trajectory.presentation.block_calls import (
    delegate_call,
    editor_call,
    file_call,
    patch_call,
    plan_call,
    plan_result,
    python_call,
    question_call,
    search_call,
    task_call,
    terminal_call,
    terminal_result,
)
from oh_tui.trajectory.presentation.block_fields import (
    images,
    object_blocks,
    rest_blocks,
    text_blocks,
    value_blocks,
)
from oh_tui.trajectory.presentation.block_files import (
    edit_result,
    patch_result,
    proposal,
    read_result,
)
from oh_tui.trajectory.presentation.step_context import StepContext
from oh_tui.trajectory.presentation.take import View, left, view
from oh_tui.trajectory.reading.error_classification import words
from oh_tui.trajectory.reading.plans import plan_progress


def extended(body: Body) -> list[Block]:
    """What skills and hooks added for the model."""
    text = safe(bodies.blocks_text(field(body, "extended_content"))).strip()
    take.blocks(body, "extended_content")
    return headed("added for the model", text)


def answer_blocks(
    event: Event, action: object, context: StepContext | None = None, *, titled: bool = True
) -> list[Block]:
    """One result with all of its fields. `action` is a view of the call, None if unknown. Without a
    title above, it also shows what the title would."""
    body = view(event.body())
    take.links(body)
    blocks = _answer(event, body, action, context)
    observation = field(body, "observation")
    if isinstance(observation, View):
        take.text(observation, "kind")
        take.flag(observation, "is_error")
        if observation.get("tool_name") == event.tool_name:
            take.value(observation, "tool_name")
        take.repeated(observation, action)
        for inside in () if titled else (observation, field(observation, "metadata")):
            if isinstance(inside, View):
                inside.taken -= _IN_TITLE
        blocks += rest_blocks(observation)
        take.value(body, "observation")
    elif observation is not None:
        blocks += rest_blocks(take.value(body, "observation"))
    return [*blocks, *extended(body), *rest_blocks(body)]


_IN_TITLE = {"path", "file_path", "exit_code", "working_dir"}


def _answer(event: Event, body: Body, action: object, context: StepContext | None) -> list[Block]:
    if event.is_rejection:
        by_hook = text_field(body, "rejection_source") == "hook"
        what = "blocked by a hook" if by_hook else "rejected by you"
        take.usual(body, "rejection_source")
        reason = safe(take.text(body, "rejection_reason"))
        why: Block = Plain(reason) if reason else Note("no reason given")
        return [Failure(f"{what}, not run"), why, *proposal(action)]
    if event.is_call_error:
        return [_failure(take.text(body, "error")), *classified(body), *proposal(action)]
    observation = field(body, "observation")
    if not isinstance(observation, dict):
        return [Note("a result without content")]
    if event.tool == "Terminal":
        return [*terminal_result(event, body, observation, action), *images(body)]
    if event.failed:
        take.flag(observation, "error")
        take.flag(observation, "prev_exist")
        return [_failure(take.result_text(body)), *images(body), *proposal(action)]
    if event.tool == "FileEditor":
        take.flag(observation, "prev_exist")
    if event.tool == "TaskTracker":
        return plan_result(body, observation, context)
    show = DETAILS.get(event.tool, PLAIN).result
    if show is _agent_result:
        is_known = context is not None and context.may_have_sub_agent
        return [*_agent_result(body, observation, action, is_known=is_known), *images(body)]
    return [*show(body, observation, action), *images(body)]


def _failure(error: str) -> Block:
    return Failure(safe(error)) if safe(error) else Note("an error without a text")


def late_blocks(action: object, tool: str, blocks: list[Block]) -> list[Block]:
    """The fields of a call that were left to its result, which does not show them."""
    if not isinstance(action, View):
        return []
    names = [n for n in DETAILS.get(tool, PLAIN).late if n not in action.taken]
    texts = {name: text for name in names if (text := text_field(action, name))}
    if not texts:
        return []
    shown = {line.strip() for block in blocks for line in _lines_of(block)} | {""}
    missing = {
        name: text
        for name, text in texts.items()
        if not all(line.strip() in shown for line in safe(text).split("\n"))
    }
    return [Heading("of the call"), *object_blocks(missing)] if missing else []


def _lines_of(block: Block) -> list[str]:
    if isinstance(block, Diff):
        return [line[1:] for line in block.text.split("\n")]
    return plain_text([block]).split("\n")


def _list_result(body: Body, observation: Body, action: object) -> list[Block]:
    """The matches of grep or glob."""
    found = take.texts(observation, "matches")
    found = take.texts(observation, "files") if found is None else found
    if found is None:
        return _other_result(body, observation, action)
    lines = safe(content_text(body)).split("\n")
    known = {"", *(safe(match).strip() for match in found)}
    if all(line.strip() in known or _HEADS.match(line) for line in lines):
        take.result_text(body)
    blocks: list[Block] = [Output("\n".join(map(safe, found)))] if found else [Note("none found")]
    if take.flag(observation, "truncated"):
        blocks.append(Note("the tool stopped here: there are more"))
    return blocks


_HEADS = pattern(r"(?:Found|No) ")
"""The start of the first line of grep and glob."""


def _text_result(body: Body, observation: Body, action: object) -> list[Block]:
    shown = text_blocks(take.result_text(body, image=""))
    return shown if shown or find_images(body) or left(observation) else [Note("no output")]


def _fields(body: Body, observation: Body, action: object) -> list[Block]:
    """The fields of a result that its text and its call do not repeat."""
    text = bodies.content_text(body, image="").strip()
    called = action.values() if isinstance(action, dict) else ()
    for name, value in observation.items():
        if isinstance(value, str) and (value in called or value.strip() == text):
            take.value(observation, name)
    take.repeated(observation, action)
    take.text(observation, "kind")
    take.flag(observation, "is_error")
    return rest_blocks(observation, ("content", "output", "message", "error", "screenshot_data"))


def _prose_result(body: Body, observation: Body, action: object) -> list[Block]:
    """An answer of a model: its other fields, then the text as Markdown."""
    fields = _fields(body, observation, action)
    text = safe(take.result_text(body, image=""))
    return [*fields, Markdown(text)] if text else fields or [Note("no output")]


def _agent_result(
    body: Body,
    observation: Body,
    action: object,
    *,
    is_known: bool = False,
) -> list[Block]:
    """The answer of another agent, whose events are elsewhere, maybe of a known sub-agent."""
    blocks = _prose_result(body, observation, action)
    if text_field(observation, "conversation_id"):
        blocks.append(Note("it is a conversation of its own"))
    elif field(observation, "command") != "spawn" and not is_known:
        blocks.append(Note("what it did to get there is not among these events"))
    return blocks


def _folder_result(body: Body, observation: Body, action: object) -> list[Block]:
    entries = field(observation, "entries")
    if not isinstance(entries, list) or not entries:
        return _other_result(body, observation, action)
    rows = []
    for entry in entries:
        name = take.text(entry, "name") or take.text(entry, "path")
        if text_field(entry, "path").rpartition("/")[2] == name:
            take.value(entry, "path")
        slash = "/" if take.flag(entry, "is_directory") else ""
        size = take.number(entry, "size")
        changed = safe_line(take.text(entry, "modified_time")).replace("T", " ")
        rows.append((safe_line(name) + slash, "" if size is None else number_text(size), changed))
    total = take.number(observation, "total_count")
    count = "" if total in (None, len(rows)) else f"{number_text(total)} entries in all"
    if take.flag(observation, "is_truncated"):
        count = f"the tool stopped here: {count}" if count else "the tool stopped here"
    table = Table(("name", "bytes", "changed"), tuple(rows))
    return [table, Note(count)] if count else [table]


def _said_result(body: Body, observation: Body, action: object) -> list[Block]:
    """The text of a finish or think call, which the result only confirms."""
    text = safe(take.text(action, "message") or take.text(action, "thought"))
    if not text:
        text = safe(take.result_text(body))
    elif "".join(safe(content_text(body)).split()) in ("".join(text.split()), _THOUGHT):
        take.result_text(body)
    return [Markdown(text)] if text else [Note("nothing was said")]


_THOUGHT = "Yourthoughthasbeenlogged."
"""The answer to each thought, without its spaces."""


def _other_result(body: Body, observation: Body, action: object) -> list[Block]:
    fields = _fields(body, observation, action)
    text = _text_result(body, observation, action)
    return fields if fields and text and isinstance(text[0], Note) else [*fields, *text]


class Detail(NamedTuple):
    """The first blocks of a call and of its successful result, whose other fields follow."""

    call: Callable[[Body], list[Block]] = lambda action: []
    result: Callable[[Body, Body, object], list[Block]] = _other_result
    late: tuple[str, ...] = ()
    """Texts of the call that its result shows, as code, a diff or prose: it has more room."""


DETAILS = {
    "Terminal": Detail(terminal_call),
    "IPython": Detail(python_call),
    "FileEditor": Detail(editor_call, edit_result, ("old_str", "new_str", "file_text")),
    "Edit": Detail(file_call("edit"), edit_result, ("old_string", "new_string")),
    "WriteFile": Detail(file_call("write"), edit_result, ("content",)),
    "ReadFile": Detail(file_call("read"), read_result),
    "ApplyPatch": Detail(patch_call, patch_result, ("patch",)),
    "Grep": Detail(search_call, _list_result),
    "Glob": Detail(search_call, _list_result),
    "ListDirectory": Detail(result=_folder_result),
    "TaskTracker": Detail(plan_call),
    "Browser": Detail(result=_text_result),
    "MCPTool": Detail(lambda action: value_blocks(take.value(action, "data")), _text_result),
    "ClientTool": Detail(result=_text_result),
    "Finish": Detail(result=_said_result, late=("message",)),
    "Think": Detail(result=_said_result, late=("thought",)),
    "AskOracle": Detail(question_call, _prose_result),
    "VisionInspect": Detail(question_call, _prose_result),
    "Task": Detail(task_call, _agent_result),
    "Delegate": Detail(delegate_call, _agent_result),
    "StartChildConversation": Detail(task_call, _agent_result),
    "InvokeSkill": Detail(result=_prose_result),
    "ConsultTom": Detail(result=_prose_result),
    "Workflow": Detail(result=_prose_result),
}
"""By tool. A new tool is one line here."""
PLAIN = Detail()
"""Of any other tool: its fields, then its text."""


def facts(call: Call) -> list[str]:
    """The facts of a successful result: the folder of a command, the size of a change or read."""
    tool, observation = (call.result or call.event).tool, call.answer
    if tool == "Terminal":
        return [safe_line(text_field(observation, "metadata", "working_dir"))]
    if tool == "TaskTracker":
        return [plan_progress(observation)]
    show = DETAILS.get(tool, PLAIN).result
    if show is _list_result:
        lists = ((field(observation, "matches"), "match"), (field(observation, "files"), "file"))
        return [count(len(found), noun) for found, noun in lists if isinstance(found, list)][:1]
    if show not in (edit_result, read_result, patch_result):
        return []
    blocks = show(call.returned, observation, call.given)
    diffs = [count_changes(block.text) for block in blocks if isinstance(block, Diff)]
    lines = [block.text.count("\n") + 1 for block in blocks if isinstance(block, Code)]
    size = count(sum(lines), "line") if lines else ""
    if diffs:
        size = change(sum(added for added, _ in diffs), sum(removed for _, removed in diffs))
    path = text_field(observation, "path") or text_field(observation, "file_path")
    return [size, safe_line(path or call.path)]


def classified(body: object) -> list[Block]:
    """The classification of an error for its detail; nothing without a known one."""
    found = field(body, "classification")
    told = words(found)
    if not told:
        return []
    kind = safe_line(take.text(found, "kind")).replace("_", " ")
    take.text(found, "user_action")
    take.flag(found, "retryable")
    return [Note(f"{kind}: {told}" if kind else told)]
