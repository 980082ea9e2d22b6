"""Takes a shell command apart into simple commands as bash does, as far as that is simple; of the
rest what it can, and tells that it is not sure."""

from __future__ import annotations

from typing import NamedTuple

from oh_tui.text.patterns import pattern

LONGEST = 20_000
"""Longest command that is read, in characters. Of a longer one this is not all."""

DEEPEST = 10
"""How deep commands within commands are read."""

PUT_IN = "\0"
"""Stands in a word for what the shell may replace by options: a variable, a name of a file that
begins with `*`, a list in braces."""

UNREAD = f"{PUT_IN} (too deep)"
"""Stands for what is not read, as a program."""

_VARIABLE = r"\$(?:[A-Za-z_]\w*+|\{[^`$'\"\\{}]*\}|[0-9@*\#?!$-])"
_PIECE = pattern(rf"""(?xs)
    [ \t\r]*+ (?P<last>[\w./:,@%+=-]++) (?=[ \t\r\n;|&)]|\Z)  # as most words are, read in one go
    | (?P<blank>[ \t\r]++)
    | (?P<skipped>\\\n | (?<![^\s;&|()<>])\#[^\n]*+)
    | (?P<operator>\|\||&&|\|&|;;|&>>|&>|>>|>\||>&|<>|<<<|<<-?|<&|[|;&()<>\n])
    | (?P<quote>")
    | (?P<inner>\$\(|`)
    | (?P<put_in>{_VARIABLE} | \$'(?:[^'\\]|\\.)*+' | \$(?=") | (?<![^\s;&|()<>])[*?~])
    | '(?P<quoted>[^']*+)'
    | \\(?P<escaped>.)
    | (?P<unsure>\$\{{ | !(?=[^\s=("]) | ['\\])
    | (?P<text>[\w./:,@%+=-]++ | (?<![^\s;&|()])\{{(?!\S) | [^{{])
    | (?P<list>\{{)
""")
_IN_QUOTES = pattern(rf"""(?xs)
    (?P<text>[^"\\`!$]++)
    | (?P<quote>")
    | (?P<inner>\$\(|`)
    | (?P<put_in>{_VARIABLE})
    | \\(?P<escaped>.)
    | (?P<unsure>\$\{{ | !(?=[^\s=("]))
    | (?P<other>.)
""")


class Simple(NamedTuple):
    """A simple command: its words, and where its output is sent."""

    words: list[str]
    targets: list[str]


def read(text: str, depth: int = 0) -> Reader:
    """Reads the simple commands of a text and those within `$( )`; never raises."""
    reader = Reader(text[:LONGEST], depth)
    reader.is_sure = len(text) <= LONGEST and PUT_IN not in text
    reader.read()
    return reader


