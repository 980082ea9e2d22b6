"""start: the prompt, consent, waiting, and how a start or a run ends."""

from __future__ import annotations

import io
import itertools
import json
import re
import sys
import threading
from pathlib import Path

import pexpect
import pytest
from msgspec.structs import replace

from oh_tui.actions import starting
from oh_tui.api.app_services import StartTasks
from oh_tui.api.models import StartTask
from oh_tui.api.requests import StartRequest
from oh_tui.commands.framework import waiting
from oh_tui.demo.servers.start_tasks import Started
from tests.commands import schemas
from tests.commands.conftest import Served
from tests.commands.shell import Said, Shell, interrupted, shell
from tests.commands.test_terminal import spawn

__all__ = ["shell"]

START = "POST /api/v1/app-conversations"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real server needs 9 s for a start, the demo's clock is moved on instead."""
    monkeypatch.setattr(starting, "WAITS", (0.05,))
    monkeypatch.setattr(starting.start, "__defaults__", ((0.05,),))
    monkeypatch.setattr(waiting, "POLL", 0.05)


def moving(shell: Shell, line: str, seconds: float = 1.0) -> Said:
    """A command while the demo's clock goes on quickly."""
    over = threading.Event()

    def move() -> None:
        while not over.wait(0.05):
            shell.demo.advance(seconds)

    thread = threading.Thread(target=move)
    thread.start()
    try:
        return shell(line)
    finally:
        over.set()
        thread.join()


def prompts(shell: Shell) -> list[str]:
    """What the conversations that were started were asked first."""
    entries = [one.entry for one in shell.demo.world.conversations.values()]
    return [entry.asked for entry in entries if isinstance(entry, Started)]


def test_without_a_yes_nothing_is_started(shell: Shell) -> None:
    said = shell("start 'fix it'")
    assert said.code == 2 and "may cost money" in said.complaint and "--yes" in said.complaint
    assert shell.between.count(START) == 0


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("", 2)])
def test_a_terminal_is_asked(answer: str, code: int) -> None:
    asked = spawn("start", "fix it")
    asked.expect_exact("which may cost money. 8 sandboxes run; above its limit the server pauses")
    asked.expect_exact("Go on? [y/N] ")
    asked.sendline(answer)
    rest = str(asked.read())
    asked.expect(pexpect.EOF)
    asked.close()
    assert asked.exitstatus == code
    assert ("Nothing was changed" in rest) is (code != 0)
    if code == 0:  # what tells how far it is makes room for the id
        assert re.search(r"making the sandbox\r\x1b\[K[0-9a-f]{32}\r\n", rest)


def test_without_waiting_the_id_of_the_start_is_given(shell: Shell) -> None:
    said = shell("start 'fix it' --yes")
    assert said.code == 0 and len(said.out.strip()) == 32
    assert "id of its start" in said.err
    told = json.loads(shell("start 'fix it' --yes --json").out)
    schemas.check("start", told)
    assert told["conversation"] is None and told["stages"] == ["making the sandbox"]


def test_waited_for_the_id_of_the_conversation_is_given(shell: Shell) -> None:
    said = moving(shell, "start 'fix it' --yes --wait --repo acme/dates --branch main")
    assert (said.code, said.err) == (0, "")
    shown = json.loads(shell(f"show {said.out.strip()} --json").out)["conversation"]
    assert (shown["repository"], shown["branch"]) == ("acme/dates", "main")
    assert shell.between.count(START) == 1


def test_until_it_is_done(shell: Shell) -> None:
    said = moving(shell, "start 'look around' --yes --until-done --json")
    told = json.loads(said.out)
    schemas.check("start", told)
    assert said.code == 0 and said.err.startswith("oh-tui: finished  ")
    assert told["verdict"]["word"] == "finished" and told["stages"][-1] == "ready"


def test_a_run_that_waits_for_an_answer_is_not_done(shell: Shell) -> None:
    said = moving(shell, "start 'deploy it' --yes --until-done")
    assert said.code == 1 and len(said.out.strip()) == 32
    assert "oh-tui: waiting  " in said.err and "oh-tui approve" in said.err


