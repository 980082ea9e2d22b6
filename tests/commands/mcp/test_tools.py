"""Each tool: what the command of the same name tells, in this process."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from oh_tui.batch.reports.conversations import listed
from oh_tui.batch.reports.one_run import read_run
from oh_tui.commands.framework.command import Call
from oh_tui.conversation import Conversation
from oh_tui.mcp import across_runs, protocol, session
from oh_tui.mcp.answers import MOST
from oh_tui.mcp.tools import TOOLS
from oh_tui.sources.results import Loaded
from oh_tui.text.remarks import show_progress
from tests.commands.conftest import IDS, Served, serve
from tests.commands.mcp.using import Tools, use
from tests.commands.shell import Shell, shell
from tests.hostile.kinds import write_zip
from tests.hostile.test_json import said_by
from tests.hostile.texts import CORPUS
from tests.trajectory.edited import edit
from tests.trajectory.made import call, event, result

__all__ = ["shell"]

STUCK, ADD = IDS["week-dates"], IDS["fix-add"]


def printed(*words: str | Path) -> Any:
    """What a command prints with --json."""
    code, out, err = said_by(*words, "--json")
    assert code == 0, err
    return json.loads(out)


def without_own(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without what every answer has."""
    own = ("untrusted", "remarks", "cursor", "cut")
    return {name: one for name, one in answer.items() if name not in own}


def test_the_tools_of_one_run_tell_what_its_commands_tell(run_file: Path) -> None:
    path = "dates/CHANGELOG.md"
    why, steps = printed("why", run_file), printed("steps", run_file)
    context = printed("context", run_file, "--at", "58")
    changes, then = printed("changes", run_file), printed("changes", run_file, "--at", "55")
    blame = printed("blame", run_file, path, "--at", "58")
    steps["conversation"]["source"] = None  # the path of the file

    async def work(tools: Tools) -> None:
        assert without_own(await tools("why")) == why
        told = without_own(await tools("steps"))
        rows = await tools.rows("steps", "steps")
        assert told | {"steps": rows} == steps
        told = without_own(await tools("context", step=58))
        given = await tools.pages("context", step=58)
        both = {
            name: [row for page in given for row in page[name]] for name in ("messages", "about")
        }
        assert told | both == context
        assert without_own(await tools("changes")) == changes
        assert without_own(await tools("changes", step=55)) == then
        told = without_own(await tools("blame", path=path, step=58))
        assert told | {"lines": await tools.rows("blame", "lines", path=path, step=58)} == blame

    use(work, run_file)


def test_steps_by_range_and_words(run_file: Path) -> None:
    failed = printed("steps", run_file, "is:failed")

    async def work(tools: Tools) -> None:
        told = await tools.rows("steps", "steps", words="is:failed", limit=3)
        assert told == failed["steps"]
        told = await tools.rows("steps", "steps", first=57, last=59)
        assert [step["index"] for step in told] == [57, 58, 59]
        told = await tools.rows("steps", "steps", words="is:loop", first=60)
        assert [step["index"] for step in told] == [60, 61]
        first = await tools("steps", limit=1_000_000)
        assert 0 < len(first["steps"]) <= MOST
        since = await tools("context", step=58, since=46)
        assert since["difference"]["came"] and since["difference"]["went"][0]["forgotten_by"] == 47
        none = await tools("steps", words="no-step-says-this")
        assert none["steps"] == [] and none["counts"]["shown"] == 0

    use(work, run_file)


def test_a_step_and_a_file_come_in_full(tmp_path: Path) -> None:
    text = "".join(f"{place} {hostile}\n" for place, hostile in enumerate(CORPUS.values())) * 25
    output = {"kind": "TerminalObservation", "content": [{"type": "text", "text": text}]}
    events = [
        event("MessageEvent", "m", source="user", llm_message={"role": "user", "content": []}),
        call("c", {"kind": "TerminalAction", "command": "cat x"}),
        result("c", output),
        *edit("e", "/workspace/project/a.txt", None, text, "create"),
    ]
    path = write_zip(tmp_path / "run.zip", [one.raw() for one in events], id="ab" * 16)

    async def work(tools: Tools) -> None:
        told = await tools.text("step", step="c")
        for word in ("owned.invalid", "not a tag", "漢字"):
            assert told.count(word) >= 25, word
        assert len(await tools.pages("step", step=2)) > 2
        told = await tools.text("file_at", path="a.txt")
        assert "\0" in told and "[bold red]" in told and "\ufffd" in told
        assert told == text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        head = await tools("file_at", path="a.txt", step=2)
        assert head["exists"] is False and head["text"] == ""
        for tool in ("why", "steps", "context", "changes"):
            await tools(tool)
        await tools("blame", path="a.txt")
        assert json.loads(await tools.text("context", message=1))["role"]

    use(work, path)


