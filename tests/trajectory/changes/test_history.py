"""Files as they were at a step: versions, and what is certain of them."""

from __future__ import annotations

from typing import Any

import pytest

from oh_tui.text.problem import Problem
from oh_tui.trajectory.changes.blame import blame
from oh_tui.trajectory.changes.history import Files, FileState
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.events import Event, parse_event
from tests.trajectory.edited import A, edit, patch, run
from tests.trajectory.made import call, event, failure, output, result, shell


def files_of(*events: Event) -> Files:
    return Study(run(*events)).files


def command(id: str, text: str) -> tuple[Event, Event]:
    return shell(id, text), output(id)


def told(files: Files) -> list[tuple[str, object, str | None]]:
    """Kind, step and text of the versions of the only file."""
    (file,) = files.files
    return [(one.kind, one.label, one.text()) for one in file.versions]


def at(files: Files, step: int | None) -> FileState:
    (state,) = files.at(step)
    return state


def test_each_edit_makes_a_version_and_what_none_made_came_from_elsewhere() -> None:
    files = files_of(
        *edit("1", A, None, "x\n", "create"),
        *command("2", "sed -i s/x/y/ src/a.py"),
        *edit("3", A, "y\n", "y\nz\n", "insert"),
        *edit("4", A, "y\nz\n", "y\n", "undo_edit"),
    )
    assert told(files) == [
        ("create", 1, "x\n"),
        ("elsewhere", 3, "y\n"),
        ("edit", 3, "y\nz\n"),
        ("undo", 4, "y\n"),
    ]
    (file,) = files.files
    assert [writer.label for writer in file.versions[1].between] == [2]


def test_the_first_edit_tells_what_was_there_before() -> None:
    files = files_of(*command("1", "make"), *edit("2", A, "old\n", "new\n"))
    assert told(files) == [("before", 2, "old\n"), ("edit", 2, "new\n")]
    state = at(files, 0)
    assert (state.text(), state.certain) == ("old\n", False)
    assert state.words == "as step 2 found it; 1 command until step 2 may have changed it"


def test_a_version_is_certain_at_its_step_and_until_an_edit_that_finds_it_again() -> None:
    files = files_of(
        *edit("1", A, "a", "b"),
        *command("2", "ls | head 2>/dev/null"),
        *edit("3", A, "b", "c"),
        *command("4", "pytest"),
        *edit("5", A, "c", "d"),
        *command("6", "make"),
        *command("7", "ls"),
    )
    assert [at(files, step).certain for step in range(1, 8)] == [
        True, True, True, True, True, False, False,
    ]  # fmt: skip
    assert at(files, 5).words == "certain"
    assert at(files, 7).words == "as of step 5; 1 command since may have changed it"
    assert at(files, 999) == at(files, None)


def test_a_command_that_put_things_back_makes_what_was_between_uncertain() -> None:
    files = files_of(
        *edit("1", A, "a", "b"),
        *command("2", "git stash"),
        *command("3", "cat src/a.py"),
        *command("4", "git stash pop"),
        *edit("5", A, "b", "c"),
    )
    assert [at(files, step).certain for step in range(1, 6)] == [True, False, False, True, True]


def test_edits_that_do_not_join_leave_nothing_certain_between_them() -> None:
    files = files_of(*edit("1", A, "a", "b"), *command("2", "ls"), *edit("3", A, "x", "c"))
    assert told(files)[2] == ("elsewhere", 3, "x")
    assert [at(files, step).certain for step in (1, 2, 3)] == [True, False, True]


def test_what_failed_or_was_refused_changes_nothing() -> None:
    ask, _ = edit("3", A, "b", "c")
    files = files_of(
        *edit("1", A, "a", "b"),
        *edit("2", A, None, "z", "create", is_error=True),
        ask,
        failure("3", "Error validating tool 'file_editor'", tool="file_editor"),
        *edit("4", A, "b", "d"),
    )
    assert [kind for kind, *_ in told(files)] == ["before", "edit", "edit"]


def test_an_edit_whose_error_does_not_say_that_nothing_was_done_may_have_written() -> None:
    too_large, result_of_it = edit("2", A, None, None, is_error=True)
    other = "/workspace/project/b.py"
    files = files_of(
        *edit("1", A, "a", "b"), *edit("0", other, "a", "bb"), too_large, result_of_it,
        *command("3", "ls"),
    )  # fmt: skip
    states = {state.path: len(state.since) for state in files.at(4)}
    assert states == {A: 1, other: 0}


