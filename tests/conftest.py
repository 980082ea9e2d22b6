"""What every test stands on: nothing of the machine it runs on decides its outcome."""

from __future__ import annotations

import os

import pytest

AMBIENT = ("OPENHANDS_", "OH_TUI_", "XDG_", "TEXTUAL")
"""What the names of variables begin with that steer oh-tui or what it is built on."""

SINGLE = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "COLORTERM")


@pytest.fixture(autouse=True)
def no_ambient_configuration(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """An empty home and an environment that says nothing; processes started inherit both."""
    for name in list(os.environ):
        if name == "TEXTUAL_SNAPSHOT_TEMPDIR":  # of the plugin that keeps snapshots
            continue
        if name.startswith(AMBIENT) or name in SINGLE:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv("TERM", "xterm-256color")
