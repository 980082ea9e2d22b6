"""The made-up shell: its commands, arbitrary input, and that it starts no process."""

from __future__ import annotations

import os
import subprocess

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oh_tui.demo.shell import TIMED_OUT, Files, run_command

NOW = 1_773_071_370.0
"""Mon Mar  9 15:49:30 2026."""

FILES = {"/workspace/a.txt": b"one\ntwo\nthree\n", "/workspace/src/b.py": b"pass\n"}

WORDS = (
    "echo cat seq 3 | ; && || > >> < 2> 2>&1 >&2 x ' \" \\ ls -l printf exit sleep cd git .. é #"
)


def disk() -> Files:
    files = Files(lambda: NOW)
    for path, content in FILES.items():
        files.put(path, content, NOW - 3_600)
    return files


def said(command: str) -> tuple[int, str, str]:
    done = run_command(command, disk(), "/workspace")
    return done.code, done.stdout.decode(), done.stderr.decode()


@pytest.mark.parametrize(
    ("command", "code", "out"),
    [
        ("echo 'two words'  more", 0, "two words more\n"),
        ("ls", 0, "a.txt\nsrc\n"),
        ("ls src /workspace/a.txt", 0, "src:\nb.py\n\n/workspace/a.txt\n"),
        ("cd src && pwd && cat b.py", 0, "/workspace/src\npass\n"),
        ("true && exit 4; echo never", 4, ""),
        ("seq 2 4", 0, "2\n3\n4\n"),
        ("echo new > n.txt; cat n.txt a.txt", 0, "new\none\ntwo\nthree\n"),
        ("echo x > .env; ls; ls -A", 0, "a.txt\nsrc\n.env\na.txt\nsrc\n"),
        (r"printf 'a\142\n'", 0, "ab\n"),
        ("echo x # comment", 0, "x\n"),
        ("echo one\necho two", 0, "one\ntwo\n"),
        ("", 0, ""),
    ],
)
def test_plain_commands_do_what_one_expects(command: str, code: int, out: str) -> None:
    assert said(command) == (code, out, "")


@pytest.mark.parametrize(
    ("command", "code", "err"),
    [
        ("make", 127, "not found"),
        ("git log --oneline", 1, "has no git: it has the files of a run, no history"),
        ("echo out >&2", 0, "out"),
        ("cat none", 1, "No such file"),
        ("cat src", 1, "Is a directory"),
        ("cat none && echo never", 1, "No such file"),
        ("cd none", 2, "can't cd"),
        ("ls none", 2, "cannot access 'none'"),
        ("ls -Z", 2, "invalid option -- 'Z'"),
        ("for i in $(seq 3); do echo $i; done", 2, "plain commands only"),
        ("cat a.txt | head -1", 2, "plain commands only"),
        ("cat none 2>&1", 2, "plain commands only"),
        ("echo 'open", 2, "Unterminated"),
        ("seq x", 1, "invalid"),
        ("exit no", 2, "Illegal number"),
        ("seq 1 999999999", 1, "too much"),
    ],
)
def test_what_fails_says_so_on_the_other_stream(command: str, code: int, err: str) -> None:
    found, out, words = said(command)
    assert (found, out) == (code, "")
    assert err in words


def test_ls_l_has_the_columns_of_ls() -> None:
    assert said("echo x > src/new; ls -l")[1].splitlines() == [
        "-rw-r--r-- 1 openhands openhands       14 Mar  9 14:49 a.txt",
        "drwxr-xr-x 2 openhands openhands     4096 Mar  9 15:49 src",
    ]


def test_time_is_told_and_not_spent() -> None:
    done = run_command("echo a; sleep 2; sleep 1.5; echo b", disk(), "/")
    assert (done.seconds, done.stdout) == (3.5, b"a\nb\n")
    done = run_command("echo a; sleep 20; echo b", disk(), "/", 3)
    assert (done.seconds, done.stdout, done.code) == (3, b"a\n", -1)


SPOILT = ["\x01", "\x02", "\x03", "\udcff", "\0", "\n", "9" * 5000, "-1", "²", "٣", "1e400", "nan"]


@example(["cat", "\udcff"])
@example(["exit", "9" * 5000])
@example(["seq", "9" * 400])
@example(["sleep", "9" * 400])
@given(st.lists(st.sampled_from([*WORDS.split(" "), *SPOILT]), max_size=12))
def test_any_words_are_taken(words: list[str]) -> None:
    code = run_command(" ".join(words), disk(), "/workspace", 5).code
    assert code == TIMED_OUT or 0 <= code < 256


def test_nothing_is_started_read_or_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a process or a file of this machine")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr(os, "system", refuse)
    monkeypatch.setattr("builtins.open", refuse)
    files = disk()
    for command in ("ls /", "cat /etc/passwd", "rm -rf /", "echo x > /etc/passwd", "sh -c ls"):
        run_command(command, files, "/workspace")
    assert files == FILES | {"/etc/passwd": b"x\n"}
