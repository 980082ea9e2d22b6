"""The key and the folders of Agent Canvas: what of them is taken, and why another is not."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from oh_tui.settings.canvas import CanvasFiles, read_canvas_files
from oh_tui.settings.startup import Settings, choose, read_settings
from tests.canvas.here import KEY, home_with


def found(home: Path, **variables: str) -> CanvasFiles:
    return read_canvas_files({"HOME": str(home), **variables})


def test_the_key_file_and_the_folder_of_runs_are_found(tmp_path: Path) -> None:
    folder = home_with(tmp_path)
    files = found(tmp_path)
    assert files.key is not None and files.key.reveal() == KEY
    assert files.key_from == "the file ~/.openhands/agent-canvas/api-key.txt"
    assert (files.skipped, files.cautions) == ("", ())
    assert files.folders == (folder / "dev_conversations",)


def test_nothing_there_is_nothing_said(tmp_path: Path) -> None:
    assert found(tmp_path) == CanvasFiles()
    assert read_canvas_files({}) == CanvasFiles()


def test_a_key_of_its_own_comes_before_the_file_of_before(tmp_path: Path) -> None:
    home_with(tmp_path, "of-before-" * 4)
    files = found(tmp_path, LOCAL_BACKEND_API_KEY=KEY)
    assert files.key is not None and files.key.reveal() == KEY
    assert files.key_from == "LOCAL_BACKEND_API_KEY"


def test_the_key_file_may_be_moved_and_the_state_too(tmp_path: Path) -> None:
    home_with(tmp_path, "of-before-" * 4)
    moved = tmp_path / "state"
    (moved / "conversations").mkdir(parents=True)
    (moved / "key").write_text(KEY)
    files = found(
        tmp_path, OH_SESSION_API_KEY_PATH=str(moved / "key"), OH_CANVAS_SAFE_STATE_DIR=str(moved)
    )
    assert files.key is not None and files.key.reveal() == KEY
    assert [folder.name for folder in files.folders] == ["conversations", "dev_conversations"]


def linked(file: Path) -> None:
    file.rename(file.with_name("other"))
    file.symlink_to("other")


def unreadable(file: Path) -> None:
    file.chmod(0)


def instead(make: Callable[[Path], object]) -> Callable[[Path], object]:
    """Puts something else in the place of the file."""

    def do(file: Path) -> None:
        file.unlink()
        make(file)

    return do


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "a link": (linked, "it is a link"),
    "a link to nothing": (instead(lambda file: file.symlink_to("none")), "it is a link"),
    "empty": (lambda file: file.write_text("\n"), "it is empty"),
    "two lines": (lambda file: file.write_text(f"{KEY}\n{KEY}\n"), "it has more than one line"),
    "huge": (lambda file: file.write_text("9" * 5000), "it is too large, more than 4 KiB"),
    "no text": (lambda file: file.write_bytes(b"\xff\xfe\x00"), "it is not text"),
    "a folder": (instead(Path.mkdir), "is a directory"),
    "a pipe": (instead(os.mkfifo), "it is not a regular file"),
    "a quote": (lambda file: file.write_text("naïve"), "has characters that cannot be in a key"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_key_file_that_is_not_as_canvas_writes_it_is_passed_over(
    what: str, tmp_path: Path
) -> None:
    change, why = WRONG[what]
    file = home_with(tmp_path) / "api-key.txt"
    change(file)
    files = found(tmp_path)
    assert files.key is None and why in files.skipped
    assert KEY not in files.skipped and "api-key.txt" in files.skipped


def test_the_file_of_another_user_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = home_with(tmp_path) / "api-key.txt"
    if os.getuid() == 0:
        os.chown(file, 12345, 12345)
    else:
        monkeypatch.setattr(os, "getuid", lambda: file.stat().st_uid + 1)
    assert "it belongs to another user" in found(tmp_path).skipped


def test_a_file_that_others_can_read_is_used_and_said(tmp_path: Path) -> None:
    (home_with(tmp_path) / "api-key.txt").chmod(0o644)
    files = found(tmp_path)
    assert files.key is not None
    assert files.cautions == (
        "others can read the key in ~/.openhands/agent-canvas/api-key.txt: "
        "chmod 600 ~/.openhands/agent-canvas/api-key.txt",
    )


# Which server is opened


def settings_of(home: Path, server: str | None = None, **variables: str) -> Settings:
    return read_settings({"HOME": str(home), "TERM": "xterm", **variables}, server=server)


def test_canvas_is_looked_for_where_nothing_is_named_and_there_is_no_key(tmp_path: Path) -> None:
    home_with(tmp_path)
    settings = settings_of(tmp_path)
    assert settings.is_looked_for and settings.canvas is not None and settings.canvas.key
    assert settings.key is None, "it goes to nothing but Canvas"
    assert settings.base_url == settings.label == ""


@pytest.mark.parametrize(
    ("server", "variables"),
    [
        ("cloud", {}),
        ("https://app.all-hands.dev", {}),
        (None, {"OPENHANDS_BASE_URL": "https://app.all-hands.dev"}),
        (None, {"OPENHANDS_API_KEY": "sk-of-cloud-1234"}),
        ("http://203.0.113.5:8000", {}),
        ("http://127.0.0.1:8000", {"LOCAL_BACKEND_API_KEY": KEY}),
    ],
)
def test_whatever_is_named_otherwise_never_gets_its_key(
    server: str | None, variables: dict[str, str], tmp_path: Path
) -> None:
    home_with(tmp_path)
    settings = settings_of(tmp_path, server, **variables)
    assert settings.canvas is None and not settings.is_looked_for
    assert settings.key is None or settings.key.reveal() == "sk-of-cloud-1234"


def test_canvas_and_cloud_are_names_and_the_file_may_say_something_else_of_them(
    tmp_path: Path,
) -> None:
    named = settings_of(tmp_path, "canvas")
    assert named.server == "canvas" and named.canvas is not None and not named.is_looked_for
    cloud = choose(named, "cloud", {"OPENHANDS_API_KEY": "sk-of-cloud-1234"})
    assert cloud.server == "cloud" and cloud.base_url == "https://app.all-hands.dev"
    assert cloud.key is not None and cloud.canvas is None
    file = tmp_path / "config.toml"
    file.write_text('[servers.canvas]\nurl = "http://localhost:9000"\nkey_env = "MY_KEY"\n')
    own = settings_of(tmp_path, "canvas", OH_TUI_CONFIG=str(file), MY_KEY="of-my-own-1")
    assert own.base_url == "http://localhost:9000" and own.canvas is None
    assert own.key is not None and own.key.reveal() == "of-my-own-1"
