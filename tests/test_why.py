"""`oh-tui why` as used by people and scripts."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from oh_tui.conversation import Conversation, Metrics
from oh_tui.documents.why import report
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.events import Event
from tests.demo_runs import SLUGS, demo_events, demo_run
from tests.processes import oh_tui
from tests.trajectory.edited import run
from tests.trajectory.made import event, output, shell

DOCUMENT = Path(__file__).parent.parent / "docs" / "files.md"

Save = Callable[[str], Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Writes a run of the demo as a file."""

    def write(slug: str) -> Path:
        path = tmp_path / f"{slug}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for place, told in enumerate(demo_events(slug)):
                archive.writestr(f"event_{place:06}_{told.id}.json", told.raw())
        return path

    return write


def why(*words: str) -> str:
    done = oh_tui("why", *words)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def told(slug: str, **fields: Any) -> Any:
    return report(Conversation("c", **fields), Study(demo_run(slug)))


def test_a_run_that_got_stuck(save: Save) -> None:
    assert why(str(save("week-dates"))) == (
        "stuck after 6m19s of work, 61 steps, $1.12\n"
        "why    58-61  same call, same result, 4 times: $ python -m dates 2021-W53-1 --explain  "
        "(exit 1)\n"
        "before    45  call not run: invalid JSON      30, 17  edits refused\n"
        "          47  the context was 21% full when it was condensed\n"
        "first     17  edit dates/src/dates/__main__.py   No replacement was performed, old_str "
        '` print(f"rule {rule}")\n'
        "phases   1-6  look     15 s  $0.14  read 2 files, looked around 2 times\n"
        "           7  edit     13 s  $0.02  created test_weeks.py\n"
        "        8-15  debug    44 s  $0.11  edited parse.py 4 times until 44 tests passed\n"
        "       16-21  edit     36 s  $0.09  created test_weeks_prop.py, edited parse.py, "
        "1 call failed\n"
        "       22-24  debug    28 s  $0.04  installed packages until 45 tests passed\n"
        "       25-26  answer   11 s  $0.03  answered\n"
        "       27-31  edit     24 s  $0.06  edited test_weeks.py, 1 call failed\n"
        "       32-41  debug   1m28s  $0.17  edited 2 files until 1 test passed\n"
        "       42-45  edit     16 s  $0.06  edited test_main.py, 1 call failed\n"
        "       46-56  debug   1m14s  $0.32  edited 3 files until 6 tests passed, 1 call failed\n"
        "       57-61  run      28 s  $0.07  ran python -m dates 4 times, 4 calls failed\n"
        "look      40  edits dates/tests/test_weeks_prop.py after tests failed in step 38\n"
        "       59-61  calls that failed made again, with no work between\n"
    )


def test_the_readme_shows_what_is_printed() -> None:
    shown = re.search(r"\$ oh-tui (--demo why \w+)\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert shown is not None
    done = oh_tui(*shown[1].split())
    assert (done.returncode, done.stdout) == (0, shown[2])


def test_the_trouble_that_the_verdict_names_is_not_told_twice(save: Save) -> None:
    assert why(str(save("dep-bump"))).splitlines() == [
        "error after 1.7 s of work, 2 steps",
        "why        2  The model's key was rejected at the first step.",
    ]


def test_many_of_a_kind_are_counted(save: Save) -> None:
    lines = why(str(save("fuzzing"))).splitlines()
    assert lines[0] == "finished after 8h33m of work, 3,998 steps, price unknown"
    assert lines[2] == (
        "before 3610, 3209, 2808 +6 more  the context was 41% to 43% full when it was condensed"
    )


def test_long_lists_of_groups_are_broken(save: Save) -> None:
    lines = why(str(save("broken"))).splitlines()
    assert [line[:14] for line in lines[2:4]] == ["before    10  ", "           4  "]
    assert max(map(len, lines[2:4])) <= 100


def test_a_run_without_steps(save: Save) -> None:
    assert why(str(save("docker-followup"))) == "idle\nwhy           Nothing was asked yet.\n"


def test_json(save: Save) -> None:
    found = json.loads(why(str(save("week-dates")), "--json"))
    top = ["verdict", "conversation", "counts", "before", "phases", "first", "look", "look_more"]
    assert list(found) == top
    assert found["verdict"] == {
        "word": "stuck",
        "cause": "Steps 58-61 made the same call and got the same result, so OpenHands stopped "
        "the run.",
        "short": "same call and result 4 times",
        "steps": [58, 59, 60, 61],
        "landing": 58,
        "plan": [3, 4],
        "goal": None,
        "cut_off": False,
    }
    assert found["before"] == [
        {"what": "call not run: invalid JSON", "steps": [45]},
        {"what": "edits refused", "steps": [30, 17]},
        {"what": "history condensed", "steps": [47], "fill": [0.2116]},
    ]
    assert found["first"]["step"] == 17
    assert found["first"]["event_id"] == demo_run("week-dates").steps[16].event.id
    assert found["counts"]["errors"] == 3
    assert [(one["step"], one["name"]) for one in found["look"]] == [
        (40, "test-edit"), (59, "retry"), (60, "retry"), (61, "retry"),
    ]  # fmt: skip
    assert found["look_more"] == 0


def test_of_what_is_worth_a_look_the_first_ones_are_listed() -> None:
    found = report(Conversation("c"), Study(run(*many_commands("sudo ls", 120))))
    assert len(found["look"]) == 100 and found["look_more"] == 20
    assert found["look"][0] == {"step": 1, "name": "sudo", "reason": "runs a command with sudo"}


def many_commands(command: str, count: int) -> list[Event]:
    return [one for n in range(count) for one in (shell(str(n), command), output(str(n)))]


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("slug", SLUGS)
def test_keys_are_the_same_for_all_runs(slug: str) -> None:
    found, other = told(slug), told("week-dates")
    for part in ("verdict", "conversation", "counts"):
        assert list(found[part]) == list(other[part])
    assert found["first"] is None or list(found["first"]) == list(other["first"])
    json.dumps(found)


def test_what_the_user_did_is_no_failure_of_the_agent() -> None:
    assert told("oauth")["before"] == [{"what": "call rejected by you", "steps": [13]}]
    assert told("settings-split")["before"] == [{"what": "call cut off", "steps": [6]}]


def test_the_server_tells_the_cost_where_the_events_do_not() -> None:
    assert told("dep-bump", metrics=Metrics(0.25))["conversation"]["cost"] == 0.25
    assert told("dep-bump", metrics=Metrics(0.0))["conversation"]["cost"] is None
    about = told("dep-bump", llm_model="litellm_proxy/anthropic/some-model")["conversation"]
    assert about["model"] == "litellm_proxy/anthropic/some-model", "as every command tells it"


def test_secrets_and_escapes_stay_inside() -> None:
    key = "sk-ant-api03-" + "a1B2" * 12
    run = demo_run("dep-bump")
    run.extend([event("ServerErrorEvent", "x", code="\x1b[2J", detail=f"{key} \x1b]0;t\x07 no")])
    found = json.dumps(report(Conversation("c", title=key, llm_model=key), Study(run)))
    assert key not in found and "u001b" not in found


def test_wrong_use() -> None:
    done = oh_tui("why")
    assert done.returncode == 2 and "why needs ID or PATH" in done.stderr
    done = oh_tui("why", "no-such-file.zip")
    assert done.returncode == 2 and "no-such-file.zip" in done.stderr
