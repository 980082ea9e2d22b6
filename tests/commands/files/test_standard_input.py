"""`-` where a path can be: a file from standard input."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.processes import beside_what_leaves
from tests.trajectory.evaluation_files import message, row
from tests.trajectory.formats.test_tar_runs import conversation, tar

ROWS = [row(name, [message("m", source="user")]) for name in ("a", "b")]
TEXT = "\n".join(map(json.dumps, ROWS)).encode()


def run(folder: Path, *words: str, given: bytes) -> subprocess.CompletedProcess[bytes]:
    """The command in a session without a terminal; `folder` is where its copy goes."""
    return subprocess.run(
        [sys.executable, "-m", "oh_tui", *words],
        input=given,
        capture_output=True,
        env=os.environ | {"TMPDIR": str(folder)},
        start_new_session=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("given", [TEXT, gzip.compress(TEXT)], ids=["plain", "packed"])
def test_runs_from_standard_input_are_listed(tmp_path: Path, given: bytes) -> None:
    done = run(tmp_path, "conversations", "-", "--json", given=given)
    found = json.loads(done.stdout)["conversations"]
    assert [one["id"] for one in found] == ["a", "b"] and not done.stderr
    assert not list(tmp_path.iterdir()), "the copy goes with the program"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_the_copy_goes_when_a_signal_ends_the_program(tmp_path: Path, number: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "oh_tui", "conversations", "-"],
        stdin=subprocess.PIPE,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        start_new_session=True,
    )
    assert process.stdin
    process.stdin.write(TEXT)
    process.stdin.flush()
    end = time.monotonic() + 60
    while not list(tmp_path.rglob("standard-input")):
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.02)
    process.send_signal(number)
    assert process.wait(60) == 128 + number
    process.stdin.close()
    assert not list(tmp_path.iterdir())


def test_what_came_without_its_end_is_cut_off(tmp_path: Path) -> None:
    done = run(tmp_path, "conversations", "-", "--json", given=TEXT[:-100])
    assert [one["id"] for one in json.loads(done.stdout)["conversations"]] == ["a"]
    assert b"standard input, row 2 is cut off" in done.stderr


def test_a_run_from_standard_input_is_read(tmp_path: Path) -> None:
    given = json.dumps(ROWS[0]).encode()
    for words in (["steps", "-", "--json"], ["export", "-", "--to", "jsonl"], ["open", "-"]):
        done = run(tmp_path, *words, given=given)
        assert done.returncode == 0 and done.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.slow_but(1)
@pytest.mark.parametrize(
    "words",
    [
        ("why", "-#b"), ("why", "--", "-#b"), ("show", "-#2"), ("steps", "-#b", "-is:failed"),
        ("open", "-#b"), ("-#b",),
        ("export", "-#b", "--to", "jsonl"), ("compare", "-#a", "-#b"),
    ],
)  # fmt: skip
def test_one_of_several_runs_from_standard_input_is_named(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = run(tmp_path, *words, given=TEXT)
    assert done.returncode == 0 and done.stdout
    assert not beside_what_leaves(done.stderr.decode())
    done = run(tmp_path, *(word.replace("b", "none") for word in words), given=TEXT)
    if "-#2" not in words:
        assert done.returncode == 2 and b"no run none in standard input" in done.stderr


def test_of_several_runs_from_standard_input_one_has_to_be_named(tmp_path: Path) -> None:
    done = run(tmp_path, "why", "-", given=TEXT)
    assert done.returncode == 2
    assert done.stderr.decode().splitlines() == [
        "oh-tui: There are 2 runs in standard input, and this command reads one",
        "        name one of them, as -#ID: a, b",
    ]


def test_beside_another_run_such_a_word_must_not_match(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    file.write_text(json.dumps(row("c", [message("see #7", source="user")])) + "\n")
    done = run(tmp_path, "steps", str(file), "-#7", "--json", given=b"")
    assert not json.loads(done.stdout)["steps"]
    done = run(tmp_path, "grep", "see", "-#7", str(file), given=b"")
    assert not done.stdout and not done.stderr


def test_files_stand_beside_it(tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text(json.dumps(row("c", [message("m")])) + "\n")
    copies = tmp_path / "copies"
    copies.mkdir()
    done = run(copies, "conversations", str(other), "-", "--json", given=TEXT)
    found = json.loads(done.stdout)["conversations"]
    assert [one["id"] for one in found] == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (b"", b"Standard input is empty"),
        (b"no run", b"standard input is not in a format"),
    ],
)
def test_what_is_no_run_is_said(tmp_path: Path, given: bytes, told: bytes) -> None:
    done = run(tmp_path, "why", "-", given=given)
    assert done.returncode == 2 and told in done.stderr and not done.stdout
    assert not list(tmp_path.iterdir())


def test_commands_for_servers_take_no_standard_input_for_a_run(tmp_path: Path) -> None:
    done = run(tmp_path, "pause", "-", "--server", "http://127.0.0.1:9", given=TEXT)
    assert done.returncode == 2 and b"is a file" in done.stderr


def test_no_name_tells_where_the_copy_is(tmp_path: Path) -> None:
    outputs = {f"{name}/output.jsonl": TEXT for name in "xy"}
    given = tar(outputs | {"in/z.tar": tar(conversation("a/"))})
    done = run(tmp_path, "conversations", "-", "--json", given=given)
    found = json.loads(done.stdout)["conversations"]
    assert [one["id"] for one in found] == [
        "a",
        "b",
        "-#y/output.jsonl/a",
        "-#y/output.jsonl/b",
        "z",
    ]
    assert {one["source"] for one in found} == {"-"}
    for words in (["grep", "m", "-"], ["grep", "m", "-", "--json"], ["why", "-"], ["steps", "-#9"]):
        done = run(tmp_path, *words, given=given)
        assert str(tmp_path).encode() not in done.stdout + done.stderr
        assert done.stdout or done.stderr
