"""Texts, Markdown, code and blocks as HTML: what a text says is never a tag, an attribute or an
address to follow; images are not loaded, links lead to pages by https."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from html import escape, unescape
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from oh_tui.sharing.shared_run import Cut, Room, Sink
from oh_tui.text import lexers, syntax
from oh_tui.text.commonmark import parse
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import safe, safe_line
from oh_tui.text.sgr import LONGEST, PLAIN, Colour, Look, looks
from oh_tui.text.syntax import Piece
from oh_tui.trajectory.glyphs import UNICODE
from oh_tui.trajectory.model.images import Image
from oh_tui.trajectory.presentation import block as b
from oh_tui.trajectory.reading.plans import Task

_TYPES = {"PNG": "png", "JPEG": "jpeg", "GIF": "gif", "WebP": "webp", "BMP": "bmp"}
"""Formats that are shown, by what the first bytes say, and their media types."""

_ROOM = Room(30_000, head=20_000, tail=8_000)

_LARGEST = 3_000_000
"""Characters of base64 of an image that is shown."""


MOST_MARKDOWN = 500_000
"""Characters of Markdown beyond which its source is written."""

_BELOW = 3
"""Levels of the page's own headings, below which those of a text stand."""


def text(value: str) -> str:
    """A clean text as HTML, between tags and in an attribute in double quotes."""
    return escape(value)


def line(value: str) -> str:
    return escape(safe_line(value))


def seen(html: str) -> str:
    """What a part of a page tells its readers: its texts, and where its links lead."""
    html = _LINK.sub(r"\1 ", html.replace("</dt><dd>", ": "))
    return unescape(_TAG.sub("\n", _WITHIN.sub("", html)))


_LINK = pattern('<a href="(https:[^"]{0,}+)"[^<>]{0,}+>')
_WITHIN = pattern("</?(?:a|i|em|strong|code)(?: [^<>]{0,}+)?>")
"""Tags that are within a word, or may be."""
_TAG = pattern("<[^<>]{0,}+>")


def opened_link(address: str) -> str:
    """The tag of a link to a page by https without a name and password; "" for others."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc:
        return ""
    return f'<a href="{escape(address)}" rel="noopener noreferrer">'


_ODD = pattern(r"[^\w.:-]+", re.ASCII)

_LONGEST = 80
"""Characters of the id of an event that names its place as it is."""


def anchor(event_id: str) -> str:
    """The name of the place of an event in the page: its id, if that is one that can stand in an
    address; two events have two names all the same."""
    name = _ODD.sub("-", safe_line(event_id, 2 * _LONGEST))
    if name != event_id or len(name) > _LONGEST:
        digest = hashlib.sha256(event_id.encode("utf-8", "surrogatepass")).hexdigest()
        name = f"{name[:_LONGEST]}-{digest[:12]}"
    return f"event-{name}"


def prose_html(source: str) -> str:
    """The source as it is if it is too long."""
    if len(source) > MOST_MARKDOWN:
        return f"<pre>{text(source)}</pre>"
    tokens = parse(source)
    for token in tokens:
        if token.children:
            token.children = _seen(token.children)
    writer = MarkdownIt("commonmark", renderer_cls=_Writer)
    return f'<div class="prose">{writer.renderer.render(tokens, writer.options, {})}</div>'


def _seen(tokens: list[Token]) -> list[Token]:
    """One plain text instead, where entities or marks were all that hid a secret or an odd sign."""
    shown = "".join(token.content or "\n" * (token.tag == "br") for token in tokens)
    kept = safe(shown)
    return tokens if kept == shown else [Token("text", "", 0, content=kept)]


_Tokens: TypeAlias = Sequence[Token]


@cache
class _Writer(RendererHTML):
    """Each method writes the tokens that it is named after."""

    def text(self, tokens: _Tokens, at: int, options: Any, env: Any) -> str:
        return text(tokens[at].content)

    def code_inline(self, tokens: _Tokens, at: int, options: Any, env: Any) -> str:
        return f"<code>{text(tokens[at].content)}</code>"

    def fence(self, tokens: _Tokens, at: int, options: Any, env: Any) -> str:
        language = next(iter(tokens[at].info.split()), "")
        code = code_html(tokens[at].content.removesuffix(chr(10)), language)
        return f"{plain_note(language)}<pre>{code}</pre>\n"

    def code_block(self, tokens: _Tokens, at: int, options: Any, env: Any) -> str:
        return self.fence(tokens, at, options, env)

    def image(self, tokens: _Tokens, at: int, options: Any, env: Any) -> str:
        address = safe_line(str(tokens[at].attrs.get("src", "")))
        begin = opened_link(address)
        place = f"{begin}{text(address)}{'</a>' if begin else ''}"
        return f"[image] {text(tokens[at].content)} ({place})"

    def link_open(self, tokens: _Tokens, at: int, options: Any, env: Any) -> str:
        """The address of a link that leads elsewhere stands behind its text."""
        address, level = safe_line(str(tokens[at].attrs.get("href", ""))), tokens[at].level
        end = next(t for t in tokens[at:] if t.type == "link_close" and t.level == level)
        begin = opened_link(address)
        end.meta["html"] = "</a>" if begin else f" ({text(address)})"
        return begin

    def link_close(self, tokens: _Tokens, at: int, options: Any, env: Any) -> str:
        return str(tokens[at].meta["html"])

    def heading_open(self, tokens: _Tokens, at: int, options: Any, env: Any) -> str:
        return f"<{_heading(tokens[at])}>"

    def heading_close(self, tokens: _Tokens, at: int, options: Any, env: Any) -> str:
        return f"</{_heading(tokens[at])}>\n"

    def th_open(self, tokens: _Tokens, at: int, options: Any, env: Any) -> str:
        """Without its alignment, which is a style."""
        return "<th>"

    def td_open(self, tokens: _Tokens, at: int, options: Any, env: Any) -> str:
        return "<td>"


def _heading(token: Token) -> str:
    return f"h{min(6, int(token.tag[1:]) + _BELOW)}"


def code_html(code: str, name: str) -> str:
    """Code of a language, or of a file with this path, for a `pre`; long code has no colours."""
    lexer = lexers.find_lexer(name) if name else None
    if lexer is None or code.count("\n") >= syntax.WHOLE:
        return text(code)
    return "\n".join(map(_pieces, syntax.paint(lexer, code)))


def plain_note(name: str) -> str:
    """Says of a language that it has no colours."""
    told = lexers.without_colours(name) if name else ""
    return f'<p class="note">{text(told)}</p>' if told else ""


def _pieces(pieces: Iterable[Piece]) -> str:
    return "".join(
        f'<i class="h-{style}">{text(part)}</i>' if style else text(part) for part, style in pieces
    )


_LINES = {"+": "h-add", "-": "h-del", "@": "h-hunk", "\\": "h-note"}


def diff_html(diff: str) -> str:
    """A line each; the sign of a line tells it without its colour too."""
    parts: list[str] = []
    is_after_block = True
    for line in diff.split("\n"):
        look = _LINES.get(line[:1], "")
        # a coloured line is a block, which ends it
        before = "" if look or is_after_block else "\n"
        parts.append(f'<b class="{look}">{text(line)}</b>' if look else before + text(line))
        is_after_block = bool(look)
    return "".join(parts)


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
