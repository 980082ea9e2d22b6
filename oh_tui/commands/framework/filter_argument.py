"""Which arguments of a command name runs, and which are words of a filter behind them."""

from __future__ import annotations

import argparse
import os
import re
import shlex
from typing import Any

from oh_tui.catalog.names import read_id
from oh_tui.commands.framework.run_words import STDIN, is_path, is_stdin, split_run
from oh_tui.settings import paths
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line

_FIELD = pattern(r"-?[a-z.]+:")


class Words(argparse.Action):
    """Takes words, which may begin with a dash, as one text. Runs come before them: those of the
    argument that `const` names."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        args: argparse.Namespace,
        given: Any,
        option: str | None = None,
    ) -> None:
        self.take(parser.prog, args, [given] if isinstance(given, str) else given)

    def take(self, prog: str, args: argparse.Namespace, given: list[str]) -> None:
        if self.const:
            runs = getattr(args, self.const)
            # of two lists argparse gives all to the first
            every = [runs] if isinstance(runs, str) else runs
            found, given = _divided(prog, [*every, *given], self.const)
            setattr(args, self.const, found[0] if isinstance(runs, str) else found)
        setattr(args, self.dest, " ".join(given))


class Searched(Words):
    """Takes the paths behind the words to find; `no_files` is a note on words among those that may
    have been meant as paths."""

    def take(self, prog: str, args: argparse.Namespace, given: list[str]) -> None:
        args.paths = list(filter(is_listed_path, given))
        words = [word for word in given if word not in args.paths]
        first = args.filter
        right = [first, *words, *args.paths]
        if words and not args.paths and is_listed_path(first):
            right = [*words, first]
        _require(prog, [first, *given], right, "words come before files")
        args.filter = " ".join([first, *words])
        unclear = [safe_line(word) for word in words if not re.search(r'[\s:"]|^-', word)]
        told = "not files, so words to find: " if unclear[1:] else "not a file, so a word to find: "
        args.no_files = told + ", ".join(unclear) if unclear else ""


def _require(prog: str, given: list[str], right: list[str], rule: str) -> None:
    """Raises Problem, with the right command line, for arguments in another order."""
    for early, late in zip(given, right, strict=True):
        if early != late:
            told = f"{safe_line(late)} goes before {safe_line(early)}: {rule}"
            raise Problem(told, f"{prog} {safe_line(shlex.join(right))}")


def _divided(prog: str, given: list[str], kind: str) -> tuple[list[str], list[str]]:
    """The runs, and the words behind them. Raises Problem for words before a run."""
    runs, words = _runs_among(given, kind), list(given)
    for run in runs:
        words.remove(run)
    _require(prog, given, [*runs, *words], "words come after runs")
    return runs, words


def _runs_among(given: list[str], kind: str) -> list[str]:
    """The arguments that name runs: files, or one run, or several of standard input."""
    if kind == "paths" or (kind == "words" and is_listed_path(given[0])):
        return list(filter(is_listed_path, given))
    if kind == "words" and given[0].startswith(f"{STDIN}#"):
        return list(filter(is_stdin, given))
    named = [] if _names_run(given[0]) else list(filter(_names_run, given))
    return named[:1] or given[:1]


def _names_run(word: str) -> bool:
    may_be_path = is_path(word) and not _FIELD.match(word)
    return may_be_path or is_listed_path(word) or bool(read_id(word))


def is_listed_path(text: str) -> bool:
    """Whether a filter word names a path: an existing file, also with `#ID` after it, a word with
    the form of a path, `-`, or an address."""
    if "://" in text or text in (STDIN, ".", "..", "~"):
        return True
    if text.endswith(".zip") or text.startswith(("/", "./", "../", "~/")):
        return True
    return bool(text) and (paths.exists(text, os.environ) or bool(split_run(text)[1]))
