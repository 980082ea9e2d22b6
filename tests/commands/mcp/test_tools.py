"""Each tool: what the command of the same name tells, in this process."""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from oh_tui.batch.reports.conversations import listed
from oh_tui.batch.reports.one_run import read_run
from oh_tui.catalog.attributes import WORDS as conversation_words
from oh_tui.commands.framework.command import Call
from oh_tui.conversation import Conversation
from oh_tui.mcp import across_runs, protocol, session
from oh_tui.mcp.answers import MOST
from oh_tui.sources.results import Loaded
from oh_tui.text.clean import clean
from oh_tui.text.remarks import show_progress
from tests.commands.conftest import IDS, Served, serve
from tests.commands.mcp.using import Tools, use
from tests.commands.shell import Shell, shell
from tests.hostile.kinds import write_zip
from tests.hostile.test_json import said_by
from tests.hostile.texts import CORPUS
from tests.trajectory import evaluation_files
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
        assert "[bold red]" in told and "\ufffd" in told
        assert told == clean(text)
        head = await tools("file_at", path="a.txt", step=2)
        assert head["exists"] is False and head["text"] == ""
        for tool in ("why", "steps", "context", "changes"):
            await tools(tool)
        await tools("blame", path="a.txt")
        assert json.loads(await tools.text("context", message=1))["role"]

    use(work, path)


@pytest.mark.slow
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
            ("why", {"path": "/etc"}, "why takes no path"),
            ("why", {"branch": 9}, "no branch 9"),
            ("why", {"branch": -1}, "greater than or equal to 0"),
            ("steps", {"limit": "many"}, "limit: Input should be a valid integer"),
            ("steps", {"words": "took:soon"}, "took"),
            ("steps", {"cursor": "nonsense"}, "not a cursor"),
            ("step", {"step": 999}, "no step or event 999"),
            ("step", {}, "step: Field required"),
            ("context", {"message": 99_999}, "no message"),
            ("file_at", {"path": "nowhere.py"}, "changed nowhere.py"),
            ("find_runs", {"sort": "beauty"}, "sort: Input should be"),
            ("stats", {"by": ["beauty"]}, "by.0: Input should be"),
            ("stats", {"by": []}, "at least 1 item"),
            ("failures", {"least": 0}, "1"),
            ("stats", {"sort": "beauty"}, "sort: Input should be"),
            ("search", {"words": " "}, "to search for"),
        ]
        for tool, given, words in wrong:
            assert words in await tools.refused(tool, **given), tool

    use(work, run_file)


def test_blame_of_some_lines_alone(tmp_path: Path) -> None:
    text = "".join(f"{word}\n" for word in ("one", "two", "three", "four", "two again", "six"))
    made = [*edit("a", "/workspace/a.txt", None, text, "create")]
    run = write_zip(tmp_path / "run.zip", [one.raw() for one in made])
    lines = printed("blame", run, "a.txt")["lines"]

    async def work(tools: Tools) -> None:
        told = await tools("blame", path="a.txt", first=3, last=5)
        assert told["lines"] == lines[2:5] and told["cursor"] is None
        assert (await tools("blame", path="a.txt", last=2))["lines"] == lines[:2]
        told = await tools("blame", path="a.txt", text="two")
        assert [one["line"] for one in told["lines"]] == [2, 5]
        told = await tools("blame", path="a.txt", text="no line says this")
        assert told["lines"] == [] and "none of the 6 lines" in str(told["remarks"])

    use(work, run)