def test_a_message_can_wait_there(shell: Shell) -> None:
    said = moving(shell, "start 'look around' --yes --no-run")
    identifier = said.out.strip()
    assert said.code == 0 and f"oh-tui continue {identifier[:8]}" in said.err
    shell.demo.advance(1)
    steps = shell(f"steps {identifier}").out.splitlines()
    assert len(steps) == 1 and "look around" in steps[0]
    shell.demo.advance(60)
    assert len(shell(f"steps {identifier}").out.splitlines()) == 1
    assert shell(f"continue {identifier}").code == 0
    shell.demo.advance(60)
    assert "agent wrote" in shell(f"steps {identifier}").out.splitlines()[1]


def test_the_prompt_may_come_in_or_be_files(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, log = tmp_path / "task.md", tmp_path / "log.txt"
    task.write_text("Fix this:\n")
    log.write_bytes("\ufeffü ✗ failed\n".encode())
    words = f"--append-file {log} --append-file {log} --yes --wait"
    assert moving(shell, f"start --prompt-file {task} {words}").code == 0
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"From a pipe\n")))
    assert moving(shell, f"start - --append-file {log} --yes --wait").code == 0
    whole = "Fix this:\n\nü ✗ failed\n\n\nü ✗ failed\n"
    assert prompts(shell) == [whole, "From a pipe\n\nü ✗ failed\n"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("start", "There is no task"),
        ("start x --prompt-file y", "two prompts"),
        ("start --prompt-file {}/nope", "cannot be read: no such file"),
        ("start --prompt-file {}", "cannot be read: is a directory"),
        ("start --prompt-file {}/binary", "not UTF-8 text"),
        ("start x --append-file {}/latin", "not UTF-8 text"),
        ("start ' '", "There is no task"),
        ("start x --branch main", "needs its repository"),
        ("start x --repo 'a b'", "not a repository"),
        ("start x --model 'a b'", "no spaces"),
        ("start x --no-run --until-done", "no run to wait for"),
        ("start x --secret 'a-b'", "named by a variable"),
        ("start x --secret NO_SUCH_VARIABLE", "no variable NO_SUCH_VARIABLE here"),
        ("start x --task acme/dates", "a repository and a number"),
        ("start x --task '#5'", "a repository and a number"),
        ("start x y", "start: unexpected argument: y"),
    ],
)
def test_what_cannot_be_started_is_told_before_anything_is_asked(
    shell: Shell, tmp_path: Path, line: str, told: str
) -> None:
    (tmp_path / "binary").write_bytes(b"a\0b")
    (tmp_path / "latin").write_bytes("ü".encode("latin-1"))
    said = shell(f"{line} --yes".format(tmp_path))
    assert said.code == 2 and told in said.complaint
    assert shell.between.asked == []


def test_a_start_that_fails_says_what_is_known(shell: Shell) -> None:
    said = moving(shell, "start x --repo acme/nope --yes --wait")
    assert said.code == 1 and "The start failed" in said.complaint
    assert "check the repository" in said.complaint
    found = re.search(r"left sandbox (\w+) running\s+oh-tui pause (\w+) pauses it", said.complaint)
    assert found and found[1] == found[2]
    assert shell(f"pause {found[1]} --yes").code == 0


def test_a_title_waits_for_the_conversation_and_is_its_title(shell: Shell) -> None:
    said = moving(shell, "start 'fix it' --title 'Mine [x]' --yes")
    shown = json.loads(shell(f"show {said.out.strip()} --json").out)["conversation"]
    assert (said.code, said.err, shown["title"]) == (0, "", "Mine [x]")
    shell.between.answer("PATCH /api/v1/app-conversations/*", 500)
    said = moving(shell, "start 'fix it' --title Mine --yes")
    name = said.out.strip()[:8]
    assert said.code == 0 and said.err == (
        f"oh-tui: the server did not take the title Mine: oh-tui rename {name} TITLE tries again\n"
    )


