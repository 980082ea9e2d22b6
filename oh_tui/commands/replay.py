"""`oh-tui replay`: a recorded run as the model of another, and what that takes."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
from collections.abc import Iterator
from functools import partial

from oh_tui.actions.replay_endpoint import Endpoint
from oh_tui.actions.replay_plan import (
    Plan,
    Revision,
    Then,
    clone,
    make_plan,
    read_revision,
    require_folder,
    require_profile,
    server_for,
)
from oh_tui.actions.replaying import Ended, Started, Switched, in_loop, run_again
from oh_tui.batch.reports.one_run import whole
from oh_tui.catalog.names import conversation_id
from oh_tui.commands.framework.acting import budget_word, require_consent, require_writable, short
from oh_tui.commands.framework.command import OF_RUN, Call, argument, command, flag, number_of
from oh_tui.commands.framework.exit_codes import DEFECTS, OK, STOPPED, WRONG_USE
from oh_tui.commands.framework.masking import print_masked
from oh_tui.commands.framework.opening import begin_table, open_run, say_damage
from oh_tui.commands.framework.printing import print_json, print_json_line, print_pairs, print_table
from oh_tui.commands.framework.quoted_lines import quoted_lines
from oh_tui.conversation import Conversation
from oh_tui.documents.replay import check_json, request_json, serving_json, sum_json
from oh_tui.documents.run import line
from oh_tui.settings.startup import choose
from oh_tui.sources.source import Source, SourceOfServer
from oh_tui.tables.column import Column, Columns
from oh_tui.text.human import dollars, plural
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.text.remarks import say
from oh_tui.trajectory.comparison.parted import name_of
from oh_tui.trajectory.comparison.plain import How
from oh_tui.trajectory.comparison.seen import Differing
from oh_tui.trajectory.context.sdk_versions import of_version
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.replay.check import Check, check
from oh_tui.trajectory.replay.folders import read_pair
from oh_tui.trajectory.replay.recorded_model import HARMLESS, Outcome, RecordedModel


def _pace(word: str) -> float:
    try:
        pace = float(word)
    except ValueError:
        pace = -1.0
    if not 0 <= pace <= 100:
        raise argparse.ArgumentTypeError("it is a number from 0 to 100")
    return pace


@command(
    "replay",
    *OF_RUN,
    (
        flag("--serve", about="answer chat completions on this machine, until ctrl+c"),
        flag("--check", about="what it takes to run it again; runs nothing"),
    ),
    argument(
        "--on", metavar="SERVER", default="",
        help="run it on this agent server of this machine, by its name or address",
    ),
    argument(
        "--workspace", metavar="FOLDER", default="",
        help="where its agent works; by default where it worked, which --yes does not take",
    ),
    argument(
        "--git", metavar="URL@REV", default="",
        help="clone this revision into that folder first, which has to be new or empty",
    ),
    argument(
        "--until", metavar="N", type=number_of("an answer", 1, 10**6), default=0,
        help="with --then: leave the record after so many of its answers",
    ),
    argument(
        "--then", metavar="PROFILE", default="",
        help="the LLM profile of the server whose model goes on from there; it costs money",
    ),
    argument(
        "--stop-at", type=budget_word, metavar="DOLLARS",
        help="with --then: stop the agent after its step once that model has cost so much",
    ),
    flag("--yes", about="do not ask; needs --workspace, and with --then --stop-at"),
    argument(
        "--port", metavar="N", type=number_of("a port", 0, 65_535), default=0,
        help="where to listen; a free one by default",
    ),
    argument(
        "--map", metavar="OLD=NEW", action="append", default=[],
        help="a folder of the record that is elsewhere now; may be repeated",
    ),
    argument(
        "--written-by", metavar="VERSION", default="",
        help="the SDK that wrote the run, such as 1.17.0, where its events do not tell it",
    ),
    flag("--strict", about="refuse the first request that differs by more than what varies"),
    argument(
        "--pace", metavar="X", type=_pace, default=0.0,
        help="wait X times as long as the recorded model took, at most 60 s; 0 by default",
    ),
    examples={
        "replay run.zip --check": "what it tells and lacks, which calls reach far",
        "replay run.zip --on here --workspace /tmp/dates": "asks, then runs it again there",
        "replay run.zip --on here --until 12 --then big": "another model goes on from there",
        "replay run.zip --serve": "prints the address, the key, and a line a request",
        "replay run.zip --serve --map /workspace/a=/tmp/a": "the folder has another name now",
    },
    epilog="--on starts the run on an agent server, whose agent works on the machine\n"
    "itself. Tools really run: what the record pushed, it pushes again, and --check names\n"
    "such calls. docs/replay.md has the rules.\n\n"
    "Exit codes: 0 as recorded but for what varies with each run, 2 it cannot run again, 3 it\n"
    "parted from the record, 4 it was stopped at its --stop-at.",
    serves=True,
    settings=("servers",),
)  # fmt: skip
async def replay(call: Call) -> int:
    args = call.args
    runs = not (args.serve or args.check)
    if runs and not args.on:
        raise Problem(
            "Nothing says what to do with this run",
            "--check says what it takes, --serve serves its answers, --on SERVER runs it",
        )
    if not runs:
        _refuse_acts(args)
    else:
        require_writable("replay", call.settings, by_flag=args.read_only)
        if args.yes and not args.workspace:
            raise Problem(
                "--yes has to name the folder: the tools run on the machine itself",
                "--workspace FOLDER, or leave --yes out",
            )
        _require_then(args)
        require_folder(args.workspace)
        require_writable("replay", choose(call.settings, args.on, os.environ), by_flag=False)
    revision = read_revision(args.git) if args.git else None
    maps = [read_pair(word) for word in args.map]
    conversation, loaded = await open_run(call, sub_agents=True)
    study = Study(whole(loaded))
    if args.written_by:
        _write_by(study, args.written_by)
    found = check(study, line(conversation.llm_model) or "")
    if args.check:
        if call.as_json:
            say_damage(loaded)
            print_json(check_json(found))
        else:
            remark = begin_table(call, conversation, loaded.note)
            _print_check(call, found)
            for why in found.lacks:
                remark(f"cannot run again: {why}")
        return OK if found.can else WRONG_USE
    plan = make_plan(
        study,
        conversation,
        found,
        place=args.workspace,
        maps=maps,
        is_strict=args.strict,
        then=Then(args.until, args.then, args.stop_at) if args.then else None,
    )
    if not runs:
        return await _serve(call, plan)
    if not plan.place:
        raise Problem("Nothing tells where this run worked", "--workspace FOLDER")
    assert call.ask_server is not None
    return int(await call.ask_server(args.on, partial(_run_again, call, plan, revision)))


def _refuse_acts(args: argparse.Namespace) -> None:
    """Raises Problem for an option that has no meaning where no agent is started."""
    form = "--serve" if args.serve else "--check"
    for name in ("on", "workspace", "git", "until", "then", "stop_at", "yes"):
        if getattr(args, name):
            option = f"--{name.replace('_', '-')}"
            raise Problem(
                f"{form} starts no agent: {option} is for the run on a server",
                f"leave {option} out, or {form}",
            )


def _require_then(args: argparse.Namespace) -> None:
    if bool(args.until) != bool(args.then) or (args.stop_at is not None and not args.then):
        raise Problem("--until, --then and --stop-at belong together", "--until 12 --then PROFILE")
    if args.then and args.yes and args.stop_at is None:
        raise Problem("--then costs money, so --yes has to say how much", "--stop-at DOLLARS")


async def _run_again(call: Call, plan: Plan, revision: Revision | None, source: Source) -> int:
    """Starts the run on a server, and follows it to its end."""
    await source.newest()  # raises OtherKind for an agent server that was taken for another
    api = server_for(source.api if isinstance(source, SourceOfServer) else None)
    if plan.then:
        await require_profile(api, plan.then.profile)
    _require_yes(call, plan, source)
    if revision:
        await clone(api.agent_server(Conversation("")).sandbox, revision, plan.place)
    model, started, ended, is_left = plan.model, None, Ended(""), False
    happenings = run_again(api, plan, port=call.args.port, pace=call.args.pace)
    async with contextlib.aclosing(happenings):
        async for one in happenings:
            match one:
                case Outcome():
                    _print_outcome(call, one)
                case Started(conversation):
                    started = conversation
                case Switched():
                    is_left = True
                    say(f"the record is left: {safe_line(call.args.then)} goes on")
                case Ended():
                    ended = one
    if call.as_json:
        identifier = conversation_id(started) if started else None
        told = {"conversation": identifier, "ended": line(ended.status), "cost": ended.cost}
        print_json_line(sum_json(model) | told)
    else:
        print(_sum_words(model))
        if started:
            name = short(started)
            how = safe_line(ended.status) or "idle"
            say(f"{how}; oh-tui compare has the record beside it: {name}")
    if plan.then and not is_left:
        raise Problem("The agent ended before it could be switched", "its run tells why")
    if plan.then and plan.then.most and ended.cost is None:
        say("its cost is not known, so that --stop-at could not hold it")
    if ended.is_stopped:
        say(f"stopped: {safe_line(call.args.then)} has cost {dollars(ended.cost or 0.0)}")
        return STOPPED
    return OK if model.answers == model.known and not model.has_parted else DEFECTS


def _require_yes(call: Call, plan: Plan, source: Source) -> None:
    """Asks, with what would be done again."""
    for one in plan.found.reaching:
        say(f"{f'step {one.step:,}' if one.step else 'a sub-agent,'} {one.what}: {one.why}")
    for needed in plan.missing if not call.args.git else ():
        say(f"missing at its start: {needed.path}, which step {needed.step:,} names")
    done_by = "oh-tui replay ... --workspace FOLDER --yes"
    stake = plan.stake(source.label)
    if call.args.git:
        stake = f"{stake}, in a new clone of {safe_line(call.args.git)}"
    require_consent(call, stake, done_by, refused="Nothing was started")


async def _serve(call: Call, plan: Plan) -> int:
    model, name = plan.model, plan.name
    told = in_loop(partial(_print_outcome, call))
    endpoint = Endpoint(model, told, port=call.args.port, pace=call.args.pace)
    try:
        if call.as_json:
            print_json_line(serving_json(endpoint, name), raw=True)  # its key is for the reader
        else:
            # the key is for the reader, and opens no more than this
            values = (endpoint.address, endpoint.token, safe_line(name))
            names = ("LLM_BASE_URL", "LLM_API_KEY", "LLM_MODEL")
            print_masked(f"{n}={value}\n" for n, value in zip(names, values, strict=True))
            if not call.style.piped:
                _hints(plan.found)
        sys.stdout.flush()
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        pass  # ctrl+c is how it ends
    finally:
        endpoint.close()
    if call.as_json:
        print_json_line(sum_json(model))
    else:
        print(_sum_words(model))
    return DEFECTS if model.has_parted else OK


def _write_by(study: Study, version: str) -> None:
    """Raises Problem for what is no version."""
    if of_version(version) is None:
        raise Problem(f"{safe_line(version)} is no version", "--written-by 1.34.0")
    for one in (study, *study.sub_runs.all()):
        one.contexts.written_by(version)


def _hints(found: Check) -> None:
    if "gpt-5" in found.model:
        say('models of this name are asked otherwise: set "api_mode": "chat" for it (1.58)')
    if found.reaching:
        far = plural(len(found.reaching), "call")
        say(f"{far} may reach beyond the folder again: --check tells more")
    say("serves until ctrl+c")


def _print_outcome(call: Call, one: Outcome) -> None:
    if call.as_json:
        print_json_line(request_json(one))
    else:
        _print_request(call, one)
    sys.stdout.flush()


def _print_request(call: Call, one: Outcome) -> None:
    style = call.style
    what = f"step {one.step}" if one.step else one.purpose.value
    how = one.refused or (one.match.value if one.match else "answered")
    hue = "dim" if one.match in HARMLESS else "amber"
    print(f"{what}\t{how}" if style.piped else f"{what:<12} {style.paint(how, hue)}")
    for difference in one.new:
        print(*_lines(call, difference), sep="\n")


def _lines(call: Call, one: Differing) -> Iterator[str]:
    plain = f": {', '.join(sorted(one.told.names))}" if one.told.names else ""
    yield f"    {name_of(one)}{plain}"
    if one.told.how is How.PLAIN:
        return
    yield from quoted_lines(call.style, one, ("      now     ", "      recorded"))


def _sum_words(model: RecordedModel) -> str:
    parts = [f"{model.answers:,} of {plural(model.known, 'answer')} given"]
    parts += [f"{count:,} {match}" for match, count in sorted(model.counts.items())]
    parts += [f"{count:,} for {purpose}" for purpose, count in sorted(model.others.items())]
    return "; ".join([*parts, "parted" if model.has_parted else "not parted"])


def _print_check(call: Call, found: Check) -> None:
    known = "told" if found.version_is_told else "not told"
    print_pairs(
        call.style,
        [
            ("model", found.model or "not told"),
            ("tools", ", ".join(found.tools) or "not told"),
            ("condenser", found.condenser or "not told"),
            ("folder", found.folder or "not told"),
            ("version", f"{known}: {safe_line(found.rules)}"),
            ("answers", f"{found.answers:,}"),
        ],
    )
    columns: Columns = (
        Column("step", right=True),
        Column("reaches far", share=2),
        Column("why", share=1),
    )
    print_table(call.style, columns, ((str(n or ""), what, why) for n, what, why in found.reaching))
    columns = (Column("step", right=True), Column("needs at its start", share=1))
    print_table(call.style, columns, ((str(n), path) for n, path in found.needed))
