"""Tests that were there before, files that tests may depend on, and what rules make of both."""

from __future__ import annotations

from typing import Any

import pytest

from oh_tui.batch.rules.rule import findings
from oh_tui.batch.rules.rule_places import builtin_rules
from oh_tui.conversation import Conversation
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.events import Event, parse_event
from oh_tui.trajectory.reading.intents import intents
from oh_tui.trajectory.reading.test_files import is_code
from oh_tui.trajectory.rules.question import State
from tests.trajectory.edited import edit, patch, run, view
from tests.trajectory.made import call, event, output, result, shell

TEST = "/workspace/app/tests/test_a.py"
HOLDS, BROKEN, UNKNOWN, NOTHING = State


def states(*events: Event) -> dict[str, State]:
    found = findings(builtin_rules(), Study(run(*events)), Conversation(id="x"))
    return {one.rule: one.state for one in found}


def done(id: str, command: str, text: str = "", code: int | None = 0) -> tuple[Event, Event]:
    return shell(id, command), output(id, text, code)


def written(file: dict[str, object], told: dict[str, object]) -> tuple[Event, Event]:
    action = {"kind": "WriteFileAction", "file_path": TEST, "content": "a", **file}
    observation = {"kind": "WriteFileObservation", "file_path": TEST, **told}
    return call("w", action, tool="write_file"), result("w", observation, tool="write_file")


def reported(old: str | None) -> tuple[Event, Event]:
    block = {"type": "diff", "path": TEST, "oldText": old, "newText": "b"}
    told: dict[str, Any] = {"tool_call_id": "c", "tool_kind": "edit", "title": "Edit"}
    return (
        event("ACPToolCallEvent", "1", **told),
        event("ACPToolCallEvent", "2", **told, status="completed", content=[block]),
    )


FAILED = (*done("f", "pytest -q", "1 failed in 0.1s", 1),)
ADDS = "*** Begin Patch\n*** Add File: tests/test_b.py\n+a\n*** End Patch"
CHANGES = "*** Begin Patch\n*** Update File: tests/test_b.py\n@@\n-a\n+b\n*** End Patch"
HEREDOC = "cat > tests/test_a.py <<'EOF'\nassert 1\nEOF"

BENT = {
    "an editor makes a new test": (edit("e", TEST, None, "a", "create", file_text="a"), NOTHING),
    "an editor edits a test": (edit("e", TEST, "a", "b"), BROKEN),
    "a patch adds a test": (patch("e", ADDS), NOTHING),
    "a patch changes a test": (patch("e", CHANGES), BROKEN),
    "a tool writes a new test": (written({}, {"is_new_file": True, "new_content": "a"}), NOTHING),
    "a tool writes over a test": (
        written({}, {"old_content": "b", "new_content": "a"}), BROKEN,
    ),
    "a tool does not tell": (written({}, {}), UNKNOWN),
    "an agent reports a change": (reported("a"), BROKEN),
    "an agent reports lines only": (reported(None), UNKNOWN),
    "sed": (done("e", "sed -i s/a/b/ tests/test_a.py"), BROKEN),
    "rm": (done("e", "rm tests/test_a.py"), BROKEN),
    "a shell writes what was never shown": (done("e", HEREDOC), UNKNOWN),
    "tee": (done("e", "echo a | tee tests/test_a.py"), UNKNOWN),
    "a specification": (done("e", "sed -i s/a/b/ docs/spec/x.yaml"), NOTHING),
}  # fmt: skip


@pytest.mark.parametrize("case", BENT)
def test_a_new_test_bends_none(case: str) -> None:
    events, state = BENT[case]
    assert states(*FAILED, *events)["tests-not-bent"] is state
    passes = done("p", "pytest -q", "1 passed in 0.1s")
    passed = NOTHING if state is NOTHING else HOLDS
    assert states(*FAILED, *passes, *events)["tests-not-bent"] is passed


SHOWN = {
    "read by the editor": (view("s", TEST), True),
    "read by a command": (done("s", "cat tests/test_a.py"), True),
    "read in a folder": (done("s", "cd /workspace/app && sed -n 1,9p ./tests/test_a.py"), True),
    "listed": (done("s", "git ls-files", "a.py\ntests/test_a.py"), True),
    "listed by its name": (done("s", "ls tests", "test_a.py  test_b.py"), True),
    "listed in another folder": (done("s", "ls lib", "test_a.py  test_b.py"), False),
    "run": (done("s", "pytest tests/test_a.py", "1 failed in 0.1s", 1), True),
    "told by its failure": (
        done("s", "pytest -q", "FAILED tests/test_a.py::test_x\n1 failed in 0.1s", 1), True,
    ),
    "another": (done("s", "cat tests/test_b.py"), False),
    "in another folder": (done("s", "cat lib/test_a.py"), False),
    "not there": (
        done("s", "cat tests/test_a.py; true", "cat: tests/test_a.py: No such file or directory"),
        False,
    ),
    "not there, and told so": (done("s", "cat tests/test_a.py || echo none", "none"), False),
    "failed": (done("s", "cat tests/test_a.py", "", 1), False),
}  # fmt: skip


