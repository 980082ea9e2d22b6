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

_OPERATOR = pattern(r"\|\||&&|\|&|;;|&>>|&>|>>|>\||>&|<>|<<<|<<-?|<&|[|;&()<>\n]")
_EXPANDS = pattern(r"\$[A-Za-z_0-9{(@*#?!$-]")
_NAME = pattern(r"\$(?:[A-Za-z_]\w*|\{[^`$'\"\\{}]*\}|[^{])")
_CODED = pattern(r"(?s)\$'(?:[^'\\]|\\.)*+'|\$(?=\")")
"""Text with escapes, and the sign before one that is translated."""

_PLAIN = pattern(r"[\w./:,@%+=-]+")
"""Characters that mean nothing to the shell, read at once."""

_ALONE = pattern(r"[ \t\r]*+([\w./:,@%+=-]++)(?=[ \t\r\n;|&)]|\Z)")
"""A word of nothing but these, as most are: `grep -rn x src` is read in half the time."""

_IN_QUOTES = pattern(r'[^"\\`!$]++')
"""Characters that mean nothing between double quotes."""

_PAST = pattern(r"![^\s=(\"]")
"""A command from the past, which an interactive shell puts in."""


class Simple(NamedTuple):
    """A simple command: its words, and where its output is sent."""

    words: list[str]
    targets: list[str]
    is_read: bool = True
    """False where commands lie too deep."""


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
        self._open = 0
        self._now = Simple([], [])
        self._heredocs: list[tuple[str, bool, bool]] = []
        """Word, whether it is quoted, whether tabs are cut: of those whose lines follow."""

    def read(self, *, to_bracket: bool = False) -> None:
        """Reads to the end, or to the bracket that ends a substitution."""
        text = self.text
        while self.at < len(text):
            if alone := _ALONE.match(text, self.at):
                self._now.words.append(alone[1])
                self.at = alone.end()
                continue
            char = text[self.at]
            if to_bracket and char == ")" and not self._open and self._now.words[:1] != ["case"]:
                break
            if char in " \t\r":
                self.at += 1
            elif char == "#":
                end = text.find("\n", self.at)
                self.at = len(text) if end < 0 else end
            elif operator := _OPERATOR.match(text, self.at):
                self.at = operator.end()
                self._operate(operator[0])
            else:
                self._take(self._word())
        self._end()
        self.is_sure &= not self._heredocs and (not to_bracket or self.at < len(text))

    def _take(self, word: str) -> None:
        if word.isdecimal() and self.text[self.at : self.at + 1] in ("<", ">"):
            return  # the number of what is redirected
        if word or self.text[self.at - 1] in "'\"":  # else a line that goes on
            self._now.words.append(word)

    def _operate(self, operator: str) -> None:
        if operator in (">", ">>", ">|", "&>", "&>>", "<>", ">&"):
            target = self._next_word()
            if target and not (operator == ">&" and target in ("1", "2", "-")):
                self._now.targets.append(target)
        elif operator in ("<", "<&", "<<<"):
            self._next_word()
        elif operator in ("<<", "<<-"):
            start = self.at
            if word := self._next_word():
                quoted = bool(set("'\"\\") & set(self.text[start : self.at]))
                self._heredocs.append((word, quoted, operator == "<<-"))
        else:
            if operator == ";;" or (operator == "(" and self._now.words):
                self.is_sure = False  # the arms of a case; a function, an array
            self._open += operator == "("
            self._open -= operator == ")" and self._open > 0
            self.in_background |= operator == "&"
            self._end()
            if operator == "\n":
                self._skip_heredocs()

    def _end(self) -> None:
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

    def _skip_blanks(self) -> None:
        while self.text[self.at : self.at + 1] in (" ", "\t"):
            self.at += 1

    def _next_word(self) -> str:
        self._skip_blanks()
        word = self._word()
        self.is_sure &= bool(word)
        return word

    def _word(self) -> str:
        """The word that begins here, without quotes; "" where an operator follows."""
        parts: list[str] = []
        text = self.text
        while self.at < len(text):
            if plain := _PLAIN.match(text, self.at):
                parts.append(plain[0])
                self.at = plain.end()
                continue
            char = text[self.at]
            if char in " \t\r" or _OPERATOR.match(text, self.at):
                break
            if char == "'":
                end = text.find("'", self.at + 1)
                self.is_sure &= end >= 0
                parts.append(text[self.at + 1 : max(end, 0)])
                self.at = max(end, self.at) + 1
            elif char == '"':
                parts.append(self._double())
            elif char == "\\":
                if (escaped := self._escaped()) != "\n":
                    parts.append(escaped)
            elif coded := _CODED.match(text, self.at):
                parts.append(PUT_IN)
                self.at = coded.end()
            elif char == "`" or _EXPANDS.match(text, self.at):
                self._expand()
                parts.append(PUT_IN)
            else:
                self.is_sure &= not _PAST.match(text, self.at)
                starts = char in "*?[~" and not parts and char != "["
                parts.append(PUT_IN if starts or char == "{" else char)
                self.at += 1
        word = "".join(parts)
        return word.replace(PUT_IN, "{", 1) if word == PUT_IN and text[self.at - 1] == "{" else word

    def _escaped(self) -> str:
        """The character after a backslash."""
        self.is_sure &= self.at + 1 < len(self.text)
        self.at = min(self.at + 2, len(self.text))
        return self.text[self.at - 1]

    def _double(self) -> str:
        """The text between double quotes."""
        parts: list[str] = []
        text = self.text
        self.at += 1
        while text.find('"', self.at) >= 0:
            if quoted := _IN_QUOTES.match(text, self.at):
                parts.append(quoted[0])
                self.at = quoted.end()
                continue
            char = text[self.at]
            if char == '"':
                self.at += 1
                return "".join(parts)
            if char == "\\":
                parts.append(self._escaped())
            elif char == "`" or _EXPANDS.match(text, self.at):
                self._expand()
                parts.append(PUT_IN)
            else:
                self.is_sure &= not _PAST.match(text, self.at)
                parts.append(char)
                self.at += 1
        self.is_sure = False
        return "".join(parts)

    def _expand(self) -> None:
        """Goes over `$name`, `${...}`, `$(...)` or backticks, and reads the commands in it."""
        text = self.text
        if text.startswith("$(", self.at):
            self.is_sure &= not text.startswith("$((", self.at)
            self.at = min(self._within(text, self.at + 2, to_bracket=True) + 1, len(text))
        elif text[self.at] == "`":
            end = text.find("`", self.at + 1)
            inner = text[self.at + 1 : max(end, 0)]
            self.is_sure &= end >= 0 and "\\" not in inner
            self._within(inner, 0)
            self.at = max(end, self.at) + 1
        elif name := _NAME.match(text, self.at):
            self.at = name.end()
        else:
            self.is_sure = False
            self.at += 2  # what stands in the braces is read as words

    def _within(self, text: str, at: int, *, to_bracket: bool = False) -> int:
        """Reads the commands of a substitution by a reader of its own; tells where they end."""
        inner = Reader(text, self.depth + 1)
        inner.at = at
        if inner.depth > DEEPEST:
            inner.found, inner.is_sure = [Simple([PUT_IN], [], is_read=False)], False
        else:
            inner.read(to_bracket=to_bracket)
        self.found += inner.found
        self.is_sure &= inner.is_sure
        self.in_background |= inner.in_background
        return inner.at
