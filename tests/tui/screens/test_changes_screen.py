"""The screen of changed files in a small app: its list, changes, marks and results."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from textual.app import App
from textual.pilot import Pilot

import oh_tui.tui.app
from oh_tui.actions.workspace import Committed
from oh_tui.api.models import GitChange, GitCommit
from oh_tui.text.problem import Problem
from oh_tui.trajectory.changes.changes import changes
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation.block import Note
from oh_tui.trajectory.presentation.change_rows import PIECES, FileRow, change_blocks, edited_steps
from oh_tui.tui.screens.changes.files_screen import Chosen, FilesScreen
from oh_tui.tui.screens.changes.screen import ChangesScreen, GitText, commit_notes
from oh_tui.tui.theme import DARK, LIGHT
from oh_tui.tui.widgets.drawing import Drawn
from tests.demo_runs import demo_run
from tests.trajectory.edited import A, edit, run, view
from tests.trajectory.made import call, result
from tests.tui.explorer import LONGEST, explore

GIT = [
    *(GitChange(f"/workspace/dates/{name}", "UPDATED") for name in ("CHANGELOG.md", "uv.lock")),
    GitChange("/workspace/dates/tests/test_weeks.py", "ADDED"),
    GitChange("/workspace/dates/src/dates/parse.py", "UPDATED"),
    GitChange("/workspace/dates/src/dates/__main__.py", "UPDATED"),
    GitChange("/workspace/dates/tests/test_main.py", "UPDATED"),
]
"""All that the run week-dates changed but test_weeks_prop.py, and a file it did not touch."""


class Small(App[None]):
    CSS_PATH = str(Path(oh_tui.tui.app.__file__).with_name("app.tcss"))

    def __init__(self, trajectory: Trajectory, shown: FilesScreen) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = "oh-dark"
        self.shown = shown
        self.study = Study(trajectory)
        self.answers: list[Chosen] = []

    def on_mount(self) -> None:
        self.shown.show_study(self.study)
        self.push_screen(self.shown, self.answers.append)


@dataclass
class View:
    app: Small
    pilot: Pilot[None]

    @property
    def screen(self) -> FilesScreen:
        return self.app.shown

    def set_git(
        self,
        changes: list[GitChange] | None,
        why: str = "",
        git_text: GitText | None = None,
    ) -> None:
        assert isinstance(self.screen, ChangesScreen)
        self.screen.set_git(changes, why, git_text)

    async def settle(self) -> None:
        async with asyncio.timeout(LONGEST):
            await self.pilot.pause(0)
            while any(worker.is_running for worker in self.app.workers):
                await self.pilot.pause(0.01)
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await self.settle()

    def lines(self, widget: Drawn) -> list[str]:
        return [widget.render_line(y).text.rstrip() for y in range(widget.size.height)]

    @property
    def files(self) -> list[str]:
        return self.lines(self.screen.files)

    @property
    def rule(self) -> str:
        return self.lines(self.screen.list_rule)[0]

    @property
    def change(self) -> str:
        return "\n".join([*self.lines(self.screen.pane.rule), *self.lines(self.screen.pane.body)])

    @property
    def blamed(self) -> str:
        return "\n".join(self.lines(self.screen.pane.lines))

    @property
    def footer(self) -> str:
        return self.lines(self.screen.footer)[0]


@asynccontextmanager
async def look(
    trajectory: Trajectory, size: tuple[int, int] = (120, 30), shown: FilesScreen | None = None
) -> AsyncIterator[View]:
    app = Small(trajectory, shown or ChangesScreen("Dates"))
    async with app.run_test(size=size) as pilot:
        view = View(app, pilot)
        await view.settle()
        yield view


async def test_files_stand_above_the_whole_change_of_one() -> None:
    async with look(demo_run("week-dates")) as it:
        assert "6 files +79 -1 · editor and patch calls only" in it.rule
        head = it.lines(it.screen.head)[0]
        assert head.split() == ["path", "reads", "edits", "+", "-", "last"]
        assert it.files[0].startswith("▌dates/CHANGELOG.md")
        assert it.files[2].split() == ["dates/src/dates/parse.py", "2", "7", "+19", "49"]
        assert "git" not in it.rule
        assert "dates/CHANGELOG.md" in it.change
        assert "+- ISO week dates" in it.change
        await it.press("j", "j")
        assert "7 edits, steps 9-49" in it.change
        assert "s to step 49" in it.footer


async def test_enter_gives_the_change_the_whole_screen_and_esc_leads_back() -> None:
    text = "".join(f"line {n}\n" for n in range(300))
    async with look(run(*edit("1", A, None, text, "create")), size=(80, 24)) as it:
        small = it.screen.pane.body.size.height
        await it.press("G", "enter")
        assert it.screen.pane.body.size.height > small
        assert not it.screen.files.display
        await it.press("j")
        assert "rows 2-" in it.change
        await it.press("escape")
        assert it.screen.files.display
        assert it.screen.files.has_focus
        assert it.app.answers == []
        await it.press("escape")
        assert it.app.answers == [None]


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (["&"], ("filter", "dates/src/dates/parse.py")),
        (["s"], ("step", 49)),
        (["enter", "s"], ("step", 49)),
        (["c"], None),
        (["q"], None),
        (["enter", "q"], None),
    ],
)
async def test_keys_answer_the_main_screen(keys: list[str], answer: Chosen) -> None:
    async with look(demo_run("week-dates")) as it:
        await it.press("j", "j")
        await it.press(*("ampersand" if key == "&" else key for key in keys))
        assert it.app.answers == [answer]


async def test_git_stands_beside_and_differences_are_marked() -> None:
    async with look(demo_run("week-dates")) as it:
        await it.press("j", "j")
        it.set_git(GIT)
        await it.settle()
        assert it.files[2].startswith("▌dates/src/dates/parse.py")
        assert it.files[0].split()[:2] == ["dates/CHANGELOG.md", "M"]
        assert it.files[4].split()[1] == "A"
        assert it.files[5].endswith("new, not in git, test-edit")
        assert it.files[6].split()[:2] == ["dates/uv.lock", "M"]
        assert it.files[6].endswith("outside the editor")
        assert "git differs in 2" in it.rule
        await it.press("G")
        assert "no editor or patch call of this run touched it" in it.change
        assert "to step" not in it.footer
        await it.press("ampersand")
        await it.press("s")
        assert it.app.answers == []
        assert "no editor or patch call" in it.footer


async def test_git_without_an_answer_says_why_and_marks_nothing() -> None:
    async with look(demo_run("week-dates")) as it:
        it.set_git(None, "the sandbox is asleep")
        await it.settle()
        assert "git: the sandbox is asleep" in it.rule
        assert "not in git" not in "\n".join(it.files)
        it.set_git([])
        await it.settle()
        assert "git: no change, or no repository" in it.rule
        assert "not in git" not in "\n".join(it.files), "where there may be no repository"
        assert "the server's own" not in it.rule


async def test_the_servers_own_files_are_counted_and_no_rows() -> None:
    async with look(demo_run("week-dates")) as it:
        before = list(it.files)
        own = [f"/w/workspace/conversations/{'ab' * 16}/events/{n}.json" for n in range(42)]
        it.set_git([*GIT, *(GitChange(path, "ADDED") for path in own)])
        await it.settle()
        assert "42 of the server's own files left out" in it.rule
        assert len(it.files) == len(before) + 1  # the one that git alone knows
        assert "git differs in 2" in it.rule


async def test_the_file_shown_is_compared_with_git() -> None:
    trajectory = run(
        *edit("1", A, "a\n", "a\nb\n"),
        *edit("2", f"{A}b", "a\n", "b\n"),
        *edit("3", f"{A}c", "a\n", "b\n"),
        *edit("4", f"{A}d", "a\n", "b\n"),
        live=True,
    )
    listed = [GitChange(f"{A}{end}", "UPDATED") for end in ("", "b", "c")]
    texts: dict[str, str | None] = {A: "a\nb", f"{A}b": "b\nc\x1b[31m"}
    asked: list[str] = []

    async def git_text(path: str) -> str | None:
        asked.append(path)
        if path not in texts:
            raise Problem("the file is too large")
        return texts[path]

    async with look(trajectory) as it:
        it.set_git(listed, git_text=git_text)
        await it.settle()
        assert asked == [A], "no other than the file shown"
        assert "git has the same" in it.change and "git now" not in it.change
        assert "·  ·" not in it.change, "without churn nothing is told of it"
        await it.press("j")
        assert "git differs +1" in it.change and "\x1b" not in it.change
        assert "git now, against what step 2 left" in it.change
        assert "+c" in it.change
        await it.press("j")
        assert "git: the file is too large" in it.change
        await it.press("j")
        assert "git" not in it.change, "git does not list it"
        await it.press("k", "k", "k")
        assert asked == [A, f"{A}b", f"{A}c"], "once each"
        trajectory.extend(edit("5", A, "a\nb\n", "c\n"))
        it.screen.grown()
        await it.settle()
        assert asked[3:] == [A] and "git differs +2 -1" in it.change
        assert "against what step 5 left" in it.change


async def test_git_is_not_asked_for_files_that_are_passed_by() -> None:
    events = [event for n in range(9) for event in edit(str(n), f"{A}{n}", "a\n", "b\n")]
    asked: list[str] = []

    async def git_text(path: str) -> str:
        asked.append(path)
        return "b"

    async with look(run(*events)) as it:
        await it.press("G")
        it.set_git([GitChange(f"{A}{n}", "UPDATED") for n in range(9)], git_text=git_text)
        for _ in range(8):
            it.screen.files.action_move(-1)
        await it.settle()
        assert asked == [f"{A}0"]


async def test_a_run_that_changed_nothing_says_why() -> None:
    async with look(demo_run("retry"), size=(80, 24)) as it:
        shown = "\n".join(it.files)
        assert "this run edited no file through the editor; commands may have" in shown
        assert "1 file only read: x shows it" in shown
        assert "editor and patch calls only" in it.rule
        assert not it.screen.pane.display
        await it.press("enter", "s", "ampersand", "j")
        assert it.app.answers == []
        await it.press("x")
        assert len(it.files) == 1
        assert "only read, in step" in it.change


async def test_files_only_read_are_shown_on_demand() -> None:
    async with look(demo_run("week-dates")) as it:
        assert "x 1 file only read" in it.footer
        await it.press("x")
        assert it.files[6].split()[0] == "dates/tests/test_parse.py"
        await it.press("x")
        assert len(it.files) == 6


async def test_a_run_that_grows_keeps_the_cursor_and_shows_the_new_change() -> None:
    trajectory = run(*edit("1", "b.py", "a\n", "b\n"), live=True)
    async with look(trajectory) as it:
        assert "-a" in it.change
        trajectory.extend([*edit("2", "b.py", "b\n", "c\n"), *edit("3", "a.py", "x\n", "y\n")])
        it.screen.grown()
        await it.settle()
        assert it.files[1].startswith("▌b.py")
        assert "+c" in it.change
        assert "2 files +2 -2" in it.rule


async def test_the_change_scrolls_while_the_list_keeps_the_cursor() -> None:
    text = "".join(f"line {n}\n" for n in range(300))
    async with look(run(*edit("1", A, None, text, "create"), *edit("2", "z", "a", "b"))) as it:
        await it.press("J")
        assert it.screen.pane.body.scroll_offset.y > 0
        assert it.screen.files.cursor == 0
        await it.press("K")
        assert it.screen.pane.body.scroll_offset.y == 0
        await it.press("tab", "j")
        assert it.screen.pane.body.scroll_offset.y == 1
        assert it.screen.files.cursor == 0
        await it.press("tab", "j")
        assert it.screen.files.cursor == 1


async def test_a_long_path_is_cut_at_its_beginning_and_columns_hold() -> None:
    deep = "/workspace/project/" + "very/" * 40 + "深い/ende.py"
    events = [*edit("1", deep, "a\n", "b\n"), *edit("2", "a.py", "a\n", "b\n")]
    async with look(run(*events), size=(60, 16)) as it:
        row = it.files[1]
        assert "…" in row
        assert "/ende.py" in row
        widths = {it.screen.files.render_line(y).cell_length for y in range(2)}
        assert widths == {59}  # one is kept free for the scrollbar
        assert [line.split()[-4:] for line in it.files] == [
            ["1", "+1", "-1", "2"],
            ["1", "+1", "-1", "1"],
        ]


async def test_in_ascii_no_other_character_is_drawn() -> None:
    async with look(demo_run("week-dates"), size=(80, 24)) as it:
        it.app.add_class("-ascii")
        it.screen._list()
        await it.settle()
        drawn = [it.rule, *it.files, *it.lines(it.screen.pane.rule), it.footer]
        assert all(line.isascii() for line in drawn)


@pytest.mark.slow
async def test_thousands_of_files_open_at_once() -> None:
    events = [e for n in range(3000) for e in edit(str(n), f"/w/{n:04}.py", "a\n", "b\n")]
    async with look(run(*events)) as it:
        await it.settle()
        await it.press("G")
        assert "3,000 files" in it.rule or "3000" in it.rule
        assert "/w/2999.py" in it.files[-1]


def blocks(trajectory: Trajectory) -> str:
    from oh_tui.trajectory.presentation.change_rows import rows

    log = changes(trajectory)
    return "\n".join(
        f"{type(block).__name__} {getattr(block, 'text', '')}"
        for row in rows(log, None)
        for block in change_blocks(log, row)
    )


def test_what_has_no_diff_says_why() -> None:
    assert "the text from before the first one" in blocks(
        run(*edit("1", A, "a", "b"), *edit("2", A, "b", "a"))
    )
    assert "Note only invisible characters differ" in blocks(run(*edit("1", A, "a\r\n", "a\n")))
    assert "an empty file, new" in blocks(run(*edit("1", A, None, "", "create")))


def test_pieces_are_shown_edit_by_edit_and_the_first_are_counted() -> None:
    events = []
    for n in range(PIECES + 5):
        action = {"kind": "EditAction", "file_path": A, "old_string": f"{n}", "new_string": "x"}
        events += [call(str(n), action, tool="edit"), result(str(n), {"kind": "EditObservation"})]
    told = blocks(run(*events))
    assert "the first 5 edits are not shown here" in told
    assert "Heading step 6" in told
    assert "Heading step 5\n" not in told
    assert "Diff -204\n+x" in told


def test_foreign_text_is_harmless_in_the_change() -> None:
    secret = "sk-ant-api03-" + "a1B2" * 12
    told = blocks(run(*edit("1", A, "\x1b[31ma\0\n", f"key {secret}\x1b]0;t\x07\n"), *view("2", A)))
    assert "\x1b" not in told
    assert "\0" not in told
    assert secret not in told


def test_steps_are_told_as_one_or_as_a_span() -> None:
    log = changes(run(*edit("1", A, "a", "b"), *edit("2", "b", "a", "b"), *edit("3", A, "b", "c")))
    told = [edited_steps(FileRow(file.shown, file)) for file in log.files]
    assert told == ["1 edit, step 2", "2 edits, steps 1-3"]
    below = [edited_steps(FileRow(file.shown, file, agent="12b")) for file in log.files]
    assert below == ["1 edit, step 12b.2", "2 edits, steps 12b.1-12b.3"]


def committed(*paths: str) -> Committed:
    commit = GitCommit("b" * 40, "bbbbbbb", "Read weeks \x1b[31mof ISO")
    return Committed(commit, [GitChange(path, "UPDATED") for path in paths])


def test_a_file_names_the_commits_that_changed_it() -> None:
    one = committed("/workspace/dates/uv.lock", "/workspace/dates/src/a.py")
    assert commit_notes([one], FileRow("uv.lock", None)) == [
        Note("in the commit bbbbbbb Read weeks of ISO")
    ]
    assert commit_notes([one], FileRow("lock", None)) == []


async def test_the_commits_are_counted_beside_the_files() -> None:
    async with look(demo_run("week-dates")) as it:
        assert isinstance(it.screen, ChangesScreen)
        it.screen.set_commits([committed("/workspace/dates/uv.lock")])
        await it.settle()
        assert "1 commit" in str(it.app.shown.list_rule.facts)


async def test_the_footer_tells_what_enter_and_esc_do_after_tab_too() -> None:
    async with look(demo_run("week-dates")) as it:
        await it.press("tab", "enter")
        assert "enter smaller" in it.footer and "esc back" in it.footer
        await it.press("escape")
        assert "enter read whole" in it.footer and "esc close" in it.footer


async def test_the_head_of_blame_has_the_whole_path_and_drops_the_last_facts() -> None:
    async with explore(size=(80, 24)) as it:
        await it.open("Add OAuth login")
        await it.press(*"cjjb")
        screen = it.app.screen
        assert isinstance(screen, ChangesScreen)
        await it.until(lambda: screen.pane.lines.rows)
        head = it.text_of(screen.pane.rule)
        assert head.startswith("━ portal/src/routes/oauth.ts ━") and head.endswith("· edit ━")


async def test_a_long_path_comes_before_a_long_note() -> None:
    path = "/workspace/shop/src/panels/settings/NotificationList.tsx"
    other = "/workspace/shop/pyproject.toml"
    made = run(*edit("1", path, "one\n", "two\n"), *edit("2", other, "one\n", "two\n"))
    async with look(made, size=(80, 24)) as it:
        it.set_git([GitChange("/workspace/shop/README.md", "UPDATED")])
        await it.settle()
        assert it.files[2].startswith(" …op/src/panels/settings/NotificationList.tsx ")
        assert it.files[2].endswith("not i…")
