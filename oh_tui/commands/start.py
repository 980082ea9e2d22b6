"""`oh-tui start`: a new conversation; on demand until it is ready, or until its run is over."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from msgspec.structs import replace

from oh_tui.actions import worktrees
from oh_tui.actions.attempt_rows import MOST, Attempt
from oh_tui.actions.attempts import Wanted
from oh_tui.actions.start_draft import Choices, Draft, choices, request_for
from oh_tui.actions.start_offers import may_pause
from oh_tui.actions.starting import stage_of, title_lost
from oh_tui.api.bare_server import BareAgentServer
from oh_tui.api.errors import ApiError
from oh_tui.api.models import StartTask
from oh_tui.api.offered_models import SuggestedTask
from oh_tui.api.requests import StartRequest
from oh_tui.batch.reports.one_run import on_server, read_run, whole
from oh_tui.catalog.names import conversation_id, read_id
from oh_tui.catalog.status_cache import UNSEEN
from oh_tui.commands.agents.attempts import attempts_of
from oh_tui.commands.framework.acting import budget_word, file_text, require_consent, short, text_of
from oh_tui.commands.framework.command import Call, argument, command, flag, number_of
from oh_tui.commands.framework.exit_codes import STOPPED
from oh_tui.commands.framework.printing import print_json
from oh_tui.commands.framework.status import outcome
from oh_tui.commands.framework.waiting import until_over
from oh_tui.conversation import Conversation
from oh_tui.documents.run import conversation_json, line, verdict_json
from oh_tui.text.human import dollars, plural
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.text.remarks import progress, say, show_progress
from oh_tui.trajectory.findings.verdict import Verdict, judge

if TYPE_CHECKING:
    from oh_tui.documents.shapes import acts

COST = "This makes a sandbox and starts an agent in it, which may cost money"

COST_ALONE = "This starts an agent on the server, which may cost money"


@command(
    "start",
    argument(
        "text", nargs="?", metavar="TEXT|-", help="the task for the agent; - reads it from stdin"
    ),
    argument("--prompt-file", metavar="FILE", help="the task from a file"),
    argument(
        "--append-file",
        metavar="FILE",
        action="append",
        default=[],
        help="append the text of this file; may be repeated",
    ),
    argument(
        "--task",
        metavar="REPO#NUMBER",
        default="",
        help="a task of oh-tui tasks; without TEXT the server writes its prompt",
    ),
    argument(
        "--repo", metavar="OWNER/NAME", default="", help="a repository, or the address of its page"
    ),
    argument(
        "--branch",
        metavar="NAME",
        dest="git_branch",
        default="",
        help="a branch of it; its main branch by default",
    ),
    argument(
        "--on",
        metavar="NAME",
        default="",
        help="which of several servers; by default the first, which is said",
    ),
    argument("--title", metavar="TEXT", default="", help="by default the server makes one"),
    argument("--model", metavar="NAME", default="", help="the server's own choice by default"),
    argument(
        "--profile",
        metavar="NAME",
        default="",
        help="a profile of the server, by default its active; with --times also several: a,b",
    ),
    argument(
        "--folder", metavar="PATH", default="", help="where to work, on an agent server alone"
    ),
    argument(
        "--worktree",
        nargs="?",
        metavar="head",
        const="yes",
        default="",
        help="in a new git worktree of that folder, which starts from the default branch, or from "
        "where the folder stands",
    ),
    argument(
        "--secret",
        metavar="NAME",
        action="append",
        default=[],
        help="give the agent this variable of the environment; may be repeated",
    ),
    flag("--plan", about="an agent that writes a plan before anything is changed"),
    flag("--yes", about="do not ask, though it may cost money"),
    flag("--wait", about="wait until the conversation is there"),
    flag("--until-done", about="wait until its run is over"),
    flag("--no-run", about="only store the message; the agent does not begin"),
    argument(
        "--times",
        metavar="N",
        type=number_of("attempts", 1, MOST),
        help="N attempts (with each profile), each in a worktree or a sandbox of its own",
    ),
    argument("--verify", metavar="CMD", default="", help="tells whether an attempt did the task"),
    argument("--prepare", metavar="CMD", default="", help="runs before the agent of each attempt"),
    argument(
        "--stop-at",
        metavar="DOLLARS",
        type=budget_word,
        help="stay, and stop the agent of each attempt after its step once it has cost so much",
    ),
    examples={
        "start 'fix the failing test' --repo acme/dates": "asks first: it may cost money",
        "start --prompt-file task.md --append-file log.txt --yes --wait": "prints its id",
        "start --task acme/dates#53": "a task of oh-tui tasks",
        "start 'bump ruff' --yes --until-done": "exit code 0 when it finished",
        "start 'bump ruff' --folder ~/dates --worktree": "apart from what you do there",
        "start - --no-run --yes < task.md": "for a person to look at before it runs",
        "start 'fix it' --times 3 --verify 'pytest -q'": "attempts, which oh-tui attempts compares",
    },
    wants="change",
    of_one_server=True,
    epilog="Without --wait, --until-done, --no-run, --profile and --title the id of the start is\n"
    "printed, as there is no conversation yet; with one of them the id of the conversation,\n"
    "which gets profile and title once it is there. How a run\n"
    "ended goes to stderr; the exit code is 1 when it ended in an error, got stuck, was\n"
    "paused or waits for an answer; 4 when --stop-at stopped one. Attempts begin once all of\n"
    "their places are made: worktrees that start where the folder stands, and have only what\n"
    "is committed. docs/attempts.md tells more.",
)
async def start(call: Call) -> int:
    args = call.args
    if server := on_server(call.source):
        await server.require_kind()
    prompt = _prompt(call)
    if args.times and (args.no_run or args.task or args.model):
        raise Problem("Attempts take no --no-run, --task or --model", "leave it out")
    if not args.times and (args.verify or args.prepare or args.stop_at):
        raise Problem("--verify, --prepare and --stop-at are for attempts", "add --times 3")
    if args.no_run and args.until_done:
        raise Problem("--no-run starts no run to wait for", "leave one of them out")
    request = await _request(call, prompt)
    if args.times:
        return await _attempts(call, request)
    require_consent(call, await _stake(call, request), "oh-tui start ... --yes")
    stages: list[str] = []
    conversation: Conversation | None = None
    verdict: Verdict | None = None
    code = 0
    call.goes_on = "the start may go on, on the server: oh-tui conversations lists it then"
    with progress() as show:
        task, conversation = await _started(call, request, stages)
        if conversation is not None:
            if lost := title_lost(request, conversation):
                say(f"{lost}: oh-tui rename {short(conversation)} TITLE tries again")
            if args.no_run:
                show("leaving the message")
                call.goes_on = f"conversation {short(conversation)} is there: oh-tui tail shows it"
                await call.agents.leave(conversation.id, prompt)
                stages.append("the message waits")
            show("")
            if not call.as_json:
                print(conversation_id(conversation), flush=True)
            if args.until_done:
                (conversation,), _ = await until_over(call, [conversation])
                verdict = judge(whole(await read_run(call, conversation)))
                code = 0 if outcome(conversation, UNSEEN)[0] == "finished" else 1
    call.goes_on = ""
    if call.as_json:
        print_json(_document(task, stages, conversation, verdict))
    elif conversation is None:
        print(_task_id(task))
        say("this is the id of its start: oh-tui conversations lists the conversation in a minute")
    if conversation is None:
        return code
    if args.until_done:
        _say_end(conversation, verdict)
    elif args.no_run:
        say(f"the agent reads it after oh-tui continue {short(conversation)}")
    return code


def _prompt(call: Call) -> str:
    """What the agent is to do: a text or a file, and the files appended to it. Raises Problem."""
    args = call.args
    given = [one for one in (args.text, args.prompt_file) if one is not None]
    if args.task and not given and not args.append_file:
        return ""
    if len(given) != 1:
        raise Problem(
            "There are two prompts" if given else "There is no task",
            "oh-tui start TEXT, - for standard input, or --prompt-file FILE",
        )
    first = text_of(args.text) if args.prompt_file is None else file_text(args.prompt_file)
    return "\n\n".join([first.rstrip("\n"), *(file_text(one) for one in args.append_file)])


async def _request(call: Call, prompt: str) -> StartRequest:
    args = call.args
    task = await _task(call, args.task) if args.task else None
    draft = Draft(
        prompt,
        args.repo or (task.repo if task else ""),
        args.git_branch,
        args.title,
        args.model,
        profile="" if args.times else args.profile,
        mode="plan" if args.plan else "",
        secrets=" ".join(args.secret),
        folder=args.folder,
        worktree=args.worktree,
        task=task,
    )
    providers = {task.repo: task.git_provider} if task and task.git_provider else {}
    request = request_for(draft, Choices(providers=providers))
    if request.selected_repository and not request.git_provider:
        # earlier conversations may tell where the repository is
        request = request_for(draft, choices((await call.source.newest()).items))
    if args.no_run and not request.message:
        raise Problem("--no-run needs a message of yours to leave", "give TEXT, or leave it out")
    # with a message the agent runs at once in any case (measured), so it is sent later
    return replace(request, message="") if args.no_run else request


async def _task(call: Call, words: str) -> SuggestedTask:
    """The suggested task `REPO#NUMBER`. Raises Problem when there is none."""
    repository, _, number = words.rpartition("#")
    if not (repository and number.isdecimal()):
        raise Problem("A task is a repository and a number", "--task acme/dates#53")
    page = await call.agents.offers.tasks()
    for one in page.items:
        if (one.repo.lower(), str(one.issue_number)) == (repository.lower(), number):
            return one
    first = " among its first" if page.next_page_id else ""
    raise Problem(
        f"The server suggests no task {safe_line(words)}{first}", "oh-tui tasks lists them"
    )


async def _stake(call: Call, request: StartRequest) -> str:
    """What a start costs, which sandboxes it may pause, and what there is to know of a worktree.
    Raises Problem where there can be none."""
    if isinstance(call.agents.api, BareAgentServer):
        return f"{COST_ALONE}{await _about_worktree(call, call.agents.api, request)}"
    if call.args.yes or call.source.sandboxes is None:
        return COST
    pauses = may_pause(await call.source.sandboxes.all(), (await call.source.newest()).items)
    return f"{COST}. {pauses}" if pauses else COST


async def _about_worktree(call: Call, api: BareAgentServer, request: StartRequest) -> str:
    """Said at once where nothing is asked."""
    wanted = request.worktree
    if call.args.yes and not wanted:
        return ""
    try:
        ground = await worktrees.look(api, request.folder or "")
    except ApiError:
        if wanted:
            raise
        return ""
    if not wanted:
        has = ". The agent works in the folder itself, which has commits: --worktree keeps it apart"
        return has if ground.choices else ""
    ground.require(wanted)
    if call.args.yes:
        say(ground.words(wanted))
    return f". {ground.words(wanted)}"


async def _started(
    call: Call, request: StartRequest, stages: list[str]
) -> tuple[StartTask, Conversation | None]:
    """The start task, and the conversation if the options wait for it."""
    args = call.args
    waits = args.wait or args.until_done or args.no_run or request.profile or request.title
    task: StartTask | None = None
    conversation: Conversation | None = None
    async with contextlib.aclosing(call.agents.start(request)) as going:
        async for step in going:
            if not isinstance(step, StartTask):
                conversation = step
                break
            task = step
            stages.append(stage_of(task.status))
            show_progress(stages[-1])
            if not waits and task.status != "READY":
                break
    assert task is not None
    return task, conversation


async def _attempts(call: Call, request: StartRequest) -> int:
    args, limit = call.args, call.args.stop_at
    names = tuple(filter(None, (name.strip() for name in args.profile.split(","))))
    many = attempts_of(call)
    plan = await many.plan(Wanted(request, args.times, args.verify, args.prepare, names))
    count = len(plan.wanted.each)
    cost = "which may cost money, without a limit: --stop-at sets one"
    if limit:
        each = f"stopped after the step with which it has cost {dollars(limit)}"
        cost = f"each {each}: about {dollars(limit * count)} in all, while this command runs"
    stake = f"This starts {plural(count, 'agent')}, {cost}. {plan.words}"
    if args.yes:
        say(stake)
    require_consent(call, stake, "oh-tui start ... --times N --verify CMD --yes")
    call.goes_on = "what was begun goes on, on the server: oh-tui attempts lists it then"
    begun: list[Attempt] = []
    with progress() as show:
        async with contextlib.aclosing(many.start(plan)) as going:
            async for step in going:
                if isinstance(step, str):
                    show(step)
                    continue
                begun.append(step)
                show("")
                if not call.as_json:
                    print(conversation_id(step.conversation), flush=True)
        ended = [one.conversation for one in begun]
        has_stopped = False
        if limit or args.until_done:
            ended, has_stopped = await until_over(call, ended, limit)
    call.goes_on = ""
    group = begun[0].group
    if call.as_json:
        print_json({"group": group, "attempts": [conversation_json(one) for one in ended]})
    say(f"oh-tui attempts {group} --verify compares them")
    if limit and any(one.cost is None for one in ended):
        say("the cost of some is not known, so that --stop-at could not hold them")
    if has_stopped:
        return STOPPED
    is_good = all(outcome(one, UNSEEN)[0] == "finished" for one in ended)
    return 0 if is_good or not (limit or args.until_done) else 1


def _say_end(conversation: Conversation, verdict: Verdict | None) -> None:
    """Says how the run ended on stderr, as `tail` does; stdout has the id."""
    if verdict is not None and verdict.word:
        say(f"{verdict.word}  {verdict.cause}".rstrip())
    if outcome(conversation, UNSEEN)[0] == "waiting":
        name = short(conversation)
        say(f"oh-tui approve {name} or oh-tui reject {name} answers it")


def _document(
    task: StartTask,
    stages: list[str],
    conversation: Conversation | None,
    verdict: Verdict | None,
) -> acts.Start:
    return {
        "task": {"id": _task_id(task), "status": line(task.status)},
        "stages": stages,
        "conversation": conversation_json(conversation) if conversation else None,
        "verdict": verdict_json(verdict) if verdict else None,
    }


def _task_id(task: StartTask) -> str:
    return read_id(task.id) or safe_line(task.id)
