"""The patch that a run handed in, beside the files that its calls changed."""

from __future__ import annotations

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.trajectory.changes.changes import changes
from oh_tui.trajectory.changes.patch import PatchedFile, read_patch
from oh_tui.trajectory.model.recorded import Recorded
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation.change_rows import lister_of, rows
from tests.trajectory.edited import edit, run

PATCH = """\
diff --git a/src/dates.py b/src/dates.py
index 83db48f..bf2a4f1 100644
--- a/src/dates.py
+++ b/src/dates.py
@@ -1,3 +1,3 @@ def parse():
 one
-two
+2
+--- no header
 three
diff --git a/new.txt b/new.txt
new file mode 100644
--- /dev/null
+++ b/new.txt
@@ -0,0 +1 @@
+made
\\ No newline at end of file
diff --git a/gone.txt b/gone.txt
deleted file mode 100644
--- a/gone.txt
+++ /dev/null
@@ -1 +0,0 @@
-was
diff --git a/old.py b/moved.py
similarity index 100%
rename from old.py
rename to moved.py
diff --git a/logo.png b/logo.png
index 1..2 100644
Binary files a/logo.png and b/logo.png differ
diff --git "a/gr\\303\\274n.txt" "b/gr\\303\\274n.txt"
--- "a/gr\\303\\274n.txt"
+++ "b/gr\\303\\274n.txt"
@@ -1 +1 @@
-a
+b
"""


def test_each_file_of_a_patch_has_its_letter_and_lines() -> None:
    found = read_patch(PATCH)
    assert [one[:4] for one in found] == [
        ("src/dates.py", "M", 2, 1),
        ("new.txt", "A", 1, 0),
        ("gone.txt", "D", 0, 1),
        ("moved.py", "R", 0, 0),
        ("logo.png", "M", 0, 0),
        ("grün.txt", "M", 1, 1),
    ]
    assert found[0].hunks.startswith("@@ -1,3 +1,3 @@ def parse():\n one\n-two\n+2\n")
    assert found[3].hunks == found[4].hunks == ""


def test_a_patch_without_the_headers_of_git() -> None:
    text = "--- a/x.py\t2026-03-01\n+++ b/x.py\n@@ -1 +1 @@\n-a\n+b\n"
    assert read_patch(text) == [PatchedFile("x.py", "M", 1, 1, "@@ -1 +1 @@\n-a\n+b")]


@pytest.mark.parametrize("text", ["", "no patch", "diff --git ", "--- \n+++ \n", "@@ -1 +1 @@"])
def test_what_is_no_patch_has_no_files(text: str) -> None:
    assert read_patch(text) == []


PARTS = st.sampled_from(
    ["diff --git a/x b/x\n", "--- a/x\n", "+++ b/x\n", "@@ -1 +1 @@\n", "+a\n", "-b\n", '"', "\\7"]
)


@given(st.lists(PARTS | st.text(max_size=5)).map("".join))
def test_any_text_is_read(text: str) -> None:
    for one in read_patch(text):
        assert one.path
        assert one.letter in "MADR"


def edited(*paths: str) -> Trajectory:
    pairs = [edit(str(number), path, "a", "b") for number, path in enumerate(paths)]
    return run(*chain(*pairs))


def test_files_of_the_patch_stand_beside_those_of_the_calls() -> None:
    trajectory = run(
        *edit("1", "/workspace/acme/src/dates.py", "a", "b"),
        *edit("2", "/tmp/scratch.py", "a", "b"),
    )
    trajectory.recorded = Recorded(patch=PATCH)
    log = changes(trajectory)
    assert lister_of(log, None) == "patch"
    assert lister_of(log, [("M", "x")]) == "git"
    assert log.patch_size == "6 files +4 -3"
    found = {row.path.rpartition("/")[2]: row for row in rows(log, None)}
    assert found["dates.py"].file is not None
    assert found["dates.py"].letter == "M"
    assert "not in the patch" in found["scratch.py"].remark("patch")
    assert found["new.txt"].remark("patch") == "outside the editor"
    assert len(found) == 7


def test_a_path_that_two_files_end_with_is_joined_with_neither() -> None:
    trajectory = edited("/a/src/dates.py", "/b/src/dates.py")
    trajectory.recorded = Recorded(patch=PATCH)
    joined = [row for row in rows(changes(trajectory), None) if row.file and row.patched]
    assert joined == []
