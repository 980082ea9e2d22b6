"""Blocks of results: of each kind of observation, of errors and rejections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.content import take
from oh_tui.trajectory.content.block import (
    Block,
    Checklist,
    Code,
    Diff,
    Failure,
    Heading,
    ImageNote,
    Markdown,
    Note,
    Output,
    Plain,
    Table,
    headed,
    number_text,
    one_line,
    output_blocks,
    plain_text,
    safe,
)
from oh_tui.trajectory.content.block_fields import object_blocks, rest_blocks, text_blocks
from oh_tui.trajectory.content.block_files import edit_result, patch_result, proposal, read_result
from oh_tui.trajectory.content.difference import count_changes
from oh_tui.trajectory.content.images import IMAGE_PATHS, find_images, is_image
from oh_tui.trajectory.content.plans import Task, compare, plan_progress, tasks_of
from oh_tui.trajectory.content.step_context import StepContext
from oh_tui.trajectory.content.terminal import read_output
from oh_tui.trajectory.content.tools import change
from oh_tui.trajectory.content.views import USUAL_NUMBERS, View, left, view
from oh_tui.trajectory.model import bodies
from oh_tui.trajectory.model.bodies import content_text, field, text_field
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.result_state import STILL_RUNNING
from oh_tui.trajectory.model.tool_use import count


def extended(body: dict[str, Any]) -> list[Block]:
    """What skills and hooks added for the model."""
    text = safe(bodies.blocks_text(field(body, "extended_content"))).strip()
    take.blocks(body, "extended_content")
    return headed("added for the model", text)


def images(body: dict[str, Any]) -> list[Block]:
    """A note for each image; images are not drawn."""
    found = find_images(body)
    _take_images(body)
    of = f" of {len(found)}" if len(found) > 1 else ""
    return [
        ImageNote(f"{n}{of}: {image}" if of else str(image), many=bool(of))
        for n, image in enumerate(found, 1)
    ]


def _take_images(body: dict[str, Any]) -> None:
    """Takes the data of images; a text in the place of an image is left."""
    if is_image(text_field(body, "observation", "screenshot_data")):
        take.value(body, "observation", "screenshot_data")
    for path in IMAGE_PATHS:
        blocks = field(body, *path)
        for block in blocks if isinstance(blocks, list) else ():
            inside = field(block, "content")
            inside = inside if isinstance(inside, dict) else block
            if field(inside, "type") != "image":
                continue
            take.usual(block, "type")
            take.usual(inside, "type")
            urls = field(inside, "image_urls")
            if isinstance(urls, list):
                inside["image_urls"] = [
                    url for url in urls if not (isinstance(url, str) and is_image(url))
                ]
            elif is_image(text_field(inside, "data")):
                take.value(inside, "data")
                take.text(inside, "mimeType")


def answer_blocks(
    event: Event, action: Any, context: StepContext | None = None, *, titled: bool = True
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


def _answer(
    event: Event, body: dict[str, Any], action: Any, context: StepContext | None
) -> list[Block]:
    if event.kind == "UserRejectObservation":
        by_hook = text_field(body, "rejection_source") == "hook"
        what = "blocked by a hook" if by_hook else "rejected by you"
        take.usual(body, "rejection_source")
        reason = safe(take.text(body, "rejection_reason"))
        why: Block = Plain(reason) if reason else Note("no reason given")
        return [Failure(f"{what}, not run"), why, *proposal(action)]
    if event.kind == "AgentErrorEvent":
        return [_failure(take.text(body, "error")), *proposal(action)]
    observation = field(body, "observation")
    if not isinstance(observation, dict):
        return [Note("a result without content")]
    if is_terminal(event):
        return [*_terminal_result(event, body, observation, action), *images(body)]
    if event.failed:
        take.flag(observation, "error")
        take.flag(observation, "prev_exist")
        return [_failure(take.result_text(body)), *images(body), *proposal(action)]
    if "Editor" in event.part:
        take.flag(observation, "prev_exist")
    if event.part in PLANS:
        return _plan_result(body, observation, context)
    show = _RESULTS.get(event.part, _other_result)
    return [*show(body, observation, action), *images(body)]


def _failure(error: str) -> Block:
    return Failure(safe(error)) if safe(error) else Note("an error without a text")


def late_blocks(action: Any, part: str, blocks: list[Block]) -> list[Block]:
    """The fields of a call that were left to its result, which does not show them."""
    if not isinstance(action, View):
        return []
    names = [n for n in IN_RESULT.get(part, ()) if n not in action.taken]
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


_FILE = ("old_str", "new_str", "file_text")
IN_RESULT = {
    "FileEditorAction": _FILE,
    "StrReplaceEditorAction": _FILE,
    "PlanningFileEditorAction": _FILE,
    "EditAction": ("old_string", "new_string"),
    "WriteFileAction": ("content",),
    "ApplyPatchAction": ("patch",),
    "FinishAction": ("message",),
    "ThinkAction": ("thought",),
}
"""Texts of calls that the result shows, as code, a diff or prose."""


def is_terminal(event: Event) -> bool:
    return event.part in ("TerminalObservation", "ExecuteBashObservation")


def _command(body: dict[str, Any], action: Any) -> str:
    return text_field(action, "command") or bodies.command_text(body)


def terminal_text(body: dict[str, Any], action: Any) -> str:
    return read_output(bodies.content_text(body), _command(body, action)).text


def _terminal_result(
    event: Event, body: dict[str, Any], observation: dict[str, Any], action: Any
) -> list[Block]:
    raw = take.result_text(body)
    blocks = output_blocks(raw, _command(body, action)) or [Note("no output")]
    take.flag(observation, "timeout")
    take.flag(observation, "error")
    code = event.exit_code
    if code is not None and not event.still_running and code != STILL_RUNNING:
        for inside in (observation, field(observation, "metadata")):
            if field(inside, "exit_code") == code:
                take.value(inside, "exit_code")
    if not event.failed:
        take.text(observation, "metadata", "working_dir")
    if _COMPLETED.fullmatch(text_field(observation, "metadata", "suffix")):
        take.value(observation, "metadata", "suffix")
    blocks += _shell(field(observation, "metadata"))
    if _CLIPPED in raw:
        kept = one_line(take.text(observation, "full_output_save_dir"))
        where = f"; whole in the sandbox: {kept}" if kept else ""
        blocks.append(Note(f"cut by the tool{where}"))
    return blocks


def _shell(metadata: Any) -> list[Block]:
    """The user, host and interpreter of a command, on one line."""
    user, host = (one_line(take.text(metadata, name)) for name in ("username", "hostname"))
    pid = take.number(metadata, "pid")
    facts = (
        "@".join(filter(None, (user, host))),
        "" if pid is None or pid == USUAL_NUMBERS["pid"][0] else f"pid {number_text(pid)}",
        one_line(take.text(metadata, "py_interpreter_path")),
    )
    line = " · ".join(filter(None, facts))
    return [Note(f"shell {line}")] if line else []


_COMPLETED = pattern(r"\s{0,4}\[The command completed with exit code -?\d{1,9}\.\]\s{0,4}")
"""A line of the shell's metadata that the title repeats."""