def test_a_start_that_never_tells_is_found_in_the_list(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the real one does at times: the task stays where it is, the conversation is there."""
    monkeypatch.setattr(starting, "HANGS", 0.3)
    real = StartTasks.get

    async def behind(self: StartTasks, ids: list[str]) -> list[StartTask | None]:
        return [
            task and replace(task, status="STARTING_CONVERSATION", app_conversation_id=None)
            if task and task.status == "READY"
            else task
            for task in await real(self, ids)
        ]

    monkeypatch.setattr(StartTasks, "get", behind)
    said = moving(shell, "start 'fix it' --yes --wait")
    assert said.code == 0 and prompts(shell) == ["fix it"]
    assert shell(f"show {said.out.strip()}").code == 0
    assert shell.between.count(START) == 1


def test_a_start_that_goes_nowhere_is_given_up(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "HANGS", 0.1)
    monkeypatch.setattr(starting, "GIVE_UP", 0.3)
    said = shell("start 'fix it' --yes --wait")
    assert said.code == 1 and "does not go on" in said.complaint
    assert "oh-tui conversations" in said.complaint


def test_an_interrupt_says_what_goes_on(served: Served, tmp_path: Path) -> None:
    words = ("--server", served.url, "start", "x", "--yes", "--wait")
    code, out, said = interrupted(words, "POST", tmp_path)
    assert (code, out) == (130, "")
    assert said.startswith("oh-tui: interrupted; the start may go on, on the server")


def bodies(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """What is sent to the server to start."""
    sent: list[dict[str, object]] = []
    real = StartTasks.begin

    async def begin(self: StartTasks, request: StartRequest) -> StartTask:
        sent.append(request.wire())
        return await real(self, request)

    monkeypatch.setattr(StartTasks, "begin", begin)
    return sent


def test_a_suggested_task_is_started_as_the_server_gave_it(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = bodies(monkeypatch)
    said = moving(shell, "start --task ACME/dates#53 --yes --wait")
    assert said.code == 0
    task = {"repo": "acme/dates", "issue_number": 53, "task_type": "OPEN_ISSUE",
            "title": "Week 53 is missing in 2020 and 2026", "git_provider": "github"}  # fmt: skip
    assert sent == [
        {"suggested_task": task, "selected_repository": "acme/dates", "git_provider": "github"}
    ]
    assert prompts(shell) == ["Please work on #53 of acme/dates."]


def test_ones_own_words_take_the_place_of_the_prompt_of_the_server(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = bodies(monkeypatch)
    assert shell("start 'only add a test' --task acme/docs#20 --yes --plan").code == 0
    assert sent[0]["selected_repository"] == "acme/docs"
    assert sent[0]["agent_type"] == "plan" and "suggested_task" not in sent[0]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("start --task acme/dates#99", "suggests no task acme/dates#99"),
        ("start --task acme/docs#20", "no prompt for this task"),
        ("start --task acme/dates#53 --no-run", "needs a message of yours"),
        ("start --task acme/dates#53 --repo acme/shop", "The task is one of acme/dates"),
    ],
)
def test_a_task_that_cannot_be_started_is_told(shell: Shell, line: str, told: str) -> None:
    said = shell(f"{line} --yes")
    assert said.code == 2 and told in said.complaint
    assert shell.between.count(START) == 0


def test_a_server_without_a_token_of_a_provider_says_where_one_goes(shell: Shell) -> None:
    shell.demo.world.has_git_token = False
    for line in ("tasks", "start --task acme/dates#53 --yes"):
        said = shell(line)
        assert said.code == 1 and "has no token of a git provider" in said.complaint
        assert "Settings, Integrations" in said.complaint


def test_a_server_that_fails_to_write_a_prompt_says_what_helps(shell: Shell) -> None:
    shell.between.answer(START, 500, "Internal Server Error")
    said = shell("start --task acme/dates#53 --yes")
    assert said.code == 1 and "give TEXT beside --task" in said.complaint


def test_with_a_profile_the_agent_begins_once_it_is_set(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = bodies(monkeypatch)
    said = moving(shell, "start 'look around' --profile fast --yes")
    assert said.code == 0 and sent == [{}]
    calls = [one for one in shell.between.asked if one.startswith("POST")]
    assert [one.rpartition("/")[2] for one in calls] == [
        "app-conversations", "switch_profile", "send-message"
    ]  # fmt: skip
    made = shell.demo.world.conversations[said.out.strip()]
    assert made.profile == "fast"
    shell.demo.advance(60)
    assert "look around" in shell(f"steps {said.out.strip()}").out.splitlines()[0]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("start x --profile none", "it has careful, fast, local, long-context"),
        ("start x --profile fast --model other", "model of its own"),
        ("start x --folder /srv", "chooses the folder by itself"),
        ("start --task acme/dates#53 --profile fast", "in your own words"),
    ],
)
def test_a_profile_that_cannot_be_used_is_told_before_a_start(
    shell: Shell, line: str, told: str
) -> None:
    said = shell(f"{line} --yes")
    assert said.code == 2 and told in said.complaint
    assert shell.between.count(START) == 0


def test_an_agent_that_cannot_plan_is_told(shell: Shell) -> None:
    shell.demo.world.has_processes = True
    said = moving(shell, "start x --plan --yes --wait")
    assert said.code == 1 and "could not start an agent that plans" in said.complaint
    assert "ask it for a plan" in said.complaint
    shell.demo.world.has_processes = False
    assert moving(shell, "start x --plan --yes --wait").code == 0


def test_a_profile_that_fails_to_be_set_leaves_the_message_unsent(shell: Shell) -> None:
    switch = "POST /api/v1/app-conversations/*/switch_profile"
    shell.between.answer(switch, 409, '{"detail": "not now"}', "application/json")
    said = moving(shell, "start x --profile fast --yes")
    assert said.code == 1 and "has no message yet" in said.complaint
    assert "oh-tui send sends it the message" in said.complaint
    assert shell.between.count("POST */send-message") == 0


def test_a_secret_is_given_by_name_and_never_shown(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = bodies(monkeypatch)
    monkeypatch.setenv("OF_A_TEST", "only-the-server-sees-this")
    said = shell("start 'fix it' --secret OF_A_TEST --yes --json")
    assert said.code == 0 and sent[0]["secrets"] == {"OF_A_TEST": "only-the-server-sees-this"}
    assert "only-the-server-sees-this" not in said.out + said.err


def test_tasks_are_listed_by_repository(shell: Shell) -> None:
    told = json.loads(shell("tasks --json").out)
    schemas.check("tasks", told)
    names = [one["repository"] for one in told["tasks"]]
    assert told["complete"] and len(names) == 6
    assert len(list(itertools.groupby(names))) == len(set(names)) == 3
    lines = shell("tasks").out.splitlines()
    assert lines[0].split("\t")[:2] == ["acme/dates#53", "open issue"]


def test_hostile_tasks_are_shown_clean(shell: Shell) -> None:
    rows = [
        {"repo": "acme/dates", "issue_number": 1, "title": "a\x1b]0;x\x07\nb\u202e"},
        {"repo": "acme/\x1b[31mdates", "issue_number": 1},
        {"repo": "", "issue_number": 2},
        {"repo": "acme/dates", "issue_number": "no number"},
        7,
    ]
    body = json.dumps({"items": rows * 10_000, "next_page_id": "Mg"})
    shell.between.answer("GET /api/v1/git/suggested-tasks/search", 200, body, "application/json")
    said = shell("tasks")
    assert said.code == 0 and "\x1b" not in said.out and "\u202e" not in said.out
    assert "has more than these 10,000" in said.err
    assert "40,000 tasks of the server cannot be read" in said.err
    assert not json.loads(shell("tasks --json").out)["complete"]
