"""The git of the demo's shell, as far as attempts ask it: their scripts are known by their mark."""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Mapping
from difflib import unified_diff

from oh_tui.actions.attempt_scripts import MARK
from oh_tui.demo.servers.agent_server import COMMIT
from oh_tui.demo.servers.disks import Disk, git_changes
from oh_tui.demo.shell import Files, ShellResult, run_command

HEAD = COMMIT["sha"]


def answered(command: str, disk: Disk, folder: str, limit: float) -> ShellResult | None:
    """What a script of attempts prints in a folder; None for another command."""
    head, _, rest = command.partition("\n")
    if command == "git rev-parse HEAD":
        name, values = "head", {}
    elif head.startswith(MARK):
        name = head.removeprefix(MARK)
        words = (word.partition("=") for word in shlex.split(rest))
        values = {key: value for key, sign, value in reversed([*words]) if sign}
    else:
        return None
    if not any(path.startswith(f"{folder}/") for path in disk.cloned):
        return ShellResult(stderr=b"fatal: not a git repository\n", code=128)
    sha, kept = disk.commits.get(folder, (HEAD, disk.cloned))
    tree = _tree(folder, disk.files)
    if values.get("want", tree) != tree:
        return ShellResult(stderr=b"it has changed since it was shown\n", code=96)
    match name:
        case "ground":
            text = f"{folder}\n{sha}\n{folder}\n/home/openhands\n{_tree(folder, disk.files)}\n"
        case "look":
            text = _look(disk, folder, values["folder"], sha, kept)
        case "verify":
            return _verify(disk, folder, values["command"], limit)
        case "accept":
            if _tree(folder, kept) != tree:
                sha = hashlib.sha1(f"{sha} {tree}".encode()).hexdigest()
                disk.commits[folder] = sha, dict(disk.files)
            text = sha
        case "patch":
            patch = _patch(disk, folder)
            text = f"{len(patch)}\n{base64.encodebytes(patch).decode()}"
        case _:
            text = sha
    return ShellResult(stdout=text.encode())


def _tree(folder: str, files: Mapping[str, bytes]) -> str:
    """Equal for equal files of a folder, wherever that is."""
    inside = {path.removeprefix(folder): path for path in files if path.startswith(f"{folder}/")}
    told = [(name, files[path]) for name, path in sorted(inside.items()) if "/.git/" not in name]
    return hashlib.sha1(repr(told).encode()).hexdigest()


def _look(disk: Disk, folder: str, ground: str, sha: str, kept: Mapping[str, bytes]) -> str:
    stands = _tree(ground, disk.files) if ground else ""
    branch = f"openhands/{folder.split('/')[-2]}"
    parts = [_tree(folder, disk.files), _tree(folder, disk.cloned), sha, branch, stands]
    for one in git_changes(folder, disk.cloned, disk.files):
        lines = _diff(disk, f"{folder}/{one['path']}", one["path"])[2:]
        plus, minus = (sum(line.startswith(sign) for line in lines) for sign in "+-")
        letter = {"ADDED": "A", "DELETED": "D"}.get(one["status"], "M")
        parts += [f":100644 100644 0 0 {letter}", one["path"], f"{plus}\t{minus}\t{one['path']}"]
    left = [one["path"] for one in git_changes(folder, kept, disk.files)]
    return "\0".join([*parts, "", *left, ""])


def _diff(disk: Disk, path: str, name: str) -> list[str]:
    old, new = (
        files.get(path, b"").decode("utf-8", "replace").splitlines(keepends=True)
        for files in (disk.cloned, disk.files)
    )
    return [*unified_diff(old, new, f"a/{name}", f"b/{name}")]


def _patch(disk: Disk, folder: str) -> bytes:
    changed = git_changes(folder, disk.cloned, disk.files)
    return "".join(
        line for one in changed for line in _diff(disk, f"{folder}/{one['path']}", one["path"])
    ).encode()


def _verify(disk: Disk, folder: str, command: str, limit: float) -> ShellResult:
    copy = Files(disk.files.clock)
    copy.update(disk.files)
    done = run_command(command, copy, folder, limit)
    done.stdout = f"{done.code}\n".encode() + done.stdout + done.stderr
    done.code = 0
    return done
