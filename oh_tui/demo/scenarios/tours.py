"""Runs with other tools: reading and planning, Gemini's editor, an agent over ACP."""

from __future__ import annotations

from oh_tui.demo.run import Run
from oh_tui.demo.tools import (
    create_plan,
    edit_plan,
    glob,
    grep,
    plan,
    result,
    shell,
    show_plan,
    think,
    tool,
    view,
)

RETRY = '''\
def delays(attempts: int, first: float = 0.5, most: float = 30.0) -> Iterator[float]:
    """Seconds to wait before each further attempt: doubled each time, with full jitter."""
    for attempt in range(attempts - 1):
        yield random.uniform(0, min(most, first * 2**attempt))
'''


def retry(run: Run) -> None:
    """A question answered by reading: glob, grep, view, think."""
    run.root = "/workspace/client"
    run.files = {"client/retry.py": RETRY}
    run.user("How does our client retry? I want to know how long it can take until it gives up.")
    run.do(
        "",
        glob(run, "client/**/*retry*", ["client/retry.py"]),
        grep(run, r"delays\(", ["client/http.py", "client/queue.py"], "*.py"),
        llm=3.8,
    )
    run.do(
        "",
        view(run, "client/retry.py"),
        shell(
            run,
            "grep -n 'delays(' client/http.py client/queue.py",
            "client/http.py:88:    for delay in delays(5):\nclient/queue.py:40:    for delay "
            "in delays(9, first=1.0):\n",
        ),
        llm=3.0,
    )
    run.do(
        "",
        think(
            "HTTP: 4 waits of at most 0.5, 1, 2, 4 = 7.5 s. Queue: 8 waits of at most 1, 2, 4, 8, "
            "16, 30, 30, 30 = 121 s. Full jitter: on average half of that."
        ),
        llm=7.2,
    )
    run.say(
        "Both use `delays` in `client/retry.py`: doubled each time, full jitter, never over 30 s.\n"
        "\n| where | attempts | waits at most | on average |\n|---|---|---|---|\n"
        "| `http.py:88` | 5 | 7.5 s | 3.8 s |\n| `queue.py:40` | 9 | 121 s | 60.5 s |\n\n"
        "The time of the attempts themselves comes on top: up to 10 s each over HTTP.",
        llm=8.4,
    )


def storage_plan(run: Run) -> None:
    """A plan, not a change: the planning editor, a skill, another model for the hard part."""
    run.root = "/workspace/media"
    run.files = {}
    run.user(
        "Plan the move of our uploads from the NFS share to object storage. No code yet.",
        skills=("capacity-planning",),
    )
    run.do(
        "",
        tool(
            "invoke_skill",
            "InvokeSkillAction",
            {"name": "capacity-planning"},
            result(
                "InvokeSkillObservation",
                "Measure before you size: count, bytes, growth, and the largest file.",
                skill_name="capacity-planning",
            ),
        ),
        llm=3.0,
    )
    run.do(
        "",
        shell(
            run,
            "find /mnt/uploads -type f | wc -l; du -sh /mnt/uploads",
            "",
            code=-1,
            timeout=30,
            ran=30.1,
        ),
        llm=3.2,
    )
    run.do(
        "It still counts; I wait for it.",
        shell(run, "", "1804112\n2.3T\t/mnt/uploads\n", is_input=True, ran=51),
        llm=2.8,
    )
    run.do(
        "",
        tool(
            "switch_llm",
            "SwitchLLMAction",
            {"profile_name": "opus", "reason": "Weighing two ways of cutting over"},
            result(
                "SwitchLLMObservation",
                "Switched to profile opus.",
                profile_name="opus",
                reason="Weighing two ways of cutting over",
                active_model="anthropic/claude-opus-4-5",
            ),
        ),
        llm=2.9,
    )
    run.do(
        "",
        create_plan(
            run,
            "PLAN.md",
            "# Uploads to object storage\n\n1,804,112 files, 2.3 TB.\n\n1. Write to both.\n"
            "2. Copy what is there.\n3. Read from the new place.\n4. Stop writing to NFS.\n",
        ),
        llm=16.5,
        because="Copying first and switching in a maintenance window needs about 6 h at 110 MB/s, "
        "in which nobody can upload. Writing to both needs no window, but deletions must go to "
        "both too, and the copy must not bring back what was deleted meanwhile.",
    )
    run.do(
        "Deletions are the trap in step 2.",
        edit_plan(
            run,
            "PLAN.md",
            "2. Copy what is there.\n",
            "2. Copy what is there, oldest first; skip what the deletion log names.\n",
        ),
        llm=6.1,
    )
    run.do(
        "",
        plan(
            run,
            "Measure",
            "Write to both",
            "Copy",
            "Read from the new place",
            "Stop writing to NFS",
            done=1,
        ),
        show_plan(run),
        llm=3.4,
    )
    run.finish("The plan is in PLAN.md: four steps, none of which needs a window.", llm=4.2)


PACKAGE = '{\n  "name": "@acme/units",\n  "main": "lib/index.js"\n}\n'


