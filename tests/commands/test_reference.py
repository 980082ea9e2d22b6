"""Files generated from the parsers are current: reference, completions, table of commands."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from oh_tui.commands import TABLE
from oh_tui.commands.framework.command import load
from oh_tui.commands.framework.parsing import SHELLS, read_words
from oh_tui.commands.framework.reference import completion, manual, reference

ROOT = Path(__file__).parent.parent.parent


def test_the_reference_is_fresh() -> None:
    held = (ROOT / "docs" / "commands.md").read_text("utf-8")
    assert held == reference(), "run scripts/commands_reference.py"


def test_the_manual_page_is_fresh() -> None:
    held = (ROOT / "docs" / "oh-tui.1").read_text("utf-8")
    assert held == manual(), "run scripts/commands_reference.py"


@pytest.mark.skipif(not shutil.which("groff"), reason="there is no groff")
def test_groff_takes_the_manual_page() -> None:
    words = ["groff", "-man", "-Tutf8", "-ww", str(ROOT / "docs" / "oh-tui.1")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert "OPENHANDS_API_KEY" in done.stdout and done.stderr == ""


@pytest.mark.parametrize("shell", SHELLS)
def test_a_completion_knows_the_commands_and_their_options(shell: str) -> None:
    told = completion(shell)
    for word in ("conversations", "export", "demo"):
        assert word in told
    if shell != "tcsh":  # which completes no options of subcommands
        assert "limit" in told and "follow" in told and "longest" in told


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
def test_bash_completes_with_it() -> None:
    script = completion("bash") + (
        "\nCOMP_WORDS=(oh-tui st); COMP_CWORD=1; COMP_LINE='oh-tui st'; COMP_POINT=9\n"
        "$(complete -p oh-tui | sed 's/.*-F \\([^ ]*\\).*/\\1/') oh-tui st oh-tui\n"
        'echo "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert sorted(done.stdout.split()) == ["start", "stats", "status", "steps", "stop"]


@pytest.mark.skipif(not shutil.which("fish"), reason="there is no fish")
def test_fish_completes_with_it() -> None:
    script = completion("fish") + "\ncomplete -C 'oh-tui st'; complete -C 'oh-tui count x --via '\n"
    done = subprocess.run(
        ["fish", "--no-config"], input=script, capture_output=True, text=True, check=False
    )
    found = [line.split("\t")[0] for line in done.stdout.splitlines()]
    assert found == ["start", "status", "steps", "stop", "app", "agent", "zip"], done


@pytest.mark.skipif(not shutil.which("zsh"), reason="there is no zsh")
def test_zsh_takes_it(tmp_path: Path) -> None:
    (tmp_path / "made").write_text(completion("zsh"), "utf-8")
    script = (
        'autoload -U compinit; compinit -u -d dump; eval "$(<made)"; '
        'echo "${_comps[oh-tui]}"; whence -w "${_comps[oh-tui]}"'
    )
    done = subprocess.run(
        ["zsh", "-fc", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["_shtab_oh_tui", "_shtab_oh_tui:", "function"], done


def test_each_command_is_in_the_table_with_an_example() -> None:
    text = (ROOT / "docs" / "scripts.md").read_text("utf-8")
    rows = re.findall(r"^\| `oh-tui (\S+)[^`]*` \|", text, re.MULTILINE)
    assert set(TABLE) <= set(rows)


@pytest.mark.parametrize("name", TABLE)
def test_the_file_of_a_command_has_it_and_its_examples_begin_with_it(name: str) -> None:
    command = load(name)
    assert command.examples
    assert all(words.split()[0] == name for words in command.examples)


@pytest.mark.parametrize("name", TABLE)
def test_the_examples_of_a_command_are_understood(name: str) -> None:
    for example in load(name).examples:
        words = shlex.split(example)
        stops = [place for place, word in enumerate(words) if word in ("|", "<", ">")]
        assert read_words(words[: min(stops, default=len(words))])[0] == name
