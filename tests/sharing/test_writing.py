"""A shared file is written whole or not at all, and over no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from oh_tui.sharing.formats import write
from oh_tui.text.problem import Problem


def test_a_name_that_is_taken_meanwhile_is_said(tmp_path: Path) -> None:
    target = tmp_path / "run.md"

    def pieces() -> Iterator[str]:
        yield "ours"
        target.write_text("theirs")

    with pytest.raises(Problem) as failed:
        write(target, pieces())
    assert (failed.value.sentence, failed.value.hint) == (
        f"{target} is there already",
        "nothing is overwritten: name another",
    )
    assert [target] == list(tmp_path.iterdir()) and target.read_text() == "theirs"


def test_a_failure_of_the_text_keeps_its_own_hint(tmp_path: Path) -> None:
    def pieces() -> Iterator[str]:
        yield "ours"
        raise Problem("The run cannot be read", "download it again")

    with pytest.raises(Problem) as failed:
        write(tmp_path / "run.md", pieces())
    assert failed.value.hint == "download it again"
    assert not list(tmp_path.iterdir())
