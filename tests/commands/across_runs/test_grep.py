"""`oh-tui grep`: hits, exit codes, and what it says of what it has not searched."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from oh_tui import cli
from oh_tui.batch.run_batch import RunBatch
from oh_tui.batch.search_words import parse
from oh_tui.batch.searching import Search, SearchJob
from oh_tui.catalog.user_annotations import Annotations
from oh_tui.sources.server_runs.run_cache import RunCache
from tests.batch.made import TOKEN
from tests.commands import schemas
from tests.commands.conftest import IDS, Served
from tests.commands.shell import Shell, shell
from tests.demo_runs import demo_events
from tests.processes import oh_tui
from tests.sources.here import demo_read
from tests.trajectory.made import output
from tests.trajectory.made import shell as shell_call
from tests.trajectory.sub_agent_files import REPORTED, run_files, zip_of

__all__ = ["shell"]

DATES = IDS["week-dates"]


def grep(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str, str]:
    code = cli.main(["grep", *map(str, words)])
    return code, *capsys.readouterr()


@pytest.mark.slow
def test_hits_of_the_demo_stand_by_run_newest_first(shell: Shell) -> None:
    said = shell("grep ValueError --json")
    assert (said.code, said.err) == (0, "")
    found = [json.loads(line) for line in said.out.splitlines()]
    for one in found:
        schemas.check("grep", one)
        assert "valueerror" in one["line"].lower()
    runs = list(dict.fromkeys(one["run"] for one in found))
    assert DATES in runs and len(runs) > 1
    listed = json.loads(shell("conversations --all --sub --sort newest --json").out)
    order = [one["id"] for one in listed["conversations"]]
    assert [order.index(run) for run in runs] == sorted(order.index(run) for run in runs)
    counts = shell("grep ValueError -c").out.splitlines()
    assert sum(int(line.split("\t")[0]) for line in counts) == len(found)
    assert [line.split("\t")[0] for line in shell("grep ValueError -l").out.splitlines()] == runs


def test_words_of_runs_and_of_steps(shell: Shell) -> None:
    def runs(words: str) -> set[str]:
        return {line.split("\t")[1] for line in shell(f"grep {words}").out.splitlines()}

    listed = json.loads(shell("conversations repo:dates --all --sub --json").out)
    titles = {one["title"] for one in listed["conversations"]}
    assert "Parse ISO week dates" in runs("ValueError repo:dates") <= titles
    assert "Parse ISO week dates" in runs("ValueError run.is:stuck")
    assert shell("grep ValueError repo:nosuch").code == 1


def test_exit_codes_are_those_of_grep(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, run_file: Path
) -> None:
    assert grep(capsys, "ValueError", run_file)[0] == 0
    assert grep(capsys, "nosuchword", run_file) == (1, "", "")
    assert grep(capsys, "re:/(/", run_file)[0] == 2
    assert grep(capsys, "ValueError", tmp_path / "none.zip")[0] == 2
    (tmp_path / "bad.zip").write_bytes(b"PK no zip")
    (tmp_path / "good.zip").write_bytes(run_file.read_bytes())
    code, out, err = grep(capsys, "ValueError", tmp_path)
    assert code == 2 and out and "bad.zip" in err, "not all could be read"
    code, _, err = grep(capsys, "ValueError", "--server", "http://127.0.0.1:9")
    assert code == 2 and "127.0.0.1:9" in err


def test_the_first_word_is_no_path_and_others_may_be_words(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    run_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ValueError").mkdir()
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "a.zip").write_bytes(run_file.read_bytes())
    code, out, _ = grep(capsys, "ValueError", "is:failed", "-tool:edit", "runs")
    rows = [line.split("\t") for line in out.splitlines()]
    assert code == 0 and {row[0] for row in rows} == {str(tmp_path / "runs" / "a.zip")}
    assert grep(capsys, "runs/", run_file)[0] in (0, 1)


def test_a_run_of_many_is_named_with_its_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "output.jsonl"
    with path.open("w") as file:
        for n, slug in enumerate(("week-dates", "click")):
            history = [json.loads(event.raw()) for event in demo_events(slug)]
            file.write(json.dumps({"instance_id": f"i-{n}", "history": history}) + "\n")
    code, out, _ = grep(capsys, "ValueError", path, "--json")
    found = [json.loads(line) for line in out.splitlines()]
    assert code == 0 and {one["run"] for one in found} >= {f"{path}#i-0"}
    assert {one["source"] for one in found} == {str(path)}


def test_secrets_stay_hidden(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for place, one in enumerate((shell_call("a", "env"), output("a", f"needle {TOKEN}\nb"))):
            archive.writestr(f"event_{place:06}_{one.id}.json", one.raw())
    for words in ("needle", "re:/needle .*/"):
        code, out, _ = grep(capsys, words, tmp_path, "--json")
        assert code == 0 and json.loads(out)["line"] == "needle [hidden]"
    for words in (TOKEN, TOKEN[:12], f"re:/{TOKEN[:12]}/"):
        assert grep(capsys, words, tmp_path) == (1, "", "")


def test_of_a_server_only_what_is_kept_is_searched(served: Served, tmp_path: Path) -> None:
    environment = {"OPENHANDS_API_KEY": "any", "XDG_CACHE_HOME": str(tmp_path)}
    words = ("grep", "coverage", "--server", served.url, "--json")
    done = oh_tui(*words, **environment)
    assert (done.returncode, done.stdout) == (2, ""), "nothing was searched"
    assert "left out: " in done.stderr and f"index --server {served.url}" in done.stderr
    assert oh_tui("why", IDS["coverage"], "--server", served.url, **environment).returncode == 0
    again = oh_tui(*words, **environment)
    found = [json.loads(line) for line in again.stdout.splitlines()]
    assert again.returncode == 0 and {one["run"] for one in found} == {IDS["coverage"]}
    assert "left out: " in again.stderr


async def test_what_is_kept_is_read_without_asking_for_its_events(tmp_path: Path) -> None:
    async with demo_read() as here:
        here.source.address = "https://server.test"
        here.source.runs.app.cache = RunCache(tmp_path / "cache", here.source.address, 50_000_000)
        one = await here.conversation("coverage")
        async for _ in here.source.runs.load(one):
            pass
        here.between.asked.clear()
        query = parse("coverage")
        search = Search(
            RunBatch(here.source, SearchJob(query.steps), query.runs, Annotations(None), {})
        )
        found = [each.conversation.id async for each in search.results() if each]
    assert found == [one.id]
    assert len(search.reading.not_here) == search.reading.runs - 1
    assert all("/search" in call or "app-conversations" in call for call in here.between.asked)
    assert not any("/events" in call for call in here.between.asked)


def test_a_pattern_that_takes_too_long_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    events = [json.loads(one.raw()) for one in (shell_call("a1", "x"), output("a1", "a" * 60))]
    path = tmp_path / "slow.jsonl"
    path.write_text(json.dumps({"instance_id": "slow", "history": events, "metrics": {}}) + "\n")
    code, out, err = grep(capsys, "re:/(a|aa)+!$/", path)
    assert (code, out) == (2, "") and "re:/(a|aa)+!$/ takes too long" in err
    for words in ("re:/(a|aa)+!$/", "-re:/(a|aa)+!$/"):
        for command in ("steps", "export"):
            assert cli.main([command, str(path), words]) == 0
            out, err = capsys.readouterr()
            assert "re:/(a|aa)+!$/ takes too long" in err and "a" * 60 not in out


def test_steps_of_sub_agents_are_found_and_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run = zip_of(tmp_path / "run.zip", run_files("0" * 32 + "/", REPORTED))
    code, out, err = grep(capsys, '"no such model"', run, "--json")
    (found,) = (json.loads(line) for line in out.splitlines())
    schemas.check("grep", found)
    assert (code, err, found["step"], found["path"]) == (0, "", 3, "2.3.3")
    assert found["event_id"] == "d-e"
    numbers = [line.split("\t")[2] for line in grep(capsys, "kind:Message", run)[1].splitlines()]
    assert numbers == ["1", "a.1", "2.1", "2.3.1", "3.1", "3b.1"]
    assert grep(capsys, '"Do it" -kind:Action', run, "--json")[1].count("path") == 0
    assert grep(capsys, "nosuchword", run) == (1, "", "")


def test_nothing_is_only_said_where_all_was_searched(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    files = run_files("0" * 32 + "/", REPORTED)
    (name,) = (name for name in files if name.endswith("d-e.json"))
    run = zip_of(tmp_path / "run.zip", files | {name: b"{"})
    code, _, err = grep(capsys, "nosuchword", run)
    assert code == 2 and "not all searched: the steps of 1 sub-agent" in err
    assert grep(capsys, "re:/./", run)[0] == 0


def test_a_word_of_a_run_is_suggested_for_a_step(shell: Shell) -> None:
    for word in ("stuck", "finished", "resolved"):
        said = shell(f"grep is:{word}")
        assert said.code == 2 and f"run.is:{word}" in said.err
    assert "one of" in shell("grep is:nosuch").err


def test_a_mistyped_path_is_told_where_nothing_is_found(
    capsys: pytest.CaptureFixture[str], run_file: Path
) -> None:
    told = "oh-tui: not a file, so a word to find: mnay\n"
    assert grep(capsys, "ValueError", "mnay", run_file) == (1, "", told)
    assert grep(capsys, "nosuchword", "-mnay", "title:mnay", run_file) == (1, "", "")
    assert (
        "not files, so words to find: a, b"
        in grep(capsys, "ValueError nosuchword", "a", "b", run_file)[2]
    )
    found = grep(capsys, "ValueError", "AND", "week", run_file)
    assert found[0] == 0 and found[2] == ""
    code, _, err = grep(capsys, "ValueError", "mnay")
    assert code == 2 and err.startswith(told) and "no key" in err


def test_words_stand_before_the_files(capsys: pytest.CaptureFixture[str], run_file: Path) -> None:
    code, out, err = grep(capsys, "ValueError", run_file, "is:failed", "-tool:edit")
    assert (code, out) == (2, "") and f"is:failed goes before {run_file}: words come" in err
    assert f"oh-tui grep ValueError is:failed -tool:edit {run_file}\n" in err


@pytest.mark.parametrize("blank", ["", " ", "\t "])
def test_a_blank_word_is_refused(
    capsys: pytest.CaptureFixture[str], run_file: Path, blank: str
) -> None:
    code, out, err = grep(capsys, blank, run_file)
    assert (code, out) == (2, "") and "An argument is empty" in err


def test_words_stand_before_a_folder_too(
    capsys: pytest.CaptureFixture[str], run_file: Path
) -> None:
    for place in (run_file, run_file.parent):
        code, out, err = grep(capsys, place, "ValueError", "is:failed")
        assert (code, out) == (2, "") and f"ValueError goes before {place}: words come" in err
        assert f"oh-tui grep ValueError is:failed {place}\n" in err
