"""The content of a result as the model got it: what tools add to the text of an observation."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

from oh_tui.trajectory.context.sdk_versions import SdkBehaviour
from oh_tui.trajectory.model.bodies import field, observation_text, text_field
from oh_tui.trajectory.model.events import same_tool

Block = dict[str, Any]

OUTPUT = 30_000
"""Characters that a terminal's output may have."""

TEXT = 50_000
"""Characters that any text of a result may have."""

_START = (
    "<response clipped><NOTE>Due to the max output limit, only part of the full "
    "response has been shown to you."
)
_PLAIN = f"{_START}</NOTE>"

_FAILED = "[An error occurred during execution.]\n"

_IMAGES = {
    "/9j/": "image/jpeg",
    "iVBORw0KGgo": "image/png",
    "R0lGODlh": "image/gif",
    "UklGR": "image/webp",
}
"""What the base64 of an image begins with -> its type, as far as the SDK knows them."""


def text(value: str) -> Block:
    return {"type": "text", "text": value}


def blocks(content: Any) -> list[Block]:
    """Content blocks with nothing but what the model gets; a single text is one block."""
    if isinstance(content, str):
        return [text(content)]
    found: list[Block] = []
    for block in content if isinstance(content, list) else ():
        if isinstance(block, str):
            found.append(text(block))
        elif isinstance(words := field(block, "text"), str):
            found.append(text(words))
        elif isinstance(urls := field(block, "image_urls"), list):
            found.append({"type": "image", "image_urls": [u for u in urls if isinstance(u, str)]})
    return found


def observed(observation: dict[str, Any], rules: SdkBehaviour) -> list[Block]:
    """The content that a tool's observation had for the model."""
    if "content" not in observation:  # before SDK 1.0
        plain = observation_text(observation)
        return [text(plain)] if plain else []
    kind = same_tool(text_field(observation, "kind").removesuffix("Observation"))
    if not rules.is_sdk:
        return blocks(observation["content"])
    return _KINDS.get(kind, _plain)(observation, rules)


def _failure(observation: dict[str, Any]) -> list[Block]:
    return [text(_FAILED)] if observation.get("is_error") is True else []


def cut(text: str, limit: int, *, folder: str = "", name: str = "") -> str:
    """A text of at most `limit` characters: as the SDK does, the middle is cut out. With a `folder`
    the text names the file in which the whole was saved, whose name begins with `name`."""
    if len(text) <= limit:
        return text
    head = (limit - len(_PLAIN) + 1) // 2
    notice = _PLAIN
    if folder:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        path = PurePosixPath(folder) / f"{name}_output_{digest}.txt"
        line = len(text[:head].splitlines()) + 1
        notice = (
            f"{_START} The complete output has been saved to {path} - you can use other tools to "
            f"view the full content (truncated part starts around line {line}).</NOTE>"
        )
    if len(notice) >= limit:
        return notice[:limit]
    rest = limit - len(notice)
    head = min(head, rest)
    tail = rest - head
    return text[:head] + notice + (text[-tail:] if tail else "")


def _plain(observation: dict[str, Any], rules: SdkBehaviour) -> list[Block]:
    return _failure(observation) + blocks(observation["content"])


def _words(observation: dict[str, Any]) -> str:
    return "".join(block.get("text", "") for block in blocks(observation["content"]))


def _terminal(observation: dict[str, Any], rules: SdkBehaviour) -> list[Block]:
    metadata = observation.get("metadata")
    output = text_field(metadata, "prefix") + _words(observation) + text_field(metadata, "suffix")
    if folder := text_field(metadata, "working_dir"):
        output += f"\n[Current working directory: {folder}]"
    if interpreter := text_field(metadata, "py_interpreter_path"):
        output += f"\n[Python interpreter: {interpreter}]"
    code = field(metadata, "exit_code")
    if isinstance(code, int) and code != -1:
        output += f"\n[Command finished with exit code {code}]"
    saved = text_field(observation, "full_output_save_dir")
    shown = cut(output, OUTPUT, folder=saved, name=rules.output_name)
    return [*_failure(observation), text(shown)]


def _browser(observation: dict[str, Any], rules: SdkBehaviour) -> list[Block]:
    found = _failure(observation)
    saved = text_field(observation, "full_output_save_dir")
    if words := _words(observation):
        found.append(text(cut(words, TEXT, folder=saved, name="browser")))
    if picture := text_field(observation, "screenshot_data"):
        starts = (kind for start, kind in _IMAGES.items() if picture.startswith(start))
        kind = next(starts, "image/png")
        if saved:
            digest = hashlib.sha256(picture.encode("utf-8", "surrogatepass")).hexdigest()[:8]
            ending = "jpg" if kind == "image/jpeg" else kind.removeprefix("image/")
            path = PurePosixPath(saved) / f"browser_screenshot_{digest}.{ending}"
            found.append(text(f"Screenshot saved to: {path}"))
        found.append({"type": "image", "image_urls": [f"data:{kind};base64,{picture}"]})
    return found


def _task(observation: dict[str, Any], rules: SdkBehaviour) -> list[Block]:
    names = (("Task ID", "task_id"), ("Subagent", "subagent"), ("Status", "status"))
    about = "\n".join(f"{label}: {text_field(observation, name)}" for label, name in names)
    return [text(about), *_plain(observation, rules)]


def _consulted(observation: dict[str, Any], rules: SdkBehaviour) -> list[Block]:
    told = text_field(observation, "suggestions")
    if not told:
        return [text("Tom agent did not provide suggestions.")]
    parts = [f"Tom agent's guidance:\n{told}"]
    if why := text_field(observation, "reasoning"):
        parts.append(f"\nReasoning: {why}")
    sure = observation.get("confidence")
    if isinstance(sure, int | float):
        parts.append(f"\nConfidence: {sure:.0%}")
    return [text("\n".join(parts))]


def _indexed(observation: dict[str, Any], rules: SdkBehaviour) -> list[Block]:
    count = observation.get("sessions_processed")
    done = "Sleeptime compute completed."
    if isinstance(count, int) and count > 0:
        done = f"Successfully indexed {count} conversation(s) for user modeling."
    return [text(f"{done}\n{text_field(observation, 'message')}")]


_KINDS: dict[str, Callable[[dict[str, Any], SdkBehaviour], list[Block]]] = {
    "Terminal": _terminal,
    "Browser": _browser,
    "Task": _task,
    "ConsultTom": _consulted,
    "SleeptimeCompute": _indexed,
}
