"""Which calls cannot be undone, as far as they tell."""

from __future__ import annotations

import msgspec
import pytest

from oh_tui.trajectory.model.events import parse_event
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.reading.lasting import cannot_be_undone
from oh_tui.trajectory.shell.reader import LONGEST

LASTING = [
    "git push --force origin auth", "git push", "git -C /repo push origin HEAD:main",
    "cd /w && git push", "bash -c 'git push -f'", "sudo rm -rf build", "rm a.txt",
    "find . -name '*.pyc' -delete", "find . -exec rm {} +", "git reset --hard HEAD~1",
    "git clean -fdx", "git branch -D old", "git checkout -f main", "git stash drop",
    "docker volume rm data", "kubectl delete pod x", "docker system prune -a",
    "psql -c 'DROP TABLE users'", 'sqlite3 a.db "delete from users"', "npm publish",
    "curl -X DELETE https://h/x", "python -c 'import shutil; shutil.rmtree(\"a\")'",
    "dd if=/dev/zero of=/dev/sda", "mkfs.ext4 /dev/sda1", "terraform destroy", "gh pr merge 7",
    "timeout 5 git push", "x" * (LONGEST + 1),
    "if true; then git push; fi", "rm $(cat <<EOF\n(\nEOF",
]  # fmt: skip
UNDONE = [
    "git status", "pytest -q", "ls -la", "grep -rn delete src", "cat push.txt", "git log -p",
    "git commit -m 'delete x'", "npm run build", "echo rm", "git diff", "git fetch", "",
]  # fmt: skip


def step(tool: str, **action: object) -> Step:
    kind = {"terminal": "TerminalAction"}.get(tool, "MCPToolAction")
    raw = {
        "id": "1", "kind": "ActionEvent", "source": "agent", "tool_name": tool,
        "timestamp": "2026-11-24T15:00:00", "action": {"kind": kind, **action},
    }  # fmt: skip
    return Step(1, parse_event(msgspec.json.encode(raw)))


@pytest.mark.parametrize("command", LASTING, ids=lambda one: one[:30])
def test_what_pushes_deletes_or_forces_cannot_be_undone(command: str) -> None:
    assert cannot_be_undone(step("terminal", command=command))


@pytest.mark.parametrize("command", UNDONE)
def test_what_only_names_such_words_can(command: str) -> None:
    assert not cannot_be_undone(step("terminal", command=command))


def test_a_tool_tells_by_its_name() -> None:
    assert cannot_be_undone(step("merge_pull_request")) and cannot_be_undone(step("delete-file"))
    assert not cannot_be_undone(step("list_pull_requests"))