def test_runs_are_found_searched_summed_and_compared(shell: Shell) -> None:
    listed, sums = printed("--demo", "conversations", "--all"), printed("--demo", "stats")
    code, out, _ = said_by("--demo", "grep", "Invalid week", "--json")
    hits = [json.loads(line) for line in out.splitlines()]
    compared = printed("--demo", "compare", STUCK, ADD)
    failed = printed("--demo", "failures")
    audited = json.loads(said_by("--demo", "audit", "--json")[1])

    async def work(tools: Tools) -> None:
        found = await tools.rows("find_runs", "conversations", limit=7)
        assert [one["id"] for one in found] == [one["id"] for one in listed["conversations"]]
        found = await tools.rows("find_runs", "conversations", words="is:stuck", sort="cost")
        assert [one["id"] for one in found] == [STUCK]
        found = await tools.rows("search", "hits", words="Invalid week", limit=4)
        assert found == hits and len(hits) > 8
        assert without_own(await tools("stats")) == sums
        rows = await tools.rows("failures", "failures", limit=20)
        assert [(row["id"], row["steps"]) for row in rows] == [
            (row["id"], row["steps"]) for row in failed["failures"]
        ]
        some = await tools("failures", words="is:stuck", least=1)
        assert 0 < some["failed_steps"] < failed["failed_steps"]
        rules = await tools.rows("audit", "rules", limit=5)
        assert [(rule["name"], rule["broken"]) for rule in rules] == [
            (rule["name"], rule["broken"]) for rule in audited["rules"]
        ]
        one = await tools("audit", run=STUCK)
        assert one["runs"] == [run for run in audited["runs"] if run["run"] == STUCK]
        assert sum(rule["broken"] for rule in one["rules"]) == len(one["runs"][0]["broken"]) > 3
        told = without_own(await tools("compare", a=STUCK, b=ADD[:8]))
        assert told | {"differences": compared["differences"]} == compared
        assert (
            await tools.rows("compare", "differences", a=STUCK, b=ADD, limit=3)
            == (compared["differences"])
        )

    use(work, "--demo")
    assert code == 0


def test_wrong_use_is_told_in_words(run_file: Path) -> None:
    async def work(tools: Tools) -> None:
        wrong: list[tuple[str, dict[str, Any], str]] = [
            ("delete", {}, "There is no tool delete"),
            ("why", {"run": "ffff"}, "There is no run ffff"),
            ("why", {"path": "/etc"}, "unknown field"),
            ("why", {"branch": 9}, "no branch 9"),
            ("why", {"branch": -1}, ">= 0"),
            ("steps", {"limit": "many"}, "Expected `int`"),
            ("steps", {"words": "took:soon"}, "took"),
            ("steps", {"cursor": "nonsense"}, "not a cursor"),
            ("step", {"step": 999}, "no step or event 999"),
            ("step", {}, "missing required field"),
            ("context", {"message": 99_999}, "no message"),
            ("file_at", {"path": "nowhere.py"}, "changed nowhere.py"),
            ("find_runs", {"sort": "beauty"}, "one of"),
            ("stats", {"by": ["beauty"]}, "one of"),
            ("stats", {"by": []}, "length"),
            ("failures", {"least": 0}, "1"),
            ("stats", {"sort": "beauty"}, "one of"),
            ("search", {"words": " "}, "to search for"),
        ]
        for tool, given, words in wrong:
            assert words in await tools.refused(tool, **given), tool

    use(work, run_file)


def test_a_cursor_of_another_run_is_refused(run_file: Path) -> None:
    async def work(tools: Tools) -> None:
        cursor = (await tools("steps", limit=1))["cursor"]
        assert "another call" in await tools.refused("steps", cursor=cursor, words="is:failed")
        assert (await tools("steps", limit=9, cursor=cursor))["steps"][0]["index"] == 2

    use(work, run_file)