def test_patches_move_and_delete() -> None:
    changes = {
        "src/a.py": {
            "type": "update", "old_content": "a\n", "new_content": "b\n", "move_path": "b.py",
        },
        "c.py": {"type": "delete", "old_content": "c\n"},
    }  # fmt: skip
    files = files_of(*patch("1", "", {"changes": changes}))
    kinds = {
        file.path: [(one.kind, one.exists, one.text()) for one in file.versions]
        for file in files.files
    }
    assert kinds == {
        "/workspace/project/b.py": [("move", True, "b\n")],
        "/workspace/project/c.py": [("before", True, "c\n"), ("delete", False, None)],
        A: [("before", True, "a\n"), ("move", False, None)],
    }
    exists = {state.path: (state.exists, state.certain) for state in files.at(1)}
    assert exists == {path: (path.endswith("b.py"), True) for path in kinds}


def test_a_patch_adds_over_what_is_there_and_does_not_tell() -> None:
    def one(id: str, **change: str) -> tuple[Event, Event]:
        return patch(id, "", {"changes": {"src/a.py": change}})

    files = files_of(
        *one("1", type="delete", old_content="a"),
        *command("2", "make"),
        *one("3", type="add", new_content="b"),
    )
    assert [at(files, step).certain for step in (1, 2, 3)] == [True, False, True]


def test_a_file_that_a_command_moved_is_followed() -> None:
    there = "/workspace/project/there.py"
    files = files_of(
        *edit("1", A, None, "one\n", "create"),
        *command("2", "mv src/a.py there.py"),
        *edit("3", there, "one\n", "one\ntwo\n"),
    )
    file = files.named(there)
    found = blame(files, file, files.at_file(file))
    assert [(line.text, line.origin, line.step) for line in found.lines] == [
        ("one", "edit", 1),
        ("two", "edit", 3),
    ]
    assert files.at_file(file, 0).exists is None


def test_a_tool_that_is_not_known_may_write_and_one_that_reads_may_not() -> None:
    think = call("2", {"kind": "ThinkAction", "thought": "x"}, tool="think")
    mcp = call("3", {"kind": "MCPToolAction", "data": {}}, tool="fetch")
    files = files_of(
        *edit("1", A, "a", "b"),
        think, result("2", {"kind": "ThinkObservation"}, tool="think"),
        mcp, result("3", {"kind": "MCPToolObservation"}, tool="fetch"),
        event("HookExecutionEvent", "4", hook_command="ruff format"),
    )  # fmt: skip
    assert [len(at(files, step).since) for step in (1, 2, 3, 4)] == [0, 0, 1, 2]


def test_a_process_that_stays_may_write_for_ever() -> None:
    files = files_of(
        *edit("1", A, "a", "b"),
        *command("2", "npm run watch &"),
        *edit("3", A, "b", "c"),
        *command("4", "ls"),
        *edit("5", A, "c", "d"),
    )
    assert [at(files, step).certain for step in range(1, 6)] == [True, False, False, False, False]


def test_a_command_that_had_not_ended_may_write_until_it_has() -> None:
    files = files_of(
        shell("1", "make"), output("1", code=-1),
        *edit("2", A, "a", "b"),
        shell("3", ""), output("3", code=0),
        *edit("4", A, "b", "c"),
    )  # fmt: skip
    assert [at(files, step).certain for step in range(1, 5)] == [False, False, True, True]


def test_a_file_that_another_name_reaches_is_not_certain() -> None:
    link = "/workspace/project/link.py"
    files = files_of(*edit("1", A, "a", "b"), *edit("2", link, "b", "c"), *command("3", "ls"))
    states = {state.path: [w.label for w in state.since] for state in files.at(3)}
    assert states == {A: [2], link: []}


@pytest.mark.parametrize("sign", ["\ufffd", "<secret-hidden>"])
def test_a_text_in_which_something_was_replaced_is_not_certain(sign: str) -> None:
    assert not at(files_of(*edit("1", A, "a", f"b{sign}")), 1).certain


