"""The script of the model in the live tests, and what the explorer must show of it."""

from __future__ import annotations

from pathlib import Path

from .model import Answer, Call

PROOF = "proof.txt"
"""What the gated script writes when it may."""

NOTES = "notes.txt"
"""What the tour makes; it must not be there before."""

AGAIN = "again.txt"
"""What the script writes that asks twice, with its second call."""

ENOUGH = "enough"
"""What ends the step of the patient script; by itself it ends after two minutes."""


def scripts(folder: Path) -> dict[str, list[Answer]]:
    """The scripts by name; files they make go to `folder`."""
    notes = str(folder / NOTES)
    # it says something all the time: after 30 s of silence the tool would end the step
    until = f"for i in {{1..120}}; do [ -e {folder / ENOUGH} ] && break; echo $i; sleep 1; done"
    return {
        "tour": [
            Answer("First a look around.", (_shell("echo hello from the sandbox"),)),
            Answer("", (_shell("ls /no/such/folder"),)),
            Answer("Now a file.", (_edit("create", notes, file_text="one\ntwo\n"),)),
            Answer("", (_edit("str_replace", notes, old_str="two", new_str="three"),)),
            Answer("", (_edit("str_replace", notes, old_str="four", new_str="five"),)),
            Answer("A tool that is not there.", (Call("no_such_tool", {"x": 1}),)),
            Answer(
                "Two things at once.",
                (_shell("sleep 0.5; echo side one"), _edit("view", notes)),
            ),
            Answer("", (_shell("exit_code() { return 3; }; exit_code"),)),
            Answer("", (Call("think", {"thought": "All parts were seen."}),)),
            Answer("That is all.", (Call("finish", {"message": "The tour is over."}),)),
        ],
        "short": [
            Answer("", (_shell("echo short"),)),
            Answer("This run was short."),
        ],
        "long": [
            Answer("This takes a while.", (_shell("for i in 1 2 3 4 5 6; do sleep 2; done"),)),
            Answer("", (Call("finish", {"message": "It took a while."}),)),
        ],
        "slow": [
            Answer("Slowly.", (_shell("sleep 8; echo woke"),)),
            Answer("Slow is over."),
        ],
        "patient": [
            Answer("Very slowly.", (_shell(f"{until}; echo woke"),)),
            Answer("Very slow is over."),
        ],
        "gated": [
            Answer("I want to write a file.", (_shell(f"echo ran >> {folder / PROOF}"),)),
            Answer("That is done, or not."),
        ],
        "twice": [
            Answer("I want to write a file.", (_shell(f"sleep 2; echo ran >> {folder / PROOF}"),)),
            Answer("And another.", (_shell(f"echo again >> {folder / AGAIN}"),)),
            Answer("Both are done, or not."),
        ],
        "reply": [Answer("Understood.")],
        "thinks": [
            Answer("Let me think.", (_shell("sleep 1; echo thought"),), wait=5),
            Answer("That was all."),
        ],
        "steps": [
            *(Answer(f"Part {n}.", (_shell(f"sleep 2; echo part {n} done"),)) for n in (1, 2, 3)),
            Answer("All parts are done."),
        ],
        "parent": [
            Answer("", (_shell("echo before"),)),
            Answer("Others may look.", (_task("Look around", "Do script:child now."),)),
            Answer("", (_task("Look deeper", "Do script:short now."),)),
            Answer("", (Call("finish", {"message": "Both looked."}),)),
        ],
        "child": [
            Answer("", (_shell("echo from below; false"),)),
            Answer("I looked around."),
        ],
        "refused": [Answer(status=401)],
    }


def _shell(command: str) -> Call:
    return Call("terminal", {"command": command, "security_risk": "LOW"})


def _task(description: str, prompt: str) -> Call:
    given = {"description": description, "prompt": prompt, "subagent_type": "general-purpose"}
    return Call("task", given)


def _edit(command: str, path: str, **more: str) -> Call:
    return Call("file_editor", {"command": command, "path": path, "security_risk": "LOW", **more})
