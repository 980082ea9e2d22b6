"""`oh-tui audit`: which rules hold in files and in the demo, its exit codes, JUnit XML, labels."""

from __future__ import annotations

import json
import re
import sys
import xml.etree.ElementTree as ElementTree
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from oh_tui import cli
from oh_tui.batch.rules.rule_places import builtin_rules
from tests.commands import schemas
from tests.commands.conftest import IDS
from tests.demo_runs import demo_events
from tests.processes import oh_tui
from tests.trajectory import evaluation_files
from tests.trajectory.planted_rules import expected, planted, run_of

ROOT = Path(__file__).parents[3]

DATES = IDS["week-dates"]

MIXED = "0123\ud800\x00\x1b[31m]]> <b> & \"'\ufffe\n\u202e"
"""What XML cannot say, or takes for its own."""


def write_run(path: Path, deeds: list[str], **meta: str) -> Path:
    run = run_of(deeds)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("meta.json", json.dumps(meta))
        for place, event in enumerate(run.events):
            archive.writestr(f"event_{place:06}_{event.id}.json", event.raw())
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    for number in range(30):
        write_run(folder / f"run-{number}.zip", planted(number), title=f"run {number}")
    return folder


def document(capsys: pytest.CaptureFixture[str], *words: str | Path) -> Any:
    cli.main(["audit", *map(str, words), "--json"])
    found = json.loads(capsys.readouterr().out)
    schemas.check("audit", found)
    return found


def test_counts_are_those_of_the_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, folder)
    assert found["read"] == len(found["runs"]) == 30
    wanted = {f"run {number}": expected(planted(number)) for number in range(30)}
    for run in found["runs"]:
        broken = {one["rule"]: one["steps"] for one in run["broken"]}
        unknown = {one["rule"] for one in run["not_known"]}
        for name, steps in wanted[run["title"]].items():
            assert (steps is None) == (name in unknown), run
            assert broken.get(name, []) == (steps or []), run
    for rule in found["rules"]:
        breaking = [r for r in found["runs"] if any(b["rule"] == rule["name"] for b in r["broken"])]
        assert rule["broken"] == len(breaking)
        nothing = sum(rule["name"] in run["nothing_to_check"] for run in found["runs"])
        assert rule["nothing_to_check"] == nothing
        assert rule["holds"] + rule["broken"] + rule["not_known"] + nothing == 30
        assert [one["run"] for one in rule["examples"]] == [one["run"] for one in breaking[:3]]


@pytest.mark.parametrize(
    ("deeds", "options", "code"),
    [
        (["edit", "pass", "commit"], [], 0),
        (["edit", "commit"], [], 3),
        (["edit", "commit"], ["--fail-on", "high"], 3),
        (["edit"], [], 0),
        (["edit"], ["--fail-on", "medium"], 3),
        (["install"], ["--fail-on", "medium"], 0),
        (["install"], ["--fail-on", "low"], 3),
        (["edit", "test-untold", "commit"], ["--fail-on", "low"], 0),  # not known
        (["edit", "commit"], ["--junit"], 3),
        (["edit", "commit"], ["--json"], 3),
        (["edit", "commit"], ["--against", "resolved"], 3),
    ],
)
def test_the_exit_code_tells_whether_a_severe_rule_is_broken(
    tmp_path: Path, deeds: list[str], options: list[str], code: int
) -> None:
    path = write_run(tmp_path / "run.zip", deeds)
    assert cli.main(["audit", str(path), *options]) == code


def test_a_run_that_cannot_be_read_is_no_run_that_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(tmp_path / "good.zip", ["pass"])
    (tmp_path / "bad.zip").write_bytes(b"not a zip")
    assert cli.main(["audit", str(tmp_path)]) == 2
    assert "bad.zip" in capsys.readouterr().err


def test_one_run_is_a_list_with_what_is_broken_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_run(tmp_path / "run.zip", ["install", "edit", "push", "test-untold"])
    cli.main(["audit", str(path)])
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [row[:3] for row in rows[:2]] == [
        ["✗ broken", "high", "tested-before-commit"],
        ["✗ broken", "low", "no-installs"],
    ]
    assert rows[0][3] == "step 4" and len(rows) == 12
    states = [row[0][2:] for row in rows]
    assert states == sorted(states, key=["broken", "not known", "holds", "nothing to check"].index)
    lacking = next(row for row in rows if row[2] == "context-nearly-full")
    assert lacking[0] == "· not known" and "context fill of 4 steps" in lacking[3]
    cli.main(["audit", str(path), "--ascii"])
    told = capsys.readouterr().out
    assert told.startswith("x broken\thigh") and "\n+ holds\t" in told


