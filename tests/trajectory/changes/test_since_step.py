"""Which files are not as they were at a step: certainly, or maybe."""

from __future__ import annotations

from oh_tui.trajectory.changes.at_step import Differs, differing, differing_words
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.events import Event
from tests.trajectory.edited import A, edit, run
from tests.trajectory.made import output, shell

B = "/workspace/project/src/b.py"


def since(step: int, *events: Event) -> tuple[dict[str, bool], str]:
    files = Study(run(*events)).files
    found = differing(files.files, files.moment(step))
    return {one.file.shown: one.certain for one in found}, differing_words(found)


def command(id: str, text: str) -> tuple[Event, Event]:
    return shell(id, text), output(id)


def test_a_later_edit_makes_a_file_differ_for_certain() -> None:
    events = (*edit("1", A, "x\n", "y\n"), *edit("2", A, "y\n", "z\n"))
    assert since(1, *events) == ({"src/a.py": True}, "src/a.py differs")
    assert since(2, *events) == ({}, "")
    assert since(1, *events, *edit("3", A, "z\n", "y\n")) == ({}, "")


def test_a_file_made_later_differs_too() -> None:
    events = (*edit("1", A, "x\n", "y\n"), *edit("2", B, None, "new\n", "create"))
    assert since(1, *events)[0] == {"src/b.py": True}


def test_what_a_command_may_have_written_may_differ() -> None:
    writes = command("2", "sed -i s/x/y/ src/a.py")
    events = (*edit("1", A, "x\n", "y\n"), *writes)
    assert since(1, *events) == ({"src/a.py": False}, "commands may have changed 1 file")
    again = (*edit("1", A, "x\n", "y\n"), *edit("3", A, "y\n", "z\n"), *command("2", "make"))
    assert since(1, *again) == ({"src/a.py": False}, "src/a.py was edited")
    assert since(1, *edit("1", A, "x\n", "y\n"), *command("2", "ls")) == ({}, "")


def test_before_the_first_edit_nothing_is_certain_where_a_command_may_have_written() -> None:
    writes = command("2", "sed -i s/x/y/ src/a.py")
    events = (*command("1", "ls"), *writes, *edit("3", A, "y\n", "z\n"))
    assert since(1, *events)[0] == {"src/a.py": False}
    assert since(2, *events)[0] == {"src/a.py": True}


def test_what_is_certain_comes_first() -> None:
    files = Study(run(*edit("1", A, "x\n", "y\n"), *edit("2", B, "x\n", "y\n"))).files
    (a, b) = files.files
    found = [Differs(a, certain=False, edited=True), Differs(b, certain=True, edited=True)]
    assert differing_words(found) == "src/b.py differs; src/a.py was edited"
    found[0] = found[0]._replace(edited=False)
    assert differing_words(found) == "src/b.py differs; commands may have changed 1 other file"


def test_many_are_counted() -> None:
    made = [edit(str(n), f"/workspace/project/{n}.py", "a\n", "b\n") for n in range(2, 8)]
    events = [one for pair in (edit("1", A, "x\n", "y\n"), *made) for one in pair]
    assert since(1, *events)[1] == "2.py, 3.py, 4.py and 3 others differ"
