"""`oh-tui fork`: another conversation that knows a run up to a step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from oh_tui.actions import agent_setup, forking
from oh_tui.actions.agent_actions import AgentStage
from oh_tui.actions.conversation_records import checked_title
from oh_tui.batch.reports.one_run import read_run, whole
from oh_tui.batch.reports.seen import Seen
from oh_tui.catalog.names import conversation_id, title
from oh_tui.commands.framework.acting import require_consent, short, text_of
from oh_tui.commands.framework.command import BRANCH, RUNNING, Call, argument, command, flag
from oh_tui.commands.framework.opening import meant
from oh_tui.commands.framework.printing import print_json
from oh_tui.conversation import Conversation, bare_id
from oh_tui.documents.run import line
from oh_tui.documents.steps import step_at
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.text.remarks import progress, say
from oh_tui.trajectory.changes.at_step import Differs, differing, differing_words
from oh_tui.trajectory.context import fork_places
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.trajectory import Trajectory

if TYPE_CHECKING:
    from oh_tui.documents.shapes import acts


@command(
    "fork",
    RUNNING,
    argument("--title", metavar="TEXT", default="", help="of the fork; else that of its origin"),
    argument("--message", metavar="TEXT|-", help="send it this at once; - reads it from stdin"),
    flag("--yes", about="do not ask"),
    BRANCH,
    examples={
        "fork 5f3a --at 42": "a conversation that knows steps 1-42 alone",
        "fork 5f3a --at 42 --message 'use the tzdata package' --yes": "and goes on from there",
        "fork 5f3a": "at the end of the run",
    },
    wants="change",
    takes_step=True,
    epilog="A step is refused where it leaves a call without a result: the agent of the fork\n"
    "would run it again. At a message of yours, the fork has it and answers it anew; to say\n"
    "another thing there, fork at the step before. The files are not turned back, and both\n"
    "agents work in the same folder. The id of the fork goes to stdout, the rest to stderr;\n"
    "the exit code is 1 when the fork is not as it was asked for or got no message.",
)
async def fork(call: Call) -> int:
    args = call.args
    message = None if args.message is None else text_of(args.message).rstrip("\n")
    if message is not None and not message.strip():
        raise Problem("The message is empty", "leave --message out to send none")
    checked_title(args.title)
    conversation = await meant(call)
    ready = await forking.ready(call.agents, conversation.id)
    origin = ready.conversation
    run = whole(await read_run(call, origin, sub_agents=True))
    step = _step(run, args.at)
    place = forking.place_for(run, step)
    files = Study(run).files
    changed = differing(files.files, files.moment(place.step))
    if not call.as_json:
        for told in _facts(call, ready, run, place, changed):
            say(told)
    at = f" --at {step}" if step else ""
    stake = "This makes another conversation on the server"
    require_consent(call, stake, f"oh-tui fork {call.about}{at} --yes")
    call.goes_on = "the fork may still be made: oh-tui conversations lists it"
    with progress() as show:
        show("forking")
        forked = await forking.fork(call.agents, origin.id, run, step, title=args.title)
    fork_id = conversation_id(forked.conversation)
    call.goes_on = ""
    if not forked.is_whole:
        seen = Seen(call)
        seen.states.record_fork(bare_id(forked.conversation.id), forked.place.step)
        seen.save()
    if not call.as_json:
        print(fork_id, flush=True)
    call.about = short(forked.conversation)
    remarks = [*forked.remarks, *await _cure(call, forked)]
    is_fit = forked.is_listed and not (forked.is_whole or forked.problem)
    is_sent = False
    if message is not None and is_fit and forked.has_key is not False:
        await _send(call, forked.conversation, message)
        is_sent = True
    elif message is not None:
        remarks.append("The message was not sent")
    if call.as_json:
        print_json(_document(forked, origin, run, changed, is_sent, remarks))
    else:
        _say_outcome(call, is_sent, remarks)
    return 0 if is_fit and is_sent is (message is not None) else 1


def _step(run: Trajectory, at: str) -> int | None:
    """The number of the step that `--at` names. Raises Problem."""
    if "." in at:
        raise Problem(
            f"Step {safe_line(at)[:40]} is one of a sub-agent", "a fork begins at a step of the run"
        )
    return step_at(run, at).number if at else None


def _facts(
    call: Call,
    origin: forking.Origin,
    run: Trajectory,
    place: fork_places.ForkPlace,
    changed: Sequence[Differs],
) -> list[str]:
    """What has to be known before a yes."""
    model = safe_line(origin.conversation.llm_model or "")
    differ = f": since step {place.step}, {differing_words(changed)}" if changed else ""
    uses = f", its model is {model}" if model else ""
    told = [
        f"the fork knows {origin.knows(place, len(run))}{uses}",
        f"the files are not turned back{differ}",
        *([origin.shares] if origin.conversation.worktree else ()),
    ]
    if changed:
        folder = f"oh-tui checkout {call.about} --at {place.step} -o FOLDER"
        told.append(f"{folder} writes them as they were then")
    return [*told, "it costs nothing until it gets a message"]


async def _cure(call: Call, forked: forking.Forked) -> list[str]:
    if forked.has_key is not False:
        return []
    name = short(forked.conversation)
    try:
        names = (await agent_setup.read(call.agents, forked.conversation.id)).names
    except Problem as problem:
        return [problem.sentence]
    if not names:
        return [f"{forking.make_a_profile(call.agents)}: oh-tui agent {name} --profile NAME"]
    known = ", ".join(safe_line(one) for one in names[: agent_setup.MOST_NAMED])
    return [f"oh-tui agent {name} --profile NAME gives it one, of {known}"]


async def _send(call: Call, conversation: Conversation, message: str) -> None:
    call.goes_on = f"the message may still arrive: oh-tui tail {call.about} shows it"
    state = await call.agents.state(conversation.id)
    with progress() as show:
        async for stage in call.agents.send(state, message):
            if isinstance(stage, AgentStage):
                show(stage)
    call.goes_on = ""


def _say_outcome(call: Call, is_sent: bool, remarks: Sequence[str]) -> None:
    for remark in remarks:
        say(remark)
    if is_sent:
        say(f"the message was sent: oh-tui tail -f {call.about} shows what it does")
    elif not remarks:
        say(f"oh-tui send {call.about} TEXT tells it what to do")


def _document(
    forked: forking.Forked,
    origin: Conversation,
    run: Trajectory,
    changed: Sequence[Differs],
    is_sent: bool,
    remarks: Sequence[str],
) -> acts.Fork:
    place = forked.place
    return {
        "id": conversation_id(forked.conversation),
        "title": title(forked.conversation),
        "origin": {
            "id": conversation_id(origin),
            "title": title(origin),
            "step": place.step,
            "event_id": line(place.event_id),
            "steps": len(run),
        },
        "knows": len(run) if forked.is_whole else place.known,
        "whole": forked.is_whole,
        "has_key": forked.has_key,
        "listed": forked.is_listed,
        "model": line(origin.llm_model or "") or None,
        "sent": is_sent,
        "files": [
            {"path": one.file.shown, "certain": one.certain, "edited": one.edited}
            for one in changed
        ],
        "remarks": list(remarks),
    }
