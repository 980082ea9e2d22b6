"""Blocks as HTML: what calls and results show; terminal output in the eight colours of the page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from oh_tui.sharing.html.texts import code_html, diff_html, plain_note, prose_html, text
from oh_tui.sharing.sink import Cut, Room, Sink
from oh_tui.text.patterns import pattern
from oh_tui.text.sgr import LONGEST, PLAIN, Colour, Look, looks
from oh_tui.trajectory.glyphs import UNICODE
from oh_tui.trajectory.model.images import Image
from oh_tui.trajectory.presentation import block as b
from oh_tui.trajectory.reading.plans import Task

_TYPES = {"PNG": "png", "JPEG": "jpeg", "GIF": "gif", "WebP": "webp", "BMP": "bmp"}
"""Formats that are shown, by what the first bytes say, and their media types."""

_ROOM = Room(30_000, head=20_000, tail=8_000)

_LARGEST = 3_000_000
"""Characters of base64 of an image that is shown."""


def blocks_html(blocks: Iterable[b.Block], images: Iterator[Image], sink: Sink) -> str:
    """`images` are those that the notes among the blocks name, in order."""
    return "\n".join(filter(None, (_block(block, images, sink) for block in blocks)))


def _block(block: b.Block, images: Iterator[Image], sink: Sink) -> str:
    match block:
        case b.Fields(pairs):
            return _fields(pairs)
        case b.Checklist(tasks):
            return f'<ul class="plan">{"".join(map(_task, tasks))}</ul>'
        case b.Table(head, rows):
            return _table(head, rows)
        case b.Heading(title):
            return f'<p class="heading">{text(title)}</p>'
        case b.ImageNote(note):
            return _image(note, next(images, None), sink)
        case b.Output(shown, coloured):
            return _output(shown, coloured, sink)
    if not block.text.strip():
        return ""
    parts = sink.cut(block.text.strip("\n"), _ROOM)
    return _joined(parts, _part(block, parts.head), _part(block, parts.tail))


def _part(block: b.Block, part: str) -> str:
    """A block of text, or the begin or end of a long one."""
    if not part:
        return ""
    match block:
        case b.Markdown():
            return prose_html(part)
        case b.Command():
            return f'<pre class="command">{code_html(part, "bash")}</pre>'
        case b.Diff():
            return f'<pre class="diff">{diff_html(part)}</pre>'
        case b.Code(_, path, first):
            start = f'<p class="note">from line {first:,}</p>' if first > 1 else ""
            return f"{start}{plain_note(path)}<pre>{code_html(part, path)}</pre>"
        case b.Json():
            return f"<pre>{code_html(part, 'json')}</pre>"
        case b.Failure():
            return f'<pre class="failure">{text(part)}</pre>'
        case b.Note():
            return f'<p class="note">{text(part)}</p>'
        case b.Thought():
            return f'<p class="thought">{text(part)}</p>'
    # lines are those of a file, more often than not
    tag = "pre" if "\n" in part else "p"
    return f'<{tag} class="plain">{text(part)}</{tag}>'


def _joined(parts: Cut, head: str, tail: str) -> str:
    if not parts.left_out:
        return head
    return f'{head}<p class="cut">{parts.left_out}</p>{tail}'


def _output(shown: str, coloured: str, sink: Sink) -> str:
    parts = sink.cut(shown, _ROOM)
    if not coloured or not parts.at_line_ends:
        head, tail = text(parts.head), text(parts.tail)
    else:
        lines = coloured.split("\n")
        first, last = (part.count("\n") + 1 for part in (parts.head, parts.tail))
        head = coloured_html(lines[:first])
        tail = coloured_html(lines[-last:]) if parts.left_out else ""
    return _joined(parts, *(f'<pre class="output">{part}</pre>' for part in (head, tail)))


def _fields(pairs: Iterable[tuple[str, str]]) -> str:
    rows = (f"<div><dt>{text(label)}</dt><dd>{text(value)}</dd></div>" for label, value in pairs)
    return f'<dl class="fields">{"".join(rows)}</dl>'


_BOXES = {"done": (UNICODE.finished, "good"), "in_progress": (UNICODE.running, "mark")}


def _task(task: Task) -> str:
    glyph, hue = _BOXES.get(task.status, (UNICODE.starting, "dim"))
    change = f"{task.change}{f', was {task.was}' if task.was else ''}"
    said = f' <span class="h-note">({text(change)})</span>' if task.change else ""
    notes = f"<br><small>{text(task.notes)}</small>" if task.notes else ""
    status = task.status.replace("_", " ")
    box = f'<span class="h-{hue}" role="img" aria-label="{status}">{glyph}</span>'
    return f"<li>{box} <span>{text(task.title)}{said}{notes}</span></li>"


_NUMBER = pattern(r"[-+<$]?[\d,.]+ ?(?:[kMG]?B?|%)(?: [-+]\S+)?|")


def _table(head: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    """Numbers are aligned right."""
    top = "".join(f"<th>{text(name)}</th>" for name in head)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: str) -> str:
    number = ' class="number"' if value and _NUMBER.fullmatch(value) else ""
    return f"<td{number}>{text(value)}</td>"


def _image(note: str, image: Image | None, sink: Sink) -> str:
    caption = f'<p class="note">{text(note)}</p>'
    if image is None or image.format not in _TYPES or not note.endswith(str(image)):
        return caption
    if len(image.data) > _LARGEST and not sink.whole:
        return f'<p class="note">{text(note)}, left out here</p>'
    data = image.encoded()
    if not data:
        return caption
    sink.leaves.images += 1
    source = f"data:image/{_TYPES[image.format]};base64,{data}"
    return f'<figure><img src="{source}" alt="{text(note)}" loading="lazy">{caption}</figure>'


_HUES = ("dim", "bad", "good", "warn", "web", "llm", "terminal", "")
"""For black, red, green, yellow, blue, magenta, cyan and white; black and white would be the
background's on one theme or the other."""

