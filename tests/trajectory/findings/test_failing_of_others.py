"""What failed in runs of other agents, as they leave them: one row for one cause, in any format."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from oh_tui import runs
from oh_tui.trajectory.findings.failure_signatures.failed_steps import failures_of

NAMES: Sequence[Mapping[str, str]] = (
    {"w": "/testbed", "d": "src/parser", "m": "lexer", "n": "17", "v": "2.31.0", "x": "reproduce"},
    {"w": "/workspace/a__b-1", "d": "lib", "m": "week_reader", "n": "4", "v": "7.0", "x": "t_it"},
    {"w": "/home/dev/web", "d": "ui/x", "m": "formHelp", "n": "190", "v": "18.0rc1", "x": "debug"},
    {"w": "/app", "d": "pkg", "m": "io2", "n": "6", "v": "3.1.4", "x": "scratch"},
)
"""What differs between the runs."""

TRACEBACK = 'Traceback (most recent call last):\n  File "$w/$x.py", line $n, in <module>\n'

FAILED = {
    "AssertionError: assert parsed == expected": (
        "cd $w && python3 $x.py",
        f"check $n\n{TRACEBACK}    assert parsed == expected\n           ^^^^^\nAssertionError\n",
    ),
    "ConfigError: not set": (
        "python $x.py",
        f"{TRACEBACK}Test $n: $m\n    go()\na.ConfigError: not set",
    ),
    "FileNotFoundError: [Errno #] No such file or directory: 'PATH'": (
        "python $x.py",
        f"{TRACEBACK}FileNotFoundError: [Errno 2] No such file or directory: '$w/$m.csv'\n",
    ),
    "ModuleNotFoundError: No module named 'pytest'": (
        "python -m pytest $d/test_$m.py",
        "/opt/py$n/bin/python3: No module named pytest\n",
    ),
    "exit 1: cat: PATH: No such file or directory": (
        "cat $d/$m.py && ls",
        "cat: $d/$m.py: No such file or directory\n",
    ),
    "exit 1: ls: cannot access 'PATH': No such file or directory": (
        "ls $d $x",
        "setup.py\nls: cannot access '$x': No such file or directory\n\n$d:\n$m.py\n",
    ),
    "exit 1: grep: no match": ("cat $w/$d/$m.py | grep -n $x", ""),
    "exit 1: Could not find a package configuration file provided by 'Boost'": (
        "cmake -B build",
        "CMake Error at CMakeLists.txt:$n (find_package):\n  Could not find a package "
        'configuration file provided by "Boost"\n\nSee also "$w/build/CMakeOutput.log".\n',
    ),
    "exit 1: Could not find OpenSSL": (
        "cargo build",
        "error: failed to run custom build command for `a-sys v$v`\n  --- stderr\n  thread 'main' "
        "panicked at /c/a-sys-$v/build.rs:$n:5:\n\n\n  Could not find OpenSSL\n",
    ),
    "exit 1: file or directory not found: PATH": (
        "pytest $d/test_$m.py",
        "=== no tests ran in 0.$n s ===\nERROR: file or directory not found: $d/test_$m.py\n",
    ),
    "exit 1: No rule to make target 'PATH', needed by 'PATH'. Stop.": (
        "make",
        "make: *** No rule to make target '$d/$m.c', needed by '$m.o'.  Stop.\n",
    ),
    "hunk: FAILED": (
        "patch -p1 < $x.patch",
        "patching file $d/$m.py\n1 out of $n hunks FAILED -- saving rejects to $d/$m.py.rej\n",
    ),
}
"""A command and its output by what its row says."""


Steps = Sequence[tuple[str, str, int]]
"""Commands with their outputs and exit codes."""


def _call(number: int, name: str, command: str) -> dict[str, Any]:
    call = {"name": name, "arguments": json.dumps({"command": command})}
    return {
        "role": "assistant",
        "content": "t",
        "tool_calls": [{"id": f"c{number}", "function": call}],
    }


def _mini(steps: Steps) -> dict[str, Any]:
    messages: list[object] = [
        {"role": "system", "content": "S"},
        {"role": "user", "content": "Fix it."},
    ]
    for number, (command, output, code) in enumerate(steps):
        told = f"<returncode>{code}</returncode>\n<output>\n{output}</output>"
        messages += [
            _call(number, "bash", command),
            {"role": "tool", "tool_call_id": f"c{number}", "content": told},
        ]  # fmt: skip
    return {"info": {}, "messages": messages, "trajectory_format": "mini-swe-agent-1.1"}


def _chat(steps: Steps) -> dict[str, Any]:
    messages: list[object] = [{"role": "user", "content": "Fix it."}]
    for number, (command, output, code) in enumerate(steps):
        told = f"{output}\n[Command finished with exit code {code}]"
        messages += [
            _call(number, "execute_bash", command),
            {"role": "tool", "tool_call_id": f"c{number}", "content": told},
        ]  # fmt: skip
    return {"instance_id": "a__b-1", "messages": messages, "test_result": {}}


def _evaluated(steps: Steps) -> dict[str, Any]:
    history: list[object] = [
        {"id": 0, "source": "user", "action": "message", "args": {"content": "Fix it."}}
    ]
    for number, (command, output, code) in enumerate(steps):
        id, extras = 2 * number + 1, {"command": command, "metadata": {"exit_code": code}}
        history += [
            {"id": id, "source": "agent", "action": "run", "args": {"command": command}},
            {"id": id + 1, "source": "agent", "cause": id, "observation": "run", "content": output,
             "extras": extras},
        ]  # fmt: skip
    return {"instance_id": "a__b-2", "history": history, "metadata": {}, "test_result": {}}


def _atif(steps: Steps) -> dict[str, Any]:
    told: list[object] = [{"step_id": 1, "source": "user", "message": "Fix it."}]
    for number, (command, output, code) in enumerate(steps):
        content = f"{output}\n[Command finished with exit code {code}]"
        call = {"tool_call_id": f"c{number}", "function_name": "execute_bash",
                "arguments": {"command": command}}  # fmt: skip
        results = [{"source_call_id": f"c{number}", "content": content}]
        told.append({"step_id": number + 2, "source": "agent", "message": "", "tool_calls": [call],
                     "observation": {"results": results}})  # fmt: skip
    agent = {"name": "a", "version": "1"}
    return {"schema_version": "ATIF-v1.5", "session_id": "s", "agent": agent, "steps": told}


FORMATS = {
    "a.traj.json": _mini,
    "chat.jsonl": _chat,
    "output.jsonl": _evaluated,
    "a.trajectory.json": _atif,
}


def test_a_failure_is_one_row_whatever_its_files_are_called(tmp_path: Path) -> None:
    rows: dict[str, set[str]] = defaultdict(set)
    for (file, made), names in zip(FORMATS.items(), NAMES, strict=True):
        scratch = [(f"cat > {names['x']}.py <<'E'\n1\nE", "", 0)]
        failed = [(Template(a).substitute(names), Template(b).substitute(names), 1)
                  for a, b in FAILED.values()]  # fmt: skip
        steps = [*scratch, *failed, (f"rm {names['x']}.py", "", 0)]
        (tmp_path / file).write_text(json.dumps(made(steps)) + "\n")
        for one in failures_of(runs.open(tmp_path / file).trajectory):
            assert one.failure.tool == "terminal"
            rows[one.failure.words].add(file)
    assert rows == {failed: {*FORMATS} for failed in FAILED}
