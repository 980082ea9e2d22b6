"""Commands use the runs cached on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.conftest import IDS, Served
from tests.processes import oh_tui

LONG = IDS["coverage"]


@pytest.mark.slow
def test_a_run_that_is_over_is_downloaded_once_until_the_cache_is_cleared(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    log = tmp_path / "calls.log"

    def steps(**environment: str) -> tuple[str, bool]:
        """What is printed, and whether that took a download."""
        log.unlink(missing_ok=True)
        words = ("--server", served.url, "--log", log, "steps", LONG)
        done = oh_tui(*words, OPENHANDS_API_KEY="made-up-key", **environment)
        assert done.returncode == 0, done.stderr
        return done.stdout, "/download" in log.read_text("utf-8")

    printed, downloaded = steps(OH_TUI_CACHE="off")
    assert downloaded and not (tmp_path / "cache").exists()
    assert steps() == (printed, True)
    assert steps() == (printed, False)
    assert oh_tui("cache").stdout.splitlines()[1].startswith("runs\t1\t")
    (entry,) = (tmp_path / "cache").rglob("*.zip")
    assert b"made-up-key" not in entry.read_bytes()
    assert oh_tui("cache", "clear", "runs").stdout.startswith("1 file removed")
    assert steps() == (printed, True)


def test_the_demo_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert oh_tui("--demo", "steps", LONG).returncode == 0
    assert not (tmp_path / "cache").exists()
