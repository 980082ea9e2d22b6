"""The rows of files: distinguished by title and file name."""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import ZipFile

from oh_tui.sources.file_source import FileSource
from tests.trajectory.formats.test_tar_runs import conversation, tar
from tests.tui.explorer import explore


async def test_rows_of_a_folder_of_zips_have_titles_and_the_names_of_their_files(
    tmp_path: Path,
) -> None:
    def make(name: str, *, title: str = "", says: str = "") -> None:
        said = {
            "kind": "MessageEvent",
            "id": "a",
            "source": "user",
            "llm_message": {"role": "user", "content": [{"type": "text", "text": says}]},
        }
        with ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            archive.writestr("meta.json", json.dumps({"title": title}))
            if says:
                archive.writestr("event_00000_a.json", json.dumps(said))

    make("run-1", title="Sort the list")
    make("run-2", says="Please sort the list\nand the tuple")
    make("a-batch-of-the-25th-of-november-run-3", title="Sort the list by the first column")
    make("run-4")
    for number in "56":
        make(f"run-{number}-of-the-same-task", title="Sort the list of all lists of lists")
    async with explore(source=lambda: FileSource([tmp_path]), size=(160, 30)) as it:
        listed = it.text("#conversations")
        rows = sorted(" ".join(line[2:39].split()) for line in listed.split("\n") if line)
        assert rows == [
            "Please sort the list run-2",
            "Sort the list by the first column",
            "Sort the list of a… …he-same-task",
            "Sort the list of a… …he-same-task",
            "Sort the list run-1",
            "run-4.zip",
        ]
        await it.press("slash")
        await it.type("run-1")
        await it.press("enter")
        listed_now = it.screen.sidebar.list.current
        assert listed_now and listed_now.file_name == "run-1"


async def test_titles_get_the_room_of_repositories_that_no_file_names(tmp_path: Path) -> None:
    for name in ("one", "two"):
        with ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            archive.writestr("meta.json", json.dumps({"title": f"Sort the list by column {name}"}))
    async with explore(source=lambda: FileSource([tmp_path]), size=(90, 24)) as it:
        await it.until(lambda: "by column two" in it.text("#conversations"))
        head = it.text("#conversations-pane ColumnHead")
        assert head.split() == ["conversation", "age"], "no cost, and one status for all"
        await it.press("vertical_line", "c", "escape")
        assert "cost" in it.text("#conversations-pane ColumnHead"), "who chose it has it"


async def test_names_stand_below_each_other_where_a_row_has_no_age(tmp_path: Path) -> None:
    for name, when in (("with-age", "2026-11-24T12:00:00Z"), ("ageless.", None)):
        meta = {"title": "Sort the list of all lists of lists of lists", "created_at": when}
        with ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            archive.writestr("meta.json", json.dumps(meta))
    async with explore(source=lambda: FileSource([tmp_path]), size=(160, 30)) as it:
        await it.until(lambda: "ageless." in it.text("#conversations"))
        shown = it.text("#conversations")
        lines = [line for line in shown.split("\n") if "Sort the list" in line]
        ends = [line.index(name) for line in lines for name in ("h-age", "less.") if name in line]
        assert len(ends) == 2 and ends[0] == ends[1], shown


async def test_r_sees_that_a_tar_was_replaced_cut_or_deleted(tmp_path: Path) -> None:
    path = tmp_path / "runs.tar"
    path.write_bytes(tar(conversation("a/") | conversation("b/")))
    async with explore(source=lambda: FileSource([path])) as it:

        def rows() -> list[str]:
            return sorted(row.id for row in it.screen.session.listed)

        def steps() -> int:
            run = it.screen.session.trajectory
            return len(run.steps) if run else 0

        assert rows() == ["a", "b"] and steps() == 4
        await it.press("r")
        assert rows() == ["a", "b"] and "read again" in it.footer
        path.write_bytes(tar(conversation("a/", 5) | conversation("c/")))
        await it.press("r")
        assert rows() == ["a", "c"] and steps() == 7
        path.write_bytes(path.read_bytes()[:9000])
        await it.press("r")
        assert len(rows()) == 1
        told = [text for text, _ in it.screen.footer.history]
        assert any(f"{path} has no end mark: it may be cut off" in text for text in told)
        await it.press("escape")
        path.unlink()
        await it.press("r")
        assert rows() and f"There is no file or folder {path}" in it.footer


async def test_r_sees_files_that_came_into_a_folder_and_left_it(tmp_path: Path) -> None:
    def make(name: str) -> Path:
        with ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            archive.writestr("meta.json", json.dumps({"title": name}))
        return tmp_path / f"{name}.zip"

    first = make("one")
    make("two")
    async with explore(source=lambda: FileSource([tmp_path])) as it:

        def rows() -> list[str]:
            return sorted(row.conversation.title or "" for row in it.screen.session.listed)

        assert rows() == ["one", "two"]
        make("three")
        first.unlink()
        await it.press("r")
        assert rows() == ["three", "two"]
