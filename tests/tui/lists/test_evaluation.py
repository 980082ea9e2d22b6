"""Evaluation output in the explorer: its rows, their labels, and the run of one."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from oh_tui.catalog import conversation_query
from oh_tui.settings.config import Config
from oh_tui.settings.startup import Settings
from oh_tui.sources.file_source import FileSource
from oh_tui.trajectory.formats import copies
from oh_tui.tui.totals import filter_for
from tests.trajectory.evaluation_files import history, lines, metrics, row, write
from tests.trajectory.formats.test_results_tar import results
from tests.trajectory.formats.test_tar_in_tar import V0
from tests.trajectory.formats.test_tar_runs import ordered, tar
from tests.tui.explorer import Explorer, explore

LABELS = {
    "resolved_ids": ["acme-1", "acme-4"],
    "unresolved_ids": ["acme-2"],
    "error_ids": ["acme-3"],
}


def drawn(it: Explorer) -> str:
    panes = [it.text("#conversations"), it.text("#timeline"), it.footer]
    return "\n".join([*(strip.text for strip in it.strips()), *panes])


def output(folder: Path, rows: Sequence[Any], labels: Any = None) -> Path:
    if labels:
        (folder / "output.report.json").write_text(json.dumps(labels))
    return write(folder / "output.jsonl", rows)


ROWS = [
    row("acme-1", history(2), metrics=metrics([0.25])),
    row("acme-2", history(3), metrics=metrics([1.5])),
    row("acme-3", history(1, finish=False), error="No container"),
    row("acme-4", history(1)),
    row("acme-5", history(1)),
]


async def test_rows_stand_under_their_labels_and_are_counted(tmp_path: Path) -> None:
    path = output(tmp_path, ROWS, LABELS)
    async with explore(source=lambda: FileSource([path]), size=(160, 30)) as it:
        await it.until(lambda: "$1.50" in drawn(it))
        listed = [row.conversation.title for row in it.screen.session.listed]
        assert listed == ["acme-2", "acme-3", "acme-5", "acme-1", "acme-4"]
        head = drawn(it).splitlines()[0]
        assert "✓ 2 resolved · ✗ 1 unresolved · ! 1 error · 1 unlabelled" in head
        for heading in ("unresolved", "evaluation error", "unlabelled", "resolved"):
            assert heading in drawn(it)
        assert "finished, unresolved" in drawn(it), "the run of the first row"


async def test_the_labels_are_filter_words(tmp_path: Path) -> None:
    path = output(tmp_path, ROWS, LABELS)
    async with explore(source=lambda: FileSource([path]), size=(160, 30)) as it:
        for words, found in (
            ("is:resolved", ["acme-1", "acme-4"]),
            ("is:unresolved", ["acme-2"]),
            ("is:unlabelled", ["acme-5"]),
            ("is:error", ["acme-3"]),
            ("-is:resolved is:finished", ["acme-2", "acme-5"]),
        ):
            it.screen.controllers.listing.set_filter(conversation_query.parse(words))
            await it.settle()
            assert [row.conversation.title for row in it.screen.session.listed] == found


def test_a_click_on_a_count_lists_what_it_counts() -> None:
    for fact, asked in (
        ("✗ 32 unresolved", "is:unresolved"),
        ("! 7 errors", "is:error"),
        ("10 unlabelled", "is:unlabelled"),
        ("5 conversations, $1.75", ""),
    ):
        assert filter_for(fact) == asked


async def test_all_rows_of_a_long_file_are_listed(tmp_path: Path) -> None:
    rows = [row(f"acme-{n}", history(1)) for n in range(1200)]
    path = output(tmp_path, rows, {"resolved_ids": ["acme-1100", "nosuch"]})
    async with explore(source=lambda: FileSource([path]), size=(120, 30)) as it:
        await it.until(lambda: len(it.screen.session.listed) == 1200)
        await it.settle()
        assert it.screen.session.listed[-1].conversation.title == "acme-1100"
        assert "✓ 1 resolved · 1,199 unlabelled" in drawn(it)
        assert "names 1 instance that is not in " in drawn(it)


async def test_a_row_that_comes_into_view_tells_how_it_ended(tmp_path: Path) -> None:
    path = output(tmp_path, [row(f"acme-{n}", history(1)) for n in range(800)])
    async with explore(source=lambda: FileSource([path]), size=(160, 30)) as it:
        await it.until(lambda: len(it.screen.session.listed) == 800)
        await it.settle()
        assert it.screen.session.listed[790].status == ""
        await it.press("1", "end")
        await it.until(lambda: it.screen.session.listed[790].status == "finished")


async def test_a_row_that_cannot_be_opened_says_why_and_others_open(tmp_path: Path) -> None:
    path = tmp_path / "output.jsonl"
    path.write_bytes(
        b'{"instance_id": "bad", "history": [}\n' + json.dumps(ROWS[0]).encode() + b"\n"
    )
    async with explore(source=lambda: FileSource([path]), size=(120, 30)) as it:
        await it.until(lambda: "output.jsonl, row 1 is not JSON" in drawn(it))
        await it.press("1", "j", "enter")
        await it.until(lambda: "echo 2" in drawn(it))


PATCH = """\
diff --git a/src/a.py b/src/a.py
--- a/src/a.py
+++ b/src/a.py
@@ -1 +1,2 @@
-old
+new line
+another
"""


async def test_the_patch_is_among_the_changed_files(tmp_path: Path) -> None:
    path = output(tmp_path, [row("acme-1", history(2), test_result={"git_patch": PATCH})])
    async with explore(source=lambda: FileSource([path]), size=(120, 30)) as it:
        await it.press("c")
        await it.settle()

        def told(selector: str) -> str:
            return it.text_of(it.app.screen.query_one(selector))

        await it.until(lambda: "another" in told("#change"))
        assert "src/a.py" in told("#changed-files")
        assert "patch: 1 file +2 -1" in told("#changed-rule")
        assert "outside the editor" in told("#changed-files")
        assert "in the patch" in told("#change")


async def test_rows_appear_while_the_evaluation_writes_them(tmp_path: Path) -> None:
    path = output(tmp_path, ROWS[:2])
    settings = Settings(config=Config(refresh=0.1))
    source = FileSource([path])
    async with explore(source=lambda: source, settings=settings, size=(160, 30)) as it:

        def listed() -> list[str]:
            return sorted(row.conversation.title or "" for row in it.screen.session.listed)

        await it.until(lambda: listed() == ["acme-1", "acme-2"])
        with path.open("ab") as file:
            file.write(lines(ROWS[2:]))
        await it.until(lambda: listed() == [str(one["instance_id"]) for one in ROWS])


async def test_a_row_that_is_being_written_is_no_error(tmp_path: Path) -> None:
    path = output(tmp_path, ROWS[:2])
    with path.open("ab") as file:
        file.write(lines(ROWS[2:3])[:-9])
    async with explore(source=lambda: FileSource([path]), size=(160, 30)) as it:
        await it.until(lambda: "output.jsonl, row 3 is still being written" in drawn(it))


async def open_by_prompt(it: Explorer, place: str) -> None:
    await it.press("o")
    it.screen.asking.find_input.value = place
    await it.press("enter")
    await it.until(lambda: it.screen.session.listed)
    await it.settle()


async def test_the_prompt_for_a_path_takes_one_run_of_a_file(tmp_path: Path) -> None:
    path = output(tmp_path, ROWS)
    async with explore(has_key=False, size=(160, 30)) as it:
        await open_by_prompt(it, f"{path}#acme-3")
        await it.until(lambda: "No container" in drawn(it))
        current = it.screen.session.current
        assert current and current.id == "acme-3" and len(it.screen.session.listed) == 5
    async with explore(has_key=False, size=(160, 30)) as it:
        await open_by_prompt(it, f"{path}#nosuch")
        await it.until(lambda: "There is no conversation nosuch here" in drawn(it))


# Tars


async def test_a_tar_opens_with_its_rows_labels_and_runs(tmp_path: Path) -> None:
    files = results() | {"old/trajectory.json": json.dumps(V0).encode()}
    path = tmp_path / "results.tar.gz"
    path.write_bytes(gzip.compress(tar(files)))
    async with explore(source=lambda: FileSource([path]), size=(160, 40)) as it:
        await it.until(lambda: "✓ 1 resolved · ✗ 1 unresolved" in drawn(it))
        listed = {row.conversation.title for row in it.screen.session.listed}
        assert listed == {"acme-1", "acme-2", "acme-2@2", "acme-3", "other", "old"}
        assert "names 1 instance that is not in results.tar.gz/eval/output.jsonl" in drawn(it)
        await it.open("acme-2")  # its events are those of its conversation
        await it.until(lambda: "echo 4" in it.text("#timeline"))
        await it.press("1")
        await it.open("old")
        await it.until(lambda: "ls" in it.text("#timeline"))


async def test_a_tar_that_is_no_whole_one_shows_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "results.tar.gz"
    data = gzip.compress(tar(ordered("a/") | ordered("b/", calls=300)))
    path.write_bytes(data[: len(data) * 3 // 4])
    async with explore(source=lambda: FileSource([path]), size=(160, 40)) as it:
        await it.until(lambda: "results.tar.gz is cut off" in drawn(it))
        await it.open("Fix the bug.")
        await it.until(lambda: "echo 2" in it.text("#timeline"))


async def test_esc_ends_the_unpacking_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The footer tells how far it is; nothing of it stays."""
    monkeypatch.setenv(copies.PLACE, str(tmp_path / "copies"))
    told = copies.Work.tell

    def waits(work: copies.Work, *how: int) -> None:
        for _ in range(1000):
            told(work, *how)
            time.sleep(0.02)

    monkeypatch.setattr(copies.Work, "tell", waits)
    packed = tmp_path / "other.jsonl.gz"
    packed.write_bytes(gzip.compress(lines(ROWS)))
    plain = output(tmp_path, ROWS)
    async with explore(source=lambda: FileSource([plain]), size=(160, 30)) as it:
        it.screen.controllers.conversations.open(lambda: FileSource([packed]))
        await it.until(lambda: "unpacking other.jsonl.gz" in it.footer)
        assert "esc stops" in it.footer
        await it.press("escape")
        await it.until(lambda: "other.jsonl.gz was not unpacked" in drawn(it))
        assert not list((tmp_path / "copies").rglob("other*"))
