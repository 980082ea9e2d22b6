"""Files as they were, held against the disk of a real agent server after each step."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from oh_tui import runs
from oh_tui.trajectory.changes.blame import blame
from oh_tui.trajectory.changes.touched_files import Label
from oh_tui.trajectory.model.steps import Step
from tests.trajectory.changes.test_git_patch import applied

from .servers.alone import AgentServerAlone
from .servers.alone import python as python_of
from .servers.model import Answer, Call, ScriptedModel
from .servers.server import temporary_folder

pytestmark = pytest.mark.live

VERSION = "1.58.2"

Disk = dict[str, str]
"""The texts of the files, by their names."""


def shell(command: str) -> Call:
    return Call("terminal", {"command": command, "security_risk": "LOW"})


def edit(command: str, path: Path, **more: Any) -> Call:
    given = {"command": command, "path": str(path), "security_risk": "LOW", **more}
    return Call("file_editor", given)


def patch(*lines: str) -> Call:
    text = "\n".join(("*** Begin Patch", *lines, "*** End Patch"))
    return Call("apply_patch", {"patch": text, "security_risk": "LOW"})


def script(work: Path) -> list[Answer]:
    """Edits of all kinds, commands that write and commands that do not. Each line that it writes
    is another, so that it is known who wrote it."""
    a, old, windows = work / "a.py", work / "old.txt", work / "windows.txt"
    calls = [
        (edit("create", a, file_text="one\ntwo\nthree\n"),),
        (edit("view", a),),
        (edit("str_replace", a, old_str="two", new_str="TWO\ntwo and a half"),),
        (shell("cat a.py | head -2 2>/dev/null; git status; ls -la && grep -n one a.py"),),
        (edit("insert", a, insert_line=0, new_str="zero"),),
        (edit("create", a, file_text="refused\n"),),
        (edit("str_replace", a, old_str="not there", new_str="x"),),
        (shell("sed -i 's/three/THREE/' a.py"),),
        (shell("wc -l a.py"),),
        (edit("str_replace", a, old_str="one\n", new_str="one more\nand one\n"),),
        (edit("undo_edit", a),),
        (shell("mv a.py moved.py"),),
        (edit("insert", work / "moved.py", insert_line=2, new_str="after the move"),),
        (edit("str_replace", old, old_str="kept 2", new_str="changed 2"),),
        (
            patch(
                f"*** Update File: {old.name}", "*** Move to: sub/new.txt", "@@",
                " kept 1", "-changed 2", "+patched 2", " kept 3",
                "*** Add File: added.txt", "+added 1", "+added 2",
                "*** Delete File: gone.txt",
            ),
        ),
        (edit("insert", work / "sub" / "new.txt", insert_line=3, new_str="last"),),
        (shell("python3 - <<'EOF'\nfrom pathlib import Path\n"
               "f = Path('sub/new.txt')\n"
               "f.write_text(f.read_text().replace('kept 1', 'formatted 1'))\nEOF"),),
        (edit("str_replace", work / "sub" / "new.txt", old_str="kept 3", new_str="kept no more"),),
        (edit("str_replace", windows, old_str="crlf 2", new_str="lf 2"),),
        (shell("rm added.txt"),),
        (edit("create", work / "added.txt", file_text="added again\n"),),
        (
            edit("str_replace", work / "added.txt", old_str="again", new_str="at once"),
            shell("echo 'by the shell' >> added.txt"),
        ),
        (edit("insert", work / "added.txt", insert_line=0, new_str="first of added"),),
        (Call("task", {"description": "Look below", "prompt": "Do script:below now.",
                       "subagent_type": "general-purpose"}),),
        (edit("str_replace", work / "shared.txt", old_str="by the child", new_str="by both"),),
        (shell("touch -c nothing"),),
        (Call("finish", {"message": "All is written."}),),
    ]  # fmt: skip
    return [Answer("", one) for one in calls]


def below(work: Path) -> list[Answer]:
    shared = work / "shared.txt"
    return [
        Answer("", (edit("create", shared, file_text="by the child\n"),)),
        Answer("", (shell("echo 'by its shell' >> shared.txt"),)),
        Answer("", (edit("insert", shared, insert_line=0, new_str="and above"),)),
        Answer("It is written."),
    ]


BEFORE = {
    "old.txt": "kept 1\nkept 2\nkept 3\n",
    "gone.txt": "to be deleted",
    "windows.txt": "crlf 1\r\ncrlf 2\r\n",
    "untouched.txt": "as ever\n",
}


class WatchingModel(ScriptedModel):
    """Keeps what is on the disk each time it is asked: how a step has left it."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.seen: dict[str, list[Disk]] = {"files": [], "below": []}
        super().__init__({"files": script(work), "below": below(work)})

    def answer(self, request: dict[str, Any]) -> Answer:
        if request.get("tools"):
            text = json.dumps(request["messages"])
            name = "files" if "script:files" in text else "below"
            self.seen[name].append(on_disk(self.work))
        return super().answer(request)