def gemini(run: Run) -> None:
    """Another model, with the tools it was trained on."""
    run.root = "/workspace/units"
    run.files = {}
    path, index = f"{run.root}/package.json", f"{run.root}/lib/index.js"
    run.user("Ship @acme/units as an ES module.")
    entries = [
        {
            "name": name,
            "path": f"{run.root}/{name}",
            "is_directory": folder,
            "size": size,
            "modified_time": "2026-01-12T09:30:00",
        }
        for name, folder, size in (("lib", True, 0), ("package.json", False, len(PACKAGE)))
    ]
    run.do(
        "",
        tool(
            "list_directory",
            "ListDirectoryAction",
            {"dir_path": run.root, "recursive": False},
            result(
                "ListDirectoryObservation",
                "lib/\npackage.json",
                dir_path=run.root,
                entries=entries,
                total_count=2,
                is_truncated=False,
            ),
        ),
        llm=3.6,
    )
    run.do(
        "",
        tool(
            "read_file",
            "ReadFileAction",
            {"file_path": path, "offset": 0, "limit": 100},
            result(
                "ReadFileObservation",
                PACKAGE,
                file_path=path,
                file_content=PACKAGE,
                is_truncated=False,
                lines_shown=[1, 4],
                total_lines=4,
            ),
        ),
        llm=2.8,
    )
    new = PACKAGE.replace(
        '"main": "lib/index.js"', '"type": "module",\n  "exports": "./lib/index.js"'
    )
    run.do(
        "",
        tool(
            "edit",
            "EditAction",
            {
                "file_path": path,
                "old_string": '"main": "lib/index.js"',
                "new_string": '"type": "module",\n  "exports": "./lib/index.js"',
                "expected_replacements": 1,
            },
            result(
                "EditObservation",
                f"Replaced 1 occurrence in {path}.",
                file_path=path,
                is_new_file=False,
                replacements_made=1,
                old_content=PACKAGE,
                new_content=new,
            ),
        ),
        llm=4.9,
    )
    old_code = "module.exports = { metre: 1, foot: 0.3048 };\n"
    new_code = "export const metre = 1;\nexport const foot = 0.3048;\n"
    run.do(
        "",
        tool(
            "write_file",
            "WriteFileAction",
            {"file_path": index, "content": new_code},
            result(
                "WriteFileObservation",
                f"Wrote {index}.",
                file_path=index,
                is_new_file=False,
                old_content=old_code,
                new_content=new_code,
            ),
        ),
        llm=4.4,
    )
    run.do(
        "",
        shell(
            run,
            "node -e \"import('@acme/units').then(u => console.log(u.foot))\"",
            "0.3048\n",
            ran=0.3,
        ),
        llm=3.1,
    )
    run.finish(
        "`@acme/units` is an ES module now. `require` of it needs Node 22.12 or newer.", llm=3.9
    )


def acp(run: Run) -> None:
    """An agent of another make, spoken to over ACP: one kind of event for all its tools."""
    run.root = "/workspace/widgets"
    run.user("Tab never leaves the date picker. Fix the trap, keep Escape working.")
    calls = (
        (
            "Read src/date-picker.ts",
            "read",
            {"path": "src/date-picker.ts"},
            "412 lines",
            1.2,
            False,
        ),
        (
            "Search for 'keydown'",
            "search",
            {"pattern": "keydown", "path": "src"},
            "src/date-picker.ts:88\nsrc/date-picker.ts:131",
            0.8,
            False,
        ),
        (
            "Edit src/date-picker.ts",
            "edit",
            {
                "path": "src/date-picker.ts",
                "old": "event.preventDefault();\n    focus(first);",
                "new": "if (!event.shiftKey) close();",
            },
            "1 replacement",
            2.1,
            False,
        ),
        (
            "npm test -- date-picker",
            "execute",
            {"command": "npm test -- date-picker"},
            "Tests: 1 failed, 22 passed",
            9.4,
            True,
        ),
        (
            "Edit src/date-picker.ts",
            "edit",
            {
                "path": "src/date-picker.ts",
                "old": "if (!event.shiftKey) close();",
                "new": "close();",
            },
            "1 replacement",
            1.9,
            False,
        ),
        (
            "npm test -- date-picker",
            "execute",
            {"command": "npm test -- date-picker"},
            "Tests: 23 passed",
            9.1,
            False,
        ),
    )
    for title, kind, given, answer, seconds, failed in calls:
        run.wait(run.vary(3, 6))
        call: dict[str, object] = {
            "tool_call_id": f"toolu_{run.new_id('call').hex[:24]}",
            "title": title,
            "tool_kind": kind,
            "raw_input": given,
            "content": None,
        }
        started = {"status": "in_progress", "raw_output": None, "is_error": False}
        run.emit("ACPToolCallEvent", "agent", call | started)
        run.wait(seconds)
        ended = {
            "status": "failed" if failed else "completed",
            "raw_output": answer,
            "content": [{"type": "content", "content": {"type": "text", "text": answer}}],
            "is_error": failed,
        }
        run.emit("ACPToolCallEvent", "agent", call | ended)
    run.say(
        "Tab and Shift+Tab now close the picker and move on; Escape still closes it. 23 tests "
        "pass.",
        llm=3.0,
    )
