"""Commands against a server on a socket: refusals, the log of calls, long and ended commands."""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from oh_tui import cli
from tests.commands.conftest import IDS, Served, serve
from tests.commands.shell import Shell, shell
from tests.processes import beside_what_leaves, oh_tui
from tests.test_cli import complaint

__all__ = ["shell"]

KEY = "sk-oh-7Qz1vX9mKp4RtL2w"


def start(*words: str) -> subprocess.Popen[str]:
    """A process that lasts."""
    return subprocess.Popen(
        [sys.executable, "-m", "oh_tui", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


@pytest.fixture
def begun() -> Iterator[Served]:
    """A server of its own: in that of the session the call that runs at first may be over."""
    with serve() as one:
        yield one


def test_a_tail_goes_on_until_the_run_ends(begun: Served) -> None:
    flaky = IDS["flaky-ci"]
    process = start("--server", begun.url, "tail", "-f", flaky, "-n", "1", "--json")
    assert process.stdout and process.stderr
    first = json.loads(process.stdout.readline())
    assert first["outcome"] == "running"
    timer = threading.Timer(0.5, lambda: begun.demo.advance(900))
    timer.start()
    told, said = process.communicate(timeout=60)
    assert process.returncode == 0
    steps = [json.loads(line) for line in told.splitlines()]
    # the call that ran is printed again with its result, then come the others in order
    assert steps[0]["index"] == first["index"] and steps[0]["outcome"] != "running"
    numbers = [step["index"] for step in steps]
    assert numbers == list(range(first["index"], first["index"] + len(numbers)))
    assert len(steps) > 5
    # the demo's clock stands still, so that its events are old
    assert said.splitlines()[0].startswith("oh-tui: No event since")
    assert said.splitlines()[1].startswith("oh-tui: finished")


def test_an_interrupt_says_what_goes_on_and_exits_130() -> None:
    process = start("--demo", "tail", "-f", IDS["pydantic"], "-n", "1")
    assert process.stdout
    assert process.stdout.readline()
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said == "oh-tui: interrupted; on the server the agent works on\n"


@pytest.mark.parametrize("name", ["steps", "events", "export"])
def test_a_closed_pipe_ends_it_quietly(name: str, run_file: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "oh_tui", name, run_file],
            stdout=writing,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(writing)
    assert (done.returncode, beside_what_leaves(done.stderr.decode())) == (0, "")


def test_the_log_has_a_line_a_call_and_no_key(served: Served, tmp_path: Path) -> None:
    log = tmp_path / "calls.log"
    words = ("--server", served.url, "--log", log)
    assert oh_tui(*words, "show", IDS["week-dates"], OPENHANDS_API_KEY=KEY).returncode == 0
    lines = log.read_text("utf-8").splitlines()
    assert len(lines) >= 3
    for line in lines:
        when, method, url, status, took, unit = line.split()
        assert when.endswith("Z") and method == "GET" and status == "200" and unit == "ms"
        assert url.startswith(f"{served.url}/api/v1/") and "?" not in url
        assert took.isdecimal()
    assert KEY not in log.read_text("utf-8")
    assert log.stat().st_mode & 0o077 == 0


def test_the_short_status_asks_once_a_minute(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, log = tmp_path / "cache", tmp_path / "calls.log"
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    words = ["--server", served.url, "--log", str(log), "status", "--short"]
    first = oh_tui(*words)
    assert first.returncode == 0 and "◆" in first.stdout and len(first.stdout) < 30
    calls = log.read_text("utf-8").splitlines()
    assert sum("/api/v1/app-conversations/search" in call for call in calls) == 1
    assert all("/events/search" in call for call in calls[1:]), "runs that may be silent"
    assert oh_tui(*words).stdout == first.stdout
    assert log.read_text("utf-8").splitlines() == calls
    file = cache / "oh-tui" / "status.json"
    assert file.stat().st_mode & 0o077 == 0 and file.parent.stat().st_mode & 0o077 == 0
    held = json.loads(file.read_text("utf-8"))
    answer = held[served.url]
    answer["at"] -= 240
    answer["asked"] -= 240

    # a server that is away: what it said last, with its age, and not asked again at once
    file.write_text(json.dumps({"http://127.0.0.1:1": answer}), "utf-8")
    away = ["--server", "127.0.0.1:1", "status", "--short"]
    assert oh_tui(*away).stdout == f"{first.stdout.rstrip()} 4m\n"
    asked = tmp_path / "asked.log"
    assert oh_tui("--log", asked, *away).stdout.endswith(" 4m\n")
    assert not asked.exists() or not asked.read_text("utf-8")
    whole = oh_tui("--server", "127.0.0.1:1", "status")
    assert whole.returncode == 1 and "127.0.0.1:1" in complaint(whole)

    file.write_text("{broken", "utf-8")
    assert "◆" in oh_tui(*words).stdout
    shown = oh_tui("cache")
    assert shown.stdout.startswith("status\t1\t")
    assert oh_tui("cache", "clear").stdout.startswith("1 file removed")
    assert not file.exists()
    assert oh_tui("cache", "clear", "status").stdout == "nothing was kept\n"


class Refusing(http.server.BaseHTTPRequestHandler):
    """Answers every call with the status that its server was given."""

    def do_GET(self) -> None:
        status, body, kind = self.server.answer  # type: ignore[attr-defined]
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def refusing() -> Iterator[http.server.ThreadingHTTPServer]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (401, "does not accept this key"),
        (403, "does not allow this"),
        (404, "knows no such thing"),
        (409, "present state"),
        (413, "too large"),
        (422, "does not take this request"),
        (500, "failed"),
        (302, "another address"),
    ],
)
def test_a_refusal_is_one_line_and_a_hint(
    refusing: http.server.ThreadingHTTPServer,
    status: int,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    refusing.answer = (status, b"{}", "application/json")  # type: ignore[attr-defined]
    monkeypatch.setenv("OPENHANDS_API_KEY", KEY)
    for words in (["conversations"], ["steps", "5f3a91c0" * 4], ["whoami"]):
        assert cli.main(["--server", f"127.0.0.1:{refusing.server_port}", *words]) == 1
        out, said = capsys.readouterr()
        lines = said.splitlines()
        assert out == "" and told in lines[0] and len(lines) <= 2
        assert lines[0].startswith("oh-tui: Could not ")
        assert all(line.startswith("        ") for line in lines[1:])
        assert KEY not in said


def test_a_web_page_is_not_taken_for_an_answer(
    refusing: http.server.ThreadingHTTPServer, capsys: pytest.CaptureFixture[str]
) -> None:
    refusing.answer = (200, b"<html>hello", "text/html")  # type: ignore[attr-defined]
    assert cli.main(["--server", f"127.0.0.1:{refusing.server_port}", "sandboxes"]) == 1
    assert "web page" in capsys.readouterr().err.lower()


def test_an_id_that_several_begin_with_lists_them(
    served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from oh_tui.conversation import Conversation
    from oh_tui.sources.server import ServerSource
    from tests.test_commands import IDS as TWINS
    from tests.test_commands import Listing

    rows: list[Conversation] = Listing(*TWINS).rows
    monkeypatch.setattr(ServerSource, "pages", lambda self: Listing(*[r.id for r in rows]).pages())
    for name in ("why", "steps", "show", "count", "tail", "events", "export", "download"):
        assert cli.main(["--server", served.url, name, "5f3a"]) == 2
        out, said = capsys.readouterr()
        assert out == "" and "2 conversations begin with 5f3a" in said
        assert "5f3a91c05f3a (Run 5f3a91)" in said


def test_the_id_of_a_start_leads_to_its_conversation(
    served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from oh_tui.api.app_services import StartTasks
    from oh_tui.api.models import StartTask

    own = IDS["week-dates"]
    found = [
        StartTask("1", "READY", app_conversation_id=own),
        StartTask("1", "PREPARING_REPOSITORY"),
        StartTask("1", "ERROR", detail="500: no such repository."),
    ]

    async def tasks(self: StartTasks, ids: list[str]) -> list[StartTask]:
        return [found[0]]

    monkeypatch.setattr(StartTasks, "get", tasks)
    words = ["--server", served.url, "why", "0123abcd" * 4]
    assert cli.main(words) == 0
    out, said = capsys.readouterr()
    assert out.startswith("stuck after ")
    assert said == f"oh-tui: that is the id of a start; the conversation is {own}\n"
    for told in (
        "the id of a start that is not over: preparing the repository",
        "the id of a start that failed: 500: no such repository",
    ):
        found.pop(0)
        assert cli.main(words) == 1
        out, said = capsys.readouterr()
        assert out == "" and told in said


def test_a_download_that_breaks_off_leaves_nothing(
    served: Served,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import contextlib
    from collections.abc import AsyncIterator

    from oh_tui.api import AppServer

    @contextlib.asynccontextmanager
    async def broken(self: AppServer, identifier: str) -> AsyncIterator[AsyncIterator[bytes]]:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"PK\x03\x04 and no more"

        yield pieces()

    monkeypatch.setattr(AppServer, "download", broken)
    for target in (tmp_path, tmp_path / "run.zip"):
        words = ["--server", served.url, "download", IDS["week-dates"], "-o", str(target)]
        assert cli.main(words) == 1
        out, said = capsys.readouterr()
        assert out == "" and "broke off" in said and "press" not in said
        assert list(tmp_path.iterdir()) == []


def test_a_run_too_long_for_a_download_names_the_other_way(shell: Shell, tmp_path: Path) -> None:
    shell.between.answer("GET */download", 413, '{"detail": "Too many"}', "application/json")
    said = shell(f"download {IDS['week-dates']} -o {tmp_path}")
    assert said.code == 1 and "oh-tui events 477fd351 > 477fd351.jsonl" in said.complaint
    assert list(tmp_path.iterdir()) == []


def test_of_several_downloads_each_that_fails_is_told_and_the_others_go_on(
    shell: Shell, tmp_path: Path
) -> None:
    long, good = IDS["week-dates"], IDS["click"]
    shell.between.answer(f"GET *{long}/download", 413, '{"detail": "Too many"}', "application/json")
    said = shell(f"download {long} ffffffff {good} -o {tmp_path}")
    (saved,) = tmp_path.iterdir()
    assert (said.code, said.out) == (1, f"{saved}\n")
    told = [line for line in said.err.splitlines() if line.startswith("oh-tui: ")]
    assert [line.split(": ")[1] for line in told] == [long, "ffffffff"]
    assert "There is no conversation ffffffff" in told[1]
    said = shell(f"download {long} {good} -o {tmp_path} --json")
    (file,) = json.loads(said.out)["files"]
    assert said.code == 1 and file["id"].replace("-", "") == good.replace("-", "")
    assert long in json.loads(said.err)["error"]["message"]


@pytest.mark.skipif(os.geteuid() == 0, reason="the root user may write anywhere")
def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, run_file: Path) -> None:
    tmp_path.chmod(0o500)
    done = oh_tui("export", run_file, "-o", tmp_path / "run.md")
    assert done.returncode == 2 and "Cannot write into" in complaint(done)


FULL = Path("/dev/full")


@pytest.mark.slow_but(1)
@pytest.mark.skipif(not FULL.exists(), reason="needs a file that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "words",
    [
        "events RUN",
        "steps RUN --json",
        "why RUN",
        "export RUN --to jsonl",
        "--demo conversations --json",
        "--help",
        "help why",
        "--version",
        "--print-completion bash",
    ],
)
def test_no_space_left_is_told_in_one_line(run_file: Path, words: str, unbuffered: str) -> None:
    given = [str(run_file) if word == "RUN" else word for word in words.split()]
    sentence = "Cannot write the output: no space left on device"
    with FULL.open("w") as full:
        failed = subprocess.run(
            [sys.executable, "-m", "oh_tui", *given],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
        )
    assert failed.returncode == 1
    if "--json" in given:
        assert json.loads(failed.stderr)["error"]["message"] == sentence
    else:
        assert beside_what_leaves(failed.stderr) == f"oh-tui: {sentence}\n"


@pytest.mark.skipif(not FULL.exists(), reason="needs a file that is always full")
def test_errors_that_cannot_be_written_leave_the_exit_code_as_it_is(run_file: Path) -> None:
    for words, code in ((["steps", str(run_file)], 0), (["nosuch"], 2)):
        with FULL.open("w") as full:
            done = subprocess.run(
                [sys.executable, "-m", "oh_tui", *words],
                stdout=subprocess.DEVNULL,
                stderr=full,
                check=False,
            )
        assert done.returncode == code
