"""Commands load neither screen nor network unless they use them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_architecture import loaded_by

ON_FILE = ("steps", "show", "why", "check", "changes", "count", "events", "export", "tail")


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("name", ON_FILE)
def test_a_command_on_a_file_loads_no_screen_and_no_network(name: str, run_file: Path) -> None:
    loaded = loaded_by(name, run_file)
    assert "oh_tui.sources.file_source" in loaded
    heavy = {"textual", "rich", "httpx", "starlette", "shtab", "jsonschema", "oh_tui.demo"}
    assert not loaded & (heavy | {"ssl"})


def test_steps_without_words_tell_no_phases_and_no_looks(run_file: Path) -> None:
    rooms = ("findings.phases.", "findings.review_hints.", "reading.intents", "reading.write_")
    unused = tuple(f"oh_tui.trajectory.{room}" for room in rooms)
    assert not [name for name in loaded_by("steps", run_file) if name.startswith(unused)]


@pytest.mark.parametrize("words", [["--help"], ["tail", "--help"]])
def test_help_loads_what_it_tells_and_no_more(words: list[str]) -> None:
    loaded = loaded_by(*words)
    assert not loaded & {"textual", "httpx", "starlette", "shtab", "asyncio"}
    if words == ["--help"]:
        assert not {name for name in loaded if name.startswith("oh_tui.trajectory.model.")}
