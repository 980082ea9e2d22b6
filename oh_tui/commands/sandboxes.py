"""`oh-tui sandboxes`, `pause` and `resume`. What a pause or a resume would touch is read first, and
asked about."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from oh_tui.actions.sandboxes import SandboxPlan, SandboxStage, ServerSandboxes
from oh_tui.api.models import Sandbox
from oh_tui.batch.reports.one_run import find, require_id
from oh_tui.batch.reports.seen import Seen
from oh_tui.catalog.names import conversation_id, read_id, title
from oh_tui.catalog.run_status import Group, conversation_state
from oh_tui.commands.framework.acting import require_consent, require_writable
from oh_tui.commands.framework.command import Call, argument, command, flag
from oh_tui.commands.framework.printing import Style, print_json, print_rows
from oh_tui.commands.framework.run_words import is_path, is_shared
from oh_tui.commands.framework.status import HUES
from oh_tui.conversation import Conversation
from oh_tui.documents.run import sandbox_json
from oh_tui.tables.column import Cell, Column
from oh_tui.text.clean import clean_line
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem, Refused
from oh_tui.text.redact import safe_line
from oh_tui.text.remarks import progress, say


@command(
    "sandboxes",
    flag("--all", about="also those that are gone"),
    examples={"sandboxes": "those that are there, running first"},
    wants="server",
)
async def sandboxes(call: Call) -> int:
    held = await call.sandboxes.all()
    for problem in call.source.problems:
        say(problem)
    page = await call.source.newest()
    inside: dict[str, list[Conversation]] = {}
    seen = Seen(call)

    def group(one: Conversation) -> Group:
        return conversation_state(one, seen.of(one)).group(one)

    # the conversation that the explorer lists first is named first
    for one in sorted(page.items, key=group):
        inside.setdefault(one.sandbox_id or "", []).append(one)
    rank = {"RUNNING": 0, "STARTING": 1, "ERROR": 2, "PAUSED": 3}
    shown = [one for one in held if call.args.all or one.status != "MISSING"]
    shown.sort(key=lambda one: rank.get(one.status or "", 4))
    if call.as_json:
        found = [sandbox_json(one) | _inside_json(inside.get(one.id, ())) for one in shown]
        print_json({"source": call.source.label, "sandboxes": found})
        return 0
    columns = (*_COLUMNS[:1], SERVER, *_COLUMNS[1:]) if call.source.members else _COLUMNS
    print_rows(call.style, columns, [(one, inside.get(one.id, ())) for one in shown])
    gone = len(held) - len(shown)
    if not call.style.piped and (gone or not held):
        remark = f"{gone} more are gone: --all lists them" if gone else "none yet"
        print(call.style.paint(remark, "dim"))
    return 0


Shown: TypeAlias = "tuple[Sandbox, Sequence[Conversation]]"
"""A sandbox, and what is in it."""


def _state(row: Shown, _style: Style) -> Cell:
    status = safe_line(row[0].status or "").lower()
    word = {"missing": "gone", "error": "failed"}.get(status, status)
    return Cell(word, HUES.get("error" if word == "failed" else word, ""))


def _titles_inside(row: Shown, style: Style) -> str:
    names = [title(one) for one in row[1]]
    more = f" +{len(names) - 1} more" if len(names) > 1 else ""
    return ", ".join(names) if style.piped else "".join(names[:1]) + more


_COLUMNS: tuple[Column[Shown, Style], ...] = (
    Column("id", lambda row, _: safe_line(row[0].id)),
    Column("state", _state),
    Column("age", lambda row, style: style.when(row[0].created_at), right=True),
    Column("conversation", _titles_inside, share=1),
)


SERVER: Column[Shown, Style] = Column("server", lambda row, _: row[0].server)


def _inside_json(conversations: Iterable[Conversation]) -> dict[str, list[dict[str, str]]]:
    inside = [{"id": conversation_id(one), "title": title(one)} for one in conversations]
    return {"conversations": inside}


# pause and resume

_SANDBOX = argument("target", metavar="ID|SANDBOX", help="a conversation, or a sandbox")
_WAIT = flag("--wait", about="wait until it is done, however long that takes")
_YES = flag("--yes", about="do not ask, whatever is at stake")

_DONE = {"pause": ("PAUSED", SandboxStage.PAUSED), "resume": ("RUNNING", SandboxStage.RUNNING)}
"""The status that each act leads to, and its last stage."""


@command(
    "pause",
    _SANDBOX,
    _WAIT,
    _YES,
    flag("--now", about="freeze it now, without waiting for the end of the step"),
    examples={
        "pause 5f3a": "the agent ends its step first",
        "pause 5f3a --yes --wait": "in a script",
    },
    wants="change",
)
async def pause(call: Call) -> int:
    return await _change(call, "pause", stop_agents=not call.args.now)


@command(
    "resume",
    _SANDBOX,
    _WAIT,
    _YES,
    examples={"resume 5f3a --wait": "then its conversations can go on"},
    wants="change",
)
async def resume(call: Call) -> int:
    return await _change(call, "resume", stop_agents=False)


async def _change(call: Call, verb: str, *, stop_agents: bool) -> int:
    plan = await call.sandboxes.plan(await _sandbox_id(call))
    if plan.sandbox is not None:
        settings = call.settings.of(plan.sandbox.server)
        require_writable(verb, settings, by_flag=call.args.read_only)
        call.on = plan.sandbox.server
    status, done = _DONE[verb]
    stages: list[str] = []
    if plan.sandbox is not None and plan.sandbox.status == status:
        stages.append(f"{done.removesuffix(' again')} already")
    elif plan.action != verb:
        raise Refused(f"Cannot {verb} it: {_reason(plan)}", "oh-tui sandboxes shows what there is")
    else:
        if plan.at_stake:
            require_consent(call, _stake(plan), f"oh-tui {verb} ... --yes")
        call.goes_on = f"the server may still {verb} the sandbox: oh-tui sandboxes shows it"
        with progress() as show:
            async for stage in call.sandboxes.carry_out(
                plan, stop_agents=stop_agents, patient=call.args.wait
            ):
                stages.append(stage)
                show(stage)
        call.goes_on = ""
        await _say_displaced(call.sandboxes, plan)
    if call.as_json:
        assert plan.sandbox is not None
        sandbox = await call.sandboxes.get(plan.sandbox.id)
        found = {"sandbox": sandbox_json(sandbox) if sandbox else None, "stages": stages}
        print_json(found | _inside_json(plan.conversations))
    else:
        print("  ".join(filter(None, (stages[-1], _titles(plan.conversations)))))
    return 0


async def _sandbox_id(call: Call) -> str:
    word = call.args.target
    if is_path(word):
        what = "a shared link" if is_shared(word) else "a file"
        raise Problem(f"{clean_line(word)} is {what}, and {what} has no sandbox")
    ids = [one.id for one in await call.sandboxes.all()]
    named = [one for one in ids if one == word] or [one for one in ids if one.startswith(word)]
    if len(named) == 1 and len(word) >= 4:
        return named[0]
    if not read_id(word) and "://" not in word:
        raise Problem(
            f"{clean_line(word)!r} is neither a conversation nor a sandbox",
            "oh-tui sandboxes and oh-tui conversations list them",
        )
    here = "" if call.args.demo else call.settings.base_url
    conversation = await find(call.source, require_id(word, here))
    if not conversation.sandbox_id:
        raise Problem(f"{title(conversation)} has no sandbox", "the run stays readable")
    return conversation.sandbox_id


async def _say_displaced(sandboxes: ServerSandboxes, plan: SandboxPlan) -> None:
    """Says what was paused to make room. The resume has succeeded, whatever is answered here."""
    with contextlib.suppress(Problem):
        for sandbox in await sandboxes.displaced(plan):
            inside = await sandboxes.inside(sandbox.id)
            names = [title(one) for one in inside if not one.parent_conversation_id]
            say(f"the server paused {safe_line(', '.join(names) or sandbox.id)} to make room")


def _stake(plan: SandboxPlan) -> str:
    if plan.action == "resume":
        return f"The server may pause one of the {len(plan.others)} other sandboxes that run"
    if plan.running:
        return f"This stops {plural(len(plan.running), 'run')}: {_titles(plan.running)}"
    count = plural(len(plan.conversations), "conversation")
    return f"{count} share this sandbox: {_titles(plan.conversations)}"


def _titles(conversations: Iterable[Conversation]) -> str:
    return ", ".join(map(title, conversations))


def _reason(plan: SandboxPlan) -> str:
    if plan.action:
        state = safe_line((plan.sandbox and plan.sandbox.status) or "in no known state").lower()
        return f"the sandbox is {state}"
    return plan.reason
