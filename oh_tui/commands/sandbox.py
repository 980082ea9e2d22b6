"""`oh-tui pause` and `oh-tui resume`: what will be touched is read first, and asked about."""

from __future__ import annotations

import contextlib
from argparse import ArgumentParser

from oh_tui.commands.shared.acting import require_consent
from oh_tui.commands.shared.documents import conversation_id, sandbox_json
from oh_tui.commands.shared.frame import Call, Command
from oh_tui.commands.shared.ids import find, is_path, read_id, require_id
from oh_tui.commands.shared.printing import print_json, say, tell_progress
from oh_tui.commands.shared.reading import title
from oh_tui.sources.results import SandboxPlan
from oh_tui.sources.sandboxes import SandboxStage, ServerSandboxes
from oh_tui.text.clean import clean_line, safe_line
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem, Refused

_DONE = {"pause": ("PAUSED", SandboxStage.PAUSED), "resume": ("RUNNING", SandboxStage.RUNNING)}


async def pause(call: Call) -> int:
    return await _change(call, "pause")


async def resume(call: Call) -> int:
    return await _change(call, "resume")


async def _change(call: Call, verb: str) -> int:
    sandboxes = call.source.sandboxes
    assert sandboxes is not None
    plan = await sandboxes.plan(await _sandbox_id(call, sandboxes))
    wanted, done = _DONE[verb]
    stages: list[str] = []
    if plan.sandbox is not None and plan.sandbox.status == wanted:
        stages.append(f"{done.removesuffix(' again')} already")
    elif plan.action != verb:
        raise Refused(f"Cannot {verb} it: {_reason(plan)}", "oh-tui sandboxes shows what there is")
    else:
        if plan.at_stake:
            require_consent(call, _stake(plan), f"oh-tui {verb} ... --yes")
        call.goes_on = f"the server may {verb} the sandbox all the same: oh-tui sandboxes tells"
        stop_first = verb == "pause" and not call.asked.now
        try:
            async for stage in sandboxes.carry_out(
                plan, stop_agents=stop_first, patient=call.asked.wait
            ):
                stages.append(stage)
                tell_progress(stage)
        finally:
            tell_progress("")
        call.goes_on = ""
        await _tell_displaced(sandboxes, plan)
    if call.as_json:
        assert plan.sandbox is not None
        sandbox = await sandboxes.get(plan.sandbox.id)
        print_json(
            {
                "sandbox": sandbox_json(sandbox) if sandbox else None,
                "stages": stages,
                "conversations": [
                    {"id": conversation_id(one), "title": title(one)} for one in plan.conversations
                ],
            }
        )
    else:
        names = ", ".join(title(one) for one in plan.conversations)
        print(stages[-1] + (f"  {names}" if names else ""))
    return 0


async def _sandbox_id(call: Call, sandboxes: ServerSandboxes) -> str:
    """Of the conversation that is meant, or of a sandbox named by itself."""
    word = call.asked.target
    if is_path(word):
        raise Problem(f"{clean_line(word)} is a file, and a file has no sandbox")
    held = [one.id for one in await sandboxes.all()]
    named = [one for one in held if one == word] or [one for one in held if one.startswith(word)]
    if len(named) == 1 and len(word) >= 4:
        return named[0]
    if not read_id(word) and "://" not in word:
        raise Problem(
            f"{clean_line(word)!r} is neither a conversation nor a sandbox",
            "oh-tui sandboxes and oh-tui conversations list them",
        )
    here = "" if call.asked.demo else call.settings.base_url
    conversation = await find(call.source, require_id(word, here))
    if not conversation.sandbox_id:
        raise Problem(f"{title(conversation)} has no sandbox", "its history stays readable")
    return conversation.sandbox_id


async def _tell_displaced(sandboxes: ServerSandboxes, plan: SandboxPlan) -> None:
    """What the server paused to make room. The resume is done by now, so that no answer is no
    failure."""
    with contextlib.suppress(Problem):
        for sandbox in await sandboxes.displaced(plan):
            inside = await sandboxes.inside(sandbox.id)
            names = [title(one) for one in inside if not one.parent_conversation_id]
            say(f"the server paused {safe_line(', '.join(names) or sandbox.id)} to make room")


def _stake(plan: SandboxPlan) -> str:
    if plan.action == "resume":
        many = len(plan.others)
        return f"The server may pause one of the {many} other sandboxes that run"
    running = [title(one) for one in plan.running]
    if running:
        return f"This stops {plural(len(running), 'run')}: {', '.join(running)}"
    return f"{plural(len(plan.conversations), 'conversation')} share this sandbox: " + ", ".join(
        title(one) for one in plan.conversations
    )


def _reason(plan: SandboxPlan) -> str:
    if plan.action:
        state = safe_line((plan.sandbox and plan.sandbox.status) or "in no known state").lower()
        return f"the sandbox is {state}"
    return plan.reason


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("target", metavar="ID|SANDBOX", help="a conversation, or a sandbox")
    parser.add_argument("--wait", action="store_true", help="wait until it is so, however long")
    parser.add_argument("--yes", action="store_true", help="do not ask, whatever is at stake")
    parser.set_defaults(now=False)


def _pause_arguments(parser: ArgumentParser) -> None:
    _arguments(parser)
    parser.add_argument(
        "--now", action="store_true", help="freeze it; do not let the agent end its step first"
    )


COMMANDS = {
    "pause": Command(
        "ID|SANDBOX",
        _pause_arguments,
        pause,
        (
            ("pause 5f3a", "the agent ends its step first"),
            ("pause 5f3a --yes --wait", "in a script"),
        ),
        reads="server",
        acts=True,
    ),
    "resume": Command(
        "ID|SANDBOX",
        _arguments,
        resume,
        (("resume 5f3a --wait", "its conversations can go on then"),),
        reads="server",
        acts=True,
    ),
}
