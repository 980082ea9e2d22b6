"""Lines of files that results name."""

from __future__ import annotations

from oh_tui.trajectory.changes.touched_files import FilePlace, file_places, last_of

TRACEBACK = """Traceback (most recent call last):
  File "/w/dates/__main__.py", line 12, in main
    for line in explain(text):
  File "/w/my dates/parse.py", line 112, in explain
  File "/usr/lib/python3.12/_strptime.py", line 554, in _strptime
ValueError: Invalid week: 53"""


def test_tracebacks_tests_and_compilers_name_lines() -> None:
    text = (
        f"{TRACEBACK}\ntests/test_a.py:7: AssertionError\n  at f (/w/x.js:10:5)\nsrc/x.ts(3,9): no"
    )
    assert list(file_places(text)) == [
        FilePlace("/w/dates/__main__.py", 12),
        FilePlace("/w/my dates/parse.py", 112),
        FilePlace("/usr/lib/python3.12/_strptime.py", 554),
        FilePlace("tests/test_a.py", 7),
        FilePlace("/w/x.js", 10),
        FilePlace("src/x.ts", 3),
    ]
    assert list(file_places("at 10:30 the ratio was 3:1, x.py: 7, a.b.c, 1.2.3.4")) == []


def test_the_last_one_of_a_known_file_is_taken() -> None:
    paths = {"/w/dates/__main__.py", "/w/my dates/parse.py"}
    assert last_of(TRACEBACK, paths) == FilePlace("/w/my dates/parse.py", 112)
    assert last_of(TRACEBACK, set()) is None


def test_the_end_of_a_path_tells_the_file_if_only_one_ends_so() -> None:
    assert last_of("./tests/../a.py:3", {"/w/a.py", "/w/ba.py"}) == FilePlace("a.py", 3)
    assert last_of("a.py:3", {"/w/a.py", "/v/a.py"}) is None


def test_of_a_hostile_line_only_the_beginning_is_looked_at() -> None:
    for piece in ("a", "a.", "a/", 'File "', "a.b:", "(1,"):
        assert list(file_places(piece * 1_000_000)) == []
