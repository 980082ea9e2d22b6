"""The files that a run changed: relevant calls, aliases of a file, sizes, hostile events."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.trajectory.changes.changes import ChangeLog, FileChange, changes
from oh_tui.trajectory.model.difference import count_changes, count_lines, unified
from oh_tui.trajectory.model.events import Event, parse_event
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation.change_rows import left_out, rows, without_servers
from tests.demo_runs import SLUGS, demo_run
from tests.trajectory.edited import A, edit, patch, run, view
from tests.trajectory.made import call, event, failure, output, result, shell
from tests.work import counted

X = "0123456789abcdef" * 2
OF_SERVER = [
    "/tmp/s/.openhands-agent-server.log",
    f"workspace/bash_events/20261201064751591827_BashCommand_{X}",
    f"/tmp/s/workspace/bash_events/20261201064751591827_BashOutput_{X}_{X}",
    f"/tmp/s/workspace/conversations/{X}/.owner_lease.lock",
    f"conversations/{X}/events/event-00000-a4b1462c-039d-4547-b005-9de88b0cdb26.json",
    f"/tmp/s/workspace/conversations/{X}/subagents/{X}/base_state.json",
]
"""Files that agent server 1.34.0 writes below its folder."""
OTHERS = [
    "/w/openhands-agent-server.log",
    "/w/docs/.openhands-agent-server.log.md",
    "/w/bash_events/notes.txt",
    "/w/bash_events/2026_Bash.md",
    "/w/conversations/hello.json",
    f"/w/conversations/{X}.json",
    f"/w/{X}/meta.json",
]


def test_the_files_of_the_server_are_counted_and_left_out() -> None:
    git = [("A", path) for path in (*OF_SERVER, *OTHERS)]
    assert without_servers(git) == ([("A", path) for path in OTHERS], len(OF_SERVER))
    assert left_out(42) == "42 of the server's own files left out"
    assert without_servers([]) == ([], 0) and left_out(0) == ""


def only(log: ChangeLog) -> FileChange:
    (file,) = log.files
    return file


def told(log: ChangeLog) -> list[tuple[str, int, int, str]]:
    return [(file.shown, file.added, file.removed, file.fate) for file in log.files]


def test_a_file_is_counted_from_its_first_text_to_its_last() -> None:
    log = changes(
        run(
            *view("r", A),
            *edit("1", A, "a\nb\n", "a\nB\n"),
            *shell_pair("s"),
            *edit("2", A, "a\nB\n", "a\nB\nc\n"),
        )
    )
    file = only(log)
    assert (file.shown, len(file.reads), file.steps, file.last_step) == ("src/a.py", 1, [2, 4], 4)
    assert (file.added, file.removed, file.whole, file.fate) == (2, 1, True, "")
    assert log.whole_change(file.path) == ("a\nb\n", "a\nB\nc\n")
    assert log.headline == "changed 1 file +2 -1"
    assert log.only_read == []


def shell_pair(id: str) -> tuple[Event, Event]:
    return shell(id), output(id)


def test_failed_refused_and_unanswered_edits_do_not_count() -> None:
    refused, failed = edit("2", A, "a", "b")[0], edit("3", A, "a", "b")[0]
    no = event("UserRejectObservation", "no", action_id="2", tool_call_id="call-2")
    trajectory = run(
        *edit("1", A, "a", "b", is_error=True),
        refused,
        no,
        failed,
        failure("3", "no such file", tool="file_editor"),
        edit("4", A, "a", "b")[0],
        call("5", None, tool="file_editor"),
    )
    log = changes(trajectory)
    assert (log.files, log.headline, log.changed) == ([], "", 0)


def test_an_edit_counts_when_its_result_comes() -> None:
    asked, answered = edit("1", A, "a\n", "b\n")
    trajectory = run(asked, live=True)
    log = changes(trajectory)
    assert log.headline == ""
    trajectory.extend([*edit("2", A, "b\n", "b\nc\n"), answered])
    log.update()
    assert only(log).steps == [1, 2]
    assert log.whole_change(only(log).path) == ("a\n", "b\nc\n")
    assert log.headline == "changed 1 file +2 -1"


def test_what_was_undone_again_is_no_change() -> None:
    log = changes(run(*edit("1", A, "a", "b"), *edit("2", A, "b", "a", "undo_edit")))
    assert told(log) == [("src/a.py", 0, 0, "as it was before")]
    assert (log.changed, log.headline) == (0, "")


def test_new_and_deleted_files_are_named_so() -> None:
    delete = "*** Begin Patch\n*** Delete File: src/a.py\n*** End Patch"
    gone = {"changes": {"src/a.py": {"type": "delete", "old_content": "a\nb\n"}}}
    create = edit("1", A, None, "a\nb\n", "create", file_text="a\nb\n")
    assert told(changes(run(*create))) == [("src/a.py", 2, 0, "new")]
    assert told(changes(run(*patch("1", delete, gone)))) == [("src/a.py", 0, 2, "deleted")]
    log = changes(run(*create, *patch("2", delete, gone)))
    assert told(log) == [("src/a.py", 0, 0, "made and deleted")]
    assert log.changed == 0
    unknown = changes(run(*patch("1", delete)))
    assert told(unknown) == [("src/a.py", 0, 0, "deleted")]
    assert not only(unknown).whole
    assert unknown.headline == "changed 1 file"


@pytest.mark.parametrize(
    "spelling",
    [
        "/workspace/project/src/a.py",
        "src/a.py",
        "./src/a.py",
        "src//x/../a.py",
        "//workspace/project/src/a.py",
    ],
)
def test_one_file_by_several_spellings_is_one(spelling: str) -> None:
    log = changes(run(*edit("1", A, "a\n", "b\n"), *edit("2", spelling, "b\n", "c\n")))
    assert only(log).steps == [1, 2]


def test_a_relative_path_is_meant_from_where_the_agent_works() -> None:
    state = event(
        "ConversationStateUpdateEvent",
        "s",
        key="full_state",
        value={"workspace": {"working_dir": "/workspace/shop/"}},
    )
    update = "*** Begin Patch\n*** Update File: a.py\n@@\n-a\n+b\n*** End Patch"
    events = [*edit("1", "/workspace/shop/a.py", "a\n", "b\n"), *patch("2", update)]
    assert [file.shown for file in changes(run(state, *events)).files] == ["shop/a.py"]
    # a process sandbox only says "."; its first command knows
    state = event(
        "ConversationStateUpdateEvent",
        "s",
        key="full_state",
        value={"workspace": {"working_dir": "."}},
    )
    first = {"kind": "TerminalObservation", "metadata": {"working_dir": "/workspace/shop"}}
    events = [state, shell("c"), result("c", first), *events]
    assert len(changes(run(*events)).files) == 1


def test_a_patch_tells_its_files_whole_when_it_holds_them() -> None:
    text = "*** Begin Patch\n*** Update File: a.py\n@@\n-a\n+b\n*** Add File: b.py\n+x\n+y\n"
    commit = {
        "changes": {
            "a.py": {"type": "update", "old_content": "a\nz\n", "new_content": "b\nz\n"},
            "b.py": {"type": "add", "new_content": "x\ny"},
        }
    }
    log = changes(run(*patch("1", text, commit)))
    assert told(log) == [("a.py", 1, 1, ""), ("b.py", 2, 0, "new")]
    assert all(file.whole for file in log.files)
    pieces = changes(run(*patch("1", text)))
    assert told(pieces) == told(log)
    assert [file.whole for file in pieces.files] == [False, True]
    assert pieces.whole_change(pieces.files[0].path) is None
    assert pieces.hunks(pieces.files[0].path, 9) == [(1, "@@\n-a\n+b")]


def test_a_moved_file_is_one_deleted_and_one_new() -> None:
    text = "*** Begin Patch\n*** Update File: a.py\n*** Move to: b.py\n@@\n-a\n+b\n*** End Patch"
    moved = {"type": "update", "old_content": "a\n", "new_content": "b\n", "move_path": "b.py"}
    whole = changes(run(*patch("1", text, {"changes": {"a.py": moved}})))
    assert told(whole) == [("a.py", 0, 1, "deleted"), ("b.py", 1, 0, "new")]
    pieces = changes(run(*patch("1", text)))
    assert [file.fate for file in pieces.files] == ["deleted", "new"]


def test_pieces_are_summed_and_said_to_be_pieces() -> None:
    def piece(id: str, old: str, new: str) -> list[Event]:
        action = {"kind": "EditAction", "file_path": "a.js", "old_string": old, "new_string": new}
        return [call(id, action, tool="edit"), result(id, {"kind": "EditObservation"})]

    trajectory = run(*piece("1", "a", "b\nc"), live=True)
    log = changes(trajectory)
    assert (told(log), only(log).whole) == ([("a.js", 2, 1, "")], False)
    trajectory.extend(piece("2", "c", ""))
    log.update()
    assert told(log) == [("a.js", 2, 2, "")]
    assert [step for step, _ in log.hunks(only(log).path, 1)] == [2]


def test_tools_of_gemini_tell_the_file_they_wrote() -> None:
    written = {"kind": "WriteFileAction", "file_path": "a.js", "content": "1\n"}
    seen = {
        "kind": "WriteFileObservation",
        "file_path": A,
        "old_content": "0\n",
        "new_content": "1\n",
    }
    read = {"kind": "ReadFileAction", "file_path": "b.js"}
    log = changes(
        run(
            call("1", written, tool="write_file"),
            result("1", seen),
            call("2", read, tool="read_file"),
            result("2", {"kind": "ReadFileObservation"}),
        )
    )
    assert told(log) == [("a.js", 1, 1, "")]
    assert [file.shown for file in log.only_read] == ["b.js"]


def test_another_agent_tells_pieces() -> None:
    def report(id: str, **more: Any) -> Event:
        return event("ACPToolCallEvent", id, tool_call_id="t", tool_kind="edit", **more)

    blocks = [
        {"type": "diff", "path": A, "oldText": "a", "newText": "b"},
        {"type": "diff", "path": A, "oldText": "c", "newText": "d\ne"},
    ]
    done = run(report("1", status="pending"), report("2", status="completed", content=blocks))
    assert told(changes(done)) == [("src/a.py", 3, 2, "")]
    failed = run(report("1", status="pending"), report("2", status="failed", content=blocks))
    assert told(changes(failed)) == []


def test_a_result_without_its_call_counts_too() -> None:
    assert told(changes(run(edit("1", A, "a\n", "b\n")[1]))) == [("src/a.py", 1, 1, "")]


def test_folders_are_no_files() -> None:
    folder = "Here's the files and directories up to 2 levels deep in /workspace/project"
    log = changes(run(*view("1", "/workspace/project", folder), *view("2", A), *view("3", A)))
    assert [(file.shown, len(file.reads)) for file in log.only_read] == [("src/a.py", 2)]


def test_steps_that_are_numbered_anew_are_read_anew() -> None:
    asked, answered = edit("1", A, "a\n", "b\n")
    late = edit("2", "b.py", "a\n", "b\n")
    trajectory = run(answered, *late, live=True)
    log = changes(trajectory)
    assert [file.steps for file in log.files] == [[2], [1]]
    trajectory.extend([asked])
    log.update()
    assert {file.shown: file.steps for file in log.files} == {"b.py": [1], "src/a.py": [2]}


def test_git_stands_beside_and_differences_are_marked() -> None:
    b, c = "/workspace/project/b.py", "c.py"
    log = changes(
        run(
            *edit("1", A, "a\n", "b\n"),
            *edit("2", b, None, "x\n", "create"),
            *edit("3", c, "a", "b"),
            *edit("4", c, "b", "a"),
            *view("5", "d.py"),
        )
    )
    alone = [(row.path, row.remark("")) for row in rows(log, None)]
    assert alone == [("b.py", "new"), ("c.py", "as it was before"), ("src/a.py", "")]
    beside = rows(log, [("M", "src/a.py"), ("M", "uv.lock"), ("A", "/workspace/project/d.py")])
    assert [(row.path, row.letter, row.remark("git")) for row in beside] == [
        ("b.py", "", "new, not in git"),
        ("c.py", "", "as it was before"),
        ("d.py", "A", "outside the editor"),
        ("src/a.py", "M", ""),
        ("uv.lock", "M", "outside the editor"),
    ]


def test_files_of_sub_agents_stand_beside_those_of_the_run() -> None:
    log, below = changes(run(*edit("1", A, "a", "b"))), f"{A}b"
    other = changes(run(*edit("1", A, "b", "c"), *edit("2", below, "a", "b")))
    found = rows(log, [("M", A), ("M", below), ("A", "c.py")], {"7.": other})
    assert [(row.path, row.agent, row.letter, row.remark("git")) for row in found] == [
        ("c.py", "", "A", "outside the editor"),
        ("src/a.py", "", "M", ""),
        ("src/a.py", "7", "M", "by sub-agent 7"),
        ("src/a.pyb", "7", "M", "by sub-agent 7"),
    ]
    assert found[3].label(2) == "7.2"


def test_the_runs_of_the_demo_change_what_they_say() -> None:
    assert changes(demo_run("week-dates")).headline == "changed 6 files +79 -1"
    assert changes(demo_run("oauth")).headline == "changed 4 files +54"
    assert changes(demo_run("coverage")).changed == 364
    assert changes(demo_run("dep-bump")).headline == ""


@pytest.mark.parametrize("slug", SLUGS)
def test_reading_as_it_grows_comes_to_the_same_and_so_does_the_other_server(slug: str) -> None:
    whole = changes(demo_run(slug))
    trajectory = Trajectory(live=True)
    log = ChangeLog(trajectory)
    events = demo_run(slug).events
    for start in range(0, len(events), 97):
        trajectory.extend(events[start : start + 97])
        while not log.update(budget=0.001):
            pass
    assert told(log) == told(whole)
    assert [file.steps for file in log.files] == [file.steps for file in whole.files]
    assert log.headline == whole.headline == changes(demo_run(slug, "agent")).headline


LINES = st.text("ab\n", max_size=12)


@given(LINES, LINES, LINES, LINES)
def test_the_quick_count_is_that_of_the_diff(head: str, old: str, new: str, tail: str) -> None:
    old, new = head + old + tail, head + new + tail
    assert count_lines(old, new) == count_changes(unified(old, new))


def test_a_huge_file_edited_many_times_is_quick_and_not_kept() -> None:
    base = "".join(f"line {n} of a generated file\n" for n in range(330_000))
    assert len(base) > 9_000_000
    first = edit("0", A, base + "a\n", base + "b\n")
    middle = [e for n in range(1, 10_000) for e in edit(str(n), A, None, None, old_str="a")]
    last = edit("last", A, base + "y\n", base + "z\n")
    trajectory = run(*first, *middle, *last)
    with counted() as work:
        log = changes(trajectory)
    assert work.lines < 5_000_000
    file = only(log)
    assert (file.added, file.removed, len(file.edits)) == (1, 1, 10_001)


def test_thousands_of_files_are_quick() -> None:
    events = [e for n in range(4000) for e in edit(str(n), f"/w/{n:04}.py", "a\n", "b\n")]
    with counted() as work:
        log = changes(run(*events))
    assert work.lines < 5_000_000
    assert log.headline == "changed 4,000 files +4000 -4000"


def test_odd_paths_and_texts_are_shown_harmless() -> None:
    odd = "/workspace/project/\x1b[31mx\x07\n\u202ey/" + "z" * 9000
    secret = "/workspace/project/sk-ant-api03-" + "a1B2" * 12
    log = changes(
        run(
            *edit("1", odd, "\0\x1b]0;t\x07" * 50, "\ud800\0\r\n"),
            *edit("2", secret, "a", "b"),
            *edit("3", "", "a", "b"),
            *edit("4", "\0", "a", "b"),
        )
    )
    assert all(file.shown.isprintable() and len(file.shown) <= 400 for file in log.files)
    assert "sk-ant" not in "".join(file.shown for file in log.files)
    assert len(log.files) == 3


NAMES = st.sampled_from(
    ["command", "path", "file_path", "old_content", "new_content", "old_str", "new_str", "kind",
     "file_text", "patch", "commit", "changes", "type", "move_path", "is_new_file", "prev_exist",
     "content", "raw_input", "status", "oldText", "newText"]
)  # fmt: skip
ANY = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)
KINDS = ("FileEditor", "Edit", "WriteFile", "ReadFile", "ApplyPatch", "PlanningFileEditor")


@given(st.lists(st.tuples(st.sampled_from(KINDS), ANY, ANY, st.booleans()), max_size=5))
def test_events_of_any_shape_never_raise(odd: list[tuple[str, Any, Any, bool]]) -> None:
    bodies: list[dict[str, Any]] = []
    for number, (kind, action, seen, is_acp) in enumerate(odd):
        fields = action if isinstance(action, dict) else {"path": action}
        if is_acp:
            bodies.append(
                {"kind": "ACPToolCallEvent", "status": "completed", "tool_call_id": str(number)}
                | {"tool_kind": "edit", "raw_input": action, "content": seen, "id": f"p{number}"}
            )
            continue
        bodies.append(
            {"kind": "ActionEvent", "id": f"a{number}", "tool_call_id": f"c{number}"}
            | {"action": fields | {"kind": f"{kind}Action"}}
        )
        inside = seen if isinstance(seen, dict) else {"commit": {"changes": seen}}
        bodies.append(
            {"kind": "ObservationEvent", "id": f"o{number}", "action_id": f"a{number}"}
            | {"observation": inside | {"kind": f"{kind}Observation", "is_error": False}}
        )
    log = changes(run(*(parse_event(json.dumps(body).encode()) for body in bodies)))
    for file in log.files:
        assert file.added >= 0 and file.removed >= 0
        log.whole_change(file.path)
        log.hunks(file.path, 5)
    assert rows(log, [("M", "x")])


# calls of another agent


def report(id: str, status: str, *blocks: tuple[str, str, str], **more: Any) -> Event:
    content = [
        {"type": "diff", "path": path, "oldText": old, "newText": new} for path, old, new in blocks
    ]
    given = {"tool_kind": "edit", "tool_call_id": "c", "status": status, "content": content}
    return event("ACPToolCallEvent", id, **(given | more))


def follow(*batches: list[Event]) -> ChangeLog:
    """The log of a run that came in batches; it must be that of the run read whole."""
    trajectory = Trajectory(live=True)
    log = ChangeLog(trajectory)
    for batch in batches:
        trajectory.extend(batch)
        log.update()
    assert state_of(log) == state_of(changes(trajectory))
    return log


def state_of(log: ChangeLog) -> Any:
    files = [
        (f.shown, f.steps, [s.number for s in f.reads], f.added, f.removed, f.fate, f.whole)
        for f in (*log.files, *log.only_read)
    ]
    return files, log.headline, log.why_nothing


def test_of_a_run_without_steps_nothing_is_claimed() -> None:
    assert changes(Trajectory()).why_nothing.startswith("no steps are known")


def test_a_later_report_of_a_call_counts_in_place_of_the_one_before() -> None:
    done = report("1", "completed", (A, "x\n", "y\n"))
    assert follow([done]).headline == "changed 1 file +1 -1"
    assert follow([done], [report("2", "failed", (A, "x\n", "y\n"))]).headline == ""
    two = report("2", "completed", (A, "x\n", "y\nz\n"), ("/w/b", "", "b\n"))
    assert follow([done], [two]).headline == "changed 2 files +3 -1"
    other = report("2", "completed", ("/w/b", "", "b\n"))
    assert told(follow([done], [other])) == [("/w/b", 1, 0, "")]
    begun = report("0", "in_progress", (A, "x\n", "y\n"))
    assert follow([begun], [done], [report("2", "in_progress")]).headline == ""


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["in_progress", "completed", "failed"]),
            st.sampled_from(["c", "d"]),
            st.lists(st.sampled_from([(A, "x\n", "y\n"), ("/w/b", "", "b\n")]), max_size=2),
            st.sampled_from(["edit", "read"]),
        ),
        max_size=8,
    ),
    st.integers(1, 4),
)
def test_reports_in_batches_come_to_the_same_as_read_whole(told: list[Any], size: int) -> None:
    events = [
        report(str(n), status, *blocks, tool_call_id=name, tool_kind=kind, raw_input={"path": A})
        for n, (status, name, blocks, kind) in enumerate(told)
    ]
    follow(*(events[at : at + size] for at in range(0, len(events), size)))


def test_a_text_that_is_too_long_for_a_diff_is_counted_quickly() -> None:
    old = "".join(f"line {n} of a file\n" for n in range(100_000))
    new = "".join(f"line {n} of a {'file' if n % 10 else 'list'}\n" for n in range(100_001))
    with counted() as work:
        lines = count_lines(old, new)
    assert work.lines < 600_000
    assert lines == count_changes(unified(old, new)) == (100_001, 100_000)
