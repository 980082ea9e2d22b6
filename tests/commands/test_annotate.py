"""`bookmark`, `note`, `tag` and `rename`, and what other commands tell of what is kept."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from oh_tui.demo.catalog import ENTRIES
from oh_tui.settings.paths import state_file
from tests.commands import schemas
from tests.commands.conftest import IDS
from tests.commands.shell import Shell, shell
from tests.processes import oh_tui

__all__ = ["shell"]

DATES, OAUTH, FLAKY = IDS["week-dates"], IDS["oauth"], IDS["flaky-ci"]
GONE = next(e.id.replace("-", "") for e in ENTRIES if e.slug == "fix-add")


def document(said: Any, schema: str) -> Any:
    found = json.loads(said.out)
    schemas.check(schema, found)
    return found


def kept_file() -> Path:
    import os

    file = state_file(os.environ, "annotations")
    assert file
    return file


def test_a_bookmark_is_set_listed_and_taken_off(shell: Shell) -> None:
    said = shell(f"bookmark {DATES} --at 58")
    assert (said.code, said.err) == (0, "")
    assert said.out == "58\t$ python -m dates 2021-W53-1 --explain\n"
    shell(f"bookmark {DATES} --at 12")
    shell(f"note {DATES} --at 12 'look here'")
    found = document(shell(f"bookmark {DATES} --json"), "bookmark")
    assert [(one["step"], one["note"]) for one in found["bookmarks"]] == [
        (12, "look here"),
        (58, None),
    ]
    event = found["bookmarks"][1]["event"]
    assert shell(f"bookmark {DATES} --at {event[:8]} --remove").out.startswith("12\t")
    steps = shell(f"steps {DATES} is:bookmarked --json")
    (step,) = document(steps, "steps")["steps"]
    assert (step["index"], step["bookmarked"], step["note"]) == (12, True, "look here")
    assert stat.S_IMODE(kept_file().stat().st_mode) == 0o600


def test_a_note_is_written_read_and_removed(shell: Shell) -> None:
    assert shell(f"note {DATES}").out == ""
    said = shell(f"note {DATES} 'ask [Ada] about it'")
    assert (said.code, said.out) == (0, "ask [Ada] about it\n")
    found = document(shell(f"note {DATES} --at 58 'the same again' --json"), "note")
    assert (found["step"], found["note"]) == (58, "the same again")
    assert document(shell(f"note {DATES} --json"), "note")["note"] == "ask [Ada] about it"
    assert shell(f"steps {DATES} note:AGAIN").out.startswith("58\t")
    assert shell(f"note {DATES} --remove").out == ""
    assert shell(f"note {DATES}").out == ""
    assert shell(f"note {DATES} --at 58").out == "the same again\n"


def test_tags_are_set_and_found(shell: Shell) -> None:
    assert shell(f"tag {DATES} bug kind:flaky 'why:\"two words\"'").out == (
        'bug kind:flaky why:"two words"\n'
    )
    assert shell(f"tag {DATES} -bug,-why").out == "kind:flaky\n"
    shell(f"tag {OAUTH} kind:other")
    found = document(shell("conversations tag:kind:flaky --json"), "conversations")
    (one,) = found["conversations"]
    assert one["id"] == DATES
    assert one["tags"]["kind"] == "flaky"
    assert shell("conversations tag:kind note:any").out == ""
    assert document(shell(f"tag {DATES} --json"), "tag")["tags"] == {"kind": "flaky"}
    assert shell(f"tag {GONE}").out == ""


def test_show_and_conversations_tell_what_is_kept(shell: Shell) -> None:
    shell(f"tag {DATES} bug")
    shell(f"note {DATES} 'ask Ada'")
    shell(f"bookmark {DATES} --at 58")
    shell(f"note {DATES} --at 58 again")
    shown = document(shell(f"show {DATES} --json"), "show")["conversation"]
    assert shown["tags"]["bug"] == "" and shown["note"] == "ask Ada"
    (event,) = shown["bookmarks"]
    assert shown["step_notes"] == {event: "again"}
    assert "tags\tbug\nnote\task Ada\nbookmarks\t1 step\nnotes on\t1 step\n" in (
        shell(f"show {DATES}").out
    )
    found = document(shell("conversations is:bookmarked --json"), "conversations")
    assert [one["id"] for one in found["conversations"]] == [DATES]
    other = document(shell(f"show {OAUTH} --json"), "show")["conversation"]
    assert not {"note", "bookmarks", "step_notes"} & set(other)


def test_an_export_has_them_only_when_asked(shell: Shell) -> None:
    shell(f"tag {DATES} bug")
    shell(f"note {DATES} --at 58 'key sk-ant-api03-abcdefghijklm [x]'")
    shell(f"bookmark {DATES} --at 58")
    plain = shell(f"export {DATES} is:bookmarked")
    assert "step 58" in plain.out and "bookmarked" not in plain.out and "bug" not in plain.out
    told = shell(f"export {DATES} is:bookmarked --notes")
    assert "> **bug**\n" in told.out
    assert "> **bookmarked**\n> key \\[hidden\\] \\[x\\]\n" in told.out
    assert "- step 58: a key" in told.out
    lines = shell(f"export {DATES} is:bookmarked --notes --to jsonl").out.splitlines()
    for line in lines:
        schemas.check("export", json.loads(line))
    assert json.loads(lines[0])["conversation"]["tags"]["bug"] == ""
    assert json.loads(lines[1])["step"]["bookmarked"] is True
    bare = shell(f"export {DATES} is:bookmarked --to jsonl").out
    assert "bookmarked" not in bare


def test_a_file_has_what_is_kept_of_the_run_on_its_server(shell: Shell, run_file: Path) -> None:
    shell(f"tag {DATES} bug")
    assert oh_tui("tag", run_file).stdout == "bug\n"
    done = oh_tui("note", run_file, "from the file", "--at", "58")
    assert (done.returncode, done.stdout) == (0, "from the file\n")
    assert shell(f"note {DATES} --at 58").out == "from the file\n"
    assert oh_tui("conversations", run_file, "tag:bug").stdout.startswith(DATES)
    assert oh_tui("bookmark", run_file, "--at", "1").stdout.startswith("1\t")


def test_a_note_comes_from_standard_input(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    import io
    import sys

    def typed(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    typed(b"one\x1b[31m\r\ntwo\n\n")
    assert shell(f"note {DATES} -").out == "one\ntwo\n"
    typed(b"")
    assert "There is nothing to write" in shell(f"note {DATES} -").complaint
    assert shell(f"note {DATES}").out == "one\ntwo\n", "a pipe that broke removes nothing"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (f"note {DATES} {'x' * 4_001}", "A note has at most 4,000 characters, and this one 4,001"),
        (f"note {DATES} text --remove", "--remove and a text cannot be used together"),
        (f"note {DATES} --at 99 text", "This run has no step or event 99"),
        (f"note {DATES} ''", "An argument is empty"),
        (f"rename {DATES} ''", "oh-tui rename --help shows how it is used"),
        (f"tag {DATES} bug --at 3", "tag takes no --at"),
        (f"bookmark {DATES} --at no-such", "This run has no step or event no-such"),
        (f"bookmark {DATES} --remove", "bookmark --remove needs a step"),
        (f"bookmark {'f' * 32} --at 1", "There is no conversation"),
        (f"tag {DATES} {'x' * 10_000}", "A tag has at most 64 characters before its colon"),
        (f"tag {DATES} $'a'", "$a is not a tag"),
        (f"tag {DATES} 'a\nb'", "A tag holds a line break"),
        (f"tag {DATES} 'a\x1b[31mb'", "A tag holds a line break or a character"),
        (f"tag {DATES} --on-server", "--on-server needs a tag to write"),
        (f"tag {DATES} needs-review --on-server", "The server takes only letters a-z and digits"),
        (f"tag {DATES} bug --on-server --read-only", "--read-only forbids that"),
        (f"tag {GONE} bug --on-server", "No agent server is running to keep the tags"),
        (f"rename {DATES} x --read-only", "--read-only forbids that"),
        (f"rename {DATES} ' '", "The title is empty"),
        (f"rename {DATES} {'x' * 201}", "A title has at most 200 characters, and this one 201"),
        (f"rename {DATES}", "rename needs TITLE"),
        (f"tag {DATES} bug --no-state", "--no-state keeps nothing"),
        (f"bookmark {DATES} --at 1 --no-state", "--no-state keeps nothing"),
    ],
    ids=lambda text: text[:40] + text[-24:],
)
def test_what_cannot_be_kept_is_refused(shell: Shell, line: str, told: str) -> None:
    said = shell(line)
    assert said.code in (1, 2)
    assert told in said.complaint
    assert not kept_file().exists()


def test_no_state_shows_nothing_of_what_is_kept(shell: Shell) -> None:
    shell(f"tag {DATES} bug")
    assert shell(f"tag {DATES} --no-state").out == ""
    assert shell("conversations tag:bug --no-state").out == ""


def test_a_disk_that_takes_nothing_is_told(shell: Shell) -> None:
    folder = kept_file().parent
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("a file in the place of the folder")
    said = shell(f"tag {DATES} bug").complaint
    assert f"cannot be written into {folder}: " in said and "XDG_STATE_HOME" in said


# On the server


def agent_tags(shell: Shell, identifier: str) -> dict[str, str]:
    return shell.demo.world.conversations[identifier].agent_tags


def test_tags_are_added_to_those_of_the_agent_server(shell: Shell) -> None:
    agent_tags(shell, DATES).update(team="web", kind="old")
    said = shell(f"tag {DATES} kind:flaky bug -gone --on-server")
    assert (said.code, said.err, said.out) == (0, "", "kind:flaky bug\n")
    assert agent_tags(shell, DATES) == {"team": "web", "kind": "flaky", "bug": ""}
    assert shell.between.count("PATCH *") == 1
    shell(f"tag {DATES} -team --on-server")
    assert agent_tags(shell, DATES) == {"kind": "flaky", "bug": ""}
    shown = document(shell(f"show {DATES} --json"), "show")["conversation"]
    assert shown["tags"]["team"] == "web", "the app server drops none"


def test_tags_that_the_server_has_already_are_not_written(shell: Shell) -> None:
    agent_tags(shell, DATES)["bug"] = ""
    shell(f"tag {DATES} bug --on-server")
    assert shell.between.count("PATCH *") == 0


def test_a_tag_that_another_client_sets_right_before_stays(shell: Shell) -> None:
    other: Callable[[], None] = lambda: agent_tags(shell, DATES).update(theirs="1")  # noqa: E731
    shell.between.first("GET /runtime/*/api/conversations/*", other)
    shell(f"tag {DATES} mine --on-server")
    assert agent_tags(shell, DATES) == {"theirs": "1", "mine": ""}


def test_a_server_that_does_not_keep_the_tags_is_reported_and_nothing_is_kept_here(
    shell: Shell,
) -> None:
    shell.between.answer("PATCH *", 200, '{"success": true}', "application/json")
    said = shell(f"tag {DATES} bug --on-server")
    assert said.code == 1
    assert "The agent server did not keep the tags" in said.complaint
    assert not kept_file().exists()


def test_a_conversation_is_renamed(shell: Shell) -> None:
    said = shell(f"rename {DATES} '  Week [b]dates[/b]  ✓ '")
    assert (said.code, said.out, said.err) == (0, "renamed  Week [b]dates[/b] ✓\n", "")
    found = document(shell(f"rename {DATES} 'Week dates' --json"), "rename")
    assert found == {"id": DATES, "title": "Week dates", "was": "Week [b]dates[/b] ✓"}
    assert shell(f"rename {DATES} 'Week dates'").code == 0
    assert shell.between.count("PATCH *") == 2, "the same title is not written again"


def test_a_title_that_changed_meanwhile_is_not_overwritten(shell: Shell) -> None:
    one = shell.demo.world.conversations[DATES]

    def rename() -> None:
        one.title = "Renamed by Ada"

    shell.between.after("GET /api/v1/app-conversations", rename)
    said = shell(f"rename {DATES} mine")
    assert said.code == 1
    assert "It was renamed meanwhile, to Renamed by Ada" in said.complaint
    assert one.title == "Renamed by Ada"


def test_a_file_cannot_be_renamed(run_file: Path) -> None:
    done = oh_tui("rename", run_file, "other")
    assert done.returncode == 2
    assert "rename is for conversations on a server" in done.stderr