def test_the_words_of_filters_stand_with_their_meaning(run_file: Path) -> None:
    async def work(tools: Tools) -> None:
        listed = {one.name: one.input_schema for one in (await tools.client.list_tools()).tools}
        told = {name: str(one["properties"].get("words")) for name, one in listed.items()}
        for word in conversation_words:
            assert f"{word}:" in told["find_runs"] or word == "", word
        for example in ("is:failed", "tool:terminal", "took:>5s", "re:/exit [12]/", "-word"):
            assert f"`{example}`" in told["steps"]
        assert all("find_runs" in told[name] for name in ("search", "stats", "failures", "audit"))

    use(work, run_file)


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("tool", ["stats", "failures", "audit", "compare", "steps", "context"])
def test_a_page_after_the_first_computes_nothing_again(
    tool: str, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    of = protocol.TOOLS[tool]
    find = of.work
    given = {"compare": {"a": STUCK, "b": ADD}, "steps": {"run": STUCK}, "context": {"run": STUCK}}

    async def counted(*args: Any, **options: Any) -> Any:
        made.append(tool)
        found = find(*args, **options)
        return await found if inspect.isawaitable(found) else found

    monkeypatch.setattr(of, "work", functools.wraps(find)(counted))

    async def work(tools: Tools) -> None:
        pages = await tools.pages(tool, limit=1, **given.get(tool, {}))
        assert len(pages) > 2 and len(made) == 1

    use(work, "--demo")


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


def test_no_link_is_followed_out_of_a_folder(run_file: Path, tmp_path: Path) -> None:
    """Whatever may be read through it: a file, a folder, what belongs to a run or stands beside."""
    secret, runs = tmp_path / "secret", tmp_path / "runs"
    for one in (secret, runs, secret / "trial" / "agent", runs / "job" / "trial", runs / "lines"):
        one.mkdir(parents=True)
    shutil.copy(run_file, secret / "private.zip")
    (secret / "folder" / "events").mkdir(parents=True)
    event_file = secret / "folder" / "events" / f"event-00000-{0:032x}.json"
    event_file.write_bytes(event("PauseEvent", "private").raw())
    steps = [{"step_id": 1, "source": "user", "message": "private words"}]
    atif = {"schema_version": "ATIF-v1.6", "session_id": "private", "steps": steps}
    (secret / "trial" / "agent" / "trajectory.json").write_text(json.dumps(atif))
    write_zip(runs / "own.zip", [event("PauseEvent", "p").raw()], title="own")
    (runs / "inside.zip").symlink_to(runs / "own.zip")
    (runs / "private.zip").symlink_to(secret / "private.zip")
    (runs / "folder").symlink_to(secret / "folder")
    (runs / "relative.zip").symlink_to("../secret/private.zip")
    for folder in (runs / "job", runs / "job" / "trial"):
        (folder / "config.json").write_text("{}")
    (runs / "job" / "trial" / "agent").symlink_to(secret / "trial" / "agent")
    row = evaluation_files.row("lines-1", evaluation_files.history(2))
    evaluation_files.write(runs / "lines" / "output.jsonl", [row])
    (runs / "lines" / "conversations").symlink_to(secret)
    assert printed("stats", runs)["total"]["runs"] == 7, "the command line follows them"

    async def work(tools: Tools) -> None:
        told = await tools("find_runs")
        assert len(told["conversations"]) == 2, "own.zip and inside.zip"
        assert told["not_read"] == 5 and "leads out of the folder" in str(told["remarks"])
        assert str(secret) not in "".join(tools.texts)
        for one in ("private.zip", "private", "folder", "trial"):
            assert "There is no run" in await tools.refused("why", run=one)

    use(work, runs)


@pytest.mark.parametrize("other", ["/etc/passwd", "run.zip", "https://x.invalid/c/" + STUCK])
def test_a_server_is_asked_for_its_own_runs_alone(other: str, shell: Shell) -> None:
    async def work(tools: Tools) -> None:
        told = await tools.refused("why", run=other)
        assert "not a conversation id" in told or "but the server here is" in told

    use(work, "--demo")


@pytest.mark.slow
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
        assert [one.name for one in listed] == list(protocol.TOOLS)
        for one in listed:
            assert one.annotations and one.annotations.read_only_hint is True
            assert one.description and one.input_schema["type"] == "object"
            assert all(
                field.get("description") for field in one.input_schema["properties"].values()
            )
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
        forged = f"999999999.{cursor.partition('.')[2]}"
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
