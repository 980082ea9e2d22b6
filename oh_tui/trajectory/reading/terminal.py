"""Terminal output as text: colours are kept apart, rewritten lines are folded."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, zip_longest

import msgspec

from oh_tui.text.clean import clean, clean_pieces
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import hide_split, redact
from oh_tui.text.sgr import SGR
from oh_tui.trajectory.model.bodies import strip_echo

_SGR_WHOLE = pattern("(\x1b\\[[\\d;:]{0,80}m)")
_STEP = pattern("\r++\n|\n|\r|\x1b\\[\\d{0,4}[AFJK]|\x1b\\[[01]?G")
_RETURN = pattern("\r(?!\r*+(?:\n|\\Z))")
_UP = pattern("\x1b\\[\\d{0,4}[AF]")
"""Moves to the start of a line, or up, so that text is overwritten."""

_PLACE = "\ue000"
"""Replaces an SGR sequence during cleaning; a private-use character."""

_OTHERS = pattern("[\x1b\x90-\x9f]")
"""The start of any other sequence; an SGR sequence may be inside a control string."""


class Written(msgspec.Struct, frozen=True, gc=False):
    """Output in two forms. `text` is clean. `coloured` has the same lines with SGR sequences and no
    other escapes, "" without colours. `folded` counts the line states that were overwritten."""

    text: str
    coloured: str = ""
    folded: int = 0


def read_output(raw: str, command: str = "") -> Written:
    """Raw output as clean and redacted text, without the echo of `command` at its start.

    Of a rewritten line (a progress bar) only the last state is kept, counted in `folded`. Escape
    sequences other than SGR are dropped.
    """
    folded = 0
    raw = hide_split(raw)
    raw = raw.replace("\r\n", "\n")  # much faster than what follows
    if ("\r" in raw and _RETURN.search(raw)) or _UP.search(raw):
        # a move up may cross pieces; all else stays in its line
        folds = [_fold(raw)] if _UP.search(raw) else [*map(_fold, clean_pieces(raw))]
        raw, folded = "".join(text for text, _ in folds), sum(count for _, count in folds)
    text, coloured = _keep_colours(raw) if "\x1b[" in raw else (clean(raw), "")
    shown = strip_echo(text, clean(command)) if command else text
    if coloured and len(shown) < len(text):
        echoed = text.count("\n", 0, len(text) - len(shown))
        coloured = "\n".join(coloured.split("\n")[echoed:]) if shown else ""
    safe = redact(shown)
    if coloured and safe != shown:
        coloured = _replace_lines(coloured, shown, safe)
    return Written(safe.rstrip("\n"), coloured.rstrip("\n"), folded)


def _keep_colours(raw: str) -> tuple[str, str]:
    """Cleaned text, without and with SGR sequences; the latter is "" if there are none."""
    found = [*map(_keep_colours_of, clean_pieces(raw.replace(_PLACE, "\ufffd")))]
    text = "".join(text for text, _ in found)
    if not any(coloured for _, coloured in found):
        return text, ""
    return text, "".join(coloured or text for text, coloured in found)


def _keep_colours_of(raw: str) -> tuple[str, str]:
    parts = _SGR_WHOLE.split(raw)
    if len(parts) == 1:
        return clean(raw), ""
    plain = _PLACE.join(parts[::2])
    if _OTHERS.search(plain):
        plain = plain.replace(_PLACE, "\x1b" + _PLACE)  # an escape ends a control string
    texts = clean(plain).split(_PLACE)
    coloured = "".join(chain.from_iterable(zip_longest(texts, parts[1::2], fillvalue="")))
    joined = "".join(texts)
    # once more, as the texts around a sequence are now adjacent
    text = clean(joined)
    return text, coloured if text == joined else _replace_lines(coloured, joined, text)


def _replace_lines(coloured: str, shown: str, safe: str) -> str:
    """Coloured lines after redaction. A changed line keeps its sequences, for the lines below, but
    at its start; all colours go if the number of lines changed."""
    lines, before, after = coloured.split("\n"), shown.split("\n"), safe.split("\n")
    if not len(lines) == len(before) == len(after):
        return ""
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        if old != new:
            lines[number] = "".join(m.group() for m in SGR.finditer(lines[number])) + new
    return "\n".join(lines)


_ERASED = ""
"""A row state: everything written before it was erased."""


def _fold(raw: str) -> tuple[str, int]:
    """Text with the last state of each line, and the number of overwritten states. Sideways moves
    are ignored: programs rewrite lines from their start."""
    rows: list[list[str]] = [[]]
    index, fresh, folded = 0, True, 0
    for number, token in enumerate(_tokens(raw)):
        row = rows[index]
        if number % 2 == 0:
            if token and fresh:
                row.append(token)
                fresh = False
            elif token:
                row[-1] += token
            continue
        order = token[-1]
        if order == "\n":
            index += 1
            if index == len(rows):
                rows.append([])
            fresh = True
        elif order in "\rG":
            fresh = True
        elif order in "AF":
            index, fresh = max(0, index - int(token[2:-1] or 1)), True
        elif fresh or token[2:-1] == "2":
            row.append(_ERASED)
            fresh = True
        elif row:
            row.insert(-1, _ERASED)  # also hides the rest of an earlier text
        if order == "J" and token[2:-1] in ("", "0"):
            folded += sum(_count(gone) for gone in rows[index + 1 :])
            del rows[index + 1 :]
    folded += sum(max(0, _count(row) - 1) for row in rows)
    return "\n".join(map(_last, rows)), folded


def _tokens(raw: str) -> Iterator[str]:
    """Texts and control sequences in turn."""
    start = 0
    for step in _STEP.finditer(raw):  # split() of a megabyte would block other threads
        yield raw[start : step.start()]
        yield step[0]
        start = step.end()
    yield raw[start:]


def _count(row: list[str]) -> int:
    return sum(1 for state in row if _seen(state).strip())


def _seen(state: str) -> str:
    return clean(SGR.sub("", state))


def _last(row: list[str]) -> str:
    """The last state of a row, with the end of longer states before, which it did not cover."""
    shown, width, ended = "", 0, False
    for state in reversed(row):
        if state == _ERASED:
            if ended:
                break
            continue
        seen = _seen(state)
        if not ended:
            if not seen.strip() and state is not row[0]:
                continue
            shown, width, ended = state, len(seen), True
        elif len(seen) > width:
            # redacted before cutting: a secret is recognised by its start
            shown += redact(seen)[width:]
            width = len(seen)
    return shown
