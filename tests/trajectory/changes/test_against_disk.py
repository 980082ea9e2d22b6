"""Random edits and outside writes on a simulated disk: what is called certain is never wrong, and
each line is blamed on what wrote it."""

from __future__ import annotations

from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from oh_tui.trajectory.changes.blame import blame
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.events import Event
from tests.trajectory.edited import edit, patch, run
from tests.trajectory.made import output, shell

ROOT = "/workspace/project/"
PATHS = ("a", "b", "sub/c")
ELSEWHERE = -1
BEFORE = 0

Lines = dict[str, int]
"""The lines of a file, of which each is another, and the step that wrote each."""


def text_of(lines: Lines) -> str:
    return "".join(f"{line}\n" for line in lines)


class World:
    """A disk, the events of a run that works on it, and how the disk was after each step."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.names = count()
        self.disk: dict[str, Lines] = {
            path: {self.fresh(): BEFORE for _ in range(3)} for path in PATHS[:2]
        }
        self.history: dict[str, list[Lines]] = {path: [] for path in PATHS}
        self.events: list[Event] = []
        self.after: list[dict[str, Lines]] = [self.copy()]

    def fresh(self) -> str:
        return f"line {next(self.names)}"

    def copy(self) -> dict[str, Lines]:
        return {path: dict(lines) for path, lines in self.disk.items()}

    def pick(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def changed(self, lines: Lines, by: int) -> Lines:
        """Some lines gone, some new."""
        found: Lines = {}
        for line, owner in lines.items():
            what = self.pick("keep", "keep", "keep", "drop", "add")
            if what == "add":
                found[self.fresh()] = by
            if what != "drop":
                found[line] = owner
        if not found or self.pick(True, False):
            found[self.fresh()] = by
        return found

    def step(self) -> None:
        number = len(self.after)
        path = self.pick(*PATHS)
        acts = (self.edit, self.edit, self.write, self.write, self.read, self.fail, self.undo,
                self.patch, self.at_once, self.detour)  # fmt: skip
        self.events += self.pick(*acts)(number, path)
        self.after.append(self.copy())

    def edit(self, number: int, path: str, id: str = "") -> tuple[Event, ...]:
        old = self.disk.get(path)
        new = self.changed(old or {}, number)
        if old is not None:
            self.history[path].append(old)
        self.disk[path] = new
        verb = "create" if old is None else self.pick("str_replace", "insert")
        before = None if old is None else text_of(old)
        return edit(id or str(number), ROOT + path, before, text_of(new), verb)

    def undo(self, number: int, path: str) -> tuple[Event, ...]:
        if path not in self.disk or not self.history[path]:
            return self.fail(number, path)
        old, back = self.disk[path], self.history[path].pop()
        self.disk[path] = {line: old.get(line, number) for line in back}
        return edit(str(number), ROOT + path, text_of(old), text_of(back), "undo_edit")

    def write(self, number: int, path: str) -> tuple[Event, ...]:
        """A command that may write, and does or not; or puts back what was."""
        what = self.pick("nothing", "change", "change", "delete", "put back")
        if what == "change":
            self.disk[path] = self.changed(self.disk.get(path, {}), ELSEWHERE)
        elif what == "delete":
            self.disk.pop(path, None)
        elif what == "put back":
            past = self.pick(*self.after).get(path)
            if past is not None:
                now = self.disk.get(path, {})
                self.disk[path] = {line: now.get(line, ELSEWHERE) for line in past}
        words = self.pick("make", "sed -i s/a/b/ x", "ls > x", "git stash pop", "cat a; rm b")
        return shell(str(number), words), output(str(number))

    def read(self, number: int, path: str) -> tuple[Event, ...]:
        words = self.pick("ls", f"cat {path} 2>&1 | head", "git diff && git status")
        return shell(str(number), words), output(str(number))

    def fail(self, number: int, path: str) -> tuple[Event, ...]:
        return edit(str(number), ROOT + path, None, None, is_error=True)

    def detour(self, number: int, path: str) -> tuple[Event, ...]:
        """Two commands, of which the second puts back what the first changed."""
        was = self.copy()
        if path in self.disk and self.pick(True, False):
            del self.disk[path]
        else:
            self.disk[path] = self.changed(self.disk.get(path, {}), ELSEWHERE)
        self.after.append(self.copy())
        self.disk = was
        there = shell(f"{number}", "git stash"), output(f"{number}")
        return *there, shell(f"{number + 1}", "git stash pop"), output(f"{number + 1}")

    def patch(self, number: int, path: str) -> tuple[Event, ...]:
        """Adds over whatever is there, deletes, changes, or moves."""
        old = self.disk.get(path)
        target = self.pick(*PATHS)
        kind = self.pick("add", "delete", "update", "move") if old is not None else "add"
        before = text_of(old or {})
        if kind == "add":
            self.disk[path] = {self.fresh(): number}
            change: dict[str, Any] = {"type": "add", "new_content": text_of(self.disk[path])}
        elif kind == "delete":
            del self.disk[path]
            change = {"type": "delete", "old_content": before}
        else:
            new = self.changed(old or {}, number)
            change = {"type": "update", "old_content": before, "new_content": text_of(new)}
            if kind == "move" and target != path:
                change["move_path"] = target
                del self.disk[path]
                self.disk[target] = new
            else:
                self.disk[path] = new
        return patch(str(number), "", {"changes": {path: change}})

    def at_once(self, number: int, path: str) -> tuple[Event, ...]:
        """Two calls in one answer, which run one after the other."""
        first = self.edit(number, path, f"{number}a")
        self.after.append(self.copy())
        more = self.pick(self.write, self.read, self.edit)
        second = more(number + 1, self.pick(*PATHS))
        for call in (first[0], second[0]):
            call.llm_response_id = f"both-{number}"
        return first[0], second[0], first[1], second[1]


@st.composite
def worlds(draw: Any) -> World:
    world = World(draw)
    for _ in range(draw(st.integers(1, 9))):
        world.step()
    return world


@settings(max_examples=80, deadline=None)
@given(worlds())
def test_what_is_called_certain_is_true(world: World) -> None:
    files = Study(run(*world.events)).files
    for number, disk in enumerate(world.after):
        for state in files.at(number):
            truth = disk.get(state.path.removeprefix(ROOT))
            if state.certain:
                assert state.exists == (truth is not None)
                assert state.text() == (None if truth is None else text_of(truth))
    made = [one for file in files.files for one in file.versions if not one.is_found]
    for version in made:
        assert isinstance(version.label, int)
        state = files.at_file(files.named(version.path), version.label)
        assert state.certain
        assert state.version == version


@settings(max_examples=80, deadline=None)
@given(worlds())
def test_each_line_is_blamed_on_the_step_that_wrote_it(world: World) -> None:
    files = Study(run(*world.events)).files
    for number, disk in enumerate(world.after):
        for state in files.at(number):
            path = state.path.removeprefix(ROOT)
            truth = disk.get(path)
            if truth is None or state.text() != text_of(truth):
                continue
            file = files.named(state.path)
            found = blame(files, file, state)
            assert [line.text for line in found.lines] == list(truth)
            for line in found.lines:
                owner = truth[line.text]
                if line.origin == "edit":
                    assert line.step == owner or owner == ELSEWHERE
                elif line.origin == "before":
                    assert owner in (BEFORE, ELSEWHERE)
                else:
                    assert owner in (BEFORE, ELSEWHERE), (line, owner)
