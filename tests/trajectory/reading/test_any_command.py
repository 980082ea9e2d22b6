"""Any text is read as a command: without an error, soon, and the same twice."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.intents import Intent, acts_of, purposes_of_exit
from oh_tui.trajectory.reading.write_targets import targets_of
from oh_tui.trajectory.shell.commands import program_of
from oh_tui.trajectory.shell.programs import PROGRAMS
from tests.trajectory.made import shell
from tests.work import counted

PIECES = (
    "'", '"', "\\", "`", "$(", ")", "${", "}", "$((", "))", "<<EOF\n", "<<-'A b'\n", "\nEOF\n",
    "<<<", "<(", ">(", ">", ">>", "2>&1", "&>", "|", "||", "&&", ";", ";;", "&", "\n", " ", "\t",
    "#", "!", "!x", "*", "~", "{", "{a,b}", "[[", "=", "A=1 ", "--", "-c", "-e", "-m", "-exec",
    "\0", "\x1b[31m", "\u202e", "é", "a/b.py", "tests/test_a.py", "if ", "then ", "fi", "for ",
    "do ", "done", "case ", "esac", "function f() ", "if", "then", "\ud800",
)  # fmt: skip

NAMES = [*sorted(PROGRAMS), "cd", "timeout", "nice", "time", "watch", "uvx", "npx", "flock"]

TEXTS = st.lists(
    st.sampled_from(PIECES)
    | st.sampled_from(NAMES).map(lambda name: f"{name} ")
    | st.text(max_size=4),
    max_size=30,
).map("".join)


def read(command: str) -> tuple[object, ...]:
    run = Trajectory()
    run.extend([shell("a", command.encode("utf-8", "replace").decode())])
    found = tuple(acts_of(command))
    assert all(
        isinstance(act, Intent) and not any("\0" in path for path in act.paths) for act in found
    )
    (step,) = run.steps
    where = targets_of(step, found, "/workspace/app")
    return found, purposes_of_exit(command), program_of(command), where


@given(TEXTS)
def test_any_text_is_read_and_the_same_twice(command: str) -> None:
    assert read(command) == read(command)


@given(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES) | st.text(max_size=6), max_size=8))
def test_any_program_with_any_words_is_read(name: str, words: list[str]) -> None:
    command = " ".join([name, *words])
    assert read(command) == read(command)


HOSTILE = {
    "quotes": "'\"",
    "open quotes": "echo 'a\" ",
    "substitutions": "$(echo ",
    "backticks": "`",
    "heredocs": "cat <<A <<B\n",
    "ended heredocs": "cat <<A\nx\nA\n",
    "arithmetic": "$((1+",
    "braces": "${a",
    "brackets": "((",
    "pipes": "a|",
    "tees": "a | tee b ",
    "redirections": "> a ",
    "spaces after a redirection": ">" + " " * 200,
    "backslashes": "\\",
    "escaped lines": "a \\\n",
    "words": "a ",
    "a word": "a",
    "assignments": "A=1 ",
    "wrappers": "sudo ",
    "pythons": "python -m ",
    "shells": "bash -c ",
    "shells in quotes": "bash -c '",
    "containers": "docker exec a ",
    "runners": "uv run ",
    "finds": "find . -exec ",
    "options": "pytest -k ",
    "seds": "sed -i -e s/a/b/ ",
    "homes": "~/a $HOME/b ",
    "folders": "cd a && ",
    "cases": "case a in a) b;; esac\n",
    "functions": "f() { a; }\n",
    "zeros": "\0",
    "tests": "tests/test_a.py ",
    "sessions": "tox -e lint,",
}


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("case", HOSTILE)
def test_the_work_grows_with_the_text_and_no_faster(case: str) -> None:
    piece = HOSTILE[case]

    def work(length: int) -> int:
        text = piece * (length // len(piece) + 1)
        with counted() as done:
            assert read(text) is not None
        return done.lines

    small, large = work(2_000), work(18_000)
    assert large < 40 * small + 20_000


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("case", HOSTILE)
def test_a_megabyte_is_read_at_once(case: str) -> None:
    piece = HOSTILE[case]
    text = piece * (1_000_000 // len(piece) + 1)
    began = time.process_time()
    assert read(text) == read(text)
    assert time.process_time() - began < 10  # seconds would be minutes if it grew faster
