"""A run with a sub-agent, and the sub-conversation beside it."""

from __future__ import annotations

from oh_tui.demo.run import Call, Run
from oh_tui.demo.tools import create, edit, plan, result, shell, tool, view

MIGRATE = {
    "add": "click.argument('path', type=click.Path(exists=True))",
    "list": "click.option('--long', '-l', is_flag=True)",
    "move": "click.argument('source')",
    "prune": "click.confirmation_option(prompt='Delete?')",
    "sync": "click.option('--dry-run', is_flag=True)",
}


def click(run: Run) -> None:
    """A parent: it hands the notes for users to a sub-conversation, and tasks to sub-agents."""
    run.root = "/workspace/shelf"
    run.files = {
        f"shelf/commands/{name}.py": f"def register(parsers):\n    parsers.add_parser({name!r})\n"
        for name in MIGRATE
    }
    run.user(
        "Port our command line from argparse to click, command by command. Options and exit codes "
        "stay as they are. Have the notes for users written beside it."
    )
    run.do("", plan(run, *(f"Port `shelf {name}`" for name in MIGRATE), "Notes for users"), llm=5.9)
    for done, (name, decorator) in enumerate(MIGRATE.items(), 1):
        path = f"shelf/commands/{name}.py"
        new = (
            "import click\n\nfrom shelf import actions\n\n\n@click.command()\n"
            f"@{decorator}\ndef {name}(**given):\n    actions.{name}(**given)\n"
        )
        run.do(
            "",
            view(run, path),
            shell(run, f"python -m shelf {name} --help > /tmp/{name}.before", ran=0.3),
            llm=run.vary(3, 5),
        )
        run.do("", edit(run, path, run.files[path], new), llm=run.vary(8, 15))
        if name == "prune":
            run.do(
                "",
                shell(
                    run,
                    "pytest -q tests/test_prune.py",
                    "FAILED tests/test_prune.py::test_aborts_with_2 - assert 1 == 2\n"
                    "1 failed, 17 passed in 3.31s\n",
                    code=1,
                    ran=4,
                ),
                llm=2.6,
            )
            run.do(
                "click exits with 1 when the user says no; ours is 2.",
                edit(
                    run,
                    path,
                    new[new.index("@click.confirmation") :],
                    "@click.option('--yes', is_flag=True)\n"
                    "def prune(yes, **given):\n"
                    "    if not yes and not click.confirm('Delete?'):\n"
                    "        raise SystemExit(2)\n"
                    "    actions.prune(**given)\n",
                ),
                llm=7.7,
            )
        run.do(
            "",
            shell(
                run, f"pytest -q tests/test_{name}.py", f"{9 + 2 * done} passed in 2.9s\n", ran=3.6
            ),
            llm=2.5,
        )
        run.do("", plan(run, done=done), llm=2.5)
    run.do(
        "",
        _task(
            "Check that each `--help` names the same options as before.",
            "5 of 5 commands name the same options; `list` shows them in another order.",
            seconds=74,
        ),
        llm=5.1,
    )
    run.do("", shell(run, "pytest -q", "118 passed in 24.90s\n", ran=26), llm=2.7)
    run.finish(
        "All five commands run on click, with the options and exit codes they had; 118 tests pass. "
        "The notes for users are in a conversation of their own.",
        llm=5.4,
    )


def click_notes(run: Run) -> None:
    """The sub-conversation of `click`."""
    run.root = "/workspace/shelf"
    run.files = {}
    run.user("Write the notes for users about the move from argparse to click.")
    run.do(
        "",
        shell(run, "python -m shelf --help", "Usage: shelf [OPTIONS] COMMAND [ARGS]...\n", ran=0.3),
        llm=3.2,
    )
    run.do(
        "",
        create(
            run,
            "docs/click.md",
            "# The command line uses click\n\nNothing changes in what you type. New: shell "
            "completion, see `shelf --show-completion`.\n",
        ),
        llm=7.1,
    )
    run.finish("The notes are in docs/click.md.", llm=2.9)


def _task(prompt: str, answer: str, *, seconds: float) -> Call:
    """A task for a sub-agent."""
    return tool(
        "task",
        "TaskAction",
        {
            "description": prompt.split(".")[0][:60],
            "prompt": prompt,
            "subagent_type": "default",
            "resume": None,
        },
        result(
            "TaskObservation", answer, task_id="task_7c1e", subagent="default", status="completed"
        ),
        ran=seconds,
    )