def on_disk(work: Path) -> Disk:
    found = (path for path in sorted(work.rglob("*")) if path.is_file())
    kept = {str(path.relative_to(work)): path.read_bytes().decode() for path in found}
    return {name: text for name, text in kept.items() if not name.startswith(".")}


def lines(disk: Disk) -> set[str]:
    return {line.rstrip("\r") for text in disk.values() for line in text.split("\n")}


@dataclass(frozen=True)
class Watched:
    run: runs.Run
    work: Path
    steps: list[tuple[Step, Disk]]
    """The last call of each answer, and the disk after it."""
    below: list[Disk]

    def after_each(self) -> Iterator[tuple[Label, Step, Disk]]:
        """Label and step of each call, and the disk after it, also within the sub-agent."""
        for step, disk in self.steps:
            for sub in self.run.study.sub_runs.of(step):
                calls = [one for one in sub.trajectory.steps if one.is_call]
                for call, seen in zip(calls, self.below[1:], strict=True):
                    yield f"{sub.path}{call.number}", call, seen
            yield step.number, step, disk

    def wrote(self, line: str, until: int) -> tuple[str, Label | None]:
        """What brought a line, of which there is one, to the disk last."""
        found: tuple[str, Label | None] = ("before", None)
        before: Disk = BEFORE
        for label, step, disk in self.after_each():
            if line in lines(disk) and line not in lines(before):
                is_edit = step.event.tool_name != "terminal"
                found = ("edit", label) if is_edit else ("elsewhere", None)
                if line == "added at once":  # the first call of two
                    found = ("edit", step.number - 1)
            before = disk
            if label == until:
                break
        return found

    def truth(self, disk: Disk, path: str) -> str | None:
        """What the disk holds of a file, with the line ends that the editor reports."""
        text = disk.get(str(Path(path).relative_to(self.work)))
        return None if text is None else text.replace("\r\n", "\n")


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    if not python_of(VERSION).exists():
        pytest.skip(f"agent server {VERSION} is not installed: see scripts/live_setup.py")
    folder = temporary_folder()
    work = folder / "work"
    work.mkdir()
    for name, text in BEFORE.items():
        (work / name).write_bytes(text.encode())
    model = WatchingModel(work)
    server = AgentServerAlone(VERSION, folder / "server", work, model)
    try:
        name = server.run("Please do script:files").replace("-", "")
        (home,) = (
            path.parent
            for path in folder.rglob("base_state.json")
            if path.parent.name.replace("-", "") == name
        )
        run = runs.open(home)
        calls = [step for step in run.steps if step.is_call]
        answers = {step.event.llm_response_id: step for step in calls}
        disks = [*model.seen["files"][1:], on_disk(work)]
        steps = list(zip(answers.values(), disks, strict=True))
        yield Watched(run, work, steps, model.seen["below"])
    finally:
        server.close()
        model.close()
        shutil.rmtree(folder, ignore_errors=True)


def test_what_is_called_certain_is_on_the_disk(watched: Watched) -> None:
    certain, wrong = 0, []
    for step, disk in watched.steps:
        for state in watched.run.files.at(step.number):
            truth = watched.truth(disk, state.path)
            if not state.certain:
                continue
            if (state.exists, state.text()) == (truth is not None, truth):
                certain += 1
            else:
                wrong.append((step.number, state.path, state.text(), truth))
    assert wrong == []
    assert certain >= 20


def test_every_version_was_on_the_disk(watched: Watched) -> None:
    """But for the one that the first of two calls in one answer left."""
    unseen = []
    for file in watched.run.files.files:
        disks = {watched.truth(disk, file.path) for disk in (BEFORE, *watched.below)}
        disks |= {watched.truth(disk, file.path) for _, disk in watched.steps}
        unseen += [one.text() for one in file.versions if one.text() not in disks]
    assert unseen == ["added at once\n"]


def test_every_line_is_blamed_on_the_step_that_wrote_it(watched: Watched) -> None:
    told: set[str] = set()
    for file in watched.run.files.files:
        for step, disk in watched.steps:
            state = watched.run.files.at_file(file, step.number)
            if state.text() is None or state.text() != watched.truth(disk, file.path):
                continue
            for line in blame(watched.run.files, file, state).lines:
                told.add(line.origin)
                expected = watched.wrote(line.text, step.number)
                assert (line.origin, line.step) == expected, (file.path, step.number, line.text)
    assert told == {"edit", "before", "elsewhere"}


def test_git_takes_the_patch(watched: Watched, tmp_path: Path) -> None:
    files = watched.run.files
    after = applied(tmp_path, files, BEFORE, "--ignore-whitespace")
    left = {state.path: state.text() for state in files.at() if state.exists}
    assert {path: watched.truth(after, path) for path in left} == left
    assert set(after) == {str(Path(path).relative_to(watched.work)) for path in left} | {
        "untouched.txt"
    }