def test_line_ends_that_the_editor_does_not_show_are_no_change() -> None:
    files = files_of(*edit("1", A, None, "a\r\n", "create"), *edit("2", A, "a\n", "b\n"))
    assert [kind for kind, *_ in told(files)] == ["create", "edit"]


def test_a_file_is_named_by_its_path_or_an_ending_that_only_one_has() -> None:
    other = "/workspace/project/test/a.py"
    files = files_of(*edit("1", A, "a", "b"), *edit("2", other, "a", "c"))
    assert files.named("src/a.py").path == files.named(A).path == A
    assert files.named("test/a.py").path == other
    with pytest.raises(Problem, match="2 files end with"):
        files.named("a.py")
    with pytest.raises(Problem, match="changed z"):
        files.named("z.py")
    for wrong in ("x", "-1", "1.1", "", "9" * 30, "1.", "²"):
        with pytest.raises(Problem, match="no step"):
            files.moment(wrong)


def test_a_run_that_grows_is_read_on() -> None:
    trajectory = run(*edit("1", A, "a", "b"), live=True)
    study = Study(trajectory)
    assert at(study.files, None).text() == "b"
    trajectory.extend([*edit("2", A, "b", "c")])
    study.update()
    assert at(study.files, None).text() == "c"
    assert at(study.files, 1).certain


def at_once(*pairs: tuple[Event, Event]) -> list[Event]:
    """Calls of one answer, then their results."""
    for asked, _ in pairs:
        asked.llm_response_id = "one"
    return [*(asked for asked, _ in pairs), *(answered for _, answered in pairs)]


def test_calls_of_one_answer_run_one_after_the_other_unless_the_agent_runs_several() -> None:
    def events() -> list[Event]:
        return at_once(command("1", "make"), edit("2", A, "a", "b"), command("3", "ls"))

    def state_of(limit: int) -> Event:
        agent = {"agent": {"tool_concurrency_limit": limit}}
        return event("ConversationStateUpdateEvent", "s", key="full_state", value=agent)

    assert at(files_of(*events()), 2).certain
    assert at(files_of(state_of(1), *events()), 2).certain
    assert not at(files_of(state_of(4), *events()), 2).certain


def test_results_that_came_in_another_order_ran_side_by_side() -> None:
    pairs = command("1", "make"), edit("2", A, "a", "b")
    pairs[0][1].timestamp, pairs[1][1].timestamp = "2026-03-01T10:00:09", "2026-03-01T10:00:05"
    assert not at(files_of(*at_once(*pairs)), 2).certain


def test_what_cannot_be_read_may_have_been_anything() -> None:
    broken = parse_event(b"{")
    files = files_of(*edit("1", A, "a", "b"), broken, *edit("2", A, "b", "c"), *command("3", "ls"))
    assert [len(at(files, step).since) for step in (1, 2, 3)] == [0, 1, 0]


def acp(id: str, verb: str, **more: Any) -> Event:
    """A call of another agent, whose only report is that it has ended."""
    fields = {"tool_call_id": id, "tool_kind": verb, "status": "completed"} | more
    return event("ACPToolCallEvent", id, **fields)


CHANGE = {"type": "diff", "path": A, "oldText": "a", "newText": "b"}


def test_another_agent_tells_lines_and_not_files() -> None:
    files = files_of(
        *edit("0", A, "x", "a"),
        acp("1", "edit", content=[CHANGE]),
        acp("2", "read", raw_input={"path": A}),
        acp("3", "execute", raw_input={"command": "ls"}),
        acp("4", "execute", raw_input={"command": "make"}),
        acp("5", "move", raw_input={"path": "/workspace/project/b"}),
    )
    (one,) = [state for state in files.at(3) if state.path == A]
    assert (one.version, one.exists, one.certain, one.since) == (None, True, False, ())
    (one,) = [state for state in files.at() if state.path == A]
    assert [writer.label for writer in one.since] == [5, 6]


def test_an_edit_that_does_not_tell_has_the_text_that_the_next_one_finds() -> None:
    files = files_of(
        *edit("1", A, "x", "a"),
        acp("2", "edit", content=[CHANGE]),
        *command("3", "ls"),
        *edit("4", A, "b", "d"),
    )
    assert told(files)[2] == ("edit", 2, "b")
    assert not at(files, 2).certain