def test_the_last_line_counts_the_runs_that_break_a_rule(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    for breaking, words in ((1, "1 of 3 runs breaks a rule"), (2, "2 of 3 runs break a rule")):
        for number in range(3):
            deeds = ["install"] if number < breaking else ["edit", "pass"]
            write_run(tmp_path / f"{number}.zip", deeds)
        cli.main(["audit", str(tmp_path)])
        assert capsys.readouterr().out.splitlines()[-1] == words


def test_rules_of_the_repository_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_run(tmp_path / "run.zip", ["install"])
    (tmp_path / ".git").mkdir()
    (tmp_path / ".oh-tui").mkdir()
    (tmp_path / ".oh-tui" / "rules.toml").write_text(
        '[[rule]]\nname = "no-installs"\nwhy = "Ours."\nseverity = "high"\n'
        'steps = "does:install"\nnever = true\n'
    )
    monkeypatch.chdir(tmp_path)
    for words in (
        ["audit", "--list"],
        ["audit", str(path)],
        ["grep", "rule:no-installs", str(path)],
    ):
        assert cli.main(words) == 2
        told = capsys.readouterr().err
        assert "Nobody here agreed to the rules of this repository" in told
        assert "oh-tui config trust" in told and "--rules FILE" in told
    own = tmp_path / ".oh-tui" / "rules.toml"
    assert cli.main(["audit", str(path), "--rules", str(own)]) == 3
    assert cli.main(["config", "trust"]) == 2  # nobody to ask
    shown = capsys.readouterr()
    assert 'why = "Ours."' in shown.out and "--yes" in shown.err
    assert cli.main(["config", "trust", "--yes"]) == 0
    assert cli.main(["audit", str(path)]) == 3
    assert "with the rules of this repository: " in capsys.readouterr().err
    more = tmp_path / "more.toml"
    more.write_text('[[rule]]\nname = "no-installs"\nenabled = false\n')
    assert cli.main(["audit", str(path), "--rules", str(more)]) == 0


def test_faults_of_a_file_are_said_with_their_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.toml"
    rule = '[[rule]]\nname = "x"\nwhy = "y"\nsteps = "dos:test"\nnever = true\n'
    file.write_text(rule + "odd = 1\n")
    assert cli.main(["audit", "--list", "--rules", str(file)]) == 2
    sentence, *lines = capsys.readouterr().err.splitlines()
    assert sentence.endswith("mine.toml has 2 faults")
    assert lines[0].startswith("        line 4: steps: There is no field dos: did you mean")
    assert lines[1] == "        line 6: 'odd' is not anything that a rule has"


def test_rules_are_listed_and_explained_without_a_key() -> None:
    done = oh_tui("audit", "--list")
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 12
    done = oh_tui("audit", "--explain", "tested-before-commit")
    told = dict(line.split("\t") for line in done.stdout.splitlines())
    assert told["severity"] == "high" and told["before"] == "tests:passed"
    assert told["from"] == "oh-tui" and told["shown by"]
    done = oh_tui("audit", "--explain", "none")
    assert done.returncode == 2 and "tested-before-commit" in done.stderr
    done = oh_tui("audit", "--list", "--json")
    schemas.check("audit", json.loads(done.stdout))


@pytest.mark.slow
def test_each_rule_names_the_runs_of_the_demo_that_show_it() -> None:
    done = oh_tui("--demo", "audit", "--json")
    assert done.returncode == 3
    broken: dict[str, set[str]] = {}
    for run in json.loads(done.stdout)["runs"]:
        for one in run["broken"]:
            broken.setdefault(one["rule"], set()).add(run["title"])
    documented = dict(_documented())
    rules = json.loads(oh_tui("audit", "--list", "--json").stdout)["rules"]
    assert documented.keys() == {rule["name"] for rule in rules}
    assert documented.keys() == broken.keys()
    for rule in rules:
        name = rule["name"]
        told = oh_tui("audit", "--explain", name).stdout.rstrip("\n").rpartition("shown by\t")[2]
        assert set(told.removesuffix(" (oh-tui --demo)").split(", ")) == broken[name], name
        assert documented[name][0] == rule["severity"]
        assert documented[name][1] in broken[name]


def _documented() -> Iterator[tuple[str, tuple[str, str]]]:
    """Each rule of docs/rules.md with its severity and a run of the demo."""
    for line in (ROOT / "docs" / "rules.md").read_text("utf-8").splitlines():
        if found := re.fullmatch(r"\| `([\w-]+)` \| (low|medium|high) \| .* \| (.+) \|", line):
            yield found[1], (found[2], found[3])


def test_a_conversation_that_its_id_names_is_read() -> None:
    done = oh_tui("--demo", "audit", DATES[:6], "--json")
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert [one["run"] for one in found["runs"]] == [DATES] and found["read"] == 1
    assert {one["rule"] for one in found["runs"][0]["broken"]} > {"same-call-in-a-row"}


def test_a_word_that_could_begin_an_id_and_begins_none_is_of_the_filter() -> None:
    done = oh_tui("--demo", "audit", DATES[4:10], "--json")  # a word is sought in ids too
    assert [one["run"] for one in json.loads(done.stdout)["runs"]] == [DATES]
    done = oh_tui("--demo", "audit", "beefbeef")
    assert done.returncode == 1 and "There is no conversation beefbeef" in done.stderr


def test_junit_is_read_by_a_real_parser(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    junitparser = pytest.importorskip("junitparser", reason="run make setup-dev")
    found = document(capsys, folder)
    cli.main(["audit", str(folder), "--junit"])
    text = capsys.readouterr().out
    read = junitparser.JUnitXml.fromstring(text.encode())
    suites = {suite.name: suite for suite in read}
    assert len(suites) == 30
    for run in found["runs"]:
        suite = suites[f"{run['title']} {run['run']}"]
        cases = {case.name: case for case in suite}
        assert len(cases) == suite.tests == 12
        nothing = run["nothing_to_check"]
        assert suite.failures == len(run["broken"])
        assert suite.skipped == len(run["not_known"]) + len(nothing)
        for name in nothing:
            (result,) = cases[name].result
            assert isinstance(result, junitparser.Skipped) and result.message == "nothing to check"
        for one in run["broken"]:
            (result,) = cases[one["rule"]].result
            assert isinstance(result, junitparser.Failure) and result.type == one["severity"]
        for one in run["not_known"]:
            (result,) = cases[one["rule"]].result
            assert isinstance(result, junitparser.Skipped) and one["lacks"] in result.message
        passed = [case for case in cases.values() if case.is_passed]
        assert len(passed) == 12 - suite.failures - suite.skipped


def test_a_rule_of_severity_look_fails_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, rules = write_run(tmp_path / "a.zip", ["edit", "outside", "pass"]), tmp_path / "r.toml"
    others = "".join(
        f'[[rule]]\nname = "{rule.name}"\nenabled = false\n' for rule in builtin_rules()
    )
    look = '[[rule]]\nname = "deletes"\nwhy = "Gone"\nseverity = "look"\nsteps = "look:delete"\n'
    rules.write_text(f"{others}{look}never = true\n")
    words = ["audit", str(run), "--rules", str(rules)]
    assert cli.main([*words, "--fail-on", "low"]) == 0
    assert "✗ broken\tlook\tdeletes\tstep 3" in capsys.readouterr().out
    assert cli.main([*words, "--fail-on", "low", "--junit"]) == 0
    text = capsys.readouterr().out
    assert 'failures="0"' in text and '<skipped message="look: step 3"/>' in text
    assert cli.main([*words, "--fail-on", "look"]) == 2


def test_junit_of_hostile_texts_is_xml(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(tmp_path / "a.zip", ["edit", "push"], title=MIXED)
    rules = tmp_path / "rules.toml"
    why = MIXED.replace("\ud800", "").replace("\x00", "").replace("\x1b", "")
    rules.write_text(
        f'[[rule]]\nname = "a"\nwhy = {json.dumps(why, ensure_ascii=False)}\n'
        'steps = "does:push"\nnever = true\n',
        encoding="utf-8",
    )
    (tmp_path / "b.zip").write_bytes(b"PK\x03\x04 ]]> & <b>")
    cli.main(["audit", str(tmp_path), "--junit", "--rules", str(rules)])
    text = capsys.readouterr().out
    assert text.isascii() and "\x1b" not in text
    suites = ElementTree.fromstring(text)
    names = [suite.get("name", "") for suite in suites]
    assert any("]]> <b> & \"'" in name for name in names)


def test_against_labels_each_rule_has_precision_and_recall(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = []
    for number, (label, breaks) in enumerate(
        [(True, False), (True, True), (False, True), (False, True), (False, False), (None, True)]
    ):
        events = evaluation_files.history(1)
        call = evaluation_files.action(9, tool="terminal")
        call["action"]["command"] = "pip install x" if breaks else "ls"
        rows.append(
            evaluation_files.row(
                f"acme-{number}",
                [*events, call, evaluation_files.result(9)],
                **({} if label is None else {"resolved": label}),
            )
        )
    path = evaluation_files.write(tmp_path / "output.jsonl", rows)
    found = document(capsys, path)
    (rule,) = [one for one in found["rules"] if one["name"] == "no-installs"]
    told = rule["against_resolved"]
    assert (told["broken_unresolved"], told["broken_resolved"]) == (2, 1)
    assert (told["holds_unresolved"], told["holds_resolved"]) == (1, 1)
    assert told["without_label"] == 1
    assert (told["precision"], told["recall"]) == (0.6667, 0.6667)
    assert cli.main(["audit", str(path), "--against", "resolved"]) == 0
    row = next(
        line.split("\t")
        for line in capsys.readouterr().out.splitlines()
        if line.startswith("no-installs")
    )
    assert row == ["no-installs", "67%", "67%", "2", "1", "1", "1", "1", "0"]


def test_wrong_use_is_named(folder: Path) -> None:
    for words in (["--fail-on", "worst"], ["--junit", "--json"], ["--against", "cost"]):
        assert cli.main(["audit", str(folder), *words]) == 2


def test_words_that_nothing_takes_or_matches_are_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["--list"], ["--explain", "plan-done"]):
        for more in (str(folder), "repo:x"):
            assert cli.main(["audit", *words, more]) == 2
            assert f"{words[0]} reads no run" in capsys.readouterr().err
    assert cli.main(["audit", str(folder), "title:nope"]) == 0
    assert capsys.readouterr().err == "oh-tui: no run matches\n"


def test_runs_with_one_id_are_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        write_run(tmp_path / f"{name}.zip", ["edit"], id=DATES, title=name)
    found = document(capsys, tmp_path)
    assert {one["title"] for one in found["runs"]} == {"a", "b"}
    assert len({one["run"] for one in found["runs"]}) == 2


def test_a_file_of_the_demo_is_as_in_the_demo(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with zipfile.ZipFile(tmp_path / "run.zip", "w") as archive:
        for place, event in enumerate(demo_events("week-dates")):
            archive.writestr(f"event_{place:06}_{event.id}.json", event.raw())
    here = document(capsys, tmp_path / "run.zip")["runs"][0]
    there = json.loads(oh_tui("--demo", "audit", DATES, "--json").stdout)["runs"][0]
    assert here["broken"] == there["broken"]


def test_what_a_broken_rule_is_about_and_missing_labels_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_run(tmp_path / "run.zip", ["edit"])
    rules = tmp_path / "rules.toml"
    rules.write_text('[[rule]]\nname = "any"\nwhy = "x"\nrun = "-title:nosuch"\n')
    cli.main(["audit", str(path), "--rules", str(rules)])
    told = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert ["✗ broken", "medium", "any", "title Make it work"] in told
    cli.main(["audit", str(path), "--against", "resolved"])
    assert "no run of which a rule is known has a label" in capsys.readouterr().err


def test_what_of_a_run_breaks_a_rule_about_the_whole_run_is_said(tmp_path: Path) -> None:
    facts = {
        "took:>6m": "worked 6m19s, the limit is 6m",
        "took:>2m30s": "worked 6m19s, the limit is 2m30s",
        "-took:>3h": "worked 6m19s, the least is 3h",
        "cost:>1 repo:dates": "$1.12, the limit is $1 and repo acme/dates",
        "cost:>=1.11": "$1.12, the limit is $1.11",
        "cost:=1.12": "$1.12",
        "is:failed": "it is stuck",
        "-is:finished cost:<1.50": "it is stuck and $1.12, the least is $1.50",
        "-pr:9 is:stuck": "it is stuck and it matches -pr:9 is:stuck",
    }
    rules = tmp_path / "rules.toml"
    each = '[[rule]]\nname = "r{}"\nwhy = "x"\nrun = {}\n'
    rules.write_text("".join(each.format(n, json.dumps(word)) for n, word in enumerate(facts)))
    words = ("--demo", "audit", DATES, "--rules", str(rules))
    found = json.loads(oh_tui(*words, "--json").stdout)
    schemas.check("audit", found)
    told = {one["rule"]: one["because"] for one in found["runs"][0]["broken"]}
    assert [told.get(f"r{n}") for n in range(len(facts))] == list(facts.values())
    assert told["plan-done"] is None
    assert "r0\tworked 6m19s, the limit is 6m\n" in oh_tui(*words).stdout
    assert 'message="worked 6m19s, the limit is 6m"' in oh_tui(*words, "--junit").stdout


@pytest.mark.parametrize(
    "kind, code", [("no run", 2), ("not read", 2), ("none matches", 0), ("not known", 0)]
)
def test_junit_of_no_run_is_whole(tmp_path: Path, kind: str, code: int) -> None:
    path = tmp_path / "runs"
    path.mkdir()
    history = evaluation_files.history(2) if kind == "none matches" else []
    if kind == "not read":
        (path / "output.jsonl").write_text('{"instance_id": "a", "history": [7]}\n')
    elif kind != "no run":
        evaluation_files.write(path / "output.jsonl", [evaluation_files.row("a", history)])
    found = oh_tui("audit", path, "is:waiting", "--junit")
    assert [one.tag for one in ElementTree.fromstring(found.stdout).iter()] == ["testsuites"]
    assert found.returncode == code, found.stderr
    assert ("of unknown outcome" in found.stderr) == (kind == "not known")