_BASIC = ((0, 0, 0), (1, 0, 0), (0, 1, 0), (1, 1, 0), (0, 0, 1), (1, 0, 1), (0, 1, 1), (1, 1, 1))


def coloured_html(lines: list[str]) -> str:
    """Lines with SGR sequences, which are read and never written."""
    look = PLAIN
    parts: list[str] = []
    for number, line in enumerate(lines):
        if number:
            parts.append("\n")
        found, look = looks(line, look)
        for part, its in found:
            classes = _classes(its) if len(line) <= LONGEST else ""
            parts.append(f'<i class="{classes}">{text(part)}</i>' if classes else text(part))
    return "".join(parts)


@lru_cache(maxsize=1024)
def _classes(look: Look) -> str:
    front, back = (look.back, look.front) if look.reverse else (look.front, look.back)
    hue, ground = _hue(front), _hue(back)
    found = [f"h-{hue}"] if hue else []
    if look.dim and not found:
        found = ["h-dim"]
    if back or look.reverse:
        found.append("rev")  # the colour of the text becomes the one behind it
        if ground and not look.reverse:
            found = [f"h-{ground}", "rev"]
    names = ("bold", "italic", "underline", "strike")
    return " ".join(found + [f"h-{name}" for name in names if getattr(look, name)])


def _hue(colour: Colour) -> str:
    """The nearest of the eight by hue alone, as all of ours are about equally bright."""
    if not colour:
        return ""
    if len(colour) == 1:
        [number] = colour
        if number < 16:
            return _HUES[number % 8]
        if number >= 232:
            return _HUES[0 if number < 244 else 7]
        red, rest = divmod(number - 16, 36)
        colour = (red * 51, rest // 6 * 51, rest % 6 * 51)
    most, least = max(colour), min(colour)
    if most - least < 40:
        return _HUES[7 if most > 127 else 0]
    middle = (most + least) / 2
    return _HUES[_BASIC.index(tuple(int(part > middle) for part in colour))]