class Reader:
    """Takes a text apart."""

    def __init__(self, text: str, depth: int) -> None:
        self.text, self.depth, self.at = text, depth, 0
        self.found: list[Simple] = []
        self.is_sure = True
        """Whether all of it is understood."""
        self.in_background = False
        """Whether one of the commands runs in the background."""
        self._now = Simple([], [])
        self._word: list[str] | None = None
        """The parts of a word that may go on."""
        self._in_quotes = False
        self._redirects, self._since = "", 0
        """What the next word is for, and where that was said."""
        self._heredocs: list[tuple[str, bool, bool]] = []
        """Of each whose lines follow: its word, whether it is quoted, and whether tabs are cut."""
        self._open = 0

    def read(self, *, to_bracket: bool = False) -> None:
        """Reads to the end, or to the bracket that ends a substitution."""
        while self.at < len(self.text):
            piece = (_IN_QUOTES if self._in_quotes else _PIECE).match(self.text, self.at)
            assert piece is not None
            kind = piece.lastgroup or ""
            part = piece[kind]
            if kind == "last" and self._word is None and not self._redirects:
                self._now.words.append(part)
                self.at = piece.end()
                continue
            is_bracket = kind == "operator" and part == ")"
            if is_bracket and to_bracket and not self._open and self._now.words[:1] != ["case"]:
                break
            if kind == "blank" or (kind == "last" and piece.start(kind) > self.at):
                self._end_word()
            self.at = piece.end()
            self._put(kind, part)
        self._end()
        self.is_sure &= not self._heredocs and (not to_bracket or self.at < len(self.text))

    def _put(self, kind: str, part: str) -> None:
        match kind:
            case "operator":
                self._operate(part)
            case "last":
                self._add(part)
                self._end_word()
            case "quote":
                has_end = self._in_quotes or self.text.find('"', self.at) >= 0
                self.is_sure &= has_end
                self._in_quotes = has_end and not self._in_quotes
                self._add("")
            case "inner":
                self._expand(part)
                self._add(PUT_IN)
            case "put_in" | "list":
                self._add(PUT_IN)
            case "unsure":
                self.is_sure = False
                self._add(part if part == "!" else PUT_IN)
            case "text" | "quoted" | "escaped" | "other":
                self._add(part)

    def _add(self, part: str) -> None:
        self._word = self._word or []
        self._word.append(part)

    def _end_word(self) -> None:
        if self._word is None:
            return
        word, self._word = "".join(self._word), None
        redirects, self._redirects = self._redirects, ""
        if redirects[:2] == "<<" and redirects != "<<<":
            quoted = not set("'\"\\").isdisjoint(self.text[self._since : self.at])
            self._heredocs.append((word, quoted, redirects == "<<-"))
        elif not redirects:
            self._now.words.append(word)
        elif redirects not in ("<", "<&", "<<<") and not (
            redirects == ">&" and word in ("1", "2", "-")  # where another output goes
        ):
            self._now.targets.append(word)

    def _operate(self, operator: str) -> None:
        if operator[0] in "<>" and self._word and "".join(self._word).isdecimal():
            self._word = None  # the number of what is redirected
        self._end_word()
        self.is_sure &= not self._redirects
        self._redirects, self._since = "", self.at
        if "<" in operator or ">" in operator:
            self._redirects = operator
            return
        if operator == ";;" or (operator == "(" and self._now.words):
            self.is_sure = False  # the arms of a case; a function, an array
        self._open += operator == "("
        self._open -= operator == ")" and self._open > 0
        self.in_background |= operator == "&"
        self._end()
        if operator == "\n":
            self._skip_heredocs()

    def _end(self) -> None:
        self._end_word()
        self.is_sure &= not self._redirects
        if self._now.words or self._now.targets:
            self.found.append(self._now)
            self._now = Simple([], [])

    def _skip_heredocs(self) -> None:
        for word, quoted, cuts_tabs in self._heredocs:
            while True:
                if self.at >= len(self.text):
                    self.is_sure = False
                    break
                end = self.text.find("\n", self.at)
                end = len(self.text) if end < 0 else end
                line = self.text[self.at : end]
                self.at = end + 1
                if (line.lstrip("\t") if cuts_tabs else line) == word:
                    break
                self.is_sure &= quoted or not ("`" in line or "$(" in line)
        self._heredocs.clear()

    def _expand(self, opened: str) -> None:
        """Reads the commands of a substitution, by a reader of its own."""
        text, at = self.text, self.at
        is_bracket = opened == "$("
        if is_bracket:
            self.is_sure &= not text.startswith("(", at)
        else:
            end = text.find("`", at)
            self.is_sure &= end >= 0 and "\\" not in text[at:end]
            self.at = max(end, at - 1) + 1
            text, at = text[at : max(end, at)], 0
        inner = Reader(text, self.depth + 1)
        inner.at = at
        if inner.depth > DEEPEST:
            inner.found, inner.is_sure = [Simple([UNREAD], [])], False
        else:
            inner.read(to_bracket=is_bracket)
            if is_bracket:
                self.at = inner.at + 1
        self.found += inner.found
        self.is_sure &= inner.is_sure
        self.in_background |= inner.in_background