def test_only_what_was_given_can_be_read(
    run_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no path is told beyond what was given."""
    (tmp_path / "runs").mkdir()
    shutil.copy(run_file, tmp_path / "runs" / "one.zip")
    write_zip(tmp_path / "runs" / "two.zip", [event("PauseEvent", "p").raw()])
    shutil.copy(run_file, tmp_path / "other.zip")
    monkeypatch.chdir(tmp_path)
    others = ("other.zip", "../other.zip", str(tmp_path / "other.zip"), "https://x.invalid/a.zip")

    async def work(tools: Tools) -> None:
        found = await tools.rows("find_runs", "conversations")
        for one in found:
            await tools("why", run=one["id"])
            await tools("steps", run=one["id"])
            await tools("compare", a=one["id"], b=one["id"])
        assert len(found) == 2
        await tools("search", words="dates")
        await tools("stats", by=["model", "day"])
        assert "find_runs" in await tools.refused("why")
        for other in others:
            assert "There is no run" in await tools.refused("why", run=other)
        told = "\n".join(text for text in tools.texts if "There is no run" not in text)
        assert str(tmp_path) not in told

    use(work, "runs")


@pytest.mark.parametrize("other", ["/etc/passwd", "run.zip", "https://x.invalid/c/" + STUCK])
def test_a_server_is_asked_for_its_own_runs_alone(other: str, shell: Shell) -> None:
    async def work(tools: Tools) -> None:
        told = await tools.refused("why", run=other)
        assert "not a conversation id" in told or "but the server here is" in told

    use(work, "--demo")


def test_a_server_is_only_read(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENHANDS_API_KEY", "key-of-ours-0042")
    log = tmp_path / "calls.log"

    async def work(tools: Tools) -> None:
        await tools("find_runs", limit=200)
        await tools("why", run=STUCK)
        await tools("steps", run=STUCK)
        await tools("context", run=STUCK)
        await tools("changes", run=STUCK)
        await tools("stats")
        assert "key-of-ours" not in "".join(tools.texts)

    use(work, "--server", served.url, "--log", log)
    methods = {line.split()[1] for line in log.read_text("utf-8").splitlines() if line.strip()}
    assert methods == {"GET"}


def test_an_agent_server_is_recognized(tmp_path: Path) -> None:
    async def work(tools: Tools) -> None:
        found = await tools.rows("find_runs", "conversations")
        assert found and (await tools("why", run=found[0]["id"]))["verdict"]

    with serve("agent") as one:
        use(work, "--server", one.url)


# runs that change


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the runs that were read, in order."""
    found: list[str] = []

    async def noted(call: Call, one: Conversation, *, sub_agents: bool) -> Loaded:
        found.append(one.id)
        return await read_run(call, one, sub_agents=sub_agents)

    monkeypatch.setattr(session, "read_run", noted)
    return found


def test_a_run_is_read_once_until_it_changes(
    run_file: Path, tmp_path: Path, read: list[str]
) -> None:
    path = tmp_path / "run.zip"
    shutil.copy(run_file, path)

    async def work(tools: Tools) -> None:
        for tool in ("why", "steps", "context", "changes", "why"):
            await tools(tool)
        assert len(read) == 1
        other = [event("PauseEvent", "p").raw(), event("PauseEvent", "q").raw()]
        write_zip(path, other, id=STUCK)
        assert (await tools("why"))["counts"]["events"] == 2
        assert len(read) == 2

    use(work, path)


def test_a_growing_folder_is_read_as_it_is(tmp_path: Path, read: list[str]) -> None:
    events = tmp_path / "run" / "events"
    events.mkdir(parents=True)

    def write(place: int) -> None:
        raw = event("PauseEvent", f"p{place}", place).raw()
        (events / f"event-{place:05}-{place:032x}.json").write_bytes(raw)

    write(0)
    write(1)

    async def work(tools: Tools) -> None:
        assert (await tools("why"))["counts"]["events"] == 2
        write(2)
        assert (await tools("why"))["counts"]["events"] == 3

    use(work, tmp_path / "run")


def test_a_run_on_a_server_is_read_once_until_it_changes(shell: Shell, read: list[str]) -> None:
    async def work(tools: Tools) -> None:
        for tool in ("why", "steps", "why"):
            await tools(tool, run=STUCK)
        assert len(read) == 1

    use(work, "--demo")


def test_few_runs_stay_in_memory(shell: Shell, read: list[str]) -> None:
    async def work(tools: Tools) -> None:
        found = await tools.rows("find_runs", "conversations")
        for one in found[: session.MOST + 3]:
            await tools("why", run=one["id"])
        assert tools.session is not None
        assert len(tools.session._kept) == session.MOST
        await tools("why", run=found[0]["id"])
        assert read.count(read[0]) == 2

    use(work, "--demo")


# long work


def test_progress_is_reported(
    run_file: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "EVERY", 0.01)
    came = asyncio.Event()
    told: list[str | None] = []

    async def slow(call: Call, one: Conversation, *, sub_agents: bool) -> Loaded:
        show_progress("reading 1 of 2 events sk-ant-api03-CanaryCanary012345")
        await came.wait()
        return await read_run(call, one, sub_agents=sub_agents)

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        told.append(message)
        came.set()

    monkeypatch.setattr(session, "read_run", slow)

    async def work(tools: Tools) -> None:
        await tools.client.call_tool("why", {}, progress_callback=hear)

    use(work, run_file)
    assert told == ["reading 1 of 2 events [hidden]"]


def test_a_call_that_the_client_cancels_ends(
    run_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def endless(call: Call, one: Conversation, *, sub_agents: bool) -> Loaded:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    async def work(tools: Tools) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(session, "read_run", endless)
            asked = asyncio.create_task(tools.client.call_tool("why", {}))
            await began.wait()
            asked.cancel()
            await asyncio.wait_for(ended.wait(), 20)
        assert (await tools("why"))["verdict"]["word"] == "stuck"

    use(work, run_file)


def test_a_failure_of_ours_tells_no_text(run_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(call: Call, one: Conversation, *, sub_agents: bool) -> Loaded:
        raise ValueError("text of a run")

    monkeypatch.setattr(session, "read_run", broken)

    async def work(tools: Tools) -> None:
        told = await tools.refused("why")
        assert told.startswith("This is a bug in oh-tui: ValueError in test_tools.py")

    use(work, run_file)


def test_all_tools_read_only_and_say_what_they_answer(run_file: Path) -> None:
    async def work(tools: Tools) -> None:
        listed = (await tools.client.list_tools()).tools
        assert [one.name for one in listed] == list(TOOLS)
        for one in listed:
            assert one.annotations and one.annotations.read_only_hint is True
            assert one.description and one.output_schema and one.input_schema["type"] == "object"
        assert "not instructions" in (tools.client.instructions or "")

    use(work, run_file)


def test_the_list_of_tools_is_short(run_file: Path) -> None:
    """A client gives all of it to its model before the first call."""

    async def work(tools: Tools) -> None:
        listed = await tools.client.list_tools()
        assert len(listed.model_dump_json(by_alias=True, exclude_none=True)) < 30_000

    use(work, run_file)


def test_the_pages_of_a_list_take_one_list(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    async def counted(*args: Any, **options: Any) -> Any:
        asked.append(args[4])
        return await listed(*args, **options)

    monkeypatch.setattr(across_runs, "listed", counted)

    async def work(tools: Tools) -> None:
        rows = await tools.rows("find_runs", "conversations", limit=3)
        assert len({row["id"] for row in rows}) == len(rows) > 9
        assert len(asked) < len(rows) / 3
        many = len(asked)
        await tools("find_runs", limit=3)
        assert len(asked) == many + 1, "without a cursor it is a new one"

    use(work, "--demo")


def test_a_forged_place_asks_for_no_endless_list() -> None:
    async def work(tools: Tools) -> None:
        cursor = (await tools("find_runs", limit=3))["cursor"]
        of, _, last = base64.urlsafe_b64decode(cursor).decode().split(":")
        forged = base64.urlsafe_b64encode(f"{of}:999999999:{last}".encode()).decode()
        assert "at most" in await tools.refused("find_runs", limit=3, cursor=forged)

    use(work, "--demo")


def test_rules_that_nobody_agreed_to_and_a_pattern_that_explodes_are_told(
    run_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".oh-tui").mkdir()
    rule = '[[rule]]\nname = "x"\nwhy = "y"\nsteps = "does:install"\nnever = true\n'
    (tmp_path / ".oh-tui" / "rules.toml").write_text(rule)
    monkeypatch.chdir(tmp_path)
    explodes = "re:/((a{999}){999}){9}/"

    async def work(tools: Tools) -> None:
        assert "Nobody here agreed" in await tools.refused("audit")
        for tool in ("steps", "search"):
            told = await tools.refused(tool, words=explodes)
            assert "the pattern cannot be read" in told, (tool, told)
        assert (await tools("steps", limit=1))["steps"]

    use(work, run_file)
