"""The patch of a run: git applies it to what was there, and what was there after is what comes."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oh_tui.trajectory.changes.git_patch import patch_pieces
from oh_tui.trajectory.changes.history import Files
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.events import Event
from tests.trajectory.edited import edit, patch, run

ROOT = "/workspace/project"
Disk = Mapping[str, str]


def commit(id: str, **changes: Any) -> tuple[Event, Event]:
    return patch(id, "", {"changes": changes["changes"]})


def files_of(*events: Event) -> Files:
    return Study(run(*events)).files


def write(folder: Path, disk: Disk) -> None:
    for name, text in disk.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode())


def read(folder: Path) -> dict[str, str]:
    found = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes().decode() for path in found}


def applied(folder: Path, files: Files, before: Disk, *words: str, **span: Any) -> dict[str, str]:
    """The folder after git has applied the patch to it."""
    folder.mkdir(exist_ok=True)
    write(folder, before)
    text = "".join(patch_pieces(files, **span))
    git = ["git", "-c", "core.autocrlf=false", "apply", "--allow-empty", *words, "-"]
    done = subprocess.run(git, cwd=folder, input=text.encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode() + text
    return read(folder)


NAMES = (
    "a.py", "with space.py", 'quo"te.py', "back\\slash.py", "new\nline.py", "tab\there.py",
    "bell\a.py", "grüße.py", "日本.txt", "-dash", "src/deep/x y z", "semi;colon", "a b/ c",
    "\x1b[31m",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_are_quoted_as_git_does(name: str, tmp_path: Path) -> None:
    path = f"{ROOT}/{name}"
    files = files_of(*edit("1", path, "a\nb\n", "a\nc\n"))
    assert applied(tmp_path, files, {name: "a\nb\n"}) == {name: "a\nc\n"}


@pytest.mark.parametrize("name", NAMES)
def test_new_deleted_and_moved_files(name: str, tmp_path: Path) -> None:
    files = files_of(
        *edit("1", f"{ROOT}/{name}", None, "a\n", "create"),
        *commit("2", changes={
            "old " + name: {"type": "delete", "old_content": "x\ny"},
            "from " + name: {
                "type": "update", "old_content": "l\nm\nn\n", "new_content": "l\nM\nn\n",
                "move_path": "to " + name,
            },
        }),
    )  # fmt: skip
    before = {"old " + name: "x\ny", "from " + name: "l\nm\nn\n"}
    after = {name: "a\n", "to " + name: "l\nM\nn\n"}
    assert applied(tmp_path, files, before) == after


@pytest.mark.parametrize("old", ["", "a", "a\n", "a\nb", "a\nb\n", "\n", "x\0y\n"])
@pytest.mark.parametrize("new", ["", "a", "a\n", "b\na", "a\nb\n", "\n\n", "x\0z\n"])
def test_last_lines_with_and_without_an_end(old: str, new: str, tmp_path: Path) -> None:
    files = files_of(*edit("1", f"{ROOT}/f", old, new))
    assert applied(tmp_path, files, {"f": old}) == {"f": new}


def test_empty_files_are_made_and_deleted(tmp_path: Path) -> None:
    files = files_of(
        *edit("1", f"{ROOT}/new", None, "", "create"),
        *commit("2", changes={"gone": {"type": "delete", "old_content": ""}}),
    )
    assert applied(tmp_path, files, {"gone": ""}) == {"new": ""}


def test_a_file_that_was_moved_on_or_moved_as_it_is(tmp_path: Path) -> None:
    def move(id: str, source: str, target: str) -> tuple[Event, Event]:
        change = {"type": "update", "old_content": "l\n", "new_content": "l\n"}
        return commit(id, changes={source: {**change, "move_path": target}})

    files = files_of(*move("1", "a", "b"), *move("2", "b", "c d"))
    text = "".join(patch_pieces(files))
    assert "rename from a\nrename to c d\n" in text
    assert applied(tmp_path, files, {"a": "l\n"}) == {"c d": "l\n"}


def test_from_one_step_to_another(tmp_path: Path) -> None:
    files = files_of(
        *edit("1", f"{ROOT}/a", "1\n", "2\n"),
        *edit("2", f"{ROOT}/a", "2\n", "3\n"),
        *edit("3", f"{ROOT}/a", "3\n", "4\n"),
    )
    assert applied(tmp_path, files, {"a": "2\n"}, since=1, until=2) == {"a": "3\n"}
    assert applied(tmp_path, files, {"a": "3\n"}, since=2, until=1) == {"a": "2\n"}
    assert "from step 1 to step 2" in next(patch_pieces(files, 1, 2))


def test_line_ends_of_windows_apply_without_whitespace(tmp_path: Path) -> None:
    files = files_of(*edit("1", f"{ROOT}/a", "a\nb\nc\n", "a\nB\nc\n"))
    after = applied(tmp_path, files, {"a": "a\r\nb\r\nc\r\n"}, "--ignore-whitespace")
    assert after["a"].replace("\r", "") == "a\nB\nc\n"
    assert "--ignore-whitespace" in next(patch_pieces(files))


def test_what_cannot_be_in_it_is_named(tmp_path: Path) -> None:
    files = files_of(
        *edit("1", f"{ROOT}/.git/config", "a\n", "b\n"),
        *edit("2", "/etc/hosts", "a\n", "b\n"),
        *edit("3", f"{ROOT}/parts", None, None, old_str="a", new_str="b"),
        *edit("4", f"{ROOT}/ok", "a\n", "b\n"),
    )
    head = next(patch_pieces(files))
    assert "not in it: .git/config" in head
    assert "not in it: /etc/hosts: not in the working folder" in head
    assert "not in it: parts: its text after the change is not known" in head
    assert "not certain: ok: as of step 4; no command since" not in next(patch_pieces(files, 0, 4))
    assert applied(tmp_path, files, {"ok": "a\n"}) == {"ok": "b\n"}


def test_many_that_cannot_be_in_it_are_one_line() -> None:
    files = files_of(*(one for n in range(344) for one in edit(f"{n}", f"/etc/{n}", "a", "b")))
    left_out = [line for line in next(patch_pieces(files)).splitlines() if "not in it" in line]
    assert left_out == [
        "# not in it: /etc/0, /etc/1, /etc/10 and 341 others: not in the working folder"
    ]


TEXTS = st.text(st.sampled_from("ab\n \t\r\x0cé\u2028"), max_size=12)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from("pqr"), st.none() | TEXTS), max_size=7))
def test_any_edits_apply(steps: list[tuple[str, str | None]], tmp_path_factory: Any) -> None:
    before = {"p": "a\nb\n", "q": "q"}
    disk: dict[str, str] = dict(before)
    events: list[Event] = []
    for number, (name, text) in enumerate(steps):
        old = disk.get(name)
        if text is None and old is not None:
            change = {"type": "delete", "old_content": old}
            events += commit(str(number), changes={name: change})
            del disk[name]
        elif text is not None:
            verb = "create" if old is None else "str_replace"
            events += edit(str(number), f"{ROOT}/{name}", old, text, verb)
            disk[name] = text
    folder = tmp_path_factory.mktemp("any") / "x"
    touched = {name for name, _ in steps}
    start = {name: text for name, text in before.items() if name in touched}
    files = files_of(*events)
    end = {name: text for name, text in disk.items() if name in touched}

    def ends(disk: Disk) -> dict[str, str]:
        return {n: t.replace("\r\n", "\n").replace("\r", "\n") for n, t in disk.items()}

    assert ends(applied(folder, files, start)) == ends(end)
