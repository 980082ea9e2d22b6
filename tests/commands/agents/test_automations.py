"""`oh-tui automations`: the list, one of them, one run, and what acts."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from oh_tui import cli
from oh_tui.commands.framework import acting
from oh_tui.demo import Demo
from oh_tui.demo.servers.alone import make_alone
from oh_tui.demo.servers.automations import BASE, AutomationServer, make_canvas
from tests.commands import schemas
from tests.commands.conftest import Served, serve
from tests.commands.shell import Said
from tests.hostile.server import serving
from tests.hostile.texts import CORPUS
from tests.tui.explorer import NOW, Between

Ask = Callable[[str], Said]


@pytest.fixture
def canvas() -> Iterator[Served]:
    with serve("canvas") as one:
        yield one


@pytest.fixture
def ask(canvas: Served, capsys: pytest.CaptureFixture[str]) -> Ask:
    def run(line: str) -> Said:
        code = cli.main([*shlex.split(line), "--server", canvas.url])
        return Said(code, *capsys.readouterr())

    return run


def told(ask: Ask, line: str) -> Any:
    said = ask(f"automations {line} --json")
    assert (said.code, said.err) == (0, "")
    document = json.loads(said.out)
    schemas.check("automations", document)
    return document


def named(ask: Ask, name: str) -> Any:
    return next(one for one in told(ask, "")["automations"] if one["name"] == name)


def test_the_list_says_when_how_and_why(ask: Ask) -> None:
    found = {one["name"]: one for one in told(ask, "")["automations"]}
    assert len(found) == 8
    bump = found["Nightly dependency bump"]
    assert bump["trigger"]["words"] == "every day at 03:00 UTC"
    assert (bump["on"], bump["failed"], bump["ended"]) == (False, 3, 4)
    assert bump["why_off"].startswith("off by itself, after 3 failed runs: Your LLM API key")
    assert bump["off_since"] and bump["last_runs"] == ["failed"] * 3 + ["finished"]
    assert found["Triage new issues"]["last_runs"] == ["blocked", "blocked", "finished"]
    assert found["Health of the relay"]["last_runs"][0] == "probably dead"
    never = found["Yearly licence review"]
    assert (never["last_runs"], never["failed"], never["last_triggered"]) == ([], 0, None)
    (working,) = found["Migrate one module to pydantic 2"]["agents_work_on"]
    assert bump["agents_work_on"] == []
    said = ask("automations")
    assert f"works on: oh-tui automations stop {working}\n" in said.err
    lines = said.out.splitlines()
    assert len(lines) == 8 and all(line.count("\t") == 6 for line in lines)


def test_runs_are_read_of_so_many_automations(ask: Ask) -> None:
    found = told(ask, "--limit 2")["automations"]
    assert [one["last_runs"] is None for one in found] == [False, False] + [True] * 6
    said = ask("automations --limit 2")
    assert "the last runs of 6 more are not read" in said.err


def test_one_is_shown_by_name_or_id_with_its_runs(ask: Ask) -> None:
    one = told(ask, "show 'Migrate one module to pydantic 2'")
    again = told(ask, f"show {one['id'][:8]}")
    assert again["name"] == one["name"] and one["total"] == 3
    timed_out, done, partial = one["runs"]
    assert (timed_out["status"], timed_out["server_status"]) == ("timed out", "FAILED")
    assert timed_out["agent_works_on"] is True
    assert timed_out["conversation"]["title"] == "Migrate to pydantic 2"
    assert timed_out["cause"] == "command timed out or was killed"
    assert done["cost"] == 0.42 and done["conversation"] is done["agent_works_on"] is None
    assert (partial["status"], partial["cause"][:3]) == ("in part", "Two")
    assert "timed out, its agent works on" in ask(f"automations show {one['id']}").out


def test_a_run_without_a_conversation_tells_its_log(ask: Ask) -> None:
    run = named(ask, "Weekly link check")
    (failed, _) = told(ask, f"show {run['id']}")["runs"]
    one = told(ask, f"show {failed['id'][:8]}")
    assert one["log"] == {"text": "[setup] no network here\n", "exit_code": 7, "cut": False}
    assert one["conversation"] is None and one["kind"] == "execution_error"
    out = ask(f"automations show {failed['id']}").out
    assert "conversation\tnot known" in out and out.endswith("[setup] no network here\n")


def test_the_cost_of_an_unknown_price_is_not_told(ask: Ask) -> None:
    found = told(ask, f"show {named(ask, 'Triage new issues')['id']}")
    assert [one["cost"] for one in found["runs"]] == [None, None, 0.26]


def test_stopping_ends_run_and_agent(ask: Ask) -> None:
    (run, _) = told(ask, "show 'Watch the CI of the storefront'")["runs"]
    refused = ask(f"automations stop {run['id'][:8]}")
    assert refused.code == 2
    assert "stop the run, its script and its agent" in refused.complaint
    assert "--yes does it" in refused.complaint
    done = told(ask, f"stop {run['id'][:8]} --yes")
    assert done["run"]["status"] == "stopped"
    assert done["stages"][-1] == "its agent is stopped"
    again = ask(f"automations stop {run['id']} --yes")
    assert again.code == 1 and "no agent of it works" in again.complaint


RUNS = f"GET {BASE}/*/runs"


def test_a_run_is_looked_for_at_once_until_one_has_its_whole_id(
    capsys: pytest.CaptureFixture[str],
) -> None:
    world, between = Demo(NOW).world, Between()
    runs = {
        identifier: [f"{n:08x}-0000-4000-8000-{one:012x}" for one in range(2)]
        for n, identifier in enumerate(AutomationServer(world, "").automations, 1)
    }

    def answer(identifier: str, ids: list[str]) -> None:
        body = {"runs": [{"id": one, "status": "COMPLETED"} for one in ids], "total": len(ids)}
        between.answer(f"GET {BASE}/{identifier}/runs", 200, json.dumps(body), "application/json")

    for identifier, ids in runs.items():
        answer(identifier, ids)
    first, *others = runs
    with serving(between(make_canvas(world))) as address:

        def show(of: str) -> Said:
            between.asked.clear()
            code = cli.main(["automations", "show", of, "--server", address])
            return Said(code, *capsys.readouterr())

        for one in others:  # these hang; the one that has the run answers
            between.hold(f"GET {BASE}/{one}/runs")
        assert f"run\t{runs[first][1]}" in show(runs[first][1]).out
        assert f"run\t{runs[first][1]}" in show(runs[first][1].replace("-", "")).out
        for event in between.held.values():
            event.set()
        between.held.clear()
        for one in others:
            answer(one, ["abc" + "0" * 29])
        assert "7 runs are meant by abc" in show("abc").complaint
        assert between.count(RUNS) == len(runs)
        for one in others[1:]:
            between.answer(f"GET {BASE}/{one}/runs", 500, "disk on fire")
        assert f"run\tabc{'0' * 29}" in show("abc" + "0" * 29).out, "the whole id is enough"
        assert "disk on fire" in show("abc").complaint, "it may have another one"


def test_of_several_servers_each_list_is_read_once(capsys: pytest.CaptureFixture[str]) -> None:
    both = [Between(), Between()]
    with (
        serving(both[0](make_canvas(Demo(NOW).world))) as near,
        serving(both[1](make_canvas(Demo(NOW).world))) as far,
    ):
        words = ["automations", "--server", near, "--server", far]
        assert cli.main(words) == 0
        assert len(capsys.readouterr().out.splitlines()) == 16
        assert [one.count("GET /api/conversations/search") for one in both] == [1, 1]


def test_the_start_of_the_ids_of_several_runs_stops_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    world = Demo(NOW).world
    beside = AutomationServer(world, "")
    (one, other, *_) = (
        run for runs in beside.runs.values() for run in runs if run["status"] == "RUNNING"
    )
    one["id"], other["id"] = "3174" + one["id"][4:], "3174" + other["id"][4:]
    app = make_alone(world)
    app.router.routes.extend(beside.routes())
    with serving(app) as address:
        line = ["automations", "stop", "3174", "--yes", "--server", address]
        assert cli.main(line) == 2
        assert "2 runs are meant by 3174" in capsys.readouterr().err
        assert one["status"] == other["status"] == "RUNNING"
        line[2] = other["id"].upper().replace("-", "")
        assert cli.main(line) == 0
    assert (one["status"], other["status"]) == ("RUNNING", "CANCELLED")


def test_an_agent_that_works_on_is_stopped_in_words(ask: Ask) -> None:
    run = told(ask, "show 'Migrate one module to pydantic 2'")["runs"][0]
    said = ask(f"automations stop {run['id']} --yes")
    assert (said.code, said.out) == (0, "its agent is stopped\n")


def test_one_that_is_off_is_run_after_a_question(ask: Ask) -> None:
    off = named(ask, "Summary of the on-call handbook")
    refused = ask(f"automations run {off['id']}")
    assert refused.code == 2 and "may cost money: Summarise what changed" in refused.complaint
    assert told(ask, f"show {off['id']}")["total"] == 1
    done = told(ask, f"run {off['id'][:8]} --yes")
    assert done["run"]["status"] == "pending" and done["run"]["trigger_source"] == "manual"
    assert told(ask, f"show {off['id']}")["total"] == 2


def test_switching_off_and_on(ask: Ask) -> None:
    one = named(ask, "Weekly link check")["id"]
    assert ask(f"automations disable {one}").out == "off  Weekly link check\n"
    again = ask(f"automations disable {one}")
    assert again.code == 1 and "off already" in again.complaint
    after = told(ask, f"enable {one}")
    assert after["on"] is True and after["why_off"] is None


@pytest.mark.parametrize("action", ["run", "stop", "enable", "disable"])
def test_what_acts_is_refused_where_nothing_may_change(ask: Ask, action: str) -> None:
    said = ask(f"automations {action} abc --yes --read-only")
    assert said.code == 2 and "--read-only forbids that" in said.complaint


def test_what_is_not_there_is_said(ask: Ask) -> None:
    for action in ("show", "stop", "run"):
        said = ask(f"automations {action} nothing --yes")
        assert "There is no automation nothing" in said.complaint
    assert "needs the id of one" in ask("automations show").complaint
    assert ask("automations explode x").code == 2


def test_an_answer_is_asked_for(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def no(question: str) -> bool:
        asked.append(question)
        return False

    monkeypatch.setattr(acting, "ask", no)
    said = ask("automations run 'Yearly licence review'")
    assert said.code == 2 and "Nothing was changed" in said.complaint
    assert asked[0].startswith("This runs Yearly licence review now, which may cost money")


def test_a_server_without_automations_says_so(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["automations", "--server", served.url]) == 0
    out, err = capsys.readouterr()
    assert out == "" and "runs no automations" in err
    assert cli.main(["automations", "--server", served.url, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["automations"] == []


def test_a_server_that_starts_is_a_failure_that_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with serving(make_canvas(Demo(NOW).world, starts=True)) as address:
        assert cli.main(["automations", "--server", address]) == 1
        assert "their server is starting, or away" in capsys.readouterr().err
        assert cli.main(["conversations", "--server", address]) == 0


def test_hostile_names_are_shown_clean(capsys: pytest.CaptureFixture[str]) -> None:
    world = Demo(NOW).world
    beside = AutomationServer(world, "")
    for (identifier, one), text in zip(beside.automations.items(), CORPUS.values(), strict=False):
        one |= {"name": text, "prompt": text, "model": text, "disabled_reason": text}
        one |= {"trigger": {"type": text, "schedule": text}, "tags": [text]}
        runs: list[dict[str, Any]] = beside.runs[identifier]
        for run in runs:
            run |= {"error_detail": text, "current_phase": text, "trigger_source": text}
    app = make_alone(world)
    app.router.routes.extend(beside.routes())
    with serving(app) as address:
        assert cli.main(["automations", "--server", address]) == 0
        shown = capsys.readouterr().out
        for name in beside.automations:
            assert cli.main(["automations", "show", name, "--server", address]) == 0
            shown += capsys.readouterr().out
    assert "\x1b" not in shown and "\x07" not in shown and "\r" not in shown


def test_a_conversation_says_which_automation_made_it(ask: Ask) -> None:
    said = ask("conversations --all automation:pydantic --json")
    (one,) = json.loads(said.out)["conversations"]
    assert one["automation"] == "Migrate one module to pydantic 2"
    run = one["machine_tags"]["automationrunid"]
    shown = ask(f"show {one['id']}").out
    assert f"automation\tMigrate one module to pydantic 2, run {run}" in shown
    told = ask(f"why {one['id']}").out
    assert f"automation Migrate one module to pydantic 2, run {run}" in told


def test_of_a_long_log_the_end_is_told_without_keys(capsys: pytest.CaptureFixture[str]) -> None:
    world = Demo(NOW).world
    beside = AutomationServer(world, "")
    (run, *_) = next(
        runs for runs in beside.runs.values() if runs and runs[0]["status"] == "FAILED"
    )
    key = "sk-ant-api03-abcd1234567890abcd"
    part = beside.printed[run["bash_command_id"]].parts[0]
    part["stdout"] = f"{key}\n" * 30_000 + "\x1b[31mthe last line\n"
    app = make_alone(world, printed=beside.printed)
    app.router.routes.extend(beside.routes())
    with serving(app) as address:
        line = ["automations", "show", run["id"], "--server", address]
        assert cli.main([*line, "--json"]) == 0
        log = json.loads(capsys.readouterr().out)["log"]
        assert cli.main(line) == 0
        shown = capsys.readouterr().out
    assert log["cut"] and 50_000 < len(log["text"]) <= 100_000
    assert "the last line\n" in log["text"] and "abcd1234" not in log["text"] + shown