_CLIPPED = "<response clipped>"
"""Written by tools where they cut a text; `full_output_save_dir` is set even if nothing is cut."""


PLANS = ("TaskTrackerObservation",)


def _plan_result(
    body: dict[str, Any], observation: dict[str, Any], context: StepContext | None
) -> list[Block]:
    """The plan and its changes since the previous one."""
    tasks = take_plan(observation)
    before = context.before if context else None
    old = tasks_of(field(before.result.body(), "observation")) if before and before.result else []
    if old and field(observation, "command") != "view":
        tasks = compare(old, tasks)
    text = safe(take.result_text(body)).strip()
    if not tasks:
        return [Plain(text) if text else Note("the plan is empty")]
    blocks: list[Block] = [Checklist(tuple(tasks))]
    return [*blocks, Plain(text)] if text and not _repeats(tasks, text) else blocks


_UPDATED = pattern(r"Task list has been updated with \d{1,9} item\(s\)\.?")
_ITEM = pattern(r"\s*(?:#+ Task List|\d{1,9}\. \S{1,8} ?|- )?")


def _repeats(tasks: list[Task], text: str) -> bool:
    """Whether a text only confirms the plan or lists its titles and notes."""
    if _UPDATED.fullmatch(text):
        return True
    shown = {line.strip() for task in tasks for line in (task.title, *task.notes.split("\n"))}
    return all(_ITEM.sub("", line, count=1).strip() in {"", *shown} for line in text.split("\n"))


def take_plan(half: Any) -> list[Task]:
    """The plan of an action or an observation; takes the fields of its items."""
    tasks = tasks_of(half)
    for item in field(half, "task_list") if tasks else ():
        take.text(item, "title")
        take.text(item, "notes")
        take.usual(item, "status")
    return tasks


