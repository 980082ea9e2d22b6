"""The made-up shell: its commands, arbitrary input, and that it starts no process."""

from __future__ import annotations

import os
import subprocess

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oh_tui.demo.disk import Files
from oh_tui.demo.shell import TIMED_OUT, run_command

NOW = 1_773_071_370.0
"""Mon Mar  9 15:49:30 2026."""

FILES = {"/workspace/a.txt": b"one\ntwo\nthree\n", "/workspace/src/b.py": b"pass\n"}

WORDS = (
    "echo cat seq head -n -c 3 | ; && || > >> < 2> 2>&1 >&2 x ' \" \\ rm -rf / ls wc printf %s "
    "exit sleep cd .. é #"
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
        ("echo -n x; echo y", 0, "xy\n"),
        ("cat a.txt | head -n 2 | wc -l", 0, "2\n"),
        ("ls", 0, "a.txt\nsrc\n"),
        ("ls src /workspace/a.txt", 0, "/workspace/a.txt\n\nsrc:\nb.py\n"),
        ("cd src && pwd && cat b.py", 0, "/workspace/src\npass\n"),
        ("false || echo saved", 0, "saved\n"),
        ("false && echo never", 1, ""),
        ("true && exit 4; echo never", 4, ""),
        ("seq 3; seq 2 3; seq 1 2 5; seq 3 -1 1", 0, "1\n2\n3\n2\n3\n1\n3\n5\n3\n2\n1\n"),
        ("echo new > n.txt; echo more >> n.txt; cat n.txt; wc -c n.txt", 0, "new\nmore\n9 n.txt\n"),
        ("rm a.txt src/b.py; ls", 0, ""),
        ("rm -r src; ls; touch t; ls", 0, "a.txt\na.txt\nt\n"),
        ("touch .env; ls; ls -A", 0, "a.txt\nsrc\n.env\na.txt\nsrc\n"),
        ("mkdir new; ls -F; cd new; ls", 0, "a.txt\nnew/\nsrc/\n"),
        ("ls -d src; ls -R src; ls -S; ls -r", 0, "src\nsrc:\nb.py\nsrc\na.txt\nsrc\na.txt\n"),
        ("cat a.txt | head -1", 0, "one\n"),
        ("date", 0, "Mon Mar  9 15:49:30 UTC 2026\n"),
        ("printf 'a%s\\n' b", 0, "ab\n"),
        ("cat < a.txt", 0, "one\ntwo\nthree\n"),
        ("cat none 2>&1", 1, "cat: none: No such file or directory\n"),
        ("cat none 2>/dev/null", 1, ""),
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
        ("git log --oneline", 1, "has no git log: it has the files of a run, no history"),
        ("echo out >&2", 0, "out"),
        ("cat none", 1, "No such file"),
        ("cat src", 1, "Is a directory"),
        ("cd none", 2, "can't cd"),
        ("ls none", 2, "cannot access 'none'"),
        ("ls -Z", 2, "invalid option -- 'Z'"),
        ("mkdir src", 1, "File exists"),
        ("for i in $(seq 3); do echo $i; done", 2, "plain commands only"),
        ("echo 'open", 2, "Unterminated"),
        ("seq x", 1, "invalid"),
        ("exit no", 2, "Illegal number"),
        ("head -n no a.txt", 1, "invalid number"),
        ("seq 1 999999999", 1, "too much"),
    ],
)
def test_what_fails_says_so_on_the_other_stream(command: str, code: int, err: str) -> None:
    found, out, words = said(command)
    assert (found, out) == (code, "")
    assert err in words


def test_ls_la_has_the_columns_of_ls() -> None:
    assert said("mkdir new; ls -la")[1].splitlines() == [
        "total 20",
        "drwxr-xr-x 4 openhands openhands 4096 Mar  9 14:49 .",
        "drwxr-xr-x 3 openhands openhands 4096 Mar  9 14:49 ..",
        "-rw-r--r-- 1 openhands openhands   14 Mar  9 14:49 a.txt",
        "drwxr-xr-x 2 openhands openhands 4096 Mar  9 15:49 new",
        "drwxr-xr-x 2 openhands openhands 4096 Mar  9 14:49 src",
    ]
    assert said("echo '#!/bin/sh' > src/run; ls -lt src a.txt")[1].splitlines() == [
        "-rw-r--r-- 1 openhands openhands 14 Mar  9 14:49 a.txt",
        "",
        "src:",
        "total 8",
        "-rwxr-xr-x 1 openhands openhands 10 Mar  9 15:49 run",
        "-rw-r--r-- 1 openhands openhands  5 Mar  9 14:49 b.py",
    ]


def test_ls_gives_the_year_of_an_old_file_and_sizes_for_people() -> None:
    files = disk()
    files.put("/workspace/old", b"x" * 1_500_000, NOW - 400 * 86_400)
    words = run_command("ls -lh old", files, "/workspace").stdout.decode()
    assert words == "-rw-r--r-- 1 openhands openhands 1.4M Feb  2  2025 old\n"


def test_time_is_told_and_not_spent() -> None:
    done = run_command("echo a; sleep 2; sleep 1.5; echo b", disk(), "/")
    assert (done.seconds, done.stdout) == (3.5, b"a\nb\n")
    done = run_command("echo a; sleep 20; echo b", disk(), "/", 3)
    assert (done.seconds, done.stdout, done.code) == (3, b"a\n", -1)


SPOILT = ["\x01", "\x02", "\x03", "\udcff", "\0", "\n", "9" * 5000, "-1", "²", "٣", "1e400", "nan"]


@example(["wc", "\udcff"])
@example(["exit", "9" * 5000])
@example(["head", "-n", "9" * 5000])
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
    assert files == {"/etc/passwd": b"x\n"}
