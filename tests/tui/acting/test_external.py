"""The pager, the editor and the images, in a real terminal with test programs."""

from __future__ import annotations

import base64
import json
import os
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from oh_tui.demo.runs.tool_calls import SCREENSHOT
from oh_tui.settings.startup import Settings
from oh_tui.text.problem import Problem
from oh_tui.trajectory.model.events import parse_event
from oh_tui.trajectory.model.images import Image
from oh_tui.trajectory.model.steps import Step
from oh_tui.tui import desktop
from oh_tui.tui.controllers.system import external
from tests.terminal.runs import make_zip
from tests.terminal.terminal import OH_TUI, Terminal
from tests.tui.explorer import explore


def script(path: Path, text: str) -> str:
    """A program of a few lines of shell."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return make_zip(tmp_path / "run.zip")


def test_the_pager_has_the_terminal_and_the_text_and_gives_the_screen_back(
    run: Path, tmp_path: Path
) -> None:
    pager = script(
        tmp_path / "pager", f"cat > {tmp_path}/seen; echo PAGER HAS IT; read line < /dev/tty"
    )
    with Terminal(OH_TUI, "open", run, PAGER=f"{pager} -x") as terminal:
        terminal.wait_for("ValueError: not in order")
        terminal.press("\x1bOR")  # F3
        terminal.until(lambda: b"PAGER HAS IT" in terminal.drawn, "the pager")
        assert terminal.modes() == {}, "the pager's terminal is that of a shell"
        terminal.press("\x03")  # ctrl+c ends the pager and not the app
        terminal.until(lambda: "alternate screen" in terminal.modes(), "the app")
        terminal.wait_for("3 Timeline")
        terminal.wait_for("ValueError: not in order")
        assert (tmp_path / "seen").read_text() == "ValueError: not in order\n"
        terminal.press("q", "q")
        assert terminal.ends() == 0
        assert terminal.is_restored()


@pytest.mark.slow
def test_the_editor_gets_a_private_copy_that_is_gone_afterwards(run: Path, tmp_path: Path) -> None:
    editor = script(
        tmp_path / "editor",
        f'echo "$1" > {tmp_path}/name; cat "$1" > {tmp_path}/seen; ls -ld "$(dirname "$1")" '
        f'> {tmp_path}/mode; echo more >> "$1"',
    )
    with Terminal(OH_TUI, "open", run, VISUAL="", EDITOR=editor) as terminal:
        terminal.wait_for("ValueError: not in order")
        terminal.press("\x1bOS")  # F4
        terminal.wait_for("that was a copy")
        terminal.wait_for("3 Timeline")
        assert (tmp_path / "seen").read_text() == "ValueError: not in order\n"
        name = (tmp_path / "name").read_text().strip()
        assert name.endswith("step-30-result.txt") and not Path(name).exists()
        assert not Path(name).parent.exists()
        assert (tmp_path / "mode").read_text().startswith("drwx------")


@pytest.mark.slow
def test_a_program_that_is_missing_or_fails_is_a_sentence(run: Path, tmp_path: Path) -> None:
    broken = tmp_path / "no-program"
    broken.write_text("neither script nor program")
    broken.chmod(0o755)
    with Terminal(OH_TUI, "open", run, PAGER="no-such-pager", EDITOR=str(broken)) as terminal:
        terminal.wait_for("ValueError: not in order")
        terminal.press("\x1bOR")
        terminal.wait_for("PAGER is no-such-pager, which is not installed here")
        terminal.press("\x1bOS")
        terminal.wait_for("could not be started")
        terminal.wait_for("3 Timeline")


@pytest.mark.slow
def test_output_under_no_color_has_no_colours(tmp_path: Path) -> None:
    path = coloured_zip(tmp_path / "run.zip")
    with Terminal(OH_TUI, "open", path, NO_COLOR="1") as terminal:
        terminal.wait_for("│ it is red")
        colours = set(re.findall(rb"\x1b\[([\d;:]*)m", terminal.drawn))
        assert not [c for c in colours if re.search(rb"[34]8[;:]|\b(?:3[0-7]|4[0-7]|9[0-7])\b", c)]
    with Terminal(OH_TUI, "open", path) as terminal:
        terminal.wait_for("│ it is red")
        lines = terminal.text.split("\n")
        at = next(y for y, line in enumerate(lines) if "│ it is red" in line)
        column = lines[at].rindex("it is red")
        assert terminal.screen.buffer[at][column].fg == "ff6f6f"


def coloured_zip(path: Path) -> Path:
    events: list[dict[str, Any]] = [
        {
            "kind": "ActionEvent",
            "tool_name": "terminal",
            "tool_call_id": "c",
            "action": {"kind": "TerminalAction", "command": "make all"},
        },
        {
            "kind": "ObservationEvent",
            "tool_call_id": "c",
            "observation": {
                "kind": "TerminalObservation",
                "content": [{"type": "text", "text": "\x1b[31mit is red\x1b[0m\n"}],
                "exit_code": 0,
            },
        },
    ]
    with zipfile.ZipFile(path, "w") as archive:
        for place, event in enumerate(events):
            name = f"event_{place:06}_{place:032x}.json"
            archive.writestr(name, json.dumps({"id": f"{place:032x}", **event}))
    return path


async def test_i_saves_the_screenshot_under_a_free_name(tmp_path: Path) -> None:
    settings = Settings(download_folder=tmp_path)
    taken = tmp_path / "step-4-browser-get-state.png"
    taken.write_text("mine")
    async with explore(settings=settings) as explorer:
        await explorer.open("Why is the signup page slow?")
        explorer.screen.timeline.move_to(3)
        await explorer.press("i")
        saved = tmp_path / "step-4-browser-get-state-2.png"
        assert saved.read_bytes() == base64.b64decode(SCREENSHOT)
        assert taken.read_text() == "mine"
        assert f"saved {saved}"[:60] in explorer.footer
        explorer.screen.timeline.move_to(0)
        await explorer.press("i")
        assert "this step has no image" in explorer.footer


async def test_images_are_opened_only_where_there_is_a_desktop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(
        "oh_tui.tui.desktop.subprocess.Popen", lambda words, **_: asked.append(words)
    )
    monkeypatch.setattr("oh_tui.tui.desktop.sys.platform", "linux")
    monkeypatch.setattr("oh_tui.tui.desktop.shutil.which", lambda name: f"/bin/{name}")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not desktop.open_file(tmp_path / "a.png")
    monkeypatch.setenv("DISPLAY", ":0")
    assert desktop.open_file(tmp_path / "a.png")
    assert asked == [["xdg-open", str(tmp_path / "a.png")]]


def pictures(count: int) -> list[Image]:
    return [Image("image", "PNG", data=SCREENSHOT)] * count


def test_of_many_images_a_few_are_saved_and_the_rest_is_counted(tmp_path: Path) -> None:
    elsewhere = Image("image", address="https://a.example/b.png")
    saved = external._save([elsewhere, *pictures(300)], "step-1", tmp_path)
    assert len(list(tmp_path.iterdir())) == len(saved.paths) == external.MOST_IMAGES
    told = external._saved_words(saved, opened=True)
    assert told.startswith(f"saved 20 images into {tmp_path}, 3 kB, the first is opened · ")
    assert " · 280 more not saved · not saved: image at https://a.example/b.png" in told


async def test_one_key_starts_one_viewer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Path] = []

    def show(path: Path) -> bool:
        shown.append(path)
        return True

    monkeypatch.setattr(external, "images_of", lambda step: pictures(3))
    monkeypatch.setattr(external, "open_file", show)
    async with explore(settings=Settings(download_folder=tmp_path)) as explorer:
        await explorer.open("Why is the signup page slow?")
        await explorer.press("i")
        await explorer.settle()
        assert "saved 3 images into" in explorer.footer
    assert len(shown) == 1
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a file that is always full")
def test_of_an_image_that_cannot_be_written_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: str, flags: int) -> int:
        os.close(os.open(path, flags))
        return os.open("/dev/full", os.O_WRONLY)

    monkeypatch.setattr(external, "_private", full)
    with pytest.raises(Problem, match="no space left"):
        external._save(pictures(1), "step-1", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_any_pager_the_sentence_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGER", "")
    monkeypatch.setattr("oh_tui.tui.controllers.system.external.shutil.which", lambda name: None)
    with pytest.raises(Problem, match="Neither less nor more is installed"):
        external._program(("PAGER",), external.PAGERS)


def test_the_name_of_an_image_file_is_made_of_a_masked_name() -> None:
    key = "ghp_AbCd0123456789AbCd0123456789AbCd01"
    event = parse_event(json.dumps({"id": "a", "kind": "ActionEvent", "tool_name": key}).encode())
    assert external._image_name(Step(4, event)) == "step-4-hidden"
