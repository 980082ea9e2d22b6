"""What is told before a run is shared."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from oh_tui.conversation import Conversation
from oh_tui.sharing import left_out, shared_run
from oh_tui.sharing.formats import FORMATS
from oh_tui.sharing.otlp.otlp import otlp
from oh_tui.sharing.shared_run import SharedRun, Wanted, hidden_events
from oh_tui.sharing.what_leaves import SHOWN, WhatLeaves, told
from oh_tui.text.problem import Problem
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.events import parse_event
from oh_tui.trajectory.model.recorded import Recorded
from oh_tui.trajectory.model.trajectory import SubAgent, Trajectory
from tests.hostile.kinds import write_zip
from tests.processes import oh_tui
from tests.sharing.reader import text_by
from tests.sharing.test_left_out import answer, call, text
from tests.trajectory.sub_agent_files import run_files, zip_of

Json = dict[str, Any]


def shared(*events: Json, **about: Any) -> SharedRun:
    run = Trajectory()
    run.extend(parse_event(json.dumps(event).encode()) for event in events)
    conversation = Conversation(id="x", **about)
    return SharedRun(conversation, Study(run), run.steps, hidden_events(run))


def ran(n: int, command: str, output: str) -> tuple[Json, Json]:
    return (
        call(n, "TerminalAction", "terminal", command=command),
        answer(n, "TerminalObservation", "terminal", exit_code=0, content=said(output)),
    )


def said(output: str) -> list[Json]:
    return [{"type": "text", "text": output}]


def what_leaves(
    run: SharedRun, form: str = "atif", is_wanted: Wanted = lambda step: True
) -> WhatLeaves:
    """By the format that has the events of a run whole."""
    return shared_run.what_leaves(FORMATS[form].write, run, is_wanted)


def of_output(output: str) -> WhatLeaves:
    return what_leaves(shared(*ran(1, "true", output)))


@pytest.mark.parametrize(
    ("output", "hosts"),
    [
        ("Cloning from https://github.com/acme/dates.git", ["github.com"]),
        ("origin  git@git.acme.internal:dates.git (fetch)", ["git.acme.internal"]),
        ("postgres://me:pw-Of-Mine1@db.acme.dev:5432/x", ["db.acme.dev"]),
        ("index https://pypi.org/simple\nand http://localhost:8000/x", ["pypi.org"]),
        ("resolved build-7.ci.lan first", ["build-7.ci.lan"]),
        ("see file:///workspace/x.py and http://127.0.0.1:80", []),
        ("local.settings = threading.local(); x.internal()", []),
    ],
)
def test_hosts(output: str, hosts: list[str]) -> None:
    assert list(of_output(output).hosts) == hosts


@pytest.mark.parametrize(
    ("output", "addresses"),
    [
        ("listening on 10.20.0.4:8080", ["10.20.0.4"]),
        ("inet6 2001:db8:85a3:0:0:8a2e:370:7334 up", ["2001:db8:85a3:0:0:8a2e:370:7334"]),
        ("Author: Jane Doe <jane.doe@acme.dev>", ["jane.doe@acme.dev"]),
        ("127.0.0.1 and 0.0.0.0 and ::1", []),
        ("version 1.2.3, Python 3.11.7, at 12:34:56:78, 300.1.2.3", []),
        ("+ @types/node@18.0.1\nnode@18.0.1\n+@pytest.mark.slow", []),
        ("+by jane@acme.dev\n-jane.d@acme.dev", ["jane@acme.dev", "jane.d@acme.dev"]),
        ("std::vec::Vec a::b::c::d::e", []),
        (r"print('x\n@pytest.mark.slow')", []),
        ("git@github.com:acme/x", []),
    ],
)
def test_addresses(output: str, addresses: list[str]) -> None:
    assert list(of_output(output).addresses) == addresses


@pytest.mark.parametrize(
    ("output", "people"),
    [
        ("/home/jane/src/dates", ["jane"]),
        ("/Users/jdoe/Library and C:\\Users\\J.Doe\\x", ["jdoe", "J.Doe"]),
        ("Author: Jane Doe <jane@acme.dev>\nDate: today", ["Jane Doe"]),
        ("Co-authored-by: openhands <openhands@all-hands.dev>", ["openhands"]),
        ("/home/openhands/x /home/user/y /root/z", []),
        ("the author: unknown things, and more of them", []),
    ],
)
def test_user_names(output: str, people: list[str]) -> None:
    assert list(of_output(output).people) == people


EDITOR = ("FileEditorAction", "file_editor")
EDITED = ("FileEditorObservation", "file_editor")


@pytest.mark.parametrize(
    ("action", "seen", "is_whole"),
    [
        ({"command": "create", "file_text": "x = 1\n"}, {"content": text("made")}, True),
        ({"command": "view"}, {"content": said("Here's it:\n     1\tx = 1")}, True),
        (
            {"command": "view", "view_range": [4, 9]},
            {"content": said("     4\tx = 1")},
            False,
        ),
        ({"command": "view"}, {"content": said("Here's the files and directories: a b")}, False),
        ({"command": "view"}, {"content": said("no such file"), "is_error": True}, False),
        (
            {"command": "str_replace", "old_str": "x", "new_str": "y"},
            {"content": text("edited"), "old_content": "x\n", "new_content": "y\n"},
            True,
        ),
        (
            {"command": "str_replace", "old_str": "x", "new_str": "y"},
            {"content": text("edited")},
            False,
        ),
    ],
)
def test_whole_files(action: Json, seen: Json, is_whole: bool) -> None:
    run = shared(
        call(1, *EDITOR, path="/workspace/a.py", **action),
        answer(1, *EDITED, path="/workspace/a.py", command=action["command"], **seen),
    )
    assert what_leaves(run).files == ({"a.py": [1]} if is_whole else {})
    without = left_out.part_of(run, ["files"])
    assert what_leaves(without).files == {}


def test_what_was_hidden_is_told_by_kind_and_step() -> None:
    found = what_leaves(
        shared(
            *ran(1, "env", "API_KEY=4f9a8b7c6d5e\nghp_Abcdefghijklmnopqrstuvwxyz0123456789"),
            *ran(2, "env", "API_KEY=4f9a8b7c6d5e"),
        )
    )
    assert found.masked == {"api_key": [1, 2], "a key": [1]}
    assert found.times == {"api_key": 2, "a key": 1}
    assert found.suspects == {}
    lines = "\n".join(told(found))
    assert "hidden: api_key 2 times (steps 1, 2), a key (step 1)" in lines
    assert "ghp_" not in lines


def test_a_secret_that_no_pattern_knows_is_a_suspect_and_not_spread() -> None:
    secret = "k3Jf9Qx7Zb2Lm8Rt5Vw1Ny4Hc6Pd"
    found = what_leaves(shared(*ran(1, "true", "fine"), *ran(2, "show", f"it is {secret}\n")))
    assert found.suspects == {"k3Jf… (28 characters)": [2]}
    assert secret not in "\n".join(told(found))


def test_twenty_of_a_kind_are_shown() -> None:
    hosts = "\n".join(f"https://h{n}.acme.dev/" for n in range(SHOWN + 7))
    lines = list(told(of_output(hosts)))
    assert len(lines) == 2
    assert f"h{SHOWN - 1}.acme.dev" in lines[1]
    assert f"h{SHOWN}.acme.dev" not in lines[1]
    assert lines[1].endswith("and 7 more")


def test_of_a_hostile_run_a_bounded_number_is_counted() -> None:
    found = of_output("\n".join(f"https://h{n}.acme.dev/" for n in range(5000)))
    assert len(found.hosts) == 1000
    assert list(told(found))[1].endswith("and 980 or more")


def test_nothing_is_one_line() -> None:
    assert list(told(of_output("2 passed"))) == [
        "what leaves: 1 step; no whole file, host, name or secret"
    ]


def test_images_are_counted_and_no_suspects() -> None:
    image = {"type": "image", "image_urls": ["data:image/png;base64," + "k3Jf9Qx7Zb2L" * 40]}
    run = shared(call(1, "X", "x"), answer(1, "MCPToolObservation", "x", content=[image]))
    assert what_leaves(run).images == 1
    assert what_leaves(run).suspects == {}
    assert what_leaves(left_out.part_of(run, ["images"])).images == 0


def test_ids_of_events_are_no_suspects() -> None:
    run = shared(*ran(1, "true", "x"))
    for event in run.study.trajectory.events:
        event.inline = event.inline.replace(b'"c1"', b'"toolid9Qx7Zb2Lm8Rt5Vw1Ny4Hc6Pd"')
    assert what_leaves(run).suspects == {}


def test_what_is_told_is_of_what_is_written() -> None:
    run = shared(*ran(1, "true", "https://one.dev/"), *ran(2, "true", "https://two.dev/"))
    assert list(what_leaves(left_out.part_of(run, only=((2, 2),))).hosts) == ["two.dev"]
    assert list(what_leaves(left_out.part_of(run, ["results"])).hosts) == []


def test_sub_agents_that_no_step_is_known_to_have_started_are_told() -> None:
    run = shared(*ran(1, "true", "fine"))
    loose = shared(*ran(1, "true", "https://deep.acme.dev/")).study.trajectory
    run.study.trajectory.sub_agents = [SubAgent("a1", lambda: (loose, ""))]
    assert what_leaves(run, "md").hosts == {}
    assert what_leaves(run).hosts == {"deep.acme.dev": [0]}
    assert "deep.acme.dev" in text_by(FORMATS["html"].write, run)


def test_of_chosen_steps_no_sub_agents_leave() -> None:
    run = shared(*ran(1, "true", "fine"))
    below = shared(*ran(1, "cat /deep.txt", "https://deep.acme.dev/")).study.trajectory
    started_by = run.steps[0].event.id
    run.study.trajectory.sub_agents = [SubAgent("a1", lambda: (below, ""), False, started_by)]
    part = left_out.part_of(run, only=((1, 1),))
    for one, leaves in ((run, True), (part, False)):
        assert bool(what_leaves(one).hosts) == leaves
        page = text_by(FORMATS["html"].write, one)
        traces = text_by(otlp, replace(one, read=run.study.trajectory, messages=True))
        assert ("deep" in page, "deep" in traces) == (leaves, leaves)


def test_it_ends_once_nobody_waits_for_it() -> None:
    run = shared(*ran(1, "true", "x"), *ran(2, "true", "x"))
    answers = iter((True, False))
    with pytest.raises(Problem):
        what_leaves(run, is_wanted=lambda step: next(answers))


def test_html_is_written_after_a_yes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, target = a_run(tmp_path), tmp_path / "run.html"
    words = ("export", run, "--to", "html", "-o", target)
    done = oh_tui(*words)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "oh-tui: what leaves: 1 step",
        "oh-tui:   hosts: git.acme.dev (step 1)",
        "oh-tui: The page shows 1 step to whoever gets it",
        "        oh-tui export ... --to html --yes does it",
    ]
    assert done.stdout == "" and not target.exists()
    monkeypatch.setattr("oh_tui.commands.framework.acting.ask", lambda question: False)
    done = oh_tui(*words)
    assert "Nothing was written" in done.stderr
    assert not target.exists()
    monkeypatch.setattr("oh_tui.commands.framework.acting.ask", lambda question: True)
    assert oh_tui(*words).returncode == 0
    assert target.read_text().startswith("<!doctype html>")
    assert oh_tui(*words, "--yes").returncode == 2, "a file that is there stays"
    assert list(tmp_path.glob(".oh-tui-*")) == []


def test_what_sub_agents_did_is_told_where_it_leaves(tmp_path: Path) -> None:
    files = {
        name: data.replace(b"no such model", b"no model at https://deep.acme.dev/x")
        for name, data in run_files().items()
    }
    path = zip_of(tmp_path / "run.zip", files)
    for form in ("html", "atif", "otlp"):
        done = oh_tui("export", path, "--to", form, "--yes")
        assert "hosts: deep.acme.dev (step 2)" in done.stderr
    assert "deep" not in oh_tui("export", path).stderr


def a_run(folder: Path) -> Path:
    return write_zip(folder / "run.zip", ran(1, "git remote -v", "https://git.acme.dev/x"))


@pytest.mark.parametrize("form", ["md", "jsonl", "atif"])
def test_an_export_tells_it_beside_what_it_writes(tmp_path: Path, form: str) -> None:
    done = oh_tui("export", a_run(tmp_path), "--to", form)
    assert done.stderr.splitlines() == [
        "oh-tui: what leaves: 1 step",
        "oh-tui:   hosts: git.acme.dev (step 1)",
    ]
    assert "what leaves" not in done.stdout


def test_of_a_patch_files_hosts_and_secrets_are_told_where_it_leaves() -> None:
    lines = f"+see https://git.acme.example/x\n+password={'pW9' * 8}\n"
    run = shared(*ran(1, "true", "fine"))
    run.study.trajectory.recorded = Recorded(
        patch=f"diff --git a/n.py b/n.py\n--- /dev/null\n+++ b/n.py\n@@ -0,0 +1,2 @@\n{lines}"
    )
    found = what_leaves(run, "html")
    assert (found.files, found.hosts) == ({"n.py": [0]}, {"git.acme.example": [0]})
    assert found.masked == {"password": [0]}
    assert not what_leaves(run).files
    assert not what_leaves(replace(run, is_part=True), "html").files
