"""Takes a shell command apart into simple commands, or says that it cannot."""

from __future__ import annotations

import re
from typing import NamedTuple

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.shell.only_reads import PUT_IN

LONGEST = 20_000
"""Longest command that is read, in characters. A longer one may write."""

DEEPEST = 4
"""How deep commands within commands are read."""

_OPERATOR = pattern(r"\|\||&&|\|&|;;|&>>|&>|>>|>\||>&|<>|<<<|<<-?|<&|[|;&()<>\n]")
_EXPANDS = pattern(r"\$[A-Za-z_0-9{(@*#?!$-]")


_PLAIN = pattern(r"[\w./:,@%+=-]+")
"""Characters that mean nothing to the shell, read at once."""

_ALONE = pattern(r"[ \t\r]*+([\w./:,@%+=-]++)(?=[ \t\r\n;|&)]|\Z)")
"""A word of nothing but these, as most are: `grep -rn x src` is read in half the time."""

_IN_QUOTES = pattern(r'[^"\\`!$]++')
"""Characters that mean nothing between double quotes."""

_PAST = pattern(r"![^\s=(\"]")
"""A command from the past, which an interactive shell puts in."""


class Unsure(Exception):
    """The command is not understood."""


class Simple(NamedTuple):
    """A simple command: its words, and where its output is sent."""

    words: list[str]
    targets: list[str]


def commands(text: str, depth: int) -> tuple[list[Simple], bool]:
    """The simple commands of a text with those within `$( )`, and whether one of them runs in the
    background."""
    if len(text) > LONGEST or depth > DEEPEST or PUT_IN in text:
        raise Unsure
    reader = Reader(text, depth)
    reader.read()
    return reader.found, reader.in_background


class Reader:
    """Takes a text apart as bash does, as far as that is simple; else raises Unsure."""

    def __init__(self, text: str, depth: int) -> None:
        self.text, self.depth, self.at = text, depth, 0
        self.found: list[Simple] = []
        self.in_background = False
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
            if to_bracket and char in "#(":
                raise Unsure
            if to_bracket and char == ")":
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
        if self._heredocs or (to_bracket and self.at >= len(text)):
            raise Unsure

    def _take(self, word: str) -> None:
        if word.isdecimal() and self.text[self.at : self.at + 1] in ("<", ">"):
            return  # the number of what is redirected
        if word or self.text[self.at - 1] in "'\"":  # else a line that goes on
            self._now.words.append(word)

    def _operate(self, operator: str) -> None:
        if operator in (">", ">>", ">|", "&>", "&>>", "<>"):
            self._now.targets.append(self._next_word())
        elif operator == ">&":
            target = self._next_word()
            if target not in ("1", "2", "-"):
                self._now.targets.append(target)
        elif operator in ("<", "<&", "<<<"):
            if self.text[self.at : self.at + 1] == "(":
                raise Unsure
            self._next_word()
        elif operator in ("<<", "<<-"):
            start = self.at
            word = self._next_word()
            quoted = bool(set("'\"\\") & set(self.text[start : self.at]))
            self._heredocs.append((word, quoted, operator == "<<-"))
        elif operator == "(" and self._now.words:
            raise Unsure  # a function, an array
        elif operator == ";;":
            raise Unsure  # the arms of a case
        else:
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
                    raise Unsure
                end = self.text.find("\n", self.at)
                end = len(self.text) if end < 0 else end
                line = self.text[self.at : end]
                self.at = end + 1
                if (line.lstrip("\t") if cuts_tabs else line) == word:
                    break
                if not quoted and ("`" in line or "$(" in line):
                    raise Unsure
        self._heredocs.clear()

    def _skip_blanks(self) -> None:
        while self.text[self.at : self.at + 1] in (" ", "\t"):
            self.at += 1

    def _next_word(self) -> str:
        self._skip_blanks()
        word = self._word()
        if not word:
            raise Unsure
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
                if end < 0:
                    raise Unsure
                parts.append(text[self.at + 1 : end])
                self.at = end + 1
            elif char == '"':
                parts.append(self._double())
            elif char == "\\":
                if (escaped := self._escaped()) != "\n":
                    parts.append(escaped)
            elif (
                char == "`"
                or text.startswith(("$'", '$"'), self.at)
                or (char == "!" and _PAST.match(text, self.at))
            ):
                raise Unsure
            elif _EXPANDS.match(text, self.at):
                self._expand()
                parts.append(PUT_IN)
            else:
                starts = char in "*?[~" and not parts and char != "["
                parts.append(PUT_IN if starts or char == "{" else char)
                self.at += 1
        word = "".join(parts)
        return word.replace(PUT_IN, "{", 1) if word == PUT_IN and text[self.at - 1] == "{" else word

    def _escaped(self) -> str:
        """The character after a backslash."""
        if self.at + 1 >= len(self.text):
            raise Unsure
        self.at += 2
        return self.text[self.at - 1]

    def _double(self) -> str:
        """The text between double quotes."""
        parts: list[str] = []
        text = self.text
        self.at += 1
        while self.at < len(text):
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
            elif char == "`" or (char == "!" and _PAST.match(text, self.at)):
                raise Unsure
            elif _EXPANDS.match(text, self.at):
                self._expand()
                parts.append(PUT_IN)
            else:
                parts.append(char)
                self.at += 1
        raise Unsure

    def _expand(self) -> None:
        """Goes over `$name`, `${...}`, `$((...))` or `$(...)`, and reads the commands in it."""
        text = self.text
        if text.startswith("${", self.at):
            end = text.find("}", self.at)
            if end < 0 or not re.fullmatch(r"[^`$'\"\\{]*", text[self.at + 2 : end]):
                raise Unsure
            self.at = end + 1
        elif text.startswith("$(", self.at):
            self._substitute()
        else:
            name = re.compile(r"\$(?:[A-Za-z_]\w*|.)").match(text, self.at)
            assert name is not None
            self.at = name.end()

    def _substitute(self) -> None:
        """Reads `$(...)`: the end is where a reader of its own comes upon the bracket."""
        if self.text.startswith("$((", self.at) or self.depth >= DEEPEST:
            raise Unsure
        inner = Reader(self.text, self.depth + 1)
        inner.at = self.at + 2
        inner.read(to_bracket=True)
        self.found += inner.found
        self.in_background |= inner.in_background
        self.at = inner.at + 1