def _list_result(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
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


def _text_result(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
    shown = text_blocks(take.result_text(body, image=""))
    return shown if shown or find_images(body) or left(observation) else [Note("no output")]


def _fields(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
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


def _prose_result(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
    """An answer of a model: its other fields, then the text as Markdown."""
    fields = _fields(body, observation, action)
    text = safe(take.result_text(body, image=""))
    return [*fields, Markdown(text)] if text else fields or [Note("no output")]


def _agent_result(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
    """The answer of another agent, whose events are elsewhere."""
    blocks = _prose_result(body, observation, action)
    if text_field(observation, "conversation_id"):
        blocks.append(Note("it is a conversation of its own"))
    elif field(observation, "command") != "spawn":
        blocks.append(Note("what it did to get there is not among these events"))
    return blocks


def _folder_result(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
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
        changed = one_line(take.text(entry, "modified_time")).replace("T", " ")
        rows.append((one_line(name) + slash, "" if size is None else number_text(size), changed))
    total = take.number(observation, "total_count")
    count = "" if total in (None, len(rows)) else f"{number_text(total)} entries in all"
    if take.flag(observation, "is_truncated"):
        count = f"the tool stopped here: {count}" if count else "the tool stopped here"
    table = Table(("name", "bytes", "changed"), tuple(rows))
    return [table, Note(count)] if count else [table]


def _said_result(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
    """The text of a finish or think call, which the result only confirms."""
    text = safe(take.text(action, "message") or take.text(action, "thought"))
    if not text:
        text = safe(take.result_text(body))
    elif "".join(safe(content_text(body)).split()) in ("".join(text.split()), _THOUGHT):
        take.result_text(body)
    return [Markdown(text)] if text else [Note("nothing was said")]


_THOUGHT = "Yourthoughthasbeenlogged."
"""The answer to each thought, without its spaces."""


def _other_result(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
    fields = _fields(body, observation, action)
    text = _text_result(body, observation, action)
    return fields if fields and text and isinstance(text[0], Note) else [*fields, *text]


_RESULTS: dict[str, Callable[[dict[str, Any], dict[str, Any], Any], list[Block]]] = {
    "FileEditorObservation": edit_result,
    "StrReplaceEditorObservation": edit_result,
    "PlanningFileEditorObservation": edit_result,
    "EditObservation": edit_result,
    "WriteFileObservation": edit_result,
    "ReadFileObservation": read_result,
    "ApplyPatchObservation": patch_result,
    "GrepObservation": _list_result,
    "GlobObservation": _list_result,
    "ListDirectoryObservation": _folder_result,
    "BrowserObservation": _text_result,
    "MCPToolObservation": _text_result,
    "ClientToolObservation": _text_result,
    "FinishObservation": _said_result,
    "ThinkObservation": _said_result,
    "AskOracleObservation": _prose_result,
    "VisionInspectObservation": _prose_result,
    "TaskObservation": _agent_result,
    "DelegateObservation": _agent_result,
    "StartChildConversationObservation": _agent_result,
    "InvokeSkillObservation": _prose_result,
    "ConsultTomObservation": _prose_result,
    "WorkflowObservation": _prose_result,
}
"""The blocks of a successful result by kind; any other shows its fields, then its text. A new kind
of observation is one line here."""


def facts(body: dict[str, Any], action: Any) -> list[str]:
    """The main facts of a successful result: the folder of a command, the size of a change or of a
    read."""
    observation = field(body, "observation")
    if not isinstance(observation, dict):
        return []
    part = text_field(observation, "kind")
    path = text_field(observation, "path") or text_field(observation, "file_path")
    if part in ("TerminalObservation", "ExecuteBashObservation"):
        return [one_line(text_field(observation, "metadata", "working_dir"))]
    if part in PLANS:
        return [plan_progress(observation)]
    show = _RESULTS.get(part)
    if show is _list_result:
        lists = ((field(observation, "matches"), "match"), (field(observation, "files"), "file"))
        return [count(len(found), noun) for found, noun in lists if isinstance(found, list)][:1]
    if show not in (edit_result, read_result, patch_result):
        return []
    blocks = show(body, observation, action)
    diffs = [count_changes(block.text) for block in blocks if isinstance(block, Diff)]
    lines = [block.text.count("\n") + 1 for block in blocks if isinstance(block, Code)]
    size = count(sum(lines), "line") if lines else ""
    if diffs:
        size = change(sum(added for added, _ in diffs), sum(removed for _, removed in diffs))
    return [size, one_line(path or text_field(action, "path") or text_field(action, "file_path"))]
