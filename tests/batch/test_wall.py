"""The wall: which runs have a tile, and what the end of a run tells there."""

from __future__ import annotations

from msgspec.structs import replace

from oh_tui.batch.reports import wall
from oh_tui.catalog.needy import Needy, needy
from oh_tui.catalog.status_cache import UNSEEN, LastKnown
from oh_tui.conversation import Conversation, Metrics
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import build
from tests.batch.made import TOKEN
from tests.trajectory.made import call, message, output, shell

EDIT = {"command": "str_replace", "old_str": "a", "new_str": "b"}


def one(number: int, status: str = "running", **more: object) -> Conversation:
    given = {"sandbox_id": f"box-{number}", "sandbox_status": "RUNNING"} | more
    return Conversation(f"{number:032x}", f"Run {number}", execution_status=status, **given)  # type: ignore[arg-type]


def row(conversation: Conversation, known: LastKnown = UNSEEN) -> Needy:
    return needy([conversation], lambda _: known)[1][0]


def edit(id: str, path: str) -> list[Event]:
    action = {"kind": "FileEditorAction", "path": path, **EDIT}
    return [call(id, action, tool="file_editor"), output(id, "edited", tool="file_editor")]


def tile(number: int, path: str, **more: object) -> wall.Tile:
    return wall.tile_of(row(one(number, **more)), build(edit("e", path), live=True))  # type: ignore[arg-type]


def test_six_have_a_tile_those_that_wait_first_and_none_that_failed() -> None:
    statuses = ["running", "error", *["running"] * 6, "waiting_for_confirmation", "stuck"]
    rows = needy([one(n, status) for n, status in enumerate(statuses)], lambda _: UNSEEN)[1]
    found = wall.rows_of(rows)
    assert [each.conversation.title for each in found] == [
        *("Run 8", "Run 0", "Run 2", "Run 3", "Run 4", "Run 5")
    ]


def test_a_tile_tells_what_the_end_of_a_run_tells() -> None:
    events = [
        message("m", "Fix it"),
        shell("c", "pytest -q", thought=[{"type": "text", "text": "First\n\nthe tests."}]),
        output("c", "1 passed"),
    ]
    found = wall.tile_of(row(one(1)), build(events, live=True))
    assert (found.call, found.says) == ("$ pytest -q", ("First", "the tests."))
    assert found.phase == "test"
    assert found.heard is None, "these times have no zone"
    assert (found.fill, found.hourly) == (None, None), "no answer tells its tokens"


def test_of_a_run_that_is_not_read_only_what_is_remembered_is_told() -> None:
    known = LastKnown("waiting", 1.0, "asks: rm -r build")
    asleep = Conversation("a" * 32, sandbox_status="PAUSED", metrics=Metrics(1.25))
    found = wall.tile_of(row(asleep, known), None)
    assert (found.call, found.says, found.heard) == ("asks: rm -r build", (), None)
    assert "$1.25+  " in wall.facts_of(found, "")[1][0]


def test_what_an_agent_says_is_safe_and_bounded() -> None:
    said = "x" * 100_000 + f"\n\x1b[31mthe key is {TOKEN}\x1b[0m"
    found = wall.tile_of(row(one(1)), build([message("m", said, source="agent")], live=True))
    assert TOKEN not in "".join(found.says) and "\x1b" not in "".join(found.says)
    assert found.says[-1].startswith("the key is ")
    assert sum(map(len, found.says)) <= wall.SAID
    talks = [message(f"m{n}", f"{n} " + "y" * 900, source="agent") for n in range(50)]
    long = wall.tile_of(row(one(1)), build(talks, live=True)).says
    assert [line[:2] for line in long] == ["47", "48", "49"]


def test_a_file_that_two_runs_edit_is_marked_in_both() -> None:
    path = "/workspace/api/app/models.py"
    same = {"selected_repository": "acme/api"}
    first, second = wall.with_shared([tile(1, path, **same), tile(2, path, **same)])
    assert [(p, c.title) for p, c in first.shared] == [("api/app/models.py", "Run 2")]
    assert [(p, c.title) for p, c in second.shared] == [("api/app/models.py", "Run 1")]
    in_one_box = wall.with_shared([tile(n, path, sandbox_id="box") for n in (1, 2)])
    assert all(each.shared for each in in_one_box)


def test_a_path_in_two_places_is_no_file_of_both() -> None:
    path = "/workspace/a.py"
    for others in (
        [tile(1, path), tile(2, path)],  # each in its own sandbox
        [tile(1, path, selected_repository="a/b"), tile(2, path, selected_repository="a/c")],
        [tile(1, path, sandbox_id="b", server="x"), tile(2, path, sandbox_id="b", server="y")],
        [tile(n, path, sandbox_id=None, home=f"/{n}.zip") for n in (1, 2)],
        [tile(n, f"/workspace/{n}.py", selected_repository="a/b") for n in (1, 2)],
    ):
        assert not any(each.shared for each in wall.with_shared(others))


def test_files_that_are_known_to_be_edited_stay_so() -> None:
    quiet = build([message("m", "Go on")], live=True)
    edits = {"/workspace/a.py": "a.py"}
    found = wall.tile_of(row(one(1)), quiet, edits)
    assert found.edits == edits


def test_the_facts_of_a_tile_say_what_is_not_known() -> None:
    asleep = Conversation("a" * 32, execution_status="running", sandbox_status="RUNNING")
    lines = wall.facts_of(wall.tile_of(row(asleep), None), "")
    assert lines == [("running: nothing known yet", "dim")]
    lines = wall.facts_of(wall.tile_of(row(replace(asleep, metrics=Metrics(1.25))), None), "3m ago")
    assert lines == [
        ("nothing is known of its last call", ""),
        ("$1.25+  last event 3m ago  context, cost an hour not known", "dim"),
    ]
