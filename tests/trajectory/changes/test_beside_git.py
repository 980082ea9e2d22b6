"""The last version of a file beside git's text of it."""

from __future__ import annotations

import pytest

from oh_tui.trajectory.changes.at_step import BesideGit, beside_git
from oh_tui.trajectory.findings.study import Study
from tests.trajectory.edited import A, edit, run


def beside(text: str, shown: str | None) -> BesideGit:
    (file,) = Study(run(*edit("1", A, "old\n", text))).files.files
    return beside_git(file, shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\n", "a\nb"),
        ("a\nb", "a\nb"),
        ("a\n\n", "a\n"),
        ("a\r\nb\r\n", "a\nb"),
        ("a\u2028b\fc\n", "a\nb\nc"),
        ("", ""),
        ("\n", ""),
    ],
)
def test_a_last_newline_and_line_ends_are_no_difference(text: str, shown: str) -> None:
    found = beside(text, shown)
    assert (found.step, found.same, found.diff, found.words) == (1, True, "", "git has the same")


def test_the_lines_that_differ_are_told() -> None:
    found = beside("a\nb\n", "a\nc\nd")
    assert found.same is False and found.words == "git differs +2 -1"
    assert found.diff == "@@ -1,2 +1,3 @@\n a\n-b\n+c\n+d"


@pytest.mark.parametrize("shown", [None, ""])
def test_what_git_does_not_tell_is_no_difference(shown: str | None) -> None:
    found = beside("a\n", shown)
    assert found.same is None and found.diff == "" and found.words.startswith("git: ")


def test_a_text_that_the_events_do_not_hold_is_not_compared() -> None:
    (file,) = Study(run(*edit("1", A, None, None, old_str="a", new_str="b"))).files.files
    assert beside_git(file, "a").words == "git: the text of the last version is not known"


def test_what_the_events_hide_is_said() -> None:
    found = beside("key = <secret-hidden>\n", "key = 7")
    assert found.same is False and "hidden" in found.why


def test_control_characters_and_secrets_are_not_in_the_lines() -> None:
    secret = "sk-ant-api03-" + "a1B2" * 12
    found = beside("a\n", f"a\n\x1b[31m{secret}")
    assert "\x1b" not in found.diff and "a1B2" not in found.diff and "[hidden]" in found.diff
    assert beside("a\n", "a\x00").words in ("git differs", "git differs +1 -1")