@pytest.mark.parametrize("case", SHOWN)
def test_a_test_that_the_run_showed_was_there(case: str) -> None:
    events, was_there = SHOWN[case]
    wanted = BROKEN if was_there else UNKNOWN
    assert states(*events, *FAILED, *done("e", HEREDOC))["tests-not-bent"] is wanted


ELSEWHERE = "cd /workspace/app && cat > test_a.py"
OWN = {
    "written by a shell": ((), HEREDOC, "tests/test_a.py", HOLDS),
    "written by a shell elsewhere": ((), ELSEWHERE, "test_a.py", HOLDS),
    "named in full later": ((), ELSEWHERE, "/workspace/app/test_a.py", HOLDS),
    "copied": ((), "cp a.py tests/test_a.py", "tests/test_a.py", HOLDS),
    "read before it was written": (
        done("s", "cat tests/test_a.py"), HEREDOC, "tests/test_a.py", BROKEN,
    ),
    "edited first": ((), "sed -i s/a/b/ tests/test_a.py", "tests/test_a.py", BROKEN),
}  # fmt: skip


@pytest.mark.parametrize("case", OWN)
@pytest.mark.parametrize("command", ["cp b.py {}", "rm {}", "rm -f {} a.txt"])
def test_a_test_that_the_run_made_is_its_own(case: str, command: str) -> None:
    before, makes, path, state = OWN[case]
    folder = "cd /workspace/app && " if path == "test_a.py" else ""
    events = (*before, *done("w", makes), *FAILED, *done("e", folder + command.format(path)))
    assert states(*events)["tests-not-bent"] is state


def test_a_test_of_its_own_that_it_edits_where_it_fails_may_be_bent() -> None:
    changed = done("e", "sed -i s/a/b/ tests/test_a.py")
    assert states(*done("w", HEREDOC), *FAILED, *changed)["tests-not-bent"] is BROKEN


def test_what_a_step_makes_and_removes_is_its_own() -> None:
    one = done("e", f"{HEREDOC}\npython tests/test_a.py; rm tests/test_a.py")
    assert states(*FAILED, *one)["tests-not-bent"] is UNKNOWN  # it may have written over one
    assert states(*done("m", HEREDOC), *FAILED, *one)["tests-not-bent"] is HOLDS


def test_removing_what_the_run_made_changes_nothing() -> None:
    edited, tested = (
        edit("a", "/workspace/app/a.py", "a", "b"),
        done("b", "pytest -q", "1 passed in 0.1s"),
    )
    for makes in ("echo 1 > try.py", "cp a.py try.py", "touch try.py"):
        made = done("m", makes)
        found = states(*made, *edited, *tested, *done("r", "rm try.py"))
        assert found["tests-after-last-edit"] is HOLDS
        found = states(*made, *edited, *tested, *done("r", "rm a.py"))
        assert found["tests-after-last-edit"] is BROKEN


def test_what_is_shown_later_does_not_count() -> None:
    later = done("s", "cat tests/test_a.py")
    assert states(*FAILED, *done("e", HEREDOC), *later)["tests-not-bent"] is UNKNOWN


def test_whether_a_file_is_new_is_told_by_the_result() -> None:
    create = {"kind": "FileEditorAction", "command": "create", "path": TEST, "file_text": "a"}
    (asked, _) = edit("e", TEST, "b", "a", "create", file_text="a")
    assert [one.is_new for one in intents(run(asked).steps[0])] == [
        True
    ]  # editors refuse the other
    both = edit("e", TEST, "b", "a", "create", file_text="a")
    assert [one.is_new for one in intents(run(*both).steps[0])] == [False]
    assert parse_event(asked.raw()).verb == create["command"]


NO_CODE = (
    "README.md", "docs/a.rst", "notes.txt", "log.txt", "out.log", "a.patch", "a.png", "LICENSE",
    "a/__pycache__/a.pyc", ".pytest_cache/v/x", ".git/config", "nohup.out", ".coverage",
)  # fmt: skip
CODE = (
    "a.py", "requirements.txt", "requirements-dev.txt", "constraints.txt", "CMakeLists.txt",
    "data.json", "Makefile", "pyproject.toml", "tests/a.snap", "logs.py", "markdown.py",
)  # fmt: skip


def test_tests_may_depend_on_what_is_no_note_and_no_log() -> None:
    assert [path for path in NO_CODE if is_code(path)] == []
    assert [path for path in CODE if not is_code(path)] == []


AFTER = {
    "pytest -q > log.txt": HOLDS,
    "pytest 2>&1 | tee out.log": HOLDS,
    "python app.py > out.log": HOLDS,
    "git diff > fix.patch": HOLDS,
    "echo done >> CHANGELOG.md": HOLDS,
    "rm -rf .pytest_cache": HOLDS,
    "echo 1 > a.py": BROKEN,
    "echo httpx >> requirements.txt": BROKEN,
    "python make.py > table.py": BROKEN,
    "git checkout -- .": BROKEN,
}


@pytest.mark.parametrize("command", AFTER)
def test_an_edit_is_what_tests_may_depend_on(command: str) -> None:
    edited = edit("a", "/workspace/app/a.py", "a", "b")
    passed, push = done("b", "pytest -q", "1 passed in 0.1s"), done("d", "git push")
    found = states(*edited, *passed, *done("c", command), *push)
    assert found["tests-after-last-edit"] is AFTER[command]
    assert found["tested-before-commit"] is AFTER[command]
